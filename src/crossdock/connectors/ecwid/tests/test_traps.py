"""What an Ecwid store does that an order must survive, played against the simulator."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crossdock.connectors.ecwid import connector, reading
from crossdock.connectors.ecwid.client import Client, checked
from crossdock.connectors.ecwid.sandbox import models
from crossdock.connectors.ecwid.sandbox.books import Books, stamp
from crossdock.domain.commands import (
    CancelLines,
    CancelOrder,
    CancelReason,
    Done,
    Later,
    Refused,
    SignInAgain,
    Unknown,
    Why,
)
from crossdock.domain.events import ProductGone, ShopOrder, ShopOrderState
from crossdock.kit.conformance import Stage
from crossdock.kit.conformance.fulfilment import left_here
from crossdock.kit.connector import Reply, VariantRef
from crossdock.kit.errors import AuthDead, BadInput, Declined, Missing, NoAnswer, Throttled


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


def sent(stage: Stage, method: str) -> int:
    return sum(exchange.method == method for exchange in stage.exchanges)


# Stock


async def test_a_sale_between_our_look_and_our_order_takes_it_back(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(1)
    command = stage.order((variant, 1))
    done = between(stage, "POST", "/orders", lambda: stage.hand.sell(variant, 1))
    outcome = await connector.create(stage.shop, command)
    assert done and isinstance(outcome, Refused) and outcome.why is Why.NO_STOCK
    assert outcome.short == (variant.variant_id,)
    assert await stage.standing(command) == [] and await stage.hand.count(variant) == 0
    assert not (await connector.find(stage.shop, command.reference, since=command.placed_at)).shop_ids
    ours = [order for order in await stage.hand.orders() if order.taken_back]
    assert len(ours) == 1 and (await connector.order(stage.shop, ours[0].shop_id)).reference == ""


async def test_where_counts_stop_at_zero_too_little_is_seen_before(stage: Stage, books: Books) -> None:
    books.set(floor=True)
    (variant,) = await stage.product(2)
    outcome = await connector.create(stage.shop, stage.order((variant, 3)))
    assert isinstance(outcome, Refused) and outcome.why is Why.NO_STOCK
    assert await stage.hand.count(variant) == 2 and not books.shelf.ledger("order"), "nothing was placed"


async def test_a_store_that_takes_nothing_for_a_program_gives_no_evidence(stage: Stage, books: Books) -> None:
    """Nobody says that it does: the units are believed to be taken when their count fell by them."""
    books.set(takes=False)
    (variant,) = await stage.product(5)
    done = await stage.placed(stage.order((variant, 2)))
    assert not done.stock_taken and await stage.hand.count(variant) == 5


async def test_a_store_that_refuses_too_little_has_nothing_standing(stage: Stage, books: Books) -> None:
    books.set(refuses_short=True)
    (variant,) = await stage.product(1)
    command = stage.order((variant, 1))
    between(stage, "POST", "/orders", lambda: stage.hand.sell(variant, 1))
    outcome = await connector.create(stage.shop, command)
    assert isinstance(outcome, Refused) and outcome.why is Why.NO_STOCK
    assert await stage.standing(command) == [] and await stage.hand.count(variant) == 0


@pytest.mark.parametrize("bodies", [True, False])
async def test_a_product_that_is_deleted_under_our_order_is_refused_as_gone(
    stage: Stage, books: Books, bodies: bool
) -> None:
    books.set(unknown_is_404=True, bodies=bodies)
    (variant,) = await stage.product(1)
    command = stage.order((variant, 1))
    between(stage, "POST", "/orders", lambda: stage.hand.delete_product(variant.product_id))
    outcome = await connector.create(stage.shop, command)
    assert isinstance(outcome, Refused) and outcome.why is Why.PRODUCT_GONE and not books.shelf.ledger("order")


async def test_an_error_without_a_body_is_one_all_the_same(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(1)
    done = await stage.placed(stage.order((variant, 1)))
    books.set(bodies=False)
    books.delete_order(done.shop_id)
    assert (await connector.order(stage.shop, done.shop_id)).state is ShopOrderState.GONE
    books.set(without=["read_orders"])
    checks = (await connector.prove(stage.shop)).checks
    assert [each.right for each in checks if not each.ok] == ["read_orders"]


async def test_a_store_that_is_not_found_has_lost_no_order(stage: Stage) -> None:
    """It is a 404 as well; were it believed, every order would be gone."""
    (variant,) = await stage.product(1)
    done = await stage.placed(stage.order((variant, 1)))
    elsewhere = replace(stage.shop, address=stage.shop.address[:-1] + "0000")
    with pytest.raises(NoAnswer):
        await connector.order(elsewhere, done.shop_id)
    with pytest.raises(NoAnswer):
        await connector.product(elsewhere, variant.product_id)


async def test_what_is_unlimited_has_no_count_and_is_sold(stage: Stage, books: Books) -> None:
    (single,), (a, b) = await stage.product(0), await stage.product(0, 3)
    for ref in (single, a):
        books.limit(ref.product_id, ref.variant_id, unlimited=True)
    assert await stage.counted(single, a, b) == {single.variant_id: None, a.variant_id: None, b.variant_id: 3}
    done = await stage.placed(stage.order((single, 3), (a, 2)))
    assert not done.stock_taken, "nothing was counted"


async def test_a_product_that_got_variations_has_no_count_of_its_own_any_more(stage: Stage, books: Books) -> None:
    """Its own count is that of choices without a variation; the order for it is refused as gone."""
    (single,) = await stage.product(3)
    doc = books.shelf.need("product", single.product_id)
    row = doc["variants"][0]
    doc["variants"] = [{**row, "id": 5, "option": "Red"}, {**row, "id": 6, "option": "Blue"}]
    books.keep("product", doc)
    assert await stage.counted(single) == {}
    outcome = await connector.create(stage.shop, stage.order((single, 1)))
    assert isinstance(outcome, Refused) and outcome.why is Why.PRODUCT_GONE and not books.shelf.ledger("order")


async def test_a_variation_is_named_with_what_was_chosen(stage: Stage, books: Books) -> None:
    _, b = await stage.product(4, 4)
    seen: list[Any] = []
    send = stage.shop.http.send

    async def kept(way: str, url: str, **rest: Any) -> Reply:
        if way == "POST":
            seen.append(rest["json"])
        return await send(way, url, **rest)

    stage.shop.http.send = kept  # type: ignore[method-assign]
    done = await stage.placed(stage.order((b, 1)))
    (item,) = seen[0]["items"]
    assert item["combinationId"] == int(b.variant_id) and item["selectedOptions"][0]["type"] == "CHOICE"
    (line,) = (await connector.order(stage.shop, done.shop_id)).lines
    assert line.variant_id == b.variant_id and not books.shelf.ledger("not as documented")


# Orders


async def test_another_total_is_taken_back(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    books.set(fee="1.5")
    command = stage.order((variant, 2))
    outcome = await connector.create(stage.shop, command)
    assert isinstance(outcome, Refused) and outcome.why is Why.INVALID and "Total" in outcome.sentence
    assert await stage.standing(command) == [] and await stage.hand.count(variant) == 5


@pytest.mark.parametrize("skip", range(6, 12))
async def test_an_order_is_taken_back_by_one_cancel_whatever_answer_is_lost(
    stage: Stage, books: Books, skip: int
) -> None:
    """What two cancels restock is not said."""
    (variant,) = await stage.product(5)
    books.set(fee="1.5")
    begun = sent(stage, "PUT")
    stage.dial.once("lost_reply", skip=skip)
    outcome = await connector.create(stage.shop, stage.order((variant, 2)))
    assert isinstance(outcome, Refused) and sent(stage, "PUT") - begun == 1
    assert await stage.hand.count(variant) == 5


async def test_in_another_currency_nothing_is_created(stage: Stage, books: Books) -> None:
    """An order names no currency: it would stand there as so many euros."""
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    books.set(currency="EUR")
    outcome = await connector.create(stage.shop, command)
    assert isinstance(outcome, Refused) and outcome.why is Why.INVALID and "EUR" in outcome.sentence
    assert not books.shelf.ledger("order") and sent(stage, "POST") == 0


@pytest.mark.parametrize(("currency", "price", "total"), [("JPY", "1200", 3600.0), ("KWD", "1.235", 3.705)])
async def test_currencies_without_and_with_three_decimals(
    stage: Stage, books: Books, currency: str, price: str, total: float
) -> None:
    books.set(currency=currency)
    stage.proof = await connector.prove(stage.shop)
    stage.shop = replace(stage.shop, settings={**stage.shop.settings, **stage.proof.settings})
    (variant,) = await stage.product(9, price=price)
    product = await connector.product(stage.shop, variant.product_id)
    assert not isinstance(product, ProductGone) and str(product.variants[0].price) == price
    command = stage.order((variant, 3), price=price, shipping="0")
    done = await stage.placed(command)
    assert books.order(done.shop_id)["fields"]["total"] == total
    assert (await connector.order(stage.shop, done.shop_id)).total == command.total


async def test_a_refusal_because_the_reference_is_known_is_looked_for_and_found(stage: Stage, books: Books) -> None:
    books.set(unique=True)
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    assert isinstance(await connector.create(stage.shop, command), Unknown)
    found = await connector.find(stage.shop, command.reference, since=command.placed_at)
    assert found.shop_ids == (done.shop_id,) and await stage.hand.count(variant) == 4


async def test_an_answer_that_is_lost_is_found_and_confirmed(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    stage.dial.once("lost_reply", skip=2)
    assert isinstance(await connector.create(stage.shop, command), Unknown)
    (shop_id,) = (await connector.find(stage.shop, command.reference, since=command.placed_at)).shop_ids
    found = await connector.order(stage.shop, shop_id)
    outcome = await connector.confirm(stage.shop, command, found)
    assert isinstance(outcome, Done) and outcome.already and len(await stage.standing(command)) == 1


async def test_a_search_that_looks_for_nothing_is_no_none(stage: Stage, books: Books) -> None:
    """A full page of others proves nothing; ours among them is found on whichever page."""
    (variant,) = await stage.product(1)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    books.set(keywords=False)
    template = books.order(done.shop_id)
    for number in range(900_000_000, 900_000_120):
        fields = {**template["fields"], "externalOrderId": f"X-{number}"}
        books.shelf.put("order", number, {**template, "id": number, "fields": fields, "reference": f"X-{number}"})
    assert (await connector.find(stage.shop, command.reference, since=command.placed_at)).shop_ids == (done.shop_id,)
    with pytest.raises(NoAnswer):
        await connector.find(stage.shop, "XD-NEVER", since=command.placed_at)


async def test_our_reference_in_the_notes_of_others_is_not_our_order(stage: Stage, books: Books) -> None:
    """`keywords` find it there; only the external order id of an order of ours counts."""
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    own = books.order(await stage.hand.sell(variant, 1))
    books.change(own, {"privateAdminNotes": f"see {command.reference}", "externalOrderId": command.reference})
    assert (await connector.find(stage.shop, command.reference, since=command.placed_at)).shop_ids == ()
    assert (await connector.order(stage.shop, str(own["id"]))).reference == ""


async def test_nobody_is_mailed_whatever_happens_to_our_order(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    fields = books.order(done.shop_id)["fields"]
    assert "email" not in fields and fields["disableAllCustomerNotifications"] is True
    assert command.email in fields["privateAdminNotes"]
    # A seller who types the buyer's address in does not switch it on either.
    books.change(books.order(done.shop_id), {"email": "ada@example.test"})
    await connector.write_fulfilment(stage.shop, left_here(command, done, (variant, 1), number="T1"))
    assert not books.shelf.ledger("mail")


async def test_what_cannot_be_an_id_is_never_part_of_an_address(stage: Stage) -> None:
    command = stage.order((VariantRef("../profile", "p../profile"), 1))
    outcome = await connector.create(stage.shop, command)
    assert isinstance(outcome, Refused) and outcome.why is Why.INVALID
    assert (await connector.order(stage.shop, "../profile")).state is ShopOrderState.GONE
    assert isinstance(await connector.product(stage.shop, "1/2"), ProductGone)


# Cancelling and refunds


async def test_a_cancel_that_is_repeated_restocks_once(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    cancel = stage.cancellation(command, done)
    stage.dial.once("lost_reply", skip=1)
    assert isinstance(await connector.cancel(stage.shop, cancel), Unknown)
    await stage.hand.recount(variant, 3)
    again = await connector.cancel(stage.shop, cancel)
    assert isinstance(again, Done) and again.already and await stage.hand.count(variant) == 3


async def test_a_mere_look_cancels_nothing(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    look = CancelOrder(command.reference, done.shop_id, CancelReason.BUYER_ASKED, only_look=True)
    assert isinstance(await connector.cancel(stage.shop, look), Unknown)
    assert await stage.hand.count(variant) == 3 and (await stage.listed(done.shop_id)).cancelled is False


async def test_refunded_in_full_before_shipping_is_cancelled_and_after_it_is_not(stage: Stage, books: Books) -> None:
    """Ecwid restocks what is marked as refunded: its units sell again."""
    (variant,) = await stage.product(9)
    first, second = stage.order((variant, 2), price="10.00"), stage.order((variant, 2), price="10.00")
    one, two = await stage.placed(first), await stage.placed(second)
    await stage.hand.fulfil(two.shop_id, tracking="T2", carrier="DHL")
    for done in (one, two):
        await stage.hand.refund(done.shop_id, "20.00")
    assert await stage.hand.count(variant) == 9
    before, after = [await connector.order(stage.shop, done.shop_id) for done in (one, two)]
    assert before.state is ShopOrderState.CANCELLED and "refunded" in before.cancel_note and not before.stock_taken
    assert after.state is ShopOrderState.OPEN and [str(each.amount) for each in after.refunds] == ["20.00"]


async def test_a_partial_refund_puts_nothing_back_and_has_its_amount(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(9)
    done = await stage.placed(stage.order((variant, 2), price="10.00"))
    for amount in ("2.00", "2.00"):
        await stage.hand.refund(done.shop_id, amount)
    order = await connector.order(stage.shop, done.shop_id)
    assert order.state is ShopOrderState.OPEN and order.stock_taken and await stage.hand.count(variant) == 7
    assert len({each.refund_id for each in order.refunds}) == 2, "two of one second are two"


async def test_marked_as_refunded_without_a_record_is_the_whole_sum(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(9)
    done = await stage.placed(stage.order((variant, 2), price="10.00"))
    books.change(books.order(done.shop_id), {"paymentStatus": "PARTIALLY_REFUNDED"})
    assert not (await connector.order(stage.shop, done.shop_id)).refunds, "nobody says how much"
    books.change(books.order(done.shop_id), {"paymentStatus": "REFUNDED"})
    order = await connector.order(stage.shop, done.shop_id)
    assert [(each.refund_id, str(each.amount)) for each in order.refunds] == [("status", "20.00")]


async def test_no_units_are_taken_out_of_an_order(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    asked = CancelLines(command.reference, done.shop_id, ((variant.variant_id, 1),), CancelReason.OTHER, "k")
    before = len(stage.exchanges)
    outcome = await connector.cancel_lines(stage.shop, asked)
    assert isinstance(outcome, Refused) and outcome.why is Why.UNSUPPORTED and len(stage.exchanges) == before


# Parcels


async def test_a_part_of_an_order_is_not_written(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 3))
    done = await stage.placed(command)
    outcome = await connector.write_fulfilment(stage.shop, left_here(command, done, (variant, 2), number="T1"))
    assert isinstance(outcome, Refused) and outcome.why is Why.UNSUPPORTED and done.shop_number in outcome.sentence
    assert books.order(done.shop_id)["fields"]["fulfillmentStatus"] == "AWAITING_PROCESSING"


async def test_a_number_without_the_status_is_a_parcel_and_a_label_adds_its_number(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(9)
    done = await stage.placed(stage.order((variant, 3)))
    books.change(books.order(done.shop_id), {"trackingNumber": "T1"})
    (parcel,) = (await connector.order(stage.shop, done.shop_id)).parcels
    assert parcel.tracking_number == "T1" and [units for _, units in parcel.lines] == [3]
    doc = books.order(done.shop_id)
    label = {"id": "L-9", "tracking": {"trackingNumber": "T2"}, "shippingService": {"carrierName": "USPS"}}
    doc["parcels"] = [label, {"id": "L-8", "tracking": {"trackingNumber": "T1"}}]
    books.keep("order", doc)
    first, second = (await connector.order(stage.shop, done.shop_id)).parcels
    assert (first.parcel_id, second.parcel_id, second.tracking_number) == ("order", "L-9", "T2")
    assert second.carrier == "USPS" and [units for _, units in second.lines] == [0]


async def test_the_carrier_leaves_the_rest_of_the_shipping_as_it_was(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 1), shipping="4.50")
    done = await stage.placed(command)
    await connector.write_fulfilment(stage.shop, left_here(command, done, (variant, 1), number="T1"))
    option = books.order(done.shop_id)["fields"]["shippingOption"]
    assert option["shippingRate"] == 4.5 and option["shippingMethodName"] == "Marketplace"
    assert option["shippingCarrierName"] and not books.shelf.ledger("not as documented")


async def test_without_the_right_to_change_orders_only_the_parcel_is_refused(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    books.set(without=["update_orders"])
    outcome = await connector.write_fulfilment(stage.shop, left_here(command, done, (variant, 1), number="T1"))
    assert isinstance(outcome, Refused) and outcome.why is Why.NOT_ALLOWED


# Lists


async def test_deleted_products_and_orders_are_told_by_the_poll(stage: Stage, books: Books) -> None:
    (kept,), (gone,) = await stage.product(3), await stage.product(3)
    done = await stage.placed(stage.order((kept, 1)))
    _, cursor = await stage.all_products()
    at = await stage.order_cursor()
    await stage.hand.delete_product(gone.product_id)
    books.delete_order(done.shop_id)
    items, _ = await stage.all_products(cursor)
    assert [each.product_id for each in items if isinstance(each, ProductGone)] == [gone.product_id]
    orders, _ = await stage.all_orders(at)
    assert [(each.shop_id, each.state) for each in orders] == [(done.shop_id, ShopOrderState.GONE)]


@pytest.mark.parametrize("within", [True, False])
async def test_a_full_catalogue_of_one_second_is_read_whole(stage: Stage, books: Books, within: bool) -> None:
    """Whether the bound of the filter is within is not said, so both are played."""
    books.set(bound_within=within)
    (variant,) = await stage.product(1)
    await stage.sandbox.fill(260, count=1, since=datetime.now(UTC) - timedelta(days=2))
    old = stamp(datetime.now(UTC) - timedelta(days=3))
    for doc in books.shelf.all("product")[:230]:
        books.shelf.put("product", doc["id"], {**doc, "updated": old})
    items, cursor = await stage.all_products()
    assert len({each.product_id for each in items}) == 261
    await stage.hand.reprice(variant, "44.40")
    changed, _ = await stage.all_products(cursor)
    assert variant.product_id in {each.product_id for each in changed}


@pytest.mark.parametrize("within", [True, False])
async def test_orders_of_several_pages_are_read_to_the_end_whatever_is_deleted_meanwhile(
    stage: Stage, books: Books, within: bool
) -> None:
    """Their list is by creation and not by change: what leaves it moves the rest up."""
    books.set(bound_within=within)
    (variant,) = await stage.product(9)
    cursor = await stage.order_cursor()
    made = books.order(await stage.hand.sell(variant, 1))
    for number in range(230):
        books.shelf.put("order", 500_000_000 + number, {**made, "id": 500_000_000 + number})
    first = await connector.orders(stage.shop, cursor)
    assert first.more
    for number in range(229, 221, -1):
        books.shelf.delete("order", 500_000_000 + number)
    seen = {each.shop_id for each in first.items if isinstance(each, ShopOrder)}
    rest, _ = await stage.all_orders(first.cursor)
    seen |= {each.shop_id for each in rest}
    assert {str(500_000_000 + number) for number in range(222)} <= seen and str(made["id"]) in seen


async def test_a_cursor_that_nobody_wrote_begins_anew(stage: Stage) -> None:
    (variant,) = await stage.product(1)
    for cursor in ("x", "2026-99-99T00:00:00~0;", ";;", "2026-01-01T00:00:00+00:00~5;x"):
        assert {each.product_id for each in (await stage.all_products(cursor))[0]} >= {variant.product_id}
    for cursor in ("x", "||", "a|b|c|d"):
        assert (await connector.orders(stage.shop, cursor)).cursor.count("|") == 2


async def test_nothing_of_a_stores_own_customers_is_asked_for(stage: Stage, books: Books) -> None:
    """Their addresses are nobody's business here; names alone are read."""
    (variant,) = await stage.product(5)
    cursor = await stage.order_cursor()
    await stage.hand.sell(variant, 1)
    await connector.orders(stage.shop, cursor)
    tree = models.fields_of(reading.LISTED)["items"]
    assert "email" not in tree and tree["shippingPerson"] == {"name": {}} and "ipAddress" not in tree
    assert not books.shelf.ledger("not as documented")


