"""What an operator sets and is told: keys in the wrong place, what is missing, the simulated bank to try it with, and
that no key is ever shown.
"""

import importlib
import logging
import os
import re
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction

from crossdock import config
from crossdock.cli.main import main
from crossdock.logs import PlainFormatter
from crossdock.payments.sandbox.wire import SECRET_KEY
from crossdock.store.models import Command, Party
from crossdock.store.models.work import PartyKind
from crossdock.usecases.outbox.queue import party_named
from crossdock_lab.patience import patient


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("CROSSDOCK_DATA", str(tmp_path))
    for name in ("SECRET_KEY", "PUBLISHABLE_KEY", "WEBHOOK_SECRET", "API_BASE"):
        monkeypatch.delenv(f"CROSSDOCK_STRIPE_{name}", raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "pk_live_abc"),
        ("PUBLISHABLE_KEY", "sk_live_abc"),
        ("WEBHOOK_SECRET", "abc"),
        ("API_BASE", "http://api.example.com"),
        ("API_BASE", "ftp://127.0.0.1"),
    ],
)
def test_a_key_in_the_wrong_place_is_refused_without_being_shown(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    environment.setenv(f"CROSSDOCK_STRIPE_{name}", value)
    with pytest.raises(config.WrongSetting) as wrong:
        config.load()
    assert f"CROSSDOCK_STRIPE_{name}" in str(wrong.value)
    assert value not in str(wrong.value)


def test_the_sandbox_needs_nothing(environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "payments"]) == 0
    assert "nobody pays real money" in capsys.readouterr().out


def test_what_is_missing_is_said(environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    environment.setenv("CROSSDOCK_PAYMENT_GATEWAY", "stripe")
    assert main(["check", "payments"]) == 1
    said = capsys.readouterr().out
    assert "MEND CROSSDOCK_STRIPE_SECRET_KEY is not set" in said
    assert "MEND PUBLIC_URL is not set" in said
    environment.setenv("CROSSDOCK_STRIPE_SECRET_KEY", "sk_live_abc")
    assert main(["check", "payments"]) == 1
    assert "CROSSDOCK_STRIPE_PUBLISHABLE_KEY is not set: without it nobody can type a card" in capsys.readouterr().out
    environment.setenv("CROSSDOCK_PAYMENT_GATEWAY", "gold")
    assert main(["check", "payments"]) == 1
    assert "there are: sandbox, stripe" in capsys.readouterr().err


def test_the_simulated_bank_prints_the_settings_that_work_with_it(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, "-m", "crossdock.cli.main", "sandbox", "woocommerce", "--payments", "--port", "18931"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ)) as bank:
        try:
            assert bank.stdout is not None
            lines = [bank.stdout.readline() for _ in range(3)]
            for name, value in re.findall(r"(CROSSDOCK_[A-Z_]+)=(\S+)", lines[2]):
                environment.setenv(name, value)
            environment.setenv("CROSSDOCK_PUBLIC_URL", "https://market.example.com")
            assert main(["check", "payments"]) == 0
            said = capsys.readouterr().out
            assert "Stripe answers, with test keys" in said
            assert "https://market.example.com/hooks/payments/stripe" in said
            assert SECRET_KEY not in said
            environment.setenv("CROSSDOCK_STRIPE_SECRET_KEY", "sk_test_another")
            environment.setenv("CROSSDOCK_STRIPE_PUBLISHABLE_KEY", "pk_live_x")
            assert main(["check", "payments"]) == 1
            assert "MEND Stripe does not let us in" in capsys.readouterr().out
        finally:
            bank.send_signal(signal.SIGTERM)


def test_keys_are_masked_in_the_log(environment: pytest.MonkeyPatch) -> None:
    code = "import crossdock.settings as s; print(s.LOGGING['formatters']['plain']['secrets'])"
    keys = {"CROSSDOCK_STRIPE_SECRET_KEY": "sk_test_mine", "CROSSDOCK_STRIPE_WEBHOOK_SECRET": "whsec_mine"}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **keys}, capture_output=True, text=True, check=True
    )
    assert all(key in done.stdout for key in keys.values())
    record = logging.LogRecord("x", logging.INFO, "", 0, "with sk_test_mine in it", (), None)
    assert "sk_test_mine" not in PlainFormatter(secrets=["sk_test_mine"]).format(record)


@pytest.mark.django_db(transaction=True)
def test_one_party_per_gateway_however_many_webhooks_come_at_once() -> None:
    start, found = threading.Barrier(8), []

    def knock() -> None:
        start.wait(patient(10))
        found.append(party_named(kind=PartyKind.PAYMENT, name="stripe").pk)
        connection.close()

    threads = [threading.Thread(target=knock) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(patient(20))
    assert len(set(found)) == 1 == Party.objects.count()
    with pytest.raises(IntegrityError), transaction.atomic():
        Party.objects.create(kind=PartyKind.PAYMENT, name="stripe")
    for _ in range(2):
        Party.objects.create(kind=PartyKind.SHOP, name="same name")


@pytest.mark.django_db
def test_the_migration_makes_one_party_of_what_was_made_twice() -> None:
    migration = importlib.import_module("crossdock.store.migrations.0011_payments")
    now = datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX one_party_per_name")
        first, second = (Party.objects.create(kind=PartyKind.PAYMENT, name="stripe") for _ in range(2))
        shops = [Party.objects.create(kind=PartyKind.SHOP, name="same name") for _ in range(2)]
        for party, cause in ((first, "a"), (second, "b"), (shops[1], "c")):
            Command.objects.create(
                party=party, cause=cause, subject=cause, kind="x", payload={}, due_at=now, created_at=now
            )
        cursor.execute(migration.ONE_PARTY)
        cursor.execute("CREATE UNIQUE INDEX again ON store_party (kind, name) WHERE kind <> 'shop'")
    assert list(Party.objects.order_by("pk")) == [first, *shops]
    assert dict(Command.objects.values_list("cause", "party")) == {"a": first.pk, "b": first.pk, "c": shops[1].pk}
