"""The lowest price of each listing, filled in batches: nobody waits for a table of a million rows."""

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
        migrations.AddField("listing", "lowest_minor", models.BigIntegerField(null=True)),
        migrations.RunPython(fill, migrations.RunPython.noop),
        AddIndexConcurrently(
            "listing",
            models.Index(
                fields=["currency", "lowest_minor", "id"],
                name="listing_by_price",
                condition=models.Q(state="live", active_in_shop=True, gone_in_shop=False),
            ),
        ),
    ]
