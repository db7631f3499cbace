"""Lists beside lists, lists that have only whole pages, counts of an order, and what is written down of a platform as
data.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from crossdock.domain.capability import Field, Way
from crossdock.domain.commands import CreateOrder, Done, Line
from crossdock.domain.events import Count, LookKind, ShopOrder, ShopOrderState, ShopVariant, Unreadable
from crossdock.domain.values import Address, Money
from crossdock.kit.connector import VariantRef
from crossdock.kit.errors import BadInput, Declined, Missing, NoAnswer, NotJson, Strange
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.shop import base, counted, facts, mapping, placing
from crossdock.kit.shop.addresses import called, plain
from crossdock.kit.shop.answers import found
from crossdock.kit.shop.joined import beside, joined
from crossdock.kit.shop.paging import (
    Listed,
    Paged,
    Spot,
    by_moments,
    by_numbers,
    instant,
    listed,
    settled_at,
    to_the_end,
)
from toy import MANIFEST as OF_ANOTHER

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


class Parts:
    """A list of parts, of which a request for an odd one is answered by no list at all."""

    def __init__(self, *, odd: Sequence[str] = (), error: type[Strange] = Strange) -> None:
        self.asked, self.odd, self.error = list[list[str]](), odd, error

    async def read(self, ids: list[str]) -> list[Node]:
        self.asked.append(ids)
        if set(ids) & set(self.odd):
            raise self.error("parts", "list", None)
        return [node_of({"id": n, "of": id_}, "part") for id_ in ids for n in (1, 2)]


async def test_rows_are_asked_for_at_once_and_found_by_what_they_belong_to() -> None:
    parts = Parts()
    found = await joined(parts.read, ["a", "b"], "of")
    assert parts.asked == [["a", "b"]] and len(found.each()) == 4
    assert [row.text("id") for row in found.of("b")] == ["1", "2"] and found.of("c") == []
    assert (await joined(parts.read, [], "of")).each() == [] and len(parts.asked) == 1, "nothing is asked for nothing"


async def test_where_they_are_odd_each_is_asked_for_alone_and_only_the_odd_one_trips() -> None:
    parts = Parts(odd=["b"])
    found = await joined(parts.read, ["a", "b", "c"], "of")
    assert parts.asked == [["a", "b", "c"], ["a"], ["b"], ["c"]]
    assert len(found.of("a")) == 2 and len(found.of("c")) == 2
    with pytest.raises(Strange):
        found.of("b")
    with pytest.raises(Strange):
        found.check("a", "b")
    whole = beside(found, await joined(Parts().read, ["d"], "of"))
    assert len(whole.of("d")) == 2 and len(whole.of("a")) == 2 and set(whole.odd) == {"b"}


async def test_an_answer_that_is_none_is_the_shops_trouble_and_no_rows() -> None:
    with pytest.raises(NotJson):
        await joined(Parts(odd=["b"], error=NotJson).read, ["a", "b"], "of")


async def test_a_page_that_begins_in_the_middle_is_two_half_ones() -> None:
    rows, asked = [{"id": n} for n in range(20)], list[tuple[int, int]]()

    async def read(size: int, number: int) -> Listed:
        asked.append((size, number))
        return listed("rows", rows[(number - 1) * size : number * size], NOW)

    for offset, requests in ((0, [(8, 1)]), (8, [(8, 2)]), (4, [(4, 2), (4, 3)])):
        asked.clear()
        page = await by_numbers(read, Spot("", offset), 8)
        assert [int(row.text("id")) for row in page.items] == list(range(offset, offset + 8)) and asked == requests


# Counts of an order


def order(*lines: tuple[str, int]) -> CreateOrder:
    price, nothing = Money.of("5", "USD"), Money.of("0", "USD")
    sold = tuple(Line("p", variant, variant, variant, n, price) for variant, n in lines)
    return CreateOrder("CD-1", sold, nothing, Address("Ada L", "1 Way", "Town", "US"), "a@example.com", NOW)


async def test_counts_of_an_order_are_asked_for_once_each_and_have_to_be_certain() -> None:
    asked, odd = list[VariantRef](), list[Unreadable]()

    async def read(refs: Sequence[VariantRef]) -> list[Count | Unreadable]:
        asked.extend(refs)
        return [*(Count(ref.variant_id, 3) for ref in refs if ref.variant_id != "gone"), *odd]

    command = order(("a", 1), ("gone", 1), ("a", 2))
    assert set(await counted.of_order(command, read)) == {"a"}
    assert [ref.variant_id for ref in asked] == ["a", "gone"]
    odd.append(Unreadable(LookKind.COUNTS, "b", "It has no count."))
    with pytest.raises(NoAnswer, match="no count"):
        await counted.of_order(command, read)


def test_what_is_not_counted_has_nothing_to_fall_only_where_the_platform_takes_units_itself() -> None:
    command, left = order(("a", 2), ("b", 1)), {"a": Count("a", 3), "b": Count("b", None)}
    earlier = {"a": Count("a", 5), "b": Count("b", None)}
    assert not counted.fell(command, earlier, left)
    assert counted.fell(command, earlier, left, uncounted=True)
    assert not counted.fell(command, {"a": Count("a", 5)}, left, uncounted=True), "b was not there at all"
    assert not counted.fell(command, earlier, {"a": Count("a", 4)}, uncounted=True)


def a_copy(state: ShopOrderState, *, taken: bool = True) -> ShopOrder:
    return ShopOrder("7", "N7", "CD-1", state, (), Money.of("5", "USD"), stock_taken=taken)


def test_an_order_of_an_earlier_try_is_there_already_and_its_counts_say_nothing() -> None:
    command, copy = order(("a", 2)), a_copy(ShopOrderState.OPEN)
    earlier, now = {"a": Count("a", 5)}, {"a": Count("a", 3)}
    assert counted.stands(command, copy, earlier, now, note="n") == Done("7", "N7", stock_taken=True, note="n")
    assert not counted.stands(command, copy, earlier, earlier).stock_taken
    assert not counted.stands(command, a_copy(ShopOrderState.OPEN, taken=False), earlier, now).stock_taken
    found = counted.stands(command, copy, None, now)
    assert found.already and found.stock_taken


# An order that is looked for, and one that is taken back


def test_a_full_page_without_ours_is_no_proof_that_there_is_none() -> None:
    page = listed("orders", [{"id": 1, "ref": "CD-1"}, {"id": 2, "ref": "CD-2"}], NOW)

    def ours(reference: str, full: int) -> list[str]:
        found = placing.ours(page, full, reference, lambda row: row.text("ref"), place="store")
        return [row.text("id") for row in found]

    assert ours("CD-2", 2) == ["2"] and ours("CD-3", 3) == []
    with pytest.raises(NoAnswer, match="Your store did not look"):
        ours("CD-3", 2)


@pytest.mark.parametrize(
    ("before", "after", "left", "done"),
    [
        (ShopOrderState.OPEN, ShopOrderState.CANCELLED, "", ["cancel", "mark"]),
        (ShopOrderState.OPEN, ShopOrderState.OPEN, "open", ["cancel"]),
        (ShopOrderState.OPEN, ShopOrderState.GONE, "", ["cancel"]),
        (ShopOrderState.CANCELLED, ShopOrderState.CANCELLED, "", ["mark"]),
        (ShopOrderState.GONE, ShopOrderState.GONE, "", []),
    ],
)
async def test_an_order_is_marked_once_it_is_cancelled(
    before: ShopOrderState, after: ShopOrderState, left: str, done: list[str]
) -> None:
    did = list[str]()

    async def read() -> tuple[Node, ShopOrder]:
        state = after if did else before
        if state is ShopOrderState.GONE:
            raise Missing("It is gone.")
        return node_of({}, "order"), a_copy(state)

    async def cancel() -> None:
        did.append("cancel")

    async def mark(node: Node) -> None:
        did.append("mark")

    assert await placing.ended(read, cancel, mark) == left and did == done


# What is typed


def test_a_field_says_what_fits_into_it_and_what_is_wrong_with_the_rest() -> None:
    number = Field("number", "Number", required=False, pattern="[0-9]{1,3}", wrong="It has at most three digits.")
    manifest = replace(OF_ANOTHER, ways=(Way("key", "With a key", (Field("address", "Address"), number)),))
    assert base.fields(manifest, "key", {"number": " 12 "}) == {"number": "12"}
    assert base.fields(manifest, "key", {}) == {}, "what may be left out is not looked at"
    for typed in ("1234", "12\n3", "x"):
        with pytest.raises(BadInput, match="at most three digits"):
            base.fields(manifest, "key", {"number": typed})


# Written down of a platform


def test_a_document_is_filled_and_what_is_filled_in_names_nothing() -> None:
    document = {"who": "{order.reference} of {who}", "kind": "guest"}
    filled = facts.filled(document, order=order(), who="{order.email} {unknown}")
    assert filled == {"who": "CD-1 of {order.email} {unknown}", "kind": "guest"}


def test_a_body_is_filled_at_any_depth_and_a_name_alone_is_the_value_itself() -> None:
    document = {"lines": "{lines}", "paid": True, "to": {"name": "{name:.3}"}, "of": ["{order.reference}!", 7]}
    body = facts.body(document, lines=[{"n": 1}], name="{order} Kim", order=order())
    assert body == {"lines": [{"n": 1}], "paid": True, "to": {"name": "{or"}, "of": ["CD-1!", 7]}


def test_what_is_empty_is_left_out_and_what_says_no_stays() -> None:
    assert facts.full({"a": "", "b": {"c": ""}, "d": False, "e": 0, "f": {"g": "x", "h": ""}, "i": []}) == {
        "d": False,
        "e": 0,
        "f": {"g": "x"},
        "i": [],
    }


def test_a_territory_is_a_country_of_its_own_there_and_no_region() -> None:
    to = Address("Ana Maria Ruiz", "Calle 1", "San Juan", "PR", "00901")
    words = placing.recipient(replace(order(), ship_to=to))
    assert (words["first"], words["last"], words["country"], words["region"]) == ("Ana Maria", "Ruiz", "PR", "")
    words = placing.recipient(replace(order(), ship_to=Address("Kim", "1 Road", "Chicago", "US", "60601", region="IL")))
    assert (words["first"], words["last"], words["country"], words["region"]) == ("Kim", "", "US", "IL")


# Asked


async def test_what_the_shop_does_not_have_is_none_and_other_trouble_stays() -> None:
    async def ends(how: Exception | None) -> int:
        if how:
            raise how
        return 7

    assert await found(ends(None)) == 7 and await found(ends(Missing("gone"))) is None
    with pytest.raises(Declined):
        await found(ends(Declined("no")))


def test_a_key_goes_to_the_platform_or_to_this_machine() -> None:
    assert called("https://elsewhere.example/shop/7", "https://api.platform.example") == "https://api.platform.example"
    assert called("http://127.0.0.1:8000/shop/7", "https://api.platform.example") == "http://127.0.0.1:8000"


@pytest.mark.parametrize("id_", ["../x", "a b", "", None, "a" * 65])
def test_an_id_that_changes_the_address_is_odd(id_: str | None) -> None:
    assert plain(node_of({"id": "6a0-B_1"}, "row")) == "6a0-B_1"
    with pytest.raises(Strange):
        plain(node_of({"id": id_}, "row"))


# A list that goes on by the vendor's cursor


class Moving:
    """Rows by the minute of their change, two a page; the cursor names the next row, unless it is not taken."""

    def __init__(self, *minutes: int, taken: bool = True) -> None:
        self.rows = [{"id": n, "at": instant(NOW.replace(minute=minute))} for n, minute in enumerate(minutes, 1)]
        self.taken, self.asked = taken, list[tuple[str, str]]()

    async def page(self, after: str, onward: str) -> Paged:
        self.asked.append((after, onward))
        if onward and not self.taken:
            raise Declined("This cursor has ended.")
        there = [row for row in self.rows if str(row["at"]) >= after]
        first = int(onward or 0)
        more = first + 2 < len(there)
        return Paged(listed("rows", there[first : first + 2], NOW.replace(minute=59)), str(first + 2) if more else "")

    async def next(self, cursor: str) -> tuple[list[str], str, bool]:
        page, onward, more = await by_moments(self.page, cursor, lambda row: row.moment("at"), BEGAN, NOW)
        return [row.id("id") for row in page.rows.items], onward, more


BEGAN = datetime(2006, 1, 1, tzinfo=UTC)


async def test_a_page_begins_at_the_newest_row_of_the_last_one() -> None:
    moving = Moving(1, 2, 3)
    ids, cursor, more = await moving.next("")
    assert (ids, cursor, more) == (["1", "2"], f"{instant(NOW.replace(minute=2))}|", True)
    assert await moving.next(cursor) == (["2", "3"], settled_at(NOW.replace(minute=59)), False)
    assert await moving.next("yesterday|2") == await moving.next(""), "what is no cursor of ours is the beginning"


async def test_where_one_moment_fills_a_page_the_vendor_s_cursor_goes_on_until_it_is_not_taken() -> None:
    moving, at = Moving(1, 1, 1), instant(NOW.replace(minute=1))
    _, cursor, _ = await moving.next("")
    assert (await moving.next(cursor))[1:] == (f"{at}|2", True)
    assert (await moving.next(f"{at}|2"))[0] == ["3"]
    moving.taken = False
    assert await moving.next(f"{at}|2") == ([], f"{at}|", False), "the moment is read again from its beginning"


async def test_all_pages_of_such_a_list_are_read_and_a_cursor_that_stays_is_the_end() -> None:
    rows = await to_the_end(lambda onward: Moving(1, 2, 3, 4, 5).page("", onward))
    assert [row.id("id") for row in rows.items] == ["1", "2", "3", "4", "5"]

    async def stuck(onward: str) -> Paged:
        return Paged(listed("rows", [{"id": 1}, 7], NOW), "same")

    assert (await to_the_end(stuck)).size == 4

    async def to_and_fro(onward: str) -> Paged:
        return Paged(listed("rows", [], NOW), "there" if onward == "here" else "here")

    with pytest.raises(NoAnswer, match="does not end"):
        await to_the_end(to_and_fro)


# Variants and numbers


def test_lines_of_one_variant_and_price_are_one() -> None:
    cheap, dear = Money(100, "USD"), Money(300, "USD")
    lines = [Line("p", "v", "s", "One", n, price) for n, price in ((2, cheap), (1, dear), (3, cheap))]
    merged = placing.merged(replace(order(), lines=tuple(lines)))
    assert [(line.quantity, line.unit_price) for line in merged] == [(5, cheap), (1, dear)]


def test_a_variant_that_is_not_sold_or_odd_keeps_no_other_one_from_being_sold() -> None:
    def read(row: Node) -> ShopVariant:
        return ShopVariant(row.id("id"), "", row.text("name"), Money(row.int("price"), "USD"))

    rows = [node_of(each, "v") for each in ({"id": 1, "price": 5}, {"name": "Off"}, {"id": 3, "price": "many"})]
    found, reasons = mapping.read_variants(
        rows, lambda row: row.text("name"), lambda row: "is off." if "name" in row else "", read
    )
    assert [variant.variant_id for variant in found] == ["1"]
    assert reasons[0] == "“Off” is off." and reasons[1].startswith("“A variant” could not be understood")


@pytest.mark.parametrize(
    ("typed", "number", "link"),
    [
        ("  1Z999 ", "1Z999", ""),
        ("https://track.example/v2/en/1Z999AA10123456784?step=3", "1Z999AA10123456784", True),
        ("https://track.example/?id=9400111899223100001842&c=us", "9400111899223100001842", True),
        ("https://track.example/home", "", True),
        ("https://[broken/1Z999", "", True),
        ("see https://track.example/1Z999", "see https://track.example/1Z999", ""),
    ],
)
def test_a_link_that_stands_in_place_of_a_number_tells_it(typed: str, number: str, link: object) -> None:
    assert mapping.tracked(typed) == (number, typed if link else "")
