"""The simulated shop's documents as WooCommerce 9.5.1 writes them over REST: every key that it writes, in its types,
down to the odd ones.

Derived from recorded answers of a real 9.5.1 (a product, a variation, an order in both storages, a refund). Odd and
kept: a line's `price` is a number where everything else is text, `image.id` is "" on a simple product's line,
`is_fulfilled` is "1" once it was stored, amounts of refunds are negative in the order.
"""

from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from html import escape
from typing import Any

Doc = dict[str, Any]
VERSION = "11.0.1"
# The shop's own clock on the wall: what is not called "gmt" is in it.
SITE_TIME = timezone(timedelta(hours=2))


def gmt(moment: str | None) -> str | None:
    return moment and datetime.fromisoformat(moment).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def site(moment: str | None) -> str | None:
    return moment and datetime.fromisoformat(moment).astimezone(SITE_TIME).strftime("%Y-%m-%dT%H:%M:%S")


def amount(value: str | Decimal, dp: int) -> str:
    return f"{Decimal(value).quantize(Decimal(1).scaleb(-dp), rounding=ROUND_HALF_UP):f}"


def links(base: str, path: str, *, up: str = "") -> Doc:
    collection = path.rpartition("/")[0]
    allow = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    found: Doc = {
        "self": [{"href": f"{base}/wp-json/wc/v3/{path}", "targetHints": {"allow": allow}}],
        "collection": [{"href": f"{base}/wp-json/wc/v3/{collection}"}],
    }
    return found | ({"up": [{"href": f"{base}/wp-json/wc/v3/{up}"}]} if up else {})


def _stock(doc: Doc) -> Doc:
    count = doc["count"] if doc["manage"] else None
    inside = count is None or count > 0
    return {
        "manage_stock": doc["manage"],
        "stock_quantity": count,
        "backorders": doc.get("backorders", "no"),
        "backorders_allowed": doc.get("backorders", "no") != "no",
        "backordered": False,
        "stock_status": "instock" if inside else "outofstock",
        "low_stock_amount": None,
    }


def _goods(doc: Doc) -> Doc:
    """What a product and a variation have in common."""
    return {
        "id": doc["id"],
        "date_created": site(doc["created"]),
        "date_created_gmt": gmt(doc["created"]),
        "date_modified": site(doc["modified"]),
        "date_modified_gmt": gmt(doc["modified"]),
        "type": doc["type"],
        "status": doc["status"],
        "name": doc["name"],
        "description": doc.get("description", ""),
        "sku": doc["sku"],
        "global_unique_id": "",
        "price": doc["price"],
        "regular_price": doc["price"],
        "sale_price": "",
        **dict.fromkeys(("date_on_sale_from", "date_on_sale_from_gmt", "date_on_sale_to", "date_on_sale_to_gmt")),
        "on_sale": False,
        "purchasable": bool(doc["price"]),
        "virtual": False,
        "downloadable": False,
        "downloads": [],
        "download_limit": -1,
        "download_expiry": -1,
        "tax_status": "taxable",
        "weight": "",
        "dimensions": {"length": "", "width": "", "height": ""},
        "shipping_class": "",
        "shipping_class_id": 0,
        "menu_order": 0,
        "meta_data": [],
        "parent_id": doc["parent"],
        **_stock(doc),
    }


def product(doc: Doc, base: str) -> Doc:
    """Also the answer for a variation asked for as a product, and a webhook's body for one: `type` is "variation"
    then.
    """
    slug = doc["name"].lower().replace(" ", "-")
    options = doc.get("options", [])
    attributes = [_attribute(doc.get("option_name", "Option"), options, chosen=True)] if options else []
    attributes += [_attribute(name, [value], chosen=False) for name, value in doc.get("properties", ())]
    is_variation = doc["type"] == "variation"
    images = [_image(src, number) for number, src in enumerate(doc.get("images", []), 1)]
    return {
        **_goods(doc),
        "slug": slug,
        "permalink": f"{base}/product/{slug}/",
        "featured": False,
        "catalog_visibility": doc.get("visibility", "visible"),
        "short_description": "",
        "total_sales": "0" if is_variation else 0,
        "external_url": "",
        "button_text": "",
        "tax_class": "",
        "sold_individually": False,
        "shipping_required": True,
        "shipping_taxable": True,
        "reviews_allowed": not is_variation,
        "average_rating": "0.00",
        "rating_count": 0,
        **{key: [] for key in ("upsell_ids", "cross_sell_ids", "default_attributes", "grouped_products")},
        "related_ids": [],
        "purchase_note": "",
        "tags": [_term(number, name) for number, name in enumerate(doc.get("tags", ()), 40)],
        "categories": [_term(number, name) for number, name in enumerate(doc.get("types", ["Uncategorized"]), 15)],
        "images": images,
        "attributes": _chosen(doc) if is_variation else attributes,
        "variations": doc.get("children", []),
        "price_html": f"<span>{doc['price']}</span>",
        "has_options": bool(options),
        "post_password": doc.get("password", ""),
        "permalink_template": f"{base}/product/%pagename%/",
        "generated_slug": slug,
        "_links": links(base, f"products/{doc['id']}"),
    }


