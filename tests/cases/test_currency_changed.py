"""A shop's currency or its number of decimals changes: listed at 1,500 yen, it was sold for 1,500 euros, and the
connection test said that every check passed.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction

from crossdock.domain.alerts import AlertCode
from crossdock.domain.events import ShopProduct, ShopVariant
from crossdock.domain.values import Money
from crossdock.kit import discover
from crossdock.kit.conformance.stage import staged
from crossdock.kit.hand import SetsCurrency
from crossdock.store.models import Alert, Connection, Cursor, Listing
from crossdock.usecases.catalogue import import_products
from crossdock.usecases.catalogue.sellable import why_not_sold
from crossdock.usecases.checkout.basket import Basket, priced
from crossdock.usecases.errors import NotAllowed, Stale
from crossdock.usecases.shops.shop_money import ReadOtherwise, confirm_money, look_due, money_seen
from crossdock.usecases.stock import counts
from crossdock.usecases.stock.reservations import sellable
from crossdock_lab.patience import patient
from market import World, user

pytestmark = pytest.mark.django_db


def seen(world: World, currency: str = "USD", **settings: str) -> bool:
    return money_seen(
        connection_id=world.shop.pk,
        currency=currency,
        settings={"currency": currency, **settings},
        now=world.later(),
    )


def connected(world: World, **settings: str) -> World:
    Connection.objects.filter(pk=world.shop.pk).update(settings={"currency": "USD", **settings})
    return world


def problems(world: World) -> tuple[str, ...]:
    basket: Basket = {"lines": {world.variant.public_id: 1}}
    return priced(basket=basket, country="US", now=world.now).problems


def read_again(world: World, price: Money) -> None:
    product = ShopProduct("p1", "Ember Fox", (ShopVariant("v1", "FOX-1", "", price, 5),))
    number = counts.draw_read_no()
    import_products.receive_products(connection_id=world.shop.pk, products=[product], read_no=number, now=world.later())


def test_another_currency_stops_the_sales_until_the_seller_has_looked() -> None:
    world = connected(World(units=5), decimals="2")
    assert seen(world, decimals="2")
    assert problems(world) == ()

    assert not seen(world, "EUR", decimals="2")
    alert = Alert.objects.get(code=AlertCode.SHOP_MONEY_CHANGED)
    assert "USD" in alert.sentence
    assert "EUR" in alert.sentence
    assert not sellable(Connection.objects.get())
    assert "taking a break" in problems(world)[0]
    assert not seen(world, "EUR", decimals="2")
    assert Alert.objects.filter(code=AlertCode.SHOP_MONEY_CHANGED).count() == 1
    # What is read meanwhile does not put it up for sale.
    read_again(world, Money(1000, "USD"))
    assert "taking a break" in problems(world)[0]

    shop = Connection.objects.get()
    with pytest.raises(NotAllowed):
        confirm_money(connection=shop, actor=user(), now=world.now)
    confirm_money(connection=shop, actor=world.seller.owner, now=world.later())
    shop = Connection.objects.get()
    assert (shop.currency, shop.settings["currency"]) == ("EUR", "EUR")
    assert Alert.objects.get(code=AlertCode.SHOP_MONEY_CHANGED).settled_at is not None
    # Still not for sale at the old number in the new currency, nor the other way round.
    assert "no longer for sale" in problems(world)[0]
    assert Cursor.objects.get(stream="products").value == ""

    read_again(world, Money(1000, "EUR"))
    listing = Listing.objects.select_related("connection").get()
    assert listing.currency == "EUR"
    world.variant.refresh_from_db()
    world.variant.listing.refresh_from_db()
    assert why_not_sold(world.variant) == ""
    with pytest.raises(Stale):
        confirm_money(connection=shop, actor=world.seller.owner, now=world.now)


@pytest.mark.parametrize(("name", "was", "now"), [("decimals", "2", "0"), ("precision", "2", "3")])
def test_another_number_of_decimals_does_too(name: str, was: str, now: str) -> None:
    world = connected(World(units=5), **{name: was})
    assert not seen(world, **{name: now})
    assert "number of decimals" in Alert.objects.get(code=AlertCode.SHOP_MONEY_CHANGED).sentence
    assert not sellable(Connection.objects.get())


def test_changed_back_sells_again_by_itself() -> None:
    world = connected(World(units=5))
    assert not seen(world, "EUR")
    assert seen(world, "USD")
    assert sellable(Connection.objects.get())
    assert Alert.objects.get(code=AlertCode.SHOP_MONEY_CHANGED).settled_at is not None
    assert problems(world) == ()


def test_what_goes_with_the_currency_waits_for_the_seller_with_it() -> None:
    """The new currency's number and regions: orders in flight are still in the old one."""
    world = connected(World(units=5), regions="id:us", id_currency="1", location="a")

    def look(currency: str, **settings: str) -> bool:
        return money_seen(
            connection_id=world.shop.pk,
            currency=currency,
            settings={"currency": currency, "location": "not the shop's", **settings},
            follows=("regions", "id_currency", "absent"),
            now=world.later(),
        )

    def kept() -> dict[str, Any]:
        settings = Connection.objects.get().settings
        return {name: settings.get(name) for name in ("currency", "regions", "id_currency", "location")}

    before = kept()
    assert not look("EUR", regions="id:de", id_currency="2")
    assert kept() == before, "nothing of it is taken over before the seller confirms"
    confirm_money(connection=Connection.objects.get(), actor=world.seller.owner, now=world.later())
    assert kept() == {"currency": "EUR", "regions": "id:de", "id_currency": "2", "location": "a"}
    # Without a change of the money they follow by themselves, and one that was never known is learnt.
    assert look("EUR", regions="id:de.fr", id_currency="2")
    assert kept() == {"currency": "EUR", "regions": "id:de.fr", "id_currency": "2", "location": "a"}
    # Changed and changed back: what the shop says today holds.
    assert not look("USD", regions="id:us", id_currency="1")
    assert look("EUR", regions="id:at", id_currency="2")
    assert kept() == {"currency": "EUR", "regions": "id:at", "id_currency": "2", "location": "a"}
    assert not Alert.objects.filter(code=AlertCode.SHOP_MONEY_CHANGED, settled_at=None).exists()


