"""A sandbox party's own books in one SQLite file, so that they outlive any process and can be compared with the
marketplace's.

Every question is a transaction of its own under SQLite's lock: web server and worker use the file at the same time. The
fault dial lies in it too, so that every process meets the same trouble.
"""

import hashlib
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import ClassVar, Generic, Self, TypeVar


class Ledger:
    """Opens the file for each question: cheap here, and safe over threads and forks."""

    tables: ClassVar[str]
    pragma: ClassVar[str] = "foreign_keys = ON"

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.path, self.clock = path, clock
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with closing(self._open()) as db:
            db.executescript(self.tables)

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, timeout=10, isolation_level=None)
        db.execute(f"PRAGMA {self.pragma}")
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


_TROUBLE = """
CREATE TABLE IF NOT EXISTS tries (key TEXT NOT NULL, what TEXT NOT NULL, times INTEGER NOT NULL,
  PRIMARY KEY (key, what));
CREATE TABLE IF NOT EXISTS dial (fault TEXT PRIMARY KEY, chance REAL NOT NULL);
CREATE TABLE IF NOT EXISTS secret (word TEXT NOT NULL);
"""


class TroubledLedger(Ledger):
    """With a dial of faults, and `secret`, the word with which its deliveries are signed."""

    faults: ClassVar[tuple[str, ...]]

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        super().__init__(path, clock=clock)
        with closing(self._open()) as db:
            db.executescript(_TROUBLE)
        with self.book() as db:
            if db.execute("SELECT count(*) FROM secret").fetchone()[0] == 0:
                db.execute("INSERT INTO secret VALUES (?)", [secrets.token_hex(24)])
            self.secret = str(db.execute("SELECT word FROM secret").fetchone()[0])

    def dial(self, chances: Mapping[str, float]) -> None:
        """Each fault with its chance per asking; those that are not named stay."""
        with self.book() as db:
            for fault, chance in chances.items():
                if fault not in self.faults:
                    raise ValueError(f"The dial has no {fault!r}; there are {', '.join(self.faults)}.")
                db.execute("INSERT OR REPLACE INTO dial VALUES (?, ?)", [fault, chance])


def strikes(db: sqlite3.Connection, key: str, what: str) -> frozenset[str]:
    """Which faults meet this asking.

    The same key, asked for the same time, always meets the same: no dice, so that a run can be repeated.
    """
    db.execute(
        "INSERT INTO tries VALUES (?, ?, 1) ON CONFLICT (key, what) DO UPDATE SET times = times + 1", [key, what]
    )
    times = db.execute("SELECT times FROM tries WHERE key = ? AND what = ?", [key, what]).fetchone()[0]
    chances = dict(db.execute("SELECT fault, chance FROM dial").fetchall())
    return frozenset(fault for fault, chance in chances.items() if _dice(f"{key}:{what}:{times}:{fault}") < chance)


def times_asked(db: sqlite3.Connection, what: str) -> int:
    return int(db.execute("SELECT coalesce(sum(times), 0) FROM tries WHERE what = ?", [what]).fetchone()[0])


def _dice(word: str) -> float:
    return int(hashlib.sha256(word.encode()).hexdigest()[:8], 16) / 0x1_0000_0000


Books = TypeVar("Books", bound=Ledger)


class OverLedger(Generic[Books]):
    """A party over a ledger in `folder`; without one only its words can be read. A subclass names its `book_class`."""

    label: str
    book_class: type[Books]

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._opened: Books | None = None

    def opened(self, folder: Path, keys: Mapping[str, str]) -> Self:
        return type(self)(folder)

    def missing(self) -> str:
        return ""

    @property
    def ledger(self) -> Books:
        if self._opened is None:
            if self._folder is None:
                raise RuntimeError(f"{self.label} has no folder for its ledger; use what opened(folder) returns.")
            self._opened = self.book_class(self._folder / "ledger.sqlite")
        return self._opened
