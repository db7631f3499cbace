"""Who sells, as tax law and product safety law want it known.

What a platform has to report of its sellers: Council Directive (EU) 2021/514 ("DAC7"), annex V, section II, part B.
Whom a buyer in the European Union can turn to about a product: Regulation (EU) 2023/988 ("GPSR"), articles 16 and 19.
"""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from importlib import import_module
from typing import Any
from unicodedata import normalize

from crossdock.domain.places import COUNTRIES

# Member states, as ISO 3166-1 names them.
UNION = COUNTRIES & {
    *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"),
    *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
}
ADULT, OLDEST = 18, 120
_LOOSE = re.compile(r"[0-9A-Za-z][0-9A-Za-z ./-]{2,28}[0-9A-Za-z]")
_MAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]{2,}")


class Kind(StrEnum):
    """A sole trader is a person to the tax office and a business to buyers."""

    PRIVATE = "private"
    TRADER = "trader"
    COMPANY = "company"


KINDS = {
    Kind.PRIVATE: "A private person",
    Kind.TRADER: "A sole trader",
    Kind.COMPANY: "A company or another legal entity",
}


@dataclass(frozen=True, slots=True)
class Particulars:
    """`born` (2001-02-28) belongs to a person, `registration` to a company. Kept sealed."""

    kind: str
    name: str
    line1: str
    city: str
    postal_code: str
    country: str
    tax_country: str
    tax_number: str
    vat_id: str = ""
    born: str = ""
    registration: str = ""

    @property
    def is_person(self) -> bool:
        return self.kind != Kind.COMPANY


# A change of these is another seller: what staff approved says nothing of them.
WHO = ("kind", "name", "born", "registration", "tax_country", "tax_number")


def is_somebody_else(before: Particulars, after: Particulars) -> bool:
    """However it is written: "536-90-4399" and "536904399" are one number."""
    return any(_bare(getattr(before, name)) != _bare(getattr(after, name)) for name in WHO)


def _bare(text: str) -> str:
    return "".join(letter for letter in normalize("NFKC", text).casefold() if letter.isalnum())


def wrong_in(given: Particulars, today: date) -> dict[str, str]:
    """What is wrong, by field, in words; empty where nothing is."""
    found = {
        name: "Fill this in."
        for name in ("name", "line1", "city", "country", "tax_country", "tax_number")
        if not getattr(given, name).strip()
    }
    if given.kind not in set(Kind):
        found["kind"] = "Say who sells."
    elif given.is_person:
        if why := _why_not_born(given.born, today):
            found["born"] = why
    elif not given.registration.strip():
        found["registration"] = "Type the number in your register of companies."
    for name in ("country", "tax_country"):
        if name not in found and getattr(given, name) not in COUNTRIES:
            found[name] = "Choose the country from the list."
    if not found.keys() & {"tax_country", "tax_number"} and not is_tax_number(given.tax_country, given.tax_number):
        found["tax_number"] = "This is no tax number of that country. Look at a letter of your tax office."
    if given.vat_id and not is_vat_id(given.vat_id):
        found["vat_id"] = "This is no VAT number. It begins with its country, such as DE136695976."
    return found


def _why_not_born(text: str, today: date) -> str:
    try:
        born = date.fromisoformat(text)
    except ValueError:
        return "Type your date of birth."
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    if years < ADULT:
        return f"Whoever sells here is {ADULT} or older."
    return "Type your date of birth." if years > OLDEST else ""


# The numbers that a country gives to people and to companies; of other countries only the letters are looked at.
_TAX = {
    "AT": ("at.tin", "at.uid"),
    "DE": ("de.idnr", "de.stnr", "de.vat"),
    "ES": ("es.nif",),
    "GB": ("gb.utr", "gb.vat"),
    "IT": ("it.codicefiscale", "it.iva"),
    "NL": ("nl.bsn", "nl.btw"),
    "PL": ("pl.pesel", "pl.nip"),
    "US": ("us.tin",),
}


def is_tax_number(country: str, number: str) -> bool:
    judges = _TAX.get(country, ())
    return any(_judge(name).is_valid(number) for name in judges) if judges else bool(_LOOSE.fullmatch(number))


def is_vat_id(number: str) -> bool:
    """With its country before it. Of countries whose numbers the library does not know, what looks like one."""
    country = number[:2].upper()
    if _judge("eu.vat").is_valid(number):
        return True
    if country in UNION or country not in COUNTRIES:
        return False
    judge = import_module("stdnum").get_cc_module(country.lower(), "vat")
    return bool(judge.is_valid(number) if judge else _LOOSE.fullmatch(number))


def _judge(name: str) -> Any:
    """Loaded with the first number: most processes never see one."""
    return import_module(f"stdnum.{name}")


@dataclass(frozen=True, slots=True)
class Contact:
    """Who answers in the Union for what is sold there: shown with each listing."""

    name: str
    address: str
    email: str


def wrong_in_contact(given: Contact) -> dict[str, str]:
    found = {name: "Fill this in." for name in ("name", "address") if not getattr(given, name).strip()}
    if not _MAIL.fullmatch(given.email):
        found["email"] = "Type an e-mail address, such as safety@example.com."
    return found


def needs_contact(*, country: str, destinations: frozenset[str]) -> bool:
    """Who ships into the Union from outside of it; "*" is everywhere else."""
    return country not in UNION and bool(destinations & (UNION | {"*"}))
