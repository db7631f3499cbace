"""The orders themselves, written in the transaction in which their payment was taken: one for each part of it.

What is to be known is asked in one round trip, under the locks of the stock rows; what is to be told, and to whom, is
gathered while it is decided; and all of it is written in one, a statement for each table.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from crossdock import seeing
from crossdock.domain.mails.words import Fact
from crossdock.domain.orders import CopyState
from crossdock.domain.stock import HoldState
from crossdock.store.ids import reference_tail
from crossdock.store.models import (
    Command,
    CommissionRule,
    Endpoint,
    Mail,
    Order,
    OrderLine,
    Party,
    PaymentIntent,
    Reservation,
    RiskTrace,
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
from crossdock.usecases.accounts.working_days import due_of
from crossdock.usecases.checkout.first_mails import to_buyer, to_seller
from crossdock.usecases.checkout.parts import Part, goes_back, units_of
from crossdock.usecases.money import books, commission
from crossdock.usecases.orders import landing
from crossdock.usecases.record.agent_news import of_an_agent, sessions_behind, update_commands
from crossdock.usecases.record.events import receivers
from crossdock.usecases.record.mail import post_office, send_command
from crossdock.usecases.record.telling import Telling
from crossdock.usecases.record.timeline import told_of
from crossdock.usecases.risk.facts import Past, past_in, question_about
from crossdock.usecases.risk.holds import hold, policy_holds
from crossdock.usecases.risk.judge import Judgement, keep_placed, look, warn
from crossdock.usecases.risk.trace import as_part, trace_of
from crossdock.usecases.stock.reservations import locking_with_promises, movements


@dataclass(frozen=True, slots=True)
class Keys:
    """Drawn before anything is written, so that no row waits for another's: of each as many as there are parts, and a
    mail more, to the buyer.
    """

    orders: Sequence[int]
    numbers: Sequence[int]
    transfers: Sequence[int]
    entries: Sequence[int]
    lines: Sequence[int]
    mails: Sequence[int]


@dataclass(frozen=True, slots=True)
class UnderLock:
    """What is known while the stock rows are locked: the rows by variant, this checkout's own holds, the units that
    are promised of each variant (these among them); what is known of the buyer, by the part's number; who is to be
    told.
    """

    rows: Mapping[int, VariantStock]
    holds: Sequence[Reservation]
    held: Mapping[int, int]
    pasts: Mapping[int, Past]
    keys: Keys
    listening: Sequence[Endpoint]
    post: Party | None
    rules: Sequence[CommissionRule]


@dataclass(frozen=True, slots=True)
class Fresh:
    """One order that is being written."""

    order: Order
    lines: Sequence[OrderLine]
    variants: Sequence[int]
    trace: RiskTrace | None
    judgement: Judgement | None

    @property
    def held(self) -> bool:
        return self.judgement is not None and policy_holds(order=self.order, policy=self.judgement.choice)


def ask_under_lock(
    *, intent: PaymentIntent, parts: Sequence[Part], holds: QuerySet[Reservation], now: datetime
) -> UnderLock:
    """One round trip; the rows' locks come first."""
    wanted, many = units_of(parts), len(parts)
    traces = {part.number: _trace_of(intent, part) for part in parts}
    known = [(number, trace) for number, trace in traces.items() if trace]
    keys = {Order: many, Transfer: many, TimelineEntry: many, OrderLine: len(wanted), Mail: many + 1}
    sellers = sorted({part.seller for part in parts})
    rows, held, mine, numbers, drawn, listening, post, rules, *pasts = ask(
        *locking_with_promises(wanted, listings=True),
        holds,
        ("SELECT nextval('order_no') FROM generate_series(1, %s)", [many]),
        keys_of(keys),
        _listening(sellers),
        _parties("mail"),
        commission.rules_at(now, sellers),
        *(question_about(trace, now) for _, trace in known),
    )
    (lists,) = drawn
    orders, transfers, entries, lines, mails = (sorted(some) for some in lists)
    return UnderLock(
        rows={row.pk: row for row in rows},
        holds=mine,
        held=dict(held),
        pasts={number: past_in(trace, past) for (number, trace), past in zip(known, pasts, strict=True)},
        keys=Keys(orders, sorted(number for (number,) in numbers), transfers, entries, lines, mails),
        listening=listening,
        post=next(iter(post), None),
        rules=rules,
    )


