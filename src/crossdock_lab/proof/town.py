"""One seller, one shop, a few buyers: connected and imported once by the product's own code, then the starting point
of every seed of a platform.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from random import Random, SystemRandom
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from crossdock.engine.engine import Engine
from crossdock.engine.worker import HANDLERS
from crossdock.kit import discover
from crossdock.kit.connector import VariantRef
from crossdock.kit.sandbox import Sandbox, Shelf
from crossdock.kit.shops import open_shop
from crossdock.store.models import Connection, Cursor, Party, Seller, User, Variant, VariantStock
from crossdock.usecases.shops import connect
from crossdock_lab.buying import make_seller
from crossdock_lab.proof.clock import START, Inline, SimulatedLoop
from crossdock_lab.proof.wire import Wire, replaced

ADDRESS = "http://127.0.0.1:9871"
HOOKS_AT = "http://127.0.0.1:9870"
POLL_SECONDS = 30.0
LEASE_SECONDS = 6.0
BEGIN_SECONDS = 200.0
PRICES = ("10.00", "7.50")


@dataclass(frozen=True, slots=True)
class Town:
    """`shelf` holds the shop as it was when everything was imported."""

    platform: str
    shelf: Shelf
    connection: Connection
    party_id: int
    seller: Seller
    buyers: tuple[User, ...]
    refs: tuple[VariantRef, ...]
    variants: tuple[Variant, ...]


def copied(shelf: Shelf) -> Shelf:
    """The same shop in another memory."""
    other = Shelf(":memory:")
    shelf.copy_to(other)
    return other


@contextlib.contextmanager
def simulated(loop: SimulatedLoop, woken: Any, dice: Random) -> Iterator[None]:
    """The product's few ways to time, chance and wake-ups lead into the simulation."""
    from django.conf import settings

    from crossdock.engine import pump
    from crossdock.kit import shops
    from crossdock.store import ids, work
    from crossdock.usecases.checkout import checkout

    class Secrets:
        @staticmethod
        def randbelow(below: int) -> int:
            return dice.randrange(below)

    with replaced(
        (settings, "HOOK_URL", HOOKS_AT),
        (settings, "ALLOW_LOCAL_SHOPS", True),
        (settings, "POLL_SECONDS", POLL_SECONDS),
        (shops, "clock", loop.now),
        (work, "defer", lambda party_ids: [woken(party_id) for party_id in party_ids]),
        (ids, "secrets", Secrets),
        (pump, "LOOK_SECONDS", 2.0),
        (checkout, "HOLD_FOR", timedelta(seconds=40)),
    ):
        yield


def new_shop(platform: str, shelf: Shelf, loop: SimulatedLoop, seed: int) -> Sandbox:
    return discover.sandbox(platform)(shelf, seed=seed, clock=loop.now)


def build(platform: str) -> Town:
    """Connect and import. Leaves rows behind: whoever calls it decides whether they stay."""
    here = connections["default"]
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, SimulatedLoop)
        with simulated(loop, lambda party_id: None, SystemRandom()):
            return runner.run(_build(platform, loop, here))


def share(here: BaseDatabaseWrapper) -> None:
    """Django keeps connections apart by task; tasks made from now on use this one, and so are in its transaction."""
    connections["default"] = here


async def _build(platform: str, loop: SimulatedLoop, here: BaseDatabaseWrapper) -> Town:
    share(here)
    name = f"{platform}-{secrets.token_hex(4)}"
    shelf = Shelf(":memory:")
    shop = new_shop(platform, shelf, loop, 0)
    wire = Wire(Random(1), lambda text: None)
    wire.open(shop, ADDRESS)
    refs = [(await shop.hand.add_product(f"Card {n}", [(f"C{n}", price, 5)]))[0] for n, price in enumerate(PRICES)]
    seller = make_seller(name=name, email=f"{name}@example.test")
    buyers = tuple(User.objects.create_user(f"b{n}.{name}@example.test", None, name=f"Buyer {n}") for n in range(6))
    shop.postman.send = _nobody  # type: ignore[method-assign]
    connection = await _connect(platform, shop, seller, wire, loop.now)
    engine = Engine(
        transport=wire.transport(),
        threads=Inline(Random(2), lambda given: None),
        handlers=HANDLERS,
        random=Random(3),
        clock=loop.now,
        lease_seconds=LEASE_SECONDS,
    )
    for _ in range(20):
        engine.wake(connection.party_id)
        await asyncio.sleep(2)
        if not Cursor.objects.filter(connection=connection, due_at__lte=loop.now()).exists():
            break
    await engine.stop(grace_seconds=20)
    await shop.delivered()
    Party.objects.filter(pk=connection.party_id).update(lease_owner="", lease_until=None)
    later = START + timedelta(seconds=BEGIN_SECONDS)
    Cursor.objects.filter(connection=connection).update(due_at=later + timedelta(seconds=POLL_SECONDS / 2))
    # Products are read again when a webhook says so; polling them is a third of a seed's cost and says nothing else
    # about stock.
    Cursor.objects.filter(connection=connection, stream__in=["hooks", "secrets", "products"]).update(
        due_at=later + timedelta(hours=1)
    )
    Connection.objects.filter(pk=connection.pk).update(last_read_at=later)
    variants = tuple(
        Variant.objects.select_related("listing__seller", "listing__connection", "connection").get(
            connection=connection, shop_variant_id=ref.variant_id
        )
        for ref in refs
    )
    assert VariantStock.objects.filter(variant__in=variants).exclude(count=None).count() == len(refs)
    return Town(platform, shelf, connection, connection.party_id, seller, buyers, tuple(refs), variants)


async def _nobody(url: str, headers: Any, body: bytes) -> int:
    return 200


async def _connect(platform: str, shop: Sandbox, seller: Seller, wire: Wire, clock: Any) -> Connection:
    """The pages' way: attempt, proof, confirmation."""
    now: datetime = clock()
    way, form = shop.seller_form()
    connector = discover.connector(platform)
    address = connector.address({"address": shop.address, **form}, local=True)
    attempt, _ = connect.start_attempt(
        seller=seller, user=seller.owner, platform=platform, way=way, address=address, form=form, now=now
    )
    bare = replace(connect.access_for_attempt(attempt=attempt, secrets={}), local=True)
    transport = wire.transport()
    speaker, opened = open_shop(bare, transport, lane="interactive")
    got = await speaker.finish(opened, way=way, form=form, params={}, keep={})
    speaker, opened = open_shop(replace(bare, secrets=got), transport, lane="interactive")
    proof = await speaker.prove(opened)
    # Several processes may play in one database, each with a shop that calls itself the same.
    proof = replace(proof, shop_id=f"{proof.shop_id} {seller.slug}")
    connect.prove_attempt(attempt=attempt, secrets=got, proof=asdict(proof), preview=[], now=now)
    return connect.confirm_attempt(attempt=attempt, left_out=(), settings={}, now=now)
