"""How Medusa writes what stands in the books. Fulfilments, their labels, payments and refunds are there only when they
are named in `fields`.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from crossdock.connectors.medusa.sandbox.books import (
    CHANNEL,
    COUNTRIES,
    OPTION,
    Books,
)
from crossdock.kit.sandbox import Doc


def store(id_: str, currency: str) -> Doc:
    held = [{"id": "stocur_01", "currency_code": currency.lower(), "is_default": True}]
    return {"id": id_, "name": "Corner shop", "default_sales_channel_id": CHANNEL, "supported_currencies": held}


def region(id_: str, currency: str) -> Doc:
    countries = [{"iso_2": code} for code in COUNTRIES]
    code = currency.lower()
    return {"id": id_, "name": "World", "currency_code": code, "automatic_taxes": True, "countries": countries}


def option(currency: str) -> Doc:
    zones = [{"type": "country", "country_code": code} for code in COUNTRIES]
    return {
        "id": OPTION,
        "name": "Post",
        "provider_id": "manual_manual",
        "rules": [],
        "prices": [{"amount": 5, "currency_code": currency.lower(), "rules_count": 0}],
        "service_zone": {"id": "serzo_01", "geo_zones": zones},
    }


def product(doc: Doc, currency: str, fields: str) -> Doc:
    image = doc.get("image") or None
    return {
        "id": doc["id"],
        "title": doc["title"],
        "status": doc["status"],
        "description": doc.get("description") or None,
        "thumbnail": image,
        "images": [{"url": image}] if image else [],
        "sales_channels": [{"id": CHANNEL}] if doc.get("offered", True) else [],
        "created_at": doc["created"],
        "updated_at": doc["updated"],
        "variants": [variant(doc, row, currency, fields) for row in doc["variants"]],
    } | _words(doc, fields)


def _words(doc: Doc, fields: str) -> Doc:
    """What stands in tables of its own is there only when it is named (AdminProduct: tags, type, collection,
    categories).
    """
    kinds, named = doc.get("types", []), fields.split(",")
    shown: Doc = {
        "tags.value": [{"id": f"ptag_{n}", "value": tag} for n, tag in enumerate(doc.get("tags", ()))],
        "type.value": {"id": "ptyp_1", "value": kinds[0]} if kinds else None,
        "collection.title": {"id": "pcol_1", "title": kinds[1]} if kinds[1:] else None,
        "categories.name": [{"id": f"pcat_{n}", "name": kind} for n, kind in enumerate(kinds[2:])],
    }
    return {name.partition(".")[0]: value for name, value in shown.items() if name in named}


def _options(doc: Doc, row: Doc) -> list[Doc]:
    """What has nothing to choose has an option all the same."""
    value = {"value": row["option"] or "Default option value"}
    title = doc.get("option_name", "Kind") if row["option"] else "Default option"
    return [{"id": f"optval_{row['id']}", **value, "option_id": "opt_1", "option": {"id": "opt_1", "title": title}}]


def variant(doc: Doc, row: Doc, currency: str, fields: str) -> Doc:
    """A price's rules are made of what was named of them: else there are none (api/admin/products/helpers.js)."""
    named = all(f"prices.price_rules.{part}" in fields for part in ("attribute", "value"))
    usual = {"id": f"price_{row['id']}", "amount": number(row["price"]), "currency_code": currency.lower()}
    prices = [*row.get("first_prices", []), usual | {"min_quantity": None, "max_quantity": None, "rules": {}}]
    prices += row.get("prices", [])
    return {
        "id": row["id"],
        "product_id": doc["id"],
        "title": row["option"] or "Default variant",
        "sku": row["sku"] or None,
        "barcode": None,
        "thumbnail": None,
        "manage_inventory": row["managed"],
        "allow_backorder": row["backorder"],
        "updated_at": row["updated"],
        **({"options": _options(doc, row)} if "variants.options.option.title" in fields.split(",") else {}),
        "prices": prices if named else [{**price, "rules": {}} for price in prices],
        "inventory_items": [
            {
                "inventory_item_id": row["item"],
                "required_quantity": row.get("pieces", 1),
                "inventory": {"id": row["item"], "location_levels": levels(row)},
            }
        ]
        if row["managed"]
        else [],
    }


def levels(row: Doc) -> list[Doc]:
    pieces = row.get("pieces", 1)
    return [
        {
            "id": f"ilev_{place}",
            "location_id": place,
            "stocked_quantity": count * pieces,
            "reserved_quantity": row["reserved"].get(place, 0) * pieces,
            "available_quantity": (count - row["reserved"].get(place, 0)) * pieces,
        }
        for place, count in row["stock"].items()
    ]


