"""What a listing's page tells of its stock."""

from datetime import datetime
from typing import Any

from crossdock.domain import stock as rules
from crossdock.store.models import Variant, VariantStock
from crossdock.usecases.stock.linked import owes
from crossdock.usecases.stock.reservations import as_value, open_holds


def stock_story(*, variant: Variant, now: datetime) -> dict[str, Any]:
    """The numbers behind "available", for the listing's page."""
    row = VariantStock.objects.select_related("variant__connection", "set_aside_by").get(pk=variant.pk)
    holds = open_holds([variant.pk])[variant.pk]
    value = as_value(row, now=now)
    return {
        "count": row.count,
        "count_at": row.count_at,
        "reserved": sum(hold.quantity for hold in holds),
        "holds": holds,
        "buffer": value.buffer,
        "ceiling": row.ceiling,
        "set_aside_by": row.set_aside_by,
        "aside_why": row.aside_why,
        "sold_as": row.sold_as_id is not None,
        "owed": sum(hold.quantity for hold in holds if owes(hold)),
        "floor": value.floor,
        "most": value.most,
        "fresh": value.fresh,
        "read_wanted": value.read_wanted,
        "available": rules.available(value, [hold.value() for hold in holds]),
    }
