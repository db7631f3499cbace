"""Webhooks of the simulated shop: payloads in the shape of the retired REST API, retries of the first payload, and a
subscription that is given up.
"""

import asyncio
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from crossdock.connectors.shopify.manifest import API_VERSION
from crossdock.connectors.shopify.sandbox.access import Access
from crossdock.connectors.shopify.sandbox.books import Books, on_hand, unfulfilled
from crossdock.kit.sandbox import Doc
from crossdock.kit.sandbox.books import refunded, total
from crossdock.kit.webhook import sign

# "8 retries over 4 hours"; then a subscription that was made by API is deleted.
RETRIES = 8
NAMES = {
    "APP_UNINSTALLED": "app/uninstalled",
    "INVENTORY_LEVELS_UPDATE": "inventory_levels/update",
    "ORDERS_CREATE": "orders/create",
    "ORDERS_UPDATED": "orders/updated",
    "ORDERS_CANCELLED": "orders/cancelled",
    "ORDERS_DELETE": "orders/delete",
    "ORDERS_FULFILLED": "orders/fulfilled",
    "ORDERS_PARTIALLY_FULFILLED": "orders/partially_fulfilled",
    "FULFILLMENTS_CREATE": "fulfillments/create",
    "FULFILLMENTS_UPDATE": "fulfillments/update",
    "REFUNDS_CREATE": "refunds/create",
    "PRODUCTS_CREATE": "products/create",
    "PRODUCTS_UPDATE": "products/update",
    "PRODUCTS_DELETE": "products/delete",
}
Deliver = Callable[..., None]


class Hooks:
    """Listens to the books. `retry_seconds` scales the four hours; `deliver` is the simulator's postman."""

    def __init__(self, books: Books, access: Access, deliver: Deliver) -> None:
        self.books, self.shelf, self._access, self._deliver = books, books.shelf, access, deliver
        self.retry_seconds = 0.5
        self._later: set[asyncio.TimerHandle] = set()
        books.on_event(self.tell)

    def tell(self, topic: str, doc: Doc) -> None:
        for row in self.shelf.all("hook"):
            if row["topic"] == topic and row["uri"].startswith("http"):
                body = json.dumps(chosen(payload(topic, doc, self.books), row["fields"])).encode()
                self._send(row["id"], row["uri"], self.headers(NAMES[topic], body, row["app"]), body, 0)

    def headers(self, name: str, body: bytes, app: str) -> dict[str, str]:
        secret = self.books.need("app", app)["client_secret"]
        return {
            "Content-Type": "application/json",
            "X-Shopify-Topic": name,
            "X-Shopify-Hmac-SHA256": sign(secret, body),
            "X-Shopify-Shop-Domain": self.books.shop["domain"],
            "X-Shopify-API-Version": API_VERSION,
            "X-Shopify-Webhook-Id": str(uuid.uuid4()),
            "X-Shopify-Event-Id": str(uuid.uuid4()),
            "X-Shopify-Triggered-At": self.books.now(),
        }

    def _send(self, hook: str, uri: str, headers: Mapping[str, str], body: bytes, tries: int) -> None:
        self._deliver(
            uri, headers, body, on_result=lambda status: self._result(hook, uri, headers, body, tries, status)
        )

    def _result(
        self, hook: str, uri: str, headers: Mapping[str, str], body: bytes, tries: int, status: int | None
    ) -> None:
        """The retry carries the body and the headers of the first try, however old they are by then."""
        if status is not None and 200 <= status < 300:
            return
        if tries >= RETRIES:
            if self.shelf.delete("hook", hook):
                self.shelf.note("hook_deleted", id=hook, uri=uri)
            return
        if self.shelf.get("hook", hook) is None:
            return
        timer = asyncio.get_running_loop().call_later(
            self.retry_seconds * 2**tries / 16, lambda: self._send(hook, uri, headers, body, tries + 1)
        )
        self._later.add(timer)

    def close(self) -> None:
        for timer in self._later:
            timer.cancel()
        self._later.clear()


def chosen(body: Doc, fields: list[str]) -> Doc:
    """Only the fields that the subscription includes, "variants.id" in each element of a list.

    All when it names none.
    """
    if not fields:
        return body
    kept: Doc = {}
    for field in fields:
        key, _, rest = field.partition(".")
        if key not in body:
            continue
        if rest and isinstance(body[key], list):
            rows = kept.setdefault(key, [{} for _ in body[key]])
            for row, whole in zip(rows, body[key], strict=True):
                row |= chosen(whole, [rest])
        else:
            kept[key] = body[key]
    return kept


