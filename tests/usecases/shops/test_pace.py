"""How often a shop is asked: counted at the simulated shops with a clock that is moved, hour by hour."""

# ruff: noqa: F811

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from django.test import Client

import market
from crossdock.domain.health import Stream
from crossdock.domain.pace import IDLE, PROVEN, seconds_until_next
from crossdock.engine.engine import Engine
from crossdock.kit import discover
from crossdock.kit.called import not_called, why_not_called
from crossdock.kit.conformance.stage import Stage, staged
from crossdock.kit.sandbox import Sandbox
from crossdock.store.models import Connection, Cursor, NewsLag, Party, Variant
from crossdock.store.vault import seal
from crossdock.usecases.parties import leases
from crossdock.usecases.shops import news, timers
from crossdock.usecases.shops.health import not_working
from crossdock.usecases.stock.reservations import availability
from market import World
from stall import engine, no_jobs, rest, sync  # noqa: F401

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
STALE = 3600.0


class TestTheDecision:
    @pytest.mark.parametrize(
        ("quiet", "proven", "seconds"),
        [
            (0, False, 60),
            (239, False, 60),
            (600, False, 150),
            (86_400, False, IDLE),
            (0, True, PROVEN),
            (86_400, True, PROVEN),
        ],
    )
    def test_quick_after_news_and_slow_at_rest(self, quiet: float, proven: bool, seconds: float) -> None:
        assert seconds_until_next(base=60, quiet=quiet, proven=proven, stale=STALE) == seconds

    def test_never_so_slow_that_counts_grow_too_old_to_be_sold(self) -> None:
        for base in (15.0, 60.0, 300.0, 3600.0):
            for proven in (False, True):
                seconds = seconds_until_next(base=base, quiet=1e9, proven=proven, stale=300)
                assert seconds <= 100, "three polls within the life of a count, one of which may fail"

    def test_a_platform_that_is_asked_seldom_anyway_is_not_asked_more(self) -> None:
        assert seconds_until_next(base=900, quiet=0, proven=False, stale=STALE) == 900


@pytest.mark.django_db
class TestTheProof:
    def audited(self, world: World, *, healed: tuple[str, ...] = ()) -> None:
        timers.keep_audit(
            connection_id=world.shop.pk, expected=("order",), active=("order",), healed=healed, now=world.later()
        )

    def proven(self, world: World) -> bool:
        return news.proven(connection_id=world.shop.pk, now=world.now)

    def test_begins_with_a_delivery_after_the_subscriptions_were_made(self) -> None:
        world = World()
        self.audited(world, healed=("order",))
        assert not self.proven(world)
        timers.heard(connection_id=world.shop.pk, at=world.later(), now=world.now)
        assert self.proven(world)
        self.audited(world)
        assert self.proven(world), "an audit that found nothing to mend changes nothing"
        self.audited(world, healed=("order",))
        assert not self.proven(world), "it was switched off, for how long nobody knows"

    def test_ends_when_the_audits_do(self) -> None:
        world = World()
        self.audited(world)
        timers.heard(connection_id=world.shop.pk, at=world.later(), now=world.now)
        assert self.proven(world)
        world.later(4 * 3600)
        assert not self.proven(world)

    def test_ends_with_news_that_no_delivery_told_of(self) -> None:
        world = World()
        self.audited(world)
        timers.heard(connection_id=world.shop.pk, at=world.later(), now=world.now)
        Cursor.objects.filter(connection=world.shop, stream="hooks").update(due_at=world.now + HOUR)
        happened = world.later(600)
        now = world.later(60)
        assert not news.missed(connection_id=world.shop.pk, fresh=[happened], now=now), "a delivery may still come"
        now = world.later(600)
        assert news.missed(connection_id=world.shop.pk, fresh=[happened], now=now)
        assert not self.proven(world)
        assert Cursor.objects.get(connection=world.shop, stream="hooks").due_at == now, "looked after at once"
        timers.heard(connection_id=world.shop.pk, at=world.later(), now=world.now)
        assert self.proven(world)


