"""WooCommerce's products in our words: what is for sale, how many, and why the rest is not."""

from collections.abc import Sequence
from decimal import ROUND_FLOOR
from functools import partial
from typing import Any

from crossdock.connectors.woocommerce.mapper import MOST_UNITS, UNUSED
from crossdock.domain.events import LookKind, ShopProduct, ShopVariant
from crossdock.domain.values import share
from crossdock.kit import text
from crossdock.kit.errors import Strange
from crossdock.kit.json_node import Node, flag
from crossdock.kit.rows import read_row, readable
from crossdock.kit.shop.mapping import named, names

KINDS = {
    "external": "It is an external product: your shop only links to another shop that sells it.",
    "grouped": "It is a grouped product: its parts are products of their own, and are sold as such.",
}


def count_of(node: Node) -> int | None:
    """None when the shop does not count it (`manage_stock` false).

    "parent" shows the parent's count. Plugins allow half units: rounded down. A new product's quantity is null or ""
    until somebody types one.
    """
    if node.raw("manage_stock") != "parent" and not flag(node.raw("manage_stock")):
        return None
    if node.raw("stock_quantity") in (None, ""):
        return None
    quantity = node.decimal("stock_quantity")
    if abs(quantity) > MOST_UNITS:
        raise Strange(f"{node.path}.stock_quantity", "count", quantity)
    return int(quantity.to_integral_value(ROUND_FLOOR))


def backorders(node: Node) -> bool:
    """The shop sells it below zero on purpose: "notify" or "yes"."""
    return node.text("backorders") in ("notify", "yes")


def priced(node: Node) -> bool:
    return node.raw("price") not in (None, "", False)


def sellable(variation: Node) -> bool:
    """The shop itself would sell it: enabled (a disabled variation is "private") and with a price."""
    return variation.text("status") == "publish" and priced(variation)


def any_option(parent: Node, variation: Node) -> str:
    """The option that the buyer would have to choose in the shop ("Any size"); empty when all are fixed.

    WooCommerce leaves it out of the variation's attributes, older versions write it with an empty option.
    """
    wanted = [text.label(each.text("name")) for each in parent.rows("attributes") if flag(each.raw("variation"))]
    fixed = [each for each in variation.rows("attributes") if each.text("option")]
    if len(fixed) >= len(wanted):
        return ""
    names = {text.label(each.text("name")).casefold() for each in fixed}
    return next((name for name in wanted if name.casefold() not in names), "") or "an option"


def counts_of(parent: Node, variations: Sequence[Node]) -> dict[str, int | None]:
    """Count by variation id; needs all of a product's variations.

    Those with `manage_stock` "parent" draw from one shared number. Offering it for each would promise a unit several
    times, so it is dealt out in equal parts that add up to it (5 over three: 2, 2, 1). Below zero each shows the
    whole.
    """
    counts = {variation.id("id"): count_of(variation) for variation in variations}
    shared = [
        v.id("id")
        for v in variations
        if v.raw("manage_stock") == "parent" and sellable(v) and not any_option(parent, v)
    ]
    total = counts[shared[0]] if shared else None
    if total is not None and total > 0:
        dealt = share(total, (1,) * len(shared))
        counts |= dict(zip(sorted(shared, key=lambda id_: (len(id_), id_)), dealt, strict=True))
    return counts


def product_of(node: Node, variations: Sequence[Node], *, currency: str, address: str) -> ShopProduct:
    """`variations` are all of a variable product's; other types than simple and variable have none that can be
    ordered.
    """
    id_, images, kind = node.id("id"), _images(node), node.text("type")
    rows: tuple[ShopVariant, ...] = ()
    reasons = _why_not(node)
    if kind == "simple" and priced(node):
        rows = (_variant(node, "", count_of(node), currency, images[0] if images else ""),)
    elif kind == "variable":
        rows, odd = _family(node, variations, currency)
        reasons += odd
    product = ShopProduct(
        product_id=id_,
        title=text.label(node.str("name")),
        variants=rows,
        active=bool(rows) and not _why_not(node),
        description=text.plain(node.text("description") or node.text("short_description")),
        images=images,
        url=f"{address}/wp-admin/post.php?post={id_}&action=edit",
        updated_at=node.moment("date_modified_gmt", naive_utc=True),
        reasons=tuple(reasons),
        properties=_properties(node),
        tags=names(node.rows("tags")),
        types=names(node.rows("categories")),
    )
    node.ignore(*UNUSED["product"])
    node.done()
    return product


