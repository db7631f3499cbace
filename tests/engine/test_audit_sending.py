"""The audit log sent on to a real receiver: framed as syslog is, whole, in order, at least once, also when the receiver
was away or died before it read.
"""

import json
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from crossdock.cli.doctor import inside
from crossdock.cli.doctor.finding import State
from crossdock.engine.audit import sending
from crossdock.engine.audit.receivers import Line, deliver, message
from crossdock.store.models import AuditSending
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.audit_chain import exported_rows
from crossdock.usecases.record.audit_sending import AT_ONCE, LEASE, begin, behind, done, failed
from crossdock_lab.patience import patient

NOW = datetime(2026, 12, 1, 3, 12, tzinfo=UTC)
_HEAD = re.compile(rb"<109>1 (\S+) (\S+) crossdock - (\S+) - ")


@dataclass
class Receiver:
    """What a syslog server does with a connection: reads until the other side is done, then closes."""

    port: int = 0
    got: list[dict[str, Any]] = field(default_factory=list)
    # So many connections are dropped unread.
    dies: int = 0
    tls: ssl.SSLContext | None = None

    def take(self, data: bytes) -> None:
        while data:
            length, _, rest = data.partition(b" ")
            whole, data = rest[: int(length)], rest[int(length) :]
            head = _HEAD.match(whole)
            assert head and len(whole) == int(length), whole[:80]
            assert datetime.fromisoformat(head[1].decode()).tzinfo is not None
            self.got.append(json.loads(whole[head.end() :]))


@contextmanager
def receiving(tls: ssl.SSLContext | None = None, port: int = 0, dies: int = 0) -> Iterator[Receiver]:
    door = socket.create_server(("127.0.0.1", port))
    receiver = Receiver(door.getsockname()[1], tls=tls, dies=dies)

    def serve() -> None:
        while True:
            try:
                connection, _ = door.accept()
            except OSError:
                return
            with connection:
                try:
                    if receiver.dies:
                        receiver.dies -= 1
                        # Gone with what it had not read: the sender's end is reset.
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                        continue
                    spoken = receiver.tls.wrap_socket(connection, server_side=True) if receiver.tls else connection
                    data = b""
                    while part := spoken.recv(65_536):
                        data += part
                    receiver.take(data)
                    if isinstance(spoken, ssl.SSLSocket):
                        spoken.unwrap()
                    spoken.close()
                except OSError:
                    continue

    thread = Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        door.shutdown(socket.SHUT_RDWR)
        door.close()
        thread.join(patient(10))


def written(many: int, first: int = 0) -> None:
    for number in range(first, first + many):
        note(actor=None, action="tried", subject=f"#{number} “ü”", now=NOW, detail={"number": number})


def engine(at: datetime = NOW) -> Any:
    return SimpleNamespace(clock=lambda: at, stopping=False)


def numbers(receiver: Receiver) -> list[int]:
    return [row["detail"]["number"] for row in receiver.got]


