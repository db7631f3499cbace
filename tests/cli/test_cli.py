"""The command line: what an operator can put right is one sentence and a non-zero exit, never a traceback; backups
come back whole or not at all.
"""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.db import models

from crossdock.cli import database, postgres, run, tools, vault
from crossdock.cli.backups import archive, restore, verify
from crossdock.cli.backups import backup as backup_command
from crossdock.cli.postgres import Cluster
from crossdock.cli.scratch import Scratch
from crossdock.cli.trouble import Trouble
from crossdock.config import Config, load
from crossdock_lab.patience import patient
from crossdock_lab.ports import free_ports

Environment = dict[str, str]
# The tests' own settings are not for the operator's commands.
ORDINARY: Environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "crossdock.settings", "CROSSDOCK_DEMO": "false"}


def crossdock(environment: Environment, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "crossdock.cli.main", *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=patient(120),
        check=False,
    )


def refused(done: "subprocess.CompletedProcess[str]") -> str:
    """The one sentence of a command that gave up."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("crossdock: ")
    assert lines[0].endswith(".")
    return lines[0]


def _url(cluster: Cluster, name: str) -> str:
    return f"postgresql://crossdock@{quote(str(cluster.socket), safe='')}/{name}"


def _sql(cluster: Cluster, name: str, *statements: str) -> list[tuple[object, ...]]:
    """The rows of the last one."""
    with cluster.connect(name) as connection:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def name(cluster: Cluster) -> Iterator[str]:
    """A copy of the run's own, which `crossdock migrate` made of an empty one (crossdock_lab/seed.py)."""
    name = f"cli_{os.getpid()}"
    _sql(cluster, "postgres", f"CREATE DATABASE {name} TEMPLATE {postgres.DATABASE} STRATEGY FILE_COPY")
    yield name
    _sql(cluster, "postgres", f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def environment(cluster: Cluster, name: str, tmp_path: Path) -> Environment:
    """An operator with a server of their own."""
    return {
        **ORDINARY,
        "DATABASE_URL": _url(cluster, name),
        "CROSSDOCK_DATA": str(tmp_path / "data"),
        "CROSSDOCK_WEB_PORT": str(free_ports()),
    }


@pytest.fixture
def alone(tmp_path: Path) -> Environment:
    """An operator whose embedded database does not run."""
    return {**ORDINARY, "CROSSDOCK_DATA": str(tmp_path / "data"), "CROSSDOCK_WEB_PORT": str(free_ports())}


def test_help_names_every_command() -> None:
    said = crossdock(ORDINARY, "--help").stdout
    assert [
        word
        for word in ("run", "serve", "work", "sandbox", "migrate", "backup", "restore", "database", "rotate-vault-key")
        if word not in said
    ] == []


def test_an_unknown_command_is_refused() -> None:
    done = crossdock(ORDINARY, "dance")
    assert (done.returncode, "invalid choice: 'dance'" in done.stderr) == (2, True)


def test_a_wrong_setting_is_one_sentence(alone: Environment) -> None:
    assert "CROSSDOCK_WEB_PORT" in refused(crossdock({**alone, "CROSSDOCK_WEB_PORT": "x"}, "serve"))


@pytest.mark.parametrize(
    "command", [["serve"], ["work"], ["migrate"], ["backup", "/nonexistent/file"], ["rotate-vault-key"]]
)
def test_a_database_that_does_not_run(alone: Environment, command: list[str]) -> None:
    assert "embedded database is not running" in refused(crossdock(alone, *command))


@pytest.mark.parametrize("command", ["serve", "work", "migrate", "run"])
def test_a_database_that_cannot_be_reached(alone: Environment, command: str) -> None:
    begun = time.monotonic()
    away = {
        **alone,
        "DATABASE_URL": f"postgresql://someone:geheim@127.0.0.1:{free_ports()}/x",
        "CROSSDOCK_SANDBOX_PORT": str(free_ports(3)),
    }
    done = crossdock(away, command)
    assert done.returncode == 1
    assert "Connection refused" in done.stderr
    assert "Traceback" not in done.stderr
    assert "geheim" not in done.stdout + done.stderr
    assert time.monotonic() - begun < patient(60)


def test_a_database_that_does_not_exist(environment: Environment, cluster: Cluster) -> None:
    assert '"nix" does not exist' in refused(crossdock({**environment, "DATABASE_URL": _url(cluster, "nix")}, "serve"))


def test_migrating_again_changes_nothing(environment: Environment) -> None:
    done = crossdock(environment, "migrate")
    assert (done.returncode, done.stdout) == (0, "The database is at this version already.\n")


@pytest.mark.parametrize("command", ["serve", "work", "migrate"])
def test_a_newer_database_is_refused(environment: Environment, cluster: Cluster, name: str, command: str) -> None:
    _sql(cluster, name, "INSERT INTO django_migrations (app, name, applied) VALUES ('store', '9999_future', now())")
    assert "made by a newer version of Crossdock (it knows store.9999_future" in refused(
        crossdock(environment, command)
    )


@pytest.mark.parametrize("command", ["serve", "work"])
def test_an_older_database_is_refused_until_it_is_migrated(
    environment: Environment, cluster: Cluster, command: str
) -> None:
    empty = f"cli_empty_{os.getpid()}"
    _sql(cluster, "postgres", f"CREATE DATABASE {empty}")
    try:
        sentence = refused(crossdock({**environment, "DATABASE_URL": _url(cluster, empty)}, command))
    finally:
        _sql(cluster, "postgres", f"DROP DATABASE {empty}")
    assert "run `crossdock migrate` first" in sentence


def test_a_server_that_is_too_old_or_not_utf8_is_refused(environment: Environment, cluster: Cluster) -> None:
    latin = f"cli_latin_{os.getpid()}"
    _sql(
        cluster,
        "postgres",
        f"CREATE DATABASE {latin} TEMPLATE template0 ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C'",
    )
    try:
        sentence = refused(crossdock({**environment, "DATABASE_URL": _url(cluster, latin)}, "migrate"))
    finally:
        _sql(cluster, "postgres", f"DROP DATABASE {latin}")
    assert "encoded in LATIN1" in sentence


def test_serving_on_a_taken_port(environment: Environment) -> None:
    with socket.create_server(("127.0.0.1", int(environment["CROSSDOCK_WEB_PORT"]))):
        sentence = refused(crossdock(environment, "serve"))
    assert f"Port {environment['CROSSDOCK_WEB_PORT']} is taken" in sentence
    assert "CROSSDOCK_WEB_PORT" in sentence


@pytest.mark.parametrize("given", [["--port", "0"], ["--processes", "many"]])
def test_wrong_words_are_refused(environment: Environment, given: list[str]) -> None:
    done = crossdock(environment, "serve", *given)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr


def test_two_servers_share_one_database_and_stop_on_request(environment: Environment) -> None:
    ports = [free_ports(), free_ports()]
    servers = [
        subprocess.Popen(
            [sys.executable, "-m", "crossdock.cli.main", "serve", "--port", str(port)],
            env=environment,
            stderr=subprocess.PIPE,
        )
        for port in ports
    ]
    try:
        for port in ports:
            assert _answers(port)
    finally:
        for server in servers:
            server.terminate()
        said = [server.communicate(timeout=patient(30))[1].decode() for server in servers]
    assert [server.returncode for server in servers] in ([0, 0], [-signal.SIGTERM, -signal.SIGTERM]), said
    assert not any("Traceback" in text for text in said)


def _answers(port: int) -> bool:
    end = time.monotonic() + patient(60)
    while time.monotonic() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as client:
                client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                answer = b"".join(iter(lambda: client.recv(4096), b""))
                return answer.startswith(b"HTTP/1.1 200") and b'"database": "ok"' in answer
        except OSError:
            time.sleep(0.1)
    return False


# Backup and restore

ROW = "INSERT INTO auth_group (name) VALUES ('{} é')"
KEYS = "SELECT rtrim(name, ' é') FROM auth_group ORDER BY 1"
SESSION = "INSERT INTO django_session (session_key, session_data, expire_date) VALUES ('{}', 'é', now())"
SESSIONS = "SELECT session_key FROM django_session"
PERSON = (
    "INSERT INTO store_user (id, password, is_superuser, first_name, last_name, is_staff, is_active, date_joined,"
    " email, name, roles) VALUES (1, '', false, '', '', false, true, now(), 'maker@example.test', 'Maker', '')"
)
TOKEN = "INSERT INTO store_apitoken (name, hash, hint, made_by_id, created_at) VALUES ('{0}', '{0}', '', 1, now())"


@pytest.fixture
def backup(environment: Environment, cluster: Cluster, name: str, tmp_path: Path) -> Path:
    """A backup that holds the row `before`; the database has gone on since and holds `after` too."""
    _sql(cluster, name, ROW.format("before"))
    file = tmp_path / "backup file"
    done = crossdock(environment, "backup", str(file))
    assert done.returncode == 0, done.stderr
    assert "Without it every shop has to be reconnected" in done.stdout
    _sql(cluster, name, ROW.format("after"))
    return file


def test_a_backup_comes_back(environment: Environment, cluster: Cluster, name: str, backup: Path) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert not list(backup.parent.glob("*.part"))
    sequence = _sql(cluster, name, "SELECT nextval('stock_no')")[0][0]
    done = crossdock(environment, "restore", "--yes", str(backup))
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"The database is restored as it was on \d{4}-\d\d-\d\d \d\d:\d\d UTC\.\n.*\n", done.stdout)
    assert _sql(cluster, name, KEYS) == [("before",)]
    assert _sql(cluster, name, "SELECT nextval('stock_no')")[0][0] == sequence
    assert _sql(cluster, name, "SELECT 'pokemon' % 'pokémon'") == [(True,)]
    assert crossdock(environment, "migrate").stdout == "The database is at this version already.\n"
    assert crossdock(environment, "restore", "--yes", str(backup)).returncode == 0


