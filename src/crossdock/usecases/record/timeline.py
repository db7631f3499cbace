"""The order's story, one sentence at a time."""

from datetime import datetime
from typing import Any

from crossdock.store.models import Order, TimelineEntry
from crossdock.usecases.record.events import OF_TIMELINE, order_event


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
    """`source` is whose doing it was: buyer, seller, shop, marketplace, carrier, staff.

    Some kinds are told to the seller's programs as well.
    """
    entry = TimelineEntry.objects.create(
        order=order, at=now, source=source, kind=kind, sentence=sentence, public=public, evidence=evidence or {}
    )
    if kind in OF_TIMELINE:
        event = OF_TIMELINE[kind]
        order_event(
            order=order, event=event, cause=f"entry:{entry.pk}", sentence=sentence, more={"source": source}, now=now
        )
    return entry
