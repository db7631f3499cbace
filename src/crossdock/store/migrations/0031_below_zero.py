from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0030_roles")]
    operations = [
        migrations.AddIndex(
            "variantstock",
            models.Index(fields=["variant"], name="stock_below_zero", condition=models.Q(count__lt=0)),
        ),
    ]