def test_a_backup_fits_into_an_empty_database(environment: Environment, cluster: Cluster, backup: Path) -> None:
    empty = f"cli_empty_{os.getpid()}"
    _sql(cluster, "postgres", f"CREATE DATABASE {empty}")
    try:
        done = crossdock({**environment, "DATABASE_URL": _url(cluster, empty)}, "restore", str(backup))
        assert done.returncode == 0, done.stderr
        assert _sql(cluster, empty, KEYS) == [("before",)]
    finally:
        _sql(cluster, "postgres", f"DROP DATABASE {empty}")


def test_a_backup_does_not_hold_the_vault_s_key(environment: Environment, backup: Path) -> None:
    key = (Path(environment["CROSSDOCK_DATA"]) / "keys" / "vault.keys").read_bytes().strip()
    assert len(key) == 44
    assert key not in backup.read_bytes()


def test_a_full_database_is_not_replaced_by_accident(
    environment: Environment, cluster: Cluster, name: str, backup: Path
) -> None:
    assert "add --yes" in refused(crossdock(environment, "restore", str(backup)))
    assert _sql(cluster, name, KEYS) == [("after",), ("before",)]


def test_nothing_is_restored_under_a_running_server(
    environment: Environment, cluster: Cluster, name: str, backup: Path
) -> None:
    with cluster.connect(name):
        assert "stop every web server and worker first" in refused(
            crossdock(environment, "restore", "--yes", str(backup))
        )
    assert _sql(cluster, name, KEYS) == [("after",), ("before",)]


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
def test_half_a_backup_changes_nothing(
    environment: Environment, cluster: Cluster, name: str, backup: Path, kept: float
) -> None:
    whole = backup.read_bytes()
    backup.write_bytes(whole[: int(len(whole) * kept)])
    refused(crossdock(environment, "restore", "--yes", str(backup)))
    assert _sql(cluster, name, KEYS) == [("after",), ("before",)]


