"""Steps that connectors take with an order: cancelled and looked at again, corrected by a difference, a parcel that an
earlier try left half done; a list beside the rows that is odd; a cursor of ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from crossdock.domain.commands import (
    AdjustStock,
    CancelOrder,
    CancelReason,
    Done,
    Later,
    Outcome,
    Refused,
    Unknown,
    Why,
    WriteFulfilment,
)
from crossdock.domain.events import Count, OrderLine, Parcel, ShopOrder, ShopOrderState
from crossdock.domain.values import Money
from crossdock.kit import rows
from crossdock.kit.connector import VariantRef
from crossdock.kit.errors import Declined, NoAnswer, NotAllowed, NotJson, Strange
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


# Parcels, counts and lists


@dataclass
class Written:
    """What was called; `no` is raised by each call."""

    calls: list[str]
    no: type[Exception] | None = None

    async def call(self, name: str) -> str:
        self.calls.append(name)
        if self.no:
            raise self.no("no")
        return "f9"

    async def write(self, wanted: fulfilment.Step | Outcome) -> Outcome:
        async def cancel(parcels: Sequence[Parcel]) -> None:
            for parcel in parcels:
                await self.call(f"cancel {parcel.parcel_id}")

        return await fulfilment.carried_out(
            OPEN,
            wanted,
            make=lambda units: self.call(f"make {units}"),
            renumber=lambda parcel: self.call(f"renumber {parcel.parcel_id}"),
            cancel=cancel,
            only_marked="Order {number} is only marked.",
            no_right="Give the right.",
        )


BARE = replace(PACKED, parcel_id=mapping.BARE)


@pytest.mark.parametrize(
    ("wanted", "calls", "ends"),
    [
        (fulfilment.Make({"1": 2}), ["make {'1': 2}"], "f9"),
        (fulfilment.Renumber((PACKED,)), ["renumber f1"], "f1"),
        (fulfilment.Cancel((PACKED, replace(PACKED, parcel_id="f2"))), ["cancel f1", "cancel f2"], "f1,f2"),
        (fulfilment.Renumber((BARE,)), [], Why.TOO_LATE),
        (fulfilment.Cancel((BARE,)), [], Why.TOO_LATE),
        (Refused(Why.CONFLICT, "not ours"), [], Why.CONFLICT),
    ],
)
async def test_a_step_is_carried_out_by_its_calls(wanted: Any, calls: list[str], ends: Any) -> None:
    written = Written([])
    outcome = await written.write(wanted)
    assert written.calls == calls
    assert (
        outcome.shop_id if isinstance(outcome, Done) else outcome.why if isinstance(outcome, Refused) else ""
    ) == ends


async def test_a_right_that_is_missing_for_parcels_alone_is_no_reason_to_sign_in_again() -> None:
    outcome = await Written([], NotAllowed).write(fulfilment.Make({"1": 2}))
    assert outcome == Refused(Why.NOT_ALLOWED, "Give the right.")


@pytest.mark.parametrize(
    ("stock", "no", "delta", "ends"),
    [
        (Count("v", 3), None, -2, "sent"),
        (Count("v", 3), None, -4, Why.NO_STOCK),
        (Count("v", 3), Declined("sold meanwhile", Why.NO_STOCK), -2, Why.NO_STOCK),
        (None, None, 1, Why.PRODUCT_GONE),
        (NoAnswer("slow"), None, 1, "later"),
    ],
)
async def test_a_count_is_changed_by_one_call_after_a_look(stock: Any, no: Any, delta: int, ends: Any) -> None:
    sent = list[Count]()

    async def look(refs: Sequence[VariantRef]) -> dict[str, Count]:
        if isinstance(stock, Exception):
            raise stock
        return {ref.variant_id: stock for ref in refs if stock}

    async def send(row: Count) -> None:
        sent.append(row)
        if no:
            raise no

    outcome = await counted.correct(AdjustStock("p", "v", delta, "k", "why"), look, send)
    match outcome:
        case Done():
            assert ends == "sent" and sent == [stock]
        case Refused(why=why, short=short):
            assert why is ends and (short == ("v",)) is (why is Why.NO_STOCK) and len(sent) == bool(no)
        case _:
            assert isinstance(outcome, Later) and ends == "later" and not sent


def test_what_no_parcel_holds_left_without_a_number_where_the_order_is_marked() -> None:
    for sent, parcels, left in ((False, (), ()), (True, (), ("1", 2)), (True, (PACKED,), ())):
        found = mapping.marked_sent(OPEN.lines, parcels, NOW, sent=sent)
        assert found == (*parcels, *([Parcel(mapping.BARE, (left,), shipped_at=NOW)] if left else []))
