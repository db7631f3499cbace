"""Stock at work: the protocol of domain/stock.py under row locks.

Several variants are always locked in id order, so nobody waits in a circle.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet, Sum

from crossdock.domain import stock as rules
from crossdock.domain.alerts import AlertCode
from crossdock.domain.stock import EndedWhy, HoldState, Stock
from crossdock.store.because import EVENT
from crossdock.store.bulk import update_rows
from crossdock.store.models import Connection, Movement, Order, Reservation, User, Variant, VariantStock
from crossdock.store.models.shops import ConnectionState
from crossdock.store.models.stock import next_stock_nos
from crossdock.store.plans import prepared
from crossdock.store.together import Question, ask
from crossdock.store.work import wake
from crossdock.usecases.record.telling import Telling


def fresh(*, connection: Connection | None, now: datetime) -> bool:
    """A shop's counts are believed while the shop was heard of lately; counts of listings made by hand are ours."""
    if connection is None:
        return True
    limit = timedelta(minutes=settings.STALE_AFTER_MINUTES)
    return connection.last_read_at is not None and now - connection.last_read_at < limit


def as_value(row: VariantStock, *, now: datetime) -> Stock:
    shop = row.variant.connection
    if shop is None:
        return row.value(fresh=True)
    return row.value(fresh=fresh(connection=shop, now=now), buffer=shop.buffer, floor=shop.floor, most=shop.most_shown)


def locked(variant_ids: "Iterable[int] | QuerySet[Any]", *also: str) -> dict[int, VariantStock]:
    """The stock rows of these variants, locked in id order. Must be called inside a transaction.

    Ids of another question (a QuerySet of one column) are asked for in the same one. `also` names what else is read
    along with them.
    """
    return {row.pk: row for row in locking(variant_ids, *also)}


def locking(variant_ids: "Iterable[int] | QuerySet[Any]", *also: str) -> QuerySet[VariantStock]:
    """The question that locks them, for who asks something else along with it."""
    which = variant_ids if isinstance(variant_ids, QuerySet) else list(variant_ids)
    rows = VariantStock.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=which).order_by("pk")
    return rows.select_related("variant__connection", *also)


def lock_with_promises(variant_ids: Iterable[int]) -> tuple[dict[int, VariantStock], dict[int, int]]:
    """Their rows, locked, and what is promised of each: asked after the lock is held, since it is a statement of its
    own.
    """
    rows, held = ask(*locking_with_promises(variant_ids))
    return {row.pk: row for row in rows}, dict(held)


def locking_with_promises(variant_ids: Iterable[int], *, listings: bool = False) -> tuple[Question, Question]:
    """The two questions, for who asks more along with them."""
    wanted = list(variant_ids)
    return _locking_with_listings(wanted) if listings else _locking(wanted), _promised(wanted)


@prepared
def _locking(variant_ids: list[int]) -> QuerySet[VariantStock]:
    return locking(variant_ids)


@prepared
def _locking_with_listings(variant_ids: list[int]) -> QuerySet[VariantStock]:
    return locking(variant_ids, "variant__listing__seller__owner")


@prepared
def _promised(variant_ids: list[int]) -> QuerySet[Any]:
    return held_by(Reservation.objects.filter(variant_id__in=variant_ids))


def open_holds(variant_ids: Iterable[int]) -> dict[int, list[Reservation]]:
    holds: dict[int, list[Reservation]] = defaultdict(list)
    for row in (
        Reservation.objects.filter(variant_id__in=set(variant_ids)).exclude(state=HoldState.ENDED).order_by("pk")
    ):
        holds[row.variant_id].append(row)
    return holds


def promised(variant_ids: Iterable[int]) -> dict[int, int]:
    """Units of each that somebody holds, summed by the database: what is listed by hand can have thousands of orders
    that are not shipped yet.
    """
    return dict(held_by(Reservation.objects.filter(variant_id__in=set(variant_ids))))


def held_by(holds: QuerySet[Reservation]) -> QuerySet[Reservation, tuple[int, int]]:
    """Variant and units of those of these holds that have not ended."""
    rows = holds.exclude(state=HoldState.ENDED).order_by()
    return rows.values_list("variant_id").annotate(units=Sum("quantity"))


