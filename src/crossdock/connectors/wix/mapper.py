"""Wix's orders in our words and back. Sources are the types of npm `@wix/auto_sdk_*` (ecom_orders 1.0.300,
order-fulfillments 1.0.65, order-transactions 1.0.108) and the pages of dev.wix.com that are named.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from crossdock.connectors.wix.goods import SINGLE, changed, joined, parted
from crossdock.domain.commands import CreateOrder, WriteFulfilment
from crossdock.domain.events import OrderLine, Parcel, Refund, ShopOrder, ShopOrderState
from crossdock.domain.values import Money
from crossdock.kit import text
from crossdock.kit.json_node import Node
from crossdock.kit.shop.cancel_units import key_of
from crossdock.kit.shop.mapping import person, unheld
from crossdock.kit.shop.placing import two_names

# It "must always be" this one for products of the Stores catalog (dev.wix.com, e-commerce-integration, V1 and V3);
# orders of older sites are said to carry the other one.
STORES_APP = "215238eb-22a5-4c36-9e7b-e7c08025e04e"
STORES_APPS = (STORES_APP, "1380b703-ce81-ff05-f115-39571d94dfcd")
CHANNEL = "OTHER_PLATFORM"
TAKEN_BACK = "taken-back"
# Those whose link Wix makes itself (types, FulfillmentTrackingInfo.shippingProvider).
CARRIERS = {"fedex": "fedex", "ups": "ups", "usps": "usps", "dhl": "dhl", "dhl express": "dhl"}
CARRIERS |= {"canada post": "canadaPost"}
# A parcel of an order that was only marked as fulfilled.
BARE = "status"
_SUBDIVISION = re.compile(r"[A-Z0-9]{1,3}")


# Orders


def reference_of(node: Node) -> str:
    """Ours, unless it was taken back for want of stock. No program can change `channelInfo` (types, updateOrder)."""
    channel = node.view("channelInfo")
    said = channel.text("externalOrderId") if channel.text("type") == CHANNEL else ""
    return "" if any(key_of(note) == TAKEN_BACK for note in notes_of(node)) else said


def notes_of(node: Node) -> list[str]:
    """What staff, or we, wrote to an order."""
    return [row.view("merchantComment").text("message") for row in node.rows("activities")]


def order_of(node: Node, parcels: Node | None, payments: Node | None, *, admin: str) -> ShopOrder:
    id_, status, currency = node.id("id"), node.word("status"), node.word("currency")
    lines = tuple(_line(row) for row in node.list("lineItems"))
    return ShopOrder(
        shop_id=id_,
        number=text.label(node.text("number"), 100) or id_,
        reference=reference_of(node),
        state=ShopOrderState.CANCELLED if status in ("CANCELED", "REJECTED") else ShopOrderState.OPEN,
        lines=lines,
        total=node.child("priceSummary").child("total").money("amount", currency),
        parcels=_parcels(node, lines, parcels),
        refunds=_refunds(payments, currency),
        stock_taken=approved(node),
        url=f"{admin}/ecom-platform/order-details/{id_}" if admin else "",
        cancel_note="It was rejected." if status == "REJECTED" else "",
        buyer=_buyer(node),
        updated_at=changed(node),
    )


def approved(node: Node) -> bool:
    """Stock is taken when an order is placed, or, by the site's setting, "only after the payment is approved"
    (orders-settings, inventoryUpdateTrigger): one that is approved and was paid has its units either way.
    """
    return node.word("status") == "APPROVED" and node.word("paymentStatus") in (
        "PAID",
        "PARTIALLY_REFUNDED",
        "FULLY_REFUNDED",
    )


def says_more(node: Node, parcels: Node | None, payments: Node | None) -> bool:
    """Whether an order speaks of fulfilments or refunds that its lists do not have. Reads loosely, and decides nothing
    but to ask again.
    """
    sent = node.text("fulfillmentStatus") != "NOT_FULFILLED" and not (parcels and parcels.rows("fulfillments"))
    refunded = node.text("paymentStatus").endswith("_REFUNDED") and not (payments and payments.rows("refunds"))
    return sent or refunded


def _buyer(node: Node) -> str:
    there = node.view("shippingInfo").view("logistics").view("shippingDestination").view("contactDetails")
    billed = node.view("billingInfo").view("contactDetails")
    return person(billed, "firstName", "lastName") or person(there, "firstName", "lastName")


def _line(row: Node) -> OrderLine:
    """Custom lines, and those of Wix's other apps, are of no product of the store."""
    known = row.view("catalogReference")
    product = known.text("catalogItemId") if known.text("appId") in STORES_APPS else ""
    variant = joined(product, known.view("options").text("variantId") or SINGLE) if product else ""
    sku = row.view("physicalProperties").text("sku")
    return OrderLine(row.id("id"), product, variant, text.label(sku, 200), row.int("quantity"))


def _parcels(node: Node, lines: Sequence[OrderLine], parcels: Node | None) -> tuple[Parcel, ...]:
    """Their `status` "is informational". What none holds of an order that is fulfilled left without a number ("or the
    order was manually marked as fulfilled").
    """
    found = [_parcel(row) for row in (parcels.opt_list("fulfillments") or [] if parcels else [])]
    left = unheld(lines, found) if node.word("fulfillmentStatus") == "FULFILLED" else ()
    return (*found, Parcel(BARE, left, shipped_at=changed(node))) if left else tuple(found)


