"""Whose number this is, by its look and its check digit. What fits two carriers, or nobody surely, is nobody's.

A number of twenty digits says nothing: the same twenty are a pallet's (SSCC) and an old postal one, so only FedEx's
own kind of it is known.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

# UPU S10: the posts by country. Those of which we know a page are in domain/shipping.py under the same name.
POSTS = {
    "US": "USPS",
    "GB": "Royal Mail",
    "CA": "Canada Post",
    "AU": "Australia Post",
    "DE": "Deutsche Post DHL",
    "JP": "Japan Post",
    "FR": "La Poste",
    "AT": "Austrian Post",
    "BE": "bpost",
    "BR": "Correios",
    "CH": "Swiss Post",
    "CN": "China Post",
    "DK": "PostNord",
    "ES": "Correos",
    "FI": "Posti",
    "HK": "Hongkong Post",
    "IE": "An Post",
    "IN": "India Post",
    "IT": "Poste Italiane",
    "KR": "Korea Post",
    "MX": "Correos de México",
    "NL": "PostNL",
    "NO": "Posten",
    "NZ": "New Zealand Post",
    "PL": "Poczta Polska",
    "PT": "CTT",
    "SE": "PostNord",
    "SG": "Singapore Post",
    "TW": "Chunghwa Post",
}
_S10_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_EXPRESS_WEIGHTS = (3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1)


def s10_check(eight: str) -> int:
    rest = sum(weight * int(digit) for weight, digit in zip(_S10_WEIGHTS, eight, strict=True)) % 11
    return {0: 5, 1: 0}.get(rest, 11 - rest)


def threes(digits: str) -> int:
    """As on every shop's bar code: three times each second digit from the right."""
    return -sum(int(digit) * (1 if i % 2 else 3) for i, digit in enumerate(reversed(digits))) % 10


def twos(letters: str) -> int:
    """UPS and OnTrac: twice each second one from the left; a letter counts as its place in the alphabet plus one."""
    values = [int(one) if one.isdigit() else (ord(one) - 63) % 10 for one in letters]
    return -sum(value * (2 if i % 2 else 1) for i, value in enumerate(values)) % 10


def express(eleven: str) -> int:
    return sum(weight * int(digit) for weight, digit in zip(_EXPRESS_WEIGHTS, eleven, strict=True)) % 11 % 10


def sevens(digits: str) -> int:
    return int(digits) % 7


def _smart_post(digits: str) -> int:
    """Written without the two digits by which the post knows it; they count."""
    return threes("92" + digits)


@dataclass(frozen=True, slots=True)
class Format:
    """`pattern` captures what the last digit checks, and that digit.

    Without a `check` the look alone is unmistakable.
    """

    carrier: str
    pattern: str
    check: Callable[[str], int] | None = None

    def fits(self, plain: str) -> bool:
        found = re.fullmatch(self.pattern, plain, re.ASCII)
        return found is not None and (self.check is None or self.check(found[1]) == int(found[2]))


FORMATS = (
    Format("UPS", r"1Z([0-9A-Z]{15})(\d)", twos),
    Format("USPS", r"(?:420\d{5}(?:\d{4})?)?(9[2-5]\d{19})(\d)", threes),
    Format("USPS", r"(?:420\d{5}(?:\d{4})?)?(9[2-5]\d{23})(\d)", threes),
    Format("FedEx", r"(\d{11})(\d)", express),
    Format("FedEx", r"(\d{14})(\d)", threes),
    Format("FedEx", r"(61\d{17})(\d)", _smart_post),
    Format("FedEx", r"96\d{5}(\d{14})(\d)", threes),
    Format("FedEx", r"(?:1\d{21}|96\d{20})(\d{11})(\d)", express),
    Format("DHL Express", r"(\d{9})(\d)", sevens),
    Format("DHL eCommerce", r"GM\d{16,20}"),
    Format("OnTrac", r"([CD]\d{13})(\d)", twos),
    Format("OnTrac", r"1LS\d{12}|L[A-Z]\d{8}"),
    Format("Amazon Logistics", r"TBA\d{12}"),
    Format("Canada Post", r"(\d{15})(\d)", threes),
)


def recognise(plain: str) -> str:
    """The carrier of a number without spaces, in capitals; empty when nobody's it is for sure."""
    found = {one.carrier for one in FORMATS if one.fits(plain)}
    if post := _post(plain):
        found.add(post)
    return found.pop() if len(found) == 1 else ""


def _post(plain: str) -> str:
    known = re.fullmatch(r"[A-Z]{2}(\d{8})(\d)([A-Z]{2})", plain, re.ASCII)
    return POSTS.get(known[3], "") if known and s10_check(known[1]) == int(known[2]) else ""
