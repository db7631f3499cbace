"""Payments of the version in which one payment was one order are carried over, and back while each still is."""

import json
from typing import Any

import pytest
from django.db import connection

from crossdock.store.models import PaymentIntent
from market import World
from steps import back, forward

STEPS = ("0035_one_payment_several_orders", "0036_payments_in_parts", "0037_payments_name_no_order")
pytestmark = pytest.mark.django_db(transaction=True)


def asked(query: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def test_there_and_back() -> None:
    world = World(units=5)
    order, unpaid = world.buy(2), world.hold()
    before = {row.public_id: row.basket for row in PaymentIntent.objects.all()}
    back(*reversed(STEPS))
    try:
        rows = asked("SELECT public_id, order_id, seller_id, basket FROM store_paymentintent ORDER BY id")
        assert [(name, paid, seller) for name, paid, seller, _ in rows] == [
            (order.intent.public_id, order.pk, world.seller.pk),
            (unpaid, None, world.seller.pk),
        ]
        for *_, kept in rows:
            basket = json.loads(kept) if isinstance(kept, str) else kept
            assert set(basket) == {"ship_to", "connection", "items_minor", "shipping_minor", "lines", "offer"}
            assert (basket["connection"], basket["offer"]) == (world.shop.pk, "")
    finally:
        forward(*STEPS)
    assert {row.public_id: row.basket for row in PaymentIntent.objects.all()} == before
    order.refresh_from_db()
    assert order.intent and order.intent.public_id != unpaid
    assert not PaymentIntent.objects.get(public_id=unpaid).orders.exists()


def test_an_earlier_version_cannot_keep_two_offers_of_one_payment() -> None:
    world = World(units=5)
    intent = PaymentIntent.objects.get(public_id=world.hold())
    intent.basket["parts"][0]["offers"] = ["one", "two"]
    intent.save()
    back(STEPS[2])
    try:
        with pytest.raises(RuntimeError, match="several parts or offers"):
            back(STEPS[1])
    finally:
        forward(STEPS[2])
    assert PaymentIntent.objects.get().basket["parts"][0]["offers"] == ["one", "two"]
