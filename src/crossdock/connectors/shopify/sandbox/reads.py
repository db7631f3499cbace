"""The query side of the simulated API: documents of the books as the schema's types.

Connections slice, so pages and limits are real.
"""

import re
from collections.abc import Callable
from typing import Any

from graphql import GraphQLError

from crossdock.connectors.shopify.sandbox.books import Books
from crossdock.connectors.shopify.sandbox.fields import Fields, connection, denied, gid, money, number, sliced
from crossdock.connectors.shopify.sandbox.fulfil import FulfilmentOrders, fulfilment
from crossdock.domain.places import COUNTRIES
from crossdock.kit.sandbox import Doc
from crossdock.kit.sandbox.books import refunded, total


class Reads:
    """Resolvers of QueryRoot over the books."""

    def __init__(self, books: Books, scopes: set[str]) -> None:
        self.books, self.shelf, self._scopes = books, books.shelf, scopes
        self._groups = FulfilmentOrders(books, scopes)

    def roots(self) -> Fields:
        return {
            "shop": lambda info: self._shop(),
            "currentAppInstallation": lambda info: {
                "accessScopes": [{"handle": scope} for scope in sorted(self._scopes)]
            },
            "locations": self._may("locations", "read_locations", self._locations),
            "products": self._may("products", "read_products", self._products),
            "product": self._may("product", "read_products", lambda info, id: self.product_at(number(id, "Product"))),
            "productVariant": self._may(
                "productVariant", "read_products", lambda info, id: self.variant_at(number(id, "ProductVariant"))
            ),
            "nodes": lambda info, ids: [self._node(id) for id in ids],
            "node": lambda info, id: self._node(id),
            "orders": self._may("orders", "read_orders", self._orders),
            "order": self._may("order", "read_orders", lambda info, id: self.order_at(number(id, "Order"))),
            "orderByIdentifier": self._may("orderByIdentifier", "read_orders", self._by_identifier),
            "metafieldDefinitions": self._may("metafieldDefinitions", "read_orders", self._definitions),
            "job": lambda info, id: self._job(id),
            "webhookSubscriptions": lambda info, first=None, after=None, **_: self._hooks(first, after),
        }

    def _may(self, field: str, scope: str, resolve: Callable[..., Any]) -> Callable[..., Any]:
        if scope in self._scopes or scope.replace("read_", "write_") in self._scopes:
            return resolve
        return denied(field, scope)

    # Things

    def _shop(self) -> Fields:
        shop = self.books.shop
        return {
            "id": gid("Shop", shop["id"]),
            "name": shop["name"],
            "myshopifyDomain": shop["domain"],
            "currencyCode": shop["currency"],
            "shipsToCountries": shop.get("ships_to") or sorted(COUNTRIES),
            "plan": {"partnerDevelopment": self.books.trial},
        }

    def _locations(self, info: Any, first: int | None = None, after: str | None = None, **_: Any) -> Fields:
        rows = [self._location(row) | {"cursor": row["id"]} for row in self.shelf.all("location")]
        return connection(rows, first, after)

    @staticmethod
    def _location(row: Doc) -> Fields:
        return {"id": gid("Location", row["id"]), "name": row["name"], "fulfillsOnlineOrders": row["online"]}

    def _node(self, global_id: str) -> Fields | None:
        kind, _, id = global_id.removeprefix("gid://shopify/").partition("/")
        found: Fields | None = None
        if kind == "ProductVariant":
            self._may("ProductVariant", "read_products", lambda info: None)(None)
            found = self.variant_at(id)
        elif kind == "FulfillmentOrder":
            found = self._groups.one(id)
        elif kind == "Fulfillment":
            parts = (
                fulfilment(part)
                for order in self.shelf.all("order")
                for part in order["fulfillments"]
                if part["id"] == id
            )
            found = next(parts, None)
        return None if found is None else found | {"__typename": kind}

    def product_at(self, id: str) -> Fields | None:
        product = self.shelf.get("product", id)
        return None if product is None else self._product(product)

    def _product(self, product: Doc) -> Fields:
        images = [
            {"__typename": "MediaImage", "preview": {"image": {"url": url}}, "cursor": url} for url in product["images"]
        ]
        return {
            "id": gid("Product", product["id"]),
            "title": product["title"],
            "status": product["status"],
            "isGiftCard": product["gift_card"],
            "requiresSellingPlan": product.get("subscription_only", False),
            "updatedAt": product["updated"],
            "descriptionHtml": product["description"],
            "tags": product.get("tags", []),
            "productType": product.get("type", ""),
            "options": [{"name": product.get("option_name", "Title")}],
            "media": sliced(lambda: images),
            "variants": sliced(
                lambda: [found | {"cursor": id} for id in product["variants"] if (found := self.variant_at(id))]
            ),
        }

    def variant_at(self, id: str) -> Fields | None:
        variant = self.shelf.get("variant", id)
        if variant is None:
            return None
        return {
            "id": gid("ProductVariant", id),
            "title": variant["title"],
            "sku": variant["sku"],
            "barcode": None,
            "price": variant["price"],
            "inventoryPolicy": variant["policy"],
            "requiresComponents": bool(variant.get("bundle")),
            "inventoryItem": self._item(variant),
        }

    def _item(self, variant: Doc) -> Fields:
        if "read_inventory" not in self._scopes and "write_inventory" not in self._scopes:
            refuse = denied("inventoryLevels", "read_inventory")
            return {
                "id": gid("InventoryItem", variant["item"]),
                "tracked": variant["tracked"],
                "inventoryLevels": refuse,
                "inventoryLevel": refuse,
            }
        levels = {place: self._level(place, there) for place, there in variant["levels"].items()}
        return {
            "id": gid("InventoryItem", variant["item"]),
            "tracked": variant["tracked"],
            "inventoryLevels": sliced(lambda: [level | {"cursor": place} for place, level in levels.items()]),
            "inventoryLevel": lambda info, locationId, **_: levels.get(number(locationId, "Location")),  # noqa: N803
        }

    def _level(self, place: str, there: int) -> Fields:
        known = {"available": there}
        return {
            "id": gid("InventoryLevel", place),
            "location": self._location(self.books.need("location", place)),
            "quantities": lambda info, names: [
                {"name": name, "quantity": known[name]} for name in names if name in known
            ],
        }

    # Listings by the search index

    def _lag(self, query: str | None) -> float:
        if query is None:
            return 0.0
        return self.books.listing_lag_seconds if query.startswith("updated_at") else self.books.search_lag_seconds

    def _products(
        self, info: Any, first: int | None = None, after: str | None = None, query: str | None = None, **_: Any
    ) -> Fields:
        rows = [(at, doc) for at, doc in self.books.indexed("product", self._lag(query)) if matches(query, doc, at)]
        return connection([doc | {"cursor": f"{at}|{doc['id']}"} for at, doc in rows], first, after, self._product)

    def _orders(
        self, info: Any, first: int | None = None, after: str | None = None, query: str | None = None, **_: Any
    ) -> Fields:
        rows = [(at, doc) for at, doc in self.books.indexed("order", self._lag(query)) if matches(query, doc, at)]
        return connection([doc | {"cursor": f"{at}|{doc['id']}"} for at, doc in rows], first, after, self.order)

    # Orders

    def order_at(self, id: str) -> Fields | None:
        order = self.shelf.get("order", id)
        return None if order is None else self.order(order)

    def _by_identifier(self, info: Any, identifier: Doc) -> Fields | None:
        """By the custom id this is the database, not the search index: no lag."""
        custom = identifier.get("customId")
        if custom is None:
            return self.order_at(number(identifier["id"], "Order"))
        if self.shelf.get("definition", f"{custom['namespace']}.{custom['key']}") is None:
            raise GraphQLError("Metafield definition not found for the given namespace and key.")
        found = self.shelf.by_key("order", custom["value"])
        return self.order(found[0]) if found else None

    def order(self, order: Doc) -> Fields:
        currency = order["currency"]
        paid_back = refunded(order)
        return {
            "id": gid("Order", order["id"]),
            "name": order["name"],
            "confirmed": order["confirmed"],
            "createdAt": order["created"],
            "updatedAt": order["updated"],
            "cancelledAt": order["cancelled"],
            "cancelReason": order.get("cancel_reason"),
            "cancellation": {"staffNote": order.get("staff_note")} if order["cancelled"] else None,
            "sourceIdentifier": order.get("source_identifier"),
            "tags": order["tags"],
            "risk": lambda info: {"assessments": self.shelf.by_key("risk", order["id"])},
            "metafield": lambda info, key, namespace=None: (
                {"value": order["reference"]}
                if order.get("reference") and (namespace, key) == ("crossdock", "reference")
                else None
            ),
            "currentTotalPriceSet": money(total(order) - paid_back, currency),
            "totalRefundedSet": money(paid_back, currency),
            "lineItems": sliced(lambda: [self._line(line) for line in order["lines"]]),
            "fulfillmentOrders": self._groups.of(order),
            "fulfillments": lambda info, first=None, **_: [fulfilment(part) for part in order["fulfillments"]][:first],
            "refunds": lambda info, first=None: [
                {
                    "id": gid("Refund", refund["id"]),
                    "note": refund["note"],
                    "createdAt": refund["at"],
                    "totalRefundedSet": money(refund["amount"], currency),
                }
                for refund in order["refunds"]
            ][:first],
        }

    def _line(self, line: Doc) -> Fields:
        alive = self.shelf.get("variant", line["variant_id"])
        return {
            "id": gid("LineItem", line["id"]),
            "sku": line["sku"],
            "currentQuantity": line["quantity"],
            "cursor": line["id"],
            "variant": {"id": gid("ProductVariant", alive["id"])} if alive else None,
            "product": {"id": gid("Product", alive["product"])} if alive else None,
        }

    # The rest

    def _definitions(self, info: Any, namespace: str, key: str, first: int | None = None, **_: Any) -> Fields:
        found = self.shelf.get("definition", f"{namespace}.{key}")
        unique = {"uniqueValues": {"enabled": True}}
        rows = (
            [
                {
                    "id": gid("MetafieldDefinition", found["id"]),
                    "type": {"name": found["type"]},
                    "capabilities": unique,
                    "cursor": "1",
                }
            ]
            if found
            else []
        )
        return connection(rows, first, None)

    def _job(self, global_id: str) -> Fields | None:
        job = self.shelf.get("job", global_id.rpartition("/")[2])
        return None if job is None else {"id": global_id, "done": job["done"]}

    def _hooks(self, first: int | None, after: str | None) -> Fields:
        return connection([subscription(row) | {"cursor": row["id"]} for row in self.shelf.all("hook")], first, after)


def subscription(row: Doc) -> Fields:
    return {
        "id": gid("WebhookSubscription", row["id"]),
        "topic": row["topic"],
        "uri": row["uri"],
        "includeFields": row["fields"],
    }


_UPDATED = re.compile(r"updated_at:>='([^']+)'")
_SOURCE = re.compile(r'source_identifier:"((?:[^"\\]|\\.)*)"')


def matches(query: str | None, doc: Doc, updated: str) -> bool:
    """The two searches that we use.

    The index splits words and forgets case, so it finds more than what was asked for.
    """
    if query is None:
        return True
    if found := _UPDATED.fullmatch(query):
        return updated >= found[1]
    if found := _SOURCE.fullmatch(query):
        wanted = set(re.findall(r"\w+", found[1].lower()))
        return wanted <= set(re.findall(r"\w+", (doc.get("source_identifier") or "").lower())) and bool(wanted)
    raise GraphQLError(f"This simulated shop does not know the search {query!r}")
