"""A key that messages are signed with, as a JSON Web Key (RFC 7517) of the curve P-256: the one that every reader of
UCP can check (ES256; v2026-04-08, docs/specification/signatures.md, Signature Algorithms).
"""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric import ec

BYTES = 32
_NAMED_BY = ("crv", "kty", "x", "y")


def fresh() -> tuple[dict[str, str], str]:
    """The public key, and the private number."""
    return public_of(ec.generate_private_key(ec.SECP256R1()))


def public_of(key: ec.EllipticCurvePrivateKey) -> tuple[dict[str, str], str]:
    """Named by its thumbprint (RFC 7638), so the same key never has two names."""
    numbers = key.private_numbers()
    point = numbers.public_numbers
    jwk = {"kty": "EC", "crv": "P-256", "x": _text(point.x), "y": _text(point.y)}
    said = json.dumps({name: jwk[name] for name in _NAMED_BY}, separators=(",", ":"), sort_keys=True)
    kid = _coded(hashlib.sha256(said.encode()).digest())
    return {"kid": kid, **jwk, "use": "sig", "alg": "ES256"}, _text(numbers.private_value)


def private_of(jwk: Mapping[str, str]) -> ec.EllipticCurvePrivateKey:
    """Of a key whose `d` is the private number. Raises KeyError and ValueError for anything else."""
    if (jwk["kty"], jwk["crv"]) != ("EC", "P-256"):
        raise ValueError("That is no key of the curve P-256.")
    return ec.derive_private_key(int.from_bytes(_bytes(jwk["d"]), "big"), ec.SECP256R1())


def _text(number: int) -> str:
    return _coded(number.to_bytes(BYTES, "big"))


def _coded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