@pytest.mark.parametrize("dies", ["before", "in the middle"])
def test_a_pg_restore_that_dies_changes_nothing(
    cluster: Cluster, name: str, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies: str
) -> None:
    """What it wrote until then reads like a whole script."""
    real, fake = tools.program("pg_restore"), tmp_path / "pg_restore"
    listing = f'exec "{real}" "$@"' if dies == "in the middle" else "kill -9 $$"
    fake.write_text(
        f'#!/bin/sh\ncase "$1" in --list) {listing};; esac\n'
        "printf 'CREATE TABLE public.half (id int);\\nCOPY public.half FROM stdin;\\n1\\n2\\n'\nkill -9 $$\n"
    )
    fake.chmod(0o755)
    program = tools.program
    monkeypatch.setattr(tools, "program", lambda word: str(fake) if word == "pg_restore" else program(word))
    with tarfile.open(backup) as tar:
        tar.extract("database.dump", tmp_path, filter="data")
    config = Config(database_url=_url(cluster, name))
    with pytest.raises(Trouble, match="nothing was changed"):
        restore.put_back(config, tmp_path / "database.dump", tmp_path)
    assert _sql(cluster, name, KEYS) == [("after",), ("before",)]
    assert _sql(cluster, name, "SELECT to_regclass('public.half')") == [(None,)]