def variation(doc: Doc, base: str) -> Doc:
    up = f"products/{doc['parent']}"
    return {
        **_goods(doc),
        "permalink": f"{base}/product/{doc['parent']}/?attribute_option={doc['option']}",
        "tax_class": "parent",
        "image": _image(doc["image"], doc["id"]) if doc.get("image") else None,
        "attributes": _chosen(doc),
        "name": doc["option"],
        "_links": links(base, f"{up}/variations/{doc['id']}", up=up),
    }


def _attribute(name: str, options: list[str], *, chosen: bool) -> Doc:
    return {"id": 0, "name": name, "position": 0, "visible": True, "variation": chosen, "options": options}


def _term(number: int, name: str) -> Doc:
    """PHP keeps names of terms with their entities."""
    return {"id": number, "name": escape(name, quote=False), "slug": name.lower().replace(" ", "-")}


def _chosen(doc: Doc) -> list[Doc]:
    """Without what the buyer chooses in the shop ("Any ..."): the REST API leaves empty attributes out."""
    name = doc.get("option_name", "Option")
    return [{"id": 0, "name": name, "slug": name.lower(), "option": doc["option"]}] if doc["option"] else []


def _image(src: str, number: int) -> Doc:
    at = "2026-01-01T00:00:00"
    dates = dict.fromkeys(("date_created", "date_created_gmt", "date_modified", "date_modified_gmt"), at)
    return {"id": number, **dates, "src": src, "name": "", "alt": ""}


def order(doc: Doc, base: str, dp: int) -> Doc:
    pay = f"{base}/checkout/order-pay/{doc['id']}/?pay_for_order=true&key={doc['order_key']}"
    open_ = doc["status"] in ("pending", "on-hold", "auto-draft")
    return {
        **{key: doc[key] for key in ("id", "status", "currency", "order_key", "billing", "shipping", "created_via")},
        **{key: doc[key] for key in ("payment_method", "payment_method_title", "transaction_id", "customer_note")},
        "parent_id": 0,
        "version": VERSION,
        "prices_include_tax": False,
        **_dates(doc),
        **dict.fromkeys(("discount_total", "discount_tax", "shipping_tax", "cart_tax", "total_tax"), amount("0", dp)),
        "shipping_total": amount(sum((Decimal(line["total"]) for line in doc["shipping_lines"]), Decimal()), dp),
        "total": amount(doc["total"], dp),
        "customer_id": 0,
        "customer_ip_address": "",
        "customer_user_agent": "",
        "cart_hash": "",
        "number": str(doc["id"]),
        "meta_data": doc["meta_data"],
        "line_items": [_line(line, dp) for line in doc["line_items"]],
        "tax_lines": [],
        "shipping_lines": [_shipping(line, dp) for line in doc["shipping_lines"]],
        "fee_lines": [],
        "coupon_lines": [],
        "refunds": [
            {"id": entry["id"], "reason": entry["reason"], "total": "-" + amount(entry["amount"], dp)}
            for entry in doc["refunds"]
        ],
        "payment_url": pay,
        "is_editable": open_,
        "needs_payment": doc["status"] == "pending",
        "needs_processing": True,
        "currency_symbol": "$",
        "_links": links(base, f"orders/{doc['id']}"),
    }


def _dates(doc: Doc) -> Doc:
    names = ("created", "modified", "completed", "paid")
    local = {f"date_{name}": site(doc[name]) for name in names}
    return local | {f"date_{name}_gmt": gmt(doc[name]) for name in names}


