"""What is read again and is as it was is not written again, but for the number and time of each count: rows are counted
by the database's own statistics.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crossdock.connectors.vendure.reading import PAGE as VENDURE_PAGE
from crossdock.connectors.woocommerce.client import PAGE as WOOCOMMERCE_PAGE
from crossdock.connectors.woocommerce.reading import FIRST_PAGE as FIRST_WOOCOMMERCE_PAGE
from crossdock.domain.events import Count, ShopProduct, ShopVariant
from crossdock.domain.finding.filling import Rule, Source
from crossdock.domain.values import Money
from crossdock.store.models import Listing, Movement, Variant, VariantStock
from crossdock.usecases.catalogue import import_products
from crossdock.usecases.catalogue.fill_rules import add_rule
from crossdock.usecases.catalogue.taxonomy import define
from crossdock.usecases.stock import counts
from market import World, user

pytestmark = pytest.mark.django_db
# Shopify decides the size of a page by its cost.
PAGES = [1, 10, FIRST_WOOCOMMERCE_PAGE, VENDURE_PAGE, WOOCOMMERCE_PAGE, 250]
# The sixteenth of the first reading looks for the same goods in the seller's other shops.
FIRST, AGAIN, ONE_CHANGED = 16, 12, 16

_WRITTEN = """
SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables WHERE relname LIKE 'store_%'
"""


def card(number: int, *, price: int = 1000, units: int | None = 5, variants: int = 2) -> ShopProduct:
    made = (
        ShopVariant(f"c{number}-{i}", f"C{number}-{i}", f"Size {i}", Money(price, "USD"), units)
        for i in range(variants)
    )
    return ShopProduct(
        f"p-{number}", f"Card {number}", tuple(made), description="<p>Ember</p>", images=("https://a.test/1.png",)
    )


def lately(units: int = 1) -> World:
    """Its clock begins now, so that a minute later is a minute later."""
    return World(units=units, now=datetime.now(UTC))


def take(world: World, products: list[ShopProduct], read_no: int | None = None) -> None:
    import_products.receive_products(
        connection_id=world.shop.pk, products=products, read_no=read_no or counts.draw_read_no(), now=world.now
    )


@contextmanager
def written() -> Iterator[dict[str, int]]:
    """Table -> rows that the block inserted, updated or deleted."""

    def now() -> dict[str, int]:
        with connection.cursor() as cursor:
            cursor.execute(_WRITTEN)
            return dict(cursor.fetchall())

    before, rows = now(), dict[str, int]()
    yield rows
    rows |= {name.removeprefix("store_"): n - before.get(name, 0) for name, n in now().items()}
    for name in [name for name, n in rows.items() if not n]:
        del rows[name]


def statements(deed: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as seen:
        deed()
    return len(seen)


@pytest.mark.parametrize("size", PAGES)
def test_a_page_costs_as_many_statements_whatever_its_size(size: int) -> None:
    world, page = lately(), [card(number) for number in range(size)]
    no = counts.draw_read_no()
    assert statements(lambda: take(world, page, no)) == FIRST
    no = counts.draw_read_no()
    assert statements(lambda: take(world, page, no)) == AGAIN
    no = counts.draw_read_no()
    assert statements(lambda: take(world, [card(0, price=1200), *page[1:]], no)) == ONE_CHANGED


def test_rules_and_attributes_cost_no_statement_more() -> None:
    """They are asked for along with the page's listings, and what they fill is in the rows that are written anyway."""
    world = lately()
    owner = user(is_staff=True, roles="admin")
    document = json.loads(files("crossdock.domain.finding").joinpath("cards.json").read_text("utf-8"))
    define(document=document, actor=owner, now=world.now)
    for word, value in (("Size 0", "near-mint"), ("Size 1", "damaged")):
        rule = Rule(Source.OPTION, "", word, "condition", value)
        add_rule(seller=world.seller, rule=rule, actor=world.seller.owner, now=world.now)
    page, no = [card(number) for number in range(10)], counts.draw_read_no()
    assert statements(lambda: take(world, page, no)) == FIRST
    assert "condition=damaged" in Listing.objects.get(shop_product_id="p-9").facts
    no = counts.draw_read_no()
    assert statements(lambda: take(world, page, no)) == AGAIN


def test_what_is_as_it_was_is_not_written() -> None:
    """A count's row keeps the number of its reading, which voids an older answer that is on its way."""
    world, page = lately(), [card(number) for number in range(30)]
    with written() as first:
        take(world, page)
    assert first == {"listing": 30, "variant": 60, "variantstock": 60, "movement": 60}
    world.later(60)
    with written() as again:
        take(world, page)
    assert again == {"variantstock": 60}


