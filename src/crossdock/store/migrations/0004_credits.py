"""Credits."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("store", "0003_books")]
    operations: list[migrations.operations.base.Operation] = []
