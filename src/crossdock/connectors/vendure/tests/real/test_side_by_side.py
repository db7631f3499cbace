"""What PostgreSQL lets the server do at once, and what each database answers to the same question.

The simulator's shop on PostgreSQL (connectors/vendure/sandbox) is built on these; where one fails, the simulator is
wrong.
"""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from crossdock.connectors.vendure import connector
from crossdock.connectors.vendure.tests.real.hand import RealHand
from crossdock.connectors.vendure.tests.real.server import RealVendure
from crossdock.domain.commands import CreateOrder, Done, Later, Outcome, Refused, Unknown, Why
from crossdock.domain.events import ShopProduct
from crossdock.kit.conformance import Stage
from crossdock.kit.connector import VariantRef
from crossdock.kit.errors import NoAnswer

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]
TRIES = 12
FAR = "2100-01-01T00:00:00.000Z"


async def _levels(stage: Stage, variant: VariantRef) -> tuple[int, int, list[tuple[str, int]]]:
    """On hand and allocated of all locations, and the movements."""
    query = (
        "query($v: ID!) { productVariant(id: $v) { stockLevels { stockOnHand stockAllocated } stockMovements { items {"
        " ... on Allocation { type quantity } ... on Sale { type quantity } ... on Release { type quantity }"
        " ... on Cancellation { type quantity } } } } }"
    )
    found = (await stage.hand.ask(query, v=variant.variant_id))["productVariant"]  # type: ignore[attr-defined]
    levels = found["stockLevels"]
    moves = [(each["type"], each["quantity"]) for each in found["stockMovements"]["items"] if each]
    return sum(each["stockOnHand"] for each in levels), sum(each["stockAllocated"] for each in levels), moves


async def _at_once(server: RealVendure, calls: int, query: str, **variables: Any) -> list[Any]:
    """The same request from as many people as there are calls."""
    people = [RealHand(server.address, server.password) for _ in range(calls)]
    try:
        for person in people:
            await person.ask("{ activeChannel { id } }")
        return await asyncio.gather(*(person.ask(query, **variables) for person in people), return_exceptions=True)
    finally:
        for person in people:
            await person.close()


async def _pay_at_once(server: RealVendure, orders: list[str]) -> None:
    people = [RealHand(server.address, server.password) for _ in orders]
    for person in people:
        await person.ask("{ activeChannel { id } }")
    await asyncio.gather(*(person.pay(order) for person, order in zip(people, orders, strict=True)))
    for person in people:
        await person.close()


async def _sure(stage: Stage, command: CreateOrder) -> Outcome:
    while isinstance(outcome := await connector.create(stage.shop, command), Later):
        stage.fresh_budget()
    return outcome


async def test_orders_paid_at_once_each_get_a_record_and_the_level_keeps_one(server: RealVendure, stage: Stage) -> None:
    """The trap itself. Tried until they met."""
    for _ in range(TRIES):
        (variant,) = await stage.product(1)
        orders = [await stage.hand.arranged(variant, 1) for _ in range(3)]  # type: ignore[attr-defined]
        await _pay_at_once(server, orders)
        on_hand, allocated, moves = await _levels(stage, variant)
        assert (on_hand, allocated) == (1, 1)
        if len([kind for kind, _ in moves if kind == "ALLOCATION"]) > 1:
            return
    pytest.fail("Payments at once did not meet: is the trap gone?")


@pytest.mark.both
async def test_ours_among_theirs_at_once_are_never_said_to_have_units_that_are_not_there(
    server: RealVendure, stage: Stage
) -> None:
    """Six of ours and three of theirs for four units. Who was paid first has them; nobody else of ours says so."""
    (variant,) = await stage.product(4)
    theirs = [await stage.hand.arranged(variant, 1) for _ in range(3)]  # type: ignore[attr-defined]
    commands = [stage.order((variant, 1)) for _ in range(6)]
    outcomes, _ = await asyncio.gather(
        asyncio.gather(*(_sure(stage, command) for command in commands)), _pay_at_once(server, theirs)
    )
    rows = await stage.hand.ask(  # type: ignore[attr-defined]
        "query($o: [String!]!) { orders(options: {take: 100, filter: {id: {in: $o}}}) { items { id orderPlacedAt"
        " state } } }",
        o=[*theirs, *(each.shop_id for each in outcomes if isinstance(each, Done))],
    )
    line = sorted(rows["orders"]["items"], key=lambda each: (each["orderPlacedAt"], int(each["id"])))
    within = {each["id"] for each in line[:4]}
    for outcome in outcomes:
        assert isinstance(outcome, Done | Refused), outcome
        if isinstance(outcome, Refused):
            assert (outcome.why, outcome.short) == (Why.NO_STOCK, (variant.variant_id,))
        else:
            assert outcome.shop_id in within, "an oversold order stands there"
            assert outcome.stock_taken or outcome.note
    standing = [order for command in commands for order in await stage.standing(command)]
    assert {order.shop_id for order in standing} == {each.shop_id for each in outcomes if isinstance(each, Done)}


