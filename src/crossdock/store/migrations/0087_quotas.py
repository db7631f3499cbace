"""Limits of one seller, and listings that wait for room."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0086_selling")]
    operations = [
        migrations.AddField("seller", "quotas", models.JSONField(blank=True, db_default={}, default=dict)),
        migrations.AddField("seller", "quotas_told", models.JSONField(blank=True, db_default={}, default=dict)),
    ]
