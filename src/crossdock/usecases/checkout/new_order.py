"""The order itself, written in the transaction in which its payment was taken.

What is to be known is asked in one round trip, under the locks of the stock rows; what is to be told, and to whom, is
gathered while it is decided; and all of it is written in one, a statement for each table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet

from crossdock.domain.orders import CopyState
from crossdock.domain.stock import HoldState
from crossdock.store.ids import reference_tail
from crossdock.store.models import (
    Command,
    Endpoint,
    Mail,
    Order,
    OrderLine,
    Party,
    PaymentIntent,
    Reservation,
    ShopCopy,
    TimelineEntry,
    Transfer,
    Variant,
    VariantStock,
)
from crossdock.store.models.money import IntentState
from crossdock.store.models.work import PartyKind
from crossdock.store.plans import prepared
from crossdock.store.together import Statement, ask, insert_of, keys_of, send, update_of
from crossdock.store.work import wake
from crossdock.usecases.money import books
from crossdock.usecases.orders import landing
from crossdock.usecases.record.events import receivers
from crossdock.usecases.record.mail import mail_of, post_office, send_command
from crossdock.usecases.record.telling import Telling
from crossdock.usecases.record.timeline import told_of
from crossdock.usecases.risk.facts import Past, past_in, question_about
from crossdock.usecases.risk.holds import hold, policy_holds
from crossdock.usecases.risk.judge import Judgement, keep_placed, look, warn
from crossdock.usecases.risk.trace import trace_of
from crossdock.usecases.stock.reservations import locking_with_promises, movements

_NOTHING: Statement = ("SELECT 1 WHERE false", ())


@dataclass(frozen=True, slots=True)
class Keys:
    """Drawn before anything is written, so that no row waits for another's."""

    order: int
    number: int
    transfer: int
    entry: int
    lines: Sequence[int]
    mails: Sequence[int]


@dataclass(frozen=True, slots=True)
class UnderLock:
    """What is known while the stock rows are locked: the rows by variant, this checkout's own holds, the units that
    are promised of each variant (these among them); what is known of the buyer; who is to be told.
    """

    rows: Mapping[int, VariantStock]
    holds: Sequence[Reservation]
    held: Mapping[int, int]
    past: Past | None
    keys: Keys
    listening: Sequence[Endpoint]
    post: Party | None


def ask_under_lock(
    *, intent: PaymentIntent, wanted: Mapping[int, int], holds: QuerySet[Reservation], now: datetime
) -> UnderLock:
    """One round trip; the rows' locks come first."""
    trace = trace_of(intent)
    rows, held, mine, past, numbers, keys, listening, post = ask(
        *locking_with_promises(wanted, listings=True),
        holds,
        question_about(trace, now) if trace else _NOTHING,
        ("SELECT nextval('order_no')", ()),
        keys_of({Order: 1, Transfer: 1, TimelineEntry: 1, OrderLine: len(intent.basket["lines"]), Mail: 2}),
        _listening(intent.seller_id),
        _parties("mail"),
    )
    ((number,),) = numbers
    (((order,), (transfer,), (entry,), lines, mails),) = keys
    return UnderLock(
        rows={row.pk: row for row in rows},
        holds=mine,
        held=dict(held),
        past=past_in(trace, past) if trace else None,
        keys=Keys(order, number, transfer, entry, sorted(lines), sorted(mails)),
        listening=listening,
        post=next(iter(post), None),
    )


@prepared
def _listening(seller_id: int) -> QuerySet[Endpoint]:
    return receivers([seller_id])


@prepared
def _parties(name: str) -> QuerySet[Party]:
    return Party.objects.filter(kind=PartyKind.NOTIFY, name=name)


def write_order(*, intent: PaymentIntent, under: UnderLock, now: datetime) -> Order:
    """The stock rows of its variants are locked; the holds become the order's own."""
    trace = trace_of(intent)
    judgement = (
        look(
            trace=trace,
            checks=intent.checks,
            ship_to=intent.basket["ship_to"],
            buyer=intent.buyer,
            now=now,
            past=under.past,
        )
        if trace
        else None
    )
    order = _order(intent, judgement, under.keys, now=now)
    variants = {pk: row.variant for pk, row in under.rows.items()}
    if shops := [v.connection for v in variants.values() if v.connection_id == order.connection_id]:
        order.connection = shops[0]
    lines = _lines(order, intent, variants, under.keys.lines)
    writes = [insert_of([order]), insert_of(lines), *_sold(order, under, now=now)]
    intent.order, intent.state = order, IntentState.CAPTURED
    writes.append(update_of(intent, "order", "state", "gateway_ref", "checks", "settled_at"))
    transfer, sides = books.payment_of(order=order, key=under.keys.transfer, now=now)
    writes += [insert_of([transfer]), *([insert_of(sides)] if sides else [])]
    if trace and judgement:
        writes.append(keep_placed(trace=trace, order=order, judgement=judgement, now=now))
    if order.connection is not None:
        copy = ShopCopy(order=order, connection=order.connection, intended_at=now, state=CopyState.INTENDED)
        writes.append(insert_of([copy]))
    held = judgement is not None and policy_holds(order=order, policy=judgement.choice)
    told, commands = _told(order, lines, under, held=held, now=now)
    send([*writes, *told])
    wake(command.party_id for command in commands)
    if held or judgement:
        told_of_risk = Telling(now)
        if judgement:
            warn(order=order, judgement=judgement, told=told_of_risk)
        if held:
            hold(order=order, told=told_of_risk)
        told_of_risk.write()
    return order


