"""Where work is handed on, in the words of whoever hands it on; nothing of it is told while traces are off."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

NOTHING: AbstractContextManager[None] = nullcontext()


class Quiet:
    """What is told at the points where work is handed on: from whoever wants something to the worker, which may do it
    in another process, much later.
    """

    def put_in_line(self, commands: Sequence[Any]) -> None:
        """These rows (store/models/work.py Command) were written, and are carried out once this is committed."""

    def kept(self, party_id: int, dedupe: str, topic: str, done: Any) -> None:
        """A delivery is being kept; the future `done` ends with its commit."""

    def look(self, look: Any, rows: Sequence[Any]) -> AbstractContextManager[object]:
        """Around reading what one of these deliveries (rows of Delivery) named as `look`."""
        return NOTHING


class _Told:
    """One per process, like logging's root."""

    by: Quiet = Quiet()


told = _Told()
