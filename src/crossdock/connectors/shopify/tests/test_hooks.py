"""Webhooks between the connector and the simulated shop: set up, kept up, and shaped like the vendor's."""

import asyncio
import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from crossdock.connectors.shopify import connector
from crossdock.connectors.shopify.client import Client
from crossdock.connectors.shopify.sandbox import Sandbox
from crossdock.connectors.shopify.sandbox.hooks import NAMES, chosen, payload
from crossdock.connectors.shopify.webhooks import TOPICS
from crossdock.domain.events import LookKind
from crossdock.kit.conformance.stage import Stage
from crossdock.kit.webhook import verified_news

SAMPLES = Path(__file__).parents[5].parent / "shared/platforms/schemas/shopify/webhooks.tar.gz"
HERE = "http://127.0.0.1:9/hooks/shop/shopify/1"


def subscribed(sandbox: Sandbox) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in sandbox.shelf.all("hook"):
        found.setdefault(row["topic"], []).append(row["uri"])
    return found


async def test_an_older_address_of_ours_is_changed_and_doubles_are_removed(stage: Stage, sandbox: Sandbox) -> None:
    old = replace(stage.shop, hook_url="https://old.example/hooks/shop/shopify/1")
    shop = replace(stage.shop, hook_url=HERE)
    await connector.subscribe(old)
    await Client(shop).ask("CreateHook", {"topic": "ORDERS_UPDATED", "hook": {"uri": HERE}})
    audit = await connector.subscribe(shop)
    assert subscribed(sandbox) == {topic: [HERE] for topic in TOPICS}
    assert set(audit.healed) == set(TOPICS)
    assert (await connector.subscribe(shop)).healed == ()


async def test_a_subscription_that_sends_too_much_is_narrowed(stage: Stage, sandbox: Sandbox) -> None:
    shop = replace(stage.shop, hook_url=HERE)
    await Client(shop).ask("CreateHook", {"topic": "ORDERS_UPDATED", "hook": {"uri": HERE, "includeFields": []}})
    await connector.subscribe(shop)
    (row,) = [row for row in sandbox.shelf.all("hook") if row["topic"] == "ORDERS_UPDATED"]
    assert row["fields"] == list(TOPICS["ORDERS_UPDATED"])


async def test_what_the_seller_set_up_for_themselves_stays(stage: Stage, sandbox: Sandbox) -> None:
    """A seller's own app may serve them elsewhere too."""
    shop, theirs = replace(stage.shop, hook_url=HERE), "https://erp.example/hooks"
    await Client(shop).ask("CreateHook", {"topic": "ORDERS_UPDATED", "hook": {"uri": theirs}})
    await connector.subscribe(shop)
    await connector.unsubscribe(shop)
    assert subscribed(sandbox) == {"ORDERS_UPDATED": [theirs]}


async def test_after_eight_retries_the_shop_gives_up_and_the_audit_heals_it(stage: Stage, sandbox: Sandbox) -> None:
    sandbox.hooks.retry_seconds = 0.01
    shop = replace(stage.shop, hook_url=HERE)
    await connector.subscribe(shop)
    await sandbox.hand.add_product("Card", [("A", "1.00", 1)])
    for _ in range(200):
        if "PRODUCTS_CREATE" not in subscribed(sandbox):
            break
        await asyncio.sleep(0.02)
    assert "PRODUCTS_CREATE" not in subscribed(sandbox)
    assert sandbox.dial.counts["not_delivered"] == 9, "the first try and eight more"
    assert (await connector.subscribe(shop)).healed == ("PRODUCTS_CREATE",)


async def test_a_retry_carries_the_first_payload_and_the_news_is_read_afresh(stage: Stage, sandbox: Sandbox) -> None:
    sandbox.hooks.retry_seconds = 0.2
    answers: list[tuple[int, bytes]] = []
    sandbox.dial.late_seconds = 0.0
    async with stage.listening():
        await connector.subscribe(stage.shop)
        (variant,) = await stage.product(5)
        await sandbox.delivered()
        stage.inbox.clear()
        row = next(row for row in sandbox.shelf.all("hook") if row["topic"] == "PRODUCTS_UPDATE")
        body = json.dumps({"id": int(variant.product_id)}).encode()
        headers = sandbox.hooks.headers("products/update", body, row["app"])
        sandbox.hooks._result(row["id"], row["uri"], headers, body, 0, 503)
        await stage.hand.reprice(variant, "2.00")
        await asyncio.sleep(0.1)
        await sandbox.delivered()
    answers += [(1, hook.body) for hook in stage.inbox]
    assert (1, body) in answers
    looks = [look for hook in stage.inbox for look in verified_news(connector, stage.shop, hook).looks]
    assert {(look.kind, look.entity_id) for look in looks} == {(LookKind.PRODUCT, variant.product_id)}


