"""Buying: hold the units and write the intent, then the gateway is asked outside, then the orders.

Two tabs and double clicks share one intent. One payment pays an order for each seller's shop (`parts.py`).
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from crossdock.domain.mails import orders as mails
from crossdock.domain.mails.words import Fact, Words
from crossdock.domain.moderation.sellers import why_barred
from crossdock.domain.offers import OfferState
from crossdock.domain.stock import EndedWhy, HoldState
from crossdock.domain.values import Address, Money
from crossdock.store.crash import point
from crossdock.store.models import (
    Movement,
    Offer,
    Order,
    PaymentIntent,
    Reservation,
    RiskTrace,
    User,
    Variant,
    VariantStock,
)
from crossdock.store.models.catalogue import ListingState
from crossdock.store.models.money import IntentState
from crossdock.store.plans import prepared
from crossdock.store.together import ask, insert_of, keys_of, send
from crossdock.usecases.catalogue.offers import lock_for_payment, mark_paid
from crossdock.usecases.checkout.basket import Basket, PricedBasket, priced
from crossdock.usecases.checkout.gone import give_back, give_part_back
from crossdock.usecases.checkout.new_order import UnderLock, ask_under_lock, write_orders
from crossdock.usecases.checkout.of_a_day import require_room_for_orders
from crossdock.usecases.checkout.one_of_a_kind import (
    Appeared,
    end_elsewhere,
    look_again,
    none_appeared,
    not_meanwhile,
    not_twice,
    noted,
    others_of,
    same_units_of,
)
from crossdock.usecases.checkout.parts import Part, basket_of, offers_of, parts_of, units_of
from crossdock.usecases.errors import Invalid, NotAllowed, Stale
from crossdock.usecases.record.rights import belongs, require_buyer
from crossdock.usecases.record.telling import Telling
from crossdock.usecases.risk.trace import Origin, end_unpaid, trace_for, trace_of
from crossdock.usecases.stock.reservations import (
    end_hold,
    left_of,
    lock_with_promises,
    locked,
    locking_with_promises,
    movements,
    promised,
)

HOLD_FOR = timedelta(minutes=15)
# Whoever began a payment has its bank's answer by then; only later does somebody else look at it.
PAGE_WAITS = timedelta(seconds=45)


def open_checkout(
    *,
    buyer: User,
    basket: Basket,
    ship_to: Address,
    key: str,
    fingerprint: str,
    gateway: str,
    now: datetime,
    origin: Origin = Origin(),  # noqa: B008 - frozen
    shown: PricedBasket | None = None,
    language: str = "",
) -> PaymentIntent:
    """Hold the units for 15 minutes and write down what is to be paid, before any money moves: all units or none.

    The same key gives the same intent. `shown` is the basket as it was priced in this same request, if it was; the
    units are checked again under their locks either way. `language` is what the buyer reads: their orders keep it.
    """
    if not 8 <= len(key) <= 80:
        raise Invalid("This page is incomplete; reload it.")
    # What is wanted is known before, where it was priced in this request and no offer holds it already.
    lines = shown.lines if shown and not basket.get("offers") else ()
    early = [line.variant.pk for line in lines]
    beside = same_units_of(lines)
    with transaction.atomic():
        _, existing, [[[number]]], rows, held = ask(
            # Serialises the two tabs: the second waits here and then finds the first one's intent.
            ("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key]),
            _intents_of(key),
            keys_of({PaymentIntent: 1}),
            *locking_with_promises([*early, *beside] if early else []),
        )
        if existing:
            return _own(existing[0], buyer)
        basket_now = shown or priced(basket=basket, country=ship_to.territory or ship_to.country, now=now)
        amount = _payable(basket_now, fingerprint, buyer)
        if not early:
            beside = same_units_of(basket_now.lines)
        intent = PaymentIntent(
            pk=number,
            checkout=key,
            buyer=buyer,
            amount_minor=amount.minor,
            currency=amount.currency,
            basket=basket_of(basket_now, ship_to, language) | noted(basket_now.lines, beside),
            gateway=gateway,
            created_at=now,
        )
        writes = [insert_of([intent]), insert_of([_trace(intent, origin, now=now)])]
        wanted = {line.variant.pk: line.quantity for line in basket_now.lines}
        # All of them under their locks in one order, an offer's units among them.
        rows_now, held_now = {row.pk: row for row in rows}, dict(held)
        if not early:
            rows_now, held_now = lock_with_promises([*wanted, *beside])
        not_twice(basket_now.lines, beside, held_now)
        for part in basket_now.parts:
            require_room_for_orders(part.seller, now=now)
        for offer in (line.offer for line in basket_now.lines if line.offer):
            if _keep_hold_of(offer, now=now):
                del wanted[offer.variant_id]
        if wanted:
            holds, moved = _hold(intent, wanted, rows_now, held_now, now=now)
            writes += [insert_of(rows) for rows in (holds, moved) if rows]
        send(writes)
        return intent


def _payable(shown: PricedBasket, fingerprint: str, buyer: User) -> Money:
    """What is to be paid. Raises a Problem where the buyer may not buy this, or was shown something else."""
    if shown.problems or shown.total is None:
        raise Stale(" ".join(shown.problems) or "The seller does not ship to this country.")
    if shown.fingerprint != fingerprint:
        raise Stale("A price changed since you opened this page. Look at the new total and decide again.")
    if any(belongs(buyer, part.seller) for part in shown.parts):
        raise NotAllowed("You cannot buy from your own shop.")
    for line in shown.lines:
        if line.offer:
            require_buyer(buyer, line.offer, "This offer was agreed with somebody else.")
    return shown.total


def _trace(intent: PaymentIntent, origin: Origin, *, now: datetime) -> RiskTrace:
    """One try to pay, however many sellers are paid: under the first one's name until it is known which orders come of
    it.
    """
    parts = parts_of(intent)
    units = max(units_of(parts).values(), default=1)
    return trace_for(intent=intent, seller=parts[0].seller, units=units, origin=origin, now=now)


@prepared
def _intents_of(key: str) -> QuerySet[PaymentIntent]:
    return PaymentIntent.objects.filter(checkout=key)


@prepared
def _to_be_paid(intent_id: str) -> QuerySet[PaymentIntent]:
    """Locked, with what its orders are made of."""
    rows = PaymentIntent.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("buyer", "trace").filter(public_id=intent_id)


def _own(intent: PaymentIntent, buyer: User) -> PaymentIntent:
    require_buyer(buyer, intent, "This checkout belongs to somebody else.")
    return intent


def _keep_hold_of(offer: Offer, *, now: datetime) -> bool:
    """The units of an accepted offer are held already; at least as long as any checkout. Their row is locked."""
    mine = Reservation.objects.filter(cause=offer.hold_cause, state=HoldState.CHECKOUT).first()
    if mine is not None and mine.expires_at is not None and mine.expires_at < now + HOLD_FOR:
        Reservation.objects.filter(pk=mine.pk).update(expires_at=now + HOLD_FOR)
    return mine is not None


def _hold(
    intent: PaymentIntent,
    quantities: Mapping[int, int],
    rows: Mapping[int, VariantStock],
    held: Mapping[int, int],
    *,
    now: datetime,
    again: str = "",
) -> tuple[list[Reservation], list[Movement]]:
    """Rule 1: re-checked under each variant's lock. All or nothing: raises Stale when a unit is gone. `held` was asked
    for under those locks. Not written yet.
    """
    wanted = {pk: row for pk, row in rows.items() if pk in quantities}
    for pk, row in wanted.items():
        left = left_of(row, held.get(pk, 0), now=now)
        if left is None or left < quantities[pk]:
            title = str(row.variant)
            raise Stale(mails.ONLY_LEFT.of(left=left, title=title) if left else mails.JUST_SOLD.of(title=title))
    holds = [
        Reservation(
            cause=f"checkout:{intent.public_id}:{pk}{again}",
            variant_id=pk,
            quantity=quantities[pk],
            state=HoldState.CHECKOUT,
            expires_at=now + HOLD_FOR,
            created_at=now,
        )
        for pk in wanted
    ]
    after = {pk: held.get(pk, 0) + quantities[pk] for pk in wanted}
    return holds, movements(holds, rows=rows, held=after, kind="held", now=now)


def payment_failed(*, intent_id: str, sentence: str, now: datetime) -> None:
    """Declined, or surely never captured: the units go back at once."""
    with transaction.atomic():
        intent = PaymentIntent.objects.select_for_update(no_key=True).get(public_id=intent_id)
        if intent.state in (IntentState.CREATED, IntentState.UNKNOWN):
            intent.state, intent.sentence, intent.settled_at = IntentState.DECLINED, sentence, now
            intent.save(update_fields=["state", "sentence", "settled_at"])
            if trace := trace_of(intent):
                end_unpaid(trace=trace)
            _release(intent, why=EndedWhy.EXPIRED, now=now)


def payment_unknown(*, intent_id: str, sentence: str, now: datetime) -> None:
    """The gateway's answer was lost. The units stay held; a look-up settles it."""
    PaymentIntent.objects.filter(public_id=intent_id, state=IntentState.CREATED).update(
        state=IntentState.UNKNOWN, sentence=sentence
    )


