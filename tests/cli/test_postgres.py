"""The embedded PostgreSQL, in folders of its own: adopted after kill -9, never twice, and never in somebody else's
folder.
"""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossdock.cli import postgres
from crossdock.cli.postgres import Cluster
from crossdock.cli.trouble import Trouble
from crossdock.config import Config
from crossdock_lab.patience import patient
from databases import servers_below

AS_ROOT = os.getuid() == 0


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the server's user can enter (pytest's own are closed to others), with a space in its name."""
    above = Path(tempfile.mkdtemp(prefix="crossdock pg "))
    above.chmod(0o755)
    yield above / "data"
    _stop_whatever_runs(above)
    shutil.rmtree(above, ignore_errors=True)


def _stop_whatever_runs(folder: Path) -> None:
    for pid in servers_below(folder):
        os.kill(pid, signal.SIGQUIT)
    end = time.monotonic() + patient(10)
    while servers_below(folder) and time.monotonic() < end:
        time.sleep(0.05)


@pytest.fixture
def cluster(folder: Path) -> Cluster:
    return Cluster.of(Config(data=folder), durable=False)


def test_started_once_then_found_running_then_stopped(cluster: Cluster) -> None:
    assert cluster.pid() is None
    assert cluster.start() is True
    pid = cluster.pid()
    assert cluster.start() is False
    assert cluster.pid() == pid
    assert servers_below(cluster.data) == [pid]
    assert cluster.stop() is True
    assert cluster.stop() is False
    assert (cluster.pid(), servers_below(cluster.data)) == (None, [])


def test_what_was_written_is_there_after_a_restart(cluster: Cluster) -> None:
    cluster.start()
    with cluster.connect() as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    cluster.stop()
    cluster.start()
    with cluster.connect() as connection:
        assert connection.execute("SELECT n FROM kept").fetchall() == [(7,)]


def test_how_it_is_set_up(folder: Path) -> None:
    cluster = Cluster.of(Config(data=folder))
    cluster.start()
    names = [
        "server_encoding",
        "data_checksums",
        "fsync",
        "full_page_writes",
        "synchronous_commit",
        "listen_addresses",
        "jit",
    ]
    with cluster.connect() as connection:
        told = {name: connection.execute(f"SHOW {name}").fetchone()[0] for name in names}  # type: ignore[index]
        assert told == {
            "server_encoding": "UTF8",
            "data_checksums": "on",
            "fsync": "on",
            "full_page_writes": "on",
            "synchronous_commit": "on",
            "listen_addresses": "",
            "jit": "off",
        }
        assert connection.execute(
            "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = 'crossdock'"
        ).fetchone() == ("b", "C.UTF-8")
        connection.execute("CREATE EXTENSION pg_trgm")
        assert connection.execute(
            "SELECT lower('POKÉMON'), 'pokémon' % 'POKÉMON', cardinality(show_trgm('é'))"
        ).fetchone() == ("pokémon", True, 2)


def test_nobody_comes_in_by_the_network_or_as_somebody_else(cluster: Cluster) -> None:
    cluster.start()
    rules = (cluster.folder / "pg_hba.conf").read_text().splitlines()
    assert [rule for rule in rules if not rule.startswith("#")] == ["local all all peer map=crossdock"]
    with cluster.connect() as connection:
        assert connection.execute("SELECT count(*) FROM pg_hba_file_rules WHERE error IS NOT NULL").fetchone() == (0,)
        owner = pwd.getpwuid(os.getuid()).pw_name
        assert (owner,) in connection.execute("SELECT sys_name FROM pg_ident_file_mappings").fetchall()


def test_the_folders_are_closed(cluster: Cluster) -> None:
    cluster.start()
    assert stat.S_IMODE(cluster.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(cluster.socket.stat().st_mode) == 0o700
    assert stat.S_IMODE(cluster.log.stat().st_mode) == 0o600


def test_folders_that_were_there_keep_their_permissions(folder: Path) -> None:
    folder.mkdir()
    for path, mode in ((folder.parent, 0o751), (folder, 0o711 if AS_ROOT else 0o700)):
        path.chmod(mode)
    before = {path: (path.stat().st_mode, path.stat().st_uid) for path in (*folder.parents, folder)}
    Cluster.of(Config(data=folder), durable=False).start()
    assert {path: (path.stat().st_mode, path.stat().st_uid) for path in before} == before


@pytest.mark.skipif(not AS_ROOT, reason="only root hands the server to another user")
def test_root_gives_the_server_to_a_system_user(cluster: Cluster) -> None:
    cluster.start()
    server = cluster.pid()
    assert Path(f"/proc/{server}").stat().st_uid == pwd.getpwnam("crossdock").pw_uid != 0
    assert str(cluster.binaries).startswith("/var/lib/crossdock/")
    assert cluster.data.stat().st_uid == 0


@pytest.mark.skipif(not AS_ROOT, reason="an ordinary user's server is that user")
def test_a_folder_that_the_system_user_cannot_enter_is_named(folder: Path) -> None:
    folder.parent.chmod(0o700)
    with pytest.raises(Trouble, match=r"cannot enter .*CROSSDOCK_DATA"):
        Cluster.of(Config(data=folder), durable=False).start()
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    assert servers_below(folder) == []


def test_a_long_path_works_through_a_short_socket(folder: Path) -> None:
    cluster = Cluster.of(Config(data=folder / ("long" * 20)), durable=False)
    assert cluster.start()
    try:
        with cluster.connect() as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        cluster.stop()
        cluster.socket.rmdir()


def test_a_socket_folder_of_somebody_else_is_refused(folder: Path) -> None:
    target = folder.parent / "theirs"
    target.mkdir()
    link = folder.parent / "link"
    link.symlink_to(target)
    with pytest.raises(Trouble, match="belongs to somebody else"):
        Cluster(folder, link, durable=False).start()
    assert list(target.iterdir()) == []


def test_a_cluster_of_another_version_is_not_touched(cluster: Cluster) -> None:
    cluster.start()
    cluster.stop()
    (cluster.folder / "PG_VERSION").write_text("12\n")
    with pytest.raises(Trouble, match=r"made by PostgreSQL 12 .* restore it"):
        cluster.start()


def test_no_room_is_said_before_anything_is_made(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "NEEDED_BYTES", 1 << 62)
    with pytest.raises(Trouble, match=r"Only \d+ MB are free"):
        cluster.start()
    assert not cluster.folder.exists()


def test_a_user_without_a_name_is_told_so(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    with pytest.raises(Trouble, match="54321 has no name"):
        _ = cluster.account


@pytest.mark.crash
def test_the_server_outlives_its_parent_and_is_adopted(cluster: Cluster) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from crossdock.config import Config; from"
        " crossdock.cli.postgres import Cluster\nCluster.of(Config(data=Path(sys.argv[1])), durable=False).start();"
        " os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(cluster.data)], check=False)
    assert done.returncode == -signal.SIGKILL
    pid = cluster.pid()
    assert pid is not None
    assert cluster.start() is False
    assert servers_below(cluster.data) == [pid]
    assert cluster.stop() is True
    assert servers_below(cluster.data) == []


@pytest.mark.crash
def test_a_killed_server_comes_back_with_what_was_committed(folder: Path) -> None:
    cluster = Cluster.of(Config(data=folder))
    cluster.start()
    with cluster.connect() as connection:
        connection.execute("CREATE TABLE kept (n int)")
    for n in range(3):
        with cluster.connect() as connection:
            connection.execute("INSERT INTO kept VALUES (%s)", [n])
        pid = cluster.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert cluster.start() is True
        assert len(servers_below(cluster.data)) == 1
        with cluster.connect() as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (n + 1,)


@pytest.mark.crash
def test_no_second_server_meets_what_a_killed_one_left_behind(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.start()
    with cluster.connect() as connection:
        backend = connection.info.backend_pid
        os.kill(backend, signal.SIGSTOP)
        pid = cluster.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        try:
            monkeypatch.setattr(postgres, "LEFTOVER_SECONDS", 0.5)
            with pytest.raises(Trouble, match=rf"left processes behind \(.*{backend}"):
                cluster.start()
            monkeypatch.undo()
            assert servers_below(cluster.data) == []
        finally:
            os.kill(backend, signal.SIGCONT)
    assert cluster.start() is True


@pytest.mark.crash
def test_a_start_killed_half_way_leaves_nothing_in_the_way(cluster: Cluster) -> None:
    code = (
        "import sys; from pathlib import Path; from crossdock.config import Config; from crossdock.cli.postgres import"
        " Cluster\nCluster.of(Config(data=Path(sys.argv[1])), durable=False).start()"
    )
    for seconds in (0.25, 0.5, 0.75, 1.0):
        child = subprocess.Popen([sys.executable, "-c", code, str(cluster.data)])
        time.sleep(seconds)
        child.kill()
        child.wait()
    cluster.start()
    assert len(servers_below(cluster.data)) == 1
    with cluster.connect() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.crash
def test_several_that_start_at_once_end_with_one_server(cluster: Cluster) -> None:
    code = (
        "import sys; from pathlib import Path; from crossdock.config import Config; from crossdock.cli.postgres import"
        " Cluster\nprint(Cluster.of(Config(data=Path(sys.argv[1])), durable=False).start())"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(cluster.data)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    said = sorted(child.communicate()[0].strip() for child in started)
    assert said == ["False", "False", "False", "True"]
    assert len(servers_below(cluster.data)) == 1


@pytest.mark.crash
@pytest.mark.parametrize("lies", ["a program of somebody else", "nobody", "a copied folder"])
def test_a_pid_file_that_lies_is_not_believed(cluster: Cluster, lies: str) -> None:
    cluster.start()
    real = cluster.pid()
    cluster.stop()
    file = cluster.folder / "postmaster.pid"
    pid, place = {
        "a program of somebody else": (os.getpid(), cluster.folder),
        "nobody": (real, cluster.folder),
        "a copied folder": (os.getpid(), Path("/srv/elsewhere/postgresql")),
    }[lies]
    file.write_text(f"{pid}\n{place}\n1\n5432\n{cluster.socket}\n")
    if AS_ROOT:
        os.chown(file, cluster.account.pw_uid, cluster.account.pw_gid)
    assert cluster.pid() is None
    assert cluster.start() is True
    assert len(servers_below(cluster.data)) == 1
