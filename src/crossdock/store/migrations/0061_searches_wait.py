"""What saved searches tell of later. They are few."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0060_commission")]
    operations = [
        migrations.AddField("savedsearch", "waiting", models.JSONField(db_default=[], default=list)),
    ]
