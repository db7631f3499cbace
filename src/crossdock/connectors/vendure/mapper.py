"""Vendure's words into ours.

Amounts are whole numbers of 1/10^precision, whatever the currency; a cancelled order's lines have quantity 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urljoin

from crossdock.domain.commands import CreateOrder
from crossdock.domain.currencies import NotMoney
from crossdock.domain.events import (
    OrderLine,
    Parcel,
    Refund,
    ShopOrder,
    ShopOrderState,
    ShopProduct,
    ShopVariant,
)
from crossdock.domain.values import Money
from crossdock.kit import text
from crossdock.kit.connector import Shop
from crossdock.kit.errors import Strange
from crossdock.kit.json_node import Node, flag
from crossdock.kit.shop.base import chosen_locations
from crossdock.kit.shop.mapping import named, names, options, read_variants

METHOD = "crossdock"
# A customer's name is all that orders can be searched by before they are paid, so the reference stands there from the
# second call on. "customerLastName" and "transactionId" are the only filters on something of ours (order.api.graphql,
# input OrderFilterParameter).
MARK = "(Crossdock "
# "Pending" is a parcel being packed: the seller has still to say that it left.
SHIPPED = frozenset({"Shipped", "Delivered"})
# Allocations are made in the payment's own transaction and dated by the same clock, the database's, in whole seconds
# on SQLite.
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
BEFORE, AFTER = timedelta(seconds=2), timedelta(seconds=5)


def stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def surname(reference: str) -> str:
    return f"{MARK}{reference})"


@dataclass(frozen=True, slots=True)
class Books:
    """The shop's own settings that turn stock levels into what it would sell."""

    tracks: bool
    threshold: int
    locations: frozenset[str]


def books(data: Node, settings: Mapping[str, str]) -> Books:
    """Levels at locations of other channels come along too; only this channel's locations count, or those that the
    seller chose.
    """
    world = data.child("globalSettings")
    listed = frozenset(id_ for place in data.child("stockLocations").rows("items") if (id_ := place.text("id")))
    return Books(world.bool("trackInventory"), world.int("outOfStockThreshold"), chosen_locations(settings) or listed)


def saleable(variant: Node, ours: Books) -> int | None:
    """What the shop would sell without a back-order: on hand - allocated - what it keeps back. None when it does not
    count; may be negative.

    A negative threshold permits selling what is not there: left out, since the marketplace sells what exists.
    """
    levels = [level for level in variant.list("stockLevels") if level.id("stockLocationId") in ours.locations]
    # Below zero once orders are sent whose allocation was lost in another's payment (seen on PostgreSQL: 50 on hand,
    # three orders of 7 paid at once and sent, 29 on hand and -14 allocated); that makes no units.
    left = sum(level.int("stockOnHand") - max(0, level.int("stockAllocated")) for level in levels)
    return left - max(0, kept_back(variant, ours)) if tracks(variant, ours) else None


def tracks(variant: Node, ours: Books) -> bool:
    return {"TRUE": True, "FALSE": False}.get(variant.word("trackInventory"), ours.tracks)


def kept_back(variant: Node, ours: Books) -> int:
    """Its threshold: what is not sold; negative where more is sold than there is."""
    own, shared = variant.int("outOfStockThreshold"), variant.bool("useGlobalOutOfStockThreshold")
    return ours.threshold if shared else own


def backorders(variant: Node, ours: Books) -> bool:
    """ "Back orders can be enabled by setting a negative value as the Out-of-stock threshold" (docs.vendure.io,
    user guide, products).
    """
    return kept_back(variant, ours) < 0


def money(value: int, currency: str, shop: Shop) -> Money:
    try:
        return Money.of(Decimal(value).scaleb(-int(shop.settings.get("precision", "2"))), currency)
    except NotMoney:
        raise Strange("currencyCode", "currency", currency) from None


def product(node: Node, ours: Books, shop: Shop) -> ShopProduct:
    pictures = [_picture(node, shop), *(_preview(asset.text("preview"), shop) for asset in node.rows("assets"))]
    enabled = node.bool("enabled")
    variants, others = read_variants(node.list("variants"), _name, _off, lambda row: _variant(row, ours, shop))
    reasons = [*([] if enabled else ["The product is switched off in your shop."]), *others]
    if enabled and not variants and not reasons:
        reasons.append("The product has no variant in your shop.")
    result = ShopProduct(
        product_id=node.id("id"),
        title=text.label(node.str("name")),
        variants=tuple(variants),
        active=enabled and bool(variants),
        # In one paragraph, as the storefronts of this platform show it in their lists.
        description=text.plain(node.text("description")).replace("\n", " "),
        images=tuple(dict.fromkeys(filter(None, pictures))),
        url=f"{shop.address}/dashboard/products/{node.id('id')}",
        updated_at=node.moment("updatedAt"),
        reasons=tuple(reasons),
        properties=named(node.rows("facetValues"), "facet.name", "name"),
        types=names(node.rows("collections")),
    )
    node.done()
    return result


