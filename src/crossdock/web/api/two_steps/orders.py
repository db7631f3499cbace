"""Of orders: ship by hand, reject all or some units, decline to cancel. Each with what its page shows before."""

from dataclasses import astuple
from datetime import datetime
from typing import Annotated, Literal

from django.http import Http404, HttpRequest
from ninja import Field

from crossdock.domain.commands import CancelReason
from crossdock.domain.requests.cancels import GOES_ON, LONGEST_REASON
from crossdock.domain.storable import one_line
from crossdock.domain.wording import moment
from crossdock.store.models import Order, OrderLine
from crossdock.usecases.errors import Invalid
from crossdock.usecases.money.credits import locked_order
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.usecases.orders.asked import request_of
from crossdock.usecases.orders.reject import preview as preview_whole
from crossdock.usecases.orders.reject import reject_order
from crossdock.usecases.orders.reject_units import Pick, preview_parts, reject_parts
from crossdock.usecases.orders.shippable import entered_where
from crossdock.usecases.requests.cancel import decline
from crossdock.web.api.order_shape import order_of
from crossdock.web.api.people import actor_of, source_of
from crossdock.web.api.shapes import Money, RejectLine, ShipIn, Strict
from crossdock.web.api.two_steps.deed import Deed, Doing, PreviewLine, Seen
from crossdock.web.platforms import manifest_of

Reason = Literal["not_available", "damaged", "lost", "price_error", "buyer_asked", "fraud", "other"]


class PreviewRejectIn(Strict):
    """Either `reason`, for the whole order, or `lines`, each with its own."""

    reason: Reason | None = None
    lines: Annotated[list[RejectLine], Field(min_length=1, max_length=200)] | None = None


class PreviewDeclineIn(Strict):
    answer: str = Field(min_length=1, max_length=LONGEST_REASON, description="The buyer reads it.")


def _found(request: HttpRequest, id: str) -> Order:
    return order_of(request, id)


def _words_of(line: OrderLine) -> dict[str, str]:
    return {"title": line.title, "sku": line.sku}


def _units(order: Order, given: list[tuple[int, int]]) -> dict[int, int]:
    """Line -> units. Raises Invalid."""
    units = dict(given)
    if len(units) != len(given):
        raise Invalid("Name each line once.")
    if not set(units) <= {line.pk for line in order.lines.all()}:
        raise Invalid("One of the lines is not of this order.")
    return units


def _parcel(order: Order, asked: ShipIn) -> dict[int, int]:
    if asked.lines is None:
        return {line.pk: line.left for line in order.lines.all() if line.left}
    return _units(order, [(item.line, item.quantity) for item in asked.lines])


def _look_ship(order: Order, asked: ShipIn, now: datetime) -> Seen:
    units = _parcel(order, asked)
    lines = [
        PreviewLine(
            id=str(line.pk),
            quantity=units[line.pk],
            sentence=f"{units[line.pk]} of {line.left} left are in this parcel.",
            from_others=_words_of(line),
        )
        for line in order.lines.all()
        if line.pk in units
    ]
    number = f"with the number {asked.tracking_number.strip()}" if asked.tracking_number.strip() else "without a number"
    by = f", by {asked.carrier.strip()}" if asked.carrier.strip() else ""
    return Seen(
        title=f"Ship items of #{order.number}",
        sentences=[
            f"One parcel is marked as shipped {number}{by}.",
            *filter(None, [entered_where(order)]),
            "The buyer is told at once, with the number." if asked.tracking_number.strip() else "The buyer is told.",
        ],
        lines=lines,
        from_others={"ship_to": ", ".join(filter(None, astuple(order.address)))},
        state=[order.parcels, [[line.pk, line.quantity, line.shipped, line.rejected] for line in order.lines.all()]],
    )


def _ship(it: Doing[Order, ShipIn]) -> str:
    parcel = ship_by_hand(
        order=it.row,
        lines=_parcel(it.row, it.asked),
        tracking=it.asked.tracking_number,
        carrier=it.asked.carrier,
        actor=actor_of(it.request),
        now=it.now,
        key=it.key,
    )
    number = f"with {parcel.tracking_number}" if parcel.tracking_number else "without a number"
    return f"Shipped {number}. The buyer is told."


