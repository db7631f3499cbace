"""The order's story, one sentence at a time."""

from datetime import datetime
from typing import Any

from crossdock.store.models import Order, TimelineEntry


def tell(
    *,
    order: Order,
    now: datetime,
    source: str,
    kind: str,
    sentence: str,
    public: bool = False,
    evidence: dict[str, Any] | None = None,
) -> TimelineEntry:
    """`source` is whose doing it was: buyer, seller, shop, marketplace, carrier, staff."""
    return TimelineEntry.objects.create(
        order=order, at=now, source=source, kind=kind, sentence=sentence, public=public, evidence=evidence or {}
    )
