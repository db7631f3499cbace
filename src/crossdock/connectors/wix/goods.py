"""Products and stock of both catalogues in our words. Sources are the types of npm `@wix/auto_sdk_*` (stores_products
1.0.108, products-v-3 1.0.226, inventory 1.0.81, inventory-items-v-3 1.0.98, read-only-variants-v-3 1.0.139) and the
pages of dev.wix.com that are named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from crossdock.domain.events import Count, ShopProduct, ShopVariant
from crossdock.kit import text
from crossdock.kit.connector import Shop
from crossdock.kit.errors import Strange
from crossdock.kit.json_node import Node
from crossdock.kit.shop.mapping import images, options, priced, that_hold

# The variant of a product of catalogue V1 that has no options. All such products share it.
SINGLE = "00000000-0000-0000-0000-000000000000"
LOOSE = "Its options have no stock of their own: switch on “Manage pricing and inventory for each product variant”."


def joined(product_id: str, variant_id: str) -> str:
    """Our id of a variant, as Wix's own StoreVariant has it ("{productId}.{variantId}"): SINGLE alone names nothing."""
    return f"{product_id}.{variant_id}"


def parted(variant_id: str) -> tuple[str, str]:
    product, _, variant = variant_id.partition(".")
    return product, variant


def changed(node: Node) -> datetime | None:
    return node.moment("updatedDate" if "updatedDate" in node else "lastUpdated")


def product_of(node: Node, variants: Sequence[Node], counts: Mapping[str, Count], shop: Shop) -> ShopProduct:
    title = text.label(node.text("name"))
    shown, hidden = list[ShopVariant](), list[str]()
    for row in variants:
        variant = _variant(node, row, shop.settings["currency"], counts)
        # V1 keeps it below `variant`.
        if (row.view("variant") if "variant" in row else row).opt_bool("visible") is False:
            hidden.append(f"{variant.title or variant.sku or variant.variant_id} is hidden in your site.")
        else:
            shown.append(variant)
    found, free = priced(shown, title)
    why_not = {
        "Only physical products are sold here.": node.word("productType").lower() != "physical",
        "It is hidden in your site.": node.opt_bool("visible") is False,
        LOOSE: _loose(node),
    }
    return ShopProduct(
        node.id("id"),
        title,
        tuple(found),
        active=bool(found) and not any(why_not.values()),
        description=text.plain(node.text("plainDescription") or node.text("description")),
        images=_images(node.view("media")),
        url=f"{shop.address}/store/products",
        updated_at=changed(node),
        reasons=(*hidden, *free, *that_hold(why_not)),
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


def _variant(product: Node, row: Node, currency: str, counts: Mapping[str, Count]) -> ShopVariant:
    """V1 keeps price and SKU below `variant`, and the SKU of a product without variants at the product; V3 calls a
    choice by `optionChoiceNames`. What the shop shows is the price after a discount.
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
    id_ = joined(product.id("id"), row.id("variantId" if "variantId" in row else "id"))
    count = counts.get(id_)
    return ShopVariant(
        id_,
        text.label(inner.text("sku") or row.text("sku") or product.text("sku"), 200),
        options(names),
        price,
        count.count if count else None,
        barcode=text.label(row.text("barcode"), 200),
        image=next(iter(_images(row.view("media"))), ""),
        backorders=bool(count and count.backorders),
    )


def _images(media: Node) -> tuple[str, ...]:
    """Each is {image: {url}}, and in V3 {url} too."""
    rows = [media.view("mainMedia"), media.view("main"), *media.rows("items"), *media.view("itemsInfo").rows("items")]
    return images(row.view("image").raw("url") or row.raw("url") for row in [media, *rows])


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


@dataclass(frozen=True, slots=True)
class Item(Count):
    """A count, and the id of what it is changed by."""

    item: str = ""


def counts_of(node: Node) -> list[Count]:
    """V3 has a row for one variant at one location, V1 for a product with all its variants."""
    product_id, tracked = node.id("productId"), node.bool("trackQuantity")
    preorders = node.view("preorderInfo").raw("enabled") is True
    rows = [node] if "variantId" in node else node.list("variants")
    return [_count(joined(product_id, row.id("variantId")), row, tracked=tracked, preorders=preorders) for row in rows]


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
