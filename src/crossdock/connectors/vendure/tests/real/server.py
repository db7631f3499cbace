"""An unmodified Vendure, installed once from the committed lock file and run on loopback.

Nothing of its code is in this project.
"""

import contextlib
import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from crossdock.cli.postgres import Cluster
from crossdock.connectors.vendure.tests.real.hand import RealHand
from crossdock_lab.ports import free_ports
from node_server import NodeServer
from npm_package import installed

HERE = Path(__file__).parent


def folder() -> Path:
    """With Vendure in it. About two minutes, and 170 MB; one for both databases."""
    return installed("real-vendure", HERE, "server.js", VENDURE_DISABLE_TELEMETRY="true")


@dataclass
class RealSite:
    """A connected seller's view of the server (the conformance suite's Site)."""

    address: str
    hand: RealHand
    password: str

    def seller_form(self) -> tuple[str, dict[str, str]]:
        return "login", {"address": self.address, "username": "superadmin", "password": self.password}


def site(address: str, password: str, key: str) -> RealSite:
    """Of a server that runs already (tests/support/real_loop.py)."""
    return RealSite(address, RealHand(address, password), password)


@dataclass
class RealVendure(NodeServer):
    """One running server. `stop` and `start` again go on with the same database."""

    data: Path
    password: str
    session: str = "1y"
    port: int = 0
    # The socket's folder and the database of a PostgreSQL; without them it is SQLite in `data`.
    socket: str = ""
    database: str = ""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextlib.asynccontextmanager
    async def site(self) -> AsyncIterator[RealSite]:
        hand = RealHand(self.address, self.password)
        try:
            yield RealSite(self.address, hand, self.password)
        finally:
            await hand.close()

    def start(self) -> None:
        self.port = self.port or free_ports()
        environment = {
            **os.environ,
            "REAL_PORT": str(self.port),
            "REAL_DATA": str(self.data),
            "REAL_PASSWORD": self.password,
            "REAL_SESSION": self.session,
            "REAL_SOCKET": self.socket,
            "REAL_DATABASE": self.database,
            "VENDURE_DISABLE_TELEMETRY": "true",
        }
        self._run(
            "server.js",
            folder=folder(),
            environment=environment,
            log=self.data / "server.log",
            address=self.address,
            ready=lambda said: said.endswith("READY\n"),
        )


def fresh(folder: Path, *, session: str = "1y", cluster: Cluster | None = None) -> RealVendure:
    """A new shop in an empty folder: the database is made at its first start, in `cluster` if there is one."""
    folder.mkdir(parents=True, exist_ok=True)
    made = RealVendure(folder, secrets.token_hex(8), session)
    if cluster is not None:
        made.socket, made.database = str(cluster.socket), f"vendure_{secrets.token_hex(4)}"
        with cluster.connect("postgres") as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(made.database)))
    return made
