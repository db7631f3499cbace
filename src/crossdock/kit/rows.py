"""One odd row concerns that row alone: what a page holds is read row by row, and what trips becomes an Unreadable."""

import traceback
from collections.abc import Callable
from typing import TypeVar

from crossdock.domain.events import LookKind, Unreadable
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