def open_holds(intent: PaymentIntent, *, with_offer: bool = False) -> QuerySet[Reservation]:
    """The checkout's own holds.

    An offer's hold is not the checkout's to release, but the order's to take (`with_offer`).
    """
    mine = Q(cause__startswith=f"checkout:{intent.public_id}:")
    if with_offer and (offers := offers_of(intent)):
        mine |= Q(cause__in=[f"offer:{name}" for name in offers])
    return Reservation.objects.filter(mine, state=HoldState.CHECKOUT).order_by("variant_id")


def _release(intent: PaymentIntent, *, why: EndedWhy, now: datetime, only: Collection[int] | None = None) -> None:
    """`only` are variants."""
    holds = [hold for hold in open_holds(intent) if only is None or hold.variant_id in only]
    locked(hold.variant_id for hold in holds)
    for hold in holds:
        end_hold(hold, why=why, now=now)


def place_order(*, intent_id: str, gateway_ref: str, checks: Mapping[str, str], now: datetime) -> Order:
    """The money is captured: make an order of each part, once per intent. Returns the first of them; the intent's
    `orders` are all.

    A part whose units are gone by now (the hold ran out) becomes no order, and its money goes back; the others go on.
    None is left: the whole payment goes back, Stale.
    """
    while True:
        try:
            return _place_order(intent_id=intent_id, gateway_ref=gateway_ref, checks=checks, now=now)
        except Appeared:
            # It is there to be seen now.
            continue


