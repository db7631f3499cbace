"""The connector and its simulator against an unmodified Medusa: the suite's scenarios, played one by one.

Each test makes its own products and orders and looks at nothing else.
"""

from collections.abc import AsyncIterator, Iterator

import pytest
from medusa_server import RealMedusa, fresh

from crossdock.cli.postgres import Cluster
from crossdock.connectors.medusa import connector
from crossdock.domain.capability import Pace
from crossdock.kit.conformance import Scenario, Stage, called_for, staged_at

pytestmark = [pytest.mark.real, pytest.mark.timeout(900), pytest.mark.xdist_group("medusa")]
FAST = Pace(1000, 1000, 20)
# About words of ours, or the same as another one here with more rows: a product takes this server half a second.
ELSEWHERE = {
    102,
    105,
    106,
    107,
    204,
    207,
    209,
    210,
    304,
    404,
    407,
    413,
    414,
    415,
    418,
    419,
    504,
    507,
    510,
    602,
    604,
    605,
}
ELSEWHERE |= {606, 621, 702}


@pytest.fixture(scope="module")
def server(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealMedusa]:
    running = fresh(tmp_path_factory.mktemp("medusa"), cluster)
    yield running
    running.stop()


@pytest.fixture
async def stage(server: RealMedusa) -> AsyncIterator[Stage]:
    async with server.site() as site, staged_at(connector, site, pace=FAST) as connected:
        yield connected


def _played() -> list[Scenario]:
    return [item for item in called_for(connector.manifest, real=True) if item.number not in ELSEWHERE]


@pytest.mark.parametrize("scenario", _played(), ids=lambda item: str(item.number))
async def test_conformance(scenario: Scenario, stage: Stage) -> None:
    await scenario.run(stage)