def _line(line: Doc, dp: int) -> Doc:
    metas = [*line["meta_data"]]
    if line["reduced"]:
        metas.append(_shown({"id": line["id"] * 10, "key": "_reduced_stock", "value": str(line["reduced"])}))
    price = Decimal(line["total"]) / line["quantity"] if line["quantity"] else Decimal()
    return {
        **{key: line[key] for key in ("id", "name", "product_id", "variation_id", "quantity", "sku", "parent_name")},
        "tax_class": "",
        "subtotal": amount(line["subtotal"], dp),
        "subtotal_tax": amount("0", dp),
        "total": amount(line["total"], dp),
        "total_tax": amount("0", dp),
        "taxes": [],
        "meta_data": metas,
        "price": int(price) if price == int(price) else float(price),
        "image": {"id": 0 if line["variation_id"] else "", "src": ""},
    }


def _shown(meta: Doc) -> Doc:
    return {**meta, "display_key": meta["key"], "display_value": meta["value"]}


def _shipping(line: Doc, dp: int) -> Doc:
    return {
        **{key: line[key] for key in ("id", "method_title", "method_id")},
        "instance_id": "",
        "total": amount(line["total"], dp),
        "total_tax": amount("0", dp),
        "taxes": [],
        "meta_data": [],
    }


def note(entry: Doc, base: str) -> Doc:
    """Fields as the shop's own description of its routes names them."""
    up = f"orders/{entry['order']}"
    return {
        "id": entry["id"],
        "author": "system",
        "date_created": site(entry["created"]),
        "date_created_gmt": gmt(entry["created"]),
        "note": entry["note"],
        "customer_note": entry["customer_note"],
        "_links": links(base, f"{up}/notes/{entry['id']}", up=up),
    }


def refund(entry: Doc, order: Doc, base: str, dp: int) -> Doc:
    """Its lines are copies of the order's, with units and amounts below zero, and the line's id in a meta (the
    vendor's documentation of wc/v3).
    """
    up = f"orders/{order['id']}"
    lines = {line["id"]: line for line in order["line_items"]}
    return {
        "id": entry["id"],
        "date_created": site(entry["created"]),
        "date_created_gmt": gmt(entry["created"]),
        "amount": amount(entry["amount"], dp),
        "reason": entry["reason"],
        "refunded_by": 1,
        "refunded_payment": False,
        **{key: [] for key in ("meta_data", "shipping_lines", "tax_lines", "fee_lines")},
        "line_items": [_refunded_line(item, lines[item["line"]], dp) for item in entry.get("items", [])],
        "_links": links(base, f"{up}/refunds/{entry['id']}", up=up),
    }


def _refunded_line(item: Doc, line: Doc, dp: int) -> Doc:
    worth = str(-Decimal(item["worth"]))
    mark = {"id": item["id"] * 10, "key": "_refunded_item_id", "value": str(item["line"])}
    copy = line | {"id": item["id"], "quantity": -item["units"], "subtotal": worth, "total": worth, "reduced": 0}
    return _line(copy | {"meta_data": [_shown(mark)]}, dp)


def fulfillment(entry: Doc, *, read_again: bool) -> Doc:
    """As `get_raw_data` of the source gives it; read again, the flag has become text."""
    flag = entry["is_fulfilled"]
    return {
        "id": entry["id"],
        "fulfillment_id": entry["id"],
        "entity_type": "WC_Order",
        "entity_id": str(entry["order_id"]),
        "status": "fulfilled" if flag else "unfulfilled",
        "is_fulfilled": ("1" if flag else "0") if read_again else flag,
        "date_updated": gmt(entry["updated"]),
        "date_deleted": None,
        "meta_data": [{"id": entry["id"] * 10 + n, **meta} for n, meta in enumerate(entry["meta_data"])],
    }


def webhook(doc: Doc, base: str) -> Doc:
    """Without the secret: it is written, never read."""
    resource, _, event = doc["topic"].partition(".")
    return {
        **{key: doc[key] for key in ("id", "name", "status", "topic", "delivery_url")},
        "resource": resource,
        "event": event,
        "hooks": [f"woocommerce_{event}_{resource}"],
        "date_created": site(doc["created"]),
        "date_created_gmt": gmt(doc["created"]),
        "date_modified": site(doc["created"]),
        "date_modified_gmt": gmt(doc["created"]),
        "_links": links(base, f"webhooks/{doc['id']}"),
    }
