"""Ids that a simulated store has again after a restart: made of what they name."""

import base64
import hashlib


def ulid(said: str) -> str:
    """As Medusa's ids are: Crockford's alphabet, which has no I, L, O and U."""
    digits = base64.b32encode(hashlib.sha256(said.encode()).digest()).decode()
    return f"01{digits[:24].translate(str.maketrans('ILOU', '8910'))}"