def _off(variant: Node) -> str:
    return "is switched off in your shop." if flag(variant.raw("enabled")) is False else ""


def _picture(node: Node, shop: Shop) -> str:
    return _preview(node.view("featuredAsset").text("preview"), shop)


def _preview(path: str, shop: Shop) -> str:
    """Paths of the shop's own server, or whole addresses of a store of files."""
    try:
        return text.link(urljoin(shop.address + "/", path) if path else "")
    except ValueError:
        return ""


def _name(variant: Node) -> str:
    return options(option.text("name") for option in variant.rows("options")) or text.label(variant.text("name"))


def _variant(node: Node, ours: Books, shop: Shop) -> ShopVariant:
    result = ShopVariant(
        variant_id=node.id("id"),
        sku=text.label(node.text("sku")),
        title=_name(node),
        price=money(node.int("priceWithTax"), node.str("currencyCode"), shop),
        count=saleable(node, ours),
        image=_picture(node, shop),
        backorders=backorders(node, ours),
        options=named(node.rows("options"), "group.name", "name"),
    )
    node.ignore("name", "enabled")
    node.done()
    return result


def placed(node: Node) -> bool:
    """Whether it is an order at all: drafts and abandoned payments are not, cancelled or not."""
    return node.opt_time("orderPlacedAt") is not None


def reference_of(node: Node) -> str:
    ours = [pay.text("transactionId") for pay in node.rows("payments") if pay.text("method") == METHOD]
    return ours[0] if ours else ""


def order(node: Node, shop: Shop, *, taken: Mapping[str, int | None] | None = None) -> ShopOrder:
    """`taken` is proven units per variant, where somebody looked (see stock.py); None where it was not to be seen."""
    cancelled = node.word("state") == "Cancelled"
    currency = node.str("currencyCode")
    lines = tuple(_line(line, cancelled, taken) for line in node.list("lines"))
    refunds = [refund for pay in node.opt_list("payments") or () for refund in pay.list("refunds")]
    return ShopOrder(
        shop_id=node.id("id"),
        number=text.label(node.text("code")) or node.id("id"),
        reference=reference_of(node),
        state=ShopOrderState.CANCELLED if cancelled else ShopOrderState.OPEN,
        lines=lines,
        total=money(node.int("totalWithTax"), currency, shop),
        parcels=_parcels(node.opt_list("fulfillments") or ()),
        packed=_packed(node.opt_list("fulfillments") or ()),
        refunds=tuple(_refund(each, currency, shop) for each in refunds if each.word("state") != "Failed"),
        stock_taken=taken is not None
        and any(line.quantity > 0 for line in lines)
        and all((line.stock_taken or 0) >= line.quantity for line in lines),
        url=f"{shop.address}/dashboard/orders/{node.id('id')}",
        cancel_note=_cancel_note(node),
        buyer=text.label(node.view("customer").text("emailAddress")),
        updated_at=node.moment("updatedAt"),
    )


def _line(node: Node, cancelled: bool, taken: Mapping[str, int | None] | None) -> OrderLine:
    variant = node.child("productVariant")
    return OrderLine(
        line_id=node.id("id"),
        product_id=variant.id("productId"),
        variant_id=variant.id("id"),
        sku=text.label(variant.text("sku")),
        quantity=node.int("orderPlacedQuantity") if cancelled else node.int("quantity"),
        stock_taken=None if taken is None else taken.get(variant.id("id"), 0),
    )


def _parcels(fulfilments: Sequence[Node]) -> tuple[Parcel, ...]:
    """What left, and what left and was taken back.

    Core cannot change a tracking code: sellers cancel the fulfilment and make the same again. That one goes on as the
    parcel it replaces.
    """
    found: list[tuple[Parcel, datetime]] = []
    for node in sorted(fulfilments, key=_made):
        if node.word("state") not in (*SHIPPED, "Cancelled"):
            continue
        # One that does not say when it was made replaces none.
        parcel, made, changed = _parcel(node), _made(node), node.moment("updatedAt") or LAST
        for number, (old, ended) in enumerate(found):
            if old.cancelled and ended <= made and set(old.lines) == set(parcel.lines):
                found[number] = (replace(parcel, parcel_id=old.parcel_id), changed)
                break
        else:
            found.append((parcel, changed))
    return tuple(parcel for parcel, _ in found)


