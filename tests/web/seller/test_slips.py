"""Packing slips and the pull sheet: every order its own, any script, no prices, and nobody else's orders."""

from datetime import UTC, datetime
from html import unescape

import pytest
from django.test import Client

from crossdock.store.models import Order, OrderLine, Seller
from crossdock.usecases.orders.actions import ship_by_hand
from market import World

pytestmark = pytest.mark.django_db
NAMES = ("Zoë Müller", "Łukasz Żółć", "Ольга Петрова", "田中 太郎", "محمد علي", "<b>O'Neil</b> & Söhne")


@pytest.fixture
def world() -> World:
    return World(units=90, now=datetime.now(UTC))


def seen(seller: Seller, url: str, status: int = 200) -> str:
    client = Client()
    client.force_login(seller.owner)
    answer = client.get(url)
    assert answer.status_code == status
    return answer.content.decode()


def named(world: World, name: str, quantity: int = 1) -> Order:
    order = world.buy(quantity)
    Order.objects.filter(pk=order.pk).update(ship_to={**order.ship_to, "name": name})
    return order


def picks(*orders: Order) -> str:
    return "&".join(f"pick={order.public_id}" for order in orders)


def test_many_slips_each_on_its_own_sheet_in_any_script(world: World) -> None:
    orders = [named(world, name) for name in NAMES]
    page = seen(world.seller, f"/seller/orders/print/slips/?{picks(*orders)}")
    sheets = page.split('<section class="card sheet">')[1:]
    assert len(sheets) == len(NAMES)
    for order, name, sheet in zip(orders, NAMES, sheets, strict=True):
        assert name in unescape(sheet) and f"#{order.number}" in sheet and "Ember Fox" in sheet
        assert "$" not in sheet and "10.00" not in sheet, "no prices"
    assert "<b>O'Neil" not in page, "what a buyer typed is no markup"


def test_only_what_is_left_is_packed_and_what_is_cancelled_is_not(world: World) -> None:
    part, whole, gone = world.buy(3), world.buy(2), world.buy()
    (line,) = part.lines.all()
    ship_by_hand(order=part, lines={line.pk: 1}, tracking="", carrier="", actor=world.seller.owner, now=world.later())
    ship_by_hand(order=whole, lines=None, tracking="", carrier="", actor=world.seller.owner, now=world.later())
    Order.objects.filter(pk=gone.pk).update(cancelled_at=world.now)
    page = seen(world.seller, f"/seller/orders/print/slips/?{picks(part, whole, gone)}")
    assert page.count('<section class="card sheet">') == 2 and f"#{gone.number}" not in page
    assert page.count('<td class="number">2</td>') == 2, "two are left of the one, two were in the other"
    all_of_it = seen(world.seller, "/seller/orders/print/slips/?queue=to_ship")
    assert f"#{part.number}" in all_of_it and f"#{whole.number}" not in all_of_it


def test_the_sheet_adds_up(world: World) -> None:
    first, second, third = world.buy(2), world.buy(1), world.buy(4)
    OrderLine.objects.filter(order=third).update(title="abyssal Whale", sku="WHALE")
    page = seen(world.seller, "/seller/orders/print/sheet/?queue=to_ship")
    assert "7 units of 2 items for 3 orders" in page
    assert page.index("abyssal Whale") < page.index("Ember Fox"), "as things stand on a shelf"
    assert '<td class="number strong" data-label="Units">3</td>' in page
    assert f"#{first.number}</span> (2), " in page and f">#{second.number}</span>" in page and "$" not in page


def test_somebody_else_s_orders_are_not_printed(world: World) -> None:
    other = World(units=2, now=datetime.now(UTC))
    mine, theirs = world.buy(), other.buy()
    for kind in ("slips", "sheet"):
        page = seen(world.seller, f"/seller/orders/print/{kind}/?{picks(mine, theirs)}", 404)
        assert f"#{theirs.number}" not in page
        assert f"#{theirs.number}" not in seen(world.seller, f"/seller/orders/print/{kind}/?queue=to_ship")
        assert seen(world.seller, f"/seller/orders/print/{kind}/")
        seen(world.seller, f"/seller/orders/print/{kind}/?pick=%00&pick=..&queue=all")


def test_a_list_of_orders_offers_it(world: World) -> None:
    order = world.buy()
    page = seen(world.seller, "/seller/orders/")
    assert f'value="{order.public_id}" form="print"' in page and "?queue=to_ship" in page
