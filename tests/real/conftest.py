"""One real Vendure for all tests of this folder. Each makes its own products and orders and looks at nothing else."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from crossdock.connectors.vendure import connector
from crossdock.domain.capability import Pace
from crossdock.kit.conformance import Stage, staged_at

sys.path.insert(0, str(Path(__file__).parent))
from vendure_server import RealVendure, fresh


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealVendure]:
    running = fresh(tmp_path_factory.mktemp("vendure"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
async def stage(server: RealVendure) -> AsyncIterator[Stage]:
    """Connected with an administrator's name and password: an API key costs the server a fifth of a second per call."""
    async with server.site() as site, staged_at(connector, site, pace=Pace(1000, 1000, 20)) as connected:
        yield connected


@pytest.fixture
def operations() -> list[str]:
    """Every operation of the connector's documents."""
    from cut_schema import operations as named

    return named()
