"""Nothing is offered at checkout that the shop would refuse: the countries are read with the connection test and with
the hourly look.
"""

from importlib import import_module
from typing import Any

import pytest

from crossdock.domain.places import COUNTRIES, US_TERRITORIES
from crossdock.kit.conformance.stage import Stage, staged
from crossdock.kit.connector import Looks
from crossdock.store.models import Alert, Connection
from crossdock.usecases.checkout import checkout
from crossdock.usecases.checkout.basket import Basket, priced, ships_to
from crossdock.usecases.errors import Stale
from crossdock.usecases.shops.shop_money import money_seen
from market import ADDRESS, World, user

EVERYWHERE = COUNTRIES | US_TERRITORIES


def seen(world: World, countries: str | None) -> None:
    settings = {"currency": "USD"} | ({} if countries is None else {"countries": countries})
    assert money_seen(connection_id=world.shop.pk, currency="USD", settings=settings, now=world.later())
    world.variant.listing.refresh_from_db()


def basket(world: World) -> Basket:
    return {"lines": {world.variant.public_id: 1}}


def problems(world: World, country: str) -> tuple[str, ...]:
    return priced(basket=basket(world), country=country, now=world.now).problems


@pytest.mark.django_db
class TestAtCheckout:
    def test_follows_the_shop_without_an_alarm(self) -> None:
        world = World(units=5)
        assert problems(world, "US") == ()
        seen(world, "AT,DE")
        assert problems(world, "US") == ("The seller does not ship to this country.",)
        assert ships_to(Connection.objects.get()) == {"AT", "DE"}
        # A look that could not read it changes nothing.
        seen(world, None)
        assert problems(world, "US") != ()
        seen(world, "")
        assert problems(world, "US") == ()
        assert not Alert.objects.exists()

    def test_nothing_is_paid_there(self) -> None:
        world = World(units=5)
        before = priced(basket=basket(world), country="US", now=world.now).fingerprint
        seen(world, "DE")
        with pytest.raises(Stale, match="does not ship"):
            checkout.open_checkout(
                buyer=user(),
                basket=basket(world),
                ship_to=ADDRESS,
                key="checkout-1",
                fingerprint=before,
                gateway="sandbox",
                now=world.now,
            )

    def test_an_island_is_not_its_mainland(self) -> None:
        """Shops that know Puerto Rico as a country refuse it when it is not switched on, and the other way round."""
        world = World(units=5)
        seen(world, "US")
        assert problems(world, "US") == ()
        assert problems(world, "PR") != ()
        seen(world, "PR")
        assert problems(world, "US") != ()
        assert problems(world, "PR") == ()


def restrict(stage: Stage, platform: str) -> None:
    books: Any = stage.sandbox.books  # type: ignore[attr-defined]
    match platform:
        case "shopify":
            books.shelf.put("shop", "shop", {**books.shop, "ships_to": ["US", "DE"]})
        case "vendure":
            books.set(countries=["US", "DE"])
        case _:
            books.set(sells_to=["US", "DE", "FR"], ships_to=["US", "DE", "PL"])


@pytest.mark.parametrize("platform", ["shopify", "woocommerce", "vendure"])
async def test_each_platform_s_connection_test_tells_where(platform: str) -> None:
    connector = import_module(f"crossdock.connectors.{platform}").connector
    async with staged(connector, import_module(f"crossdock.connectors.{platform}.sandbox").Sandbox) as stage:
        restrict(stage, platform)
        named = (await connector.prove(stage.shop)).settings["countries"].split(",")
        # Shopify has the islands as states of the US.
        islands = US_TERRITORIES if platform == "shopify" else frozenset()
        assert set(named) == {"US", "DE"} | islands


async def test_a_woocommerce_shop_that_sells_everywhere_has_no_limit() -> None:
    connector = import_module("crossdock.connectors.woocommerce").connector
    async with staged(connector, import_module("crossdock.connectors.woocommerce.sandbox").Sandbox) as stage:
        assert (await connector.prove(stage.shop)).settings["countries"] == ""


@pytest.mark.parametrize(
    ("general", "expected"),
    [
        ({"allowed_countries": "all_except", "all_except_countries": ["RU"]}, EVERYWHERE - {"RU"}),
        ({"allowed_countries": "specific", "specific_allowed_countries": ["DE"]}, {"DE"}),
        ({"allowed_countries": "specific", "specific_allowed_countries": ""}, EVERYWHERE),
        ({"allowed_countries": "all", "ship_to_countries": "disabled"}, EVERYWHERE),
        ({"allowed_countries": "all", "ship_to_countries": "specific", "specific_ship_to_countries": ["FR"]}, {"FR"}),
        ({"allowed_countries": None, "ship_to_countries": 5, "specific_ship_to_countries": [None, {}]}, EVERYWHERE),
    ],
)
async def test_woocommerce_s_settings_as_woocommerce_reads_them(general: dict[str, Any], expected: set[str]) -> None:
    module = import_module("crossdock.connectors.woocommerce.sandbox")
    connector = import_module("crossdock.connectors.woocommerce").connector
    async with staged(connector, module.Sandbox) as stage:
        rows = [{"id": f"woocommerce_{name}", "value": value} for name, value in general.items()]
        stage.sandbox.books.set(general=rows)  # type: ignore[attr-defined]
        named = (await connector.prove(stage.shop)).settings["countries"]
        assert (set(named.split(",")) if named else EVERYWHERE) == expected


@pytest.mark.parametrize("platform", ["woocommerce", "vendure"])
async def test_the_hourly_look_tells_the_same_in_fewer_calls(platform: str) -> None:
    connector = import_module(f"crossdock.connectors.{platform}").connector
    assert isinstance(connector, Looks)
    async with staged(connector, import_module(f"crossdock.connectors.{platform}.sandbox").Sandbox) as stage:
        restrict(stage, platform)
        proof = await connector.prove(stage.shop)
        before = stage.dial.counts["calls"]
        look = await connector.look(stage.shop)
        assert stage.dial.counts["calls"] - before <= 3
        told = {name: value for name, value in proof.settings.items() if name in look.settings}
        assert (look.currency, look.settings) == (proof.currency, told)
        assert {"currency", "countries"} < set(told)
