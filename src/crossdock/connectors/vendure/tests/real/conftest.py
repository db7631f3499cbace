"""One real Vendure on PostgreSQL for its tests, and one on SQLite for those marked `both`.

Each test makes its own products and orders and looks at nothing else.
"""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from crossdock.connectors.vendure import connector
from crossdock.connectors.vendure.tests.real.server import RealVendure, fresh
from crossdock.domain.capability import Pace
from crossdock.kit.conformance import Stage, staged_at

# `.ci/run` plays the second with every other commit.
DATABASES = ("postgres", "sqlite")[: 1 if os.environ.get("REAL_SQLITE") == "no" else 2]


@pytest.fixture(scope="session", params=DATABASES)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealVendure]:
    """Most shops run PostgreSQL; there payments run side by side, and dates are finer than seconds."""
    cluster = request.getfixturevalue("cluster") if request.param == "postgres" else None
    running = fresh(tmp_path_factory.mktemp("vendure"), cluster=cluster)
    running.start()
    yield running
    running.stop()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Only what depends on the database is played on both, each server's tests by one process: `make test-real` has
    two. pytest hands over what was collected anywhere; what is another platform's is left as it is.
    """
    mine = [item for item in items if Path(__file__).parent in item.path.parents]

    def once(item: pytest.Item) -> bool:
        on = getattr(item, "callspec", None)
        return on is None or on.params.get("server") != "sqlite" or item.get_closest_marker("both") is not None

    left_out = {item for item in mine if not once(item)}
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]
    for item in mine:
        if item in left_out or item.get_closest_marker("xdist_group") is not None:
            continue
        on = getattr(item, "callspec", None)
        item.add_marker(pytest.mark.xdist_group(on.params.get("server", DATABASES[0]) if on else DATABASES[0]))


@pytest.fixture
async def stage(server: RealVendure) -> AsyncIterator[Stage]:
    """Connected with an administrator's name and password: an API key costs the server a fifth of a second per call."""
    async with server.site() as site, staged_at(connector, site, pace=Pace(1000, 1000, 20)) as connected:
        yield connected


@pytest.fixture
def operations() -> list[str]:
    """Every operation of the connector's documents."""
    from crossdock.connectors.vendure.tests.real.cut_schema import operations as named

    return named()
