"""Buying labels (S2): where a seller ships from, prices that are kept, the one purchase that may come of them, and
taking a label back.

What will be bought is written down, with everything that the carrier saw, before the carrier is asked. The prices' own
id is the form's one-time value: pressed twice, or in two tabs, it buys once. Units on a label that is being bought
count as shipped, so that no unit is labelled twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from pydantic import TypeAdapter

from crossdock.domain.commands import CommandKind
from crossdock.domain.labels import (
    BUYING,
    Can,
    CustomsItem,
    LabelState,
    Parcel,
    Purchase,
    Quote,
    Wanted,
    why_not_address,
    why_not_label,
)
from crossdock.domain.moderation.approval import Item
from crossdock.domain.orders import MoneyState
from crossdock.domain.team.roles import Duty
from crossdock.domain.values import Address, Money
from crossdock.store.ids import public_id
from crossdock.store.models import Label, Order, OrderLine, Seller, SellerAddress, User
from crossdock.store.models.work import PartyKind
from crossdock.usecases.accounts.approving import touched
from crossdock.usecases.errors import Invalid, NotAllowed, Stale
from crossdock.usecases.money.credits import locked_order
from crossdock.usecases.orders.shippable import why_not_ship
from crossdock.usecases.outbox.payloads import LABEL, AboutLabel
from crossdock.usecases.outbox.queue import enqueue, party_named
from crossdock.usecases.record.policy import lifted
from crossdock.usecases.record.rights import require, side_of
from crossdock.usecases.record.telling import telling

QUOTES_LAST = timedelta(minutes=30)
WANTED: TypeAdapter[Wanted] = TypeAdapter(Wanted)
QUOTES: TypeAdapter[tuple[Quote, ...]] = TypeAdapter(tuple[Quote, ...])


# Where parcels start


def ship_from(*, seller: Seller) -> Address | None:
    row = SellerAddress.objects.filter(seller=seller).first()
    return row.value if row else None


def set_ship_from(*, seller: Seller, address: Address, now: datetime) -> None:
    """Raises Invalid with what is missing."""
    if why := why_not_address(address, whose="the ship-from address"):
        raise Invalid(why)
    with transaction.atomic():
        if ship_from(seller=seller) != address:
            touched(seller=seller, item=Item.SHIPS_FROM, now=now)
        wanted = {"address": asdict(address), "changed_at": now}
        SellerAddress.objects.update_or_create(seller=seller, defaults=wanted)


# Asking for prices


def why_not_buy(*, order: Order) -> str:
    """Empty when a label may be bought for what is left of this order."""
    return why_nothing(order, left_to_label(order=order))


def why_nothing(order: Order, left: Mapping[int, int]) -> str:
    """The same, where somebody has asked already what is `left`."""
    if why := why_not_ship(order):
        return why
    if order.money == MoneyState.CREDITED:
        return "The buyer got the whole amount back; do not ship it."
    if not any(left.values()):
        return "Everything that is left has a label already, or one is being bought."
    return ""


def left_to_label(*, order: Order) -> dict[int, int]:
    """Line id -> units that are neither shipped nor on a label that is being bought."""
    return left_of([order])[order.pk]


def left_of(orders: Sequence[Order]) -> dict[int, dict[int, int]]:
    """The same by order: one question, however many they are."""
    left = {order.pk: {line.pk: line.left for line in order.lines.all()} for order in orders}
    for order_id, lines in Label.objects.filter(order__in=orders, state__in=BUYING).values_list("order", "lines"):
        for pk, units in lines.items():
            left[order_id][int(pk)] = max(0, left[order_id].get(int(pk), 0) - units)
    return left


def insurance_offered(*, can: Can) -> bool:
    """Whether the form asks for a value to insure."""
    return can.insurance and lifted(rule="S2")


def shipment_for(
    *,
    order: Order,
    parcel: Parcel,
    can: Can,
    carrier: str,
    lines: Mapping[int, int] | None = None,
    insured: Money | None = None,
    customs: tuple[CustomsItem, ...] = (),
) -> tuple[Wanted, dict[int, int]]:
    """What a carrier is asked prices for, and the units that go into it.

    `carrier` is its label. Writes nothing; raises Invalid or NotAllowed with a sentence.
    """
    if why := why_not_buy(order=order):
        raise NotAllowed(why)
    chosen = _chosen(order, lines)
    start = ship_from(seller=order.seller)
    if start is None:
        raise Invalid("Say first where you ship from.")
    wanted = Wanted(f"{order.reference}-{public_id()}", start, order.address, parcel, insured, tuple(customs))
    if why := why_not_label(wanted, lifted=lifted(rule="S2"), can=can, carrier=carrier):
        raise NotAllowed(why)
    return wanted, chosen


def _chosen(order: Order, lines: Mapping[int, int] | None) -> dict[int, int]:
    left = left_to_label(order=order)
    chosen = {pk: n for pk, n in (left if lines is None else lines).items() if n > 0}
    if not chosen or not chosen.keys() <= left.keys():
        raise Invalid("Choose at least one unit to ship.")
    if any(n > left[pk] for pk, n in chosen.items()):
        raise Invalid("More units were chosen than are left to ship.")
    return chosen


def keep_quotes(
    *,
    order: Order,
    by: User,
    provider: str,
    wanted: Wanted,
    lines: Mapping[int, int],
    quotes: tuple[Quote, ...],
    now: datetime,
) -> Label:
    """The prices as they are shown.

    The row's `public_id` is the token of the buying form. `provider` is the carrier's name. Raises Invalid without
    prices.
    """
    require(by, order.seller, duty=Duty.ORDERS)
    if not quotes:
        raise Invalid("The carrier has no price for this parcel and address.")
    Label.objects.filter(order=order, state=LabelState.QUOTED, quoted_at__lt=now - QUOTES_LAST).delete()
    return Label.objects.create(
        reference=wanted.reference,
        order=order,
        seller=order.seller,
        provider=provider,
        wanted=WANTED.dump_python(wanted, mode="json"),
        lines={str(pk): n for pk, n in lines.items()},
        quotes=QUOTES.dump_python(quotes, mode="json"),
        currency=quotes[0].price.currency,
        insured_minor=wanted.insured.minor if wanted.insured else None,
        asked_by=by,
        quoted_at=now,
    )


def quotes_of(*, label: Label) -> tuple[Quote, ...]:
    return QUOTES.validate_python(label.quotes)


def wanted_of(*, label: Label) -> Wanted:
    return WANTED.validate_python(label.wanted)


def purchase_of(*, label: Label) -> Purchase:
    """What the carrier is asked to sell. Raises Stale when nothing was chosen."""
    for quote in quotes_of(label=label):
        if quote.ref == label.quote_ref:
            return Purchase(wanted_of(label=label), quote)
    raise Stale("No price was chosen.")


# Buying


def buy_label(*, order: Order, by: User, token: str, quote_ref: str, can: Can, now: datetime) -> Label:
    """Write down what is bought and send the command.

    The same token again is the same label, whatever was chosen then. Raises Stale, NotAllowed, Invalid.
    """
    with transaction.atomic():
        order = locked_order(order)
        require(by, order.seller, duty=Duty.ORDERS)
        label = Label.objects.select_for_update(no_key=True).filter(order=order, public_id=token).first()
        if label is None:
            raise Stale("These prices are not kept any more. Ask for prices again.")
        if label.state != LabelState.QUOTED:
            return label
        if now - label.quoted_at > QUOTES_LAST:
            raise Stale("These prices are more than half an hour old. Ask for prices again.")
        _still_right(order, label, can)
        quote = next((one for one in quotes_of(label=label) if one.ref == quote_ref), None)
        if quote is None:
            raise Invalid("Choose one of the prices.")
        if quote.not_now:
            raise NotAllowed(quote.not_now)
        label.state, label.quote_ref, label.bought_by, label.intended_at = LabelState.INTENDED, quote.ref, by, now
        label.carrier, label.service, label.price_minor = quote.carrier[:80], quote.service[:80], quote.price.minor
        label.currency = quote.price.currency
        label.save()
        enqueue(
            party=party_named(kind=PartyKind.CARRIER, name=label.provider),
            cause=f"label:{label.reference}",
            subject=subject_of(label),
            kind=CommandKind.BUY_LABEL,
            payload=LABEL.dump_python(AboutLabel(label.public_id, order.reference), mode="json"),
            now=now,
        )
    return label


def _still_right(order: Order, label: Label, can: Can) -> None:
    """Everything may have changed since the prices were shown: the order, the rule, what is left.

    Nothing is bought then.
    """
    if why := why_not_buy(order=order):
        raise NotAllowed(why)
    _chosen(order, {int(pk): n for pk, n in label.lines.items()})
    wanted = wanted_of(label=label)
    if wanted.ship_to != order.address:
        raise Stale("The buyer's address has changed. Ask for prices again.")
    if why := why_not_label(wanted, lifted=lifted(rule="S2"), can=can, carrier="This carrier"):
        raise NotAllowed(why)


def subject_of(label: Label) -> str:
    """Commands of one label run in line; labels of one order side by side."""
    return f"label:{label.order.reference}:{label.public_id}"[:60]


def may_buy(*, label_id: str) -> str:
    """Asked right before the carrier is: empty when it may go ahead.

    The order may have ended while the command waited.
    """
    label = Label.objects.select_related("order").get(public_id=label_id)
    if label.order.cancelled_at is not None:
        return "The order was cancelled before the label was bought; nothing was bought."
    if why := why_not_ship(label.order):
        return f"{why} No label was bought."
    return ""


# Taking back


def why_not_void(*, label: Label) -> str:
    if label.state == LabelState.VOIDED:
        return "It was voided already."
    if label.state not in (LabelState.BOUGHT, LabelState.VOID_REFUSED, LabelState.VOIDING):
        return "There is no label yet that could be voided."
    if label.delivered_at is not None or any(event["status"] not in ("made", "trouble") for event in label.events):
        return "The carrier has the parcel already; its label cannot be voided."
    return ""


def void_label(*, label: Label, by: User, now: datetime) -> Label:
    """Ask the carrier for the money back. Pressed twice it is asked once. Raises NotAllowed."""
    with telling(now) as told:
        order = locked_order(label.order)
        require(by, order.seller, duty=Duty.ORDERS)
        label = Label.objects.select_for_update(no_key=True).get(pk=label.pk)
        if label.state == LabelState.VOIDING:
            return label
        if why := why_not_void(label=label):
            raise NotAllowed(why)
        label.state, label.voided_by, label.void_asked_at, label.sentence = LabelState.VOIDING, by, now, ""
        label.save()
        label.order = order
        enqueue(
            party=party_named(kind=PartyKind.CARRIER, name=label.provider),
            cause=f"void:{label.reference}:{now.isoformat()}"[:120],
            subject=subject_of(label),
            kind=CommandKind.VOID_LABEL,
            payload=LABEL.dump_python(AboutLabel(label.public_id, order.reference), mode="json"),
            now=now,
        )
        told.tell(
            order=order,
            source=side_of(by, order.seller),
            kind="label_void_asked",
            sentence=f"{by} asked {label.carrier} to take the label {label.tracking_number} back.",
            evidence={"label": label.public_id},
        )
    return label


# Looking


def labels_of(*, order: Order) -> QuerySet[Label]:
    """Bought, being bought, refused or voided; newest last. Prices that were only shown are left out."""
    return Label.objects.filter(order=order).exclude(state=LabelState.QUOTED).select_related("shipment").order_by("pk")


def lines_of(*, label: Label) -> list[tuple[OrderLine, int]]:
    """The units that the label was asked for."""
    rows = {line.pk: line for line in label.order.lines.all()}
    return [(rows[int(pk)], n) for pk, n in label.lines.items() if int(pk) in rows]


def forget_quotes(*, older_than: datetime) -> int:
    """Prices that nobody chose."""
    return Label.objects.filter(state=LabelState.QUOTED, quoted_at__lt=older_than).delete()[0]
