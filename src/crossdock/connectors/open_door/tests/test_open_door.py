"""What no scenario of the kit asks: a shop that offers little, one that trims orders, a wrong clock, and the contract
on both sides.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from crossdock.connectors.open_door import connector, reading, webhooks
from crossdock.connectors.open_door.client import REQUIRED
from crossdock.connectors.open_door.sandbox import Sandbox, contract
from crossdock.domain.capability import Capability, No
from crossdock.domain.commands import CancelLines, CancelReason, Done, Refused, Unknown, Why
from crossdock.kit.conformance import Stage, staged
from crossdock.kit.connector import Forged, Hook
from crossdock.kit.errors import AuthDead, BadInput, Strange, Throttled
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.sandbox import Doc

KEY = "whsec_" + "QUJD" * 10


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged(connector, Sandbox) as connected:
        yield connected
        assert connected.sandbox.shelf.ledger("not as the contract") == []


class Little(Sandbox):
    """Six calls and nothing else."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.without = frozenset(self._calls) - frozenset(REQUIRED)


class CancelsAnother(Sandbox):
    """Names another order than the one that it was asked about."""

    def _cancel(self, body: Doc) -> Doc:
        answer = super()._cancel(body)
        return {**answer, "order": {**answer["order"], "id": "other-1"}}


class Trims(Sandbox):
    """Takes what is there and says nothing."""

    def _create(self, body: Doc) -> Doc:
        for line in body["order"]["lines"]:
            line["units"] = min(line["units"], 1)
        return super()._create(body)


async def test_a_shop_with_six_calls_sells_and_says_what_it_leaves_to_the_seller() -> None:
    async with staged(connector, Little) as stage:
        assert stage.proof.ok
        left_out = {check.right for check in stage.proof.checks if check.limited}
        assert {"orders/cancel", "parcels/write", "webhooks/set"} <= left_out
        (variant,) = await stage.product(5)
        command = stage.order((variant, 2))
        done = await stage.placed(command)
        assert done.stock_taken and await stage.hand.count(variant) == 3
        refused = await connector.cancel(stage.shop, stage.cancellation(command, done))
        assert isinstance(refused, Refused) and refused.why is Why.UNSUPPORTED
        assert "there yourself" in refused.sentence
        part = CancelLines(
            command.reference, done.shop_id, ((variant.variant_id, 1),), CancelReason.BUYER_ASKED, "part:1"
        )
        assert isinstance(await connector.cancel_lines(stage.shop, part), Refused)
        assert (await connector.subscribe(stage.shop)).expected == ()
        manifest = connector.manifest_of(stage.shop)
        assert not manifest.can(Capability.ORDER_CANCEL) and manifest.can(Capability.ORDER_CREATE)
        assert isinstance(manifest.answers[Capability.WEBHOOKS], No)
        assert len(await stage.standing(command)) == 1


async def test_an_order_that_the_shop_trimmed_does_not_stay_there() -> None:
    async with staged(connector, Trims) as stage:
        (variant,) = await stage.product(5)
        command = stage.order((variant, 3))
        outcome = await connector.create(stage.shop, command)
        assert isinstance(outcome, Refused) and outcome.short == (variant.variant_id,)
        assert await stage.standing(command) == [] and await stage.hand.count(variant) == 5
        assert isinstance(await connector.create(stage.shop, stage.order((variant, 1))), Done)


async def test_a_trimmed_order_that_cannot_be_cancelled_is_no_refusal() -> None:
    async with staged(connector, Trims) as stage:
        (variant,) = await stage.product(5)
        assert isinstance(stage.sandbox, Sandbox)
        stage.sandbox.without = frozenset({"orders/cancel"})
        # As the shop said, and before its connection test saw what it offers.
        for calls in (",".join(REQUIRED), stage.shop.settings["calls"]):
            shop = replace(stage.shop, settings={**stage.shop.settings, "calls": calls})
            command = stage.order((variant, 2))
            assert isinstance(await connector.create(shop, command), Unknown)
            assert len(await stage.standing(command)) == 1