def _place_order(*, intent_id: str, gateway_ref: str, checks: Mapping[str, str], now: datetime) -> Order:
    with transaction.atomic():
        (found,) = ask(_to_be_paid(intent_id))
        if not found:
            raise PaymentIntent.DoesNotExist
        intent: PaymentIntent = found[0]
        if intent.state == IntentState.CAPTURED:
            return intent.orders.order_by("pk")[0]
        if intent.state not in (IntentState.CREATED, IntentState.UNKNOWN, IntentState.DECLINED):
            raise Stale(intent.sentence)
        intent.gateway_ref, intent.checks, intent.settled_at = gateway_ref, dict(checks), now
        point("checkout.captured")
        parts, names = parts_of(intent), offers_of(intent)
        offers = lock_for_payment(names) if names else {}
        off = {
            part.number: mails.OFFER_PAID
            for part in parts
            if any(offers[name].state == OfferState.PAID for name in part.offers)
        }
        gone, under = hold_again(intent, now=now, off=off)
        if under is not None:
            orders = write_orders(
                intent=intent,
                parts=[part for part in parts if part.number not in gone],
                back=[(part, gone[part.number]) for part in parts if part.number in gone],
                under=under,
                now=now,
            )
            for part in parts:
                if part.number in gone:
                    _release(intent, why=EndedWhy.EXPIRED, now=now, only=part.units)
                    give_part_back(intent=intent, part=part, now=now)
                for name in part.offers:
                    if part.number in orders:
                        mark_paid(offer=offers[name], order=orders[part.number], now=now)
            told = Telling(now)
            sold = {pk: under.rows[pk].variant for part in parts if part.number in orders for pk in part.units}
            end_elsewhere(intent=intent, sold=sold, orders=[*orders.values()], told=told)
            told.write()
            point("checkout.before_commit")
            return next(iter(orders.values()))
        sentence = _whole_back(gone)
        intent.state, intent.sentence = IntentState.ABANDONED, sentence
        intent.save()
        _release(intent, why=EndedWhy.EXPIRED, now=now)
        give_back(intent=intent, now=now)
    raise Stale(sentence)


