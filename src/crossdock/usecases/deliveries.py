"""The inbox as the pump sees it: what was delivered and not yet looked at."""

from collections.abc import Iterable
from datetime import datetime

from crossdock.store.models import Delivery


def waiting(*, party_id: int, limit: int) -> list[Delivery]:
    """Oldest first, without the bodies."""
    return list(Delivery.objects.filter(party_id=party_id, handled_at=None).defer("body").order_by("pk")[:limit])


def handled(*, ids: Iterable[int], note: str, now: datetime) -> None:
    Delivery.objects.filter(pk__in=list(ids), handled_at=None).update(handled_at=now, note=note[:500])


def erase(*, party_id: int, now: datetime) -> int:
    """What a privacy request erases: the bodies of this party's deliveries. Returns how many."""
    return (
        Delivery.objects.filter(party_id=party_id)
        .exclude(body=b"")
        .update(body=b"", note="Erased on the platform's privacy request.")
    )
