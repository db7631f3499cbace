"""The inbox as the pump sees it: what was delivered and not yet looked at."""

from collections.abc import Mapping
from datetime import datetime

from crossdock.store.models import Delivery


def waiting(*, party_id: int, limit: int) -> list[Delivery]:
    """Oldest first, without the bodies."""
    return list(Delivery.objects.filter(party_id=party_id, handled_at=None).defer("body").order_by("pk")[:limit])


def handled(*, seen: Mapping[int, int], note: str, now: datetime) -> None:
    """`seen`: delivery id -> its `doubles` when it was taken.

    One that was doubled meanwhile may be news again, so it stays.
    """
    for pk, doubles in seen.items():
        Delivery.objects.filter(pk=pk, handled_at=None, doubles=doubles).update(handled_at=now, note=note[:500])


def erase(*, party_id: int, now: datetime) -> int:
    """What a privacy request erases: the bodies of this party's deliveries. Returns how many."""
    return (
        Delivery.objects.filter(party_id=party_id)
        .exclude(body=b"")
        .update(body=b"", note="Erased on the platform's privacy request.")
    )
