"""What a seller says of a SKU or GTIN that stands in several of their shops; undone at any time.

The same thing: one listing is sold here and the others leave the market; what is sold in one shop the others owe
(usecases/stock/linked.py). Different: remembered, and not asked again. Of three, two may be one thing and the third
another.

Locks: corrections that wait, listings, stock rows, and last the names, as an import takes them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from django.db.models import Q

from crossdock.domain.goods import Said, Verdict, gtin
from crossdock.domain.stock import HoldState
from crossdock.domain.team.roles import Duty
from crossdock.store.bulk import lock_in_order
from crossdock.store.models import Duplicate, Listing, Reservation, Seller, User, Variant, VariantStock
from crossdock.store.models.catalogue import ListingState
from crossdock.store.models.stock import next_stock_no
from crossdock.usecases.catalogue.queries import members_of, named
from crossdock.usecases.catalogue.room import back_to
from crossdock.usecases.errors import Invalid, NotAllowed, Stale
from crossdock.usecases.record.rights import require
from crossdock.usecases.record.telling import Telling, telling
from crossdock.usecases.stock.linked import CAUSE, let_go, lock_corrections, owed_by
from crossdock.usecases.stock.reservations import locked, record

_DECIDED = "This was decided already, maybe in another tab. Undo it first."
_CHANGED = "Something changed in this moment, maybe in another tab. Look again, then decide."


def decide_different(
    *, duplicate: Duplicate, actor: User, now: datetime, seen: Collection[str] | None = None
) -> list[Variant]:
    """Each of them is another thing; two that were linked are so no more. `seen` are the public ids that the seller
    looked at; raises Stale where they are not all.

    Returns those whose shop may still take a unit out that was sold in another.
    """
    require(actor, duplicate.seller, duty=Duty.LISTINGS)
    with telling(now) as told:
        members, rows = _locked(duplicate)
        heads = _linked_here(duplicate, members, rows)
        row, others = _names(duplicate, rows, heads)
        _require_open(row, members, seen)
        kept = _unlink(heads, rows, [row, *others], actor=actor, told=told)
        _said(Said(apart=frozenset(each.pk for each in members)), [row, *others], actor=actor, now=now)
    return kept


def decide_same(
    *,
    duplicate: Duplicate,
    sold_as: str,
    actor: User,
    now: datetime,
    alike: Collection[str] | None = None,
    seen: Collection[str] | None = None,
) -> list[Variant]:
    """`sold_as` is the public id of the variant that buyers see, `alike` are those of all that are this thing (None:
    all), the others are apart. Raises Invalid, NotAllowed, Stale; `seen` and what is returned as above.
    """
    require(actor, duplicate.seller, duty=Duty.LISTINGS)
    with telling(now) as told:
        members, rows = _locked(duplicate)
        here = _linked_here(duplicate, members, rows)
        chosen = [each for each in members if alike is None or each.public_id in alike]
        head = next((each for each in chosen if each.public_id == sold_as), None)
        # Linked otherwise than they say now: begun anew.
        left = {each.pk for each in members if rows[each.pk].group in here} - {each.pk for each in chosen}
        heads = here if left or (head and here - {head.pk}) else frozenset()
        row, others = _names(duplicate, rows, heads)
        _require_open(row, members, seen)
        if len(members) < 2:
            raise Stale("It stands in one place only by now; there is nothing to link.")
        if len(chosen) < 2:
            raise Invalid("Tick what is the same thing: two listings at least.")
        if head is None:
            raise Invalid("Choose which listing buyers see.")
        _none_taken_down([rows[each.pk] for each in chosen], "linked")
        kept = _unlink(heads, rows, [row, *others], actor=actor, told=told)
        fresh = [each for each in chosen if rows[each.pk].group is None]
        owed = _owed(chosen)
        _may_be_linked(head, chosen, fresh, rows)
        for each in fresh:
            stock = rows[each.pk]
            stock.told_count = stock.count
            stock.sold_as = None if each.pk == head.pk else head
            stock.save(update_fields=["told_count", "sold_as"])
            what = "the others of it are sold as this" if each.pk == head.pk else f"sold as “{head}”"
            record(variant_id=each.pk, now=now, kind="linked", cause=what, actor=actor)
        _owe_the_difference(head, chosen, rows, owed, now=now)
        row.left_out = [*row.left_out, *_leave_out(head, chosen, now=now)]
        same = frozenset(each.pk for each in chosen)
        _said(Said(same, frozenset(each.pk for each in members) - same), [row, *others], actor=actor, now=now)
    return kept


def undo(*, duplicate: Duplicate, actor: User, now: datetime) -> list[Variant]:
    """Asked again. What was linked is sold by itself again, each by its own shop's count. Returns as above."""
    require(actor, duplicate.seller, duty=Duty.LISTINGS)
    with telling(now) as told:
        members, rows = _locked(duplicate)
        heads = _linked_here(duplicate, members, rows)
        row, others = _names(duplicate, rows, heads, undone=True)
        alike = [row, *(other for other in others if row.said and other.said == row.said)]
        kept = _unlink(heads, rows, [row, *others], actor=actor, told=told)
        for each in alike:
            _open_again(each)
    return kept


