"""A buyer rates the seller of an order that arrived; the seller answers, once, for everybody to read; either may have
staff look, who take down what is against the terms.

The order is locked first, the seller's sum last.
"""

from datetime import datetime

from django.conf import settings
from django.db.models import F

from crossdock.domain.mails import requests as mails
from crossdock.domain.mails.words import Fact
from crossdock.domain.requests.ratings import (
    LONGEST,
    Standing,
    why_no_stars,
    why_not_change,
    why_not_decide,
    why_not_rate,
)
from crossdock.domain.roles import Right
from crossdock.domain.storable import typed_lines
from crossdock.domain.team.roles import Duty
from crossdock.store.models import Order, Rating, RatingSum, Seller, User
from crossdock.usecases.errors import Invalid, NotAllowed, Stale
from crossdock.usecases.money.credits import locked_order
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.rights import belongs, require, require_buyer, why_not_yours
from crossdock.usecases.record.telling import Telling, telling
from crossdock.usecases.requests.withdraw import sale_of

_NOT_YOURS = "This order is not yours."


def why_not_rate_order(order: Order, *, now: datetime) -> str:
    """Empty when its buyer can rate its seller, or change what they said."""
    if belongs(order.buyer, order.seller):
        return "You sold this yourself."
    given = getattr(order, "rating", None)
    return why_not_change(given.standing if given else Standing()) or why_not_rate(sale_of(order), now)


def rate(*, order: Order, buyer: User, stars: int | None, words: str, now: datetime) -> Rating:
    """The first one or a change of it; sent twice it is one. The seller is mailed. Raises NotAllowed, Invalid."""
    require_buyer(buyer, order, _NOT_YOURS)
    words = _said(words)
    with telling(now) as told:
        order = locked_order(order)
        if why := why_not_rate_order(order, now=now):
            raise NotAllowed(why)
        if stars is None or (why := why_no_stars(stars)):
            raise Invalid(why_no_stars(stars))
        row = _mine(order)
        if row is None:
            row = Rating.objects.create(order=order, seller=order.seller, stars=stars, words=words, at=now)
            _count(order.seller, ratings=1, stars=stars)
        elif (row.stars, row.words) == (stars, words):
            return row
        else:
            _count(order.seller, stars=stars - row.stars)
            row.stars, row.words, row.changed_at = stars, words, now
            row.save(update_fields=["stars", "words", "changed_at"])
        _tell_seller(order, row, told=told)
        return row


def take_back(*, order: Order, buyer: User, now: datetime) -> None:
    """As if nothing had been said, answer included. Done twice it is done once. Raises NotAllowed."""
    require_buyer(buyer, order, _NOT_YOURS)
    with telling(now):
        order = locked_order(order)
        row = _mine(order)
        if row is None:
            return
        if why := why_not_change(row.standing):
            raise NotAllowed(why)
        row.delete()
        _count(order.seller, ratings=-1, stars=-row.stars)


def answer(*, rating: Rating, actor: User, words: str, now: datetime) -> Rating:
    """The seller's, beside the rating; no words take it away again. The buyer is mailed the first time. Raises Invalid,
    NotAllowed, Stale.
    """
    require(actor, rating.seller, duty=Duty.ORDERS)
    words = _said(words)
    with telling(now) as told:
        row = _locked(rating)
        if row.down_at is not None:
            raise NotAllowed("Our staff took this rating down; nobody reads it, so there is nothing to answer.")
        if row.answer == words:
            return row
        row.answer, row.answered_at = words, now if words else None
        row.save(update_fields=["answer", "answered_at"])
        if words:
            told.write_letter(
                cause=f"rating_answered:{row.public_id}",
                order=row.order,
                letter=mails.RATING_ANSWERED.letter(number=row.order.number, seller=row.seller.name, words=words),
                path=f"/orders/{row.order.public_id}/rating/",
            )
        return row


def report(*, rating: Rating, reporter: User, why: str, now: datetime) -> Rating:
    """By anybody who is signed in: staff look at it. Reported twice it is one report, as the first said. Raises
    Invalid, Stale.
    """
    why = _said(why)
    if not why:
        raise Invalid("Say what is wrong with it.")
    with telling(now):
        row = _locked(rating)
        if row.down_at is None and row.reported_at is None:
            row.report, row.reported_by, row.reported_at = why, reporter, now
            row.save(update_fields=["report", "reported_by", "reported_at"])
        return row


