"""On PostgreSQL two payments at once both get their records, and the stock level moves by one of them: the simulator
does what 3.7.3 did there, and no order of ours stands there without its units, believed to have them.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from crossdock.connectors.vendure import connector, stock
from crossdock.connectors.vendure.sandbox import PostgresSandbox, Sandbox
from crossdock.connectors.vendure.sandbox.books import Books
from crossdock.connectors.vendure.sandbox.places import close_place
from crossdock.domain.commands import CreateOrder, Done, Later, Outcome, Refused, Unknown, Why
from crossdock.kit.conformance import Scenario, Stage, called_for, run, staged
from crossdock.kit.connector import Reply, VariantRef
from crossdock.kit.errors import NoAnswer
from crossdock.kit.shop import concurrency

# What depends on the database; the rest is played on the other one.
TOUCHING_STOCK = [item for item in called_for(connector.manifest) if 200 <= item.number < 600]


@pytest.fixture
async def stage(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    monkeypatch.setattr(stock, "AFTERWARDS", 0.0)
    async with staged(connector, PostgresSandbox) as connected:
        yield connected


@pytest.fixture
def books(stage: Stage) -> Books:
    assert isinstance(stage.sandbox, Sandbox)
    return stage.sandbox.books


@pytest.mark.parametrize("scenario", TOUCHING_STOCK, ids=lambda item: str(item.number))
async def test_the_platform_conforms_on_postgresql_too(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock, "AFTERWARDS", 0.0)
    await run(scenario, connector, PostgresSandbox)


def paid_beside(stage: Stage, books: Books, theirs: str, *, first: bool, unheard: bool = False) -> None:
    """Their payment begins before ours and ends just before or after it; `unheard`: our answer is lost."""
    send = stage.shop.http.send
    begun = books.begin(theirs)

    async def ends_first() -> None:
        books.pay(theirs, "counter", "", begun)

    async def meddled(method: str, url: str, **options: Any) -> Reply:
        reply = await send(method, url, **options)
        if "addManualPaymentToOrder" in options["json"]["query"]:
            stage.shop.http.send = send  # type: ignore[method-assign]
            if not first:
                books.pay(theirs, "counter", "", begun)
            if unheard:
                raise NoAnswer("cut")
        return reply

    if first:
        stage.sandbox.meanwhile = ends_first  # type: ignore[union-attr, method-assign]
    stage.shop.http.send = meddled  # type: ignore[method-assign]


def level(books: Books, variant: VariantRef) -> tuple[int, int]:
    doc = books.variant(variant.variant_id)
    return doc["onHand"], doc["allocated"]


async def test_two_payments_at_once_lose_one_of_two_changes_and_keep_both_records(stage: Stage, books: Books) -> None:
    """The simulator's own trap, without our connector."""
    (variant,) = await stage.product(5)
    orders = [await stage.hand.arranged(variant, 2) for _ in range(2)]  # type: ignore[attr-defined]
    begun = [books.begin(order) for order in orders]
    for order, seen in zip(orders, begun, strict=True):
        books.pay(order, "counter", "", seen)
    assert level(books, variant) == (5, 2)
    assert [(row["type"], row["quantity"]) for row in books.movements(variant.variant_id)] == [("ALLOCATION", 2)] * 2


@pytest.mark.parametrize("unheard", [False, True], ids=["answered", "answer lost"])
async def test_of_two_paid_at_once_for_the_last_unit_ours_is_taken_back_when_it_is_the_later(
    stage: Stage, books: Books, unheard: bool
) -> None:
    """Each has an allocation record of 1: before this test, both were called proven."""
    (variant,) = await stage.product(1)
    theirs = await stage.hand.arranged(variant, 1)  # type: ignore[attr-defined]
    paid_beside(stage, books, theirs, first=True, unheard=unheard)
    command = stage.order((variant, 1))
    outcome = await connector.create(stage.shop, command)
    if unheard:
        assert isinstance(outcome, Unknown)
        (shop_id,) = (await connector.find(stage.shop, command.reference, since=command.placed_at)).shop_ids
        found = await connector.order(stage.shop, shop_id)
        assert found.stock_taken is False
        assert found.lines[0].stock_taken is None
        outcome = await connector.confirm(stage.shop, command, found)
    assert [row["quantity"] for row in books.movements(variant.variant_id) if row["type"] == "ALLOCATION"] == [1, 1]
    assert isinstance(outcome, Refused)
    assert (outcome.why, outcome.short) == (Why.NO_STOCK, (variant.variant_id,))
    assert await stage.standing(command) == []
    assert (await stage.listed(theirs)).cancelled is False


