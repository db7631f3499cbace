"""What the real Medusa does and nobody expects, each seen on 2.21.2 (tests/real), played on the simulator."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from crossdock.connectors.medusa import connector
from crossdock.connectors.medusa.client import Client
from crossdock.connectors.medusa.sandbox.books import HOME, Books, No
from crossdock.domain.commands import CancelLines, CancelReason, Done, Outcome, Refused, SignInAgain, Unknown, Why
from crossdock.domain.events import ShopOrderState, ShopProduct
from crossdock.domain.redact import redact_text
from crossdock.domain.values import Money
from crossdock.kit.conformance.fulfilment import NUMBER, OTHER, left_here
from crossdock.kit.conformance.stage import Stage
from crossdock.kit.connector import Reply, VariantRef
from crossdock.kit.errors import AuthDead, BadInput, Declined, Missing, NoAnswer, NotAllowed, Strange, Throttled


def between(stage: Stage, method: str, path: str, act: Callable[[], Awaitable[Any]]) -> None:
    """`act` happens once, just before this call."""
    send, first = stage.shop.http.send, itertools.count()

    async def meddled(way: str, url: str, **rest: Any) -> Reply:
        if way == method and path in url and next(first) == 0:
            await act()
        return await send(way, url, **rest)

    stage.shop.http.send = meddled  # type: ignore[method-assign]


def drafts(books: Books) -> list[str]:
    return [doc["id"] for doc in books.shelf.all("order") if doc["status"] == "draft"]


# Stock


async def test_a_sum_of_locations_is_not_for_sale(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(3)
    attic = await stage.hand.open_location("Attic")  # type: ignore[attr-defined]
    await stage.hand.stock_at(variant, attic, 3)  # type: ignore[attr-defined]
    proof = await connector.prove(stage.shop)
    stage.shop = replace(stage.shop, settings={**stage.shop.settings, **proof.settings})
    assert await stage.counted(variant) == {variant.variant_id: 3}
    outcome = await connector.create(stage.shop, stage.order((variant, 5)))
    assert isinstance(outcome, Refused) and outcome.why is Why.NO_STOCK and outcome.short == (variant.variant_id,)
    assert await stage.hand.count(variant) == 6 and drafts(books) == [], "a draft of it stays"
    await stage.placed(stage.order((variant, 3)))
    assert await stage.counted(variant) == {variant.variant_id: 3}, "the other location has as many"


async def test_two_lines_of_one_variant_are_not_given_the_same_units(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(3)
    for second in (stage.order((variant, 3), (variant, 2)), stage.order((variant, 2), (variant, 2))):
        outcome = await connector.create(stage.shop, second)
        assert isinstance(outcome, Refused) and outcome.why is Why.NO_STOCK
    command = stage.order((variant, 2), (variant, 2))
    dear = replace(command.lines[1], unit_price=Money.of("20.00", "USD"))
    outcome = await connector.create(stage.shop, replace(command, lines=(command.lines[0], dear)))
    assert isinstance(outcome, Refused) and outcome.short == (variant.variant_id,)
    assert await stage.hand.count(variant) == 3 and not books.shelf.ledger("order")


async def test_at_two_prices_it_stands_in_two_lines_at_the_whole_total(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 2), (variant, 2))
    command = replace(command, lines=(command.lines[0], replace(command.lines[1], unit_price=Money.of("20.00", "USD"))))
    done = await stage.placed(command)
    order = await connector.order(stage.shop, done.shop_id)
    assert [line.quantity for line in order.lines] == [2, 2] and order.total == command.total


async def test_a_sale_between_draft_and_order_is_refused_and_the_draft_is_cleared_away(
    stage: Stage, books: Books
) -> None:
    (variant,) = await stage.product(1)
    between(stage, "POST", "/convert-to-order", lambda: stage.hand.sell(variant, 1))
    command = stage.order((variant, 1))
    outcome = await connector.create(stage.shop, command)
    assert isinstance(outcome, Refused) and outcome.why is Why.NO_STOCK and outcome.short == (variant.variant_id,)
    assert await stage.standing(command) == [] and drafts(books) == [] and await stage.hand.count(variant) == 0


async def test_stock_below_what_is_reserved_is_read_below_zero(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    await stage.placed(stage.order((variant, 4)))
    books.put_stock(variant.product_id, variant.variant_id, HOME, 1)
    assert await stage.counted(variant) == {variant.variant_id: -3}


async def test_a_kit_has_as_many_as_its_pieces_make_and_its_parcel_is_counted_in_kits(
    stage: Stage, books: Books
) -> None:
    (variant,) = await stage.product(4)
    books.change_variant(variant.product_id, variant.variant_id, pieces=3)
    assert await stage.counted(variant) == {variant.variant_id: 4}
    done = await stage.placed(stage.order((variant, 2)))
    await stage.hand.fulfil(done.shop_id, tracking="K1")
    (parcel,) = (await connector.order(stage.shop, done.shop_id)).parcels
    assert [units for _, units in parcel.lines] == [2]


async def test_what_is_not_counted_has_no_count_and_is_sold(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(0)
    books.change_variant(variant.product_id, variant.variant_id, managed=False)
    assert await stage.counted(variant) == {variant.variant_id: None}
    command = stage.order((variant, 3))
    done = await stage.placed(command)
    assert isinstance(await connector.write_fulfilment(stage.shop, left_here(command, done, (variant, 3))), Done)


# Orders


async def test_a_draft_of_an_earlier_try_is_gone_on_with(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    stage.dial.once("lost_reply", skip=2)
    assert isinstance(await connector.create(stage.shop, command), Unknown)
    (draft,) = drafts(books)
    assert await stage.standing(command) == [] and await stage.hand.count(variant) == 5, "a draft takes nothing"
    assert not (await connector.find(stage.shop, command.reference, since=command.placed_at)).shop_ids
    assert (await connector.order(stage.shop, draft)).state is ShopOrderState.GONE
    done = await stage.placed(command)
    assert done.shop_id == draft and drafts(books) == [] and await stage.hand.count(variant) == 3


async def test_converted_by_an_earlier_try_meanwhile_it_is_found_and_not_doubled(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))

    async def convert() -> None:
        (draft,) = drafts(books)
        books.convert(books.order(draft))

    between(stage, "POST", "/convert-to-order", convert)
    outcome = await connector.create(stage.shop, command)
    assert isinstance(outcome, Done) and outcome.already and len(await stage.standing(command)) == 1
    assert await stage.hand.count(variant) == 3


async def test_a_filter_that_is_ignored_finds_nobody_elses_order(stage: Stage) -> None:
    """`q` is looked for in addresses: "%" finds every order, and none of them is ours."""
    (variant,) = await stage.product(9)
    command = stage.order((variant, 1))
    await stage.placed(command)
    for reference in ("%", "_", "Ada", "Cormorant"):
        assert (await connector.find(stage.shop, reference, since=command.placed_at)).shop_ids == ()


async def test_an_automatic_promotion_is_taken_off_again(stage: Stage, books: Books) -> None:
    books.set(promotion=10)
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2), price="12.50", shipping="4.99")
    done = await stage.placed(command)
    assert (await connector.order(stage.shop, done.shop_id)).total == command.total


async def test_an_edit_of_the_draft_that_was_begun_already_is_ended(stage: Stage, books: Books) -> None:
    books.set(promotion=10)
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    stage.dial.once("lost_reply", skip=3)
    assert isinstance(await connector.create(stage.shop, command), Unknown)
    done = await stage.placed(command)
    assert (await connector.order(stage.shop, done.shop_id)).total == command.total
    assert not books.being_edited(books.order(done.shop_id))


async def test_an_edit_that_is_refused_leaves_no_draft_that_somebody_could_convert(
    stage: Stage, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(doc: object) -> None:
        raise No("invalid_data", "Promotions of a draft cannot be changed")

    books.set(promotion=10)
    (variant,) = await stage.product(5)
    monkeypatch.setattr(books, "end_edit", refuse)
    outcome = await connector.create(stage.shop, stage.order((variant, 2)))
    assert isinstance(outcome, Refused) and "cannot be changed" in outcome.sentence
    assert not books.shelf.all("order")


async def test_a_total_with_more_decimals_than_the_currency_is_rounded_and_said_at_the_connection(
    stage: Stage, books: Books
) -> None:
    books.set(tax=8)
    check = next(each for each in (await connector.prove(stage.shop)).checks if each.title == "Taxes")
    assert not check.ok and check.limited and "Regions" in check.sentence
    books.set(with_tax=True)
    assert all(each.ok for each in (await connector.prove(stage.shop)).checks)
    (variant,) = await stage.product(5)
    done = await stage.placed(stage.order((variant, 1), price="9.99"))
    assert str((await connector.order(stage.shop, done.shop_id)).total) == "10.79"


async def test_it_is_marked_as_paid_once_whatever_answer_was_lost(stage: Stage, books: Books) -> None:
    """A second payment collection would leave the order half paid."""
    for skip in range(3, 6):
        (variant,) = await stage.product(5)
        command = stage.order((variant, 2))
        stage.dial.once("lost_reply", skip=skip)
        outcome = await connector.create(stage.shop, command)
        assert isinstance(outcome, Unknown), outcome
        (shop_id,) = (await connector.find(stage.shop, command.reference, since=command.placed_at)).shop_ids
        again = await connector.confirm(stage.shop, command, await connector.order(stage.shop, shop_id))
        assert isinstance(again, Done) and again.already
        assert [held["status"] for held in books.order(shop_id)["collections"]] == ["completed"]


async def test_the_total_stays_what_was_sold_when_a_refund_lowers_it(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2), price="10.00")
    done = await stage.placed(command)
    await stage.hand.refund(done.shop_id, "3.50")
    assert books.total(books.order(done.shop_id)) == Decimal("16.50")
    assert (await connector.order(stage.shop, done.shop_id)).total == command.total


async def test_the_refund_that_a_cancel_makes_is_no_news(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    done = await stage.placed(stage.order((variant, 2), price="10.00"))
    await stage.hand.refund(done.shop_id, "3.50")
    await stage.hand.cancel(done.shop_id)
    order = await connector.order(stage.shop, done.shop_id)
    assert order.state is ShopOrderState.CANCELLED and [str(each.amount) for each in order.refunds] == ["3.50"]
    assert str(order.total) == "20.00"


async def test_no_cancel_is_sent_while_the_order_is_edited_since_it_would_be_refunded(
    stage: Stage, books: Books
) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    books.begin_edit(books.order(done.shop_id))
    outcome = await connector.cancel(stage.shop, stage.cancellation(command, done))
    assert isinstance(outcome, Refused) and "edited" in outcome.sentence
    doc = books.order(done.shop_id)
    assert doc["refunds"] == [] and doc["status"] == "pending" and await stage.hand.count(variant) == 3
    parcel = await connector.write_fulfilment(stage.shop, left_here(command, done, (variant, 2)))
    assert isinstance(parcel, Refused) and "edited" in parcel.sentence
    books.end_edit(books.order(done.shop_id), confirmed=False)
    assert isinstance(await connector.cancel(stage.shop, stage.cancellation(command, done)), Done)
    assert await stage.hand.count(variant) == 5


async def test_what_the_simulated_cancel_during_an_edit_leaves_is_what_the_real_one_leaves(
    stage: Stage, books: Books
) -> None:
    (variant,) = await stage.product(5)
    done = await stage.placed(stage.order((variant, 2), price="10.00"))
    books.begin_edit(books.order(done.shop_id))
    with pytest.raises(Declined, match="active order change"):
        await Client(stage.shop).send("POST", f"orders/{done.shop_id}/cancel")
    doc = books.order(done.shop_id)
    assert doc["status"] == "pending" and [each["amount"] for each in doc["refunds"]] == ["20.00"]


async def test_a_completed_order_and_a_packed_one_are_not_cancelled(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    doc = books.order(done.shop_id)
    books.keep("order", {**doc, "status": "completed"})
    outcome = await connector.cancel(stage.shop, stage.cancellation(command, done))
    assert isinstance(outcome, Refused) and outcome.why is Why.TOO_LATE and "completed" in outcome.sentence
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    doc = books.order(done.shop_id)
    made = books.fulfil(doc, [(doc["lines"][0]["id"], 1)])
    outcome = await connector.cancel(stage.shop, stage.cancellation(command, done))
    assert isinstance(outcome, Refused) and "packed" in outcome.sentence
    assert (await connector.order(stage.shop, done.shop_id)).parcels == ()
    books.cancel_parcel(books.order(done.shop_id), made["id"])
    assert isinstance(await connector.cancel(stage.shop, stage.cancellation(command, done)), Done)
    assert await stage.hand.count(variant) == 8


async def test_what_is_archived_is_what_it_was_before(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 1))
    done, gone = await stage.placed(command), await stage.placed(stage.order((variant, 1)))
    with pytest.raises(No):
        books.archive(books.order(done.shop_id))
    books.keep("order", {**books.order(done.shop_id), "status": "completed"})
    await stage.hand.cancel(gone.shop_id)
    drafted = books.draft({"region_id": books.region})["id"]
    for shop_id in (done.shop_id, gone.shop_id, drafted):
        books.archive(books.order(shop_id))
    read = [await connector.order(stage.shop, shop_id) for shop_id in (done.shop_id, gone.shop_id, drafted)]
    assert [order.state for order in read] == [ShopOrderState.OPEN, ShopOrderState.CANCELLED, ShopOrderState.GONE]
    assert [order.stock_taken for order in read] == [True, False, False]
    outcome = await connector.cancel(stage.shop, stage.cancellation(command, done))
    assert isinstance(outcome, Refused) and outcome.why is Why.TOO_LATE and "completed" in outcome.sentence


async def test_single_units_are_not_taken_out(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    asked = CancelLines(command.reference, done.shop_id, ((variant.variant_id, 1),), CancelReason.BUYER_ASKED, "k")
    outcome = await connector.cancel_lines(stage.shop, asked)
    assert isinstance(outcome, Refused) and outcome.why is Why.UNSUPPORTED
    assert (await connector.order(stage.shop, done.shop_id)).lines[0].quantity == 2


async def test_where_no_region_has_the_country_it_is_refused_before_anything_is_sent(
    stage: Stage, books: Books
) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    outcome = await connector.create(stage.shop, replace(command, ship_to=replace(command.ship_to, country="FR")))
    assert isinstance(outcome, Refused) and "FR" in outcome.sentence and drafts(books) == []
    books.set(shipping=False)
    outcome = await connector.create(stage.shop, command)
    assert isinstance(outcome, Refused) and "shipping option" in outcome.sentence and drafts(books) == []


# Parcels


async def test_units_leave_from_where_they_are_reserved_as_two_fulfilments(stage: Stage, books: Books) -> None:
    """From the shipping option's location they would make its count negative, or not be found there."""
    a, b = await stage.product(2, 2)
    attic = await stage.hand.open_location("Attic")  # type: ignore[attr-defined]
    for variant, home, there in ((a, 2, 0), (b, 0, 2)):
        await stage.hand.stock_at(variant, HOME, home)  # type: ignore[attr-defined]
        await stage.hand.stock_at(variant, attic, there)  # type: ignore[attr-defined]
    settings = (await connector.prove(stage.shop)).settings
    stage.shop = replace(stage.shop, settings={**stage.shop.settings, **settings})
    command = stage.order((a, 1), (b, 1))
    done = await stage.placed(command)
    wish = left_here(command, done, (a, 1), (b, 1))
    outcome = await connector.write_fulfilment(stage.shop, wish)
    assert isinstance(outcome, Done) and len(outcome.shop_id.split(",")) == 2
    made = books.order(done.shop_id)["parcels"]
    assert {each["place"] for each in made} == {HOME, attic} and all(each["shipped"] for each in made)
    assert (await stage.hand.count(a), await stage.hand.count(b)) == (1, 1)
    again = await connector.write_fulfilment(stage.shop, replace(wish, parcel_id=outcome.shop_id))
    assert isinstance(again, Done) and again.already
    assert len(books.order(done.shop_id)["parcels"]) == 2


