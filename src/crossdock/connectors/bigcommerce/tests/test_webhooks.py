"""Deliveries of BigCommerce: what they name, and subscriptions that it switched off."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from crossdock.connectors.bigcommerce import connector
from crossdock.connectors.bigcommerce.sandbox.books import Books
from crossdock.kit.conformance import Stage
from crossdock.kit.connector import Forged, Hook
from crossdock.kit.webhook import verified_news


def delivery(stage: Stage, body: Any, *, secret: str = "") -> Hook:
    raw = json.dumps(body).encode()
    key = base64.b64encode((secret or stage.shop.secrets["client_secret"]).encode()).decode()
    now = datetime.now(UTC)
    signed = Webhook(key).sign("msg_1", now, raw.decode())
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signed}
    return Hook(headers, raw)


@pytest.mark.parametrize(
    ("scope", "data", "named"),
    [
        ("store/order/statusUpdated", {"type": "order", "id": 250, "status": {"new_status_id": 5}}, ("order", "250")),
        ("store/order/refund/created", {"type": "order", "id": 250, "refund": {"refund_id": 3}}, ("order", "250")),
        ("store/shipment/created", {"type": "shipment", "id": 12, "orderId": 251}, ("order", "251")),
        ("store/product/updated", {"type": "product", "id": 167}, ("product", "167")),
        ("store/product/deleted", {"type": "product", "id": 167}, ("product_gone", "167")),
        ("store/sku/updated", {"type": "sku", "id": 461, "sku": {"product_id": 206}}, ("product", "206")),
        ("store/sku/inventory/updated", {"type": "sku", "id": 4, "inventory": {"product_id": 206}}, ("product", "206")),
        ("store/customer/created", {"type": "customer", "id": 3}, ("nothing", "")),
    ],
)
async def test_a_delivery_names_what_to_look_at(stage: Stage, scope: str, data: Any, named: tuple[str, str]) -> None:
    news = verified_news(connector, stage.shop, delivery(stage, {"scope": scope, "data": data}))
    assert [(look.kind, look.entity_id) for look in news.looks] == [named]


async def test_an_odd_body_names_nothing_and_a_foreign_key_opens_nothing(stage: Stage) -> None:
    for body in ([], {"scope": "x"}, {"scope": "store/order/created", "data": {"type": "order", "id": [1]}}):
        assert verified_news(connector, stage.shop, delivery(stage, body)).looks == ()
    with pytest.raises(Forged):
        verified_news(connector, stage.shop, delivery(stage, {"scope": "x"}, secret="another secret"))


async def test_one_that_was_switched_off_is_on_again_and_others_stay(stage: Stage, books: Books) -> None:
    async with stage.listening():
        first = await connector.subscribe(stage.shop)
        theirs = {"scope": "store/order/*", "destination": "https://erp.example/hook", "is_active": False, "id": 5}
        books.shelf.put("hook", 5, theirs)
        off = next(doc for doc in books.shelf.all("hook") if doc["scope"] == "store/order/*" and doc["id"] != 5)
        books.shelf.put("hook", off["id"], {**off, "is_active": False})
        healed = await connector.subscribe(stage.shop)
        assert healed.healed == ("store/order/*",) and set(healed.active) == set(first.expected)
        assert books.shelf.need("hook", off["id"])["is_active"] is True
        assert books.shelf.need("hook", 5) == theirs
        await connector.unsubscribe(stage.shop)
        assert [doc["id"] for doc in books.shelf.all("hook")] == [5]
