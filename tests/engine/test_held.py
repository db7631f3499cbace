"""What is kept of a reading: nothing where it brought nothing, all of it where something came of it."""
# ruff: noqa: F811

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crossdock.domain.capability import Pace
from crossdock.domain.events import LookKind, Parcel, ShopProduct, ShopVariant, Unreadable
from crossdock.domain.values import Money
from crossdock.engine.engine import Engine
from crossdock.engine.record import Recorder
from crossdock.engine.worker import HANDLERS
from crossdock.kit.connector import Page, Shop
from crossdock.kit.errors import NoAnswer
from crossdock.kit.held import held
from crossdock.kit.http import Exchange, Transport
from crossdock.store.models import Call, Cursor, Listing, Quarantined, VariantStock
from crossdock.store.threads import Threads
from crossdock.usecases.catalogue import import_products
from crossdock.usecases.stock import counts
from crossdock_lab.ports import free_ports
from stall import Make, connector, copy_of, make, no_jobs, rest, sweep, sync, until  # noqa: F401
from toy import ToyConnector

PACE = Pace(per_second=1000, burst=1000, parallel=8)


class TestOfTheTransport:
    @pytest.fixture
    async def heard(self) -> AsyncIterator[tuple[list[Exchange], Any]]:
        from aiohttp import web

        async def answer(request: web.Request) -> web.Response:
            return web.Response(status=int(request.query["status"]))

        site = web.Application()
        site.router.add_route("*", "/", answer)
        runner = web.AppRunner(site)
        await runner.setup()
        port = free_ports()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        seen: list[Exchange] = []
        async with Transport(allow_local=True, recorder=seen.append) as transport:

            async def ask(status: int, **asked: Any) -> None:
                await transport.party("shop:1", PACE).send("POST", f"http://127.0.0.1:{port}/?status={status}", **asked)

            yield seen, ask
        await runner.cleanup()

    async def test_what_brought_nothing_is_dropped(self, heard: tuple[list[Exchange], Any]) -> None:
        seen, ask = heard
        with held():
            await ask(200)
            await ask(204)
        assert seen == []

    async def test_what_brought_something_is_kept_in_its_order(self, heard: tuple[list[Exchange], Any]) -> None:
        seen, ask = heard
        with held() as reading:
            await ask(200, json={"n": 1})
            await ask(201, json={"n": 2})
            assert seen == []
            reading.kept = True
        assert [(one.status, one.request) for one in seen] == [(200, '{"n": 1}'), (201, '{"n": 2}')]

    async def test_what_ended_with_an_exception_is_kept(self, heard: tuple[list[Exchange], Any]) -> None:
        seen, ask = heard

        async def broken() -> None:
            with held():
                await ask(200)
                raise NoAnswer("gone")

        with pytest.raises(NoAnswer):
            await broken()
        assert [one.status for one in seen] == [200]

    async def test_failures_and_signing_in_are_kept_in_any_case(self, heard: tuple[list[Exchange], Any]) -> None:
        seen, ask = heard
        with held():
            await ask(503)
            await ask(200, json={"password": "x"})
            await ask(200, json={"client_secret": "x"})
        assert [one.status for one in seen] == [503, 200, 200]

    async def test_what_comes_after_is_kept_as_ever(self, heard: tuple[list[Exchange], Any]) -> None:
        seen, ask = heard
        with held():
            await ask(200)
        await ask(200)
        assert len(seen) == 1


@pytest.fixture
async def engine(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engine]:
    # `polled` writes what was recorded; a batch that is being written by itself would not be there yet.
    monkeypatch.setattr("crossdock.engine.record._EVERY_SECONDS", 3600.0)
    threads = Threads(4)
    recorder = Recorder(threads)
    made = Engine(transport=Transport(allow_local=True, recorder=recorder), threads=threads, handlers=HANDLERS)
    yield made
    await made.stop(grace_seconds=10)
    await made.transport.close()
    await recorder.close()
    await threads.close()


def due(stall: Any, *streams: str) -> None:
    Cursor.objects.filter(connection=stall.shop, stream__in=streams).update(due_at=datetime.now(UTC))


async def polled(engine: Engine, stall: Any, *streams: str) -> list[str]:
    """The kinds of calls that were kept of polls of these streams."""
    await sync(Call.objects.all().delete)
    await sync(due, stall, *streams)
    while await sweep(engine):
        await rest(engine)
    recorder = engine.transport.recorder
    assert isinstance(recorder, Recorder)
    if recorder.aside._waiting:
        import asyncio

        await asyncio.wait([*recorder.aside._waiting])
    await recorder._write()
    return await sync(lambda: sorted(Call.objects.values_list("operation", flat=True)))


