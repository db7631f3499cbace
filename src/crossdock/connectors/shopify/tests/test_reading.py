"""Pages, windows and locations."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from crossdock.connectors.shopify import connector, reading
from crossdock.connectors.shopify.sandbox import Sandbox, graph
from crossdock.connectors.shopify.tests.conftest import NOW
from crossdock.domain.commands import AdjustStock, Done
from crossdock.domain.events import ShopOrderState, ShopProduct
from crossdock.kit.conformance.stage import Stage
from crossdock.kit.connector import Reply, Shop
from crossdock.kit.errors import Throttled
from crossdock.kit.json_node import node_of


def page_info(more: bool = False) -> Any:
    return node_of({"hasNextPage": more, "endCursor": "abc" if more else None}, "pageInfo")


def replace_location(stage: Stage, location: str) -> Shop:
    return replace(stage.shop, settings={**stage.shop.settings, "location": location})


def window(**fields: Any) -> reading.Window:
    return reading.Window(**fields)


def follow(
    start: reading.Window, changes: list[datetime], *, more: bool = False, now: datetime = NOW
) -> tuple[reading.Window, bool]:
    cursor, again = start.following(page_info(more), changes, now)
    return reading.Window.of(cursor), again


def test_a_window_ends_a_little_before_its_newest_change() -> None:
    """A change may reach the index after a later one did."""
    after, more = follow(window(), [NOW - timedelta(minutes=1)])
    assert (after.since, after.after, more) == ("2026-11-23T11:57:00Z", "", False)


def test_a_shop_at_rest_is_not_told_its_last_busy_minutes_for_ever() -> None:
    after, _ = follow(window(), [NOW - timedelta(hours=1)])
    assert after.since == "2026-11-23T11:00:00Z"
    again, _ = follow(after, [])
    assert again.since == after.since, "an empty page moves nothing"


def test_pages_of_one_window_keep_its_question() -> None:
    start = window(since="2026-11-23T10:00:00Z")
    after, more = follow(start, [NOW], more=True)
    assert (after.query, after.after, after.seen, more) == (start.query, "abc", 1, True)


def test_before_the_limit_of_pages_a_window_starts_again_where_it_is() -> None:
    """ "Shopify limits pagination of arrays of objects to 25,000 objects"."""
    long = window(since="2026-11-23T10:00:00Z", after="x", seen=20_000)
    after, more = follow(long, [NOW], more=True)
    assert (after.since, after.after, after.seen, more) == ("2026-11-23T12:00:00Z", "", 0, True)
    same_second = window(since="2026-11-23T12:00:00Z", after="x", seen=20_000)
    stuck, _ = follow(same_second, [NOW], more=True)
    assert stuck.after == "abc", "a window that has not moved goes on by its pages"


def test_a_cursor_of_another_make_starts_over() -> None:
    for cursor in ("", "x", "[]", '{"page": 3}', "17"):
        assert reading.Window.of(cursor) == reading.Window()


async def test_a_product_with_many_variants_is_read_whole(stage: Stage) -> None:
    made = await stage.product(*range(130))
    found = await connector.product(stage.shop, made[0].product_id)
    assert isinstance(found, ShopProduct)
    assert [(variant.variant_id, variant.count) for variant in found.variants] == [
        (ref.variant_id, i) for i, ref in enumerate(made)
    ]
    (listed, *_), _ = await stage.all_products()
    assert isinstance(listed, ShopProduct)
    assert len(listed.variants) == 130


async def test_an_order_with_many_lines_and_a_large_parcel_is_read_whole(stage: Stage) -> None:
    made = await stage.product(*[3] * 60)
    done = await stage.placed(stage.order(*((ref, 1) for ref in made)))
    await stage.hand.fulfil(done.shop_id, tracking="1Z")
    order = await connector.order(stage.shop, done.shop_id)
    assert [line.variant_id for line in order.lines] == [ref.variant_id for ref in made]
    (parcel,) = order.parcels
    assert sorted(parcel.lines) == sorted((line.line_id, 1) for line in order.lines)


async def test_locations_add_up_and_a_pinned_one_counts_alone(stage: Stage, sandbox: Sandbox) -> None:
    (variant,) = await stage.product(5)
    home, attic = sandbox.shelf.all("location")[0]["id"], sandbox.books.add_location("Attic")
    row = sandbox.books.need("variant", variant.variant_id)
    sandbox.books.move(row, attic, 4, "found in the attic")
    assert await stage.counted(variant) == {variant.variant_id: 9}
    for location, count in ((home, 5), (attic, 4), ("12345", 0)):
        shop = replace_location(stage, location)
        (found,) = await connector.counts(shop, [variant])
        assert found.count == count
        product = await connector.product(shop, variant.product_id)
        assert isinstance(product, ShopProduct)
        assert product.variants[0].count == count


async def test_several_chosen_locations_add_up_and_the_others_do_not_count(stage: Stage, sandbox: Sandbox) -> None:
    """One request answers all of them, so units that are moved between two are never counted twice."""
    (variant,) = await stage.product(5)
    home, attic, cellar = (
        sandbox.shelf.all("location")[0]["id"],
        *(sandbox.books.add_location(n) for n in ("Attic", "Cellar")),
    )
    for place, units in ((attic, 4), (cellar, 2)):
        sandbox.books.move(sandbox.books.need("variant", variant.variant_id), place, units, "found")
    for chosen, count in (((home, attic), 9), ((attic, cellar), 6), ((cellar, "12345"), 2)):
        shop = replace_location(stage, ",".join(chosen))
        (found,) = await connector.counts(shop, [variant])
        assert found.count == count
        product = await connector.product(shop, variant.product_id)
        assert isinstance(product, ShopProduct)
        assert product.variants[0].count == count
    outcome = await connector.adjust(
        replace_location(stage, f"{attic},{cellar}"),
        AdjustStock(variant.product_id, variant.variant_id, 3, "a-1", "counted"),
    )
    assert isinstance(outcome, Done)
    assert await stage.counted(variant) == {variant.variant_id: 14}
    (found,) = await connector.counts(replace_location(stage, home), [variant])
    assert found.count == 5, "the correction went to a location that counts"


async def test_a_location_opened_after_the_test_is_counted_too(stage: Stage, sandbox: Sandbox) -> None:
    """The settings know of one location; the sum of a part would sell what is not there, or hide what is."""
    (variant,) = await stage.product(5)
    row = sandbox.books.need("variant", variant.variant_id)
    for _ in range(6):
        sandbox.books.move(row, sandbox.books.add_location("Branch"), 1, "opened")
        row = sandbox.books.need("variant", variant.variant_id)
    assert stage.shop.settings["locations"] == "1"
    assert await stage.counted(variant) == {variant.variant_id: 11}
    (listed, *_), _ = await stage.all_products()
    assert isinstance(listed, ShopProduct)
    assert listed.variants[0].count == 11


async def test_each_variants_locations_come_from_one_request(stage: Stage, sandbox: Sandbox) -> None:
    made = await stage.product(*[2] * 100)
    asked: list[list[str]] = []

    class Spy:
        async def send(self, method: str, url: str, **rest: Any) -> Reply:
            asked.append(rest["json"]["variables"]["ids"])
            return await stage.shop.http.send(method, url, **rest)

        def learn(self, *, left: float, per_second: float | None = None) -> None: ...

    assert len(await connector.counts(replace(stage.shop, http=Spy()), made)) == 100
    assert len(asked) == 1
    asked.clear()
    chain = replace(stage.shop, http=Spy(), settings={**stage.shop.settings, "locations": "20"})
    assert len(await connector.counts(chain, made)) == 100
    assert len(asked) == 6, "100 variants at 20 locations cost more points than one request may"
    assert [id for ids in asked for id in ids] == [f"gid://shopify/ProductVariant/{ref.variant_id}" for ref in made]


async def test_the_poll_finds_a_change_that_the_index_shows_late(stage: Stage, sandbox: Sandbox) -> None:
    sandbox.books.listing_lag_seconds = 0.4
    (variant,) = await stage.product(5)
    cursor = await stage.order_cursor()
    done = await stage.placed(stage.order((variant, 1)))
    items, cursor = await stage.all_orders(cursor)
    assert items == []
    order = await stage.news(cursor, done.shop_id, lambda order: True, "the order")
    assert order.stock_taken


async def test_others_orders_bring_no_lines_and_no_buyer(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    cursor = await stage.order_cursor()
    own = await stage.hand.sell(variant, 2)
    items, _ = await stage.all_orders(cursor)
    (order,) = [item for item in items if item.shop_id == own]
    assert (order.reference, order.lines, order.buyer, order.state) == ("", (), "", ShopOrderState.OPEN)
    asked = " ".join(exchange.request for exchange in stage.exchanges)
    assert "email" not in asked.lower()
    assert "walkin" not in " ".join(exchange.answer for exchange in stage.exchanges)


async def test_a_small_plan_throttles_and_nothing_is_lost(stage: Stage, sandbox: Sandbox) -> None:
    made = {(await stage.product(1))[0].product_id for _ in range(40)}
    (client_id,) = sandbox.buckets
    sandbox.buckets[client_id] = graph.Bucket(restore=4000.0, size=1000.0, level=10.0, at=datetime.now(UTC).timestamp())
    seen: set[str] = set()
    cursor, more = "", True
    waits: list[float | None] = []
    while more:
        try:
            page = await connector.products(stage.shop, cursor)
        except Throttled as error:
            waits.append(error.after_seconds)
            await asyncio.sleep(error.after_seconds or 0)
            continue
        seen |= {item.product_id for item in page.items}
        cursor, more = page.cursor, page.more
    assert waits, "the small bucket never ran dry"
    assert all(wait and wait < 1 for wait in waits), waits
    assert made <= seen
