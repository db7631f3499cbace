"""A SKU or GTIN that stands in several of a seller's shops: found at import, decided by the seller, undone at any time.

The same thing: one listing is sold here and the others leave the market; what is sold in one shop the others owe
(usecases/stock/linked.py). Different: remembered, and not asked again.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from crossdock.domain.goods import MOST_OF_A_NAME, Name, Verdict, gtin, names_something
from crossdock.domain.stock import EndedWhy, HoldState
from crossdock.store.bulk import lock_in_order
from crossdock.store.models import Connection, Duplicate, Listing, Reservation, User, Variant, VariantStock
from crossdock.store.models.catalogue import ListingState
from crossdock.store.models.stock import next_stock_no
from crossdock.store.once import insert_new
from crossdock.usecases.catalogue.queries import members_of, named
from crossdock.usecases.errors import Invalid, NotAllowed, Stale
from crossdock.usecases.record.rights import require
from crossdock.usecases.stock.linked import CAUSE
from crossdock.usecases.stock.reservations import end_hold, locked, record

_HERE = (
    " FROM store_variant v JOIN store_listing l ON l.id = v.listing_id"
    " WHERE NOT v.gone AND l.seller_id = %(seller)s AND NOT l.gone_in_shop AND l.state <> 'archived'"
)
_TWICE = f" GROUP BY 2 HAVING count(DISTINCT coalesce(v.connection_id, 0)) > 1 AND count(*) <= {MOST_OF_A_NAME}"
_DIGITS = "lpad(regexp_replace(v.barcode, '[^0-9]', '', 'g'), 14, '0')"
_SKUS = f"SELECT 'sku', upper(v.sku){_HERE} AND v.sku <> ''"
_CODES = f"SELECT 'barcode', {_DIGITS}{_HERE} AND v.barcode <> ''"
# Of these names alone, by their indexes; without them all of a seller's.
_THESE_SKUS = " AND upper(v.sku) = ANY(ARRAY(SELECT upper(s) FROM unnest(%(skus)s::text[]) s))"
_THESE_CODES = f" AND {_DIGITS} = ANY(%(codes)s::text[])"


def find_duplicates(*, seller_id: int, variants: Sequence[Variant], now: datetime) -> int:
    """Of variants that are new or changed: one statement, and one more where something is found. How many are new."""
    skus = sorted({each.sku for each in variants if names_something(each.sku)})
    codes = sorted({code for each in variants if (code := gtin(each.barcode))})
    if not skus and not codes:
        return 0
    asked = f"{_SKUS}{_THESE_SKUS}{_TWICE} UNION ALL {_CODES}{_THESE_CODES}{_TWICE}"
    return _keep(asked, {"seller": seller_id, "skus": skus, "codes": codes}, now=now)


def find_all_duplicates(*, connection_id: int, now: datetime) -> int:
    """Of everything that the shop's seller has: for what stood here before it was looked for, and two shops that were
    read at once. Once in each reconciliation.
    """
    seller_id = Connection.objects.values_list("seller_id", flat=True).get(pk=connection_id)
    return _keep(f"{_SKUS}{_TWICE} UNION ALL {_CODES}{_TWICE}", {"seller": seller_id}, now=now)


def _keep(asked: str, params: dict[str, Any], *, now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(asked, params)
        found = sorted(cursor.fetchall())
    rows = [
        Duplicate(seller_id=params["seller"], kind=kind, key=key, found_at=now)
        for kind, key in found
        if (names_something(key) if kind == Name.SKU else gtin(key))
    ]
    fresh = insert_new(rows, "seller_id", "kind", "key")
    # What was linked, and stands in one more place now, is asked about again.
    known = Duplicate.objects.filter(seller_id=params["seller"], verdict=Verdict.SAME, key__in=[r.key for r in rows])
    linked = list(known.order_by("pk")) if len(fresh) < len(rows) else []
    members = members_of(linked)
    _decided([row for row in linked if any(each.stock.group is None for each in members[row.pk])], Verdict.OPEN)
    return len(fresh)


def decide_different(*, duplicate: Duplicate, actor: User, now: datetime) -> None:
    """Remembered; of another name that the same variants share as well."""
    require(actor, duplicate.seller)
    with transaction.atomic():
        row = _open(duplicate)
        _decided([row, *_beside(row, named(row))], Verdict.DIFFERENT, actor=actor, now=now)


def decide_same(*, duplicate: Duplicate, sold_as: str, actor: User, now: datetime) -> None:
    """`sold_as` is the public id of the variant that buyers see. Raises Invalid, NotAllowed, Stale."""
    require(actor, duplicate.seller)
    with transaction.atomic():
        row = _open(duplicate)
        members = named(row)
        lock_in_order(Listing.objects.filter(pk__in={each.listing_id for each in members}))
        rows = locked([each.pk for each in members])
        head = next((each for each in members if each.public_id == sold_as), None)
        if head is None:
            raise Invalid("Choose which listing buyers see.")
        if len(members) < 2:
            raise Stale("It stands in one place only by now; there is nothing to link.")
        fresh = [each for each in members if rows[each.pk].group is None]
        _may_be_linked(head, members, fresh, rows)
        for each in fresh:
            stock = rows[each.pk]
            stock.told_count = stock.count
            stock.sold_as = None if each.pk == head.pk else head
            stock.save(update_fields=["told_count", "sold_as"])
            told = "the others of it are sold as this" if each.pk == head.pk else f"sold as “{head}”"
            record(variant_id=each.pk, now=now, kind="linked", cause=told, actor=actor)
        _owe_the_difference(head, members, rows, now=now)
        row.left_out = [*row.left_out, *_leave_out(head, members, now=now)]
        _decided([row, *_beside(row, members)], Verdict.SAME, actor=actor, now=now)


def undo(*, duplicate: Duplicate, actor: User, now: datetime) -> None:
    """Asked again. What was linked is sold by itself again, each by its own shop's count."""
    require(actor, duplicate.seller)
    with transaction.atomic():
        row = Duplicate.objects.select_for_update(no_key=True, of=("self",)).get(pk=duplicate.pk)
        verdict = row.verdict
        _unlink(row, actor=actor, now=now)
        _decided([row, *_beside(row, named(row), verdict)], Verdict.OPEN)


