"""Whatever a stranger or a shop writes costs time in proportion to its length: every pattern of the house, and what is
made of them, is fed growing inputs.

Growth is compared, not time: four times the input may cost eight times as much, where a quadratic pattern takes
sixteen.
"""

import ast
import contextlib
import importlib
import itertools
import logging
import pkgutil
import random
import re
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import crossdock
from crossdock.domain.finding.words import folded
from crossdock.domain.pasted import Unreadable, rows_in
from crossdock.domain.redact import redact_address, redact_cut, redact_text, redact_value
from crossdock.kit.redact import redact_body, redact_url
from crossdock.logs import PlainFormatter, mask, mask_line

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from sre_constants import LITERAL
    from sre_parse import parse

SMALL, LARGE = 1_000, 4_000
# Below this nothing is measured: 4,000 characters read 2,000 times over take far longer on any machine.
NOT_WORTH_A_LOOK_SECONDS = 0.008
LETTERS = ["a", "A", "1", "0", "_", "-", ".", "@", " ", ":", "=", "/", "+", '"', "'", "<", ">", "[", "]", "(", "\\"]
LETTERS += ["%", "#", ",", ";", "&", "\n", "\t", "é", "日", "{", "}", "*", "|", "~", "\x00", "E", "x"]
ROOT = Path(crossdock.__file__).parent
# Only ever given a platform's own file, or what an operator typed.
TRUSTED = (
    "cli/",
    "connectors/shopify/sandbox",
    "kit/shop/graphql.py",
    "kit/sandbox",
    "/tests/",
    "/sandbox/",
    "config.py",
)


def _modules() -> Iterator[Any]:
    for found in pkgutil.walk_packages([str(ROOT)], "crossdock."):
        where = found.name.replace(".", "/") + ".py"
        if ".migrations" in found.name or any(part in where for part in TRUSTED):
            continue
        yield importlib.import_module(found.name)


def _patterns_in(value: Any, depth: int = 0) -> Iterator["re.Pattern[Any]"]:
    if isinstance(value, re.Pattern):
        yield value
    elif depth < 3 and isinstance(value, dict):
        for inner in value.values():
            yield from _patterns_in(inner, depth + 1)
    elif depth < 3 and isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from _patterns_in(inner, depth + 1)


def _written_in(path: Path) -> Iterator[tuple[str, "re.Pattern[Any]"]]:
    """(function, pattern) of every re.search("...") and the like."""
    for node in ast.walk(ast.parse(path.read_text())):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and node.func.attr in ("search", "match", "fullmatch", "sub", "split", "findall", "finditer")
            and isinstance(node.args[0], ast.Constant)
        ):
            yield node.func.attr, re.compile(node.args[0].value)


def _all_patterns() -> dict[str, tuple[str, "re.Pattern[Any]"]]:
    found: dict[str, tuple[str, re.Pattern[Any]]] = {}
    for module in _modules():
        for name, value in vars(module).items():
            for number, pattern in enumerate(_patterns_in(value)):
                used = _used(Path(str(module.__file__)).read_text(), name)
                found.setdefault(f"{pattern.pattern!r:.200}", (used, pattern))
                assert number < 100, f"{module.__name__}.{name}"
    for path in ROOT.rglob("*.py"):
        if not any(part in str(path.relative_to(ROOT.parent)) for part in TRUSTED):
            for function, pattern in _written_in(path):
                found.setdefault(f"{function} {pattern.pattern!r:.200}", (function, pattern))
    return found


def _used(source: str, name: str) -> str:
    """How a pattern of that name is used there: anchored when it is only ever matched at the start."""
    ways = set(re.findall(rf"\b{name}(?:\[\w+\])?\.(search|match|fullmatch|sub|split|findall|finditer)\(", source))
    return ways.pop() if len(ways) == 1 else "search"


@pytest.fixture(scope="module")
def patterns() -> dict[str, tuple[str, "re.Pattern[Any]"]]:
    """Not at import: every process that runs tests imports this file, and one of them plays it."""
    return _all_patterns()


