"""What a look-up by our reference means (stock protocol, rule 6): adopted, taken back, created now, or awaited."""

from dataclasses import asdict, replace
from datetime import datetime, timedelta
from random import Random

from crossdock.domain import stock as rules
from crossdock.domain.commands import Done, Found, Later, Outcome, Refused, SignInAgain, Unknown
from crossdock.domain.orders import CopyState
from crossdock.domain.stock import EndedWhy
from crossdock.store.models.work import CommandResult, CommandState
from crossdock.usecases.orders.doubles import cancel_doubles
from crossdock.usecases.orders.landing import bind
from crossdock.usecases.outcomes.kinds.create_order import never_stood
from crossdock.usecases.outcomes.kinds.kind import Held
from crossdock.usecases.outcomes.settle import EARLIER, finish, hold, put_back, was_refused
from crossdock.usecases.record.telling import Telling, telling

# Until what stands in the shop is looked at again, where the shop names no time of its own.
_LOOK_AGAIN_SECONDS = 2.0


def settle_look(
    *,
    command_id: int,
    found: Found,
    horizon: timedelta,
    unique_reference: bool,
    random: Random,
    now: datetime,
    standing: Outcome | None = None,
) -> str:
    """Rule 6, after a look-up by our reference. Answers "adopted", "refused" (found, and taken back there), "create"
    (ours to send now) or "wait".

    `standing` is what is to be said of the first that was found; where that could not be looked at, it is asked again
    until the horizon, and then kept. None found is conclusive only after `horizon` (our time-out + longest late
    execution + search lag) from the last sending, unless the shop itself refuses a second order with our reference.
    Several found: the first is kept, the others are cancelled, and somebody is told.
    """
    with telling(now) as told:
        held = hold(command_id)
        row, order, copy = held.row, held.order, held.copy
        assert order is not None and copy is not None
        if row.state != CommandState.IN_FLIGHT:
            return "wait"
        ends_at = (row.last_sent_at or row.created_at) + horizon
        conclusive = now >= ends_at
        verdict = rules.looked(
            found=bool(found.shop_ids),
            cancelled=order.cancelled_at is not None,
            conclusive=conclusive,
            unique_reference=unique_reference,
        )
        if verdict is rules.Look.ADOPT:
            return _found(held, found, standing, conclusive=conclusive, told=told)
        if verdict is rules.Look.WITHDRAW:
            row.state, row.finished_at = CommandState.WITHDRAWN, now
            row.sentence, row.unresolved = "Cancelled before it reached the shop.", False
            row.save()
            copy.state, copy.sentence = CopyState.CANCELLED, row.sentence
            copy.save(update_fields=["state", "sentence"])
            never_stood(order, now=now, why=EndedWhy.NOT_FOUND)
            return "wait"
        if verdict is rules.Look.CREATE:
            if not conclusive and row.last_sent_at is not None:
                row.outcome = {**row.outcome, EARLIER: row.last_sent_at.isoformat()}
            row.attempts, row.last_sent_at = row.attempts + 1, now
            row.unresolved = not conclusive
            row.first_sent_at = row.first_sent_at or now
            row.save(update_fields=["attempts", "last_sent_at", "unresolved", "first_sent_at", "outcome"])
            return "create"
        looks = max(1.0, (now - (row.last_sent_at or now)).total_seconds())
        put_back(
            row,
            "Not found in the shop yet; looked for again before anything is repeated.",
            min(timedelta(seconds=looks), max(ends_at - now, timedelta(seconds=1))),
            unknown=True,
            now=now,
        )
        return "wait"


def _found(held: Held, found: Found, standing: Outcome | None, *, conclusive: bool, told: Telling) -> str:
    """What a look-up found is kept, unless it was taken back there, or cannot be judged yet."""
    now = told.now
    assert held.order is not None and held.copy is not None
    match standing:
        case Refused():
            # The attempt in doubt is the one that was found, so this is final.
            finish(held.row, CommandResult.REFUSED, standing.sentence, asdict(standing), now=now)
            was_refused(held, standing, told=told)
            return "refused"
        case Later() | SignInAgain() | Unknown() if not conclusive:
            wished = None if isinstance(standing, SignInAgain) else standing.after_seconds
            wait = timedelta(seconds=wished or _LOOK_AGAIN_SECONDS)
            put_back(held.row, f"It stands in the shop. {standing.sentence}", wait, unknown=True, now=now)
            return "wait"
    first, *others = found.shop_ids
    known = standing if isinstance(standing, Done) else Done(first)
    done = replace(known, already=True, note=known.note or "Found in the shop by our reference.")
    finish(held.row, CommandResult.OK, done.note, asdict(done), now=now)
    bind(order=held.order, copy=held.copy, outcome=done, adopted=True, want_after=None, told=told)
    cancel_doubles(order=held.order, shop_ids=others, told=told)
    return "adopted"
