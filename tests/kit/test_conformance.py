"""Every discovered platform plays every scenario that its capabilities call for.

The counts are printed at the end of the run.
"""

from collections import Counter
from typing import Any

import pytest

import picking
from crossdock.domain.capability import Capability, Yes
from crossdock.kit import conformance, discover
from crossdock.kit.conformance import Scenario

PLAYED = [
    pytest.param(name, item, id=f"{name}-{item.number}")
    for name in picking.platforms()
    for item in conformance.called_for(discover.connector(name).manifest)
]
# What a platform says yes to without a scenario of its own, and why that is no gap.
PROVED_ELSEWHERE = {
    Capability.ORDER_CLAIMS_STOCK: "406, 407 and 410 hold for every platform that creates orders",
    Capability.CANCEL_THERE_CANCELS_HERE: "a decision of ours on what 505 proves",
}


class Counts:
    """Prints how many scenarios were played on which platform."""

    def __init__(self) -> None:
        self.passed: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        whole = len(conformance.scenarios())
        for name in picking.platforms():
            connector = discover.connector(name)
            called = len(conformance.called_for(connector.manifest))
            terminalreporter.write_line(
                f"conformance {name}: {self.passed[name]} passed, {self.failed[name]} failed, "
                f"{called} of {whole} scenarios called for, {whole - called} not"
            )


@pytest.fixture(scope="module")
def counts(request: pytest.FixtureRequest) -> Counts:
    counts = Counts()
    request.config.pluginmanager.register(counts)
    return counts


@pytest.mark.long
@pytest.mark.parametrize(("name", "item"), PLAYED)
async def test_the_platform_conforms(name: str, item: Scenario, counts: Counts) -> None:
    counts.failed[name] += 1
    await conformance.run(item, discover.connector(name), discover.sandbox(name))
    counts.failed[name] -= 1
    counts.passed[name] += 1


def test_every_yes_is_proved_by_a_scenario() -> None:
    needed = {need for item in conformance.scenarios() for need in item.needs} | PROVED_ELSEWHERE.keys()
    for name, connector in discover.connectors().items():
        said = {capability for capability, answer in connector.manifest.answers.items() if isinstance(answer, Yes)}
        assert not said - needed, f"{name} says yes to something that no scenario proves"


def test_there_are_as_many_scenarios_as_ever() -> None:
    numbers = [item.number for item in conformance.scenarios()]
    assert numbers == sorted(set(numbers))
    assert len(numbers) >= 120
