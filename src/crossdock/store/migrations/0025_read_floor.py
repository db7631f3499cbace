"""Up to which number a shop's reads of counts are void: a read that changes nothing writes this, not each row."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0024_risk_market")]

    operations = [
        migrations.CreateModel(
            "ReadFloor",
            [
                (
                    "connection",
                    models.OneToOneField(
                        "store.Connection",
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                    ),
                ),
                ("no", models.BigIntegerField()),
            ],
        )
    ]
