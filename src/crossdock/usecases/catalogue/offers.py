"""Offers: made, answered, run out.

An accepted one holds its units at the agreed price until it is paid; nobody else can buy them meanwhile.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q

from crossdock.domain.capability import Manifest
from crossdock.domain.offers import (
    OPEN_FOR,
    PAY_WITHIN,
    WAITING,
    Deed,
    OfferState,
    Who,
    after,
    at_once,
    may,
    off,
    wrong_amount,
)
from crossdock.domain.stock import EndedWhy, HoldState
from crossdock.domain.values import Money
from crossdock.domain.wording import moment
from crossdock.store.models import Offer, OfferMove, Order, PaymentIntent, Reservation, Seller, User, Variant
from crossdock.store.models.money import IntentState
from crossdock.usecases.catalogue.offer_terms import terms_of, why_no_offers
from crossdock.usecases.catalogue.sellable import MOST_UNITS, why_not_sold, why_other_currency, why_paused
from crossdock.usecases.errors import Invalid, NotAllowed, Problem, Stale
from crossdock.usecases.record.mail import write_mail
from crossdock.usecases.record.rights import belongs
from crossdock.usecases.stock.reservations import (
    availability,
    available_locked,
    end_hold,
    locked,
    promised,
    record,
)
from crossdock.usecases.stock.single_units import is_one_of_a_kind, same_units

_MOST_A_DAY = 5
_MOST_OPEN = 50


def make_offer(
    *, buyer: User, variant: Variant, quantity: int, amount: Money, manifest: Manifest | None, now: datetime
) -> Offer:
    """`amount` is for one unit. The seller's own prices may answer it at once. Raises a Problem that says why not."""
    listing = variant.listing
    _may_be_made(buyer, variant, quantity, amount, manifest, now=now)
    try:
        with transaction.atomic():
            offer = Offer.objects.create(
                variant=variant,
                seller=listing.seller,
                buyer=buyer,
                quantity=quantity,
                amount_minor=amount.minor,
                asking_minor=variant.price_minor,
                currency=listing.currency,
                made_at=now,
                ends_at=now + OPEN_FOR,
            )
            _move(offer, Who.BUYER, Deed.MAKE, now=now)
            answer = at_once(amount.minor, terms_of(listing))
            if answer is None:
                _tell_seller(offer, f"{_name(buyer)} offers {_price(offer)}.", now=now)
    except IntegrityError:
        raise Invalid("You have an offer on this item already; look at your offers.") from None
    if answer is not None:
        _answer_at_once(offer, answer, now=now)
    return offer


def _may_be_made(
    buyer: User, variant: Variant, quantity: int, amount: Money, manifest: Manifest | None, *, now: datetime
) -> None:
    listing = variant.listing
    why = why_no_offers(listing=listing, manifest=manifest) or why_not_sold(variant) or why_paused(variant)
    if not why and belongs(buyer, listing.seller):
        why = "You cannot make offers on your own listing."
    if why:
        raise NotAllowed(why)
    if not 0 < quantity <= MOST_UNITS:
        raise Invalid(f"Choose between 1 and {MOST_UNITS} units.")
    if amount.currency != listing.currency:
        raise Invalid(f"This item is sold in {listing.currency}.")
    if wrong := wrong_amount(amount.minor, asking=variant.price_minor):
        raise Invalid(wrong)
    left = availability(variants=[variant], now=now)[variant.pk]
    if left is None:
        raise Invalid("The shop has not confirmed its stock; try again in a few minutes.")
    if left < quantity:
        raise Invalid("This item is sold out." if left == 0 else f"Only {left} left.")
    mine = Offer.objects.filter(buyer=buyer)
    if mine.filter(variant=variant, made_at__gt=now - timedelta(days=1)).count() >= _MOST_A_DAY:
        raise NotAllowed(f"You made {_MOST_A_DAY} offers on this item today. Try again tomorrow.")
    if mine.filter(state__in=WAITING).count() >= _MOST_OPEN:
        raise NotAllowed(f"You have {_MOST_OPEN} open offers; wait for an answer to some of them first.")


def _answer_at_once(offer: Offer, answer: Deed, *, now: datetime) -> None:
    """What the seller decided beforehand. When the units are gone by now the offer simply waits for the seller."""
    try:
        with transaction.atomic():
            fresh = _locked(offer)
            if answer is Deed.ACCEPT:
                _accept(fresh, Who.MARKETPLACE, now=now)
            else:
                _end(fresh, Who.MARKETPLACE, Deed.DECLINE, now=now)
    except Problem:
        with transaction.atomic():
            _tell_seller(offer, f"{_name(offer.buyer)} offers {_price(offer)}.", now=now)
    offer.refresh_from_db()