def _told(
    order: Order, lines: Sequence[OrderLine], under: UnderLock, *, held: bool, now: datetime
) -> tuple[list[Statement], list[Command]]:
    """The order's story begins; the mails, and what asks for them, for the order in its shop and for the seller's
    programs to be told. Each is the first and only one of its cause, since the order's reference is fresh.
    """
    sentence = "Order placed and paid."
    placed = TimelineEntry(
        pk=under.keys.entry, order=order, at=now, source="buyer", kind="placed", sentence=sentence, public=True
    )
    commands = told_of(placed, under.listening, now=now)
    mails = _mails(order, lines, held=held, now=now)
    post = under.post or post_office()
    for mail, key in zip(mails, under.keys.mails, strict=True):
        mail.pk = key
        commands.append(send_command(mail, party_id=post.pk, now=now))
    if order.connection is not None and not held:
        commands.append(landing.to_create(order, lines, now=now))
    return [insert_of([placed]), insert_of(mails), insert_of(commands)], commands


def _sold(order: Order, under: UnderLock, *, now: datetime) -> list[Statement]:
    """Its holds are the order's from now on. A hold that is owed counts as one that waited for the payment did, so
    what can be sold stays the same.
    """
    owed = "UPDATE store_reservation SET state = %s, order_id = %s, expires_at = NULL WHERE id = ANY(%s)"
    moved = movements(under.holds, rows=under.rows, held=under.held, kind="sold", now=now, order=order)
    return [
        (owed, [HoldState.OWED.value, order.pk, [one.pk for one in under.holds]]),
        *([insert_of(moved)] if moved else []),
    ]


def _order(intent: PaymentIntent, judgement: Judgement | None, keys: Keys, *, now: datetime) -> Order:
    number = keys.number
    reference = f"CD-{number}-{reference_tail()}"
    basket = intent.basket
    return Order(
        pk=keys.order,
        number=number,
        reference=reference,
        seller=intent.seller,
        buyer=intent.buyer,
        connection_id=basket["connection"],
        currency=intent.currency,
        items_minor=basket["items_minor"],
        shipping_minor=basket["shipping_minor"],
        total_minor=intent.amount_minor,
        ship_to=basket["ship_to"],
        relay_email=f"{reference.lower()}@orders.invalid",
        placed_at=now,
        ship_by=now + timedelta(days=intent.seller.handling_days),
        **(judgement.on_order() if judgement else {}),
    )


def _lines(
    order: Order, intent: PaymentIntent, variants: Mapping[int, Variant], keys: Sequence[int]
) -> list[OrderLine]:
    return [
        OrderLine(
            pk=key,
            order=order,
            variant=variants[pk],
            quantity=quantity,
            unit_price_minor=price,
            title=str(variants[pk]),
            sku=variants[pk].sku,
            shop_product_id=variants[pk].listing.shop_product_id,
            shop_variant_id=variants[pk].shop_variant_id,
            image=variants[pk].image or next(iter(variants[pk].listing.images), ""),
        )
        for key, (pk, quantity, price) in zip(keys, intent.basket["lines"], strict=True)
    ]


def _mails(order: Order, rows: Sequence[OrderLine], *, held: bool, now: datetime) -> list[Mail]:
    lines = "\n".join(f"{line.quantity} × {line.title}" for line in rows)
    what_next = (
        f"It is being created in {order.connection.name}."
        if order.connection
        else "You ship this one from your seller panel."
    )
    if held:
        what_next = (
            "Do not ship it yet: its risk is high, and our staff look at it first. We write when they release it."
        )
    to_seller = mail_of(
        cause=f"new_order:{order.reference}",
        to=order.seller.owner.email,
        subject=f"New order #{order.number}",
        order=order,
        now=now,
        body=f"{lines}\n\nTotal {order.total.words}."
        + ("" if held else f" Ship by {order.ship_by:%d %B %Y}.")
        + f"\n{what_next}\n{settings.BASE_URL}/seller/orders/{order.public_id}/",
    )
    to_buyer = mail_of(
        cause=f"thank_you:{order.reference}",
        to=order.buyer.email,
        subject=f"Your order #{order.number}",
        order=order,
        now=now,
        body=(
            f"Thank you. {order.seller.name} has your order:\n\n{lines}\n\nTotal {order.total.words}. We"
            " write again when it is shipped."
        ),
    )
    return [to_seller, to_buyer]
