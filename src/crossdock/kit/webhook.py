"""Signatures over the raw bytes of a delivery. The body is never parsed before this says yes."""

import base64
import binascii
import hashlib
import hmac
import json
from datetime import datetime
from typing import Literal, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook, WebhookVerificationError

from crossdock.domain.events import HookNews
from crossdock.kit.connector import Connector, Forged, Hook, Shop


def sign(
    secret: bytes | str, body: bytes, *, encoding: Literal["base64", "hex"] = "base64", digest: str = "sha256"
) -> str:
    """The HMAC of `body`, written as platforms write it."""
    key = secret.encode() if isinstance(secret, str) else secret
    mac = hmac.new(key, body, digest).digest()
    return base64.b64encode(mac).decode() if encoding == "base64" else binascii.hexlify(mac).decode()


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
    if not secret or not given:
        return False
    given = given.strip()
    expected = sign(secret, body, encoding=encoding, digest=digest)
    return hmac.compare_digest(
        expected.encode(), (given.lower() if encoding == "hex" else given).encode(errors="replace")
    )


def verify_standard(key: str, hook: Hook) -> None:
    """Raises Forged unless the headers of Standard Webhooks sign the body with `key` (base64)."""
    try:
        Webhook(key).verify(hook.body, dict(hook.headers), json_parse=False)
    # A signature without a comma, or one that is no base64, is a ValueError of the library's.
    except (WebhookVerificationError, EmptyWebhookSecretError, ValueError):
        raise Forged from None


def verify_detached(signature: str, body: bytes, keys: str) -> None:
    """Raises Forged unless a detached JWS (RFC 7515, appendix F; RFC 7797, `b64` false) signs the body as it came, by
    the RSA key that it names among `keys` (a list of JWKs as JSON), with RS256 and nothing else.
    """
    head, _, signed = signature.partition("..")
    try:
        header = json.loads(_unpadded(head))
        if (header["alg"], header["b64"]) != ("RS256", False):
            raise Forged
        key = next(key for key in json.loads(keys) if key["kid"] == header["kid"])
        n, e = (int.from_bytes(_unpadded(key[name])) for name in ("n", "e"))
        RSAPublicNumbers(e, n).public_key().verify(_unpadded(signed), head.encode() + b"." + body, PKCS1v15(), SHA256())
    except (ValueError, TypeError, KeyError, StopIteration, InvalidSignature, RecursionError):
        raise Forged from None


def _unpadded(part: str) -> bytes:
    """base64url without its padding. Raises ValueError (binascii.Error is one)."""
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)


def verified_news(connector: Connector, shop: Shop, hook: Hook) -> HookNews:
    """What a delivery from outside says. Raises Forged before anything of it is read."""
    connector.verify(shop, hook)
    return connector.news(shop, hook)


class Teller(Protocol):
    """A payment provider or a carrier, opened with the operator's keys: it has one address and one secret."""

    def verify(self, hook: Hook, now: datetime) -> None: ...

    def news(self, hook: Hook) -> HookNews: ...


def told_news(teller: Teller, hook: Hook, now: datetime) -> HookNews:
    """The same for a payment provider or a carrier."""
    teller.verify(hook, now)
    return teller.news(hook)


def body_key(body: bytes) -> str:
    """A short hash of the body: part of our own key against double deliveries."""
    return hashlib.sha256(body).hexdigest()[:24]
