"""Calls that a page made while somebody waited: kept as evidence beside the shop, or with the attempt while there is
no shop yet.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from crossdock.store.models import ConnectAttempt, Exchange, Party

MOST_OF_ATTEMPT = 60
# What a recorded call says (kit/http.py), by the names of our columns.
_FIELDS = ("method", "url", "status", "milliseconds", "request", "response", "headers", "error")


def keep_calls(*, party_id: int, calls: Sequence[Mapping[str, Any]]) -> None:
    """`calls` are blacked out already; `at` is a moment or its text."""
    if Party.objects.filter(pk=party_id).exists():
        Exchange.objects.bulk_create([_row(party_id, call) for call in calls])


def keep_calls_of_attempt(*, attempt_id: int, calls: Sequence[Mapping[str, Any]]) -> None:
    with transaction.atomic():
        attempt = ConnectAttempt.objects.select_for_update(no_key=True, of=("self",)).filter(pk=attempt_id).first()
        if attempt is not None:
            attempt.calls = [*attempt.calls, *({**call, "at": call["at"].isoformat()} for call in calls)][
                -MOST_OF_ATTEMPT:
            ]
            attempt.save(update_fields=["calls"])


def hand_over(*, attempt: ConnectAttempt, party_id: int) -> None:
    """The attempt became a connection: what was heard belongs to it."""
    keep_calls(party_id=party_id, calls=attempt.calls)


def _row(party_id: int, call: Mapping[str, Any]) -> Exchange:
    at = call["at"]
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return Exchange(party_id=party_id, at=moment, **{name: call[name] for name in _FIELDS})
