"""The pages that a marketplace writes itself, as plain text: no sign in it is markup."""

import hashlib
import re
from enum import StrEnum

LONGEST = 100_000


class Page(StrEnum):
    """In the order of the footer."""

    TERMS = "terms"
    PRIVACY = "privacy"
    CONTACT = "contact"


TITLES: dict[Page, str] = {Page.TERMS: "Terms", Page.PRIVACY: "Privacy", Page.CONTACT: "Contact and imprint"}
FOR: dict[Page, str] = {
    Page.TERMS: "What holds between you, buyers and sellers.",
    Page.PRIVACY: "Whose data you keep, why and how long, and whom to ask.",
    Page.CONTACT: "Who runs the marketplace, with address, e-mail and what your law asks to be named.",
}


def paragraphs(text: str) -> list[list[str]]:
    """A paragraph ends at an empty line; its lines stay lines."""
    parts = re.split(r"\n\s*\n", text.strip())
    return [[line.strip() for line in part.splitlines()] for part in parts if part.strip()]


def digest(text: str) -> str:
    """Names a text that was shown."""
    return hashlib.sha256(text.encode()).hexdigest()[:40]
