"""Outside JSON is read by type or is strange; nothing outside raises a KeyError in here."""

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.domain.values import Money
from crossdock.kit.errors import Strange
from crossdock.kit.json_node import Node, node_of, unread

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
READERS = [
    "str",
    "id",
    "int",
    "bool",
    "decimal",
    "time",
    "child",
    "list",
    "strs",
    "opt_str",
    "opt_id",
    "opt_int",
    "opt_bool",
]
READERS += ["text", "moment", "rows", "opt_decimal", "opt_time", "opt_child", "opt_list"]


def test_each_kind_is_read_as_its_type() -> None:
    node = node_of(
        {
            "s": "",
            "n": 0,
            "b": False,
            "d": "12.50",
            "f": 12.5,
            "id": 7,
            "gid": "x/7",
            "t": "2026-11-23T05:00:00+02:00",
            "z": "2026-11-23T05:00:00Z",
        },
        "order",
    )
    assert (node.str("s"), node.int("n"), node.bool("b")) == ("", 0, False)
    assert (node.decimal("d"), node.decimal("f")) == (Decimal("12.50"), Decimal("12.5"))
    assert (node.id("id"), node.id("gid")) == ("7", "x/7")
    assert node.money("d", "EUR") == node.money("f", "EUR") == Money(1250, "EUR")
    assert node.time("t") == datetime(2026, 11, 23, 3, tzinfo=UTC)
    assert node.time("z").tzinfo is UTC


@pytest.mark.parametrize("key", ["absent", "null"])
def test_absent_and_null_are_none_for_the_optional_and_strange_for_the_rest(key: str) -> None:
    node = node_of({"null": None}, "order")
    assert node.opt_str(key) is None
    assert node.opt_int(key) is None
    assert node.opt_bool(key) is None
    assert node.opt_id(key) is None
    assert node.opt_decimal(key) is None
    assert node.opt_money(key, "EUR") is None
    assert node.opt_time(key) is None
    assert node.opt_child(key) is None
    assert node.opt_list(key) is None
    assert node.raw(key) is None
    assert key not in node
    with pytest.raises(Strange, match=rf"text at order\.{key}"):
        node.str(key)


@pytest.mark.parametrize(
    ("reader", "wrong"),
    [
        ("str", 1),
        ("int", "one"),
        ("int", ""),
        ("int", True),
        ("int", 1.5),
        ("int", 10**16),
        ("int", "1e999999"),
        ("int", float("inf")),
        ("bool", 2),
        ("bool", ""),
        ("bool", "maybe"),
        ("id", ""),
        ("id", 0),
        ("id", "0"),
        ("id", True),
        ("id", "x" * 201),
        ("id", 1.5),
        ("decimal", "twelve"),
        ("decimal", "NaN"),
        ("decimal", float("inf")),
        ("decimal", True),
        ("time", "2026-11-23T05:00:00"),
        ("time", "soon"),
        ("time", "0000-00-00T00:00:00Z"),
        ("time", "-0001-11-30T00:00:00Z"),
        ("time", "0001-01-01T00:00:00+05:00"),
        ("time", 5),
        ("child", []),
        ("list", {}),
        ("list", ["text"]),
        ("strs", [1]),
    ],
)
def test_the_wrong_type_is_strange_even_where_it_is_optional(reader: str, wrong: Any) -> None:
    with pytest.raises(Strange, match="x"):
        getattr(node_of({"x": wrong}, "it"), reader)("x")
    if hasattr(Node, f"opt_{reader}"):
        with pytest.raises(Strange):
            getattr(node_of({"x": wrong}, "it"), f"opt_{reader}")("x")


@pytest.mark.parametrize("two", [2, 2.0, "2", "2.0", " 2 "])
def test_a_number_is_read_however_it_was_written(two: Any) -> None:
    assert node_of({"x": two}, "it").int("x") == 2


@pytest.mark.parametrize(
    ("word", "said"), [(1, True), ("1", True), ("TRUE", True), ("yes", True), (0, False), ("no", False)]
)
def test_a_flag_is_read_however_it_was_written(word: Any, said: bool) -> None:
    assert node_of({"x": word}, "it").bool("x") is said


def test_an_id_is_text_however_it_was_written() -> None:
    assert node_of({"x": 7.0}, "it").id("x") == node_of({"x": " 7 "}, "it").id("x") == "7"


@pytest.mark.parametrize("odd", [None, "", [], {}, True, float("nan"), "0000-00-00T00:00:00", "-0001-11-30T00:00:00"])
def test_what_is_only_shown_is_left_out_when_it_is_odd(odd: Any) -> None:
    node = node_of({"x": odd}, "it")
    assert node.text("x") == (odd if isinstance(odd, str) else "")
    assert node.moment("x", naive_utc=True) is None
    assert node.rows("x") == []


def test_a_list_that_others_write_into_gives_its_objects() -> None:
    node = node_of({"x": [{"a": 1}, {}, [], None, "b"], "y": {"3": {"a": 2}, "7": {"a": 3}}}, "it")
    assert [row.raw("a") for row in node.rows("x")] == [1, None]
    assert [row.int("a") for row in node.rows("y")] == [2, 3]


def test_a_moment_without_a_zone_is_read_only_where_it_is_documented_as_utc() -> None:
    assert node_of({"t": "2026-11-23T05:00:00"}, "it").time("t", naive_utc=True) == datetime(
        2026, 11, 23, 5, tzinfo=UTC
    )


def test_the_path_leads_to_the_odd_place() -> None:
    node = node_of({"lines": [{"sku": "a"}, {"sku": 5}]}, "order")
    with pytest.raises(Strange) as caught:
        [line.str("sku") for line in node.list("lines")]
    assert caught.value.path == "order.lines[1].sku"
    with pytest.raises(Strange):
        node_of([], "order")


def test_fields_that_nobody_handles_are_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "crossdock.kit.json_node")
    for _ in range(2):
        for line in node_of({"lines": [{"sku": "a", "new": 1, "old": 2}, {"new": 1}]}, "unread-test").list("lines"):
            line.opt_str("sku")
            line.ignore("old")
            line.done()
    assert [record.getMessage() for record in caplog.records] == [
        "outside field neither read nor ignored: unread-test.lines[].new"
    ]
    assert "unread-test.lines[].new" in unread()
    assert "unread-test.lines[].old" not in unread()


@given(value=JSON, reader=st.sampled_from(READERS))
def test_nothing_but_strange_comes_out_of_any_json(value: Any, reader: str) -> None:
    for read in (getattr(Node, reader), lambda node, key: node.opt_money(key, "JPY")):
        with suppress(Strange):
            read(node_of({"x": value}, "it"), "x")
