"""The bank's own books: accounts and payouts. It keeps an idempotency key as banks do: the same key with another amount
is refused.
"""

import hashlib
import secrets
import sqlite3
from dataclasses import dataclass

from crossdock.kit.sandbox.ledger import TroubledLedger

_TABLES = """
CREATE TABLE IF NOT EXISTS account (ref TEXT PRIMARY KEY, holder TEXT NOT NULL, number TEXT NOT NULL,
  currency TEXT NOT NULL, closed INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS payout (
    serial INTEGER PRIMARY KEY AUTOINCREMENT, ref TEXT NOT NULL UNIQUE, key TEXT NOT NULL UNIQUE,
      account TEXT NOT NULL REFERENCES account (ref), minor INTEGER NOT NULL CHECK (minor > 0),
    currency TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'under_way' CHECK (state IN ('under_way', 'paid', 'returned')),
      why TEXT NOT NULL DEFAULT '', seen_from REAL NOT NULL
);
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


class Ledger(TroubledLedger):
    tables = _TABLES
    faults = FAULTS


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
