"""What must not be done twice is sent once: a mutation whose answer is lost is not repeated by itself, on any path."""

import pytest

from crossdock.connectors.saleor import connector
from crossdock.connectors.saleor.sandbox import api
from crossdock.domain.commands import Done, Later, Unknown
from crossdock.kit.conformance import Stage
from crossdock.kit.conformance.fulfilment import left_here

ONCE = (
    "draftOrderComplete",
    "orderMarkAsPaid",
    "orderFulfill",
    "orderFulfillmentCancel",
    "orderCancel",
    "orderNoteAdd",
)


class Counted:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = dict.fromkeys(ONCE, 0)
        for name in ONCE:
            monkeypatch.setattr(api.Api, f"do_{name}", self._counting(name, getattr(api.Api, f"do_{name}")))

    def _counting(self, name, inner):  # type: ignore[no-untyped-def]
        def counting(api, **asked):  # type: ignore[no-untyped-def]
            self.calls[name] += 1
            return inner(api, **asked)

        return counting


@pytest.mark.parametrize("skip", range(8))
async def test_creating(stage: Stage, monkeypatch: pytest.MonkeyPatch, skip: int) -> None:
    counted = Counted(monkeypatch)
    (variant,) = await stage.product(5)
    stage.dial.once("lost_reply", skip=skip)
    outcome = await connector.create(stage.shop, stage.order((variant, 1)))
    assert isinstance(outcome, Done | Unknown | Later)
    assert max(counted.calls.values()) <= 1
    assert await stage.hand.count(variant) == 5 - counted.calls["draftOrderComplete"]


@pytest.mark.parametrize("skip", range(4))
async def test_a_parcel_and_its_undoing(stage: Stage, monkeypatch: pytest.MonkeyPatch, skip: int) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    counted = Counted(monkeypatch)
    stage.dial.once("lost_reply", skip=skip)
    await connector.write_fulfilment(stage.shop, left_here(command, done, (variant, 2)))
    stage.dial.calm()
    assert counted.calls["orderFulfill"] <= 1
    await connector.cancel(stage.shop, stage.cancellation(command, done))
    assert counted.calls["orderCancel"] <= 1
    assert await stage.hand.count(variant) in (3, 5)
