"""The corner shop's JSON in our words."""

from crossdock.domain.commands import CreateOrder
from crossdock.domain.events import (
    OrderLine,
    Parcel,
    ProductGone,
    Refund,
    ShopOrder,
    ShopOrderState,
    ShopProduct,
    ShopVariant,
)
from crossdock.kit import text
from crossdock.kit.json_node import Doc, Node


def product(node: Node) -> ShopProduct | ProductGone:
    if node.bool("deleted"):
        return ProductGone(node.id("id"))
    currency = node.word("currency")
    variants = tuple(
        ShopVariant(item.id("id"), text.label(item.text("sku")), "", item.money("price", currency), item.int("count"))
        for item in node.list("variants")
    )
    node.ignore("seq")
    title, description = text.label(node.text("title")), text.plain(node.text("description"))
    result = ShopProduct(node.id("id"), title, variants, description=description)
    node.done()
    return result


def order(node: Node) -> ShopOrder:
    currency = node.word("currency")
    lines = tuple(_line(item) for item in node.list("lines"))
    parcels = tuple(
        Parcel(
            item.id("id"),
            tuple((line.id("line"), line.int("units")) for line in item.list("lines")),
            text.label(item.text("tracking")),
            text.label(item.text("carrier")),
        )
        for item in node.list("parcels")
    )
    refunds = tuple(Refund(item.id("id"), item.money("amount", currency)) for item in node.list("refunds"))
    node.ignore("seq", "ship_to", "placed_at", "taken")
    result = ShopOrder(
        shop_id=node.id("id"),
        number=node.id("number"),
        reference=text.label(node.text("reference")),
        state=ShopOrderState.CANCELLED if node.bool("cancelled") else ShopOrderState.OPEN,
        lines=lines,
        total=node.money("total", currency),
        parcels=parcels,
        refunds=refunds,
        stock_taken=True,
        buyer=text.label(node.text("buyer")),
    )
    node.done()
    return result


def _line(item: Node) -> OrderLine:
    """An order takes its units at once."""
    sku, units = text.label(item.text("sku")), item.int("units")
    return OrderLine(item.id("id"), item.id("product"), item.id("variant"), sku, units, units)


def order_request(command: CreateOrder) -> Doc:
    to = command.ship_to
    return {
        "reference": command.reference,
        "buyer": command.email,
        "placed_at": command.placed_at.isoformat(),
        "shipping": str(command.shipping),
        "ship_to": {
            "name": to.name,
            "line1": to.line1,
            "city": to.city,
            "postal_code": to.postal_code,
            "country": to.country,
            "phone": to.phone,
        },
        "lines": [
            {
                "product": line.product_id,
                "variant": line.variant_id,
                "units": line.quantity,
                "price": str(line.unit_price),
            }
            for line in command.lines
        ],
    }