def answer_offer(
    *, offer: Offer, who: Who, deed: Deed, seen: Money, now: datetime, amount: Money | None = None, note: str = ""
) -> Offer:
    """One side's deed. `seen` is the price that the page showed: when the other side moved meanwhile it is Stale, and
    nothing happens.

    Pressing the same button twice is harmless: a deed that led where the offer already stands changes nothing.
    """
    if deed in (Deed.MAKE, Deed.PAY, Deed.EXPIRE):
        raise Invalid("Choose an answer.")
    with transaction.atomic():
        fresh = _locked(offer)
        if fresh.state == after(who, deed) and deed is not Deed.COUNTER:
            return fresh
        if not may(OfferState(fresh.state), who, deed):
            raise Stale(_why_not(fresh, who))
        if seen != fresh.price:
            raise Stale(f"The price on the table is {fresh.price.words} now. Look again and decide again.")
        if fresh.ends_at <= now:
            raise Stale("The time for this offer ran out.")
        if deed in (Deed.ACCEPT, Deed.COUNTER) and (why := why_other_currency(fresh)):
            raise Stale(why)
        match deed:
            case Deed.ACCEPT:
                _accept(fresh, who, now=now)
            case Deed.COUNTER:
                _counter(fresh, who, amount, note, now=now)
            case _:
                _end(fresh, who, deed, now=now, note=note)
        return fresh


def _locked(offer: Offer) -> Offer:
    """An offer is locked before any stock row."""
    return (
        Offer.objects.select_for_update(no_key=True, of=("self",))
        .select_related(
            "variant__listing__connection", "variant__listing__seller", "variant__connection", "buyer", "seller__owner"
        )
        .get(pk=offer.pk)
    )


def _why_not(offer: Offer, who: Who) -> str:
    words = {
        OfferState.OPEN: "This offer waits for the seller's answer.",
        OfferState.COUNTERED: "This offer waits for the buyer's answer.",
        OfferState.ACCEPTED: "This offer is accepted and waits for the payment.",
        OfferState.PAID: "This offer is paid.",
        OfferState.DECLINED: "This offer was declined.",
        OfferState.WITHDRAWN: "This offer was withdrawn.",
        OfferState.EXPIRED: "The time for this offer ran out.",
    }
    return words[OfferState(offer.state)]


def _accept(offer: Offer, who: Who, *, now: datetime) -> None:
    """The units are held from here on; rule 1 of the stock protocol, under the variant's lock."""
    if why := why_not_sold(offer.variant):
        raise Stale(why)
    variant = offer.variant
    beside = [each.pk for each in same_units([variant])[variant.pk]] if is_one_of_a_kind(variant) else []
    rows = locked([variant.pk, *beside])
    if beside and promised(beside):
        raise Stale("It is being sold in another listing just now: there is one of it only.")
    row = rows.get(variant.pk)
    left = available_locked(row, now=now) if row else None
    if left is None:
        raise Stale("The shop has not confirmed its stock; try again in a few minutes.")
    if left < offer.quantity:
        raise Stale("The item was sold meanwhile." if not left else f"Only {left} are left.")
    hold = Reservation.objects.create(
        cause=offer.hold_cause,
        variant_id=offer.variant_id,
        quantity=offer.quantity,
        state=HoldState.CHECKOUT,
        expires_at=now + PAY_WITHIN,
        created_at=now,
    )
    record(variant_id=offer.variant_id, now=now, kind="held", cause=hold.cause, quantity=hold.quantity)
    offer.state, offer.ends_at = OfferState.ACCEPTED, now + PAY_WITHIN
    offer.save(update_fields=["state", "ends_at"])
    _move(offer, who, Deed.ACCEPT, now=now)
    agreed = f"Agreed: {_price(offer)}."
    _tell_buyer(
        offer,
        f"{agreed} The units are held for you for {int(PAY_WITHIN.total_seconds() // 3600)} hours; pay until"
        f" {moment(offer.ends_at)}.",
        now=now,
    )
    if who is not Who.SELLER:
        _tell_seller(offer, f"{agreed} It waits for the buyer's payment.", now=now)


def _counter(offer: Offer, who: Who, amount: Money | None, note: str, *, now: datetime) -> None:
    if amount is None or amount.currency != offer.currency:
        raise Invalid("Type a price.")
    if wrong := wrong_amount(amount.minor, asking=offer.variant.price_minor, than=offer.amount_minor, by=who):
        raise Invalid(wrong)
    offer.amount_minor, offer.state, offer.ends_at = amount.minor, after(who, Deed.COUNTER), now + OPEN_FOR
    offer.save(update_fields=["amount_minor", "state", "ends_at"])
    _move(offer, who, Deed.COUNTER, now=now, note=note)
    if who is Who.SELLER:
        _tell_buyer(offer, f"{offer.seller.name} would sell for {_price(offer)}.", now=now)
    else:
        _tell_seller(offer, f"{_name(offer.buyer)} now offers {_price(offer)}.", now=now)