@prepared
def _listening(sellers: list[int]) -> QuerySet[Endpoint]:
    return receivers(sellers)


@prepared
def _parties(name: str) -> QuerySet[Party]:
    return Party.objects.filter(kind=PartyKind.NOTIFY, name=name)


def _trace_of(intent: PaymentIntent, part: Part, *, beside: bool = False) -> RiskTrace | None:
    """The try to pay as this part's seller sees it: judged by what goes to them. None before there were traces."""
    trace, units = trace_of(intent), max(part.units.values(), default=1)
    return trace and as_part(trace, seller=part.seller, amount=part.total, units=units, beside=beside)


def write_orders(
    *,
    intent: PaymentIntent,
    parts: Sequence[Part],
    back: Sequence[tuple[Part, Fact]],
    under: UnderLock,
    now: datetime,
) -> dict[int, Order]:
    """By the part's number. The stock rows of their variants are locked; the holds become the orders' own. `back` are
    parts that come to nothing, and why.
    """
    fresh = _fresh(intent, parts, under, now=now)
    orders = [one.order for one in fresh]
    writes = [
        insert_of(orders),
        insert_of([line for one in fresh for line in one.lines]),
        *_sold(fresh, under, now=now),
    ]
    intent.state = IntentState.CAPTURED
    for part, why in back:
        goes_back(intent, part, str(why))
    changed = ["state", "gateway_ref", "checks", "settled_at", *(["basket"] if back else [])]
    writes.append(update_of(intent, *changed))
    paid = [
        books.payment_of(order=one.order, cut=sum(line.fee_minor or 0 for line in one.lines), key=key, now=now)
        for one, key in zip(fresh, under.keys.transfers[: len(orders)], strict=True)
    ]
    writes.append(insert_of([transfer for transfer, _ in paid]))
    if sides := [side for _, some in paid for side in some]:
        writes.append(insert_of(sides))
    judged = [(one.trace, one.order, one.judgement) for one in fresh if one.trace and one.judgement]
    writes += keep_placed(judged, now=now)
    copies = [
        ShopCopy(order=order, connection=order.connection, intended_at=now, state=CopyState.INTENDED)
        for order in orders
        if order.connection is not None
    ]
    if copies:
        writes.append(insert_of(copies))
    told, commands = _told(intent, fresh, back, under, now=now)
    send([*writes, *told])
    seeing.told.by.put_in_line(commands)
    wake({command.party_id for command in commands})
    _tell_risk(fresh, now=now)
    return {part.number: order for part, order in zip(parts, orders, strict=True)}


def _fresh(intent: PaymentIntent, parts: Sequence[Part], under: UnderLock, *, now: datetime) -> list[Fresh]:
    """The first keeps the trace of the try itself."""
    made: list[Fresh] = []
    taken = 0
    for place, part in enumerate(parts):
        own, judgement = _trace_of(intent, part, beside=place > 0), None
        if own:
            judgement = look(
                trace=own,
                checks=intent.checks,
                ship_to=intent.basket["ship_to"],
                buyer=intent.buyer,
                now=now,
                past=under.pasts[part.number],
            )
        order = _order(intent, part, judgement, under, place, now=now)
        keys = under.keys.lines[taken : taken + len(part.lines)]
        taken += len(keys)
        variants = {pk: under.rows[pk].variant for pk in part.units}
        if shops := [v.connection for v in variants.values() if v.connection_id == order.connection_id]:
            order.connection = shops[0]
        lines = _lines(order, part, variants, keys)
        commission.charge(order, lines, under.rules)
        made.append(Fresh(order, lines, list(variants), own, judgement))
    return made


