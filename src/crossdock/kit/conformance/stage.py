"""Where a scenario is played: a shop that is connected, the seller's hand in it, and the small things every scenario
needs.
"""

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from aiohttp import web

from crossdock.domain.capability import Manifest, Pace
from crossdock.domain.commands import CancelOrder, CancelReason, CreateOrder, Done, Line
from crossdock.domain.events import ProductGone, ShopOrder, ShopProduct, Unreadable
from crossdock.domain.values import Address, Money
from crossdock.kit.connector import Connector, Hook, Page, Proof, Shop, VariantRef
from crossdock.kit.hand import Hand, Standing
from crossdock.kit.http import Exchange, Transport
from crossdock.kit.rows import readable, readable_products, unreadable
from crossdock.kit.sandbox import FaultDial, Sandbox, Shelf

T = TypeVar("T")
FAST = Pace(per_second=2000.0, burst=2000, parallel=20)
PATIENCE_SECONDS = 3.0
STREET = "17 Cormorant Lane"
MOST_PAGES = 500


class Site(Protocol):
    """A shop to play in: a simulator, or an adapter to a real server. `address` holds once it runs."""

    address: str

    @property
    def hand(self) -> Hand: ...

    def seller_form(self) -> tuple[str, dict[str, str]]: ...


class NotYet(AssertionError):
    """What should have come true within the platform's own time bounds did not."""


class NeedsSimulator(Exception):
    """The scenario looks into the shop's own books, or takes a second shop: nobody's real one has that."""


class Stage:
    """One connected shop. `say` names everything made on it, so nothing of another scenario is taken for its own."""

    # How long it waits before it looks again, and whether http and private addresses will do.
    pause_seconds, local = 0.05, True

    def __init__(self, connector: Connector, site: Site, transport: Transport, pace: Pace) -> None:
        self.connector, self.site, self.transport = connector, site, transport
        self.manifest = connector.manifest
        self.hand = site.hand
        self.exchanges: list[Exchange] = []
        self.inbox: list[Hook] = []
        self.proof: Proof
        self.shop: Shop
        self._pace = pace
        self._numbers = itertools.count(1)
        self.word = secrets.token_hex(3).upper()

    @property
    def sandbox(self) -> Sandbox:
        if self.server.borrowed:
            raise NeedsSimulator("It looks into the shop's own books, so it needs a simulated shop.")
        return self.server

    @property
    def server(self) -> Sandbox:
        """The simulated shop, or the fault dial that stands before somebody's shop."""
        if not isinstance(self.site, Sandbox):
            raise NeedsSimulator("It needs a shop with a fault dial before it.")
        return self.site

    @property
    def dial(self) -> FaultDial:
        return self.server.dial

    # Connecting

    def empty_shop(self) -> Shop:
        """The shop before anybody signed in."""
        _, form = self.site.seller_form()
        app = self.site.app if isinstance(self.site, Sandbox) else {}
        http = self.transport.party(
            f"shop:{self.word}:{next(self._numbers)}", self._pace, local=self.local, recorder=self.exchanges.append
        )
        address = self.connector.address(form, local=self.local)
        return Shop(address, {}, {}, http, now=lambda: datetime.now(UTC), app=app)

    async def connect(self) -> None:
        """Sign in as a seller does and prove the connection."""
        way, form = self.site.seller_form()
        shop = self.empty_shop()
        kept = await self.connector.finish(shop, way=way, form=form, params={}, keep={})
        await self.settle(replace(shop, secrets=kept))

    async def settle(self, shop: Shop) -> None:
        """Prove `shop` and keep what the proof fixed."""
        self.proof = await self.connector.prove(shop)
        self.shop = replace(shop, settings={"currency": self.proof.currency, **self.proof.settings})

    def fresh_budget(self) -> None:
        """Forget that the shop asked us to slow down, so that a scenario with many faults need not wait for each."""
        self.shop = replace(self.shop, http=self.empty_shop().http)

    # What the seller has

    async def product(self, *counts: int, price: str = "12.50", title: str = "") -> tuple[VariantRef, ...]:
        """A product with one variant per count."""
        number = next(self._numbers)
        rows = [(f"{self.word}-{number}-{i}", price, count) for i, count in enumerate(counts or (5,))]
        return await self.hand.add_product(title or f"Card {self.word} {number}", rows)

    async def stocked(self) -> None:
        """There is something to be listed."""
        await self.product(5)

    async def standing(self, command: CreateOrder) -> list[Standing]:
        """The shop's open orders of this buyer: doubles are found by the buyer, not by our reference."""
        return [order for order in await self.hand.orders() if command.email in order.buyer and not order.cancelled]

    async def listed(self, shop_id: str) -> Standing:
        """The order as the seller sees it."""
        for order in await self.hand.orders():
            if order.shop_id == shop_id:
                return order
        raise NotYet(f"the seller has no order {shop_id}")

    # What we ask

    def order(
        self, *lines: tuple[VariantRef, int], price: str = "9.90", shipping: str = "0.00", reference: str = ""
    ) -> CreateOrder:
        """An order of a buyer of its own."""
        number = next(self._numbers)
        currency = self.proof.currency
        return CreateOrder(
            reference=reference or f"XD-{self.word}-{number:04d}",
            lines=tuple(
                Line(ref.product_id, ref.variant_id, f"{self.word}-{i}", f"Card {i}", units, Money.of(price, currency))
                for i, (ref, units) in enumerate(lines)
            ),
            shipping=Money.of(shipping, currency),
            ship_to=Address("Ada Buyer", STREET, "Springfield", "US", "62701", region="IL", phone="+1 555 010 0000"),
            email=f"buyer-{self.word.lower()}-{number}@relay.example",
            placed_at=datetime.now(UTC),
        )

    async def placed(self, command: CreateOrder) -> Done:
        """Create the order; it has to land."""
        outcome = await self.connector.create(self.shop, command)
        if not isinstance(outcome, Done):
            raise NotYet(f"the order should have landed, but: {outcome}")
        return outcome

    def cancellation(self, command: CreateOrder, done: Done) -> CancelOrder:
        return CancelOrder(command.reference, done.shop_id, CancelReason.BUYER_ASKED)

    async def counted(self, *variants: VariantRef) -> dict[str, int | None]:
        """What the connector reads now."""
        counts = understood(await self.connector.counts(self.shop, variants))
        return {count.variant_id: count.count for count in counts}

    async def order_cursor(self) -> str:
        """A cursor for news of orders from now on."""
        return (await self.connector.orders(self.shop, "")).cursor

    async def all_products(self, cursor: str = "") -> tuple[list[ShopProduct | ProductGone], str]:
        """Every page from `cursor`, and where to go on."""
        items, cursor = await _walk(lambda at: self.connector.products(self.shop, at), cursor)
        return list(understood_products(items)), cursor

    async def all_orders(self, cursor: str) -> tuple[list[ShopOrder], str]:
        items, cursor = await _walk(lambda at: self.connector.orders(self.shop, at), cursor)
        return list(understood(items)), cursor

    async def news(self, cursor: str, shop_id: str, holds: Callable[[ShopOrder], bool], what: str) -> ShopOrder:
        """Poll as the engine does until the order's snapshot says so.

        Each poll goes on where the last one ended: news must not need luck.
        """
        found: list[ShopOrder] = []

        async def look() -> bool:
            nonlocal cursor
            items, cursor = await self.all_orders(cursor)
            found.extend(item for item in items if item.shop_id == shop_id)
            return bool(found) and holds(found[-1])

        await self.eventually(look, lambda: f"the poll to show {what} (last seen: {found[-1] if found else 'nothing'})")
        return found[-1]

    async def eventually(
        self, look: Callable[[], Awaitable[bool]], what: Callable[[], str], *, within: float = 0.0
    ) -> None:
        """Look until it is so, for the platform's own time bounds and a little more."""
        lag = self.manifest.lag
        end = asyncio.get_running_loop().time() + max(within, lag.count, lag.search) + PATIENCE_SECONDS
        while not await look():
            if asyncio.get_running_loop().time() > end:
                raise NotYet(f"waited in vain for {what()}")
            await asyncio.sleep(self.pause_seconds)

    # Webhooks

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """A door on loopback that keeps every delivery in `inbox` and says 200."""

        async def keep(request: web.Request) -> web.Response:
            self.inbox.append(
                Hook({name.lower(): value for name, value in request.headers.items()}, await request.read())
            )
            return web.Response()

        app = web.Application()
        app.router.add_post("/hooks/{tail:.*}", keep)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.shop = replace(
            self.shop, hook_url=f"http://127.0.0.1:{runner.addresses[0][1]}/hooks/shop/{self.manifest.name}/1"
        )
        try:
            yield
        finally:
            await runner.cleanup()


