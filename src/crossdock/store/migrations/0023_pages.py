"""Indexes that keep pages as fast with a million orders as with a thousand; those that Django made for LIKE on columns
that are only ever compared whole are dropped.
"""

from django.db import migrations, models
from django.db.models import Q
from django.db.models.functions import Upper

# A reservation is looked for by the beginning of its cause; nothing else of ours is by anything.
_DROP = """
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT i.indexname FROM pg_indexes i WHERE i.schemaname = current_schema() AND i.tablename ~ '^store_'
    AND i.indexname ~ '_like$' AND i.tablename <> 'store_reservation'
  LOOP EXECUTE format('DROP INDEX %I', name); END LOOP;
END $$
"""
_ASIDE = Q(set_aside_by__isnull=False) | ~Q(aside_why="")


class Migration(migrations.Migration):
    dependencies = [("store", "0022_pace")]

    operations = [
        migrations.RunSQL(_DROP, migrations.RunSQL.noop),
        migrations.AddIndex("listing", models.Index(fields=["seller", "state", "-id"], name="listing_by_state")),
        migrations.AddIndex("variantstock", models.Index(fields=["variant"], name="stock_aside", condition=_ASIDE)),
        migrations.AddIndex(
            "order",
            models.Index(
                fields=["seller", "parcels", "cancelled_at", "ship_by"],
                include=["id", "total_minor", "credited_minor"],
                name="order_queues",
            ),
        ),
        migrations.AddIndex(
            "shopcopy",
            models.Index(
                fields=["connection", "intended_at"], name="copy_waiting", condition=Q(state__in=["intended", "sent"])
            ),
        ),
        migrations.AddIndex(
            "shopcopy",
            models.Index(fields=["equal_at"], name="copy_not_taken", condition=Q(state="equal", stock_taken=False)),
        ),
        migrations.AddIndex("shopcopy", models.Index(Upper("shop_number"), name="copy_number_any_case")),
        migrations.AddIndex(
            "command", models.Index(fields=["finished_at"], name="command_sent", condition=Q(kind="send_event"))
        ),
        migrations.AddIndex("idempotentreply", models.Index(fields=["created_at"], name="idempotency_age")),
    ]
