"""Prices of a shop that jump wait for their seller, beyond a limit that they set."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0078_order_notes")]
    operations = [
        migrations.AddField("connection", "price_limit", models.PositiveIntegerField(null=True)),
        migrations.CreateModel(
            name="HeldPrice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("told_minor", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("kept", models.BooleanField(default=False)),
                (
                    "variant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="held_price", to="store.variant"
                    ),
                ),
            ],
        ),
    ]
