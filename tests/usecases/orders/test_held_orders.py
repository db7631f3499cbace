"""A held order is locked everywhere, with its reason, until staff release it; then it ships like any other."""

from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.test import Client

from crossdock.domain.due.ship_by import stood_still
from crossdock.domain.pasted import PastedRow
from crossdock.store.models import Mail, Order, RiskHold, Shipment
from crossdock.usecases.accounts.tokens import make_token
from crossdock.usecases.errors import NotAllowed
from crossdock.usecases.labels.purchase import why_not_buy
from crossdock.usecases.orders import paste_tracking
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.usecases.orders.clear_risk_hold import clear_hold
from crossdock.usecases.orders.daily.order_list import in_queue, queues
from crossdock.usecases.orders.shippable import why_not_ship
from market import World, user

pytestmark = pytest.mark.django_db
REASON = "The order is held"


@pytest.fixture
def world() -> World:
    return World(units=90, now=datetime.now(UTC))


@pytest.fixture
def order(world: World) -> Order:
    found = world.buy(2)
    RiskHold.objects.create(order=found, held_at=world.now)
    return Order.objects.get(pk=found.pk)


@pytest.fixture
def panel(world: World) -> Client:
    client = Client()
    client.force_login(world.seller.owner)
    return client


def text(client: Client, url: str, **form: str) -> str:
    answer = client.post(url, form, follow=True) if form else client.get(url, follow=True)
    return unescape(answer.content.decode())


def test_the_one_function_says_why_and_every_way_to_ship_asks_it(world: World, order: Order) -> None:
    assert REASON in why_not_ship(order) and REASON in why_not_buy(order=order)
    with pytest.raises(NotAllowed, match=REASON):
        ship_by_hand(order=order, lines=None, tracking="1", carrier="UPS", actor=world.seller.owner, now=world.later())
    (row,) = paste_tracking.apply(
        seller=world.seller,
        rows=[PastedRow(1, str(order.number), "1Z999AA10123456784", "UPS", "")],
        token="t",
        actor=world.seller.owner,
        now=world.later(),
    )
    assert row.fate is paste_tracking.Fate.NOT and REASON in row.sentence
    assert not Shipment.objects.exists() and not Mail.objects.filter(cause__startswith="shipped").exists()


def test_the_api_refuses_it_with_the_reason(world: World, order: Order) -> None:
    _, secret = make_token(name="t", seller=world.seller, actor=world.seller.owner, now=world.now)
    answer = Client().post(
        f"/api/v1/orders/{order.reference}/shipments",
        {"tracking_number": "1", "carrier": "UPS"},
        "application/json",
        headers={"Authorization": f"Bearer {secret}", "Idempotency-Key": "k" * 20},
    )
    assert answer.status_code == 409 and REASON in answer.content.decode()
    assert not Shipment.objects.exists()


def test_its_pages_say_so_and_offer_nothing_that_ships(panel: Client, order: Order) -> None:
    page = text(panel, f"/seller/orders/{order.public_id}/")
    assert "Held: waits for our staff" in page and "Held: do not ship it yet" in page
    assert "On its way to the shop" not in page and f"/seller/orders/{order.public_id}/ship/" not in page
    assert REASON in text(panel, f"/seller/orders/{order.public_id}/ship/")
    assert REASON in text(panel, f"/seller/orders/{order.public_id}/ship/", key="a", tracking="1")
    assert not Shipment.objects.exists()
    listed = text(panel, "/seller/orders/?queue=all")
    assert "Held: waits for our staff" in listed and "On its way to the shop" not in listed


def test_it_is_neither_packed_nor_fetched_and_both_lists_say_why(world: World, panel: Client, order: Order) -> None:
    other = world.buy()
    both = f"pick={order.public_id}&pick={other.public_id}"
    slips = text(panel, f"/seller/orders/print/slips/?{both}")
    assert slips.count('class="card sheet"') == 1 and f"Order #{other.number}" in slips
    assert f"#{order.number}</a> is left out. {REASON}" in slips and f"Order #{order.number}" not in slips
    sheet = text(panel, f"/seller/orders/print/sheet/?{both}")
    assert "1 unit of 1 item for 1 order" in sheet and REASON in sheet
    own = text(panel, f"/seller/orders/{order.public_id}/slip/")
    assert 'class="card sheet"' not in own and REASON in own


def test_it_waits_in_a_queue_of_its_own(world: World, order: Order) -> None:
    late = world.now + timedelta(days=60)
    counts = queues(seller=world.seller, now=late)
    assert (counts["held"], counts["to_ship"], counts["overdue"], counts["all"]) == (1, 0, 0, 1)
    assert in_queue(seller=world.seller, queue="held", now=late) == [order]
    assert in_queue(seller=world.seller, queue="to_ship", now=late) == []


def test_released_it_ships_and_the_time_that_it_waited_is_added(world: World, order: Order) -> None:
    due = order.ship_by
    released = world.later(7200)
    clear_hold(order=order, actor=user(is_staff=True), note="", now=released)
    order = Order.objects.get(pk=order.pk)
    calendar = order.seller.calendar
    assert order.ship_by == stood_still(due, since=order.risk_hold.held_at, back=released, calendar=calendar) > due
    assert why_not_ship(order) == "" and queues(seller=world.seller, now=world.now)["to_ship"] == 1
    mail = Mail.objects.get(cause=f"released:{order.reference}")
    assert f"/seller/orders/{order.public_id}/" in mail.body
    ship_by_hand(order=order, lines=None, tracking="1", carrier="UPS", actor=world.seller.owner, now=world.later())
    assert Shipment.objects.count() == 1


def test_what_waits_to_be_shipped_is_sorted_by_its_date_across_pages(world: World) -> None:
    orders = [world.buy() for _ in range(5)]
    for order, days in zip(orders, (3, 1, 2, 1, 5), strict=True):
        Order.objects.filter(pk=order.pk).update(ship_by=world.now + timedelta(days=days))
    wanted = [orders[i].pk for i in (1, 3, 2, 0, 4)]
    seen: list[int] = []
    after = None
    while page := in_queue(seller=world.seller, queue="to_ship", now=world.now, after=after, limit=2):
        seen += [order.pk for order in page]
        after = page[-1].pk
    assert seen == wanted
    newest = [order.pk for order in in_queue(seller=world.seller, queue="all", now=world.now)]
    assert newest == sorted(newest, reverse=True), "the other lists stay newest first"
