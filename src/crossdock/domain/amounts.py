"""A number as somebody typed it, or why it has to be typed again.

"12.50" and "12,50" are one amount. "1,250" is 1250 to some and 1.25 to others, so the answer is a question. A lone dot
is always the decimal point, which our own pages write. Nothing that was typed is dropped.
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
_TWO_WAYS = re.compile(r"[1-9][0-9]{0,2},[0-9]{3}")
LONGEST = 40


def typed_decimal(text: str) -> Decimal:
    """Raises NotMoney with a sentence for the person who typed it."""
    plain = unicodedata.normalize("NFKC", text[: LONGEST + 1]).replace("’", "'").strip()
    if len(plain) > LONGEST:
        raise NotMoney("Type a number, such as 12.50.")
    if plain.startswith(("-", "−")):
        return -typed_decimal(plain[1:].lstrip("-−"))
    if _TWO_WAYS.fullmatch(plain):
        whole, _, rest = plain.partition(",")
        raise NotMoney(f"{plain} can mean two amounts. Type {whole}{rest} or {whole}.{rest}.")
    if _PLAIN.fullmatch(plain):
        return Decimal(plain.replace(",", "."))
    grouped = _GROUPED.fullmatch(plain)
    if grouped is None or plain.startswith("0"):
        raise NotMoney("Type a number, such as 12.50.")
    whole = re.sub(r"[^0-9]", "", grouped["whole"])
    return Decimal(f"{whole}.{grouped['rest']}" if grouped["rest"] else whole)