def _end(offer: Offer, who: Who, deed: Deed, *, now: datetime, note: str = "") -> None:
    """Declined, withdrawn or out of time.

    The units of an accepted one can be sold again at once: no shop knows of them yet.
    """
    was = offer.state
    hold = Reservation.objects.filter(cause=offer.hold_cause, state=HoldState.CHECKOUT).first()
    if hold:
        locked([offer.variant_id])
        end_hold(hold, why=EndedWhy.EXPIRED, now=now)
    offer.state, offer.settled_at = after(who, deed), now
    offer.save(update_fields=["state", "settled_at"])
    _move(offer, who, deed, now=now, note=note)
    if deed is Deed.EXPIRE:
        _tell_buyer(offer, "The time for your offer ran out.", now=now)
        if was == OfferState.ACCEPTED:
            _tell_seller(offer, "The buyer did not pay in time; the units are for sale again.", now=now)
    elif who is Who.BUYER:
        words = "declined your price" if deed is Deed.DECLINE else "withdrew the offer"
        _tell_seller(offer, f"{_name(offer.buyer)} {words}.", now=now)
    else:
        words = "declined your offer" if deed is Deed.DECLINE else "withdrew the price"
        _tell_buyer(offer, f"{offer.seller.name} {words}.", now=now)


def expire_offers(*, now: datetime, limit: int = 200) -> int:
    """Offers that nobody answered or paid in time.

    One that is just being paid is left to its payment. Returns how many.
    """
    due = Offer.objects.filter(state__in=WAITING, ends_at__lte=now).order_by("ends_at").values_list("pk", flat=True)
    ended = 0
    for pk in list(due[:limit]):
        with transaction.atomic():
            offer = _locked(Offer(pk=pk))
            if offer.state not in WAITING or offer.ends_at > now or _being_paid(offer):
                continue
            _end(offer, Who.MARKETPLACE, Deed.EXPIRE, now=now)
            ended += 1
    return ended


def _being_paid(offer: Offer) -> bool:
    open_ones = PaymentIntent.objects.filter(state__in=[IntentState.CREATED, IntentState.UNKNOWN], buyer=offer.buyer)
    return open_ones.filter(basket__parts__contains=[{"offers": [offer.public_id]}]).exists()


# Paying: called by the checkout inside its own transaction.


def lock_for_payment(names: Sequence[str]) -> dict[str, Offer]:
    """By their public ids, locked in one order. Raises DoesNotExist."""
    found = {offer.public_id: offer for offer in map(_locked, Offer.objects.filter(public_id__in=names).order_by("pk"))}
    if len(found) != len(set(names)):
        raise Offer.DoesNotExist
    return found


def mark_paid(*, offer: Offer, order: Order, now: datetime) -> None:
    offer.state, offer.order, offer.settled_at = OfferState.PAID, order, now
    offer.save(update_fields=["state", "order", "settled_at"])
    _move(offer, Who.BUYER, Deed.PAY, now=now)


def waiting_for(*, seller: Seller) -> int:
    """Offers that wait for this seller's answer."""
    return Offer.objects.filter(seller=seller, state=OfferState.OPEN).count()


def under_way_of(*, seller: Seller) -> int:
    """Offers that wait for an answer of either side, or for the payment."""
    return Offer.objects.filter(seller=seller, state__in=WAITING).count()


def open_of(*, buyer: User, variants: Sequence[Variant]) -> Offer | None:
    mine = Offer.objects.filter(Q(buyer=buyer), variant__in=variants, state__in=WAITING)
    return mine.select_related("variant__listing").first()


def _move(offer: Offer, who: Who, deed: Deed, *, now: datetime, note: str = "") -> None:
    OfferMove.objects.create(
        offer=offer, at=now, who=who, deed=deed, amount_minor=offer.amount_minor, note=" ".join(note.split())[:300]
    )


def _price(offer: Offer) -> str:
    less = off(offer.amount_minor, offer.asking_minor)
    each = offer.price.words + (" each" if offer.quantity > 1 else "")
    return f"{each} for {offer}" + (f" ({less} % below the asking price)" if less else "")


def _name(buyer: User) -> str:
    return buyer.name or "A buyer"


def _tell_seller(offer: Offer, sentence: str, *, now: datetime) -> None:
    number = offer.moves.count()
    write_mail(
        cause=f"offer:{offer.public_id}:s{number}",
        to=offer.seller.owner.email,
        subject=f"Offer on {offer.variant.listing.title}",
        now=now,
        body=f"{sentence}\n\nAnswer it under Offers in your seller panel until {moment(offer.ends_at)}.",
        path=f"/seller/offers/{offer.public_id}/",
    )


def _tell_buyer(offer: Offer, sentence: str, *, now: datetime) -> None:
    number = offer.moves.count()
    write_mail(
        cause=f"offer:{offer.public_id}:b{number}",
        to=offer.buyer.email,
        subject=f"Your offer on {offer.variant.listing.title}",
        now=now,
        body=f"{sentence}\n\nYou find it under Offers.",
        path=f"/offers/{offer.public_id}/",
    )