def read_before(stall: Any, when: datetime | None) -> None:
    """Whether the products were read to their end before."""
    Cursor.objects.filter(connection=stall.shop, stream="products").update(completed_at=when)


@pytest.mark.django_db(transaction=True)
class TestOfPolls:
    async def test_products_that_are_as_they_were_leave_nothing(self, make: Make, engine: Engine) -> None:
        stall = await sync(make)
        await sync(read_before, stall, datetime.now(UTC))
        assert await polled(engine, stall, "products") == []
        stall.truth.counts["v1"] = 7
        assert await polled(engine, stall, "products") == ["products"]
        assert await polled(engine, stall, "products") == []
        stall.truth.counts["v2"] = 7
        assert await polled(engine, stall, "products") == ["products"], "a new variant is news"

    async def test_a_new_product_is_news_but_not_at_first(
        self, make: Make, engine: Engine, connector: ToyConnector, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stall = await sync(make)
        names = ["p2"]

        async def products(shop: Shop, cursor: str) -> Page[ShopProduct]:
            return Page(tuple(card(name) for name in names), "1", False)

        monkeypatch.setattr(connector, "products", products)
        await sync(read_before, stall, None)
        assert await polled(engine, stall, "products") == []
        assert await sync(Listing.objects.filter(shop_product_id="p2").count) == 1
        names.append("p3")
        assert await polled(engine, stall, "products") == ["products"]

    async def test_what_cannot_be_read_is_kept_also_at_first(
        self, make: Make, engine: Engine, connector: ToyConnector, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stall = await sync(make)
        page = Page((card("p2"), Unreadable(LookKind.PRODUCT, "p3", "A price is no number.")), "1", False)

        async def products(shop: Shop, cursor: str) -> Page[ShopProduct | Unreadable]:
            return page

        monkeypatch.setattr(connector, "products", products)
        await sync(read_before, stall, None)
        assert await polled(engine, stall, "products") == ["products"]

    async def test_orders_that_are_as_they_were_leave_nothing(self, make: Make, engine: Engine) -> None:
        stall = await sync(make)
        order = await sync(stall.buy)
        engine.wake(stall.shop.party_id)
        await until(lambda: copy_of(order).state == "equal")
        await rest(engine)
        await polled(engine, stall)
        assert await polled(engine, stall, "orders") == []
        stall.truth.standing(order.reference)[0].parcels.append(Parcel("f1", (("l-v1", 1),), "TRK-1", "UPS"))
        assert "orders" in await polled(engine, stall, "orders")
        await sync(lambda: order.refresh_from_db())
        assert await sync(order.shipments.count) == 1
        assert await polled(engine, stall, "orders") == []

    async def test_orders_of_others_leave_nothing(
        self, make: Make, engine: Engine, connector: ToyConnector, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stall = await sync(make)
        order = await sync(stall.buy)
        engine.wake(stall.shop.party_id)
        await until(lambda: copy_of(order).state == "equal")
        await rest(engine)
        await polled(engine, stall)
        others = connector._order(stall.truth.standing(order.reference)[0])

        async def orders(shop: Shop, cursor: str) -> Page[Any]:
            return Page((replace(others, shop_id="x1", reference=""),), "1", False)

        monkeypatch.setattr(connector, "orders", orders)
        assert await polled(engine, stall, "orders") == []

    async def test_counts_that_are_as_they_were_leave_nothing(self, make: Make, engine: Engine) -> None:
        stall = await sync(make)

        def want(count: int) -> None:
            stall.truth.counts["v1"] = count
            VariantStock.objects.filter(pk=stall.variant.pk).update(want_no=counts.draw_read_no())

        await sync(want, 1000)
        assert await polled(engine, stall) == []
        await sync(want, 999)
        assert await polled(engine, stall) == ["counts"]
        assert (await sync(VariantStock.objects.get, pk=stall.variant.pk)).count == 999


def card(name: str) -> ShopProduct:
    return ShopProduct(name, name.upper(), (ShopVariant(f"v-{name}", name, "", Money(1000, "USD"), 3),))


@pytest.mark.django_db(transaction=True)
class TestSmallPages:
    """Taken in together: what a page costs does not depend on its size."""

    def pages(self, connector: ToyConnector, monkeypatch: pytest.MonkeyPatch, many: int, broken: int = -1) -> list[str]:
        asked: list[str] = []

        async def products(shop: Shop, cursor: str) -> Page[ShopProduct]:
            number = int(cursor or 0)
            asked.append(cursor)
            if number == broken and asked.count(cursor) == 1:
                raise NoAnswer("It broke.")
            return Page(tuple(card(f"{number}-{n}") for n in range(10)), str(number + 1), number + 1 < many)

        monkeypatch.setattr(connector, "products", products)
        return asked

    @pytest.fixture
    def taken(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        sizes: list[int] = []
        real = import_products.receive_products

        def receive(*, products: Sequence[Any], **kwargs: Any) -> int:
            sizes.append(len(products))
            return real(products=products, **kwargs)

        monkeypatch.setattr(import_products, "receive_products", receive)
        return sizes

    async def test_two_hundred_at_once(
        self, make: Make, engine: Engine, connector: ToyConnector, monkeypatch: pytest.MonkeyPatch, taken: list[int]
    ) -> None:
        monkeypatch.setattr("crossdock.engine.shop.polling._GATHERING_SECONDS", 60.0)
        stall = await sync(make)
        taken.clear()
        asked = self.pages(connector, monkeypatch, 23)
        await polled(engine, stall, "products")
        assert taken == [200, 30] and asked == ["", *map(str, range(1, 23))]
        assert await sync(Listing.objects.filter(connection=stall.shop).count) == 231
        assert (await sync(Cursor.objects.get, connection=stall.shop, stream="products")).value == "23"

    async def test_what_is_set_aside_names_the_call_of_its_own_page(
        self, make: Make, engine: Engine, connector: ToyConnector, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("crossdock.engine.shop.polling._GATHERING_SECONDS", 60.0)
        stall = await sync(make)

        async def products(shop: Shop, cursor: str) -> Page[ShopProduct | Unreadable]:
            number = int(cursor or 0)
            odd = (Unreadable(LookKind.PRODUCT, f"odd{number}", "A price is no number."),) if number < 2 else ()
            return Page((card(f"p{number}"), *odd), str(number + 1), number < 3)

        monkeypatch.setattr(connector, "products", products)
        assert await polled(engine, stall, "products") == ["products"] * 4
        calls = await sync(lambda: list(Call.objects.order_by("at", "pk").values_list("key", flat=True)))
        aside = await sync(lambda: dict(Quarantined.objects.values_list("entity", "call")))
        assert aside == {"odd0": calls[0], "odd1": calls[1]}

    async def test_a_page_that_fails_costs_none_before_it(
        self, make: Make, engine: Engine, connector: ToyConnector, monkeypatch: pytest.MonkeyPatch, taken: list[int]
    ) -> None:
        monkeypatch.setattr("crossdock.engine.shop.polling._GATHERING_SECONDS", 60.0)
        stall = await sync(make)
        taken.clear()
        asked = self.pages(connector, monkeypatch, 5, broken=3)
        await polled(engine, stall, "products")
        assert taken == [30, 20] and asked == ["", "1", "2", "3", "3", "4"]

    async def test_a_slow_shop_is_taken_in_page_by_page(
        self, make: Make, engine: Engine, connector: ToyConnector, monkeypatch: pytest.MonkeyPatch, taken: list[int]
    ) -> None:
        monkeypatch.setattr("crossdock.engine.shop.polling._GATHERING_SECONDS", 0.0)
        stall = await sync(make)
        taken.clear()
        self.pages(connector, monkeypatch, 3)
        await polled(engine, stall, "products")
        assert taken == [10, 10, 10]


@pytest.mark.django_db(transaction=True)
async def test_a_day_at_rest_leaves_no_rows(make: Make, engine: Engine) -> None:
    """All streams of a shop in which nothing happens, once: what it writes anew, beside the times of its own rows."""
    stall = await sync(make)
    order = await sync(stall.buy)
    engine.wake(stall.shop.party_id)
    await until(lambda: copy_of(order).state == "equal")
    await rest(engine)
    streams = ("orders", "products", "counts", "secrets", "quarantine", "hooks", "recount", "prices")
    await polled(engine, stall, *streams)
    await sync(
        lambda: VariantStock.objects.filter(pk=stall.variant.pk).update(count_at=datetime.now(UTC) - timedelta(hours=3))
    )

    def tables() -> dict[str, int]:
        from django.apps import apps

        return {
            model._meta.db_table: model._default_manager.count() for model in apps.get_app_config("store").get_models()
        }

    before = await sync(tables)
    for _ in range(2):
        assert await polled(engine, stall, "orders", "products", "counts") == []
    after = await sync(tables)
    grown = {name: after[name] - n for name, n in before.items() if after[name] != n and name != "store_call"}
    assert grown == {}
