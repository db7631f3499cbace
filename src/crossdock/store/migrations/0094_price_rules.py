"""The shop's own price beside the one asked here, and the rule between them; filled in batches, since nobody waits for a
table of a million rows.

Each statement stands alone, and each can be carried out again: a step that gave up waiting goes on where it was.
"""

from django.db import migrations, models

BATCH = 5000
_FILLED = (
    ("listing", "shop_lowest_minor", "lowest_minor"),
    ("variant", "shop_price_minor", "price_minor"),
)


def fill(apps, editor):
    """Until now the price asked is the shop's. What is filled already is left as it is."""
    for table, column, source in _FILLED:
        last = apps.get_model("store", table).objects.order_by("-id").values_list("id", flat=True).first() or 0
        for begin in range(0, last + 1, BATCH):
            editor.execute(
                f"UPDATE store_{table} SET {column} = {source} WHERE id BETWEEN %s AND %s"
                f" AND connection_id IS NOT NULL AND {column} IS NULL",
                [begin, begin + BATCH - 1],
            )


def column(table, name):
    return migrations.RunSQL(
        f"ALTER TABLE store_{table} ADD COLUMN IF NOT EXISTS {name} bigint NULL",
        f"ALTER TABLE store_{table} DROP COLUMN IF EXISTS {name}",
        state_operations=[migrations.AddField(table, name, models.BigIntegerField(null=True))],
    )


def rules(name, kind, field):
    return migrations.RunSQL(
        f"ALTER TABLE store_selling ADD COLUMN IF NOT EXISTS {name} jsonb {kind}",
        f"ALTER TABLE store_selling DROP COLUMN IF EXISTS {name}",
        state_operations=[migrations.AddField("selling", name, field)],
    )


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("store", "0093_bulk_labels")]
    operations = [
        column("listing", "shop_lowest_minor"),
        column("variant", "shop_price_minor"),
        rules("pricing", "NOT NULL DEFAULT '{}'::jsonb", models.JSONField(db_default={}, default=dict)),
        rules("pricing_draft", "NULL", models.JSONField(null=True)),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
