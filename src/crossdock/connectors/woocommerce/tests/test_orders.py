"""Our order in a shop that refuses nothing: what came of it is looked at, taken back where it is wrong, and found
again.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from crossdock.connectors.woocommerce import connector, orders
from crossdock.connectors.woocommerce.sandbox.rest import Rest
from crossdock.connectors.woocommerce.tests.conftest import Shopkeeper
from crossdock.domain.commands import AdjustStock, CancelOrder, CancelReason, CreateOrder, Done, Refused, Unknown, Why
from crossdock.domain.events import ShopOrderState, ShopProduct, Unreadable
from crossdock.kit.connector import Reply, VariantRef
from crossdock.kit.errors import AuthDead, NoAnswer
from crossdock.kit.shop import concurrency


async def find(shop: Shopkeeper, command: CreateOrder) -> tuple[str, ...]:
    return (await connector.find(shop.shop, command.reference, since=command.placed_at - timedelta(minutes=1))).shop_ids


# Creating


async def test_an_order_takes_two_calls(shop: Shopkeeper) -> None:
    (variant,) = await shop.product(5)
    shop.exchanges.clear()
    done = await shop.placed(shop.order((variant, 2)))
    assert [one.method for one in shop.exchanges] == ["POST", "GET"]
    assert done.stock_taken and done.shop_number and done.url.endswith("action=edit")


@pytest.mark.parametrize("force", [True, False])
@pytest.mark.parametrize("variants", [1, 2])
async def test_a_product_that_is_gone_or_in_the_trash(shop: Shopkeeper, force: bool, variants: int) -> None:
    """Gone for good, the line comes back as text with product_id 0; in the trash the order is taken as if nothing
    were.
    """
    refs, (other,) = await shop.product(*[5] * variants), await shop.product(5)
    shop.books.bin_product(shop.books.product(refs[0].product_id), force=force)
    command = shop.order((refs[-1], 1), (other, 2))
    outcome = await connector.create(shop.shop, command)
    assert isinstance(outcome, Refused) and outcome.why is Why.PRODUCT_GONE
    (order,) = await shop.hand.orders()
    assert order.cancelled
    assert await shop.hand.count(other) == 5
    assert await find(shop, command) == ()


async def test_a_variation_that_is_gone_is_not_sold_as_its_parent(shop: Shopkeeper) -> None:
    """WooCommerce takes the parent without a variation, price and all."""
    gone, _ = await shop.product(5, 5)
    shop.books.bin_product(shop.books.product(gone.variant_id), force=True)
    outcome = await connector.create(shop.shop, shop.order((gone, 1)))
    assert isinstance(outcome, Refused) and outcome.why is Why.PRODUCT_GONE
    assert [order.cancelled for order in await shop.hand.orders()] == [True]


async def test_a_shop_that_allows_backorders_has_said_that_it_wants_to_sell_so(shop: Shopkeeper) -> None:
    (variant,) = await shop.product(1)
    doc = shop.books.product(variant.variant_id)
    doc["backorders"] = "notify"
    shop.books.save_product(doc)
    assert isinstance(await connector.create(shop.shop, shop.order((variant, 3))), Done)
    assert await shop.hand.count(variant) == -2


async def test_a_shared_count_that_is_not_enough(shop: Shopkeeper) -> None:
    a, b = await shop.product(0, 0)
    parent = shop.books.product(a.product_id)
    shop.books.save_product(parent | {"manage": True, "count": 3})
    for ref in (a, b):
        shop.books.save_product(shop.books.product(ref.variant_id) | {"manage": "parent"})
    assert await shop.counted(a, b) == {a.variant_id: 2, b.variant_id: 1}
    assert isinstance(await connector.create(shop.shop, shop.order((a, 2))), Done)
    outcome = await connector.create(shop.shop, shop.order((b, 2)))
    assert isinstance(outcome, Refused) and (outcome.why, outcome.short) == (Why.NO_STOCK, (b.variant_id,))
    assert await shop.counted(a, b) == {a.variant_id: 1, b.variant_id: 0}


async def test_what_the_shop_does_not_count_is_no_evidence_of_stock(shop: Shopkeeper) -> None:
    (variant,) = await shop.product(5)
    shop.books.save_product(shop.books.product(variant.variant_id) | {"manage": False})
    done = await shop.placed(shop.order((variant, 1)))
    assert not done.stock_taken
    assert not (await connector.order(shop.shop, done.shop_id)).stock_taken


async def test_a_plugin_that_changes_quantities_is_found_out(shop: Shopkeeper, monkeypatch: pytest.MonkeyPatch) -> None:
    (variant,) = await shop.product(5)
    real = Rest._shown_order

    def doubled(self: Rest, doc: dict[str, Any], request: Any = None) -> Any:
        shown = real(self, doc, request)
        shown["line_items"][0]["quantity"] *= 2
        return shown

    monkeypatch.setattr(Rest, "_shown_order", doubled)
    outcome = await connector.create(shop.shop, shop.order((variant, 1)))
    assert isinstance(outcome, Refused) and outcome.why is Why.INVALID
    assert [order.cancelled for order in await shop.hand.orders()] == [True]


async def test_when_the_order_cannot_be_taken_back_nothing_is_claimed(
    shop: Shopkeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(concurrency, "PAUSE_SECONDS", 0.01)
    (variant,) = await shop.product(1)
    shop.dial.planned = [("broken", 2), ("broken", 3), ("broken", 4)]
    outcome = await connector.create(shop.shop, shop.order((variant, 2)))
    assert isinstance(outcome, Unknown) and "could not be cancelled yet" in outcome.sentence
    assert [order.cancelled for order in await shop.hand.orders()] == [False]


@pytest.mark.parametrize("shipped", [False, True], ids=["untouched", "shipped by the seller"])
async def test_found_without_its_units_it_is_taken_back_unless_it_was_shipped(
    shop: Shopkeeper, monkeypatch: pytest.MonkeyPatch, shipped: bool
) -> None:
    monkeypatch.setattr(concurrency, "PAUSE_SECONDS", 0.01)
    (variant,) = await shop.product(1)
    command = shop.order((variant, 2))
    shop.dial.planned = [("broken", 2), ("broken", 3), ("broken", 4)]
    assert isinstance(await connector.create(shop.shop, command), Unknown)
    shop.dial.calm()
    (shop_id,) = (await connector.find(shop.shop, command.reference, since=command.placed_at)).shop_ids
    if shipped:
        await shop.hand.fulfil(shop_id, tracking="1Z999AA10123456784")
    outcome = await connector.confirm(shop.shop, command, await connector.order(shop.shop, shop_id))
    if shipped:
        assert isinstance(outcome, Done) and outcome.shop_id == shop_id
    else:
        assert isinstance(outcome, Refused) and (outcome.why, outcome.short) == (Why.NO_STOCK, (variant.variant_id,))
        assert (await connector.find(shop.shop, command.reference, since=command.placed_at)).shop_ids == ()
    assert await shop.hand.count(variant) == (-1 if shipped else 1)


async def test_of_two_that_are_one_unit_too_many_together_only_one_is_taken_back(
    shop: Shopkeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both answers were lost. The first that is looked at goes; then the shop has its unit for the other."""
    monkeypatch.setattr(concurrency, "PAUSE_SECONDS", 0.01)
    (variant,) = await shop.product(1)
    commands = [shop.order((variant, 1)) for _ in range(2)]
    for command in commands:
        shop.dial.planned = []
        shop.dial.once("lost_reply")
        assert isinstance(await connector.create(shop.shop, command), Unknown)
    shop.dial.calm()
    assert await shop.hand.count(variant) == -1
    outcomes = []
    for command in commands:
        (shop_id,) = (await connector.find(shop.shop, command.reference, since=command.placed_at)).shop_ids
        outcomes.append(await connector.confirm(shop.shop, command, await connector.order(shop.shop, shop_id)))
    assert [type(outcome) for outcome in outcomes] == [Refused, Done]
    assert await shop.hand.count(variant) == 0


