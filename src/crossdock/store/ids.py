"""Ids that people see: short, unguessable where they open something, without letters that look alike."""

import secrets

_ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"


def public_id() -> str:
    """14 characters, 68 bits: safe in a URL, hopeless to guess."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(14))


def reference_tail() -> str:
    return "".join(secrets.choice(_ALPHABET.upper()) for _ in range(5))