# The connection


@pytest.mark.parametrize(
    ("lacking", "title"),
    [
        ("read_catalog", "Products and counts"),
        ("update_catalog", "Counts, writing"),
        ("read_orders", "Orders"),
        ("update_orders", "Orders, writing"),
    ],
)
async def test_each_missing_scope_is_named(stage: Stage, books: Books, lacking: str, title: str) -> None:
    books.set(without=[lacking])
    checks = (await connector.prove(stage.shop)).checks
    assert [(each.title, each.right) for each in checks if not each.ok] == [(title, lacking)]
    assert not books.shelf.ledger("adjusted") and not books.shelf.ledger("order")


async def test_the_right_to_create_orders_is_missed_with_the_first_one(stage: Stage, books: Books) -> None:
    books.set(without=["create_orders"])
    (variant,) = await stage.product(5)
    assert (await connector.prove(stage.shop)).ok
    assert isinstance(await connector.create(stage.shop, stage.order((variant, 1))), SignInAgain)


def test_a_store_is_named_by_its_number_or_its_address() -> None:
    wanted = "https://app.ecwid.com/api/v3/12345678"
    for typed in (
        "12345678",
        " #12345678 ",
        wanted,
        f"{wanted}/",
        f"{wanted}/profile",
        "app.ecwid.com/api/v3/12345678",
    ):
        assert connector.address({"address": typed}, local=False) == wanted
    for wrong in ("", "0", "corner", "https://app.ecwid.com.evil.example/api/v3/1", "https://evil.example/api/v3/1"):
        with pytest.raises(BadInput):
            connector.address({"address": wrong}, local=False)


