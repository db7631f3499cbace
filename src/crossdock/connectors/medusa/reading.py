"""Reading a Medusa store. A product keeps its date when a variant or a price of it changes, and a variant when its
stock does: so changed variants are asked for by themselves, and counts are read.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from crossdock.connectors.medusa import mapper
from crossdock.connectors.medusa.client import PAGE, Client, Query
from crossdock.domain.events import Count, LookKind, ProductGone, ShopOrder, ShopProduct, Unreadable
from crossdock.kit.connector import Page, VariantRef
from crossdock.kit.errors import Missing, Strange
from crossdock.kit.json_node import Node
from crossdock.kit.rows import order_with, read_each, readable, unreadable
from crossdock.kit.shop.mapping import gone
from crossdock.kit.shop.paging import Listed, Spot, Walked, entries, walk

# Medusa 2 is of 2024, and its first version of 2021.
BEGAN = datetime(2021, 1, 1, tzinfo=UTC)
PRODUCTS_PAGE = 50
LEVELS = "inventory_items.required_quantity,*inventory_items.inventory.location_levels"
# `fields` replace the defaults (api/admin/products/query-config.js: defaultAdminProductFields). Without these two of
# them a price of a region or a group has no `rules` (helpers.js: buildRules), and looks like the one for everybody.
RULES = "variants.prices.price_rules.attribute,variants.prices.price_rules.value"
PRODUCT = (
    "id,title,status,description,thumbnail,updated_at,images.url,*variants,*variants.prices,sales_channels.id,tags.value,"
    "type.value,collection.title,categories.name,variants.options.value,variants.options.option.title,"
    f"{RULES},"
    "variants.inventory_items.required_quantity,*variants.inventory_items.inventory.location_levels"
)
VARIANT = f"id,product_id,manage_inventory,allow_backorder,{LEVELS}"
# Not one of fulfilments, labels and refunds is there unless it is named.
ORDER = (
    "id,display_id,status,is_draft_order,currency_code,total,credit_line_total,metadata,updated_at,canceled_at,items.*,"
    "items.variant.inventory_items.required_quantity,items.variant.inventory_items.inventory_item_id,"
    "shipping_address.first_name,shipping_address.last_name,fulfillments.*,fulfillments.items.*,fulfillments.labels.*,"
    "payment_collections.id,payment_collections.status,payment_collections.payments.id,"
    "payment_collections.payments.amount,payment_collections.payments.refunds.*"
)
WHOLE: Query = (("fields", ORDER),)


async def _changes(client: Client, path: str, spot: Spot, size: int, fields: str) -> Walked:
    """One page of what changed, oldest change first. The filter includes its own moment, which the walk does not want
    again.
    """
    key = path.replace("-", "_").removeprefix("product_")

    async def page(spot: Spot, size: int) -> Listed:
        query = [("fields", fields), ("order", "updated_at"), ("limit", str(size)), ("offset", str(spot.offset))]
        if spot.after:
            query.append(("updated_at[$gte]", f"{spot.begins}.000Z"))
        return await client.rows(path, key, query)

    return await walk(page, spot, size, lambda row: row.moment("updated_at"), BEGAN)


def id_of(node: Node) -> str:
    """Part of the addresses that are asked next."""
    id_ = node.id("id")
    if not id_.isascii() or not id_.isidentifier():
        raise Strange(f"{node.path}.id", "id", id_)
    return id_


# Products


Products = Page[ShopProduct | ProductGone | Unreadable]


async def products(client: Client, cursor: str) -> Products:
    """First the products that changed, then those of variants that did: "p;PRODUCTS;VARIANTS". What was deleted is in
    no list, and is seen when looked at or counted.
    """
    phase, _, rest = (cursor or "p;;").partition(";")
    first, _, second = rest.partition(";")
    if phase == "v":
        return await _by_variants(client, first, Spot.of(second))
    seen = await _changes(client, "products", Spot.of(first), PRODUCTS_PAGE, PRODUCT)
    rows = entries(LookKind.PRODUCT, seen, id_of)
    items = tuple(read_each(LookKind.PRODUCT, rows, id_of, partial(_product, client)))
    # The whole list is read with its variants: only what changes while it is read has to be asked for.
    second = second or str(seen.settled)
    return Page(items, f"{'p' if seen.more else 'v'};{seen.spot};{second}", more=True)


async def _by_variants(client: Client, first: str, spot: Spot) -> Products:
    seen = await _changes(client, "product-variants", spot, PAGE, "id,product_id,updated_at")
    rows = entries(LookKind.COUNTS, seen, id_of)
    owners = read_each(LookKind.COUNTS, rows, id_of, lambda node: node.id("product_id"))
    items: list[ShopProduct | ProductGone | Unreadable] = [*unreadable(owners)]
    if ids := list(dict.fromkeys(readable(owners))):
        query = [("fields", PRODUCT), ("limit", str(len(ids))), *(("id[]", id_) for id_ in ids)]
        page = await client.rows("products", "products", query)
        found = entries(LookKind.PRODUCT, page, id_of)
        items += read_each(LookKind.PRODUCT, found, id_of, partial(_product, client))
    return Page(tuple(items), f"{'v' if seen.more else 'p'};{first};{seen.spot}", seen.more)


def _product(client: Client, node: Node) -> ShopProduct:
    return mapper.product_of(node, {**client.shop.settings, "admin": client.shop.address})


async def product(client: Client, product_id: str) -> ShopProduct | ProductGone:
    if not product_id.isidentifier():
        return ProductGone(product_id)
    try:
        node = await client.one("GET", f"products/{product_id}", "product", query=(("fields", PRODUCT),))
    except Missing:
        return ProductGone(product_id)
    return _product(client, node)


async def counts(client: Client, variants: Sequence[VariantRef]) -> Sequence[Count | Unreadable]:
    ids = [ref.variant_id for ref in variants if ref.variant_id.isidentifier()]
    if not ids:
        return ()
    query: Query = [("fields", VARIANT), ("limit", str(len(ids))), *(("id[]", id_) for id_ in ids)]
    page = await client.rows("product-variants", "variants", query)

    def count(node: Node) -> Count:
        number = mapper.count_of(node, client.shop.settings)
        return Count(id_of(node), number, backorders=node.opt_bool("allow_backorder") is True)

    return read_each(LookKind.COUNTS, entries(LookKind.COUNTS, page, id_of), id_of, count)


# Orders


async def orders(client: Client, cursor: str) -> Page[ShopOrder | Unreadable]:
    """A shipment, a refund and a cancel all move an order's date, and so does its end as a draft."""
    if not cursor:
        now = Spot.settled((await client.rows("orders", "orders", (("limit", "1"), ("fields", "id")))).at)
        return Page((), str(now), more=False)
    seen = await _changes(client, "orders", Spot.of(cursor), PAGE, ORDER)
    rows = entries(LookKind.ORDER, seen, id_of)
    items = read_each(LookKind.ORDER, rows, id_of, partial(_shown, client))
    return Page(tuple(items), str(seen.spot), seen.more)


async def order(client: Client, shop_id: str) -> ShopOrder:
    return shown(client, shop_id, await whole(client, shop_id))


async def whole(client: Client, shop_id: str) -> Node | None:
    """None when the store has no such order."""
    if not shop_id.isidentifier() or not shop_id.isascii():
        return None
    try:
        return await client.one("GET", f"orders/{shop_id}", "order", query=WHOLE)
    except Missing:
        return None


def shown(client: Client, shop_id: str, node: Node | None) -> ShopOrder:
    return gone(shop_id, client.shop.settings["currency"]) if node is None else _shown(client, node)


def _shown(client: Client, node: Node) -> ShopOrder:
    with order_with(mapper.reference_of(node)):
        return mapper.order_of(node, admin=client.shop.address)
