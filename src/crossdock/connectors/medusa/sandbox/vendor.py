"""What the vendor's Admin API says of a body: its fields and their types (vendor.json, whose first lines name the
source).

The validator is there in development only; a demo answers without it.
"""

import json
import re
from functools import lru_cache
from importlib.resources import files
from typing import Any

try:
    from jsonschema import Draft202012Validator
except ImportError:  # requirements/dev.in
    Draft202012Validator = None  # type: ignore[assignment, misc]

_IDS = re.compile(r"(?<=/)[a-z_]+_01[A-Z0-9]+(?=/|$)")


@lru_cache
def _bodies() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(files(__package__).joinpath("vendor.json").read_text("utf-8"))
    bodies: dict[str, Any] = read["bodies"]
    return bodies


def wrong_body(method: str, path: str, body: Any) -> str:
    """Empty when it is as documented; the first thing that is not."""
    schema = _bodies().get(f"{method} {_IDS.sub('{}', path)}")
    if schema is None or Draft202012Validator is None:
        return ""
    errors = Draft202012Validator(schema).iter_errors(body)
    return next((f"{error.json_path}: {error.message[:200]}" for error in errors), "")
