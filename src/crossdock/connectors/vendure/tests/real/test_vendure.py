"""The connector and its simulator against an unmodified Vendure: the suite's scenarios, and the facts that the
simulator is built on.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from graphql import GraphQLSchema, build_client_schema, build_schema, get_introspection_query, parse, validate

from crossdock.connectors.vendure import connector, sandbox
from crossdock.connectors.vendure.client import document
from crossdock.connectors.vendure.tests.real.server import RealVendure, fresh
from crossdock.domain.commands import Done, Later, Refused, SignInAgain, Unknown, Why
from crossdock.domain.events import ProductGone, ShopProduct
from crossdock.kit.conformance import Scenario, Stage, called_for, staged_at
from crossdock.kit.connector import VariantRef
from crossdock.kit.errors import AuthDead, NoAnswer

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]
RIGHTS = ("ReadProduct", "ReadStockLocation", "ReadOrder", "CreateOrder", "UpdateOrder", "DeleteOrder")


def _scenarios() -> list[object]:
    """Those about orders and stock on both databases."""
    return [
        pytest.param(item, id=str(item.number), marks=[pytest.mark.both] if 200 <= item.number < 600 else [])
        for item in called_for(connector.manifest, real=True)
    ]


@pytest.mark.parametrize("scenario", _scenarios())
async def test_conformance(scenario: Scenario, stage: Stage) -> None:
    await scenario.run(stage)


def test_the_scenarios_left_out_here_are_those_that_need_the_fault_dial_or_the_ledger() -> None:
    left_out = {item.number for item in called_for(connector.manifest)} - {
        item.number for item in called_for(connector.manifest, real=True)
    }
    assert left_out
    assert all(item.simulated for item in called_for(connector.manifest) if item.number in left_out)


# The schema


async def _schema(stage: Stage) -> GraphQLSchema:
    return build_client_schema(await stage.hand.ask(get_introspection_query()))  # type: ignore[attr-defined]


async def test_every_document_is_valid_on_the_real_server(stage: Stage, operations: list[str]) -> None:
    schema = await _schema(stage)
    assert len(operations) > 20
    problems = {name: [str(problem) for problem in validate(schema, parse(document(name, 2)))] for name in operations}
    assert {name: found for name, found in problems.items() if found} == {}


async def test_the_simulators_schema_is_a_part_of_the_real_one(stage: Stage) -> None:
    real = await _schema(stage)
    text = (sandbox.api.files(sandbox.__package__) / "schema.graphql").read_text()
    for name, kind in build_schema(text).type_map.items():
        for field, cut in getattr(kind, "fields", {}).items():
            whole = real.type_map[name].fields[field]  # type: ignore[union-attr]
            assert str(cut.type) == str(whole.type), f"{name}.{field}"
            assert {key: str(each.type) for key, each in getattr(cut, "args", {}).items()} == {
                key: str(each.type) for key, each in getattr(whole, "args", {}).items()
            }, f"{name}.{field}"


# Facts that the connector rests on


async def _order(stage: Stage, shop_id: str) -> Any:
    return await stage.hand._order(shop_id)  # type: ignore[attr-defined]


async def _updated(stage: Stage, kind: str, id: str) -> str:
    data = await stage.hand.ask(f"query($i: ID!) {{ {kind}(id: $i) {{ updatedAt }} }}", i=id)  # type: ignore[attr-defined]
    return str(data[kind]["updatedAt"])


async def test_a_variants_change_leaves_the_products_updated_at_alone(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    product, before = (
        await _updated(stage, "product", variant.product_id),
        await _updated(stage, "productVariant", variant.variant_id),
    )
    await asyncio.sleep(1.1)
    await stage.hand.reprice(variant, "13.00")
    assert await _updated(stage, "product", variant.product_id) == product
    assert await _updated(stage, "productVariant", variant.variant_id) > before


async def test_shipping_and_refunding_leave_the_orders_updated_at_alone_and_cancelling_does_not(stage: Stage) -> None:
    """Why the open orders are read at every poll."""
    (variant,) = await stage.product(5)
    done = await stage.placed(stage.order((variant, 1)))
    placed = await _updated(stage, "order", done.shop_id)
    await asyncio.sleep(1.1)
    await stage.hand.fulfil(done.shop_id, tracking="T1")
    await stage.hand.refund(done.shop_id, "1.00")
    assert (await _order(stage, done.shop_id))["state"] == "Shipped"
    assert await _updated(stage, "order", done.shop_id) == placed
    await stage.hand.cancel(done.shop_id)
    assert await _updated(stage, "order", done.shop_id) > placed


@pytest.mark.both
async def test_an_allocation_does_not_tell_whose_it_is(stage: Stage) -> None:
    """Why units are proven by time. When this fails, Vendure has mended it and the proof can be simpler."""
    (variant,) = await stage.product(5)
    await stage.placed(stage.order((variant, 1)))
    query = (
        "query($v: ID!) { productVariant(id: $v) { stockMovements(options: {type: ALLOCATION}) { items { ... on"
        " Allocation { id orderLine { id } } } } } }"
    )
    with pytest.raises(LookupError, match=r"non-nullable field Allocation\.orderLine"):
        await stage.hand.ask(query, v=variant.variant_id)  # type: ignore[attr-defined]


def sold_just_before_we_pay(stage: Stage, theirs: str, *, unheard: bool = False) -> None:
    """From now on their order is paid before ours is; `unheard`: and the answer to our payment is lost."""
    original = stage.shop.http.send

    async def send(*args: Any, **named: Any) -> Any:
        paying = "addManualPaymentToOrder" in named["json"]["query"]
        if paying:
            await stage.hand.pay(theirs)  # type: ignore[attr-defined]
        answer = await original(*args, **named)
        if paying and unheard:
            raise NoAnswer("cut")
        return answer

    stage.shop.http.send = send  # type: ignore[method-assign]


@pytest.mark.both
async def test_two_orders_paid_for_the_last_unit_are_both_accepted_and_ours_is_taken_back(stage: Stage) -> None:
    (variant,) = await stage.product(1)
    theirs = await stage.hand.arranged(variant, 1)  # type: ignore[attr-defined]
    command = stage.order((variant, 1))
    sold_just_before_we_pay(stage, theirs)
    outcome = await connector.create(stage.shop, command)
    assert isinstance(outcome, Refused)
    assert (outcome.why, outcome.short) == (Why.NO_STOCK, (variant.variant_id,))
    assert await stage.standing(command) == []
    ours = [order for order in await stage.hand.orders() if command.email in order.buyer]
    assert [order.cancelled for order in ours] == [True]
    assert (await stage.listed(theirs)).cancelled is False
    assert await stage.hand.count(variant) == 0


@pytest.mark.both
async def test_found_after_a_lost_answer_without_its_unit_it_is_taken_back(stage: Stage) -> None:
    (variant,) = await stage.product(1)
    theirs = await stage.hand.arranged(variant, 1)  # type: ignore[attr-defined]
    command = stage.order((variant, 1))
    sold_just_before_we_pay(stage, theirs, unheard=True)
    assert isinstance(await connector.create(stage.shop, command), Unknown)
    (shop_id,) = (await connector.find(stage.shop, command.reference, since=command.placed_at)).shop_ids
    found = await connector.order(stage.shop, shop_id)
    outcome = await connector.confirm(stage.shop, command, found)
    assert isinstance(outcome, Refused)
    assert (outcome.why, outcome.short) == (Why.NO_STOCK, (variant.variant_id,))
    assert await stage.standing(command) == []
    assert (await stage.listed(theirs)).cancelled is False
    assert await stage.hand.count(variant) == 0


@pytest.mark.both
async def test_when_ours_is_paid_first_it_keeps_its_unit_whatever_comes_after(stage: Stage) -> None:
    (variant,) = await stage.product(1)
    theirs = await stage.hand.arranged(variant, 1)  # type: ignore[attr-defined]
    original = stage.shop.http.send

    async def sold_just_after_we_pay(*args: Any, **named: Any) -> Any:
        reply = await original(*args, **named)
        if "addManualPaymentToOrder" in named["json"]["query"]:
            await stage.hand.pay(theirs)  # type: ignore[attr-defined]
        return reply

    stage.shop.http.send = sold_just_after_we_pay  # type: ignore[method-assign]
    outcome = await connector.create(stage.shop, stage.order((variant, 1)))
    assert isinstance(outcome, Done)
    assert outcome.stock_taken
    assert (await connector.order(stage.shop, theirs)).stock_taken is False
    assert await stage.hand.count(variant) == 0


@pytest.mark.parametrize(
    "stops_at", ["createDraftOrder", "setCustomerForDraftOrder", "transitionOrderToState", "addManualPaymentToOrder"]
)
async def test_a_worker_killed_after_any_step_leaves_nothing_that_a_repeat_would_double(
    stage: Stage, stops_at: str
) -> None:
    """The server does the step, and nobody is there to hear of it."""
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    original = stage.shop.http.send

    class Killed(BaseException):
        pass

    async def dies(*args: Any, **named: Any) -> Any:
        reply = await original(*args, **named)
        if stops_at in named["json"]["query"]:
            raise Killed
        return reply

    stage.shop.http.send = dies  # type: ignore[method-assign]
    with pytest.raises(Killed):
        await connector.create(stage.shop, command)
    stage.fresh_budget()
    paid = stops_at == "addManualPaymentToOrder"
    assert len((await connector.find(stage.shop, command.reference, since=command.placed_at)).shop_ids) == int(paid)
    assert len(await stage.standing(command)) == int(paid)
    again = await connector.create(stage.shop, command)
    assert isinstance(again, Done)
    assert (again.already, again.stock_taken) == (paid, True)
    assert len(await stage.standing(command)) == 1
    assert await stage.hand.count(variant) == 3
    half_made = [
        order
        for order in await stage.hand.drafts()
        if order["customer"] and order["customer"]["emailAddress"] == command.email
    ]  # type: ignore[attr-defined]
    assert half_made == []


async def test_a_step_that_is_carried_out_twice_does_no_harm(stage: Stage) -> None:
    """An earlier try's call that the server carries out late.

    The second adding of lines makes more of them: such a draft is cleared away.
    """
    (variant,) = await stage.product(9)
    for step in (
        "eligibleShippingMethodsForDraftOrder",
        "setDraftOrderShippingMethod",
        "addManualPaymentToOrder",
        "setCustomerForDraftOrder",
    ):
        stage.fresh_budget()
        command = stage.order((variant, 1))
        original = stage.shop.http.send

        async def twice(*args: Any, step: str = step, original: Any = original, **named: Any) -> Any:
            if step in named["json"]["query"]:
                await original(*args, **named)
            return await original(*args, **named)

        stage.shop.http.send = twice  # type: ignore[method-assign]
        outcome = await connector.create(stage.shop, command)
        stage.fresh_budget()
        if not isinstance(outcome, Done):
            assert step in ("addManualPaymentToOrder", "setCustomerForDraftOrder"), outcome
            assert isinstance(outcome, Unknown | Later), outcome
            assert isinstance(await connector.create(stage.shop, command), Done)
        assert len(await stage.standing(command)) == 1
    assert await stage.hand.count(variant) == 5


async def test_an_order_to_a_country_that_the_shop_does_not_know_says_what_to_set_up(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    outcome = await connector.create(stage.shop, replace(command, ship_to=replace(command.ship_to, country="FR")))
    assert isinstance(outcome, Refused)
    assert outcome.why is Why.INVALID
    assert "Settings > Countries" in outcome.sentence
    assert await stage.standing(command) == []


async def test_a_threshold_is_kept_back_and_an_untracked_variant_has_no_count(stage: Stage) -> None:
    kept, free = await stage.product(5, 5)
    await stage.hand.change_variant(kept, useGlobalOutOfStockThreshold=False, outOfStockThreshold=2)  # type: ignore[attr-defined]
    await stage.hand.change_variant(free, trackInventory="FALSE")  # type: ignore[attr-defined]
    assert await stage.counted(kept, free) == {kept.variant_id: 3, free.variant_id: None}
    refused = await connector.create(stage.shop, stage.order((kept, 4)))
    assert isinstance(refused, Refused)
    assert refused.short == (kept.variant_id,)
    taken = await stage.placed(stage.order((free, 50)))
    assert taken.stock_taken


async def test_a_packed_parcel_has_not_left(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    done = await stage.placed(stage.order((variant, 2)))
    parcel = await stage.hand.pack(done.shop_id, tracking="T9")  # type: ignore[attr-defined]
    assert (await connector.order(stage.shop, done.shop_id)).parcels == ()
    await stage.hand.move(parcel, "Shipped")  # type: ignore[attr-defined]
    assert [each.tracking_number for each in (await connector.order(stage.shop, done.shop_id)).parcels] == ["T9"]


async def test_a_deleted_product_leaves_its_order_readable(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    done = await stage.placed(stage.order((variant, 2)))
    await stage.hand.delete_product(variant.product_id)
    order = await connector.order(stage.shop, done.shop_id)
    assert [(line.variant_id, line.quantity, line.stock_taken) for line in order.lines] == [(variant.variant_id, 2, 2)]
    assert await connector.product(stage.shop, variant.product_id) == ProductGone(variant.product_id)


async def test_a_catalogue_made_in_one_second_is_read_whole_page_by_page(stage: Stage) -> None:
    made = {
        (await stage.hand.add_product(f"Bulk {n}", [(f"{stage.word}-bulk-{n}", "1.00", 1)]))[0].product_id
        for n in range(130)
    }
    found, cursor = await stage.all_products()
    assert made <= {item.product_id for item in found if isinstance(item, ShopProduct)}
    again, _ = await stage.all_products(cursor)
    assert {item.product_id for item in again} <= {item.product_id for item in found}


# Connecting


async def test_an_api_key_with_exactly_the_named_rights_can_do_all_of_it(server: RealVendure) -> None:
    async with server.site() as site:
        key = await site.hand.api_key(RIGHTS, "all-named")
        site.seller_form = lambda: ("key", {"address": server.address, "api_key": key})  # type: ignore[method-assign]
        async with staged_at(connector, site) as stage:
            assert stage.proof.ok
            (variant,) = await stage.product(3)
            command = stage.order((variant, 1))
            done = await stage.placed(command)
            assert isinstance(await connector.create(stage.shop, stage.order((variant, 9))), Refused)
            assert isinstance(await connector.cancel(stage.shop, stage.cancellation(command, done)), Done)
            assert await stage.counted(variant) == {variant.variant_id: 3}


@pytest.mark.parametrize("missing", RIGHTS)
async def test_the_connection_test_names_the_one_right_that_is_missing(server: RealVendure, missing: str) -> None:
    async with server.site() as site:
        key = await site.hand.api_key([right for right in RIGHTS if right != missing], f"without-{missing}")
        site.seller_form = lambda: ("key", {"address": server.address, "api_key": key})  # type: ignore[method-assign]
        async with staged_at(connector, site) as stage:
            wrong = [check for check in stage.proof.checks if not check.ok]
            assert len(wrong) == 1
            assert missing in wrong[0].title
            assert missing in wrong[0].sentence


async def test_a_key_that_was_deleted_asks_to_sign_in_again(server: RealVendure) -> None:
    async with server.site() as site:
        key = await site.hand.api_key(RIGHTS, "to-be-deleted")
        site.seller_form = lambda: ("key", {"address": server.address, "api_key": key})  # type: ignore[method-assign]
        async with staged_at(connector, site) as stage:
            (variant,) = await stage.product(3)
            rows = await site.hand.ask("{ apiKeys(options: {sort: {id: DESC}, take: 1}) { items { id } } }")
            await site.hand.ask(
                "mutation($i: [ID!]!) { deleteApiKeys(ids: $i) { result } }", i=[rows["apiKeys"]["items"][0]["id"]]
            )
            with pytest.raises(AuthDead):
                await connector.counts(stage.shop, [variant])
            assert isinstance(await connector.create(stage.shop, stage.order((variant, 1))), SignInAgain)


async def test_a_login_outlives_the_session_that_it_began_with(tmp_path: Any) -> None:
    """A server of its own whose sessions end after two seconds.

    It is stopped and started again as well: the session is gone, the shop is not.
    """
    running = fresh(tmp_path / "short", session="2s")
    running.start()
    try:
        async with running.site() as site, staged_at(connector, site) as stage:
            (variant,) = await stage.product(3)
            assert await stage.counted(variant) == {variant.variant_id: 3}
            await asyncio.sleep(2.5)
            assert await stage.counted(variant) == {variant.variant_id: 3}
            running.stop()
            running.start()
            order = stage.order((variant, 1))
            outcome = await connector.create(stage.shop, order)
            if isinstance(outcome, Later):
                # A connection kept from before the restart broke: nothing was placed, and the same order goes through
                # on a new one.
                outcome = await connector.create(stage.shop, order)
            assert isinstance(outcome, Done)
            assert await stage.counted(variant) == {variant.variant_id: 2}
    finally:
        running.stop()


async def test_signed_in_with_a_login_only_as_a_cookie_is_not_what_this_server_does(server: RealVendure) -> None:
    """The header that the connector looks for is there, and no cookie."""
    query = 'mutation($p: String!) { login(username: "superadmin", password: $p) { __typename } }'
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{server.address}/admin-api", json={"query": query, "variables": {"p": server.password}}
        ) as reply,
    ):
        assert reply.headers["vendure-auth-token"]
        assert "Set-Cookie" not in reply.headers


async def test_a_variant_whose_price_changed_is_found_without_its_product_changing(stage: Stage) -> None:
    first, second = await stage.product(2, 2)
    _, cursor = await stage.all_products()
    await stage.hand.reprice(second, "99.00")
    found, _ = await stage.all_products(cursor)
    seen = [item for item in found if isinstance(item, ShopProduct) and item.product_id == second.product_id]
    prices = {variant.variant_id: str(variant.price) for variant in seen[-1].variants}
    assert prices == {first.variant_id: "12.50", second.variant_id: "99.00"}


async def test_counts_of_nothing_ask_nothing(stage: Stage) -> None:
    calls = len(stage.exchanges)
    assert list(await connector.counts(stage.shop, [])) == []
    assert len(stage.exchanges) == calls
    assert list(await connector.counts(stage.shop, [VariantRef("1", "999999")])) == []


async def test_orders_are_dated_by_the_server_and_not_by_us(stage: Stage) -> None:
    """A shop whose clock is an hour behind ours would otherwise lose an hour of news."""
    real_now = stage.shop.now
    stage.shop = replace(stage.shop, now=lambda: real_now() + timedelta(hours=1))
    cursor = await stage.order_cursor()
    (variant,) = await stage.product(2)
    sold = await stage.hand.sell(variant, 1)
    found, _ = await stage.all_orders(cursor)
    assert sold in {order.shop_id for order in found}
