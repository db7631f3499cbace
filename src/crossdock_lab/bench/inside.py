"""Run by the measured commit's own Python, which may be an older one: what has to be made or asked with its modules.

A name that moved from one module to another is looked for; nothing of this package is imported. The last line printed
is JSON.
"""

import asyncio
import contextlib
import json
import pkgutil
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from importlib import import_module
from typing import Any

import django

UTC = timezone.utc  # noqa: UP017 - an older Python may run this
SHIP_TO = {
    "name": "Zoë Müller",
    "line1": "1 Elm St",
    "city": "Springfield",
    "country": "US",
    "postal_code": "12345",
    "region": "IL",
}


def named(name: str, package: str = "crossdock.usecases") -> Any:
    """The function of this name, wherever this commit keeps it."""
    for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
        with contextlib.suppress(ImportError):
            found = getattr(import_module(module.name), name, None)
            if found is not None and found.__module__ == module.name:
                return found
    raise SystemExit(f"this commit has no {name}")


def person(email: str, **fields: Any) -> Any:
    from crossdock.store.models import User

    joined = datetime.now(UTC) - timedelta(days=400)
    return User.objects.create_user(email, None, name="Bench", date_joined=joined, **fields)


def shop_keeper(number: int = 0) -> Any:
    from crossdock.store.models import Seller, ShippingRate

    made = Seller.objects.create(
        owner=person(f"seller-{number}@bench.test"), name=f"Bench {number}", slug=f"bench-{number}", currency="USD"
    )
    ShippingRate.objects.create(seller=made, country="*", currency="USD", price_minor=499)
    return made


def orders(listings: str, buyers: str) -> Any:
    """A seller with listings made by hand, buyers, and tokens of the marketplace."""
    from django.conf import settings

    from crossdock.domain.values import Money
    from crossdock.kit.payments import open_gateway

    now = datetime.now(UTC)
    seller, staff = shop_keeper(), person("staff@bench.test", is_staff=True)
    made = [
        named("make_listing")(
            seller=seller, title=f"Owl {n}", description="", price=Money(1000 + n, "USD"), count=10**6, now=now
        )
        for n in range(int(listings))
    ]
    for n in range(int(buyers)):
        person(f"buyer-{n}@bench.test")
    return {
        "variants": [listing.variants.get().public_id for listing in made],
        "tokens": [named("make_token")(name=f"b{n}", seller=None, actor=staff, now=now)[1] for n in range(8)],
        "payment": open_gateway("sandbox", settings.CONFIG.data).choices()[0].token,
        "ship_to": SHIP_TO,
    }


def fill(listing: str, platform: str, products: str, units: str = "5") -> Any:
    """So many products into the simulated shop of this platform."""
    from crossdock.kit.remote_hand import RemoteHand

    async def work() -> None:
        async with RemoteHand(_row(listing, platform)["address"]) as hand:
            for n in range(int(products)):
                await hand.add_product(
                    f"Card {n}", [(f"SKU-{n}", "10.00", int(units))], description=f"A card, number {n}."
                )

    asyncio.run(work())


def join(listing: str, platform: str, number: str) -> Any:
    """A seller of their own connects it; the worker begins to import. The connection's key."""
    from crossdock.demo.joining import join as joined

    row = _row(listing, platform)
    places = {name: row[name] for name in ("platform", "address", "way", "form")}
    return joined(seller=shop_keeper(int(number)), now=datetime.now(UTC), **places).pk


def _row(listing: str, platform: str) -> Any:
    with open(listing) as file:
        return next(row for row in json.load(file) if row["platform"] == platform)


def listed(connection: str, products: str, seconds: str) -> Any:
    """Wait until so many variants have a count. In one process and by one statement a second, whose own cost would
    otherwise be among what is measured.
    """
    from crossdock.store.models import Variant

    found = Variant.objects.filter(connection_id=int(connection), stock__count__gt=0)
    return _until(lambda: found.count() >= int(products), float(seconds))


