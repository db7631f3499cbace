"""What "I don't have it" stops besides the order that is rejected, said before it is confirmed: setting a variant aside
ends its sale here, and other orders may wait for the same units.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Count, F, Sum

from crossdock.store.models import Order, OrderLine, Variant
from crossdock.usecases.stock.reservations import availability


def what_stops(*, order: Order, variants: Iterable[Variant], now: datetime) -> dict[int, str]:
    """By variant: one sentence or two. Two questions for any number of variants, and the stock's own."""
    wanted = list(variants)
    for_sale = availability(variants=wanted, now=now)
    waiting = (
        OrderLine.objects.filter(
            order__cancelled_at=None, variant__in=wanted, quantity__gt=F("rejected") + F("shipped")
        )
        .exclude(order=order)
        .order_by()
        .values_list("variant")
        .annotate(orders=Count("order", distinct=True), units=Sum(F("quantity") - F("rejected") - F("shipped")))
    )
    others = {pk: (orders, units) for pk, orders, units in waiting}
    return {variant.pk: _words(for_sale.get(variant.pk), *others.get(variant.pk, (0, 0))) for variant in wanted}


def _words(for_sale: int | None, orders: int, units: int) -> str:
    if for_sale is None:
        sale = "Its stock is not known now, so nothing of it is for sale."
    elif for_sale == 0:
        sale = "Nothing of it is for sale now."
    else:
        sale = f"This stops the sale of {_many(for_sale, 'unit')} here."
    if not orders:
        return f"{sale} No other order waits for it."
    return (
        f"{sale} {_many(orders, 'other order')} {'waits' if orders == 1 else 'wait'} for {_many(units, 'unit')} of it."
    )


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
