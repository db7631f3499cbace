"""Saleor's words into ours. Amounts are numbers with a currency of their own; ids are base64 of a type and a key, and
are never taken apart.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from crossdock.domain.commands import CreateOrder, WriteFulfilment
from crossdock.domain.events import OrderLine, Parcel, Refund, ShopOrder, ShopProduct, ShopVariant
from crossdock.domain.values import Money
from crossdock.kit import text
from crossdock.kit.connector import Shop
from crossdock.kit.json_node import Node
from crossdock.kit.shop import facts
from crossdock.kit.shop.base import chosen_locations
from crossdock.kit.shop.cancel_units import key_of
from crossdock.kit.shop.mapping import described, images, named, names, read_variants, state, summed, tracked
from crossdock.kit.shop.placing import merged, recipient

# Orders can be filtered by it (OrderWhereInput.metadata), and not by their external reference.
MARK = "crossdock"
KEY, CARRIER, LINK, RELAY = "crossdock_key", "crossdock_carrier", "crossdock_link", "crossdock_relay"
CLOSED = frozenset({"CANCELED", "EXPIRED"})
WAITING = "WAITING_FOR_APPROVAL"
# Units that come back are moved to a fulfilment of their own (RETURNED and its like); that one never left.
SENT = {"FULFILLED": False, "CANCELED": True}
# How "app:" begins in base64: a method of an app cannot be chosen for a draft (saleor/shipping/utils.py).
EXTERNAL = "YXBwO"
# Of an attribute its name, and of each value that it has here.
WORDS = ("attribute.name", "values.name")
GIVEN = facts.load(__package__, "draft")


def money(node: Node) -> Money:
    return node.money("amount", node.word("currency"))


def words_in(node: Node, name: str) -> dict[str, str]:
    return {row.text("key"): row.text("value") for row in node.rows(name)}


# Products


def count_of(variant: Node, settings: Mapping[str, str]) -> int | None:
    """In stock, without what is allocated and reserved. Below zero where the seller counted less than is sold."""
    if not variant.bool("trackInventory"):
        return None
    places = chosen_locations(settings) or frozenset(filter(None, settings.get("warehouses", "").split(",")))
    return sum(
        stock.int("quantity") - stock.int("quantityAllocated") - (stock.opt_int("quantityReserved") or 0)
        for stock in variant.opt_list("stocks") or ()
        if stock.child("warehouse").id("id") in places
    )


def product_of(shop: Shop, node: Node) -> ShopProduct:
    why, rows = _not_sold(node, shop.settings, shop.now()), node.opt_list("variants") or ()
    variants, others = read_variants(rows, _name, _unsold, lambda row: _variant(row, shop.settings))
    reasons = [*([why] if why else []), *others]
    return ShopProduct(
        product_id=node.id("id"),
        title=text.label(node.str("name")),
        variants=tuple(variants),
        active=bool(variants) and not why,
        description=described(node.text("description")),
        images=_pictures(node),
        url=f"{shop.address}/dashboard/products/{quote(node.id('id'), safe='')}",
        updated_at=node.moment("updatedAt"),
        types=names([node.view("category"), *node.rows("collections")]),
        properties=named(node.rows("attributes"), *WORDS),
        reasons=tuple(reasons) if variants or reasons else ("The product has no variant in your shop.",),
    )


def _not_sold(node: Node, settings: Mapping[str, str], now: datetime) -> str:
    """Why the channel does not sell it: unpublished, published later, or not for purchase."""
    listings = [row for row in node.rows("channelListings") if row.view("channel").text("id") == settings["channel_id"]]
    if not listings:
        return "The product is not listed in this channel of your shop."
    published = listings[0].moment("publishedAt")
    if not listings[0].bool("isPublished") or (published is not None and published > now):
        return "The product is not published in this channel of your shop."
    if listings[0].opt_bool("isAvailableForPurchase") is False:
        return "The product is not available for purchase in this channel of your shop."
    return ""


def _name(node: Node) -> str:
    return text.label(node.text("name")) or text.label(node.text("sku"))


def _unsold(node: Node) -> str:
    if "preorder" in node:
        return "is a preorder, which is not sold here."
    return "" if node.view("pricing").raw("price") else "has no price in this channel."


def _variant(node: Node, settings: Mapping[str, str]) -> ShopVariant:
    price = money(node.child("pricing").child("price").child("gross" if settings.get("gross") == "yes" else "net"))
    sku, title, image = text.label(node.text("sku")), _name(node) or "A variant", next(iter(_pictures(node)), "")
    options = named(node.rows("attributes"), *WORDS)
    return ShopVariant(node.id("id"), sku, title, price, count_of(node, settings), image=image, options=options)


def _pictures(node: Node) -> tuple[str, ...]:
    return images(row.raw("url") for row in node.rows("media") if row.text("type") == "IMAGE")


# Orders


def reference_of(node: Node) -> str:
    """Only of an order that carries our mark: other programs have external references too."""
    marked = words_in(node, "metadata").get(MARK, "")
    return marked if marked and marked == node.text("externalReference") else ""


def is_draft(node: Node) -> bool:
    return node.word("status") == "DRAFT"


def taken_out(node: Node) -> dict[str, list[Node]]:
    """What we took out, by our key, which stands in the reason of the return."""
    returned = [row for row in node.rows("fulfillments") if row.text("status") == "RETURNED"]
    return {key: row.rows("lines") for row in returned if (key := key_of(row.text("reason")))}


def order_of(node: Node, *, admin: str) -> ShopOrder:
    """Of what remains: Saleor keeps lines and total as they were when units are taken out."""
    closed = node.word("status") in CLOSED
    back = [row for rows in taken_out(node).values() for row in rows]
    out = summed((row.view("orderLine").text("id"), row.int("quantity")) for row in back)
    total = money(node.child("total").child("gross"))
    for row in [each for each in node.list("lines") if out[each.id("id")]]:
        total -= money(row.child("undiscountedUnitPrice").child("gross")) * out[row.id("id")]
    lines = tuple(_line(row, out[row.id("id")]) for row in node.list("lines"))
    parcels = [(row, row.word("status")) for row in node.opt_list("fulfillments") or ()]
    return ShopOrder(
        shop_id=node.id("id"),
        number=text.label(node.text("number")) or node.id("id"),
        reference=reference_of(node),
        state=state(cancelled=closed),
        lines=lines,
        total=total,
        parcels=tuple(_parcel(row, cancelled=SENT[status]) for row, status in parcels if status in SENT),
        packed=tuple(_parcel(row) for row, status in parcels if status == WAITING),
        refunds=_refunds(node),
        stock_taken=not closed and bool(lines) and all(line.stock_taken in (None, line.quantity) for line in lines),
        url=f"{admin}/dashboard/orders/{quote(node.id('id'), safe='')}",
        updated_at=node.moment("updatedAt"),
    )


def _line(node: Node, out: int) -> OrderLine:
    """What is allocated or fulfilled was taken. A variant that is not tracked is allocated nowhere, and neither is one
    that was deleted, whose stock rows went with it.
    """
    variant, quantity = node.opt_child("variant"), max(0, node.int("quantity") - out)
    counted = variant is not None and variant.bool("trackInventory")
    held = sum(row.int("quantity") for row in node.opt_list("allocations") or ())
    taken = min(quantity, held + node.int("quantityFulfilled") - out) if counted else None
    product_id = variant.child("product").id("id") if variant is not None else ""
    variant_id = node.text("productVariantId") or (variant.id("id") if variant is not None else "")
    return OrderLine(node.id("id"), product_id, variant_id, text.label(node.text("productSku")), quantity, taken)


def _parcel(node: Node, *, cancelled: bool = False) -> Parcel:
    """A seller may enter a link in place of the number (saleor/order/models.py: is_tracking_number_url)."""
    words, (number, link) = words_in(node, "privateMetadata"), tracked(node.text("trackingNumber"))
    lines = [(row.opt_child("orderLine"), row.int("quantity")) for row in node.opt_list("lines") or ()]
    held = tuple((line.id("id"), units) for line, units in lines if line is not None)
    carrier, url = text.label(words.get(CARRIER, "")), link or text.link(words.get(LINK))
    return Parcel(node.id("id"), held, number, carrier, url, node.moment("created"), cancelled=cancelled)


def _refunds(node: Node) -> tuple[Refund, ...]:
    """Paid back by the older payments or by transactions; and what is only granted yet, once."""
    payments = [row for each in node.opt_list("payments") or () for row in each.opt_list("transactions") or ()]
    events = [row for each in node.opt_list("transactions") or () for row in each.opt_list("events") or ()]
    granted = node.opt_list("grantedRefunds") or []
    paid_out = {event.text("id") for row in granted for event in row.rows("transactionEvents")}
    rows = [row for row in payments if row.word("kind") == "REFUND" and row.bool("isSuccess")]
    rows += granted
    rows += [row for row in events if row.text("type") == "REFUND_SUCCESS" and row.id("id") not in paid_out]
    return tuple(_refund(row) for row in rows)


def _refund(row: Node) -> Refund:
    return Refund(row.id("id"), money(row.child("amount")), text.label(row.text("reason")), row.moment("createdAt"))


# Our order in their words


def input_of(command: CreateOrder, *, channel_id: str) -> dict[str, Any]:
    """The draft (draft.toml)."""
    to, relay = facts.body(GIVEN["to"], **recipient(command)), [{"key": RELAY, "value": command.email}]
    lines = [facts.body(GIVEN["line"], line=line) for line in merged(command)]
    about = {"channel": channel_id, "mark": MARK, "relay": relay if command.email else []}
    return facts.body(GIVEN["draft"], command=command, to=to, lines=lines, **about)


def method_for(methods: Sequence[Node], command: CreateOrder) -> tuple[int, str]:
    """The cheapest that costs what was paid here or more, which a discount lowers; else the dearest. By how much it
    costs more, in minor units, and its id; "" where there is none.
    """
    prices = [
        (row.child("price").money("amount", command.shipping.currency).minor - command.shipping.minor, row.id("id"))
        for row in methods
        if row.opt_bool("active") is not False and not row.id("id").startswith(EXTERNAL)
    ]
    enough = [price for price in prices if price[0] >= 0]
    return min(enough) if enough else max(prices, default=(0, ""))


def marks_of(command: WriteFulfilment) -> list[dict[str, str]]:
    words = {KEY: command.key, CARRIER: command.carrier, LINK: command.tracking_url}
    return [{"key": name, "value": value} for name, value in words.items()]
