"""Squarespace's JSON in our words and back. The pages named are those below developers.squarespace.com/commerce-apis;
“seen” is what others published of live sites in August 2026 (github AGG973/squarespace-connector, fixtures).
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from crossdock.domain.commands import AdjustStock, CreateOrder, WriteFulfilment
from crossdock.domain.events import (
    Count,
    OrderLine,
    Parcel,
    ShopOrder,
    ShopOrderState,
    ShopProduct,
    ShopVariant,
)
from crossdock.domain.values import Money
from crossdock.kit import text
from crossdock.kit.json_node import Node
from crossdock.kit.shop.mapping import BARE, images, names, priced, that_hold
from crossdock.kit.shop.paging import instant
from crossdock.kit.shop.placing import two_names

# `channelName` of our orders (30 characters): others write an external reference as well (create-order).
CHANNEL = "Crossdock"
PENDING, FULFILLED, CANCELED = "PENDING", "FULFILLED", "CANCELED"
# "Maximum: 100 characters": shippingLines.method (create-order); carrierName, service, trackingNumber (fulfill-order).
MOST = 100


def key(kind: str, name: str) -> str:
    """An Idempotency-Key: at most 64 letters, digits, dashes and underscores."""
    return hashlib.sha256(f"{kind}:{name}".encode()).hexdigest()


def amount(node: Node, name: str) -> Money:
    """{"currency": "USD", "value": "20.00"}; the value is text (seen)."""
    inner = node.child(name)
    return inner.money("value", inner.word("currency"))


# Products


def product_of(node: Node) -> ShopProduct:
    product_id, title, kind = node.id("id"), text.label(node.text("name")), node.word("type")
    variants, unpriced = priced(map(_variant, node.list("variants")), title)
    hidden = node.opt_bool("isVisible") is False
    why = that_hold({"Only physical products are sold here.": kind != "PHYSICAL", "It is hidden in your site.": hidden})
    pictures = sorted(node.rows("images"), key=lambda row: row.opt_int("orderIndex") or 0 if _whole(row) else 0)
    return ShopProduct(
        product_id,
        title,
        tuple(variants),
        active=bool(variants) and not why,
        description=text.plain(node.text("description")),
        images=images(row.raw("url") for row in pictures),
        updated_at=changed(node),
        reasons=(*unpriced, *why),
        tags=names(node.raw("tags")),
    )


def _whole(row: Node) -> bool:
    place = row.raw("orderIndex")
    return isinstance(place, int) and not isinstance(place, bool)


def _variant(row: Node) -> ShopVariant:
    """`salePrice` is 0.00 where nothing is on sale (seen), so `onSale` decides."""
    prices, stock, options = row.child("pricing"), row.child("stock"), row.raw("attributes")
    chosen = options.items() if isinstance(options, dict) else ()
    named = [(text.label(name), text.label(value)) for name, value in chosen if isinstance(value, str)]
    return ShopVariant(
        row.id("id"),
        text.label(row.text("sku"), 200),
        " / ".join(value for _, value in named if value),
        amount(prices, "salePrice" if prices.opt_bool("onSale") else "basePrice"),
        None if stock.opt_bool("unlimited") else stock.int("quantity"),
        image=text.link(row.view("image").raw("url")),
        options=tuple(named),
    )


def changed(node: Node) -> datetime | None:
    return node.moment("modifiedOn")


def count_of(node: Node) -> Count:
    """The quantity of what is unlimited says nothing (retrieve-specific-inventory)."""
    return Count(node.id("variantId"), None if node.opt_bool("isUnlimited") else node.int("quantity"))


# Orders


def reference_of(node: Node) -> str:
    return node.text("externalOrderReference") if node.text("channelName") == CHANNEL else ""


def order_of(node: Node) -> ShopOrder:
    """We ask for the units of each of our orders to be taken (`inventoryBehavior`), so one that stands has them."""
    id_, status, reference = node.id("id"), node.word("fulfillmentStatus"), reference_of(node)
    lines = tuple(_line(row) for row in node.list("lineItems"))
    return ShopOrder(
        shop_id=id_,
        number=text.label(node.text("orderNumber"), 100) or id_,
        reference=reference,
        state=ShopOrderState.CANCELLED if status == CANCELED else ShopOrderState.OPEN,
        lines=lines,
        total=amount(node, "grandTotal"),
        parcels=_parcels(node, status, lines),
        stock_taken=bool(reference) and status != CANCELED,
        buyer=_name(node.view("shippingAddress")) or _name(node.view("billingAddress")),
        updated_at=changed(node),
    )


def _name(address: Node) -> str:
    return text.label(f"{address.text('firstName')} {address.text('lastName')}")


def _line(row: Node) -> OrderLine:
    """Gift cards and custom lines have no variant (orders-overview)."""
    product, variant = row.opt_id("productId"), row.opt_id("variantId")
    return OrderLine(row.id("id"), product or "", variant or "", text.label(row.text("sku"), 200), row.int("quantity"))


def _parcels(node: Node, status: str, lines: Sequence[OrderLine]) -> tuple[Parcel, ...]:
    """A shipment says neither its units nor an id (orders-overview: shipDate, carrierName, service, trackingNumber,
    trackingUrl). The first stands for all units, since fulfilling is for whole orders; it is known by its date. Those
    of an order that is pending again were undone (webhooks: order.update, MARKED_PENDING). Only a pending order can be
    cancelled there, so a cancel says nothing of them: they count as sent.
    """
    all_of_it = tuple((line.line_id, line.quantity) for line in lines)
    found: dict[str, Parcel] = {}
    for row in node.rows("fulfillments"):
        at = row.moment("shipDate")
        stamp = at.isoformat() if at else "undated"
        ordinal = sum(known.partition("#")[0] == stamp for known in found)
        id_ = f"{stamp}#{ordinal + 1}" if ordinal else stamp
        found[id_] = Parcel(
            id_,
            tuple((line, 0) for line, _ in all_of_it) if found else all_of_it,
            text.label(row.text("trackingNumber"), 200),
            text.label(row.text("carrierName"), 100),
            text.link(row.raw("trackingUrl")),
            at,
            cancelled=status == PENDING,
        )
    if status == FULFILLED and not found:
        return (Parcel(BARE, all_of_it, shipped_at=node.moment("fulfilledOn")),)
    return tuple(found.values())


# Ours in their words


def _money(money: Money) -> dict[str, str]:
    return {"currency": money.currency, "value": str(money)}


def body_of(command: CreateOrder) -> dict[str, Any]:
    """The order for POST /1.0/commerce/orders (create-order). Stock stays as it is unless `inventoryBehavior` is
    DEDUCT. `fulfillments` is required, also empty; `subtotal` must be the sum of the lines, and `title` is refused for
    physical products (both seen). Without `customerEmail` nobody can be mailed, so the relay address stands in the name
    of the shipping. Prices include tax, or it would be added.
    """
    goods = command.total - command.shipping
    relay = f"Marketplace (buyer's relay address: {command.email})" if command.email else "Marketplace"
    none, address = _money(Money.zero(goods.currency)), address_of(command)
    return {
        "channelName": CHANNEL,
        "externalOrderReference": command.reference,
        "createdOn": instant(command.placed_at),
        "inventoryBehavior": "DEDUCT",
        "priceTaxInterpretation": "INCLUSIVE",
        "fulfillmentStatus": PENDING,
        "fulfillments": [],
        "shopperFulfillmentNotificationBehavior": "SKIP",
        "billingAddress": address,
        "shippingAddress": address,
        "lineItems": [
            {
                "lineItemType": "PHYSICAL_PRODUCT",
                "variantId": line.variant_id,
                "quantity": line.quantity,
                "unitPricePaid": _money(line.unit_price),
            }
            for line in command.lines
        ],
        "subtotal": _money(goods),
        "shippingLines": [
            {"method": relay if len(relay) <= MOST else command.email[:MOST], "amount": _money(command.shipping)}
        ],
        "shippingTotal": _money(command.shipping),
        "discountTotal": none,
        "taxTotal": none,
        "grandTotal": _money(command.total),
    }


def address_of(command: CreateOrder) -> dict[str, str]:
    to = command.ship_to
    first, last = two_names(to.name)
    second = ", ".join(filter(None, (to.company, to.line2)))
    return {
        "firstName": first,
        "lastName": last,
        "address1": to.line1,
        "address2": second,
        "city": to.city,
        "state": to.region_there,
        "countryCode": to.country_there,
        "postalCode": to.postal_code,
        "phone": to.phone,
    }


def fulfilment_of(command: WriteFulfilment) -> dict[str, Any]:
    """Of a shipment all but the link is required, `service` too (fulfill-order); one without a number is none."""
    shipment = {
        "shipDate": instant(command.shipped_at),
        "carrierName": command.carrier[:MOST] or "Carrier",
        "service": "Standard",
        "trackingNumber": command.tracking_number,
    }
    if command.tracking_url:
        shipment["trackingUrl"] = command.tracking_url
    # "Indicates whether the customer should receive an email notification about the added shipments."
    return {"shouldSendNotification": False, "shipments": [shipment] if command.tracking_number else []}


def adjustment_of(command: AdjustStock) -> dict[str, Any]:
    """ "Amount to add; must be greater than or equal to 1" (adjust-stock-quantities)."""
    name = "incrementOperations" if command.delta > 0 else "decrementOperations"
    return {name: [{"variantId": command.variant_id, "quantity": abs(command.delta)}]}