@pytest.mark.django_db(transaction=True)
class TestSending:
    def test_all_of_it_in_order_and_once(self) -> None:
        written(AT_ONCE + 3)
        with receiving() as receiver:
            target = f"tcp://127.0.0.1:{receiver.port}"
            assert behind(target=target).rows == AT_ONCE + 3
            assert sending.send_some(target, engine=engine()) is True
            assert sending.send_some(target, engine=engine()) is False
            assert sending.send_some(target, engine=engine()) is False
            written(1, AT_ONCE + 3)
            sending.send_some(target, engine=engine())
        assert numbers(receiver) == list(range(AT_ONCE + 4))
        assert receiver.got == list(exported_rows()), "as it is exported, hashes and all"
        assert behind(target=target).rows == 0 and behind(target=target).since is None

    def test_a_receiver_that_is_away_and_comes_back(self) -> None:
        with receiving() as receiver:
            port = receiver.port
        target = f"tcp://127.0.0.1:{port}"
        written(3)
        sending.send_some(target, engine=engine())
        late = behind(target=target)
        assert (late.rows, late.since, late.failures, late.why) == (3, NOW, 1, "ConnectionRefusedError")
        written(2, 3)
        with receiving(port=port, dies=1) as receiver:
            sending.send_some(target, engine=engine())
            assert receiver.dies == 1, "it has its pause"
            sending.send_some(target, engine=engine(NOW + timedelta(seconds=11)))
            assert receiver.dies == 0 and behind(target=target).failures == 2 and receiver.got == []
            sending.send_some(target, engine=engine(NOW + timedelta(seconds=60)))
        assert numbers(receiver) == [0, 1, 2, 3, 4]
        assert behind(target=target).rows == 0 and behind(target=target).failures == 0

    def test_a_worker_that_dies_after_sending_sends_again(self) -> None:
        written(2)
        with receiving() as receiver:
            target = f"tcp://127.0.0.1:{receiver.port}"
            batch = begin(target=target, now=NOW)
            deliver(target, [Line(row.at, row.topic, row.text) for row in batch.rows], host="")
            assert begin(target=target, now=NOW + timedelta(seconds=30)).rows == (), "somebody has it"
            late = engine(NOW + LEASE)
            sending.send_some(target, engine=late)
        assert numbers(receiver) == [0, 1, 0, 1] and len({row["no"] for row in receiver.got}) == 2
        before = AuditSending.objects.get().sent_no
        done(batch=batch, now=NOW)
        assert AuditSending.objects.get().sent_no == before, "who comes late moves nothing back"

    def test_pauses_grow_and_end(self) -> None:
        written(1)
        batch = begin(target="tcp://127.0.0.1:9", now=NOW)
        pauses = []
        for _ in range(12):
            failed(batch=batch, why="TimeoutError", now=NOW)
            found = AuditSending.objects.get().not_before
            assert found is not None
            pauses.append((found - NOW).total_seconds())
        assert pauses[:4] == [10, 20, 40, 80] and pauses[-1] == 600

    def test_files_and_output(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        written(2)
        file = tmp_path / "audit.jsonl"
        sending.send_some(f"file://{file}", engine=engine())
        assert file.stat().st_mode & 0o777 == 0o600
        file.rename(tmp_path / "old")
        written(1, 2)
        sending.send_some(f"file://{file}", engine=engine())
        assert [json.loads(line)["detail"]["number"] for line in file.read_text().splitlines()] == [2]
        sending.send_some("stdout:", engine=engine())
        assert len(capsys.readouterr().out.splitlines()) == 3, "each receiver has a place of its own"
        sending.send_some(f"file://{tmp_path}/none/audit.jsonl", engine=engine())
        assert behind(target=f"file://{tmp_path}/none/audit.jsonl").why == "FileNotFoundError"

    def test_the_doctor_says_how_far_behind(self) -> None:
        config: Any = SimpleNamespace(audit_to="tcp://127.0.0.1:9")
        assert [found.state for found in inside.audit(config)] == [State.OK]
        written(2)
        sending.send_some(config.audit_to, engine=engine())
        (found,) = inside.audit(config)
        assert found.state is State.FIX and "2 rows wait" in str(found) and "2026-12-01 03:12" in str(found)
        config.audit_to = ""
        assert list(inside.audit(config)) == []


def certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "logs")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "logs.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def test_over_tls_to_who_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    line = Line(NOW, "staff", json.dumps({"detail": {"number": 1}, "words": "“ü”"}))
    with receiving(context) as receiver:
        with pytest.raises(ssl.SSLCertVerificationError):
            deliver(f"tls://127.0.0.1:{receiver.port}", [line], host="")
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        deliver(f"tls://127.0.0.1:{receiver.port}", [line], host="market.example")
    assert numbers(receiver) == [1] and receiver.got[0]["words"] == "“ü”"


def test_a_message_counts_its_bytes() -> None:
    whole = message(Line(NOW, "account", '{"a": 1}'), "market.example")
    length, _, rest = whole.partition(b" ")
    assert int(length) == len(rest)
    assert rest == b'<109>1 2026-12-01T03:12:00.000000Z market.example crossdock - account - {"a": 1}'
