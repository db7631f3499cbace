"""Parcels of ours as fulfillments: holds, several locations, several numbers, a right that was never given."""

from dataclasses import replace
from typing import Any

import pytest

from crossdock.connectors.shopify import connector
from crossdock.connectors.shopify.client import Client
from crossdock.connectors.shopify.manifest import ALL_SCOPES, FULFILMENT_SCOPES, SCOPES
from crossdock.connectors.shopify.sandbox import Sandbox
from crossdock.domain.commands import Done, Later, Refused, SignInAgain
from crossdock.kit.conformance.fulfilment import NUMBER, OTHER, an_order, left_here, parcels, write, wrote
from crossdock.kit.conformance.stage import Stage
from crossdock.kit.errors import NoAnswer


def events(sandbox: Sandbox) -> list[str]:
    return [
        row["event"] for row in sandbox.shelf.ledger() if row["event"] in ("fulfil", "renumber", "unfulfil", "mail")
    ]


async def test_an_order_on_hold_is_refused_with_what_to_do_and_goes_when_it_is_released(
    stage: Stage, sandbox: Sandbox
) -> None:
    variant, command, done = await an_order(stage)
    order: Any = sandbox.books.need("order", done.shop_id)
    sandbox.books.keep("order", order | {"hold": True})
    wish = left_here(command, done, (variant, 3))
    outcome = await write(stage, wish)
    assert isinstance(outcome, Refused) and "on hold" in outcome.sentence
    assert events(sandbox) == []
    sandbox.books.keep("order", sandbox.books.need("order", done.shop_id) | {"hold": False})
    await wrote(stage, wish)
    assert events(sandbox) == ["fulfil"]


async def test_units_at_two_locations_leave_as_one_parcel_with_one_number(stage: Stage, sandbox: Sandbox) -> None:
    (variant,) = await stage.product(2)
    second = sandbox.books.add_location("Attic")
    await stage.hand.stock_at(variant, second, 5)  # type: ignore[attr-defined]
    command = stage.order((variant, 4))
    done = await stage.placed(command)
    wish = left_here(command, done, (variant, 4))
    ids = (await wrote(stage, wish)).split(",")
    assert len(ids) == 2 and events(sandbox) == ["fulfil", "fulfil"], "Shopify takes one location a call"
    found = await parcels(stage, done)
    assert {number for _, number, _ in found} == {NUMBER}
    assert sum(units[variant.variant_id] for _, _, units in found) == 4
    again = await write(stage, replace(wish, parcel_id=",".join(ids)))
    assert isinstance(again, Done) and again.already
    # The second half's answer was lost: only what is missing is made.
    sandbox.books.change_fulfilment(done.shop_id, ids[1], status="CANCELLED")
    await wrote(stage, wish)
    assert events(sandbox) == ["fulfil"] * 3
    assert sum(units[variant.variant_id] for _, _, units in await parcels(stage, done)) == 4


async def test_of_several_numbers_one_is_changed_and_the_others_stay(stage: Stage, sandbox: Sandbox) -> None:
    variant, command, done = await an_order(stage)
    await stage.hand.fulfil(done.shop_id, tracking=f"{NUMBER},KEEPME01", carrier="USPS")
    first, second = (await connector.order(stage.shop, done.shop_id)).parcels
    wish = left_here(command, done, (variant, 3), number=OTHER)
    await wrote(stage, replace(wish, parcel_id=first.parcel_id, others=(second.parcel_id,), numbers=(NUMBER, OTHER)))
    assert [number for _, number, _ in await parcels(stage, done)] == [OTHER, "KEEPME01"]


async def test_without_the_right_nothing_is_written_and_the_shop_stays_connected(
    stage: Stage, sandbox: Sandbox
) -> None:
    """Shops that were connected before it was asked for have it not."""
    sandbox.access.allow(sandbox.access.own_app["client_id"], list(SCOPES))
    proof = await connector.prove(stage.shop)
    (limited,) = [check for check in proof.checks if check.limited]
    assert proof.ok, "everything else works"
    assert limited.right == FULFILMENT_SCOPES[0] and limited.right in limited.sentence
    assert "Dev Dashboard" in limited.sentence and "the buyer is told by us" in limited.sentence
    variant, command, done = await an_order(stage)
    outcome = await write(stage, left_here(command, done, (variant, 3)))
    assert isinstance(outcome, Refused) and outcome.why == "not_allowed" and FULFILMENT_SCOPES[0] in outcome.sentence
    assert not isinstance(outcome, SignInAgain) and events(sandbox) == []
    sandbox.access.allow(sandbox.access.own_app["client_id"], list(ALL_SCOPES))
    assert not any(check.limited for check in (await connector.prove(stage.shop)).checks)
    await wrote(stage, left_here(command, done, (variant, 3)))


async def test_a_question_before_the_writing_whose_answer_is_lost_leaves_nothing_in_doubt(
    stage: Stage, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the parcel waits minutes until a call that was never made can surely not be carried out any more."""
    variant, command, done = await an_order(stage)
    good = Client.ask

    async def lost(client: Client, name: str, *rest: Any) -> Any:
        if name == "Fulfillable":
            raise NoAnswer("The answer was lost.")
        return await good(client, name, *rest)

    monkeypatch.setattr(Client, "ask", lost)
    wish = left_here(command, done, (variant, 3))
    assert isinstance(await write(stage, wish), Later)
    assert events(sandbox) == []
    monkeypatch.undo()
    await wrote(stage, wish)
    assert events(sandbox) == ["fulfil"]
