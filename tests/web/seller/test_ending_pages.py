"""What the seller sees of stock after an order ended: both counts side by side, the way to the product in their shop,
the field that corrects it.
"""

import re
from datetime import UTC, datetime

import pytest
from django.test import Client

from crossdock.domain.commands import CancelReason
from crossdock.kit import discover
from crossdock.store.models import Alert, Command, Listing, Order, VariantStock
from crossdock.usecases.catalogue.listings import archive_listing
from crossdock.usecases.orders.reject import reject_order
from market import World
from toy import ToyConnector

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(discover, "connectors", lambda: {"toy": ToyConnector()})
    made = World(units=5, now=datetime.now(UTC))
    Listing.objects.filter(pk=made.variant.listing_id).update(shop_url="https://corner.example/admin/p1")
    return made


def signed_in(world: World) -> Client:
    client = Client()
    client.force_login(world.seller.owner)
    return client


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def rejected(world: World, reason: CancelReason) -> Order:
    order = world.buy(2)
    (claimed,) = world.claim()
    world.settle(claimed, world.create_there(order))
    world.read()
    reject_order(order=order, reason=reason, actor=world.seller.owner, expected_total=order.total, now=world.later())
    return order


def test_after_a_reject_both_counts_stand_on_the_order_with_the_way_to_the_product(world: World) -> None:
    order = rejected(world, CancelReason.BUYER_ASKED)
    shown = page(signed_in(world), f"/seller/orders/{order.public_id}/")
    assert "Now: shop 3 · may be sold here 3" in shown
    assert 'href="https://corner.example/admin/p1"' in shown
    assert "compare and correct" in shown and f"/seller/listings/{world.variant.listing.public_id}/" in shown


def test_what_was_rejected_as_missing_is_shown_set_aside_and_confirmed_from_the_listing(world: World) -> None:
    """S4b through the pages: a read does not lift it (C6), the seller's word does, and then only a later read sells
    it.
    """
    order = rejected(world, CancelReason.NOT_AVAILABLE)
    client = signed_in(world)
    assert "set aside" in page(client, f"/seller/orders/{order.public_id}/")
    world.read()
    assert world.available == 0, "a mere read does not lift it"
    address = f"/seller/listings/{world.variant.listing.public_id}/"
    assert "I counted; my shop" in page(client, address)
    answer = client.post(f"{address}count/{world.variant.public_id}/")
    assert answer.status_code == 302
    assert "I counted; my shop" not in page(client, address)
    assert world.available == 0, "the number that was wrong sells nothing"
    world.read()
    assert world.available == 3


def test_the_listing_corrects_the_shops_count(world: World) -> None:
    client, address = signed_in(world), f"/seller/listings/{world.variant.listing.public_id}/"
    shown = page(client, address)
    key = re.search(r'name="key" value="([^"]+)"', shown)
    assert key and "It counts 5 and should count" in shown
    sent = {"seen": "5", "wanted": "9", "key": key[1]}
    for _ in range(2):
        client.post(f"{address}correct/{world.variant.public_id}/", sent)
    (command,) = Command.objects.filter(kind="adjust_stock")
    assert command.payload["delta"] == 4 and command.payload["variant_id"] == "v1"
    assert VariantStock.objects.get(pk=world.variant.pk).count == 5, "nothing is added here"
    client.post(f"{address}correct/{world.variant.public_id}/", sent | {"key": "another", "seen": "4"})
    client.post(f"{address}correct/{world.variant.public_id}/", sent | {"key": "third", "wanted": "many"})
    assert Command.objects.filter(kind="adjust_stock").count() == 1
    assert "from 0 to 1,000,000" in page(client, address)


def test_where_the_platform_takes_no_counts_its_reason_stands_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discover, "connectors", dict)
    shown = page(signed_in(world), f"/seller/listings/{world.variant.listing.public_id}/")
    assert "correct the count in your shop" in shown and 'name="wanted"' not in shown


def test_units_of_an_archived_listing_return_to_it_and_the_seller_decides(world: World) -> None:
    """S4a: it cannot happen that there is no place for them."""
    order = world.buy(2)
    (claimed,) = world.claim()
    world.settle(claimed, world.create_there(order))
    world.read()
    listing = world.variant.listing
    archive_listing(listing=listing, now=world.later())
    reject_order(
        order=order,
        reason=CancelReason.BUYER_ASKED,
        actor=world.seller.owner,
        expected_total=order.total,
        now=world.later(),
    )
    client, address = signed_in(world), f"/seller/listings/{listing.public_id}/"
    shown = page(client, address)
    assert "Units came back to an archived listing" in shown and "Leave it archived" in shown and "List again" in shown
    alert = Alert.objects.get(code="units_back")
    client.post(f"{address}state/", {"to": "relist"})
    listing.refresh_from_db()
    alert.refresh_from_db()
    assert listing.state == "live" and alert.settled_how == "Listed again."


def test_leaving_it_archived_settles_the_question_too(world: World) -> None:
    order = world.buy(1)
    archive_listing(listing=world.variant.listing, now=world.later())
    reject_order(
        order=order, reason=CancelReason.OTHER, actor=world.seller.owner, expected_total=order.total, now=world.later()
    )
    alert = Alert.objects.get(code="units_back")
    signed_in(world).post(f"/seller/alerts/{alert.public_id}/settle/", {"how": "Leave it archived."})
    alert.refresh_from_db()
    assert alert.settled_by == world.seller.owner
    assert Listing.objects.get(pk=world.variant.listing_id).state == "archived"


def test_what_is_lost_comes_back_to_nothing(world: World) -> None:
    order = world.buy(1)
    archive_listing(listing=world.variant.listing, now=world.later())
    reject_order(
        order=order, reason=CancelReason.LOST, actor=world.seller.owner, expected_total=order.total, now=world.later()
    )
    assert not Alert.objects.filter(code="units_back").exists()