def _locked(duplicate: Duplicate) -> tuple[list[Variant], dict[int, VariantStock]]:
    """Its members, and the rows of all that is linked with one of them. Raises Stale where that changes meanwhile."""
    members = named(duplicate)
    about = {each.pk for each in members} | Said.of(duplicate.said).same
    known = list(VariantStock.objects.filter(pk__in=about))
    linked = _all_of({stock.group for stock in known} - {None}) | about
    variants = list(Variant.objects.filter(pk__in=linked))
    lock_corrections(variants)
    lock_in_order(Listing.objects.filter(pk__in={*duplicate.left_out, *(each.listing_id for each in variants)}))
    rows = locked(linked, "variant__listing__seller__owner")
    if not _all_of({stock.group for stock in rows.values()} - {None}) <= rows.keys():
        raise Stale(_CHANGED)
    return [each for each in members if each.pk in rows], rows


def _all_of(heads: Collection[int | None]) -> set[int]:
    beside = VariantStock.objects.filter(sold_as__in=heads)
    return {*(head for head in heads if head is not None), *beside.values_list("pk", flat=True)}


def _linked_here(duplicate: Duplicate, members: Sequence[Variant], rows: Mapping[int, VariantStock]) -> frozenset[int]:
    """The groups, by what is sold for each, of which this name has two or more."""
    mine = {each.pk for each in members} | Said.of(duplicate.said).same
    groups = [group for pk in mine if pk in rows and (group := rows[pk].group) is not None]
    return frozenset(group for group in groups if groups.count(group) > 1)


def _names(
    duplicate: Duplicate, rows: Mapping[int, VariantStock], heads: Collection[int], *, undone: bool = False
) -> tuple[Duplicate, list[Duplicate]]:
    """Its row, and those of other names that this is about: of the same variants, or of what is unlinked."""
    freed = [stock for stock in rows.values() if stock.group in heads]
    variants = [stock.variant for stock in rows.values()]
    keys = {each.sku.upper() for each in variants} | {gtin(each.barcode) for each in variants}
    about = Q(pk=duplicate.pk) | Q(verdict=Verdict.OPEN, key__in=keys - {""})
    for stock in freed:
        about |= Q(said__same__contains=[stock.pk]) | Q(left_out__contains=[stock.variant.listing_id])
    if undone and duplicate.said:
        about |= Q(said=duplicate.said)
    found = Duplicate.objects.select_for_update(no_key=True, of=("self",)).filter(about, seller=duplicate.seller_id)
    named_ = list(found.order_by("pk"))
    row = next(each for each in named_ if each.pk == duplicate.pk)
    if row.said != duplicate.said or not {*row.left_out} <= {*duplicate.left_out}:
        raise Stale(_DECIDED if row.verdict else _CHANGED)
    return row, [each for each in named_ if each.pk != row.pk]


def _require_open(row: Duplicate, members: Sequence[Variant], seen: Collection[str] | None) -> None:
    if row.verdict != Verdict.OPEN:
        raise Stale(_DECIDED)
    if seen is not None and {each.public_id for each in members} != {*seen}:
        raise Stale("It stands in other places by now than you looked at. Look again, then decide.")


def _said(said: Said, rows: Sequence[Duplicate], *, actor: User, now: datetime) -> None:
    """Kept of the first, and of each other that is open and names some of these variants alone, as a barcode beside a
    SKU.
    """
    judged = said.same | said.apart
    theirs = members_of(rows)
    for row in rows:
        mine = {each.pk for each in theirs[row.pk]}
        if row is rows[0] or (row.verdict == Verdict.OPEN and len(mine) > 1 and mine <= judged):
            its = said.about(mine)
            row.said, row.verdict, row.decided_by, row.decided_at = its.kept(), its.verdict, actor, now
            row.save(update_fields=["said", "verdict", "decided_by", "decided_at", "left_out"])


def _open_again(row: Duplicate) -> None:
    row.said, row.verdict, row.decided_by, row.decided_at = {}, Verdict.OPEN, None, None
    row.save(update_fields=["said", "verdict", "decided_by", "decided_at", "left_out"])


