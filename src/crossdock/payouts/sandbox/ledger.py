"""The bank's own books in one SQLite file, so that they outlive any process and can be compared with the marketplace's.

It keeps an idempotency key as banks do: the same key with another amount is refused. The fault dial lies in the file
too, so that every process meets the same trouble.
"""

import hashlib
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

_TABLES = """
CREATE TABLE IF NOT EXISTS account (ref TEXT PRIMARY KEY, holder TEXT NOT NULL, number TEXT NOT NULL,
  currency TEXT NOT NULL, closed INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS payout (
    serial INTEGER PRIMARY KEY AUTOINCREMENT, ref TEXT NOT NULL UNIQUE, key TEXT NOT NULL UNIQUE,
      account TEXT NOT NULL REFERENCES account (ref), minor INTEGER NOT NULL CHECK (minor > 0),
    currency TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'under_way' CHECK (state IN ('under_way', 'paid', 'returned')),
      why TEXT NOT NULL DEFAULT '', seen_from REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS asked (key TEXT NOT NULL, times INTEGER NOT NULL, PRIMARY KEY (key));
CREATE TABLE IF NOT EXISTS dial (fault TEXT PRIMARY KEY, chance REAL NOT NULL);
CREATE TABLE IF NOT EXISTS secret (word TEXT NOT NULL);
"""
# lost: done, and the answer never comes; late: the same, and for some seconds it cannot be found either; broken: a
# 5xx, nothing done; throttle: one call too many.
FAULTS = ("lost", "late", "broken", "throttle")


@dataclass(frozen=True, slots=True)
class Row:
    """One payout in the bank's books; `key` is the marketplace's own id of it."""

    serial: int
    ref: str
    key: str
    account: str
    minor: int
    currency: str
    state: str
    why: str


_COLUMNS = "serial, ref, key, account, minor, currency, state, why"


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
        db.execute("PRAGMA foreign_keys = ON")
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


def add_account(db: sqlite3.Connection, *, holder: str, number: str, currency: str) -> str:
    """The same account again is the same one."""
    ref = f"ba_{hashlib.sha256(f'{holder}:{number}:{currency}'.encode()).hexdigest()[:20]}"
    db.execute(
        "INSERT OR IGNORE INTO account (ref, holder, number, currency) VALUES (?, ?, ?, ?)",
        [ref, holder, number, currency],
    )
    return ref


def account(db: sqlite3.Connection, ref: str) -> tuple[str, bool] | None:
    """(currency, whether it was closed)."""
    row = db.execute("SELECT currency, closed FROM account WHERE ref = ?", [ref]).fetchone()
    return (str(row[0]), bool(row[1])) if row else None


def close_account(db: sqlite3.Connection, ref: str) -> None:
    db.execute("UPDATE account SET closed = 1 WHERE ref = ?", [ref])


def write(db: sqlite3.Connection, *, key: str, account: str, minor: int, currency: str, seen_from: float) -> Row:
    db.execute(
        "INSERT INTO payout (ref, key, account, minor, currency, seen_from) VALUES (?, ?, ?, ?, ?, ?)",
        [f"po_{secrets.token_hex(10)}", key, account, minor, currency, seen_from],
    )
    found = by_key(db, key)
    assert found is not None
    return found


def by_key(db: sqlite3.Connection, key: str, *, now: float | None = None) -> Row | None:
    """With `now`: what came late cannot be seen yet."""
    query = f"SELECT {_COLUMNS} FROM payout WHERE key = ? AND seen_from <= ?"  # noqa: S608 - our own words
    row = db.execute(query, [key, float("inf") if now is None else now]).fetchone()
    return Row(*row) if row else None


def by_ref(db: sqlite3.Connection, ref: str) -> Row | None:
    row = db.execute(f"SELECT {_COLUMNS} FROM payout WHERE ref = ?", [ref]).fetchone()  # noqa: S608 - our own words
    return Row(*row) if row else None


def everything(db: sqlite3.Connection) -> list[Row]:
    return [Row(*row) for row in db.execute(f"SELECT {_COLUMNS} FROM payout ORDER BY serial")]  # noqa: S608 - our own words


def set_state(db: sqlite3.Connection, ref: str, state: str, why: str = "") -> None:
    db.execute("UPDATE payout SET state = ?, why = ? WHERE ref = ?", [state, why, ref])


def set_dial(db: sqlite3.Connection, chances: Mapping[str, float]) -> None:
    for fault, chance in chances.items():
        if fault not in FAULTS:
            raise ValueError(f"The dial has no {fault!r}; there are {', '.join(FAULTS)}.")
        db.execute("INSERT OR REPLACE INTO dial VALUES (?, ?)", [fault, chance])


def strikes(db: sqlite3.Connection, key: str) -> frozenset[str]:
    """Which faults meet this asking. The same key, asked for the same time, always meets the same: no dice."""
    db.execute("INSERT INTO asked VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET times = times + 1", [key])
    times = db.execute("SELECT times FROM asked WHERE key = ?", [key]).fetchone()[0]
    chances = dict(db.execute("SELECT fault, chance FROM dial").fetchall())
    return frozenset(fault for fault, chance in chances.items() if _dice(f"{key}:{times}:{fault}") < chance)


def _dice(word: str) -> float:
    return int(hashlib.sha256(word.encode()).hexdigest()[:8], 16) / 0x1_0000_0000