def _picks(order: Order, lines: list[RejectLine]) -> dict[int, Pick]:
    units = _units(order, [(item.line, item.quantity) for item in lines])
    return {item.line: Pick(units[item.line], CancelReason(item.reason)) for item in lines}


def _look_reject(order: Order, asked: PreviewRejectIn, now: datetime) -> Seen:
    if (asked.reason is None) == (asked.lines is None):
        raise Invalid("Give a reason for the whole order, or lines with a reason each.")
    return _look_whole(order, asked, now) if asked.lines is None else _look_parts(order, asked.lines, now)


def _look_whole(order: Order, asked: PreviewRejectIn, now: datetime) -> Seen:
    shown = preview_whole(order=order, now=now, reason=CancelReason(asked.reason or ""), manifest=manifest_of(order))
    lines = [
        PreviewLine(
            id=str(row.line.pk),
            quantity=row.line.quantity,
            credit=Money.of(row.credit),
            sentence=row.stock_sentence,
            from_others=_words_of(row.line),
        )
        for row in shown.lines
    ]
    return Seen(
        title=f"Reject order #{order.number}",
        sentences=[
            "The whole order is cancelled and the buyer gets everything back.",
            f"Shipping in it: {shown.shipping.words}.",
            *filter(None, [shown.shop_sentence, shown.at_the_bank]),
            _credited(shown.total.words if shown.total.minor else ""),
        ],
        lines=lines,
        total=shown.total,
        state=[order.parcels, bool(order.cancelled_at)],
    )


def _look_parts(order: Order, given: list[RejectLine], now: datetime) -> Seen:
    shown = preview_parts(order=order, picks=_picks(order, given), manifest=manifest_of(order), now=now)
    lines = [
        PreviewLine(
            id=str(part.line.pk),
            quantity=part.units,
            credit=Money.of(part.credit),
            sentence=part.stock_sentence,
            from_others=_words_of(part.line),
        )
        for part in shown.lines
    ]
    return Seen(
        title=f"Reject units of #{order.number}",
        sentences=[
            "Nothing is left of the order: it is cancelled." if shown.whole else "The rest of the order stays.",
            "Each credit has the line's share of the shipping in it.",
            shown.shop_sentence,
            _credited(shown.total.words if shown.total.minor else ""),
        ],
        lines=lines,
        total=shown.total,
        state=[order.parcels, [[line.pk, line.quantity, line.shipped, line.rejected] for line in order.lines.all()]],
    )


def _credited(amount: str) -> str:
    return f"Credit to the buyer: {amount}." if amount else "Nothing is credited."


def _reject(it: Doing[Order, PreviewRejectIn]) -> str:
    total, actor = it.seen.total, actor_of(it.request)
    assert total is not None, "a reject shows its total"
    if it.asked.lines is None:
        reject_order(
            order=it.row,
            reason=CancelReason(it.asked.reason or ""),
            actor=actor,
            expected_total=total,
            now=it.now,
            source=source_of(it.request),
        )
    else:
        reject_parts(
            order=it.row,
            picks=_picks(it.row, it.asked.lines),
            expected_total=total,
            key=it.key,
            manifest=manifest_of(it.row),
            actor=actor,
            now=it.now,
        )
    return f"Rejected. The buyer is refunded {total.words}." if total.minor else "Rejected without a credit."


def _look_decline(order: Order, asked: PreviewDeclineIn, now: datetime) -> Seen:
    row = request_of(order)
    if row is None:
        raise Http404
    return Seen(
        title=f"Decline to cancel order #{order.number}",
        sentences=[
            f"The buyer asked on {moment(row.asked_at)} to cancel it. {GOES_ON}",
            f"The buyer reads your answer: “{one_line(asked.answer, LONGEST_REASON)}”",
        ],
        from_others={"buyers_reason": row.reason},
        state=[row.asks, row.state],
    )


def _decline(it: Doing[Order, PreviewDeclineIn]) -> str:
    decline(order=it.row, actor=actor_of(it.request), answer=it.asked.answer, seen=int(it.seen.state[0]), now=it.now)
    return "Declined. The buyer is told why, and you can ship the order."


SHIP = Deed("ship", "orders", ShipIn, _found, locked_order, _look_ship, _ship)
REJECT = Deed("reject", "money", PreviewRejectIn, _found, locked_order, _look_reject, _reject)
DECLINE = Deed("decline", "orders", PreviewDeclineIn, _found, locked_order, _look_decline, _decline)