@pytest.mark.both
async def test_our_own_at_once_leave_a_true_level(stage: Stage) -> None:
    """One at a time: eight for five units, five stand there, all proven, and the level says so."""
    (variant,) = await stage.product(5)
    commands = [stage.order((variant, 1)) for _ in range(8)]
    outcomes = await asyncio.gather(*(_sure(stage, command) for command in commands))
    assert sorted(type(each).__name__ for each in outcomes) == ["Done"] * 5 + ["Refused"] * 3
    assert all(each.stock_taken for each in outcomes if isinstance(each, Done))
    on_hand, allocated, _ = await _levels(stage, variant)
    assert (on_hand, allocated) == (5, 5)


async def test_sent_orders_whose_allocations_were_lost_leave_a_number_below_zero(
    server: RealVendure, stage: Stage
) -> None:
    """Which makes no units: the shop itself would sell them, and we do not."""
    for _ in range(TRIES):
        (variant,) = await stage.product(50)
        orders = [await stage.hand.arranged(variant, 7) for _ in range(3)]  # type: ignore[attr-defined]
        await _pay_at_once(server, orders)
        for order in orders:
            await stage.hand.fulfil(order)
        on_hand, allocated, _ = await _levels(stage, variant)
        assert on_hand == 29
        assert await stage.counted(variant) == {variant.variant_id: 29}
        if allocated < 0:
            return
    pytest.fail("Payments at once did not meet: is the trap gone?")


async def test_two_of_the_same_at_once_refund_twice_and_pack_twice(server: RealVendure, stage: Stage) -> None:
    """Why a repeat never overtakes its first try (the manifest's `repeats_double`)."""
    for _ in range(TRIES):
        (variant,) = await stage.product(9)
        done = await stage.placed(stage.order((variant, 2)))
        order = await stage.hand._order(done.shop_id)  # type: ignore[attr-defined]
        rows = [{"orderLineId": order["lines"][0]["id"], "quantity": 2}]
        handler = {
            "code": "manual-fulfillment",
            "arguments": [{"name": "method", "value": "x"}, {"name": "trackingCode", "value": "T"}],
        }
        await _at_once(
            server,
            3,
            "mutation($l: [OrderLineInput!]!, $h: ConfigurableOperationInput!) { addFulfillmentToOrder(input: {lines:"
            " $l, handler: $h}) { __typename ... on Fulfillment { id } ... on ErrorResult { errorCode message } } }",
            l=rows,
            h=handler,
        )
        parcels = (await stage.hand._order(done.shop_id))["fulfillments"]  # type: ignore[attr-defined]
        if len(parcels) > 1:
            assert sum(line["quantity"] for parcel in parcels for line in parcel["lines"]) > 2
            return
    pytest.fail("Parcels made at once did not meet: is the trap gone?")


@pytest.mark.both
async def test_a_packed_parcel_survives_the_cancel_and_can_still_be_sent(stage: Stage) -> None:
    """Why nothing is cancelled over one."""
    (variant,) = await stage.product(10)
    done = await stage.placed(stage.order((variant, 3)))
    parcel = await stage.hand.pack(done.shop_id, tracking="T1")  # type: ignore[attr-defined]
    assert (await _levels(stage, variant))[:2] == (7, 0)
    await stage.hand.cancel(done.shop_id)
    assert await stage.hand.count(variant) == 10
    seen = await connector.order(stage.shop, done.shop_id)
    assert [each.tracking_number for each in seen.packed] == ["T1"]
    await stage.hand.move(parcel, "Shipped")  # type: ignore[attr-defined]
    assert [each.tracking_number for each in (await connector.order(stage.shop, done.shop_id)).parcels] == ["T1"]