def test_a_backup_of_before_it_held_pictures_still_comes_back(
    environment: Environment, cluster: Cluster, name: str, backup: Path
) -> None:
    with tarfile.open(backup) as tar:
        tar.extract("database.dump", backup.parent, filter="data")
    old = backup.parent / "database.dump"
    assert "has no seal" in refused(crossdock(environment, "restore", "--yes", str(old)))
    assert _sql(cluster, name, KEYS) == [("after",), ("before",)]
    assert crossdock(environment, "restore", "--yes", "--unproven", str(old)).returncode == 0
    assert _sql(cluster, name, KEYS) == [("before",)]


def test_a_restore_signs_nobody_in_and_says_what_came_back(
    environment: Environment, cluster: Cluster, name: str, tmp_path: Path
) -> None:
    _sql(cluster, name, SESSION.format("stolen"), PERSON, TOKEN.format("revoked later"))
    file = tmp_path / "of a busy day"
    assert crossdock(environment, "backup", str(file)).returncode == 0
    assert b"stolen" not in file.read_bytes()
    _sql(cluster, name, SESSION.format("of today"), "UPDATE store_apitoken SET revoked_at = now()")
    with tarfile.open(file) as tar:
        member = tar.extractfile("contents.json")
        assert member is not None
        told = json.load(member)
    assert told["left_out"] == ["django_session", "usersessions_usersession", "django_cache", "store_datapart"]
    assert (told["rows"]["django_session"], told["rows"]["store_apitoken"]) == (0, 1)

    done = crossdock(environment, "restore", "--yes", str(file))
    assert _sql(cluster, name, SESSIONS) == []
    assert "Every session has ended" in done.stdout
    assert "1 API token is good, also what was revoked since; restore with --end-tokens" in done.stdout
    assert _sql(cluster, name, "SELECT revoked_at FROM store_apitoken") == [(None,)]
    done = crossdock(environment, "restore", "--yes", "--end-tokens", str(file))
    assert "Every API token has ended" in done.stdout
    assert _sql(cluster, name, "SELECT revoked_at IS NULL FROM store_apitoken") == [(False,)]
    (audited,) = _sql(cluster, name, "SELECT action, detail->>'tokens_ended' FROM store_auditentry")
    assert audited == ("backup restored", "true")


def test_sessions_in_a_backup_of_before_they_were_left_out_end_too(cluster: Cluster, name: str, tmp_path: Path) -> None:
    _sql(cluster, name, SESSION.format("old"))
    config = Config(database_url=_url(cluster, name))
    dump = tmp_path / "database.dump"
    assert tools.call(config, "pg_dump", "--format=custom", f"--file={dump}").returncode == 0
    restore.put_back(config, dump, tmp_path, after=restore._SESSIONS)
    assert _sql(cluster, name, SESSIONS) == []


def test_a_backup_is_restored_where_its_key_is(
    environment: Environment, cluster: Cluster, name: str, backup: Path
) -> None:
    other = {**environment, "VAULT_KEYS": Fernet.generate_key().decode()}
    said = refused(crossdock(other, "restore", "--yes", str(backup)))
    assert "sealed under a vault's key that is not configured here (fingerprint " in said
    assert "add --unproven" in said
    assert _sql(cluster, name, KEYS) == [("after",), ("before",)]


def test_pictures_are_in_it_and_come_back_and_what_came_since_stays(
    environment: Environment, cluster: Cluster, name: str, tmp_path: Path
) -> None:
    pictures = Path(environment["CROSSDOCK_DATA"]) / "media" / "pictures"
    pictures.mkdir(parents=True)
    old, new = pictures / f"{'a' * 40}.png", pictures / f"{'b' * 40}.png"
    old.write_bytes(b"old picture")
    file = tmp_path / "with pictures"
    said = crossdock(environment, "backup", str(file)).stdout
    assert said.startswith("The database and 1 picture are in ")
    old.unlink()
    new.write_bytes(b"new picture")
    done = crossdock(environment, "restore", "--yes", str(file))
    assert " UTC. 1 picture was missing and is back.\n" in done.stdout, done.stderr
    assert (old.read_bytes(), new.read_bytes()) == (b"old picture", b"new picture")
    assert sorted(path.name for path in pictures.iterdir()) == [old.name, new.name]


