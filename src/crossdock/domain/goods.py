"""Goods that stand in several shops: which names can say that two are one thing, and what a sale in one shop means for
the others' counts (docs/decisions/0019-linked-goods.md).
"""

from collections.abc import Iterable
from enum import StrEnum

CERTIFICATE, GRADER = "certificate", "grader"
# A name on more variants than these names no single thing.
MOST_OF_A_NAME = 20
_NO_NAME = frozenset(
    {"n/a", "na", "none", "null", "nil", "no sku", "nosku", "sku", "default", "test", "tbd", "unknown"}
)
_DOES_NOT_APPLY = ("does not apply", "doesnotapply", "does-not-apply", "doesn't apply", "not applicable")
_GTIN = frozenset({8, 12, 13, 14})


class Name(StrEnum):
    """By what two variants are found to be perhaps the same."""

    SKU = "sku"
    BARCODE = "barcode"


class Verdict(StrEnum):
    OPEN = ""
    SAME = "same"
    DIFFERENT = "different"


def names_something(sku: str) -> bool:
    """False for what shops write where they have no SKU: nothing, a lone sign, zeros, "n/a", "does not apply"."""
    text = " ".join(sku.split()).casefold()
    signs = [sign for sign in text if sign.isalnum()]
    if len(signs) < 2 or not set(signs) - {"0"} or not set(signs) - {"x"}:
        return False
    return text not in _NO_NAME and not text.startswith(_DOES_NOT_APPLY)


def gtin(barcode: str) -> str:
    """The fourteen digits of a GTIN (EAN, UPC, ISBN-13), however many it was written with; empty for what is none.
    GS1 General Specifications, 7.9: the last digit is a check.
    """
    digits = "".join(sign for sign in barcode if sign in "0123456789")
    if len(digits) not in _GTIN or not set(digits) - {"0"} or any(sign.isalpha() for sign in barcode):
        return ""
    whole = digits.rjust(14, "0")
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(whole[:-1]))
    return whole if (10 - total % 10) % 10 == int(whole[-1]) else ""


def certificate(facts: Iterable[str]) -> tuple[str, str]:
    """(number, who graded it) of a unit that has a certificate of its own; the number is empty where it has none."""
    said = dict(fact.split("=", 1) for fact in facts if fact.startswith((f"{CERTIFICATE}=", f"{GRADER}=")))
    return said.get(CERTIFICATE, ""), said.get(GRADER, "")


def same_unit(one: Iterable[str], other: Iterable[str]) -> bool:
    """Two graders may give the same number; who names none means any."""
    (number, by), (its, its_by) = certificate(one), certificate(other)
    return bool(number) and number == its and (not by or not its_by or by == its_by)


def fell(*, told: int, count: int, corrected: int) -> int:
    """Units that left the pool of linked goods, by a member's count: it was `told`, is `count`, and `corrected` of the
    difference were sales elsewhere that this shop was told of. The other members owe these.

    A rise gives nobody anything: it is this shop's own, as in the stock protocol only a shop's read count is.
    """
    return max(0, told - count - corrected)
