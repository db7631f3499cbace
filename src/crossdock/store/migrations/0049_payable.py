"""When each order's money becomes payable. Each statement stands alone, and nobody waits for the table."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("store", "0048_messages")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE store_order ADD COLUMN IF NOT EXISTS payable_at timestamptz NULL",
            "ALTER TABLE store_order DROP COLUMN IF EXISTS payable_at",
            state_operations=[migrations.AddField("order", "payable_at", models.DateTimeField(null=True))],
        ),
        # One that was broken off leaves an index that is never used, under the same name.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS order_not_payable", migrations.RunSQL.noop),
        AddIndexConcurrently(
            "order",
            models.Index(fields=["seller", "id"], name="order_not_payable", condition=models.Q(payable_at=None)),
        ),
    ]
