"""A SKU or GTIN that stands in several of a seller's shops: found at import, and again where one more shop has it.

What the seller says of it: usecases/catalogue/linking.py.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from crossdock.domain.goods import MOST_OF_A_NAME, Name, Said, Verdict, gtin, names_something
from crossdock.store.models import Connection, Duplicate, Listing, Variant
from crossdock.store.once import insert_new

_HERE = (
    " FROM store_variant v JOIN store_listing l ON l.id = v.listing_id"
    " WHERE NOT v.gone AND l.seller_id = %(seller)s AND NOT l.gone_in_shop AND l.state <> 'archived'"
    # A shop that is only looked at shares no units with another one.
    " AND NOT EXISTS (SELECT 1 FROM store_connection c WHERE c.id = v.connection_id AND c.shadow_since IS NOT NULL)"
)
_TWICE = f" GROUP BY 2 HAVING count(DISTINCT coalesce(v.connection_id, 0)) > 1 AND count(*) <= {MOST_OF_A_NAME}"
_DIGITS = "lpad(regexp_replace(v.barcode, '[^0-9]', '', 'g'), 14, '0')"
_SKUS = f"SELECT 'sku', upper(v.sku), array_agg(v.id){_HERE} AND v.sku <> ''"
# As long as a GTIN is, and nothing else in it: what is padded is equal to another thing's otherwise.
_LENGTHS = "length(regexp_replace(v.barcode, '[ -]', '', 'g')) IN (8, 12, 13, 14) AND v.barcode !~ '[^0-9 -]'"
_CODES = f"SELECT 'barcode', {_DIGITS}, array_agg(v.id){_HERE} AND v.barcode <> '' AND {_LENGTHS}"
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
        found = {(kind, key): members for kind, key, members in sorted(cursor.fetchall()) if _is_name(kind, key)}
    rows = [Duplicate(seller_id=params["seller"], kind=kind, key=key, found_at=now) for kind, key in found]
    fresh = insert_new(rows, "seller_id", "kind", "key")
    if len(fresh) < len(rows):
        _ask_again(params["seller"], found)
    return len(fresh)


def _is_name(kind: str, key: str) -> bool:
    return names_something(key) if kind == Name.SKU else bool(gtin(key))


def _ask_again(seller_id: int, found: Mapping[tuple[str, str], Sequence[int]]) -> None:
    """What was decided, and stands in one more place now: what was said of the others is kept."""
    known = Duplicate.objects.filter(seller_id=seller_id, key__in=[key for _, key in found])
    known = known.exclude(verdict=Verdict.OPEN)
    more = [row.pk for row in known if Said.of(row.said).new(found.get((row.kind, row.key), ()))]
    for row in known.select_for_update(no_key=True, of=("self",)).filter(pk__in=more).order_by("pk"):
        row.verdict, row.decided_by, row.decided_at = Verdict.OPEN, None, None
        row.save(update_fields=["verdict", "decided_by", "decided_at"])


def keep_as_it_is(listing: Listing) -> None:
    """Its seller listed it or took it off themselves: undoing a link changes it no more. Its row is locked."""
    rows = Duplicate.objects.filter(seller_id=listing.seller_id, left_out__contains=[listing.pk])
    for row in rows.select_for_update(no_key=True, of=("self",)).order_by("pk"):
        row.left_out = [pk for pk in row.left_out if pk != listing.pk]
        row.save(update_fields=["left_out"])
