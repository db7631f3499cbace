"""The language that an order was placed in."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0094_price_rules")]
    operations = [
        migrations.AddField("order", "language", models.CharField(blank=True, db_default="", default="", max_length=10))
    ]
