"""Risk."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("store", "0009_labels")]
    operations: list[migrations.operations.base.Operation] = []
