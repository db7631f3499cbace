"""Fitted rules remember whether they were better than those in force."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("store", "0011_payments")]

    operations = [migrations.AddField("riskruleset", "beats", models.BooleanField(null=True))]
