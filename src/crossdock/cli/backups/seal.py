"""The seal of a backup: an HMAC over its list of contents, under a key made of the vault's newest key. Whoever swaps a
file in the backup has to change the list, and cannot seal the list again.
"""

import hashlib
import hmac
from collections.abc import Sequence
from enum import Enum

_PURPOSE = b"crossdock: seal of a backup"
_ROUNDS = 200_000


class Seal(Enum):
    PROVED = "proved"
    # It was sealed under a key that is not here.
    ANOTHER_KEY = "another key"
    # Made before backups were sealed, or somebody took the seal off.
    NONE = "none"


class Broken(Exception):
    """The list is not the one that was sealed."""


def fingerprint(key: str) -> str:
    """Enough to tell two keys apart, and no help in guessing one."""
    return hashlib.pbkdf2_hmac("sha256", key.encode(), b"crossdock: fingerprint of a key", _ROUNDS)[:8].hex()


def sealed(text: bytes, key: str) -> bytes:
    """Which key it was, then the HMAC."""
    return f"{fingerprint(key)} {_mac(text, key)}".encode()


def looked_at(text: bytes, seal: bytes | None, keys: Sequence[str]) -> Seal:
    """Raises Broken."""
    if seal is None:
        return Seal.NONE
    which, _, mac = seal.decode(errors="replace").strip().partition(" ")
    key = next((key for key in keys if fingerprint(key) == which), None)
    if key is None:
        return Seal.ANOTHER_KEY
    if not hmac.compare_digest(mac.encode(), _mac(text, key).encode()):
        raise Broken
    return Seal.PROVED


def _mac(text: bytes, key: str) -> str:
    return hmac.new(hmac.digest(key.encode(), _PURPOSE, "sha256"), text, "sha256").hexdigest()