def _packed(fulfilments: Sequence[Node]) -> tuple[Parcel, ...]:
    """Made and not sent yet: "Pending", or a state of the shop's own. A cancelled order's can still be sent."""
    return tuple(_parcel(node) for node in fulfilments if node.word("state") not in (*SHIPPED, "Cancelled"))


def _made(node: Node) -> datetime:
    return node.moment("createdAt") or FIRST


def _parcel(node: Node) -> Parcel:
    return Parcel(
        parcel_id=node.id("id"),
        lines=tuple((line.id("orderLineId"), line.int("quantity")) for line in node.list("lines")),
        tracking_number=text.label(node.text("trackingCode")),
        carrier=text.label(node.text("method")),
        shipped_at=node.moment("createdAt"),
        cancelled=node.word("state") == "Cancelled",
    )


def _refund(node: Node, currency: str, shop: Shop) -> Refund:
    """A refund of a manual payment stays "Pending" until the seller settles it; they have decided it all the same."""
    amount = money(node.int("total"), currency, shop)
    return Refund(node.id("id"), amount, text.label(node.text("reason")), node.moment("createdAt"))


def _cancel_note(node: Node) -> str:
    # The last is that of the end; earlier ones are of units that were taken out.
    return text.label(next((reason for reason in reversed(reasons_of(node)) if reason), ""))


def reasons_of(order: Node) -> list[str]:
    """What was written with each cancellation, oldest first."""
    return [entry.get("reason", "") for entry in history(order) if isinstance(entry.get("reason"), str)]


def history(order: Node) -> list[dict[str, Any]]:
    """The data of the order's history, as far as each entry has any."""
    items = order.view("history").rows("items")
    return [data for item in items if isinstance(data := item.raw("data"), dict)]


def customer(command: CreateOrder) -> dict[str, str]:
    return {"firstName": command.ship_to.name, "lastName": surname(command.reference), "emailAddress": command.email}


def address(command: CreateOrder) -> dict[str, str]:
    to = command.ship_to
    words = {
        "fullName": to.name,
        "company": to.company,
        "streetLine1": to.line1,
        "streetLine2": to.line2,
        "city": to.city,
        # A country of its own in what Vendure is delivered with (core/mock-data/data-sources/initial-data.ts).
        "province": to.region_there,
        "postalCode": to.postal_code,
        "countryCode": to.country_there,
        "phoneNumber": to.phone,
    }
    return {name: word for name, word in words.items() if word or name in ("streetLine1", "countryCode")}


def units_taken(order_id: str, variant: Node, orders: Sequence[Node]) -> int:
    """Units of `variant` that Vendure's records allocate to this order, by time: `orders` in the order they were
    placed, each takes what was allocated as it was paid.

    An allocation does not tell whose it is (`orderLine` is null there, against the schema). PostgreSQL dates a
    transaction's rows alike, to the microsecond; elsewhere seconds are compared, and doubt goes against us: what could
    belong to an earlier order of the same seconds is not counted as ours.
    """
    made = [each for each in variant.child("stockMovements").list("items") if each.str("__typename") == "Allocation"]
    at = [each.time("createdAt") for each in made]
    free = [each.int("quantity") for each in made]
    alike = any(when.microsecond and when in at for each in orders for when in _paid(each))
    for order in sorted(orders, key=lambda each: each.time("orderPlacedAt")):
        paid = _paid(order)
        lines = [line for line in order.list("lines") if line.child("productVariant").id("id") == variant.id("id")]
        missing = wanted = sum(line.int("orderPlacedQuantity") for line in lines)
        for number, when in enumerate(at):
            if when in paid if alike else min(paid) - BEFORE <= when <= min(paid) + AFTER:
                took = min(missing, free[number])
                free[number] -= took
                missing -= took
        if order.id("id") == order_id:
            return wanted - missing
    return 0


def _paid(order: Node) -> list[datetime]:
    return [pay.time("createdAt") for pay in order.opt_list("payments") or ()] or [order.time("orderPlacedAt")]
