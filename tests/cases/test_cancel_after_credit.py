"""A partial credit, then a cancel in the shop: what is left goes back, and the shop's other news is taken as ever."""

from datetime import UTC, datetime

import pytest

from crossdock.domain.commands import CancelReason
from crossdock.domain.events import OrderLine as ShopLine
from crossdock.domain.events import Parcel, Refund, ShopOrder, ShopOrderState
from crossdock.domain.values import Money
from crossdock.kit import discover
from crossdock.store.models import Order, PolicySwitch, User
from crossdock.usecases.money.credits import staff_credit
from crossdock.usecases.orders import snapshots
from crossdock.usecases.orders.reject_units import Pick, preview_parts, reject_parts
from market import World

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MANIFEST = discover.connectors()["shopify"].manifest
pytestmark = pytest.mark.django_db


def landed(world: World, quantity: int) -> tuple[Order, str]:
    order = world.buy(quantity)
    for claimed in world.claim():
        world.settle(claimed, world.create_there(order))
    order.refresh_from_db()
    return order, order.copy.shop_order_id


def seen(
    order: Order,
    shop_id: str,
    state: ShopOrderState,
    *,
    units: int = 3,
    refunds: tuple[Refund, ...] = (),
    parcels: tuple[Parcel, ...] = (),
) -> ShopOrder:
    line = ShopLine("l1", "p1", "v1", "FOX-1", units)
    total = Money(1000 * units + 500, "USD")
    return ShopOrder(shop_id, f"#{shop_id}", order.reference, state, (line,), total, parcels, refunds, stock_taken=True)


def take(world: World, *seen_there: ShopOrder) -> None:
    snapshots.receive_orders(connection_id=world.shop.pk, orders=list(seen_there), manifest=MANIFEST, now=world.later())


def goodwill(world: World, order: Order) -> None:
    staff = User.objects.create_user("s@staff.example.test", is_staff=True)
    staff_credit(order=order, amount=Money(100, "USD"), reason="Goodwill", actor=staff, key="k", now=world.later())


def credited_whole(order: Order) -> bool:
    order.refresh_from_db()
    return order.cancelled_at is not None and order.credited_minor == order.total_minor


def test_a_cancel_in_the_shop_after_goodwill_credits_what_is_left() -> None:
    world = World(units=10, now=NOW)
    order, shop_id = landed(world, 3)
    goodwill(world, order)
    take(world, seen(order, shop_id, ShopOrderState.CANCELLED))
    assert credited_whole(order)
    assert sum(credit.amount_minor for credit in order.credits.all()) == order.total_minor


def test_a_cancel_in_the_shop_after_a_part_was_rejected_credits_what_is_left() -> None:
    PolicySwitch.objects.create(rule="S8", lifted=True, changed_at=NOW)
    world = World(units=10, now=NOW)
    order, shop_id = landed(world, 3)
    picks = {order.lines.get().pk: Pick(1, CancelReason.BUYER_ASKED)}
    shown = preview_parts(order=order, picks=picks, manifest=MANIFEST)
    reject_parts(
        order=order,
        picks=picks,
        expected_total=shown.total,
        key="k1",
        manifest=MANIFEST,
        actor=world.seller.owner,
        now=world.later(),
    )
    take(world, seen(order, shop_id, ShopOrderState.CANCELLED, units=2))
    assert credited_whole(order)


def test_a_cancel_that_comes_with_a_refund_credits_each_once() -> None:
    PolicySwitch.objects.create(rule="S8", lifted=True, changed_at=NOW)
    world = World(units=10, now=NOW)
    order, shop_id = landed(world, 3)
    take(world, seen(order, shop_id, ShopOrderState.CANCELLED, refunds=(Refund("r1", Money(1000, "USD")),)))
    assert credited_whole(order)


def test_the_next_orders_of_the_page_are_taken_too() -> None:
    world = World(units=10, now=NOW)
    order, shop_id = landed(world, 3)
    goodwill(world, order)
    other, other_id = landed(world, 1)
    parcel = Parcel("f1", (("l1", 1),), "1Z999AA10123456784")
    take(
        world,
        seen(order, shop_id, ShopOrderState.CANCELLED),
        seen(other, other_id, ShopOrderState.OPEN, units=1, parcels=(parcel,)),
    )
    other.refresh_from_db()
    assert other.parcels == "shipped"
