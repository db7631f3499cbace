"""Wix's orders in our words and back. Sources are the types of npm `@wix/auto_sdk_*` (ecom_orders 1.0.300,
order-fulfillments 1.0.65, order-transactions 1.0.108) and the pages of dev.wix.com that are named.
"""

import re
from collections.abc import Sequence
from typing import Any

from crossdock.connectors.wix.goods import SINGLE, changed, joined, parted
from crossdock.domain.commands import CreateOrder, Line, WriteFulfilment
from crossdock.domain.events import OrderLine, Parcel, Refund, ShopOrder, ShopOrderState
from crossdock.domain.values import Money
from crossdock.kit import text
from crossdock.kit.json_node import Node
from crossdock.kit.shop import facts
from crossdock.kit.shop.cancel_units import key_of
from crossdock.kit.shop.mapping import marked_sent, person
from crossdock.kit.shop.placing import recipient

# It "must always be" this one for products of the Stores catalog (dev.wix.com, e-commerce-integration, V1 and V3);
# orders of older sites are said to carry the other one.
STORES_APP = "215238eb-22a5-4c36-9e7b-e7c08025e04e"
STORES_APPS = (STORES_APP, "1380b703-ce81-ff05-f115-39571d94dfcd")
CHANNEL = "OTHER_PLATFORM"
PAID = ("PAID", "PARTIALLY_REFUNDED", "FULLY_REFUNDED")
TAKEN_BACK = "taken-back"
# Those whose link Wix makes itself (types, FulfillmentTrackingInfo.shippingProvider).
CARRIERS = {"fedex": "fedex", "ups": "ups", "usps": "usps", "dhl": "dhl", "dhl express": "dhl"}
CARRIERS |= {"canada post": "canadaPost"}
SENT = facts.load(__package__, "order")
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
        url=f"{admin}/ecom-platform/order-details/{id_}",
        cancel_note="It was rejected." if status == "REJECTED" else "",
        buyer=_buyer(node),
        updated_at=changed(node),
    )


def approved(node: Node) -> bool:
    """Stock is taken when an order is placed, or, by the site's setting, "only after the payment is approved"
    (orders-settings, inventoryUpdateTrigger): one that is approved and was paid has its units either way.
    """
    return node.word("status") == "APPROVED" and node.word("paymentStatus") in PAID


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
    return marked_sent(lines, found, changed(node), sent=node.word("fulfillmentStatus") == "FULFILLED")


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


def body_of(command: CreateOrder, *, newer: bool) -> dict[str, Any]:
    """The order for POST /ecom/v1/orders (order.toml)."""
    goods, none = command.total - command.shipping, Money.zero(command.shipping.currency)
    relay = [{"title": "Buyer's relay address", "value": command.email}] if command.email else []
    made = facts.body(
        SENT["made"],
        command=command,
        items=[_item(line, newer) for line in command.lines],
        to=_to(command),
        fields=[{"title": "Marketplace order", "value": command.reference}, *relay],
        goods=goods,
        none=none,
    )
    if command.note:
        made["order"]["buyerNote"] = command.note[:1000]
    return made


def _item(line: Line, newer: bool) -> dict[str, Any]:
    """V3: "Always include the variantId"; V1 names one only where variants are managed (e-commerce-integration)."""
    product, variant = parted(line.variant_id)
    options = {"variantId": variant} if newer or variant != SINGLE else {}
    name = line.title or line.sku or "Item"
    return facts.full(facts.body(SENT["item"], line=line, name=name, product=product, app=STORES_APP, options=options))


def _to(command: CreateOrder) -> dict[str, Any]:
    """A subdivision is a code of ISO 3166-2, with the country before it. Fields without a value are left out: many must
    not be empty.
    """
    words = recipient(command)
    region = words["region"]
    code = f"{words['country']}-{region}" if _SUBDIVISION.fullmatch(region) else region
    return facts.full(facts.body(SENT["to"], **words, subdivision=code))


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