def test_what_was_never_known_is_learnt_without_an_alarm() -> None:
    """Shops that were connected before decimals were kept."""
    world = connected(World(units=5))
    assert seen(world, "USD", decimals="2")
    assert Connection.objects.get().settings["decimals"] == "2"
    assert not Alert.objects.filter(code=AlertCode.SHOP_MONEY_CHANGED).exists()
    assert not seen(world, "USD", decimals="0")


def test_the_look_is_hourly_and_not_right_after_a_test() -> None:
    world = World()
    hour = timedelta(hours=1)
    Connection.objects.update(created_at=world.now, checked_at=None)
    assert not look_due(connection_id=world.shop.pk, every=hour, now=world.now + timedelta(minutes=59))
    assert look_due(connection_id=world.shop.pk, every=hour, now=world.now + hour)
    Connection.objects.update(checked_at=world.now + hour)
    assert not look_due(connection_id=world.shop.pk, every=hour, now=world.now + hour)


@pytest.mark.parametrize("platform", discover.connectors())
async def test_each_platform_s_connection_test_tells_it(platform: str) -> None:
    connector = discover.connector(platform)
    async with staged(connector, discover.sandbox(platform)) as stage:
        before = await connector.prove(stage.shop)
        assert before.settings["currency"] == before.currency == "USD"
        assert isinstance(stage.hand, SetsCurrency)
        await stage.hand.change_currency("EUR")
        after = await connector.prove(replace(stage.shop))
        assert after.settings["currency"] == after.currency == "EUR"


def test_what_was_read_with_the_settings_of_before_is_read_again() -> None:
    """A worker that had opened the shop before the seller confirmed labels the new amounts with the old currency."""
    world = connected(World(units=5))
    before = {"currency": "USD"}
    assert not seen(world, "EUR")
    confirm_money(connection=Connection.objects.get(), actor=world.seller.owner, now=world.later())
    product = ShopProduct("p1", "Ember Fox", (ShopVariant("v1", "FOX-1", "", Money(1700, "USD"), 9),))
    read: dict[str, Any] = {"connection_id": world.shop.pk, "products": [product]}
    with pytest.raises(ReadOtherwise):
        import_products.receive_products(**read, read_no=counts.draw_read_no(), read_as=before, now=world.later())
    world.variant.refresh_from_db()
    assert (world.variant.price_minor, Listing.objects.get().active_in_shop) == (1000, False), "nothing of it is kept"
    product = replace(product, variants=(replace(product.variants[0], price=Money(1700, "EUR")),))
    read["products"] = [product]
    import_products.receive_products(
        **read, read_no=counts.draw_read_no(), read_as={"currency": "EUR"}, now=world.later()
    )
    world.variant.refresh_from_db()
    assert (world.variant.price, Listing.objects.get().active_in_shop) == (Money(1700, "EUR"), True)


@pytest.mark.django_db(transaction=True)
def test_a_page_that_is_taken_in_and_a_confirmation_wait_for_each_other_in_one_order() -> None:
    """The page holds its listings and notes last that the shop was read; found when the database refused both."""
    world = connected(World(units=5), decimals="2")
    assert not seen(world, "EUR", decimals="2")
    holds, waits = Event(), Event()

    def page() -> None:
        try:
            with transaction.atomic():
                Listing.objects.select_for_update(no_key=True).get(connection=world.shop)
                holds.set()
                assert waits.wait(60)
                Connection.objects.filter(pk=world.shop.pk).update(last_read_at=world.later())
        finally:
            connection.close()

    def seller() -> None:
        try:
            assert holds.wait(60)
            confirm_money(connection=world.shop, actor=world.seller.owner, now=world.later())
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as both:
        asked = [both.submit(page), both.submit(seller)]
        end = time.monotonic() + patient(60)
        while not waiting_for_locks() and time.monotonic() < end:
            time.sleep(0.02)
        waits.set()
        for each in asked:
            each.result(timeout=patient(60))
    world.shop.refresh_from_db()
    assert world.shop.currency == "EUR" and world.shop.last_read_at is not None


def waiting_for_locks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'")
        return int(cursor.fetchone()[0])