@pytest.mark.django_db
class TestAfterAnOutage:
    def test_of_ours_every_shop_is_audited_soon_and_not_all_at_once(self) -> None:
        for _ in range(3):
            shop = World(now=NOON).shop
            Cursor.objects.filter(connection=shop).update(due_at=NOON + HOUR)
        assert timers.audit_soon(now=NOON) == 3
        times = list(Cursor.objects.filter(stream="hooks").values_list("due_at", flat=True))
        assert len(set(times)) == 3
        assert all(timedelta(seconds=30) <= at - NOON <= timedelta(seconds=330) for at in times)
        assert not Cursor.objects.exclude(stream="hooks").exclude(due_at=NOON + HOUR).exists()

    def test_of_the_shop_it_is_audited_within_a_minute(self) -> None:
        world = World(now=NOON)
        Cursor.objects.filter(connection=world.shop).update(due_at=NOON + HOUR)
        leases.party_well(party_id=world.shop.party_id, now=NOON)
        assert Cursor.objects.get(connection=world.shop, stream="hooks").due_at == NOON + HOUR, "it was never ill"
        Party.objects.filter(pk=world.shop.party_id).update(failures=3)
        leases.party_well(party_id=world.shop.party_id, now=NOON)
        assert Cursor.objects.get(connection=world.shop, stream="hooks").due_at < NOON + timedelta(minutes=1)

    def test_an_address_that_a_platform_never_calls_is_named(self) -> None:
        every = not_called("https://market.example:8443")
        assert all("has port 8443" in words for words in every) and every
        assert any("WooCommerce shops call only the ports 80, 443 and 8080" in words for words in every)
        one = replace(discover.connector("woocommerce").manifest, hook_ports=frozenset({443}))
        assert "WooCommerce shops call only port 443:" in why_not_called(one, "https://market.example:8443")
        assert not any("WooCommerce" in words for words in not_called("http://market.example:8080"))
        for fine in ("https://market.example", "", "http://127.0.0.1:8000"):
            assert not not_called(fine)

    def test_it_stands_where_sellers_and_staff_look(self, settings: Any) -> None:
        seller = market.seller()
        shops = {name: market.connection(seller, platform=name) for name in ("woocommerce", "vendure")}
        owner, staff = Client(), Client()
        owner.force_login(seller.owner)
        staff.force_login(market.user(is_staff=True))
        for url, told in (("https://market.example:8443", True), ("https://market.example", False)):
            settings.PUBLIC_URL = settings.HOOK_URL = url
            for name, shop in shops.items():
                page = owner.get(f"/seller/shops/{shop.public_id}/").content.decode()
                assert ("has port 8443" in page) == (told and name == "woocommerce"), (url, name)
            for path in ("/staff/", "/staff/shops/"):
                assert ("has port 8443" in staff.get(path).content.decode()) == told, (url, path)


@pytest.mark.django_db
class TestTheLag:
    def known(self, world: World, *moments: datetime, measure: bool = True) -> int:
        fresh = news.known_now(
            connection_id=world.shop.pk, stream=Stream.ORDERS, moments=moments, measure=measure, now=world.now
        )
        return len(fresh)

    def world(self) -> World:
        world = World(now=datetime.now(UTC))
        Connection.objects.filter(pk=world.shop.pk).update(created_at=world.now)
        return world

    def test_is_measured_once_and_never_of_what_was_before(self) -> None:
        world = self.world()
        assert self.known(world, world.now - timedelta(days=300)) == 0
        first = world.later(10)
        world.later(20)
        assert self.known(world, first) == 1
        assert self.known(world, first) == 0, "read again with an overlap"
        own = world.later(5)
        assert self.known(world, own, measure=False) == 0
        assert self.known(world, own) == 0, "what we did there is no news"
        assert [row.milliseconds for row in NewsLag.objects.all()] == [20_000]

    def test_half_and_ninety_five_of_a_hundred(self) -> None:
        world = self.world()
        NewsLag.objects.bulk_create(
            NewsLag(connection=world.shop, at=world.now, milliseconds=1000 * n) for n in range(1, 101)
        )
        NewsLag.objects.create(connection=world.shop, at=world.now - timedelta(days=2), milliseconds=10**9)
        order = world.buy()
        copy = order.copy
        copy.intended_at, copy.equal_at = world.now - timedelta(seconds=7), world.now
        copy.save()
        told, placed = news.lags(connection_id=world.shop.pk, now=world.now)
        assert (told.many, told.p50, told.p95) == (100, 50.0, 95.0)
        assert (placed.many, placed.p50) == (1, 7.0)


# Counted at the shops


