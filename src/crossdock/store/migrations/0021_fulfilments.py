"""Parcels entered here are written into the shop, with the proof of it; the seller's switch per connection."""

import django.db.models.deletion
from django.db import migrations, models

STATES = [
    (name, name)
    for name in (
        "none",
        "intended",
        "sent",
        "acknowledged",
        "equal",
        "differs",
        "refused",
        "missing",
        "cancelled",
    )
]


class Migration(migrations.Migration):
    dependencies = [("store", "0020_reasons")]

    operations = [
        migrations.AddField("connection", "push_fulfilments", models.BooleanField(db_default=True, default=True)),
        migrations.CreateModel(
            "Fulfilment",
            [
                (
                    "shipment",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="fulfilment",
                        serialize=False,
                        to="store.shipment",
                    ),
                ),
                ("state", models.CharField(choices=STATES, default="intended", max_length=20)),
                ("numbers", models.JSONField(default=list)),
                ("intended_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
                ("acknowledged_at", models.DateTimeField(null=True)),
                ("equal_at", models.DateTimeField(null=True)),
                ("adopted", models.BooleanField(default=False)),
                ("sentence", models.TextField(blank=True)),
            ],
        ),
    ]
