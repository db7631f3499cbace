"""Magento's JSON in our words and back. Sources are the vendor's swagger of 2.4.9 (AdobeDocs/commerce-webapi) and its
source (github magento/magento2 app/code/Magento, magento/inventory). Times are UTC without a zone, amounts are numbers.
"""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from crossdock.domain.commands import CreateOrder, WriteFulfilment
from crossdock.domain.events import Count, OrderLine, Parcel, Refund, ShopOrder, ShopProduct, ShopVariant
from crossdock.domain.values import Money
from crossdock.kit import text
from crossdock.kit.json_node import Node
from crossdock.kit.shop import facts
from crossdock.kit.shop.addresses import is_number, number
from crossdock.kit.shop.mapping import images, numbered, sold, that_hold
from crossdock.kit.shop.mapping import state as state_of
from crossdock.kit.shop.placing import both_names

Settings = Mapping[str, str]
# The guest's address of our orders: a column of the order that can be searched by, and where Magento's mails reach
# nobody (RFC 2606). Top-level names are not checked (Framework/Validator/EmailAddress: "off by default").
NOBODY = "orders.crossdock.invalid"
# The same where nobody is named: in a recorded case e-mail addresses are blacked out.
_FAX = re.compile(r"Crossdock ([A-Za-z0-9._-]{1,60})")
TAKEN_BACK = "[crossdock taken back]"
CANCELLED, CLOSED, HELD = "canceled", "closed", "holded"
ON_HOLD = "Order {number} is on hold in your shop: take it off hold there, then try again."
# Visibility "Not Visible Individually": a part of another product.
HIDDEN = "1"
# Names are checked against such a list of characters (Customer/Model/Validator/Name.php).
_NOT_NAME = r"[^\w\s,\-.'’`&]|\d{20,}"
_NOT_PHONE = re.compile(r"[^\d\s+\-()]")
FACTS = facts.load(__package__, "rest")
CARRIERS = ("dhl", "fedex", "ups", "usps")


def moment(node: Node, key: str = "updated_at") -> datetime | None:
    return node.moment(key, naive_utc=True)


# Products


def attributes(node: Node) -> dict[str, str]:
    return {row.text("attribute_code"): row.text("value") for row in node.rows("custom_attributes")}


def links(node: Node) -> list[str]:
    """Ids of a configurable product's children."""
    ids = node.view("extension_attributes").raw("configurable_product_links")
    values = list(ids.values()) if isinstance(ids, dict) else ids if isinstance(ids, list) else []
    return [str(id_) for id_ in values if isinstance(id_, int | str) and is_number(str(id_))]


def hidden(node: Node) -> bool:
    return node.text("visibility") == HIDDEN


def count_of(variant: str, row: Node | None) -> Count:
    """What may be sold: all sources of the stock, less what is reserved. One that is not assigned to the stock is left
    out of the list (PreciseExportStockProcessor). 0 that is sold all the same is a product that is not counted
    (`(float)null`), or one at 0 that may be sold below it; nothing tells them apart. Parts of a unit are not sold.
    """
    if row is None:
        return Count(variant, 0)
    there, sold = row.decimal("qty"), row.bool("is_salable")
    count = math.floor(there)
    if sold and there == 0:
        return Count(variant, None)
    return Count(variant, count if sold else min(count, 0), backorders=sold and count < 0)


def price_of(node: Node, settings: Settings, now: datetime) -> Money | None:
    """The base price, or the special one on its days: dates of the shop's own, the last day included
    (Framework/Stdlib/DateTime/Timezone::isScopeDateInInterval). Rounded as the shop shows it.
    """
    price, own = node.opt_money("price", settings["currency"]), attributes(node)
    try:
        special = Money.of(own["special_price"], settings["currency"]) if own.get("special_price") else None
    except ValueError:
        special = None
    today = now.astimezone(ZoneInfo(settings["zone"])).date().isoformat()
    begins, ends = own.get("special_from_date", "")[:10], own.get("special_to_date", "")[:10]
    on = (not begins or begins <= today) and (not ends or today <= ends)
    return special if special and price and on and 0 < special.minor < price.minor else price


