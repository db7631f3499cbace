"""Shopify's words into ours.

Ids here are the numbers at the end of Shopify's global ids, as they stand in the admin's addresses.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from crossdock.domain.events import (
    Count,
    LookKind,
    OrderLine,
    Parcel,
    Refund,
    ShopOrder,
    ShopOrderState,
    ShopProduct,
    ShopVariant,
    Unreadable,
)
from crossdock.domain.values import Money
from crossdock.kit import text
from crossdock.kit.errors import Strange
from crossdock.kit.json_node import Node, flag
from crossdock.kit.rows import read_row
from crossdock.kit.shop.cancel_units import key_of
from crossdock.kit.shop.mapping import add_variant, names

NAMESPACE, KEY = "crossdock", "reference"
FIELD = {"namespace": NAMESPACE, "key": KEY}
# The second is Shopify's name for the only variant of a product without options.
TAG, ONLY = "crossdock", "Default Title"

# "SUCCESS: The fulfillment was completed successfully." "CANCELLED: The fulfillment was canceled." "ERROR / FAILURE:
# The fulfillment request failed." OPEN and PENDING wait for a third-party service: nothing has left yet, unless a
# tracking number says otherwise.
_UNDONE = frozenset({"CANCELLED", "ERROR", "FAILURE"})
_WAITING = frozenset({"OPEN", "PENDING"})


def gid(kind: str, number: str) -> str:
    return f"gid://shopify/{kind}/{number}"


def tail(global_id: str, path: str = "id") -> str:
    """The number of `gid://shopify/Order/123?x=y`."""
    number = global_id.rpartition("/")[2].partition("?")[0]
    if not global_id.startswith("gid://shopify/") or not number:
        raise Strange(path, "global id", global_id)
    return number


def money(bag: Node) -> Money:
    """Of a MoneyBag, the amount in the shop's own currency."""
    amount = bag.child("shopMoney")
    return amount.money("amount", amount.str("currencyCode"))


# Products and counts


def product(
    node: Node, variants: Sequence[Node], *, currency: str, address: str, places: frozenset[str] = frozenset()
) -> ShopProduct:
    number = tail(node.str("id"), node.path)
    reasons = _why_not(node)
    active = not reasons
    rows: list[ShopVariant] = []
    for variant in variants:
        if variant.raw("requiresComponents") is True:
            reasons.append(_bundle(variant))
            continue
        name = text.label(variant.text("title")) or "A variant"
        add_variant(rows, reasons, name, partial(_variant, variant, node, currency, places))
    found = ShopProduct(
        product_id=number,
        title=text.label(node.str("title")),
        variants=tuple(rows),
        active=active and bool(rows or not variants),
        description=text.plain(node.text("descriptionHtml")),
        images=tuple(filter(None, map(_image, media_of(node)))),
        url=f"{address}/admin/products/{number}",
        updated_at=node.moment("updatedAt"),
        reasons=tuple(reasons),
        tags=names(node.raw("tags")),
        types=names([node.text("productType")]),
    )
    node.ignore("variants", "media", "options")
    node.done()
    return found


# "UNLISTED: The product is active but you need a direct link to view it": the seller hides it, so it isn't shown here
# either.
_STATES = {
    "DRAFT": "The product is a draft in your shop.",
    "ARCHIVED": "The product is archived in your shop.",
    "UNLISTED": "The product is unlisted in your shop: only who has its link can see it there.",
}


def _bundle(node: Node) -> str:
    """ "If true, then the product variant can only be purchased as a parent bundle with components": the order's lines
    are the components then, which nobody bought here.
    """
    title = text.label(node.text("title"))
    name = "" if title in ("", ONLY) else f"“{title}” "
    return (
        f"{name or 'It '}is a bundle: your shop would make an order of its components instead, so it isn't sold here."
        " List the components."
    )