def understood(items: Iterable[T | Unreadable]) -> tuple[T, ...]:
    """A healthy shop's rows are all understood."""
    rows = tuple(items)
    for odd in unreadable(rows):
        raise NotYet(f"a row could not be understood: {odd.cause}")
    return readable(rows)


def understood_products(
    items: Iterable[ShopProduct | ProductGone | Unreadable],
) -> tuple[ShopProduct | ProductGone, ...]:
    rows = tuple(items)
    understood(unreadable(rows))
    return readable_products(rows)


async def _walk(page: Callable[[str], Awaitable[Page[T]]], cursor: str) -> tuple[list[T], str]:
    items: list[T] = []
    for _ in range(MOST_PAGES):
        answer = await page(cursor)
        items.extend(answer.items)
        cursor = answer.cursor
        if not answer.more:
            return items, cursor
    raise NotYet(f"the list does not end: {MOST_PAGES} pages and still more")


@asynccontextmanager
async def staged(connector: Connector, sandbox_class: type[Sandbox], *, seed: int = 0) -> AsyncIterator[Stage]:
    """A fresh simulated shop, started and connected."""
    shelf = Shelf()
    sandbox = sandbox_class(shelf, seed=seed)
    await sandbox.start()
    try:
        async with staged_at(connector, sandbox, pace=FAST) as stage:
            yield stage
    finally:
        await sandbox.stop()
        shelf.close()


@asynccontextmanager
async def staged_at(
    connector: Connector, site: Site, *, pace: Pace | None = None, manifest: Manifest | None = None
) -> AsyncIterator[Stage]:
    """A running shop, connected. Several stages can share one, since each looks only at what it made. `manifest` is
    what this very shop can do, where it may be less than its platform.
    """
    async with Transport() as transport:
        stage = Stage(connector, site, transport, pace or connector.manifest.pace)
        stage.manifest = manifest or connector.manifest
        await stage.connect()
        yield stage


def units(lines: Sequence[tuple[str, int]]) -> Mapping[str, int]:
    """Units per variant, however the shop cut them into lines."""
    total: dict[str, int] = {}
    for variant, count in lines:
        total[variant] = total.get(variant, 0) + count
    return total


def another_id(shop_id: str) -> str:
    """An id of the same form that does not exist."""
    digits = len(shop_id) - len(shop_id.rstrip("0123456789"))
    return shop_id[: len(shop_id) - digits] + "9" * 8 if digits else shop_id + "9"
