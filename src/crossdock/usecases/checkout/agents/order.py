"""What a payment came to, as one order for the agent, in no protocol's words: the marketplace is whom the buyer paid.
Beneath it is an order for each seller, and what one of them refuses stands in `back` with that seller's name.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from django.conf import settings

from crossdock.domain.credit import CreditKind, CreditState
from crossdock.domain.orders import ParcelState
from crossdock.domain.values import Money
from crossdock.store.models import Credit, Order, OrderLine, PaymentIntent
from crossdock.usecases.checkout.agents.sessions import Paid, orders_of
from crossdock.usecases.checkout.basket import PricedBasket, PricedLine

State = Literal["pending", "completed", "failed"]
_STATE: dict[CreditState, State] = {
    CreditState.GRANTED: "pending",
    CreditState.REFUNDED: "completed",
    CreditState.FAILED: "failed",
}
_KIND = {CreditKind.REJECT: "cancellation", CreditKind.LINES: "cancellation", CreditKind.RETURN: "return"}


@dataclass(frozen=True, slots=True)
class BoughtLine:
    """`current` of the units that were bought are still to come or came; `shipped` of these were sent."""

    line: PricedLine
    current: int
    shipped: int

    @property
    def status(self) -> Literal["removed", "fulfilled", "partial", "processing"]:
        if not self.current:
            return "removed"
        if self.shipped >= self.current:
            return "fulfilled"
        return "partial" if self.shipped else "processing"


@dataclass(frozen=True, slots=True)
class Back:
    """Money that goes back, and why. `units` by the public id of what they are of, where it is for units."""

    id: str
    kind: str
    at: datetime
    state: State
    units: Mapping[str, int]
    amount: Money
    words: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """A parcel; `link` is empty where it is none that a browser opens."""

    id: str
    at: datetime
    units: Mapping[str, int]
    carrier: str
    number: str
    link: str


@dataclass(frozen=True, slots=True)
class AgentOrder:
    """Whole, as it is now. `shown` is what was bought, as it was priced then."""

    id: str
    session: str
    label: str
    address: str
    status: Literal["confirmed", "processing", "shipped", "canceled"]
    shown: PricedBasket
    lines: tuple[BoughtLine, ...]
    sent: tuple[Sent, ...]
    back: tuple[Back, ...]

    @property
    def given_back(self) -> Money:
        """What the bank refused to give back is not in it."""
        found = [one.amount for one in self.back if one.state != "failed"]
        return sum(found, Money.zero(self.shown.items.currency))


def agent_order(session: str, intent: PaymentIntent, paid: Paid) -> AgentOrder:
    orders, shown = orders_of(intent), paid.basket
    bought = {line.variant_id: (order, line) for order in orders for line in order.lines.all()}
    return AgentOrder(
        id=intent.public_id,
        session=session,
        label=", ".join(order.reference for order in orders),
        address=f"{settings.BASE_URL}/checkout/paid/{intent.public_id}/",
        status=_status(orders),
        shown=shown,
        lines=tuple(bought_line(line, bought.get(line.variant.pk)) for line in shown.lines),
        sent=tuple(one for order in orders for one in _parcels(order)),
        back=(*_returned(intent, paid), *(one for order in orders for one in _credited(order))),
    )


def _status(orders: Sequence[Order]) -> Literal["confirmed", "processing", "shipped", "canceled"]:
    going = [order for order in orders if order.cancelled_at is None]
    if not going:
        return "canceled"
    if all(order.parcels == ParcelState.SHIPPED for order in going):
        return "shipped"
    begun = len(going) < len(orders) or any(order.parcels != ParcelState.UNSHIPPED for order in going)
    return "processing" if begun else "confirmed"


def bought_line(line: PricedLine, bought: tuple[Order, OrderLine] | None) -> BoughtLine:
    """Without a line of an order its seller's part came to nothing; of a cancelled one what was sent stays."""
    if bought is None:
        return BoughtLine(line, 0, 0)
    order, row = bought
    return BoughtLine(line, row.kept if order.cancelled_at is None else row.shipped, row.shipped)


def _returned(intent: PaymentIntent, paid: Paid) -> Iterable[Back]:
    for number, (part, why) in enumerate(zip(paid.basket.parts, paid.back, strict=True)):
        if why and part.total is not None:
            yield Back(
                id=f"{intent.public_id}-{number}",
                kind="cancellation",
                at=intent.settled_at or intent.created_at,
                state="completed" if number in paid.returned else "pending",
                units={line.variant.public_id: line.quantity for line in part.lines},
                amount=part.total,
                words=f"{part.seller.name}: {why}",
                reason="not_available",
            )


def _credited(order: Order) -> Iterable[Back]:
    for credit in order.credits.all():
        if (state := _STATE.get(CreditState(credit.state))) is not None:
            yield Back(
                id=credit.public_id,
                kind=_KIND.get(CreditKind(credit.kind), "refund"),
                at=credit.granted_at or credit.asked_at,
                state=state,
                units=_units(credit, order),
                amount=Money(credit.amount_minor, credit.currency),
                words=f"{order.seller.name}: {credit.reason}",
                reason=order.cancel_reason,
            )


def _units(credit: Credit, order: Order) -> dict[str, int]:
    """Which units it is for, where it is for units."""
    by_line = {line.pk: line for line in order.lines.all()}
    named = _named(credit)
    if credit.kind == CreditKind.REJECT:
        # All that was left, beside what was rejected line by line before.
        before = [_named(other) for other in order.credits.all() if other.kind == CreditKind.LINES]
        named = {pk: line.quantity - sum(each.get(pk, 0) for each in before) for pk, line in by_line.items()}
    return {by_line[pk].variant.public_id: units for pk, units in named.items() if units > 0 and pk in by_line}


def _named(credit: Credit) -> dict[int, int]:
    return {one["line"]: one["units"] for one in credit.lines if "units" in one}


def _parcels(order: Order) -> Iterable[Sent]:
    for parcel in order.shipments.all():
        if parcel.undone_at is None:
            link = parcel.tracking_url
            yield Sent(
                id=f"parcel_{parcel.pk}",
                at=parcel.shipped_at,
                units={one.line.variant.public_id: one.quantity for one in parcel.lines.all()},
                carrier=parcel.carrier,
                number=parcel.tracking_number,
                link=link if link.startswith(("http://", "https://")) else "",
            )


def moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