@dataclass
class Rest:
    """One connected shop of one product, nothing happening in it, and a clock."""

    stage: Stage
    shop: Connection
    engine: Engine
    now: datetime

    async def pass_time(self, length: timedelta, *, proven: bool) -> int:
        """The calls that the shop got meanwhile. Nothing sleeps: the clock jumps to whatever is due next."""
        end, before = self.now + length, self.calls
        while True:
            due = await sync(self._next)
            if due > end:
                self.now = end
                return self.calls - before
            self.now = max(self.now, due)
            if proven:
                await sync(Connection.objects.filter(pk=self.shop.pk).update, last_delivery_at=self.now)
            self.engine.wake(self.shop.party_id)
            await rest(self.engine)

    def _next(self) -> datetime:
        first: datetime = Cursor.objects.filter(connection=self.shop).earliest("due_at").due_at
        return first

    @property
    def calls(self) -> int:
        return self.stage.dial.counts["calls"]


@pytest.fixture(params=["shopify", "woocommerce", "vendure"])
async def shop(
    request: pytest.FixtureRequest,
    transactional_db: None,
    no_jobs: list[int],
    engine: Engine,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Rest]:
    settings.POLL_SECONDS, settings.ALLOW_LOCAL_SHOPS, settings.HOOK_URL = 0, True, "http://127.0.0.1:1"
    engine.random = Random(3)
    async with staged(discover.connector(request.param), discover.sandbox(request.param)) as stage:
        await stage.product(5)
        made = await sync(connected, stage, request.param)
        at_rest = Rest(stage, made, engine, datetime.now(UTC))
        engine.clock = lambda: at_rest.now
        # The budget of calls fills as time passes here too, not by waiting for it.
        begun = at_rest.now
        monkeypatch.setattr(
            engine.transport, "_clock", lambda: time.monotonic() + (at_rest.now - begun).total_seconds()
        )
        await at_rest.pass_time(3 * HOUR, proven=False)
        yield at_rest


def connected(stage: Stage, platform: str) -> Connection:
    made = market.connection(market.seller(), platform=platform)
    Connection.objects.filter(pk=made.pk).update(
        address=stage.shop.address,
        secrets=seal(dict(stage.shop.secrets)),
        settings=dict(stage.shop.settings),
        currency=stage.proof.currency,
        shop_key=stage.proof.shop_id,
    )
    timers.ensure_timers(connection_id=made.pk, now=datetime.now(UTC))
    return Connection.objects.get(pk=made.pk)


def _left(shop: Rest) -> list[int | None]:
    variants = Variant.objects.select_related("connection", "listing").filter(connection=shop.shop)
    return list(availability(variants=variants, now=shop.now).values())


async def test_a_shop_at_rest_is_asked_seldom_and_whoever_looks_sooner(shop: Rest, settings: Any) -> None:
    """240 calls an hour before (WooCommerce: four a minute). One play, since three hours of rest come before it."""
    await _stays_for_sale(shop)
    await _looked_at(shop)
    await _the_operator_s_pace_wins(shop, settings)


async def _stays_for_sale(shop: Rest) -> None:
    writes = await sync(NewsLag.objects.count)
    calls = await shop.pass_time(HOUR, proven=False)
    assert calls <= 60
    assert await sync(_left, shop) == [5]
    assert not await sync(not_working, now=shop.now)
    if not isinstance(shop.stage.site, Sandbox) or shop.shop.platform == "vendure":
        return
    await shop.pass_time(HOUR, proven=True)
    calls = await shop.pass_time(HOUR, proven=True)
    assert calls <= 20, "its webhooks are proven"
    assert await sync(_left, shop) == [5]
    assert not await sync(not_working, now=shop.now)
    assert await sync(NewsLag.objects.count) == writes, "a shop at rest writes nothing"


async def _looked_at(shop: Rest) -> None:
    base = timedelta(seconds=discover.connector(shop.shop.platform).manifest.poll_seconds)
    stirred = await sync(news.stir, connection_id=shop.shop.pk, soon=base, now=shop.now)
    assert stirred
    polled = Cursor.objects.filter(connection=shop.shop, stream__in=["orders", "products"])
    assert all(row.due_at <= max(shop.now, row.asked_at + base) for row in await sync(list, polled))
    assert not await sync(news.stir, connection_id=shop.shop.pk, soon=base, now=shop.now), "written once a minute"


async def _the_operator_s_pace_wins(shop: Rest, settings: Any) -> None:
    settings.POLL_SECONDS = 30.0
    # As after the poll that was planned before the operator chose.
    await sync(Cursor.objects.filter(connection=shop.shop).update, due_at=shop.now)
    await shop.pass_time(timedelta(minutes=1), proven=True)
    before = shop.calls
    await shop.pass_time(timedelta(minutes=5), proven=True)
    assert shop.calls - before >= 2 * 8, "orders and products, each ten times but for the jitter"
