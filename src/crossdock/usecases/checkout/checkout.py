"""Buying: hold the units and write the intent, then the gateway is asked outside, then the order.

Two tabs and double clicks share one intent.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from crossdock.domain.commands import CommandKind
from crossdock.domain.offers import OfferState
from crossdock.domain.stock import EndedWhy, HoldState
from crossdock.domain.values import Address
from crossdock.store.crash import point
from crossdock.store.models import Movement, Offer, Order, PaymentIntent, Reservation, User, VariantStock
from crossdock.store.models.money import IntentState
from crossdock.store.models.work import PartyKind
from crossdock.store.plans import prepared
from crossdock.store.together import ask, insert_of, keys_of, send
from crossdock.usecases.catalogue.offers import lock_for_payment, mark_paid
from crossdock.usecases.checkout.basket import Basket, PricedBasket, offer_in, priced
from crossdock.usecases.checkout.new_order import UnderLock, ask_under_lock, write_order
from crossdock.usecases.errors import Invalid, NotAllowed, Stale
from crossdock.usecases.outbox.payloads import REFUND, RefundPayment
from crossdock.usecases.outbox.queue import enqueue, party_named
from crossdock.usecases.record.rights import is_owner, require_buyer
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
) -> PaymentIntent:
    """Hold the units for 15 minutes and write down what is to be paid, before any money moves.

    The same key gives the same intent. `shown` is the basket as it was priced in this same request, if it was; the
    units are checked again under their locks either way.
    """
    if not 8 <= len(key) <= 80:
        raise Invalid("This page is incomplete; reload it.")
    # What is wanted is known before, where it was priced in this request and no offer holds it already.
    lines = shown.lines if shown and not basket.get("offer") else ()
    early = {line.variant.pk: line.quantity for line in lines}
    with transaction.atomic():
        _, existing, [[[number]]], rows, held = ask(
            # Serialises the two tabs: the second waits here and then finds the first one's intent.
            ("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key]),
            _intents_of(key),
            keys_of({PaymentIntent: 1}),
            *locking_with_promises(early),
        )
        if existing:
            return _own(existing[0], buyer)
        basket_now = shown or priced(basket=basket, country=ship_to.territory or ship_to.country, now=now)
        if basket_now.problems or basket_now.total is None:
            raise Stale(" ".join(basket_now.problems) or "The seller does not ship to this country.")
        if basket_now.fingerprint != fingerprint:
            raise Stale("A price changed since you opened this page. Look at the new total and decide again.")
        if is_owner(buyer, basket_now.seller):
            raise NotAllowed("You cannot buy from your own shop.")
        offer = offer_in(basket)
        if offer is not None:
            require_buyer(buyer, offer, "This offer was agreed with somebody else.")
        intent = PaymentIntent(
            pk=number,
            checkout=key,
            buyer=buyer,
            seller=basket_now.seller,
            amount_minor=basket_now.total.minor,
            currency=basket_now.total.currency,
            basket=_snapshot(basket, basket_now, ship_to),
            gateway=gateway,
            created_at=now,
        )
        writes = [insert_of([intent]), insert_of([trace_for(intent=intent, origin=origin, now=now)])]
        if offer is None or not _keep_hold_of(offer, now=now):
            wanted = {line.variant.pk: line.quantity for line in basket_now.lines}
            known = early and ({row.pk: row for row in rows}, dict(held))
            holds, moved = _hold(intent, wanted, *(known or lock_with_promises(wanted)), now=now)
            writes += [insert_of(rows) for rows in (holds, moved) if rows]
        send(writes)
        return intent


@prepared
def _intents_of(key: str) -> QuerySet[PaymentIntent]:
    return PaymentIntent.objects.filter(checkout=key)


@prepared
def _to_be_paid(intent_id: str) -> QuerySet[PaymentIntent]:
    """Locked, with what its order is made of."""
    rows = PaymentIntent.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("seller__owner", "buyer", "trace").filter(public_id=intent_id)


def _own(intent: PaymentIntent, buyer: User) -> PaymentIntent:
    require_buyer(buyer, intent, "This checkout belongs to somebody else.")
    return intent


def _keep_hold_of(offer: Offer, *, now: datetime) -> bool:
    """The units of an accepted offer are held already; at least as long as any checkout."""
    locked([offer.variant_id])
    mine = Reservation.objects.filter(cause=offer.hold_cause, state=HoldState.CHECKOUT).first()
    if mine is not None and mine.expires_at is not None and mine.expires_at < now + HOLD_FOR:
        Reservation.objects.filter(pk=mine.pk).update(expires_at=now + HOLD_FOR)
    return mine is not None


def _snapshot(basket: Basket, shown: PricedBasket, ship_to: Address) -> dict[str, object]:
    """Everything that the order will need, as it stood when the buyer said yes."""
    assert shown.shipping is not None
    return {
        "connection": basket["connection"],
        "ship_to": asdict(ship_to),
        "items_minor": shown.items.minor,
        "shipping_minor": shown.shipping.minor,
        "lines": [[line.variant.pk, line.quantity, line.unit_price.minor] for line in shown.lines],
        "offer": basket.get("offer", ""),
    }


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
            raise Stale(f"“{row.variant}” was just sold." if not left else f"Only {left} of “{row.variant}” are left.")
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
    if with_offer and intent.basket.get("offer"):
        mine |= Q(cause=f"offer:{intent.basket['offer']}")
    return Reservation.objects.filter(mine, state=HoldState.CHECKOUT).order_by("variant_id")


def _release(intent: PaymentIntent, *, why: EndedWhy, now: datetime) -> None:
    holds = list(open_holds(intent))
    locked(hold.variant_id for hold in holds)
    for hold in holds:
        end_hold(hold, why=why, now=now)


def place_order(*, intent_id: str, gateway_ref: str, checks: Mapping[str, str], now: datetime) -> Order:
    """The money is captured: make the order, once per intent.

    Units that are gone by now (the hold ran out) mean: no order, the money goes back, Stale.
    """
    with transaction.atomic():
        (found,) = ask(_to_be_paid(intent_id))
        if not found:
            raise PaymentIntent.DoesNotExist
        intent: PaymentIntent = found[0]
        if intent.order_id is not None:
            return Order.objects.get(pk=intent.order_id)
        if intent.state not in (IntentState.CREATED, IntentState.UNKNOWN, IntentState.DECLINED):
            raise Stale(intent.sentence)
        intent.gateway_ref, intent.checks, intent.settled_at = gateway_ref, dict(checks), now
        point("checkout.captured")
        offer = lock_for_payment(intent.basket["offer"]) if intent.basket.get("offer") else None
        if offer is not None and offer.state == OfferState.PAID:
            gone, under = "This offer was paid already. This second payment goes back to you.", None
        else:
            gone, under = hold_again(intent, now=now)
        if under is not None:
            order = write_order(intent=intent, under=under, now=now)
            if offer is not None:
                mark_paid(offer=offer, order=order, now=now)
            point("checkout.before_commit")
            return order
        _give_money_back(intent, sentence=gone, now=now)
    raise Stale(gone)


def hold_again(intent: PaymentIntent, *, now: datetime) -> tuple[str, UnderLock | None]:
    """Units whose hold ran out before the payment came are promised anew, under the lock.

    Returns why not, or nothing, and what is known under the lock, with what is held for the order.
    """
    wanted = {pk: quantity for pk, quantity, _ in intent.basket["lines"]}
    under = ask_under_lock(intent=intent, wanted=wanted, holds=open_holds(intent, with_offer=True), now=now)
    gone = {pk: units for pk, units in wanted.items() if pk not in {hold.variant_id for hold in under.holds}}
    if not gone:
        return "", under
    try:
        anew, moved = _hold(intent, gone, under.rows, under.held, now=now, again=":again")
    except Stale as why:
        return f"{why} Your payment goes back to you.", None
    Reservation.objects.bulk_create(anew)
    send([insert_of(moved)])
    holds = sorted([*under.holds, *anew], key=lambda hold: hold.variant_id)
    return "", replace(under, holds=holds, held=promised(wanted))


def _give_money_back(intent: PaymentIntent, *, sentence: str, now: datetime) -> None:
    intent.state, intent.sentence = IntentState.ABANDONED, sentence
    intent.save()
    _release(intent, why=EndedWhy.EXPIRED, now=now)
    enqueue(
        party=party_named(kind=PartyKind.PAYMENT, name=intent.gateway),
        cause=f"refund:intent:{intent.public_id}",
        subject=f"intent:{intent.public_id}",
        kind=CommandKind.REFUND_PAYMENT,
        payload=REFUND.dump_python(RefundPayment(intent.public_id, intent.amount_minor, intent.currency), mode="json"),
        now=now,
    )


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
