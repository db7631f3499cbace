"""When sellers work. Orders that were placed keep their ship-by."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0054_lost_disputes")]

    operations = [
        migrations.AddField(
            "seller", "time_zone", models.CharField(blank=True, db_default="", default="", max_length=40)
        ),
        migrations.AddField(
            "seller", "working_days", models.CharField(db_default="12345", default="12345", max_length=7)
        ),
        migrations.AddField(
            "seller", "holidays", models.CharField(blank=True, db_default="", default="", max_length=12)
        ),
        migrations.AddField("seller", "closed_days", models.JSONField(db_default=[], default=list)),
    ]
