"""What the vendor's swagger says of a request (vendor.json): the fields of a body with their types, and what a list can
be filtered by.
"""

import json
import re
from functools import lru_cache
from importlib.resources import files
from typing import Any

from crossdock.kit.sandbox import schema

_IDS = re.compile(r"(?<=/)(?:\d+|[a-z0-9]{32})(?=/|$)")


@lru_cache
def _document() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(files(__package__).joinpath("vendor.json").read_text("utf-8"))
    return read


def wrong_body(method: str, path: str, body: Any) -> str:
    """Empty when it is as documented; the first thing that is not. Some writes take no body."""
    name = f"{method} {_IDS.sub('{}', path)}"
    wanted = _document()["bodies"].get(name)
    if wanted is None:
        return f"{name} takes no body" if body is not None else ""
    return schema.problem(schema.validator(wanted), body)


def filters(name: str) -> list[str]:
    found: list[str] = _document()["filters"][name]
    return found


def answers(name: str) -> dict[str, str]:
    """Fields of an answer with their types."""
    found: dict[str, str] = _document()["answers"][name]
    return found