def _parcel(row: Node) -> Parcel:
    info = row.view("trackingInfo")
    return Parcel(
        row.id("id"),
        tuple((each.id("id"), each.int("quantity")) for each in row.list("lineItems")),
        text.label(info.text("trackingNumber"), 200),
        text.label(info.text("shippingProvider"), 100),
        text.link(info.raw("trackingLink")),
        row.moment("createdDate"),
    )


def _refunds(payments: Node | None, currency: str) -> tuple[Refund, ...]:
    """What was refunded "successfully": a refund that is scheduled or pending is none yet."""
    found = []
    for row in payments.opt_list("refunds") or [] if payments else []:
        done = [each for each in row.list("transactions") if each.word("refundStatus") == "SUCCEEDED"]
        amount = sum((each.child("amount").money("amount", currency) for each in done), Money.zero(currency))
        if amount.minor > 0:
            note = text.label(row.view("details").text("reason"))
            found.append(Refund(row.id("id"), amount, note, row.moment("createdDate")))
    return tuple(found)


# Ours in their words


def instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _amount(money: Money) -> dict[str, str]:
    return {"amount": str(money)}


def body_of(command: CreateOrder, *, newer: bool) -> dict[str, Any]:
    """The order for POST /ecom/v1/orders. Approved, paid and by an offline option, since a search never finds one that
    is INITIALIZED (searchOrders). Without an e-mail address nobody can be mailed; notifications are on unless they are
    switched off. "Orders without shipping info are fulfilled automatically".
    """
    contact, address = address_of(command)
    to = {"address": address, "contactDetails": contact}
    goods, none = command.total - command.shipping, Money.zero(command.shipping.currency)
    relay = [{"title": "Buyer's relay address", "value": command.email}] if command.email else []
    order = {
        "channelInfo": {"type": CHANNEL, "externalOrderId": command.reference},
        "status": "APPROVED",
        "paymentStatus": "PAID",
        "currency": command.shipping.currency,
        "taxIncludedInPrices": True,
        "lineItems": [_item(line, newer) for line in command.lines],
        "priceSummary": {
            "subtotal": _amount(goods),
            "shipping": _amount(command.shipping),
            "tax": _amount(none),
            "discount": _amount(none),
            "total": _amount(command.total),
        },
        "billingInfo": to,
        "recipientInfo": to,
        "shippingInfo": {
            "title": "Marketplace",
            "logistics": {"shippingDestination": to},
            "cost": {"price": _amount(command.shipping)},
        },
        "customFields": [{"title": "Marketplace order", "value": command.reference}, *relay],
    }
    if command.note:
        order["buyerNote"] = command.note[:1000]
    silent = {"sendNotificationToBuyer": False, "sendNotificationsToBusiness": False}
    return {"order": order, "settings": {"notifications": silent}}


def _item(line: Any, newer: bool) -> dict[str, Any]:
    """V3: "Always include the variantId"; V1 names one only where variants are managed (e-commerce-integration)."""
    product, variant = parted(line.variant_id)
    options = {"options": {"variantId": variant}} if newer or variant != SINGLE else {}
    return {
        "productName": {"original": (line.title or line.sku or "Item")[:200]},
        "catalogReference": {"catalogItemId": product, "appId": STORES_APP, **options},
        "quantity": line.quantity,
        "itemType": {"preset": "PHYSICAL"},
        "paymentOption": "FULL_PAYMENT_OFFLINE",
        "price": _amount(line.unit_price),
        "physicalProperties": {"shippable": True, **({"sku": line.sku[:40]} if line.sku else {})},
    }


def address_of(command: CreateOrder) -> tuple[dict[str, str], dict[str, str]]:
    """Contact and address. A subdivision is a code of ISO 3166-2, with the country before it. Fields without a value
    are left out: many must not be empty.
    """
    to = command.ship_to
    first, last = two_names(to.name)
    country, region = to.territory or to.country, "" if to.territory else to.region
    code = f"{country}-{region}" if _SUBDIVISION.fullmatch(region) else region
    contact = {"firstName": first[:100], "lastName": last[:100], "phone": to.phone, "company": to.company}
    address = {
        "country": country,
        "subdivision": code[:50],
        "city": to.city[:50],
        "postalCode": to.postal_code[:50],
        "addressLine1": to.line1[:150],
        "addressLine2": to.line2[:100],
    }
    return _full(contact), _full(address)


def _full(words: Mapping[str, str]) -> dict[str, str]:
    return {name: said for name, said in words.items() if said}


def tracking_of(command: WriteFulfilment) -> dict[str, str | None] | None:
    """None where there is no number. A carrier without a name of Wix's own needs a link to go with it."""
    if not command.tracking_number:
        return None
    known = CARRIERS.get(command.carrier.strip().lower())
    if known:
        return {"trackingNumber": command.tracking_number, "shippingProvider": known}
    if command.carrier and command.tracking_url:
        named = {"shippingProvider": command.carrier[:100], "trackingLink": command.tracking_url}
        return {"trackingNumber": command.tracking_number, **named}
    return {"trackingNumber": command.tracking_number}
