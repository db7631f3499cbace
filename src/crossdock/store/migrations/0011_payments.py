"""Payment providers."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("store", "0010_risk")]
    operations: list[migrations.operations.base.Operation] = []
