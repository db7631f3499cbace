"""The simulated store's documents as BigCommerce writes them: V2 has amounts as text with four decimals and dates of
RFC 2822, V3 has numbers and ISO 8601.
"""

from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from crossdock.connectors.bigcommerce.sandbox.books import HOME, STATUSES, Books
from crossdock.kit.sandbox import Doc


def rfc(moment: str) -> str:
    return format_datetime(datetime.fromisoformat(moment))


def product(doc: Mapping[str, Any]) -> Doc:
    """A product with one variant has a base variant, others have none (null)."""
    first, simple = doc["variants"][0], not doc["variants"][0]["option"]
    image = {"id": 1, "url_standard": doc["image"], "url_zoom": doc["image"], "is_thumbnail": True}
    return {
        "id": doc["id"],
        "name": doc["title"],
        "type": "physical",
        "sku": first["sku"] if simple else "",
        "description": doc["description"],
        "price": float(first["price"]),
        "sale_price": 0,
        "calculated_price": float(first["price"]),
        "inventory_level": sum(row["stock"].get(HOME, 0) for row in doc["variants"]),
        "inventory_tracking": doc["tracking"],
        "is_visible": doc["visible"],
        "is_price_hidden": False,
        "availability": "available",
        "base_variant_id": first["id"] if simple else None,
        "date_created": doc["updated"],
        "date_modified": doc["updated"],
        "search_keywords": ", ".join(doc.get("tags", ())),
        "categories": [23],
        "custom_fields": [
            {"id": n, "name": name, "value": value} for n, (name, value) in enumerate(doc.get("properties", ()), 1)
        ],
        "images": [image] if doc["image"] else [],
        "variants": [_variant(doc, row) for row in doc["variants"]],
    }


def _variant(doc: Mapping[str, Any], row: Mapping[str, Any]) -> Doc:
    """The price of a base variant is null: it is the product's."""
    name = doc.get("option_name", "Kind")
    options = [{"id": row["id"], "option_id": 1, "option_display_name": name, "label": row["option"]}]
    return {
        "id": row["id"],
        "product_id": doc["id"],
        "sku": row["sku"],
        "sku_id": row["id"] if row["option"] else None,
        "price": float(row["price"]) if row["option"] else None,
        "calculated_price": float(row["price"]),
        "purchasing_disabled": False,
        "image_url": "",
        "upc": "",
        "gtin": "",
        "inventory_level": row["stock"].get(HOME, 0),
        "option_values": options if row["option"] else [],
    }


def item(doc: Mapping[str, Any], row: Mapping[str, Any], locations: list[Doc]) -> Doc:
    return {
        "identity": {"sku": row["sku"], "variant_id": row["id"], "product_id": doc["id"], "sku_id": None},
        "locations": [
            {
                "location_id": place["id"],
                "location_code": place["code"],
                "location_name": place["label"],
                "available_to_sell": row["stock"].get(str(place["id"]), 0),
                "total_inventory_onhand": row["stock"].get(str(place["id"]), 0),
                "location_enabled": True,
                "settings": {"safety_stock": 0, "is_in_stock": True, "warning_level": 0, "bin_picking_number": ""},
            }
            for place in locations
        ],
    }


def order(books: Books, doc: Mapping[str, Any], base: str) -> Doc:
    """`refunded_amount` is always 0, and the lists are addresses."""
    total, currency = f"{books.total(doc):.4f}", books.settings["currency"]
    sent = sum(units for parcel in doc["parcels"] for _, units in parcel["lines"])
    root = f"{base}/v2/orders/{doc['id']}"
    return {
        "id": doc["id"],
        "status_id": doc["status_id"],
        "status": STATUSES[doc["status_id"]],
        "date_created": rfc(doc["created"]),
        "date_modified": rfc(doc["updated"]),
        "date_shipped": rfc(doc["updated"]) if doc["status_id"] in (2, 10) else "",
        "total_inc_tax": total,
        "total_ex_tax": total,
        "shipping_cost_inc_tax": f"{float(doc['shipping']):.4f}",
        "refunded_amount": "0.0000",
        "items_total": sum(line["quantity"] for line in doc["lines"]),
        "items_shipped": sent,
        "currency_code": currency,
        "default_currency_code": currency,
        "payment_method": doc["payment_method"],
        "payment_status": "",
        "external_source": doc["external_source"] or None,
        "external_order_id": doc["reference"],
        "external_id": None,
        "staff_notes": doc["staff_notes"],
        "customer_message": doc["customer_message"],
        "is_deleted": bool(doc.get("deleted")),
        "billing_address": {"email": "", **doc["billing"]},
        "products": {"url": f"{root}/products", "resource": f"/orders/{doc['id']}/products"},
        "shipping_addresses": {"url": f"{root}/shippingaddresses", "resource": ""},
    }


def line(doc: Mapping[str, Any], row: Mapping[str, Any]) -> Doc:
    each, whole = float(row["price"]), float(row["price"]) * row["quantity"]
    return {
        "id": row["id"],
        "order_id": doc["id"],
        "product_id": row["product_id"],
        "variant_id": row["variant_id"],
        "order_address_id": row["order_address_id"],
        "name": row["title"],
        "sku": row["sku"],
        "type": "physical",
        "price_inc_tax": f"{each:.4f}",
        "price_ex_tax": f"{each:.4f}",
        "total_inc_tax": f"{whole:.4f}",
        "quantity": row["quantity"],
        "quantity_shipped": 0,
        "is_refunded": False,
        "quantity_refunded": 0,
    }


def shipment(doc: Mapping[str, Any], row: Mapping[str, Any]) -> Doc:
    names = ("tracking_number", "shipping_provider", "tracking_carrier", "tracking_link", "shipping_method", "comments")
    return {
        "id": row["id"],
        "order_id": doc["id"],
        "order_address_id": row.get("order_address_id", 0),
        "date_created": rfc(row["created"]),
        "generated_tracking_link": "",
        "items": [{"order_product_id": line, "quantity": units, "product_id": 0} for line, units in row["lines"]],
        **{name: row.get(name, "") for name in names},
    }


def refund(doc: Mapping[str, Any], row: Mapping[str, Any]) -> Doc:
    return {
        "id": row["id"],
        "order_id": doc["id"],
        "user_id": 1,
        "created": row["created"],
        "reason": "",
        "total_amount": float(row["amount"]),
        "total_tax": 0,
        "items": [{"item_type": "ORDER", "item_id": doc["id"], "requested_amount": float(row["amount"])}],
        "payments": [],
    }
