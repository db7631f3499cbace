"""Reading counts: what is wanted, and what a read proves.

Kept apart from promising because only reads may raise what is sold.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from crossdock.domain import stock as rules
from crossdock.domain.alerts import AlertCode
from crossdock.domain.events import Count, StockHint, Unreadable
from crossdock.domain.goods import fell, told_early
from crossdock.domain.stock import Stock
from crossdock.domain.storable import storable
from crossdock.store.because import EVENT, because
from crossdock.store.bulk import copy_in, update_rows
from crossdock.store.models import Connection, Movement, Order, Reservation, Variant, VariantStock
from crossdock.store.models.quarantine import QuarantineKind
from crossdock.store.models.stock import next_stock_no
from crossdock.usecases.parties.quarantine import Intake, Tally
from crossdock.usecases.record.telling import Telling, telling
from crossdock.usecases.stock.linked import Fell, owes, units_left
from crossdock.usecases.stock.reservations import (
    as_value,
    end_by_read,
    locked,
    movement,
    open_holds,
    record,
)
from crossdock.usecases.stock.single_units import is_one_of_a_kind

_FIELDS = (
    "count",
    "count_at",
    "counted",
    "applied_no",
    "shop_version",
    "ceiling",
    "ceiling_no",
    "want_no",
    "want_after",
    "told_count",
)


@dataclass(frozen=True, slots=True)
class Ask:
    """Variants whose counts are to be read in one request that leaves after `read_no` was drawn."""

    read_no: int
    refs: tuple[tuple[str, str], ...]


def draw_read_no() -> int:
    """Rule 2: drawn before the request leaves; nothing else about the read is kept."""
    return next_stock_no()


def counts_wanted(*, connection_id: int, limit: int, now: datetime) -> Ask | None:
    """The oldest wishes of this shop, (product id, variant id) each."""
    rows = (
        VariantStock.objects.filter(variant__connection_id=connection_id, want_no__gt=0, variant__gone=False)
        .filter(Q(want_after=None) | Q(want_after__lte=now))
        .order_by("want_no")[:limit]
    )
    refs = tuple(rows.values_list("variant__listing__shop_product_id", "variant__shop_variant_id"))
    return Ask(draw_read_no(), refs) if refs else None


def want_old_counts(*, connection_id: int, older_than: timedelta, limit: int, now: datetime) -> int:
    """The periodic poll reads every variant anyway: wishes for the counts that nobody read for long.

    Returns how many.
    """
    with transaction.atomic():
        rows = VariantStock.objects.select_for_update(no_key=True, skip_locked=True, of=("self",)).filter(
            Q(count_at=None) | Q(count_at__lt=now - older_than),
            variant__connection_id=connection_id,
            want_no=0,
            variant__gone=False,
        )
        ids = list(rows.order_by("pk").values_list("pk", flat=True)[:limit])
        if ids:
            VariantStock.objects.filter(pk__in=ids).update(want_no=next_stock_no())
    return len(ids)


def all_read_since(*, connection_id: int, since: datetime) -> bool:
    """No count of this shop is older. Those that nobody ever read belong to the first reading."""
    old = VariantStock.objects.filter(variant__connection_id=connection_id, variant__gone=False, count_at__lt=since)
    return not old.exists()


def apply_counts(
    *,
    connection_id: int,
    read_no: int,
    asked: Sequence[tuple[str, str]],
    counts: Sequence[Count | Unreadable],
    now: datetime,
    waited: bool = True,
    call: str = "",
    tally: Tally | None = None,
) -> tuple[str, ...]:
    """Take a read into the rows; `waited` as for `apply_locked`.

    A count that trips stands in quarantine alone, and its variant is unanswered. Returns the shop ids of products whose
    variants were asked for and not answered: look at these again. `tally` is told the rest.
    """
    tally = Tally() if tally is None else tally
    shop = Connection.objects.get(pk=connection_id)
    variants = {row.pk: row for row in shop.variants.filter(shop_variant_id__in=[variant for _, variant in asked])}
    by_shop_id = {row.shop_variant_id: pk for pk, row in variants.items()}
    intake = Intake(QuarantineKind.COUNTS)
    intake.refuse(count for count in counts if isinstance(count, Unreadable))
    rows = [count for count in counts if not isinstance(count, Unreadable) and count.variant_id in by_shop_id]

    def apply(some: Sequence[Count]) -> None:
        answers = {by_shop_id[count.variant_id]: count for count in some}
        with telling(now, savepoint=False) as told:
            tally.changed += apply_locked(answers=answers, read_no=read_no, waited=waited, variants=variants, told=told)

    with transaction.atomic():
        intake.take_all({count.variant_id: count for count in rows}, apply)
        tally.tripped = intake.end(connection_id=connection_id, call=call, now=now)
        answers = {by_shop_id[variant] for variant in intake.taken}
        Connection.objects.filter(pk=connection_id).update(last_read_at=now)
        unanswered = [(product, variant) for product, variant in asked if by_shop_id.get(variant) not in answers]
        # An unanswered variant is unknown, not what it was: it stops selling, and its wish is met so that it does not
        # spin.
        missing = locked(by_shop_id[variant] for _, variant in unanswered if variant in by_shop_id)
        tally.changed += len(unanswered)
        for row in missing.values():
            if rules.may_apply(as_value(row, now=now), read_no=read_no):
                row.count, row.want_no, row.want_after, row.applied_no, row.count_at = (
                    None,
                    0,
                    None,
                    next_stock_no(),
                    now,
                )
                row.save(update_fields=["count", "want_no", "want_after", "applied_no", "count_at"])
    return tuple(sorted({product for product, _ in unanswered}))


def apply_locked(
    *,
    answers: Mapping[int, Count],
    read_no: int,
    told: Telling,
    waited: bool = False,
    variants: Mapping[int, Variant],
    made: Sequence[VariantStock] = (),
    also: Collection[int] = (),
) -> int:
    """Rules 3 and 4 for many variants in one transaction: knowledge and the end of holds change together.

    `waited` reads were drawn only once the shop's count lag had passed. Any other read of a variant that still has to
    wait is void: on a platform whose counts lag its own writes it may not know the order whose fence it would prove.

    A row whose count is as it was is written as well: its number is what voids an older answer that is on its way.
    `variants` are at hand with their shops; `made` are rows of theirs that nobody has written yet; `also` are other
    variants, whose rows are locked with these in one order. Returns of how many
    known ones the count or the ceiling changed, a hold ended, or a void read said another number.
    """
    now = told.now
    fresh = {row.pk: row for row in made}
    rows = _kept(variants, [pk for pk in answers if pk not in fresh], also)
    rows |= fresh
    holds = open_holds(pk for pk, row in rows.items() if not row._state.adding)
    applied_no = next_stock_no() if rows else 0
    changed: list[VariantStock] = []
    news = 0
    moves: list[Movement | None] = []
    fallen: list[Fell] = []
    for pk, row in rows.items():
        before, answer = as_value(row, now=now), answers[pk]
        too_early = row.want_after is not None and (not waited or row.want_after > now)
        if too_early or not rules.may_apply(before, read_no=read_no):
            # It changes nothing, and another number is evidence all the same.
            news += answer.count != before.count
            continue
        mine = {str(hold.pk): hold for hold in holds.get(pk, [])}
        after, settled = rules.apply_read(
            before,
            [hold.value() for hold in mine.values()],
            count=answer.count,
            version=answer.version,
            read_no=read_no,
            applied_no=applied_no,
        )
        ended = {hold.id for hold in settled}
        left = rules.available(after, [hold.value() for id_, hold in mine.items() if id_ not in ended])
        moves += [end_by_read(mine[id_], read_no=read_no, left=left, now=now) for id_ in ended]
        news += not row._state.adding and (
            before.count != after.count or before.ceiling != after.ceiling or bool(ended)
        )
        if sold := _left_the_pool(row, after, [*mine.values()], ended):
            fallen.append(sold)
        row.take(after)
        row.counted, row.count_at = answer.count is not None, now
        row.want_after = None if after.want_no == 0 else row.want_after
        changed.append(row)
        if before.count != after.count:
            moves.append(_counted(pk, before, after, left=left, read_no=read_no, now=now))
        _look_below_zero(row, before, after, answer, told=told)
    copy_in([move for move in moves if move is not None], keys=False)
    update_rows([row for row in changed if not row._state.adding], _FIELDS)
    copy_in(made)
    if fallen:
        units_left(fallen, read_no=read_no, told=told)
    return news


def _kept(variants: Mapping[int, Variant], asked: Collection[int], also: Collection[int]) -> dict[int, VariantStock]:
    """The rows of those that were asked for, locked in one order with the others."""
    rows = VariantStock.objects.select_for_update(no_key=True).filter(pk__in=[*asked, *also]).order_by("pk")
    wanted = {*asked}
    kept = {row.pk: row for row in rows if row.pk in wanted}
    for pk, row in kept.items():
        row.variant = variants[pk]
    return kept


def _left_the_pool(row: VariantStock, after: Stock, holds: Sequence[Reservation], ended: set[str]) -> Fell | None:
    """Of linked goods: what this read says was sold of the units that other shops count as well."""
    known = row.told_count if row.told_count is not None else row.count
    if after.count is None or known is None or (row.told_count is None and not is_one_of_a_kind(row.variant)):
        return None
    owed = [hold for hold in holds if owes(hold)]
    corrected = sum(hold.quantity for hold in owed if str(hold.pk) in ended)
    units = fell(told=known, count=after.count, corrected=corrected)
    early = told_early(told=known, count=after.count, corrected=corrected)
    if row.told_count is not None:
        row.told_count = after.count
    if not units and not early:
        return None
    open_, proven = ([hold for hold in owed if (str(hold.pk) in ended) is done] for done in (False, True))
    return Fell(row, units, owing=open_, early=early, proven=proven)


def _counted(pk: int, before: Stock, after: Stock, *, left: int | None, read_no: int, now: datetime) -> Movement:
    return movement(
        variant_id=pk,
        now=now,
        kind="shop_count",
        cause=EVENT.get() or "read from the shop",
        before=before.count,
        after=after.count,
        left=left,
        event=f"read:{read_no}",
    )


def _look_below_zero(row: VariantStock, before: Stock, after: Stock, answer: Count, *, told: Telling) -> None:
    was_below = before.count is not None and before.count < 0
    if rules.oversold(after) and not answer.backorders and not was_below:
        _alert_below_zero(row, told=told)
    elif was_below and after.count is not None and after.count >= 0:
        told.settle_by_fact(
            how=f"Your shop counts {after.count} now.",
            codes=(AlertCode.STOCK_BELOW_ZERO,),
            listing=row.variant.listing,
            key=f"variant:{row.pk}",
        )


def take_hints(*, connection_id: int, hints: Iterable[StockHint], now: datetime, event: str = "") -> None:
    """Rule 11: numbers that webhooks carried may only lower."""
    lowest: dict[str, int] = {}
    for hint in hints:
        variant_id = storable(hint.variant_id)
        lowest[variant_id] = min(hint.count, lowest.get(variant_id, hint.count))
    by_pk = dict(
        Variant.objects.filter(connection_id=connection_id, shop_variant_id__in=lowest).values_list(
            "pk", "shop_variant_id"
        )
    )
    intake = Intake(QuarantineKind.COUNTS)
    with transaction.atomic(), because(event or EVENT.get()):
        intake.take_all(
            {variant_id: pk for pk, variant_id in by_pk.items()},
            lambda some: _take_hints({pk: lowest[by_pk[pk]] for pk in some}, now=now),
        )
        # A hint proves nothing about the count itself, so it heals nothing.
        intake.taken.clear()
        intake.end(connection_id=connection_id, now=now)


def _take_hints(hints: Mapping[int, int], *, now: datetime) -> None:
    for pk, row in locked(hints).items():
        before = as_value(row, now=now)
        row.take(rules.take_hint(before, count=hints[pk], no=next_stock_no()))
        row.save(update_fields=["count", "applied_no", "ceiling", "ceiling_no", "want_no"])
        if before.ceiling != row.ceiling:
            record(
                variant_id=pk,
                now=now,
                kind="hint",
                cause="a webhook said fewer",
                before=before.ceiling,
                after=row.ceiling,
            )


def _alert_below_zero(row: VariantStock, *, told: Telling) -> None:
    variant = row.variant
    open_orders = [
        f"#{number}"
        for number in (
            Order.objects.filter(lines__variant=variant, cancelled_at=None)
            .exclude(parcels="shipped")
            .order_by("-pk")
            .values_list("number", flat=True)[:10]
        )
    ]
    told.raise_alert(
        code=AlertCode.STOCK_BELOW_ZERO,
        seller=variant.listing.seller,
        listing=variant.listing,
        connection=variant.connection,
        key=f"variant:{variant.pk}",
        evidence={"count": row.count, "orders": open_orders},
        sentence=(
            f"Your shop counts {row.count} of “{variant}”: it was sold in both places at once. Open orders here:"
            f" {', '.join(open_orders) or 'none'}."
        ),
    )
