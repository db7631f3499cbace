"""The order's story, one sentence at a time."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from crossdock.store.models import Command, Endpoint, Order, TimelineEntry
from crossdock.usecases.outbox.queue import enqueue_all
from crossdock.usecases.record.events import OF_TIMELINE, order_told, receivers


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
        enqueue_all(told_of(entry, receivers(order.seller_id), now=now))
    return entry


def told_of(entry: TimelineEntry, endpoints: Iterable[Endpoint], *, now: datetime) -> list[Command]:
    """What the seller's programs hear of it, not written yet; the entry has its key."""
    return order_told(
        endpoints,
        order=entry.order,
        event=OF_TIMELINE[entry.kind],
        cause=f"entry:{entry.pk}",
        sentence=entry.sentence,
        more={"source": entry.source},
        now=now,
    )
