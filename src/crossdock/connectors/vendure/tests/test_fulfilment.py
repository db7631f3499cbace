"""Parcels of ours in a Vendure: gone on with where an earlier try stopped, never made over the seller's own work."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from crossdock.connectors.vendure import connector
from crossdock.connectors.vendure.sandbox import PostgresSandbox, Sandbox
from crossdock.domain.commands import Done, Refused, Unknown
from crossdock.kit import conformance
from crossdock.kit.conformance.fulfilment import NUMBER, OTHER, an_order, left_here, parcels, write, wrote
from crossdock.kit.conformance.stage import Stage, staged


@pytest.fixture(params=[Sandbox, PostgresSandbox], ids=["sqlite", "postgres"])
async def shop(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    async with staged(connector, request.param) as stage:
        yield stage


def books(stage: Stage) -> Any:
    return stage.sandbox.books  # type: ignore[attr-defined]


def states(stage: Stage, done: Done) -> list[tuple[str, str]]:
    return [(each["state"], each["trackingCode"]) for each in books(stage).order(done.shop_id)["fulfillments"]]


@pytest.mark.parametrize("number", [620, 623, 626, 628])
async def test_scenarios_hold_on_postgres(number: int) -> None:
    item = next(item for item in conformance.scenarios() if item.number == number)
    async with staged(connector, PostgresSandbox) as stage:
        await item.run(stage)


async def test_an_earlier_try_that_only_packed_it_is_gone_on_with(shop: Stage) -> None:
    variant, command, done = await an_order(shop)
    wish = left_here(command, done, (variant, 3))
    await shop.hand.pack(done.shop_id, tracking=NUMBER, carrier="USPS")  # type: ignore[attr-defined]
    assert isinstance(await write(shop, replace(wish, only_look=True)), Unknown)
    assert states(shop, done) == [("Pending", NUMBER)]
    await wrote(shop, wish)
    assert states(shop, done) == [("Shipped", NUMBER)]


async def test_what_the_seller_packs_under_another_number_is_theirs(shop: Stage) -> None:
    variant, command, done = await an_order(shop)
    await shop.hand.pack(done.shop_id, tracking=OTHER, carrier="UPS")  # type: ignore[attr-defined]
    outcome = await write(shop, left_here(command, done, (variant, 3)))
    assert isinstance(outcome, Refused) and "packed" in outcome.sentence
    assert states(shop, done) == [("Pending", OTHER)]


async def test_stopped_between_cancelling_and_making_again_it_ends_with_the_new_number(shop: Stage) -> None:
    variant, command, done = await an_order(shop)
    wish = left_here(command, done, (variant, 3))
    id_ = await wrote(shop, wish)
    books(shop).move_parcel(done.shop_id, books(shop).order(done.shop_id)["fulfillments"][0]["id"], "Cancelled")
    changed = replace(wish, tracking_number=OTHER, parcel_id=id_, numbers=(NUMBER, OTHER))
    await wrote(shop, changed)
    assert states(shop, done) == [("Cancelled", NUMBER), ("Shipped", OTHER)]
    assert [number for _, number, _ in await parcels(shop, done)] == [OTHER]
    assert await shop.hand.count(variant) == 6, "no unit came back or left twice"


@pytest.mark.parametrize("undone", [False, True])
async def test_what_was_delivered_is_left_as_it_is(shop: Stage, undone: bool) -> None:
    variant, command, done = await an_order(shop)
    wish = left_here(command, done, (variant, 3))
    id_ = await wrote(shop, wish)
    books(shop).move_parcel(done.shop_id, books(shop).order(done.shop_id)["fulfillments"][0]["id"], "Delivered")
    changed = replace(wish, tracking_number=OTHER, parcel_id=id_, numbers=(NUMBER, OTHER), undone=undone)
    outcome = await write(shop, changed)
    assert isinstance(outcome, Refused) and "delivered" in outcome.sentence
    assert states(shop, done) == [("Delivered", NUMBER)]


async def test_a_role_without_the_right_is_named_and_the_shop_stays_connected(shop: Stage) -> None:
    variant, command, done = await an_order(shop)
    shop.sandbox.rights = shop.sandbox.rights - {"UpdateOrder"}  # type: ignore[attr-defined]
    outcome = await write(shop, left_here(command, done, (variant, 3)))
    assert isinstance(outcome, Refused) and outcome.why == "not_allowed" and "UpdateOrder" in outcome.sentence
    assert states(shop, done) == []


async def test_too_few_on_hand_is_refused_in_the_shops_words(shop: Stage) -> None:
    variant, command, done = await an_order(shop)
    books(shop).change_variant(variant.variant_id, onHand=1)
    outcome = await write(shop, left_here(command, done, (variant, 3)))
    assert isinstance(outcome, Refused) and "insufficient stockOnHand" in outcome.sentence
    assert states(shop, done) == []
