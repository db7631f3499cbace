"""A body of JSON as agents send it, and where in it something is wrong."""

import json
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, StrictInt, ValidationError

from crossdock.web.agents.refusing import Refusal

MOST_BYTES = 256 * 1024
_T = TypeVar("_T", bound=BaseModel)


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


# JSON has one kind of number, so 2.0 is an integer (JSON Schema 2020-12, 4.2.3).
Whole = Annotated[StrictInt, BeforeValidator(_whole)]


def read(raw: bytes) -> dict[str, Any]:
    """A JSON object that a database can hold. Raises Refusal."""
    if len(raw) > MOST_BYTES:
        raise Refusal(413, "request_too_large", f"A body may have {MOST_BYTES // 1024} KB.")
    try:
        found = json.loads(raw.decode() or "{}", parse_constant=_no_number)
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Refusal(400, "invalid_json", "The body is no JSON.") from None
    if not isinstance(found, dict):
        raise Refusal(400, "invalid_json", "The body is no JSON object.", param="$")
    if b"\\u0000" in raw:
        raise Refusal(400, "invalid", "The body has a NUL character in it.", param="$")
    return found


def _no_number(word: str) -> float:
    raise ValueError(word)


def checked(kind: type[_T], body: dict[str, Any]) -> _T:
    """Raises Refusal, which names the first thing that is wrong."""
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise Refusal(400, _code(first["type"]), _words(first), param=path_of(first["loc"])) from None


def _code(kind: str) -> str:
    return {"missing": "missing", "extra_forbidden": "unknown_field"}.get(kind, "invalid")


def _words(first: Any) -> str:
    said = str(first["msg"]).removeprefix("Value error, ")
    return f"{path_of(first['loc'])}: {said[:1].lower()}{said[1:]}."


def path_of(where: tuple[str | int, ...]) -> str:
    """As a JSONPath; a key that is no plain name is written out in brackets."""
    parts = [f"[{part}]" if isinstance(part, int) else _name(part) for part in where]
    return "$" + "".join(parts)[:300]


def _name(key: str) -> str:
    return f".{key}" if key.isidentifier() and key.isascii() else f"[{json.dumps(key)}]"