def _why_not(node: Node) -> list[str]:
    """What keeps the whole product from being sold, as its shop sees it."""
    reasons = []
    if (status := node.word("status")) != "ACTIVE":
        reasons.append(_STATES.get(status, "The product is not active in your shop."))
    if node.bool("isGiftCard"):
        reasons.append("It is a gift card: only your shop itself can issue one.")
    # "Whether the product can only be purchased with a selling plan (subscription)" (schema, Product).
    if flag(node.raw("requiresSellingPlan")):
        reasons.append("Your shop sells it as a subscription only.")
    return reasons


def media_of(node: Node) -> list[Node]:
    return node.view("media").rows("nodes")


def _image(media: Node) -> str:
    """A video or 3D model has a preview image too; one that is still being processed has none."""
    return text.link(media.view("preview").view("image").text("url"))


def _variant(node: Node, product: Node, currency: str, places: frozenset[str]) -> ShopVariant:
    """ "The title field is a concatenation of the option1, option2, and option3 fields" (REST, ProductVariant). Asking
    each variant for its `selectedOptions` would cost a point each; one with " / " within stays unnamed.
    """
    title = text.label(node.text("title"))
    chosen, about = title.split(" / "), names(product.rows("options"))
    return ShopVariant(
        variant_id=tail(node.str("id"), node.path),
        sku=text.label(node.text("sku")),
        title="" if title == ONLY else title,
        price=node.money("price", currency),
        count=available(node.child("inventoryItem"), places),
        barcode=text.label(node.text("barcode")),
        backorders=_continues(node),
        options=tuple(zip(about, chosen, strict=True)) if len(about) == len(chosen) and title != ONLY else (),
    )


def _continues(node: Node) -> bool:
    """ "CONTINUE: Customers can buy this product variant after it's out of stock." """
    return node.text("inventoryPolicy") == "CONTINUE"


def variant_id(node: Node) -> str:
    return tail(node.str("id"), node.path)


def count(node: Node, places: frozenset[str] = frozenset()) -> Count:
    return Count(variant_id(node), available(node.child("inventoryItem"), places), backorders=_continues(node))


def available(item: Node, places: frozenset[str] = frozenset()) -> int | None:
    """ "available" at all locations of this answer, at those that are named, or at the pinned one; None when the shop
    doesn't track the variant.

    A pinned location that doesn't stock the item has no level there: nothing can be sold from it.
    """
    if not item.bool("tracked"):
        return None
    levels = item.opt_child("inventoryLevels")
    if levels is not None:
        rows = levels.list("nodes")
        if len(places) > 1:
            rows = [level for level in rows if tail(level.child("location").str("id")) in places]
        return sum(_available_at(level) for level in rows)
    level = item.opt_child("inventoryLevel")
    return _available_at(level) if level else 0


def _available_at(level: Node) -> int:
    return sum(quantity.int("quantity") for quantity in level.list("quantities"))


def recounted(found: ShopProduct, counts: Sequence[Count]) -> ShopProduct:
    """The product with some of its counts replaced; one that was not answered is unknown."""
    right = {count.variant_id: count.count for count in counts}
    return replace(found, variants=tuple(replace(v, count=right.get(v.variant_id, v.count)) for v in found.variants))


def cut_short(item: Node) -> bool:
    """The shop has more locations than we asked for: what `available` says is too little."""
    levels = item.opt_child("inventoryLevels")
    return levels is not None and levels.child("pageInfo").bool("hasNextPage")


# Orders


def reference(node: Node) -> str:
    """Ours, from our unique field.

    An order made before the field existed carries it as source identifier, together with our tag.
    """
    field = node.opt_child("metafield")
    if field is not None:
        return field.str("value")
    tags = node.raw("tags")
    return node.text("sourceIdentifier") if isinstance(tags, list) and TAG in tags else ""


