"""The simulated site's documents as Squarespace answers with them (shapes of live sites, as others published them)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from crossdock.connectors.squarespace.sandbox.models import amount
from crossdock.kit.sandbox import Doc, books

NO_WEIGHT = {
    "weight": {"unit": "POUND", "value": 0},
    "dimensions": {"unit": "INCH", "length": 0, "width": 0, "height": 0},
}


def product(doc: Mapping[str, Any], currency: str) -> Doc:
    image = {"id": doc["id"], "altText": "", "orderIndex": 0, "url": doc.get("image"), "availableFormats": []}
    return {
        "id": doc["id"],
        "type": doc["type"],
        "storePageId": "6a72f2207b60d851f2d2f110",
        "name": doc["title"],
        "description": doc.get("description", ""),
        "url": f"https://corner-shop.squarespace.com/shop/p/{doc['id']}",
        "urlSlug": f"p/{doc['id']}",
        "images": [image] if doc.get("image") else [],
        "tags": doc.get("tags", []),
        "isVisible": doc["visible"],
        "variantAttributes": [_option(doc)] if len(doc["variants"]) > 1 else [],
        "variants": [_variant(row, currency, _option(doc)) for row in doc["variants"]],
        "seoOptions": None,
        "createdOn": doc["created"],
        "modifiedOn": doc["updated"],
        "pricing": None,
        "digitalGood": None,
    }


def _option(doc: Mapping[str, Any]) -> str:
    return str(doc.get("option_name", "Kind"))


def _variant(row: Mapping[str, Any], currency: str, option: str) -> Doc:
    """`salePrice` is 0.00 where nothing is on sale."""
    sale = row.get("sale", "")
    prices = {"basePrice": amount(row["price"], currency), "salePrice": amount(sale or 0, currency)}
    return {
        "id": row["id"],
        "sku": row["sku"],
        "pricing": {**prices, "onSale": bool(sale)},
        "stock": {"quantity": row["stock"][""], "unlimited": bool(row.get("unlimited"))},
        "attributes": {option: row["option"]} if row["option"] else {},
        "shippingMeasurements": NO_WEIGHT,
        "image": None,
    }


def item(doc: Mapping[str, Any], row: Mapping[str, Any]) -> Doc:
    words = f"{doc['title']} [{row['option']}]" if row["option"] else doc["title"]
    stock = {"quantity": row["stock"][""], "isUnlimited": bool(row.get("unlimited"))}
    return {"variantId": row["id"], "sku": row["sku"], "descriptor": words, **stock}


def order(doc: Mapping[str, Any]) -> Doc:
    """Without the fields of a checkout of its own, an imported order has null there."""
    total, shipping, currency = books.total(doc), Decimal(doc["shipping"]), doc["currency"]
    return {
        "id": doc["id"],
        "orderNumber": doc["number"],
        "createdOn": doc["created"],
        "modifiedOn": doc["updated"],
        "channel": doc["channel"],
        "testmode": False,
        "customerEmail": doc["email"],
        "customerId": None,
        "billingAddress": doc["address"],
        "shippingAddress": doc["address"],
        "fulfillmentStatus": doc["status"],
        "lineItems": [_line(row, currency) for row in doc["lines"]],
        "internalNotes": [],
        "shippingLines": doc["methods"],
        "discountLines": [],
        "formSubmission": None,
        "fulfillments": doc["parcels"],
        "subtotal": amount(total - shipping, currency),
        "shippingTotal": amount(shipping, currency),
        "discountTotal": amount(0, currency),
        "taxTotal": amount(0, currency),
        "refundedTotal": amount(books.refunded(doc), currency),
        "grandTotal": amount(total, currency),
        "channelName": doc["channel_name"],
        "externalOrderReference": doc["reference"] or None,
        "fulfilledOn": doc["fulfilled"],
        "priceTaxInterpretation": "INCLUSIVE",
        "paymentState": "PAID",
        "shippingOptionName": None,
        "shippingOptionServiceType": None,
    }


def _line(row: Mapping[str, Any], currency: str) -> Doc:
    return {
        "id": row["id"],
        "variantId": row["variant_id"],
        "sku": row["sku"],
        "productId": row["product_id"],
        "productName": row["title"],
        "quantity": row["quantity"],
        "unitPricePaid": amount(row["price"], currency),
        "variantOptions": [],
        "customizations": None,
        "imageUrl": None,
        "lineItemType": "PHYSICAL_PRODUCT",
    }
