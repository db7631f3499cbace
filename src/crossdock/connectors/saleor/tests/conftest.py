"""A fresh simulated shop per test, connected."""

from collections.abc import AsyncIterator

import pytest

from crossdock.connectors.saleor import connector
from crossdock.connectors.saleor.sandbox import Sandbox
from crossdock.connectors.saleor.sandbox.books import Books
from crossdock.kit.conformance import Stage, staged


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged(connector, Sandbox) as connected:
        yield connected


@pytest.fixture
def books(stage: Stage) -> Books:
    """The simulated shop's own books."""
    assert isinstance(stage.sandbox, Sandbox)
    return stage.sandbox.books
