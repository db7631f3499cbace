"""A command is claimed before it is carried out: written down as sent, so that a dead worker's is looked up first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from crossdock.store.bulk import update_rows
from crossdock.store.crash import point
from crossdock.store.models import Command, ShopCopy
from crossdock.store.models.work import CommandState
from crossdock.usecases.outbox.payloads import with_copy
from crossdock.usecases.outcomes.kinds import KINDS

_CREATE = {kind.name for kind in KINDS.values() if kind.creates}
_NAME_COPY = {kind.name for kind in KINDS.values() if kind.names_copy}


@dataclass(frozen=True, slots=True)
class Claimed:
    """A command that is ours to carry out now. `payload` is the raw JSON; `since` is when it was first sent (or made),
    which bounds a look-up.

    `look_first`: an earlier attempt may have been carried out. `only_look`: the order was cancelled meanwhile, nothing
    may be created any more.
    """

    id: int
    kind: str
    subject: str
    payload: dict[str, Any]
    look_first: bool
    only_look: bool
    since: datetime
    last_sent_at: datetime | None
    attempts: int
    cause: str = ""


def claim_commands(*, party_id: int, owner: str, limit: int, now: datetime) -> list[Claimed]:
    """The first unfinished command of each subject, written as sent before it is.

    What a dead worker left in flight comes back with look_first.
    """
    with transaction.atomic():
        found = Command.objects.raw(_CLAIM, {"party": party_id, "owner": owner, "now": now, "limit": limit})
        rows = sorted(found, key=lambda row: row.pk)
        copies = {
            reference: (shop_order_id, cancelled_at is not None)
            for reference, shop_order_id, cancelled_at in ShopCopy.objects.filter(
                order__reference__in=[row.subject for row in rows if row.kind in (*_CREATE, *_NAME_COPY)]
            ).values_list("order__reference", "shop_order_id", "order__cancelled_at")
        }
        claimed = [_claim(row, *copies.get(row.subject, ("", False)), owner=owner, now=now) for row in rows]
        update_rows(rows, ["state", "attempts", "unresolved", "first_sent_at", "last_sent_at", "outcome", "payload"])
        for kind in {row.kind for row in rows} & KINDS.keys():
            KINDS[kind].claimed([row for row in rows if row.kind == kind], now)
        point("claim.before_commit")
    point("claim.after_commit")
    return claimed


_CLAIM = """
SELECT c.* FROM store_command c
WHERE c.party_id = %(party)s
  AND ((c.state = 'waiting' AND c.due_at <= %(now)s) OR (c.state = 'in_flight' AND c.outcome->>'owner' IS DISTINCT
    FROM %(owner)s))
  AND NOT EXISTS (SELECT 1 FROM store_command e WHERE e.party_id = c.party_id AND e.subject = c.subject AND e.id < c.id
                  AND e.state IN ('waiting','in_flight','dead'))
ORDER BY c.due_at, c.id LIMIT %(limit)s FOR NO KEY UPDATE OF c SKIP LOCKED
"""


def _claim(row: Command, shop_order_id: str, cancelled: bool, *, owner: str, now: datetime) -> Claimed:
    if row.state == CommandState.IN_FLIGHT:
        row.unresolved = True
    look_first = row.unresolved
    if row.kind in _NAME_COPY:
        row.payload = with_copy(row.payload, shop_order_id)
    row.state, row.outcome = CommandState.IN_FLIGHT, {"owner": owner}
    if not look_first:
        row.attempts += 1
        previous, row.last_sent_at = row.last_sent_at, now
        row.first_sent_at = row.first_sent_at or now
    else:
        previous = row.last_sent_at
    return Claimed(
        row.pk,
        row.kind,
        row.subject,
        row.payload,
        look_first,
        cancelled and row.kind in _CREATE,
        row.first_sent_at or row.created_at,
        previous,
        row.attempts,
        row.cause,
    )


def send_again(*, command_id: int, now: datetime) -> None:
    """What an earlier try left open is surely over: the next sending is written down before it is made."""
    with transaction.atomic():
        row = Command.objects.select_for_update(no_key=True).get(pk=command_id)
        row.attempts, row.last_sent_at, row.unresolved = row.attempts + 1, now, False
        row.save(update_fields=["attempts", "last_sent_at", "unresolved"])


def give_back(*, command_id: int, now: datetime) -> None:
    """A graceful stop before anything was sent: as if it had never been claimed."""
    with transaction.atomic():
        row = Command.objects.select_for_update(no_key=True).get(pk=command_id)
        if row.state == CommandState.IN_FLIGHT:
            row.state, row.due_at, row.outcome = CommandState.WAITING, now, {}
            row.attempts = max(0, row.attempts - (0 if row.unresolved else 1))
            row.save(update_fields=["state", "due_at", "outcome", "attempts"])
