"""A simulated shop, connected."""

from collections.abc import AsyncIterator

import pytest

from crossdock.connectors.adobe_commerce import connector
from crossdock.connectors.adobe_commerce.sandbox import Sandbox
from crossdock.connectors.adobe_commerce.sandbox.books import Books
from crossdock.kit.conformance.stage import Stage, staged


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged(connector, Sandbox) as connected:
        yield connected


@pytest.fixture
def books(stage: Stage) -> Books:
    assert isinstance(stage.sandbox, Sandbox)
    return stage.sandbox.books
