"""Products and stock of both catalogues in our words. Sources are the types of npm `@wix/auto_sdk_*` (stores_products
1.0.108, products-v-3 1.0.226, inventory 1.0.81, inventory-items-v-3 1.0.98, read-only-variants-v-3 1.0.139) and the
pages of dev.wix.com that are named.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from crossdock.domain.events import Count, ProductGone, ShopProduct, ShopVariant
from crossdock.kit import text
from crossdock.kit.errors import Strange
from crossdock.kit.json_node import Node

# The variant of a product of catalogue V1 that has no options. All such products share it.
SINGLE = "00000000-0000-0000-0000-000000000000"


def joined(product_id: str, variant_id: str) -> str:
    """Our id of a variant, as Wix's own StoreVariant has it ("{productId}.{variantId}"): SINGLE alone names nothing."""
    return f"{product_id}.{variant_id}"


def parted(variant_id: str) -> tuple[str, str]:
    product, _, variant = variant_id.partition(".")
    return product, variant


def changed(node: Node) -> datetime | None:
    return node.moment("updatedDate" if "updatedDate" in node else "lastUpdated")


def product_of(
    node: Node, variants: Sequence[Node], counts: Mapping[str, Count], *, currency: str, admin: str
) -> ShopProduct | ProductGone:
    product_id, title, kind = node.id("id"), text.label(node.text("name")), node.word("productType")
    found, reasons = [], []
    for row in variants:
        variant, hidden = _variant(product_id, row, node, currency, counts)
        if hidden:
            reasons.append(f"{variant.title or variant.sku or variant.variant_id} is hidden in your site.")
        elif variant.price.minor <= 0:
            reasons.append(f"{variant.title or variant.sku or variant.variant_id} has no price.")
        else:
            found.append(variant)
    physical, visible = kind.lower() == "physical", node.opt_bool("visible") is not False
    if not physical:
        reasons.append("Only physical products are sold here.")
    if not visible:
        reasons.append("It is hidden in your site.")
    if loose := _loose(node):
        reasons.append(
            "Its options have no stock of their own: switch on “Manage pricing and inventory for each product variant”."
        )
    return ShopProduct(
        product_id,
        title,
        tuple(found),
        active=physical and visible and not loose and bool(found),
        description=text.plain(node.text("plainDescription") or node.text("description")),
        images=_images(node.view("media")),
        url=f"{admin}/store/products" if admin else "",
        updated_at=changed(node),
        reasons=tuple(reasons),
    )


def _loose(node: Node) -> bool:
    """Of catalogue V1: choices that a line has to name, and one stock for all of them (e-commerce-integration,
    "Non-Managed Variants").
    """
    return node.opt_bool("manageVariants") is False and bool(node.rows("productOptions"))


def variants_v1(node: Node) -> list[Node]:
    """What is not managed by variant has a row for each choice, with the product's stock: the first stands for all."""
    rows = node.list("variants")
    return rows if node.opt_bool("manageVariants") else rows[:1]


def _variant(
    product_id: str, row: Node, product: Node, currency: str, counts: Mapping[str, Count]
) -> tuple[ShopVariant, bool]:
    """With whether it is hidden. V1 keeps price and SKU below `variant`, and the SKU of a product without variants at
    the product; V3 calls a choice by `optionChoiceNames`. What the shop shows is the price after a discount.
    """
    inner = row.view("variant")
    if "variant" in row:
        prices = inner.child("priceData")
        price = prices.money("discountedPrice" if "discountedPrice" in prices else "price", currency)
        chosen = row.raw("choices")
        names = [each for each in chosen.values() if isinstance(each, str)] if isinstance(chosen, dict) else []
    else:
        price = row.child("price").child("actualPrice").money("amount", currency)
        choices = row.rows("optionChoices") or row.rows("choices")
        names = [each.view("optionChoiceNames").text("choiceName") for each in choices]
    id_ = joined(product_id, row.id("variantId" if "variantId" in row else "id"))
    count = counts.get(id_)
    shown = ShopVariant(
        id_,
        text.label(inner.text("sku") or row.text("sku") or product.text("sku"), 200),
        " / ".join(filter(None, map(text.label, names))),
        price,
        count.count if count else None,
        barcode=text.label(row.text("barcode"), 200),
        image=_image(row.view("media")),
        backorders=bool(count and count.backorders),
    )
    return shown, (inner if "variant" in row else row).opt_bool("visible") is False


def _image(media: Node) -> str:
    """V1 has {image: {url}}, V3 {image: {url}} or {url}."""
    return text.link(media.view("image").raw("url")) or text.link(media.raw("url"))


def _images(media: Node) -> tuple[str, ...]:
    rows = [media.view("mainMedia"), media.view("main"), *media.rows("items"), *media.view("itemsInfo").rows("items")]
    return tuple(dict.fromkeys(filter(None, map(_image, rows))))[:20]


def only_variant(product: Node, item: Node) -> Node:
    """The variant of a product of V3 without options, out of its stock: the list of variants is said to leave such
    products out (seen on a live site by others, August 2026). Its price is then the only one in the product's range.
    """
    prices = product.child("actualPriceRange")
    low, high = prices.child("minValue").raw("amount"), prices.child("maxValue").raw("amount")
    if low != high or not isinstance(low, str | int | float | Decimal):
        raise Strange(f"{product.path}.actualPriceRange", "single price", low)
    about = {"variantId": item.id("variantId"), "sku": item.view("product").text("variantSku")}
    return Node({**about, "price": {"actualPrice": {"amount": low}}}, f"{product.path}.variant")


# Stock


def counts_v3(node: Node) -> list[Count]:
    """One variant at one location."""
    id_ = joined(node.id("productId"), node.id("variantId"))
    return [_count(id_, node, tracked=node.bool("trackQuantity"), preorders=_preorders(node))]


def counts_v1(node: Node) -> list[Count]:
    """One product with all its variants."""
    product_id, tracked = node.id("productId"), node.bool("trackQuantity")
    rows = node.list("variants")
    return [
        _count(joined(product_id, row.id("variantId")), row, tracked=tracked, preorders=_preorders(node))
        for row in rows
    ]


def _preorders(node: Node) -> bool:
    return node.view("preorderInfo").raw("enabled") is True


def _count(id_: str, row: Node, *, tracked: bool, preorders: bool) -> Count:
    """What is not tracked is in stock or not; "quantity can be negative" where it is (types, InventoryItem)."""
    if tracked:
        return Count(id_, row.int("quantity"), backorders=preorders)
    return Count(id_, None if row.opt_bool("inStock") is not False else 0)


def change_of(newer: bool, item_id: str, variant_id: str, delta: int) -> tuple[str, dict[str, Any]]:
    """Where to send a difference, and the body. V3 by the inventory item's id, since what `restrictInventory` means by
    variant and location is documented both ways; V1 by product and variant.
    """
    word = "increment" if delta > 0 else "decrement"
    amount = {f"{word}By": abs(delta)}
    if not newer:
        row = {"productId": item_id, "variantId": variant_id, **amount}
        return f"stores/v2/inventoryItems/{word}", {f"{word}Data": [row]}
    body: dict[str, Any] = {f"{word}Data": [{"inventoryItemId": item_id, **amount}], "reason": "MANUAL"}
    return f"stores/v3/bulk/inventory-items/{word}", body | ({"restrictInventory": True} if delta < 0 else {})
