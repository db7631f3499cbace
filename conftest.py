"""What every test of the house gets: a PostgreSQL of its own when it asks for one, and no network but loopback."""

import contextlib
import gc
import os
import re
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import pytest_socket

from crossdock.cli.postgres import Cluster
from crossdock.config import Config
from crossdock_lab import patience, seed

# What each file costs of the processor stands at the end of a run by `suite.py`.
pytest_plugins = ["processor"]

# What a busy machine makes slowly is not made wrongly.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")


def _cluster(data: Path, begin: Path | None = None) -> Cluster:
    return Cluster.of(Config(data=data), durable=False, seed=begin)


def _remove(data: Path) -> None:
    cluster = _cluster(data)
    cluster.stop()
    shutil.rmtree(data, ignore_errors=True)
    if cluster.socket.parent != data:
        shutil.rmtree(cluster.socket, ignore_errors=True)


def _clear_up_after_the_killed() -> None:
    for left in Path(tempfile.gettempdir()).glob("crossdock-test-*-*"):
        owner = re.match(r"crossdock-test-(\d+)-", left.name)
        # Another run may be clearing up as well.
        with contextlib.suppress(FileNotFoundError):
            if owner and left.stat().st_uid == os.getuid() and not Path(f"/proc/{owner[1]}").exists():
                _remove(left)


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The test run's PostgreSQL, without fsync. Whoever comes first starts it; the end of the run stops it."""
    data = Path(os.environ["CROSSDOCK_TEST_DATA"])
    if os.getuid() == 0:
        # The server's system user has to enter this folder, which is ours.
        data.chmod(0o755)
    cluster = _cluster(data, seed.there())
    cluster.start()
    return cluster


@pytest.fixture(autouse=True)
def nobody_asks_for_the_brand() -> None:
    """It is asked for once in half a minute, which would be a statement more at a moment that nobody knows. A test
    that sets one leaves it to none after it.
    """
    from crossdock.domain.site.brand import Brand
    from crossdock.usecases.record.brand import Known

    Known.brand, Known.until = Brand(), float("inf")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(cluster: Cluster, django_db_modify_db_settings_parallel_suffix: None) -> None:
    """pytest-django's hook before it makes the test database: the server has to be there."""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """What Django derives from the models stays when a test's rows are deleted (`emptying`): to look for it again after
    each of some 300 tests took as long as the tests themselves. Connections that the tests' threads kept are closed.
    """
    from django.contrib.auth.management import create_permissions
    from django.contrib.contenttypes.management import create_contenttypes
    from django.db.models.signals import post_migrate

    import aside

    post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")
    post_migrate.disconnect(create_contenttypes)
    yield
    aside.close()
    post_migrate.connect(create_contenttypes)
    post_migrate.connect(create_permissions, dispatch_uid="django.contrib.auth.management.create_permissions")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    _clear_up_after_the_killed()
    if patience.NAME not in os.environ:
        os.environ[patience.NAME] = str(patience.measured())
    # pytest-timeout's own limit for tests that name none; the marks are scaled below.
    os.environ["PYTEST_TIMEOUT"] = str(patience.patient(float(config.getini("timeout"))))


def pytest_report_header() -> str:
    return f"patience: {patience.factor():g} times a quiet machine's"


def pytest_unconfigure(config: pytest.Config) -> None:
    data = os.environ.get("CROSSDOCK_TEST_DATA")
    if data and not hasattr(config, "workerinput"):
        _remove(Path(data))


@pytest.fixture(scope="session", autouse=True)
def _scenarios_wait_as_tests_do() -> None:
    """For a delivery or a count, longer on a machine that is slower."""
    from crossdock.kit.conformance import stage

    stage.PATIENCE_SECONDS = patience.patient(stage.PATIENCE_SECONDS)


@pytest.fixture(autouse=True)
def _loopback_only() -> Iterator[None]:
    """Anything but loopback and unix sockets raises; a look-up of a foreign name fails with it."""
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1"], allow_unix_socket=True)
    yield
    pytest_socket._remove_restrictions()


@pytest.fixture(autouse=True)
def _footer_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which pages a footer links to is known for good, so that no count of statements depends on the clock; a test of
    these pages forgets it.
    """
    from crossdock.usecases.record import pages

    monkeypatch.setattr(pages._Links, "found", ())
    monkeypatch.setattr(pages._Links, "until", float("inf"))


@pytest.fixture(autouse=True)
def _signed_in_just_now() -> Iterator[None]:
    """Whom a test's client signs in by force has proved a moment ago who they are, as after a real sign-in."""
    from allauth.account.internal.flows.login import record_authentication
    from django.contrib.auth.signals import user_logged_in

    def proved(sender: object, request: Any, user: Any, **more: object) -> None:
        # A real request says where it comes from.
        if "REMOTE_ADDR" not in request.META:
            record_authentication(request, user, "password", reauthenticated=True)

    user_logged_in.connect(proved)
    yield
    user_logged_in.disconnect(proved)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where NO_SKIPS is set (.ci/run), a browser, crash or real test that was skipped has failed: a proof that did not
    run is none.
    """
    report = yield
    unproved = (
        report.skipped
        and not hasattr(report, "wasxfail")
        and any(map(item.get_closest_marker, ("browser", "crash", "real")))
    )
    if unproved and os.environ.get("NO_SKIPS"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and may not be here: {report.longrepr}"
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    if config.getoption("dist") != "loadfile":
        return None
    # Not at import: without xdist there is nothing to share out.
    from shares import Shares

    return Shares(config, log)


def _long(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("timeout")
    return item.get_closest_marker("long") is not None or (
        marker is not None and bool(marker.args) and marker.args[0] >= 400
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long plays begin first, whatever the order of the rest: at the end one process would run them while the other
    has nothing to do.
    """
    items.sort(key=lambda item: not _long(item))
    for item in items:
        if (marker := item.get_closest_marker("timeout")) and marker.args:
            item.add_marker(pytest.mark.timeout(patience.patient(marker.args[0])), append=False)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What was imported and collected stays until the end; to look through it for garbage time and again took a tenth
    of the processor's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
