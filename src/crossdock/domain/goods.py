"""Goods that stand in several shops: which names can say that two are one thing, and what a sale in one shop means for
the others' counts (docs/decisions/0019-linked-goods.md).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

CERTIFICATE, GRADER = "certificate", "grader"
# A name on more variants than these names no single thing.
MOST_OF_A_NAME = 20
_NO_NAME = frozenset(
    {"n/a", "na", "none", "null", "nil", "no sku", "nosku", "sku", "default", "test", "tbd", "unknown"}
)
_DOES_NOT_APPLY = ("does not apply", "doesnotapply", "does-not-apply", "doesn't apply", "not applicable")
_GTIN = frozenset({8, 12, 13, 14})
_BETWEEN = str.maketrans("", "", " -")


class Name(StrEnum):
    """By what two variants are found to be perhaps the same."""

    SKU = "sku"
    BARCODE = "barcode"


class Verdict(StrEnum):
    OPEN = ""
    SAME = "same"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Said:
    """What a seller said of the variants that share a name, by their keys: `same` are one thing, each `apart` is
    another.
    """

    same: frozenset[int] = frozenset()
    apart: frozenset[int] = frozenset()

    @classmethod
    def of(cls, kept: Mapping[str, Sequence[int]]) -> Self:
        return cls(frozenset(kept.get("same", ())), frozenset(kept.get("apart", ())))

    def kept(self) -> dict[str, list[int]]:
        return {"same": sorted(self.same), "apart": sorted(self.apart)}

    def about(self, members: Collection[int]) -> "Said":
        """The same, of some of them: who alone is left of one thing is apart."""
        same = self.same & {*members}
        same = same if len(same) > 1 else frozenset()
        return Said(same, frozenset(members) - same)

    @property
    def verdict(self) -> Verdict:
        return Verdict.SAME if self.same else Verdict.DIFFERENT

    def new(self, members: Iterable[int]) -> frozenset[int]:
        """Of which nothing was said."""
        return frozenset(members) - self.same - self.apart


def names_something(sku: str) -> bool:
    """False for what shops write where they have no SKU: nothing, a lone sign, zeros, "n/a", "does not apply"."""
    text = " ".join(sku.split()).casefold()
    signs = [sign for sign in text if sign.isalnum()]
    if len(signs) < 2 or not set(signs) - {"0"} or not set(signs) - {"x"}:
        return False
    return text not in _NO_NAME and not text.startswith(_DOES_NOT_APPLY)


def gtin(barcode: str) -> str:
    """The fourteen digits of a GTIN (EAN, UPC, ISBN-13), however many it was written with; empty for what is none.
    GS1 General Specifications, 7.9: the last digit is a check. Eight digits that begin with 0 are no GTIN-8, but a
    UPC-E, which is short for another number, or one of a company's own (1.4: prefixes 000 to 099).
    """
    digits = barcode.translate(_BETWEEN)
    if len(digits) not in _GTIN or not digits.isascii() or not digits.isdigit():
        return ""
    whole = digits.rjust(14, "0")
    if whole.startswith("0000000"):
        return ""
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


def told_early(*, told: int, count: int, corrected: int) -> int:
    """Of the units of a correction that is proven only now, those that an earlier read had found gone: they were told
    as a sale, since nobody knew yet whether the shop had carried it out. A rise beyond them is no news of them.
    """
    return min(corrected, max(0, count + corrected - told))
