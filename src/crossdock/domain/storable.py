"""Text that can be kept: PostgreSQL stores neither NUL ("null character not permitted") nor halves of a surrogate pair,
and JSON may carry both.
"""

import re
from typing import Any

_UNFIT = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """Without NUL, and with U+FFFD for half of a surrogate pair."""
    return _UNFIT.sub(lambda found: "" if found[0] == "\x00" else "\ufffd", text) if _UNFIT.search(text) else text


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
