"""Many orders at once: what would become of each, and the run that is begun when somebody says yes.

Before that nothing is written. The worker carries a run out (bulk_rows.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, QuerySet
from pydantic import TypeAdapter

from crossdock.domain.commands import CancelReason
from crossdock.domain.daily.bulk import (
    GOING,
    MOST,
    UNDONE,
    BulkKind,
    BulkState,
    ForAll,
    ForOne,
    RowState,
    Tally,
)
from crossdock.domain.daily.filters import OrderFilter
from crossdock.domain.storable import one_line
from crossdock.domain.team.roles import Duty
from crossdock.domain.values import Money
from crossdock.domain.wording import counted
from crossdock.store.models import BulkRow, BulkRun, Order, Seller, User
from crossdock.usecases.errors import Invalid
from crossdock.usecases.money.left import rooms
from crossdock.usecases.orders.daily.notes import LONGEST_TAG
from crossdock.usecases.orders.daily.order_list import found_in
from crossdock.usecases.orders.reject import why_not_reject
from crossdock.usecases.orders.shippable import why_not_ship
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.rights import require, theirs

FOR_ALL: TypeAdapter[ForAll] = TypeAdapter(ForAll)
FOR_ONE: TypeAdapter[ForOne] = TypeAdapter(ForOne)
STOPPED = "Stopped before its turn."
NOT_SEEN = "It was not on the page that was confirmed."


@dataclass(frozen=True, slots=True)
class Judged:
    """An order, why it would be skipped (empty: it would not), and what its buyer would get back of a reject."""

    order: Order
    why_not: str
    back: Money | None = None


def _whole(rows: QuerySet[Order]) -> QuerySet[Order]:
    rows = rows.select_related("seller__owner", "connection", "copy", "risk_hold", "cancel_request")
    return rows.prefetch_related("lines")


def picked(*, seller: Seller, ids: Sequence[str]) -> list[Order]:
    """These of the seller's orders, MOST at most, in the order of the ids; others' are not found."""
    wanted = [public_id for public_id in dict.fromkeys(ids) if public_id.isalnum()][:MOST]
    found = {order.public_id: order for order in _whole(theirs(Order, seller).filter(public_id__in=wanted))}
    return [found[public_id] for public_id in wanted if public_id in found]


def listed(*, seller: Seller, wanted: OrderFilter, now: datetime) -> tuple[list[Order], bool]:
    """The first MOST of a list, and whether there are more."""
    rows = list(_whole(found_in(seller=seller, wanted=wanted, now=now))[: MOST + 1])
    return rows[:MOST], len(rows) > MOST


def how_many(*, seller: Seller, wanted: OrderFilter, now: datetime) -> int:
    """Of a list; MOST + 1 stands for more."""
    return found_in(seller=seller, wanted=wanted, now=now).order_by()[: MOST + 1].count()


def judge(*, kind: BulkKind, orders: Sequence[Order]) -> list[Judged]:
    """One answer for each, in their order; as many statements for one as for all. Writes nothing."""
    if kind is BulkKind.REJECT:
        back = rooms(orders)
        return [Judged(order, why_not_reject(order), back[order.pk]) for order in orders]
    if kind is BulkKind.SHIP:
        return [Judged(order, why_not_ship(order)) for order in orders]
    return [Judged(order, "") for order in orders]


def _checked(kind: BulkKind, given: ForAll) -> ForAll:
    """Raises Invalid with what has to be said first."""
    if kind is BulkKind.REJECT and given.reason not in set(CancelReason):
        raise Invalid("Choose a reason.")
    if kind in (BulkKind.TAG, BulkKind.UNTAG):
        tag = one_line(given.tag, LONGEST_TAG + 1)
        if not tag:
            raise Invalid("Choose a tag, or type a new one." if kind is BulkKind.TAG else "Choose the tag to take off.")
        if len(tag) > LONGEST_TAG:
            raise Invalid(f"A tag has at most {LONGEST_TAG} characters.")
        return ForAll(tag=tag)
    return given


def sums_of(amounts: Iterable[Money]) -> list[Money]:
    """By currency."""
    found: dict[str, int] = {}
    for one in amounts:
        found[one.currency] = found.get(one.currency, 0) + one.minor
    return [Money(minor, currency) for currency, minor in sorted(found.items())]


def begin(
    *,
    seller: Seller,
    kind: BulkKind,
    judged: Sequence[Judged],
    given: ForAll,
    each: Mapping[str, ForOne],
    key: str,
    actor: User,
    now: datetime,
) -> BulkRun:
    """The run and a row per order; what would be skipped is, with its reason. The same `key` again is the same run.

    `each` says by public id what is meant for one order. Of a reject that is what was confirmed: an order without it is
    skipped. Raises Invalid, NotAllowed.
    """
    require(actor, seller, duty=Duty.ORDERS)
    if before := theirs(BulkRun, seller).filter(key=key).first():
        return before
    given = _checked(kind, given)
    rows = []
    for one in judged:
        mine = each.get(one.order.public_id, ForOne())
        why = one.why_not or (NOT_SEEN if kind is BulkKind.REJECT and mine.back is None else "")
        state = RowState.SKIPPED if why else RowState.WAITING
        rows.append(
            BulkRow(order=one.order, state=state, sentence=why[:400], given=FOR_ONE.dump_python(mine, mode="json"))
        )
    good = sum(row.state == RowState.WAITING for row in rows)
    if not good:
        raise Invalid("Of these orders none can be done. The reason stands beside each.")
    with transaction.atomic():
        run, made = BulkRun.objects.get_or_create(
            seller=seller,
            key=key,
            defaults={
                "kind": kind,
                "asked_by": actor,
                "given": FOR_ALL.dump_python(given, mode="json"),
                "asked_at": now,
                "due_at": now,
            },
        )
        if made:
            for row in rows:
                row.run = run
            BulkRow.objects.bulk_create(rows)
            _noted(run, actor, f"began to {kind} in one go", counted(good, "order"), now)
    return run


def as_asked(*, run: BulkRun, kind: BulkKind, given: ForAll, each: Mapping[str, ForOne]) -> bool:
    """Whether this is what the run was begun with, and not a page that was sent once more with something else on it."""
    rows = run.rows.values_list("order__public_id", "given")
    kept = {public_id: FOR_ONE.validate_python(one) for public_id, one in rows}
    try:
        said = _checked(kind, given)
    except Invalid:
        return False
    return (run.kind, given_of(run), kept) == (kind, said, dict(each))


def _noted(run: BulkRun, actor: User, action: str, subject: str, now: datetime) -> None:
    note(actor=actor, action=action, subject=subject, now=now, detail={"run": run.public_id, "kind": run.kind})


def _locked(run: BulkRun, actor: User) -> BulkRun:
    row = BulkRun.objects.select_for_update(no_key=True, of=("self",)).select_related("seller__owner").get(pk=run.pk)
    require(actor, row.seller, duty=Duty.ORDERS)
    return row


def stop(*, run: BulkRun, actor: User, now: datetime) -> int:
    """What was not begun is left; how many orders that are. Raises NotAllowed."""
    with transaction.atomic():
        run = _locked(run, actor)
        left = run.rows.filter(state=RowState.WAITING).update(state=RowState.SKIPPED, sentence=STOPPED, at=now)
        if left:
            _noted(run, actor, "stopped what went on in one go", counted(left, "order"), now)
    return left


def why_not_again(run: BulkRun) -> str:
    """Empty when what was not done may be tried again as it was asked for."""
    if run.state in GOING:
        return "It is still going on."
    if run.kind == BulkKind.REJECT:
        return "What buyers get back is confirmed anew."
    if run.kind == BulkKind.LABEL:
        return "Prices are asked for anew."
    return ""


def again(*, run: BulkRun, actor: User, now: datetime) -> int:
    """What was not done is tried once more; how many orders that are. Pressed twice it is tried once.

    Raises NotAllowed, Invalid.
    """
    with transaction.atomic():
        run = _locked(run, actor)
        if run.state in GOING:
            return 0
        if why := why_not_again(run):
            raise Invalid(why)
        left = run.rows.filter(state__in=UNDONE).update(state=RowState.WAITING, sentence="", at=None)
        if left:
            run.state, run.due_at, run.finished_at, run.tries, run.asked_by = BulkState.WAITING, now, None, 0, actor
            run.save(update_fields=["state", "due_at", "finished_at", "tries", "asked_by"])
            _noted(run, actor, f"tried once more to {run.kind} in one go", counted(left, "order"), now)
    return left


def undone_of(run: BulkRun) -> list[str]:
    """The public ids of its orders that were not done; of prices those that were found, too, since they grow old."""
    rows = run.rows.all() if run.kind == BulkKind.PRICE else run.rows.filter(state__in=UNDONE)
    return list(rows.values_list("order__public_id", flat=True))


def runs_of(seller: Seller) -> QuerySet[BulkRun]:
    """Newest first."""
    return theirs(BulkRun, seller).select_related("asked_by").order_by("-pk")


def rows_of(run: BulkRun, states: Sequence[RowState] = tuple(RowState)) -> QuerySet[BulkRow]:
    return run.rows.filter(state__in=states).select_related("order", "label").order_by("pk")


def tallies(runs: Sequence[BulkRun]) -> dict[int, Tally]:
    """By run: one question, however many these are."""
    found: dict[int, dict[str, int]] = {run.pk: {} for run in runs}
    rows = BulkRow.objects.filter(run__in=list(found)).order_by().values_list("run", "state").annotate(n=Count("pk"))
    for run, state, n in rows:
        found[run][state] = n
    return {run: Tally(**counts) for run, counts in found.items()}


def given_of(run: BulkRun) -> ForAll:
    return FOR_ALL.validate_python(run.given)
