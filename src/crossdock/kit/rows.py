"""One odd row concerns that row alone: what a page holds is read row by row, and what trips becomes an Unreadable."""

import re
import traceback
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from crossdock.domain.events import LookKind, ProductGone, ShopProduct, Unreadable
from crossdock.kit.errors import NoAnswer, NotJson, Outside, Strange
from crossdock.kit.json_node import Node, node_of

S = TypeVar("S")
T = TypeVar("T")
_INDEX = re.compile(r"\[\d+\]")


def id_of(node: Node) -> str:
    """Where an id is whatever the platform says. Raises Strange where there is none."""
    return node.id("id")


def read_row(kind: LookKind, entity_id: str, read: Callable[[], T]) -> T | Unreadable:
    """What `read` makes of one row, or why it could not be understood.

    Raises Outside of any other kind than Strange: that is the party's trouble, not the row's.
    """
    try:
        return read()
    except Exception as error:
        return unread(kind, entity_id, error)


@contextmanager
def order_with(reference: str) -> Iterator[None]:
    """Around the reading of an order: what trips says whether it carries a reference of ours. One of the shop's own
    that nobody can read is nobody's trouble here.
    """
    try:
        yield
    except Strange as error:
        error.ours = bool(reference)
        raise


async def await_row(kind: LookKind, entity_id: str, read: Callable[[], Awaitable[T]]) -> T | Unreadable:
    """The same for a row that needs calls of its own."""
    try:
        return await read()
    except Exception as error:
        return unread(kind, entity_id, error)


async def odd(call: Awaitable[T]) -> T | Strange:
    """What it answers, or why the answer is odd: a list beside the rows, without which they can be read all the same.

    Raises NotJson, where no answer came at all.
    """
    try:
        return await call
    except NotJson:
        raise
    except Strange as error:
        return error


def unread(kind: LookKind, entity_id: str, error: Exception) -> Unreadable:
    """Called in the handler of `error`. Raises it again when it is the party's trouble and not the row's."""
    if isinstance(error, Strange) and not isinstance(error, NotJson):
        cause = _INDEX.sub("[]", str(error))
        return Unreadable(kind, entity_id, cause, error.path, traceback.format_exc(), ours=error.ours)
    if isinstance(error, Outside):
        raise error
    cause = f"This {kind} could not be understood ({type(error).__name__})."
    return Unreadable(kind, entity_id, cause, trace=traceback.format_exc())


def read_rows(
    kind: LookKind, values: Iterable[Any], id_of: Callable[[Node], str], read: Callable[[Node], T]
) -> list[T | Unreadable]:
    """What `read` makes of each entry of a list, each on its own. `id_of` raises Strange where there is no id."""
    return read_each(kind, (named(kind, value, id_of) for value in values), id_of, read)


def read_each(
    kind: LookKind, rows: Iterable[S | Unreadable], id_of: Callable[[S], str], read: Callable[[S], T]
) -> list[T | Unreadable]:
    """What `read` makes of each row; those that could not be understood before stay as they are."""
    return [row if isinstance(row, Unreadable) else read_row(kind, id_of(row), partial(read, row)) for row in rows]


def read_parts(
    kind: LookKind, rows: Iterable[S | Unreadable], id_of: Callable[[S], str], read: Callable[[S], Iterable[T]]
) -> list[T | Unreadable]:
    """The same where one row tells several things, or none."""
    found: list[T | Unreadable] = []
    for each in read_each(kind, rows, id_of, read):
        found += [each] if isinstance(each, Unreadable) else each
    return found


async def await_each(
    kind: LookKind,
    rows: Iterable[S | Unreadable],
    id_of: Callable[[S], str],
    read: Callable[[S], Awaitable[T]],
) -> list[T | Unreadable]:
    """The same for rows that need calls of their own, one after the other."""
    return [
        row if isinstance(row, Unreadable) else await await_row(kind, id_of(row), partial(read, row)) for row in rows
    ]


def named(kind: LookKind, value: Any, id_of: Callable[[Node], str]) -> Node | Unreadable:
    """The entry as an object with an id, or why it is none."""

    def known() -> Node:
        node = node_of(value, str(kind))
        id_of(node)
        return node

    return read_row(kind, "", known)


def readable(items: Iterable[T | Unreadable]) -> tuple[T, ...]:
    """Without the rows that could not be understood."""
    return tuple(item for item in items if not isinstance(item, Unreadable))


def readable_products(items: Iterable[ShopProduct | ProductGone | Unreadable]) -> tuple[ShopProduct | ProductGone, ...]:
    """The same for products: a type of two kinds cannot be inferred out of a union of three."""
    return tuple(item for item in items if not isinstance(item, Unreadable))


def certain(items: Iterable[T | Unreadable]) -> tuple[T, ...]:
    """All of them, where something is decided by them. Raises NoAnswer when one could not be understood."""
    for item in unreadable(items := tuple(items)):
        raise NoAnswer(item.cause)
    return readable(items)


def unreadable(items: Iterable[object]) -> tuple[Unreadable, ...]:
    """Only the rows that could not be understood."""
    return tuple(item for item in items if isinstance(item, Unreadable))
