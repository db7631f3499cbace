"""Holidays of sellers: planned, begun and ended, by themselves or by hand.

What holds is said by the seller's row alone, so no listing is touched: what the seller left out stays left out. Orders
that waited get their new ship-by when the seller is back.
"""

from datetime import date, datetime

from django.db.models import F, Q, QuerySet

from crossdock.domain.due.away import AwayMode, NotAway, day_words, wanted
from crossdock.domain.requests.cancels import CancelState
from crossdock.domain.wording import counted
from crossdock.store.bulk import update_rows
from crossdock.store.models import Order, Seller, User
from crossdock.usecases.accounts.working_days import due_back
from crossdock.usecases.errors import Invalid
from crossdock.usecases.record.rights import require
from crossdock.usecases.record.telling import Telling, telling

_GONE = {"away_from": None, "away_until": None, "away_since": None, "away_mode": ""}


def plan_away(
    *, seller: Seller, first: date | None, back: date | None, mode: AwayMode, actor: User, now: datetime
) -> Seller:
    """Holidays from this day on, in place of those that were planned. Of holidays that have begun only the end and the
    mode change. Raises Invalid.
    """
    require(actor, seller)
    with telling(now) as told:
        row = Seller.objects.select_for_update(no_key=True).get(pk=seller.pk)
        try:
            away = wanted(row.away, first=first, back=back, mode=mode, now=now, calendar=row.calendar)
        except NotAway as why:
            raise Invalid(str(why)) from None
        row.away_from, row.away_until, row.away_mode = away.begins, away.ends, away.mode
        begins = row.away_since is None and away.begins <= now
        if begins:
            row.away_since = away.begins
        row.save(update_fields=["away_from", "away_until", "away_mode", "away_since"])
        if begins:
            _tell_begun(row, told=told)
        return row


def come_back(*, seller: Seller, actor: User, now: datetime) -> bool:
    """Planned ones are called off, begun ones end now. False when there are none (any more)."""
    require(actor, seller)
    with telling(now) as told:
        if Seller.objects.filter(pk=seller.pk, away_since=None, away_from__isnull=False).update(**_GONE):
            return True
        return bool(_end(Q(pk=seller.pk), at=now, told=told))


def keep(*, now: datetime) -> None:
    """Begin what begins by now and end what ends by now, of all sellers together: as many statements for many as for
    one. What a stopped worker missed is made good by the next one.
    """
    with telling(now) as told:
        due = Seller.objects.filter(away_from__lte=now, away_since=None).prefetch_related("owner")
        begun = list(due.select_for_update(no_key=True).order_by("pk"))
        if begun:
            Seller.objects.filter(pk__in=[row.pk for row in begun]).update(away_since=F("away_from"))
        for row in begun:
            _tell_begun(row, told=told)
    with telling(now) as told:
        _end(Q(away_until__lte=now), at=None, told=told)


def _end(which: Q, *, at: datetime | None, told: Telling) -> list[Seller]:
    """Those of these sellers who are on holiday are back: at `at`, or when they said. Orders are locked before their
    sellers, as everywhere.
    """
    away = Seller.objects.filter(which, away_since__isnull=False)
    keys = list(away.values_list("pk", flat=True))
    if not keys:
        return []
    orders = list(_waiting(keys).select_for_update(no_key=True, of=("self",)).order_by("pk"))
    # Somebody else may have ended them, or put off their end, before the orders were ours.
    rows = away.filter(pk__in=keys).prefetch_related("owner").select_for_update(no_key=True).order_by("pk")
    back = {row.pk: row for row in rows}
    moved = [order for order in orders if order.seller_id in back and _moved(order, back[order.seller_id], at)]
    update_rows(moved, ("ship_by",))
    Seller.objects.filter(pk__in=back).update(**_GONE)
    for row in back.values():
        _tell_back(row, sum(order.seller_id == row.pk for order in moved), told=told)
    return list(back.values())


def _waiting(sellers: list[int]) -> QuerySet[Order]:
    """Orders whose clock stood still for the holidays: not those that had stood still before, which get their time
    when that ends; those that left meanwhile, too, which were in time.
    """
    since = F("seller__away_since")
    held = Q(risk_hold__isnull=False, risk_hold__cleared_at=None, risk_hold__held_at__lte=since)
    asked = Q(cancel_request__state=CancelState.ASKED, cancel_request__asked_at__lte=since)
    found = Order.objects.filter(seller__in=sellers, cancelled_at=None, ship_by__gte=since)
    return found.exclude(pk__in=Order.objects.filter(held | asked, seller__in=sellers).values("pk"))


def _moved(order: Order, seller: Seller, at: datetime | None) -> bool:
    """Whether its ship-by is another one now."""
    before, ends = order.ship_by, at or seller.away_until
    assert ends is not None
    order.ship_by = due_back(order, seller, ends)
    return order.ship_by != before


def _tell_begun(seller: Seller, *, told: Telling) -> None:
    what = (
        "Your listings are not sold meanwhile."
        if seller.away_mode == AwayMode.PAUSE
        else "Your listings are sold on, and buyers read when they ship."
    )
    ends = (
        f"They end by themselves on {day_words(seller.away_until, seller.calendar)}."
        if seller.away_until
        else "They end when you say so."
    )
    told.write_mail(
        cause=f"away:{seller.public_id}:{seller.away_from:%Y%m%d%H%M%S}",
        to=seller.owner.email,
        subject="Your holidays have begun",
        body=f"{what} Orders that were placed before wait, and none becomes late. {ends}",
        path="/seller/profile/holidays/",
    )


def _tell_back(seller: Seller, waited: int, *, told: Telling) -> None:
    orders = f"{counted(waited, 'order')} waited and got a new ship-by." if waited else "No order waited for you."
    told.write_mail(
        cause=f"back:{seller.public_id}:{seller.away_from:%Y%m%d%H%M%S}",
        to=seller.owner.email,
        subject="Your holidays are over",
        body=f"Your listings sell as before. {orders}",
        path="/seller/orders/",
    )
