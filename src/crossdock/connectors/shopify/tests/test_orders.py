"""Orders in the simulated shop: what is sent, what a refusal means, and the traps around both."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from crossdock.connectors.shopify import connector, orders
from crossdock.connectors.shopify.client import Forbidden
from crossdock.connectors.shopify.sandbox import Sandbox
from crossdock.connectors.shopify.tests.conftest import Canned, a_shop, says
from crossdock.domain.commands import AdjustStock, CancelReason, Done, Later, Refused, SignInAgain, Unknown, Why
from crossdock.domain.values import Address
from crossdock.kit.conformance.stage import Stage
from crossdock.kit.errors import AuthDead, NoAnswer, Outside, Throttled


async def test_what_is_sent_charges_nobody_writes_to_nobody_and_claims_stock(stage: Stage, sandbox: Sandbox) -> None:
    (variant,) = await stage.product(5)
    sent = orders.order_input(stage.order((variant, 2), price="9.90", shipping="1.10"))
    order, options = sent["order"], sent["options"]
    assert options == {
        "inventoryBehaviour": "DECREMENT_OBEYING_POLICY",
        "sendReceipt": False,
        "sendFulfillmentReceipt": False,
    }
    assert order["financialStatus"] == "PAID"
    (paid,) = order["transactions"]
    assert (paid["kind"], paid["status"], paid["amountSet"]["shopMoney"]) == (
        "SALE",
        "SUCCESS",
        {"amount": "20.90", "currencyCode": "USD"},
    )
    assert order["lineItems"][0]["requiresShipping"] is True, "the vendor's default would make it a download"
    assert "email" not in order
    assert "phone" not in json.dumps(order)
    assert order["shippingAddress"]["firstName"] == "Ada"
    await connector.create(stage.shop, stage.order((variant, 2)))
    await stage.hand.fulfil((await stage.hand.orders())[0].shop_id, tracking="1Z")
    assert sandbox.shelf.ledger("mail") == []
    assert sandbox.shelf.ledger("money_back") == []


def test_a_free_order_records_no_payment_and_one_name_is_a_last_name(stage: Stage) -> None:
    command = replace(stage.order(price="0.00"), ship_to=Address("Cher", "1 Road", "Lyon", "FR"))
    sent = orders.order_input(command)["order"]
    assert sent["transactions"] == []
    assert (sent["shippingAddress"].get("firstName"), sent["shippingAddress"]["lastName"]) == (None, "Cher")


async def test_a_development_store_takes_five_a_minute_and_the_rest_wait(stage: Stage, sandbox: Sandbox) -> None:
    sandbox.books.trial = True
    (variant,) = await stage.product(9)
    for _ in range(5):
        await stage.placed(stage.order((variant, 1)))
    assert await connector.create(stage.shop, stage.order((variant, 1))) == Later(
        "Shopify takes no more orders at this moment: Exceeded order API rate limit, please try again in a minute. "
        "Upgrade to a paid account to remove this limit.",
        60.0,
    )
    assert await stage.hand.count(variant) == 4


async def test_two_creates_of_one_order_at_once_make_one(stage: Stage) -> None:
    """Both look first and find nothing; the shop itself refuses the second, which is then adopted."""
    (variant,) = await stage.product(9)
    command = stage.order((variant, 2))
    outcomes = await asyncio.gather(*(connector.create(stage.shop, command) for _ in range(4)))
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    assert sorted(outcome.already for outcome in outcomes if isinstance(outcome, Done)) == [False, True, True, True]
    assert len(await stage.hand.orders()) == 1
    assert await stage.hand.count(variant) == 7


async def test_a_deleted_reference_field_is_made_again_before_the_order(stage: Stage, sandbox: Sandbox) -> None:
    sandbox.shelf.delete("definition", "crossdock.reference")
    (variant,) = await stage.product(9)
    done = await stage.placed(stage.order((variant, 1)))
    assert (await stage.listed(done.shop_id)).reference != ""
    assert sandbox.shelf.get("definition", "crossdock.reference") is not None


async def test_a_refusal_for_want_of_the_field_mends_it_and_is_no_refusal(stage: Stage) -> None:
    """Should the look-up answer "none" for a field that is gone: the order has to wait, not to fail."""
    (variant,) = await stage.product(5)
    none = says({"data": {"orderByIdentifier": None}})
    wrong = {"code": "INVALID", "field": ["order", "metafields", "0"], "message": "is of a type without a definition"}
    http = Canned(
        none,
        says({"data": {"orderCreate": {"order": None, "userErrors": [wrong]}}}),
        none,
        says({"data": {"metafieldDefinitions": {"nodes": []}}}),
        says(
            {
                "data": {
                    "metafieldDefinitionCreate": {
                        "createdDefinition": {"id": "gid://shopify/MetafieldDefinition/1"},
                        "userErrors": [],
                    }
                }
            }
        ),
    )
    assert isinstance(await connector.create(a_shop(http), stage.order((variant, 1))), Later)
    assert http.replies == []


async def test_a_cancel_that_was_sent_is_never_called_undone(stage: Stage, sandbox: Sandbox) -> None:
    (variant,) = await stage.product(5)
    for skip in (2, 3):
        command = stage.order((variant, 1))
        cancel = stage.cancellation(command, await stage.placed(command))
        stage.dial.once("throttle", skip=skip)
        assert isinstance(await connector.cancel(stage.shop, cancel), Unknown)
        assert isinstance(await connector.cancel(stage.shop, cancel), Done)


async def test_an_order_that_lost_its_field_is_found_by_search_after_the_lag_and_exactly(
    stage: Stage, sandbox: Sandbox
) -> None:
    sandbox.books.search_lag_seconds = 2.0
    (variant,) = await stage.product(9)
    command = stage.order((variant, 1), reference="XD-1 A")
    done = await stage.placed(command)
    await stage.placed(stage.order((variant, 1), reference="XD-1 A B"))
    assert (await connector.find(stage.shop, "XD-1 A", since=command.placed_at)).shop_ids == (done.shop_id,), (
        "the field has no lag"
    )
    order = sandbox.books.need("order", done.shop_id)
    sandbox.shelf.put("order", done.shop_id, order | {"reference": ""})
    assert (await connector.find(stage.shop, "XD-1 A", since=command.placed_at)).shop_ids == ()
    await asyncio.sleep(2.05)
    assert (await connector.find(stage.shop, "XD-1 A", since=command.placed_at)).shop_ids == (done.shop_id,)
    assert (await connector.find(stage.shop, 'XD-1" OR "1', since=command.placed_at)).shop_ids == ()


async def test_short_stock_of_one_of_several_lines_is_named(stage: Stage) -> None:
    a, b = await stage.product(5, 1)
    outcome = await connector.create(stage.shop, stage.order((a, 1), (b, 2)))
    assert isinstance(outcome, Refused)
    assert (outcome.why, outcome.short) == (Why.NO_STOCK, (b.variant_id,))
    assert (await stage.hand.count(a), await stage.hand.count(b)) == (5, 1)


async def test_a_variant_that_sells_on_without_stock_is_not_refused(stage: Stage, sandbox: Sandbox) -> None:
    (variant,) = await stage.product(0)
    sandbox.books.change_variant(variant.variant_id, policy="CONTINUE")
    done = await stage.placed(stage.order((variant, 2)))
    assert done.stock_taken
    assert await stage.counted(variant) == {variant.variant_id: -2}


async def test_a_cancel_of_what_is_not_there_puts_nothing_back(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    for reason, left in ((CancelReason.BUYER_ASKED, 5), (CancelReason.NOT_AVAILABLE, 3), (CancelReason.LOST, 1)):
        command = stage.order((variant, 2))
        cancel = replace(stage.cancellation(command, await stage.placed(command)), reason=reason)
        assert isinstance(await connector.cancel(stage.shop, cancel), Done)
        assert await stage.hand.count(variant) == left


async def test_a_cancel_without_the_shops_id_finds_the_order(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    assert isinstance(
        await connector.cancel(stage.shop, replace(stage.cancellation(command, done), shop_order_id="")), Done
    )
    assert (await stage.listed(done.shop_id)).cancelled
    gone = replace(stage.cancellation(command, done), shop_order_id="", reference="XD-NONE")
    outcome = await connector.cancel(stage.shop, gone)
    assert isinstance(outcome, Refused)
    assert outcome.why is Why.NOT_FOUND


async def test_a_fulfilled_order_is_too_late_and_an_undone_fulfilment_is_none(stage: Stage, sandbox: Sandbox) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    part = await stage.hand.fulfil(done.shop_id, tracking="1Z")
    outcome = await connector.cancel(stage.shop, stage.cancellation(command, done))
    assert isinstance(outcome, Refused)
    assert outcome.why is Why.TOO_LATE
    await sandbox.hand.undo_fulfilment(done.shop_id, part)
    assert isinstance(await connector.cancel(stage.shop, stage.cancellation(command, done)), Done)


async def test_a_cancel_that_takes_long_is_unknown_and_then_done(
    stage: Stage, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders, "JOB_LOOKS", (0.01,))
    sandbox.job_seconds = 2.0
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    cancel = stage.cancellation(command, await stage.placed(command))
    assert isinstance(await connector.cancel(stage.shop, cancel), Unknown)
    assert isinstance(await connector.cancel(stage.shop, cancel), Unknown), (
        "asked again while it runs, it is not refused"
    )
    await asyncio.sleep(2)
    assert await connector.cancel(stage.shop, cancel) == replace(
        done_of(await connector.cancel(stage.shop, cancel)), already=True
    )
    assert await stage.hand.count(variant) == 5


def done_of(outcome: object) -> Done:
    assert isinstance(outcome, Done)
    return outcome


# Counts


async def test_the_same_change_twice_is_made_once(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    change = AdjustStock(variant.product_id, variant.variant_id, 2, "key-1", "recount")
    assert isinstance(await connector.adjust(stage.shop, change), Done)
    assert isinstance(await connector.adjust(stage.shop, change), Done)
    assert await stage.hand.count(variant) == 7
    outcome = await connector.adjust(stage.shop, replace(change, delta=9))
    assert isinstance(outcome, Refused)
    assert outcome.why is Why.CONFLICT
    assert await stage.hand.count(variant) == 7


async def test_a_key_whose_first_try_failed_is_followed_by_the_next(stage: Stage, sandbox: Sandbox) -> None:
    (variant,) = await stage.product(5)
    home = sandbox.shelf.all("location")[0]["id"]
    other = sandbox.books.add_location("Attic")
    shop = replace(stage.shop, settings={**stage.shop.settings, "location": other})
    change = AdjustStock(variant.product_id, variant.variant_id, 2, "key-2", "recount")
    outcome = await connector.adjust(shop, change)
    assert isinstance(outcome, Refused), "it is not stocked there"
    row = sandbox.books.need("variant", variant.variant_id)
    sandbox.shelf.put("variant", row["id"], row | {"levels": {home: 5, other: 0}}, key=row["item"])
    assert isinstance(await connector.adjust(shop, change), Done)
    assert isinstance(await connector.adjust(shop, change), Done)
    assert await stage.hand.count(variant) == 7


async def test_an_untracked_variant_has_no_count_to_change(stage: Stage, sandbox: Sandbox) -> None:
    (variant,) = await stage.product(5)
    sandbox.books.change_variant(variant.variant_id, tracked=False)
    outcome = await connector.adjust(
        stage.shop, AdjustStock(variant.product_id, variant.variant_id, 2, "key-3", "recount")
    )
    assert isinstance(outcome, Refused)
    assert outcome.why is Why.UNSUPPORTED
    assert await stage.counted(variant) == {variant.variant_id: None}


# Answers that are none


def graphql_error(code: str | None, *, path: list[str] | None = None, **extensions: Any) -> dict[str, Any]:
    return {"message": "Words of theirs", "path": path or ["product"], "extensions": {"code": code, **extensions}}


async def test_throttling_says_how_long_until_the_bucket_holds_enough() -> None:
    status = {"maximumAvailable": 2000.0, "currentlyAvailable": 50, "restoreRate": 100.0}
    http = Canned(
        says(
            {
                "errors": [graphql_error("THROTTLED")],
                "extensions": {"cost": {"requestedQueryCost": 712, "throttleStatus": status}},
            }
        )
    )
    with pytest.raises(Throttled) as caught:
        await connector.product(a_shop(http), "1")
    assert caught.value.after_seconds == pytest.approx(6.62)
    assert http.learned == [(2.5, 5.0)]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (says({"errors": "Unavailable Shop"}, 402), Throttled),
        (says({"errors": "Unavailable Shop"}, 423), Throttled),
        (says({"errors": "[API] This shop is unavailable"}, 403), AuthDead),
        (says({"errors": "[API] Invalid API key"}, 401), AuthDead),
        (says(b"<h1>Authorization Required</h1>", 401), Throttled),
        (says(b"<h1>Forbidden</h1>", 403), Throttled),
        (says(b"<h1>Sorry, this shop is currently unavailable.</h1>", 404), Throttled),
        (says({"errors": "too many"}, 429), Throttled),
        (says(b"<h1>502</h1>", 502), NoAnswer),
        (says({"errors": [graphql_error("ACCESS_DENIED", requiredAccess="`read_products` access scope.")]}), Forbidden),
        (says({"errors": [graphql_error("SHOP_INACTIVE")]}), Throttled),
        (says({"errors": [graphql_error("INTERNAL_SERVER_ERROR")]}), NoAnswer),
        (says({"errors": [graphql_error("MAX_COST_EXCEEDED")]}), Outside),
        (says({"errors": [graphql_error(None)], "data": None}), Outside),
        (says({"data": None}), NoAnswer),
        (says([]), NoAnswer),
    ],
)
async def test_each_failure_is_sorted_by_what_to_do_next(reply: Any, kind: type[Outside]) -> None:
    with pytest.raises(kind) as caught:
        await connector.product(a_shop(Canned(reply)), "1")
    assert type(caught.value) is kind or kind is NoAnswer
    assert len(str(caught.value)) > 15
    assert "shpat_x" not in str(caught.value)


async def test_a_frozen_shop_keeps_its_orders_waiting(stage: Stage, sandbox: Sandbox) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    sandbox.frozen = 402
    outcome = await connector.create(stage.shop, command)
    assert isinstance(outcome, Later)
    assert "bill" in outcome.sentence
    sandbox.frozen = 0
    assert isinstance(await connector.create(stage.shop, command), Done)


async def test_an_error_inside_the_result_of_a_change_is_no_refusal(stage: Stage) -> None:
    """The mutation ran; only reading its result was denied (the app is not approved for customer data, say)."""
    (variant,) = await stage.product(5)
    denied = graphql_error("ACCESS_DENIED", path=["orderCreate", "order", "name"])
    http = Canned(
        says({"data": {"orderByIdentifier": None}}), says({"data": {"orderCreate": None}, "errors": [denied]})
    )
    assert isinstance(await connector.create(a_shop(http), stage.order((variant, 1))), Unknown)
    before = graphql_error("ACCESS_DENIED", path=["orderCreate"])
    http = Canned(
        says({"data": {"orderByIdentifier": None}}), says({"data": {"orderCreate": None}, "errors": [before]})
    )
    assert isinstance(await connector.create(a_shop(http), stage.order((variant, 1))), SignInAgain)


async def test_a_look_up_without_an_answer_sends_nothing(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    http = Canned(says(b"<h1>502</h1>", 502))
    assert isinstance(await connector.create(a_shop(http), stage.order((variant, 1))), Later)
    assert len(http.sent) == 1


async def test_an_answer_with_neither_order_nor_reason_is_unknown(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    empty = {"data": {"orderCreate": {"order": None, "userErrors": []}}}
    http = Canned(says({"data": {"orderByIdentifier": None}}), says(empty))
    assert isinstance(await connector.create(a_shop(http), stage.order((variant, 1))), Unknown)
