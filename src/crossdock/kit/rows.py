"""One odd row concerns that row alone: what a page holds is read row by row, and what trips becomes an Unreadable."""

import traceback
from collections.abc import Callable, Iterable
from typing import TypeVar

from crossdock.domain.events import LookKind, ProductGone, ShopProduct, Unreadable
from crossdock.kit.errors import Outside, Strange

T = TypeVar("T")


def read_row(kind: LookKind, entity_id: str, read: Callable[[], T]) -> T | Unreadable:
    """What `read` makes of one row, or why it could not be understood.

    Raises Outside of any other kind than Strange: that is the party's trouble, not the row's.
    """
    try:
        return read()
    except Strange as error:
        return Unreadable(kind, entity_id, str(error), error.path, traceback.format_exc())
    except Outside:
        raise
    except Exception as error:
        cause = f"This {kind} could not be understood ({type(error).__name__})."
        return Unreadable(kind, entity_id, cause, trace=traceback.format_exc())


def readable(items: Iterable[T | Unreadable]) -> tuple[T, ...]:
    """Without the rows that could not be understood."""
    return tuple(item for item in items if not isinstance(item, Unreadable))


def readable_products(items: Iterable[ShopProduct | ProductGone | Unreadable]) -> tuple[ShopProduct | ProductGone, ...]:
    """The same for products: a type of two kinds cannot be inferred out of a union of three."""
    return tuple(item for item in items if not isinstance(item, Unreadable))


def unreadable(items: Iterable[object]) -> tuple[Unreadable, ...]:
    """Only the rows that could not be understood."""
    return tuple(item for item in items if isinstance(item, Unreadable))
