"""The carrier's own books in one SQLite file, so that they outlive any process and can be compared with the
marketplace's.

It keeps no idempotency key: who asks twice buys twice, as at real carriers. The fault dial lies in the file too, so
that every process meets the same trouble.
"""

import hashlib
import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from crossdock.domain.labels import TrackEvent, TrackStatus

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
CREATE TABLE IF NOT EXISTS asked (reference TEXT NOT NULL, what TEXT NOT NULL, times INTEGER NOT NULL,
  PRIMARY KEY (reference, what));
CREATE TABLE IF NOT EXISTS dial (fault TEXT PRIMARY KEY, chance REAL NOT NULL);
CREATE TABLE IF NOT EXISTS secret (word TEXT NOT NULL);
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


class Ledger:
    """Opens the file for each question: cheap here, and safe over threads and forks."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.path, self.clock = path, clock
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with closing(self._open()) as db:
            db.executescript(_TABLES)
        with self.book() as db:
            if db.execute("SELECT count(*) FROM secret").fetchone()[0] == 0:
                db.execute("INSERT INTO secret VALUES (?)", [secrets.token_hex(24)])
            self.secret = str(db.execute("SELECT word FROM secret").fetchone()[0])

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=10, isolation_level=None)
        # A killed process loses nothing by it; only a power cut could, and these are no real books.
        db.execute("PRAGMA synchronous = OFF")
        return db

    @contextmanager
    def book(self) -> Iterator[sqlite3.Connection]:
        """One write transaction; others wait for it."""
        with closing(self._open()) as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")


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


def set_dial(db: sqlite3.Connection, chances: Mapping[str, float]) -> None:
    for fault, chance in chances.items():
        if fault not in FAULTS:
            raise ValueError(f"The dial has no {fault!r}; there are {', '.join(FAULTS)}.")
        db.execute("INSERT OR REPLACE INTO dial VALUES (?, ?)", [fault, chance])


def strikes(db: sqlite3.Connection, reference: str, what: str) -> frozenset[str]:
    """Which faults meet this asking.

    The same reference, asked for the same time, always meets the same: no dice, so that a run can be repeated.
    """
    db.execute(
        "INSERT INTO asked VALUES (?, ?, 1) ON CONFLICT (reference, what) DO UPDATE SET times = times + 1",
        [reference, what],
    )
    times = db.execute("SELECT times FROM asked WHERE reference = ? AND what = ?", [reference, what]).fetchone()[0]
    chances = dict(db.execute("SELECT fault, chance FROM dial").fetchall())
    return frozenset(
        fault for fault, chance in chances.items() if _dice(f"{reference}:{what}:{times}:{fault}") < chance
    )


def times_asked(db: sqlite3.Connection, what: str) -> int:
    return int(db.execute("SELECT coalesce(sum(times), 0) FROM asked WHERE what = ?", [what]).fetchone()[0])


def _dice(word: str) -> float:
    return int(hashlib.sha256(word.encode()).hexdigest()[:8], 16) / 0x1_0000_0000