async def test_the_public_token_is_refused_with_its_name(stage: Stage) -> None:
    _, form = stage.site.seller_form()
    with pytest.raises(BadInput, match="public"):
        await connector.finish(
            stage.empty_shop(), way="token", form={**form, "secret_token": "public_abcdefgh"}, params={}, keep={}
        )


def reply(status: int, body: str, headers: Mapping[str, str] = {}) -> Reply:
    return Reply(status, {"content-type": "application/json", **headers}, body.encode())


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (403, '{"errorMessage": "Invalid", "errorCode": "INVALID_API_TOKEN"}', AuthDead),
        (403, '{"errorMessage": "INVALID_API_TOKEN"}', AuthDead),
        (403, '{"errorMessage": "x", "errorCode": "INSUFFICIENT_APP_SCOPE"}', AuthDead),
        (403, "<html>Forbidden</html>", Throttled),
        (402, '{"errorCode": "NOT_AVAILABLE_ON_CURRENT_PLAN"}', AuthDead),
        (402, '{"errorCode": "STORE_IS_SUSPENDED"}', Throttled),
        (404, '{"errorCode": "ORDER_NOT_FOUND"}', Missing),
        (404, "<html>nginx</html>", NoAnswer),
        (408, '{"errorCode": "TIMEOUT"}', NoAnswer),
        (409, '{"errorCode": "EXTERNAL_ID_ALREADY_USED"}', NoAnswer),
        (409, '{"errorCode": "SKU_ALREADY_EXISTS"}', Declined),
        (400, '{"errorCode": "WRONG_PARAMETER"}', Declined),
        (400, '{"other": 1}', NoAnswer),
        (500, '{"errorCode": "INTERNAL_ERROR"}', NoAnswer),
    ],
)
def test_each_refusal_says_what_to_do_next(status: int, body: str, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught:
        checked(reply(status, body))
    assert type(caught.value) is kind or issubclass(type(caught.value), kind)
    assert "{" not in str(caught.value)


async def test_asked_too_often_nothing_is_sent_before_the_wait_is_over(stage: Stage, books: Books) -> None:
    """Whoever goes on asking is blocked for longer."""
    (variant,) = await stage.product(5)
    learned: list[float] = []
    stage.shop.http.learn = lambda *, left, per_second=None: learned.append(left)  # type: ignore[method-assign]
    stage.dial.once("throttle")
    outcome = await connector.create(stage.shop, stage.order((variant, 1)))
    assert learned == [-8.0] and isinstance(outcome, Later | Done)
    with pytest.raises(Throttled) as caught:
        checked(reply(429, '{"errorCode": "RATE_LIMITED"}', {"retry-after": "17"}))
    assert caught.value.after_seconds == 17


async def test_a_suspended_store_is_asked_again_later(stage: Stage, books: Books) -> None:
    books.set(suspended=True)
    with pytest.raises(Throttled):
        await Client(stage.shop).one("GET", "profile")
