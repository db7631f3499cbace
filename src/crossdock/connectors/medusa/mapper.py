"""Medusa's JSON in our words and back. What is said of it was seen on 2.21.2 (tests/real), unless a source is named."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from crossdock.domain.commands import CreateOrder, WriteFulfilment
from crossdock.domain.events import OrderLine, Parcel, Refund, ShopOrder, ShopOrderState, ShopProduct, ShopVariant
from crossdock.domain.values import Money
from crossdock.kit import text
from crossdock.kit.json_node import Node
from crossdock.kit.shop.cancel_units import key_of
from crossdock.kit.shop.mapping import amount, images, named, names, person, priced, that_hold
from crossdock.kit.shop.placing import merged, two_names

# In an order's metadata. The reference stands in the billing address as well: metadata cannot be searched.
REFERENCE, RELAY, NOTE = "crossdock_reference", "crossdock_relay", "crossdock_note"
KEY, CARRIER = "crossdock_key", "carrier"
COMPANY = "Crossdock"
DRAFT, CANCELED = "draft", "canceled"
# Medusa takes neither back. Archived is what was completed, cancelled or a draft (order-module-service.js: archive_).
COMPLETED = ("completed", "archived")
# Within this time of a cancel, a refund without a note that returns all that was paid is the cancel's own.
WITH_THE_CANCEL = timedelta(seconds=60)


# Products


def product_of(node: Node, settings: Mapping[str, str]) -> ShopProduct:
    product_id, rows = node.id("id"), node.opt_list("variants") or []
    title, currency, only = text.label(node.text("title")), settings["currency"], len(rows) == 1
    variants, unpriced = priced((_variant(row, settings, alone=only) for row in rows), title, currency)
    channels = {row.text("id") for row in node.rows("sales_channels")}
    why = that_hold(
        {
            "It is not published in your store.": node.word("status") != "published",
            "It is not in your store's default sales channel.": settings.get("channel", "") not in channels,
        }
    )
    return ShopProduct(
        product_id,
        title,
        tuple(variants),
        active=bool(variants) and not why,
        description=text.plain(node.text("description")),
        images=images([node.raw("thumbnail"), *(row.raw("url") for row in node.rows("images"))]),
        url=f"{settings.get('admin', '')}/app/products/{product_id}",
        updated_at=node.moment("updated_at"),
        reasons=(*unpriced, *why),
        tags=names(row.text("value") for row in node.rows("tags")),
        types=names([node.view("type").text("value"), node.view("collection").text("title"), *node.rows("categories")]),
    )


def _variant(row: Node, settings: Mapping[str, str], *, alone: bool) -> ShopVariant:
    return ShopVariant(
        row.id("id"),
        text.label(row.text("sku"), 200),
        "" if alone else text.label(row.text("title")),
        _price(row, settings),
        count_of(row, settings),
        barcode=text.label(row.text("barcode") or row.text("ean") or row.text("upc"), 200),
        image=text.link(row.raw("thumbnail")),
        backorders=row.opt_bool("allow_backorder") is True,
        options=named(row.rows("options"), "option.title"),
    )


def _price(row: Node, settings: Mapping[str, str]) -> Money:
    """The price of the currency for everybody: others hold for a region, a group or a quantity. None is 0."""
    currency = settings["currency"]
    for price in row.opt_list("prices") or ():
        bounded = any(price.raw(key) for key in ("rules", "min_quantity", "max_quantity", "price_list_id"))
        if price.text("currency_code").upper() == currency and not bounded:
            return price.money("amount", currency)
    return Money.zero(currency)


def count_of(variant: Node, settings: Mapping[str, str]) -> int | None:
    """What one order could have: a line is taken from one location alone, so that a sum of locations is not for sale.
    Of a kit, the scarcest part. None: the store does not count it.
    """
    if variant.opt_bool("manage_inventory") is False:
        return None
    places = settings.get("places", "").split()
    parts = [_at_one_place(part, places) for part in variant.opt_list("inventory_items") or ()]
    return min(parts, default=0)


def _at_one_place(part: Node, places: Collection[str]) -> int:
    inventory = part.opt_child("inventory")
    levels = (inventory.opt_list("location_levels") or ()) if inventory else ()
    each = max(1, part.opt_int("required_quantity") or 1)
    return max((row.int("available_quantity") // each for row in levels if row.id("location_id") in places), default=0)


# Orders


def reference_of(node: Node) -> str:
    return node.view("metadata").text(REFERENCE)


def order_of(node: Node, *, admin: str) -> ShopOrder:
    """`total` falls with each refund by a credit line of its own; what was sold is both together. It can have more
    decimals than the currency (a tax on the shipping).
    """
    id_, status, currency = node.id("id"), node.word("status"), node.word("currency_code").upper()
    state = _state(node, status)
    credited = node.opt_money("credit_line_total", currency) or Money.zero(currency)
    rows = node.list("items")
    parcels = [(each, _parcel(each, rows, node)) for each in node.opt_list("fulfillments") or ()]
    live = [(each, parcel) for each, parcel in parcels if not parcel.cancelled]
    return ShopOrder(
        shop_id=id_,
        number=node.text("display_id") or id_,
        reference=reference_of(node),
        state=state,
        lines=tuple(_line(row) for row in rows),
        total=node.money("total", currency) + credited,
        parcels=tuple(parcel for each, parcel in parcels if left(each)),
        refunds=_refunds(node, currency),
        stock_taken=state is ShopOrderState.OPEN,
        url=f"{admin}/app/orders/{id_}",
        buyer=person(node.view("shipping_address"), "first_name", "last_name"),
        updated_at=node.moment("updated_at"),
        packed=tuple(parcel for each, parcel in live if not left(each)),
    )


def _state(node: Node, status: str) -> ShopOrderState:
    """A draft that was never converted is no order yet. What is archived keeps the marks of what it was before."""
    if status == DRAFT or node.opt_bool("is_draft_order"):
        return ShopOrderState.GONE
    if status == CANCELED or node.moment("canceled_at"):
        return ShopOrderState.CANCELLED
    return ShopOrderState.OPEN


def _line(row: Node) -> OrderLine:
    product, variant = row.opt_id("product_id") or "", row.opt_id("variant_id") or ""
    return OrderLine(row.id("id"), product, variant, text.label(row.text("variant_sku"), 200), row.int("quantity"))


def left(fulfilment: Node) -> bool:
    """Made in the dashboard, it is packed; it left when it is marked as shipped, or at once as delivered."""
    return bool(fulfilment.moment("shipped_at") or fulfilment.moment("delivered_at"))


def _parcel(node: Node, rows: list[Node], order: Node) -> Parcel:
    """Several labels are several numbers. A number that changed after the shipment stands in the order's metadata,
    as texts: the dashboard edits no others.
    """
    id_ = node.id("id")
    labels = node.rows("labels")
    numbers = [text.label(label.text("tracking_number"), 200) for label in labels]
    urls = [text.link(label.raw("tracking_url")) for label in labels]
    about = order.view("metadata")
    later, carrier, url = (about.text(f"crossdock_{id_}{part}") for part in ("", "_carrier", "_url"))
    return Parcel(
        id_,
        tuple(_units(node, rows).items()),
        text.label(later, 200) or ", ".join(filter(None, numbers)),
        text.label(carrier or node.view("metadata").text(CARRIER), 100),
        text.link(url) if later else next(filter(None, urls), ""),
        node.moment("shipped_at") or node.moment("delivered_at"),
        cancelled=node.moment("canceled_at") is not None,
    )


def _units(fulfilment: Node, rows: list[Node]) -> dict[str, int]:
    """By line. Of a kit each part is an item of the fulfilment, with all its pieces (core-flows, order/workflows/
    create-shipment.js: prepareRegisterShipmentData).
    """
    pieces: dict[tuple[str, str], int] = {}
    for row in rows:
        for part in row.view("variant").rows("inventory_items"):
            pieces[row.id("id"), part.text("inventory_item_id")] = max(1, part.opt_int("required_quantity") or 1)
    found: dict[str, int] = {}
    for item in fulfilment.opt_list("items") or ():
        line = item.id("line_item_id")
        found.setdefault(line, item.int("quantity") // pieces.get((line, item.text("inventory_item_id")), 1))
    return found


def payments(node: Node) -> list[Node]:
    return [pay for held in node.opt_list("payment_collections") or () for pay in held.opt_list("payments") or ()]


def _refunds(node: Node, currency: str) -> tuple[Refund, ...]:
    """Cancelling refunds by itself what was paid: that is no news beside the cancel."""
    cancelled = node.moment("canceled_at")
    found = []
    for pay in payments(node):
        paid, returned = pay.money("amount", currency), Money.zero(currency)
        rows = [(row.moment("created_at"), row) for row in pay.opt_list("refunds") or ()]
        for at, row in sorted(rows, key=lambda each: each[0].timestamp() if each[0] else 0.0):
            amount, note = row.money("amount", currency), row.text("note")
            returned += amount
            near = cancelled is not None and at is not None and abs(cancelled - at) <= WITH_THE_CANCEL
            if not (near and returned == paid and not note):
                found.append(Refund(row.id("id"), amount, text.label(note), at, key_of(note)))
    return tuple(found)


# Our order in their words


def body_of(command: CreateOrder, *, region: str, channel: str, option: Node) -> dict[str, Any]:
    """The draft order (its schema is strict: AdminCreateDraftOrder in 2.21.2)."""
    address = address_of(command)
    about = {REFERENCE: command.reference, RELAY: command.email, NOTE: command.note}
    return {
        "email": command.email,
        "region_id": region,
        "sales_channel_id": channel,
        "currency_code": command.shipping.currency.lower(),
        "no_notification_order": True,
        "shipping_address": address,
        "billing_address": {**address, "company": f"{COMPANY} {command.reference}"},
        "items": [
            {"variant_id": line.variant_id, "quantity": line.quantity, "unit_price": amount(line.unit_price)}
            for line in merged(command)
        ],
        "shipping_methods": [
            {
                "name": text.label(option.text("name")) or "Shipping",
                "shipping_option_id": option.id("id"),
                "amount": amount(command.shipping),
            }
        ],
        "metadata": {name: words for name, words in about.items() if words},
    }


def address_of(command: CreateOrder) -> dict[str, str]:
    to = command.ship_to
    first, last = two_names(to.name)
    return {
        "first_name": first,
        "last_name": last,
        "company": to.company,
        "address_1": to.line1,
        "address_2": to.line2,
        "city": to.city,
        "province": to.region_there,
        "postal_code": to.postal_code,
        "country_code": to.country_there.lower(),
        "phone": to.phone,
    }


def label_of(command: WriteFulfilment) -> list[dict[str, str]]:
    """Both addresses are required, and may be empty."""
    number = {"tracking_number": command.tracking_number, "tracking_url": command.tracking_url, "label_url": ""}
    return [number] if command.tracking_number else []


def renumbered(parcel_id: str, command: WriteFulfilment) -> dict[str, str]:
    """An empty text takes an entry away."""
    parts = {"": command.tracking_number, "_carrier": command.carrier, "_url": command.tracking_url}
    return {f"crossdock_{parcel_id}{part}": words for part, words in parts.items()}
