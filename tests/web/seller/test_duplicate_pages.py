"""The page of goods that stand in several shops: decided, found again, undone."""

import pytest
from django.test import Client

from crossdock.domain.events import ShopProduct, ShopVariant
from crossdock.domain.values import Money
from crossdock.store.models import Duplicate, Variant
from crossdock.usecases.catalogue.import_products import receive_products
from crossdock.usecases.catalogue.listings import make_listing
from crossdock.usecases.stock import counts
from market import World, connection

pytestmark = pytest.mark.django_db

PAGE = "/seller/listings/duplicates/"


@pytest.fixture
def world() -> World:
    world = World(units=3)
    price = world.variant.price
    make_listing(
        seller=world.seller, title="Fox of mine", description="", price=price, count=1, now=world.now, sku="fox-1"
    )
    return world


def test_the_same_thing_and_undone(world: World, client: Client) -> None:
    client.force_login(world.seller.owner)
    row = Duplicate.objects.get()
    assert '<span class="count">1</span>' in client.get("/seller/listings/").content.decode()
    page = client.get(PAGE).content.decode()
    assert "SKU FOX-1" in page and "Fox of mine" in page and world.shop.name in page
    said = client.post(f"{PAGE}{row.pk}/", {"verdict": "same", "sold_as": world.variant.public_id}, follow=True)
    assert "its units are sold once" in said.content.decode() and "Nothing to decide" in said.content.decode()
    decided = client.get(f"{PAGE}?show=decided").content.decode()
    assert "The same thing" in decided and "sold as the other listing" in decided
    client.post(f"{PAGE}{row.pk}/", {"verdict": "undo"})
    assert "Fox of mine" in client.get(PAGE).content.decode()


def test_two_are_the_same_and_the_third_is_another(world: World, client: Client) -> None:
    third = make_listing(
        seller=world.seller, title="A cub", description="", price=world.variant.price, count=1, now=world.now, sku="cub"
    ).variants.get()
    other = import_second(world)
    client.force_login(world.seller.owner)
    row, ids = Duplicate.objects.get(), [world.variant.public_id, other.public_id]
    hand = Variant.objects.get(connection=None, sku="fox-1").public_id
    page = client.get(PAGE).content.decode()
    assert page.count('name="alike"') == page.count('name="seen"') == 3 and third.public_id not in page
    asked = {"verdict": "same", "sold_as": ids[0], "seen": [*ids, hand]}
    one = client.post(f"{PAGE}{row.pk}/", {**asked, "alike": ids[:1]}, follow=True).content.decode()
    assert "two listings at least" in one
    client.post(f"{PAGE}{row.pk}/", {**asked, "alike": ids})
    assert "another thing" in client.get(f"{PAGE}?show=decided").content.decode()


def import_second(world: World) -> Variant:
    shop = connection(world.seller, now=world.now)
    product = ShopProduct("q1", "Ember Fox", (ShopVariant("w1", "FOX-1", "", Money(1000, "USD"), 3),))
    read_no = counts.draw_read_no()
    receive_products(connection_id=shop.pk, products=[product], read_no=read_no, now=world.now)
    return Variant.objects.get(connection=shop)


def test_buyers_cannot_be_shown_what_nobody_chose(world: World, client: Client) -> None:
    client.force_login(world.seller.owner)
    row = Duplicate.objects.get()
    said = client.post(f"{PAGE}{row.pk}/", {"verdict": "same"}, follow=True).content.decode()
    assert "Choose which listing buyers see." in said
    row.refresh_from_db()
    assert row.verdict == ""


def test_two_clicks_say_that_it_was_decided(world: World, client: Client) -> None:
    client.force_login(world.seller.owner)
    row = Duplicate.objects.get()
    client.post(f"{PAGE}{row.pk}/", {"verdict": "different"})
    again = client.post(f"{PAGE}{row.pk}/", {"verdict": "different"}, follow=True).content.decode()
    assert "decided already" in again