def test_a_damaged_picture_is_found_before_anything_changes(
    environment: Environment, cluster: Cluster, name: str, tmp_path: Path
) -> None:
    pictures = Path(environment["CROSSDOCK_DATA"]) / "media" / "pictures"
    pictures.mkdir(parents=True)
    (pictures / f"{'a' * 40}.png").write_bytes(b"some picture")
    file = tmp_path / "with pictures"
    crossdock(environment, "backup", str(file))
    _sql(cluster, name, ROW.format("after"))
    file.write_bytes(file.read_bytes().replace(b"some picture", b"same picture"))
    assert "is damaged: pictures/aaaa" in refused(crossdock(environment, "restore", "--yes", str(file)))
    assert _sql(cluster, name, KEYS) == [("after",)]


def test_a_backup_is_verified_without_touching_the_marketplace(
    environment: Environment, cluster: Cluster, name: str, tmp_path: Path
) -> None:
    """In a folder the newest of those that `--keep` left, and another key than that of the backup is told."""
    _sql(cluster, name, ROW.format("before"))
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "crossdock-20200101T000000Z.backup").write_bytes(b"old")
    assert crossdock(environment, "backup", "--keep", "1", str(folder)).returncode == 0
    (made,) = folder.iterdir()
    _sql(cluster, name, ROW.format("after"))
    done = crossdock(environment, "backup", "--verify", str(folder))
    said = [line.partition(":")[0].split() for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stdout + done.stderr
    assert [words[-1] for words in said if words[0] == "ok"] == [
        "file",
        "seal",
        "pictures",
        "keys",
        "database",
        "rows",
        "stock",
        "rules",
        "vault",
    ]
    assert done.stdout.splitlines()[-1] == f"{made} comes back."
    assert _sql(cluster, name, KEYS) == [("after",), ("before",)]

    other = {**environment, "VAULT_KEYS": Fernet.generate_key().decode()}
    done = crossdock(other, "backup", "--verify", str(made))
    assert done.returncode == 1 and "is not configured here" in done.stdout
    assert done.stdout.splitlines()[-1] == f"{made} would not come back whole."


@pytest.mark.parametrize("setting", ["database_url", "Crossdock_Database_Url"])
def test_verifying_never_touches_the_marketplace_whatever_the_case_of_its_setting(
    environment: Environment, cluster: Cluster, name: str, backup: Path, setting: str
) -> None:
    lower = {key: value for key, value in environment.items() if key != "DATABASE_URL"}
    done = crossdock({**lower, setting: environment["DATABASE_URL"]}, "backup", "--verify", str(backup))
    assert done.returncode == 0, done.stdout + done.stderr
    assert _sql(cluster, name, KEYS) == [("after",), ("before",)]


def test_verifying_refuses_a_database_that_is_not_its_own(tmp_path: Path) -> None:
    place = Scratch(tmp_path, Cluster(tmp_path, tmp_path / "socket"))
    with pytest.raises(Trouble, match="Nothing was verified"):
        verify._our_own(Config(database_url="postgresql://live.example/market"), place)


def test_what_a_restore_lacks_is_named() -> None:
    """A row, a table and a cent."""
    contents = archive.Contents(rows={"a": 2, "b": 1, "c": 3}, figures={"books": "7", "units": "5"})
    found = list(verify.compared(contents, {"a": 2, "b": 0}, {"books": "6", "units": "5"}))
    assert [(each.state.value, each.said) for each in found] == [
        ("fix", "b has 0 of 1 rows; c has 0 of 3 rows."),
        ("fix", "books is 6 instead of 7."),
    ]


def test_older_backups_stay_until_a_new_one_was_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked, code = [], 1

    def verified(words: list[str]) -> "subprocess.CompletedProcess[str]":
        asked.append(words[-2:])
        return subprocess.CompletedProcess(words, code)

    monkeypatch.setattr(backup_command.subprocess, "run", verified)
    names = [f"crossdock-2026010{day}T000000Z.backup" for day in (1, 2, 3)]
    for name in names:
        (tmp_path / name).write_bytes(b"")
    made = tmp_path / names[-1]
    assert backup_command._pruned(tmp_path, made, 1) == 1
    assert "No older backup was removed" in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    code = 0
    assert backup_command._pruned(tmp_path, made, 2) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == names[1:]
    assert asked == [["--verify", str(made)]] * 2


def test_a_step_of_a_migration_that_waits_for_a_table_gives_up_and_says_who_is_at_work(
    environment: Environment, cluster: Cluster, name: str
) -> None:
    _sql(cluster, name, "DELETE FROM django_migrations WHERE app = 'account' AND name LIKE '0009%'")
    _sql(cluster, name, "DROP INDEX unique_primary_email")
    with cluster.connect(name) as holder:
        holder.execute(b"SET application_name = 'a long report'")
        holder.execute(b"BEGIN")
        holder.execute(b"LOCK TABLE account_emailaddress IN ROW EXCLUSIVE MODE")
        said = refused(crossdock(environment, "migrate", "--wait", "1"))
    assert "A step waited 1 second for a table that others use and gave up" in said
    assert "(a long report)" in said
    assert crossdock(environment, "migrate").returncode == 0


def test_a_step_that_gave_up_half_way_goes_on_when_it_is_run_again(
    environment: Environment, cluster: Cluster, name: str
) -> None:
    """An index is built beside those at work, so not in one transaction: it waits for whoever was there before."""
    code = (
        "from crossdock.cli import database; database.ready(migrated=False, newer_too=True);"
        " from django.core.management import call_command; call_command('migrate', 'store', '0074', verbosity=0)"
    )
    subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)
    with cluster.connect(name) as holder:
        holder.execute(b"BEGIN ISOLATION LEVEL REPEATABLE READ")
        holder.execute(b"SELECT count(*) FROM store_user")
        said = refused(crossdock(environment, "migrate", "--wait", "1"))
    assert "gave up" in said
    done = crossdock(environment, "migrate")
    assert done.returncode == 0, done.stderr
    assert "steps taken" in done.stdout
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'order_by_risk'::regclass"
    assert _sql(cluster, name, valid) == [(True,)]


