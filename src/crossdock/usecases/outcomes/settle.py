"""What an outcome means: the command's row, the shop's copy, the holds and the alerts change in one transaction.

The order's lock is always taken first.
"""

from dataclasses import asdict
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.db.models import QuerySet

from crossdock.domain import stock as rules
from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import Done, Later, Outcome, Refused, SignInAgain, Unknown, Why, order_reference
from crossdock.store.because import because
from crossdock.store.crash import point
from crossdock.store.models import Command, Order, ShopCopy
from crossdock.store.models.work import CommandResult, CommandState
from crossdock.store.plans import prepared
from crossdock.store.together import ask
from crossdock.usecases.outcomes.kinds import kind_of
from crossdock.usecases.outcomes.kinds.kind import Facts, Held, a_person_decides
from crossdock.usecases.parties.leases import backoff
from crossdock.usecases.parties.root_causes import explained
from crossdock.usecases.record.telling import Telling, telling

GIVE_UP_AFTER = timedelta(hours=48)
EARLIER = "earlier_sent_at"


def hold(command_id: int) -> Held:
    """Locked in one round trip, in this order: the order, the command, the shop's copy."""
    reference = order_reference(Command.objects.values_list("subject", flat=True).get(pk=command_id))
    orders, rows, copies = ask(_order(reference), _command(command_id), _copy(reference))
    return Held(rows[0], next(iter(orders), None), next(iter(copies), None))


@prepared
def _order(reference: str) -> QuerySet[Order]:
    rows = Order.objects.select_for_update(no_key=True, of=("self",)).filter(reference=reference)
    return rows.select_related("seller__owner", "connection", "buyer")


@prepared
def _command(key: int) -> QuerySet[Command]:
    return Command.objects.select_for_update(no_key=True).filter(pk=key)


@prepared
def _copy(reference: str) -> QuerySet[ShopCopy]:
    return ShopCopy.objects.select_for_update(no_key=True, of=("self",)).filter(order__reference=reference)


def settle_command(
    *,
    command_id: int,
    outcome: Outcome,
    random: Random,
    count_lag_seconds: float = 0.0,
    restores: bool = True,
    keeps_out: bool = False,
    now: datetime,
    told: Telling | None = None,
) -> None:
    """Idempotent: a command that is finished already stays as it is.

    Later, SignInAgain and Unknown put it back in line.
    """
    with telling(now, told) as told, because(f"command:{command_id}"):
        held = hold(command_id)
        if held.row.state != CommandState.IN_FLIGHT:
            return
        point("settle.begin")
        match outcome:
            case Done():
                finish(held.row, CommandResult.OK, outcome.note, asdict(outcome), now=now)
                after = now + timedelta(seconds=count_lag_seconds) if count_lag_seconds else None
                _done(held, outcome, Facts(told, after, restores, keeps_out))
            case Refused() if _creates(held.row) and not rules.refusal_is_final(unresolved=held.row.unresolved):
                # Final only if no earlier attempt can still arrive (stock protocol, C4c): look until the horizon. This
                # attempt is settled, so the horizon counts from the one before; else each refusal would put it off,
                # for ever.
                held.row.last_sent_at = _earlier(held.row) or held.row.last_sent_at
                put_back(
                    held.row,
                    f"{outcome.sentence} An earlier attempt is still being looked for.",
                    timedelta(seconds=5),
                    unknown=True,
                    now=now,
                )
            case Refused():
                finish(held.row, CommandResult.REFUSED, outcome.sentence, asdict(outcome), now=now)
                was_refused(held, outcome, told=told)
            case Later():
                wait = (
                    timedelta(seconds=outcome.after_seconds)
                    if outcome.after_seconds is not None
                    else backoff(attempts=held.row.attempts, random=random)
                )
                put_back(held.row, outcome.sentence, wait, unknown=held.row.unresolved, now=now)
                give_up(held, told=told)
            case SignInAgain():
                put_back(held.row, outcome.sentence, timedelta(0), unknown=held.row.unresolved, now=now)
            case Unknown():
                wait = timedelta(
                    seconds=outcome.after_seconds
                    or min(30.0, 0.5 * 2 ** min(held.row.attempts, 6)) * random.uniform(0.5, 1.0)
                )
                put_back(held.row, outcome.sentence, wait, unknown=True, now=now)
                give_up(held, told=told)
        point("settle.before_commit")
    point("settle.after_commit")


FINISHED = ("state", "result", "sentence", "outcome", "unresolved", "finished_at")


def finish(row: Command, result: CommandResult, sentence: str, outcome: dict[str, Any], *, now: datetime) -> None:
    finished(row, result, sentence, outcome, now=now)
    row.save()


def finished(row: Command, result: CommandResult, sentence: str, outcome: dict[str, Any], *, now: datetime) -> None:
    """The caller writes it (`FINISHED`)."""
    row.state, row.result, row.sentence, row.outcome = CommandState.DONE, result, sentence, outcome
    row.unresolved, row.finished_at = False, now


def put_back(row: Command, sentence: str, wait: timedelta, *, unknown: bool, now: datetime) -> None:
    row.state, row.sentence, row.unresolved, row.due_at, row.outcome = (
        CommandState.WAITING,
        sentence,
        unknown,
        now + wait,
        {},
    )
    row.save()


def _earlier(row: Command) -> datetime | None:
    """When the attempt before this one was sent, whose outcome is still unknown."""
    return datetime.fromisoformat(row.outcome[EARLIER]) if EARLIER in row.outcome else None


def give_up(held: Held, *, told: Telling) -> None:
    """After two days a person decides. The row stays, visible and resendable."""
    now = told.now
    row = held.row
    if now - row.created_at < GIVE_UP_AFTER:
        return
    if held.order and explained(connection_id=held.order.connection_id):
        # A person has the shop's own alert already; this is given up only if it still fails when that is settled.
        return
    kind = kind_of(row)
    if kind is not None and kind.ends_refused and held.order:
        given_up = Refused(Why.CONFLICT, f"It was tried for two days without success. Last answer: {row.sentence}")
        finish(row, CommandResult.REFUSED, given_up.sentence, asdict(given_up), now=now)
        kind.refused(held, given_up, told)
        return
    row.state, row.finished_at = CommandState.DEAD, now
    row.save(update_fields=["state", "finished_at"])
    if kind is not None:
        kind.gave_up(held, row.sentence, told)
    if held.order:
        told.raise_alert(
            code=AlertCode.COMMAND_DEAD,
            seller=held.order.seller,
            order=held.order,
            connection=held.order.connection,
            key=f"command:{row.pk}",
            evidence={"command": row.pk},
            sentence=(
                f"Order {held.order}: “{row.kind.replace('_', ' ')}” was tried for two days without success. Last"
                f" answer: {row.sentence}"
            ),
        )


def _creates(row: Command) -> bool:
    kind = kind_of(row)
    return kind is not None and kind.creates


def _done(held: Held, outcome: Done, facts: Facts) -> None:
    if held.order:
        facts.told.settle_by_fact(
            how="It was delivered.",
            codes=(AlertCode.COMMAND_DEAD,),
            order=held.order,
            key=f"command:{held.row.pk}",
        )
    kind = kind_of(held.row)
    if kind is not None:
        kind.done(held, outcome, facts)


def was_refused(held: Held, outcome: Refused, *, told: Telling) -> None:
    kind = kind_of(held.row)
    (kind.refused if kind is not None else a_person_decides)(held, outcome, told)
