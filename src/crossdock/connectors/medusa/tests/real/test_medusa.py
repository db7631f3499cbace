"""The connector and its simulator against an unmodified Medusa: the suite's scenarios, the facts that both are built
on, and kill -9 of the server in between.

Each test makes its own products and orders and looks at nothing else.
"""

import asyncio
import contextlib
import itertools
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest

import real_loop
from crossdock.cli.postgres import Cluster
from crossdock.connectors.medusa import connector
from crossdock.connectors.medusa.client import Client
from crossdock.connectors.medusa.sandbox import Sandbox
from crossdock.connectors.medusa.tests.real.server import RealMedusa, fresh
from crossdock.domain.capability import Pace
from crossdock.domain.commands import CreateOrder, Done, Later, Outcome, Refused, Unknown, Why
from crossdock.domain.events import ShopOrderState, ShopProduct
from crossdock.kit.conformance import Scenario, Stage, called_for, staged, staged_at
from crossdock.kit.conformance.fulfilment import left_here
from crossdock.kit.connector import Reply, VariantRef
from crossdock.kit.errors import NoAnswer, Outside

pytestmark = [pytest.mark.real, pytest.mark.timeout(900), pytest.mark.xdist_group("medusa")]
FAST = Pace(1000, 1000, 20)
# About words of ours, or the same as another one here with more rows: a product takes this server half a second.
ELSEWHERE = {
    102,
    105,
    106,
    107,
    204,
    207,
    209,
    210,
    304,
    404,
    407,
    413,
    414,
    415,
    418,
    419,
    504,
    507,
    510,
    602,
    604,
    605,
}
ELSEWHERE |= {606, 621, 702}


@pytest.fixture(scope="module")
def server(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealMedusa]:
    running = fresh(tmp_path_factory.mktemp("medusa"), cluster)
    yield running
    running.stop()


@pytest.fixture
async def stage(server: RealMedusa) -> AsyncIterator[Stage]:
    async with server.site() as site, staged_at(connector, site, pace=FAST) as connected:
        yield connected


def _played() -> list[Scenario]:
    return [item for item in called_for(connector.manifest, real=True) if item.number not in ELSEWHERE]


@pytest.mark.parametrize("scenario", _played(), ids=lambda item: str(item.number))
async def test_conformance(scenario: Scenario, stage: Stage) -> None:
    await scenario.run(stage)


async def _settled(stage: Stage) -> None:
    """Reads again what the connection test fixes (the hourly look)."""
    proof = await connector.look(stage.shop)  # type: ignore[attr-defined]
    stage.shop = replace(stage.shop, settings={**stage.shop.settings, **proof.settings})


# Facts about stock


async def test_a_sum_of_locations_is_a_draft_and_no_order(stage: Stage) -> None:
    (variant,) = await stage.product(3)
    attic = await stage.hand.open_location("Attic")  # type: ignore[attr-defined]
    await stage.hand.stock_at(variant, attic, 3)  # type: ignore[attr-defined]
    await _settled(stage)
    draft = await stage.hand.draft((variant, 5))  # type: ignore[attr-defined]
    with pytest.raises(LookupError, match="Not enough stock available"):
        await stage.hand.convert(draft)  # type: ignore[attr-defined]
    assert await stage.counted(variant) == {variant.variant_id: 3}
    outcome = await connector.create(stage.shop, stage.order((variant, 5)))
    assert isinstance(outcome, Refused) and outcome.why is Why.NO_STOCK and outcome.short == (variant.variant_id,)
    await stage.placed(stage.order((variant, 3)))
    assert await stage.counted(variant) == {variant.variant_id: 3}


async def test_two_lines_of_one_variant_are_given_the_same_units(stage: Stage) -> None:
    """The trap itself; ours are one line."""
    (variant,) = await stage.product(3)
    outcome = await connector.create(stage.shop, stage.order((variant, 3), (variant, 2)))
    assert isinstance(outcome, Refused) and outcome.why is Why.NO_STOCK
    assert await stage.hand.count(variant) == 3
    await stage.hand.convert(await stage.hand.draft((variant, 3), (variant, 2)))  # type: ignore[attr-defined]
    assert await stage.hand.count(variant) == -2


