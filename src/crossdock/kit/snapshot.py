"""What a connector's call made, as plain values without secrets or people: written when it happened, and again when a
case is played.
"""

from dataclasses import replace
from typing import Any

from pydantic_core import to_jsonable_python

from crossdock.domain.events import Unreadable
from crossdock.domain.redact import redact_text, redact_value
from crossdock.kit.errors import Outside

# Evidence that is larger is not kept, so it is not looked through either.
LONGEST_SNAPSHOT = 300_000


def snapshot(result: Any) -> dict[str, Any]:
    """{"type": ..., "value": ...}; the items of a page and of a list each with their own type."""
    if isinstance(result, Unreadable):
        # Where in our code it tripped is no part of what was made of the answer.
        result = replace(result, trace="")
    plain = to_jsonable_python(result)
    if _heavier(plain, LONGEST_SNAPSHOT):
        return cut_snapshot(result)
    if isinstance(result, list | tuple):
        return {"type": "list", "value": [snapshot(item) for item in result]}
    if isinstance(plain, dict) and isinstance(plain.get("items"), list):
        return {
            "type": type(result).__name__,
            "value": {**redact_value({**plain, "items": []}), "items": [snapshot(item) for item in result.items]},
        }
    return {"type": type(result).__name__, "value": redact_value(plain)}


def snapshot_of_error(error: BaseException) -> dict[str, Any]:
    """Trouble outside is an answer like others; anything else is a stumble of the connector itself."""
    if isinstance(error, Outside):
        return {"type": type(error).__name__, "raised": redact_text(str(error))}
    return {"type": type(error).__name__, "stumbled": True}


def cut_snapshot(result: Any) -> dict[str, Any]:
    """That there was a result, when it is too large or too much is waiting."""
    return {"type": "list" if isinstance(result, list | tuple) else type(result).__name__, "cut": True}


def _heavier(plain: Any, most: int) -> bool:
    """Whether a JSON value has more characters than that; it is counted only so far."""
    waiting, weight = [plain], 0
    while waiting and weight <= most:
        match waiting.pop():
            case str() as text:
                weight += len(text)
            case dict() as fields:
                weight += sum(map(len, map(str, fields)))
                waiting += fields.values()
            case list() as items:
                weight += len(items)
                waiting += items
            case _:
                weight += 4
    return weight > most
