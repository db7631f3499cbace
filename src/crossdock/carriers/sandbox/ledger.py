"""The carrier's own books: labels and where their parcels were. It keeps no idempotency key: who asks twice buys twice,
as at real carriers.
"""

import json
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crossdock.domain.labels import TrackEvent, TrackStatus
from crossdock.kit.sandbox.ledger import TroubledLedger

_TABLES = """
CREATE TABLE IF NOT EXISTS label (
    serial INTEGER PRIMARY KEY AUTOINCREMENT, ref TEXT NOT NULL UNIQUE, reference TEXT NOT NULL,
      service TEXT NOT NULL, minor INTEGER NOT NULL CHECK (minor > 0),
    wanted TEXT NOT NULL, void TEXT NOT NULL DEFAULT 'none' CHECK (void IN ('none', 'asked', 'done', 'refused')),
      at REAL NOT NULL, seen_from REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS label_reference ON label (reference);
CREATE TABLE IF NOT EXISTS event (ref TEXT NOT NULL REFERENCES label (ref), status TEXT NOT NULL, at TEXT NOT NULL,
  place TEXT NOT NULL);
"""
# lost: done, and the answer never comes; late: the same, and for some seconds it cannot be found either; broken: a
# 5xx, nothing done; slow_void: weeks, not at once.
FAULTS = ("lost", "late", "broken", "throttle", "slow_void")


@dataclass(frozen=True, slots=True)
class Row:
    serial: int
    ref: str
    reference: str
    service: str
    minor: int
    wanted: Any
    void: str


class Ledger(TroubledLedger):
    tables = _TABLES
    faults = FAULTS
    # A killed process loses nothing by it; only a power cut could, and these are no real books.
    pragma = "synchronous = OFF"


def sell(
    db: sqlite3.Connection, *, reference: str, service: str, minor: int, wanted: Any, at: float, seen_from: float
) -> Row:
    ref = f"spl_{secrets.token_hex(10)}"
    db.execute(
        "INSERT INTO label (ref, reference, service, minor, wanted, at, seen_from) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [ref, reference, service, minor, json.dumps(wanted), at, seen_from],
    )
    found = by_ref(db, ref)
    assert found is not None
    return found


_COLUMNS = "serial, ref, reference, service, minor, wanted, void"


def _row(values: tuple[Any, ...]) -> Row:
    serial, ref, reference, service, minor, wanted, void = values
    return Row(serial, ref, reference, service, minor, json.loads(wanted), void)


def by_ref(db: sqlite3.Connection, ref: str) -> Row | None:
    found = db.execute(f"SELECT {_COLUMNS} FROM label WHERE ref = ?", [ref]).fetchone()  # noqa: S608 - our own words
    return _row(found) if found else None


def by_reference(db: sqlite3.Connection, reference: str, now: float) -> list[Row]:
    """Oldest first; what was sold late cannot be seen yet."""
    query = f"SELECT {_COLUMNS} FROM label WHERE reference = ? AND seen_from <= ? ORDER BY serial"  # noqa: S608 - our own words
    return [_row(found) for found in db.execute(query, [reference, now])]


def everything(db: sqlite3.Connection) -> list[Row]:
    return [_row(found) for found in db.execute(f"SELECT {_COLUMNS} FROM label ORDER BY serial")]  # noqa: S608 - our own words


def set_void(db: sqlite3.Connection, ref: str, state: str) -> None:
    db.execute("UPDATE label SET void = ? WHERE ref = ?", [state, ref])


def add_event(db: sqlite3.Connection, ref: str, event: TrackEvent) -> None:
    db.execute("INSERT INTO event VALUES (?, ?, ?, ?)", [ref, str(event.status), event.at.isoformat(), event.place])


def events_of(db: sqlite3.Connection, ref: str) -> tuple[TrackEvent, ...]:
    rows = db.execute("SELECT status, at, place FROM event WHERE ref = ? ORDER BY rowid", [ref])
    return tuple(TrackEvent(TrackStatus(status), datetime.fromisoformat(at), place) for status, at, place in rows)
