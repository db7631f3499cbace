"""Typed access to outside JSON: every field is read, ignored by name, or reported once.

A wrong shape is Strange, never a KeyError.
"""

import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any, TypeVar

from crossdock.domain.currencies import NotMoney
from crossdock.domain.values import Money
from crossdock.kit.errors import Strange

T = TypeVar("T")
# Node has methods called str, int, bool and list, so its annotations need other names for these types.
Text = str
Whole = int
Flag = bool
Texts = list[str]
Anys = list[Any]
Doc = dict[str, Any]
Nodes = list["Node"]
log = logging.getLogger(__name__)
_ABSENT = object()
# What a column for ids holds, and what a bigint holds with room for sums.
_LONGEST_ID, _MOST = 200, 10**15
_LONGEST_DECIMAL, _LONGEST_SECRET, _MOST_DECIMALS = 60, 8_000, 8
_WORDS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
_INDEX = re.compile(r"\[\d+\]")
_reported: set[str] = set()


def node_of(value: Any, path: str) -> "Node":
    """Wrap a JSON object. Raises Strange when it is none."""
    if not isinstance(value, dict):
        raise Strange(path, "object", value)
    return Node(value, path)


def unread() -> frozenset[str]:
    """Every path that `done()` has reported in this process (tests and the staff's page look here)."""
    return frozenset(_reported)


class Node:
    """One JSON object. `x("key")` insists on the type; `opt_x("key")` gives None when the key is absent or null.

    `text`, `view`, `moment` and `rows` read what is only shown, or what others put there: it is left out when it
    is odd. A number that is written as text, a flag that is written as a number or a word: what it says is clear, so
    it is read.
    """

    __slots__ = ("_seen", "_value", "path")

    def __init__(self, value: Doc, path: Text) -> None:
        self._value = value
        self._seen: set[Text] = set()
        self.path = path

    def __contains__(self, key: Text) -> bool:
        return self._value.get(key) is not None

    def _must(self, key: Text, expected: Text, read: Callable[[Any], T | None]) -> T:
        self._seen.add(key)
        got = self._value.get(key, _ABSENT)
        result = None if got is _ABSENT or got is None else read(got)
        if result is None:
            raise Strange(f"{self.path}.{key}", expected, None if got is _ABSENT else got)
        return result

    def _may(self, key: Text, expected: Text, read: Callable[[Any], T | None]) -> T | None:
        self._seen.add(key)
        return None if self._value.get(key) is None else self._must(key, expected, read)

    def str(self, key: Text) -> Text:
        return self._must(key, "text", _text)

    def opt_str(self, key: Text) -> Text | None:
        return self._may(key, "text", _text)

    def word(self, key: Text) -> Text:
        """A status or the like, on which something depends: text that says something."""
        return self._must(key, "word", lambda got: (_text(got) or "").strip() or None)

    def secret(self, key: Text) -> Text:
        """A token to be kept and sent in a header."""
        return self._must(key, "token", _secret)

    def id(self, key: Text) -> Text:
        """An id, sent as a number or as text; always text here. Empty text, 0 and what no column holds are no ids."""
        return self._must(key, "id", _id)

    def opt_id(self, key: Text) -> Text | None:
        return self._may(key, "id", _id)

    def named_id(self, key: Text) -> Text:
        """An id where platforms write 0, "" or false for nothing: then it is empty."""
        return "" if self.raw(key) in (None, "", 0, "0") else self.id(key)

    def int(self, key: Text) -> Whole:
        return self._must(key, "whole number", whole)

    def opt_int(self, key: Text) -> Whole | None:
        return self._may(key, "whole number", whole)

    def digits(self, key: Text) -> Whole:
        """How many decimals amounts have."""
        return self._must(key, "number of decimals", _digits)

    def bool(self, key: Text) -> Flag:
        return self._must(key, "true or false", flag)

    def opt_bool(self, key: Text) -> Flag | None:
        return self._may(key, "true or false", flag)

    def decimal(self, key: Text) -> Decimal:
        return self._must(key, "decimal number", _decimal)

    def opt_decimal(self, key: Text) -> Decimal | None:
        return self._may(key, "decimal number", _decimal)

    def money(self, key: Text, currency: Text) -> Money:
        """A decimal amount ("12.50" or 12.5) in `currency`."""
        return self._must(key, f"amount in {currency}", lambda got: _money(got, currency))

    def opt_money(self, key: Text, currency: Text) -> Money | None:
        return self._may(key, f"amount in {currency}", lambda got: _money(got, currency))

    def time(self, key: Text, *, naive_utc: Flag = False) -> datetime:
        """An ISO 8601 moment as aware UTC.

        One without a zone is Strange, unless the platform documents that field as UTC (`naive_utc`).
        """
        return self._must(key, "moment with a time zone", lambda got: _time(got, naive_utc))

    def opt_time(self, key: Text, *, naive_utc: Flag = False) -> datetime | None:
        return self._may(key, "moment with a time zone", lambda got: _time(got, naive_utc))

    def child(self, key: Text) -> "Node":
        return Node(self._must(key, "object", _object), f"{self.path}.{key}")

    def opt_child(self, key: Text) -> "Node | None":
        value = self._may(key, "object", _object)
        return None if value is None else Node(value, f"{self.path}.{key}")

    def list(self, key: Text) -> "Nodes":
        """A list of objects."""
        return self._nodes(key, self._must(key, "list", _list))

    def opt_list(self, key: Text) -> "Nodes | None":
        value = self._may(key, "list", _list)
        return None if value is None else self._nodes(key, value)

    def strs(self, key: Text) -> Texts:
        """A list of texts."""
        values = self._must(key, "list", _list)
        for number, value in enumerate(values):
            if not isinstance(value, str):
                raise Strange(f"{self.path}.{key}[{number}]", "text", value)
        return list(values)

    def text(self, key: Text) -> Text:
        """Text that is only shown. Empty when it is absent or odd; a number is written out."""
        self._seen.add(key)
        return _shown(self._value.get(key))

    def view(self, key: Text) -> "Node":
        """An object that is only shown, or that we can do without. Empty when it is absent or odd."""
        self._seen.add(key)
        value = self._value.get(key)
        return Node(value if isinstance(value, dict) else {}, f"{self.path}.{key}")

    def moment(self, key: Text, *, naive_utc: Flag = False) -> datetime | None:
        """A moment that is only shown, or that others write: None when it is absent or odd (zero dates)."""
        self._seen.add(key)
        return _time(self._value.get(key), naive_utc)

    def rows(self, key: Text) -> "Nodes":
        """The objects of a list that others write into, or that we can do without; whatever else is in it is left out.

        PHP writes a list with gaps as an object.
        """
        self._seen.add(key)
        value = self._value.get(key)
        entries = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
        return [Node(entry, f"{self.path}.{key}[{n}]") for n, entry in enumerate(entries) if isinstance(entry, dict)]

    def entries(self, key: Text) -> Anys:
        """A list whose entries are read one by one, each on its own: see kit/rows."""
        return self._must(key, "list", _list)

    def raw(self, key: Text) -> Any:
        """The value as it came, None when absent."""
        self._seen.add(key)
        return self._value.get(key)

    def ignore(self, *keys: Text) -> None:
        """These fields are known and of no use to us."""
        self._seen.update(keys)

    def done(self) -> None:
        """Report what was neither read nor ignored: once per path in a process, in the log, never an error (platforms
        add fields).
        """
        for key in self._value.keys() - self._seen:
            path = _INDEX.sub("[]", f"{self.path}.{key}")
            if path not in _reported:
                _reported.add(path)
                log.info("outside field neither read nor ignored: %s", path)

    def _nodes(self, key: Text, values: Anys) -> "Nodes":
        return [node_of(value, f"{self.path}.{key}[{number}]") for number, value in enumerate(values)]


