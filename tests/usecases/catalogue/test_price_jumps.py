"""Prices that jump in the shop: held beyond the seller's limit, taken or kept, and whatever happens in between."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from crossdock.domain.alerts import AlertCode
from crossdock.domain.evening.jumps import MOST, jumps
from crossdock.domain.events import ShopProduct, ShopVariant
from crossdock.domain.values import Money
from crossdock.store.models import Alert, Connection, HeldPrice, Listing, Variant
from crossdock.usecases.catalogue import import_products
from crossdock.usecases.catalogue.evening.prices import decide_prices, seen_in, set_price_limit
from crossdock.usecases.catalogue.import_products import receive_products, variants_gone
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.record.telling import telling
from crossdock.usecases.stock import counts
from market import World, seller

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    made = World(units=9, now=datetime.now(UTC))
    set_price_limit(connection=made.shop, limit=20, actor=made.seller.owner, now=made.now)
    return made


def says(world: World, *prices: int, currency: str = "USD") -> None:
    """The shop's prices of the variants v1, v2, ... as they are read now."""
    rows = tuple(
        ShopVariant(f"v{n}", f"FOX-{n}", "", Money(price, currency), 9) for n, price in enumerate(prices, start=1)
    )
    read_no, now = counts.draw_read_no(), world.later()
    products = [ShopProduct("p1", "Ember Fox", rows)]
    receive_products(connection_id=world.shop.pk, products=products, read_no=read_no, now=now)


def asked() -> list[int]:
    return list(Variant.objects.order_by("shop_variant_id").values_list("price_minor", flat=True))


def told() -> list[tuple[int, bool]]:
    return list(HeldPrice.objects.order_by("variant__shop_variant_id").values_list("told_minor", "kept"))


def decide(world: World, *, take: bool) -> int:
    chosen = dict(HeldPrice.objects.values_list("pk", "told_minor"))
    return decide_prices(seller=world.seller, chosen=chosen, take=take, actor=world.seller.owner, now=world.later())


def warned() -> bool:
    return Alert.objects.filter(code=AlertCode.PRICE_JUMPED, settled_at=None).exists()


def test_a_jump_waits_and_the_old_price_and_the_lowest_stay(world: World) -> None:
    says(world, 1000, 1100)
    says(world, 1200, 9000)
    assert asked() == [1200, 1100] and told() == [(9000, False)] and warned()
    assert Listing.objects.get().lowest_minor == 1100
    says(world, 1200, 9000)
    assert asked() == [1200, 1100] and HeldPrice.objects.count() == 1
    assert decide(world, take=True) == 1
    assert asked() == [1200, 9000] and told() == [] and not warned()
    assert Listing.objects.get().lowest_minor == 1200
    says(world, 1200, 9000)
    assert asked() == [1200, 9000] and told() == []


def test_a_fall_to_almost_nothing_waits_as_well(world: World) -> None:
    says(world, 100)
    assert asked() == [1000] and told() == [(100, False)] and Listing.objects.get().lowest_minor == 1000


def test_kept_it_stays_until_the_shop_says_something_else(world: World) -> None:
    says(world, 5000)
    assert decide(world, take=False) == 1 and decide(world, take=False) == 0
    assert told() == [(5000, True)] and not warned()
    says(world, 5000)
    assert asked() == [1000] and told() == [(5000, True)] and not warned()
    # Another jump is asked about again; back in the limit it is asked at once.
    says(world, 6000)
    assert told() == [(6000, False)] and warned()
    says(world, 1100)
    assert asked() == [1100] and told() == [] and not warned()


def test_what_the_seller_saw_is_what_they_take(world: World) -> None:
    """The shop moved on while the page was open: the button takes nothing that nobody saw."""
    says(world, 5000)
    seen = dict(HeldPrice.objects.values_list("pk", "told_minor"))
    says(world, 50_000)
    owner = world.seller.owner
    assert decide_prices(seller=world.seller, chosen=seen, take=True, actor=owner, now=world.now) == 0
    assert asked() == [1000] and told() == [(50_000, False)]


def test_without_a_limit_every_price_is_taken_those_that_wait_too(world: World) -> None:
    says(world, 5000)
    set_price_limit(connection=world.shop, limit=None, actor=world.seller.owner, now=world.later())
    assert asked() == [5000] and told() == [] and not warned()
    says(world, 90_000)
    assert asked() == [90_000]
    for wrong in (0, 100):
        with pytest.raises(Invalid):
            set_price_limit(connection=world.shop, limit=wrong, actor=world.seller.owner, now=world.now)


def test_another_currency_is_no_jump(world: World) -> None:
    says(world, 90_000, currency="EUR")
    assert asked() == [90_000] and told() == []


def test_nobody_decides_for_another_seller(world: World) -> None:
    says(world, 5000)
    other = seller()
    chosen = dict(HeldPrice.objects.values_list("pk", "told_minor"))
    assert decide_prices(seller=other, chosen=chosen, take=True, actor=other.owner, now=world.now) == 0
    with pytest.raises(NotAllowed):
        decide_prices(seller=world.seller, chosen=chosen, take=True, actor=other.owner, now=world.now)
    assert asked() == [1000]