def test_a_change_writes_its_own_rows() -> None:
    world, page = lately(), [card(number) for number in range(30)]
    take(world, page)
    before = dict(Listing.objects.values_list("shop_product_id", "updated_at"))
    world.later(60)
    with written() as rows:
        take(world, [card(0, price=1200), replace(page[1], title="Another"), card(2, units=4), *page[3:]])
    assert rows == {"listing": 2, "variant": 2, "variantstock": 60, "movement": 2}
    after = dict(Listing.objects.values_list("shop_product_id", "updated_at"))
    # A price is a change of its listing, for programs that ask what changed since.
    assert {id_ for id_ in after if after[id_] != before[id_]} == {"p-0", "p-1"}
    assert set(Variant.objects.filter(listing__shop_product_id="p-0").values_list("price_minor", flat=True)) == {1200}
    assert Listing.objects.get(shop_product_id="p-1").title == "Another"
    assert set(
        VariantStock.objects.filter(variant__listing__shop_product_id="p-2").values_list("count", flat=True)
    ) == {4}


def test_variants_come_go_and_move_to_another_product() -> None:
    world = lately()
    take(world, [card(1, variants=3), card(2, variants=1)])
    moved = replace(card(2, variants=1), variants=(*card(2, variants=1).variants, card(1, variants=3).variants[2]))
    with written() as rows:
        take(world, [card(1, variants=1), moved])
    assert rows == {"listing": 2, "variant": 2, "variantstock": 3}
    shown = Variant.objects.filter(connection=world.shop, gone=False).exclude(shop_variant_id="v1")
    assert sorted(shown.values_list("listing__shop_product_id", "shop_variant_id", "position")) == [
        ("p-1", "c1-0", 0),
        ("p-2", "c1-2", 1),
        ("p-2", "c2-0", 0),
    ]
    take(world, [card(1, variants=4)])
    assert Variant.objects.filter(listing__shop_product_id="p-1", gone=False).count() == 4


def test_what_a_row_holds_is_what_was_read() -> None:
    """COPY writes each kind of field as Django reads it."""
    world = lately()
    odd = ShopProduct(
        "p-odd",
        "Tab\there, \\N and “quotes”",
        (ShopVariant("odd", "S\\K\tU", "", Money(5, "USD"), None, "012"),),
        active=False,
        description="line\nline\\.",
        images=("https://a.test/ü.png",),
        reasons=("It's a draft.",),
    )
    take(world, [odd])
    listing, variant = Listing.objects.get(shop_product_id="p-odd"), Variant.objects.get(shop_variant_id="odd")
    assert (listing.title, listing.description, listing.images) == (odd.title, odd.description, [*odd.images])
    assert (listing.shop_reasons, listing.active_in_shop, listing.state) == ([*odd.reasons], False, "live")
    assert (listing.updated_at, listing.takes_offers, variant.sku) == (world.now, None, "S\\K\tU")
    assert variant.stock.count is None and variant.stock.counted is False
    world.later(60)
    with written() as rows:
        take(world, [odd])
    assert rows == {"variantstock": 1}


class TestCounts:
    def test_a_count_that_is_the_same_is_no_movement(self) -> None:
        world = lately(units=5)
        world.later(60)
        with written() as rows:
            world.read()
        assert rows == {"variantstock": 1, "connection": 2}
        assert Movement.objects.count() == 1

    def test_a_read_that_overlapped_one_that_changed_nothing_is_void(self) -> None:
        """C1: the shop had 6 for a moment; what it said then arrives after a later answer that was 5, as known."""
        world = lately(units=5)
        world.units = 6
        early = world.start_read()
        world.units = 5
        world.read()
        world.apply(early)
        assert world.available == 5

    def test_an_answer_about_others_voids_nothing(self) -> None:
        """A shop's reads cross all the time: a change must not wait until the shop is silent."""
        world = lately(units=5)
        take(world, [card(1, variants=1)])
        early = counts.draw_read_no()
        world.read()
        take(world, [card(1, variants=1, units=2)], early)
        assert VariantStock.objects.get(variant__shop_variant_id="c1-0").count == 2

    def test_a_wish_is_met_though_nothing_changed(self) -> None:
        world = lately(units=5)
        VariantStock.objects.filter(pk=world.variant.pk).update(want_no=counts.draw_read_no())
        world.read()
        assert VariantStock.objects.get(pk=world.variant.pk).want_no == 0

    def test_of_a_hundred_the_changed_are_written(self) -> None:
        world, page = lately(), [card(number, variants=1) for number in range(100)]
        take(world, page)
        refs = [(f"p-{n}", f"c{n}-0") for n in range(100)]

        def read(changed: int) -> None:
            answers = [Count(f"c{n}-0", 5 + (n < changed)) for n in range(100)]
            counts.apply_counts(
                connection_id=world.shop.pk, read_no=counts.draw_read_no(), asked=refs, counts=answers, now=world.now
            )

        with written() as rows:
            read(3)
        assert rows == {"variantstock": 100, "movement": 3, "connection": 1}
        few, many = statements(lambda: read(4)), statements(lambda: read(60))
        assert few == many == 14
