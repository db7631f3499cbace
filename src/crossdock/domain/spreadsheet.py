"""Texts in a CSV file that a spreadsheet shows as they are."""

import re

# Without it a spreadsheet takes UTF-8 for the system's old encoding, and "Zoë" for "ZoÃ«".
MARK = "\ufeff"
# What a spreadsheet runs (owasp.org/www-community/attacks/CSV_Injection), and digits that it would round, shorten or
# strip of their zeros: it keeps fifteen, shows eleven, and reads "12E5" as a number.
_RUNS = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_SPOILS = re.compile(r"\d{12,}|0\d+|\d+[eE]\d+", re.ASCII)


def plain(text: object) -> str:
    """A text that a spreadsheet shows as it is: an apostrophe keeps it text, and pasted back here it is taken off."""
    words = str(text)
    return f"'{words}" if _RUNS.match(words) or _SPOILS.fullmatch(words) else words