def order(node: Node, lines: Sequence[Node], parcel_lines: Sequence[Sequence[Node]], *, address: str) -> ShopOrder:
    number, ours = tail(node.str("id"), node.path), reference(node)
    cancelled = node.opt_time("cancelledAt") is not None
    found = ShopOrder(
        shop_id=number,
        number=text.label(node.text("name")) or number,
        reference=ours,
        state=ShopOrderState.CANCELLED if cancelled else ShopOrderState.OPEN,
        lines=tuple(_line(line) for line in lines),
        total=_total(node),
        parcels=tuple(
            parcel
            for fulfilment, parts in zip(node.list("fulfillments"), parcel_lines, strict=True)
            for parcel in parcels(fulfilment, parts)
        ),
        refunds=tuple(r for part in node.list("refunds") if (r := _refund(part)).amount.minor > 0 or r.key),
        # "confirmed: Whether inventory has been reserved for an order." An order without claim says it too, so it
        # counts only for ours: these are made with DECREMENT_OBEYING_POLICY ("Follow the product's inventory policy
        # and claim inventory").
        stock_taken=bool(ours) and node.bool("confirmed"),
        url=f"{address}/admin/orders/{number}",
        cancel_note=_cancel_note(node),
        updated_at=node.moment("updatedAt"),
    )
    node.ignore("lineItems", "createdAt", "tags", "sourceIdentifier")
    node.done()
    return found


def order_id(node: Node) -> str:
    return tail(node.str("id"), node.path)


def of_others(node: Node, *, address: str, currency: str) -> ShopOrder:
    """An order that did not come from here: no lines, nothing of its buyer, and nothing that we would insist on."""
    number, cancelled = order_id(node), node.moment("cancelledAt") is not None
    total = read_row(LookKind.ORDER, number, lambda: money(node.child("currentTotalPriceSet")))
    return ShopOrder(
        shop_id=number,
        number=text.label(node.text("name")) or number,
        reference="",
        state=ShopOrderState.CANCELLED if cancelled else ShopOrderState.OPEN,
        lines=(),
        total=Money.zero(currency) if isinstance(total, Unreadable) else total,
        url=f"{address}/admin/orders/{number}",
        updated_at=node.moment("updatedAt"),
    )


def _total(node: Node) -> Money:
    """What the order stands at, with refunds added back: an edit of its lines shows, a refund (which is news of its
    own) doesn't.
    """
    return money(node.child("currentTotalPriceSet")) + money(node.child("totalRefundedSet"))


def _cancel_note(node: Node) -> str:
    note, reason = text.label(node.view("cancellation").text("staffNote")), node.text("cancelReason").capitalize()
    return ": ".join(part for part in (reason, note) if part)


def _line(node: Node) -> OrderLine:
    """`currentQuantity`: "The number of units ordered, excluding refunded and removed units." A deleted variant is
    null here.
    """
    variant, article = node.opt_child("variant"), node.opt_child("product")
    return OrderLine(
        line_id=tail(node.str("id"), node.path),
        product_id=tail(article.str("id"), article.path) if article else "",
        variant_id=tail(variant.str("id"), variant.path) if variant else "",
        sku=text.label(node.text("sku")),
        quantity=node.int("currentQuantity"),
    )


def parcels(node: Node, parts: Sequence[Node]) -> list[Parcel]:
    """One per tracking number; only the first carries units, so that nothing is shipped twice.

    The id is the number's place, not the number.
    """
    number, status = tail(node.str("id"), node.path), node.word("status")
    tracking = node.rows("trackingInfo")
    at = node.moment("createdAt")
    if status in _WAITING and not any(info.text("number") for info in tracking):
        return []
    units = tuple((tail(part.child("lineItem").str("id"), part.path), part.opt_int("quantity") or 0) for part in parts)
    return [
        Parcel(
            parcel_id=number if place == 0 else f"{number}/{place + 1}",
            lines=units if place == 0 else tuple((line, 0) for line, _ in units),
            tracking_number=text.label(info.text("number")) if info else "",
            carrier=text.label(info.text("company")) if info else "",
            tracking_url=info.text("url")[:2_000] if info else "",
            shipped_at=at,
            cancelled=status in _UNDONE,
        )
        for place, info in enumerate(tracking or [None])
    ]


def _refund(node: Node) -> Refund:
    """A cancel with restock leaves a refund of nothing behind; the caller drops these, but for those that say what we
    took out.
    """
    note = node.text("note")
    return Refund(
        refund_id=tail(node.str("id"), node.path),
        amount=money(node.child("totalRefundedSet")),
        note=text.label(note),
        at=node.moment("createdAt"),
        key=key_of(note),
    )