def _whole_back(gone: Mapping[int, Fact]) -> str:
    said = list(dict.fromkeys(str(why) for why in gone.values()))
    which = "This second payment" if said == [str(mails.OFFER_PAID)] else "Your payment"
    return f"{' '.join(said)} {which} goes back to you."


def hold_again(
    intent: PaymentIntent, *, now: datetime, off: Mapping[int, Fact] | None = None
) -> tuple[dict[int, Fact], UnderLock | None]:
    """Units whose hold ran out before the payment came are promised anew, under the lock, part by part; `off` are parts
    that come to nothing anyway.

    Returns why not, by the part's number, and what is known under the lock, with what is held for the orders: nothing
    when no part is left.
    """
    gone = dict[int, Fact](off or {})
    parts: list[Part] = [part for part in parts_of(intent) if part.number not in gone]
    if not parts:
        return gone, None
    look_again(intent)
    if gone or others_of(intent):
        # Their holds are let go in this transaction, too: all rows in one order.
        locked([*units_of(parts_of(intent)), *others_of(intent)])
    holds = open_holds(intent, with_offer=True)
    under = ask_under_lock(intent=intent, parts=parts, holds=holds, now=now)
    none_appeared(intent)
    kept = {hold.variant_id for hold in under.holds}
    anew: list[Reservation] = []
    moves: list[Movement] = []
    for part in parts:
        if stopped := next(filter(None, (_why_stopped(under.rows[pk].variant) for pk in part.units)), None):
            gone[part.number] = stopped
            continue
        missing = {pk: units for pk, units in part.units.items() if pk not in kept}
        if not missing:
            continue
        try:
            not_meanwhile(intent, part)
            again, moved = _hold(intent, missing, under.rows, under.held, now=now, again=":again")
        except Stale as why:
            gone[part.number] = why.args[0]
        else:
            anew, moves = [*anew, *again], [*moves, *moved]
    left = units_of(part for part in parts if part.number not in gone)
    if not left:
        return gone, None
    if anew:
        Reservation.objects.bulk_create(anew)
        send([insert_of(moves)])
        under = replace(under, held=promised(units_of(parts)))
    mine = sorted([*under.holds, *anew], key=lambda hold: hold.variant_id)
    return gone, replace(under, holds=[hold for hold in mine if hold.variant_id in left])


def _why_stopped(variant: Variant) -> Words | None:
    """None unless the marketplace stopped it while it was being paid."""
    if variant.listing.state == ListingState.TAKEN_DOWN:
        return mails.TAKEN_DOWN.of(title=str(variant))
    barred = why_barred(variant.listing.seller.bar)
    return Words(barred, {}) if barred else None


def expire_checkouts(*, now: datetime, limit: int = 200) -> int:
    """Holds whose time ran out end; an intent that nobody paid is abandoned unless the gateway's answer is still open.
    Returns how many holds.
    """
    with transaction.atomic():
        due = list(
            Reservation.objects.filter(state=HoldState.CHECKOUT, expires_at__lte=now).order_by("variant_id")[:limit]
        )
        locked(hold.variant_id for hold in due)
        ended = 0
        for hold in due:
            # Paid in the meantime, under the same lock: then it is no longer a checkout's.
            if Reservation.objects.filter(pk=hold.pk, state=HoldState.CHECKOUT, expires_at__lte=now).exists():
                end_hold(hold, why=EndedWhy.EXPIRED, now=now)
                ended += 1
    return ended
