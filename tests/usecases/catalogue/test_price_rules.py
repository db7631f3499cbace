"""A price rule between a shop's price and the one asked here: at imports, for what is here already, and with jumps."""

from datetime import UTC, datetime

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from crossdock.domain.capability import Capability
from crossdock.domain.events import ShopProduct, ShopVariant
from crossdock.domain.selling.choice import Choice
from crossdock.domain.selling.pricing import OWN, Pricing
from crossdock.domain.values import Money
from crossdock.kit import discover
from crossdock.store.models import Connection, HeldPrice, Listing, Selling, Variant
from crossdock.usecases.catalogue.as_kept import not_as_kept
from crossdock.usecases.catalogue.evening.prices import decide_prices, set_price_limit
from crossdock.usecases.catalogue.import_products import receive_products
from crossdock.usecases.catalogue.selling import price_preview, price_rules, rules, run
from crossdock.usecases.errors import Invalid, NotAllowed, Stale
from crossdock.usecases.stock import counts
from market import World, seller

pytestmark = pytest.mark.django_db
MORE = Pricing(percent=10_00, step=100, ending=99, currency="USD")
SHOPIFY = discover.connectors()["shopify"].manifest


@pytest.fixture
def world() -> World:
    made = World(units=9, now=datetime.now(UTC))
    says(made, 1000)
    return made


def product(*prices: int, currency: str = "USD") -> ShopProduct:
    rows = (ShopVariant(f"v{n}", f"FOX-{n}", "", Money(price, currency), 9) for n, price in enumerate(prices, start=1))
    return ShopProduct("p1", "Ember Fox", tuple(rows))


def says(world: World, *prices: int, currency: str = "USD") -> None:
    read_no, now = counts.draw_read_no(), world.later()
    products = [product(*prices, currency=currency)]
    receive_products(
        connection_id=world.shop.pk, products=products, read_no=read_no, now=now, read_as=world.shop.settings
    )


def follow(world: World) -> None:
    while run.follow_some(now=world.later()):
        pass


def set_rule(world: World, rule: Pricing) -> None:
    owner = world.seller.owner
    price_rules.try_rule(connection=world.shop, rule=rule, manifest=SHOPIFY, actor=owner)
    price_rules.use_rule(connection=world.shop, seen=price_rules.mark(rule), actor=owner, now=world.later())


def prices() -> list[tuple[int | None, int]]:
    """Of each variant the shop's price and ours."""
    return list(Variant.objects.order_by("shop_variant_id").values_list("shop_price_minor", "price_minor"))


def lowest() -> tuple[int | None, int | None]:
    found = Listing.objects.get()
    return found.shop_lowest_minor, found.lowest_minor


def test_what_is_here_and_what_is_read_is_priced_from_the_shops_own(world: World) -> None:
    says(world, 1000, 2000)
    set_rule(world, MORE)
    before = Listing.objects.get().updated_at
    follow(world)
    assert prices() == [(1000, 1099), (2000, 2199)] and lowest() == (1000, 1099)
    assert Listing.objects.get().updated_at > before
    # Read again, and followed again: nothing is put on top.
    stamp = Listing.objects.get().updated_at
    says(world, 1000, 2000)
    Selling.objects.update(after=0)
    follow(world)
    assert prices() == [(1000, 1099), (2000, 2199)] and Listing.objects.get().updated_at == stamp
    assert not_as_kept(connection_id=world.shop.pk, products=[product(1000, 2000)]) == []
    says(world, 500, 2000)
    assert prices() == [(500, 599), (2000, 2199)] and lowest() == (500, 599)
    set_rule(world, OWN)
    follow(world)
    assert prices() == [(500, 500), (2000, 2000)] and lowest() == (500, 500)


def test_the_buyer_pays_the_price_here(world: World) -> None:
    set_rule(world, MORE)
    follow(world)
    order = world.buy()
    assert order.items == Money(1099, "USD") and order.lines.get().unit_price_minor == 1099


def test_a_jump_is_the_shops_and_what_waits_is_priced_from_the_old_one(world: World) -> None:
    owner = world.seller.owner
    set_price_limit(connection=world.shop, limit=20, actor=owner, now=world.now)
    set_rule(world, Pricing(percent=100_00))
    follow(world)
    assert prices() == [(1000, 2000)] and not HeldPrice.objects.exists(), "a rule is no jump"
    says(world, 1150)
    assert prices() == [(1150, 2300)] and not HeldPrice.objects.exists()
    says(world, 3000)
    row = HeldPrice.objects.get()
    assert prices() == [(1150, 2300)] and (row.told_minor, row.percent) == (3000, 161) and lowest() == (3000, 2300)
    set_rule(world, Pricing(percent=50_00))
    follow(world)
    assert prices() == [(1150, 1725)] and HeldPrice.objects.count() == 1
    says(world, 3000)
    assert prices() == [(1150, 1725)]
    chosen = {row.pk: 3000}
    assert decide_prices(seller=world.seller, chosen=chosen, take=True, actor=owner, now=world.later()) == 1
    assert prices() == [(3000, 4500)] and lowest() == (3000, 4500)


def test_the_choice_goes_by_the_shops_price(world: World) -> None:
    owner, cheap = world.seller.owner, Choice(high=1000, currency="USD")
    set_rule(world, MORE)
    rules.try_choice(connection=world.shop, choice=cheap, actor=owner)
    rules.use_draft(connection=world.shop, seen=rules.mark(cheap), actor=owner, now=world.later())
    follow(world)
    assert Listing.objects.get().not_chosen == "" and prices() == [(1000, 1099)]