@pytest.mark.parametrize("reference", [None, 7, ["CD-1"]])
async def test_an_order_that_names_no_reference_is_not_taken_for_none(
    stage: Stage, reference: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nodes(*_: object, **__: object) -> list[Node]:
        return [node_of({"id": "1", "reference": reference}, "order")]

    monkeypatch.setattr(reading, "nodes", nodes)
    with pytest.raises(Strange):
        await connector.find(stage.shop, "CD-1", since=datetime.now(UTC))


async def test_another_order_s_end_is_not_ours() -> None:
    async with staged(connector, CancelsAnother) as stage:
        (variant,) = await stage.product(5)
        command = stage.order((variant, 3))
        done = await stage.placed(command)
        assert isinstance(await connector.cancel(stage.shop, stage.cancellation(command, done)), Unknown)


async def test_a_wrong_clock_is_waited_for_and_a_wrong_key_is_not(stage: Stage) -> None:
    stage.sandbox.clock = lambda: datetime.now(UTC) + timedelta(hours=2)
    late = replace(stage.shop, now=lambda: datetime.now(UTC) - timedelta(hours=1))
    with pytest.raises(Throttled, match=r"The clock of your shop's server is 1[78][0-9] minutes wrong"):
        await connector.prove(late)
    stage.sandbox.clock = lambda: datetime.now(UTC)
    wrong = replace(stage.shop, secrets={"key": KEY})
    with pytest.raises(AuthDead, match="paste its key again"):
        await connector.prove(wrong)


def test_a_delivery_of_long_ago_is_forged() -> None:
    class Keyed:
        secrets: Mapping[str, str] = {"key": KEY}

    body = b'{"type":"order.changed","timestamp":"2026-11-29T10:00:00Z","data":{"id":"1"}}'

    def hook(minutes: int) -> Hook:
        at = datetime.now(UTC) - timedelta(minutes=minutes)
        signature = Webhook(KEY).sign("msg_1", at, body.decode())
        head = {"webhook-id": "msg_1", "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": signature}
        return Hook(head, body)

    webhooks.verify(Keyed, hook(1))  # type: ignore[arg-type]
    for odd in (hook(10), hook(-10), replace(hook(1), headers={**hook(1).headers, "webhook-signature": "v1"})):
        with pytest.raises(Forged):
            webhooks.verify(Keyed, odd)  # type: ignore[arg-type]


def test_two_changes_in_one_second_are_two_and_a_repeat_is_one(stage: Stage) -> None:
    body = b'{"type":"order.changed","timestamp":"2026-11-29T10:00:00Z","data":{"id":"1"}}'
    one, again, other = (webhooks.news(stage.shop, Hook({"webhook-id": id_}, body)) for id_ in ("m1", "m1", "m2"))
    assert one.dedupe == again.dedupe != other.dedupe


@pytest.mark.parametrize("key", ["", "whsec_", "whsec_c2hvcnQ=", "QUJD" * 10, "whsec_" + "QUJD" * 40, "whsec_ä" * 9])
async def test_what_is_no_key_is_not_kept(stage: Stage, key: str) -> None:
    with pytest.raises(BadInput, match="whsec_"):
        await connector.finish(stage.shop, way="key", form={"key": key}, params={}, keep={})


async def test_the_simulator_refuses_what_the_contract_refuses(stage: Stage) -> None:
    assert isinstance(stage.sandbox, Sandbox)
    for call, body, what in (
        ("orders/create", {"call": "orders/create", "order": {"reference": "XD-1"}}, "required"),
        ("orders/read", {"call": "orders/read", "ids": [7]}, "not of type 'string'"),
        ("products/list", {"call": "orders/list", "cursor": ""}, "was expected"),
        ("products/list", {"call": "products/list", "cursor": "", "limit": 1000}, "maximum"),
    ):
        assert what in contract.wrong_request(call, body)
        status, answer = stage.sandbox._do(call, body)
        assert (status, answer["error"]) == (422, "invalid")
    assert "contract has no call" in contract.wrong_request("orders/delete", {})
    assert contract.wrong_answer("orders/read", 409, {"error": "because", "message": "No."})
