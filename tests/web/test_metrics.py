"""/metrics: who may read it, what it says, and that every alert rule and dashboard panel asks for what is there."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from django.utils import timezone

import market
from crossdock.store.models import Command, Connection, Cursor, Delivery, Party, Quarantined
from crossdock.usecases.record.audit import note
from crossdock.web import metrics as measured
from crossdock.web.metrics import metrics
from crossdock_lab.day.alarms import Rule, Samples, Watch, rules, samples

DEPLOY = Path(__file__).parents[2] / "deploy" / "prometheus"


def broken(request: HttpRequest) -> HttpResponse:
    return HttpResponse("broken", status=500)


def asks(request: HttpRequest) -> HttpResponse:
    for _ in range(3):
        Party.objects.count()
    return HttpResponse("done")


urlpatterns = [path("metrics", metrics), path("broken", broken, name="broken"), path("asks", asks, name="asks")]
pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _on(settings: Any) -> None:
    settings.MIDDLEWARE = ["crossdock.web.middleware.TrustedProxies", "crossdock.web.metrics.Measured"]


def read(**given: Any) -> Samples:
    answer = Client().get("/metrics", **given)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    return samples(answer.content.decode())


class TestWhoMayRead:
    def test_this_machine_alone_without_a_token(self) -> None:
        assert Client().get("/metrics").status_code == 200
        assert Client().get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 404

    def test_what_a_proxy_of_this_machine_passes_on_is_not_of_this_machine(self) -> None:
        """No proxy is named in TRUSTED_PROXIES here: its headers are removed, and it was the world all the same."""
        for header in ({"HTTP_X_FORWARDED_FOR": "203.0.113.9"}, {"HTTP_X_FORWARDED_PROTO": "https"}):
            assert Client().get("/metrics", **header).status_code == 404

    def test_with_a_token_whoever_has_it(self, settings: Any) -> None:
        settings.CONFIG = settings.CONFIG.model_copy(update={"metrics_token": "a-token-of-some-length"})
        assert Client().get("/metrics").status_code == 404
        wrong = {"HTTP_AUTHORIZATION": "Bearer a-token-of-some-lengtH"}
        right = {"HTTP_AUTHORIZATION": "Bearer a-token-of-some-length", "REMOTE_ADDR": "203.0.113.9"}
        assert Client().get("/metrics", **wrong).status_code == 404
        assert Client().get("/metrics", **right).status_code == 200
        assert Client().post("/metrics", **right).status_code == 405


@pytest.mark.django_db(transaction=True)
def test_how_far_behind_the_audit_log_is(settings: Any) -> None:
    assert "crossdock_audit" not in Client().get("/metrics").content.decode(), "nothing is asked while it is off"
    settings.AUDIT_TO = "tcp://127.0.0.1:9"
    for _ in range(3):
        note(actor=None, action="tried", subject="it", now=timezone.now() - timedelta(hours=1))
    found = Client().get("/metrics").content.decode()
    assert "crossdock_audit_unsent_rows 3.0" in found
    (seconds,) = re.findall(r"^crossdock_audit_unsent_seconds (\S+)$", found, re.M)
    assert 3600 <= float(seconds) < 4200


def test_statements_are_counted_by_view() -> None:
    key = ("crossdock_request_statements_sum", frozenset({("view", "asks"), *measured.OURS.items()}))
    before = read().get(key, 0.0)
    Client().get("/asks")
    assert read()[key] == before + 3


OFF = """
import sys
from crossdock.cli.database import setup
setup()
from django.conf import settings
from django.urls import Resolver404, resolve
try:
    resolve("/metrics")
except Resolver404:
    print("not there")
