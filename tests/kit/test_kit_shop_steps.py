"""Steps that connectors take with an order: cancelled and looked at again, corrected by a difference, a parcel that an
earlier try left half done; a list beside the rows that is odd; a cursor of ours.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from crossdock.domain.commands import (
    AdjustStock,
    CancelOrder,
    CancelReason,
    Done,
    Refused,
    Unknown,
    Why,
    WriteFulfilment,
)
from crossdock.domain.events import Count, OrderLine, Parcel, ShopOrder, ShopOrderState
from crossdock.domain.values import Money
from crossdock.kit import rows
from crossdock.kit.errors import Declined, NotJson, Strange
from crossdock.kit.shop import cancel, concurrency, counted, fulfilment, mapping, paging

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
OPEN = ShopOrder("7", "#7", "CD-1", ShopOrderState.OPEN, (OrderLine("1", "p", "v", "", 2),), Money(1000, "EUR"))
PACKED = Parcel("f1", (("1", 2),))
CANCEL = CancelOrder("CD-1", "7", CancelReason.OTHER)
WRITE = WriteFulfilment("CD-1", "7", "k", (("v", 2),), "T1", "dhl", "", NOW)


@pytest.mark.parametrize(
    ("seen", "no", "left", "kind"),
    [
        (OPEN, "", "", Done),
        (OPEN, "", "processing", Unknown),
        (OPEN, "It is busy.", "", Refused),
        (mapping.gone("7", "EUR"), "", "", Refused),
        (replace(OPEN, packed=(PACKED,)), "", "", Refused),
        (replace(OPEN, parcels=(replace(PACKED, cancelled=True),)), "", "", Done),
    ],
)
async def test_an_order_is_looked_at_before_it_is_cancelled(seen: ShopOrder, no: str, left: str, kind: type) -> None:
    async def read() -> ShopOrder:
        return seen

    async def send(order: ShopOrder) -> str:
        if no:
            raise Declined(no)
        return left

    assert type(await cancel.looked_at(CANCEL, read, send, "It left.")) is kind


async def test_a_cancel_that_somebody_else_was_faster_with_is_done() -> None:
    shop = [OPEN]

    async def read() -> ShopOrder:
        return shop[0]

    async def send(order: ShopOrder) -> str:
        shop[0] = replace(OPEN, state=ShopOrderState.CANCELLED)
        raise Declined("It is cancelled already.")

    outcome = await cancel.looked_at(CANCEL, read, send, "")
    assert isinstance(outcome, Done) and outcome.already


@pytest.mark.parametrize(
    ("delta", "count", "ends"),
    [
        (1, Count("v", 0), None),
        (-1, Count("v", 0), Why.NO_STOCK),
        (1, Count("v", -5), None),
        (0, Count("v", 3), "done"),
        (1, Count("v", None), Why.CONFLICT),
        (1, None, Why.PRODUCT_GONE),
    ],
)
def test_a_correction_ends_by_the_count_as_it_was_read(delta: int, count: Count | None, ends: Any) -> None:
    outcome = counted.correction(AdjustStock("p", "v", delta, "k", "found"), count)
    assert ("done" if isinstance(outcome, Done) else getattr(outcome, "why", None)) == ends


@pytest.mark.parametrize(
    ("order", "changed", "begun", "wanted"),
    [
        (OPEN, {}, (PACKED,), fulfilment.Ship((PACKED,))),
        (OPEN, {"undone": True}, (PACKED,), fulfilment.Cancel((PACKED,))),
        (OPEN, {"only_look": True}, (PACKED,), Unknown(fulfilment.NOT_YET)),
        (OPEN, {}, (), fulfilment.Make({"1": 2})),
        (replace(OPEN, reference="CD-2"), {}, (PACKED,), Why.CONFLICT),
    ],
)
def test_a_parcel_that_waits_from_an_earlier_try_leaves(
    order: ShopOrder, changed: Any, begun: Any, wanted: Any
) -> None:
    there = fulfilment.There(begun)
    found = fulfilment.begun_or(order, replace(WRITE, **changed), there, begun)
    assert (found.why if isinstance(found, Refused) else found) == wanted


async def test_a_list_that_is_odd_is_left_out_and_no_answer_is_none() -> None:
    async def ends(how: Exception | None) -> int:
        if how:
            raise how
        return 7

    assert await rows.odd(ends(None)) == 7
    assert isinstance(await rows.odd(ends(Strange("rows", "list", None))), Strange)
    with pytest.raises(NotJson):
        await rows.odd(ends(NotJson("the answer's body", "JSON", "")))
    beside = await concurrency.together([rows.odd(ends(None)), rows.odd(ends(Strange("rows", "list", None)))])
    assert beside[0] == 7 and isinstance(beside[1], Strange)


@dataclass(frozen=True)
class Cursor:
    since: str = ""
    phase: str = ""


@pytest.mark.parametrize("words", ["", "2026-01-01", "[]", "7", '{"until": "x"}', '{"since"'])
def test_a_cursor_that_is_none_of_ours_is_the_beginning(words: str) -> None:
    assert paging.read_cursor(Cursor, words) == Cursor()


def test_a_cursor_is_read_as_it_was_written_and_says_nothing_of_what_is_empty() -> None:
    cursor = Cursor(phase="turn")
    assert paging.write_cursor(cursor) == '{"phase": "turn"}'
    assert paging.read_cursor(Cursor, paging.write_cursor(cursor)) == cursor
