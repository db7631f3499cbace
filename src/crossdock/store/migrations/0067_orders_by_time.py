"""A seller's orders of some days are found by their time; nobody waits for the table."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("store", "0066_suspensions")]
    operations = [
        # One that was broken off leaves an index that is never used, under the same name.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS order_placed", migrations.RunSQL.noop),
        AddIndexConcurrently("order", models.Index(fields=["seller", "placed_at"], name="order_placed")),
    ]
