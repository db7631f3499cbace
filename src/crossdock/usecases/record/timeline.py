"""The order's story, one sentence at a time."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from crossdock.store.models import Command, Endpoint, Order, TimelineEntry
from crossdock.usecases.record.events import OF_TIMELINE, about_order, event_commands
from crossdock.usecases.record.telling import telling


def tell(
    *,
    order: Order,
    now: datetime,
    source: str,
    kind: str,
    sentence: str,
    public: bool = False,
    evidence: dict[str, Any] | None = None,
) -> None:
    """One line, by who tells nothing else; see `Telling.tell`."""
    with telling(now, savepoint=False) as told:
        told.tell(order=order, source=source, kind=kind, sentence=sentence, public=public, evidence=evidence)


def told_of(entry: TimelineEntry, endpoints: Iterable[Endpoint], *, now: datetime) -> list[Command]:
    """What the seller's programs hear of it, not written yet; the entry has its key."""
    listening = list(endpoints)
    data = about_order(entry.order, entry.sentence, {"source": entry.source}) if listening else {}
    return event_commands(listening, event=OF_TIMELINE[entry.kind], cause=f"entry:{entry.pk}", data=data, now=now)