async def test_units_leave_from_where_they_are_reserved(stage: Stage) -> None:
    a, b = await stage.product(2, 2)
    attic, home = await stage.hand.open_location("Attic"), (await stage.hand.world())["place"]  # type: ignore[attr-defined]
    await stage.hand.stock_at(b, home, 0)  # type: ignore[attr-defined]
    await stage.hand.stock_at(b, attic, 2)  # type: ignore[attr-defined]
    await _settled(stage)
    command = stage.order((a, 1), (b, 1))
    done = await stage.placed(command)
    outcome = await connector.write_fulfilment(stage.shop, left_here(command, done, (a, 1), (b, 1)))
    assert isinstance(outcome, Done) and len(outcome.shop_id.split(",")) == 2, outcome
    order = await stage.hand.order(done.shop_id)  # type: ignore[attr-defined]
    assert {each["location_id"] for each in order["fulfillments"]} == {home, attic}
    assert (await stage.hand.count(a), await stage.hand.count(b)) == (1, 1)


async def test_dates_move_with_what_the_readings_rest_on(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    ask = stage.hand.ask  # type: ignore[attr-defined]

    async def dates() -> tuple[str, str]:
        product = (await ask("GET", f"products/{variant.product_id}", query="fields=id,updated_at"))["product"]
        query = f"id[]={variant.variant_id}&fields=id,updated_at"
        row = (await ask("GET", "product-variants", query=query))["variants"][0]
        return product["updated_at"], row["updated_at"]

    product, row = await dates()
    await stage.hand.recount(variant, 7)
    assert await dates() == (product, row), "stock moves neither"
    await stage.hand.reprice(variant, "13.00")
    after = await dates()
    assert after[0] == product and after[1] > row, "a price moves its variant alone"


async def test_filters_that_it_does_not_know_are_ignored_and_q_finds_the_billing_address(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    ask = stage.hand.ask  # type: ignore[attr-defined]
    every = (await ask("GET", "orders", query="fields=id&limit=1"))["count"]
    for wrong in ("metadata[crossdock_reference]=nobody", "payment_status=nobody", "bogus=1"):
        assert (await ask("GET", "orders", query=f"{wrong}&fields=id&limit=1"))["count"] == every
    found = await ask("GET", "orders", query=f"q={command.reference}&fields=id")
    assert [row["id"] for row in found["orders"]] == [done.shop_id]


# Facts about orders


async def test_a_cancel_during_an_edit_is_refused_and_refunds_all_the_same(stage: Stage) -> None:
    """findings/medusa-refused-cancel-refunds.sh. When this fails, Medusa has mended it."""
    (variant,) = await stage.product(5)
    ask = stage.hand.ask  # type: ignore[attr-defined]
    command, other = stage.order((variant, 1)), stage.order((variant, 1))
    done, theirs = await stage.placed(command), await stage.placed(other)
    for shop_id in (done.shop_id, theirs.shop_id):
        await ask("POST", "order-edits", {"order_id": shop_id})
    outcome = await connector.cancel(stage.shop, stage.cancellation(command, done))
    assert isinstance(outcome, Refused) and "edited" in outcome.sentence
    assert (await connector.order(stage.shop, done.shop_id)).refunds == ()
    parcel = await connector.write_fulfilment(stage.shop, left_here(command, done, (variant, 1)))
    assert isinstance(parcel, Refused) and "edited" in parcel.sentence
    with pytest.raises(LookupError, match="active order change"):
        await ask("POST", f"orders/{theirs.shop_id}/cancel", {})
    hurt = await connector.order(stage.shop, theirs.shop_id)
    assert hurt.state is ShopOrderState.OPEN and [str(each.amount) for each in hurt.refunds] == [str(other.total)]
    await ask("DELETE", f"order-edits/{done.shop_id}")
    assert isinstance(await connector.cancel(stage.shop, stage.cancellation(command, done)), Done)


async def test_an_automatic_promotion_is_taken_off_and_a_refund_leaves_the_total(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    ask = stage.hand.ask  # type: ignore[attr-defined]
    method = {"type": "percentage", "target_type": "items", "allocation": "across", "value": 10, "currency_code": "usd"}
    body = {"code": f"A{stage.word}", "type": "standard", "status": "active", "is_automatic": True}
    made = (await ask("POST", "promotions", {**body, "application_method": method}))["promotion"]
    try:
        command = stage.order((variant, 2), price="12.50", shipping="4.99")
        done = await stage.placed(command)
        assert await stage.hand.sell(variant, 1), "the store's own is lowered"
    finally:
        await ask("DELETE", f"promotions/{made['id']}")
    assert (await connector.order(stage.shop, done.shop_id)).total == command.total
    await stage.hand.refund(done.shop_id, "3.50")
    order = await connector.order(stage.shop, done.shop_id)
    assert (order.total, [str(each.amount) for each in order.refunds]) == (command.total, ["3.50"])
    await stage.hand.cancel(done.shop_id)
    order = await connector.order(stage.shop, done.shop_id)
    assert (order.total, [str(each.amount) for each in order.refunds]) == (command.total, ["3.50"])


async def test_a_completed_order_is_not_cancelled_and_a_packed_one_has_not_left(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    packed, _ = await stage.hand.pack(done.shop_id)  # type: ignore[attr-defined]
    order = await connector.order(stage.shop, done.shop_id)
    assert order.parcels == () and [each.parcel_id for each in order.packed] == [packed]
    outcome = await connector.cancel(stage.shop, stage.cancellation(command, done))
    assert isinstance(outcome, Refused) and "packed" in outcome.sentence
    await stage.hand.ask("POST", f"orders/{done.shop_id}/fulfillments/{packed}/cancel", {})  # type: ignore[attr-defined]
    await stage.hand.ask("POST", f"orders/{done.shop_id}/complete", {})  # type: ignore[attr-defined]
    outcome = await connector.cancel(stage.shop, stage.cancellation(command, done))
    assert isinstance(outcome, Refused) and "completed" in outcome.sentence
    assert await stage.hand.count(variant) == 8, "its unit stays reserved"


async def test_a_price_of_one_variant_is_found_without_its_product_changing(stage: Stage) -> None:
    first, second = await stage.product(2, 2)
    _, cursor = await stage.all_products()
    await stage.hand.reprice(second, "99.00")
    found, _ = await stage.all_products(cursor)
    seen = [item for item in found if isinstance(item, ShopProduct) and item.product_id == first.product_id]
    assert {each.variant_id: str(each.price) for each in seen[-1].variants} == {
        first.variant_id: "12.50",
        second.variant_id: "99.00",
    }


# The simulator refuses what the real one refuses, in the same words


async def _refusals(stage: Stage) -> list[tuple[str, int, str, str]]:
    """What, status, type, message without ids."""
    client, found = Client(stage.shop), list[tuple[str, int, str, str]]()
    send = stage.shop.http.send
    replies = list[Reply]()

    async def kept(*args: Any, **named: Any) -> Reply:
        replies.append(await send(*args, **named))
        return replies[-1]

    stage.shop.http.send = kept  # type: ignore[method-assign]

    async def refused(what: str, method: Any, path: str, body: Any = None) -> None:
        with contextlib.suppress(Outside):
            await client.send(method, path, json=body)
        said = replies[-1].json()
        message = re.sub(r"\b[a-z]+_01[0-9A-Z]+", "ID", said.get("message", ""))
        found.append((what, replies[-1].status, said.get("type", ""), message))

    (variant,) = await stage.product(9)
    line = {"variant_id": variant.variant_id, "quantity": 1, "unit_price": 1}
    region = stage.shop.settings["regions"].partition(":")[0]
    draft = {"region_id": region, "sales_channel_id": stage.shop.settings["channel"], "email": "a@relay.example"}
    await refused("too many", "POST", "draft-orders", {**draft, "items": [{**line, "quantity": 10}]})
    await refused("unknown", "POST", "draft-orders", {**draft, "items": [{**line, "variant_id": "variant_01NONE"}]})
    await refused("no such order", "GET", "orders/order_01NONE")
    done = await stage.placed(stage.order((variant, 2)))
    path, row = f"orders/{done.shop_id}", (await connector.order(stage.shop, done.shop_id)).lines[0].line_id
    await refused("convert again", "POST", f"draft-orders/{done.shop_id}/convert-to-order", {})
    over = {"items": [{"id": row, "quantity": 3}]}
    await refused("fulfil too much", "POST", f"{path}/fulfillments", over)
    fulfilment = await stage.hand.fulfil(done.shop_id, tracking="T1", lines=[(variant.variant_id, 1)])
    ship = {"items": [{"id": row, "quantity": 1}], "labels": []}
    await refused("ship again", "POST", f"{path}/fulfillments/{fulfilment}/shipments", ship)
    await refused("cancel a shipped fulfilment", "POST", f"{path}/fulfillments/{fulfilment}/cancel", {})
    await refused("cancel a shipped order", "POST", f"{path}/cancel", {})
    other = await stage.placed(stage.order((variant, 1)))
    await stage.hand.cancel(other.shop_id)
    await refused("cancel again", "POST", f"orders/{other.shop_id}/cancel", {})
    await refused("fulfil a cancelled order", "POST", f"orders/{other.shop_id}/fulfillments", over)
    held = (await client.one("GET", path, "order", query=(("fields", "id,*payment_collections"),))).list(
        "payment_collections"
    )
    paid = f"payment-collections/{held[0].id('id')}/mark-as-paid"
    await refused("pay again", "POST", paid, {"order_id": done.shop_id})
    await refused("confirm no edit", "POST", f"draft-orders/{done.shop_id}/edit/confirm", {})
    return found


async def test_the_simulator_refuses_in_the_same_words(stage: Stage) -> None:
    real = await _refusals(stage)
    async with staged(connector, Sandbox) as simulated:
        played = await _refusals(simulated)
    assert played == real
    assert all(status >= 400 for _, status, _, _ in real)


# kill -9 of the server


@pytest.mark.parametrize("before", [True, False], ids=["before it was heard", "while it was carried out"])
async def test_a_server_killed_at_the_conversion_takes_the_order_once(
    server: RealMedusa, stage: Stage, before: bool
) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    send, first = stage.shop.http.send, itertools.count()

    async def dies(method: str, url: str, **named: Any) -> Reply:
        if "convert-to-order" not in url or next(first):
            return await send(method, url, **named)
        if before:
            server.kill()
            return await send(method, url, **named)
        under_way = asyncio.ensure_future(send(method, url, **named))
        while not await stage.standing(command):
            assert not under_way.done() or under_way.exception() is None
        server.kill()
        await asyncio.wait([under_way])
        raise NoAnswer("cut")

    stage.shop.http.send = dies  # type: ignore[method-assign]
    outcome = await connector.create(stage.shop, command)
    assert isinstance(outcome, Later | Unknown), outcome
    await asyncio.to_thread(server.start)
    again = await _until_known(stage, command)
    assert isinstance(again, Done), again
    assert len(await stage.standing(command)) == 1 and await stage.hand.count(variant) == 3
    order = await connector.order(stage.shop, again.shop_id)
    assert (order.total, order.reference) == (command.total, command.reference)
    assert isinstance(await connector.cancel(stage.shop, stage.cancellation(command, again)), Done)
    assert await stage.hand.count(variant) == 5


async def _until_known(stage: Stage, command: CreateOrder) -> Outcome:
    """As the engine does after a lost answer: look, confirm what stands there, and only then try again."""
    for _ in range(20):
        stage.fresh_budget()
        try:
            found = await connector.find(stage.shop, command.reference, since=command.placed_at)
        except NoAnswer:
            continue
        if found.shop_ids:
            return await connector.confirm(stage.shop, command, await connector.order(stage.shop, found.shop_ids[0]))
        outcome = await connector.create(stage.shop, command)
        if isinstance(outcome, Done):
            return outcome
    return outcome


async def test_it_is_marked_as_paid_once(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    done = await stage.placed(stage.order((variant, 1)))
    ask = stage.hand.ask  # type: ignore[attr-defined]
    path, query = f"orders/{done.shop_id}", "fields=+payment_status"
    assert (await ask("GET", path, query=query))["order"]["payment_status"] == "captured"
    found = await connector.order(stage.shop, done.shop_id)
    again = await connector.confirm(stage.shop, replace(stage.order((VariantRef("", "x"), 1))), found)
    assert isinstance(again, Done)
    order = (await ask("GET", path, query=f"{query},*payment_collections"))["order"]
    assert (order["payment_status"], len(order["payment_collections"])) == ("captured", 1)
    await ask("POST", "payment-collections", {"order_id": done.shop_id, "amount": 1})
    assert (await ask("GET", path, query=query))["order"]["payment_status"] == "partially_captured"


# The marketplace


def test_the_whole_loop_on_an_unmodified_server(server: RealMedusa) -> None:
    real_loop.played("medusa", address=server.address, password=server.password, key=server.api_key)