def decide(*, rating: Rating, down: bool, words: str, actor: User, now: datetime) -> Rating:
    """Staff take it down, or (`down` false) dismiss the report or put it back. Whom it concerns reads why by mail.
    Raises NotAllowed, Invalid, Stale.
    """
    require(actor, None, "Only staff decide about ratings.", Right.MODERATE)
    if why_not_yours(rating.order, actor):
        raise NotAllowed("This rating is of an order of your own. Somebody else of staff decides about it.")
    words = _said(words)
    if not words:
        raise Invalid("Say why: it is sent to whoever wrote or reported it.")
    with telling(now) as told:
        row = _locked(rating)
        if why := why_not_decide(row.standing, down=down):
            raise Stale(why)
        was, sign = row.standing, -1 if down else 1
        if down is not was.down:
            _count(row.seller, ratings=sign, stars=sign * row.stars)
        row.down_at, row.reported_at = now if down else None, None
        row.decided, row.decided_by = words, actor
        row.save(update_fields=["down_at", "reported_at", "decided", "decided_by"])
        action = "rating taken down" if down else "rating put back" if was.down else "rating report dismissed"
        note(actor=actor, action=action, subject=f"#{row.order.number}", now=now, detail={"rating": row.public_id})
        _tell_decided(row, was, told=told)
        return row


def _said(words: str) -> str:
    words = typed_lines(words)
    if len(words) > LONGEST:
        raise Invalid(f"Write at most {LONGEST:,} characters.")
    return words


def _mine(order: Order) -> Rating | None:
    return Rating.objects.select_for_update(no_key=True, of=("self",)).filter(order=order).first()


def _locked(rating: Rating) -> Rating:
    """Who reported it is read after the lock. Raises Stale."""
    rows = Rating.objects.select_related("order__buyer", "order__seller", "seller__owner")
    row = rows.select_for_update(no_key=True, of=("self",)).filter(pk=rating.pk).first()
    if row is None:
        raise Stale("The buyer took this rating back meanwhile.")
    return row


def _count(seller: Seller, *, ratings: int = 0, stars: int = 0) -> None:
    RatingSum.objects.bulk_create([RatingSum(seller=seller)], ignore_conflicts=True)
    RatingSum.objects.filter(pk=seller.pk).update(ratings=F("ratings") + ratings, stars=F("stars") + stars)


def _tell_seller(order: Order, row: Rating, *, told: Telling) -> None:
    """Once a day at most, however often it is changed."""
    told.write_mail(
        cause=f"rated:{order.reference}:{told.now:%Y%m%d}",
        to=order.seller.owner.email,
        subject=f"Order #{order.number} was rated: {row.stars} of 5",
        order=order,
        body=(
            f"The buyer of order #{order.number} gave you {row.stars} of 5 stars."
            + (f"\n\n{row.words}" if row.words else "")
            + "\n\nYou can answer beside it, for everybody to read, and report what is against the terms."
        ),
        path="/seller/ratings/",
    )


def _tell_decided(row: Rating, was: Standing, *, told: Telling) -> None:
    stands, order = f"{told.now:%Y%m%d%H%M%S}", row.order
    end = "\n\nA person decided this; nothing automatic took part in it."
    if row.down_at is not None or was.down:
        facts: dict[str, Fact] = {"number": order.number, "seller": row.seller.name, "why": row.decided}
        told.write_letter(
            cause=f"rating_decided:{row.public_id}:{stands}",
            order=order,
            letter=mails.RATING_DOWN.letter(**facts, link=f"{settings.BASE_URL}/pages/contact/")
            if row.down_at
            else mails.RATING_BACK.letter(**facts),
        )
    if was.reported and row.reported_by is not None:
        told.write_mail(
            cause=f"rating_reported:{row.public_id}:{stands}",
            to=row.reported_by.email,
            subject=f"The rating that you reported {'was taken down' if row.down_at else 'stays'}",
            body=f"You reported a rating of {row.seller.name}. {row.decided}{end}",
        )