def test_what_is_no_backup_is_refused(environment: Environment, tmp_path: Path) -> None:
    file = tmp_path / "letter"
    file.write_text("Dear all")
    assert "is not a backup" in refused(crossdock(environment, "restore", str(file)))
    assert "cannot be read" in refused(crossdock(environment, "restore", str(tmp_path / "nothing")))


def test_a_backup_of_a_newer_version_is_refused(
    environment: Environment, cluster: Cluster, name: str, tmp_path: Path
) -> None:
    future = "INSERT INTO django_migrations (app, name, applied) VALUES ('store', '9999_future', now())"
    _sql(cluster, name, future)
    file = tmp_path / "newer"
    # The newer version made it, so the check that we make today is left out.
    code = (
        "from crossdock.cli import database, main; database.newer = None; ready = database.ready; database.ready ="
        " lambda **_: ready(migrated=False, newer_too=True); main.main(['backup', __import__('sys').argv[1]])"
    )
    subprocess.run([sys.executable, "-c", code, str(file)], env=environment, capture_output=True, check=True)
    _sql(cluster, name, "DELETE FROM django_migrations WHERE name = '9999_future'", ROW.format("kept"))
    assert "made by a newer version of Crossdock (it knows store.9999_future)" in refused(
        crossdock(environment, "restore", "--yes", str(file))
    )
    assert _sql(cluster, name, KEYS) == [("kept",)]


def test_a_backup_that_cannot_be_written(environment: Environment, tmp_path: Path) -> None:
    assert "cannot be written" in refused(crossdock(environment, "backup", str(tmp_path / "no" / "such" / "folder")))


# The vault


def test_every_sealed_column_is_known() -> None:
    binary = {
        (model.__name__, field.name)
        for model in apps.get_app_config("store").get_models()
        for field in model._meta.fields
        if isinstance(field, models.BinaryField)
    }
    open_ones = {("DataPart", "content"), ("Delivery", "body"), ("LabelDocument", "content")}
    assert binary - open_ones - {("ReturnPicture", "content")} == set(vault.SEALED)


def test_a_fresh_key_is_printed(alone: Environment) -> None:
    done = crossdock(alone, "rotate-vault-key", "--print")
    Fernet(done.stdout.strip())
    assert not Path(alone["CROSSDOCK_DATA"]).exists()


def test_secrets_open_after_a_rotation_and_not_with_the_old_key(
    environment: Environment, cluster: Cluster, name: str
) -> None:
    file = Path(environment["CROSSDOCK_DATA"]) / "keys" / "vault.keys"
    crossdock(environment, "migrate")
    old = file.read_text().split()
    token = Fernet(old[0]).encrypt(json.dumps({"token": "geheim"}).encode())
    _insert_attempt(cluster, name, token)
    done = crossdock(environment, "rotate-vault-key")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1 secrets")
    new = file.read_text().split()
    assert new[1:] == old
    assert _sql(cluster, name, "SELECT action FROM store_auditentry") == [("vault key rotated",)]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    sealed = bytes(_sql(cluster, name, "SELECT keep FROM store_connectattempt")[0][0])  # type: ignore[arg-type]
    assert json.loads(Fernet(new[0]).decrypt(sealed)) == {"token": "geheim"}
    assert crossdock(environment, "rotate-vault-key", "--forget").returncode == 0
    assert len(file.read_text().split()) == 1
    assert not set(file.read_text().split()) & {*new}


