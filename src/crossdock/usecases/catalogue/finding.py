"""Finding something to buy: words, price, what is in stock, in an order that the buyer chooses.

Whether a unit is left is the stock protocol's to say, so it is asked for the rows of a page and kept nowhere beside it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.contrib.postgres.search import TrigramStrictWordSimilarity
from django.db import connection, transaction
from django.db.models import BooleanField, Count, Exists, F, Func, OuterRef, Q, QuerySet

from crossdock.domain.finding.choosing import NUMBER, Choice, all_take
from crossdock.domain.finding.words import folded
from crossdock.store.models import Listing, Seller, ShippingRate, Variant
from crossdock.usecases.catalogue.listings import live, offered
from crossdock.usecases.stock.reservations import availability

_SELLERS = 500
_WORDS = 8
# Of the parts of three letters of two words together, how many both have: two letters changed places are 0.43 of ten.
_ALIKE = "0.4"
# Of a word with fewer letters almost every other word is one typing error away.
_SHORT = 4
# Pages that are looked through for what is in stock, before what was found so far is shown.
_LOOKS = 5
# Of a saved search, until their sellers are back from their holidays.
_HELD_BACK = 200


class Sort(StrEnum):
    """NEWEST is the order of listing here. By price means: of the cheapest variant, in one currency."""

    NEWEST = ""
    CHEAPEST = "price"
    DEAREST = "-price"


@dataclass(frozen=True, slots=True)
class Wanted:
    """`low` and `high` are minor units of `currency`, both included. They, and an order by price, need one."""

    words: str = ""
    seller: Seller | None = None
    in_stock: bool = False
    currency: str = ""
    low: int | None = None
    high: int | None = None
    sort: Sort = Sort.NEWEST
    choices: tuple[Choice, ...] = ()

    @property
    def narrowed(self) -> bool:
        """Whether more than words leaves something out."""
        return self.in_stock or bool(self.currency or self.choices) or self.low is not None or self.high is not None

    def __post_init__(self) -> None:
        if not self.currency and (self.sort is not Sort.NEWEST or self.low is not None or self.high is not None):
            raise ValueError("prices are of a currency")


@dataclass(frozen=True, slots=True)
class Found:
    """A page. `after` is where the next one begins, or nothing; `similar` says that no listing has the words, and that
    these are written like them.
    """

    listings: Sequence[Listing]
    after: str = ""
    similar: bool = False


def has_word(word: str) -> Q:
    """Anywhere in the words of a listing. The index knows parts of three letters: one or two are looked for where a
    word begins, which it knows too. Scripts without spaces between words are looked for anywhere.
    """
    if len(word) > 2 or not word.isascii() or not word.isalnum():
        return Q(search__contains=word)
    return Q(search__startswith=word) | Q(search__contains=f" {word}")


def currencies() -> list[str]:
    """In which sellers ask for money, what most of them use first: from their shipping rates, which are few, since
    nothing is sold in a currency without one.
    """
    rates = ShippingRate.objects.values("currency").annotate(sellers=Count("seller", distinct=True))
    return list(rates.order_by("-sellers", "currency").values_list("currency", flat=True))


def find(*, wanted: Wanted, now: datetime, after: str = "", limit: int = 24) -> Found:
    """Every word must occur in the listing or its seller's name, accents and case ignored. Where none has them all, the
    first page shows what is written like them.
    """
    words = words_of(wanted)
    found = narrowed(wanted)
    page = _page(found.filter(*with_words(words)), wanted, now=now, after=after, limit=limit)
    if page.listings or page.after or after or not words:
        return page
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('pg_trgm.strict_word_similarity_threshold', %s, true)", [_ALIKE])
        return Found(_in_stock(_written_like(found, words)[:limit], wanted, now=now), similar=True)


def found_between(
    *, wanted: Wanted, after: int, until: int, now: datetime, limit: int, also: Sequence[int] = ()
) -> list[Listing]:
    """What can be bought of it now among the listings that came after this one, up to that one, and among `also`,
    newest first. A few times as many as are wanted are looked at.
    """
    wanted = replace(wanted, in_stock=True, sort=Sort.NEWEST)
    new = Q(pk__gt=after, pk__lte=until)
    rows = narrowed(wanted).filter(*with_words(words_of(wanted)), (new | Q(pk__in=also)) if also else new)
    return _in_stock(rows.order_by("-pk")[: limit * _LOOKS], wanted, now=now)[:limit]


def held_back(*, wanted: Wanted, after: int, until: int, also: Sequence[int], sellers: Sequence[int]) -> list[int]:
    """The keys of what is wanted and came after this one, up to that one, or is among `also`, of sellers who sell
    nothing for now: the newest.
    """
    if not sellers:
        return []
    wanted = replace(wanted, in_stock=False, sort=Sort.NEWEST)
    rows = offered().filter(Q(pk__gt=after, pk__lte=until) | Q(pk__in=also), seller__in=sellers)
    rows = narrowed(wanted, rows).filter(*with_words(words_of(wanted)))
    return list(rows.order_by("-pk").values_list("pk", flat=True)[:_HELD_BACK])


def words_of(wanted: Wanted) -> list[str]:
    return folded(wanted.words).split()[:_WORDS]


def with_words(words: Sequence[str]) -> list[Q]:
    """Each word in a listing's own or in its seller's name."""
    asked = []
    for word in words:
        # Asked for first: a subquery in an OR keeps the database from using any index.
        sellers = list(Seller.objects.filter(name__unaccent__icontains=word).values_list("pk", flat=True)[:_SELLERS])
        asked.append(has_word(word) | Q(seller__in=sellers))
    return asked


# A cast is tried only of what is a number: until listings are filled again an attribute may have been a choice.
IN_RANGE = (
    "EXISTS (SELECT FROM unnest({column}) n WHERE CASE WHEN n ~ %s THEN substr(n, %s)::numeric BETWEEN %s AND %s END)"
)


class _InRange(Func):
    """Whether one of a listing's numbers of an attribute is within."""

    output_field = BooleanField()

    def __init__(self, choice: Choice) -> None:
        super().__init__(F("facts"))
        self.choice = choice

    def as_sql(self, *args: Any, **_: Any) -> tuple[str, tuple[Any, ...]]:
        column, params = args[0].compile(self.source_expressions[0])
        return IN_RANGE.format(column=column), (*params, *in_range(self.choice))