@pytest.mark.parametrize("skip", range(6))
async def test_two_fulfilments_of_one_parcel_are_two_whatever_answer_was_lost(
    stage: Stage, books: Books, skip: int
) -> None:
    a, b = await stage.product(2, 2)
    attic = await stage.hand.open_location("Attic")  # type: ignore[attr-defined]
    await stage.hand.stock_at(b, HOME, 0)  # type: ignore[attr-defined]
    await stage.hand.stock_at(b, attic, 2)  # type: ignore[attr-defined]
    settings = (await connector.prove(stage.shop)).settings
    stage.shop = replace(stage.shop, settings={**stage.shop.settings, **settings})
    command = stage.order((a, 1), (b, 1))
    done = await stage.placed(command)
    wish = left_here(command, done, (a, 1), (b, 1))
    stage.dial.once("lost_reply", skip=skip)
    outcome: Outcome = await connector.write_fulfilment(stage.shop, wish)
    stage.dial.calm()
    for _ in range(3):
        if isinstance(outcome, Done) and outcome.already:
            break
        outcome = await connector.write_fulfilment(stage.shop, wish)
    made = books.order(done.shop_id)["parcels"]
    assert sorted(each["place"] for each in made) == sorted([HOME, attic]), made
    assert all(each["shipped"] and each["labels"][0]["tracking_number"] == NUMBER for each in made)
    assert (await stage.hand.count(a), await stage.hand.count(b)) == (1, 1)


