"""A case file made from a real run through each simulated shop, played again offline: nothing differs; a bug planted
in the connector does.
"""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import market
from crossdock.cli.replay import tell
from crossdock.domain.events import Parcel
from crossdock.engine.engine import Engine
from crossdock.engine.record import Recorder
from crossdock.engine.worker import HANDLERS
from crossdock.kit import discover, replay
from crossdock.kit.connector import Forged, Hook
from crossdock.kit.http import Transport
from crossdock.kit.shops import open_shop
from crossdock.kit.webhook import verified_news
from crossdock.store.models import Connection, Delivery, Order, ShopCopy, User, Variant
from crossdock.store.threads import Threads
from crossdock.usecases.checkout.basket import Basket, priced
from crossdock.usecases.checkout.checkout import open_checkout, place_order
from crossdock.usecases.shops import connect
from crossdock.usecases.shops.timers import want_counts
from crossdock.usecases.support.evidence import gather, subject_of
from crossdock.web.inbox import _kept_headers
from simulated import Town, town
from stall import rest, sweep, sync, until

pytestmark = pytest.mark.django_db(transaction=True)
PLATFORMS = ["shopify", "woocommerce", "vendure"]


@dataclass
class Ears:
    """A door that only listens: what a shop delivered, raw."""

    url: str = ""
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/{tail:.*}", self._hear)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        return runner

    async def _hear(self, request: web.Request) -> web.Response:
        self.heard.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        return web.Response()


@dataclass
class Run:
    """One order on one platform, from the buyer's payment to the tracking number."""

    town: Town
    ears: Ears
    engine: Engine
    recorder: Recorder


@pytest.fixture
def here(settings: Any) -> Iterator[tuple[Town, Ears]]:
    with town() as made:
        ears = Ears()
        runner = made.call(ears.start())
        settings.HOOK_URL, settings.ALLOW_LOCAL_SHOPS = ears.url, True
        yield made, ears
        made.call(runner.cleanup())


@pytest.fixture
async def run(transactional_db: None, here: tuple[Town, Ears], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Run]:
    monkeypatch.setattr("crossdock.store.work.defer", lambda _: None)
    threads = Threads(4)
    recorder = Recorder(threads)
    transport = Transport(allow_local=True, recorder=recorder)
    engine = Engine(transport=transport, threads=threads, handlers=HANDLERS)
    yield Run(*here, engine, recorder)
    await engine.stop(grace_seconds=5)
    await transport.close()
    await recorder.close()
    await threads.close()


async def work(run: Run) -> None:
    """Until nothing is due any more."""
    while await sweep(run.engine):
        await rest(run.engine)


def bought(variant: Variant, buyer: User) -> Order:
    now = datetime.now(UTC)
    basket: Basket = {
        "lines": {variant.public_id: 2},
    }
    shown = priced(basket=basket, country="US", now=now)
    intent = open_checkout(
        buyer=buyer,
        basket=basket,
        ship_to=market.ADDRESS,
        key=f"replay-{variant.pk}-checkout",
        fingerprint=shown.fingerprint,
        gateway="sandbox",
        now=now,
    )
    return place_order(intent_id=intent.public_id, gateway_ref="ref", checks={}, now=now)


def keep_deliveries(connection: Connection, heard: list[tuple[dict[str, str], bytes]]) -> None:
    """As the door writes them."""
    connector, shop = open_shop(connect.access_of(connection=Connection.objects.get(pk=connection.pk)), Transport())
    for n, (headers, body) in enumerate(heard):
        news = verified_news(connector, shop, Hook(headers, body))
        made = {
            "topic": news.topic,
            "dedupe": news.dedupe,
            "looks": [{"kind": look.kind, "entity_id": look.entity_id} for look in news.looks],
            "hints": [
                {"variant_id": hint.variant_id, "count": hint.count, "version": hint.version} for hint in news.hints
            ],
        }
        Delivery.objects.create(
            party=connection.party,
            topic=news.topic,
            dedupe=f"{n}",
            news=made,
            headers=json.loads(_kept_headers(headers)),
            body=body,
            received_at=datetime.now(UTC),
            handled_at=datetime.now(UTC),
        )


