"""Listings are found by their facts; nobody waits while a large table gets its index.

Words are folded further than before ("ø" is "o"): workers write what is searched again, in the background.
"""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("store", "0043_attributes")]
    operations = [
        # One that was broken off leaves an index that is never used, under the same name.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS listing_facts", migrations.RunSQL.noop),
        AddIndexConcurrently(
            "listing",
            GinIndex(
                fields=["facts"],
                name="listing_facts",
                condition=models.Q(state="live", active_in_shop=True, gone_in_shop=False),
            ),
        ),
        migrations.RunSQL(
            "INSERT INTO store_refill (after) SELECT 0 WHERE EXISTS (SELECT FROM store_listing)"
            " AND NOT EXISTS (SELECT FROM store_refill WHERE seller_id IS NULL)",
            migrations.RunSQL.noop,
        ),
    ]
