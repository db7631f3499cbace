"""A run over many orders, carried out: a worker claims it for some rows, and each row is a transaction of its own, in
which its order is done and its result written. So a row is done once, whoever is killed between two of them.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from crossdock.domain.commands import CancelReason
from crossdock.domain.daily.bulk import GOING, OPEN, BulkKind, BulkState, ForAll, ForOne, RowState
from crossdock.domain.values import Money
from crossdock.store.crash import point
from crossdock.store.ids import public_id
from crossdock.store.models import BulkRow, BulkRun, User
from crossdock.usecases.errors import NotAllowed, Problem
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.usecases.orders.daily.bulk import FOR_ALL, FOR_ONE
from crossdock.usecases.orders.daily.notes import named, tag_order, tags_on, untag_order
from crossdock.usecases.orders.reject import reject_order
from crossdock.usecases.orders.shippable import why_not_ship
from crossdock.usecases.parties.quarantine import of_database
from crossdock.usecases.record.telling import working

_log = logging.getLogger(__name__)
CLAIM = timedelta(minutes=1)
# How many rows a worker takes before another seller's run has its turn.
AT_ONCE = 20
# What a carrier was asked for is heard of by itself; this is for what was missed.
LOOK_AGAIN = timedelta(minutes=1)
_LONGEST_REST = 300
ODD = (
    "It could not be done, and the fault is ours. The order is as it was; try it again, and write to us if it stays so."
)
Ended = tuple[RowState, str]


def claim(*, now: datetime) -> BulkRun | None:
    """The run that waits longest and that nobody works on."""
    due = BulkRun.objects.filter(Q(claimed_until=None) | Q(claimed_until__lt=now), state__in=GOING, due_at__lte=now)
    if not due.exists():
        return None
    with transaction.atomic():
        free = due.select_for_update(skip_locked=True, no_key=True, of=("self",)).order_by("due_at", "pk")
        run = free.select_related("seller__owner").first()
        if run is not None:
            run.state, run.claim, run.claimed_until = BulkState.RUNNING, public_id(), now + CLAIM
            run.save(update_fields=["state", "claim", "claimed_until"])
    return run


def next_rows(*, run: BulkRun, limit: int = AT_ONCE) -> list[int]:
    rows = run.rows.filter(state=RowState.WAITING).order_by("pk")
    return list(rows.values_list("pk", flat=True)[:limit])


def give_back(*, run: BulkRun, now: datetime) -> None:
    """After some of its rows: it is over, or goes on when its turn comes."""
    mine = BulkRun.objects.filter(pk=run.pk, claim=run.claim)
    with transaction.atomic():
        if not mine.select_for_update(no_key=True).exists():
            return
        open_rows = set(run.rows.filter(state__in=OPEN).values_list("state", flat=True).distinct())
        over = not open_rows
        # Whoever hears from a carrier wakes it.
        waits = open_rows == {RowState.ASKED}
        mine.update(
            claim="",
            claimed_until=None,
            tries=0,
            due_at=now + LOOK_AGAIN if waits else now,
            state=BulkState.DONE if over else BulkState.RUNNING,
            finished_at=now if over else None,
        )


def rest(*, run: BulkRun, now: datetime) -> None:
    """It stumbled, and goes on later."""
    seconds = min(2 ** min(run.tries + 1, 10), _LONGEST_REST)
    BulkRun.objects.filter(pk=run.pk, claim=run.claim).update(
        claim="", claimed_until=None, due_at=now + timedelta(seconds=seconds), tries=run.tries + 1
    )


def play(*, run: BulkRun, row_id: int, now: datetime) -> None:
    """One row, once. What trips concerns this row alone; only a database in trouble raises."""
    end_once(row_id, lambda row: _DEEDS[BulkKind(run.kind)](row, run, now), now=now)


def end_once(row_id: int, deed: Callable[[BulkRow], Ended], *, now: datetime) -> None:
    """`deed` is done to a row that waits, and how it ended is written with it."""
    with transaction.atomic():
        rows = BulkRow.objects.select_for_update(no_key=True, of=("self",)).filter(pk=row_id, state=RowState.WAITING)
        row = rows.select_related("order__seller__owner", "run__asked_by").first()
        if row is None:
            return
        state, sentence = _ended(row, deed)
        point("bulk.before_written")
        row.state, row.sentence, row.at = state, sentence[:400], now
        row.save(update_fields=["state", "sentence", "at", "label"])
    point("bulk.row")


def _ended(row: BulkRow, deed: Callable[[BulkRow], Ended]) -> Ended:
    try:
        with transaction.atomic(), working(actor_of(row)):
            return deed(row)
    except Problem as problem:
        return RowState.FAILED, str(problem)
    except Exception as error:
        if of_database(error):
            raise
        _log.exception("order %s tripped in a bulk run; the others go on", row.order)
        return RowState.FAILED, ODD


def actor_of(row: BulkRow) -> User:
    """In whose name it is done, as they were read with this row: what they may not any more stops here. Raises
    NotAllowed.
    """
    person = row.run.asked_by
    if person is None:
        raise NotAllowed("Whoever asked for it has no account any more.")
    if not person.is_active:
        raise NotAllowed("The account of whoever asked for it is suspended.")
    return person


def said(row: BulkRow, run: BulkRun) -> tuple[ForAll, ForOne]:
    return FOR_ALL.validate_python(run.given), FOR_ONE.validate_python(row.given)


def _ship(row: BulkRow, run: BulkRun, now: datetime) -> Ended:
    whole, one = said(row, run)
    if why := why_not_ship(row.order):
        raise NotAllowed(why)
    parcel = ship_by_hand(
        order=row.order,
        lines=None,
        tracking=one.tracking,
        carrier=one.carrier or whole.carrier,
        actor=actor_of(row),
        now=now,
        key=f"{run.public_id}-{row.order_id}",
    )
    number = f" with {parcel.tracking_number}" if parcel.tracking_number else " without a number"
    return RowState.DONE, f"Shipped{number}. The buyer is told."


def _reject(row: BulkRow, run: BulkRun, now: datetime) -> Ended:
    whole, one = said(row, run)
    if one.back is None:
        raise NotAllowed("Nobody confirmed what the buyer gets back.")
    back = Money(one.back, row.order.currency)
    reason = CancelReason(whole.reason)
    reject_order(order=row.order, reason=reason, actor=actor_of(row), expected_total=back, now=now)
    return RowState.DONE, f"Rejected. The buyer is refunded {back.words}." if back.minor else "Rejected."


def _tag(row: BulkRow, run: BulkRun, now: datetime) -> Ended:
    name = said(row, run)[0].tag
    mine = named(seller=row.order.seller, name=name).first()
    if mine is not None and mine in tags_on([row.order]).get(row.order_id, []):
        return RowState.SKIPPED, f"It is tagged {mine.name} already."
    return RowState.DONE, f"Tagged {tag_order(order=row.order, actor=actor_of(row), name=name).name}."


def _untag(row: BulkRow, run: BulkRun, now: datetime) -> Ended:
    name = said(row, run)[0].tag
    mine = named(seller=row.order.seller, name=name).first()
    if mine is None or mine not in tags_on([row.order]).get(row.order_id, []):
        return RowState.SKIPPED, f"It is not tagged {name}."
    untag_order(order=row.order, tag_id=mine.pk, actor=actor_of(row))
    return RowState.DONE, f"The tag {mine.name} is taken off."


_DEEDS: dict[BulkKind, Callable[[BulkRow, BulkRun, datetime], Ended]] = {
    BulkKind.SHIP: _ship,
    BulkKind.REJECT: _reject,
    BulkKind.TAG: _tag,
    BulkKind.UNTAG: _untag,
}
