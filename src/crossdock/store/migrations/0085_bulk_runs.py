"""Runs over many orders."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import crossdock.store.ids

KEY = models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")
CASCADE = django.db.models.deletion.CASCADE
SET_NULL = django.db.models.deletion.SET_NULL


def _one_of(*words: str) -> list[tuple[str, str]]:
    return [(word, word) for word in words]


class Migration(migrations.Migration):
    dependencies = [("store", "0084_ratings")]
    operations = [
        migrations.CreateModel(
            name="BulkRun",
            fields=[
                ("id", KEY.clone()),
                ("public_id", models.CharField(default=crossdock.store.ids.public_id, max_length=14)),
                ("kind", models.CharField(choices=_one_of("ship", "reject", "tag", "untag"), max_length=10)),
                (
                    "state",
                    models.CharField(choices=_one_of("waiting", "running", "done"), default="waiting", max_length=10),
                ),
                ("key", models.CharField(max_length=40)),
                ("given", models.JSONField()),
                ("asked_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("tries", models.PositiveIntegerField(default=0)),
                ("claim", models.CharField(blank=True, max_length=14)),
                ("claimed_until", models.DateTimeField(null=True)),
                (
                    "asked_by",
                    models.ForeignKey(null=True, on_delete=SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL),
                ),
                ("seller", models.ForeignKey(on_delete=CASCADE, related_name="bulk_runs", to="store.seller")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("public_id",), name="one_bulk_run_per_public_id"),
                    models.UniqueConstraint(fields=("seller", "key"), name="one_bulk_run_per_form"),
                ],
                "indexes": [
                    models.Index(fields=["seller", "-id"], name="bulk_run_of_seller"),
                    models.Index(
                        condition=models.Q(("state__in", ["waiting", "running"])),
                        fields=["due_at"],
                        name="bulk_run_due",
                    ),
                    models.Index(fields=["asked_at"], name="bulk_run_by_age"),
                ],
            },
        ),
        migrations.CreateModel(
            name="BulkRow",
            fields=[
                ("id", KEY.clone()),
                (
                    "state",
                    models.CharField(
                        choices=_one_of("waiting", "done", "skipped", "failed"),
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("given", models.JSONField()),
                ("sentence", models.CharField(blank=True, max_length=400)),
                ("at", models.DateTimeField(null=True)),
                ("order", models.ForeignKey(on_delete=CASCADE, related_name="bulk_rows", to="store.order")),
                (
                    "run",
                    models.ForeignKey(db_index=False, on_delete=CASCADE, related_name="rows", to="store.bulkrun"),
                ),
            ],
            options={
                "ordering": ["id"],
                "constraints": [
                    models.UniqueConstraint(fields=("run", "order"), name="order_once_in_a_bulk_run"),
                ],
            },
        ),
    ]
