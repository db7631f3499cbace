"""What follows from an outcome beside the command's own row: refunds in the books, units that left the shop's copy or
did not, copies too many. The caller holds the order's lock.
"""

from datetime import datetime

from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import CancelOrder, CancelReason, Refused
from crossdock.store.models import Command, Order, ShopCopy
from crossdock.usecases.money import books
from crossdock.usecases.money.credits import refund_done
from crossdock.usecases.outbox.queue import cancel_order_command
from crossdock.usecases.record.alerts import raise_alert
from crossdock.usecases.record.timeline import tell
from crossdock.usecases.stock.reservations import fence


def lines_gone(order: Order, row: Command, *, want_after: datetime | None, now: datetime) -> None:
    """Rules 5 and 9 for a part.

    The units' own holds draw their fence, and a later read shows what the shop put back.
    """
    fence(order=order, now=now, want_after=want_after, part=str(row.payload.get("key", "")))
    ShopCopy.objects.filter(order=order).update(read_wanted=True)
    tell(
        order=order,
        now=now,
        source="shop",
        kind="lines_gone",
        sentence="The rejected units were taken out of the order in the shop; its count is read again.",
    )


def lines_stay(order: Order, outcome: Refused, *, now: datetime) -> None:
    """The shop kept them: a person takes them out there."""
    tell(
        order=order,
        now=now,
        source="shop",
        kind="lines_stay",
        sentence=f"The shop did not take the rejected units out: {outcome.sentence}",
    )
    raise_alert(
        code=AlertCode.CANCEL_FAILED,
        seller=order.seller,
        order=order,
        connection=order.connection,
        now=now,
        sentence=(
            f"Order {order}: units were rejected and credited here, but your shop did not take them out:"
            f" {outcome.sentence} Take them out there by hand; do not ship them."
        ),
    )


def refunded(order: Order, row: Command, *, now: datetime) -> None:
    """The gateway took the refund."""
    books.post_refund_done(order=order, amount_minor=row.payload["amount_minor"], cause=row.cause, now=now)
    refund_done(command=row, now=now)
    tell(
        order=order,
        now=now,
        source="marketplace",
        kind="refunded",
        sentence="The money is on its way back to the buyer.",
        public=True,
    )


def cancel_doubles(*, order: Order, shop_ids: list[str], now: datetime) -> None:
    """Keep the first, cancel the rest, say so."""
    if not shop_ids or order.connection is None:
        return
    for shop_id in shop_ids:
        cancel_order_command(
            party=order.connection.party,
            cause=f"cancel:{order.reference}:{shop_id}"[:120],
            now=now,
            command=CancelOrder(
                order.reference, shop_id, CancelReason.OTHER, note="Created twice; the first copy is kept."
            ),
        )
    raise_alert(
        code=AlertCode.ORDER_DOUBLE,
        seller=order.seller,
        order=order,
        connection=order.connection,
        now=now,
        evidence={"others": shop_ids},
        sentence=(
            f"Order {order} stood more than once in your shop ({', '.join(shop_ids)}); the extra copies are being"
            " cancelled there."
        ),
    )


def cancel_orphan(*, order: Order, shop_id: str, now: datetime) -> None:
    """It is cancelled here, was never found there, and stands there after all: nobody may ship it."""
    if order.connection is None:
        return
    cancel_order_command(
        party=order.connection.party,
        cause=f"cancel:{order.reference}:{shop_id}"[:120],
        now=now,
        command=CancelOrder(
            order.reference, shop_id, CancelReason.OTHER, note="Cancelled on the marketplace before it arrived."
        ),
    )
    raise_alert(
        code=AlertCode.ORDER_DOUBLE,
        seller=order.seller,
        order=order,
        connection=order.connection,
        now=now,
        evidence={"others": [shop_id]},
        sentence=(
            f"Order {order} is cancelled here and arrived in your shop late ({shop_id}); it is being cancelled there."
            " Do not ship it."
        ),
    )
