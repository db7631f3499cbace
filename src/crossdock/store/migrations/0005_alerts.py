"""Alert preferences and outgoing webhooks."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("store", "0004_credits")]
    operations: list[migrations.operations.base.Operation] = []
