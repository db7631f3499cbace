"""A simulated store, connected."""

from collections.abc import AsyncIterator

import pytest

from crossdock.connectors.medusa import connector
from crossdock.connectors.medusa.sandbox import Sandbox
from crossdock.connectors.medusa.sandbox.books import Books
from crossdock.kit.conformance.stage import Stage, staged


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged(connector, Sandbox) as connected:
        yield connected


@pytest.fixture
def books(stage: Stage) -> Books:
    assert isinstance(stage.sandbox, Sandbox)
    return stage.sandbox.books
