"""What a connector's call made, as plain values without secrets or people: written when it happened, and again when a
case is played.
"""

from typing import Any

from pydantic_core import to_jsonable_python

from crossdock.domain.redact import redact_text, redact_value
from crossdock.kit.errors import Outside


def told(result: Any) -> dict[str, Any]:
    """{"type": ..., "value": ...}; the items of a page and of a list each with their own type."""
    if isinstance(result, list | tuple):
        return {"type": "list", "value": [told(item) for item in result]}
    plain = to_jsonable_python(result)
    if isinstance(plain, dict) and isinstance(plain.get("items"), list):
        return {
            "type": type(result).__name__,
            "value": {**redact_value({**plain, "items": []}), "items": [told(item) for item in result.items]},
        }
    return {"type": type(result).__name__, "value": redact_value(plain)}


def told_error(error: BaseException) -> dict[str, Any]:
    """Trouble outside is an answer like others; anything else is a stumble of the connector itself."""
    if isinstance(error, Outside):
        return {"type": type(error).__name__, "raised": redact_text(str(error))}
    return {"type": type(error).__name__, "stumbled": True}
