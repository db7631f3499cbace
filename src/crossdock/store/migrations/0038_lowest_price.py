"""The lowest price of each listing, filled in batches: nobody waits for a table of a million rows.

Each statement stands alone, and each can be carried out again: a step that gave up waiting goes on where it was.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

BATCH = 5000


def fill(apps, editor):
    """Again after an interruption changes nothing: what is filled already is left as it is."""
    last = apps.get_model("store", "listing").objects.order_by("-id").values_list("id", flat=True).first() or 0
    for begin in range(0, last + 1, BATCH):
        editor.execute(
            "UPDATE store_listing SET lowest_minor = (SELECT MIN(price_minor) FROM store_variant"
            " WHERE listing_id = store_listing.id AND NOT gone)"
            " WHERE id BETWEEN %s AND %s AND lowest_minor IS NULL",
            [begin, begin + BATCH - 1],
        )


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("store", "0037_payments_name_no_order")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE store_listing ADD COLUMN IF NOT EXISTS lowest_minor bigint NULL",
            "ALTER TABLE store_listing DROP COLUMN IF EXISTS lowest_minor",
            state_operations=[migrations.AddField("listing", "lowest_minor", models.BigIntegerField(null=True))],
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        # One that was broken off leaves an index that is never used, under the same name.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS listing_by_price", migrations.RunSQL.noop),
        AddIndexConcurrently(
            "listing",
            models.Index(
                fields=["currency", "lowest_minor", "id"],
                name="listing_by_price",
                condition=models.Q(state="live", active_in_shop=True, gone_in_shop=False),
            ),
        ),
    ]