print([name for name in sys.modules if name.startswith("prometheus") or name == "crossdock.web.metrics"])
print([name for name in settings.MIDDLEWARE if "metrics" in name])
"""


def test_off_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSDOCK_DATA", str(tmp_path))
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "crossdock.settings")
    done = subprocess.run([sys.executable, "-c", OFF], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["not there", "[]", "[]"], done.stderr


# The alert rules

RULES = {rule.name: rule for rule in rules()}


def _ago(**how_long: int) -> datetime:
    return timezone.now() - timedelta(**how_long)


def _party() -> Party:
    return Party.objects.get_or_create(kind="payment", name="bank")[0]


def _command(number: int = 0, **given: Any) -> None:
    told = {"kind": "charge", "payload": {}, "due_at": _ago(hours=1), "created_at": _ago(hours=1), **given}
    Command.objects.create(party=_party(), cause=f"cause:{number}", subject="s", **told)


def _late() -> None:
    shop = market.connection(market.seller())
    Cursor.objects.filter(connection=shop, stream="orders").update(due_by=_ago(hours=1))


def _failing() -> None:
    shop = market.connection(market.seller())
    Party.objects.filter(pk=shop.party_id).update(failing_since=_ago(minutes=20), last_error="No valid certificate.")


def _refused() -> None:
    for number in range(21):
        _command(number, state="done", result="refused", finished_at=_ago(minutes=1))


def _quarantine() -> None:
    Quarantined.objects.create(
        party=_party(), kind="order", key="k", cause="odd", first_at=_ago(hours=1), last_at=_ago(hours=1)
    )


def _delivery() -> None:
    Delivery.objects.create(party=_party(), topic="t", dedupe="d", body=b"", received_at=_ago(hours=1))


def _forged() -> None:
    Connection.objects.filter(pk=market.connection(market.seller()).pk).update(forged=51)


def _silent() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '5 minutes'")


def _errors() -> None:
    for _ in range(6):
        Client().get("/broken")


def _away(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(connection, "cursor", refuse)


TROUBLES: dict[str, Callable[[pytest.MonkeyPatch], object]] = {
    "CrossdockDatabaseAway": _away,
    "CrossdockNoWorker": lambda _: _silent(),
    "CrossdockWorkerLost": lambda _: _silent(),
    "CrossdockShopsFail": lambda _: _failing(),
    "CrossdockCommandsWait": lambda _: _command(),
    "CrossdockDeliveriesWait": lambda _: _delivery(),
    "CrossdockShopsLate": lambda _: _late(),
    "CrossdockGivenUp": lambda _: _command(state="dead"),
    "CrossdockForged": lambda _: _forged(),
    "CrossdockQuarantine": lambda _: _quarantine(),
    "CrossdockRefused": lambda _: _refused(),
    "CrossdockErrors": lambda _: _errors(),
    "CrossdockPoolFull": lambda patch: patch.setattr(measured, "pool_stats", lambda: {"requests_waiting": 1}),
    "CrossdockDiskLow": lambda patch: patch.setattr(
        "crossdock.web.metrics.shutil.disk_usage", lambda _: type("Disk", (), {"free": 1024})
    ),
}


def test_every_rule_is_tried() -> None:
    told = [rule for group in yaml.safe_load((DEPLOY / "alerts.yaml").read_text())["groups"] for rule in group["rules"]]
    assert set(TROUBLES) == {rule["alert"] for rule in told}
    assert all(rule["annotations"]["summary"] and rule["labels"]["severity"] for rule in told)


@pytest.mark.parametrize("name", TROUBLES)
def test_a_rule_is_silent_while_all_is_well_and_fires_when_it_is_not(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now())")
    before = read()
    assert [each.name for each in RULES.values() if each.holds(before, before)] == []
    TROUBLES[name](monkeypatch)
    after = read()
    assert RULES[name].holds(before, after)


def test_errors_of_the_first_minute_are_growth_too() -> None:
    """A series that begins with its sixth error has no growth for Prometheus: it has to be there before."""
    assert ("crossdock_requests_total", frozenset({("status", "5xx"), *measured.OURS.items()})) in read()
    new = {("crossdock_requests_total", frozenset({("status", "5xx"), ("process", "of another")})): 6.0}
    assert not RULES["CrossdockErrors"].holds({}, new)


def test_a_rule_fires_when_it_held_for_as_long_as_it_asks() -> None:
    rule = Rule("Away", "up", frozenset(), 0, "==", 0.0, 60.0)
    watch = Watch(lambda: "", rules=[rule])
    up: Samples = {("up", frozenset()): 1.0}
    down: Samples = {("up", frozenset()): 0.0}
    seen = []
    for at, said in ((0.0, up), (10.0, down), (50.0, down), (60.0, up), (70.0, down), (130.0, down)):
        watch._take(at, said)
        seen.append(watch.fires("Away"))
    assert seen == [False, False, False, False, False, True]


def test_fewer_than_before_is_of_its_window_alone() -> None:
    rule = Rule("Lost", "workers", frozenset(), 900.0, "<", None, 0.0)
    watch = Watch(lambda: "", rules=[rule])
    seen = []
    for at, many in ((0.0, 2.0), (30.0, 1.0), (890.0, 1.0), (931.0, 1.0)):
        watch._take(at, {("workers", frozenset()): many})
        seen.append(watch.fires("Lost"))
    assert seen == [False, True, True, False]


def test_the_dashboard_and_the_rules_ask_for_what_is_there() -> None:
    board = json.loads((DEPLOY / "dashboard.json").read_text())
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    asked += [rule.figure for rule in RULES.values()]
    Client().get("/asks")
    there = {name for name, _ in read()} | set(re.findall(r"# TYPE (\w+)", Client().get("/metrics").content.decode()))
    named = {name for each in asked for name in re.findall(r"\b(?:crossdock|process)_\w+", each)}
    assert named and named - there == set()
