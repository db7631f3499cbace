"""`crossdock doctor`: each trouble is told with what to do, and nothing is told that is not so."""

import json
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from ipaddress import ip_address, ip_network
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography import x509
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.mail.backends.smtp import EmailBackend
from django.db import connection

from crossdock.cli import doctor, extras
from crossdock.cli.doctor import inside, outside, seen
from crossdock.cli.doctor.finding import Finding, State
from crossdock.cli.trouble import Trouble
from crossdock.config import Config
from crossdock.kit import installed
from crossdock.store.models import SigningKey
from crossdock.store.vault import seal
from crossdock.usecases.outcomes import signing_keys
from crossdock_lab.ports import free_ports
from market import World

HEALTHY = json.dumps({"database": "ok", "worker_heartbeat_age": 1.0, "version": version("crossdock")}).encode()
Answers = dict[tuple[str, str], tuple[int, bytes, dict[str, str]]]
OURS: Answers = {
    ("GET", "/healthz"): (200, HEALTHY, {}),
    ("POST", outside.DOOR): (404, b"nobody here\n", {}),
}


def config(tmp_path: Path, **settings: Any) -> Config:
    # Nothing of what this run itself is told by its environment.
    return Config(data=tmp_path, **{"demo": False, "debug": False, "allow_local_shops": False, **settings})


def told(found: Iterable[Finding], about: str = "") -> list[tuple[State, str]]:
    return [(one.state, f"{one.said} {one.do}") for one in found if not about or one.about == about]


def only(found: Iterable[Finding], state: State, about: str = "") -> str:
    [(its, said)] = told(found, about)
    assert its is state, said
    return said


