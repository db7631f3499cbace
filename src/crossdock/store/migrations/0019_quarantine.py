"""What could not be taken in, and trouble of single streams."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0018_minor_units"),
    ]

    operations = [
        migrations.AddField(
            model_name="cursor",
            name="failing_since",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="cursor",
            name="failures",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="cursor",
            name="trouble",
            field=models.TextField(blank=True, db_default=""),
        ),
        migrations.CreateModel(
            name="Quarantined",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("order", "Order"),
                            ("product", "Product"),
                            ("counts", "Counts"),
                            ("delivery", "Delivery"),
                            ("command", "Command"),
                        ],
                        max_length=10,
                    ),
                ),
                ("entity", models.CharField(blank=True, max_length=200)),
                ("key", models.CharField(max_length=220)),
                ("cause", models.CharField(max_length=400)),
                ("path", models.CharField(blank=True, max_length=200)),
                ("trace", models.TextField(blank=True)),
                ("call", models.CharField(blank=True, max_length=16)),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                ("tries", models.PositiveIntegerField(default=1)),
                ("next_try_at", models.DateTimeField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("held", "Held"),
                            ("released", "Released"),
                            ("dismissed", "Dismissed"),
                            ("healed", "Healed"),
                        ],
                        default="held",
                        max_length=10,
                    ),
                ),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "connection",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="quarantined",
                        to="store.connection",
                    ),
                ),
                (
                    "ended_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="quarantined",
                        to="store.order",
                    ),
                ),
                (
                    "party",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="quarantined", to="store.party"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "quarantined",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["held", "released"])),
                        fields=["party", "next_try_at"],
                        name="quarantine_due",
                    ),
                    models.Index(
                        condition=models.Q(("state__in", ["held", "released"])),
                        fields=["cause"],
                        name="quarantine_cause",
                    ),
                ],
                "constraints": [models.UniqueConstraint(fields=("party", "key"), name="one_row_per_quarantined")],
            },
        ),
    ]
