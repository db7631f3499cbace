"""The corner shop, importable by tests without being discovered: its folder is on the search path only while it is
dropped in.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import crossdock.connectors

FOLDER = str(Path(__file__).parent / "toy_connector")


@contextmanager
def dropped_in(folder: str = FOLDER) -> Iterator[None]:
    """One more place where platforms' folders are."""
    crossdock.connectors.__path__.append(folder)
    try:
        yield
    finally:
        crossdock.connectors.__path__.remove(folder)


with dropped_in():
    from crossdock.connectors.toy import Toy, reading
    from crossdock.connectors.toy.sandbox import Sandbox

__all__ = ["FOLDER", "Sandbox", "Toy", "dropped_in", "reading"]
