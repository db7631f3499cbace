"""What the vendor's OpenAPI says of a request: the fields of a body with their types, and the filters of a list."""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from crossdock.kit.sandbox import schema

_IDS = re.compile(r"/\d+(?=/|$)")


@lru_cache
def _document() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(files(__package__).joinpath("vendor.json").read_text("utf-8"))
    return read


def wrong_body(method: str, path: str, body: Any) -> str:
    """Empty when it is as documented; the first thing that is not."""
    name = f"{method} {_IDS.sub('/{}', path)}"
    wanted = _document()["bodies"].get(name)
    return f"{name} takes no body" if wanted is None else schema.problem(schema.validator(wanted), body)


def wrong_query(path: str, query: Mapping[str, str]) -> str:
    name = _IDS.sub("/{}", path)
    known = _document()["filters"].get(name, [])
    for filter_ in query:
        if filter_ not in known:
            return f"{name} knows no filter {filter_!r}"
    sort = query.get("sort", "").partition(":")[0]
    return f"{name} cannot be sorted by {sort!r}" if sort and sort not in _document()["sorts"].get(name, []) else ""