def _text(got: Any) -> str | None:
    return got if isinstance(got, str) else None


def _secret(got: Any) -> str | None:
    fit = isinstance(got, str) and 0 < len(got) <= _LONGEST_SECRET and got.isascii() and got.isprintable()
    return got.strip() or None if fit else None


def _shown(got: Any) -> str:
    if isinstance(got, int | float) and not isinstance(got, bool) and isfinite(got):
        return str(got)
    return got if isinstance(got, str) else ""


def _id(got: Any) -> str | None:
    if isinstance(got, float) and got.is_integer() and abs(got) < 2**53:
        got = int(got)
    if isinstance(got, bool) or not isinstance(got, int | str):
        return None
    text = str(got).strip()
    return text if text not in ("", "0") and len(text) <= _LONGEST_ID else None


def whole(got: Any) -> int | None:
    """A whole number in whatever form it was written ("2", 2.0); None when it is none, or larger than any count."""
    value = _decimal(got)
    # In this order: the digits of 1e999999 are never written out.
    return int(value) if value is not None and abs(value) <= _MOST and value == value.to_integral_value() else None


def _digits(got: Any) -> int | None:
    value = whole(got)
    return value if value is not None and 0 <= value <= _MOST_DECIMALS else None


def units_in(got: Any) -> int:
    """The whole units in a number, since plugins write parts of one ("1.5"); 0 where it is none."""
    value = _decimal(got)
    return int(value) if value is not None and abs(value) <= _MOST else 0


def flag(got: Any) -> bool | None:
    """true, 1, "1", "true", "yes" and their opposites; None for anything else."""
    if isinstance(got, bool):
        return got
    if isinstance(got, int):
        return _WORDS.get(str(got)) if abs(got) <= 1 else None
    return _WORDS.get(got.strip().lower()) if isinstance(got, str) and len(got) <= 8 else None


def _decimal(got: Any) -> Decimal | None:
    if isinstance(got, bool) or not isinstance(got, int | float | str):
        return None
    text = str(got)
    try:
        value = Decimal(text) if len(text) <= _LONGEST_DECIMAL else None
    except InvalidOperation:
        return None
    return value if value is not None and value.is_finite() else None


def _money(got: Any, currency: str) -> Money | None:
    value = _decimal(got)
    try:
        return None if value is None else Money.of(value, currency)
    except NotMoney:
        return None


def _time(got: Any, naive_utc: bool) -> datetime | None:
    """None for what is no moment; zero dates ("0000-00-00T00:00:00", "-0001-11-30T00:00:00") are none."""
    try:
        moment = datetime.fromisoformat(got) if isinstance(got, str) and len(got) <= 40 else None
        if moment is not None and moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC) if naive_utc else None
        # What lies at the ends of the calendar cannot be reckoned with: a zone, or a second less, leaves it.
        return moment.astimezone(UTC) if moment is not None and 1900 < moment.year < 2200 else None
    except (ValueError, OverflowError):
        return None


def _object(got: Any) -> dict[str, Any] | None:
    return got if isinstance(got, dict) else None


def _list(got: Any) -> list[Any] | None:
    return got if isinstance(got, list) else None
