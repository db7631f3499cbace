"""The simulated shop has the real one's traps.

Each of these was seen on a real WooCommerce, or stands in its source.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from crossdock.connectors.woocommerce import connector
from crossdock.connectors.woocommerce.sandbox.hooks import Hooks
from crossdock.connectors.woocommerce.tests.conftest import Shopkeeper
from crossdock.domain.events import LookKind, ShopProduct
from crossdock.kit.conformance.stage import staged
from crossdock.kit.sandbox import Shelf
from crossdock.kit.webhook import verified_news


def body(product: int, quantity: int = 1, **fields: Any) -> dict[str, Any]:
    return {"status": "processing", "line_items": [{"product_id": product, "quantity": quantity}], **fields}


async def made(shop: Shopkeeper, product: int, quantity: int = 1, **fields: Any) -> dict[str, Any]:
    status, order, _ = await shop.call("POST", "orders", json=body(product, quantity, **fields))
    assert status == 201
    return dict(order)


async def change(shop: Shopkeeper, order: dict[str, Any], **fields: Any) -> dict[str, Any]:
    status, changed, _ = await shop.call("PUT", f"orders/{order['id']}", json=fields)
    assert status == 200
    return dict(changed)


async def stock(shop: Shopkeeper, count: int = 10) -> tuple[int, Any]:
    """A product, and a function that asks for its count."""
    (variant,) = await shop.product(count)
    return int(variant.product_id), lambda: shop.hand.count(variant)


# Lists


async def test_unknown_parameters_are_ignored_and_everything_comes_back(shop: Shopkeeper) -> None:
    product, _ = await stock(shop)
    await made(shop, product, transaction_id="A")
    await made(shop, product, transaction_id="B")
    for query in ({"meta_key": "x", "meta_value": "y"}, {"transaction_id": "A"}, {"nonsense": "1"}):
        assert len((await shop.call("GET", "orders", query=query))[1]) == 2


async def test_pages(shop: Shopkeeper) -> None:
    for _ in range(3):
        await shop.product(1)
    status, rows, headers = await shop.call("GET", "products", query={"per_page": "2"})
    assert (status, len(rows), headers["x-wp-total"], headers["x-wp-totalpages"]) == (200, 2, "3", "2")
    assert (await shop.call("GET", "products", query={"per_page": "2", "page": "9"}))[:2] == (200, [])
    status, error, _ = await shop.call("GET", "products", query={"per_page": "101"})
    assert (status, error["code"], error["data"]["status"]) == (400, "rest_invalid_param", 400)
    assert (await shop.call("GET", "products", query={"orderby": "stock"}))[0] == 400


async def test_search_is_part_of_a_name_and_knows_the_transaction_only_in_the_new_storage(shop: Shopkeeper) -> None:
    product, _ = await stock(shop)
    title = {"shipping_lines": [{"method_id": "x", "method_title": "Order XD-77", "total": "1"}]}
    order = await made(shop, product, transaction_id="T-9", **title)
    for hpos in (True, False):
        shop.books.set(hpos=hpos)
        found = {
            needle: len((await shop.call("GET", "orders", query={"search": needle}))[1])
            for needle in ("XD-7", "T-9", "ZZ")
        }
        assert found == {"XD-7": 1, "T-9": 1 if hpos else 0, "ZZ": 0}
    # An id is searched too, so a number finds strangers.
    assert len((await shop.call("GET", "orders", query={"search": str(order["id"])}))[1]) == 1


async def test_the_trash_needs_its_own_request(shop: Shopkeeper) -> None:
    product, _ = await stock(shop)
    order = await made(shop, product)
    await shop.call("DELETE", f"orders/{order['id']}")
    assert (await shop.call("GET", "orders", query={"status": "any"}))[1] == []
    (binned,) = (await shop.call("GET", "orders", query={"status": "trash"}))[1]
    assert binned["status"] == "trash"


async def test_dates_without_gmt_are_the_shop_s_wall_clock(shop: Shopkeeper) -> None:
    product, _ = await stock(shop)
    order = await made(shop, product)
    assert order["date_modified"] != order["date_modified_gmt"]
    query = {"modified_after": order["date_modified_gmt"]}
    assert len((await shop.call("GET", "orders", query=query))[1]) == 1
    assert (await shop.call("GET", "orders", query=query | {"dates_are_gmt": "true"}))[1] == []


# Stock


@pytest.mark.parametrize(
    ("status", "taken"), [("processing", 2), ("on-hold", 2), ("completed", 2), ("pending", 0), ("failed", 0)]
)
async def test_which_status_takes_stock(shop: Shopkeeper, status: str, taken: int) -> None:
    product, count = await stock(shop)
    order = await made(shop, product, 2, status=status)
    assert await count() == 10 - taken
    metas = [meta for meta in order["line_items"][0]["meta_data"] if meta["key"] == "_reduced_stock"]
    assert [meta["value"] for meta in metas] == ([str(taken)] if taken else [])
    await change(shop, order, status="processing")
    await change(shop, order, status="completed")
    assert await count() == 8


async def test_nothing_is_refused_for_stock(shop: Shopkeeper) -> None:
    product, count = await stock(shop, 5)
    await asyncio.gather(*(made(shop, product) for _ in range(12)))
    assert await count() == -7


async def test_cancelling_adds_blindly_to_whatever_the_count_is(shop: Shopkeeper) -> None:
    (variant,) = await shop.product(10)
    order = await made(shop, int(variant.product_id), 2)
    await shop.hand.recount(variant, 3)
    await change(shop, order, status="cancelled")
    assert await shop.hand.count(variant) == 5
    await change(shop, order, status="cancelled")
    assert await shop.hand.count(variant) == 5
    await change(shop, order, status="processing")
    assert await shop.hand.count(variant) == 3


@pytest.mark.parametrize("status", ["refunded", "failed"])
async def test_refunded_and_failed_put_nothing_back(shop: Shopkeeper, status: str) -> None:
    product, count = await stock(shop)
    order = await change(shop, await made(shop, product, 2), status=status)
    assert await count() == 8
    assert len(order["refunds"]) == (status == "refunded")


@pytest.mark.parametrize("force", ["true", "false"])
async def test_deleting_puts_nothing_back(shop: Shopkeeper, force: str) -> None:
    product, count = await stock(shop)
    order = await made(shop, product, 2)
    await shop.call("DELETE", f"orders/{order['id']}", query={"force": force})
    assert await count() == 8
    assert (await shop.call("GET", f"orders/{order['id']}"))[0] == (404 if force == "true" else 200)


async def test_a_delta_is_read_added_and_written_back(shop: Shopkeeper, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at the same time: both read the same number."""
    product, count = await stock(shop, 7)
    known = shop.books.product(product)
    monkeypatch.setattr(shop.books, "product", lambda id_: dict(known))
    for _ in range(3):
        await shop.call("PUT", f"products/{product}", json={"inventory_delta": 1})
    monkeypatch.undo()
    assert await count() == 8