def again(connection: str, seconds: str) -> Any:
    """Read all products again from the beginning, and wait until that is done."""
    from crossdock.store.models import Connection, Cursor
    from crossdock.store.work import wake

    rows, begun = Cursor.objects.filter(connection_id=int(connection), stream="products"), datetime.now(UTC)
    rows.update(value="", due_at=begun)
    wake([Connection.objects.get(pk=int(connection)).party_id])
    return _until(lambda: rows.filter(completed_at__gt=begun).exists(), float(seconds))


def till(connection: str, variants: str, buyers: str) -> Any:
    """Like `orders`, with the first variants of a connected shop."""
    from crossdock.store.models import Variant

    known = orders("1", buyers)
    found = Variant.objects.filter(connection_id=int(connection)).order_by("pk")[: int(variants)]
    return known | {"variants": [variant.public_id for variant in found]}


def sizes() -> Any:
    """Bytes of each table with its indexes, without what is free in it already."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
        cursor.execute("SELECT relname, pg_total_relation_size(relid) FROM pg_stat_user_tables")
        return dict(cursor.fetchall())


def polls(connection: str, rounds: str) -> Any:
    """Rows that were inserted and updated while all polls of a shop were due so many times and found nothing."""
    from crossdock.store.models import Cursor

    rows = Cursor.objects.filter(connection_id=int(connection), stream__in=["orders", "products", "counts"])
    before = _rows_written()
    for _ in range(int(rounds)):
        rows.update(due_at=datetime.now(UTC))
        _until(lambda: not rows.filter(due_at__lte=datetime.now(UTC)).exists(), 60)
    after = _rows_written()
    return {name: after[name] - before[name] - (3 * int(rounds) if name == "updated" else 0) for name in after}


def _rows_written() -> dict[str, int]:
    from django.db import connection

    # Within so long each process of the database has told what it counted.
    time.sleep(12)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(n_tup_ins), sum(n_tup_upd) FROM pg_stat_user_tables WHERE relname LIKE 'store_%' OR relname"
            " LIKE 'procrastinate_jobs'"
        )
        inserted, updated = cursor.fetchone()
    return {"inserted": int(inserted), "updated": int(updated)}


def _until(done: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise SystemExit("it took too long")
        time.sleep(1)
    return True


def unsent() -> Any:
    """Commands that nobody has carried out yet."""
    from crossdock.store.models import Command

    return Command.objects.filter(state__in=["waiting", "in_flight"]).count()


def statements(variant: str, token: str, payment: str) -> Any:
    """What one order asks of the database, with its quote: the same requests, in this process."""
    from django.conf import settings
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from crossdock.store.models import ApiToken

    settings.ALLOWED_HOSTS = ["*"]
    head: Any = {"HTTP_AUTHORIZATION": f"Bearer {token}"}
    lines, kind = [{"variant": variant, "quantity": 1}], "application/json"

    def placed(n: int) -> None:
        said = Client().post("/api/v1/quotes", json.dumps({"lines": lines, "country": "US"}), kind, **head)
        asked = {
            "buyer": {"email": f"buyer-{n}@bench.test", "name": "Bench"},
            "ship_to": SHIP_TO,
            "lines": lines,
            "fingerprint": said.json()["fingerprint"],
            "payment": {"token": payment},
        }
        answer = Client().post("/api/v1/orders", json.dumps(asked), kind, HTTP_IDEMPOTENCY_KEY=f"inside-{n}", **head)
        if answer.status_code != 201:
            raise SystemExit(answer.content.decode())

    placed(1)
    # Once a minute a token notes that it was used; not within what is counted.
    ApiToken.objects.update(last_used_at=datetime.now(UTC) + timedelta(minutes=1))
    with CaptureQueriesContext(connection) as caught:
        placed(2)
    sent = [query["sql"] for query in caught.captured_queries]
    try:
        from crossdock.store.together import BETWEEN
    except ImportError:
        said = sent
    else:
        said = [one for text in sent for one in text.split(BETWEEN)]
    savepoints = sum(one.startswith("SAVEPOINT") for one in said)
    return {"round_trips": len(sent), "statements": len(said), "savepoints": savepoints}


def versions() -> Any:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version')")
        return {"server": cursor.fetchone()[0].split()[0]}


if __name__ == "__main__":
    django.setup()
    deed, *words = sys.argv[1:]
    print(json.dumps(globals()[deed](*words)))
