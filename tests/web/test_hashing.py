"""No connection to the database is held while a password is hashed."""

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher

from crossdock.web import hashing


class Held:
    def __init__(self, *, pooled: bool = True, atomic: bool = False) -> None:
        self.connection: object | None = object()
        self.in_atomic_block = atomic
        self.settings_dict = {"OPTIONS": {"pool": {}} if pooled else {}}

    def get_autocommit(self) -> bool:
        return not self.in_atomic_block

    def close(self) -> None:
        self.connection = None


@pytest.mark.parametrize(
    ("held", "given_back"),
    [(Held(), True), (Held(atomic=True), False), (Held(pooled=False), False)],
    ids=["between transactions", "in a transaction", "without a pool"],
)
def test_the_connection_is_given_back_first(monkeypatch: pytest.MonkeyPatch, held: Held, given_back: bool) -> None:
    monkeypatch.setattr(hashing, "connection", held)
    seen: list[object] = []

    def pbkdf2(*_: object, **__: object) -> bytes:
        seen.append(held.connection)
        return b"x"

    monkeypatch.setattr("django.contrib.auth.hashers.pbkdf2", pbkdf2)
    assert hashing.Unconnected().verify("geheim", hashing.Unconnected().encode("geheim", "salt", 1))
    assert seen and all((connection is None) is given_back for connection in seen)


def test_passwords_stored_before_stay_good() -> None:
    stored = PBKDF2PasswordHasher().encode("geheim", "salt", 1000)
    assert hashing.Unconnected().verify("geheim", stored)
    assert hashing.Unconnected().encode("geheim", "salt", 1000) == stored


def test_the_pool_gives_up_at_once_when_nothing_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own patience is for a busy database; each of its waits here is a step, and after the first one it asks."""
    import psycopg
    from psycopg_pool import ConnectionPool, PoolTimeout

    from crossdock.web.pooled import base

    waited: list[float] = []

    def getconn(self: object, timeout: float) -> None:
        waited.append(timeout)
        raise PoolTimeout

    monkeypatch.setattr(ConnectionPool, "getconn", getconn)
    pool = base.Pool(kwargs={"host": "127.0.0.1", "port": "9"}, open=False, min_size=0, max_size=2, timeout=10)
    monkeypatch.setattr(base, "listens", lambda host, port: False)
    with pytest.raises(psycopg.OperationalError, match="does not accept"):
        pool.getconn()
    assert len(waited) == 1 and waited[0] <= 0.25
