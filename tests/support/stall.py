"""What the engine's tests share: shops that live in memory, an engine without Procrastinate, and patience."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

import market
from aside import sync
from crossdock.domain.events import ShopProduct, ShopVariant
from crossdock.domain.values import Money
from crossdock.engine.engine import Engine
from crossdock.engine.worker import HANDLERS
from crossdock.kit import discover
from crossdock.kit.http import Transport
from crossdock.store.models import Connection, Cursor, Order, PaymentIntent, Seller, ShopCopy, Variant
from crossdock.store.threads import Threads
from crossdock.usecases.catalogue import import_products
from crossdock.usecases.checkout.basket import Basket, priced
from crossdock.usecases.checkout.checkout import open_checkout, place_order
from crossdock.usecases.parties import leases
from crossdock.usecases.stock import counts
from crossdock_lab.patience import patient
from toy import ToyConnector, Truth


@dataclass
class Stall:
    """One shop with its listings and its truth."""

    shop: Connection
    truth: Truth
    variant: Variant
    seller: Seller

    def open_checkout(self, quantity: int = 1, *, gateway: str = "sandbox") -> PaymentIntent:
        """Held, and not paid yet."""
        now = datetime.now(UTC)
        basket: Basket = {
            "lines": {self.variant.public_id: quantity},
        }
        shown = priced(basket=basket, country="US", now=now)
        key = f"checkout-{next(market._numbers)}"
        return open_checkout(
            buyer=market.user(),
            basket=basket,
            ship_to=market.ADDRESS,
            key=key,
            fingerprint=shown.fingerprint,
            gateway=gateway,
            now=now,
        )

    def buy(self, quantity: int = 1) -> Order:
        intent = self.open_checkout(quantity)
        return place_order(intent_id=intent.public_id, gateway_ref="ref", checks={}, now=datetime.now(UTC))


@pytest.fixture
def connector(monkeypatch: pytest.MonkeyPatch) -> ToyConnector:
    toy = ToyConnector()
    monkeypatch.setattr(discover, "connectors", lambda: {"toy": toy})
    return toy


@pytest.fixture
def no_jobs(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Wake-ups go nowhere, as if the process died right after the commit; the list says what was to be woken."""
    woken: list[int] = []
    monkeypatch.setattr("crossdock.store.work.defer", woken.extend)
    return woken


Make = Callable[[], Stall]


def stall(connector: ToyConnector) -> Stall:
    """A seller with a shop of one product, 1,000 units; its polls are an hour away."""
    seller = market.seller()
    shop = market.connection(seller)
    now = datetime.now(UTC)
    Cursor.objects.filter(connection=shop).update(due_at=now + timedelta(hours=1))
    truth = connector.shops[shop.address] = Truth()
    product = ShopProduct("p1", "Ember Fox", (ShopVariant("v1", "V1", "", Money(1000, "USD"), 1000),))
    import_products.receive_products(connection_id=shop.pk, products=[product], read_no=counts.draw_read_no(), now=now)
    return Stall(shop, truth, Variant.objects.select_related("connection", "listing").get(connection=shop), seller)


@pytest.fixture
def make(connector: ToyConnector, no_jobs: list[int]) -> Make:
    return lambda: stall(connector)


async def started(lease_seconds: float = 15.0) -> Engine:
    return Engine(
        transport=Transport(allow_local=True), threads=Threads(4), handlers=HANDLERS, lease_seconds=lease_seconds
    )


async def stopped(engine: Engine, grace: float = 10) -> None:
    await engine.stop(grace_seconds=grace)
    await engine.transport.close()
    await engine.threads.close()


@pytest.fixture
async def engine(transactional_db: None) -> AsyncIterator[Engine]:
    made = await started()
    yield made
    await stopped(made)


async def until(fact: Callable[[], object], seconds: float = 40, what: str = "it") -> None:
    end = time.monotonic() + patient(seconds)
    while not await sync(fact):
        assert time.monotonic() < end, f"waited {patient(seconds)} s for {what}"
        await asyncio.sleep(0.02)


async def rest(engine: Engine, seconds: float = 40) -> None:
    end = time.monotonic() + patient(seconds)
    while engine.busy:
        assert time.monotonic() < end, "the pumps did not come to rest"
        await asyncio.sleep(0.01)


async def sweep(engine: Engine) -> list[int]:
    due = await engine.threads.run(leases.due_parties, now=datetime.now(UTC))
    for party_id in due:
        await engine.accept(party_id)
    return due


def copy_of(order: Order) -> ShopCopy:
    return ShopCopy.objects.get(order=order)
