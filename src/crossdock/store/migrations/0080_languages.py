"""The language that somebody chose."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0079_held_prices")]
    operations = [
        migrations.AddField(
            model_name="user",
            name="language",
            field=models.CharField(blank=True, db_default="", default="", max_length=10),
        ),
    ]