@pytest.mark.both
async def test_a_deleted_location_takes_its_records_along_and_hands_over_its_numbers(stage: Stage) -> None:
    """Found after a lost answer then, the order is neither proven nor taken back."""
    (variant,) = await stage.product(0)
    ask = stage.hand.ask  # type: ignore[attr-defined]
    cellar = (await ask('mutation { createStockLocation(input: {name: "Cellar", description: ""}) { id } }'))[
        "createStockLocation"
    ]["id"]
    level = {"stockLocationId": cellar, "stockOnHand": 5}
    await stage.hand.change_variant(variant, stockLevels=[level])  # type: ignore[attr-defined]
    command = stage.order((variant, 2))
    send = stage.shop.http.send

    async def unheard(*args: Any, **named: Any) -> Any:
        reply = await send(*args, **named)
        if "addManualPaymentToOrder" in named["json"]["query"]:
            raise NoAnswer("cut")
        return reply

    stage.shop.http.send = unheard  # type: ignore[method-assign]
    assert isinstance(await connector.create(stage.shop, command), Unknown)
    stage.shop.http.send = send  # type: ignore[method-assign]
    home = (await ask("{ stockLocations(options: {sort: {id: ASC}}) { items { id } } }"))["stockLocations"]["items"]
    assert (await _levels(stage, variant)) == (5, 2, [("ALLOCATION", 2)])
    await ask(
        "mutation($c: ID!, $h: ID!) { deleteStockLocation(input: {id: $c, transferToLocationId: $h}) { result } }",
        c=cellar,
        h=home[0]["id"],
    )
    assert (await _levels(stage, variant)) == (5, 2, [])
    (shop_id,) = (await connector.find(stage.shop, command.reference, since=command.placed_at)).shop_ids
    outcome = await connector.confirm(stage.shop, command, await connector.order(stage.shop, shop_id))
    assert isinstance(outcome, Done)
    assert outcome.stock_taken is False
    assert outcome.note
    assert len(await stage.standing(command)) == 1


@pytest.mark.both
async def test_dates_are_compared_as_the_simulator_compares_them(server: RealVendure, stage: Stage) -> None:
    """`after` leaves out its own moment; `between` takes in its ends, but for what SQLite dated itself."""
    (variant,) = await stage.product(5)
    done = await stage.placed(stage.order((variant, 1)))
    ask = stage.hand.ask  # type: ignore[attr-defined]

    async def at(field: str) -> str:
        query = "query($i: ID!) { order(id: $i) { createdAt orderPlacedAt } }"
        return str((await ask(query, i=done.shop_id))["order"][field])

    async def found(field: str, **operators: Any) -> bool:
        query = "query($f: OrderFilterParameter) { orders(options: {take: 1000, filter: $f}) { items { id } } }"
        rows = (await ask(query, f={field: operators}))["orders"]["items"]
        return done.shop_id in {row["id"] for row in rows}

    for field in ("orderPlacedAt",) if server.database else ("orderPlacedAt", "createdAt"):
        # What SQLite dated itself it keeps as text of another form than what it is compared with.
        alike = field == "orderPlacedAt"
        assert await found(field, after=await at(field)) is False
        assert await found(field, before=await at(field)) is not alike
        assert await found(field, eq=await at(field)) is alike
        assert await found(field, between={"start": await at(field), "end": FAR}) is alike


async def test_an_order_holds_999_items_and_a_list_1000(stage: Stage) -> None:
    (variant,) = await stage.product(2000)
    refused = await connector.create(stage.shop, stage.order((variant, 1000)))
    assert isinstance(refused, Refused)
    assert refused.why is Why.INVALID
    assert "999" in refused.sentence
    with pytest.raises(LookupError, match="1000"):
        await stage.hand.ask("{ orders(options: {take: 1001}) { items { id } } }")  # type: ignore[attr-defined]


async def test_a_cancel_that_may_still_run_is_only_looked_for(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    asked = stage.cancellation(command, done)
    assert isinstance(await connector.cancel(stage.shop, replace(asked, only_look=True)), Unknown)
    assert isinstance(await connector.cancel(stage.shop, asked), Done)
    again = await connector.cancel(stage.shop, replace(asked, only_look=True))
    assert isinstance(again, Done)
    assert again.already


async def test_a_tax_rate_changes_prices_and_moves_no_date(stage: Stage) -> None:
    """Why every price is read again now and then."""
    (variant,) = await stage.product(5)
    ask = stage.hand.ask  # type: ignore[attr-defined]
    query = "query($v: ID!) { productVariant(id: $v) { updatedAt priceWithTax product { updatedAt } } }"
    before = (await ask(query, v=variant.variant_id))["productVariant"]
    rate = (await ask("{ taxRates(options: {take: 1}) { items { id value } } }"))["taxRates"]["items"][0]
    change = "mutation($i: ID!, $v: Float!) { updateTaxRate(input: {id: $i, value: $v}) { id } }"
    await ask(change, i=rate["id"], v=20)
    try:
        after = (await ask(query, v=variant.variant_id))["productVariant"]
        seen = await connector.product(stage.shop, variant.product_id)
    finally:
        await ask(change, i=rate["id"], v=rate["value"])
    assert after["priceWithTax"] * 100 == before["priceWithTax"] * 120
    assert (after["updatedAt"], after["product"]) == (before["updatedAt"], before["product"])
    assert isinstance(seen, ShopProduct)
    assert seen.variants[0].price.minor == after["priceWithTax"]