class TestSettings:
    def test_on_a_machine_of_ones_own_the_missing_address_alone_is_told(self, tmp_path: Path) -> None:
        assert "PUBLIC_URL is not set" in only(inside.settings(config(tmp_path, demo=True)), State.LOOK)

    @pytest.mark.parametrize(
        ("wrong", "word"),
        [
            ({"debug": True}, "CROSSDOCK_DEBUG"),
            ({"demo": True, "allow_local_shops": False}, "CROSSDOCK_DEMO"),
            ({"allow_local_shops": True}, "your own network"),
            ({"trusted_proxies": ()}, "TRUSTED_PROXIES"),
        ],
    )
    def test_what_is_for_trying_out_must_not_face_the_world(
        self, tmp_path: Path, wrong: dict[str, Any], word: str
    ) -> None:
        right = {"public_url": "https://market.example", "trusted_proxies": (ip_network("10.0.0.0/8"),)}
        assert "Made for https://market.example" in only(inside.settings(config(tmp_path, **right)), State.OK)
        assert word in only(inside.settings(config(tmp_path, **{**right, **wrong})), State.FIX)

    def test_a_key_that_others_may_read(self, tmp_path: Path) -> None:
        mine = config(tmp_path)
        assert mine.secret_key and mine.vault_keys
        assert {state for state, _ in told(inside.keys(mine))} == {State.OK}
        mine.vault_keys_file.chmod(0o644)
        assert [said for state, said in told(inside.keys(mine)) if state is State.FIX] == [
            f"Other users of this machine may read {mine.vault_keys_file}. Run: chmod 600 {mine.vault_keys_file}"
        ]

    def test_keys_of_one_machine_beside_a_database_of_another(self, tmp_path: Path) -> None:
        shared = config(tmp_path, database_url="postgresql://db.internal/crossdock", secret_key_given="x" * 50)
        assert [state for state, _ in told(inside.keys(shared))] == [State.OK, State.LOOK]

    def test_a_connector_of_another_package_that_cannot_be_used(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert told(inside.packages(config(tmp_path))) == []
        broken = installed.Broken("odd", installed.Package("odd-shop", "1", "odd"), "it has no manifest.")
        monkeypatch.setattr("crossdock.kit.discover.broken", lambda: (broken,))
        said = only(inside.packages(config(tmp_path)), State.LOOK)
        assert said.startswith("The connector odd of the package odd-shop is passed over: it has no manifest.")

    def test_a_full_disk(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert only(inside.disk(config(tmp_path)), State.OK)
        monkeypatch.setattr("crossdock.web.health.shutil.disk_usage", lambda _: SimpleNamespace(total=10**10, free=9))
        said = only(inside.disk(config(tmp_path)), State.FIX)
        assert said.startswith(f"{tmp_path}: The data folder's disk is nearly full") and "Make room" in said


@pytest.mark.django_db
class TestDatabase:
    def test_writes_that_a_power_cut_loses(self, tmp_path: Path) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = off")
        said = only((one for one in inside.server(config(tmp_path)) if one.state is not State.LOOK), State.FIX)
        assert "synchronous_commit" in said and "postgresql.conf" in said

    @pytest.mark.parametrize(
        ("ahead", "state"), [(0.0, State.OK), (5.0, State.LOOK), (-5.0, State.LOOK), (90.0, State.FIX)]
    )
    def test_a_clock_that_is_wrong(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ahead: float, state: State
    ) -> None:
        def now() -> float:
            return datetime.now(UTC).timestamp() + ahead

        monkeypatch.setattr(inside, "time", SimpleNamespace(time=now))
        said = only(inside.clock(config(tmp_path)), state)
        assert state is State.OK or f"differ by {abs(ahead):.0f} seconds" in said

    def test_credentials_that_no_key_opens(self, tmp_path: Path, settings: Any) -> None:
        shop = World().shop
        shop.secrets = seal({"token": "x"})
        shop.save()
        assert "(1 looked at)" in only(inside.secrets(config(tmp_path)), State.OK)
        settings.VAULT_KEYS = [Fernet.generate_key().decode()]
        assert "1 of 1 stored credentials cannot be opened" in only(inside.secrets(config(tmp_path)), State.FIX)

    def test_no_worker(self, tmp_path: Path) -> None:
        assert "crossdock work" in only(inside.worker(config(tmp_path)), State.FIX)
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now())")
        assert only(inside.worker(config(tmp_path)), State.OK)

    def test_shops(self, tmp_path: Path) -> None:
        assert only(inside.shops(config(tmp_path)), State.OK)


@contextmanager
def serving(answers: Answers, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server on loopback; its address."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            status, body, headers = answers.get((self.command, self.path), (403, b"go away", {}))
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _answer  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http{'s' if context else ''}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


Certified = Callable[[timedelta], ssl.SSLContext]


@pytest.fixture
def certified(tmp_path: Path) -> Certified:
    """A server's side of TLS with a certificate of its own making that ends so long from now; its file is `ca.pem`."""

    def made(left: timedelta) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=90))
            .not_valid_after(now + left)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        (tmp_path / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (tmp_path / "key.pem").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "ca.pem", tmp_path / "key.pem")
        return context

    return made


class TestWeb:
    def at(self, url: str, tmp_path: Path) -> Config:
        return config(tmp_path, web_port=int(url.rpartition(":")[2]))

    def test_ours(self, tmp_path: Path) -> None:
        with serving(OURS) as url:
            assert only(outside.web(self.at(url, tmp_path)), State.OK)

    def test_nobody(self, tmp_path: Path) -> None:
        assert "connection was refused" in only(outside.web(config(tmp_path, web_port=free_ports())), State.LOOK)

    @pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"version": "1"}', b"\xff\xfe"])
    def test_another_program(self, tmp_path: Path, body: bytes) -> None:
        with serving({("GET", "/healthz"): (200, body, {})}) as url:
            assert "Something else" in only(outside.web(self.at(url, tmp_path)), State.FIX)

    def test_a_server_that_was_not_restarted(self, tmp_path: Path) -> None:
        old = HEALTHY.replace(version("crossdock").encode(), b"0.0.9")
        with serving({("GET", "/healthz"): (200, old, {})}) as url:
            assert "runs version 0.0.9" in only(outside.web(self.at(url, tmp_path)), State.FIX)


