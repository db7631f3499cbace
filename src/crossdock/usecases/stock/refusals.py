"""What a refused order says of the shop's stock."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from crossdock.domain import stock as rules
from crossdock.store.models import Order
from crossdock.store.models.stock import next_stock_no
from crossdock.usecases.stock.reservations import as_value, locked, record


def learn_refusal(*, order: Order, short: Iterable[str], now: datetime) -> None:
    """Rule 8: the shop had less than was asked. Without named variants every line of the order is under suspicion."""
    named = set(short)
    lines = list(order.lines.all())
    suspects = [line for line in lines if line.shop_variant_id in named] or lines
    with transaction.atomic():
        rows = locked(line.variant_id for line in suspects)
        for line in suspects:
            row = rows[line.variant_id]
            row.take(rules.refuse(as_value(row, now=now), asked=line.quantity, no=next_stock_no()))
            row.save(update_fields=["ceiling", "ceiling_no", "want_no"])
            record(
                variant_id=row.pk,
                now=now,
                kind="refused",
                cause=f"the shop refused {line.quantity}",
                order=order,
                before=row.count,
                after=row.ceiling,
            )
