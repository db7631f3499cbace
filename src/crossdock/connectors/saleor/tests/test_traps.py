"""What a real Saleor does and nobody expects, played by the simulated one."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from crossdock.connectors.saleor import connector, mapper
from crossdock.connectors.saleor.client import DOCUMENTS, Client, Refusal
from crossdock.connectors.saleor.sandbox.books import HOME, Books, No, gid
from crossdock.domain.commands import CreateOrder, Done, Later, Refused, Unknown, Why
from crossdock.domain.events import ProductGone, ShopOrderState, ShopProduct
from crossdock.domain.values import Money
from crossdock.kit.conformance import Stage
from crossdock.kit.conformance.fulfilment import NUMBER, left_here
from crossdock.kit.connector import Reply, VariantRef
from crossdock.kit.errors import AuthDead, Declined, Missing, NoAnswer


async def proved(stage: Stage) -> None:
    """As the hourly look does: the channel's settings are known from then on."""
    proof = await connector.prove(stage.shop)
    stage.shop = replace(stage.shop, settings={"currency": proof.currency, **proof.settings})


def drafts(books: Books) -> list[dict[str, Any]]:
    return [doc for doc in books.shelf.all("order") if doc["status"] == "DRAFT"]


# Creating


async def test_of_ten_at_once_for_five_units_exactly_five_stand(stage: Stage, books: Books) -> None:
    """Seen on 3.23.28."""
    (variant,) = await stage.product(5)
    commands = [stage.order((variant, 1)) for _ in range(10)]
    outcomes = await asyncio.gather(*(connector.create(stage.shop, command) for command in commands))
    assert sum(isinstance(outcome, Done) and outcome.stock_taken for outcome in outcomes) == 5
    assert sum(isinstance(outcome, Refused) and outcome.why is Why.NO_STOCK for outcome in outcomes) == 5
    assert await stage.hand.count(variant) == 0
    assert drafts(books) == []


