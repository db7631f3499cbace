"""Filling the attributes of listings, by a seller's rules and by hand: at each import, and again in the background when
rules or definitions change (domain/finding/filling.py says how).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from crossdock.domain.finding.filling import Filled, Rule, Said, Source, fill, texts_in
from crossdock.domain.finding.taxonomy import Taxonomy
from crossdock.domain.finding.words import folded
from crossdock.domain.goods import certificate
from crossdock.store.bulk import update_rows
from crossdock.store.models import FillRule, Listing, Refill, Variant
from crossdock.store.models import Taxonomy as Row
from crossdock.store.together import ask
from crossdock.usecases.catalogue.taxonomy import newest_row, read_row
from crossdock.usecases.record.telling import telling
from crossdock.usecases.stock.reservations import locked
from crossdock.usecases.stock.single_units import beside, end_if_sold

BATCH = 500
# Options are as many as the open door may bring of options and properties together.
MOST_TAGS, MOST_OPTIONS, LONGEST_WORD = 100, 40, 200
BETWEEN = " / "


def searchable(title: str, more: Sequence[str]) -> str:
    return folded(" ".join([title, *more]))[:2000]


@dataclass(frozen=True, slots=True)
class Filler:
    """What fills one seller's listings."""

    taxonomy: Taxonomy
    rules: Sequence[Rule]

    def of(
        self,
        said: Mapping[str, Sequence[str]],
        variants: Sequence[tuple[Sequence[Sequence[str]], str]],
        by_hand: Mapping[str, Sequence[str]],
    ) -> Filled:
        """`variants` are each one's options and title. What a shop has for sale by the words of its title alone ("NM /
        English") are options without a name.
        """
        if not self.taxonomy:
            return Filled([], [[] for _ in variants])
        options = tuple(
            tuple((name, value) for name, value in named) or tuple(("", part) for part in title.split(BETWEEN) if part)
            for named, title in variants
        )
        known = Said(tuple(said.get("tags", ())), tuple(said.get("types", ())), options)
        return fill(self.taxonomy, self.rules, known, by_hand)

    def words(self, facts: Sequence[str]) -> list[str]:
        """By which the search box finds it, beside title and SKUs."""
        return texts_in(self.taxonomy, facts)


def filler(*, seller_id: int) -> Filler:
    return fillers([seller_id])[seller_id]


def fillers(sellers: Collection[int]) -> dict[int, Filler]:
    return fillers_from(sellers, *ask(*questions(sellers)))


def questions(sellers: Collection[int]) -> tuple[QuerySet[Row, int], QuerySet[FillRule]]:
    """What fillers are made from, for who asks more along with it."""
    return newest_row(), FillRule.objects.filter(seller__in=sellers)


def fillers_from(sellers: Collection[int], newest: Sequence[int], rules: Sequence[FillRule]) -> dict[int, Filler]:
    own: dict[int, list[Rule]] = {seller_id: [] for seller_id in sellers}
    for row in rules:
        own[row.seller_id].append(as_rule(row))
    taxonomy = read_row(newest)
    return {seller_id: Filler(taxonomy, its) for seller_id, its in own.items()}


def as_rule(row: FillRule) -> Rule:
    return Rule(Source(row.source), row.name, row.word, row.attribute, row.value)


def short(words: Sequence[str], most: int = MOST_TAGS) -> list[str]:
    """As a listing keeps what its shop said."""
    return list(dict.fromkeys(word[:LONGEST_WORD] for word in words if word))[:most]


def facts_of(row: Listing, variants: Sequence[Variant], its: Filler) -> Filled:
    return its.of(row.said, [(variant.options, variant.title) for variant in variants], row.by_hand)


def fill_again(rows: QuerySet[Listing], by_seller: Mapping[int, Filler], *, now: datetime) -> int:
    """These listings, locked in id order, and their variants; what is as it was is not written. Returns how many
    listings changed. Inside a transaction.
    """
    listings = list(rows.select_for_update(no_key=True, of=("self",)).order_by("pk"))
    by_listing: dict[int, list[Variant]] = {}
    for variant in Variant.objects.filter(listing__in=listings, gone=False):
        by_listing.setdefault(variant.listing_id, []).append(variant)
    changed: list[Listing] = []
    filled: dict[int, list[str]] = {}
    for row in listings:
        own, its = by_listing.get(row.pk, []), by_seller[row.seller_id]
        found = facts_of(row, own, its)
        search = searchable(row.title, [*(variant.sku for variant in own), *its.words(found.listing)])
        if row.facts != found.listing or row.search != search:
            row.facts, row.search = found.listing, search
            changed.append(row)
        filled |= {
            variant.pk: facts for variant, facts in zip(own, found.variants, strict=True) if variant.facts != facts
        }
    update_rows(changed, ("facts", "search"))
    others = Variant.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=filled)
    refilled = list(others.select_related("listing").order_by("pk"))
    certified = [row for row in refilled if certificate(row.facts) != certificate(filled[row.pk])]
    for variant in refilled:
        variant.facts = filled[variant.pk]
    update_rows(refilled, ("facts",))
    _end_if_sold(certified, now=now)
    return len({row.pk for row in changed} | {variant.listing_id for variant in refilled})


def _end_if_sold(variants: Sequence[Variant], *, now: datetime) -> None:
    """A certificate that is said now may be of a unit that was sold from another listing."""
    others = beside(variants)
    if about := {other.pk for some in others.values() for other in some}:
        with telling(now) as told:
            locked([*about, *others])
            end_if_sold(variants, others, told=told)


def refill_some(*, now: datetime) -> bool:
    """A batch of the listings that wait for it; whether there was any. Two workers take different ones."""
    with transaction.atomic():
        waiting = Refill.objects.select_for_update(skip_locked=True, of=("self",)).order_by("pk").first()
        if waiting is None:
            return False
        rows = Listing.objects.filter(pk__gt=waiting.after).order_by("pk")
        if waiting.seller_id is not None:
            rows = rows.filter(seller=waiting.seller_id)
        some = list(rows.values_list("pk", "seller_id")[:BATCH])
        if not some:
            waiting.delete()
            return True
        fill_again(
            Listing.objects.filter(pk__in=[pk for pk, _ in some]), fillers({owner for _, owner in some}), now=now
        )
        waiting.after = some[-1][0]
        waiting.save(update_fields=["after"])
    return True