async def test_packed_by_a_try_that_was_cut_it_is_shipped_and_not_made_again(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    wish = left_here(command, done, (variant, 2))
    stage.dial.once("lost_reply", skip=2)
    assert isinstance(await connector.write_fulfilment(stage.shop, wish), Unknown)
    assert [bool(each["shipped"]) for each in books.order(done.shop_id)["parcels"]] == [False]
    assert isinstance(await connector.write_fulfilment(stage.shop, replace(wish, only_look=True)), Unknown)
    assert isinstance(await connector.write_fulfilment(stage.shop, wish), Done)
    assert [bool(each["shipped"]) for each in books.order(done.shop_id)["parcels"]] == [True]
    assert await stage.hand.count(variant) == 3


async def test_one_that_the_seller_packed_and_cancelled_is_not_taken_for_ours(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    doc = books.order(done.shop_id)
    theirs = books.fulfil(doc, [(doc["lines"][0]["id"], 2)])
    books.cancel_parcel(books.order(done.shop_id), theirs["id"])
    assert isinstance(await connector.write_fulfilment(stage.shop, left_here(command, done, (variant, 2))), Done)
    made = books.order(done.shop_id)["parcels"]
    assert [(bool(each["shipped"]), each["cancelled"]) for each in made] == [(False, True), (True, False)]


async def test_one_that_the_seller_packs_meanwhile_is_not_shipped_by_us(stage: Stage, books: Books) -> None:
    first, second = await stage.product(5, 5)
    command = stage.order((first, 1), (second, 1))
    done = await stage.placed(command)

    async def pack() -> None:
        doc = books.order(done.shop_id)
        line = next(each for each in doc["lines"] if each["variant_id"] == second.variant_id)
        books.fulfil(doc, [(line["id"], 1)])

    between(stage, "POST", "/fulfillments", pack)
    assert isinstance(await connector.write_fulfilment(stage.shop, left_here(command, done, (first, 1))), Done)
    made = books.order(done.shop_id)["parcels"]
    assert [bool(each["shipped"]) for each in made] == [False, True]


async def test_a_number_that_changes_stands_in_the_metadata_beside_what_stood_there(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    wish = left_here(command, done, (variant, 2))
    made = await connector.write_fulfilment(stage.shop, wish)
    assert isinstance(made, Done)
    books.note_down(books.order(done.shop_id), {"gift": "yes"})
    new = replace(
        wish, tracking_number=OTHER, carrier="UPS", tracking_url="https://ups.example/1", parcel_id=made.shop_id
    )
    assert isinstance(await connector.write_fulfilment(stage.shop, new), Done)
    (parcel,) = (await connector.order(stage.shop, done.shop_id)).parcels
    assert (parcel.tracking_number, parcel.carrier, parcel.tracking_url) == (OTHER, "UPS", "https://ups.example/1")
    doc = books.order(done.shop_id)
    assert doc["metadata"]["gift"] == "yes" and doc["metadata"]["crossdock_reference"] == command.reference
    assert doc["parcels"][0]["labels"][0]["tracking_number"] == NUMBER, "Medusa changes no label"


async def test_a_shipment_is_not_taken_back(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    wish = left_here(command, done, (variant, 2))
    await connector.write_fulfilment(stage.shop, wish)
    outcome = await connector.write_fulfilment(stage.shop, replace(wish, undone=True))
    assert isinstance(outcome, Refused) and outcome.why is Why.UNSUPPORTED
    assert [bool(each["shipped"]) for each in books.order(done.shop_id)["parcels"]] == [True]


# Products


async def test_a_price_that_moves_only_its_variant_is_found(stage: Stage, books: Books) -> None:
    first, second = await stage.product(2, 2)
    _, cursor = await stage.all_products()
    before = books.shelf.need("product", first.product_id)["updated"]
    await stage.hand.reprice(second, "99.00")
    assert books.shelf.need("product", first.product_id)["updated"] == before
    found, _ = await stage.all_products(cursor)
    seen = [item for item in found if isinstance(item, ShopProduct) and item.product_id == first.product_id]
    assert {each.variant_id: str(each.price) for each in seen[-1].variants}[second.variant_id] == "99.00"


async def test_the_price_for_everybody_is_the_price(stage: Stage, books: Books) -> None:
    """Beside it others hold for a region, a group or a quantity, and one has more decimals than the yen."""
    (variant,) = await stage.product(2, price="12.50")
    others = [
        {"amount": 9, "currency_code": "usd", "rules": {"region_id": "reg_1"}},
        {"amount": 8, "currency_code": "usd", "min_quantity": 10, "rules": {}},
        {"amount": 1000.5, "currency_code": "jpy", "rules": {}},
    ]
    books.change_variant(variant.product_id, variant.variant_id, prices=others)
    product = await connector.product(stage.shop, variant.product_id)
    assert isinstance(product, ShopProduct) and [str(each.price) for each in product.variants] == ["12.50"]


async def test_a_price_of_a_region_is_not_for_everybody_wherever_it_stands(stage: Stage, books: Books) -> None:
    """Medusa shows whom a price is for only where that is asked for."""
    (variant,) = await stage.product(2, price="20.00")
    region = {"amount": 18, "currency_code": "usd", "rules": {"region_id": "reg_1"}}
    books.change_variant(variant.product_id, variant.variant_id, first_prices=[region])
    one = await connector.product(stage.shop, variant.product_id)
    listed, _ = await stage.all_products()
    for product in (one, *listed):
        assert isinstance(product, ShopProduct) and [str(each.price) for each in product.variants] == ["20.00"]


async def test_what_another_channel_sells_alone_or_is_a_draft_is_not_offered(stage: Stage, books: Books) -> None:
    for change, words in (({"offered": False}, "sales channel"), ({"status": "draft"}, "not published")):
        (variant,) = await stage.product(2)
        books.keep("product", {**books.shelf.need("product", variant.product_id), **change})
        product = await connector.product(stage.shop, variant.product_id)
        assert isinstance(product, ShopProduct) and not product.active and words in product.reasons[0]


# Connecting


async def test_each_thing_that_an_order_needs_is_looked_for(stage: Stage, books: Books) -> None:
    for missing, title in (("region", "Region"), ("shipping", "Shipping")):
        books.set(**{missing: False})
        wrong = [check for check in (await connector.prove(stage.shop)).checks if not check.ok]
        assert [check.title for check in wrong] == [title] and wrong[0].sentence
        books.set(**{missing: True})


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("https://api.example.com/", "https://api.example.com"),
        ("api.example.com/app/orders", "https://api.example.com"),
        ("https://example.com/medusa/admin/orders", "https://example.com/medusa"),
    ],
)
def test_the_address_is_the_servers(typed: str, address: str) -> None:
    assert connector.address({"address": typed}, local=False) == address


@pytest.mark.parametrize("key", ["", "pk_0123456789abcdef", "sk_short", "sk_with blank in the middle"])
async def test_a_key_that_is_no_secret_key_is_refused(stage: Stage, key: str) -> None:
    form = {"address": stage.site.address, "api_key": key}
    with pytest.raises(BadInput):
        await connector.finish(stage.empty_shop(), way="key", form=form, params={}, keep={})


class Says:
    """An Http that answers with one reply."""

    def __init__(self, answer: Reply) -> None:
        self.answer = answer

    async def send(self, method: str, url: str, **rest: Any) -> Reply:
        return self.answer

    def learn(self, *, left: float, per_second: float | None = None) -> None: ...


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, b'{"message":"Unauthorized"}', AuthDead),
        (401, b"<h1>Members only</h1>", Throttled),
        (403, b'{"type":"forbidden","message":"No"}', NotAllowed),
        (403, b"<h1>No</h1>", Throttled),
        (400, b'{"type":"invalid_data","message":"No"}', Declined),
        (400, b"<h1>Bad</h1>", NoAnswer),
        (404, b'{"type":"not_found","message":"No"}', Missing),
        (404, b"<pre>Cannot GET /admin/x</pre>", NoAnswer),
        (409, b'{"type":"conflict","message":"Try again"}', NoAnswer),
        (500, b'{"code":"unknown_error","type":"unknown_error","message":"An unknown error occurred."}', NoAnswer),
    ],
)
async def test_what_a_status_means_depends_on_who_wrote_it(
    stage: Stage, status: int, body: bytes, error: type[Exception]
) -> None:
    shop = replace(stage.shop, http=Says(Reply(status, {}, body)))
    with pytest.raises(error):
        await Client(shop).one("GET", "orders/order_1", "order")
    if error is AuthDead:
        (variant,) = await stage.product(1)
        assert isinstance(await connector.create(shop, stage.order((variant, 1))), SignInAgain)