async def placed_and_fulfilled(run: Run, platform: str) -> tuple[Order, dict[str, Any]]:
    """The order, and the case file's document as staff would download it."""
    from crossdock.demo.joining import join

    shop = run.town.open(platform)
    (ref,) = run.town.call(shop.hand.add_product("Ember Fox", [("FOX-1", "10.00", 9)]))
    way, form = shop.seller_form()
    seller = await sync(market.seller)
    connection = await sync(
        join, seller=seller, platform=platform, address=shop.address, way=way, form=form, now=datetime.now(UTC)
    )
    await work(run)
    found = Variant.objects.select_related("listing", "connection").filter(
        shop_variant_id=ref.variant_id, stock__count=9
    )
    await until(found.exists, what="the listing")
    buyer = await sync(market.user, "zoe@buyer.example", name="Zoë Müller")
    order = await sync(bought, await sync(found.get), buyer)
    await work(run)
    copy = await sync(ShopCopy.objects.get, order=order)
    assert copy.state == "equal"
    run.town.call(shop.hand.fulfil(copy.shop_order_id, tracking="T-77", carrier="UPS"))
    await sync(lambda: ShopCopy.objects.filter(order=order).update(read_wanted=True))
    await sync(want_counts, connection_id=connection.pk, shop_variant_ids=[ref.variant_id], now=datetime.now(UTC))
    await work(run)
    await until(order.shipments.filter(tracking_number="T-77").exists, what="the tracking number")
    await until(lambda: platform == "vendure" or run.ears.heard, what="its webhooks")
    await sync(keep_deliveries, connection, list(run.ears.heard))
    await run.recorder._write()
    manifest = discover.connector(platform).manifest
    fresh = await sync(lambda: Order.objects.select_related("connection__party", "copy", "buyer").get(pk=order.pk))
    evidence = await sync(
        lambda: gather(subject=subject_of(seller=seller, order=fresh), now=datetime.now(UTC), manifest=manifest)
    )
    return fresh, {"case": {"id": "x", "subject": "Where is it?"}, **evidence}


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_a_case_of_a_real_run_plays_again_without_a_difference(
    run: Run, platform: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    order, file = await placed_and_fulfilled(run, platform)
    text = json.dumps(file, ensure_ascii=False)
    for secret in ("Zoë", "Müller", "Elm", "zoe@buyer"):
        assert secret not in text
    assert order.reference in text and "T-77" in text and "FOX-1" in text
    document = replay.read(text)
    kinds = {call.operation for call in document.calls}
    assert {"create", "order"} <= kinds, kinds
    assert platform == "vendure" or document.deliveries
    # In a process of its own: no database, no settings, no network, and none of the sessions that this process holds.
    path = tmp_path / "case.json"
    path.write_text(text, "utf-8")
    said = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "crossdock.cli.main", "replay", str(path), "--all"],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ""},
    )
    assert said.returncode == 0, said.stdout + said.stderr
    assert f"{len(document.calls) + len(document.deliveries)} played, 0 differ, 0 with something missing" in said.stdout
    # A connector with a bug, in both directions: news that are lost, and orders that are taken for done.
    connector = discover.connector(platform)
    real = connector.order

    async def forgetful(shop: Any, shop_id: str) -> Any:
        found = await real(shop, shop_id)
        parcels = tuple(Parcel(p.parcel_id, p.lines, "", p.carrier) for p in found.parcels)
        return replace(found, parcels=parcels)

    monkeypatch.setattr(connector, "order", forgetful, raising=False)
    assert await asyncio.to_thread(tell, document) == 1
    printed = capsys.readouterr().out
    assert 'tracking_number: then "T-77", now ""' in printed
    assert "DIFFERS" in printed


async def test_what_is_missing_or_asked_otherwise_is_said(run: Run) -> None:
    _, file = await placed_and_fulfilled(run, "woocommerce")
    document = replay.read(json.dumps(file))
    created = next(call for call in document.calls if call.operation == "create")
    created.exchanges[-1].method = "PATCH"
    created.given["command"]["lines"][0]["quantity"] = 5
    played = await replay.play(document, discover.connector("woocommerce"))
    one = next(step for step in played if step.title.startswith("create"))
    assert one.missing and one.differences and not one.same
    assert any("asked otherwise" in line and "quantity" in line for line in one.differences), one.differences


async def test_what_was_cut_when_it_was_recorded_is_missing_and_no_difference(run: Run) -> None:
    _, file = await placed_and_fulfilled(run, "woocommerce")
    document = replay.read(json.dumps(file))
    read = next(call for call in document.calls if call.operation == "order" and call.exchanges[0].status == 200)
    read.exchanges[0].answer = f"{read.exchanges[0].answer[:40]}... (70000 characters)"
    played = await replay.play(document, discover.connector("woocommerce"))
    (one,) = (step for step in played if step.missing)
    assert one.title.startswith("order") and one.missing[0].endswith("was too long and is cut")
    assert not one.differences and not one.same


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[]", "None"),
        ('{"format": "crossdock-case/9"}', "crossdock-case/9"),
        ('{"format": "crossdock-case/1", "calls": [{"key": 1}], "taken_at": "2026-01-01T00:00:00Z"}', "broken at"),
    ],
)
def test_what_is_no_case_file_is_said(text: str, said: str) -> None:
    with pytest.raises(replay.NotACase, match=said):
        replay.read(text)


def test_hidden_values_equal_anything_and_nothing_else_does() -> None:
    lines, hidden = replay.differences(
        {"a": "[hidden] St", "b": [1, 2], "c": None}, {"a": "Elm St", "b": [1, 3], "c": 0}
    )
    assert lines == ["b[1]: then 2, now 3", "c: then null, now 0"] and hidden == 1
    assert replay.differences({"a": 1}, {})[0] == ["a: then 1, now nothing"]


def test_only_a_case_and_the_check_of_odd_values_read_what_was_not_verified() -> None:
    connector = discover.connector("shopify")
    shop = replay._shop(replay.ShopFacts(platform="shopify", url="https://x"), None, datetime.now(UTC))
    with pytest.raises(Forged):
        verified_news(connector, shop, Hook({}, b"{}"))
    root = Path(replay.__file__).parents[1]
    readers = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if "tests" not in path.parts and re.search(r"connector\.news\(", path.read_text("utf-8"))
    }
    assert readers == {"kit/webhook.py", "kit/replay.py", "kit/conformance/odd.py"}
    # A payment provider's and a carrier's go one way as well.
    told = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if "tests" not in path.parts and re.search(r"(?:teller|gateway|carrier)\.news\(", path.read_text("utf-8"))
    }
    assert told == {"kit/webhook.py"}


def test_a_call_before_its_time_has_the_clock_of_then() -> None:
    at = datetime.now(UTC) - timedelta(days=3)
    assert replay._shop(replay.ShopFacts(platform="x", url="https://x"), None, at).now() == at
