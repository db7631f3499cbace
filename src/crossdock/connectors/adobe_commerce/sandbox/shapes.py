"""Documents as Magento writes them: amounts and quantities are JSON numbers of at most four decimals, what is null is
left out, times are UTC without a zone.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from crossdock.connectors.adobe_commerce.sandbox.books import STOCK, Books
from crossdock.kit.sandbox import Doc

# Codes alone where nothing asks for the name.
_CODES = (
    "AL AK AS AZ AR AE AA AP CA CO CT DE DC FM FL GA GU HI ID IL IN IA KS KY LA ME MH MD MA MI MN MS MO MT NE NV NH NJ"
    " NM NY NC ND MP OH OK OR PW PA PR RI SC SD TN TX UT VT VI VA WA WV WI WY"
)
_NAMES = {"IL": "Illinois", "NY": "New York", "FL": "Florida", "PR": "Puerto Rico"}
STATES = tuple((code, _NAMES.get(code, code), n) for n, code in enumerate(_CODES.split(), 1))
REGIONS: Mapping[str, tuple[tuple[str, str, int], ...]] = {"US": STATES, "CA": (("ON", "Ontario", 74),)}
COUNTRIES = ("US", "CA", "GB", "DE", "FR", "JP", "KW", "PR")


def amount(value: Any) -> float:
    return float(Decimal(str(value)))


def product(shop: Books, doc: Doc) -> Doc:
    """A simple product, or the configurable one above its children."""
    if len(doc["variants"]) == 1 and not doc["variants"][0]["option"]:
        return _entity(shop, doc, doc["variants"][0], doc["title"], doc["updated"], doc.get("visibility", 4))
    ids = [row["id"] for row in doc["variants"]]
    node = _entity(shop, doc, {"id": doc["id"], "sku": f"P-{doc['id']}", "price": "0"}, doc["title"], doc["updated"], 4)
    node["type_id"] = "configurable"
    node["extension_attributes"] |= {"configurable_product_links": ids, "configurable_product_options": []}
    return node


def child(shop: Books, doc: Doc, row: Doc) -> Doc:
    name = f"{doc['title']}-{row['option']}"
    return _entity(shop, {**doc, "fields": {}}, row, name, row["updated"], row.get("visibility", 1))


def _entity(shop: Books, doc: Doc, row: Doc, name: str, updated: str, visibility: int) -> Doc:
    own = {"description": doc.get("description") or "", **doc.get("attributes", {}), **row.get("attributes", {})}
    picture = doc.get("image") or ""
    node: Doc = {
        "id": int(row["id"]),
        "sku": row["sku"],
        "name": name,
        "attribute_set_id": 4,
        "price": amount(row["price"]),
        "status": row.get("status", 1),
        "visibility": visibility,
        "type_id": "simple",
        "created_at": doc["created"],
        "updated_at": updated,
        "weight": 1,
        "extension_attributes": {"website_ids": [1], "category_links": []},
        "product_links": [],
        "options": [],
        "media_gallery_entries": [],
        "tier_prices": [],
        "custom_attributes": [{"attribute_code": code, "value": value} for code, value in own.items() if value],
    }
    if picture:
        entry = {"id": 1, "media_type": "image", "label": None, "position": 1, "disabled": False}
        node["media_gallery_entries"] = [
            {**entry, "types": ["image", "small_image"], "file": f"/{picture.lstrip('/')}"}
        ]
    changed: Doc = doc.get("fields", {})
    return node | changed


def products(shop: Books) -> list[Doc]:
    rows = list[Doc]()
    for doc in shop.shelf.all("product"):
        rows.append(product(shop, doc))
        rows += [child(shop, doc, row) for row in doc["variants"] if row["option"]]
    return rows


def salable(shop: Books, node: Doc) -> Doc | None:
    """PreciseExportStockProcessor: what is not counted has 0 and is sold; what is not assigned is left out."""
    if node["type_id"] == "configurable":
        return {"sku": node["sku"], "qty": 0, "is_salable": True}
    _, row = shop.variant(None, node["id"])
    if not row.get("managed", True):
        return {"sku": row["sku"], "qty": 0, "is_salable": True}
    if not set(row["stock"]) & set(shop.sources()):
        return None
    return {"sku": row["sku"], "qty": amount(shop.salable(row)), "is_salable": shop.sold(row)}


# Orders


def order(shop: Books, doc: Doc) -> Doc:
    total, currency = amount(shop.total(doc)), doc.get("currency") or shop.settings["currency"]
    rows = [node for line in doc["lines"] for node in _items(doc, line)]
    node: Doc = {
        "entity_id": doc["id"],
        "increment_id": f"{doc['id']:09d}",
        "state": doc["state"],
        "status": doc["status"],
        "created_at": doc["created"],
        "updated_at": doc["updated"],
        "base_currency_code": currency,
        "global_currency_code": currency,
        "order_currency_code": doc.get("shown", currency),
        "base_grand_total": total,
        "grand_total": amount(Decimal(str(total)) * Decimal(doc.get("rate", "1"))),
        "base_shipping_amount": amount(doc["shipping"]),
        "customer_email": doc["email"],
        "customer_firstname": doc["billing"]["firstname"],
        "customer_lastname": doc["billing"]["lastname"],
        "customer_is_guest": 1,
        "quote_id": doc["quote"],
        "store_id": 1,
        "total_qty_ordered": sum(line["quantity"] for line in doc["lines"]),
        "items": rows,
        "billing_address": {**doc["billing"], "address_type": "billing"},
        "payment": {"method": doc["payment"], "po_number": doc["po_number"], "additional_information": []},
        "status_histories": [
            {
                "entity_id": row["id"],
                "parent_id": doc["id"],
                "comment": row["words"],
                "created_at": row["at"],
                "entity_name": "order",
                "is_customer_notified": 0,
                "is_visible_on_front": int(row["visible"]),
            }
            for row in doc["comments"]
        ],
        "extension_attributes": {"shipping_assignments": []},
    }
    return {name: value for name, value in node.items() if value is not None}


def _items(doc: Doc, line: Doc) -> list[Doc]:
    """A configurable product's is two: the parent has the price, the child what was sold."""
    closed = doc["state"] == "canceled"
    node: Doc = {
        "item_id": line["id"],
        "order_id": doc["id"],
        "product_id": line["variant_id"],
        "product_type": "simple",
        "sku": line["sku"],
        "name": line["title"],
        "qty_ordered": line["quantity"],
        "qty_canceled": line["quantity"] if closed else 0,
        "qty_invoiced": line["quantity"] if doc["invoiced"] else 0,
        "qty_refunded": 0,
        "qty_shipped": 0,
        "price": amount(line["price"]),
        "base_price": amount(line["price"]),
        "row_total": amount(Decimal(line["price"]) * line["quantity"]),
    }
    if "child" not in line:
        return [node]
    parent = {**node, "product_id": line["parent"], "product_type": "configurable"}
    return [parent, {**node, "item_id": line["child"], "parent_item_id": line["id"], "price": 0, "base_price": 0}]


