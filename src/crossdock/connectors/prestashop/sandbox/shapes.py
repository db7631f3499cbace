"""The simulated shop's rows as PrestaShop's webservice writes them: texts nearly everywhere, six decimals, and the
shop's own time.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from babel import Locale

from crossdock.connectors.prestashop.sandbox.books import BACKORDER, BY_MODULE, CARRIERS, ERROR, STATES, Books
from crossdock.kit.sandbox import Doc
from crossdock.kit.sandbox.books import stocked

COUNTRIES = sorted(code for code in map(str, Locale("en").territories) if re.fullmatch("[A-Z]{2}", code))
US_STATES = (
    "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA"
    " RI SC SD TN TX UT VT VA WA WV WI WY PR VI DC"
)
# The values of attributes begin here, so that no two things of one product have the same number.
VALUES = 1000


def six(amount: Any) -> str:
    return f"{Decimal(str(amount)):.6f}"


def net(books: Books, gross: Any) -> Decimal:
    return Decimal(str(gross)) / (1 + Decimal(books.settings["tax"]) / 100)


def in_language(books: Books, text: str, query: Mapping[str, str]) -> Any:
    several = books.settings["several_languages"] and "language" not in query
    return [{"id": "1", "value": text}, {"id": "2", "value": f"{text} (fr)"}] if several else text


def _virtual(row: Mapping[str, Any], query: Mapping[str, str]) -> Doc:
    """`price[NAME][...]`. Without decimals it takes the way of rounding (2) for their number."""
    names = {key[len("price[") : key.index("]")] for key in query if key.startswith("price[")}
    return {name: six(round(Decimal(row["price"]), int(query.get(f"price[{name}][decimals]", "2")))) for name in names}


def product(books: Books, doc: Mapping[str, Any], query: Mapping[str, str]) -> Doc:
    first, simple = doc["variants"][0], not doc["variants"][0]["option"]
    combinations = [] if simple else [{"id": attribute(row)} for row in doc["variants"]]
    parts: Doc = {
        "images": [{"id": str(doc["id"])}] if doc.get("image") else [],
        "combinations": combinations,
        "stock_availables": [
            {"id": _stock_id(doc, row), "id_product_attribute": attribute(row)} for row in doc["variants"]
        ],
    }
    return {
        "id": doc["id"],
        "id_default_image": str(doc["id"]) if doc.get("image") else "",
        "id_tax_rules_group": "1",
        "reference": first["sku"] if simple else "",
        "active": "1",
        "available_for_order": "1",
        "visibility": "both",
        "state": "1",
        "customizable": "0",
        "is_virtual": "0",
        "cache_is_pack": "0",
        "type": "simple",
        "show_price": "1",
        "minimal_quantity": "1",
        "price": six(net(books, first["price"])),
        "date_add": doc["created"],
        "date_upd": doc["updated"],
        "name": in_language(books, doc["title"], query),
        "description": in_language(books, doc.get("description", ""), query),
        "associations": {name: rows for name, rows in parts.items() if rows},
        **_virtual(first, query),
        **books.settings["fields"].get(str(doc["id"]), {}),
    }


def attribute(row: Mapping[str, Any]) -> str:
    return str(row["id"]).partition("-")[2]


def combination(books: Books, doc: Mapping[str, Any], row: Mapping[str, Any], query: Mapping[str, str]) -> Doc:
    value = str(VALUES + int(attribute(row)))
    return {
        "id": int(attribute(row)),
        "id_product": str(doc["id"]),
        "reference": row["sku"],
        "price": six(net(books, row["price"]) - net(books, doc["variants"][0]["price"])),
        "minimal_quantity": "1",
        "associations": {"product_option_values": [{"id": value}]},
        **_virtual(row, query),
    }


def option_value(books: Books, row: Mapping[str, Any], query: Mapping[str, str]) -> Doc:
    value = VALUES + int(attribute(row))
    return {"id": value, "id_attribute_group": "1", "name": in_language(books, row["option"], query)}


def _stock_id(doc: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    return f"{doc['id']}{int(attribute(row)):05d}"


def stock_rows(doc: Mapping[str, Any]) -> list[Doc]:
    """One for the product as a whole (attribute 0), and one for each combination."""
    whole = {
        "id": f"{doc['id']}00000",
        "id_product": str(doc["id"]),
        "id_product_attribute": "0",
        "id_shop": "1",
        "id_shop_group": "0",
        "quantity": str(sum(stocked(doc, row).count for row in doc["variants"])),
        "depends_on_stock": "1" if doc.get("depends_on_stock") else "0",
        "out_of_stock": str(doc.get("out_of_stock", 2)),
    }
    if not doc["variants"][0]["option"]:
        return [whole]
    rows = [
        {
            **whole,
            "id": _stock_id(doc, row),
            "id_product_attribute": attribute(row),
            "quantity": str(stocked(doc, row).count),
        }
        for row in doc["variants"]
    ]
    return [whole, *rows]


def order(books: Books, doc: Mapping[str, Any]) -> Doc:
    goods = sum((Decimal(line["price"]) * line["quantity"] for line in doc["lines"]), Decimal(0))
    first = next(iter(doc["carriers"]), {"id_carrier": "0", "tracking": ""})
    total, carriage = goods + Decimal(doc["shipping"]), Decimal(doc["shipping"])
    zero = dict.fromkeys(
        (f"total_{what}{how}" for what in ("discounts", "wrapping") for how in ("", "_tax_incl", "_tax_excl")),
        "0.000000",
    )
    told = {
        "id_cart": str(doc["cart"]),
        "id_currency": doc["coin"],
        "id_lang": "1",
        "id_carrier": first["id_carrier"],
        "secure_key": "b44a6d9efd7a0076a0fbce6b15eaf3b1",
        "recyclable": "0",
        "gift": "0",
        "mobile_theme": "0",
        "id_shop": "1",
        "id_shop_group": "1",
        "valid": str(int(books.logable(doc["state"]))),
        "invoice_date": "0000-00-00 00:00:00",
        "delivery_date": doc["updated"] if STATES[doc["state"]][2] else "0000-00-00 00:00:00",
        **zero,
        **_money(books, "total_paid", total),
        **_money(books, "total_shipping", carriage),
        "total_products": six(net(books, goods)),
        "total_products_wt": six(goods),
        "carrier_tax_rate": f"{Decimal(books.settings['tax']):.3f}",
        "conversion_rate": "1.000000",
        "round_mode": "2",
        "round_type": "1",
        "reference": doc["code"],
        "date_add": doc["created"],
    }
    return {
        "id": doc["id"],
        "id_address_delivery": str(doc["address"]),
        "id_address_invoice": str(doc["address"]),
        "id_customer": str(doc["customer"]),
        **told,
        **doc["named"],
        "total_paid_real": six(doc["paid"]),
        "current_state": str(doc["state"]),
        "module": doc["module"],
        "payment": doc["payment"],
        "shipping_number": first["tracking"],
        "date_upd": doc["updated"],
        **({"note": doc["note"]} if books.settings["notes"] else {}),
        "associations": {"order_rows": [_row(books, line) for line in doc["lines"]]},
    }


def _money(books: Books, name: str, gross: Decimal) -> Doc:
    return {name: six(gross), f"{name}_tax_incl": six(gross), f"{name}_tax_excl": six(net(books, gross))}


def _row(books: Books, line: Mapping[str, Any]) -> Doc:
    names = "product_id product_attribute_id product_quantity product_name product_reference unit_price_tax_incl"
    told = detail(books, {"id": 0}, line)
    return {"id": str(line["id"]), **{name: told[name] for name in names.split()}}


def detail(books: Books, doc: Mapping[str, Any], line: Mapping[str, Any]) -> Doc:
    units, one = line["quantity"], Decimal(line["price"])
    zero = ("reduction_percent", "reduction_amount", "reduction_amount_tax_incl", "reduction_amount_tax_excl")
    return {
        **dict.fromkeys(zero, "0.000000"),
        "group_reduction": "0.00",
        "id_warehouse": "0",
        "id_shop": "1",
        "product_quantity_return": "0",
        "product_quantity_refunded": "0",
        "product_quantity_reinjected": "0",
        "id_customization": "0",
        "product_price": six(net(books, one)),
        "unit_price_tax_incl": six(one),
        "unit_price_tax_excl": six(net(books, one)),
        "total_price_tax_incl": six(one * units),
        "total_price_tax_excl": six(net(books, one) * units),
        "product_name": line["title"],
        "product_reference": line["sku"],
        **line.get("named", {}),
        "id": line["id"],
        "id_order": str(doc["id"]),
        "product_id": str(line["product_id"]),
        "product_attribute_id": attribute({"id": line["variant_id"]}),
        "product_quantity": str(units),
    }


def carrier_row(doc: Mapping[str, Any], row: Mapping[str, Any]) -> Doc:
    return {
        "id": row["id"],
        "id_order": str(doc["id"]),
        "id_carrier": row["id_carrier"],
        "weight": "0.300000",
        "shipping_cost_tax_incl": six(doc["shipping"]),
        "shipping_cost_tax_excl": six(doc["shipping"]),
        "tracking_number": row["tracking"],
        "date_add": doc["created"],
    }


def slip(books: Books, doc: Mapping[str, Any], made: Mapping[str, Any]) -> Doc:
    return {
        "id": made["id"],
        "id_customer": str(doc["customer"]),
        "id_order": str(doc["id"]),
        "conversion_rate": "1.000000",
        "total_products_tax_excl": six(net(books, made["amount"])),
        "total_products_tax_incl": six(made["amount"]),
        "total_shipping_tax_excl": "0.000000",
        "total_shipping_tax_incl": "0.000000",
        "amount": six(made["amount"]),
        "partial": "1",
        "date_add": made["created"],
        "date_upd": made["created"],
    }


def configurations(books: Books) -> list[Doc]:
    settings = books.settings
    told = {
        "PS_OS_WS_PAYMENT": BY_MODULE,
        "PS_OS_CANCELED": 6,
        "PS_OS_ERROR": ERROR,
        "PS_OS_REFUND": 7,
        "PS_OS_OUTOFSTOCK_UNPAID": BACKORDER,
        "PS_OS_SHIPPING": 4,
        "PS_OS_PREPARATION": 3,
        "PS_CURRENCY_DEFAULT": books.coin,
        "PS_LANG_DEFAULT": 1,
        "PS_TIMEZONE": settings["zone"],
        "PS_STOCK_MANAGEMENT": int(settings["counts"]),
        "PS_ORDER_OUT_OF_STOCK": int(settings["backorders"]),
        "PS_VERSION_DB": settings["version"],
    }
    return [{"id": n, "name": name, "value": str(value)} for n, (name, value) in enumerate(told.items(), 1)]


def fixed(books: Books, resource: str) -> list[Doc]:
    """What nobody changes here."""
    settings = books.settings
    match resource:
        case "shops":
            many = range(1, settings["shops"] + 1)
            return [{"id": n, "id_shop_group": "1", "name": f"Presta {n}", "active": "1"} for n in many]
        case "currencies":
            rows = books.coins.items()
            return [{"id": n, "iso_code": code, "active": "1", "conversion_rate": "1.000000"} for n, code in rows]
        case "countries":
            return [
                {"id": n, "iso_code": code, "active": str(int(code not in settings["closed"]))}
                for n, code in enumerate(COUNTRIES, 1)
            ]
        case "states":
            country = str(COUNTRIES.index("US") + 1)
            return [{"id": n, "id_country": country, "iso_code": code} for n, code in enumerate(US_STATES.split(), 1)]
        case "order_states":
            return [
                {
                    "id": id_,
                    "name": name,
                    "logable": str(int(books.logable(id_))),
                    "shipped": str(shipped),
                    "deleted": "0",
                }
                for id_, (name, _, shipped, _) in STATES.items()
            ]
        case "carriers":
            return [
                {"id": int(id_), "name": name, "url": url, "active": "1", "deleted": "0"}
                for id_, (name, url) in CARRIERS.items()
            ]
    return configurations(books)
