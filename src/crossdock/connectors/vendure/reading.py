"""What the shop shows: products, counts, orders. A product's `updatedAt` stays when its variants change, and an
order's when it is shipped or refunded.

(Seen on 3.7.3: `transitionToState` saves the order twice, the second time with the old `updatedAt`.) So variants are
asked for by themselves, and our open orders at every poll.
"""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from crossdock.connectors.vendure import mapper, stock
from crossdock.connectors.vendure.client import Answer, Client
from crossdock.connectors.vendure.mapper import stamp
from crossdock.domain.events import Count, LookKind, ProductGone, ShopOrder, ShopOrderState, ShopProduct, Unreadable
from crossdock.domain.values import Money
from crossdock.kit.connector import Page, VariantRef
from crossdock.kit.json_node import Node
from crossdock.kit.rows import id_of, named, order_with, read_each, read_rows, readable, unreadable
from crossdock.kit.shop.paging import usable

PAGE = 50
OVERLAP = timedelta(seconds=60)
WATCHED = timedelta(days=90)
SLOW = timedelta(hours=1)
OPEN = [
    "PaymentAuthorized",
    "PaymentSettled",
    "PartiallyShipped",
    "Shipped",
    "PartiallyDelivered",
    "Modifying",
    "ArrangingAdditionalPayment",
]
CLOSED = ["Delivered", "Cancelled"]
Fetch = Callable[[dict[str, Any]], Awaitable[list[Any]]]
Rows = list[Node | Unreadable]
# What is dated before is no date of a change: the platform began in 2018.
BEGAN = datetime(2018, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a walk in the order of a time field stands: everything before `since`, and `skip` items of that very
    moment, the last of them `last`.
    """

    since: datetime | None = None
    skip: int = 0
    last: str = ""


async def walk(
    fetch: Fetch, spot: Spot, *, kind: LookKind, by: str, filter: dict[str, Any], now: datetime
) -> tuple[Rows, Spot | None]:
    """The next page and the spot after it (None: the end). Repeats items rather than missing one that moves while we
    turn pages.

    Many items can share one moment (an import in one second): only there pages are skipped, and each page begins with
    the last item of the one before. An item without a usable date, or without an id, moves nothing.
    """
    moment = {by: {"after": stamp(spot.since - timedelta(milliseconds=1))}} if spot.since else {}
    options = {
        "take": PAGE,
        "skip": max(0, spot.skip - 1),
        "sort": {by: "ASC", "id": "ASC"},
        "filter": {**filter, **moment},
    }
    found = [named(kind, value, id_of) for value in await fetch(options)]
    if spot.skip and (not found or (spot.last and _known(found[0]) not in ("", spot.last))):
        return [], Spot(spot.since)
    fresh = found[1:] if spot.skip else found
    if len(found) < PAGE:
        return fresh, None
    times = [at for row in found if isinstance(row, Node) and (at := usable(row.moment(by), BEGAN, now))]
    latest = times[-1] if times else None
    if latest is not None and (spot.since is None or latest > spot.since):
        return fresh, Spot(latest)
    return fresh, Spot(spot.since, spot.skip + len(fresh), _known(found[-1]))


def _known(row: Node | Unreadable) -> str:
    return id_of(row) if isinstance(row, Node) else ""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A sweep in phases.

    `begun` and `through` bound it by the server's clock: this sweep's beginning and the next one's. `slow` is when the
    rare phase is due.
    """

    begun: datetime | None = None
    through: datetime | None = None
    slow: datetime | None = None
    phase: str = ""
    spot: Spot = Spot()

    @classmethod
    def read(cls, text: str) -> "Cursor":
        if not text:
            return cls()
        doc = json.loads(text)
        times = {name: _time(doc.get(name)) for name in ("begun", "through", "slow")}
        return cls(
            **times,
            phase=doc.get("phase", ""),
            spot=Spot(_time(doc.get("since")), doc.get("skip", 0), doc.get("last", "")),
        )

    def write(self) -> str:
        times = {"begun": self.begun, "through": self.through, "slow": self.slow, "since": self.spot.since}
        words = {"phase": self.phase, "skip": self.spot.skip, "last": self.spot.last}
        doc = {name: stamp(at) for name, at in times.items() if at} | {
            name: word for name, word in words.items() if word
        }
        return json.dumps(doc, sort_keys=True)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _clock(client: Client, answer: Answer) -> datetime:
    return answer.server_time or client.shop.now()


Products = Page[ShopProduct | ProductGone | Unreadable]


async def products(client: Client, text: str) -> Products:
    cursor = Cursor.read(text)
    if cursor.phase == "variants":
        return await _by_variants(client, cursor)
    through = cursor.through
    if not cursor.phase:
        cursor = Cursor(cursor.begun, phase="products", spot=Spot(cursor.begun))
    replies: list[Answer] = []

    async def fetch(options: dict[str, Any]) -> list[Any]:
        replies.append(await client.answer("Products", options=options))
        return replies[0].data.child("products").entries("items")

    now = client.shop.now()
    found, spot = await walk(fetch, cursor.spot, kind=LookKind.PRODUCT, by="updatedAt", filter={}, now=now)
    through = through or _clock(client, replies[0]) - OVERLAP
    ours = mapper.books(replies[0].data, client.shop.settings)
    items = tuple(read_each(LookKind.PRODUCT, found, id_of, lambda node: mapper.product(node, ours, client.shop)))
    if spot is not None:
        return Page(items, Cursor(cursor.begun, through, phase="products", spot=spot).write(), more=True)
    if cursor.begun is None:
        return Page(items, Cursor(through).write(), more=False)
    return Page(items, Cursor(cursor.begun, through, phase="variants", spot=Spot(cursor.begun)).write(), more=True)


async def _by_variants(client: Client, cursor: Cursor) -> Products:
    """Products whose variants changed since the sweep's beginning (a new price or count leaves the product's own
    `updatedAt` alone).
    """

    async def fetch(options: dict[str, Any]) -> list[Any]:
        return (await client.ask("ChangedVariants", options=options)).child("productVariants").entries("items")

    now = client.shop.now()
    found, spot = await walk(fetch, cursor.spot, kind=LookKind.COUNTS, by="updatedAt", filter={}, now=now)
    owners = read_each(LookKind.COUNTS, found, id_of, lambda node: node.id("productId"))
    ids = list(dict.fromkeys(readable(owners)))
    items: list[ShopProduct | ProductGone | Unreadable] = [*unreadable(owners)]
    if ids:
        data = await client.ask("Products", options={"take": PAGE, "filter": {"id": {"in": ids}}})
        ours = mapper.books(data, client.shop.settings)
        rows = [named(LookKind.PRODUCT, value, id_of) for value in data.child("products").entries("items")]
        items += read_each(LookKind.PRODUCT, rows, id_of, lambda node: mapper.product(node, ours, client.shop))
        # An unnamed row may be any of them: then nothing is called gone.
        told = {_known(row) for row in rows}
        items += [ProductGone(id_) for id_ in sorted(set(ids) - told)] if "" not in told else []
    if spot is None:
        return Page(tuple(items), Cursor(cursor.through).write(), more=False)
    return Page(tuple(items), Cursor(cursor.begun, cursor.through, phase="variants", spot=spot).write(), more=True)


async def product(client: Client, product_id: str) -> ShopProduct | ProductGone:
    data = await client.ask("OneProduct", id=product_id)
    node = data.opt_child("product")
    if node is None:
        return ProductGone(product_id)
    return mapper.product(node, mapper.books(data, client.shop.settings), client.shop)


async def counts(client: Client, variants: Sequence[VariantRef]) -> Sequence[Count | Unreadable]:
    ids = [each.variant_id for each in variants]
    data = await client.ask("Counts", options={"take": len(ids), "filter": {"id": {"in": ids}}}) if ids else None
    if data is None:
        return ()
    ours = mapper.books(data, client.shop.settings)

    def count(node: Node) -> Count:
        return Count(node.id("id"), mapper.saleable(node, ours), backorders=mapper.backorders(node, ours))

    return read_rows(LookKind.COUNTS, data.child("productVariants").entries("items"), id_of, count)


async def orders(client: Client, text: str) -> Page[ShopOrder | Unreadable]:
    """Three walks: what was touched, all of ours that are open, and (once an hour) ours that are closed, for late
    refunds.
    """
    cursor = Cursor.read(text)
    if cursor.begun is None:
        begun = _clock(client, await client.answer("Server"))
        return Page((), Cursor(begun - OVERLAP, slow=begun + SLOW).write(), more=False)
    phase = cursor.phase or "touched"
    spot = cursor.spot if cursor.phase else Spot(cursor.begun)
    mine = {"customerLastName": {"contains": mapper.MARK}}
    by = "updatedAt" if phase == "touched" else "orderPlacedAt"
    wanted: dict[str, dict[str, Any]] = {
        "touched": {"orderPlacedAt": {"isNull": False}},
        "open": {**mine, "state": {"in": OPEN}},
        "closed": {**mine, "state": {"in": CLOSED}},
    }
    replies: list[Answer] = []

    async def fetch(options: dict[str, Any]) -> list[Any]:
        replies.append(await client.answer("Orders", options=options))
        return replies[0].data.child("orders").entries("items")

    found, left = await walk(fetch, spot, kind=LookKind.ORDER, by=by, filter=wanted[phase], now=client.shop.now())
    now = _clock(client, replies[0])
    through = cursor.through or now - OVERLAP
    seen = read_each(LookKind.ORDER, found, id_of, partial(_seen, client))
    items = tuple(item for item in seen if item is not None)
    if left is not None:
        return Page(items, Cursor(cursor.begun, through, cursor.slow, phase, left).write(), more=True)
    if phase == "touched":
        return Page(items, Cursor(cursor.begun, through, cursor.slow, "open", Spot(now - WATCHED)).write(), more=True)
    if phase == "open" and (cursor.slow is None or cursor.slow <= now):
        return Page(items, Cursor(cursor.begun, through, now + SLOW, "closed", Spot(now - WATCHED)).write(), more=True)
    return Page(items, Cursor(through, slow=cursor.slow or now + SLOW).write(), more=False)


def _seen(client: Client, node: Node) -> ShopOrder | None:
    """None for what was never placed."""
    with order_with(mapper.reference_of(node)):
        return mapper.order(node, client.shop) if mapper.placed(node) else None


async def order(client: Client, shop_id: str) -> ShopOrder:
    node = (await client.ask("OneOrder", id=shop_id)).opt_child("order")
    if node is None:
        return gone(client, shop_id)
    with order_with(mapper.reference_of(node)):
        return await stock.proven(client, node) if mapper.placed(node) else gone(client, shop_id)


def gone(client: Client, shop_id: str) -> ShopOrder:
    nothing = Money.zero(client.shop.settings.get("currency") or "USD")
    return ShopOrder(shop_id, "", "", ShopOrderState.GONE, (), nothing)