def test_a_shop_without_a_limit_asks_nothing_more(world: World) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as some:
            says(world, 1000)
        return len(some)

    says(world, 1000)
    held = statements()
    Connection.objects.update(price_limit=None)
    assert statements() == held - 1


def test_the_page_takes_keeps_and_says_what_is_typed_wrong(world: World) -> None:
    says(world, 5000)
    panel = Client()
    panel.force_login(world.seller.owner)
    page = panel.get("/seller/prices/").content.decode()
    assert "$10.00" in page and "$50.00" in page and "+400 %" in page
    row = HeldPrice.objects.get()
    kept = panel.post("/seller/prices/decide/", {"price": f"{row.pk}:5000", "verdict": "keep"}, follow=True)
    assert "1 price kept" in kept.content.decode() and "No price waits" in kept.content.decode()
    assert "Ember Fox" in panel.get("/seller/prices/?show=kept").content.decode()
    none = panel.post("/seller/prices/decide/", {"price": "x:y", "verdict": "take"}, follow=True)
    assert "Nothing was changed" in none.content.decode()
    url = f"/seller/shops/{world.shop.public_id}/price-limit/"
    assert panel.post(url, {"percent": "200"}).status_code == 422
    assert panel.post(url, {"percent": ""}).status_code == 302 and asked() == [5000]


@given(asked=st.integers(1, 10**9), told=st.integers(1, 10**9), limit=st.integers(1, MOST), kept=st.none() | st.just(7))
def test_a_price_waits_exactly_beyond_the_limit(asked: int, told: int, limit: int, kept: int | None) -> None:
    waits = jumps(was=asked, told=told, limit=limit, kept=kept)
    assert waits == (told != asked and (told == kept or abs(told - asked) / asked > limit / 100))
    assert not jumps(was=asked, told=told, limit=None, kept=kept)


def test_pairs_that_are_none_are_left_out() -> None:
    assert seen_in(["1:2", "x", "3:", ":4", "5:6", "²:1"]) == {1: 2, 5: 6}


def test_what_is_sold_in_other_money_or_not_at_all_waits_no_more(world: World) -> None:
    says(world, 1000, 1000)
    says(world, 5000, 6000)
    assert told() == [(5000, False), (6000, False)] and warned()
    says(world, 5000)
    assert told() == [(5000, False)] and warned()
    # Fifty dollars are no price in yen: nobody may take them as that.
    says(world, 700_000, currency="JPY")
    assert told() == [] and not warned() and asked() == [700_000, 1000]


def test_a_variant_that_the_shop_does_not_know_any_more_waits_no_more(world: World) -> None:
    says(world, 5000)
    with telling(world.now) as said:
        variants_gone(connection_id=world.shop.pk, variants=["v1"], told=said)
    assert told() == [] and not warned()


def test_a_product_filled_in_the_same_instant_leaves_the_others_prices_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fox, hare = (
        ShopProduct(f"p{n}", name, (ShopVariant(f"v{n}", f"FOX-{n}", "", Money(1000, "USD"), 9),))
        for n, name in ((1, "Ember Fox"), (2, "Ember Hare"))
    )

    def read(*products: ShopProduct) -> None:
        read_no = counts.draw_read_no()
        receive_products(connection_id=world.shop.pk, products=products, read_no=read_no, now=world.later())

    read(fox, hare)
    dear = replace(fox, variants=(replace(fox.variants[0], price=Money(5000, "USD")),))
    read(dear, hare)
    decide(world, take=False)
    locked = import_products._locked

    def filled(shop: Connection, seen: Sequence[Listing]) -> dict[str, Listing]:
        Listing.objects.filter(shop_product_id="p2").update(by_hand={"language": ["English"]})
        return locked(shop, seen)

    monkeypatch.setattr(import_products, "_locked", filled)
    read(replace(dear, title="Ember Fox, foil"), replace(hare, title="Ember Hare, foil"))
    assert asked() == [1000, 1000] and told() == [(5000, True)] and not warned()
    assert [*Listing.objects.order_by("pk").values_list("lowest_minor", flat=True)] == [1000, 1000]


def test_the_listing_is_locked_before_its_held_price_as_when_it_is_decided(world: World) -> None:
    """Otherwise who takes a price while it is held again waits for an import that waits for them."""
    for act in (lambda: says(world, 5000), lambda: says(world, 6000), lambda: says(world, 1000)):
        with CaptureQueriesContext(connection) as ran:
            act()
        said = [row["sql"] for row in ran]
        lock = next(n for n, sql in enumerate(said) if 'FROM "store_listing"' in sql and "FOR NO KEY UPDATE" in sql)
        writes = [n for n, sql in enumerate(said) if "store_heldprice" in sql and not sql.startswith("SELECT")]
        assert writes and lock < min(writes)
