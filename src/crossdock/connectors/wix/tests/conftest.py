"""A fresh simulated site per test, connected; and one of the older catalogue."""

from collections.abc import AsyncIterator

import pytest

from crossdock.connectors.wix import connector
from crossdock.connectors.wix.sandbox import Older, Sandbox
from crossdock.connectors.wix.sandbox.books import Books
from crossdock.kit.conformance import Stage, staged


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged(connector, Sandbox) as connected:
        yield connected
        assert not connected.sandbox.shelf.ledger("not as documented")


@pytest.fixture
async def older() -> AsyncIterator[Stage]:
    async with staged(connector, Older) as connected:
        yield connected
        assert not connected.sandbox.shelf.ledger("not as documented")


@pytest.fixture
def books(stage: Stage) -> Books:
    """The simulated site's own books."""
    assert isinstance(stage.sandbox, Sandbox)
    return stage.sandbox.books


@pytest.fixture
def older_books(older: Stage) -> Books:
    assert isinstance(older.sandbox, Sandbox)
    return older.sandbox.books


@pytest.fixture(params=[Sandbox, Older], ids=["newer", "older"])
async def either(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    """One of each catalogue."""
    async with staged(connector, request.param) as connected:
        yield connected
