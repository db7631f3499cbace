"""Reconciliation: what changed in a shop since the last time is read again, and every count that nothing here explains
is told with its cause.

It costs what changed, not what there is: the shop is asked for changed products. Only where a platform's counts do not
move a product's date is every count read.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet, Sum, Value
from django.db.models.functions import Greatest

from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import CommandKind
from crossdock.domain.health import PATIENCE, Stream, due_by
from crossdock.domain.recount import Cause, Decision, Evidence, cause_of
from crossdock.domain.stock import HoldState
from crossdock.domain.team.roles import Duty
from crossdock.store.models import (
    Command,
    Connection,
    Cursor,
    Delivery,
    Difference,
    Listing,
    Movement,
    OrderLine,
    Recount,
    Reservation,
    User,
    Variant,
)
from crossdock.store.models.recount import Occasion
from crossdock.store.models.work import CommandResult
from crossdock.store.work import wake
from crossdock.usecases.errors import NotAllowed
from crossdock.usecases.outbox.payloads import ADJUST
from crossdock.usecases.record.alerts import raise_alert, settle_by_fact
from crossdock.usecases.record.rights import require

STREAM, PRODUCTS = Stream.RECOUNT, Stream.PRODUCTS
EVERY = timedelta(hours=24)
# A shop that was not read for so long was out of sight: whatever it tells now is compared.
OUTAGE = timedelta(minutes=30)
_NOT_YET = timedelta(minutes=5)
_SWEEP = "counts:"


@dataclass(frozen=True, slots=True)
class Run:
    """A run as the engine needs it.

    `after` is the variant after which counts are swept; None while changed products are read.
    """

    id: int
    cursor: str
    after: int | None


def ask_for_recount(*, connection: Connection, actor: User, now: datetime) -> Recount:
    """On demand; one at a time, so a second click finds the first."""
    require(actor, connection.seller, duty=Duty.LISTINGS)
    if connection.state != "active":
        raise NotAllowed("The shop is not active; nothing is read from it now.")
    with transaction.atomic():
        run = _begin(connection_id=connection.pk, occasion=Occasion.DEMAND, actor=actor, now=now)
        if run is None:
            raise NotAllowed("The first reading of this shop is not finished yet; everything is compared after it.")
        Cursor.objects.filter(connection=connection, stream=STREAM).update(due_at=now)
        wake([connection.party_id])
        return run


def after_outage(*, connection_id: int, now: datetime) -> bool:
    """The shop was not read for long, by us or at all: the next reading of its changed products is a reconciliation."""
    last = Cursor.objects.filter(connection_id=connection_id, stream=PRODUCTS, completed_at__isnull=False).first()
    if last is None or last.asked_at is None or now - last.asked_at < max(OUTAGE, 3 * _poll()):
        return False
    with transaction.atomic():
        _begin(connection_id=connection_id, occasion=Occasion.OUTAGE, actor=None, now=now)
        Cursor.objects.filter(connection_id=connection_id, stream=STREAM).update(due_at=now)
    return True


def _poll() -> timedelta:
    return timedelta(seconds=settings.POLL_SECONDS)


def take_up(*, connection_id: int, now: datetime) -> Run | None:
    """The run that is open, or the scheduled one that is due.

    None while the shop's first reading is not finished: there is nothing to compare.
    """
    with transaction.atomic():
        run = Recount.objects.filter(connection_id=connection_id, finished_at=None).first()
        run = run or _begin(connection_id=connection_id, occasion=Occasion.SCHEDULE, actor=None, now=now)
        if run is None:
            Cursor.objects.filter(connection_id=connection_id, stream=STREAM).update(due_at=now + _NOT_YET)
            return None
        swept = run.cursor.removeprefix(_SWEEP) if run.cursor.startswith(_SWEEP) else ""
        return Run(run.pk, run.cursor, int(swept) if swept else None)


def _begin(*, connection_id: int, occasion: Occasion, actor: User | None, now: datetime) -> Recount | None:
    """From where the last one ended. After an outage from where polling stopped: until then nothing was missed."""
    cursors = {
        row.stream: row for row in Cursor.objects.select_for_update(no_key=True).filter(connection_id=connection_id)
    }
    products, mine = cursors.get(PRODUCTS), cursors.get(STREAM)
    if products is None or products.completed_at is None:
        return None
    open_one = Recount.objects.filter(connection_id=connection_id, finished_at=None).first()
    if open_one is not None:
        return open_one
    from_poll = occasion == Occasion.OUTAGE or mine is None or not mine.value
    return Recount.objects.create(
        connection_id=connection_id,
        occasion=occasion,
        actor=actor,
        started_at=now,
        cursor=products.value if from_poll or mine is None else mine.value,
    )


def page_read(
    *,
    run_id: int,
    read_no: int,
    variants: int,
    gone: Iterable[str],
    cursor: str,
    more: bool,
    sweep: bool,
    now: datetime,
) -> None:
    """A page of changed products was taken in, in this same transaction.

    `sweep`: this platform's counts are read one and all afterwards.
    """
    run = Recount.objects.select_for_update(no_key=True).get(pk=run_id)
    run.pages, run.variants = run.pages + 1, run.variants + variants
    _compare(run, read_no=read_no, gone=gone, now=now)
    run.cursor = cursor
    if not more:
        Cursor.objects.filter(connection_id=run.connection_id, stream=STREAM).update(value=cursor)
        if run.occasion == Occasion.OUTAGE:
            # It was the poll as well.
            Cursor.objects.filter(connection_id=run.connection_id, stream=PRODUCTS).update(
                value=cursor,
                asked_at=now,
                completed_at=now,
                due_by=Greatest(F("due_at"), Value(now)) + PATIENCE[Stream.PRODUCTS],
            )
        Connection.objects.filter(pk=run.connection_id).update(last_read_at=now)
        run.cursor = f"{_SWEEP}0"
    _go_on(run, done=not more and not sweep, now=now)


def to_sweep(*, run_id: int, limit: int, now: datetime) -> tuple[int, tuple[tuple[str, str], ...]]:
    """The next variants whose counts are read one and all: the last one's key, and what to ask for.

    Nothing when it is over.
    """
    run = Recount.objects.get(pk=run_id)
    after = int(run.cursor.removeprefix(_SWEEP))
    rows = list(
        Variant.objects.filter(connection_id=run.connection_id, gone=False, pk__gt=after)
        .order_by("pk")
        .values_list("pk", "listing__shop_product_id", "shop_variant_id")[:limit]
    )
    return (rows[-1][0] if rows else after), tuple((product, variant) for _, product, variant in rows)


def batch_read(*, run_id: int, read_no: int, variants: int, after: int, more: bool, now: datetime) -> None:
    """A batch of counts was applied, in this same transaction."""
    run = Recount.objects.select_for_update(no_key=True).get(pk=run_id)
    if variants:
        run.batches, run.variants = run.batches + 1, run.variants + variants
        _compare(run, read_no=read_no, gone=(), now=now)
    run.cursor = f"{_SWEEP}{after}"
    _go_on(run, done=not more, now=now)


def _go_on(run: Recount, *, done: bool, now: datetime) -> None:
    run.finished_at = now if done else None
    run.save()
    kept = {"completed_at": now, "due_by": due_by(Stream.RECOUNT, done_at=now, interval=EVERY)} if done else {}
    Cursor.objects.filter(connection_id=run.connection_id, stream=STREAM).update(
        due_at=now + EVERY if done else now, asked_at=now, **kept
    )
    if done:
        tell_of_differences(connection=run.connection, now=now)


def tell_of_differences(*, connection: Connection, now: datetime) -> None:
    """One alert per shop while something waits for a decision."""
    left = Difference.objects.filter(recount__connection=connection, decision="").count()
    key = f"recount:{connection.pk}"
    if left:
        raise_alert(
            code=AlertCode.STOCK_DIFFERS,
            seller=connection.seller,
            connection=connection,
            key=key,
            now=now,
            evidence={"differences": left},
            sentence=(
                f"{left} counts of {connection.name} were not what they should have been. The shop's numbers are used;"
                " open “Reconcile stock” at the shop and decide."
            ),
        )
    else:
        settle_by_fact(
            now=now,
            how="Every difference is decided.",
            codes=(AlertCode.STOCK_DIFFERS,),
            connection=connection,
            key=key,
        )


def _compare(run: Recount, *, read_no: int, gone: Iterable[str], now: datetime) -> None:
    """Counts that this read changed, each with what explains it, and products that are gone since."""
    event = f"read:{read_no}"
    moves = list(
        Movement.objects.filter(event=event, kind="shop_count", variant__connection_id=run.connection_id)
        .exclude(count_before=None)
        .select_related("variant__listing")
    )
    seen = _evidence(run, moves, event)
    found = [_difference(run, move.variant, seen[move.variant_id], now=now, movement=move) for move in moves]
    left = Variant.objects.filter(
        listing__in=Listing.objects.filter(
            connection_id=run.connection_id, shop_product_id__in=list(gone), gone_in_shop=True, updated_at=now
        )
    ).select_related("stock")
    found += [_difference(run, v, Evidence(v.stock.count, None, gone=True), now=now, movement=None) for v in left]
    fresh = [one for one in found if one.cause != Cause.ECHO]
    # A newer difference takes the place of one that nobody decided.
    Difference.objects.filter(variant_id__in=[one.variant_id for one in found], decision="").update(
        decision=Decision.SHOP, decided_at=now
    )
    Difference.objects.bulk_create(found, batch_size=500)
    run.differences += len(fresh)
    run.echoes += len(found) - len(fresh)


def _difference(
    run: Recount, variant: Variant, seen: Evidence, *, now: datetime, movement: Movement | None
) -> Difference:
    cause = cause_of(seen)
    echo = cause is Cause.ECHO
    return Difference(
        recount=run,
        variant=variant,
        movement=movement,
        cause=cause,
        expected=seen.expected,
        shop=seen.now,
        evidence=asdict(seen),
        found_at=now,
        decision=Decision.SHOP if echo else "",
        decided_at=now if echo else None,
    )


def _evidence(run: Recount, moves: list[Movement], event: str) -> dict[int, Evidence]:
    """For all of a page in a handful of queries."""
    ids = [move.variant_id for move in moves]
    taken = _sums(Movement.objects.filter(event=event, kind="hold_ended_read", variant_id__in=ids), "quantity")
    owed: dict[int, int] = defaultdict(int)
    for hold in Reservation.objects.filter(variant_id__in=ids).exclude(state=HoldState.ENDED):
        owed[hold.variant_id] += hold.quantity
    since = _read_before(ids, event)
    oldest = min(since.values(), default=run.started_at)
    back, corrected = _given_back(ids, since), _corrected(run, moves, since, oldest)
    told = _told(run, oldest)
    listening = bool((run.connection.hooks or {}).get("active"))
    return {
        move.variant_id: Evidence(
            move.count_before,
            move.count_after,
            taken=taken.get(move.variant_id, 0),
            given_back=back.get(move.variant_id, 0),
            corrected=corrected.get(move.variant_id, 0),
            owed=owed[move.variant_id],
            listening=listening,
            told=bool(told & {move.variant.shop_variant_id, move.variant.listing.shop_product_id}),
        )
        for move in moves
    }


def _sums(rows: "QuerySet[Movement]", field: str) -> dict[int, int]:
    return {pk: units or 0 for pk, units in rows.values_list("variant_id").annotate(Sum(field))}


def _read_before(ids: list[int], event: str) -> dict[int, datetime]:
    """When each count was last found changed before this read."""
    earlier = (
        Movement.objects.filter(variant_id__in=ids, kind="shop_count")
        .exclude(event=event)
        .order_by("variant_id", "-pk")
    )
    return dict(earlier.distinct("variant_id").values_list("variant_id", "at"))


def _given_back(ids: list[int], since: Mapping[int, datetime]) -> dict[int, int]:
    """Units of orders that stood in the shop and were cancelled there since the count was read."""
    lines = OrderLine.objects.filter(
        variant_id__in=ids, order__cancelled_at__isnull=False, order__copy__cancelled_there=True
    )
    back: dict[int, int] = defaultdict(int)
    for pk, units, at in lines.values_list("variant_id", "quantity", "order__cancelled_at"):
        if pk in since and at is not None and at > since[pk]:
            back[pk] += units
    return back


def _corrected(run: Recount, moves: list[Movement], since: Mapping[int, datetime], oldest: datetime) -> dict[int, int]:
    """What our own corrections changed since then."""
    by_shop_id = {move.variant.shop_variant_id: move.variant_id for move in moves}
    done = Command.objects.filter(
        party_id=run.connection.party_id,
        kind=CommandKind.ADJUST_STOCK,
        result=CommandResult.OK,
        finished_at__gt=oldest,
        # Emptied where the buyer's data was erased.
    ).exclude(payload={})
    sums: dict[int, int] = defaultdict(int)
    for payload, at in done.values_list("payload", "finished_at"):
        asked = ADJUST.validate_python(payload)
        pk = by_shop_id.get(asked.variant_id)
        if pk is not None and at is not None and at > since.get(pk, oldest):
            sums[pk] += asked.delta
    return sums


def _told(run: Recount, oldest: datetime) -> set[str]:
    """Products and variants of which the shop sent word since then."""
    heard = Delivery.objects.filter(party_id=run.connection.party_id, received_at__gt=oldest)
    names: set[str] = set()
    for news in heard.values_list("news", flat=True)[:20_000]:
        names |= {str(look.get("entity_id")) for look in news.get("looks", [])}
        names |= {str(hint.get("variant_id")) for hint in news.get("hints", [])}
    return names