async def test_when_ours_is_the_earlier_it_stays_and_its_units_stay_reserved_here(stage: Stage, books: Books) -> None:
    """Their payment has the unit's record too, and nobody can say that the shop's count includes both."""
    (variant,) = await stage.product(1)
    theirs = await stage.hand.arranged(variant, 1)  # type: ignore[attr-defined]
    paid_beside(stage, books, theirs, first=False)
    command = stage.order((variant, 1))
    outcome = await connector.create(stage.shop, command)
    assert isinstance(outcome, Done)
    assert outcome.stock_taken is False
    assert "compare the count there" in outcome.note
    assert len(await stage.standing(command)) == 1


async def test_with_plenty_on_hand_a_lost_change_keeps_the_order_and_is_said(stage: Stage, books: Books) -> None:
    """Nothing is oversold, and the shop's count is too high by our units: they stay reserved here."""
    (variant,) = await stage.product(9)
    theirs = await stage.hand.arranged(variant, 2)  # type: ignore[attr-defined]
    paid_beside(stage, books, theirs, first=True)
    command = stage.order((variant, 3))
    outcome = await connector.create(stage.shop, command)
    assert level(books, variant) == (9, 3)
    assert isinstance(outcome, Done)
    assert outcome.stock_taken is False
    assert "The units stay reserved here" in outcome.note
    order = await connector.order(stage.shop, outcome.shop_id)
    assert order.stock_taken is False


async def test_a_level_that_lost_earlier_sales_is_not_believed(stage: Stage, books: Books) -> None:
    """Three of theirs were paid at once for three of four units; the level says one. Ours fits once, not twice."""
    (variant,) = await stage.product(4)
    theirs = [await stage.hand.arranged(variant, 1) for _ in range(3)]  # type: ignore[attr-defined]
    begun = [books.begin(order) for order in theirs]
    for order, seen in zip(theirs, begun, strict=True):
        books.pay(order, "counter", "", seen)
    assert level(books, variant) == (4, 1)
    first, second = stage.order((variant, 1)), stage.order((variant, 1))
    kept = await connector.create(stage.shop, first)
    assert isinstance(kept, Done)
    assert (kept.stock_taken, bool(kept.note)) == (False, True)
    refused = await connector.create(stage.shop, second)
    assert isinstance(refused, Refused)
    assert (refused.why, refused.short) == (Why.NO_STOCK, (variant.variant_id,))
    assert (len(await stage.standing(first)), len(await stage.standing(second))) == (1, 0)


async def test_sent_orders_whose_allocations_were_lost_make_no_units(stage: Stage, books: Books) -> None:
    (variant,) = await stage.product(50)
    theirs = [await stage.hand.arranged(variant, 7) for _ in range(3)]  # type: ignore[attr-defined]
    begun = [books.begin(order) for order in theirs]
    for order, seen in zip(theirs, begun, strict=True):
        books.pay(order, "counter", "", seen)
    for order in theirs:
        await stage.hand.fulfil(order)
    assert level(books, variant) == (29, -14)
    assert await stage.counted(variant) == {variant.variant_id: 29}


async def test_our_own_orders_are_paid_one_at_a_time(stage: Stage, books: Books) -> None:
    """Twelve at once for seven units: seven stand there, the level is right, nobody is in doubt."""
    (variant,) = await stage.product(7)
    commands = [stage.order((variant, 1)) for _ in range(12)]
    outcomes = await asyncio.gather(*(_sure(stage, command) for command in commands))
    taken = [each for each in outcomes if isinstance(each, Done)]
    assert len(taken) == 7
    assert all(each.stock_taken and not each.note for each in taken)
    assert all(each.why is Why.NO_STOCK for each in outcomes if isinstance(each, Refused))
    assert level(books, variant) == (7, 7)
    assert len([order for order in await stage.hand.orders() if not order.cancelled]) == 7


async def _sure(stage: Stage, command: CreateOrder) -> Outcome:
    while isinstance(outcome := await connector.create(stage.shop, command), Later):
        pass
    return outcome


