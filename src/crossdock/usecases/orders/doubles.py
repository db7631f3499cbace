"""Copies of an order that should not stand in its shop are cancelled there. The caller holds the order's lock."""

from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import CancelOrder, CancelReason
from crossdock.store.models import Order
from crossdock.usecases.outbox.queue import cancel_order_command
from crossdock.usecases.record.telling import Telling


def cancel_doubles(*, order: Order, shop_ids: list[str], told: Telling) -> None:
    """Keep the first, cancel the rest, say so."""
    said = f"stood more than once in your shop ({', '.join(shop_ids)}); the extra copies are being cancelled there."
    _cancel(order, shop_ids, "Created twice; the first copy is kept.", said, told=told)


def cancel_orphan(*, order: Order, shop_id: str, told: Telling) -> None:
    """It is cancelled here, was never found there, and stands there after all: nobody may ship it."""
    said = f"is cancelled here and arrived in your shop late ({shop_id}); it is being cancelled there. Do not ship it."
    _cancel(order, [shop_id], "Cancelled on the marketplace before it arrived.", said, told=told)


def _cancel(order: Order, shop_ids: list[str], note: str, said: str, *, told: Telling) -> None:
    if not shop_ids or order.connection is None:
        return
    for shop_id in shop_ids:
        cancel_order_command(
            party=order.connection.party,
            cause=f"cancel:{order.reference}:{shop_id}"[:120],
            now=told.now,
            command=CancelOrder(order.reference, shop_id, CancelReason.OTHER, note=note),
        )
    told.raise_alert(
        code=AlertCode.ORDER_DOUBLE,
        seller=order.seller,
        order=order,
        connection=order.connection,
        evidence={"others": shop_ids},
        sentence=f"Order {order} {said}",
    )