def _literals(pattern: "re.Pattern[Any]") -> list[str]:
    """The fixed words in a pattern: near misses are made of them."""
    words: list[str] = []

    def walk(items: Any) -> None:
        word = ""
        for item in items:
            kind, value = item if isinstance(item, tuple) and len(item) == 2 else (None, item)
            if kind is LITERAL:
                word += chr(value)
                continue
            words.append(word)
            word = ""
            if isinstance(value, list | tuple) or hasattr(value, "data"):
                for inner in [value, *(value if isinstance(value, list | tuple) else [])]:
                    if hasattr(inner, "data"):
                        walk(inner.data)
                    elif isinstance(inner, list):
                        for one in inner:
                            walk(one.data if hasattr(one, "data") else [])
        words.append(word)

    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode()
    walk(parse(source, pattern.flags & ~re.UNICODE if isinstance(pattern.pattern, bytes) else pattern.flags).data)
    return list(dict.fromkeys(word for word in words if word))


def _units(pattern: "re.Pattern[Any]") -> list[str]:
    words = _literals(pattern)[:6]
    chance = random.Random(7)
    mixed = ["".join(chance.choices([*LETTERS[:24], *words], k=chance.randint(2, 5))) for _ in range(30)]
    beside = [f"{word}{letter}" for word in words for letter in LETTERS[:9]]
    return [*LETTERS, *beside, *("".join(two) for two in itertools.product(LETTERS[:8], repeat=2)), *mixed]


def _seconds(call: Callable[[], object], times: int = 1) -> float:
    best = float("inf")
    for _ in range(times):
        start = time.thread_time()
        call()
        best = min(best, time.thread_time() - start)
    return best


