"""Noon: a backup, verified, and restored on another machine."""

import json
import shutil
import tarfile
import time
from pathlib import Path
from typing import Any

from crossdock_lab.day.play import Day, first_line

# Grow by themselves while all runs.
_RUNNING = (
    "store_audit",
    "store_cursor",
    "procrastinate",
    "store_exchange",
    "store_call",
    "django_cache",
    "store_party",
)


def backup(day: Day) -> None:
    machines = day.machines
    file = machines.folder / "market.backup"
    begun = time.monotonic()
    made = machines.asked("backup", str(file))
    took = time.monotonic() - begun
    size = file.stat().st_size / 1024**2 if file.exists() else 0
    day.see(made.returncode == 0, "D4", "backup", f"{size:.1f} MB while all runs, {took:.1f} s {made.stderr[-200:]}")
    begun = time.monotonic()
    verified = machines.asked("backup", "--verify", str(file))
    day.see(
        verified.returncode == 0,
        "D4",
        "verify",
        f"{first_line(verified.stdout + verified.stderr)} {time.monotonic() - begun:.0f} s",
    )
    _elsewhere(day, file)


def _elsewhere(day: Day, file: Path) -> None:
    """A machine that has the file and the vault's key, nothing else."""
    machines = day.machines
    home = machines.folder / "elsewhere"
    (home / "keys").mkdir(parents=True)
    home.chmod(0o711)
    shutil.copy(machines.data / "keys" / "vault.keys", home / "keys")
    (home / "keys" / "vault.keys").chmod(0o600)
    there = {name: value for name, value in machines.environment.items() if name != "DATABASE_URL"}
    there["CROSSDOCK_DATA"] = str(home)
    machines.asked("database", "start", machine=there)
    try:
        begun = time.monotonic()
        restored = machines.asked("restore", str(file), machine=there)
        took = time.monotonic() - begun
        day.see(restored.returncode == 0, "D4", "restore", f"on another machine, {took:.0f} s {restored.stderr[-300:]}")
        again = machines.folder / "again.backup"
        machines.asked("backup", str(again), machine=there)
        ours, theirs = _contents(file), _contents(again)
        differ = {
            name: (many, theirs["rows"].get(name))
            for name, many in ours["rows"].items()
            if theirs["rows"].get(name) != many and not name.startswith(_RUNNING)
        }
        same = ours["figures"] == theirs["figures"] and ours["pictures"] == theirs["pictures"]
        day.see(
            not differ and same,
            "D4",
            "restore",
            f"the same rows of {len(ours['rows'])} tables, {len(ours['figures'])}"
            f" figures of money and stock {differ or ''}",
        )
    finally:
        machines.asked("database", "stop", machine=there)


def _contents(file: Path) -> Any:
    with tarfile.open(file) as tar:
        found = tar.extractfile("contents.json")
        assert found is not None
        return json.loads(found.read())