async def test_what_stops_a_draft_leaves_none_since_the_buyer_may_cancel(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    # The answer to the draft is lost: nothing was placed, and nothing is held.
    stage.dial.once("lost_reply", skip=1)
    assert isinstance(await connector.create(stage.shop, stage.order((variant, 2))), Later)
    assert drafts(books) == []
    assert await stage.hand.count(variant) == 5


async def left_behind(stage: Stage, command: CreateOrder) -> str:
    """The draft of a try that could not take it away."""
    given = mapper.input_of(command, channel_id=stage.shop.settings["channel_id"])
    return (await Client(stage.shop).do("Create", input=given)).child("order").id("id")


async def test_a_reference_is_refused_a_second_time_and_a_draft_that_was_left_is_gone_on_with(
    stage: Stage, books: Books
) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    left = await left_behind(stage, command)
    assert [draft["id"] for draft in drafts(books)] == [left]
    done = await stage.placed(command)
    assert done.shop_id == left
    assert [note["id"] for note in books.shelf.ledger("order")] == [left]
    about = {"channelId": stage.shop.settings["channel_id"], "externalReference": command.reference, "lines": []}
    with pytest.raises(Refusal) as caught:
        await Client(stage.shop).do("Create", input=about)
    assert caught.value.code == "UNIQUE"


async def test_a_draft_that_holds_other_units_is_cleared_away(stage: Stage, books: Books) -> None:
    a, b = await stage.product(5, 5)
    command = stage.order((a, 2))
    await left_behind(stage, replace(command, lines=stage.order((b, 1)).lines))
    (old,) = drafts(books)
    stage.fresh_budget()
    done = await stage.placed(command)
    assert done.shop_id != old["id"]
    assert drafts(books) == []
    assert (await stage.hand.count(a), await stage.hand.count(b)) == (3, 5)


async def test_an_external_reference_of_somebody_else_is_left_alone(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    for status in ("DRAFT", "UNFULFILLED"):
        own = books.order(await stage.hand.sell(variant, 1))
        books.keep("order", {**own, "reference": command.reference, "status": status}, "")
        outcome = await connector.create(stage.shop, command)
        assert isinstance(outcome, Refused) and outcome.why is Why.CONFLICT
        assert books.order(own["id"])["status"] == status
        found = await connector.find(stage.shop, command.reference, since=command.placed_at - timedelta(hours=1))
        assert found.shop_ids == ()
        books.keep("order", {**own, "reference": ""}, "")


async def test_a_variant_that_is_gone_breaks_the_server_off_and_is_found_before(stage: Stage) -> None:
    """saleor/graphql/order/mutations/draft_order_create.py: clean_lines."""
    (gone,), (stays,) = await stage.product(5), await stage.product(5)
    await stage.hand.delete_product(gone.product_id)
    line = {"variantId": gone.variant_id, "quantity": 1}
    about = {"channelId": stage.shop.settings["channel_id"], "lines": [line]}
    with pytest.raises(NoAnswer):
        await Client(stage.shop).do("Create", input=about)
    outcome = await connector.create(stage.shop, stage.order((stays, 1), (gone, 1)))
    assert isinstance(outcome, Refused)
    assert (outcome.why, outcome.short) == (Why.PRODUCT_GONE, (gone.variant_id,))


async def test_an_unpublished_product_is_refused_by_its_variant(stage: Stage, books: Books) -> None:
    (hidden,), (stays,) = await stage.product(5), await stage.product(5)
    books.keep("product", {**books.need("product", hidden.product_id), "published": False})
    outcome = await connector.create(stage.shop, stage.order((stays, 1), (hidden, 1)))
    assert isinstance(outcome, Refused)
    assert (outcome.why, outcome.short) == (Why.PRODUCT_GONE, (hidden.variant_id,))
    assert await stage.hand.count(stays) == 5


async def test_stock_counts_only_where_the_shipping_zone_covers_the_country(stage: Stage, books: Books) -> None:
    """Seen on 3.23.28: stock in "Oceania" gave INSUFFICIENT_STOCK for an address in the US."""
    (variant,) = await stage.product(0)
    oceania = await stage.hand.open_location("Oceania")  # type: ignore[attr-defined]
    books.shelf.put("warehouse", oceania, {"id": oceania, "name": "Oceania", "countries": ["AU", "NZ"]})
    books.put_stock(variant.product_id, variant.variant_id, oceania, 5)
    await proved(stage)
    assert await stage.counted(variant) == {variant.variant_id: 5}
    command = stage.order((variant, 1))
    outcome = await connector.create(stage.shop, command)
    assert isinstance(outcome, Refused)
    assert (outcome.why, outcome.short) == (Why.NO_STOCK, (variant.variant_id,))
    assert "ship to US" in outcome.sentence
    assert drafts(books) == []
    there = replace(command, ship_to=replace(command.ship_to, country="AU", region="NSW"))
    assert (await stage.placed(there)).stock_taken


async def test_several_warehouses_fill_one_order_together(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(3)
    attic = await stage.hand.open_location("Attic")  # type: ignore[attr-defined]
    books.put_stock(variant.product_id, variant.variant_id, attic, 3)
    await proved(stage)
    command = stage.order((variant, 5))
    done = await stage.placed(command)
    assert done.stock_taken
    assert books.order(done.shop_id)["lines"][0]["allocations"] == {HOME: 3, attic: 2}
    # What leaves from two warehouses is two fulfilments with the one number.
    outcome = await connector.write_fulfilment(stage.shop, left_here(command, done, (variant, 5)))
    assert isinstance(outcome, Done) and len(outcome.shop_id.split(",")) == 2
    order = await connector.order(stage.shop, done.shop_id)
    assert [(parcel.tracking_number, parcel.carrier) for parcel in order.parcels] == [(NUMBER, "USPS")] * 2
    assert await stage.hand.count(variant) == 1


# Prices


async def test_promotions_that_apply_by_themselves_are_taken_off_a_price_that_was_given(
    stage: Stage, books: Books
) -> None:
    """saleor/product/models.py: get_price, "return the price with applied discounts from valid promotion rules"."""
    books.set(catalogue_promotion=20)
    (variant,) = await stage.product(9, price="10.00")
    command = stage.order((variant, 3), price="3.33", shipping="4.99")
    done = await stage.placed(command)
    order = await connector.order(stage.shop, done.shop_id)
    assert order.total == command.total
    assert books.order(done.shop_id)["discount"] == "1.01"


async def test_a_promotion_of_the_whole_order_and_its_gift_go_too(stage: Stage, books: Books) -> None:
    books.set(order_promotion=10, gift=True)
    (variant,) = await stage.product(9)
    command = stage.order((variant, 2), price="5.00", shipping="6.00")
    done = await stage.placed(command)
    order = await connector.order(stage.shop, done.shop_id)
    assert (order.total, [line.quantity for line in order.lines]) == (command.total, [2])
    assert await stage.hand.count(variant) == 7


async def test_where_prices_are_net_our_order_is_exempted_from_tax_if_the_app_may(stage: Stage, books: Books) -> None:
    books.set(with_tax=False, tax="25")
    await proved(stage)
    (warned,) = [check for check in stage.proof.checks if check.title == "Prices"]
    assert warned.ok
    proof = await connector.prove(stage.shop)
    (check,) = [check for check in proof.checks if check.title == "Prices"]
    assert (check.ok, check.limited, check.right) == (False, True, "MANAGE_TAXES")
    (variant,) = await stage.product(9)
    taxed = await stage.placed(stage.order((variant, 1), price="10.00", shipping="6.00"))
    assert str((await connector.order(stage.shop, taxed.shop_id)).total) == "20.00"
    books.set(rights=["MANAGE_PRODUCTS", "MANAGE_ORDERS", "MANAGE_TAXES"])
    exact = await stage.placed(stage.order((variant, 1), price="10.00", shipping="6.00"))
    assert str((await connector.order(stage.shop, exact.shop_id)).total) == "16.00"


async def test_where_every_method_costs_less_the_order_stands_lower_and_is_told_as_it_is(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 1), price="10.00", shipping="25.00")
    done = await stage.placed(command)
    assert (await connector.order(stage.shop, done.shop_id)).total == Money.of("25.00", "USD")


async def test_without_a_method_for_the_country_nothing_is_left(stage: Stage, books: Books) -> None:
    books.set(countries=["DE"])
    (variant,) = await stage.product(9)
    outcome = await connector.create(stage.shop, stage.order((variant, 1)))
    assert isinstance(outcome, Refused)
    assert outcome.why is Why.INVALID and "country US" in outcome.sentence
    assert books.shelf.all("order") == []


async def test_one_variant_at_two_prices_stays_two_lines(stage: Stage, books: Books) -> None:
    """Merged, "the last price will be used" for all of them (OrderLineCreateInput.price)."""
    (variant,) = await stage.product(9)
    one, two = stage.order((variant, 1), price="9.00"), stage.order((variant, 2), price="8.00")
    command = replace(one, lines=(*one.lines, *two.lines))
    done = await stage.placed(command)
    assert [(row["quantity"], row["price"]) for row in books.order(done.shop_id)["lines"]] == [(1, "9.00"), (2, "8.00")]
    assert (await connector.order(stage.shop, done.shop_id)).total == command.total


@pytest.mark.parametrize(("currency", "price", "whole"), [("JPY", "1200", "2400"), ("KWD", "1.234", "2.468")])
async def test_currencies_without_decimals_and_with_three(
    stage: Stage, books: Books, currency: str, price: str, whole: str
) -> None:
    books.set(currency=currency, methods={"Parcel": "0"})
    await proved(stage)
    stage.proof = replace(stage.proof, currency=currency)
    (variant,) = await stage.product(9, price=price)
    shown = await connector.product(stage.shop, variant.product_id)
    assert isinstance(shown, ShopProduct) and shown.variants[0].price == Money.of(price, currency)
    done = await stage.placed(stage.order((variant, 2), price=price, shipping="0"))
    assert (await connector.order(stage.shop, done.shop_id)).total == Money.of(whole, currency)


# The order that stands


async def test_the_order_has_no_address_that_anybody_could_be_mailed_at(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    doc = books.order(done.shop_id)
    assert doc["email"] == ""
    assert doc["privateMetadata"] == {"crossdock_relay": command.email}
    # The seller's own fulfilment notifies the customer; ours never does.
    await connector.write_fulfilment(stage.shop, left_here(command, done, (variant, 1)))
    assert books.shelf.ledger("mail") == []


async def test_with_an_address_a_fulfilment_that_does_not_say_otherwise_mails(stage: Stage, books: Books) -> None:
    """So that the test above can fail: order_fulfill.py, `cleaned_input.get("notify_customer", True)`."""
    (variant,) = await stage.product(9)
    own = await stage.hand.sell(variant, 1)
    before = len(books.shelf.ledger("mail"))
    await stage.hand.fulfil(own, tracking="A1")
    assert len(books.shelf.ledger("mail")) == before + 1


async def test_a_lost_answer_to_the_payment_is_made_good_when_the_order_is_found(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 1))
    stage.dial.once("broken", skip=5)
    outcome = await connector.create(stage.shop, command)
    assert isinstance(outcome, Unknown)
    (doc,) = books.shelf.all("order")
    assert (doc["status"], doc["payments"]) == ("UNFULFILLED", [])
    found = await connector.order(stage.shop, doc["id"])
    confirmed = await connector.confirm(stage.shop, command, found)
    assert isinstance(confirmed, Done) and confirmed.already and confirmed.stock_taken
    assert len(books.order(doc["id"])["payments"]) == 1
    again = await connector.confirm(stage.shop, command, found)
    assert isinstance(again, Done) and again.note == ""
    assert len(books.order(doc["id"])["payments"]) == 1


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("GraphQLError", "Cannot return null for non-nullable field OrderLine.quantity."),
        ("GraphQLError", "Couldn't resolve to a node: T3JkZXI6MQ=="),
        ("PermissionDenied", "To access this path, you need one of the following permissions: HANDLE_PAYMENTS"),
    ],
)
async def test_an_error_below_a_mutation_means_that_it_was_carried_out(stage: Stage, code: str, said: str) -> None:
    """Were it taken for a refusal, the order would stand there and be nobody's."""
    (variant,) = await stage.product(5)
    command, send = stage.order((variant, 2)), stage.shop.http.send
    error = {"message": said, "path": ["result", "order", "lines", 0, "quantity"]}

    async def broken(way: str, url: str, **rest: Any) -> Reply:
        reply = await send(way, url, **rest)
        if "draftOrderComplete" not in rest["json"]["query"]:
            return reply
        body = {"data": {"result": None}, "errors": [{**error, "extensions": {"exception": {"code": code}}}]}
        return Reply(200, reply.headers, json.dumps(body).encode())

    stage.shop.http.send = broken  # type: ignore[method-assign]
    outcome = await connector.create(stage.shop, command)
    assert isinstance(outcome, Unknown), outcome
    found = await connector.find(stage.shop, command.reference, since=command.placed_at)
    confirmed = await connector.confirm(stage.shop, command, await connector.order(stage.shop, *found.shop_ids))
    assert isinstance(confirmed, Done) and confirmed.already and await stage.hand.count(variant) == 3


