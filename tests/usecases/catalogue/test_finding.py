"""Finding: by price, in stock, page after page, and with a letter wrong."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crossdock.domain.events import ShopProduct, ShopVariant
from crossdock.domain.values import Money
from crossdock.store.models import Listing, Seller, ShippingRate, VariantStock
from crossdock.usecases.catalogue import import_products
from crossdock.usecases.catalogue.finding import Sort, Wanted, currencies, find
from crossdock.usecases.catalogue.listings import edit_listing, make_listing
from crossdock.usecases.record.telling import telling
from crossdock.usecases.stock import counts
from market import World, seller

NOW = datetime.now(UTC)
pytestmark = pytest.mark.django_db


def make(who: Seller, title: str, minor: int, *, count: int = 1, currency: str = "USD") -> Listing:
    return make_listing(
        seller=who, title=title, description="", price=Money(minor, currency), count=count, now=datetime.now(UTC)
    )


def titles(wanted: Wanted, **more: Any) -> list[str]:
    return [row.title for row in find(wanted=wanted, now=NOW, **more).listings]


def pages(wanted: Wanted, limit: int) -> list[Sequence[Listing]]:
    shown, after = [], ""
    while True:
        found = find(wanted=wanted, now=NOW, after=after, limit=limit)
        shown.append(found.listings)
        after = found.after
        if not after:
            return shown
        assert len(shown) < 50, "the pages do not end"


@pytest.mark.parametrize("sort", list(Sort))
@pytest.mark.parametrize("in_stock", [True, False])
def test_every_listing_stands_on_one_page_in_the_order_that_was_asked_for(sort: Sort, in_stock: bool) -> None:
    dice, who = Random(7), seller()
    made = [make(who, f"Card {n}", dice.choice([100, 200, 200, 300]), count=n % 3) for n in range(23)]
    make(who, "In yen", 150, currency="JPY")
    wanted = Wanted(currency="USD", sort=sort, in_stock=in_stock)
    for limit in (1, 4, 23, 50):
        found = [row for page in pages(wanted, limit) for row in page]
        kept = {row.pk for n, row in enumerate(made) if n % 3 or not in_stock}
        assert len(found) == len(kept) and {row.pk for row in found} == kept
        keys = [(row.lowest_minor or 0, row.pk) for row in found]
        if sort is Sort.NEWEST:
            assert all(a[1] > b[1] for a, b in pairwise(keys))
        else:
            assert keys == sorted(keys, reverse=sort is Sort.DEAREST)


def test_between_two_prices_of_one_currency() -> None:
    who = seller()
    for minor in (99, 100, 150, 200, 201):
        make(who, f"Card {minor}", minor)
    make(who, "In yen", 150, currency="JPY")
    wanted = Wanted(currency="USD", low=100, high=200, sort=Sort.CHEAPEST)
    assert titles(wanted) == ["Card 100", "Card 150", "Card 200"]
    with pytest.raises(ValueError, match="of a currency"):
        Wanted(low=100)


def test_the_price_is_the_cheapest_variant_s_and_follows_it() -> None:
    world = World()

    def read(*prices: int) -> Listing:
        variants = tuple(ShopVariant(f"v{n}", f"S{n}", "", Money(minor, "USD"), 1) for n, minor in enumerate(prices))
        import_products.receive_products(
            connection_id=world.shop.pk,
            products=[ShopProduct("p1", "Ember Fox", variants)],
            read_no=counts.draw_read_no(),
            now=world.later(),
        )
        return Listing.objects.get(connection=world.shop)

    assert read(900, 700).lowest_minor == 700
    assert read(900, 1100).lowest_minor == 900
    with telling(world.later()) as told:
        import_products.variants_gone(connection_id=world.shop.pk, variants=["v0"], told=told)
    assert Listing.objects.get(connection=world.shop).lowest_minor == 1100
    by_hand = make(world.seller, "By hand", 500)
    edit_listing(
        listing=by_hand, title="By hand", description="", price=Money(450, "USD"), count=None, now=world.later()
    )
    by_hand.refresh_from_db()
    assert by_hand.lowest_minor == 450


@pytest.mark.parametrize("words", ["charzard", "Charizrad vmax", "POKEMN", "evolli", "chrizard vmax"])
def test_a_letter_wrong_finds_what_is_written_like_it(words: str) -> None:
    who = seller()
    wanted = make(who, "Pokémon Charizard VMAX (Évoli)", 100)
    make(who, "Black Lotus", 100)
    found = find(wanted=Wanted(words), now=NOW)
    assert [row.pk for row in found.listings] == [wanted.pk] and found.similar
    assert not find(wanted=Wanted("charizard"), now=NOW).similar


def test_what_has_the_words_further_on_is_not_called_nothing(client: Client) -> None:
    """The first pages are sold out, and nothing else was looked through."""
    who = seller()
    ShippingRate.objects.create(seller=who, country="US", currency="USD", price_minor=500)
    make(who, "Zapdos", 100)
    for n in range(130):
        make(who, f"Zapdos {n}", 100)
    # There by the count, and not for sale: only the stock protocol knows.
    VariantStock.objects.filter(variant__listing__title__startswith="Zapdos ").update(aside_why="counted wrong")
    make(who, "Zapdoz", 100)
    found = find(wanted=Wanted(words="zapdos", in_stock=True), now=NOW)
    assert not found.similar and found.after and not found.listings
    for path in ("/?q=zapdos&stock=on", reverse("seller", args=[who.slug]) + "?in=zapdos&stock=on"):
        page = client.get(path).content.decode()
        assert "sold out" in page and f"after={found.after}" in page and "Nothing found" not in page
        assert "Zapdos</" in client.get(f"{path}&after={found.after}").content.decode()


def test_what_has_no_unit_by_the_count_is_not_looked_through() -> None:
    who = seller()
    make(who, "Zapdos", 100)
    for n in range(130):
        make(who, f"Zapdos {n}", 100, count=0)
    found = find(wanted=Wanted(words="zapdos", in_stock=True), now=NOW)
    assert [row.title for row in found.listings] == ["Zapdos"] and not found.after


def test_what_is_like_nothing_finds_nothing() -> None:
    make(seller(), "Pokémon Charizard", 100)
    assert titles(Wanted("lightsaber")) == [] and titles(Wanted("xy")) == []


@pytest.mark.parametrize("after", ["x", "1.2.3", "9" * 40, "-1", ".", "1.", "٣", "1.1"])
def test_a_mark_that_is_none_of_ours_is_the_first_page(after: str) -> None:
    who = seller()
    make(who, "Card", 100)
    assert titles(Wanted(), after=after) == ["Card"]
    assert titles(Wanted(currency="USD", sort=Sort.CHEAPEST), after="7") == ["Card"]


def test_currencies_are_those_that_somebody_ships_for_the_most_used_first() -> None:
    for who in (seller(), seller()):
        ShippingRate.objects.create(seller=who, country="US", currency="USD", price_minor=400)
    ShippingRate.objects.create(seller=who, country="*", currency="JPY", price_minor=500)
    assert currencies() == ["USD", "JPY"]


class TestThePage:
    def test_narrowed_and_shared_by_its_address(self) -> None:
        who = seller()
        for title, minor, count in (("Cheap", 100, 1), ("Dear", 900, 1), ("Sold", 150, 0)):
            make(who, f"{title} card", minor, count=count)
        page = Client().get("/?q=card&stock=on&low=0.50&high=2&sort=price").content.decode()
        assert "Cheap card" in page and "Dear card" not in page and "Sold card" not in page
        assert 'value="0.50"' in page and '<details class="narrow" open>' in page
        page = Client().get(f"/s/{who.slug}/?in=card&sort=-price").content.decode()
        assert page.index("Dear card") < page.index("Sold card") < page.index("Cheap card")

    def test_what_cannot_be_read_is_said_and_narrows_nothing(self) -> None:
        make(seller(), "Cheap card", 100)
        for query, said in (
            ("low=1,250", "two"),
            ("low=9&high=2", "This is below the lowest price."),
            ("low=abc", ""),
            ("sort=random", "not one of the available choices"),
            ("low=1.255", "at most 2 decimals"),
        ):
            page = Client().get(f"/?{query}")
            assert page.status_code == 200 and "Cheap card" in page.content.decode(), query
            assert 'class="error"' in page.content.decode() and said in page.content.decode(), query

    def test_two_currencies_are_chosen_from_and_said(self) -> None:
        who, _ = seller(), seller()
        ShippingRate.objects.create(seller=who, country="*", currency="JPY", price_minor=500)
        make(who, "In yen", 900, currency="JPY")
        make(who, "In dollars", 900)
        page = Client().get("/?sort=price").content.decode()
        assert "In dollars" in page and "In yen" not in page and '<option value="USD" selected>' in page
        assert "In yen" in Client().get("/?sort=price&currency=JPY").content.decode()

    def test_words_like_it(self) -> None:
        make(seller(), "Charizard", 100)
        page = Client().get("/?q=charzard").content.decode()
        assert "These are written like them." in page and "Charizard" in page
        assert "Nothing found" in Client().get("/?q=lightsaber").content.decode()
