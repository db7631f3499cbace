"""Deliveries: the recorded real ones verify, and nothing unsigned is believed but the ping."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from crossdock.connectors.woocommerce import connector
from crossdock.connectors.woocommerce.tests.conftest import RECORDED
from crossdock.domain.events import Look, LookKind
from crossdock.kit.connector import Forged, Hook, Shop
from crossdock.kit.webhook import verified_news

SECRET = 's3cr&t"x'
FORM = {"content-type": "application/x-www-form-urlencoded"}


def shop(secret: str = SECRET) -> Shop:
    return Shop("https://shop.example", {"hook_secret": secret}, {}, None, lambda: datetime.now(UTC))  # type: ignore[arg-type]


def signed(body: Any, topic: str = "order.updated", secret: str = SECRET) -> Hook:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    mac = base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()
    return Hook({"x-wc-webhook-topic": topic, "x-wc-webhook-signature": mac, "x-wc-webhook-delivery-id": "same"}, raw)


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded deliveries are not here")
def test_every_recorded_delivery_of_the_real_shop_is_understood() -> None:
    lines = (RECORDED / "webhook-deliveries-9.5.1.jsonl").read_text().splitlines()
    hooks = [
        Hook({key.lower(): value for key, value in entry["headers"].items()}, entry["body"].encode())
        for entry in map(json.loads, lines)
    ]
    news = [verified_news(connector, shop(), hook) for hook in hooks]
    signed_ones = [one for hook, one in zip(hooks, news, strict=True) if "x-wc-webhook-signature" in hook.headers]
    assert len(hooks) == 29 and len(signed_ones) == 23
    assert sum(one.topic == "ping" for one in news) == 6
    assert {look for one in news for look in one.looks} == {
        Look(LookKind.ORDER, "53"),
        Look(LookKind.ORDER, "54"),
        Look(LookKind.ORDER, "57"),
        Look(LookKind.PRODUCT, "50"),
        # The variation 52 speaks under its parent's name.
        Look(LookKind.PRODUCT, "51"),
    }
    errors = [one for one in signed_ones if not one.looks]
    assert len(errors) == 4 and all(one.topic in ("order.created", "order.updated") for one in errors)
    for hook in hooks:
        if "x-wc-webhook-signature" in hook.headers:
            with pytest.raises(Forged):
                verified_news(connector, shop("another"), hook)


def test_a_delivery_made_here_in_the_same_way_verifies() -> None:
    """Derived from the recorded ones: escaped slashes, a compact body, a secret with signs that HTML would escape."""
    body = (
        rb'{"id":7,"status":"cancelled","date_modified_gmt":"2026-11-23T00:29:03",'
        rb'"_links":{"self":"https:\/\/shop.example\/7"}}'
    )
    news = verified_news(connector, shop(), signed(body, "order.created"))
    assert news.looks == (Look(LookKind.ORDER, "7"),)


@pytest.mark.parametrize(
    ("topic", "body", "look"),
    [
        ("order.created", {"id": 7, "status": "cancelled"}, Look(LookKind.ORDER, "7")),
        ("order.deleted", {"id": 7}, Look(LookKind.ORDER, "7")),
        ("product.updated", {"id": 8, "type": "simple", "parent_id": 0}, Look(LookKind.PRODUCT, "8")),
        ("product.updated", {"id": 9, "type": "variation", "parent_id": 8}, Look(LookKind.PRODUCT, "8")),
        ("product.created", {"id": 9, "type": "variation", "parent_id": 8}, Look(LookKind.PRODUCT, "8")),
        ("product.deleted", {"id": 8}, Look(LookKind.PRODUCT_GONE, "8")),
        ("customer.created", {"id": 3}, Look(LookKind.NOTHING, "3")),
    ],
)
def test_a_delivery_only_says_where_to_look(topic: str, body: dict[str, Any], look: Look) -> None:
    news = verified_news(connector, shop(), signed(body, topic))
    assert news.looks == (look,) and news.hints == ()


def test_a_signed_error_is_understood_and_names_nothing() -> None:
    body = {"code": "woocommerce_rest_shop_order_invalid_id", "message": "Invalid ID.", "data": {"status": 404}}
    news = verified_news(connector, shop(), signed(body, "order.created"))
    assert news.looks == () and news.topic == "order.created"


def test_the_ping_is_news_with_no_looks() -> None:
    news = verified_news(connector, shop(), Hook(FORM, b"webhook_id=13"))
    assert (news.topic, news.looks, news.hints) == ("ping", (), ())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"webhook_id=",
        b"webhook_id=x",
        b"webhook_id=13&order=7",
        b"webhook_id=13\n",
        b' {"id":7}',
        b"webhook_id=" + b"1" * 30,
    ],
)
def test_nothing_else_unsigned_is_believed(body: bytes) -> None:
    for headers in (FORM, {**FORM, "x-wc-webhook-topic": "order.updated"}):
        with pytest.raises(Forged):
            verified_news(connector, shop(), Hook(headers, body))


def test_a_ping_with_a_wrong_signature_is_forged() -> None:
    with pytest.raises(Forged):
        verified_news(connector, shop(), Hook({**FORM, "x-wc-webhook-signature": "eA=="}, b"webhook_id=13"))


def test_without_a_secret_nothing_verifies() -> None:
    with pytest.raises(Forged):
        verified_news(connector, shop(""), signed({"id": 7}, secret=""))


def test_the_delivery_s_own_id_is_no_key() -> None:
    """Real deliveries of one second share it."""
    one, other = (
        verified_news(connector, shop(), signed({"id": 7})),
        verified_news(connector, shop(), signed({"id": 8})),
    )
    assert one.dedupe != other.dedupe


def test_the_same_state_told_by_two_topics_is_one_key_and_another_state_is_another() -> None:
    created, updated = (
        verified_news(connector, shop(), signed({"id": 7, "status": "processing"}, f"order.{e}"))
        for e in ("created", "updated")
    )
    later = verified_news(connector, shop(), signed({"id": 7, "status": "cancelled"}))
    assert created.dedupe == updated.dedupe != later.dedupe
    product = verified_news(connector, shop(), signed({"id": 7, "status": "processing"}, "product.updated"))
    assert product.dedupe != created.dedupe
