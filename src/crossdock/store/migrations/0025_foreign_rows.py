"""A row in quarantine may be an order of the shop's own customers. Nothing changes in the table."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0024_risk_market")]

    operations = [
        migrations.AlterField(
            "quarantined",
            "state",
            models.CharField(
                choices=[
                    ("held", "Held"),
                    ("released", "Released"),
                    ("dismissed", "Dismissed"),
                    ("foreign", "Foreign"),
                    ("healed", "Healed"),
                ],
                default="held",
                max_length=10,
            ),
        )
    ]