async def test_no_delivery_carries_a_buyers_name_or_address(stage: Stage, sandbox: Sandbox) -> None:
    async with stage.listening():
        await connector.subscribe(stage.shop)
        (variant,) = await stage.product(5)
        command = stage.order((variant, 1))
        done = await stage.placed(command)
        await stage.hand.fulfil(done.shop_id, tracking="1Z")
        await stage.hand.refund(done.shop_id, "1.00")
        await stage.hand.sell(variant, 1)
        await sandbox.delivered()
    sent = b" ".join(hook.body for hook in stage.inbox)
    assert {hook.headers["x-shopify-topic"] for hook in stage.inbox} >= {
        "orders/create",
        "fulfillments/create",
        "refunds/create",
    }
    for personal in (command.email, "Ada", "Cormorant", "walkin"):
        assert personal.encode() not in sent


async def test_an_uninstall_is_told_and_ends_the_access(stage: Stage, sandbox: Sandbox) -> None:
    async with stage.listening():
        await connector.subscribe(stage.shop)
        sandbox.uninstall()
        await sandbox.delivered()
    (hook,) = stage.inbox
    assert [look.kind for look in verified_news(connector, stage.shop, hook).looks] == [LookKind.UNINSTALLED]


def test_only_the_included_fields_are_sent() -> None:
    body = {"id": 1, "email": "a@b.example", "variants": [{"id": 2, "price": "1"}, {"id": 3, "price": "2"}]}
    assert chosen(body, ["id", "variants.id", "absent"]) == {"id": 1, "variants": [{"id": 2}, {"id": 3}]}
    assert chosen(body, ["variants.id", "variants.price"]) == {"variants": body["variants"]}
    assert chosen(body, []) == body


def schema_of(topic: str) -> dict[str, Any]:
    with tarfile.open(SAMPLES) as archive:
        member = archive.extractfile(f"webhooks/schemas/2026-07/{topic}.json")
        assert member is not None
        found: dict[str, Any] = json.load(io.TextIOWrapper(member, "utf-8"))
        return found


@pytest.mark.skipif(not SAMPLES.exists(), reason="the vendor's webhook samples are not beside the project")
@pytest.mark.parametrize("topic", sorted(TOPICS))
async def test_the_simulators_payload_has_the_vendors_keys_and_types(
    stage: Stage, sandbox: Sandbox, topic: str
) -> None:
    """The schemas were inferred from samples, so nothing is required of ours but to use no other key and no other
    type.
    """
    schema = schema_of(NAMES[topic])
    body = payload(topic, await document(stage, sandbox, topic), sandbox.books)
    assert set(body) <= set(schema["properties"]), set(body) - set(schema["properties"])
    wrong = [
        f"{error.json_path}: {error.message[:120]}"
        for error in Draft202012Validator(schema).iter_errors(body)
        if error.validator not in ("required", "additionalProperties", "format")
    ]
    assert wrong == []
    included = {field.partition(".")[0] for field in TOPICS[topic]}
    assert included <= set(schema["properties"]), "a field that we ask for is not in the vendor's payload"


async def document(stage: Stage, sandbox: Sandbox, topic: str) -> dict[str, Any]:
    """A document of the shop's books as the event hands it over."""
    told: dict[str, dict[str, Any]] = {}
    sandbox.books.on_event(lambda name, doc: told.update({name: doc}))
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    await stage.hand.fulfil(done.shop_id, lines=[(variant.variant_id, 1)])
    part = await stage.hand.fulfil(done.shop_id, tracking="1Z, 2Z", carrier="UPS")
    await stage.hand.change_tracking(done.shop_id, part, "3Z")
    await stage.hand.refund(done.shop_id, "1.00")
    other = await stage.hand.sell(variant, 1)
    await stage.hand.cancel(other)
    await stage.hand.delete_product(variant.product_id)
    sandbox.uninstall()
    told["ORDERS_DELETE"] = sandbox.books.need("order", other)
    return told[topic]
