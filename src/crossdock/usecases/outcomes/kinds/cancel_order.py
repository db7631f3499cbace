"""The shop's copy is cancelled. Rules 5, 7, 9, 10: nothing is added here; the closed order draws its fence, and a later
read shows what the shop put back.
"""

from datetime import datetime

from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import CancelOrder, CommandKind, Done, Refused, Why
from crossdock.domain.orders import CopyState
from crossdock.store.models import Command, Order, ShopCopy
from crossdock.store.models.work import CommandState, PartyKind
from crossdock.usecases.outbox.payloads import CANCEL
from crossdock.usecases.outcomes.kinds.kind import Facts, Held, Kind, a_person_decides, units_back
from crossdock.usecases.record.telling import Telling
from crossdock.usecases.stock.reservations import fence, set_aside
from crossdock.usecases.stock.restore import GONE_FROM_SHELF


def done(held: Held, outcome: Done, facts: Facts) -> None:
    command = CANCEL.validate_python(held.row.payload)
    if held.order and held.copy:
        cancelled(held.order, held.copy, command, outcome, row=held.row, want_after=facts.want_after, told=facts.told)
    units_back(held, command, outcome, facts)


def refused(held: Held, outcome: Refused, told: Telling) -> None:
    order, copy = held.order, held.copy
    if order is None or copy is None:
        a_person_decides(held, outcome, told)
        return
    command = CANCEL.validate_python(held.row.payload)
    if outcome.why is Why.NOT_FOUND:
        gone = Done(copy.shop_order_id, already=True, note=outcome.sentence)
        cancelled(order, copy, command, gone, row=held.row, want_after=None, told=told)
        return
    if command.reason in GONE_FROM_SHELF:
        # A person ends it there, and nobody knows whether they put back what is gone: it is counted first.
        set_aside(order=order, told=told, why=GONE_FROM_SHELF[command.reason])
    words = f"The shop did not cancel the order: {outcome.sentence}"
    told.tell(order=order, source="shop", kind="cancel_refused", sentence=words)
    told.raise_alert(
        code=AlertCode.CANCEL_FAILED,
        seller=order.seller,
        order=order,
        connection=order.connection,
        sentence=(
            f"Order {order} is cancelled and credited here, but your shop did not cancel it: {outcome.sentence}"
            " Cancel it there by hand."
        ),
    )


def cancelled(
    order: Order,
    copy: ShopCopy,
    command: CancelOrder,
    outcome: Done,
    *,
    row: Command,
    want_after: datetime | None,
    told: Telling,
) -> None:
    if command.shop_order_id not in ("", copy.shop_order_id):
        _double_cancelled(order, row, want_after=want_after, told=told)
        return
    copy.cancelled_there = True
    told.settle_by_fact(how="It is cancelled in the shop now.", codes=(AlertCode.CANCEL_FAILED,), order=order)
    # A look that was wanted before is answered by this; "open" in an older snapshot must not count for the second look
    # of a reopened order.
    copy.state, copy.read_wanted = CopyState.CANCELLED, False
    copy.save(update_fields=["cancelled_there", "state", "read_wanted"])
    fence(order=order, now=told.now, want_after=want_after)
    if outcome.already:
        kind, words = (
            "already_cancelled",
            (
                "It was already cancelled in the shop. No count was changed from here; compare both counts on the"
                " listing's page."
            ),
        )
    else:
        kind, words = "cancelled_there", "The order was cancelled in the shop too; its count is read again."
    told.tell(order=order, source="shop", kind=kind, sentence=words)


def _double_cancelled(order: Order, row: Command, *, want_after: datetime | None, told: Telling) -> None:
    told.tell(
        order=order,
        source="marketplace",
        kind="double_cancelled",
        sentence="A second copy of the order in the shop was cancelled.",
    )
    fence(order=order, now=told.now, want_after=want_after)
    doubles = Command.objects.filter(subject=order.reference, kind=CommandKind.CANCEL_ORDER).exclude(pk=row.pk)
    if not doubles.filter(state__in=[CommandState.WAITING, CommandState.IN_FLIGHT, CommandState.DEAD]).exists():
        told.settle_by_fact(how="One copy is left.", codes=(AlertCode.ORDER_DOUBLE,), order=order)


KIND = Kind(CommandKind.CANCEL_ORDER, PartyKind.SHOP, CANCEL, done=done, refused=refused, names_copy=True)