def in_range(choice: Choice) -> list[Any]:
    """What IN_RANGE asks with."""
    return [f"^{choice.attribute}={NUMBER}$", len(choice.attribute) + 2, *choice.bounds]


def chosen(found: QuerySet[Listing], choices: Iterable[Choice]) -> QuerySet[Listing]:
    """Those that have all of it, maybe in different variants."""
    for choice in choices:
        found = found.filter(facts__overlap=choice.facts)
        if choice.is_range:
            found = found.filter(_InRange(choice))
    return found


def narrowed(wanted: Wanted, rows: QuerySet[Listing] | None = None) -> QuerySet[Listing]:
    """By all that is wanted but the words; of what buyers see, or of these. What has no unit by the shop's count is
    left out already; how many of the others are left is the stock protocol's to say.
    """
    found = chosen(live() if rows is None else rows, wanted.choices)
    if wanted.in_stock:
        found = found.filter(Exists(counted()))
    if wanted.seller:
        found = found.filter(seller=wanted.seller)
    if wanted.currency:
        found = found.filter(currency=wanted.currency)
    if wanted.sort is not Sort.NEWEST:
        found = found.filter(lowest_minor__isnull=False)
    if wanted.low is not None:
        found = found.filter(lowest_minor__gte=wanted.low)
    if wanted.high is not None:
        found = found.filter(lowest_minor__lte=wanted.high)
    return found


def counted() -> QuerySet[Variant]:
    return Variant.objects.filter(listing=OuterRef("pk"), gone=False, stock__count__gt=0)


def _written_like(found: QuerySet[Listing], words: Sequence[str]) -> QuerySet[Listing]:
    """Those with a word that is most of each of these, letter by letter: "pikachoo" finds "Pikachu"."""
    for word in words:
        like = Q(search__trigram_strict_word_similar=word) if len(word) >= _SHORT else has_word(word)
        found = found.filter(like)
    longest = max(words, key=len)
    return found.annotate(near=TrigramStrictWordSimilarity(longest, "search")).order_by("-near", "-id")


def _page(found: QuerySet[Listing], wanted: Wanted, *, now: datetime, after: str, limit: int) -> Found:
    """Keyset pages. What is sold out is passed over when it is not wanted, and so is what has what is chosen only in
    different variants: a bounded number of rows at a time.
    """
    ordered = found.order_by(*_ORDER[wanted.sort])
    shown: list[Listing] = []
    for _ in range(_LOOKS):
        rows = list(_behind(ordered, wanted.sort, after)[: limit + 1])
        more, rows = len(rows) > limit, rows[:limit]
        for row, kept in zip(rows, _kept(rows, wanted, now=now), strict=True):
            after = _mark(row, wanted.sort)
            shown += [row] if kept else []
            if len(shown) == limit:
                last = row is rows[-1] and not more
                return Found(shown, "" if last else after)
        if not more:
            return Found(shown)
    return Found(shown, after)


def _kept(rows: Sequence[Listing], wanted: Wanted, *, now: datetime) -> list[bool]:
    """Whether one variant alone is all that is wanted."""
    if not wanted.in_stock and not wanted.choices:
        return [True] * len(rows)
    fitting = [fits(row, wanted.choices) for row in rows]
    if not wanted.in_stock:
        return [bool(own) for own in fitting]
    left = availability(variants=[variant for own in fitting for variant in own], now=now)
    return [any(left[variant.pk] for variant in own) for own in fitting]


def fits(listing: Listing, choices: Sequence[Choice]) -> list[Variant]:
    """Its variants, those that have all that is chosen."""
    return [variant for variant in listing.variants.all() if all_take(choices, variant.facts)]


def _in_stock(rows: QuerySet[Listing], wanted: Wanted, *, now: datetime) -> list[Listing]:
    found = list(rows)
    return [row for row, kept in zip(found, _kept(found, wanted, now=now), strict=True) if kept]


_ORDER = {
    Sort.NEWEST: ("-id",),
    Sort.CHEAPEST: ("lowest_minor", "id"),
    Sort.DEAREST: ("-lowest_minor", "-id"),
}


def _mark(row: Listing, sort: Sort) -> str:
    """Where a page ended, in the address of the next one."""
    return str(row.pk) if sort is Sort.NEWEST else f"{row.lowest_minor}.{row.pk}"


def _behind(ordered: QuerySet[Listing], sort: Sort, after: str) -> QuerySet[Listing]:
    """A mark that is none of ours means the first page."""
    numbers = after.split(".")
    if not all(number.isascii() and number.isdecimal() and len(number) < 19 for number in numbers):
        return ordered
    *price, key = map(int, numbers)
    if len(price) != (sort is not Sort.NEWEST):
        return ordered
    if not price:
        return ordered.filter(pk__lt=key)
    if sort is Sort.CHEAPEST:
        return ordered.filter(lowest_minor__gte=price[0]).exclude(lowest_minor=price[0], pk__lte=key)
    return ordered.filter(lowest_minor__lte=price[0]).exclude(lowest_minor=price[0], pk__gte=key)
