"""The address that a seller types, and those that others wrote."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol
from urllib.parse import urlsplit

from crossdock.kit.errors import BadInput, Strange
from crossdock.kit.json_node import Node

_PLAIN = re.compile(r"[0-9A-Za-z_-]{1,64}")
WRONG = "Type the address of your shop, for example https://shop.example.com."
_HOST = re.compile(r"[\w.-]+|[0-9a-f:]+")


def typed(text: str, *, local: bool, wrong: str, keep: str, pages: Sequence[str] = (), plain: bool = False) -> str:
    """The canonical base URL of a shop that its seller names by any of its pages.

    What follows one of `pages` (paths of the platform's own) is cut off. `keep` is what nobody may read on the way;
    `plain` takes no query and no fragment. Raises BadInput, with `wrong` where it is no address at all.
    """
    text = text.strip()
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise BadInput(wrong) from None
    if not _HOST.fullmatch(host) or parts.username is not None or parts.password is not None:
        raise BadInput(wrong)
    if plain and (parts.query or parts.fragment):
        raise BadInput(wrong)
    if parts.scheme != "https" and not (local and parts.scheme == "http"):
        raise BadInput(f"The address must begin with https://, so that your {keep} cannot be read on the way.")
    cut = "|".join(rf"{re.escape(page)}\b" for page in pages)
    path = (re.split(cut, parts.path)[0] if pages else parts.path).rstrip("/")
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}{f':{port}' if port else ''}{path}"


class Address(Protocol):
    """`address` of a folder's `connect`."""

    def __call__(self, form: Mapping[str, str], *, local: bool) -> str: ...


def typed_in(*, keep: str, wrong: str = WRONG, pages: Sequence[str] = (), plain: bool = False) -> Address:
    """Of a platform whose shops have addresses of their own."""

    def address(form: Mapping[str, str], *, local: bool) -> str:
        return typed(form.get("address", ""), local=local, wrong=wrong, keep=keep, pages=pages, plain=plain)

    return address


def hosted(
    text: str, *, host: str, path: re.Pattern[str], local: bool, wrong: str, keep: str, plain: bool = True
) -> str:
    """The same of a platform that has one host for all its shops, which alone gets the credentials: the first group of
    `path` names the shop.
    """
    parts = urlsplit(typed(text, local=local, wrong=wrong, keep=keep, plain=plain))
    found = path.fullmatch(parts.path)
    if found is None or not (local or parts.netloc == host):
        raise BadInput(wrong)
    return f"{parts.scheme}://{parts.netloc}{found[1]}"


def called(address: str, host: str) -> str:
    """Where to call a shop of such a platform: its host, whatever address was typed; only what runs on this machine
    answers itself.
    """
    parts = urlsplit(address)
    return f"http://{parts.netloc}" if parts.scheme == "http" else host


def path_of(url: str) -> str:
    """Of a web address that somebody else wrote; empty when it is none."""
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def is_number(said: str) -> bool:
    """Whether it can be an id, where a platform's ids are whole numbers."""
    return said.isascii() and said.isdigit() and len(said) < 20


def is_plain(said: str) -> bool:
    """Whether it can be an id, where a platform's ids are letters, digits and dashes: ObjectIds, UUIDs."""
    return _PLAIN.fullmatch(said) is not None


def plain(node: Node, key: str = "id", *, fits: Callable[[str], bool] = is_plain) -> str:
    """Such an id, which becomes a part of the addresses that are asked next. Raises Strange."""
    if not fits(id_ := node.id(key)):
        raise Strange(f"{node.path}.{key}", "id", id_)
    return id_


def number(node: Node, key: str = "id") -> str:
    """Such an id, which becomes a part of the addresses that are asked next. Raises Strange."""
    if not is_number(id_ := node.id(key)):
        raise Strange(f"{node.path}.{key}", "whole number", id_)
    return id_


def of_whole_numbers(path: str) -> None:
    """Raises Strange unless this path of an API is made of plain words and whole numbers: where an id is one, what an
    answer calls an id becomes a part of the next address.
    """
    if not (path.isascii() and path.replace("/", "_").isidentifier()):
        raise Strange("id", "whole number", path)
