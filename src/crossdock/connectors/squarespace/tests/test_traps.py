"""What a Squarespace site does that an order must survive, played against the simulator."""

from dataclasses import replace
from typing import Any

import pytest

from crossdock.connectors.squarespace import connector
from crossdock.connectors.squarespace.client import Client
from crossdock.connectors.squarespace.sandbox.books import Books
from crossdock.domain.commands import CancelLines, CancelReason, Done, Later, Refused, Unknown, Why
from crossdock.domain.events import ShopOrderState
from crossdock.kit.conformance import Stage
from crossdock.kit.conformance.fulfilment import OTHER, left_here
from crossdock.kit.connector import Reply, VariantRef
from crossdock.kit.errors import AuthDead, BadInput, Declined, Missing, Strange, Throttled


def between(stage: Stage, method: str, path: str, act: Any) -> list[int]:
    """`act` happens just before the first call of this kind."""
    send, done = stage.shop.http.send, list[int]()

    async def meddled(way: str, url: str, **rest: Any) -> Reply:
        if way == method and url.endswith(path) and not done:
            done.append(1)
            await act()
        return await send(way, url, **rest)

    stage.shop.http.send = meddled  # type: ignore[method-assign]
    return done


# Stock


async def test_a_sale_between_our_look_and_our_order_is_refused_by_the_site(stage: Stage) -> None:
    (variant,) = await stage.product(1)
    command = stage.order((variant, 1))
    struck = between(stage, "POST", "/commerce/orders", lambda: stage.hand.sell(variant, 1))
    outcome = await connector.create(stage.shop, command)
    assert struck and isinstance(outcome, Refused) and outcome.why is Why.NO_STOCK
    assert outcome.short == (variant.variant_id,) and not await stage.standing(command)
    assert await stage.hand.count(variant) == 0


async def test_too_little_is_no_stock_even_where_the_count_is_back_by_our_second_look(stage: Stage) -> None:
    (variant,) = await stage.product(2)
    body = b'{"type": "CONFLICT", "subtype": "%s", "message": "No", "details": null, "contextId": "X"}'
    send, subtype = stage.shop.http.send, [b""]

    async def says(way: str, url: str, **rest: Any) -> Reply:
        return Reply(409, {}, body % subtype[0]) if way == "POST" else await send(way, url, **rest)

    stage.shop.http.send = says  # type: ignore[method-assign]
    for subtype[0], why in ((b"INSUFFICIENT_STOCK", Why.NO_STOCK), (b"STOCK_NOT_TRACKED", Why.INVALID)):
        outcome = await connector.create(stage.shop, stage.order((variant, 1)))
        assert isinstance(outcome, Refused) and outcome.why is why
    for subtype[0] in (b"CONCURRENT_MODIFICATION", b""):
        assert isinstance(await connector.create(stage.shop, stage.order((variant, 1))), Unknown)


