"""What is shown can be searched by whoever sees it; what is hidden cannot be tested by searching."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from crossdock.store.models import Order
from crossdock.usecases.catalogue.finding import Wanted, find
from crossdock.usecases.orders.daily.order_list import in_queue
from market import World, seller

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def order(db: None) -> Order:
    world = World(units=3)
    order = world.buy()
    Order.objects.filter(pk=order.pk).update(ship_to={**order.ship_to, "name": "Renée Dubois"})
    order.buyer.name, order.buyer.email = "Ümit Özkan", "hidden@buyer.example"
    order.buyer.save()
    order.refresh_from_db()
    return order


def _found(order: Order, query: str) -> bool:
    return in_queue(seller=order.seller, queue="all", now=NOW, query=query) == [order]


@pytest.mark.parametrize("query", ["Renée", "renee dubois", "DUBOIS", "ozkan", "Ümit"])
def test_the_names_that_a_seller_sees_are_found(order: Order, query: str) -> None:
    assert _found(order, query)


def test_the_address_that_the_shop_has_is_found(order: Order) -> None:
    assert _found(order, order.relay_email)


@pytest.mark.parametrize("query", ["hidden@buyer.example", "hidden", "buyer.example", "HIDDEN@BUYER.EXAMPLE"])
def test_the_buyer_s_own_address_is_not(order: Order, query: str) -> None:
    assert not _found(order, query)


def test_a_seller_s_name_without_its_accents_finds_what_it_sells(db: None) -> None:
    world = World()
    world.seller.name = "Café Noctürne"
    world.seller.save()
    other = seller("Somebody else")
    assert _sellers("cafe") == [world.seller]
    assert _sellers("nocturne ember") == [world.seller]
    assert _sellers("cafe missing") == []
    assert not find(wanted=Wanted("cafe", seller=other), now=NOW).listings
    page = Client().get("/?q=cafe").content.decode()
    assert "Café Noctürne" in page and "Ember Fox" in page


def _sellers(words: str) -> list[object]:
    return [row.seller for row in find(wanted=Wanted(words), now=NOW).listings]
