"""A tax rate, a sale or a setting changes prices and moves no date: every product is read again now and then, a page
at a time, and only what differs is written.
"""
# ruff: noqa: F811

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crossdock.domain.events import ProductGone, ShopProduct, ShopVariant
from crossdock.domain.health import Stream
from crossdock.domain.values import Money
from crossdock.engine.engine import Engine
from crossdock.kit.connector import Page, Shop
from crossdock.store.models import Cursor, Listing, Variant
from crossdock.usecases.catalogue import import_products
from crossdock.usecases.catalogue.as_kept import not_as_kept
from crossdock.usecases.shops import timers
from crossdock.usecases.stock import counts
from stall import Make, Stall, connector, engine, make, no_jobs, rest, sweep, sync, until  # noqa: F401
from toy import ToyConnector

pytestmark = pytest.mark.django_db(transaction=True)


def card(number: int, price: int, *, currency: str = "USD", active: bool = True, more: str = "") -> ShopProduct:
    variants = [ShopVariant(f"c{number}{more}", f"C{number}", "", Money(price, currency), 5)]
    return ShopProduct(f"p-{number}", f"Card {number}", tuple(variants), active=active)


def taken_in(stall: Stall, *products: ShopProduct) -> None:
    now = datetime.now(UTC) - timedelta(days=1)
    import_products.receive_products(
        connection_id=stall.shop.pk, products=products, read_no=counts.draw_read_no(), now=now
    )


def due(stall: Stall) -> None:
    timers.ensure_timers(connection_id=stall.shop.pk, now=datetime.now(UTC))
    Cursor.objects.filter(connection=stall.shop).update(due_at=datetime.now(UTC) + timedelta(hours=1))
    Cursor.objects.filter(connection=stall.shop, stream=Stream.PRODUCTS).update(value="polled so far")
    Cursor.objects.filter(connection=stall.shop, stream=Stream.PRICES).update(due_at=datetime.now(UTC))


async def test_a_sweep_reads_every_page_and_writes_what_differs(
    make: Make, engine: Engine, connector: ToyConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    stall = await sync(make)
    await sync(taken_in, stall, card(1, 1000), card(2, 1000), card(3, 1000))
    connector.manifest = replace(connector.manifest, prices_swept_hours=6.0)
    pages = {"": Page((card(1, 1000), card(2, 1200)), "next", True), "next": Page((card(3, 1000),), "end", False)}
    asked: list[str] = []

    async def products(shop: Shop, cursor: str) -> Page[ShopProduct | ProductGone]:
        asked.append(cursor)
        page: Any = pages[cursor]
        return page

    monkeypatch.setattr(connector, "products", products)
    before = await sync(lambda: dict(Listing.objects.values_list("shop_product_id", "updated_at")))
    await sync(due, stall)
    mine = Cursor.objects.filter(connection=stall.shop, stream=Stream.PRICES)
    assert stall.shop.party_id in await sweep(engine)
    while not await sync(mine.filter(completed_at__isnull=False).exists):
        await rest(engine)
        await sweep(engine)
    assert asked == ["", "next"]
    prices = await sync(lambda: dict(Variant.objects.values_list("shop_variant_id", "price_minor")))
    assert {id: price for id, price in prices.items() if id != "v1"} == {"c1": 1000, "c2": 1200, "c3": 1000}
    after = await sync(lambda: dict(Listing.objects.values_list("shop_product_id", "updated_at")))
    assert {id for id in after if after[id] != before[id]} == {"p-2"}
    cursor = await sync(mine.get)
    assert cursor.value == ""
    assert cursor.due_at - datetime.now(UTC) > timedelta(hours=5)
    assert cursor.due_by is not None
    assert cursor.due_by > cursor.due_at
    poll = await sync(Cursor.objects.get, connection=stall.shop, stream=Stream.PRODUCTS)
    assert poll.value == "polled so far"


async def test_where_dates_move_with_prices_nothing_is_read_for_it(
    make: Make, engine: Engine, connector: ToyConnector
) -> None:
    stall = await sync(make)
    assert connector.manifest.prices_swept_hours == 0
    await sync(due, stall)
    await sweep(engine)
    mine = Cursor.objects.filter(connection=stall.shop, stream=Stream.PRICES, completed_at__isnull=False)
    await until(mine.exists, what="the sweep that is none")
    await rest(engine)
    assert "products" not in stall.truth.kinds()


def test_what_is_kept_already_is_not_written_again(make: Make) -> None:
    stall = make()
    taken_in(stall, card(1, 1000))
    same, ask = (
        card(1, 1000),
        lambda product: not_as_kept(connection_id=stall.shop.pk, products=[product]),
    )
    assert ask(same) == []
    for changed in (card(1, 1001), card(1, 1000, currency="EUR"), card(1, 1000, active=False), card(1, 1000, more="b")):
        assert ask(changed) == [changed]
    assert ask(card(2, 1000)) == [card(2, 1000)]
    assert ask(replace(same, variants=())) == [replace(same, variants=())]


def test_a_new_shop_is_swept_after_a_while_and_promises_nothing_before(make: Make) -> None:
    stall = make()
    now = datetime.now(UTC)
    Cursor.objects.filter(connection=stall.shop).delete()
    timers.ensure_timers(connection_id=stall.shop.pk, now=now)
    row = Cursor.objects.get(connection=stall.shop, stream=Stream.PRICES)
    assert (row.due_at, row.due_by) == (now + timers.FIRST_SWEEP, None)
