"""Keys that end, or a wall that rises, in the middle of placing an order: "sign in again" and "later" both mean surely
not done, and have the order created anew.
"""

import itertools
from typing import Any

import pytest

from crossdock.domain.commands import Done, Unknown
from crossdock.kit import discover
from crossdock.kit.conformance import staged
from crossdock.kit.connector import Reply

MOST_CALLS = 30


@pytest.mark.parametrize("trouble", ["revoked", "walled"])
@pytest.mark.parametrize("name", sorted(discover.ours()))
async def test_an_order_that_stands_is_done_or_in_doubt_whenever_we_are_cut_off(name: str, trouble: str) -> None:
    async with staged(discover.connector(name), discover.sandbox(name)) as stage:
        if trouble not in stage.dial.read():
            pytest.skip("It has no such trouble.")
        send = stage.shop.http.send
        for last in range(MOST_CALLS):
            stage.fresh_budget()
            (variant,) = await stage.product(5)
            command, calls = stage.order((variant, 2)), itertools.count()

            async def cut(way: Any, url: str, *, calls: Any = calls, last: int = last, **rest: Any) -> Reply:
                reply = await send(way, url, **rest)
                if next(calls) == last:
                    stage.dial.set({trouble: True})
                return reply

            stage.shop.http.send = cut  # type: ignore[method-assign]
            outcome = await stage.connector.create(stage.shop, command)
            stage.shop.http.send = send  # type: ignore[method-assign]
            stage.dial.calm()
            stage.fresh_budget()
            standing = await stage.standing(command)
            assert len(standing) <= 1
            assert not standing or isinstance(outcome, Done | Unknown), (last, outcome)
            assert standing or not isinstance(outcome, Done), (last, outcome)
            if next(calls) <= last:
                return
        raise AssertionError(f"an order takes more than {MOST_CALLS} calls")
