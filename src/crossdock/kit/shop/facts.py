"""What is only written down of a platform (fields, rights, the documents that are sent), as data beside its code."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any


def load(package: str, name: str) -> dict[str, Any]:
    """The tables of a package's `name`.toml."""
    return tomllib.loads(files(package).joinpath(f"{name}.toml").read_text("utf-8"))


def filled(document: Mapping[str, str], **values: Any) -> dict[str, str]:
    """A document with the names in its braces filled in, each by one of `values` or a part of it (`{to.city}`).
    What is filled in is never read as a name itself.
    """
    return {name: words.format(**values) for name, words in document.items()}
