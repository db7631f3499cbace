"""The simulated shop's documents as the contract shows them."""

from collections.abc import Mapping
from typing import Any

from crossdock.kit.sandbox import Doc, books

_OF_A_PARCEL = ("key", "tracking_number", "carrier", "tracking_url", "shipped_at", "cancelled")


def product(doc: Mapping[str, Any], currency: str) -> Doc:
    if doc.get("deleted"):
        return {"id": doc["id"], "deleted": True, "updated_at": doc["updated"]}
    return {
        "id": doc["id"],
        "title": doc["title"],
        "description": doc.get("description", ""),
        "currency": currency,
        "on_sale": True,
        "images": [doc["image"]] if doc.get("image") else [],
        "variants": [
            {"id": row["id"], "sku": row["sku"], "title": row["option"], "price": row["price"], "count": count(row)}
            | ({"options": [{"name": doc.get("option_name", "Kind"), "value": row["option"]}]} if row["option"] else {})
            for row in doc["variants"]
        ],
        "properties": [{"name": name, "value": value} for name, value in doc.get("properties", ())],
        "tags": doc.get("tags", []),
        "types": doc.get("types", []),
        "updated_at": doc["updated"],
    }


def count(row: Mapping[str, Any]) -> int | None:
    """None where it is not counted."""
    return sum(row["stock"].values()) if row["stock"] else None


def rows(pairs: list[list[Any]]) -> list[Doc]:
    return [{"line_id": line, "units": units} for line, units in pairs]


def order(doc: Mapping[str, Any]) -> Doc:
    shown = {name: doc[name] for name in ("id", "reference", "state", "currency", "note")}
    return {
        **shown,
        "number": f"#{doc['id']}",
        "stock_taken": True,
        "lines": [
            {
                "id": line["id"],
                "product_id": line["product_id"],
                "variant_id": line["variant_id"],
                "units": line["quantity"],
                "unit_price": line["price"],
            }
            for line in doc["lines"]
        ],
        "total": str(books.total(doc)),
        "parcels": [parcel(made) for made in doc["parcels"]],
        "refunds": [{"id": made["id"], "amount": made["amount"], "at": made["created"]} for made in doc["refunds"]],
        "cancellations": [{"key": made["key"], "lines": rows(made["lines"])} for made in doc["cancellations"]],
        "updated_at": doc["updated"],
    }


def parcel(made: Mapping[str, Any]) -> Doc:
    return {"id": made["id"], "lines": rows(made["lines"])} | {
        name: made[name] for name in _OF_A_PARCEL if name in made
    }