# Orders


async def test_an_unknown_product_is_a_line_of_text(shop: Shopkeeper) -> None:
    order = await made(shop, 99999, 2)
    (line,) = order["line_items"]
    assert (line["product_id"], line["total"]) == (0, "0.00")
    status, error, _ = await shop.call("POST", "orders", json={"line_items": [{"quantity": 1}]})
    assert (status, error["code"]) == (400, "woocommerce_rest_required_product_reference")


async def test_a_parent_is_sold_without_a_variation(shop: Shopkeeper) -> None:
    ref, _ = await shop.product(5, 5)
    (line,) = (await made(shop, int(ref.product_id)))["line_items"]
    assert line["variation_id"] == 0 and line["product_id"] == int(ref.product_id)


async def test_the_same_order_twice_is_two_orders(shop: Shopkeeper) -> None:
    product, count = await stock(shop)
    first, second = await made(shop, product, transaction_id="T"), await made(shop, product, transaction_id="T")
    assert first["id"] != second["id"] and await count() == 8


async def test_an_unknown_order_is_404_to_read_and_400_to_change(shop: Shopkeeper) -> None:
    assert (await shop.call("GET", "orders/99"))[0] == 404
    status, error, _ = await shop.call("PUT", "orders/99", json={"status": "cancelled"})
    assert (status, error["message"]) == (400, "ID is invalid.")


async def test_the_billing_address_is_mailed_and_an_empty_one_is_refused(shop: Shopkeeper) -> None:
    product, _ = await stock(shop)
    await made(shop, product, billing={"email": "ann@example.test"})
    assert "ann@example.test" in {mail["to"] for mail in shop.sandbox.shelf.ledger("mail")}
    status, error, _ = await shop.call("POST", "orders", json=body(product, billing={"email": ""}))
    assert (status, error["code"]) == (400, "rest_invalid_param")