def availability(*, variants: Iterable[Variant], now: datetime) -> dict[int, int | None]:
    """Variant pk -> units that may be sold now; None is unknown, shown as "?".

    Two queries for any number of variants.
    """
    wanted = list(variants)
    held = promised(variant.pk for variant in wanted)
    rows = VariantStock.objects.filter(pk__in=[variant.pk for variant in wanted]).select_related("variant__connection")
    known = {row.pk: rules.left_of(as_value(row, now=now), held.get(row.pk, 0)) for row in rows}
    return {variant.pk: None if variant.gone else known.get(variant.pk) for variant in wanted}


def available_locked(row: VariantStock, *, now: datetime) -> int | None:
    """What may be promised, judged under the row's lock."""
    return left_of(row, promised([row.pk]).get(row.pk, 0), now=now)


def left_of(row: VariantStock | None, held: int, *, now: datetime) -> int | None:
    """The same with the units that are promised, for who asked for those of several at once."""
    return None if row is None else rules.left_of(as_value(row, now=now), held)


def record(
    *,
    variant_id: int,
    now: datetime,
    kind: str,
    cause: str,
    order: Order | None = None,
    quantity: int | None = None,
    before: int | None = None,
    after: int | None = None,
    actor: User | None = None,
) -> None:
    """One line of the flight recorder, with what can be sold right after it. Call it when the rows are written."""
    movement(
        variant_id=variant_id,
        now=now,
        kind=kind,
        cause=cause,
        order=order,
        quantity=quantity,
        before=before,
        after=after,
        actor=actor,
        left=_left_now(variant_id, now=now),
    ).save(force_insert=True)


def movement(
    *,
    variant_id: int,
    now: datetime,
    kind: str,
    cause: str,
    order: Order | None = None,
    quantity: int | None = None,
    before: int | None = None,
    after: int | None = None,
    actor: User | None = None,
    left: int | None,
    event: str = "",
) -> Movement:
    """Not written yet: who changes many at once writes them together."""
    return Movement(
        variant_id=variant_id,
        at=now,
        kind=kind,
        cause=cause[:160],
        order=order,
        quantity=quantity,
        count_before=before,
        count_after=after,
        actor=actor,
        left=left,
        event=(event or EVENT.get())[:60],
    )


def record_all(
    holds: Iterable[Reservation],
    *,
    rows: Mapping[int, VariantStock],
    held: Mapping[int, int],
    kind: str,
    now: datetime,
    order: Order | None = None,
    named: bool = True,
) -> None:
    """A line of the flight recorder for each hold, in one statement. `rows` are locked; `held` are the units that are
    promised of each, these included. `named`: by the order's number, not by the hold's own cause.
    """
    Movement.objects.bulk_create(movements(holds, rows=rows, held=held, kind=kind, now=now, order=order, named=named))


def movements(
    holds: Iterable[Reservation],
    *,
    rows: Mapping[int, VariantStock],
    held: Mapping[int, int],
    kind: str,
    now: datetime,
    order: Order | None = None,
    named: bool = True,
) -> list[Movement]:
    """The same, not written yet."""
    return [
        movement(
            variant_id=hold.variant_id,
            now=now,
            kind=kind,
            cause=f"order #{order.number}" if order and named else hold.cause,
            order=order,
            quantity=hold.quantity,
            left=left_of(rows.get(hold.variant_id), held.get(hold.variant_id, 0), now=now),
        )
        for hold in holds
    ]


def _left_now(variant_id: int, *, now: datetime) -> int | None:
    row = VariantStock.objects.select_related("variant__connection").filter(pk=variant_id).first()
    return None if row is None else available_locked(row, now=now)


def end_hold(hold: Reservation, *, why: EndedWhy, now: datetime, read_no: int | None = None) -> None:
    """The caller holds the variant's lock. Never ended twice."""
    if _ended(hold, why=why, read_no=read_no):
        record(
            variant_id=hold.variant_id,
            now=now,
            kind=f"hold_ended_{why}",
            cause=hold.cause,
            order=hold.order,
            quantity=hold.quantity,
        )


def end_by_read(hold: Reservation, *, read_no: int, left: int | None, now: datetime) -> Movement | None:
    """Rule 4; the caller writes the movement together with the count that proved it."""
    if not _ended(hold, why=EndedWhy.READ, read_no=read_no):
        return None
    return movement(
        variant_id=hold.variant_id,
        now=now,
        kind="hold_ended_read",
        cause=hold.cause,
        order=hold.order,
        quantity=hold.quantity,
        left=left,
        event=f"read:{read_no}",
    )


