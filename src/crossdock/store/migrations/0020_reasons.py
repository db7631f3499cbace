"""Why a shop does not sell a product, or not all of its variants."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0019_quarantine")]

    operations = [
        migrations.AddField(model_name="listing", name="shop_reasons", field=models.JSONField(default=list)),
    ]