def _why_not(node: Node) -> list[str]:
    """What keeps the whole product from being sold, as its shop sees it."""
    kind, reasons = node.text("type"), []
    if node.text("status") != "publish":
        reasons.append("The product is not published in your shop.")
    if node.text("catalog_visibility") == "hidden":
        reasons.append("The product is hidden in your shop. Set its catalogue visibility to sell it here.")
    if node.text("post_password"):
        reasons.append("The product is protected by a password in your shop.")
    if kind in KINDS:
        reasons.append(KINDS[kind])
    elif kind not in ("simple", "variable"):
        reasons.append(f"Products of the type “{text.label(kind, 40)}” cannot be ordered from outside your shop.")
    elif kind == "simple" and not priced(node):
        reasons.append("The product has no price in your shop.")
    elif flag(node.raw("purchasable")) is False:
        reasons.append("Your shop does not offer the product for purchase.")
    return reasons


def _family(parent: Node, variations: Sequence[Node], currency: str) -> tuple[tuple[ShopVariant, ...], list[str]]:
    """The variations that are sold, and why the others are not. Each is read on its own."""
    rows: list[ShopVariant] = []
    reasons: list[str] = []
    known = readable(read_row(LookKind.PRODUCT, "", partial(_known, each, currency)) for each in variations)
    counts = counts_of(parent, known)
    for each in variations:
        name = _options(each)
        if each not in known:
            reasons.append(f"“{name}” could not be understood: its number, price or count is no number.")
        elif each.text("status") != "publish":
            reasons.append(f"“{name}” is switched off in your shop.")
        elif not priced(each):
            reasons.append(f"“{name}” has no price in your shop.")
        elif option := any_option(parent, each):
            reasons.append(f"“{name}” is not sold: its buyer would have to choose {option} in your shop.")
        else:
            rows.append(_variant(each, name, counts[each.id("id")], currency, _image(each.raw("image"))))
    if not rows and not reasons:
        reasons.append("The product has no variation in your shop.")
    return tuple(rows), reasons


def _known(variation: Node, currency: str) -> Node:
    """The variation. Raises Strange when what it takes to sell it cannot be read."""
    variation.id("id")
    count_of(variation)
    if priced(variation):
        variation.money("price", currency)
    return variation


def _variant(node: Node, title: str, count: int | None, currency: str, image: str) -> ShopVariant:
    variant = ShopVariant(
        variant_id=node.id("id"),
        sku=text.label(node.text("sku")),
        title=title,
        price=node.money("price", currency),
        count=count,
        barcode=text.label(node.text("global_unique_id")),
        image=image,
        backorders=backorders(node),
        options=named(node.rows("attributes"), value="option"),
    )
    if title:
        node.ignore("status", "date_modified_gmt", *UNUSED["product"])
        node.done()
    return variant


def _options(node: Node) -> str:
    """ "Red / S". An empty option means "any", and is left out."""
    named = [text.label(attribute.text("option")) for attribute in node.rows("attributes")]
    return " / ".join(option for option in named if option) or f"#{node.text('id')}"


def _properties(node: Node) -> tuple[tuple[str, str], ...]:
    """Attributes that no variation chooses ("variation: Define if the attribute can be used by variations") have lists
    of `options`.
    """
    rows = [row for row in node.rows("attributes") if not flag(row.raw("variation"))]
    return tuple((text.label(row.text("name")), word) for row in rows for word in names(row.raw("options")))


def _image(entry: Any) -> str:
    """PHP writes a missing picture as null, false, an empty list or `src` false."""
    return text.link(entry.get("src") if isinstance(entry, dict) else None)


def _images(node: Node) -> tuple[str, ...]:
    entries = node.raw("images")
    return tuple(src for entry in (entries if isinstance(entries, list) else []) if (src := _image(entry)))