def product_of(
    node: Node, children: Mapping[str, Node], counts: Mapping[str, Node], settings: Settings, now: datetime
) -> ShopProduct:
    """`children` are by id, `counts` by SKU. A child that is visible by itself is sold by itself alone."""
    name, own = text.label(node.text("name")), attributes(node)
    several = node.word("type_id") == "configurable"
    rows = [children[link] for link in links(node) if link in children] if several else [node]
    told = (_variant(row, name if several else None, counts, settings, now) for row in rows)
    variants, reasons = sold(told, "" if several else "It")
    why = _not_sold(node, settings)
    return ShopProduct(
        number(node),
        name,
        variants,
        active=bool(variants) and not why,
        description=text.plain(own.get("description") or own.get("short_description", "")),
        images=_images(node, settings),
        updated_at=moment(node),
        reasons=(*why, *reasons),
    )


def _not_sold(node: Node, settings: Settings) -> list[str]:
    websites = node.view("extension_attributes").raw("website_ids")
    told = {
        "It is not enabled in your shop.": node.text("status") != "1",
        "It is of a type that is not sold here: only simple and configurable products are.": node.text("type_id")
        not in ("simple", "configurable"),
        "It is not on the website that is connected.": isinstance(websites, list)
        and settings["website_id"] not in map(str, websites),
        "It has options that a buyer must fill in.": any(row.raw("is_require") is True for row in node.rows("options")),
    }
    return that_hold(told)


def _variant(
    row: Node, of: str | None, counts: Mapping[str, Node], settings: Settings, now: datetime
) -> tuple[ShopVariant, str]:
    """And what stands against it. `of` is the name of the configurable product that it is a child of."""
    id_, sku, price = number(row), row.word("sku"), price_of(row, settings, now) or Money.zero(settings["currency"])
    title = "" if of is None else text.label(row.text("name")).removeprefix(of).strip(" -")
    count, image = count_of(id_, counts.get(sku)), next(iter(_images(row, settings)), "")
    variant = ShopVariant(id_, sku, title, price, count.count, image=image, backorders=count.backorders)
    if of is None:
        return variant, ""
    off = "" if row.text("status") == "1" else "is not enabled in your shop."
    return variant, off if hidden(row) else "is sold as a product of its own."


def _images(node: Node, settings: Settings) -> tuple[str, ...]:
    rows = [row for row in node.rows("media_gallery_entries") if row.raw("disabled") is not True]
    rows.sort(key=lambda row: "image" not in (row.raw("types") or ()))
    return images(f"{settings['media']}catalog/product{row.text('file')}" for row in rows if row.text("file"))


# Orders


def reference_of(node: Node) -> str:
    """As the billing address says it, or else the guest's e-mail address; capital letters where that has none."""
    if found := _FAX.fullmatch(node.view("billing_address").text("fax")):
        return found[1]
    name, _, domain = node.text("customer_email").rpartition("@")
    return "" if domain.lower() != NOBODY else name.upper() if name == name.lower() else name


def notes(node: Node) -> list[str]:
    return [row.text("comment") for row in node.rows("status_histories")]


def line_of(row: Node, child: Node | None) -> OrderLine:
    """A configurable product's line has a second one for what it was sold as."""
    shown = row if child is None else child
    product, sku = row.text("product_id"), text.label(shown.text("sku"), 200)
    return OrderLine(number(row, "item_id"), product, number(shown, "product_id"), sku, row.int("qty_ordered"))


