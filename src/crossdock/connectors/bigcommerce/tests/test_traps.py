"""What a BigCommerce store does that an order must survive, played against the simulator."""

from dataclasses import replace
from typing import Any

import pytest

from crossdock.connectors.bigcommerce import connector, reading
from crossdock.connectors.bigcommerce.client import Client
from crossdock.connectors.bigcommerce.sandbox.books import Books
from crossdock.domain.commands import CancelLines, CancelReason, Done, Later, Refused, SignInAgain, Why
from crossdock.domain.events import ShopOrderState
from crossdock.kit.conformance import Stage
from crossdock.kit.conformance.fulfilment import left_here
from crossdock.kit.connector import Reply, VariantRef
from crossdock.kit.errors import AuthDead, BadInput, Declined, NoAnswer, Strange, Throttled


def between(stage: Stage, method: str, path: str, act: Any) -> list[int]:
    """`act` happens just before the first call of this kind."""
    send, done = stage.shop.http.send, list[int]()

    async def meddled(way: str, url: str, **rest: Any) -> Reply:
        if way == method and url.partition("?")[0].endswith(path) and not done:
            done.append(1)
            await act()
        return await send(way, url, **rest)

    stage.shop.http.send = meddled  # type: ignore[method-assign]
    return done


# Stock


