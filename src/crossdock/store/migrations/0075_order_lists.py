"""What narrows a seller's list of orders is found by an index; nobody waits for the tables."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Q
from django.db.models.fields.json import KT
from django.db.models.functions import Upper

ORDERS = (
    models.Index(fields=["seller", "risk", "-id"], name="order_by_risk"),
    models.Index("seller", KT("ship_to__country"), F("id").desc(), name="order_by_country"),
    models.Index(fields=["seller", "currency", "total_minor"], name="order_by_total"),
)
PARCELS = (models.Index(Upper("carrier"), "order", name="parcel_by_carrier", condition=~Q(carrier="")),)


def _made(model: str, index: models.Index) -> tuple[migrations.RunSQL, AddIndexConcurrently]:
    """One that was broken off leaves an index that is never used, under the same name."""
    drop = f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}"
    return migrations.RunSQL(drop, migrations.RunSQL.noop), AddIndexConcurrently(model, index)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("store", "0074_shadow_mode")]
    operations = [
        *(step for index in ORDERS for step in _made("order", index)),
        *(step for index in PARCELS for step in _made("shipment", index)),
    ]
