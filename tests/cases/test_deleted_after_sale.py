"""A product (or variation) that is deleted after it was sold, as sellers of single cards do: the shop's order line
loses its variant, and the parcel is ours all the same.

Reported as woocommerce/woocommerce 9513 (product_id 0 after deletion) and woocommerce/woocommerce-ios 3313
(variation_id 0); in Shopify's schema a deleted variant is null in the line.
"""

from dataclasses import replace

import pytest

from crossdock.connectors.shopify import mapper as shopify
from crossdock.connectors.woocommerce import mapper as woocommerce
from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import Done
from crossdock.domain.events import OrderLine, Parcel
from crossdock.domain.orders import CopyState, ParcelState
from crossdock.kit.json_node import node_of
from crossdock.store.models import ShopCopy, ShopLine
from crossdock.usecases.orders.landing import bind
from crossdock.usecases.record.telling import telling
from parcelling import Parcelling

pytestmark = pytest.mark.django_db

FORGOTTEN = OrderLine("L1", "", "", "", 2)
SENT = Parcel("f1", (("L1", 2),), "1Z999AA10123456784", "UPS")


def test_the_parcel_is_the_line_that_was_sold() -> None:
    desk = Parcelling(units=2)
    desk.take()
    desk.take(SENT, rows=(FORGOTTEN,))
    assert desk.order.parcels == ParcelState.SHIPPED
    assert desk.shipped() == [2]
    (mail,) = desk.mails()
    assert mail.split("\n")[0] == f"{desk.world.seller.name} shipped 2 × Ember Fox."


def test_it_is_no_other_order_than_was_placed() -> None:
    desk = Parcelling(units=2)
    desk.take()
    desk.take(rows=(FORGOTTEN,))
    copy = ShopCopy.objects.get(order=desk.order)
    assert (copy.state, copy.differences) == (CopyState.EQUAL, [])
    assert AlertCode.ORDER_DIFFERS not in desk.alerts()
    desk.take(rows=(replace(FORGOTTEN, quantity=1),))
    copy.refresh_from_db()
    assert copy.differences == ["Units of FOX-1: 2 here, 1 in the shop"], "units are compared as before"


def test_deleted_before_the_order_was_read_once() -> None:
    desk = Parcelling(units=2)
    desk.take(SENT, rows=(FORGOTTEN,))
    assert desk.order.parcels == ParcelState.SHIPPED
    assert ShopCopy.objects.get(order=desk.order).state == CopyState.EQUAL


def test_another_article_in_the_place_of_ours_is_not_taken_for_it() -> None:
    desk = Parcelling(units=2)
    desk.take(SENT, rows=(OrderLine("L9", "p9", "v9", "OWL-1", 2),))
    assert desk.order.parcels == ParcelState.UNSHIPPED
    assert desk.shipped() == [0]
    assert AlertCode.ORDER_DIFFERS in desk.alerts()


def test_lines_are_kept_once_and_forgotten_with_the_copy() -> None:
    desk = Parcelling(units=2)
    for _ in range(3):
        desk.take()
    assert list(ShopLine.objects.values_list("shop_line_id", "units")) == [("L1", 2)]
    copy = ShopCopy.objects.get(order=desk.order)
    now = desk.world.later()
    with telling(now) as told:
        bind(order=desk.order, copy=copy, outcome=Done("another"), adopted=False, want_after=None, told=told)
    assert not ShopLine.objects.exists()


def test_woocommerce_names_nothing_and_shopify_null() -> None:
    """What the platforms answer then, read by their mappers."""
    row = {"id": 7, "product_id": 0, "variation_id": 0, "sku": None, "quantity": 2, "meta_data": []}
    line = woocommerce.line_of(node_of(row, "line"))
    assert (line.line_id, line.product_id, line.variant_id, line.sku, line.quantity) == ("7", "", "", "", 2)
    variation = woocommerce.line_of(node_of({**row, "product_id": 17}, "line"))
    assert (variation.product_id, variation.variant_id) == ("17", "17"), "its product is left"
    part = {"id": "gid://shopify/LineItem/9", "sku": "", "currentQuantity": 2, "variant": None, "product": None}
    found = shopify._line(node_of(part, "line"))
    assert (found.line_id, found.product_id, found.variant_id) == ("9", "", "")