async def test_refunds_need_a_gateway_unless_told_otherwise(shop: Shopkeeper) -> None:
    product, count = await stock(shop)
    order = await made(shop, product, 2)
    path = f"orders/{order['id']}/refunds"
    assert (await shop.call("POST", path, json={"amount": "1"}))[0] == 500
    status, refund, _ = await shop.call("POST", path, json={"amount": "1", "api_refund": False, "api_restock": False})
    assert (status, refund["amount"], await count()) == (201, "1.00", 8)
    assert [row["id"] for row in (await shop.call("GET", path))[1]] == [refund["id"]]
    (listed,) = (await shop.call("GET", f"orders/{order['id']}"))[1]["refunds"]
    assert listed == {"id": refund["id"], "reason": "", "total": "-1.00"}


async def test_fulfilments_are_a_feature_that_may_be_off(shop: Shopkeeper) -> None:
    product, _ = await stock(shop)
    order = await made(shop, product, 2)
    path = f"orders/{order['id']}/fulfillments"
    items = [{"key": "_items", "value": [{"item_id": order["line_items"][0]["id"], "qty": 5}]}]
    status, entry, _ = await shop.call("POST", path, json={"is_fulfilled": True, "meta_data": items})
    (again,) = (await shop.call("GET", path))[1]
    # Nobody checks that more was fulfilled than ordered; the flag has become text, and the order's status has not
    # moved.
    assert (status, entry["is_fulfilled"], again["is_fulfilled"]) == (201, True, "1")
    after = (await shop.call("GET", f"orders/{order['id']}"))[1]
    assert after["status"] == "processing"
    assert {meta["key"]: meta["value"] for meta in after["meta_data"]}["_fulfillment_status"] == "fulfilled"
    shop.books.set(fulfillments=False)
    status, error, _ = await shop.call("GET", path)
    assert (status, error["code"]) == (404, "rest_no_route")


# Webhooks


class Door:
    """Where the shop's deliveries go: what came, and what is answered."""

    def __init__(self) -> None:
        self.came: list[tuple[dict[str, str], bytes]] = []
        self.status = 200

    async def take(self, request: web.Request) -> web.Response:
        self.came.append(({key.lower(): value for key, value in request.headers.items()}, await request.read()))
        return web.Response(status=self.status)

    def topics(self) -> list[str]:
        return [headers.get("x-wc-webhook-topic", "ping") for headers, _ in self.came]


