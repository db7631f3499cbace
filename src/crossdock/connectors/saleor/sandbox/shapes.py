"""The simulated shop's documents as Saleor's GraphQL shows them. Amounts are numbers."""

import json
from collections.abc import Mapping
from typing import Any

from crossdock.connectors.saleor.sandbox.books import CHANNEL, Books, gid
from crossdock.kit.sandbox import Doc


def money(amount: object, currency: str) -> Doc:
    return {"amount": float(str(amount)), "currency": currency}


def pairs(words: Mapping[str, str]) -> list[Doc]:
    return [{"key": key, "value": value} for key, value in words.items()]


def product(books: Books, doc: Mapping[str, Any]) -> Doc:
    listing = {
        "channel": {"id": CHANNEL},
        "isPublished": doc["published"],
        "publishedAt": doc.get("published_at"),
        "isAvailableForPurchase": doc["purchasable"],
    }
    text = {"blocks": [{"type": "paragraph", "data": {"text": part}} for part in [doc.get("description", "")] if part]}
    return {
        "id": doc["id"],
        "name": doc["title"],
        "description": json.dumps(text) if doc.get("description") else None,
        "updatedAt": doc["updated"],
        "channelListings": [listing] if doc["listed"] else [],
        "media": [{"url": doc["image"], "type": "IMAGE"}] if doc.get("image") else [],
        "category": {"name": doc["types"][0]} if doc.get("types") else None,
        "collections": [{"name": name} for name in doc.get("types", [])[1:]],
        "attributes": [attribute(*pair) for pair in doc.get("properties", ())],
        "variants": [variant(books, doc, row) for row in doc["variants"]],
    }


def attribute(name: str, *values: str) -> Doc:
    return {"attribute": {"name": name}, "values": [{"name": value} for value in values]}


def variant(books: Books, doc: Mapping[str, Any], row: Mapping[str, Any]) -> Doc:
    currency = books.settings["currency"]
    price = money(row["price"], currency) if row["price"] is not None else None
    return {
        "id": row["id"],
        "name": row["option"] or row["sku"],
        "sku": row["sku"],
        "product": {"id": doc["id"]},
        "preorder": {"endDate": None} if row["preorder"] else None,
        "media": [],
        # By its arguments: those by which a variant is chosen.
        "attributes": [attribute(doc.get("option_name", "Size"), row["option"])] if row["option"] else [],
        "pricing": {"price": {"gross": price, "net": price} if price else None},
        "trackInventory": row["track"],
        "stocks": [
            {
                "quantity": units,
                "quantityAllocated": row["allocated"].get(place, 0),
                "quantityReserved": row["reserved"],
                "warehouse": {"id": place},
            }
            for place, units in row["stock"].items()
        ],
    }


def order(books: Books, doc: Mapping[str, Any]) -> Doc:
    currency = books.settings["currency"]
    total = books.total(doc)
    methods = (
        books.settings["methods"].items()
        if (doc["address"] or {}).get("country") in books.settings["countries"]
        else ()
    )
    refunds = [
        {
            "id": each["id"],
            "kind": "REFUND",
            "isSuccess": True,
            "created": each["created"],
            "amount": money(each["amount"], currency),
        }
        for each in doc["refunds"]
    ]
    paid = [
        {
            "id": pay["id"],
            "kind": pay["kind"],
            "isSuccess": True,
            "created": doc["created"],
            "amount": money(total, currency),
        }
        for pay in doc["payments"]
    ]
    return {
        "id": doc["id"],
        "number": doc["number"],
        "status": doc["status"],
        "isPaid": bool(doc["payments"]),
        "updatedAt": doc["updated"],
        "externalReference": doc["reference"] or None,
        "metadata": pairs(doc["metadata"]),
        "total": {"gross": money(total, currency)},
        "shippingMethods": [
            {"id": gid("ShippingMethod", name), "active": True, "price": money(price, currency)}
            for name, price in methods
        ],
        "lines": [_line(books, row) for row in doc["lines"]],
        "fulfillments": [_fulfilment(row) for row in doc["parcels"]],
        "payments": [{"transactions": paid + refunds}] if doc["payments"] else [],
        "transactions": doc.get("transactions", []),
        "grantedRefunds": doc["granted"],
        "events": doc["events"],
    }


def _line(books: Books, row: Mapping[str, Any]) -> Doc:
    """A variant that was deleted is null, and its stock rows and allocations went with it."""
    try:
        doc, found = books.variant(None, row["variant_id"])
        there: Doc | None = variant(books, doc, found)
    except LookupError:
        there = None
    held = row["allocations"].items() if there else ()
    return {
        "id": row["id"],
        "productSku": row["sku"],
        "productVariantId": row["variant_id"],
        "quantity": row["quantity"],
        "quantityFulfilled": row["fulfilled"],
        "undiscountedUnitPrice": {"gross": money(row["price"], books.settings["currency"])},
        "isGift": row["gift"],
        "unitDiscount": money(row["off"], books.settings["currency"]),
        "variant": there,
        "allocations": [{"quantity": units, "warehouse": {"id": place}} for place, units in held if units],
    }


def _fulfilment(row: Mapping[str, Any]) -> Doc:
    return {
        "id": row["id"],
        "status": row["status"],
        "trackingNumber": row["tracking"],
        "reason": row.get("reason"),
        "created": row["created"],
        "privateMetadata": pairs(row["private"]),
        "warehouse": {"id": row["place"]} if row["place"] else None,
        "lines": [{"quantity": units, "orderLine": {"id": line}} for line, units in row["lines"]],
    }
