"""Deliveries: whose key signed the very bytes, and what they name."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from crossdock.connectors.saleor import connector, webhooks
from crossdock.connectors.saleor.sandbox import hooks
from crossdock.connectors.saleor.sandbox.books import Books
from crossdock.domain.events import Look, LookKind
from crossdock.kit.conformance import Stage
from crossdock.kit.connector import Forged, Hook, Http, Shop
from crossdock.kit.webhook import verified_news

KEY, OTHER = hooks.key_of(1), hooks.key_of(2)
BODY = b'{"__typename":"OrderUpdated","issuedAt":"2026-11-29T10:00:00Z","order":{"id":"T3JkZXI6MQ=="}}'


class Silent(Http):
    """Nothing is sent in these tests."""


def shop(*keys: tuple[Any, str]) -> Shop:
    kept = [row for key, kid in keys for row in hooks.jwks(key, kid)["keys"]]
    secrets = {"token": "t", "jwks": json.dumps([{name: row[name] for name in ("kid", "n", "e")} for row in kept])}
    return Shop("https://shop.example", secrets, {}, Silent(), now=lambda: datetime.now(UTC))


def delivery(body: bytes = BODY, *, sign: Any = KEY, kid: str = "a", event: str = "order_updated") -> Hook:
    return Hook({"saleor-event": event, "saleor-signature": hooks.signature(sign, kid, body)}, body)


def forged(at: Shop, hook: Hook) -> bool:
    try:
        connector.verify(at, hook)
    except Forged:
        return True
    return False


def test_a_delivery_signed_by_a_key_of_the_shop_is_believed() -> None:
    news = verified_news(connector, shop((OTHER, "b"), (KEY, "a")), delivery())
    assert news.looks == (Look(LookKind.ORDER, "T3JkZXI6MQ=="),)
    assert news.topic == "order_updated"


def test_another_key_a_key_that_is_not_named_and_another_body_are_forged() -> None:
    assert forged(shop((OTHER, "a")), delivery())
    assert forged(shop((KEY, "b")), delivery())
    assert forged(shop(), delivery())
    assert forged(shop((KEY, "a")), Hook(delivery().headers, BODY + b" "))
    assert not forged(shop((KEY, "a")), delivery())


def head(**changes: Any) -> str:
    header = {"alg": "RS256", "b64": False, "crit": ["b64"], "kid": "a", "typ": "JWT"} | changes
    return hooks.part(json.dumps(header).encode())


@pytest.mark.parametrize(
    "given",
    [
        "",
        "..",
        "a..b",
        f"{head(alg='none')}..",
        f"{head(alg='HS256')}..{hooks.part(b'x' * 32)}",
        f"{head(b64=True)}..{hooks.part(b'x' * 256)}",
        f"{head(kid=['a'])}..{hooks.part(b'x' * 256)}",
        f"{hooks.part(b'[]')}..{hooks.part(b'x' * 256)}",
        f"{hooks.part(b'[' * 100_000)}..{hooks.part(b'x')}",
        "ä" * 44,
        f"{head()}.{base64.b64encode(BODY).decode()}.{hooks.part(b'x' * 256)}",
    ],
)
def test_what_is_no_signature_of_the_kind_is_forged(given: str) -> None:
    assert forged(shop((KEY, "a")), Hook({"saleor-event": "order_updated", "saleor-signature": given}, BODY))


def test_a_signature_that_says_another_algorithm_is_forged_though_the_key_fits() -> None:
    """The header is signed along, so this one is really signed, by a header that we do not take."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    for changes in ({"alg": "RS512"}, {"b64": True}):
        said = head(**changes)
        signed = hooks.part(KEY.sign(said.encode() + b"." + BODY, PKCS1v15(), SHA256()))
        assert forged(shop((KEY, "a")), Hook({"saleor-signature": f"{said}..{signed}"}, BODY))


