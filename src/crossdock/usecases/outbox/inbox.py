"""The inbox as the pump sees it: what was delivered and not yet looked at."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from crossdock.domain.events import HookNews
from crossdock.store.models import Delivery

_NEWS: TypeAdapter[HookNews] = TypeAdapter(HookNews)


def news_of(stored: dict[str, Any]) -> HookNews:
    """What the door wrote.

    Erased deliveries are empty; a shape of an older version is empty too, since polling makes up for it.
    """
    try:
        return _NEWS.validate_python(stored)
    except ValidationError:
        return HookNews("", "")


def waiting(*, party_id: int, limit: int, newest: bool = False, skip: int = 0) -> list[Delivery]:
    """Oldest first, or the newest of all, without the bodies. `skip` leaves out as many at that end."""
    rows = Delivery.objects.filter(party_id=party_id, handled_at=None).defer("body", "headers")
    return list(rows.order_by("-pk" if newest else "pk")[skip : skip + limit])


def pile(*, party_id: int, more_than: int) -> bool:
    """More than so many wait."""
    rows = Delivery.objects.filter(party_id=party_id, handled_at=None)
    return rows.order_by("pk")[more_than : more_than + 1].exists()


def handled(*, seen: Mapping[int, int], note: str, now: datetime) -> None:
    """`seen`: delivery id -> its `doubles` when it was taken.

    One that was doubled meanwhile may be news again, so it stays.
    """
    alike: dict[int, list[int]] = defaultdict(list)
    for pk, doubles in seen.items():
        alike[doubles].append(pk)
    for doubles, pks in alike.items():
        rows = Delivery.objects.filter(pk__in=pks, handled_at=None, doubles=doubles)
        rows.update(handled_at=now, note=note[:500])