async def test_when_the_stock_cannot_be_read_after_it_nothing_is_claimed(
    shop: Shopkeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(concurrency, "PAUSE_SECONDS", 0.01)
    (variant,) = await shop.product(5)
    command = shop.order((variant, 2))
    shop.dial.planned = [("broken", 1), ("broken", 2), ("broken", 3)]
    assert isinstance(await connector.create(shop.shop, command), Unknown)
    assert len(await find(shop, command)) == 1


async def test_an_order_that_is_not_about_this_shop_is_not_sent(shop: Shopkeeper) -> None:
    shop.exchanges.clear()
    command = shop.order((VariantRef("gid://x/1", "gid://x/1"), 1))
    outcome = await connector.create(shop.shop, command)
    assert isinstance(outcome, Refused) and outcome.why is Why.INVALID and shop.exchanges == []


async def test_only_the_shop_s_own_people_are_mailed(shop: Shopkeeper) -> None:
    (variant,) = await shop.product(5)
    command = shop.order((variant, 1))
    done = await shop.placed(command)
    await shop.hand.fulfil(done.shop_id)
    await connector.cancel(shop.shop, shop.cancellation(command, done))
    assert {mail["to"] for mail in shop.sandbox.shelf.ledger("mail")} == {"admin@shop.example"}


# Finding


@pytest.mark.parametrize("hpos", [True, False])
async def test_found_in_both_storages_by_one_search(shop: Shopkeeper, hpos: bool) -> None:
    shop.books.set(hpos=hpos)
    (variant,) = await shop.product(9)
    command = shop.order((variant, 1))
    done = await shop.placed(command)
    shop.exchanges.clear()
    assert await find(shop, command) == (done.shop_id,)
    assert len(shop.exchanges) == 1


async def test_two_of_them_are_both_found_oldest_first(shop: Shopkeeper) -> None:
    (variant,) = await shop.product(9)
    command = shop.order((variant, 1))
    first, second = await shop.placed(command), await shop.placed(command)
    assert await find(shop, command) == (first.shop_id, second.shop_id)


async def test_when_the_search_finds_nothing_every_order_since_is_looked_at(
    shop: Shopkeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plugin may break the search; "none" would mean to create the order again."""
    (variant,) = await shop.product(500)
    command = shop.order((variant, 1))
    done = await shop.placed(command)
    for _ in range(120):
        await shop.hand.sell(variant, 1)
    monkeypatch.setattr(Rest, "_searched", lambda self, doc: [])
    shop.exchanges.clear()
    assert await find(shop, command) == (done.shop_id,)
    # Long answers are recorded beside the event loop.
    await shop.transport.aside.close()
    assert len(shop.exchanges) == 3


async def test_a_filter_that_the_shop_ignores_gives_everything_and_is_not_trusted(
    shop: Shopkeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    (variant,) = await shop.product(9)
    command, other = shop.order((variant, 1)), shop.order((variant, 1))
    done, _ = await shop.placed(command), await shop.placed(other)
    monkeypatch.setattr(Rest, "_searched", lambda self, doc: ["everything " + command.reference])
    assert await find(shop, command) == (done.shop_id,)


async def test_too_many_to_look_at_is_not_none(shop: Shopkeeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "MOST_PAGES", 1)
    (variant,) = await shop.product(500)
    for _ in range(101):
        await shop.hand.sell(variant, 1)
    with pytest.raises(NoAnswer, match="more than 100 orders"):
        await find(shop, shop.order((variant, 1)))


async def test_what_we_refused_ourselves_is_not_found(shop: Shopkeeper) -> None:
    """Else the next look would take the cancelled order for ours, and the seller would hear of a cancel that they
    never made.
    """
    (variant,) = await shop.product(1)
    command = shop.order((variant, 2))
    assert isinstance(await connector.create(shop.shop, command), Refused)
    assert await find(shop, command) == ()


async def test_an_order_that_the_seller_cancelled_or_binned(shop: Shopkeeper) -> None:
    (variant,) = await shop.product(9)
    command, other = shop.order((variant, 1)), shop.order((variant, 1))
    done, binned = await shop.placed(command), await shop.placed(other)
    await shop.hand.cancel(done.shop_id)
    assert await find(shop, command) == (done.shop_id,)
    shop.books.bin_order(shop.books.order(binned.shop_id), force=False)
    assert await find(shop, other) == ()


# Cancelling


def cancellation(done: Done, reference: str) -> CancelOrder:
    return CancelOrder(reference, done.shop_id, CancelReason.BUYER_ASKED)


@pytest.mark.parametrize("status", ["cancelled", "refunded", "failed", "trash"])
async def test_closed_there_already(shop: Shopkeeper, status: str) -> None:
    (variant,) = await shop.product(9)
    command = shop.order((variant, 2))
    done = await shop.placed(command)
    doc = shop.books.order(done.shop_id)
    shop.books.bin_order(doc, force=False) if status == "trash" else shop.books.change_status(doc, status)
    shop.books.save_order(doc)
    count = await shop.hand.count(variant)
    outcome = await connector.cancel(shop.shop, cancellation(done, command.reference))
    assert isinstance(outcome, Done) and outcome.already
    assert await shop.hand.count(variant) == count == (9 if status == "cancelled" else 7)


@pytest.mark.parametrize("tracking", ["", "T1"])
async def test_what_was_shipped_is_not_cancelled_any_more(shop: Shopkeeper, tracking: str) -> None:
    """Cancelling it would put units back that have left the house."""
    (variant,) = await shop.product(9)
    command = shop.order((variant, 2))
    done = await shop.placed(command)
    await shop.hand.fulfil(done.shop_id, tracking=tracking)
    outcome = await connector.cancel(shop.shop, cancellation(done, command.reference))
    assert isinstance(outcome, Refused) and outcome.why is Why.TOO_LATE
    assert await shop.hand.count(variant) == 7 and not (await shop.listed(done.shop_id)).cancelled


async def test_an_order_of_the_shop_s_own_is_never_cancelled(shop: Shopkeeper) -> None:
    (variant,) = await shop.product(9)
    own = await shop.hand.sell(variant, 2)
    outcome = await connector.cancel(shop.shop, CancelOrder("XD-1", own, CancelReason.BUYER_ASKED))
    assert isinstance(outcome, Refused) and outcome.why is Why.CONFLICT
    assert await shop.hand.count(variant) == 7


@pytest.mark.parametrize("shop_id", ["99999999", "gid://order/1", ""])
async def test_an_order_that_is_not_there(shop: Shopkeeper, shop_id: str) -> None:
    outcome = await connector.cancel(shop.shop, CancelOrder("XD-1", shop_id, CancelReason.BUYER_ASKED))
    assert isinstance(outcome, Refused) and outcome.why is Why.NOT_FOUND


async def test_gone_between_the_look_and_the_cancel(shop: Shopkeeper) -> None:
    """An unknown order is 404 to a GET and 400 "ID is invalid." to a PUT."""
    (variant,) = await shop.product(9)
    command = shop.order((variant, 2))
    done = await shop.placed(command)
    real, books = shop.shop.http, shop.books

    class Slow:
        async def send(self, method: str, url: str, **rest: Any) -> Reply:
            if method == "PUT":
                books.bin_order(books.order(done.shop_id), force=True)
            return await real.send(method, url, **rest)

    outcome = await connector.cancel(replace(shop.shop, http=Slow()), cancellation(done, command.reference))  # type: ignore[arg-type]
    assert isinstance(outcome, Refused) and outcome.why is Why.NOT_FOUND


async def test_counts_are_not_corrected_from_here(shop: Shopkeeper) -> None:
    (variant,) = await shop.product(9)
    shop.exchanges.clear()
    outcome = await connector.adjust(shop.shop, AdjustStock(variant.product_id, variant.variant_id, -1, "k", "r"))
    assert isinstance(outcome, Refused) and outcome.why is Why.UNSUPPORTED and "loses a sale" in outcome.sentence
    assert shop.exchanges == [] and await shop.hand.count(variant) == 9


# Reading back


async def test_an_order_in_the_trash_is_gone_and_polled(shop: Shopkeeper) -> None:
    (variant,) = await shop.product(9)
    command, cursor = shop.order((variant, 2)), await shop.order_cursor()
    done = await shop.placed(command)
    shop.books.bin_order(shop.books.order(done.shop_id), force=False)
    got = await shop.news(cursor, done.shop_id, lambda order: order.state is ShopOrderState.GONE, "the trash")
    assert got.reference == command.reference and "trash" in got.cancel_note
    assert await shop.hand.count(variant) == 7


async def test_deleted_for_good_is_gone_when_looked_at(shop: Shopkeeper) -> None:
    (variant,) = await shop.product(9)
    done = await shop.placed(shop.order((variant, 2)))
    shop.books.bin_order(shop.books.order(done.shop_id), force=True)
    assert (await connector.order(shop.shop, done.shop_id)).state is ShopOrderState.GONE


async def test_a_product_in_the_trash_is_polled_as_gone(shop: Shopkeeper) -> None:
    (variant,), (stays,) = await shop.product(1), await shop.product(1)
    _, cursor = await shop.all_products()
    await shop.hand.delete_product(variant.product_id)
    items, _ = await shop.all_products(cursor)
    gone = {item.product_id for item in items if not hasattr(item, "variants")}
    assert gone == {variant.product_id} and stays.product_id not in gone
    with_variants = await shop.product(1, 2)
    await shop.hand.delete_product(with_variants[0].product_id)
    assert await shop.counted(*with_variants, stays) == {stays.variant_id: 1}


async def test_the_quiet_shop_is_asked_twice_and_its_cursor_moves(shop: Shopkeeper) -> None:
    cursor = await shop.order_cursor()
    shop.exchanges.clear()
    page = await connector.orders(shop.shop, cursor)
    assert page.items == () and not page.more and page.cursor >= cursor
    assert len(shop.exchanges) == 2


async def test_the_fulfilments_are_asked_for_only_where_there_are_some(shop: Shopkeeper) -> None:
    (variant,) = await shop.product(9)
    done = await shop.placed(shop.order((variant, 2)))
    shop.exchanges.clear()
    await connector.order(shop.shop, done.shop_id)
    assert len(shop.exchanges) == 1
    await shop.hand.fulfil(done.shop_id, tracking="T1", carrier="DHL")
    shop.exchanges.clear()
    assert len((await connector.order(shop.shop, done.shop_id)).parcels) == 1 and len(shop.exchanges) == 2
    shop.books.set(fulfillments=False)
    assert (await connector.order(shop.shop, done.shop_id)).parcels == ()


async def test_one_unreadable_product_does_not_stop_the_others(shop: Shopkeeper) -> None:
    (odd,), (fine,) = await shop.product(1), await shop.product(1)
    shop.books.save_product(shop.books.product(odd.product_id) | {"price": "ask us"})
    unreadable, product = (await connector.products(shop.shop, "")).items
    assert isinstance(product, ShopProduct) and product.product_id == fine.product_id
    assert isinstance(unreadable, Unreadable) and unreadable.entity_id == odd.product_id
    assert unreadable.path == "products[0].price" and "products[].price" in unreadable.cause


async def test_a_variation_asked_for_by_its_own_id_is_its_product(shop: Shopkeeper) -> None:
    """A deleted variation's delivery names only itself; it must not become a product of its own."""
    ref, _ = await shop.product(1, 2)
    got = await connector.product(shop.shop, ref.variant_id)
    assert got.product_id == ref.product_id


async def test_a_page_is_not_lost_with_one_of_its_rows(shop: Shopkeeper, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each fulfilled order is a request of its own; what did not come is asked for again, and the rest is taken."""
    monkeypatch.setattr(concurrency, "PAUSE_SECONDS", 0.0)
    (variant,) = await shop.product(50)
    cursor, ids = await shop.order_cursor(), []
    for number in range(6):
        ids.append((await shop.placed(shop.order((variant, 1)))).shop_id)
        await shop.hand.fulfil(ids[-1], tracking=f"T{number}", carrier="DHL")
    # Three tries of one fulfilment fail; the two lists before it are all right.
    shop.dial.planned = [("broken", 2), ("broken", 6), ("broken", 7), ("broken", 8), ("broken", 9), ("broken", 10)]
    page = await connector.orders(shop.shop, cursor)
    waiting = page.cursor.rpartition(";")[2].split(",")
    assert {order.shop_id for order in page.items} | set(waiting) == set(ids)
    assert len(page.items) + len([id_ for id_ in waiting if id_]) == 6 and waiting != [""]
    shop.dial.calm()
    items, after = await shop.all_orders(page.cursor)
    assert {order.shop_id: order.parcels[0].tracking_number for order in items} | {
        order.shop_id: order.parcels[0].tracking_number for order in page.items
    } == {shop_id: f"T{number}" for number, shop_id in enumerate(ids)}
    assert after.endswith(";")


async def test_a_product_that_the_shop_cannot_show_stops_nothing(
    shop: Shopkeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(concurrency, "PAUSE_SECONDS", 0.0)
    broken, (fine,) = await shop.product(1, 2), await shop.product(3)
    real = shop.shop.http

    class Plugin:
        async def send(self, method: str, url: str, **rest: Any) -> Reply:
            if f"/products/{broken[0].product_id}/variations" in url:
                return Reply(500, {}, b"<h1>Fatal error</h1>")
            return await real.send(method, url, **rest)

    sick = replace(shop.shop, http=Plugin())  # type: ignore[arg-type]
    page = await connector.products(sick, "")
    assert [item.product_id for item in page.items] == [fine.product_id] and not page.more
    again = await connector.products(sick, page.cursor)
    assert again.cursor.endswith(f";{broken[0].product_id}") and not again.more
    healed = await connector.products(shop.shop, again.cursor)
    assert broken[0].product_id in {item.product_id for item in healed.items} and healed.cursor.endswith(";")


async def test_a_dead_key_in_the_middle_of_a_page_is_said(shop: Shopkeeper) -> None:
    (variant,) = await shop.product(5)
    cursor = await shop.order_cursor()
    done = await shop.placed(shop.order((variant, 1)))
    await shop.hand.fulfil(done.shop_id, tracking="T", carrier="DHL")
    real = shop.shop.http

    class Revoking:
        async def send(self, method: str, url: str, **rest: Any) -> Reply:
            shop.dial.revoked = "/fulfillments" in url
            return await real.send(method, url, **rest)

    with pytest.raises(AuthDead):
        await connector.orders(replace(shop.shop, http=Revoking()), cursor)  # type: ignore[arg-type]


async def test_the_first_page_is_small_because_a_person_waits_for_it(shop: Shopkeeper) -> None:
    for _ in range(20):
        await shop.product(1, 1)
    shop.exchanges.clear()
    page = await connector.products(shop.shop, "")
    assert len(page.items) == 15 and page.more and len(shop.exchanges) == 16
    rest, _ = await shop.all_products(page.cursor)
    assert len({item.product_id for item in (*page.items, *rest)}) == 20


@pytest.mark.parametrize("seed", range(3))
async def test_no_change_is_lost_while_a_moving_list_is_read(shop: Shopkeeper, seed: int) -> None:
    """A whole catalogue imported within one second, changed again and again while we turn the pages."""
    dice = Random(seed)
    moment = datetime(2026, 11, 23, 10, tzinfo=UTC)
    shop.books._clock = shop.sandbox.clock = lambda: moment
    ids = [(await shop.product(1))[0] for _ in range(230)]
    prices = {ref.product_id: "12.50" for ref in ids}
    seen: dict[str, str] = {}
    cursor, more = "", True
    while more:
        page = await connector.products(shop.shop, cursor)
        seen |= {item.product_id: str(item.variants[0].price) for item in page.items if isinstance(item, ShopProduct)}
        cursor, more = page.cursor, page.more
        if dice.random() < 0.7:
            # A second that is over is over: what was read to the end does not change in it any more.
            moment += timedelta(seconds=dice.choice((0, 1, 5) if more else (1, 5)))
            for ref in dice.sample(ids, dice.randrange(1, 40)):
                price = f"{dice.randrange(100, 9999) / 100:.2f}"
                await shop.hand.reprice(ref, price)
                prices[ref.product_id] = price
        if moment > datetime(2026, 11, 23, 10, 1, tzinfo=UTC):
            dice.random = lambda: 1.0  # type: ignore[method-assign]
    items, _ = await shop.all_products(cursor)
    seen |= {item.product_id: str(item.variants[0].price) for item in items if isinstance(item, ShopProduct)}
    assert seen == prices