def test_in_another_currency_nothing_is_sold_by_it(world: World) -> None:
    set_rule(world, MORE)
    follow(world)
    Connection.objects.update(currency="EUR")
    says(world, 1000, currency="EUR")
    assert "in EUR" in Listing.objects.get().not_chosen and prices() == [(1000, 1000)]
    world.shop.refresh_from_db()
    with pytest.raises(Invalid):
        set_rule(world, Pricing(fixed=100, currency="USD"))
    set_rule(world, Pricing(percent=10_00))
    follow(world)
    assert Listing.objects.get().not_chosen == "" and prices() == [(1000, 1100)]


def test_where_the_shop_takes_no_other_price_there_is_no_rule(world: World) -> None:
    manifests = [connector.manifest for connector in discover.connectors().values()]
    refusing = [manifest for manifest in manifests if not manifest.can(Capability.ORDER_AT_OUR_PRICE)]
    assert 0 < len(refusing) < len(manifests)
    for manifest in refusing:
        with pytest.raises(NotAllowed, match="own prices"):
            price_rules.try_rule(connection=world.shop, rule=MORE, manifest=manifest, actor=world.seller.owner)
        price_rules.try_rule(connection=world.shop, rule=OWN, manifest=manifest, actor=world.seller.owner)


def test_a_draft_changes_nothing_is_used_as_seen_and_by_its_owner(world: World) -> None:
    owner = world.seller.owner
    price_rules.try_rule(connection=world.shop, rule=MORE, manifest=SHOPIFY, actor=owner)
    says(world, 1000)
    assert prices() == [(1000, 1000)] and run.still_to_follow(world.shop) == 0
    with pytest.raises(Stale):
        price_rules.use_rule(connection=world.shop, seen=price_rules.mark(OWN), actor=owner, now=world.now)
    price_rules.forget_rule(connection=world.shop, actor=owner)
    with pytest.raises(Stale):
        price_rules.use_rule(connection=world.shop, seen=price_rules.mark(MORE), actor=owner, now=world.now)
    for deed in (
        lambda who: price_rules.try_rule(connection=world.shop, rule=MORE, manifest=SHOPIFY, actor=who),
        lambda who: price_rules.forget_rule(connection=world.shop, actor=who),
        lambda who: price_rules.use_rule(connection=world.shop, seen="", actor=who, now=world.now),
    ):
        with pytest.raises(NotAllowed):
            deed(seller().owner)


def test_the_preview_counts_all(world: World) -> None:
    says(world, 1000, 2000, 99)
    set_price_limit(connection=world.shop, limit=5, actor=world.seller.owner, now=world.now)
    world.shop.refresh_from_db()
    seen = price_preview.changes(connection=world.shop, rule=MORE)
    assert (seen.whole, seen.rise, seen.fall, seen.far) == (3, 2, 0, 2)
    rows = price_preview.page(connection=world.shop, rule=MORE, changing=True, after=None, limit=50)
    assert sorted((row.shop.minor, row.then.minor) for row in rows) == [(1000, 1099), (2000, 2199)]


def test_an_import_asks_as_often_with_a_rule_as_without(world: World) -> None:
    def statements() -> int:
        with CaptureQueriesContext(database) as some:
            says(world, 1000)
        return len(some)

    without = statements()
    set_rule(world, MORE)
    follow(world)
    assert statements() == without


def test_the_page_tries_uses_and_says_what_is_typed_wrong(world: World) -> None:
    panel = Client()
    panel.force_login(world.seller.owner)
    url = f"/seller/shops/{world.shop.public_id}/price-rule/"
    world.shop.__class__.objects.update(platform="shopify")
    assert (
        "Your shop&#x27;s own prices." in (panel.get(url).content.decode())
        or "own prices." in panel.get(url).content.decode()
    )
    wrong = panel.post(url, {"percent": "5000", "fixed": "1.234"})
    assert wrong.status_code == 422 and "at most 2 decimals" in wrong.content.decode()
    assert "would be given away" in panel.post(url, {"fixed": "-1"}).content.decode()
    assert panel.post(url, {"percent": "10", "rounding": "100.99", "way": "nearest"}).status_code == 302
    tried = panel.get(url).content.decode()
    assert "1 of 1 price" in tried and "$10.99" in tried and prices() == [(1000, 1000)]
    assert "not decided yet" in panel.get(f"/seller/shops/{world.shop.public_id}/evening/").content.decode()
    panel.post(url + "decide/", {"verdict": "use", "seen": "old"})
    assert prices() == [(1000, 1000)]
    panel.post(url + "decide/", {"verdict": "use", "seen": price_rules.mark(MORE)})
    assert prices() == [(1000, 1099)]
    after = panel.get(url).content.decode()
    assert "+10 % on your shop" in after and "Rules before" in after
    listing = Listing.objects.get()
    assert "$10.00 in your shop" in panel.get(f"/seller/listings/{listing.public_id}/").content.decode()
    assert "$10.00 in your shop" in panel.get("/seller/listings/").content.decode()
    panel.post(url, {})
    panel.post(url + "decide/", {"verdict": "forget"})
    assert Selling.objects.get().pricing_draft is None and prices() == [(1000, 1099)]


def test_the_page_asks_as_often_however_many_prices(world: World) -> None:
    panel = Client()
    panel.force_login(world.seller.owner)

    def asked() -> int:
        with CaptureQueriesContext(database) as some:
            assert panel.get(f"/seller/shops/{world.shop.public_id}/price-rule/").status_code == 200
        return len(some)

    asked()
    few = asked()
    says(world, *range(1000, 1060))
    assert asked() <= few
