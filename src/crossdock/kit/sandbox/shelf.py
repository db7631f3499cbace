"""The simulators' storage: JSON documents and a ledger in one SQLite database.

Given a file, the shop is still there after kill -9.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

Doc = dict[str, Any]

_TABLES = """
CREATE TABLE IF NOT EXISTS doc (seq INTEGER PRIMARY KEY, kind TEXT, id TEXT, key TEXT, body TEXT, UNIQUE (kind, id));
CREATE INDEX IF NOT EXISTS doc_key ON doc (kind, key) WHERE key <> '';
CREATE TABLE IF NOT EXISTS number (kind TEXT PRIMARY KEY, last INTEGER);
CREATE TABLE IF NOT EXISTS ledger (seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT, event TEXT, facts TEXT);
"""


class Shelf:
    """Documents by (kind, id), in the order they were first put.

    Every document handed out is a copy: change it, then put it back.
    """

    def __init__(self, path: str = ":memory:") -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        # The kernel keeps written pages when the process is killed; waiting for the disk would only slow the shop down.
        self._db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;" + _TABLES)
        self._depth = 0

    @property
    def version(self) -> int:
        """Another one after each change."""
        return self._db.total_changes

    def close(self) -> None:
        self._db.close()

    def copy_to(self, other: "Shelf") -> None:
        """All of it; what stood there is gone."""
        self._db.backup(other._db)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. There must be no await inside: the shop has one database connection."""
        if self._depth == 0:
            self._db.execute("BEGIN IMMEDIATE")
        self._depth += 1
        try:
            yield
        except BaseException:
            self._depth -= 1
            if self._depth == 0:
                self._db.execute("ROLLBACK")
            raise
        self._depth -= 1
        if self._depth == 0:
            self._db.execute("COMMIT")

    def put(self, kind: str, id: str | int, doc: Doc, *, key: str = "") -> None:
        """Store `doc`; `key` is an optional second name (a reference, a SKU) that `by_key` finds without reading
        everything.
        """
        self._db.execute(
            "INSERT INTO doc (kind, id, key, body) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body, key = excluded.key",
            (kind, str(id), key, json.dumps(doc)),
        )

    def get(self, kind: str, id: str | int) -> Doc | None:
        row = self._db.execute("SELECT body FROM doc WHERE kind = ? AND id = ?", (kind, str(id))).fetchone()
        return None if row is None else _doc(row[0])

    def need(self, kind: str, id: str | int) -> Doc:
        """Raises LookupError."""
        if (doc := self.get(kind, id)) is None:
            raise LookupError(f"there is no {kind} {id}")
        return doc

    def all(self, kind: str) -> list[Doc]:
        return [_doc(row[0]) for row in self._db.execute("SELECT body FROM doc WHERE kind = ? ORDER BY seq", (kind,))]

    def by_key(self, kind: str, key: str) -> list[Doc]:
        rows = self._db.execute(
            "SELECT body FROM doc WHERE kind = ? AND key = ? AND key <> '' ORDER BY seq", (kind, key)
        )
        return [_doc(row[0]) for row in rows]

    def holds(self, text: str) -> bool:
        """Whether any document contains this (ASCII) text somewhere."""
        return self._db.execute("SELECT 1 FROM doc WHERE instr(body, ?) LIMIT 1", (text,)).fetchone() is not None

    def delete(self, kind: str, id: str | int) -> bool:
        return self._db.execute("DELETE FROM doc WHERE kind = ? AND id = ?", (kind, str(id))).rowcount > 0

    def next_number(self, kind: str, start: int = 1) -> int:
        """The next number of a sequence that begins at `start`; never given twice, not even after a restart."""
        row = self._db.execute(
            "INSERT INTO number (kind, last) VALUES (?, ?) ON CONFLICT (kind) DO UPDATE SET last = last + 1 RETURNING"
            " last",
            (kind, start),
        ).fetchone()
        return int(row[0])

    def note(self, event: str, **facts: Any) -> None:
        """Write down what happened in the shop. A mail to anybody is noted as `note("mail", to=..., about=...)`."""
        self._db.execute(
            "INSERT INTO ledger (at, event, facts) VALUES (?, ?, ?)",
            (datetime.now(UTC).isoformat(), event, json.dumps(facts, default=str)),
        )

    def ledger(self, event: str = "") -> list[Doc]:
        """Everything that happened, oldest first, as {"at", "event", ...facts}; only one kind of event when named."""
        rows = self._db.execute("SELECT at, event, facts FROM ledger WHERE ? IN ('', event) ORDER BY seq", (event,))
        return [{**json.loads(facts), "at": at, "event": name} for at, name, facts in rows]


def _doc(body: str) -> Doc:
    value: Doc = json.loads(body)
    return value