class TestPublicAddress:
    def test_all_is_well(self, tmp_path: Path, certified: Certified, monkeypatch: pytest.MonkeyPatch) -> None:
        with serving(OURS, certified(timedelta(days=60))) as url:
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
            found = list(outside.public(config(tmp_path, public_url=url)))
        assert [(one.about, one.state) for one in found] == [
            ("public address", State.OK),
            ("certificate", State.OK),
            ("webhooks", State.OK),
        ]

    @pytest.mark.parametrize(("left", "state"), [(timedelta(days=10), State.LOOK), (timedelta(days=2), State.FIX)])
    def test_a_certificate_that_ends_soon(
        self, tmp_path: Path, certified: Certified, monkeypatch: pytest.MonkeyPatch, left: timedelta, state: State
    ) -> None:
        with serving(OURS, certified(left)) as url:
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
            said = only(outside.public(config(tmp_path, public_url=url)), state, "certificate")
        assert "Renew it" in said

    @pytest.mark.parametrize(("left", "why"), [(60, "self-signed"), (-1, "expired")])
    def test_a_certificate_that_nobody_trusts(
        self, tmp_path: Path, certified: Certified, monkeypatch: pytest.MonkeyPatch, left: int, why: str
    ) -> None:
        with serving(OURS, certified(timedelta(days=left))) as url:
            if left < 0:
                monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
            said = only(outside.public(config(tmp_path, public_url=url)), State.FIX)
        assert "its certificate is not trusted" in said and why in said

    def test_nobody_answers(self, tmp_path: Path) -> None:
        gone = config(tmp_path, public_url=f"https://127.0.0.1:{free_ports()}")
        assert "cannot be reached (the connection was refused)" in only(outside.public(gone), State.FIX)

    def test_a_redirect(self, tmp_path: Path) -> None:
        with serving({**OURS, ("GET", "/healthz"): (301, b"", {"location": "https://www.market.example/"})}) as url:
            said = told(outside.public(config(tmp_path, public_url=url)), "public address")[-1]
        assert said[0] is State.FIX and "redirects to https://www.market.example/" in said[1]

    def test_a_firewall_that_keeps_webhooks_out(self, tmp_path: Path) -> None:
        with serving({("GET", "/healthz"): OURS["GET", "/healthz"]}) as url:
            said = only(outside.public(config(tmp_path, public_url=url)), State.FIX, "webhooks")
        assert "403 was answered on the way" in said

    def test_plain_http(self, tmp_path: Path) -> None:
        with serving(OURS) as url:
            said = told(outside.public(config(tmp_path, public_url=url)), "public address")[0]
        assert said[0] is State.FIX and "plain http" in said[1]


class _Smtp(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(b"220 ready\r\n")
        for line in self.rfile:
            verb = line[:4].upper()
            answer = {b"EHLO": b"250-here\r\n250 AUTH PLAIN", b"AUTH": b"535 no", b"QUIT": b"221 bye"}.get(
                verb, b"250 ok"
            )
            self.wfile.write(answer + b"\r\n")
            if verb == b"QUIT":
                return


class TestMail:
    @pytest.fixture
    def mailing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[tuple[State, str]]]:
        def look(port: int, **settings: Any) -> list[tuple[State, str]]:
            mine = config(tmp_path, smtp_host="127.0.0.1", smtp_port=port, smtp_security="none", **settings)
            backend = EmailBackend("127.0.0.1", port, mine.smtp_user, mine.smtp_password, use_tls=False, timeout=20)
            monkeypatch.setattr("django.core.mail.get_connection", lambda: backend)
            return told(outside.mail(mine))

        return look

    @pytest.fixture
    def smtp(self) -> Iterator[int]:
        with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Smtp) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            yield server.server_address[1]
            server.shutdown()
            thread.join()

    def test_none(self, tmp_path: Path) -> None:
        assert "reach nobody" in only(outside.mail(config(tmp_path)), State.LOOK)
        assert "reach nobody" in only(outside.mail(config(tmp_path, public_url="https://market.example")), State.FIX)

    def test_one_that_takes_mail(self, mailing: Callable[..., list[tuple[State, str]]], smtp: int) -> None:
        [(state, said)] = mailing(smtp)
        assert state is State.OK and "takes mail from us" in said
        states = [state for state, _ in mailing(smtp, public_url="https://market.example")]
        assert states == [State.OK, State.FIX], "no-reply@localhost is nobody's address"

    def test_a_wrong_password(self, mailing: Callable[..., list[tuple[State, str]]], smtp: int) -> None:
        [(state, said)] = mailing(smtp, smtp_user="market", smtp_password="wrong")
        assert state is State.FIX and "refuses the sign-in" in said and "wrong" not in said

    def test_nobody(self, mailing: Callable[..., list[tuple[State, str]]]) -> None:
        [(state, said)] = mailing(free_ports())
        assert state is State.FIX and "the connection was refused" in said


