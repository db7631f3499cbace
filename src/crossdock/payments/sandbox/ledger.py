"""The bank's own books: payments, what was refunded of them, and how often it was asked."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from crossdock.kit.sandbox import ledger

_TABLES = """
CREATE TABLE IF NOT EXISTS payment (
    intent TEXT PRIMARY KEY, minor INTEGER NOT NULL, currency TEXT NOT NULL,
      state TEXT NOT NULL CHECK (state IN ('captured', 'declined', 'voided')),
    token TEXT NOT NULL, ref TEXT NOT NULL, sentence TEXT NOT NULL,
      at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
CREATE TABLE IF NOT EXISTS refund (
    key TEXT PRIMARY KEY, intent TEXT NOT NULL REFERENCES payment (intent), minor INTEGER NOT NULL CHECK (minor > 0),
      ref TEXT NOT NULL,
    at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
CREATE TABLE IF NOT EXISTS told (intent TEXT NOT NULL, what TEXT NOT NULL,
  at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')));
"""


@dataclass(frozen=True, slots=True)
class Payment:
    intent: str
    minor: int
    currency: str
    state: str
    token: str
    ref: str
    sentence: str


class Ledger(ledger.Ledger):
    tables = _TABLES


def payment(db: sqlite3.Connection, intent: str) -> Payment | None:
    row = db.execute(
        "SELECT intent, minor, currency, state, token, ref, sentence FROM payment WHERE intent = ?", [intent]
    ).fetchone()
    return Payment(*row) if row else None


def write_payment(db: sqlite3.Connection, row: Payment) -> None:
    db.execute(
        "INSERT INTO payment (intent, minor, currency, state, token, ref, sentence) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [row.intent, row.minor, row.currency, row.state, row.token, row.ref, row.sentence],
    )


def refunded(db: sqlite3.Connection, intent: str) -> int:
    return int(db.execute("SELECT coalesce(sum(minor), 0) FROM refund WHERE intent = ?", [intent]).fetchone()[0])


def refund_of(db: sqlite3.Connection, key: str) -> tuple[str, int, str] | None:
    """(intent, minor, ref) of the refund made under this key."""
    row = db.execute("SELECT intent, minor, ref FROM refund WHERE key = ?", [key]).fetchone()
    return (str(row[0]), int(row[1]), str(row[2])) if row else None


def refunds_of(db: sqlite3.Connection, intent: str) -> list[tuple[str, int, str]]:
    """(key, minor, ref) of each refund, oldest first."""
    rows = db.execute("SELECT key, minor, ref FROM refund WHERE intent = ? ORDER BY rowid", [intent]).fetchall()
    return [(str(key), int(minor), str(ref)) for key, minor, ref in rows]


def refunds_since(db: sqlite3.Connection, since: datetime) -> tuple[str, ...]:
    """The bank's ids of payments of which something was refunded since."""
    rows = db.execute(
        "SELECT DISTINCT p.ref FROM refund r JOIN payment p USING (intent) WHERE julianday(r.at) >= julianday(?)",
        [since.isoformat()],
    ).fetchall()
    return tuple(str(row[0]) for row in rows)


def write_refund(db: sqlite3.Connection, *, key: str, intent: str, minor: int, ref: str) -> None:
    db.execute("INSERT INTO refund (key, intent, minor, ref) VALUES (?, ?, ?, ?)", [key, intent, minor, ref])


def told(db: sqlite3.Connection, intent: str, what: str) -> int:
    """Note that this was asked, and answer how often it was before."""
    before = int(db.execute("SELECT count(*) FROM told WHERE intent = ? AND what = ?", [intent, what]).fetchone()[0])
    db.execute("INSERT INTO told (intent, what) VALUES (?, ?)", [intent, what])
    return before