def _tell_risk(fresh: Sequence[Fresh], *, now: datetime) -> None:
    if any(one.judgement for one in fresh):
        told_of_risk = Telling(now)
        for one in fresh:
            if one.judgement:
                warn(order=one.order, judgement=one.judgement, told=told_of_risk)
            if one.held:
                hold(order=one.order, told=told_of_risk)
        told_of_risk.write()


def _told(
    intent: PaymentIntent,
    fresh: Sequence[Fresh],
    back: Sequence[tuple[Part, Fact]],
    under: UnderLock,
    *,
    now: datetime,
) -> tuple[list[Statement], list[Command]]:
    """The orders' stories begin; the mails, and what asks for them, for the orders in their shops and for each seller's
    programs to be told. Each is the first and only one of its cause, since the order's reference is fresh.
    """
    sentence = "Order placed and paid."
    entries, commands = list[TimelineEntry](), list[Command]()
    for one, key in zip(fresh, under.keys.entries[: len(fresh)], strict=True):
        entry = TimelineEntry(
            pk=key, order=one.order, at=now, source="buyer", kind="placed", sentence=sentence, public=True
        )
        entries.append(entry)
        theirs = [endpoint for endpoint in under.listening if endpoint.seller_id == one.order.seller_id]
        commands += told_of(entry, theirs, now=now)
    mails = [*(to_seller(one.order, one.lines, held=one.held, now=now) for one in fresh)]
    mails.append(to_buyer(intent, [(one.order, one.lines) for one in fresh], back, now=now))
    post = under.post or post_office()
    for mail, key in zip(mails, under.keys.mails[: len(mails)], strict=True):
        mail.pk = key
        commands.append(send_command(mail, party_id=post.pk, now=now))
    if of_an_agent(intent):
        commands += update_commands(sessions_behind([intent.pk]), cause="placed", now=now)
    commands += [
        landing.to_create(one.order, one.lines, now=now)
        for one in fresh
        if one.order.connection is not None and not one.held
    ]
    return [insert_of(entries), insert_of(mails), insert_of(commands)], commands


def _sold(fresh: Sequence[Fresh], under: UnderLock, *, now: datetime) -> list[Statement]:
    """Their holds are the orders' from now on. A hold that is owed counts as one that waited for the payment did, so
    what can be sold stays the same.
    """
    owed = (
        "UPDATE store_reservation r SET state = %s, order_id = o.id, expires_at = NULL"
        " FROM unnest(%s::bigint[], %s::bigint[]) AS o (hold, id) WHERE r.id = o.hold"
    )
    mine = [(hold, one.order) for one in fresh for hold in under.holds if hold.variant_id in one.variants]
    moved = [
        move
        for one in fresh
        for move in movements(
            [hold for hold, order in mine if order is one.order],
            rows=under.rows,
            held=under.held,
            kind="sold",
            now=now,
            order=one.order,
        )
    ]
    return [
        (owed, [HoldState.OWED.value, [hold.pk for hold, _ in mine], [order.pk for _, order in mine]]),
        *([insert_of(moved)] if moved else []),
    ]


def _order(
    intent: PaymentIntent, part: Part, judgement: Judgement | None, under: UnderLock, place: int, *, now: datetime
) -> Order:
    number = under.keys.numbers[place]
    reference = f"CD-{number}-{reference_tail()}"
    seller = under.rows[part.lines[0][0]].variant.listing.seller
    return Order(
        pk=under.keys.orders[place],
        number=number,
        reference=reference,
        seller=seller,
        buyer=intent.buyer,
        intent=intent,
        connection_id=part.connection,
        currency=part.currency,
        items_minor=part.items_minor,
        shipping_minor=part.shipping_minor,
        total_minor=part.total.minor,
        ship_to=intent.basket["ship_to"],
        language=intent.basket.get("language", ""),
        relay_email=f"{reference.lower()}@orders.invalid",
        placed_at=now,
        ship_by=due_of(seller, now),
        **(judgement.on_order() if judgement else {}),
    )


def _lines(order: Order, part: Part, variants: Mapping[int, Variant], keys: Sequence[int]) -> list[OrderLine]:
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
        for key, (pk, quantity, price) in zip(keys, part.lines, strict=True)
    ]