def payload(topic: str, doc: Doc, books: Books) -> Doc:
    match topic:
        case "PRODUCTS_DELETE" | "ORDERS_DELETE":
            return {"id": int(doc["id"])}
        case "PRODUCTS_CREATE" | "PRODUCTS_UPDATE":
            return _product(doc, books)
        case "INVENTORY_LEVELS_UPDATE":
            return {
                "inventory_item_id": int(doc["item"]),
                "location_id": int(doc["location"]),
                "available": doc["available"],
                "updated_at": _time(doc["updated"]),
                "admin_graphql_api_id": (
                    f"gid://shopify/InventoryLevel/{doc['location']}?inventory_item_id={doc['item']}"
                ),
            }
        case "FULFILLMENTS_CREATE" | "FULFILLMENTS_UPDATE":
            return _fulfilment(doc)
        case "REFUNDS_CREATE":
            return {
                "id": int(doc["id"]),
                "order_id": int(doc["order"]["id"]),
                "created_at": _time(doc["at"]),
                "processed_at": _time(doc["at"]),
                "note": doc["note"],
                "restock": doc["restock"],
                "admin_graphql_api_id": f"gid://shopify/Refund/{doc['id']}",
                "refund_line_items": [],
                "transactions": [],
            }
        case "APP_UNINSTALLED":
            shop = books.shop
            return {
                "id": int(shop["id"]),
                "name": shop["name"],
                "myshopify_domain": shop["domain"],
                "domain": shop["domain"],
                "currency": shop["currency"],
            }
        case _:
            return _order(doc, books)


def _order(order: Doc, books: Books) -> Doc:
    rest = total(order) - refunded(order)
    return {
        "id": int(order["id"]),
        "admin_graphql_api_id": f"gid://shopify/Order/{order['id']}",
        "name": order["name"],
        "order_number": order["number"],
        "created_at": _time(order["created"]),
        "updated_at": _time(order["updated"]),
        "cancelled_at": _time(order["cancelled"]),
        "cancel_reason": (order.get("cancel_reason") or "other").lower() if order["cancelled"] else None,
        "confirmed": order["confirmed"],
        "currency": order["currency"],
        "fulfillment_status": _shipped(order),
        "financial_status": (order.get("financial_status") or "paid").lower(),
        "email": order["email"],
        "source_identifier": order.get("source_identifier"),
        "tags": ", ".join(order["tags"]),
        "note": order["note"],
        "total_price": f"{total(order):.2f}",
        "current_total_price": f"{rest:.2f}",
        "line_items": [
            {
                "id": int(line["id"]),
                "variant_id": int(line["variant_id"]),
                "product_id": int(line["product_id"]),
                "quantity": line["quantity"],
                "sku": line["sku"],
                "title": line["title"],
                "price": line["price"],
                "admin_graphql_api_id": f"gid://shopify/LineItem/{line['id']}",
            }
            for line in order["lines"]
        ],
        "fulfillments": [_fulfilment(part | {"order": order}) for part in order["fulfillments"]],
    }


def _shipped(order: Doc) -> str | None:
    left = unfulfilled(order)
    whole = sum(line["quantity"] for line in order["lines"])
    return None if sum(left.values()) == whole else "partial" if any(left.values()) else "fulfilled"


def _fulfilment(part: Doc) -> Doc:
    numbers = [info["number"] for info in part["tracking"] if info["number"]]
    first: Doc = part["tracking"][0] if part["tracking"] else {"number": None, "company": None, "url": None}
    return {
        "id": int(part["id"]),
        "order_id": int(part["order"]["id"]),
        "status": part["status"].lower(),
        "created_at": _time(part["created"]),
        "updated_at": _time(part["updated"]),
        "tracking_company": first["company"],
        "tracking_number": first["number"],
        "tracking_numbers": numbers,
        "tracking_url": first["url"],
        "tracking_urls": [info["url"] for info in part["tracking"] if info["url"]],
        "admin_graphql_api_id": f"gid://shopify/Fulfillment/{part['id']}",
    }


def _product(product: Doc, books: Books) -> Doc:
    variants = [variant for id in product["variants"] if (variant := books.shelf.get("variant", id))]
    return {
        "id": int(product["id"]),
        "admin_graphql_api_id": f"gid://shopify/Product/{product['id']}",
        "title": product["title"],
        "body_html": product["description"],
        "status": product["status"].lower(),
        "created_at": _time(product["created"]),
        "updated_at": _time(product["updated"]),
        "variants": [
            {
                "id": int(variant["id"]),
                "product_id": int(product["id"]),
                "title": variant["title"],
                "sku": variant["sku"],
                "price": variant["price"],
                "inventory_item_id": int(variant["item"]),
                "inventory_quantity": on_hand(variant),
                "inventory_policy": variant["policy"].lower(),
                "inventory_management": "shopify" if variant["tracked"] else None,
                "admin_graphql_api_id": f"gid://shopify/ProductVariant/{variant['id']}",
            }
            for variant in variants
        ],
    }


def _time(moment: str | None) -> Any:
    return moment.replace("Z", "+00:00") if moment else None
