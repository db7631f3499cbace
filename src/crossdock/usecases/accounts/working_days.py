"""When a seller works, which says until when an order has to leave. What was promised for orders that were placed stays
as it was.
"""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from crossdock.domain.due.calendar import Span, states_of
from crossdock.domain.due.ship_by import LONGEST_HANDLING, in_words, ship_by, stood_still
from crossdock.domain.due.zones import zones
from crossdock.store.models import Order, Seller, User
from crossdock.store.models.people import NO_HOLIDAYS
from crossdock.usecases.errors import Invalid
from crossdock.usecases.record.rights import require


def due_of(seller: Seller, placed_at: datetime) -> datetime:
    """Until when an order that is placed then has to leave."""
    return ship_by(placed_at=placed_at, days=seller.handling_days, calendar=seller.calendar)


def due_after(order: Order, *, since: datetime, back: datetime) -> datetime:
    """The ship-by of one that could not leave from `since` on, and can again."""
    return stood_still(order.ship_by, since=since, back=back, calendar=order.seller.calendar)


def due_words(order: Order) -> str:
    """For mails and sentences: with the year."""
    return in_words(order.ship_by, order.seller.calendar, year=True)


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
        row.handling_days, row.time_zone, row.holidays = checked_handling(handling_days), time_zone, holidays
        row.working_days = "".join(str(number) for number in sorted(set(weekdays)))
        row.closed_days = [[one.first.isoformat(), one.last.isoformat()] for one in closed]
        row.save(update_fields=["handling_days", "time_zone", "holidays", "working_days", "closed_days"])
