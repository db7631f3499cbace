"""An unmodified Medusa on loopback and PostgreSQL, installed once from the committed lock file beside this.

Making its tables takes half a minute, so the first store is kept as a dump beside the package, with its password and
its API key; later runs begin with that.
"""

import asyncio
import contextlib
import json
import os
import secrets
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from psycopg import sql

from crossdock.cli.postgres import Cluster
from crossdock.connectors.medusa.tests.real.hand import SELLER, RealHand
from crossdock_lab.patience import patient
from crossdock_lab.ports import free_ports
from node_server import NodeServer
from npm_package import installed, lock_of, node

SOURCE = Path(__file__).parent
COMMAND_SECONDS = 300
CLI = "node_modules/@medusajs/cli/cli.js"


@dataclass
class RealSite:
    """A connected seller's view of the server (the conformance suite's Site)."""

    address: str
    hand: RealHand
    api_key: str

    def seller_form(self) -> tuple[str, dict[str, str]]:
        return "key", {"address": self.address, "api_key": self.api_key}


def site(address: str, password: str, key: str) -> RealSite:
    """Of a server that runs already (tests/support/real_loop.py)."""
    return RealSite(address, RealHand(address, password), key)


@dataclass
class RealMedusa(NodeServer):
    """One running server. `stop` or `kill`, and `start` again, go on with the same database."""

    folder: Path
    log: Path
    cluster: Cluster
    database: str
    password: str
    api_key: str = ""
    port: int = 0
    secret: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextlib.asynccontextmanager
    async def site(self) -> AsyncIterator[RealSite]:
        hand = RealHand(self.address, self.password)
        try:
            yield RealSite(self.address, hand, self.api_key)
        finally:
            await hand.close()

    def _environment(self) -> dict[str, str]:
        """The socket's folder as a host: the cluster listens nowhere else."""
        host = quote(str(self.cluster.socket), safe="")
        return {
            **os.environ,
            "NODE_ENV": "production",
            "MEDUSA_DISABLE_TELEMETRY": "true",
            "REAL_DATABASE_URL": f"postgres://crossdock@{host}:5432/{self.database}",
            "REAL_SECRET": self.secret,
        }

    def command(self, *words: str) -> None:
        with self.log.open("ab") as log:
            subprocess.run(
                [node(), CLI, *words],
                cwd=self.folder,
                env=self._environment(),
                stdout=log,
                stderr=log,
                check=True,
                timeout=patient(COMMAND_SECONDS),
            )

    def start(self) -> None:
        self.port = self.port or free_ports()
        words = ["start", "-H", "127.0.0.1", "-p", str(self.port)]
        self._run(CLI, *words, folder=self.folder, environment=self._environment(), log=self.log, address=self.address)


def fresh(folder: Path, cluster: Cluster) -> RealMedusa:
    """A running store of its own: from the kept dump, or made and kept."""
    folder.mkdir(parents=True, exist_ok=True)
    place = installed("real-medusa", SOURCE, "medusa-config.js", MEDUSA_DISABLE_TELEMETRY="true")
    name = f"medusa_{secrets.token_hex(4)}"
    with cluster.connect("postgres") as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    dump, about = place / "store.dump", place / "store.json"
    server = RealMedusa(place, folder / "server.log", cluster, name, secrets.token_hex(8))
    known = json.loads(about.read_text()) if about.exists() else {}
    if known.get("lock") == lock_of(SOURCE):
        server.password, server.api_key = known["password"], known["api_key"]
        _postgres(cluster, "pg_restore", "--no-owner", f"--dbname={name}", str(dump))
        server.start()
        return server
    server.command("db:migrate")
    server.command("user", "--email", SELLER, "--password", server.password)
    server.start()
    server.api_key = asyncio.run(_made(server))
    _postgres(cluster, "pg_dump", "--format=custom", "--no-owner", f"--file={dump}", name)
    kept = {"lock": lock_of(SOURCE), "password": server.password, "api_key": server.api_key}
    about.write_text(json.dumps(kept))
    return server


async def _made(server: RealMedusa) -> str:
    async with server.site() as site:
        return await site.hand.make_store()


def _postgres(cluster: Cluster, program: str, *words: str) -> None:
    who = [f"--host={cluster.socket}", "--username=crossdock"]
    subprocess.run([str(cluster.binaries / program), *who, *words], check=True, timeout=patient(COMMAND_SECONDS))