async def test_a_sale_between_our_look_and_our_order_takes_it_back(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(1)
    command = stage.order((variant, 1))
    assert between(stage, "POST", "/v2/orders", lambda: stage.hand.sell(variant, 1)) == []
    outcome = await connector.create(stage.shop, command)
    assert isinstance(outcome, Refused) and outcome.why is Why.NO_STOCK and outcome.short == (variant.variant_id,)
    assert await stage.standing(command) == [] and await stage.hand.count(variant) == 0
    assert not (await connector.find(stage.shop, command.reference, since=command.placed_at)).shop_ids
    ours = [order for order in await stage.hand.orders() if order.taken_back]
    assert len(ours) == 1 and (await connector.order(stage.shop, ours[0].shop_id)).reference == ""


async def test_where_counts_stop_at_zero_too_little_is_seen_before(stage: Stage, books: Books) -> None:
    """After the order nothing would show it, and the cancel would put back more than there was."""
    books.set(floor=True)
    (variant,) = await stage.product(2)
    outcome = await connector.create(stage.shop, stage.order((variant, 3)))
    assert isinstance(outcome, Refused) and outcome.why is Why.NO_STOCK
    assert await stage.hand.count(variant) == 2 and not books.shelf.ledger("order"), "nothing was placed"


async def test_a_store_that_takes_units_at_shipping_gives_no_evidence_and_says_so(stage: Stage, books: Books) -> None:
    books.set(update_stock_behavior="order_completed_or_shipped")
    stage.shop = replace(stage.shop, settings={**stage.shop.settings, **(await connector.prove(stage.shop)).settings})
    (variant,) = await stage.product(5)
    done = await stage.placed(stage.order((variant, 2)))
    assert not done.stock_taken and await stage.hand.count(variant) == 5
    assert not (await connector.order(stage.shop, done.shop_id)).stock_taken
    check = next(check for check in (await connector.prove(stage.shop)).checks if check.title == "When stock is taken")
    assert not check.ok and check.limited and "Settings > Inventory" in check.sentence


async def test_a_store_that_puts_nothing_back_says_so_at_the_connection(stage: Stage, books: Books) -> None:
    books.set(refund_order_stock_adjustment=False)
    proof = await connector.prove(stage.shop)
    assert [check.title for check in proof.checks if not check.ok] == ["Cancelled orders"]
    assert proof.settings["restocks"] == "no"
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    assert isinstance(await connector.cancel(stage.shop, stage.cancellation(command, done)), Done)
    assert await stage.hand.count(variant) == 3


async def test_what_is_not_tracked_has_no_count_and_is_sold(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(0)
    doc = books.shelf.need("product", variant.product_id)
    books.keep("product", {**doc, "tracking": "none"})
    assert await stage.counted(variant) == {variant.variant_id: None}
    done = await stage.placed(stage.order((variant, 3)))
    assert not done.stock_taken, "nothing was counted"


async def test_a_count_that_several_variants_share_is_left_out(stage: Stage, books: Books) -> None:
    a, b = await stage.product(3, 4)
    books.keep("product", {**books.shelf.need("product", a.product_id), "tracking": "product"})
    assert await stage.counted(a, b) == {}
    product = await connector.product(stage.shop, a.product_id)
    assert not product.active  # type: ignore[union-attr]


# Orders


async def test_another_total_is_taken_back(stage: Stage, books: Books) -> None:
    """A fee or a tax that the store adds."""
    (variant,) = await stage.product(5)
    books.set(fee="1")
    command = stage.order((variant, 2))
    outcome = await connector.create(stage.shop, command)
    assert (
        isinstance(outcome, Refused) and outcome.why is Why.INVALID and "Total: $19.80 here, $20.80" in outcome.sentence
    )
    assert await stage.standing(command) == [] and await stage.hand.count(variant) == 5


async def test_another_currency_is_taken_back(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    books.set(currency="EUR")
    outcome = await connector.create(stage.shop, command)
    assert isinstance(outcome, Refused) and "EUR" in outcome.sentence and await stage.standing(command) == []


async def test_no_orders_is_204_and_no_error(stage: Stage) -> None:
    page = await connector.orders(stage.shop, "")
    assert page.items == () and (await connector.orders(stage.shop, page.cursor)).items == ()


async def test_orders_of_one_second_are_all_seen(stage: Stage, books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """There are pages and no offset: where a second fills a page, the walk goes on by half pages."""
    monkeypatch.setattr(reading, "PAGE", 4)
    cursor = await stage.order_cursor()
    moment = books.now()
    monkeypatch.setattr(books, "now", lambda: moment)
    (variant,) = await stage.product(50)
    made = {await stage.hand.sell(variant, 1) for _ in range(11)}
    seen, more = set[str](), True
    for _ in range(20):
        page = await connector.orders(stage.shop, cursor)
        seen |= {order.shop_id for order in page.items}  # type: ignore[union-attr]
        cursor, more = page.cursor, page.more
        if not more:
            break
    assert made <= seen and not more


async def test_a_filter_that_is_ignored_is_not_none(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossdock.connectors.bigcommerce.orders.PAGE", 2)
    (variant,) = await stage.product(9)
    command = stage.order((variant, 1))
    for _ in range(2):
        await stage.hand.sell(variant, 1)
    send = stage.shop.http.send

    async def ignored(way: str, url: str, **rest: Any) -> Reply:
        return await send(way, url.replace(f"external_order_id={command.reference}&", ""), **rest)

    stage.shop.http.send = ignored  # type: ignore[method-assign]
    with pytest.raises(NoAnswer, match="all its orders"):
        await connector.find(stage.shop, command.reference, since=command.placed_at)


async def test_single_units_are_not_taken_out(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    asked = CancelLines(command.reference, done.shop_id, ((variant.variant_id, 1),), CancelReason.BUYER_ASKED, "k")
    outcome = await connector.cancel_lines(stage.shop, asked)
    assert isinstance(outcome, Refused) and outcome.why is Why.UNSUPPORTED
    assert (await connector.order(stage.shop, done.shop_id)).lines[0].quantity == 2


async def test_only_marked_as_shipped_is_a_parcel_without_a_number(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    books.change_status(books.shelf.need("order", done.shop_id), 2)
    order = await connector.order(stage.shop, done.shop_id)
    assert [(p.parcel_id, p.lines[0][1]) for p in order.parcels] == [("status", 2)]
    assert order.state is ShopOrderState.OPEN
    outcome = await connector.write_fulfilment(stage.shop, left_here(command, done, (variant, 2)))
    assert isinstance(outcome, Refused) and (await stage.listed(done.shop_id)).parcels == 0


async def test_an_undone_shipment_leaves_the_order_awaiting(stage: Stage, books: Books) -> None:
    """Deleting a shipment alone leaves the order marked as shipped."""
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    wish = left_here(command, done, (variant, 2))
    await connector.write_fulfilment(stage.shop, wish)
    assert books.shelf.need("order", done.shop_id)["status_id"] == 2
    assert isinstance(await connector.write_fulfilment(stage.shop, replace(wish, undone=True)), Done)
    doc = books.shelf.need("order", done.shop_id)
    assert (doc["status_id"], doc["parcels"]) == (11, [])


async def test_a_shipment_undone_between_two_calls_of_a_reading_left_nobody(stage: Stage, books: Books) -> None:
    """The order still says "shipped" and the list is empty already: no parcel without a number is made of that."""
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    wish = left_here(command, done, (variant, 2))
    await connector.write_fulfilment(stage.shop, wish)

    async def undo() -> None:
        assert isinstance(await connector.write_fulfilment(stage.shop, replace(wish, undone=True)), Done)

    met = between(stage, "GET", f"/v2/orders/{done.shop_id}/shipments", undo)
    assert (await connector.order(stage.shop, done.shop_id)).parcels == () and met == [1]


async def test_staff_notes_keep_what_stood_there(stage: Stage) -> None:
    from crossdock.kit.conformance.risk import judged

    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    await connector.write_risk(stage.shop, judged(command, done))
    words = await stage.hand.staff_words(done.shop_id)  # type: ignore[attr-defined]
    assert len(words) == 3 and command.reference in words[0] and command.email in words[1] and "Risk" in words[2]


# Connecting


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("https://api.bigcommerce.com/stores/abc123/v3/", "https://api.bigcommerce.com/stores/abc123"),
        ("api.bigcommerce.com/stores/abc123/v2", "https://api.bigcommerce.com/stores/abc123"),
        ("https://api.bigcommerce.com/stores/abc123", "https://api.bigcommerce.com/stores/abc123"),
    ],
)
def test_the_api_path_names_the_store(typed: str, address: str) -> None:
    assert connector.address({"address": typed}, local=False) == address


@pytest.mark.parametrize(
    "typed",
    [
        "https://api.bigcommerce.com",
        "https://evil.example/stores/abc123",
        "https://api.bigcommerce.com.evil.example/stores/abc123",
        "https://api.bigcommerce.com:8443/stores/abc123",
        "https://api.bigcommerce.com/stores/abc123/v3/../../x",
        "http://api.bigcommerce.com/stores/abc123",
        "https://store-abc123.mybigcommerce.com",
    ],
)
def test_no_token_goes_anywhere_else(typed: str) -> None:
    with pytest.raises(BadInput):
        connector.address({"address": typed}, local=False)


async def test_a_scope_that_is_missing_is_named_and_the_rest_works(stage: Stage, books: Books) -> None:
    for scope, title in (
        ("transactions", "Refunds"),
        ("locations", "Locations"),
        ("inventory", "Counts"),
        ("orders modify", "Orders"),
    ):
        books.set(without=[scope])
        checks = (await connector.prove(stage.shop)).checks
        assert [check.title for check in checks if not check.ok] == [title]
        assert all(check.sentence and check.right for check in checks if not check.ok)
    books.set(without=[])
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    books.set(without=["transactions"])
    assert (await connector.order(stage.shop, done.shop_id)).refunds == ()
    books.set(without=["orders modify"])
    assert isinstance(await connector.create(stage.shop, stage.order((variant, 1))), SignInAgain)
    outcome = await connector.write_fulfilment(stage.shop, left_here(command, done, (variant, 1)))
    assert isinstance(outcome, Refused) and outcome.why is Why.NOT_ALLOWED


# Answers


def reply(status: int, body: bytes = b"", **headers: str) -> Reply:
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


class Says:
    """An Http that answers with one reply, and keeps what was learned."""

    def __init__(self, answer: Reply) -> None:
        self.answer, self.learned = answer, list[tuple[float, float | None]]()

    async def send(self, method: str, url: str, **rest: Any) -> Reply:
        return self.answer

    def learn(self, *, left: float, per_second: float | None = None) -> None:
        self.learned.append((left, per_second))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (reply(401, b'{"status":401,"title":"Unauthorized"}'), AuthDead),
        (reply(401, b'[{"status":401,"message":"Unauthorized"}]'), AuthDead),
        (reply(401, b"<h1>Members only</h1>", content_type="text/html"), Throttled),
        (reply(403, b"<h1>No</h1>", content_type="text/html"), Throttled),
        (reply(400, b'[{"status":400,"message":"The field is invalid."}]'), Declined),
        (reply(422, b'{"status":422,"title":"Bad"}'), Declined),
        (reply(404, b"<h1>Not found</h1>"), NoAnswer),
        (reply(503), NoAnswer),
        (reply(409, b"odd"), NoAnswer),
    ],
)
async def test_what_a_status_means_depends_on_who_wrote_it(stage: Stage, answer: Reply, error: type[Exception]) -> None:
    client = Client(replace(stage.shop, http=Says(answer)))
    with pytest.raises(error):
        await client.one("GET", "v2/store")


async def test_the_shared_quota_is_learned_and_a_429_waits_as_long_as_it_says(stage: Stage) -> None:
    quota = {
        "x_rate_limit_requests_left": "7",
        "x_rate_limit_requests_quota": "150",
        "x_rate_limit_time_window_ms": "30000",
    }
    says = Says(reply(200, b"{}", **quota))
    await Client(replace(stage.shop, http=says)).one("GET", "v2/store")
    assert says.learned == [(7, 5.0)]
    says = Says(reply(429, b"", x_rate_limit_time_reset_ms="15000", x_rate_limit_requests_left="odd"))
    with pytest.raises(Throttled) as wait:
        await Client(replace(stage.shop, http=says)).one("GET", "v2/store")
    assert wait.value.after_seconds == 15 and says.learned == []
    (variant,) = await stage.product(5)
    outcome = await connector.create(replace(stage.shop, http=says), stage.order((variant, 1)))
    assert isinstance(outcome, Later)


@pytest.mark.parametrize("path", ["v2/orders/1/../2", "v2/orders/1?x=1", "v2/orders/1 2", "v2/orders/é", ""])
async def test_an_odd_id_is_never_part_of_an_address(stage: Stage, path: str) -> None:
    with pytest.raises(Strange):
        await Client(stage.shop).send("GET", path)


async def test_ids_that_are_no_numbers_ask_nothing(stage: Stage) -> None:
    before = stage.dial.counts["calls"]
    assert (await connector.order(stage.shop, "1/../2")).state is ShopOrderState.GONE
    assert await connector.counts(stage.shop, [VariantRef("x", "y")]) == ()
    assert stage.dial.counts["calls"] == before