async def test_what_is_longer_than_squarespace_takes_is_shortened_or_refused(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    command = replace(stage.order((variant, 1)), email=f"{'a' * 60}@relay.example.test")
    done = await stage.placed(command)
    assert books.order(done.shop_id)["methods"][0]["method"] == command.email
    wish = replace(left_here(command, done, (variant, 1), number="9" * 101), carrier="C" * 101)
    outcome = await connector.write_fulfilment(stage.shop, wish)
    assert isinstance(outcome, Refused) and "100 characters" in outcome.sentence
    assert not books.order(done.shop_id)["parcels"]
    fits = replace(left_here(command, done, (variant, 1), number="9" * 100), carrier="C" * 101)
    assert isinstance(await connector.write_fulfilment(stage.shop, fits), Done)


async def test_one_that_is_taken_without_stock_stands_and_its_count_says_so(stage: Stage, books: Books) -> None:
    """Should a site not refuse: nothing can be taken back there, so it is not called refused."""
    books.set(refuses_short=False)
    (variant,) = await stage.product(1)
    command = stage.order((variant, 1))
    between(stage, "POST", "/commerce/orders", lambda: stage.hand.sell(variant, 1))
    outcome = await connector.create(stage.shop, command)
    assert isinstance(outcome, Done) and len(await stage.standing(command)) == 1
    assert (await stage.counted(variant))[variant.variant_id] == -1, "what raises the alert"


async def test_too_little_is_seen_before_anything_is_sent(stage: Stage, books: Books) -> None:
    books.set(refuses_short=False)
    (variant,) = await stage.product(2)
    outcome = await connector.create(stage.shop, stage.order((variant, 3)))
    assert isinstance(outcome, Refused) and outcome.why is Why.NO_STOCK
    assert await stage.hand.count(variant) == 2 and not books.shelf.ledger("order")


async def test_unlimited_stock_is_sold_and_gives_no_evidence(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(0)
    books.limit(variant.variant_id, unlimited=True)
    outcome = await connector.create(stage.shop, stage.order((variant, 3)))
    assert isinstance(outcome, Done) and not outcome.stock_taken


async def test_an_order_refused_for_another_reason_says_theirs(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    command = replace(stage.order((variant, 1)), reference="X" * 201)
    outcome = await connector.create(stage.shop, command)
    assert isinstance(outcome, Refused) and outcome.why is Why.INVALID and "externalOrderReference" in outcome.sentence


@pytest.mark.parametrize("unknown_is_404", [True, False])
async def test_ids_that_the_site_does_not_have_are_left_out(stage: Stage, books: Books, unknown_is_404: bool) -> None:
    books.set(unknown_is_404=unknown_is_404)
    refs = [ref for _ in range(3) for ref in await stage.product(1, 2, 3)]
    await stage.hand.delete_product(refs[4].product_id)
    left = [*refs[:3], *refs[6:]]
    assert await stage.counted(*refs) == {ref.variant_id: 1 + n % 3 for n, ref in enumerate(left)}
    assert await stage.counted(VariantRef("6a0", "ffffffff-a085-45aa-8814-ce63e140c2b4")) == {}


async def test_an_hours_orders_are_used_up_and_the_next_one_waits(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(9)
    books.set(orders_an_hour=1)
    await stage.placed(stage.order((variant, 1)))
    outcome = await connector.create(stage.shop, stage.order((variant, 1)))
    assert isinstance(outcome, Later) and outcome.after_seconds == 60.0
    assert await stage.hand.count(variant) == 8


# What no program can do


async def test_a_cancel_is_handed_to_the_seller_and_found_once_done(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    wish = stage.cancellation(command, done)
    refused = await connector.cancel(stage.shop, wish)
    assert isinstance(refused, Refused) and refused.why is Why.UNSUPPORTED
    assert done.shop_number in refused.sentence and "Cancel order" in refused.sentence
    assert not (await stage.listed(done.shop_id)).cancelled and await stage.hand.count(variant) == 3
    assert isinstance(await connector.cancel(stage.shop, replace(wish, only_look=True)), Unknown)
    await stage.hand.cancel(done.shop_id)
    after = await connector.cancel(stage.shop, wish)
    assert isinstance(after, Done) and after.already and await stage.hand.count(variant) == 5


async def test_a_cancel_of_what_is_sent_gone_or_not_ours_says_which(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    await stage.hand.fulfil(done.shop_id, tracking="1Z")
    wish = stage.cancellation(command, done)
    own = await stage.hand.sell(variant, 1)
    for asked, why in (
        (wish, Why.TOO_LATE),
        (replace(wish, shop_order_id=own), Why.CONFLICT),
        (replace(wish, shop_order_id="6a99"), Why.NOT_FOUND),
        (replace(wish, shop_order_id="../x"), Why.NOT_FOUND),
    ):
        outcome = await connector.cancel(stage.shop, asked)
        assert isinstance(outcome, Refused) and outcome.why is why
    units = CancelLines(command.reference, done.shop_id, ((variant.variant_id, 1),), CancelReason.LOST, "k")
    assert isinstance(await connector.cancel_lines(stage.shop, units), Refused)


async def test_an_order_that_is_marked_as_pending_again_takes_its_shipment_back(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    done = await stage.placed(stage.order((variant, 1)))
    await stage.hand.fulfil(done.shop_id, tracking="1Z")
    books.mark_pending(books.order(done.shop_id))
    order = await connector.order(stage.shop, done.shop_id)
    assert order.state is ShopOrderState.OPEN and [parcel.cancelled for parcel in order.parcels] == [True]


# Parcels


async def test_a_part_of_an_order_is_left_to_the_seller(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 3))
    done = await stage.placed(command)
    outcome = await connector.write_fulfilment(stage.shop, left_here(command, done, (variant, 2)))
    assert isinstance(outcome, Refused) and outcome.why is Why.UNSUPPORTED and done.shop_number in outcome.sentence
    assert (await stage.listed(done.shop_id)).parcels == 0, "a part would mark all of it as fulfilled"


async def test_a_changed_number_is_left_to_the_seller_and_a_first_one_is_added(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    bare = await connector.write_fulfilment(stage.shop, left_here(command, done, (variant, 1), number=""))
    assert isinstance(bare, Done) and not books.order(done.shop_id)["parcels"]
    numbered = replace(left_here(command, done, (variant, 1)), parcel_id=bare.shop_id)
    first = await connector.write_fulfilment(stage.shop, numbered)
    assert isinstance(first, Done) and len(books.order(done.shop_id)["parcels"]) == 1
    changed = replace(numbered, parcel_id=first.shop_id, tracking_number=OTHER, numbers=(*numbered.numbers, OTHER))
    for asked in (changed, replace(numbered, parcel_id=first.shop_id, undone=True)):
        outcome = await connector.write_fulfilment(stage.shop, asked)
        assert isinstance(outcome, Refused) and outcome.why is Why.UNSUPPORTED
    assert len(books.order(done.shop_id)["parcels"]) == 1 and not books.shelf.ledger("mail")


# The key and the door


async def test_the_test_names_each_permission_that_is_missing(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    for lacking, titles in (
        ("products", {"Products"}),
        ("inventory", {"Counts", "Counts, writing"}),
        ("inventory write", {"Counts, writing"}),
        ("orders", {"Orders", "Orders, writing"}),
        ("orders write", {"Orders, writing"}),
    ):
        books.set(without=[lacking])
        proof = await connector.prove(stage.shop)
        bad = [check for check in proof.checks if not check.ok]
        assert {check.title for check in bad} == titles and all(check.sentence and check.right for check in bad)
    books.set(without=[])
    assert (await connector.prove(stage.shop)).ok and await stage.hand.count(variant) == 5


async def test_every_request_says_who_asks_and_shows_the_key_to_nobody_else(stage: Stage) -> None:
    seen: list[tuple[str, dict[str, str]]] = []

    class Ear:
        async def send(self, method: str, url: str, **rest: Any) -> Reply:
            seen.append((url, rest["headers"]))
            return Reply(200, {}, b'{"products": [], "pagination": {"hasNextPage": false}}')

        def learn(self, **_: Any) -> None: ...

    shop = replace(stage.shop, address="https://evil.example", http=Ear())
    await connector.products(shop, "")
    ((url, headers),) = seen
    assert url == "https://api.squarespace.com/v2/commerce/products" and headers["User-Agent"].startswith("Crossdock/")


async def test_ids_of_others_are_no_part_of_an_address(stage: Stage) -> None:
    client = Client(stage.shop)
    with pytest.raises(Strange):
        await client.send("GET", "1.0/commerce/orders/1?cursor=x")
    assert (await connector.order(stage.shop, "6a1/fulfillments")).state is ShopOrderState.GONE


@pytest.mark.parametrize("typed", ["corner-shop.squarespace.com/config/orders", "https://corner-shop.squarespace.com/"])
def test_any_page_of_the_site_is_its_address(typed: str) -> None:
    assert connector.address({"address": typed}, local=False) == "https://corner-shop.squarespace.com"


async def test_a_key_with_a_blank_was_not_copied_whole(stage: Stage) -> None:
    for key in ("ab cd efgh ijkl", "short", "ключ-от-магазина"):
        with pytest.raises(BadInput):
            await connector.finish(stage.shop, way="key", form={"address": "x", "api_key": key}, params={}, keep={})


async def test_each_refusal_is_what_it_says(stage: Stage) -> None:
    client, orders = Client(stage.shop), "1.0/commerce/orders"
    with pytest.raises(Declined, match="Idempotency-Key"):
        await client.send("POST", orders, json={})
    with pytest.raises(Declined, match="must both be specified"):
        await client.send("GET", orders, query={"modifiedAfter": "2026-11-29T10:00:00.000Z"})
    with pytest.raises(Declined, match="Cursor cannot be set"):
        await client.send("GET", orders, query={"cursor": "e30=", "fulfillmentStatus": "PENDING"})
    with pytest.raises(Missing):
        await client.send("GET", f"{orders}/6a99")
    stage.dial.once("throttle")
    with pytest.raises(Throttled) as slow:
        await client.send("GET", orders)
    assert slow.value.after_seconds == 60.0
    stage.dial.revoked = True
    with pytest.raises(AuthDead):
        await client.send("GET", orders)


# Lists


async def test_a_cursor_that_is_no_longer_taken_begins_the_walk_again(stage: Stage, books: Books) -> None:
    for _ in range(51):
        await stage.product(1)
    page = await connector.products(stage.shop, "")
    assert page.more and len(page.items) == 50
    high = page.cursor.split("|")[1]
    again = await connector.products(stage.shop, f"|{high}|bm90IHZhbGlk")
    assert again.items == () and not again.more and again.cursor == "||", "and nothing was skipped"
    everything, _ = await stage.all_products(again.cursor)
    assert len({item.product_id for item in everything}) == 51


async def test_a_walk_of_many_pages_is_followed_by_one_for_what_moved_meanwhile(stage: Stage) -> None:
    (variant,) = await stage.product(1000)
    cursor = await stage.order_cursor()
    made = [await stage.hand.sell(variant, 1) for _ in range(60)]
    first = await connector.orders(stage.shop, cursor)
    await stage.hand.cancel(made[0])
    rest, end = await stage.all_orders(first.cursor)
    assert [order.state for order in rest if order.shop_id == made[0]][-1] is ShopOrderState.CANCELLED
    assert "!" not in end and end.endswith("||")


async def test_an_order_is_found_pages_behind_and_under_no_other_channel(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(1000)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    for _ in range(60):
        await stage.hand.sell(variant, 1)
    assert (await connector.find(stage.shop, command.reference, since=command.placed_at)).shop_ids == (done.shop_id,)
    books.keep("order", books.order(done.shop_id) | {"channel_name": "Another program"})
    assert (await connector.find(stage.shop, command.reference, since=command.placed_at)).shop_ids == ()
    assert (await connector.order(stage.shop, done.shop_id)).reference == ""
