"""What can be said of an e-mail address, a phone number and a postal code without asking anybody: package data and a
table of US postal codes.
"""

import re
import unicodedata
from functools import lru_cache

# First three digits of US postal codes by state, as the postal service assigns them (Publication 65 lists the same;
# military mail is left out).
_ZIP3: dict[str, str] = {
    "AK": "995-999",
    "AL": "350-369",
    "AR": "716-729",
    "AZ": "850-865",
    "CA": "900-961",
    "CO": "800-816",
    "CT": "060-069",
    "DC": "200-205,569",
    "DE": "197-199",
    "FL": "320-349",
    "GA": "300-319,398-399",
    "HI": "967-968",
    "IA": "500-528",
    "ID": "832-838",
    "IL": "600-629",
    "IN": "460-479",
    "KS": "660-679",
    "KY": "400-427",
    "LA": "700-714",
    "MA": "010-027,055",
    "MD": "206-219",
    "ME": "039-049",
    "MI": "480-499",
    "MN": "550-567",
    "MO": "630-658",
    "MS": "386-397",
    "MT": "590-599",
    "NC": "270-289",
    "ND": "580-588",
    "NE": "680-693",
    "NH": "030-038",
    "NJ": "070-089",
    "NM": "870-884",
    "NV": "889-898",
    "NY": "005,063,100-149",
    "OH": "430-459",
    "OK": "730-732,734-749",
    "OR": "970-979",
    "PA": "150-196",
    "PR": "006-007,009",
    "RI": "028-029",
    "SC": "290-299",
    "SD": "570-577",
    "TN": "370-385",
    "TX": "733,750-799,885",
    "UT": "840-847",
    "VA": "201,220-246",
    "VI": "008",
    "VT": "050-054,056-059",
    "WA": "980-994",
    "WI": "530-549",
    "WV": "247-268",
    "WY": "820-831,834",
}
_WORDS = {
    "street": "st",
    "avenue": "ave",
    "road": "rd",
    "drive": "dr",
    "lane": "ln",
    "boulevard": "blvd",
    "court": "ct",
    "place": "pl",
    "suite": "ste",
}


@lru_cache
def _state_ranges() -> dict[str, tuple[tuple[int, int], ...]]:
    def one(part: str) -> tuple[int, int]:
        low, _, high = part.partition("-")
        return int(low), int(high or low)

    return {state: tuple(one(part) for part in text.split(",")) for state, text in _ZIP3.items()}


def postal_code_fits(country: str, region: str, postal_code: str) -> bool | None:
    """Whether a US postal code lies in that state; None elsewhere and where either is missing."""
    ranges = _state_ranges().get(region.strip().upper())
    digits = postal_code.strip()[:5]
    if country != "US" or ranges is None or not digits.isdecimal() or len(digits) != 5:
        return None
    return any(low <= int(digits[:3]) <= high for low, high in ranges)


def address_key(line1: str, postal_code: str, country: str) -> str:
    """The same door written differently is one key: case, accents, dots, the usual abbreviations and the flat's number
    do not count.
    """
    plain = unicodedata.normalize("NFKD", line1).encode("ascii", "ignore").decode().lower()
    plain = re.sub(r"\b(apt|apartment|unit|flat|ste|suite|no|#)\.?\s*\w+$", "", re.sub(r"[.,]", "", plain)).strip()
    words = [_WORDS.get(word, word) for word in plain.split()]
    place = re.sub(r"\W", "", postal_code.lower())[:5]
    return f"{''.join(words)[:20]}|{place}|{country.lower()}" if words and place else ""


def mail_domain(email: str) -> str:
    return email.rpartition("@")[2].strip().lower()


def disposable(email: str) -> bool | None:
    """Whether the domain, or one above it, is a known throw-away one."""
    from disposable_email_domains import blocklist

    domain = mail_domain(email)
    if "." not in domain:
        return None
    parts = domain.split(".")
    return any(".".join(parts[i:]) in blocklist for i in range(len(parts) - 1))


@lru_cache(maxsize=4096)
def phone(number: str, country: str) -> tuple[bool | None, str | None]:
    """(whether such a number can exist, its country); (None, None) without one, and where it could be of any country.

    Countries that share a calling code share their numbers: a British mobile number may look like Guernsey's, and a
    Puerto Rican one is +1. Where the codes are the same, the number is of the address's country.
    """
    if not number.strip() or (not country and not number.strip().startswith("+")):
        return None, None
    import phonenumbers

    try:
        read = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        return False, None
    possible = phonenumbers.is_possible_number(read)
    if read.country_code == phonenumbers.country_code_for_region(country):
        return possible, country
    return possible, phonenumbers.region_code_for_country_code(read.country_code or 0)
