"""The simulator writes what the real shop writes: the same keys at every level, in types that it was seen to use.

`shape.json` beside this file was derived from recorded answers and deliveries of WooCommerce 9.5.1 in both order
storages: field paths and types, no content.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from crossdock.connectors.woocommerce.tests.conftest import RECORDED, Shopkeeper

SHAPE = Path(__file__).with_name("shape.json")
SAMPLES = ("samples-9.5.1-cpt.json", "samples-9.5.1-hpos.json")
SCHEMAS = {
    "order": "options_orders.json",
    "product": "options_products.json",
    "variation": "options_products_id_variations.json",
    "refund": "options_orders_id_refunds.json",
    "webhook": "options_webhooks.json",
}
NAMES = {dict: "object", list: "list", str: "text", bool: "flag", int: "number", float: "number", type(None): "null"}


def paths(value: Any, at: str = "") -> dict[str, set[str]]:
    """Every path in a document with the types found there."""
    found: dict[str, set[str]] = {}
    pairs = [(f"{at}.{key}".lstrip("."), inner) for key, inner in value.items()] if isinstance(value, dict) else []
    pairs += [(f"{at}[]", inner) for inner in value] if isinstance(value, list) else []
    for path, inner in pairs:
        found.setdefault(path, set()).add(NAMES[type(inner)])
        for deeper, types in paths(inner, path).items():
            found.setdefault(deeper, set()).update(types)
    return found


def recorded() -> dict[str, dict[str, list[str]]]:
    docs = [
        ("order" if kind.startswith("order_") else kind, doc)
        for name in SAMPLES
        for kind, doc in json.loads((RECORDED / name).read_text()).items()
    ]
    for line in (RECORDED / "webhook-deliveries-9.5.1.jsonl").read_text().splitlines():
        entry = json.loads(line)
        if '"_links"' in entry["body"]:
            docs.append((entry["headers"]["X-WC-Webhook-Resource"], json.loads(entry["body"])))
    shape: dict[str, dict[str, set[str]]] = {}
    for kind, doc in docs:
        for path, types in paths(doc).items():
            shape.setdefault(kind, {}).setdefault(path, set()).update(types)
    return {
        kind: {path: sorted(types) for path, types in sorted(found.items())} for kind, found in sorted(shape.items())
    }


async def answers(shop: Shopkeeper) -> dict[str, list[Any]]:
    """The simulator's own answers for the same things: a product, a variation, an order new and cancelled, a refund, a
    webhook.
    """
    (simple,), (variation, _) = await shop.product(5), await shop.product(5, 5)
    line = {"product_id": int(variation.product_id), "variation_id": int(variation.variant_id), "quantity": 1}
    lines = [{"product_id": int(simple.product_id), "quantity": 2, "subtotal": "17.00", "total": "17.00"}, line]
    title = {"method_id": "m", "method_title": "t", "total": "4.00"}
    sent = {
        "status": "processing",
        "line_items": lines,
        "shipping_lines": [title],
        "meta_data": [{"key": "_k", "value": "v"}],
    }
    new = (await shop.call("POST", "orders", json=sent))[1]
    refund = (await shop.call("POST", f"orders/{new['id']}/refunds", json={"amount": "1", "api_refund": False}))[1]
    cancelled = (await shop.call("PUT", f"orders/{new['id']}", json={"status": "cancelled"}))[1]
    hook = (
        await shop.call("POST", "webhooks", json={"topic": "order.created", "delivery_url": "http://127.0.0.1:9/"})
    )[1]
    family = f"products/{variation.product_id}"
    return {
        "order": [new, cancelled],
        "product": [(await shop.call("GET", f"products/{simple.product_id}"))[1], (await shop.call("GET", family))[1]],
        "variation": (await shop.call("GET", f"{family}/variations"))[1],
        "refund": [refund],
        "webhook": [hook],
    }


async def test_the_simulator_s_answers_have_the_recorded_shape(shop: Shopkeeper) -> None:
    shape = json.loads(SHAPE.read_text())
    for kind, docs in (await answers(shop)).items():
        if kind not in shape:
            continue
        for doc in docs:
            mine = paths(doc)
            odd = {
                path: types
                for path, types in mine.items()
                if path in shape[kind] and not types <= set(shape[kind][path])
            }
            # Lists that were empty in the recording say nothing about what is in them, and null nothing about the type.
            odd = {path: types for path, types in odd.items() if shape[kind][path] != ["null"]}
            assert odd == {}, kind
            top = {path for path in shape[kind] if "." not in path and "[]" not in path}
            assert {path for path in mine if "." not in path and "[]" not in path} == top, kind


async def test_inside_an_order_too(shop: Shopkeeper) -> None:
    shape = json.loads(SHAPE.read_text())["order"]
    new, _ = (await answers(shop))["order"]
    deep = {
        path for path in shape if path.startswith(("line_items", "shipping_lines", "billing", "meta_data", "_links"))
    }
    assert deep - paths(new).keys() <= {"billing.email"}
    assert {
        path for path in paths(new) if path.startswith(("line_items", "shipping_lines", "billing", "meta_data"))
    } <= deep


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded answers are not here")
def test_the_shape_kept_here_is_the_recorded_one() -> None:
    assert json.loads(SHAPE.read_text()) == recorded()


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the shop's own schemas are not here")
async def test_every_field_is_in_the_shop_s_own_schema(shop: Shopkeeper) -> None:
    """OPTIONS of the real shop. Fields that it writes and does not describe are known by name."""
    undescribed = {
        "_links",
        "currency_symbol",
        "is_editable",
        "needs_payment",
        "needs_processing",
        "name",
        "parent_id",
        "refunds",
        "date_completed",
        "date_paid",
    }
    undescribed |= {
        f"date_{name}_gmt" for name in ("created", "modified", "completed", "paid", "on_sale_from", "on_sale_to")
    }
    for kind, docs in (await answers(shop)).items():
        described = json.loads((RECORDED / SCHEMAS[kind]).read_text())["schema"]["properties"]
        for doc in docs:
            assert doc.keys() - described.keys() - undescribed == set(), kind
            enums = {
                key: value["enum"] for key, value in described.items() if "enum" in value and doc.get(key) is not None
            }
            assert {key: doc[key] for key, enum in enums.items() if doc[key] not in [*enum, "variation"]} == {}, kind


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the shop's own routes are not here")
async def test_every_parameter_that_we_send_is_known_to_the_real_shop(shop: Shopkeeper) -> None:
    """An unknown one would be ignored in silence and give everything."""
    from urllib.parse import parse_qsl, urlsplit

    from crossdock.connectors.woocommerce import connector

    (variant,) = await shop.product(5)
    refs = await shop.product(1, 2)
    command = shop.order((variant, 1))
    async with shop.listening():
        await connector.subscribe(shop.shop)
        await connector.unsubscribe(shop.shop)
    done = await shop.placed(command)
    await shop.hand.fulfil(done.shop_id, tracking="T", carrier="DHL")
    await connector.find(shop.shop, "XD-none", since=command.placed_at)
    await shop.all_orders(await shop.order_cursor())
    _, cursor = await shop.all_products()
    await shop.all_products(cursor)
    await shop.counted(variant, *refs)
    routes = json.loads((RECORDED / "wc-v3-index-9.5.1.json").read_text())["routes"]
    asked: dict[str, set[str]] = {}
    for one in shop.exchanges:
        path = urlsplit(one.url).path.partition("/wc/v3/")[2]
        if (one.method == "GET" and path in ("products", "orders", "webhooks")) or path.endswith("/variations"):
            route = (
                "/wc/v3/products/(?P<product_id>[\\d]+)/variations"
                if path.endswith("/variations")
                else f"/wc/v3/{path}"
            )
            names = {name for name, _ in parse_qsl(urlsplit(one.url).query) if not name.startswith("oauth_")}
            asked.setdefault(route, set()).update(names)
    assert {"search", "modified_after", "dates_are_gmt", "after", "dp", "include"} <= set().union(*asked.values())
    for route, names in asked.items():
        (reading,) = [end for end in routes[route]["endpoints"] if end["methods"] == ["GET"]]
        assert names <= reading["args"].keys(), route