async def test_the_test_would_see_orders_paid_side_by_side(
    stage: Stage, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bug planted: no turns, and a record is believed. The shop holds one change of many, and all say "taken"."""

    class Nobody:
        async def acquire(self) -> None: ...
        def release(self) -> None: ...

    stage.sandbox.meanwhile = asyncio.Barrier(3).wait  # type: ignore[union-attr, method-assign]
    monkeypatch.setattr(concurrency.asyncio, "Lock", Nobody)
    monkeypatch.setattr(stock.Look, "aside", property(lambda look: look.recorded >= look.wanted))
    (variant,) = await stage.product(3)
    commands = [stage.order((variant, 1)) for _ in range(3)]
    outcomes = await asyncio.gather(*(connector.create(stage.shop, command) for command in commands))
    assert all(isinstance(each, Done) and each.stock_taken for each in outcomes)
    assert level(books, variant) == (3, 1)


async def test_two_changes_never_run_beside_each_other(stage: Stage) -> None:
    """Two cancels at once may both be carried out: the second finds the first one done."""
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    running, most = 0, 0
    send = stage.shop.http.send

    async def counted(method: str, url: str, **options: Any) -> Reply:
        nonlocal running, most
        if "cancelOrder" not in options["json"]["query"]:
            return await send(method, url, **options)
        running += 1
        most = max(most, running)
        try:
            await asyncio.sleep(0.01)
            return await send(method, url, **options)
        finally:
            running -= 1

    stage.shop.http.send = counted  # type: ignore[method-assign]
    asked = stage.cancellation(command, done)
    outcomes = await asyncio.gather(*(connector.cancel(stage.shop, asked) for _ in range(3)))
    assert most == 1
    assert sorted(each.already for each in outcomes if isinstance(each, Done)) == [False, True, True]


async def test_a_cancel_that_may_still_run_is_only_looked_for(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    asked = stage.cancellation(command, done)
    assert isinstance(await connector.cancel(stage.shop, replace(asked, only_look=True)), Unknown)
    assert (await stage.listed(done.shop_id)).cancelled is False
    assert isinstance(await connector.cancel(stage.shop, asked), Done)
    again = await connector.cancel(stage.shop, replace(asked, only_look=True))
    assert isinstance(again, Done)
    assert again.already


async def test_a_turn_that_does_not_come_is_a_wait_and_no_order(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrency, "TURN_SECONDS", 0.01)
    (variant,) = await stage.product(5)
    async with concurrency.alone(stage.shop.address):
        outcome = await connector.create(stage.shop, stage.order((variant, 1)))
    assert isinstance(outcome, Later)
    assert list(await stage.hand.orders()) == []


# Found after a lost answer


async def placed_unheard(stage: Stage, command: CreateOrder) -> str:
    send = stage.shop.http.send

    async def meddled(method: str, url: str, **options: Any) -> Reply:
        reply = await send(method, url, **options)
        if "addManualPaymentToOrder" in options["json"]["query"]:
            stage.shop.http.send = send  # type: ignore[method-assign]
            raise NoAnswer("cut")
        return reply

    stage.shop.http.send = meddled  # type: ignore[method-assign]
    assert isinstance(await connector.create(stage.shop, command), Unknown)
    (shop_id,) = (await connector.find(stage.shop, command.reference, since=command.placed_at)).shop_ids
    return shop_id


async def test_records_that_went_with_their_location_prove_nothing(stage: Stage, books: Books) -> None:
    """The order's units are in the level still: neither proven, nor taken back."""
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    shop_id = await placed_unheard(stage, command)
    close_place(books, [variant.variant_id])
    assert level(books, variant) == (5, 2)
    outcome = await connector.confirm(stage.shop, command, await connector.order(stage.shop, shop_id))
    assert isinstance(outcome, Done)
    assert outcome.stock_taken is False
    assert outcome.note
    assert len(await stage.standing(command)) == 1


@pytest.mark.parametrize("dispatched", [False, True], ids=["packed", "packed and sent"])
async def test_an_order_without_stock_is_not_cancelled_over_a_parcel(
    stage: Stage, books: Books, dispatched: bool
) -> None:
    """A packed parcel survives the cancel there: its units come back to the count, and it can still be sent."""
    (variant,) = await stage.product(1)
    theirs = await stage.hand.arranged(variant, 1)  # type: ignore[attr-defined]
    paid_beside(stage, books, theirs, first=True, unheard=True)
    command = stage.order((variant, 1))
    assert isinstance(await connector.create(stage.shop, command), Unknown)
    (shop_id,) = (await connector.find(stage.shop, command.reference, since=command.placed_at)).shop_ids
    parcel = await stage.hand.pack(shop_id, tracking="T1")  # type: ignore[attr-defined]
    if dispatched:
        books.move_parcel(shop_id, parcel, "Shipped")
    found = await connector.order(stage.shop, shop_id)
    assert [each.tracking_number for each in (found.parcels if dispatched else found.packed)] == ["T1"]
    assert (found.packed if dispatched else found.parcels) == ()
    outcome = await connector.confirm(stage.shop, command, found)
    assert isinstance(outcome, Done)
    assert outcome.stock_taken is False
    assert "a parcel is packed for it there" in outcome.note
    assert len(await stage.standing(command)) == 1
    assert not any(row["type"] in ("RELEASE", "CANCELLATION") for row in books.movements(variant.variant_id))


async def test_more_than_999_items_are_refused_with_the_shops_words(stage: Stage) -> None:
    (variant,) = await stage.product(2000)
    outcome = await connector.create(stage.shop, stage.order((variant, 1000)))
    assert isinstance(outcome, Refused)
    assert outcome.why is Why.INVALID
    assert "maximum of 999 items" in outcome.sentence
    assert list(await stage.hand.orders()) == []
