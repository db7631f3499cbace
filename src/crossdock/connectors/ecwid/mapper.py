"""Ecwid's JSON in our words and back. Names are those of the vendor's own client (github Ecwid/ecwid-java-api-client,
v0.326); pages named are those below docs.ecwid.com/api-reference/rest-api, or articles of support.ecwid.com.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from crossdock.domain.commands import CreateOrder, WriteFulfilment
from crossdock.domain.events import OrderLine, Parcel, Refund, ShopOrder, ShopOrderState, ShopProduct, ShopVariant
from crossdock.kit import text
from crossdock.kit.json_node import Node, whole
from crossdock.kit.shop.mapping import amount, images, named, options, priced, that_hold
from crossdock.kit.shop.placing import staff_note, two_names

# `refererId` of our orders: others write an external order id as well.
SOURCE = "Crossdock"
# Behind the reference of an order that was taken back for want of stock: no look-up takes it for the order.
TAKEN_BACK = " (taken back)"
# Pages of the admin ("https://my.ecwid.com/#develop-apps", develop-apps/app-settings); addresses of single ones are not
# documented.
ADMIN = "https://my.ecwid.com/"
PAID, CANCELLED, REFUNDED, INCOMPLETE = "PAID", "CANCELLED", "REFUNDED", "INCOMPLETE"
AWAITING, SHIPPED, WILL_NOT_DELIVER = "AWAITING_PROCESSING", "SHIPPED", "WILL_NOT_DELIVER"
# What has left the store, whatever came of it.
SENT = frozenset((SHIPPED, "DELIVERED", "OUT_FOR_DELIVERY", "RETURNED"))
# The one parcel of an order: its status and its number.
WHOLE = "order"
# Sent with every change: "If false or empty, then email notifications are sent to customer" (get-order).
SILENT = {"disableAllCustomerNotifications": True}


def moment(node: Node, key: str = "updateTimestamp") -> datetime | None:
    """Seconds since 1970; None when it is none."""
    seconds = whole(node.raw(key))
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None and 0 < seconds < 10**10 else None


# Products


def base_id(product_id: str) -> str:
    """The variant of a product without variations. Their ids are numbers of another row, which could be the same."""
    return f"p{product_id}"


def variants_in(node: Node) -> list[tuple[str, Node]]:
    """By its id the row of each variant: the variations, or the product itself."""
    rows = [(row.id("id"), row) for row in node.opt_list("combinations") or []]
    return rows or [(base_id(node.id("id")), node)]


def product_of(node: Node, *, currency: str) -> ShopProduct:
    product_id, title = node.id("id"), text.label(node.text("name"))
    barred = _not_sold(node)
    variants, unpriced = priced((_variant(id_, row, node, currency) for id_, row in variants_in(node)), title)
    return ShopProduct(
        product_id,
        title,
        tuple(variants),
        active=bool(variants) and not barred,
        description=text.plain(node.text("description")),
        images=_images(node),
        url=f"{ADMIN}#products",
        updated_at=moment(node),
        reasons=(*barred, *unpriced),
        properties=named(node.rows("attributes")),
    )


def _not_sold(node: Node) -> list[str]:
    """Why it is not sold here. A bundle's stock is that of its parts (`compositeComponents`)."""
    plan = node.view("subscriptionSettings")
    sentences = {
        "It is switched off in your store.": node.opt_bool("enabled") is False,
        "Gift cards are not sold here.": node.opt_bool("isGiftCard"),
        "It is one of Ecwid's demo products.": node.opt_bool("isSampleProduct"),
        "Its buyers name the price themselves.": node.opt_bool("nameYourPriceEnabled"),
        "It is a bundle: sell its parts here.": bool(node.rows("compositeComponents")),
        "It is sold by subscription alone.": plan.raw("subscriptionAllowed") is True
        and plan.raw("oneTimePurchaseAllowed") is not True,
    }
    return that_hold(sentences)


def _variant(variant_id: str, row: Node, product: Node, currency: str) -> ShopVariant:
    """`defaultDisplayedPrice` is what the storefront shows, with taxes; a variation without a price of its own has the
    product's. Amounts are floats, and are rounded to what the currency has.
    """
    price = row.opt_money("defaultDisplayedPrice", currency) or row.opt_money("price", currency)
    own = row is not product
    return ShopVariant(
        variant_id,
        text.label(row.text("sku") or product.text("sku"), 200),
        options(value for _, value in options_of(row)) if own else "",
        price or product.money("price", currency),
        count_in(row),
        barcode=_barcode(row) or _barcode(product),
        image=text.link(row.raw("originalImageUrl")) if own else "",
        options=options_of(row) if own else (),
    )


