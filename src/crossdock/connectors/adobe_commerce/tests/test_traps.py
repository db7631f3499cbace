"""What Magento does and nobody expects, played on the simulator."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crossdock.connectors.adobe_commerce import connect, connector, reading
from crossdock.connectors.adobe_commerce.client import Client
from crossdock.connectors.adobe_commerce.sandbox import vendor
from crossdock.connectors.adobe_commerce.sandbox.books import CANCELLED, HELD, HOME, Books
from crossdock.domain.commands import CancelLines, CancelReason, Done, Later, Refused, SignInAgain, Unknown, Why
from crossdock.domain.events import ProductGone, ShopOrderState, ShopProduct
from crossdock.domain.values import Money
from crossdock.kit.conformance.fulfilment import NUMBER, OTHER, left_here
from crossdock.kit.conformance.risk import judged
from crossdock.kit.conformance.stage import Stage
from crossdock.kit.connector import Reply, VariantRef
from crossdock.kit.errors import AuthDead, BadInput, NoAnswer


def between(stage: Stage, method: str, path: str, act: Callable[[], Awaitable[Any]]) -> None:
    """`act` happens once, just before this call."""
    send, first = stage.shop.http.send, itertools.count()

    async def meddled(way: str, url: str, **rest: Any) -> Reply:
        if way == method and path in url and next(first) == 0:
            await act()
        return await send(way, url, **rest)

    stage.shop.http.send = meddled  # type: ignore[method-assign]


def calls(stage: Stage) -> list[tuple[str, str]]:
    send, seen = stage.shop.http.send, list[tuple[str, str]]()

    async def noted(way: str, url: str, **rest: Any) -> Reply:
        seen.append((way, url))
        return await send(way, url, **rest)

    stage.shop.http.send = noted  # type: ignore[method-assign]
    return seen


async def proved_again(stage: Stage) -> list[str]:
    """Titles of the checks that are not ok."""
    await stage.settle(stage.shop)
    return [check.title for check in stage.proof.checks if not check.ok]


# Stock


async def test_what_is_reserved_is_not_for_sale_though_it_lies_there(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    await stage.placed(stage.order((variant, 4)))
    _, row = books.variant(variant.product_id, variant.variant_id)
    assert row["stock"] == {HOME: 5}, "nothing left the source"
    assert await stage.counted(variant) == {variant.variant_id: 1}


async def test_a_source_counted_below_what_is_reserved_is_read_below_zero(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    await stage.placed(stage.order((variant, 4)))
    books.put_stock(variant.product_id, variant.variant_id, HOME, 1)
    assert await stage.counted(variant) == {variant.variant_id: -3}


async def test_sources_of_the_stock_add_up_and_others_do_not(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(3)
    attic = await stage.hand.open_location("Attic")  # type: ignore[attr-defined]
    await stage.hand.stock_at(variant, attic, 4)  # type: ignore[attr-defined]
    assert await stage.counted(variant) == {variant.variant_id: 7}
    books.shelf.put("source", attic, {**books.shelf.need("source", attic), "enabled": False})
    assert await stage.counted(variant) == {variant.variant_id: 3}


async def test_what_lies_at_no_source_of_the_stock_has_nothing_to_sell(stage: Stage, books: Books) -> None:
    (variant,), (other,) = await stage.product(3), await stage.product(5)
    books.change_variant(variant.product_id, variant.variant_id, stock={"elsewhere": 9})
    assert await stage.counted(variant, other) == {variant.variant_id: 0, other.variant_id: 5}


async def test_what_is_not_counted_is_sold_without_a_count(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(0)
    books.change_variant(variant.product_id, variant.variant_id, managed=False)
    assert await stage.counted(variant) == {variant.variant_id: None}
    command = stage.order((variant, 3))
    done = await stage.placed(command)
    assert done.stock_taken
    assert isinstance(await connector.write_fulfilment(stage.shop, left_here(command, done, (variant, 3))), Done)


async def test_what_may_be_sold_below_zero_is_not_taken_back(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(2)
    books.change_variant(variant.product_id, variant.variant_id, backorders=True)
    (count,) = await connector.counts(stage.shop, [variant])
    assert (count.count, count.backorders) == (2, False)  # type: ignore[union-attr]
    await stage.hand.sell(variant, 4)
    assert await stage.counted(variant) == {variant.variant_id: -2}
    await stage.placed(stage.order((variant, 1)))


async def test_a_sale_between_look_and_order_is_refused_and_named(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(2)
    between(stage, "PUT", "/order", lambda: stage.hand.sell(variant, 1))
    command = stage.order((variant, 2))
    outcome = await connector.create(stage.shop, command)
    assert isinstance(outcome, Refused) and (outcome.why, outcome.short) == (Why.NO_STOCK, (variant.variant_id,))
    assert await stage.standing(command) == [] and await stage.hand.count(variant) == 1


async def test_an_order_that_slipped_through_is_cancelled_marked_and_found_no_more(stage: Stage, books: Books) -> None:
    """Nothing locks between the look and the reservation."""
    (variant,) = await stage.product(2)
    books.set(blind=True)
    between(stage, "PUT", "/order", lambda: stage.hand.sell(variant, 1))
    command = stage.order((variant, 2))
    outcome = await connector.create(stage.shop, command)
    assert isinstance(outcome, Refused) and outcome.short == (variant.variant_id,)
    assert await stage.standing(command) == [] and await stage.hand.count(variant) == 1
    assert (await connector.find(stage.shop, command.reference, since=command.placed_at)).shop_ids == ()
    (taken_back,) = [order for order in await stage.hand.orders() if order.reference]
    assert taken_back.cancelled and taken_back.taken_back


# Orders


async def test_the_shops_own_total_stands_there_and_a_comment_says_both(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5, price="12.50")
    command = stage.order((variant, 2), price="9.90", shipping="5.00")
    done = await stage.placed(command)
    order = await connector.order(stage.shop, done.shop_id)
    assert (str(order.total), str(command.total)) == ("30.00", "24.80")
    (words,) = await stage.hand.staff_words(done.shop_id)  # type: ignore[attr-defined]
    assert "$24.80" in words and "$30.00" in words and command.reference in words
    assert books.order(done.shop_id)["status"] == "pending", "the comment emptied the order's status"
    assert not [word for word in await stage.hand.buyer_words(done.shop_id) if "24.80" in word]  # type: ignore[attr-defined]


async def test_at_the_same_total_nothing_is_written(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5, price="12.50")
    done = await stage.placed(stage.order((variant, 2), price="12.50", shipping="5.00"))
    assert await stage.hand.staff_words(done.shop_id) == []  # type: ignore[attr-defined]
    assert books.order(done.shop_id)["method"] == "flatrate_flatrate", "not the one that costs what was paid"


async def test_the_cheapest_way_is_taken_where_none_costs_what_was_paid(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(9)
    done = await stage.placed(stage.order((variant, 1), shipping="3.00"))
    assert books.order(done.shop_id)["method"] == "freeshipping_freeshipping"
    stage.shop = replace(stage.shop, secrets={**stage.shop.secrets, "shipping": "flatrate_flatrate"})
    done = await stage.placed(stage.order((variant, 1), shipping="3.00"))
    assert books.order(done.shop_id)["method"] == "flatrate_flatrate"
    stage.shop = replace(stage.shop, secrets={**stage.shop.secrets, "shipping": "ups_03"})
    outcome = await connector.create(stage.shop, stage.order((variant, 1)))
    assert isinstance(outcome, Refused) and "ups_03" in outcome.sentence


async def test_the_order_is_paid_offline_with_our_reference_where_it_can_be(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(9)
    books.set(payments=["checkmo", "purchaseorder", "braintree"])
    command = stage.order((variant, 1))
    doc = books.order((await stage.placed(command)).shop_id)
    assert (doc["payment"], doc["po_number"]) == ("purchaseorder", command.reference)
    books.set(payments=["braintree"])
    outcome = await connector.create(stage.shop, stage.order((variant, 1)))
    assert isinstance(outcome, Refused) and "Purchase Order" in outcome.sentence
    books.set(payments=["<b>braintree</b>"])
    assert isinstance(await connector.create(stage.shop, stage.order((variant, 1))), Unknown | Later), "no code at all"
    assert await stage.hand.count(variant) == 8


async def test_nobody_is_mailed_though_magento_mails_the_guest(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 1))
    await stage.placed(command)
    (mail,) = books.shelf.ledger("mail")
    assert mail["to"] == f"{command.reference}@orders.crossdock.invalid"
    (order,) = await stage.standing(command)
    assert command.email in order.buyer, "staff cannot write to the buyer"


async def test_a_refusal_after_the_order_was_saved_is_no_refusal(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    books.set(observer=True)
    command = stage.order((variant, 2))
    outcome = await connector.create(stage.shop, command)
    assert isinstance(outcome, Done) and outcome.already and len(await stage.standing(command)) == 1
    assert await stage.hand.count(variant) == 3


@pytest.mark.parametrize("trouble", ["revoked", "walled", "down"])
@pytest.mark.parametrize("observer", [False, True])
async def test_whatever_stops_us_once_the_order_was_sent_it_is_in_doubt(
    stage: Stage, books: Books, trouble: str, observer: bool
) -> None:
    """ "Sign in again", "later" and "refused" are all taken for not done, and the order would be created twice or be
    nobody's.
    """
    (variant,) = await stage.product(5)
    books.set(observer=observer)
    command, send = stage.order((variant, 2)), stage.shop.http.send

    async def cut(way: str, url: str, **rest: Any) -> Reply:
        reply = await send(way, url, **rest)
        if way == "PUT":
            stage.dial.set({trouble: True})
        return reply

    stage.shop.http.send = cut  # type: ignore[method-assign]
    outcome = await connector.create(stage.shop, command)
    stage.dial.calm()
    stage.fresh_budget()
    assert len(await stage.standing(command)) == 1
    assert isinstance(outcome, Unknown), outcome
    found = await connector.find(stage.shop, command.reference, since=command.placed_at)
    again = await connector.confirm(stage.shop, command, await connector.order(stage.shop, *found.shop_ids))
    assert isinstance(again, Done) and again.already and await stage.hand.count(variant) == 3


@pytest.mark.parametrize("skip", range(14))
async def test_an_order_with_any_answer_lost_stands_once(stage: Stage, skip: int) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 2))
    stage.dial.once("lost_reply", skip=skip)
    outcome = await connector.create(stage.shop, command)
    stage.dial.calm()
    assert isinstance(outcome, Done | Unknown | Later), outcome
    found = await connector.find(stage.shop, command.reference, since=command.placed_at)
    assert len(found.shop_ids) == len(await stage.standing(command)) <= 1
    if isinstance(outcome, Later):
        assert not found.shop_ids, "what is tried again as new stands there already"
        await stage.placed(command)
    elif isinstance(outcome, Unknown) and found.shop_ids:
        again = await connector.confirm(stage.shop, command, await connector.order(stage.shop, found.shop_ids[0]))
        assert isinstance(again, Done) and again.already
    assert await stage.hand.count(variant) in (7, 9)
    assert len(await stage.standing(command)) == (await stage.hand.count(variant) == 7)


async def test_the_country_has_to_be_allowed_and_its_region_is_known(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    address = books.order(done.shop_id)["address"]
    assert (address["region"], address["region_id"], address["region_code"]) == ("Illinois", 20, "IL")
    by_name = replace(command.ship_to, region="new york", postal_code="10001")
    done = await stage.placed(replace(stage.order((variant, 1)), ship_to=by_name))
    assert books.order(done.shop_id)["address"]["region_code"] == "NY"
    nowhere = await connector.create(
        stage.shop, replace(stage.order((variant, 1)), ship_to=replace(command.ship_to, region="Atlantis"))
    )
    assert isinstance(nowhere, Refused) and "regionId" in nowhere.sentence and await stage.hand.count(variant) == 7
    books.set(closed=["US"])
    outcome = await connector.create(stage.shop, stage.order((variant, 1)))
    assert isinstance(outcome, Refused) and "Country Options" in outcome.sentence
    germany = replace(command.ship_to, country="DE", region="Bayern", postal_code="80331")
    await stage.placed(replace(stage.order((variant, 1)), ship_to=germany))


async def test_a_product_without_a_number_of_this_shop_is_refused(stage: Stage) -> None:
    outcome = await connector.create(stage.shop, stage.order((VariantRef("gid://1", "gid://2"), 1)))
    assert isinstance(outcome, Refused) and outcome.why is Why.INVALID


async def test_an_sku_that_changed_is_still_the_same_variant(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(9)
    books.change_variant(variant.product_id, variant.variant_id, sku="NEW/ü 1")
    books.shelf.put("sku", "new/ü 1", {"id": int(variant.variant_id)})
    assert await stage.counted(variant) == {variant.variant_id: 9}
    await stage.placed(stage.order((variant, 1)))


async def test_a_filter_that_is_ignored_is_not_none(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossdock.connectors.adobe_commerce.orders.PAGE", 2)
    (variant,) = await stage.product(9)
    for _ in range(2):
        await stage.hand.sell(variant, 1)
    send = stage.shop.http.send

    async def ignored(way: str, url: str, **rest: Any) -> Reply:
        kept = [part for part in url.split("&") if "filter_groups" not in part]
        return await send(way, "&".join([url.split("?")[0] + "?fields=", *kept]), **rest)

    stage.shop.http.send = ignored  # type: ignore[method-assign]
    with pytest.raises((NoAnswer, AuthDead)):
        await connector.find(stage.shop, "XD-1", since=stage.shop.now())


# Cancels


async def test_an_invoiced_order_is_not_cancelled(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    books.keep("order", {**books.order(done.shop_id), "invoiced": True, "state": "processing"})
    outcome = await connector.cancel(stage.shop, stage.cancellation(command, done))
    assert isinstance(outcome, Refused) and outcome.why is Why.TOO_LATE and "credit memo" in outcome.sentence
    assert await stage.hand.count(variant) == 7


async def test_a_cancel_that_leaves_the_invoiced_part_standing_is_no_cancel(stage: Stage, books: Books) -> None:
    """Magento answers true."""
    (variant,) = await stage.product(9)
    command = stage.order((variant, 3))
    done = await stage.placed(command)
    doc = books.order(done.shop_id)
    books.keep("order", {**doc, "part_invoiced": {str(doc["lines"][0]["id"]): 1}, "state": "processing"})
    outcome = await connector.cancel(stage.shop, stage.cancellation(command, done))
    assert isinstance(outcome, Refused) and outcome.why is Why.TOO_LATE and "credit memo" in outcome.sentence
    assert (await connector.order(stage.shop, done.shop_id)).state is ShopOrderState.OPEN
    assert await stage.hand.count(variant) == 8


async def test_a_cancel_that_cannot_be_read_after_it_is_in_doubt(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 3))
    done = await stage.placed(command)
    between(stage, "POST", "/cancel", lambda: _off(stage))
    outcome = await connector.cancel(stage.shop, stage.cancellation(command, done))
    assert isinstance(outcome, Unknown)
    stage.dial.calm()
    again = await connector.cancel(stage.shop, stage.cancellation(command, done))
    assert isinstance(again, Done) and await stage.hand.count(variant) == 9


async def _off(stage: Stage) -> None:
    for n in range(1, 12):
        stage.dial.once("broken", skip=n)


async def test_an_order_on_hold_waits(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    books.set_state(books.order(done.shop_id), HELD)
    outcome = await connector.cancel(stage.shop, stage.cancellation(command, done))
    assert isinstance(outcome, Refused) and outcome.why is Why.CONFLICT and "hold" in outcome.sentence
    outcome = await connector.write_fulfilment(stage.shop, left_here(command, done, (variant, 2)))
    assert isinstance(outcome, Refused) and outcome.why is Why.CONFLICT and "hold" in outcome.sentence
    assert (await stage.listed(done.shop_id)).parcels == 0


async def test_a_cancel_just_before_ours_is_found(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    between(stage, "POST", "/cancel", lambda: stage.hand.cancel(done.shop_id))
    outcome = await connector.cancel(stage.shop, stage.cancellation(command, done))
    assert isinstance(outcome, Done) and outcome.already and await stage.hand.count(variant) == 9


async def test_an_order_refunded_as_a_whole_is_cancelled(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(9, price="10.00")
    cursor = await stage.order_cursor()
    done = await stage.placed(stage.order((variant, 2)))
    await stage.hand.refund(done.shop_id, (await stage.listed(done.shop_id)).total)
    orders, _ = await stage.all_orders(cursor)
    (order,) = [order for order in orders if order.shop_id == done.shop_id]
    assert order.state is ShopOrderState.CANCELLED and order.refunds and order.cancel_note


async def test_single_units_are_not_taken_out(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    asked = CancelLines(command.reference, done.shop_id, ((variant.variant_id, 1),), CancelReason.BUYER_ASKED, "k")
    outcome = await connector.cancel_lines(stage.shop, asked)
    assert isinstance(outcome, Refused) and outcome.why is Why.UNSUPPORTED


async def test_a_risk_note_keeps_the_orders_status(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    assert isinstance(await connector.write_risk(stage.shop, judged(command, done)), Done)
    assert books.order(done.shop_id)["status"] == "pending"


# Parcels


async def test_a_parcel_from_two_sources_is_two_shipments_with_one_number(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(2)
    attic = await stage.hand.open_location("Attic")  # type: ignore[attr-defined]
    await stage.hand.stock_at(variant, attic, 3)  # type: ignore[attr-defined]
    assert not await proved_again(stage)
    command = stage.order((variant, 4))
    done = await stage.placed(command)
    wish = left_here(command, done, (variant, 4))
    outcome = await connector.write_fulfilment(stage.shop, wish)
    assert isinstance(outcome, Done) and len(outcome.shop_id.split(",")) == 2
    order = await connector.order(stage.shop, done.shop_id)
    assert sorted(parcel.lines[0][1] for parcel in order.parcels) == [2, 2]
    assert {parcel.tracking_number for parcel in order.parcels} == {NUMBER}
    _, row = books.variant(variant.product_id, variant.variant_id)
    assert row["stock"] == {HOME: 0, attic: 1} and row["reserved"] == 0
    again = await connector.write_fulfilment(stage.shop, replace(wish, parcel_id=outcome.shop_id))
    assert isinstance(again, Done) and again.already


async def test_the_only_source_of_the_stock_is_named_where_the_shop_has_others(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    attic = await stage.hand.open_location("Attic")  # type: ignore[attr-defined]
    books.shelf.put("source", attic, {**books.shelf.need("source", attic), "linked": False})
    assert not await proved_again(stage) and stage.shop.settings["sources"] == HOME
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    assert isinstance(await connector.write_fulfilment(stage.shop, left_here(command, done, (variant, 2))), Done)


@pytest.mark.parametrize("skip", range(7))
async def test_two_shipments_with_any_answer_lost_are_made_once(stage: Stage, books: Books, skip: int) -> None:
    (variant,) = await stage.product(2)
    attic = await stage.hand.open_location("Attic")  # type: ignore[attr-defined]
    await stage.hand.stock_at(variant, attic, 3)  # type: ignore[attr-defined]
    assert not await proved_again(stage)
    command = stage.order((variant, 4))
    done = await stage.placed(command)
    wish = left_here(command, done, (variant, 4))
    stage.dial.once("lost_reply", skip=skip)
    await connector.write_fulfilment(stage.shop, wish)
    stage.dial.calm()
    assert isinstance(await connector.write_fulfilment(stage.shop, wish), Done)
    order = await connector.order(stage.shop, done.shop_id)
    assert sum(units for parcel in order.parcels for _, units in parcel.lines) == 4
    _, row = books.variant(variant.product_id, variant.variant_id)
    assert sum(row["stock"].values()) == 1 and row["reserved"] == 0


async def test_a_parcel_whose_order_is_not_to_be_seen_right_after_it_is_no_refusal(stage: Stage) -> None:
    """As where lists are read from a copy of the database that is behind."""
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    wish, send, shipped = left_here(command, done, (variant, 2)), stage.shop.http.send, list[str]()

    async def late(way: str, url: str, **rest: Any) -> Reply:
        if shipped and way == "GET" and "/V1/orders?" in url:
            return Reply(200, {"content-type": "application/json"}, b'{"items": [], "total_count": 0}')
        reply = await send(way, url, **rest)
        shipped.extend([url] if url.endswith("/ship") else [])
        return reply

    stage.shop.http.send = late  # type: ignore[method-assign]
    assert isinstance(await connector.write_fulfilment(stage.shop, wish), Unknown) and len(shipped) == 1
    stage.shop.http.send = send  # type: ignore[method-assign]
    again = await connector.write_fulfilment(stage.shop, wish)
    assert isinstance(again, Done) and again.already


async def test_a_changed_number_replaces_ours_and_leaves_the_sellers(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    wish = left_here(command, done, (variant, 2))
    first = await connector.write_fulfilment(stage.shop, wish)
    assert isinstance(first, Done)
    doc = books.order(done.shop_id)
    doc["parcels"][0]["tracks"].append(
        {"id": 999, "number": "SELLERS1", "title": "DHL", "code": "dhl", "created": books.now()}
    )
    books.keep("order", doc, touch=False)
    changed = replace(wish, tracking_number=OTHER, parcel_id=first.shop_id, numbers=(NUMBER, OTHER))
    assert isinstance(await connector.write_fulfilment(stage.shop, changed), Done)
    numbers = {row["number"] for row in books.order(done.shop_id)["parcels"][0]["tracks"]}
    assert numbers == {OTHER, "SELLERS1"}


async def test_a_shipment_that_is_undone_here_stays_there(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    wish = left_here(command, done, (variant, 2))
    first = await connector.write_fulfilment(stage.shop, wish)
    assert isinstance(first, Done)
    outcome = await connector.write_fulfilment(stage.shop, replace(wish, parcel_id=first.shop_id, undone=True))
    assert isinstance(outcome, Refused) and outcome.why is Why.UNSUPPORTED
    assert (await stage.listed(done.shop_id)).parcels == 1


async def test_without_the_right_to_ship_everything_else_goes_on(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    books.set(without=["Magento_Sales::ship"])
    outcome = await connector.write_fulfilment(stage.shop, left_here(command, done, (variant, 2)))
    assert isinstance(outcome, Refused) and outcome.why is Why.NOT_ALLOWED and "Ship" in outcome.sentence


# What is seen


async def test_beyond_the_last_page_nothing_is_read_twice(stage: Stage, books: Books, monkeypatch: Any) -> None:
    """Magento gives the last page again (magento2#3787)."""
    client = Client(stage.shop)
    await stage.product(1)
    rows = await client.rows("products", sort="entity_id", size=1, page=1)
    again = await client.rows("products", sort="entity_id", size=1, page=7)
    assert (rows.size, again.size, rows.total, again.total) == (1, 0, 1, 1)


@pytest.mark.parametrize("many", [7, 8, 11])
async def test_orders_of_one_second_are_all_seen(
    stage: Stage, books: Books, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(reading, "PAGE", 4)
    cursor = await stage.order_cursor()
    moment = books.now()
    monkeypatch.setattr(books, "now", lambda: moment)
    (variant,) = await stage.product(50)
    made = {await stage.hand.sell(variant, 1) for _ in range(many)}
    changes = reading._changes
    monkeypatch.setattr(reading, "_changes", lambda client, path, spot: changes(client, path, spot, 4))
    orders, _ = await stage.all_orders(cursor)
    assert made <= {order.shop_id for order in orders}


async def test_a_second_part_shipment_moves_no_date_and_is_seen(stage: Stage, books: Books) -> None:
    at = datetime.now(UTC) - timedelta(seconds=400)
    (variant,) = await stage.product(9)
    books.clock = lambda: at
    done = await stage.placed(stage.order((variant, 3)))
    await stage.hand.fulfil(done.shop_id, tracking="ONE", carrier="UPS", lines=[(variant.variant_id, 1)])
    books.clock = lambda: datetime.now(UTC)
    cursor = await stage.order_cursor()
    before = books.order(done.shop_id)["updated"]
    await stage.hand.fulfil(done.shop_id, tracking="TWO", carrier="UPS")
    assert books.order(done.shop_id)["updated"] == before
    orders, _ = await stage.all_orders(cursor)
    (order,) = [order for order in orders if order.shop_id == done.shop_id]
    assert {parcel.tracking_number for parcel in order.parcels} == {"ONE", "TWO"}


async def test_a_child_that_changes_is_seen_with_its_product(stage: Stage, books: Books) -> None:
    long_ago = datetime.now(UTC) - timedelta(seconds=400)
    books.clock = lambda: long_ago
    a, b = await stage.product(5, 6)
    books.clock = lambda: datetime.now(UTC)
    _, cursor = await stage.all_products()
    before = books.shelf.need("product", a.product_id)["updated"]
    await stage.hand.reprice(b, "3.33")
    assert books.shelf.need("product", a.product_id)["updated"] == before
    items, _ = await stage.all_products(cursor)
    (product,) = [item for item in items if item.product_id == a.product_id]
    assert isinstance(product, ShopProduct)
    assert {str(variant.price) for variant in product.variants} == {"12.50", "3.33"}


async def test_a_child_is_no_product_and_one_that_is_visible_is_sold_once(stage: Stage, books: Books) -> None:
    a, b = await stage.product(5, 6)
    assert isinstance(await connector.product(stage.shop, a.variant_id), ProductGone)
    books.change_variant(b.product_id, b.variant_id, visibility=4)
    whole = await connector.product(stage.shop, a.product_id)
    assert isinstance(whole, ShopProduct) and [row.variant_id for row in whole.variants] == [a.variant_id]
    assert any("of its own" in reason for reason in whole.reasons)
    alone = await connector.product(stage.shop, b.variant_id)
    assert isinstance(alone, ShopProduct) and [row.variant_id for row in alone.variants] == [b.variant_id]


async def test_a_child_that_is_not_enabled_is_left_out(stage: Stage, books: Books) -> None:
    a, b = await stage.product(5, 6)
    books.change_variant(b.product_id, b.variant_id, status=2)
    product = await connector.product(stage.shop, a.product_id)
    assert isinstance(product, ShopProduct) and [row.variant_id for row in product.variants] == [a.variant_id]
    assert any("not enabled" in reason for reason in product.reasons)


async def test_a_sale_of_a_configurable_product_is_read_by_its_child(stage: Stage) -> None:
    a, b = await stage.product(5, 6)
    own = await stage.hand.sell(b, 2)
    (line,) = (await connector.order(stage.shop, own)).lines
    assert (line.product_id, line.variant_id, line.quantity) == (a.product_id, b.variant_id, 2)
    assert await stage.counted(a, b) == {a.variant_id: 5, b.variant_id: 4}


@pytest.mark.parametrize(("currency", "price"), [("JPY", "1250"), ("KWD", "1.234")])
async def test_currencies_of_no_and_of_three_decimals(stage: Stage, books: Books, currency: str, price: str) -> None:
    books.set(currency=currency, methods={"freeshipping_freeshipping": "0.0000"})
    assert not await proved_again(stage)
    (variant,) = await stage.product(5, price=price)
    product = await connector.product(stage.shop, variant.product_id)
    assert isinstance(product, ShopProduct) and str(product.variants[0].price) == price
    done = await stage.placed(stage.order((variant, 3), price=price, shipping="0"))
    assert (await connector.order(stage.shop, done.shop_id)).total == Money.of(price, currency) * 3


# Connecting


async def test_each_missing_resource_is_named(stage: Stage, books: Books) -> None:
    books.set(without=["Magento_Sales::sales_creditmemo", "Magento_InventoryApi::source"])
    assert await proved_again(stage) == ["Stock", "Refunds"]
    assert any("Credit Memos" in check.sentence for check in stage.proof.checks)


async def test_the_connection_test_says_what_the_shop_has_to_change(stage: Stage, books: Books) -> None:
    books.set(shown="EUR")
    assert await proved_again(stage) == ["Prices"]
    books.set(shown="", msi=False)
    await stage.settle(stage.shop)
    assert any("MSI" in check.sentence for check in stage.proof.checks if not check.ok)
    books.set(msi=True, store="french")
    with pytest.raises(NoAnswer, match="default"):
        await connector.prove(stage.shop)
    stage.shop = replace(stage.shop, secrets={**stage.shop.secrets, "store": "french"})
    assert not await proved_again(stage)


async def test_one_spoiled_key_of_the_four_is_enough_to_be_refused(stage: Stage) -> None:
    for name in ("consumer_key", "consumer_secret", "access_token", "access_token_secret"):
        shop = replace(stage.shop, secrets={**stage.shop.secrets, name: "x" * 32})
        with pytest.raises(AuthDead):
            await connector.prove(shop)
        outcome = await connector.create(shop, stage.order((VariantRef("1", "1"), 1)))
        assert isinstance(outcome, SignInAgain)


async def test_the_form_says_what_to_type(stage: Stage) -> None:
    assert connect.address({"address": "Shop.example/rest/V1"}, local=False) == "https://shop.example"
    good = dict.fromkeys(("consumer_key", "consumer_secret", "access_token", "access_token_secret"), "a" * 32)
    for form, word in (
        ({**good, "access_token": "short"}, "Access Token"),
        ({**good, "store": "a view"}, "Store view"),
        ({**good, "payment": "x/y"}, "Payment method"),
    ):
        with pytest.raises(BadInput, match=word):
            await connect.finish(Client(stage.shop), way="integration", form=form, params={}, keep={})


# The simulator


async def test_what_the_simulator_answers_has_the_vendors_names_alone(stage: Stage, books: Books) -> None:
    a, _ = await stage.product(5, 6)
    done = await stage.placed(stage.order((a, 2)))
    await stage.hand.fulfil(done.shop_id, tracking="T1", carrier="UPS")
    await stage.hand.refund(done.shop_id, "1.00")
    client = Client(stage.shop)
    for path, name, inner in (
        ("products", "product", ""),
        ("orders", "order", "items"),
        ("shipments", "shipment", "tracks"),
        ("creditmemos", "creditmemo", ""),
    ):
        rows = await client.rows(path)
        for row in rows.items:
            known = vendor.answers(name)
            assert set(row._value) <= set(known), (name, set(row._value) - set(known))
            for part in row.rows(inner) if inner else ():
                known = vendor.answers("order item" if inner == "items" else "track")
                assert set(part._value) <= set(known)


async def test_nothing_that_we_send_is_not_as_documented(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    await connector.write_fulfilment(stage.shop, left_here(command, done, (variant, 1)))
    await stage.all_orders(await stage.order_cursor())
    assert books.shelf.ledger("not as documented") == []
    reply = await stage.shop.http.send("GET", f"{stage.shop.address}/rest/default/V1/orders")
    assert reply.status == 401, "an unsigned request is let in"
    assert books.order(done.shop_id)["state"] != CANCELLED
