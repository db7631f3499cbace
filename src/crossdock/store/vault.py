"""Secrets at rest: Fernet with rotating keys that live outside the database.

Losing the keys means reconnecting the shops.
"""

import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

NO_KEY = "These credentials were encrypted with a key that is no longer configured; reconnect the shop."


class VaultLocked(Exception):
    """No configured key opens this secret; the shop has to be reconnected."""


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.VAULT_KEYS])


def seal(secrets: Mapping[str, str]) -> bytes:
    return _fernet().encrypt(json.dumps(dict(secrets)).encode())


def unseal(sealed: bytes | memoryview) -> dict[str, str]:
    """Raises VaultLocked."""
    try:
        opened: dict[str, str] = json.loads(_fernet().decrypt(bytes(sealed)))
    except InvalidToken:
        raise VaultLocked(
            "These credentials were encrypted with a key that is no longer configured; reconnect the shop."
        ) from None
    return opened


def reseal(sealed: bytes | memoryview) -> bytes:
    """The same secret under the newest key. Raises VaultLocked."""
    try:
        return _fernet().rotate(bytes(sealed))
    except InvalidToken:
        raise VaultLocked(NO_KEY) from None