def _open(duplicate: Duplicate) -> Duplicate:
    row = Duplicate.objects.select_for_update(no_key=True, of=("self",)).get(pk=duplicate.pk)
    if row.verdict != Verdict.OPEN:
        raise Stale("This was decided already, maybe in another tab. Undo it first.")
    return row


def _decided(
    rows: Sequence[Duplicate], verdict: Verdict, *, actor: User | None = None, now: datetime | None = None
) -> None:
    for row in rows:
        row.verdict, row.decided_by, row.decided_at = verdict, actor, now
        row.save(update_fields=["verdict", "decided_by", "decided_at", "left_out"])


def _beside(row: Duplicate, members: Sequence[Variant], verdict: str = Verdict.OPEN) -> list[Duplicate]:
    """The other names that exactly these variants share, as a SKU beside a barcode."""
    keys = {(Name.SKU, each.sku.upper()) for each in members} | {(Name.BARCODE, gtin(each.barcode)) for each in members}
    others = Duplicate.objects.select_for_update(no_key=True, of=("self",)).filter(
        seller=row.seller_id, verdict=verdict, key__in=[key for _, key in keys if key]
    )
    mine = {each.pk for each in members}
    alike = [each for each in others.exclude(pk=row.pk).order_by("pk") if (each.kind, each.key) in keys]
    theirs = members_of(alike)
    return [each for each in alike if {variant.pk for variant in theirs[each.pk]} == mine]


def _may_be_linked(
    head: Variant, members: Sequence[Variant], fresh: Sequence[Variant], rows: dict[int, VariantStock]
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
    busy = Reservation.objects.filter(variant__in=others).exclude(state=HoldState.ENDED).order_by("pk").first()
    if busy is not None:
        which = next(each for each in members if each.pk == busy.variant_id)
        raise NotAllowed(
            f"“{which}” in {_place(which)} is being sold just now. Try again when that order is in the shop's count, or"
            " is shipped."
        )


def _place(variant: Variant) -> str:
    return variant.connection.name if variant.connection else "your listings made by hand"


def _owe_the_difference(
    head: Variant, members: Sequence[Variant], rows: dict[int, VariantStock], *, now: datetime
) -> None:
    """Where shops count one pool differently, the lowest count is sold until the seller has confirmed the other."""
    counts = [rows[each.pk].count or 0 for each in members if each.connection is not None]
    over = (rows[head.pk].count or 0) - min(counts)
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


def _unlink(row: Duplicate, *, actor: User, now: datetime) -> None:
    heads = {each.stock.group for each in named(row)} - {None}
    if not heads:
        return
    group = Variant.objects.filter(pk__in=_group(heads))
    lock_in_order(Listing.objects.filter(pk__in=[*row.left_out, *group.values_list("listing_id", flat=True)]))
    rows = locked(list(group.values_list("pk", flat=True)))
    for stock in rows.values():
        stock.told_count, stock.sold_as = None, None
        stock.save(update_fields=["told_count", "sold_as"])
        record(variant_id=stock.pk, now=now, kind="unlinked", cause="sold by itself again", actor=actor)
    for hold in Reservation.objects.filter(variant__in=rows, cause__startswith=CAUSE).exclude(state=HoldState.ENDED):
        end_hold(hold, why=EndedWhy.NOT_SENT, now=now)
    Listing.objects.filter(pk__in=row.left_out, state=ListingState.LEFT_OUT).update(
        state=ListingState.LIVE, updated_at=now
    )
    row.left_out = []


def _group(heads: Collection[int | None]) -> list[int]:
    beside = VariantStock.objects.filter(sold_as__in=heads)
    return [*(head for head in heads if head is not None), *beside.values_list("pk", flat=True)]
