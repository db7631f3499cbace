"""The page of goods that stand in several shops: decided, found again, undone."""

import pytest
from django.test import Client

from crossdock.store.models import Duplicate
from crossdock.usecases.catalogue.listings import make_listing
from market import World

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
