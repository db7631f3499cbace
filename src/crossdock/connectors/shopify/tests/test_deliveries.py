"""Signatures over the raw bytes, and what each topic means."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from crossdock.connectors.shopify import connector
from crossdock.connectors.shopify.connect import verified
from crossdock.connectors.shopify.tests.conftest import a_shop
from crossdock.domain.events import HookNews, Look, LookKind, StockHint
from crossdock.kit.connector import Forged, Hook, Shop
from crossdock.kit.webhook import verified_news

OPERATOR = {"client_id": "app", "client_secret": "new secret", "old_client_secret": "old secret"}


def delivery(topic: str, body: Any, secret: str = "new secret") -> Hook:
    """Signed here by hand, so that the connector's own helper doesn't vouch for itself."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    signature = base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()
    domain = {"x-shopify-shop-domain": "X.myshopify.com"}
    return Hook({"x-shopify-topic": topic, "x-shopify-hmac-sha256": signature, **domain}, raw)


def news(topic: str, body: Any, shop: Shop | None = None) -> HookNews:
    return verified_news(connector, shop or a_shop(app=OPERATOR), delivery(topic, body))


def test_the_documented_example_of_a_sign_in_verifies() -> None:
    """Secret and parameters as printed in Shopify's documentation of OAuth for many years."""
    params = {
        "code": "0907a61c0c8d55e99db179b68161bc00",
        "shop": "some-shop.myshopify.com",
        "timestamp": "1337178173",
        "hmac": "4712bf92ffc2917d15a2f5a273e39f0116667419aa4b6ac0b3baaf26fa3c4d20",
    }
    assert verified(params, "hush")
    assert not verified(params | {"shop": "other-shop.myshopify.com"}, "hush")
    assert not verified(params | {"extra": "1"}, "hush")
    assert not verified(params, "")


def test_the_old_secret_holds_for_the_hour_after_a_rotation() -> None:
    shop = a_shop(app=OPERATOR)
    for secret in ("new secret", "old secret"):
        assert verified_news(connector, shop, delivery("orders/updated", {"id": 1}, secret)).looks == (
            Look(LookKind.ORDER, "1"),
        )
    for secret in ("", "other", "new secret "):
        with pytest.raises(Forged):
            verified_news(connector, shop, delivery("orders/updated", {"id": 1}, secret))


def test_a_sellers_own_app_signs_with_its_own_secret_only() -> None:
    shop = a_shop(app=OPERATOR, secrets={"access_token": "t", "own_app": "id:own secret"})
    assert verified_news(connector, shop, delivery("orders/updated", {"id": 1}, "own secret")).looks
    with pytest.raises(Forged):
        verified_news(connector, shop, delivery("orders/updated", {"id": 1}, "new secret"))


def test_without_any_secret_nothing_verifies() -> None:
    with pytest.raises(Forged):
        verified_news(connector, a_shop(app={}), delivery("orders/updated", {"id": 1}, ""))


@pytest.mark.parametrize(
    ("topic", "body", "look"),
    [
        ("orders/create", {"id": 9107199254740993}, Look(LookKind.ORDER, "9107199254740993")),
        ("orders/cancelled", {"id": 1}, Look(LookKind.ORDER, "1")),
        ("orders/delete", {"id": 1}, Look(LookKind.ORDER, "1")),
        ("fulfillments/create", {"id": 5, "order_id": 1}, Look(LookKind.ORDER, "1")),
        ("refunds/create", {"id": 5, "order_id": 1}, Look(LookKind.ORDER, "1")),
        ("products/create", {"id": 3}, Look(LookKind.PRODUCT, "3")),
        ("products/delete", {"id": 3}, Look(LookKind.PRODUCT_GONE, "3")),
        ("app/uninstalled", {"id": 3}, Look(LookKind.UNINSTALLED)),
        ("shop/redact", {"shop_id": 3, "shop_domain": "x.myshopify.com"}, Look(LookKind.ERASE_SHOP)),
        ("customers/data_request", {"shop_id": 3, "customer": {"id": 1}}, Look(LookKind.DATA_REQUEST, ":")),
        (
            "customers/data_request",
            {"shop_id": 3, "orders_requested": [299938, 280263], "customer": {"id": 1}, "data_request": {"id": 9999}},
            Look(LookKind.DATA_REQUEST, "9999:299938,280263"),
        ),
        ("themes/publish", {"id": 3}, Look(LookKind.NOTHING)),
        ("inventory_levels/update", {"inventory_item_id": 5, "location_id": 9, "available": 1}, Look(LookKind.NOTHING)),
    ],
)
def test_what_a_topic_means(topic: str, body: dict[str, Any], look: Look) -> None:
    assert news(topic, body).looks == (look,)


def test_a_buyers_erasure_names_their_orders() -> None:
    customer = {"id": 191167, "email": "john@example.com", "phone": "555-625-1199"}
    body = {
        "shop_id": 954889,
        "shop_domain": "x.myshopify.com",
        "customer": customer,
        "orders_to_redact": [299938, 280263],
    }
    found = news("customers/redact", body)
    assert found.looks == (Look(LookKind.ERASE_BUYER, "299938"), Look(LookKind.ERASE_BUYER, "280263"))
    assert "john" not in repr(found)
    assert news("customers/redact", body | {"orders_to_redact": []}).looks == (
        Look(LookKind.ERASE_BUYER, "customer:191167"),
    )


def test_numbers_of_a_product_are_hints_where_all_locations_count() -> None:
    body = {
        "id": 3,
        "updated_at": "2026-11-23T10:00:00+00:00",
        "variants": [
            {"id": 7, "inventory_quantity": 2, "inventory_management": "shopify"},
            {"id": 8, "inventory_quantity": 0, "inventory_management": None},
        ],
    }
    assert news("products/update", body).hints == (StockHint("7", 2),), "an untracked variant's 0 says nothing"
    pinned = a_shop(app=OPERATOR, settings={"location": "99"})
    assert news("products/update", body, pinned).hints == (), "the sum of all locations says nothing about one"


def test_two_states_of_one_second_are_two_pieces_of_news() -> None:
    open_, cancelled = (
        {"id": 1, "updated_at": "2026-11-23T10:00:00Z", "cancelled_at": at} for at in (None, "2026-11-23T10:00:00Z")
    )
    assert news("orders/updated", open_).dedupe != news("orders/updated", cancelled).dedupe
    assert news("orders/updated", open_).dedupe == news("orders/updated", open_).dedupe
    assert news("orders/updated", open_).dedupe != news("orders/cancelled", open_).dedupe


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b"17", b'{"id": null}', b'{"id": {"a": 1}}'])
def test_a_signed_body_that_makes_no_sense_looks_at_nothing(body: bytes) -> None:
    assert news("orders/updated", body).looks == ()


def test_a_delivery_to_the_operators_app_names_its_shop() -> None:
    assert connector.hook_shop(delivery("shop/redact", {})) == "x.myshopify.com"
    assert connector.hook_shop(Hook({}, b"{}")) == ""
