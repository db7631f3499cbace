"""Text made fit for where it goes. PostgreSQL stores neither NUL ("null character not permitted") nor halves of a
surrogate pair, and JSON may carry both; a spreadsheet runs what looks like a formula and rounds what looks like a
number.
"""

import re
from typing import Any

_UNFIT = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """Without NUL, and with U+FFFD for half of a surrogate pair."""
    return _UNFIT.sub(lambda found: "" if found[0] == "\x00" else "\ufffd", text) if _UNFIT.search(text) else text


def typed_lines(text: str) -> str:
    """The same from a text field: browsers send two signs for the end of a line, and people leave some around."""
    return storable(text).replace("\r\n", "\n").strip()


def one_line(text: str, longest: int) -> str:
    """The same on one line, with single spaces, cut to so many characters."""
    return " ".join(storable(text).split())[:longest]


def make_storable(value: Any) -> Any:
    """A JSON value with every text in it made fit, keys included; changed in place, without recursion however deep."""
    top = [value]
    waiting: list[Any] = [top]
    while waiting:
        holder = waiting.pop()
        if isinstance(holder, dict):
            for key in [key for key in holder if _UNFIT.search(key)]:
                holder[storable(key)] = holder.pop(key)
        for place, inner in list(holder.items() if isinstance(holder, dict) else enumerate(holder)):
            if isinstance(inner, str):
                holder[place] = storable(inner)
            elif isinstance(inner, list | dict):
                waiting.append(inner)
    return top[0]


# Without it a spreadsheet takes UTF-8 for the system's old encoding, and "Zoë" for "ZoÃ«".
MARK = "\ufeff"
# What a spreadsheet runs (owasp.org/www-community/attacks/CSV_Injection), and digits that it would round, shorten or
# strip of their zeros: it keeps fifteen, shows eleven, and reads "12E5" as a number.
_RUNS = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_SPOILS = re.compile(r"\d{12,}|0\d+|\d+[eE]\d+", re.ASCII)


def plain(text: object) -> str:
    """A text that a spreadsheet shows as it is: an apostrophe keeps it text, and pasted back here it is taken off."""
    words = str(text)
    return f"'{words}" if _RUNS.match(words) or _SPOILS.fullmatch(words) else words
