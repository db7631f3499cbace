"""When a seller works, which says until when an order has to leave. What was promised for orders that were placed stays
as it was.
"""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from crossdock.domain.due.away import after_break, expected
from crossdock.domain.due.calendar import Span, states_of
from crossdock.domain.due.ship_by import LONGEST_HANDLING, in_words, ship_by, stood_still
from crossdock.domain.due.zones import zones
from crossdock.store.models import Order, Seller, User
from crossdock.store.models.people import NO_HOLIDAYS
from crossdock.usecases.errors import Invalid
from crossdock.usecases.record.rights import require


def due_of(seller: Seller, placed_at: datetime) -> datetime:
    """Until when an order that is placed then has to leave."""
    back = seller.away_until if seller.away_since is not None else None
    return ship_by(placed_at=placed_at, days=seller.handling_days, calendar=seller.calendar, back=back)


def expected_due(order: Order, seller: Seller) -> datetime | None:
    """Its ship-by, with the holidays that its seller is on or plans: None where nobody knows when they are back."""
    return expected(
        order.ship_by,
        None if order.cancelled_at else seller.away,
        placed_at=order.placed_at,
        days=seller.handling_days,
        calendar=seller.calendar,
    )


def due_now(order: Order, *, now: datetime) -> datetime:
    """Its ship-by as it would be if its seller, where they are on holiday, were back now."""
    seller = order.seller
    if seller.away_since is None or order.ship_by < seller.away_since:
        return order.ship_by
    return due_back(order, seller, max(now, seller.away_until or now))


def due_back(order: Order, seller: Seller, ends: datetime) -> datetime:
    """Its new ship-by when the holidays that its seller is on end then."""
    assert seller.away_since is not None
    return after_break(
        order.ship_by,
        placed_at=order.placed_at,
        days=seller.handling_days,
        calendar=seller.calendar,
        begins=seller.away_since,
        ends=ends,
    )


def due_after(order: Order, *, since: datetime, back: datetime) -> datetime:
    """The ship-by of one that could not leave from `since` on, and can again."""
    return stood_still(order.ship_by, since=since, back=back, calendar=order.seller.calendar)


def due_words(order: Order) -> str:
    """For mails and sentences, behind "Ship it by": with the year."""
    due = expected_due(order, order.seller)
    return (
        "the day that you hear of when you are back" if due is None else in_words(due, order.seller.calendar, year=True)
    )


def checked_handling(days: int) -> int:
    if not 0 <= days <= LONGEST_HANDLING:
        raise Invalid(f"Type how many working days you need before you ship, from 0 to {LONGEST_HANDLING}.")
    return days


def set_working_days(
    *,
    seller: Seller,
    handling_days: int,
    time_zone: str,
    weekdays: Collection[int],
    holidays: str,
    closed: Collection[Span],
    actor: User,
) -> None:
    """For orders from now on. `weekdays`: Monday is 1. `holidays`: "" for the seller's country, "none", or one of its
    states as "DE-BY". Raises Invalid.
    """
    require(actor, seller)
    if time_zone not in zones():
        raise Invalid("Choose a time zone from the list.")
    if not weekdays or not set(weekdays) <= set(range(1, 8)):
        raise Invalid("Tick at least one day on which you work.")
    of, _, state = holidays.partition("-")
    if holidays not in ("", NO_HOLIDAYS) and (of != seller.country or state not in states_of(of)):
        raise Invalid("Choose public holidays from the list.")
    with transaction.atomic():
        row = Seller.objects.select_for_update(no_key=True, of=("self",)).get(pk=seller.pk)
        before = row.calendar
        row.handling_days, row.time_zone, row.holidays = checked_handling(handling_days), time_zone, holidays
        row.working_days = "".join(str(number) for number in sorted(set(weekdays)))
        row.closed_days = [[one.first.isoformat(), one.last.isoformat()] for one in closed]
        fields = ["handling_days", "time_zone", "holidays", "working_days", "closed_days"]
        # Days of holidays stay the same days; what has begun has begun.
        if row.away_from is not None and row.away_since is None:
            row.away_from = row.calendar.begins(before.day_of(row.away_from))
        if row.away_until is not None:
            row.away_until = row.calendar.begins(before.day_of(row.away_until))
        row.save(update_fields=[*fields, "away_from", "away_until"])