def test_a_secret_that_no_key_opens_stops_the_rotation(environment: Environment, cluster: Cluster, name: str) -> None:
    crossdock(environment, "migrate")
    foreign = Fernet(Fernet.generate_key()).encrypt(b"{}")
    _insert_attempt(cluster, name, foreign)
    assert "nothing was changed" in refused(crossdock(environment, "rotate-vault-key"))
    assert bytes(_sql(cluster, name, "SELECT keep FROM store_connectattempt")[0][0]) == foreign  # type: ignore[arg-type]


def test_what_no_key_opens_is_left_where_the_operator_says_so(
    environment: Environment, cluster: Cluster, name: str
) -> None:
    """One seller's lost details keep nobody else's secrets under the old key."""
    crossdock(environment, "migrate")
    file = Path(environment["CROSSDOCK_DATA"]) / "keys" / "vault.keys"
    foreign = Fernet(Fernet.generate_key()).encrypt(b"{}")
    _insert_attempt(cluster, name, foreign)
    ours = Fernet(file.read_text().split()[0]).encrypt(b'{"token": "geheim"}')
    with cluster.connect(name) as connection:
        connection.execute("UPDATE store_connectattempt SET secrets = %s", [ours])
    said = refused(crossdock(environment, "rotate-vault-key"))
    assert "1 of the secrets" in said and "keep of ConnectAttempt" in said and "--leave-lost" in said
    done = crossdock(environment, "rotate-vault-key", "--leave-lost")
    assert done.returncode == 0 and done.stdout.startswith("1 secrets") and "1 that no key opens stayed" in done.stdout
    ((left, fresh),) = _sql(cluster, name, "SELECT keep, secrets FROM store_connectattempt")
    assert bytes(left) == foreign  # type: ignore[call-overload]
    assert Fernet(file.read_text().split()[0]).decrypt(bytes(fresh)) == b'{"token": "geheim"}'


def test_keys_of_the_environment_are_not_written_down(environment: Environment, cluster: Cluster, name: str) -> None:
    old, new = Fernet.generate_key(), Fernet.generate_key()
    _insert_attempt(cluster, name, Fernet(old).encrypt(b"{}"))
    both = {**environment, "VAULT_KEYS": f"{new.decode()},{old.decode()}"}
    assert "remove the old ones there" in refused(crossdock({**both}, "rotate-vault-key", "--forget"))
    assert crossdock(both, "rotate-vault-key").stdout.startswith("1 secrets are encrypted with the first of VAULT_KEYS")
    sealed = bytes(_sql(cluster, name, "SELECT keep FROM store_connectattempt")[0][0])  # type: ignore[arg-type]
    assert Fernet(new).decrypt(sealed) == b"{}"
    assert not (Path(environment["CROSSDOCK_DATA"]) / "keys" / "vault.keys").exists()


def test_nobody_may_run_while_the_key_changes(environment: Environment, cluster: Cluster, name: str) -> None:
    with cluster.connect(name):
        assert "stop them first" in refused(crossdock(environment, "rotate-vault-key"))


def _insert_attempt(cluster: Cluster, name: str, sealed: bytes) -> None:
    """One row with a sealed column, whatever its other columns are."""
    model = apps.get_model("store", "ConnectAttempt")
    with cluster.connect(name) as connection:
        connection.execute("SET session_replication_role = replica")
        columns, values = [], []
        for field in model._meta.concrete_fields:
            if field.primary_key or field.null:
                continue
            columns.append(f'"{field.column}"')
            values.append(_filler(field, sealed))
        marks = ", ".join(["%s"] * len(columns))
        connection.execute(f"INSERT INTO store_connectattempt ({', '.join(columns)}) VALUES ({marks})".encode(), values)


def _filler(field: "models.Field[object, object]", sealed: bytes) -> object:
    if isinstance(field, models.BinaryField):
        return sealed
    if isinstance(field, models.DateTimeField):
        return "2026-01-01T00:00:00Z"
    if isinstance(field, models.JSONField):
        return "{}"
    if isinstance(field, models.BooleanField):
        return False
    return 1 if isinstance(field, models.IntegerField | models.ForeignKey) else "x"


