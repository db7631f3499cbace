"""Linked goods at work: one pool of units that several of a seller's shops count (docs/decisions/0019-linked-goods.md).

One listing of the group is sold here. Units that leave the pool in one shop are owed by the others: held there as a
promise is, until that shop's count is lower by them, proven by a read after its correction.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import AdjustStock, CommandKind
from crossdock.domain.stock import EndedWhy, HoldState, never_sent
from crossdock.store.bulk import lock_in_order
from crossdock.store.models import Command, Reservation, Variant, VariantStock
from crossdock.store.models.stock import next_stock_nos
from crossdock.store.models.work import CommandResult, CommandState
from crossdock.usecases.outbox.queue import adjust_stock_command
from crossdock.usecases.record.telling import Telling
from crossdock.usecases.stock.reservations import end_hold, record
from crossdock.usecases.stock.single_units import same_units

CAUSE = "linked:"


@dataclass(frozen=True, slots=True)
class Fell:
    """Units that left the pool by this variant's count, while it was `owing` some itself. `early`: so many of what is
    `proven` to be a correction by this read may have been told as a sale by one before.
    """

    row: VariantStock
    units: int
    owing: Sequence[Reservation] = ()
    early: int = 0
    proven: Sequence[Reservation] = ()

    @property
    def sure(self) -> bool:
        """Not where its seller, or a correction whose answer is not here, may have taken these out."""
        return not self.owing


def owes(hold: Reservation) -> bool:
    """Whether these are units that were sold in another shop."""
    return hold.cause.startswith(CAUSE)


def units_left(fallen: Sequence[Fell], *, read_no: int, told: Telling) -> None:
    """The other members of each one's group owe the units. Their rows are not locked, which would be in another order
    than a checkout's: a hold only lowers, and who promised in this moment did so before the news.
    """
    for fell in fallen:
        if fell.early:
            _take_back(fell, told=told)
    fallen = [fell for fell in fallen if fell.units]
    single = [fell.row.variant for fell in fallen if fell.row.group is None]
    beside = same_units(single) if single else {}
    groups = _members([fell.row.group for fell in fallen if fell.row.group is not None])
    for fell in fallen:
        begins = _maybe(fell.row) if _may_be_ours(fell) else f"{CAUSE}{fell.row.pk}:"
        group = fell.row.group
        others = beside.get(fell.row.pk, []) if group is None else groups[group]
        for other in others:
            if other.pk != fell.row.pk:
                _owe(other, fell, cause=f"{begins}{read_no}:{other.pk}", told=told)


def _take_back(fell: Fell, *, told: Telling) -> None:
    """What the others owe for a fall that was our own correction: a read found it before its answer was here. It was
    held at once, as it may have been a sale, and no shop was corrected for it.
    """
    done = Command.objects.filter(cause__in=[_correction(hold) for hold in fell.proven], result=CommandResult.OK)
    by_us = {*done.values_list("cause", flat=True)}
    units = min(fell.early, sum(hold.quantity for hold in fell.proven if _correction(hold) in by_us))
    maybe = Reservation.objects.filter(cause__startswith=_maybe(fell.row), fence_no=None).exclude(state=HoldState.ENDED)
    left: dict[int, int] = {}
    # Who has one of them in hand ends or fences it by a fact of theirs.
    for hold in maybe.select_for_update(no_key=True, skip_locked=True, of=("self",)).order_by("pk"):
        free = left.setdefault(hold.variant_id, units)
        left[hold.variant_id] -= min(free, hold.quantity)
        if free >= hold.quantity:
            end_hold(hold, why=EndedWhy.NOT_SENT, now=told.now)
        elif free:
            hold.quantity -= free
            hold.save(update_fields=["quantity"])
    asked = {hold.variant_id for hold in owed_by([*left]) if hold.fence_no is None}
    for other in Variant.objects.filter(pk__in=left.keys() - asked).select_related("listing"):
        told.settle_by_fact(
            how="The other shop's count fell by our own correction; nothing is owed for it.",
            codes=(AlertCode.STOCK_DIFFERS,),
            listing=other.listing,
            key=f"variant:{other.pk}",
        )


def _maybe(row: VariantStock) -> str:
    """How the causes begin of what others owe for a fall that may be our own correction."""
    return f"{CAUSE}{row.pk}:maybe:"


def _may_be_ours(fell: Fell) -> bool:
    """Whether a correction that the shop was asked, and did not refuse, may be what it counts fewer."""
    asked = Command.objects.filter(cause__in=[_correction(hold) for hold in fell.owing], attempts__gt=0)
    return bool(fell.owing) and asked.exclude(result=CommandResult.REFUSED).exists()


def _members(groups: Sequence[int]) -> dict[int, list[Variant]]:
    rows = Variant.objects.filter(Q(pk__in=groups) | Q(stock__sold_as__in=groups), gone=False)
    found: dict[int, list[Variant]] = {group: [] for group in groups}
    for row in rows.select_related("listing__seller", "connection__party", "stock").order_by("pk"):
        if row.stock.group in found:
            found[row.stock.group].append(row)
    return found


def _owe(other: Variant, fell: Fell, *, cause: str, told: Telling) -> None:
    Reservation.objects.create(
        cause=cause, variant=other, quantity=fell.units, state=HoldState.OWED, created_at=told.now
    )
    where = fell.row.variant.connection
    sold = f"sold in {where.name}" if where else "sold here"
    record(variant_id=other.pk, now=told.now, kind="linked", cause=sold, quantity=fell.units)
    if other.connection is None:
        # Its count is ours, and nobody else sells from it.
        return
    if fell.sure and (other.stock.count or 0) > 0:
        command = AdjustStock(other.listing.shop_product_id, other.shop_variant_id, -fell.units, cause, sold)
        adjust_stock_command(
            party=other.connection.party, command=command, subject=f"{CAUSE}{other.public_id}", now=told.now
        )
        return
    told.raise_alert(
        code=AlertCode.STOCK_DIFFERS,
        seller=other.listing.seller,
        listing=other.listing,
        connection=other.connection,
        key=f"variant:{other.pk}",
        evidence={"count": other.stock.count, "units": fell.units, "variant": other.public_id},
        sentence=(
            f"{fell.units} of “{other}” left {where.name if where else 'your stock'}, and {other.connection.name}"
            f" counts {other.stock.count}. They are one thing: correct the count that is wrong in its shop, then"
            " confirm here."
        ),
    )


def told_of(causes: Sequence[str]) -> None:
    """Shops said that they took these units out of their counts: the next read that is drawn after now contains it."""
    holds = list(Reservation.objects.filter(cause__in=causes, fence_no=None).exclude(state=HoldState.ENDED))
    fence(holds)


def fence(holds: Sequence[Reservation]) -> None:
    for hold, no in zip(holds, next_stock_nos(len(holds)), strict=True):
        # One that was taken back in this moment stays ended.
        still = Reservation.objects.filter(pk=hold.pk).exclude(state=HoldState.ENDED)
        still.update(fence_no=no, state=HoldState.TAKEN)


def settled_by_count(variant_ids: Sequence[int]) -> None:
    """The seller says that these counts are right as the next read finds them."""
    fence([hold for hold in owed_by(variant_ids) if hold.fence_no is None])


def owed_by(variant_ids: Sequence[int]) -> list[Reservation]:
    """What these owe because it was sold elsewhere."""
    owed = Reservation.objects.filter(variant__in=variant_ids, cause__startswith=CAUSE)
    return list(owed.exclude(state=HoldState.ENDED).order_by("pk"))


def counted_by_hand(row: VariantStock, *, now: datetime) -> int:
    """What a listing made by hand owes is out of the count that its seller types. How many units; its row is locked."""
    owed = owed_by([row.pk])
    for hold in owed:
        end_hold(hold, why=EndedWhy.SHIPPED_HERE, now=now)
    return sum(hold.quantity for hold in owed)


def lock_corrections(variants: Collection[Variant]) -> None:
    """Those that wait to be sent, before any other row of these."""
    about = [f"{CAUSE}{variant.public_id}" for variant in variants]
    waiting = Command.objects.filter(kind=CommandKind.ADJUST_STOCK, subject__in=about, state=CommandState.WAITING)
    lock_in_order(waiting)


def let_go(rows: Mapping[int, VariantStock], *, told: Telling) -> list[Variant]:
    """These are linked no more; their rows are locked, and before them their corrections. What their shops were surely
    not asked to take out is owed no more. What a shop was asked, or has done, stays held until a read shows it.

    Returns those whose shop may still be taking units out.
    """
    owed = owed_by([*rows])
    corrections = Command.objects.filter(cause__in=[_correction(hold) for hold in owed])
    asked = {command.cause: command for command in corrections}
    kept = {}
    for hold in owed:
        row, command = rows[hold.variant_id], asked.get(_correction(hold))
        if row.variant.connection_id is None:
            row.count = max(0, (row.count or 0) - hold.quantity)
            row.save(update_fields=["count"])
            end_hold(hold, why=EndedWhy.SHIPPED_HERE, now=told.now)
        elif hold.fence_no is None and (command is None or _not_done(command, told=told)):
            end_hold(hold, why=EndedWhy.NOT_SENT, now=told.now)
        elif hold.fence_no is None:
            kept[row.pk] = row.variant
    for row in rows.values():
        if row.pk not in kept:
            told.settle_by_fact(
                how="Each is sold by its own shop's count again.",
                codes=(AlertCode.STOCK_DIFFERS,),
                listing=row.variant.listing,
                key=f"variant:{row.pk}",
            )
    return [*kept.values()]


def _correction(hold: Reservation) -> str:
    return f"adjust:{hold.cause}"[:120]


def _not_done(command: Command, *, told: Telling) -> bool:
    """Surely not, and it never will be."""
    if never_sent(attempts=command.attempts, waiting=command.state == CommandState.WAITING):
        command.state, command.finished_at = CommandState.WITHDRAWN, told.now
        command.sentence = "They are different things, so its count stays."
        command.save(update_fields=["state", "finished_at", "sentence"])
    return command.state == CommandState.WITHDRAWN or command.result == CommandResult.REFUSED
