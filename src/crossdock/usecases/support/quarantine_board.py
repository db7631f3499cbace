"""Staff's side of the quarantine: by cause, with what happened then; tried now, or left alone, in bulk per cause."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, Min, Q, QuerySet

from crossdock.domain.capability import Manifest
from crossdock.domain.roles import Right
from crossdock.store.models import Command, Quarantined, User
from crossdock.store.models.quarantine import STANDING, QuarantineKind, QuarantineState
from crossdock.store.models.work import CommandState
from crossdock.store.work import wake
from crossdock.usecases.parties.quarantine import end_rows, wind
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.rights import require
from crossdock.usecases.support.evidence import gather_calls

MOST_GROUPS = 200
WHICH = {
    "held": Q(state__in=STANDING),
    "dismissed": Q(state=QuarantineState.DISMISSED),
    "foreign": Q(state=QuarantineState.FOREIGN),
    "healed": Q(state=QuarantineState.HEALED),
}


@dataclass(frozen=True, slots=True)
class Group:
    """All that trips for one cause. `example` is the one that tripped last."""

    cause: str
    many: int
    shops: int
    first_at: datetime
    last_at: datetime
    example: Quarantined


def groups(*, which: str) -> list[Group]:
    """The newest trouble first."""
    rows = Quarantined.objects.filter(WHICH[which])
    found = rows.values("cause").annotate(
        many=Count("pk"), shops=Count("party", distinct=True), first=Min("first_at"), last=Max("last_at")
    )
    chosen = list(found.order_by("-last", "cause")[:MOST_GROUPS])
    newest = rows.filter(cause__in=[group["cause"] for group in chosen]).order_by("cause", "-last_at", "-pk")
    examples = {
        row.cause: row
        for row in newest.distinct("cause").select_related("party__connection__seller", "connection__seller", "order")
    }
    return [
        Group(one["cause"], one["many"], one["shops"], one["first"], one["last"], examples[one["cause"]])
        for one in chosen
        if one["cause"] in examples
    ]


def alike(*, row: Quarantined, limit: int) -> list[Quarantined]:
    """What trips for the same cause and stands in the same way."""
    same = Quarantined.objects.filter(cause=row.cause)
    same = same.filter(state__in=STANDING) if row.state in STANDING else same.filter(state=row.state)
    return list(same.select_related("party__connection__seller", "order").order_by("-last_at")[:limit])


def causes_standing() -> int:
    """For staff's desk."""
    return standing_rows().values("cause").distinct().count()


def standing_rows() -> QuerySet[Quarantined]:
    return Quarantined.objects.filter(state__in=STANDING)


def case_file(*, row: Quarantined, now: datetime, manifest: Manifest | None) -> dict[str, Any] | None:
    """What `crossdock replay` plays: the recorded calls about it, blacked out. None where it is of no shop."""
    if row.connection is None:
        return None
    about = row.entity.rpartition(":")[2] if row.kind == QuarantineKind.DELIVERY else row.entity
    found = gather_calls(shop=row.connection, about=about, key=row.call, now=now, manifest=manifest)
    head = {"id": f"q{row.pk}", "kind": row.kind, "subject": row.cause, "opened_at": row.first_at.isoformat()}
    return {"case": head, **found}


def release(*, causes: Iterable[str], actor: User | None, now: datetime) -> int:
    """Staff want all with these causes tried now. Returns how many."""
    _may(actor)
    with transaction.atomic():
        rows = Quarantined.objects.filter(cause__in=list(causes), state__in=STANDING)
        found = list(rows.select_for_update(no_key=True, of=("self",)).order_by("pk"))
        for row in found:
            row.state, row.next_try_at = QuarantineState.RELEASED, now
        Quarantined.objects.bulk_update(found, ["state", "next_try_at"], batch_size=500)
        commands = [int(row.entity) for row in found if row.kind == QuarantineKind.COMMAND]
        Command.objects.filter(pk__in=commands, state=CommandState.WAITING).update(due_at=now)
        for shop_id in {row.connection_id for row in found if row.connection_id}:
            wind(shop_id)
        wake({row.party_id for row in found})
        _note(actor, "released from quarantine", found, now=now)
    return len(found)


def dismiss(*, causes: Iterable[str], actor: User | None, now: datetime) -> int:
    """Nothing more is done about all with these causes, until they trip for another. Returns how many."""
    _may(actor)
    with transaction.atomic():
        rows = Quarantined.objects.filter(cause__in=list(causes), state__in=STANDING)
        found = list(rows.select_related("party"))
        _note(actor, "dismissed from quarantine", found, now=now)
        return end_rows(rows, QuarantineState.DISMISSED, how="Our staff looked at it.", actor=actor, now=now)


def _may(actor: User | None) -> None:
    """`actor` is None where we do it ourselves."""
    if actor is not None:
        require(actor, None, "Only staff see the quarantine.", Right.WORK)


def _note(actor: User | None, action: str, rows: Sequence[Quarantined], *, now: datetime) -> None:
    for cause in {row.cause for row in rows} if actor else ():
        detail = {"rows": sum(row.cause == cause for row in rows)}
        note(actor=actor, action=action, subject=cause[:200], now=now, detail=detail)
