"""Stock that explains itself: limits and the policy of a silent shop, the flight recorder's columns, reconciliations and the differences they found."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0006_cases")]

    operations = [
        migrations.CreateModel(
            name="Difference",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("gone", "gone"),
                            ("echo", "echo"),
                            ("both_places", "both_places"),
                            ("restored_twice", "restored_twice"),
                            ("edited", "edited"),
                            ("missed", "missed"),
                        ],
                        max_length=20,
                    ),
                ),
                ("expected", models.BigIntegerField(null=True)),
                ("shop", models.BigIntegerField(null=True)),
                ("evidence", models.JSONField(default=dict)),
                ("found_at", models.DateTimeField()),
                (
                    "decision",
                    models.CharField(
                        blank=True, choices=[("shop", "shop"), ("ours", "ours"), ("aside", "aside")], max_length=10
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Recount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "occasion",
                    models.CharField(
                        choices=[("schedule", "Schedule"), ("outage", "Outage"), ("demand", "Demand")], max_length=10
                    ),
                ),
                ("cursor", models.TextField(blank=True)),
                ("pages", models.PositiveIntegerField(default=0)),
                ("batches", models.PositiveIntegerField(default=0)),
                ("variants", models.PositiveIntegerField(default=0)),
                ("differences", models.PositiveIntegerField(default=0)),
                ("echoes", models.PositiveIntegerField(default=0)),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name="connection",
            name="floor",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="connection",
            name="most_shown",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="connection",
            name="no_answer",
            field=models.CharField(
                choices=[("sell", "Sell"), ("hold", "Hold"), ("refuse", "Refuse")], default="sell", max_length=10
            ),
        ),
        migrations.AddField(
            model_name="movement",
            name="actor",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="movement",
            name="event",
            field=models.CharField(blank=True, max_length=60),
        ),
        migrations.AddField(
            model_name="movement",
            name="left",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="variantstock",
            name="aside_why",
            field=models.CharField(blank=True, max_length=160),
        ),
        migrations.AddField(
            model_name="variantstock",
            name="floor",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="variantstock",
            name="most_shown",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddIndex(
            model_name="movement",
            index=models.Index(condition=models.Q(("kind", "shop_count")), fields=["event"], name="movement_event"),
        ),
        migrations.AddField(
            model_name="difference",
            name="decided_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="difference",
            name="movement",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="difference", to="store.movement"
            ),
        ),
        migrations.AddField(
            model_name="difference",
            name="variant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="differences", to="store.variant"
            ),
        ),
        migrations.AddField(
            model_name="recount",
            name="actor",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="recount",
            name="connection",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="recounts", to="store.connection"
            ),
        ),
        migrations.AddField(
            model_name="difference",
            name="recount",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="found", to="store.recount"
            ),
        ),
        migrations.AddIndex(
            model_name="recount",
            index=models.Index(fields=["connection", "-id"], name="recount_recent"),
        ),
        migrations.AddConstraint(
            model_name="recount",
            constraint=models.UniqueConstraint(
                condition=models.Q(("finished_at", None)), fields=("connection",), name="one_recount_at_a_time"
            ),
        ),
        migrations.AddIndex(
            model_name="difference",
            index=models.Index(
                condition=models.Q(("decision", "")), fields=["recount", "-id"], name="difference_of_run"
            ),
        ),
    ]