class TestTraces:
    @pytest.mark.parametrize(
        ("status", "state", "word"),
        [
            (200, State.OK, "takes spans; 50%"),
            (401, State.FIX, "CROSSDOCK_TRACES_HEADERS"),
            (404, State.FIX, "/v1/traces"),
        ],
    )
    def test_the_collector_is_asked(self, tmp_path: Path, status: int, state: State, word: str) -> None:
        with serving({("POST", "/spans"): (status, b"", {})}) as url:
            mine = config(tmp_path, traces_url=f"{url}/spans", traces_share=0.5, traces_headers="X-Key=geheim")
            said = only(seen.traces(mine), state)
        assert word in said and "geheim" not in said

    def test_one_that_is_away_stops_nothing_and_off_nobody_asks(self, tmp_path: Path) -> None:
        port = free_ports(1)
        away = config(tmp_path, traces_url=f"http://127.0.0.1:{port}/v1/traces")
        assert "orders go on" in only(seen.traces(away), State.LOOK)
        assert told(seen.traces(config(tmp_path))) == [] == told(seen.packages(config(tmp_path)))

    def test_a_package_that_is_missing_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(extras, "find_spec", lambda name: None)
        mine = config(tmp_path, traces_url="http://127.0.0.1:4318/v1/traces")
        said = only(seen.packages(mine), State.FIX)
        assert "opentelemetry-exporter-otlp-proto-http" in said and "Run `pip install -r" in said
        with pytest.raises(Trouble, match="CROSSDOCK_TRACES_URL is set"):
            extras.there(mine)


def test_money_of_a_sandbox_is_told_where_the_world_buys(tmp_path: Path) -> None:
    assert told(outside.money(config(tmp_path))) == []
    assert {state for state, _ in told(outside.money(config(tmp_path, public_url="https://market.example")))} == {
        State.LOOK
    }


@pytest.mark.parametrize(("state", "code"), [(State.OK, 0), (State.LOOK, 0), (State.FIX, 1)])
def test_the_exit_code_is_for_programs(
    state: State, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "findings", lambda config: [Finding(state, "disk", "It is round.", "Turn it.")])
    assert doctor.run(SimpleNamespace(json=True)) == code  # type: ignore[arg-type]
    assert json.loads(capsys.readouterr().out) == {
        "state": state.value,
        "about": "disk",
        "said": "It is round.",
        "do": "Turn it.",
    }
    doctor.run(SimpleNamespace(json=False))  # type: ignore[arg-type]
    assert capsys.readouterr().out.endswith("  disk: It is round. Turn it.\n")


@pytest.mark.django_db
def test_a_key_that_signs_for_long_is_to_be_looked_at(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    assert told(inside.agents(config(tmp_path, agents_ucp=True))) == []
    signing_keys.published(now=now)
    assert "with a key of" in only(inside.agents(config(tmp_path, agents_ucp=True)), State.OK)
    SigningKey.objects.update(created_at=now - timedelta(days=91))
    assert "--rotate" in only(inside.agents(config(tmp_path, agents_ucp=True)), State.LOOK)
    assert told(inside.agents(config(tmp_path))) == []
