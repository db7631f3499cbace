"""Ids that people see: short, unguessable where they open something, without letters that look alike."""

import secrets

_ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"


def public_id() -> str:
    """14 characters, 68 bits: safe in a URL, hopeless to guess."""
    return _random(_ALPHABET, 14)


def reference_tail() -> str:
    return _random(_ALPHABET.upper(), 5)


def _random(letters: str, many: int) -> str:
    """One number for all of them: a letter at a time asks the system for each."""
    number, made = secrets.randbelow(len(letters) ** many), ""
    for _ in range(many):
        number, place = divmod(number, len(letters))
        made += letters[place]
    return made
