"""A number as somebody typed it, or why it has to be typed again.

"12.50" and "12,50" are one amount. "1,250" is 1250 to some and 1.25 to others, so the answer is a question. The sign
that the page itself writes before decimals, a dot in English and a comma in German, is never asked about; then "1.250"
is. Nothing that was typed is dropped.
"""

import re
import unicodedata
from decimal import Decimal

from crossdock.domain.currencies import NotMoney

_PLAIN = re.compile(r"[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+")
# Groups of three behind one kind of separator, then perhaps the other kind and decimals.
_GROUPED = re.compile(
    r"(?P<whole>[0-9]{1,3}(?P<sep>[., '])[0-9]{3}(?:(?P=sep)[0-9]{3})*)(?:(?!(?P=sep))[.,](?P<rest>[0-9]*))?"
)
_TWO_WAYS = re.compile(r"(?P<whole>[1-9][0-9]{0,2})(?P<sep>[.,])(?P<rest>[0-9]{3})")
LONGEST = 40
NO_NUMBER = "Type a number, such as 12.50."


class TwoWays(NotMoney):
    """What was typed, and the two ways to type it that are read as one amount each."""

    def __init__(self, typed: str, one: str, other: str) -> None:
        super().__init__(f"{typed} can mean two amounts. Type {one} or {other}.")
        self.typed, self.one, self.other = typed, one, other


def typed_decimal(text: str, *, point: str = ".") -> Decimal:
    """Raises NotMoney with a sentence for the person who typed it. `point` is what their page writes before decimals:
    "." or ",".
    """
    plain = unicodedata.normalize("NFKC", text[: LONGEST + 1]).replace("’", "'").strip()
    if len(plain) > LONGEST:
        raise NotMoney(NO_NUMBER)
    if plain.startswith(("-", "−")):
        return -typed_decimal(plain[1:].lstrip("-−"), point=point)
    two = _TWO_WAYS.fullmatch(plain)
    if two is not None and two["sep"] != point:
        raise TwoWays(plain, f"{two['whole']}{two['rest']}", f"{two['whole']}{point}{two['rest']}")
    if _PLAIN.fullmatch(plain):
        return Decimal(plain.replace(",", "."))
    grouped = _GROUPED.fullmatch(plain)
    if grouped is None or plain.startswith("0"):
        raise NotMoney(NO_NUMBER)
    whole = re.sub(r"[^0-9]", "", grouped["whole"])
    return Decimal(f"{whole}.{grouped['rest']}" if grouped["rest"] else whole)
