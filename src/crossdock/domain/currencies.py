"""How many decimals each currency has: ISO 4217, from iso4217.json beside this file.

A locale library says how many decimals people *show*, which is not what an amount *has*: CLDR shows Serbian dinars
without (150.52 RSD became 151), and Babel 2.19 shows Hungarian forints without, which 2.18 did not. The tests hold the
file against a public copy of the standard. A payment provider's own exceptions stand with that provider.
"""

import json
from functools import cache
from importlib import resources


class NotMoney(ValueError):
    """The text is no amount in this currency; the message is a sentence a person can read."""


def _read() -> tuple[dict[str, int], frozenset[str]]:
    parts = json.loads((resources.files(__package__) / "iso4217.json").read_text())
    by_part = {
        part: {code: int(units) for units, codes in parts[part].items() for code in codes.split()}
        for part in ("current", "funds", "withdrawn")
    }
    return {code: units for part in by_part.values() for code, units in part.items()}, frozenset(by_part["current"])


_UNITS, CURRENT = _read()
# Every code that an amount may carry. CURRENT, what somebody can choose today, leaves out funds and withdrawn codes.
CURRENCIES = frozenset(_UNITS)


@cache
def minor_units(currency: str) -> int:
    """Raises NotMoney for what is no currency: nothing is guessed."""
    try:
        return _UNITS[currency]
    except KeyError:
        raise NotMoney(f"{currency!r} is not a currency code.") from None
