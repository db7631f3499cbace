"""The simulated store's documents as Ecwid writes them (FetchedProduct, FetchedOrder of the vendor's client; examples
of search-products and search-orders). Amounts are floats; an order names no currency, a refund no id.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from crossdock.connectors.ecwid.sandbox.books import public_id, unix
from crossdock.kit.sandbox import Doc, books


def product(doc: Mapping[str, Any]) -> Doc:
    """One with variations has a count of its own as well, for choices that have no variation: here it is unlimited."""
    first, simple = doc["variants"][0], not doc["variants"][0]["option"]
    image = {"id": "1", "isMain": True, "orderBy": 0, "imageOriginalUrl": doc.get("image") or None}
    return {
        "id": doc["id"],
        "name": doc["title"],
        "sku": first["sku"] if simple else f"{first['sku']}-base",
        "description": doc.get("description", ""),
        "enabled": doc["enabled"],
        "price": float(first["price"]),
        "priceInProductList": float(first["price"]),
        "defaultDisplayedPrice": float(first["price"]),
        **(_stock(first) if simple else {"unlimited": True, "inStock": True}),
        "options": [] if simple else [{"name": _option(doc), "type": "SELECT", "required": True}],
        "combinations": [] if simple else [_variation(doc, row, n) for n, row in enumerate(doc["variants"], 1)],
        "media": {"images": [image] if doc.get("image") else [], "videos": []},
        "attributes": [
            {"id": n, "name": name, "value": value, "type": "CUSTOM", "show": "DESCR"}
            for n, (name, value) in enumerate(doc.get("properties", ()), 1)
        ],
        "categoryIds": [],
        "categories": [],
        "isShippingRequired": True,
        "isGiftCard": False,
        "isSampleProduct": False,
        "created": doc["created"],
        "createTimestamp": unix(doc["created"]),
        "updated": doc["updated"],
        "updateTimestamp": unix(doc["updated"]),
        **doc.get("shown", {}),
    }


def _option(doc: Mapping[str, Any]) -> str:
    return str(doc.get("option_name", "Kind"))


def _stock(row: Mapping[str, Any]) -> Doc:
    """No `quantity` where it is unlimited."""
    if row.get("unlimited"):
        return {"unlimited": True, "inStock": True}
    return {"quantity": row["stock"][""], "unlimited": False, "inStock": row["stock"][""] > 0}


def _variation(doc: Mapping[str, Any], row: Mapping[str, Any], number: int) -> Doc:
    return {
        "id": row["id"],
        "combinationNumber": number,
        "sku": row["sku"],
        "options": [{"name": _option(doc), "value": row["option"], "nameTranslated": {"en": _option(doc)}}],
        "price": float(row["price"]),
        "defaultDisplayedPrice": float(row["price"]),
        **_stock(row),
    }


def order(doc: Mapping[str, Any]) -> Doc:
    fields = doc["fields"]
    refunded = books.refunded(doc)
    shown = {
        "internalId": doc["id"],
        "id": public_id(doc["id"]),
        "orderNumber": doc["id"],
        "vendorOrderNumber": public_id(doc["id"]),
        "email": "",
        "paymentStatus": doc["status"],
        "trackingNumber": "",
        "refundedAmount": float(refunded),
        "refunds": [
            {"date": each["created"], "source": each["source"], "reason": "", "amount": float(each["amount"])}
            for each in doc["refunds"]
        ],
        "items": [_line(row) for row in doc["lines"]],
        "shipments": doc["parcels"],
        "createDate": doc["created"],
        "createTimestamp": unix(doc["created"]),
        "updateDate": doc["updated"],
        "updateTimestamp": unix(doc["updated"]),
    }
    return {**shown, **{name: value for name, value in fields.items() if value is not None}}


def _line(row: Mapping[str, Any]) -> Doc:
    """`combinationId` only where a variation was bought."""
    shown = {
        "id": row["id"],
        "productId": row["product_id"],
        "categoryId": 0,
        "name": row["title"],
        "sku": row["sku"],
        "quantity": row["quantity"],
        "price": float(Decimal(row["price"])),
        "tax": 0.0,
        "isShippingRequired": True,
        "selectedOptions": [],
    }
    return shown | ({"combinationId": row["combination"]} if row["combination"] else {})


def profile(store: int, settings: Mapping[str, Any]) -> Doc:
    return {
        "generalInfo": {"storeId": store, "storeUrl": "https://corner.company.site"},
        "settings": {"storeName": "Corner shop", "closed": False},
        "company": {"companyName": "Corner shop", "email": "owner@corner.example"},
        "formatsAndUnits": {"currency": settings["currency"], "currencyPrecision": 2, "timezone": "Europe/London"},
        "taxSettings": {"automaticTaxEnabled": False, "pricesIncludeTax": True, "taxes": []},
        "account": {"registrationDate": datetime(2020, 1, 1, tzinfo=UTC).isoformat()},
    }