def number(amount: str | Decimal) -> int | float:
    """A JSON number, whole where it is."""
    value = Decimal(str(amount))
    return int(value) if value == value.to_integral_value() else float(value)


def order(books: Books, doc: Doc, fields: str) -> Doc:
    named = fields.split(",")
    shown: Doc = {
        "id": doc["id"],
        "display_id": doc["number"],
        "status": doc["status"],
        "is_draft_order": doc["status"] == "draft" or doc.get("drafted", False),
        "currency_code": doc["currency"].lower(),
        "email": doc["email"],
        "total": number(books.total(doc)),
        "discount_total": number(books.discount(doc)),
        "credit_line_total": number(books.credited(doc)),
        "metadata": doc["metadata"] or None,
        "created_at": doc["created"],
        "updated_at": doc["updated"],
        "canceled_at": doc["canceled_at"],
        "promotions": [],
        "shipping_address": {name: doc["addresses"][0].get(name) for name in ("first_name", "last_name")},
        "items": [{**_line(books, line), "adjustments": _taken_off(doc)} for line in doc["lines"]],
        "payment_status": "captured" if any(held["payment"] for held in doc["collections"]) else "not_paid",
    }
    if any(name.startswith(("fulfillments", "*fulfillments")) for name in named):
        shown["fulfillments"] = [_fulfilment(books, doc, made, named) for made in doc["parcels"]]
    if any(name.startswith(("payment_collections", "*payment_collections")) for name in named):
        refunds = any("refunds" in name for name in named)
        shown["payment_collections"] = [collection(doc, held, refunds=refunds) for held in doc["collections"]]
    return shown


def _taken_off(doc: Doc) -> list[Doc]:
    """A promotion that applies by itself is named here alone: `promotions` stays empty."""
    return [{"code": "AUTO"}] if doc["promotion"] else []


def _line(books: Books, line: Doc) -> Doc:
    try:
        _, row = books.variant(line["product_id"], line["variant_id"])
        part = {"inventory_item_id": row["item"], "required_quantity": row.get("pieces", 1)}
        inside: Any = {"id": row["id"], "inventory_items": [part] if row["managed"] else []}
    except LookupError:
        inside = None
    return {
        "id": line["id"],
        "product_id": line["product_id"],
        "variant_id": line["variant_id"],
        "variant_sku": line["sku"],
        "title": line["title"],
        "quantity": line["quantity"],
        "unit_price": number(line["price"]),
        "variant": inside,
    }


def _fulfilment(books: Books, doc: Doc, made: Doc, named: list[str]) -> Doc:
    shown = {
        "id": made["id"],
        "location_id": made["place"],
        "packed_at": made["created"],
        "shipped_at": made["shipped"],
        "delivered_at": None,
        "canceled_at": made["updated_at"]
        if made.get("updated_at")
        else (made["created"] if made["cancelled"] else None),
        "metadata": made["metadata"] or None,
    }
    lines = {line["id"]: _line(books, line) for line in doc["lines"]}
    if any("fulfillments.items" in name for name in named):
        shown["items"] = [_piece(lines[line_id], units) for line_id, units in made["lines"]]
    if any("fulfillments.labels" in name for name in named):
        shown["labels"] = made["labels"]
    return shown


def _piece(line: Doc, units: int) -> Doc:
    """Of a kit, all its pieces."""
    parts = (line["variant"] or {}).get("inventory_items") or [{"inventory_item_id": None, "required_quantity": 1}]
    return {
        "id": f"fulit_{line['id']}",
        "line_item_id": line["id"],
        "inventory_item_id": parts[0]["inventory_item_id"],
        "quantity": units * parts[0]["required_quantity"],
    }


def collection(doc: Doc, held: Mapping[str, Any], *, refunds: bool = True) -> Doc:
    payments = []
    if held["payment"]:
        back = [
            {"id": row["id"], "amount": number(row["amount"]), "note": row["note"], "created_at": row["created"]}
            for row in doc["refunds"]
        ]
        payments.append(
            {"id": held["payment"], "amount": number(held["amount"]), **({"refunds": back} if refunds else {})}
        )
    status = "canceled" if doc["status"] == "canceled" else held["status"]
    return {"id": held["id"], "status": status, "amount": number(held["amount"]), "payments": payments}
