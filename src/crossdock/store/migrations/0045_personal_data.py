"""Copies of a person's data and leavings, with the pieces of a copy. Two new tables: nothing is locked."""

import crossdock.domain.privacy.runs
import crossdock.store.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0044_facts_index"),
    ]

    operations = [
        migrations.CreateModel(
            name="DataRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.CharField(default=crossdock.store.ids.public_id, max_length=14)),
                ("kind", models.CharField(choices=[("export", "export"), ("erasure", "erasure")], max_length=10)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("second", "second"),
                            ("waiting", "waiting"),
                            ("running", "running"),
                            ("ready", "ready"),
                            ("done", "done"),
                            ("stopped", "stopped"),
                            ("withdrawn", "withdrawn"),
                            ("ended", "ended"),
                        ],
                        default=crossdock.domain.privacy.runs.RunState["WAITING"],
                        max_length=10,
                    ),
                ),
                ("why", models.CharField(blank=True, max_length=300)),
                ("asked_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("ends_at", models.DateTimeField(null=True)),
                ("step", models.CharField(blank=True, max_length=60)),
                ("cursor", models.BigIntegerField(default=0)),
                ("done", models.PositiveIntegerField(default=0)),
                ("rows", models.PositiveBigIntegerField(default=0)),
                ("size", models.PositiveBigIntegerField(default=0)),
                ("tries", models.PositiveIntegerField(default=0)),
                ("claim", models.CharField(blank=True, max_length=32)),
                ("claimed_until", models.DateTimeField(null=True)),
                ("sentence", models.TextField(blank=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="data_runs",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "second_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DataPart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("no", models.PositiveIntegerField()),
                ("content", models.BinaryField()),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="parts", to="store.datarun"
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="datarun",
            index=models.Index(fields=["person", "-id"], name="data_run_of_person"),
        ),
        migrations.AddIndex(
            model_name="datarun",
            index=models.Index(
                condition=models.Q(("state__in", ["waiting", "running"])), fields=["due_at"], name="data_run_due"
            ),
        ),
        migrations.AddConstraint(
            model_name="datarun",
            constraint=models.UniqueConstraint(fields=("public_id",), name="data_run_public_id"),
        ),
        migrations.AddConstraint(
            model_name="datarun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ["second", "waiting", "running"])),
                fields=("person", "kind"),
                name="one_data_run_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="datapart",
            constraint=models.UniqueConstraint(fields=("run", "no"), name="data_part_once"),
        ),
    ]
