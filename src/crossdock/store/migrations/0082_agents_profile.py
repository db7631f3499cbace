"""Whom an agent's token speaks for."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0081_agents_protocol")]
    operations = [
        migrations.AddField(
            model_name="apitoken",
            name="profile",
            field=models.CharField(blank=True, db_default="", max_length=500),
        ),
    ]
