"""What Vendure does that an order must survive, played against the simulator. tests/real plays the same against the
unmodified server.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crossdock.connectors.vendure import connector, mapper, reading, vendure
from crossdock.connectors.vendure.reading import Cursor, Spot
from crossdock.connectors.vendure.sandbox import Sandbox
from crossdock.connectors.vendure.sandbox.api import EVERY_RIGHT
from crossdock.connectors.vendure.sandbox.books import Books
from crossdock.connectors.vendure.sandbox.places import open_place, stock_at
from crossdock.domain.commands import (
    AdjustStock,
    CancelOrder,
    CancelReason,
    Done,
    Later,
    Outcome,
    Refused,
    SignInAgain,
    Unknown,
    Why,
)
from crossdock.domain.events import ProductGone, ShopOrderState, ShopProduct
from crossdock.kit.conformance import Stage
from crossdock.kit.connector import Forged, Hook, Reply, Shop
from crossdock.kit.errors import AuthDead, BadInput, NoAnswer
from crossdock.kit.webhook import verified_news

Around = Callable[[Callable[[], Awaitable[Reply]]], Awaitable[Reply]]


def meddle(stage: Stage, operation: str, around: Around) -> None:
    """Let something happen around each call of this operation."""
    send = stage.shop.http.send

    async def meddled(method: str, url: str, **options: Any) -> Reply:
        async def call() -> Reply:
            return await send(method, url, **options)

        return await (around(call) if operation in options["json"]["query"] else call())

    stage.shop.http.send = meddled  # type: ignore[method-assign]


async def leftovers(stage: Stage) -> list[str]:
    return [order["state"] for order in await stage.hand.drafts()]  # type: ignore[attr-defined]


# Stock


async def test_locations_add_up_and_chosen_ones_count_alone(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    attic, cellar = open_place(books, "Attic"), open_place(books, "Cellar")
    stock_at(books, variant.variant_id, attic, 4)
    stock_at(books, variant.variant_id, cellar, 2)
    assert (await connector.prove(stage.shop)).locations == (
        ("1", "Default Stock Location"),
        (attic, "Attic"),
        (cellar, "Cellar"),
    )
    for chosen, count in (("", 11), ("1", 5), (attic, 4), (f"1,{cellar}", 7), (f"{attic},{cellar}", 6)):
        shop = replace(stage.shop, settings={**stage.shop.settings, "location": chosen})
        (found,) = await connector.counts(shop, [variant])
        assert found.count == count


async def test_a_short_line_leaves_no_draft_behind(stage: Stage) -> None:
    (variant,) = await stage.product(1)
    outcome = await connector.create(stage.shop, stage.order((variant, 3)))
    assert isinstance(outcome, Refused)
    assert (outcome.why, outcome.short) == (Why.NO_STOCK, (variant.variant_id,))
    assert await leftovers(stage) == []
    assert list(await stage.hand.orders()) == []
    assert await stage.hand.count(variant) == 1


async def test_stock_that_goes_between_the_line_and_the_arranging_is_noticed_there(stage: Stage) -> None:
    (variant,) = await stage.product(1)

    async def sold_first(call: Callable[[], Awaitable[Reply]]) -> Reply:
        await stage.hand.sell(variant, 1)
        return await call()

    meddle(stage, "setDraftOrderShippingMethod", sold_first)
    outcome = await connector.create(stage.shop, stage.order((variant, 1)))
    assert isinstance(outcome, Refused)
    assert (outcome.why, outcome.short) == (Why.NO_STOCK, (variant.variant_id,))
    assert await leftovers(stage) == []


@pytest.mark.parametrize("theirs_first", [True, False])
async def test_of_two_orders_paid_for_the_last_unit_the_later_one_has_none(stage: Stage, theirs_first: bool) -> None:
    (variant,) = await stage.product(1)
    theirs = await stage.hand.arranged(variant, 1)  # type: ignore[attr-defined]

    async def both(call: Callable[[], Awaitable[Reply]]) -> Reply:
        if theirs_first:
            await stage.hand.pay(theirs)  # type: ignore[attr-defined]
        reply = await call()
        if not theirs_first:
            await stage.hand.pay(theirs)  # type: ignore[attr-defined]
        return reply

    meddle(stage, "addManualPaymentToOrder", both)
    command = stage.order((variant, 1))
    outcome = await connector.create(stage.shop, command)
    if theirs_first:
        assert isinstance(outcome, Refused)
        assert (outcome.why, outcome.short) == (Why.NO_STOCK, (variant.variant_id,))
        assert await stage.standing(command) == []
        assert (await connector.order(stage.shop, theirs)).lines[0].stock_taken == 1
    else:
        assert isinstance(outcome, Done)
        assert outcome.stock_taken
        assert (await connector.order(stage.shop, theirs)).lines[0].stock_taken == 0
    assert (await stage.listed(theirs)).cancelled is False
    assert await stage.hand.count(variant) == 0


async def test_an_order_that_got_a_part_of_its_units_is_cancelled_and_gives_back_that_part(stage: Stage) -> None:
    plenty, few = await stage.product(9, 2)
    theirs = await stage.hand.arranged(few, 1)  # type: ignore[attr-defined]

    async def sold_first(call: Callable[[], Awaitable[Reply]]) -> Reply:
        await stage.hand.pay(theirs)  # type: ignore[attr-defined]
        return await call()

    meddle(stage, "addManualPaymentToOrder", sold_first)
    outcome = await connector.create(stage.shop, stage.order((plenty, 2), (few, 2)))
    assert isinstance(outcome, Refused)
    assert outcome.short == (few.variant_id,)
    assert (await stage.hand.count(plenty), await stage.hand.count(few)) == (9, 1)


async def test_when_even_the_cancel_of_a_short_order_gets_no_answer_nobody_claims_anything(stage: Stage) -> None:
    (variant,) = await stage.product(1)
    theirs = await stage.hand.arranged(variant, 1)  # type: ignore[attr-defined]

    async def sold_first(call: Callable[[], Awaitable[Reply]]) -> Reply:
        await stage.hand.pay(theirs)  # type: ignore[attr-defined]
        return await call()

    async def unheard(call: Callable[[], Awaitable[Reply]]) -> Reply:
        await call()
        raise NoAnswer("cut")

    meddle(stage, "addManualPaymentToOrder", sold_first)
    meddle(stage, "cancelOrder", unheard)
    command = stage.order((variant, 1))
    assert isinstance(await connector.create(stage.shop, command), Unknown)
    assert len((await connector.find(stage.shop, command.reference, since=command.placed_at)).shop_ids) == 1


@pytest.mark.parametrize("packed", [False, True], ids=["untouched", "packed by the seller"])
async def test_found_without_its_unit_it_is_taken_back_unless_its_seller_works_on_it(
    stage: Stage, packed: bool
) -> None:
    (variant,) = await stage.product(1)
    theirs = await stage.hand.arranged(variant, 1)  # type: ignore[attr-defined]

    async def sold_first_and_unheard(call: Callable[[], Awaitable[Reply]]) -> Reply:
        await stage.hand.pay(theirs)  # type: ignore[attr-defined]
        await call()
        raise NoAnswer("cut")

    meddle(stage, "addManualPaymentToOrder", sold_first_and_unheard)
    command = stage.order((variant, 1))
    assert isinstance(await connector.create(stage.shop, command), Unknown)
    (shop_id,) = (await connector.find(stage.shop, command.reference, since=command.placed_at)).shop_ids
    if packed:
        await stage.hand.recount(variant, 1)
        await stage.hand.fulfil(shop_id)
    found = await connector.order(stage.shop, shop_id)
    outcome = await connector.confirm(stage.shop, command, found)
    assert [order.shop_id for order in await stage.standing(command)] == ([shop_id] if packed else [])
    if packed:
        assert isinstance(outcome, Done)
        assert outcome.shop_id == shop_id
    else:
        assert isinstance(outcome, Refused)
        assert (outcome.why, outcome.short) == (Why.NO_STOCK, (variant.variant_id,))
        assert await stage.hand.count(variant) == 0
    assert (await stage.listed(theirs)).cancelled is False


# What a killed worker leaves


STEPS = [
    "createDraftOrder",
    "setCustomerForDraftOrder",
    "eligibleShippingMethodsForDraftOrder",
    "setDraftOrderShippingMethod",
    "addManualPaymentToOrder",
]


@pytest.mark.parametrize("done", [True, False], ids=["step done", "step not done"])
@pytest.mark.parametrize("step", STEPS)
async def test_stopped_at_any_step_the_order_stands_once_after_a_repeat(stage: Stage, step: str, done: bool) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))

    class Killed(BaseException):
        pass

    async def dies(call: Callable[[], Awaitable[Reply]]) -> Reply:
        if done:
            await call()
        raise Killed

    meddle(stage, step, dies)
    with pytest.raises(Killed):
        await connector.create(stage.shop, command)
    stage.fresh_budget()
    paid = done and step == STEPS[-1]
    found = await connector.find(stage.shop, command.reference, since=command.placed_at)
    assert len(found.shop_ids) == len(await stage.standing(command)) == int(paid)
    again = await connector.create(stage.shop, command)
    assert isinstance(again, Done)
    assert (again.already, again.stock_taken) == (paid, True)
    assert len(await stage.standing(command)) == 1
    assert await stage.hand.count(variant) == 3
    # An empty draft without a customer carries no trace of us; it holds nothing, and no list shows it.
    nameless = int((step, done) in ((STEPS[0], True), (STEPS[1], False)))
    assert await leftovers(stage) == ["Draft"] * nameless
    _, cursor = await stage.all_orders(await stage.order_cursor())
    assert {order.state for order in (await stage.all_orders(cursor))[0]} <= {ShopOrderState.OPEN}


async def test_a_repeat_goes_on_from_what_is_whole_and_clears_away_what_is_not(stage: Stage, books: Books) -> None:
    """So that a line that loses every third answer still gets its orders.

    Each try begins where the last one came to.
    """
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    lost = set(STEPS[1:4])

    async def unheard(call: Callable[[], Awaitable[Reply]]) -> Reply:
        reply = await call()
        if lost:
            lost.pop()
            raise NoAnswer("cut")
        return reply

    for step in STEPS[1:4]:
        meddle(stage, step, unheard)
    tries = 0
    while not isinstance(outcome := await connector.create(stage.shop, command), Done):
        tries += 1
        assert isinstance(outcome, Later)
        assert tries <= 3
    assert (tries, outcome.already, outcome.stock_taken) == (3, False, True)
    assert len(books.shelf.all("order")) == 1
    other = stage.order((variant, 1))
    half = books.draft()["id"]
    books.set_customer(half, mapper.customer(other))
    books.add_item(half, variant.variant_id, 3)
    assert isinstance(await connector.create(stage.shop, other), Done)
    assert books.shelf.get("order", half) is None
    assert await stage.hand.count(variant) == 2


async def test_an_arranging_that_an_earlier_try_had_under_way_is_taken_for_ours(stage: Stage) -> None:
    (variant,) = await stage.product(5)

    async def late(call: Callable[[], Awaitable[Reply]]) -> Reply:
        await call()
        return await call()

    meddle(stage, "setDraftOrderShippingMethod", late)
    command = stage.order((variant, 1))
    assert isinstance(await connector.create(stage.shop, command), Done)
    assert len(await stage.standing(command)) == 1


async def test_lines_that_are_not_ours_are_never_paid(stage: Stage) -> None:
    """A proxy that sends a request twice, or a plugin that adds a gift: the draft holds what nobody ordered."""
    (variant,) = await stage.product(5)

    async def doubled(call: Callable[[], Awaitable[Reply]]) -> Reply:
        await call()
        return await call()

    meddle(stage, "setCustomerForDraftOrder", doubled)
    command = stage.order((variant, 1))
    assert isinstance(await connector.create(stage.shop, command), Later)
    assert list(await stage.hand.orders()) == []
    stage.fresh_budget()
    assert isinstance(await connector.create(stage.shop, command), Done)
    assert [order.lines for order in await stage.hand.orders()] == [((variant.variant_id, 1),)]
    assert await leftovers(stage) == []


@pytest.mark.parametrize("step", STEPS[:-1])
async def test_no_answer_before_the_payment_is_surely_not_done(stage: Stage, step: str) -> None:
    (variant,) = await stage.product(5)

    async def unheard(call: Callable[[], Awaitable[Reply]]) -> Reply:
        await call()
        raise NoAnswer("cut")

    meddle(stage, step, unheard)
    assert isinstance(await connector.create(stage.shop, stage.order((variant, 1))), Later)
    assert list(await stage.hand.orders()) == []


@pytest.mark.parametrize("step", ["addManualPaymentToOrder", "stockMovements(options: { skip"])
async def test_no_answer_from_the_payment_on_is_unknown(stage: Stage, step: str) -> None:
    (variant,) = await stage.product(5)

    async def unheard(call: Callable[[], Awaitable[Reply]]) -> Reply:
        await call()
        raise NoAnswer("cut")

    meddle(stage, step, unheard)
    command = stage.order((variant, 1))
    assert isinstance(await connector.create(stage.shop, command), Unknown)
    assert len(await stage.standing(command)) == 1


async def test_throttled_after_the_payment_is_unknown_and_not_a_promise_that_nothing_was_done(stage: Stage) -> None:
    (variant,) = await stage.product(5)

    async def busy(call: Callable[[], Awaitable[Reply]]) -> Reply:
        return Reply(429, {}, b"")

    meddle(stage, "stockMovements(options: { skip", busy)
    assert isinstance(await connector.create(stage.shop, stage.order((variant, 1))), Unknown)


# What the seller has to set up


async def refused(stage: Stage, **settings: Any) -> Refused:
    assert isinstance(stage.sandbox, Sandbox)
    stage.sandbox.books.set(**settings)
    (variant,) = await stage.product(5)
    outcome = await connector.create(stage.shop, stage.order((variant, 1)))
    assert isinstance(outcome, Refused)
    assert outcome.why is Why.INVALID
    assert await leftovers(stage) == []
    return outcome


async def test_no_shipping_method_says_what_to_set_up(stage: Stage) -> None:
    assert "Settings > Shipping methods" in (await refused(stage, methods=False)).sentence
    assert not next(
        check for check in (await connector.prove(stage.shop)).checks if check.title == "Shipping method"
    ).ok


async def test_an_unknown_country_says_what_to_set_up(stage: Stage) -> None:
    assert "Add the country US under Settings > Countries" in (await refused(stage, countries=["DE"])).sentence


async def test_a_registered_customer_with_our_relay_address_is_refused_with_the_shops_words(
    stage: Stage, books: Books
) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    books.set(registered=[command.email])
    outcome = await connector.create(stage.shop, command)
    assert isinstance(outcome, Refused)
    assert outcome.why is Why.INVALID
    assert "The email address is not available." in outcome.sentence
    assert await leftovers(stage) == []


async def test_a_disabled_variant_is_as_gone_as_a_deleted_one(stage: Stage, books: Books) -> None:
    kept, off = await stage.product(5, 5)
    books.change_variant(off.variant_id, enabled=False)
    outcome = await connector.create(stage.shop, stage.order((kept, 1), (off, 1)))
    assert isinstance(outcome, Refused)
    assert (outcome.why, outcome.short) == (Why.PRODUCT_GONE, (off.variant_id,))
    assert await leftovers(stage) == []


# Cancelling


async def test_a_packed_order_is_not_cancelled(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    await stage.hand.pack(done.shop_id)  # type: ignore[attr-defined]
    outcome = await connector.cancel(stage.shop, stage.cancellation(command, done))
    assert isinstance(outcome, Refused)
    assert outcome.why is Why.TOO_LATE
    assert (await stage.listed(done.shop_id)).cancelled is False
    assert await stage.hand.count(variant) == 3


async def test_the_simulator_like_the_server_gives_back_even_what_was_delivered(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    done = await stage.placed(stage.order((variant, 2)))
    parcel = await stage.hand.fulfil(done.shop_id)
    books.move_parcel(done.shop_id, parcel, "Delivered")
    assert books.variant(variant.variant_id)["onHand"] == 3
    await stage.hand.cancel(done.shop_id)
    assert books.variant(variant.variant_id)["onHand"] == 5


async def test_the_reason_arrives_in_words(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    await connector.cancel(
        stage.shop, CancelOrder(command.reference, done.shop_id, CancelReason.PRICE_ERROR, "It was ten times that.")
    )
    assert (await connector.order(stage.shop, done.shop_id)).cancel_note == "price error. It was ten times that."


async def test_a_count_is_never_written(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    before = len(stage.exchanges)
    outcome: Outcome = await connector.adjust(
        stage.shop, AdjustStock(variant.product_id, variant.variant_id, 1, "k", "restock")
    )
    assert isinstance(outcome, Refused)
    assert outcome.why is Why.UNSUPPORTED
    assert len(stage.exchanges) == before


# News


async def test_shipping_is_seen_although_the_order_keeps_its_date(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    done = await stage.placed(stage.order((variant, 1)))
    date = books.order(done.shop_id)["updatedAt"]
    later = (datetime.now(UTC) + timedelta(hours=2)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    cursor = Cursor(
        begun=datetime.fromisoformat(later), slow=datetime.fromisoformat(later) + timedelta(hours=1)
    ).write()
    await stage.hand.fulfil(done.shop_id, tracking="T1")
    await stage.hand.refund(done.shop_id, "1.00")
    assert books.order(done.shop_id)["updatedAt"] == date
    found, _ = await stage.all_orders(cursor)
    assert [(order.shop_id, len(order.parcels), len(order.refunds)) for order in found] == [(done.shop_id, 1, 1)]


async def test_a_refund_after_delivery_is_seen_when_the_rare_walk_is_due_and_only_then(
    stage: Stage, books: Books
) -> None:
    (variant,) = await stage.product(5)
    done = await stage.placed(stage.order((variant, 1)))
    books.move_parcel(done.shop_id, await stage.hand.fulfil(done.shop_id), "Delivered")
    await stage.hand.refund(done.shop_id, "1.00")
    far = datetime.now(UTC) + timedelta(hours=2)
    quiet, _ = await stage.all_orders(Cursor(begun=far, slow=far).write())
    assert quiet == []
    due, cursor = await stage.all_orders(Cursor(begun=far, slow=datetime.now(UTC) - timedelta(seconds=5)).write())
    assert [len(order.refunds) for order in due] == [1]
    slow = Cursor.read(cursor).slow
    assert slow is not None
    assert slow > datetime.now(UTC) + timedelta(minutes=50)


async def test_drafts_and_abandoned_payments_are_no_news(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    cursor = await stage.order_cursor()
    draft = await stage.hand.arranged(variant, 1)  # type: ignore[attr-defined]
    sold = await stage.hand.sell(variant, 1)
    found, _ = await stage.all_orders(cursor)
    assert [order.shop_id for order in found] == [sold]
    assert (await connector.order(stage.shop, draft)).state is ShopOrderState.GONE


async def test_a_catalogue_of_one_moment_is_walked_without_loss(stage: Stage, books: Books) -> None:
    """Products made by one import share their date; while we turn pages one of them changes and moves to the end."""
    ids = [books.add_product(f"Bulk {n}", [(f"B{n}", 100, 1)], "", "")[0] for n in range(120)]
    for id in ids:
        doc = books.product(id)
        books.shelf.put("product", id, {**doc, "updatedAt": "2026-01-01T00:00:00.000Z"})
    seen: list[str] = []
    cursor, more, turned = "", True, 0
    while more:
        page = await connector.products(stage.shop, cursor)
        seen += [item.product_id for item in page.items]
        cursor, more, turned = page.cursor, page.more, turned + 1
        if turned == 1:
            books.change_product(ids[3], name="Moved")
        assert turned < 20
    assert set(seen) >= set(ids)


async def test_a_product_that_goes_while_its_variants_change_is_gone(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    _, cursor = await stage.all_products()
    await stage.hand.reprice(variant, "3.00")
    books.shelf.put("product", variant.product_id, {**books.product(variant.product_id), "deleted": True})
    found, _ = await stage.all_products(cursor)
    assert ProductGone(variant.product_id) in found


async def test_a_tax_rate_changes_every_price_and_moves_no_date(stage: Stage, books: Books) -> None:
    """Why products are read whole now and then (the manifest's `prices_swept_hours`)."""
    await stage.product(5)
    _, cursor = await stage.all_products()
    (before,) = [item for item in (await stage.all_products())[0] if isinstance(item, ShopProduct)]
    books.set(tax=20)
    later = replace(Cursor.read(cursor), begun=datetime.now(UTC) + timedelta(hours=2)).write()
    assert (await stage.all_products(later))[0] == []
    (after,) = [item for item in (await stage.all_products())[0] if isinstance(item, ShopProduct)]
    assert after.variants[0].price.minor * 100 == before.variants[0].price.minor * 120
    assert connector.manifest.prices_swept_hours > 0


def test_cursors_survive_being_written_down() -> None:
    at = datetime(2026, 11, 23, 3, 42, 20, 543000, tzinfo=UTC)
    for cursor in (Cursor(), Cursor(at), Cursor(at, at, at, "open", Spot(at, 3, "17"))):
        assert Cursor.read(cursor.write()) == cursor
    assert Cursor.read("") == Cursor()


# Connecting


async def test_a_shop_is_more_than_its_channels_token(stage: Stage) -> None:
    """Two servers may have the same token, as their operators set or copied it; each has its own address."""
    proof = await vendure().prove(stage.shop)
    assert proof.stays and proof.shop_id == f"{proof.stays}@{stage.shop.address.partition('://')[2]}"


async def test_a_name_and_password_do_as_well_and_outlive_their_session(stage: Stage) -> None:
    assert isinstance(stage.sandbox, Sandbox)
    mine = vendure()
    way, form = stage.sandbox.login_form()
    secrets = await mine.finish(stage.shop, way=way, form=form, params={}, keep={})
    assert dict(secrets) == {"username": form["username"], "password": form["password"]}
    shop = replace(stage.shop, secrets=secrets)
    (variant,) = await stage.product(5)
    assert (await mine.prove(shop)).ok
    stage.sandbox.end_sessions()
    assert [count.count for count in await mine.counts(shop, [variant])] == [5]
    logins = [each for each in stage.exchanges if "login(" in each.request]
    assert len(logins) == 2
    assert all(form["password"] not in each.request + each.answer for each in stage.exchanges)
    wrong = replace(shop, secrets={**secrets, "password": "wrong"})
    with pytest.raises(AuthDead):
        await mine.prove(wrong)


@pytest.mark.parametrize("missing", sorted(EVERY_RIGHT - {"ReadShippingMethod", "ReadCountry"}))
async def test_each_missing_right_is_named(stage: Stage, missing: str) -> None:
    assert isinstance(stage.sandbox, Sandbox)
    stage.sandbox.rights = EVERY_RIGHT - {missing}
    wrong = [check for check in (await connector.prove(stage.shop)).checks if not check.ok]
    assert [missing in check.title and missing in check.sentence for check in wrong] == [True]


async def test_a_right_that_is_taken_away_later_asks_to_sign_in_again(stage: Stage) -> None:
    assert isinstance(stage.sandbox, Sandbox)
    (variant,) = await stage.product(5)
    stage.sandbox.rights = EVERY_RIGHT - {"CreateOrder"}
    outcome = await connector.create(stage.shop, stage.order((variant, 1)))
    assert isinstance(outcome, SignInAgain)
    assert list(await stage.hand.orders()) == []


async def test_the_wrong_channel_is_said_and_the_connection_test_touches_nothing(stage: Stage, books: Books) -> None:
    shop: Shop = replace(stage.shop, secrets={**stage.shop.secrets, "channel_token": "nope"})
    before = books.shelf.ledger()
    assert [check.title for check in (await connector.prove(shop)).checks if not check.ok] == ["Channel"]
    assert books.shelf.ledger() == before
    assert books.shelf.all("order") == []


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("shop.example.com", "https://shop.example.com"),
        ("https://Shop.Example.com/admin-api", "https://shop.example.com"),
        ("https://shop.example.com/dashboard/orders/7", "https://shop.example.com"),
        ("https://shop.example.com:8443/store/", "https://shop.example.com:8443/store"),
    ],
)
def test_the_address_is_what_lies_below_the_pages(typed: str, address: str) -> None:
    assert connector.address({"address": typed}, local=False) == address


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "http://shop.example.com",
        "https://10.0.0.1",
        "localhost",
        "https://u:p@shop.example.com",
        "https://a b",
        "https://x.example:port",
    ],
)
def test_an_address_that_cannot_be_used_is_refused(typed: str) -> None:
    with pytest.raises(BadInput):
        connector.address({"address": typed}, local=False)


@pytest.mark.parametrize(
    ("way", "form"), [("key", {"api_key": "no-colon"}), ("key", {}), ("login", {"username": "x"}), ("magic", {})]
)
async def test_half_a_form_is_refused(stage: Stage, way: str, form: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        await connector.finish(stage.shop, way=way, form=form, params={}, keep={})


def test_nothing_is_ever_believed_that_calls_itself_a_webhook(stage: Stage) -> None:
    with pytest.raises(Forged):
        verified_news(connector, stage.shop, Hook({}, b"{}"))
    assert connector.hook_shop(Hook({}, b"{}")) == ""


def test_a_customers_name_carries_the_reference_and_the_mark_that_polling_looks_for() -> None:
    assert mapper.surname("CD-7") == "(Crossdock CD-7)"
    assert mapper.surname("CD-7").startswith(mapper.MARK)
    assert reading.OPEN
    assert not set(reading.OPEN) & set(reading.CLOSED)