@pytest.mark.parametrize("path", ["orders/a/../b", "orders/a?x=1", "orders/a b", "orders/é!", ""])
async def test_an_odd_id_is_never_part_of_an_address(stage: Stage, path: str) -> None:
    with pytest.raises(Strange):
        await Client(stage.shop).send("GET", path)
    assert (await connector.order(stage.shop, "a/../b")).state is ShopOrderState.GONE
    assert await connector.counts(stage.shop, [VariantRef("x", "y/z")]) == ()


async def test_a_body_that_is_not_as_documented_is_refused_and_noted(stage: Stage, books: Books) -> None:
    with pytest.raises(Declined, match="region_id"):
        await Client(stage.shop).send("POST", "draft-orders", json={"items": []})
    with pytest.raises(Declined):
        await Client(stage.shop).send("POST", "draft-orders", json={"region_id": "reg_1", "note": "unknown"})
    assert len(books.shelf.ledger("not as documented")) == 2


async def test_ids_stay_in_what_is_recorded_for_a_case_and_the_key_does_not(stage: Stage) -> None:
    """An id of Medusa's looks like a vendor's key: a case in which every id is blacked out cannot be played again."""
    (variant,) = await stage.product(5)
    done = await stage.placed(stage.order((variant, 1)))
    await connector.order(stage.shop, done.shop_id)
    seen = stage.exchanges[-1]
    assert done.shop_id in seen.url and f'"id": "{done.shop_id}"' in seen.answer and variant.variant_id in seen.answer
    key = stage.shop.secrets["api_key"]
    assert not any(key in f"{each.url} {each.request} {each.answer} {each.headers}" for each in stage.exchanges)
    assert redact_text(f"the key {key}") == "the key [hidden]"
    assert redact_text("pay_col_01M8M7FJN9QK0V2HGE9KTZ6FEF, sk_live_01M8M7D3EZG520Y77BYT76M3GMa9") == (
        "pay_col_01M8M7FJN9QK0V2HGE9KTZ6FEF, [hidden]"
    )
