"""Filters: what is found and what is counted are what a look at every variant says."""

from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.usecases.catalogue.test_filling import cards

from crossdock.domain.finding.choosing import Choice, all_take, in_category
from crossdock.store.models import Listing, Seller, Variant, VariantStock
from crossdock.usecases.catalogue import facets
from crossdock.usecases.catalogue.finding import Wanted, find
from market import seller

NOW = datetime.now(UTC)
pytestmark = pytest.mark.django_db
POOL = (
    "condition=near-mint",
    "condition=lightly-played",
    "language=en",
    "language=de",
    "finish=foil",
    "grade=9",
    "grade=9.5",
)


def stock_up(who: Seller, dice: Random, many: int, *, variants: int = 3) -> None:
    """Listings of one or more variants with facts and units by chance."""
    for n in range(many):
        own = []
        for _ in range(dice.randrange(1, variants + 1)):
            some = dice.sample(POOL, dice.randrange(0, 5))
            keys = {fact.partition("=")[0] for fact in some}
            own.append(sorted({*some, *keys, "category=cards", dice.choice(("category=singles", "category=graded"))}))
        facts = sorted({fact for each in own for fact in each})
        listing = Listing.objects.create(
            seller=who,
            title=f"Card {n}",
            search=f"card {n}",
            currency="USD",
            facts=facts,
            created_at=NOW,
            updated_at=NOW,
        )
        for each in own:
            variant = Variant.objects.create(listing=listing, price_minor=100, facts=each)
            VariantStock.objects.create(variant=variant, count=dice.randrange(2), count_at=NOW)


def looked_at(wanted: Wanted, choices: Any) -> list[Variant]:
    rows = Variant.objects.select_related("listing", "stock")
    fitting = [row for row in rows if all_take(choices, row.facts)]
    return [row for row in fitting if row.stock.count or not wanted.in_stock]


CHOICES = (
    Choice("condition", ("near-mint",)),
    Choice("condition", ("near-mint", "lightly-played")),
    Choice("language", ("de",)),
    Choice("finish", ("foil",)),
    Choice("grade", (), Decimal("9.1"), None),
    Choice("grade", (), None, Decimal(9)),
    in_category("singles"),
    in_category("cards"),
)


def test_found_and_counted_is_what_a_look_at_every_variant_says() -> None:
    dice = Random(11)
    stock_up(seller(), dice, 60)
    for _ in range(40):
        some = {choice.attribute: choice for choice in dice.sample(CHOICES, dice.randrange(0, 4))}
        wanted = Wanted(choices=tuple(some.values()), in_stock=dice.random() < 0.5)
        there = {row.listing_id for row in looked_at(wanted, wanted.choices)}
        assert {row.pk for row in find(wanted=wanted, now=NOW, limit=100).listings} == there
        counted = facets.count(wanted)
        assert counted.base.whole and counted.base.all == str(len(there))
        for attribute in {"condition", "language", "finish", "category", *some}:
            others = [choice for choice in wanted.choices if choice.attribute != attribute]
            pairs = {(row.listing_id, fact) for row in looked_at(wanted, others) for fact in row.facts}
            truth = Counter(fact for _, fact in pairs if fact.startswith(f"{attribute}="))
            found = counted.of(attribute).by_fact
            assert {fact: n for fact, n in found.items() if fact.startswith(f"{attribute}=")} == truth


def test_above_so_many_it_says_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    stock_up(seller(), Random(1), 20)
    monkeypatch.setattr(facets, "LOOKED_AT", 10)
    counted = facets.count(Wanted()).base
    assert not counted.whole and counted.all == "11+" and counted.said("condition=damaged") == ""
    monkeypatch.setattr(facets, "MOST_SAID", 5)
    assert facets.count(Wanted()).base.all == "5+"


def test_the_page_filters_counts_and_pages_by_its_address() -> None:
    cards()
    who = seller()
    stock_up(who, Random(3), 60)
    client = Client()
    page = client.get("/").content.decode()
    assert "Near Mint" in page and "60 found" in page and 'value="9.5"' not in page
    address = "/?category=cards&f-condition=near-mint&f-condition=lightly-played&f-language=de&stock=on"
    page = client.get(address).content.decode()
    choices = (in_category("cards"), Choice("condition", ("near-mint", "lightly-played")), Choice("language", ("de",)))
    wanted = Wanted(choices=choices, in_stock=True)
    there = {row.listing_id for row in looked_at(wanted, choices)}
    assert there and f"{len(there)} found" in page and page.count('class="tile"') == min(24, len(there))
    assert (page.count("checked") >= 3 and "&amp;f-condition=near-mint&amp;f-condition=lightly-played" in page) or len(
        there
    ) <= 24
    page = client.get("/?f-grade-from=x&f-condition=superb&f-colour=red").content.decode()
    assert "“x” is no number." in page and "60 found" in page, "what cannot be read narrows nothing"
    assert client.get("/category/singles/").status_code == 200 and client.get("/category/none/").status_code == 404
    page = client.get(f"/s/{who.slug}/?f-finish=foil").content.decode()
    assert f"{len({row.listing_id for row in looked_at(Wanted(), [Choice('finish', ('foil',))])})} found" in page
    page = client.get("/?f-condition=near-mint&f-language=de&f-finish=foil&f-signed=yes").content.decode()
    assert "Nothing for sale is all of this at once." in page


def test_a_page_asks_the_same_whatever_is_chosen_and_however_much_there_is() -> None:
    cards()
    who = seller()
    stock_up(who, Random(5), 40, variants=1)
    client = Client()
    asked = "/?category=cards&f-condition=near-mint&f-condition=lightly-played&stock=on"

    def statements(address: str) -> int:
        client.get(address)
        with CaptureQueriesContext(connection) as seen:
            client.get(address)
        return len(seen)

    few, plain = statements(asked), statements("/")
    stock_up(who, Random(6), 60, variants=1)
    assert (statements(asked), statements("/")) == (few, plain)
    # Counting is one round trip; what is in stock asks for units once more than the tiles do.
    assert few - plain <= 2


def test_what_few_have_is_asked_of_its_index() -> None:
    who = seller()
    few, others = ["condition", "condition=near-mint", "grade", "grade=9"], ["language", "language=en"]
    Listing.objects.bulk_create(
        Listing(
            seller=who,
            title="Card",
            currency="USD",
            facts=others if n % 300 else few,
            created_at=NOW,
            updated_at=NOW,
        )
        for n in range(3_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE store_listing")
    wanted = Wanted(choices=(Choice("condition", ("near-mint",)), Choice("grade", (), Decimal(1), None)))
    with CaptureQueriesContext(connection) as seen:
        find(wanted=wanted, now=NOW)
        facets.count(wanted)
    asked = [part for query in seen for part in query["sql"].split(";\n\n") if '"store_listing"."facts"' in part]
    assert len(asked) == 4, "a page, all together, and each of the two without its own"
    for sql in asked:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {sql}")
            assert "listing_facts" in "\n".join(row[0] for row in cursor.fetchall()), sql