@pytest.mark.parametrize(
    ("event", "body", "look"),
    [
        # A list of whole documents: what Saleor sends without a subscription (seen on 3.23.28).
        ("order_updated", [{"type": "Order", "id": "T3JkZXI6MQ=="}], Look(LookKind.ORDER, "T3JkZXI6MQ==")),
        ("product_updated", [{"id": "UDox"}], Look(LookKind.PRODUCT, "UDox")),
        ("product_variant_stock_updated", [{"id": "Vjox", "product_id": "UDox"}], Look(LookKind.PRODUCT, "UDox")),
        (
            "product_variant_updated",
            {"productVariant": {"id": "Vjox", "product": {"id": "UDox"}}},
            Look(LookKind.PRODUCT, "UDox"),
        ),
        ("product_deleted", {"product": {"id": "UDox"}}, Look(LookKind.PRODUCT, "UDox")),
        ("fulfillment_created", {"order": {"id": "T3Jk"}}, Look(LookKind.ORDER, "T3Jk")),
        ("customer_created", {"user": {"id": "1"}}, Look(LookKind.NOTHING)),
    ],
)
def test_what_a_delivery_names(event: str, body: Any, look: Look) -> None:
    assert connector.news(shop(), Hook({"saleor-event": event}, json.dumps(body).encode())).looks == (look,)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"[[]]", b'{"order": null}', b'{"order": {"id": ""}}', b"<html>"]
)
def test_an_odd_body_says_nothing_and_stops_nothing(body: bytes) -> None:
    looks = connector.news(shop(), Hook({"saleor-event": "order_updated"}, body)).looks
    assert all(look.kind is LookKind.NOTHING for look in looks)


async def test_two_pieces_of_news_about_one_order_are_two(stage: Stage, books: Books) -> None:
    """The same ids twice: without the moment in the body the second would be taken for a double of the first."""
    async with stage.listening():
        await connector.subscribe(stage.shop)
        (variant,) = await stage.product(9)
        own = await stage.hand.sell(variant, 1)
        for _ in range(2):
            books.keep("order", books.order(own), "updated")
        await stage.sandbox.delivered()
        read = [verified_news(connector, stage.shop, hook) for hook in stage.inbox]
        about = [news.dedupe for news in read if news.topic == "order_updated"]
        assert len(about) == len(set(about)) >= 2


async def test_the_keys_are_read_again_every_hour_and_kept_when_they_cannot_be(stage: Stage) -> None:
    at = connector.renew_at(stage.shop)
    assert at is not None and at > stage.shop.now()
    renewed = await connector.renew(stage.shop)
    assert renewed["token"] == stage.shop.secrets["token"]
    assert json.loads(renewed["jwks"]) == json.loads(stage.shop.secrets["jwks"])
    stage.dial.once("broken")
    kept = await connector.renew(stage.shop)
    assert stage.dial.counts["broken"] == 1
    assert kept["jwks"] == stage.shop.secrets["jwks"] and kept["expires_at"] > stage.shop.now().isoformat()


async def test_a_webhook_that_the_seller_switched_off_or_changed_is_healed(stage: Stage, books: Books) -> None:
    async with stage.listening():
        first = await connector.subscribe(stage.shop)
        assert set(first.expected) == set(webhooks.TOPICS)
        off, bent, _ = books.shelf.all("hook")
        books.shelf.put("hook", off["id"], {**off, "isActive": False})
        books.shelf.put("hook", bent["id"], {**bent, "query": "", "events": ["ORDER_CREATED"]})
        healed = await connector.subscribe(stage.shop)
        assert set(healed.healed) == {off["name"].partition(": ")[2], bent["name"].partition(": ")[2]}
        assert len(books.shelf.all("hook")) == len(webhooks.TOPICS)


async def test_without_a_subscription_a_delivery_is_a_list_and_is_understood(stage: Stage, books: Books) -> None:
    async with stage.listening():
        await connector.subscribe(stage.shop)
        for hook in books.shelf.all("hook"):
            books.shelf.put("hook", hook["id"], {**hook, "query": ""})
        (variant,) = await stage.product(9)
        own = await stage.hand.sell(variant, 1)
        await stage.sandbox.delivered()
        assert all(hook.body.startswith(b"[") for hook in stage.inbox)
        named = [look for hook in stage.inbox for look in verified_news(connector, stage.shop, hook).looks]
        assert Look(LookKind.ORDER, own) in named
        assert Look(LookKind.PRODUCT, variant.product_id) in named