def options_of(row: Node) -> tuple[tuple[str, str], ...]:
    """(name, value) of a variation."""
    return named(row.rows("options"))


def _barcode(row: Node) -> str:
    """An attribute of the type UPC (the vendor's client, AttributeType)."""
    return next(
        (text.label(each.text("value"), 200) for each in row.rows("attributes") if each.raw("type") == "UPC"), ""
    )


def _images(node: Node) -> tuple[str, ...]:
    rows = sorted(node.view("media").rows("images"), key=lambda row: row.raw("isMain") is not True)
    urls = [text.link(row.raw("imageOriginalUrl")) or text.link(row.raw("image1500pxUrl")) for row in rows]
    return images(urls) or images([node.view("originalImage").raw("url")])


def count_in(row: Node) -> int | None:
    """`quantity` is left out where the stock is unlimited (search-products, the example)."""
    return None if row.opt_bool("unlimited") else row.int("quantity")


# Orders


def reference_of(node: Node) -> str:
    said = node.text("externalOrderId")
    return said if node.text("refererId") == SOURCE and not said.endswith(TAKEN_BACK) else ""


def order_of(node: Node, *, currency: str) -> ShopOrder:
    """An order names no currency: it is the store's. Units are taken while its payment status is “Awaiting Payment” or
    “Paid”, and put back by “Cancelled” and “Refunded”, not by “Partially Refunded” (Marking orders as refunded,
    Canceling orders). It has two ids: `internalId` is a number that nobody changes.
    """
    id_, status, sent = node.id("internalId"), node.word("paymentStatus"), node.word("fulfillmentStatus") in SENT
    lines = tuple(_line(row) for row in node.list("items"))
    parcels = _parcels(node, lines)
    restocked = status in (CANCELLED, REFUNDED)
    closed = status == CANCELLED or (status == REFUNDED and not sent)
    return ShopOrder(
        shop_id=id_,
        number=text.label(node.text("id"), 100) or id_,
        reference=reference_of(node),
        state=ShopOrderState.CANCELLED if closed else ShopOrderState.OPEN,
        lines=lines,
        total=node.money("total", currency),
        parcels=parcels,
        refunds=_refunds(node, status, currency),
        stock_taken=not restocked and status != INCOMPLETE,
        url=f"{ADMIN}#orders",
        cancel_note="It was refunded in full." if closed and status == REFUNDED else "",
        buyer=text.label(node.view("shippingPerson").text("name") or node.view("billingPerson").text("name")),
        updated_at=moment(node),
    )


def _line(row: Node) -> OrderLine:
    """`combinationId` is absent where no variation was bought."""
    product = row.named_id("productId")
    variant = row.named_id("combinationId") or (base_id(product) if product else "")
    return OrderLine(row.id("id"), product, variant, text.label(row.text("sku"), 200), row.int("quantity"))


def _parcels(node: Node, lines: Sequence[OrderLine]) -> tuple[Parcel, ...]:
    """One for the whole order, once it is marked as sent or has a number. Labels bought in Ecwid (`shipments`) name no
    units: their further numbers belong to it.
    """
    number = text.label(node.text("trackingNumber"), 200)
    labels = [row for row in node.rows("shipments") if row.view("tracking").text("trackingNumber")]
    status = node.word("fulfillmentStatus")
    if status not in SENT and (not number or status == WILL_NOT_DELIVER):
        return ()
    if not number and labels:
        number = text.label(labels[0].view("tracking").text("trackingNumber"), 200)
    carrier = text.label(node.view("shippingOption").text("shippingCarrierName"), 100)
    whole = tuple((line.line_id, line.quantity) for line in lines)
    found = [Parcel(WHOLE, whole, number, carrier, text.link(node.raw("trackingUrl")))]
    for row in labels:
        tracking = row.view("tracking")
        other = text.label(tracking.text("trackingNumber"), 200)
        if other != number:
            by = text.label(row.view("shippingService").text("carrierName"), 100) or carrier
            none = tuple((line.line_id, 0) for line in lines)
            found.append(Parcel(row.id("id"), none, other, by, text.link(tracking.raw("trackingUrl"))))
    return tuple(found)


