"""What search engines are told of, walked by key: listings and sellers that buyers may see. Nothing here writes.

A part holds the rows of one range of keys, so it never has more addresses than keys, and an address never moves from
one part into another. Django's own sitemaps count all rows and skip to a page, which a million listings make slow.
"""

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from itertools import chain

from django.db.models import DateTimeField, Exists, F, Model, OuterRef, QuerySet, Value
from django.db.models.functions import Cast

from crossdock.store.models import Seller
from crossdock.usecases.catalogue.listings import shown

# As many as https://www.sitemaps.org/protocol.html allows in one file.
PART, AT_ONCE = 50_000, 1_000
Found = tuple[str, datetime | None]


class Kind(StrEnum):
    SELLERS = "sellers"
    LISTINGS = "listings"


def parts(kind: Kind) -> Iterator[int]:
    """The numbers of the parts in which something is, one statement for each."""
    at = 0
    while (key := _rows(kind).filter(pk__gte=at).values_list("pk", flat=True).first()) is not None:
        yield key // PART
        at = (key // PART + 1) * PART


def part(kind: Kind, number: int) -> Iterator[Found] | None:
    """A name and when it changed last, where that is known; read a thousand at a time. None where nothing is."""
    found = _walk(kind, number)
    first = next(found, None)
    return None if first is None else chain([first], found)


def _walk(kind: Kind, number: int) -> Iterator[Found]:
    at, end = number * PART, (number + 1) * PART
    while at < end:
        rows = list(_rows(kind).filter(pk__gte=at, pk__lt=end).values_list("pk", "name_of", "changed")[:AT_ONCE])
        yield from ((name, changed) for _, name, changed in rows)
        if len(rows) < AT_ONCE:
            return
        at = rows[-1][0] + 1


def _rows(kind: Kind) -> QuerySet[Model]:
    if kind is Kind.LISTINGS:
        return shown().annotate(name_of=F("public_id"), changed=F("updated_at")).order_by("pk")
    sells = Exists(shown().filter(seller=OuterRef("pk")))
    unknown = Cast(Value(None), DateTimeField())
    return Seller.objects.filter(sells).annotate(name_of=F("slug"), changed=unknown).order_by("pk")
