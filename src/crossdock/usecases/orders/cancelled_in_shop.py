"""An order that ended in the shop, and one that was opened there again (S3). Nothing is added here: the fence and a
later read say what came back.

A snapshot can be older than what we know, so that an order is open again is believed only when a second look says so
too.
"""

from crossdock.domain.alerts import AlertCode
from crossdock.domain.capability import Capability, Manifest
from crossdock.domain.commands import CancelReason
from crossdock.domain.orders import CopyState, OrderCancelledThere
from crossdock.store.models import Order, ShopCopy
from crossdock.usecases.orders.reject import reject_order, why_not_reject
from crossdock.usecases.record.policy import lifted
from crossdock.usecases.record.telling import Telling
from crossdock.usecases.stock.reservations import fence


def cancelled_there(
    *, order: Order, copy: ShopCopy, event: OrderCancelledThere, manifest: Manifest, told: Telling
) -> None:
    """On platforms that may (or when lifted) it cancels here too; elsewhere the seller gets the alert with its one
    button. The caller holds the locks.
    """
    now = told.now
    before_equal = copy.equal_at is None
    copy.cancelled_there, copy.state = True, CopyState.CANCELLED
    copy.save(update_fields=["cancelled_there", "state"])
    fence(order=order, now=now)
    what = "deleted" if event.gone else "cancelled"
    told.tell(
        order=order,
        source="shop",
        kind="cancelled_there",
        evidence={"before_equal": before_equal},
        sentence=f"The order was {what} in the shop{_when(order, before_equal=before_equal)}. {event.note}".strip(),
    )
    if order.cancelled_at is not None:
        told.settle_by_fact(how="It is cancelled in the shop now.", codes=(AlertCode.CANCEL_FAILED,), order=order)
        return
    why_not = why_not_reject(order)
    if not why_not and (manifest.can(Capability.CANCEL_THERE_CANCELS_HERE) or lifted(rule="S3")):
        reject_order(
            order=order, reason=CancelReason.OTHER, actor=None, expected_total=None, now=now, told=told, source="shop"
        )
        order.refresh_from_db()
        return
    told.raise_alert(
        code=AlertCode.CANCELLED_IN_SHOP,
        seller=order.seller,
        order=order,
        connection=order.connection,
        evidence={"note": event.note},
        sentence=f"Order {order} was {what} in your shop{_when(order, before_equal=before_equal)}. "
        + (why_not or "Reject it here to credit the buyer; do not ship it: its units may be sold to somebody else."),
    )


def _when(order: Order, *, before_equal: bool) -> str:
    lines = list(order.lines.all())
    shipped, kept = sum(line.shipped for line in lines), sum(line.kept for line in lines)
    if shipped:
        return " after everything had left" if shipped >= kept else f" after {shipped} of {kept} units had left"
    if order.cancelled_at is not None:
        return " as well"
    return " before it was read back" if before_equal else ""


def reopened_there(*, order: Order, copy: ShopCopy, confirmed: bool, told: Telling) -> bool:
    """It stands open in the shop again, which takes the units again.

    True when a second look is wanted before that is believed.
    """
    if not confirmed:
        return True
    copy.cancelled_there = False
    fence(order=order, now=told.now)
    if order.cancelled_at is None:
        copy.state = CopyState.ACKNOWLEDGED
        told.tell(
            order=order,
            source="shop",
            kind="reopened_there",
            sentence="The order was opened again in the shop.",
        )
        told.settle_by_fact(how="It was opened again in the shop.", codes=(AlertCode.CANCELLED_IN_SHOP,), order=order)
        return True
    told.tell(
        order=order,
        source="shop",
        kind="reopened_there",
        sentence="The order stands open in the shop again, though it is cancelled and credited here.",
    )
    told.raise_alert(
        code=AlertCode.CANCEL_FAILED,
        seller=order.seller,
        order=order,
        connection=order.connection,
        sentence=(
            f"Order {order} is cancelled and credited here, but was opened again in your shop. Cancel it there and do"
            " not ship it."
        ),
    )
    return False
