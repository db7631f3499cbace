"""Passwords are hashed without holding a connection to the database: hashing takes a good part of a second, and twenty
people who sign in together would use up the pool.
"""

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connection


class Unconnected(PBKDF2PasswordHasher):
    """Django's default, with the same algorithm and name, so that stored passwords stay good."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        let_go()
        encoded: str = super().encode(password, salt, iterations)
        return encoded


def let_go() -> None:
    """Give this thread's connection back to the pool, unless a transaction needs it."""
    pooled = "pool" in connection.settings_dict["OPTIONS"]
    if pooled and connection.connection is not None and not connection.in_atomic_block and connection.get_autocommit():
        connection.close()
