"""Offers."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("store", "0007_stock")]
    operations: list[migrations.operations.base.Operation] = []
