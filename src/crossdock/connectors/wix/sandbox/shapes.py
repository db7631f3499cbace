"""The simulated site's documents as Wix answers with them: those of catalogue V1 and V3, and orders."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from crossdock.connectors.wix.sandbox.books import HOME, Books
from crossdock.kit.sandbox import Doc, books

APP = "215238eb-22a5-4c36-9e7b-e7c08025e04e"
SINGLE = "00000000-0000-0000-0000-000000000000"


def _variant_id(row: Mapping[str, Any]) -> str:
    return str(row["id"]).partition(".")[2]


def price(value: Any) -> Doc:
    return {"amount": f"{Decimal(value):f}", "formattedAmount": f"${Decimal(value):f}"}


# Catalogue V3


def product_v3(doc: Mapping[str, Any], fields: Collection[str], *, whole: bool = False) -> Doc:
    """Variants only where one product is asked for; the rest only where it is named."""
    prices = [Decimal(row["price"]) for row in doc["variants"]]
    picture = {"id": "m1", "image": {"url": doc["image"]}, "mediaType": "IMAGE"} if doc.get("image") else None
    media: Doc = {"main": picture} if picture else {}
    if "MEDIA_ITEMS_INFO" in fields:
        media["itemsInfo"] = {"items": [picture] if picture else []}
    shown: Doc = {
        "id": doc["id"],
        "revision": str(doc["revision"]),
        "createdDate": doc["created"],
        "updatedDate": doc["updated"],
        "name": doc["title"],
        "slug": doc["id"],
        "visible": doc["visible"],
        "visibleInPos": True,
        "productType": doc["type"],
        "media": media,
        "options": [{"id": "o1", "name": "Kind"}] if len(doc["variants"]) > 1 else [],
        "actualPriceRange": {"minValue": price(min(prices)), "maxValue": price(max(prices))},
        "variantSummary": {"variantCount": len(doc["variants"])},
        "inventory": {"availabilityStatus": "IN_STOCK", "preorderStatus": "DISABLED"},
    }
    if "PLAIN_DESCRIPTION" in fields:
        shown["plainDescription"] = doc.get("description", "")
    if whole:
        named = "VARIANT_OPTION_CHOICE_NAMES" in fields
        rows = [{"id": _variant_id(row), **_variant(row), "choices": _choices(row, named)} for row in doc["variants"]]
        shown["variantsInfo"] = {"variants": rows}
    return shown


def _choices(row: Mapping[str, Any], named: bool) -> list[Doc]:
    ids = {"optionChoiceIds": {"optionId": "o1", "choiceId": _variant_id(row)}}
    names = {"optionChoiceNames": {"optionName": "Kind", "choiceName": row["option"], "renderType": "TEXT_CHOICES"}}
    return [ids | (names if named else {})] if row["option"] else []


def _variant(row: Mapping[str, Any]) -> Doc:
    return {
        "visible": row.get("visible", True),
        "sku": row["sku"],
        "barcode": None,
        "price": {"actualPrice": price(row["price"])},
        "inventoryStatus": {"inStock": True, "preorderEnabled": False},
    }


def variant_v3(doc: Mapping[str, Any], row: Mapping[str, Any]) -> Doc:
    """As the read-only list has it."""
    about = {"productId": doc["id"], "name": doc["title"], "productType": doc["type"], "visible": doc["visible"]}
    return {
        "id": f"{doc['id']}-{_variant_id(row)}",
        "variantId": _variant_id(row),
        **_variant(row),
        "optionChoices": _choices(row, named=True),
        "productData": about,
    }


def items_v3(doc: Mapping[str, Any], row: Mapping[str, Any]) -> list[Doc]:
    """One for each location."""
    return [
        {
            "id": row["item"] if place == HOME else row["item"][:-4] + place[-4:],
            "revision": "1",
            "createdDate": doc["created"],
            "updatedDate": doc["updated"],
            "variantId": _variant_id(row),
            "locationId": place,
            "productId": doc["id"],
            "trackQuantity": doc["tracked"],
            **({"quantity": units} if doc["tracked"] else {"inStock": doc["in_stock"]}),
            "availabilityStatus": "IN_STOCK" if units > 0 else "OUT_OF_STOCK",
            "preorderInfo": {"enabled": doc["preorder"]},
            "product": {"name": doc["title"], "variantName": row["option"] or None, "variantSku": row["sku"]},
        }
        for place, units in row["stock"].items()
    ]


# Catalogue V1


def product_v1(doc: Mapping[str, Any], currency: str, *, variants: bool) -> Doc:
    first = doc["variants"][0]
    picture = [{"image": {"url": doc["image"]}, "mediaType": "image", "id": "m1"}] if doc.get("image") else []
    shown = {
        "id": doc["id"],
        "name": doc["title"],
        "slug": doc["id"],
        "visible": doc["visible"],
        "productType": doc["type"].lower(),
        "description": doc.get("description", ""),
        "sku": "" if _managed(doc) else first["sku"],
        "stock": {"trackInventory": doc["tracked"], "inventoryStatus": "IN_STOCK"},
        "priceData": _price_v1(first, currency),
        "media": {"mainMedia": picture[0] if picture else None, "items": picture},
        "manageVariants": _managed(doc),
        "productOptions": _options(doc),
        "numericId": "1567588455405000",
        "inventoryItemId": doc["id"],
        "lastUpdated": doc["updated"],
        "createdDate": doc["created"],
    }
    return {**shown, "variants": [_variant_v1(doc, row, currency) for row in doc["variants"]]} if variants else shown


def _managed(doc: Mapping[str, Any]) -> bool:
    return len(doc["variants"]) > 1 and bool(doc["managed"])


def _options(doc: Mapping[str, Any]) -> list[Doc]:
    names = [row["option"] for row in doc["variants"] if row["option"]]
    choices = [{"value": name, "description": name} for name in names]
    return [{"optionType": "drop_down", "name": "Kind", "choices": choices}] if names else []


def _price_v1(row: Mapping[str, Any], currency: str) -> Doc:
    return {
        "currency": currency,
        "price": float(row["price"]),
        "discountedPrice": float(row.get("sale") or row["price"]),
    }


def _variant_v1(doc: Mapping[str, Any], row: Mapping[str, Any], currency: str) -> Doc:
    inner = {"priceData": _price_v1(row, currency), "sku": row["sku"], "weight": 0, "visible": row.get("visible", True)}
    return {
        "id": _variant_id(row),
        "choices": {"Kind": row["option"]} if row["option"] else {},
        "variant": inner,
        "stock": {"trackQuantity": doc["tracked"], "quantity": row["stock"].get(HOME, 0), "inStock": doc["in_stock"]},
    }


def item_v1(doc: Mapping[str, Any]) -> Doc:
    rows = [
        {
            "variantId": _variant_id(row),
            "inStock": doc["in_stock"],
            **({"quantity": row["stock"].get(HOME, 0)} if doc["tracked"] else {}),
            "availableForPreorder": False,
        }
        for row in doc["variants"]
    ]
    return {
        "id": doc["id"],
        "productId": doc["id"],
        "trackQuantity": doc["tracked"],
        "variants": rows,
        "lastUpdated": doc["updated"],
        "numericId": "1567588455405000",
        "preorderInfo": {"enabled": doc["preorder"], "message": None, "limit": None},
    }


# Orders


def order(store: Books, doc: Mapping[str, Any]) -> Doc:
    total, shipping = store.total(doc), Decimal(doc["shipping"])
    sent = books.left(doc)
    status = "PARTIALLY_FULFILLED" if doc["parcels"] else "NOT_FULFILLED"
    to = doc["to"] or {"address": {"country": "US"}, "contactDetails": {"firstName": "Own", "lastName": "Customer"}}
    return {
        "id": doc["id"],
        "number": doc["number"],
        "createdDate": doc["created"],
        "updatedDate": doc["updated"],
        "lineItems": [_line(row) for row in doc["lines"]],
        "buyerInfo": {"contactId": doc["id"], **({"email": doc["email"]} if doc["email"] else {})},
        "paymentStatus": doc["payment"],
        "fulfillmentStatus": "FULFILLED" if doc["marked"] or not sent else status,
        "currency": doc["currency"],
        "taxIncludedInPrices": True,
        "priceSummary": {
            "subtotal": price(total - shipping),
            "shipping": price(shipping),
            "tax": price(0),
            "discount": price(0),
            "total": price(total),
        },
        "billingInfo": to,
        "shippingInfo": {
            "title": "Shipping",
            "logistics": {"shippingDestination": to},
            "cost": {"price": price(shipping)},
        },
        "buyerNote": doc["note"],
        "status": doc["status"],
        "archived": False,
        "activities": [
            {"id": doc["id"], "createdDate": doc["created"], "type": "ORDER_PLACED"},
            *(_comment(each) for each in doc["comments"]),
        ],
        "channelInfo": doc["channel"],
        "customFields": doc["fields"],
        "imported": False,
    }


def _comment(each: Mapping[str, Any]) -> Doc:
    about = {"id": each["id"], "createdDate": each["created"], "type": "MERCHANT_COMMENT"}
    return {**about, "merchantComment": {"message": each["message"]}}


def _line(row: Mapping[str, Any]) -> Doc:
    variant = str(row["variant_id"]).partition(".")[2]
    options = {"options": {"variantId": variant}} if variant != SINGLE else {}
    return {
        "id": row["id"],
        "productName": {"original": row["title"], "translated": row["title"]},
        "catalogReference": {"catalogItemId": row["product_id"], "appId": APP, **options},
        "quantity": row["quantity"],
        "price": price(row["price"]),
        "totalPriceAfterTax": price(Decimal(row["price"]) * row["quantity"]),
        "itemType": {"preset": "PHYSICAL"},
        "physicalProperties": {"sku": row["sku"], "shippable": True},
        "descriptionLines": [],
    }


def fulfilments(doc: Mapping[str, Any]) -> Doc:
    return {"orderId": doc["id"], "fulfillments": [_parcel(made) for made in doc["parcels"]]}


def _parcel(made: Mapping[str, Any]) -> Doc:
    rows = [{"id": line, "quantity": units} for line, units in made["lines"]]
    shown = {
        "id": made["id"],
        "createdDate": made["created"],
        "lineItems": rows,
        "completed": True,
        "status": "Pending",
    }
    return {**shown, **({"trackingInfo": made["tracking"]} if made["tracking"] else {})}


def payments(doc: Mapping[str, Any]) -> Doc:
    return {"orderId": doc["id"], "payments": [], "refunds": [_refund(made) for made in doc["refunds"]]}


def _refund(made: Mapping[str, Any]) -> Doc:
    amount, done = price(made["amount"]), made["status"] == "SUCCEEDED"
    return {
        "id": made["id"],
        "transactions": [{"paymentId": made["id"], "amount": amount, "refundStatus": made["status"]}],
        "details": {"reason": "", "shippingIncluded": False},
        "createdDate": made["created"],
        "summary": {"requestedRefund": amount, "refunded": amount if done else price(0), "pending": not done},
    }
