"""Locations, limits, reconciliation."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("store", "0006_cases")]
    operations: list[migrations.operations.base.Operation] = []