@pytest.fixture
async def door(shop: Shopkeeper) -> AsyncIterator[Door]:
    door = Door()
    app = web.Application()
    app.router.add_post("/", door.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    for topic in (
        "order.created",
        "order.updated",
        "order.deleted",
        "product.created",
        "product.updated",
        "product.deleted",
    ):
        address = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        await shop.call("POST", "webhooks", json={"topic": topic, "delivery_url": address, "secret": "s"})
    await shop.sandbox.delivered()
    yield door
    await shop.sandbox.stop()
    await runner.cleanup()


def cron(shop: Shopkeeper) -> Hooks:
    hooks: Hooks = shop.sandbox.hooks  # type: ignore[attr-defined]
    return hooks


async def test_a_hook_begins_with_an_unsigned_ping(shop: Shopkeeper, door: Door) -> None:
    assert [raw for _, raw in door.came] == [b"webhook_id=%d" % number for number in range(1, 7)]
    assert all("x-wc-webhook-signature" not in headers for headers, _ in door.came)
    assert all("secret" not in row for row in (await shop.call("GET", "webhooks"))[1])


async def test_creating_an_order_tells_of_much(shop: Shopkeeper, door: Door) -> None:
    ref, _ = await shop.product(5, 5)
    await shop.sandbox.delivered()
    door.came.clear()
    line = {"product_id": int(ref.product_id), "variation_id": int(ref.variant_id), "quantity": 1}
    await shop.call("POST", "orders", json={"status": "processing", "line_items": [line]})
    await shop.sandbox.delivered()
    assert sorted(door.topics()) == ["order.created", "order.updated", "product.updated"]
    news = [verified_news(connector, _with(shop, "s"), _hook(one)) for one in door.came]
    assert [look.entity_id for one in news for look in one.looks if look.kind is LookKind.PRODUCT] == [ref.product_id]


async def test_a_change_that_changes_nothing_is_told_too(shop: Shopkeeper, door: Door) -> None:
    product, _ = await stock(shop)
    await shop.sandbox.delivered()
    door.came.clear()
    await shop.call("PUT", f"products/{product}", json={})
    await shop.sandbox.delivered()
    assert door.topics() == ["product.updated"]


async def test_the_body_is_built_at_delivery_and_what_waits_collapses(shop: Shopkeeper, door: Door) -> None:
    """order.created arrives with the status cancelled."""
    product, _ = await stock(shop)
    await shop.sandbox.delivered()
    door.came.clear()
    cron(shop).held = True
    order = await made(shop, product)
    await change(shop, order, status="on-hold")
    await change(shop, order, status="cancelled")
    assert door.came == []
    cron(shop).run_cron()
    await shop.sandbox.delivered()
    assert sorted(door.topics()) == ["order.created", "order.updated", "product.updated"]
    assert all(
        b'"status":"cancelled"' in raw for headers, raw in door.came if headers["x-wc-webhook-resource"] == "order"
    )


async def test_what_was_deleted_before_it_was_told_is_a_signed_error(shop: Shopkeeper, door: Door) -> None:
    product, _ = await stock(shop)
    cron(shop).held = True
    order = await made(shop, product)
    await shop.call("DELETE", f"orders/{order['id']}", query={"force": "true"})
    await shop.sandbox.delivered()
    door.came.clear()
    cron(shop).run_cron()
    await shop.sandbox.delivered()
    errors = [one for one in door.came if b"woocommerce_rest_shop_order_invalid_id" in one[1]]
    assert len(errors) == 2 and "order.deleted" not in door.topics()
    assert verified_news(connector, _with(shop, "s"), _hook(errors[0])).looks == ()


async def test_the_trash_is_told_with_an_id_alone(shop: Shopkeeper, door: Door) -> None:
    product, _ = await stock(shop)
    order = await made(shop, product)
    await shop.sandbox.delivered()
    door.came.clear()
    await shop.call("DELETE", f"orders/{order['id']}")
    await shop.call("DELETE", f"products/{product}")
    await shop.sandbox.delivered()
    assert sorted(door.topics()) == ["order.deleted", "product.deleted"]
    assert {raw for _, raw in door.came} == {b'{"id":%d}' % order["id"], b'{"id":%d}' % product}


async def test_deliveries_of_one_second_share_an_id(
    shop: Shopkeeper, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cron(shop), "_now", lambda: "2026-11-23T10:00:00")
    product, _ = await stock(shop)
    door.came.clear()
    for _ in range(3):
        await made(shop, product)
    await shop.sandbox.delivered()
    ids = [
        headers["x-wc-webhook-delivery-id"]
        for headers, _ in door.came
        if headers.get("x-wc-webhook-topic") == "order.created"
    ]
    assert len(ids) == 3 and len(set(ids)) == 1


async def test_nothing_is_repeated_and_the_seventh_failure_switches_off(shop: Shopkeeper, door: Door) -> None:
    product, _ = await stock(shop)
    await shop.sandbox.delivered()
    door.came.clear()
    door.status = 500

    async def state() -> str:
        return next(
            str(row["status"]) for row in (await shop.call("GET", "webhooks"))[1] if row["topic"] == "order.created"
        )

    for failed in range(1, 8):
        await made(shop, product)
        await shop.sandbox.delivered()
        assert await state() == ("active" if failed < 7 else "disabled")
    door.status = 200
    await made(shop, product)
    await shop.sandbox.delivered()
    assert door.topics().count("order.created") == 7


async def test_a_success_in_between_starts_the_count_again(shop: Shopkeeper, door: Door) -> None:
    product, _ = await stock(shop)
    for status in (500, 500, 500, 500, 500, 200, 500, 500, 500):
        door.status = status
        await made(shop, product)
        await shop.sandbox.delivered()
    assert {row["status"] for row in (await shop.call("GET", "webhooks"))[1]} == {"active"}


def _hook(one: tuple[dict[str, str], bytes]) -> Any:
    from crossdock.kit.connector import Hook

    return Hook(*one)


def _with(shop: Shopkeeper, secret: str) -> Any:
    from dataclasses import replace

    return replace(shop.shop, secrets={**shop.shop.secrets, "hook_secret": secret})


# Our subscriptions


async def rows(shop: Shopkeeper) -> list[dict[str, Any]]:
    return list((await shop.call("GET", "webhooks", query={"per_page": "100"}))[1])


async def test_what_the_shop_switched_off_is_switched_on_again(shop: Shopkeeper) -> None:
    async with shop.listening():
        await connector.subscribe(shop.shop)
        hook, *_ = [row for row in await rows(shop) if row["topic"] == "order.updated"]
        await shop.call("PUT", f"webhooks/{hook['id']}", json={"status": "disabled"})
        audit = await connector.subscribe(shop.shop)
        assert audit.healed == ("order.updated",)
        assert {row["status"] for row in await rows(shop)} == {"active"} and len(await rows(shop)) == 6


async def test_doubles_of_ours_go_and_the_seller_s_own_stay(shop: Shopkeeper) -> None:
    async with shop.listening():
        await connector.subscribe(shop.shop)
        double = {"topic": "order.updated", "delivery_url": shop.shop.hook_url, "secret": "x"}
        moved = {
            "topic": "order.created",
            "delivery_url": shop.shop.hook_url.replace("127.0.0.1", "localhost"),
            "secret": "x",
        }
        own = {"topic": "order.updated", "delivery_url": "http://127.0.0.1:9/erp", "secret": "x", "name": "ERP"}
        for hook in (double, moved, own):
            await shop.call("POST", "webhooks", json=hook)
        audit = await connector.subscribe(shop.shop)
        assert audit.healed == ()
        left = await rows(shop)
        assert len(left) == 7 and [row["name"] for row in left if row["delivery_url"] == own["delivery_url"]] == ["ERP"]
        await connector.unsubscribe(shop.shop)
        assert [row["name"] for row in await rows(shop)] == ["ERP"]


async def test_a_new_secret_is_given_to_the_hooks_that_are_there(shop: Shopkeeper) -> None:
    """Reconnecting makes another secret; the shop never shows the old one."""
    async with shop.listening():
        await connector.subscribe(shop.shop)
        audit = await connector.subscribe(_with(shop, "f" * 48))
        assert len(audit.healed) == 6 and len(await rows(shop)) == 6
        assert {hook["secret"] for hook in shop.sandbox.shelf.all("webhook")} == {"f" * 48}
        assert all("f" * 8 not in row["name"] for row in await rows(shop))


async def test_without_an_address_nothing_of_anybody_is_removed(shop: Shopkeeper) -> None:
    await shop.call("POST", "webhooks", json={"topic": "order.updated", "delivery_url": "", "secret": "x"})
    await connector.unsubscribe(shop.shop)
    assert len(await rows(shop)) == 1


async def test_the_shop_is_still_there_after_a_restart(tmp_path: Any) -> None:
    from crossdock.connectors.woocommerce.sandbox import Sandbox

    path = str(tmp_path / "shop.sqlite")
    shelf = Shelf(path)
    first = Sandbox(shelf)
    await first.start()
    (variant,) = await first.hand.add_product("Mug", [("MUG", "10.00", 5)])
    own = await first.hand.sell(variant, 2)
    keys = first.seller_form()[1]["consumer_key"]
    await first.stop()
    shelf.close()
    shelf = Shelf(path)
    second = Sandbox(shelf)
    await second.start()
    assert await second.hand.count(variant) == 3
    assert [order.shop_id for order in await second.hand.orders()] == [own]
    assert second.seller_form()[1]["consumer_key"] == keys
    await second.stop()
    shelf.close()


async def test_two_shops_know_nothing_of_each_other(shop: Shopkeeper) -> None:
    from crossdock.connectors.woocommerce.sandbox import Sandbox

    async with staged(connector, Sandbox) as other:
        await shop.product(1)
        assert await other.hand.products() == []
        assert other.proof.shop_id != shop.proof.shop_id


# Products that the shop itself does not sell


async def test_what_is_hidden_protected_or_left_to_the_buyer_is_read_as_not_sold(shop: Shopkeeper) -> None:
    (hidden,), (locked,) = await shop.product(1), await shop.product(1)
    several = await shop.product(1, 2)
    shop.books.save_product(shop.books.product(hidden.product_id) | {"visibility": "hidden"})
    shop.books.save_product(shop.books.product(locked.product_id) | {"password": "s3cret"})
    shop.books.save_product(shop.books.product(several[0].variant_id) | {"option": ""})
    status, rows, _ = await shop.call("GET", f"products/{several[0].product_id}/variations")
    assert status == 200 and [] in [row["attributes"] for row in rows]
    for ref in (hidden, locked):
        got = await connector.product(shop.shop, ref.product_id)
        assert isinstance(got, ShopProduct) and not got.active and len(got.reasons) == 1
    family = await connector.product(shop.shop, several[0].product_id)
    assert isinstance(family, ShopProduct) and family.active
    assert [each.variant_id for each in family.variants] == [several[1].variant_id]
    assert "would have to choose Option" in family.reasons[0]
