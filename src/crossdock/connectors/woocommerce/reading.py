"""Reading a WooCommerce shop. Lists move while one turns their pages, so a page begins where the last one's newest row was, not where it ended."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from babel.numbers import get_currency_precision

from crossdock.connectors.woocommerce import mapper
from crossdock.connectors.woocommerce.client import PAGE, Client, NoRoute, together
from crossdock.domain.events import Count, ProductGone, ShopOrder, ShopProduct
from crossdock.kit.connector import Page, VariantRef
from crossdock.kit.errors import Missing, Strange
from crossdock.kit.tame import Node

T = TypeVar("T")
log = logging.getLogger(__name__)

# A row is seen some time after the moment that it carries: what is younger than this is read again.
SETTLED = timedelta(seconds=60)
# Where a page is full of one second, the next begins this far on; as many rows may move away meanwhile without one being lost.
STEP = PAGE // 2


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a walk through a list goes on: rows changed after `after` (UTC, "" means all), without the first `offset` of them."""

    after: str = ""
    offset: int = 0

    @classmethod
    def of(cls, text: str) -> "Spot":
        after, _, offset = text.partition("~")
        return cls(after, int(offset) if offset.isdigit() else 0)

    def __str__(self) -> str:
        return f"{self.after}~{self.offset}"


@dataclass(frozen=True, slots=True)
class Walked:
    """`settled` is the moment before which everything was surely seen, by the shop's own clock."""

    rows: list[Node]
    spot: Spot
    more: bool
    settled: str


async def walk(client: Client, path: str, spot: Spot, **query: str) -> Walked:
    """One page of what changed, oldest change first. `modified_after` excludes its own second, and a second can fill a page."""
    asked = {"orderby": "modified", "order": "asc", "offset": str(spot.offset), "dates_are_gmt": "true", **query}
    if spot.after:
        asked["modified_after"] = spot.after
    page = await client.rows(path, asked)
    times = [row.time("date_modified_gmt", naive_utc=True) for row in page.items]
    rows = [row for row, time in zip(page.items, times, strict=True) if _text(time) >= spot.after]
    settled = _text(page.at - SETTLED)
    if len(page.items) < PAGE:
        end = Spot(max(spot.after, min(_text(max(times)) if times else settled, settled)))
        return Walked(rows, end, more=False, settled=settled)
    before = _text(max(times) - timedelta(seconds=1))
    onward = Spot(before) if before > spot.after else Spot(spot.after, spot.offset + STEP)
    return Walked(rows, onward, more=True, settled=settled)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def understood(read: Callable[[], T]) -> list[T]:
    """One product or order that a plugin made unreadable is left out with a word in the log, so that it does not stop all others."""
    try:
        return [read()]
    except Strange as error:
        log.warning("left out of a poll: %s", error)
        return []


# Products


async def products(client: Client, cursor: str) -> Page[ShopProduct | ProductGone]:
    """Products, and those moved to the trash. A variation's change moves its parent's date, so parents are enough to ask for."""
    live, _, binned = cursor.partition(";")
    seen = await walk(client, "products", Spot.of(live))
    families = await together([_family(client, row) for row in seen.rows])
    items: list[ShopProduct | ProductGone] = []
    for row, family in zip(seen.rows, families, strict=True):
        items += understood(lambda row=row, family=family: _product(client, row, family))  # type: ignore[misc]
    if not cursor:
        # What was deleted before the first reading is no news.
        return Page(tuple(items), f"{seen.spot};{Spot(seen.settled)}", seen.more)
    trash = await walk(client, "products", Spot.of(binned), status="trash")
    items += [ProductGone(row.id("id")) for row in trash.rows if row.str("status") == "trash"]
    return Page(tuple(items), f"{seen.spot};{trash.spot}", seen.more or trash.more)


async def product(client: Client, product_id: str) -> ShopProduct | ProductGone:
    try:
        node = await client.one(f"products/{int(product_id)}")
        if node.str("type") == "variation" and node.raw("parent_id"):
            return await product(client, node.id("parent_id"))
        if node.str("status") == "trash":
            return ProductGone(product_id)
        return _product(client, node, await _family(client, node))
    except (Missing, ValueError):
        return ProductGone(product_id)


