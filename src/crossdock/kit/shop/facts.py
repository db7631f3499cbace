"""What is only written down of a platform (fields, rights, the documents that are sent), as data beside its code."""

import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from string import Formatter
from typing import Any

_ALONE = re.compile(r"\{([\w.]+)\}")


def load(package: str, name: str) -> dict[str, Any]:
    """The tables of a package's `name`.toml."""
    return tomllib.loads(files(package).joinpath(f"{name}.toml").read_text("utf-8"))


def filled(document: Mapping[str, str], **values: Any) -> dict[str, str]:
    """A document with the names in its braces filled in, each by one of `values` or a part of it (`{to.city}`).
    What is filled in is never read as a name itself.
    """
    return {name: words.format(**values) for name, words in document.items()}


def body(document: Mapping[str, Any], **values: Any) -> dict[str, Any]:
    """A JSON document of a platform, filled in at any depth. A text that is one name alone becomes that value as it
    is: a number, a list, an object.
    """
    return {name: _made(part, values) for name, part in document.items()}


def _made(part: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(part, dict):
        return body(part, **values)
    if isinstance(part, list):
        return [_made(each, values) for each in part]
    if not isinstance(part, str):
        return part
    alone = _ALONE.fullmatch(part)
    return Formatter().get_field(alone[1], (), values)[0] if alone else part.format(**values)


def full(document: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is empty (a text, an object), where a platform wants a field left out then."""
    parts = {name: full(part) if isinstance(part, dict) else part for name, part in document.items()}
    return {name: part for name, part in parts.items() if part not in ("", {})}


def fitting(said: str, refused: str, longest: int) -> str:
    """Text without what a platform refuses in it (a pattern; a blank takes its place), as long as its field."""
    return " ".join(re.sub(refused, " ", said).split())[:longest].strip()
