"""A fresh simulated site per test, connected."""

from collections.abc import AsyncIterator

import pytest

from crossdock.connectors.squarespace import connector
from crossdock.connectors.squarespace.sandbox import Sandbox
from crossdock.connectors.squarespace.sandbox.books import Books
from crossdock.kit.conformance import Stage, staged


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged(connector, Sandbox) as connected:
        yield connected


@pytest.fixture
def books(stage: Stage) -> Books:
    """The simulated site's own books."""
    assert isinstance(stage.sandbox, Sandbox)
    return stage.sandbox.books
