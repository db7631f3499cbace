"""Outside bytes into values: JSON is parsed here and nowhere else, and its text is made fit to keep.

PostgreSQL stores neither NUL ("null character not permitted") nor halves of a surrogate pair, and JSON may carry both.
"""

import json
import re
from typing import Any

from crossdock.kit.errors import NotJson

# Longer whole numbers are no count, id or amount; as a float they stay comparable, and cost no time to convert.
_LONGEST_NUMBER = 40
_UNFIT = re.compile("[\x00\ud800-\udfff]")
# Only where one of these is written can a text hold something unfit: NUL, or an escape of NUL or of half a pair.
_SUSPECT = re.compile(r"\x00|\\u(?:0000|[dD][89a-fA-F])|[\ud800-\udfff]")


def clean(text: str) -> str:
    """Without NUL, and with U+FFFD for half of a surrogate pair."""
    return _UNFIT.sub(lambda found: "" if found[0] == "\x00" else "\ufffd", text) if _UNFIT.search(text) else text


def load(body: bytes, where: str = "the answer's body") -> Any:
    """The JSON value. Raises NotJson, whatever the bytes are.

    A byte order mark is skipped (plugins of PHP shops print one before the answer), bytes that are no UTF-8 are
    replaced, control characters inside of texts are taken as they are.
    """
    text = body.decode("utf-8-sig", "replace")
    try:
        value = json.loads(text, strict=False, parse_int=_whole)
    except (ValueError, RecursionError):
        raise NotJson(where, "JSON", body) from None
    return _cleaned(value) if _SUSPECT.search(text) else value


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else float(digits)


def _cleaned(value: Any) -> Any:
    """Every text in it, keys included; without recursion, however deep it is."""
    top = [value]
    waiting: list[Any] = [top]
    while waiting:
        holder = waiting.pop()
        if isinstance(holder, dict):
            for key in [key for key in holder if _UNFIT.search(key)]:
                holder[clean(key)] = holder.pop(key)
        for place, inner in list(holder.items() if isinstance(holder, dict) else enumerate(holder)):
            if isinstance(inner, str):
                holder[place] = clean(inner)
            elif isinstance(inner, list | dict):
                waiting.append(inner)
    return top[0]
