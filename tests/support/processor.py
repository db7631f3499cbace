"""What each test takes of the processor, told with its last report: on a shared machine the clock says little.

A plugin of pytest, named in conftest.py.
"""

import resource
from collections.abc import Generator
from typing import Any

import pytest

NAME = "processor"
_BEGAN = pytest.StashKey[float]()


def _taken() -> float:
    """Seconds of this process and of those that it started and has waited for; the database's are not among them."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    item.stash[_BEGAN] = _taken()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "teardown":
        report.user_properties.append((NAME, _taken() - item.stash[_BEGAN]))
    return report
