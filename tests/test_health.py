"""/healthz: what a load balancer reads."""

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
