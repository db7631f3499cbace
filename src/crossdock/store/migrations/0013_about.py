"""An order's page asks for all commands about it; its risk and labels are lines of their own now."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0012_risk_fitted")]

    operations = [
        migrations.AddIndex(
            "command", models.Index(fields=["subject"], name="command_about", opclasses=["varchar_pattern_ops"])
        )
    ]