def _may_be_linked(
    head: Variant, members: Sequence[Variant], fresh: Sequence[Variant], rows: Mapping[int, VariantStock]
) -> None:
    if head.connection is None:
        raise NotAllowed("Buyers see a listing of a shop; one made by hand has nobody who counts it.")
    if any(each.listing.currency != head.listing.currency for each in members):
        raise NotAllowed("They are sold in different currencies, so one cannot be sold as the other.")
    for each in members:
        if rows[each.pk].group not in (None, head.pk):
            raise NotAllowed(f"“{each}” in {_place(each)} is linked already: choose what it is sold as, or undo that.")
        if rows[each.pk].count is None:
            raise Stale(f"How many of “{each}” there are is not known yet. Try again once its shop was read.")
    others = [each.pk for each in fresh if each.pk != head.pk]
    holds = Reservation.objects.filter(variant__in=others).exclude(state=HoldState.ENDED)
    busy = holds.exclude(cause__startswith=CAUSE).order_by("pk").first()
    if busy is not None:
        which = next(each for each in members if each.pk == busy.variant_id)
        raise NotAllowed(
            f"“{which}” in {_place(which)} is being sold just now. Try again when that order is in the shop's count, or"
            " is shipped."
        )


def _none_taken_down(rows: Iterable[VariantStock], deed: str) -> None:
    """Raises NotAllowed: one thing that staff took down does not come back as another listing of it."""
    for row in rows:
        if row.variant.listing.state == ListingState.TAKEN_DOWN:
            title = row.variant.listing.title
            raise NotAllowed(f"The marketplace took “{title}” down, so nothing of it is {deed} until that is decided.")


def _place(variant: Variant) -> str:
    return variant.connection.name if variant.connection else "your listings made by hand"


def _owed(members: Sequence[Variant]) -> dict[int, int]:
    owed = {each.pk: 0 for each in members}
    for hold in owed_by([*owed]):
        owed[hold.variant_id] += hold.quantity
    return owed


def _owe_the_difference(
    head: Variant,
    members: Sequence[Variant],
    rows: Mapping[int, VariantStock],
    owed: Mapping[int, int],
    *,
    now: datetime,
) -> None:
    """Where shops count one pool differently, the lowest count is sold until the seller has confirmed the other. What
    one owes is out of the pool already.
    """
    left = {each.pk: (rows[each.pk].count or 0) - owed[each.pk] for each in members if each.connection is not None}
    over = left[head.pk] - min(left.values())
    if over > 0:
        Reservation.objects.create(
            cause=f"{CAUSE}{head.pk}:differs:{next_stock_no()}",
            variant=head,
            quantity=over,
            state=HoldState.OWED,
            created_at=now,
        )


def _leave_out(head: Variant, members: Sequence[Variant], *, now: datetime) -> list[int]:
    """Listings of which nothing is sold by itself any more leave the market. Their keys."""
    listings = {each.listing_id for each in members} - {head.listing_id}
    selling = VariantStock.objects.filter(variant__listing__in=listings, variant__gone=False, sold_as=None)
    empty = listings - set(selling.values_list("variant__listing_id", flat=True))
    live = Listing.objects.filter(pk__in=empty, state=ListingState.LIVE).order_by("pk")
    out = list(live.values_list("pk", flat=True))
    live.filter(pk__in=out).update(state=ListingState.LEFT_OUT, updated_at=now)
    return out


def _unlink(
    heads: Collection[int],
    rows: Mapping[int, VariantStock],
    names: Sequence[Duplicate],
    *,
    actor: User,
    told: Telling,
) -> list[Variant]:
    """All of these groups, and whatever name said that they are one thing is asked about again. What left the market
    for it alone comes back. Returns those whose shop may still be taking units out.
    """
    freed = {pk: stock for pk, stock in rows.items() if stock.group in heads}
    _none_taken_down(freed.values(), "sold by itself")
    for pk, stock in freed.items():
        stock.told_count, stock.sold_as = None, None
        stock.save(update_fields=["told_count", "sold_as"])
        record(variant_id=pk, now=told.now, kind="unlinked", cause="sold by itself again", actor=actor)
    kept = let_go(freed, told=told)
    back = {stock.variant.listing_id for stock in freed.values()}
    again: set[int] = set()
    for name in names:
        again |= back & {*name.left_out}
        name.left_out = [pk for pk in name.left_out if pk not in back]
        if name.verdict == Verdict.SAME and len(Said.of(name.said).same & freed.keys()) > 1:
            _open_again(name)
        else:
            name.save(update_fields=["left_out"])
    listings = Listing.objects.filter(pk__in=again, state=ListingState.LEFT_OUT)
    for seller in Seller.objects.filter(pk__in=listings.values("seller")) if again else ():
        listings.filter(seller=seller).update(state=back_to(seller, ListingState.LIVE), updated_at=told.now)
    return kept
