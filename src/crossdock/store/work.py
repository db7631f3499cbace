"""The wake-up: a job that says "look after this party", deferred after commit by task name. Losing one costs at most a
sweep's five seconds.

Deferring inside the transaction would let a waiting wake-up of another order swallow ours before our row is visible.
"""

import contextlib
from collections.abc import Iterable

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

PUMP = "crossdock.pump"


def wake(party_ids: Iterable[int]) -> None:
    """Wake the pumps of these parties once this transaction is committed (at once outside one)."""
    for party_id in sorted(set(party_ids)):
        transaction.on_commit(lambda party_id=party_id: _defer(party_id), robust=True)  # type: ignore[misc]


def _defer(party_id: int) -> None:
    # Outside a transaction a refused statement harms no other, so it needs none of its own.
    own = transaction.atomic() if transaction.get_connection().in_atomic_block else contextlib.nullcontext()
    with contextlib.suppress(AlreadyEnqueued), own:
        app.configure_task(PUMP, queueing_lock=f"party:{party_id}").defer(party_id=party_id)