async def test_a_draft_whose_promotion_stays_on_is_not_left(
    stage: Stage, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(line_id: str) -> Any:
        raise No("INVALID", "The discount cannot be removed.", "orderLineId")

    books.set(catalogue_promotion=20)
    monkeypatch.setattr(books, "undiscount", never)
    (variant,) = await stage.product(5)
    outcome = await connector.create(stage.shop, stage.order((variant, 1)))
    assert isinstance(outcome, Refused) and "cannot be removed" in outcome.sentence
    assert books.shelf.all("order") == [], "staff could complete it by hand, and nobody has paid for it"


async def test_a_cancel_just_before_ours_is_found(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    send = stage.shop.http.send

    async def faster(way: str, url: str, **rest: Any) -> Reply:
        if "orderCancel(" in rest["json"]["query"]:
            await stage.hand.cancel(done.shop_id)
        return await send(way, url, **rest)

    stage.shop.http.send = faster  # type: ignore[method-assign]
    outcome = await connector.cancel(stage.shop, stage.cancellation(command, done))
    assert isinstance(outcome, Done) and outcome.already and await stage.hand.count(variant) == 5


async def test_an_order_that_is_not_tracked_takes_nothing_and_is_evidence_all_the_same(
    stage: Stage, books: Books
) -> None:
    (variant,) = await stage.product(0)
    books.change(variant.product_id, variant.variant_id, track=False)
    assert await stage.counted(variant) == {variant.variant_id: None}
    done = await stage.placed(stage.order((variant, 3)))
    assert done.stock_taken


async def test_an_order_that_waits_for_confirmation_has_taken_its_units(stage: Stage, books: Books) -> None:
    books.set(auto_confirm=False)
    (variant,) = await stage.product(5)
    done = await stage.placed(stage.order((variant, 2)))
    assert done.stock_taken and books.order(done.shop_id)["status"] == "UNCONFIRMED"
    assert await stage.hand.count(variant) == 3


async def test_the_second_cancel_and_one_after_a_fulfilment_are_refused_there(stage: Stage, books: Books) -> None:
    """Seen on 3.23.28: CANNOT_CANCEL_ORDER both times."""
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    await stage.hand.fulfil(done.shop_id, tracking="A1", lines=[(variant.variant_id, 1)])
    with pytest.raises(Refusal) as caught:
        await Client(stage.shop).do("Cancel", order=done.shop_id)
    assert caught.value.code == "CANNOT_CANCEL_ORDER"
    late = await connector.cancel(stage.shop, stage.cancellation(command, done))
    assert isinstance(late, Refused) and late.why is Why.TOO_LATE
    parcel = books.order(done.shop_id)["parcels"][0]
    books.undo(*books.parcel_of(parcel["id"]), HOME)
    await connector.cancel(stage.shop, stage.cancellation(command, done))
    with pytest.raises(Refusal):
        await Client(stage.shop).do("Cancel", order=done.shop_id)
    assert await stage.hand.count(variant) == 5


async def test_an_expired_order_is_a_cancelled_one_and_a_draft_is_none(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    done = await stage.placed(stage.order((variant, 1)))
    books.keep("order", {**books.order(done.shop_id), "status": "EXPIRED"})
    assert (await connector.order(stage.shop, done.shop_id)).state is ShopOrderState.CANCELLED
    books.keep("order", {**books.order(done.shop_id), "status": "DRAFT"})
    assert (await connector.order(stage.shop, done.shop_id)).state is ShopOrderState.GONE


# Fulfilling


async def test_an_unpaid_order_is_paid_before_it_is_fulfilled(stage: Stage, books: Books) -> None:
    """Seen on 3.23.28: CANNOT_FULFILL_UNPAID_ORDER."""
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    books.keep("order", {**books.order(done.shop_id), "payments": []})
    outcome = await connector.write_fulfilment(stage.shop, left_here(command, done, (variant, 1)))
    assert isinstance(outcome, Done)
    assert len(books.order(done.shop_id)["payments"]) == 1


async def test_what_the_seller_marked_as_paid_meanwhile_is_paid_once(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    stage.dial.once("broken", skip=5)
    assert isinstance(await connector.create(stage.shop, command), Unknown)
    (doc,) = books.shelf.all("order")
    found = await connector.order(stage.shop, doc["id"])
    await stage.hand.fulfil(doc["id"], tracking="A1")
    outcome = await connector.confirm(stage.shop, command, found)
    assert isinstance(outcome, Done) and outcome.note == ""
    assert len(books.order(doc["id"])["payments"]) == 1


async def test_a_shop_that_approves_fulfilments_by_hand_gets_ours_approved(stage: Stage, books: Books) -> None:
    books.set(auto_approve=False)
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    wish = left_here(command, done, (variant, 2))
    # The answer to the approval is lost, or never came there: the one that waits is gone on with.
    stage.dial.once("broken", skip=3)
    assert isinstance(await connector.write_fulfilment(stage.shop, wish), Unknown)
    order = await connector.order(stage.shop, done.shop_id)
    assert (len(order.packed), order.parcels) == (1, ())
    assert isinstance(await connector.write_fulfilment(stage.shop, replace(wish, only_look=True)), Unknown)
    outcome = await connector.write_fulfilment(stage.shop, wish)
    assert isinstance(outcome, Done) and outcome.shop_id == order.packed[0].parcel_id
    assert [made["status"] for made in books.order(done.shop_id)["parcels"]] == ["FULFILLED"]
    assert await stage.hand.count(variant) == 3


async def test_one_that_waits_and_lost_its_key_is_known_by_its_number(stage: Stage, books: Books) -> None:
    books.set(auto_approve=False)
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    wish, send = left_here(command, done, (variant, 2)), stage.shop.http.send

    async def cut(way: str, url: str, **rest: Any) -> Reply:
        if "updatePrivateMetadata" in rest["json"]["query"]:
            raise NoAnswer("cut")
        return await send(way, url, **rest)

    shop = replace(stage.shop)
    shop.http.send = cut  # type: ignore[method-assign]
    assert isinstance(await connector.write_fulfilment(shop, wish), Unknown)
    shop.http.send = send  # type: ignore[method-assign]
    outcome = await connector.write_fulfilment(stage.shop, wish)
    assert isinstance(outcome, Done), outcome
    (made,) = books.order(done.shop_id)["parcels"]
    assert (made["status"], made["private"]["crossdock_key"]) == ("FULFILLED", wish.key)


async def test_stock_that_is_exceeded_stops_the_fulfilment_with_a_sentence(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 3))
    done = await stage.placed(command)
    books.put_stock(variant.product_id, variant.variant_id, HOME, 1)
    assert await stage.counted(variant) == {variant.variant_id: -2}
    outcome = await connector.write_fulfilment(stage.shop, left_here(command, done, (variant, 3)))
    assert isinstance(outcome, Refused)
    assert outcome.why is Why.CONFLICT and "counts fewer units" in outcome.sentence
    assert books.order(done.shop_id)["parcels"] == []


async def test_what_is_not_tracked_and_lies_nowhere_is_fulfilled_all_the_same(stage: Stage, books: Books) -> None:
    """saleor/order/actions.py: no stock row at the warehouse is "insufficient", tracked or not."""
    loose, counted = await stage.product(0, 5)
    doc, row = books.variant(loose.product_id, loose.variant_id)
    row |= {"track": False, "stock": {}}
    books.keep("product", doc)
    command = stage.order((loose, 2), (counted, 1))
    done = await stage.placed(command)
    outcome = await connector.write_fulfilment(stage.shop, left_here(command, done, (loose, 2), (counted, 1)))
    assert isinstance(outcome, Done)
    order = await connector.order(stage.shop, done.shop_id)
    assert sum(units for parcel in order.parcels for _, units in parcel.lines) == 3
    assert await stage.hand.count(counted) == 4


async def test_a_number_moves_no_date_of_the_order_and_is_seen_all_the_same(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    done = await stage.placed(stage.order((variant, 1)))
    made = await stage.hand.fulfil(done.shop_id, tracking="WRONG001")
    date = books.order(done.shop_id)["updated"]
    cursor = await stage.order_cursor()
    await stage.hand.change_tracking(done.shop_id, made, "RIGHT002")
    assert books.order(done.shop_id)["updated"] == date
    await stage.news(cursor, done.shop_id, lambda order: order.parcels[0].tracking_number == "RIGHT002", "the number")


async def test_a_price_moves_no_date_of_the_product_and_is_seen_in_turn(stage: Stage, books: Books) -> None:
    await stage.product(1)
    filled = await stage.sandbox.fill(120, count=1, since=stage.shop.now() - timedelta(days=9))
    refs = [VariantRef(books.variant(None, id_)[0]["id"], id_) for id_ in filled]
    _, cursor = await stage.all_products()
    date = books.need("product", refs[-1].product_id)["updated"]
    await stage.hand.reprice(refs[-1], "77.70")
    assert books.need("product", refs[-1].product_id)["updated"] == date
    polls, seen = 0, ""
    while seen != "77.70" and polls < 5:
        polls += 1
        items, cursor = await stage.all_products(cursor)
        for item in items:
            if isinstance(item, ShopProduct) and item.product_id == refs[-1].product_id:
                seen = str(item.variants[0].price)
    assert (seen, polls) == ("77.70", 3)


# Asking


async def test_more_than_a_hundred_rows_are_refused(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DOCUMENTS, "Counts", DOCUMENTS["Counts"].replace("first: 100", "first: 101"))
    with pytest.raises(NoAnswer, match=r"exceeds the .first. limit of 100"):
        await Client(stage.shop).ask("Counts", ids=[])


async def test_what_costs_too_much_is_refused_and_nothing_is_unclear_about_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crossdock.connectors.saleor.sandbox import api

    monkeypatch.setattr(api, "MOST_COST", 500)
    with pytest.raises(Declined, match="exceeds the maximum cost"):
        await Client(stage.shop).ask("Orders", since="2026-01-01T00:00:00Z")


async def test_an_operator_beside_other_filters_is_refused(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """saleor/graphql/core/connection.py: where_filter_qs."""
    await stage.hand.sell((await stage.product(5))[0], 1)
    mixed = DOCUMENTS["Ours"].replace("where: {", "where: { OR: [{ status: { oneOf: [UNFULFILLED] } }]")
    monkeypatch.setitem(DOCUMENTS, "Ours", mixed)
    asked = {"channel": "default-channel", "after": None, "watched": "2026-01-01T00:00:00Z"}
    with pytest.raises(Declined, match="Cannot mix operators"):
        await Client(stage.shop).ask("Ours", **asked)


async def test_an_id_of_another_kind_is_not_there_and_nothing_else_is_lost(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    odd = VariantRef("1", gid("Order", 1))
    counted = await connector.counts(stage.shop, [odd, variant])
    assert [row.variant_id for row in counted if hasattr(row, "count")] == [variant.variant_id]
    assert isinstance(await connector.product(stage.shop, "12"), ProductGone)
    with pytest.raises(Missing):
        await Client(stage.shop).ask("OneOrder", id="nothing")


async def test_a_missing_permission_is_named_by_the_connection_test(stage: Stage, books: Books) -> None:
    books.set(rights=["MANAGE_PRODUCTS"])
    proof = await connector.prove(stage.shop)
    assert [check.right for check in proof.checks if not check.ok] == ["MANAGE_ORDERS"]
    with pytest.raises(AuthDead):
        await connector.order(stage.shop, gid("Order", 1))


async def test_the_channel_has_to_be_named_where_there_are_several(stage: Stage, books: Books) -> None:
    books.set(channels=["us", "eu"])
    proof = await connector.prove(stage.shop)
    (wrong,) = [check for check in proof.checks if not check.ok]
    assert wrong.title == "Channel" and "us, eu" in wrong.sentence
    named = replace(stage.shop, secrets={**stage.shop.secrets, "channel": "eu"})
    assert (await connector.prove(named)).settings["channel"] == "eu"
    unknown = replace(stage.shop, secrets={**stage.shop.secrets, "channel": "de"})
    (wrong,) = [check for check in (await connector.prove(unknown)).checks if not check.ok]
    assert "“de”" in wrong.sentence


@pytest.mark.parametrize(
    ("version", "ok"),
    [("3.23.28", True), ("3.24.0-a.0", True), ("4.0", True), ("3.22.9", False), ("", True)],
)
async def test_a_shop_that_is_too_old_is_told_so(stage: Stage, books: Books, version: str, ok: bool) -> None:
    books.set(version=version)
    proof = await connector.prove(stage.shop)
    assert [check.title for check in proof.checks if not check.ok] == ([] if ok else ["Version"])


async def test_a_warehouse_for_picking_up_alone_does_not_count(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(2)
    corner = await stage.hand.open_location("Corner shop")  # type: ignore[attr-defined]
    books.put_stock(variant.product_id, variant.variant_id, corner, 4)
    books.shelf.put("warehouse", corner, {"id": corner, "name": "Corner", "countries": [], "pick_up": "LOCAL"})
    await proved(stage)
    assert await stage.counted(variant) == {variant.variant_id: 2}


async def test_what_checkouts_reserved_is_not_for_sale(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(5)
    books.change(variant.product_id, variant.variant_id, reserved=2)
    assert await stage.counted(variant) == {variant.variant_id: 3}