def shipment(doc: Doc, made: Doc) -> Doc:
    return {
        "entity_id": made["id"],
        "increment_id": f"{made['id']:09d}",
        "order_id": doc["id"],
        "created_at": made["created"],
        "updated_at": made["created"],
        "total_qty": sum(units for _, units in made["lines"]),
        "items": [
            {"entity_id": n, "parent_id": made["id"], "order_item_id": line, "qty": units}
            for n, (line, units) in enumerate(made["lines"], 1)
        ],
        "tracks": [track(doc, made, row) for row in made["tracks"]],
        "comments": [],
        "packages": [],
    }


def track(doc: Doc, made: Doc, row: Doc) -> Doc:
    return {
        "entity_id": row["id"],
        "order_id": doc["id"],
        "parent_id": made["id"],
        "created_at": row["created"],
        "updated_at": row["created"],
        "track_number": row["number"],
        "title": row["title"],
        "carrier_code": row["code"],
    }


def creditmemo(shop: Books, doc: Doc, made: Doc) -> Doc:
    currency = shop.settings["currency"]
    return {
        "entity_id": made["id"],
        "order_id": doc["id"],
        "state": 2,
        "base_grand_total": amount(made["amount"]),
        "grand_total": amount(made["amount"]),
        "base_currency_code": currency,
        "order_currency_code": currency,
        "created_at": made["created"],
        "updated_at": made["created"],
        "items": [],
    }


# The store


def store(shop: Books, address: str) -> Doc:
    urls = dict.fromkeys(("base_url", "base_link_url", "secure_base_url", "secure_base_link_url"), f"{address}/")
    settings = shop.settings
    return urls | {
        "id": 1,
        "code": settings["store"],
        "website_id": 1,
        "locale": "en_US",
        "base_currency_code": settings["currency"],
        "default_display_currency_code": settings["shown"] or settings["currency"],
        "timezone": settings["zone"],
        "weight_unit": "lbs",
        "base_static_url": f"{address}/static/",
        "base_media_url": f"{address}/media/",
        "secure_base_static_url": f"{address}/static/",
        "secure_base_media_url": f"{address}/media/",
    }


def website() -> Doc:
    return {"id": 1, "code": "base", "name": "Main Website", "default_group_id": 1}


def stock() -> Doc:
    channel = {"type": "website", "code": "base"}
    return {"stock_id": STOCK, "name": "Default Stock", "extension_attributes": {"sales_channels": [channel]}}


def source(doc: Doc) -> Doc:
    return {"source_code": doc["id"], "name": doc["name"], "enabled": doc["enabled"], "postcode": "00000"}


def country(code: str) -> Doc:
    regions = [{"id": str(id_), "code": short, "name": name} for short, name, id_ in REGIONS.get(code, ())]
    node: Doc = {"id": code, "two_letter_abbreviation": code, "three_letter_abbreviation": f"{code}X"}
    return node | ({"available_regions": regions} if regions else {})


def method(name: str, cost: str) -> Doc:
    carrier, _, code = name.partition("_")
    node: Doc = {"carrier_code": carrier, "method_code": code, "carrier_title": carrier, "method_title": code}
    price = amount(cost)
    costs = {"amount": price, "base_amount": price, "price_excl_tax": price, "price_incl_tax": price}
    return node | costs | {"available": True, "error_message": ""}


def selected(shop: Books, asked: list[Doc]) -> Doc:
    """By priority; where there is too little, what there is (shippable: false)."""
    rows, whole = list[Doc](), True
    for item in asked:
        _, row = shop.by_sku(item["sku"])
        left = item["qty"]
        for code in shop.sources():
            here = min(left, row["stock"].get(code, 0))
            if here > 0:
                left -= here
                about = {"source_code": code, "sku": item["sku"], "qty_to_deduct": here}
                rows.append(about | {"qty_available": row["stock"].get(code, 0)})
        whole = whole and not left
    return {"source_selection_items": rows, "shippable": whole}


def paid(ways: list[str], total: Decimal) -> Doc:
    return {
        "payment_methods": [{"code": code, "title": code} for code in ways],
        "totals": {"grand_total": amount(total), "base_grand_total": amount(total)},
    }
