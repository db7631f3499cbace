"""Signatures over the raw bytes of a delivery. The body is never parsed before this says yes."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal


def sign(
    secret: bytes | str, body: bytes, *, encoding: Literal["base64", "hex"] = "base64", digest: str = "sha256"
) -> str:
    """The HMAC of `body`, written as platforms write it."""
    key = secret.encode() if isinstance(secret, str) else secret
    mac = hmac.new(key, body, digest).digest()
    return base64.b64encode(mac).decode() if encoding == "base64" else binascii.hexlify(mac).decode()


_unchecked: ContextVar[bool] = ContextVar("unchecked", default=False)


@contextmanager
def unchecked() -> Iterator[None]:
    """Only for playing a recorded delivery again (kit/replay.py): its signature was blacked out, and so were the
    secrets that it could be checked by.
    """
    before = _unchecked.set(True)
    try:
        yield
    finally:
        _unchecked.reset(before)


def hmac_ok(
    secret: bytes | str,
    body: bytes,
    given: str,
    *,
    encoding: Literal["base64", "hex"] = "base64",
    digest: str = "sha256",
) -> bool:
    """True when `given` signs `body`, compared in constant time.

    An empty secret or signature never verifies anything.
    """
    if _unchecked.get():
        return True
    if not secret or not given:
        return False
    given = given.strip()
    expected = sign(secret, body, encoding=encoding, digest=digest)
    return hmac.compare_digest(
        expected.encode(), (given.lower() if encoding == "hex" else given).encode(errors="replace")
    )


def body_key(body: bytes) -> str:
    """A short hash of the body: part of our own key against double deliveries."""
    return hashlib.sha256(body).hexdigest()[:24]
