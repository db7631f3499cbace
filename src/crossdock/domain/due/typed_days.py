"""Days on which a seller is closed, as they type them: one a line, or a first and a last one."""

import re
from collections.abc import Iterable
from datetime import date

from crossdock.domain.due.calendar import Span

MOST_SPANS, LONGEST_SPAN = 50, 366
_DAY = r"(\d{4}-\d{1,2}-\d{1,2})"
_LINE = re.compile(rf"{_DAY}(?:\s*(?:-|–|to|until)\s*{_DAY})?")


class NoDays(ValueError):
    """What was typed names no days; says which line, and how it is written."""


def read_days(text: str) -> tuple[Span, ...]:
    """In their order. Raises NoDays."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > MOST_SPANS:
        raise NoDays(f"At most {MOST_SPANS} lines. Take out days that are over.")
    return tuple(sorted((_span(line) for line in lines), key=lambda span: (span.first, span.last)))


def _span(line: str) -> Span:
    how = f"“{line[:40]}” is no day. Write it as 2026-12-24, or a time as 2026-12-24 to 2027-01-01."
    if not (found := _LINE.fullmatch(line)):
        raise NoDays(how)
    try:
        first, last = (_date(text) for text in (found[1], found[2] or found[1]))
    except ValueError:
        raise NoDays(how) from None
    if last < first:
        raise NoDays(f"“{line[:40]}” ends before it begins.")
    if (last - first).days >= LONGEST_SPAN:
        raise NoDays(f"“{line[:40]}” is longer than a year.")
    return Span(first, last)


def _date(text: str) -> date:
    return date(*map(int, text.split("-")))


def written(spans: Iterable[Span]) -> str:
    """As `read_days` reads them."""
    return "\n".join(f"{one.first}" if one.first == one.last else f"{one.first} to {one.last}" for one in spans)