def _refunds(node: Node, status: str, currency: str) -> tuple[Refund, ...]:
    """They have no id: each is known by its date, and by its place among those of one moment. What is marked as
    refunded without one was refunded as a whole.
    """
    found: dict[str, Refund] = {}
    for row in node.rows("refunds"):
        stamp = text.label(row.text("date"), 60) or "undated"
        place = sum(known.partition("#")[0] == stamp for known in found)
        id_ = f"{stamp}#{place + 1}" if place else stamp
        at = row.moment("date") or _written(row.text("date"))
        found[id_] = Refund(id_, row.money("amount", currency), text.label(row.text("reason")), at)
    if not found and status == REFUNDED:
        return (Refund("status", node.money("total", currency)),)
    return tuple(found.values())


def _written(said: str) -> datetime | None:
    """ "2024-05-01 05:26:28 +0000" (search-orders, the example)."""
    try:
        return datetime.strptime(said, "%Y-%m-%d %H:%M:%S %z").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


# Ours in their words


def body_of(command: CreateOrder, chosen: Mapping[str, Sequence[tuple[str, str]]]) -> dict[str, Any]:
    """The order for POST /orders; `chosen` are the options of each variation. The reference stands also where
    `keywords` look for it: the staff notes and the external transaction id (search-orders). Without `email` nobody is
    mailed, so the relay address stands in the staff notes. `externalFulfillment` stays off, since the seller ships.
    """
    address = address_of(command)
    return {
        **SILENT,
        "refererId": SOURCE,
        "externalOrderId": command.reference,
        "externalTransactionId": command.reference,
        "privateAdminNotes": staff_note(command),
        "orderComments": command.note,
        "paymentStatus": PAID,
        "paymentMethod": "Paid on the marketplace",
        "fulfillmentStatus": AWAITING,
        "pricesIncludeTax": True,
        "acceptMarketing": False,
        "tax": 0.0,
        "subtotal": amount(command.total - command.shipping),
        "total": amount(command.total),
        "billingPerson": address,
        "shippingPerson": address,
        "shippingOption": {
            "shippingMethodName": "Marketplace",
            "shippingRate": amount(command.shipping),
            "fulfillmentType": "SHIPPING",
        },
        "items": [
            {
                "productId": int(line.product_id),
                **({} if line.variant_id.startswith("p") else {"combinationId": int(line.variant_id)}),
                "name": line.title,
                "sku": line.sku,
                "quantity": line.quantity,
                "price": amount(line.unit_price),
                "tax": 0.0,
                "isShippingRequired": True,
                "selectedOptions": [_chosen(*each) for each in chosen.get(line.variant_id, ())],
            }
            for line in command.lines
        ],
    }


def _chosen(name: str, value: str) -> dict[str, Any]:
    """As the vendor's client writes a choice (OrderItemSelectedOption.createForChoiceOption)."""
    selection = {"selectionTitle": value, "selectionModifier": 0.0, "selectionModifierType": "ABSOLUTE"}
    return {"name": name, "type": "CHOICE", "value": value, "valuesArray": [value], "selections": [selection]}


def address_of(command: CreateOrder) -> dict[str, str]:
    """ "Address line 1 and address line 2, separated by '\\n'" (get-order, PersonInfo)."""
    to = command.ship_to
    return {
        "name": " ".join(filter(None, two_names(to.name))),
        "companyName": to.company,
        "street": "\n".join(filter(None, (to.line1, to.line2))),
        "city": to.city,
        "countryCode": to.country_there,
        "postalCode": to.postal_code,
        "stateOrProvinceCode": to.region_there,
        "phone": to.phone,
    }


def parcel_of(command: WriteFulfilment, order: Node) -> dict[str, Any]:
    """The status, the number, and the carrier beside what else the shipping option says: it is written as a whole."""
    body: dict[str, Any] = {
        **SILENT,
        "fulfillmentStatus": SHIPPED,
        "trackingNumber": command.tracking_number,
        "trackingUrl": command.tracking_url,
    }
    if command.carrier:
        there = order.view("shippingOption")
        names = ("shippingMethodId", "shippingMethodName", "shippingRate", "estimatedTransitTime", "fulfillmentType")
        kept = {name: there.raw(name) for name in names if there.raw(name) is not None}
        body["shippingOption"] = kept | {"shippingCarrierName": command.carrier}
    return body