def _product(client: Client, node: Node, family: Sequence[Node]) -> ShopProduct:
    return mapper.product_of(node, family, currency=client.shop.settings["currency"], address=client.shop.address)


async def _family(client: Client, node: Node) -> list[Node]:
    return await _variations(client, node.id("id")) if node.str("type") == "variable" else []


async def _variations(client: Client, product_id: str) -> list[Node]:
    return await client.every(f"products/{product_id}/variations", {"order": "asc", "orderby": "id"})


async def stock(client: Client, pairs: Sequence[tuple[str, str]]) -> dict[str, Node]:
    """(product id, variant id) -> the entry that holds the variant's count. What is gone or in the trash is left out."""
    entries, families = await _families(client, pairs)
    return entries | {row.id("id"): row for rows in families for row in rows}


async def counts(client: Client, variants: Sequence[VariantRef]) -> tuple[Count, ...]:
    """Each variant's number comes from one request; a variant that the shop would not sell is left out, so that its product is read again."""
    wanted = {ref.variant_id for ref in variants}
    entries, families = await _families(client, [(ref.product_id, ref.variant_id) for ref in variants])
    found = {id_: mapper.count_of(node) for id_, node in entries.items()}
    for rows in families:
        counted = mapper.counts_of(rows)
        found |= {row.id("id"): counted[row.id("id")] for row in rows if mapper.sellable(row)}
    return tuple(Count(variant, count) for variant, count in found.items() if variant in wanted)


async def _families(client: Client, pairs: Sequence[tuple[str, str]]) -> tuple[dict[str, Node], list[list[Node]]]:
    """The simple products asked for by id, and all variations of each variable one. Parents are asked for too: a trashed parent still lists its variations."""
    ids = sorted({product for product, _ in pairs if product.isdigit()})
    if not ids:
        return {}, []
    rows = (await client.rows("products", {"include": ",".join(ids), "orderby": "id"})).items
    live = {row.id("id"): row for row in rows if row.id("id") in ids}
    parents = sorted({product for product, variant in pairs if product in live and variant != product})
    families = await together([_variations(client, parent) for parent in parents])
    return {product: live[product] for product, variant in pairs if product == variant and product in live}, families


# Orders


async def orders(client: Client, cursor: str) -> Page[ShopOrder]:
    """Orders of every status, and those in the trash, which "any" leaves out."""
    if not cursor:
        now = Spot(_text((await client.rows("orders", {"per_page": "1"})).at - SETTLED))
        return Page((), f"{now};{now}", more=False)
    live, _, binned = cursor.partition(";")
    dp = _dp(client)
    seen, trash = await asyncio.gather(
        walk(client, "orders", Spot.of(live), status="any", dp=dp),
        walk(client, "orders", Spot.of(binned), status="trash", dp=dp),
    )
    rows = [*seen.rows, *(row for row in trash.rows if row.str("status") == "trash")]
    found = await together([_fulfillments(client, row) for row in rows])
    items: list[ShopOrder] = []
    for row, parts in zip(rows, found, strict=True):
        items += understood(lambda row=row, parts=parts: mapper.order_of(row, parts, address=client.shop.address))  # type: ignore[misc]
    return Page(tuple(items), f"{seen.spot};{trash.spot}", seen.more or trash.more)


async def order(client: Client, shop_id: str) -> ShopOrder:
    try:
        node = await client.one(f"orders/{int(shop_id)}", query={"dp": _dp(client)})
    except (Missing, ValueError):
        return mapper.gone(shop_id, client.shop.settings["currency"])
    return mapper.order_of(node, await _fulfillments(client, node), address=client.shop.address)


async def _fulfillments(client: Client, node: Node) -> list[Node]:
    """Of our own orders, and only where there may be some: it is a request of its own."""
    if not (mapper.reference_of(node) and mapper.may_have_fulfillments(node)):
        return []
    try:
        return (await client.rows(f"orders/{node.id('id')}/fulfillments", {})).items
    except (NoRoute, Missing):
        return []


def _dp(client: Client) -> str:
    """Decimals of the amounts: without this the shop's display setting cuts them."""
    return str(get_currency_precision(client.shop.settings["currency"]))
