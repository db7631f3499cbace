"""Transfers and lost disputes of a period are found by their time. Each statement stands alone, and nobody waits for
the table.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("store", "0063_closings")]
    operations = [
        # One that was broken off leaves an index that is never used, under the same name.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS transfer_at", migrations.RunSQL.noop),
        AddIndexConcurrently("transfer", models.Index(fields=["at", "id"], name="transfer_at")),
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS dispute_lost_at", migrations.RunSQL.noop),
        AddIndexConcurrently("lostdispute", models.Index(fields=["lost_at", "id"], name="dispute_lost_at")),
    ]