def _grows_too_fast(call: Callable[[str], object], unit: str, end: str = "") -> bool:
    def of(length: int) -> str:
        return unit * (length // len(unit)) + end

    small, large = of(SMALL), of(LARGE)
    if _seconds(lambda: call(large)) < NOT_WORTH_A_LOOK_SECONDS:
        return False
    # Measured again before it is believed: the machine is shared.
    return all(
        _seconds(lambda: call(large), times=4) > 8 * max(_seconds(lambda: call(small), times=4), 1e-6) for _ in range(2)
    )


def _calls(function: str, pattern: "re.Pattern[Any]") -> Callable[[str], object]:
    method = getattr(pattern, function)
    as_given: Callable[[str], Any] = str.encode if isinstance(pattern.pattern, bytes) else str
    if function == "sub":
        return lambda text: method(as_given(""), as_given(text))
    if function == "finditer":
        return lambda text: deque(method(as_given(text)), maxlen=0)
    if function == "search":
        return lambda text: deque(pattern.finditer(as_given(text)), maxlen=0)
    return lambda text: method(as_given(text))


def test_there_are_patterns_to_try(patterns: dict[str, tuple[str, "re.Pattern[Any]"]]) -> None:
    assert len(patterns) > 50
    assert any("BEGIN" in name for name in patterns)


def test_every_pattern_grows_with_its_input(patterns: dict[str, tuple[str, "re.Pattern[Any]"]]) -> None:
    slow = {}
    for name, (function, pattern) in patterns.items():
        call = _calls(function, pattern)
        for unit in _units(pattern):
            if any(_grows_too_fast(call, unit, end) for end in ("", "!")):
                slow[name] = unit
                break
    assert slow == {}


def test_the_measure_sees_a_quadratic_pattern() -> None:
    before = re.compile(r"[\w.+%-]+@[\w-]+(\.[\w-]+)+")
    assert _grows_too_fast(lambda text: before.sub("", text), "a")


NEAR_MISSES = [*LETTERS, "a@", "@a", "a.", "A-", "eyJ-", "1 ", "1-", "a=", "token", "token=", "[hidden]", "[hidden]x"]
NEAR_MISSES += [
    " 1 A",
    "A.1 B ",
    "Mr A",
    "weg ",
    "Aweg1",
    "weg1-A-",
    "://a:",
    "-----BEGIN ",
    "Bearer ",
    "pin is ",
    "%41",
]


def _formatted(text: str) -> str:
    return PlainFormatter(secrets=["correct horse"]).format(logging.LogRecord("x", 40, __file__, 1, text, (), None))


def _tracking(text: str) -> None:
    with contextlib.suppress(Unreadable):
        rows_in(f"order,tracking\n{text}")


CALLS: dict[str, Callable[[str], object]] = {
    "a log line": _formatted,
    "a masked text": mask,
    "a redacted text": redact_text,
    "a text and who is known": lambda text: redact_text(text, ["Ada Lovelace", "+49 170 1234567"]),
    "a field": lambda text: redact_value({"note": text, "name": text, "email": "ada@buyer.example"}),
    "a field's name": lambda text: redact_value({text: 1, text + "x": text}),
    "an address": redact_address,
    "a URL": lambda text: redact_url(f"https://shop.example/{quote(text)}?{quote(text)}={quote(text)}"),
    "a recorded body": lambda text: redact_body(text.encode(), "", 60_000),
    "a recorded form": lambda text: redact_body(text.encode(), "application/x-www-form-urlencoded", 60_000),
    "a pasted file": _tracking,
    "a search": folded,
}


@pytest.mark.parametrize("what", CALLS)
def test_what_is_made_of_the_patterns_grows_with_its_input(what: str) -> None:
    assert next((unit for unit in NEAR_MISSES if _grows_too_fast(CALLS[what], unit)), None) is None


def test_people_and_text_grow_together() -> None:
    """Twice the orders on a page are twice the names and twice the text."""

    def page(orders: int) -> object:
        rows = [
            {"name": f"Ada Person{n}", "email": f"a{n}@b.example", "note": f"for Ada Person{n}"} for n in range(orders)
        ]
        return redact_value(rows)

    small, large = (_seconds(lambda n=n: page(n), times=3) for n in (300, 1_200))  # type: ignore[misc]
    assert large < 8 * small


def test_a_long_line_costs_no_more_than_its_kept_part() -> None:
    line = "token=abc " * 100_000 + "the end"
    masked = mask_line(line)
    assert len(masked) < 30_000
    assert "abc" not in masked
    assert masked.endswith("token=••• the end")


@pytest.mark.parametrize("depth", [50, 400, 990, 100_000])
def test_a_deep_body_is_shown_without_its_secrets(depth: int) -> None:
    body = '{"a":' * depth + '{"email": "ada@buyer.example", "password": "geheim"}' + "}" * depth
    shown = redact_body(body.encode(), "application/json", 200_000)
    assert "ada@" not in shown
    assert "geheim" not in shown


SECRETS = [
    "ada@buyer.example",
    "+49 170 1234567",
    "4111 1111 1111 1111",
    "sk_test_0123456789abcdefghij",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
    "DE89 3704 0044 0532 0130 00",
    "12 Main Street",
    "Hauptstraße 5",
    "password=geheim-99",
    "Bearer abcdefghijkl",
]
AROUND = st.text(st.sampled_from('ab Z1_-.,:;=@/"[]()é\n'), max_size=30)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SECRETS), st.lists(AROUND, min_size=2, max_size=2), st.integers(0, 60))
def test_a_secret_is_hidden_wherever_it_is_also_on_the_border(secret: str, around: list[str], back: int) -> None:
    before, after = (" ".join(text.split()) for text in around)
    text = f"{before} — {secret} — {after}"
    hidden = re.sub(r"^(password=|Bearer )", "", secret)
    if hidden not in f"{before} {after}":
        assert hidden not in redact_text(text)
    filler = "x y " * 1_000
    cut = redact_cut(f"{filler[: 2_000 - back]} {secret} {filler}", 2_000)
    assert len(cut) <= 2_000 + 1_000
    assert not [size for size in range(6, len(hidden)) if cut.endswith(hidden[:size])]
    assert hidden not in cut
    line = mask_line(f"{'x y ' * 3_994}{'z' * back} password=geheim-99 {'x y ' * 9_000}")
    assert "geheim" not in line
