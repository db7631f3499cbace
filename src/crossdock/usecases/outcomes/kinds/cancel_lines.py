"""Rejected units are taken out of the shop's copy. Rules 5 and 9 for a part: the units' own holds draw their fence, and
a later read shows what the shop put back.
"""

from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import CommandKind, Done, Refused
from crossdock.store.models import ShopCopy
from crossdock.store.models.work import PartyKind
from crossdock.usecases.outbox.payloads import LINES
from crossdock.usecases.outcomes.kinds.kind import Facts, Held, Kind, units_back
from crossdock.usecases.record.telling import Telling
from crossdock.usecases.stock.reservations import fence


def done(held: Held, outcome: Done, facts: Facts) -> None:
    order, command = held.order, LINES.validate_python(held.row.payload)
    if order and held.copy:
        fence(order=order, now=facts.told.now, want_after=facts.want_after, part=command.key)
        ShopCopy.objects.filter(order=order).update(read_wanted=True)
        words = "The rejected units were taken out of the order in the shop; its count is read again."
        facts.told.tell(order=order, source="shop", kind="lines_gone", sentence=words)
    units_back(held, command, outcome, facts)


def refused(held: Held, outcome: Refused, told: Telling) -> None:
    """The shop kept them: a person takes them out there."""
    order = held.order
    if order is None:
        return
    words = f"The shop did not take the rejected units out: {outcome.sentence}"
    told.tell(order=order, source="shop", kind="lines_stay", sentence=words)
    told.raise_alert(
        code=AlertCode.CANCEL_FAILED,
        seller=order.seller,
        order=order,
        connection=order.connection,
        sentence=(
            f"Order {order}: units were rejected and credited here, but your shop did not take them out:"
            f" {outcome.sentence} Take them out there by hand; do not ship them."
        ),
    )


KIND = Kind(CommandKind.CANCEL_LINES, PartyKind.SHOP, LINES, done=done, refused=refused, names_copy=True)