def order_of(node: Node, shipments: Sequence[Node], memos: Sequence[Node]) -> ShopOrder:
    """Amounts are those in the base currency, in which products have their prices."""
    id_, state, currency = number(node, "entity_id"), node.word("state"), node.word("base_currency_code").upper()
    rows = node.list("items")
    parts = {row.text("parent_item_id"): row for row in rows if "parent_item_id" in row}
    lines = tuple(line_of(row, parts.get(row.text("item_id"))) for row in rows if "parent_item_id" not in row)
    parcels = tuple(parcel for row in shipments for parcel in _parcels(row))
    closed = state == CANCELLED or (state == CLOSED and not parcels)
    return ShopOrder(
        shop_id=id_,
        number=text.label(node.text("increment_id"), 40) or id_,
        reference=reference_of(node),
        state=state_of(cancelled=closed),
        lines=lines,
        total=node.money("base_grand_total", currency),
        parcels=parcels,
        refunds=tuple(_refund(row, currency) for row in memos),
        # Reserved as it was placed (AppendReservationsAfterOrderPlacementPlugin), in whatever state it is since.
        stock_taken=state not in (CANCELLED, CLOSED),
        cancel_note="It was refunded." if closed and state == CLOSED else "",
        updated_at=moment(node),
    )


def _parcels(row: Node) -> tuple[Parcel, ...]:
    id_, at = number(row, "entity_id"), moment(row, "created_at")
    units = tuple((number(item, "order_item_id"), item.int("qty")) for item in row.list("items"))
    tracks = sorted(row.rows("tracks"), key=lambda track: (len(track.text("entity_id")), track.text("entity_id")))

    def parcel(n: int, track: Node) -> Parcel:
        own, by = f"-{track.text('entity_id')}" if n else "", track.text("title") or track.text("carrier_code")
        tracking = text.label(track.text("track_number"), 200)
        return Parcel(f"{id_}{own}", (), tracking, text.label(by, 100), shipped_at=at)

    return numbered(units, [parcel(n, track) for n, track in enumerate(tracks or [Node({}, "tracks")])])


def _refund(row: Node, currency: str) -> Refund:
    return Refund(row.id("entity_id"), row.money("base_grand_total", currency), at=moment(row, "created_at"))


# What is sent


def email_of(reference: str) -> str:
    return f"{reference}@{NOBODY}"


def address_of(command: CreateOrder, region: Node | None) -> dict[str, Any]:
    """A region that is none of the shop's stands as text."""
    to = command.ship_to
    code, name = (region.text("code"), region.text("name")) if region else (to.region, to.region)
    where = {"street": [line for line in (to.line1, to.line2) if line], "id": int(number(region)) if region else 0}
    # Needed unless the seller changed it (Customer Configuration > Show Telephone).
    phone = _NOT_PHONE.sub("", to.phone).strip()[:20] or "0"
    said = facts.body(
        FACTS["address"], to=to, code=code, region=name, phone=phone, email=email_of(command.reference), **where
    )
    return said | both_names(facts.fitting(to.name, _NOT_NAME, 510), 255)


def billing_of(command: CreateOrder, address: Mapping[str, Any]) -> dict[str, Any]:
    """Staff read there whose order it is, and where to write to the buyer."""
    return {**address, "company": command.email[:255], "fax": f"Crossdock {command.reference}"}


def price_note(command: CreateOrder, order: ShopOrder) -> str:
    shipping = f", {command.shipping.words} of it for shipping" if command.shipping.minor else ""
    return (
        f"Marketplace order {command.reference}: the buyer paid {command.total.words} there{shipping}. This order"
        f" says {order.total.words}, since your shop works its own prices out."
    )


def comment_of(order_id: str, status: str, comment: str) -> dict[str, Any]:
    """For staff alone. Without the order's own status the order would lose it (magento2#34180)."""
    said = {"comment": comment, "is_customer_notified": 0, "is_visible_on_front": 0, "parent_id": int(order_id)}
    return {"statusHistory": said | ({"status": status} if status else {})}


def track_of(command: WriteFulfilment) -> dict[str, Any]:
    code = command.carrier.strip().lower()
    said = {"track_number": command.tracking_number, "title": command.carrier or "Shipment"}
    return said | {"carrier_code": code if code in CARRIERS else "custom"}