def _ended(hold: Reservation, *, why: EndedWhy, read_no: int | None) -> bool:
    still = Reservation.objects.filter(pk=hold.pk).exclude(state=HoldState.ENDED)
    return bool(still.update(state=HoldState.ENDED, ended_why=why, ended_read_no=read_no, expires_at=None))


def holds_of(order: Order) -> QuerySet[Reservation]:
    return order.reservations.exclude(state=HoldState.ENDED).order_by("variant_id")


def fence(
    *,
    order: Order,
    now: datetime,
    state: HoldState | None = None,
    want_after: datetime | None = None,
    part: str = "",
) -> None:
    """Rules 4, 5 and 7: an answer proved that the shop took the units, or the order is closed; a later read ends the
    holds.

    Drawn after the answer arrived, never at sending. A fence is drawn once and kept. `part` names the one reject whose
    units are meant.
    """
    with transaction.atomic(savepoint=False):
        # Rows whose holds ended long ago, too: a cancel after that changes their count, and nobody else may tell.
        rows = locked(order.reservations.values("variant_id"))
        holds = [hold for hold in holds_of(order) if not part or hold.cause.endswith(f"|{part}")]
        fresh = [hold for hold in holds if hold.fence_no is None]
        for hold, no in zip(fresh, next_stock_nos(len(fresh)), strict=True):
            hold.fence_no, hold.state = no, state or hold.state
        update_rows(fresh, ("fence_no", "state"))
        if fresh:
            record_all(fresh, rows=rows, held=promised(rows), kind="fenced", now=now, order=order, named=False)
        want_reads(rows=rows, want_after=want_after)


def want_reads(*, rows: Mapping[int, VariantStock], want_after: datetime | None = None) -> None:
    """Rule 5, for rows already locked. `want_after` waits for a platform whose counts lag its own writes."""
    for row, no in zip(rows.values(), next_stock_nos(len(rows)), strict=True):
        row.take(rules.want_read(as_value(row, now=row.count_at or _EPOCH), no=no))
        # A wish without a wait (a webhook's) must not shorten the wait of an order that the count may not know yet.
        row.want_after = max(filter(None, (row.want_after, want_after)), default=None)
    update_rows([*rows.values()], ("want_no", "want_after"))
    wake({row.variant.connection.party_id for row in rows.values() if row.variant.connection})


def release(*, order: Order, why: EndedWhy, now: datetime) -> None:
    """Rule 7: only for what surely never reached the shop, or was conclusively not found there."""
    with transaction.atomic():
        holds = list(holds_of(order))
        locked(hold.variant_id for hold in holds)
        for hold in holds:
            end_hold(hold, why=why, now=now)


def set_aside(
    *, order: Order, told: Telling, only: Iterable[int] | None = None, why: str = "you don't have it"
) -> None:
    """Rule 12, in the reject's transaction: nothing sells again until the seller confirms a count.

    `only` are variants, else all of the order's.
    """
    for row in locked(order.lines.values_list("variant_id", flat=True) if only is None else only).values():
        row.set_aside_by = order
        row.save(update_fields=["set_aside_by"])
        record(variant_id=row.pk, now=told.now, kind="set_aside", cause=f"rejected: {why}", order=order)
        _ask_to_count(row, order, why, told=told)


def _ask_to_count(row: VariantStock, order: Order, why: str, *, told: Telling) -> None:
    variant = row.variant
    counted = "nobody knows how many" if row.count is None else str(row.count)
    there = f"{variant.connection.name} counts {counted}" if variant.connection else f"the count here is {counted}"
    told.raise_alert(
        code=AlertCode.STOCK_DIFFERS,
        seller=variant.listing.seller,
        listing=variant.listing,
        connection=variant.connection,
        key=f"variant:{variant.pk}",
        evidence={"count": row.count, "order": order.public_id, "variant": variant.public_id},
        sentence=(
            f"“{variant}” is not sold: order {order} was rejected because {why}, while {there}. Count it, correct the"
            " number where it is wrong, then confirm."
        ),
    )


def sellable(connection: Connection | None) -> bool:
    """Neither paused nor waiting for its seller nor only looked at, and its prices mean what they meant when it was
    connected.
    """
    if connection is None:
        return True
    live = connection.state == ConnectionState.ACTIVE and connection.shadow_since is None
    return live and "money_changed" not in connection.settings


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