# The embedded database


def test_the_embedded_database_by_hand(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """On a cluster that only pretends, since the real one has tests of its own."""
    alive: list[int] = []
    monkeypatch.setattr(Cluster, "start", lambda self: not alive and not alive.append(7))
    monkeypatch.setattr(Cluster, "stop", lambda self: bool(alive and alive.pop()))
    monkeypatch.setattr(Cluster, "pid", lambda self: alive[0] if alive else None)
    monkeypatch.setenv("CROSSDOCK_DATA", str(tmp_path))
    cluster = Cluster.of(load())

    def say(what: str) -> tuple[int, str, bool]:
        parser = __import__("argparse").ArgumentParser()
        database.words(parser)
        return database.run(parser.parse_args([what])), capsys.readouterr().out, cluster.keep.exists()

    assert say("status") == (3, "Not running.\n", False)
    code, said, kept = say("start")
    assert (code, "is running" in said, kept) == (0, True, True)
    code, said, kept = say("start")
    assert (code, "was running already" in said, kept) == (0, True, True)
    assert say("status")[0] == 0
    assert say("stop") == (0, "The embedded database is stopped.\n", False)
    assert say("stop") == (0, "The embedded database was not running.\n", False)


def test_a_server_of_the_operator_s_is_not_ours_to_start(environment: Environment) -> None:
    assert "DATABASE_URL names a server of yours" in refused(crossdock(environment, "database", "start"))


# The whole


def test_run_with_a_taken_port(alone: Environment) -> None:
    with socket.create_server(("127.0.0.1", int(alone["CROSSDOCK_WEB_PORT"]))):
        assert f"Port {alone['CROSSDOCK_WEB_PORT']} is taken, and the web server needs it" in refused(
            crossdock(alone, "run")
        )
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"Port {port} is taken, and a simulated shop needs it" in refused(
            crossdock({**alone, "CROSSDOCK_SANDBOX_PORT": str(port)}, "run")
        )
    assert not (Path(alone["CROSSDOCK_DATA"]) / "postgresql").exists()


def test_run_twice_on_the_same_data(alone: Environment) -> None:
    import fcntl

    data = Path(alone["CROSSDOCK_DATA"])
    data.mkdir()
    with open(data / "run.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert "is running already with the data in" in refused(crossdock(alone, "run"))


def test_starting_over_leaves_a_server_of_the_operator_s_alone(
    environment: Environment, cluster: Cluster, name: str
) -> None:
    _sql(cluster, name, ROW.format("kept"))
    given = {**environment, "FRESH": "1", "CROSSDOCK_SANDBOX_PORT": str(free_ports(3))}
    assert "has to be emptied by you" in refused(crossdock(given, "run"))
    assert _sql(cluster, name, KEYS) == [("kept",)]


def test_starting_over_removes_only_what_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(Cluster, "stop", lambda self: False)
    for folder in ("postgresql", "shops", "media", "keys", "of somebody else"):
        (tmp_path / folder).mkdir()
    config = Config(data=tmp_path)
    run._forget(config, Cluster.of(config))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keys", "of somebody else"]


def test_run_without_room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(run, "NEEDED_BYTES", 1 << 62)
    monkeypatch.setenv("CROSSDOCK_DATA", str(tmp_path))
    monkeypatch.setenv("CROSSDOCK_WEB_PORT", str(free_ports()))
    monkeypatch.setenv("CROSSDOCK_SANDBOX_PORT", str(free_ports(3)))
    with pytest.raises(Trouble, match=r"Only \d+ MB are free"):
        run._start(load(), run.processes.Household({}), None, fresh=False)


def test_a_folder_that_cannot_be_written(alone: Environment) -> None:
    file = Path(alone["CROSSDOCK_DATA"]).parent / "file"
    file.touch()
    assert "cannot be used" in refused(crossdock({**alone, "CROSSDOCK_DATA": str(file / "data")}, "run"))


def test_a_platform_that_nobody_knows(alone: Environment) -> None:
    assert "no simulated shop called nix; there are " in refused(crossdock(alone, "sandbox", "nix"))


def test_the_wheel_s_programs_are_there() -> None:
    for program in ("initdb", "pg_ctl", "postgres", "pg_dump", "pg_restore", "psql"):
        assert os.access(postgres.machine.wheel_binaries() / program, os.X_OK), program
