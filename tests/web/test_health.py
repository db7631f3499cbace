"""/healthz: what a load balancer reads."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import path

from crossdock.web.health import healthz

urlpatterns = [path("healthz", healthz)]
pytestmark = pytest.mark.urls(__name__)


@pytest.mark.django_db
def test_the_database_answers_and_no_worker_was_seen() -> None:
    answer = Client().get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"database": "ok", "worker_heartbeat_age": None, "version": "0.1.0"}
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.django_db
def test_the_newest_worker_s_age() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '90 s'), (now() - interval"
            " '5 s')"
        )
    assert 5 <= Client().get("/healthz").json()["worker_heartbeat_age"] < 60


@pytest.fixture
def _gone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(connection, "cursor", refuse)


@pytest.mark.django_db
@pytest.mark.usefixtures("_gone")
def test_a_database_that_is_gone_is_503() -> None:
    answer = Client().get("/healthz")
    assert (answer.status_code, answer.json()["database"]) == (503, "unreachable")


@pytest.mark.django_db
def test_reading_only() -> None:
    assert Client().post("/healthz").status_code == 405


GB = 1024**3


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("total", "free", "full"),
    [
        (40 * GB, 20 * GB, False),
        (40 * GB, GB, False),
        (40 * GB, GB // 2, True),
        (10 * GB, 499 * 1024**2, True),
        (10 * GB, 501 * 1024**2, False),
        (4000 * GB, 11 * GB, False),
        (4000 * GB, 9 * GB, True),
    ],
)
def test_a_disk_that_is_nearly_full_wakes_people(
    total: int, free: int, full: bool, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    asked = []

    def usage(folder: object) -> Any:
        asked.append(folder)
        return SimpleNamespace(total=total, used=total - free, free=free)

    monkeypatch.setattr("crossdock.web.health.shutil.disk_usage", usage)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now())")
    answer = Client().get("/healthz?deep=1")
    assert answer.status_code == (503 if full else 200)
    said = answer.json()["disk"]
    assert (f"{free // 1024**2} MB of {total // 1024**2} MB are free" in said) if full else (said == "ok")
    assert asked == [settings.CONFIG.data] and str(settings.CONFIG.data) not in answer.content.decode()
    assert Client().get("/healthz").status_code == 200, "a full disk takes no server out of the load balancer"


@pytest.mark.django_db
def test_a_data_folder_that_is_gone_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(folder: object) -> Any:
        raise FileNotFoundError(2, "No such file", str(folder))

    monkeypatch.setattr("crossdock.web.health.shutil.disk_usage", gone)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now())")
    answer = Client().get("/healthz?deep=1")
    assert answer.status_code == 503
    assert answer.json()["disk"].startswith("The data folder cannot be read (FileNotFoundError).")
