#!/usr/bin/env bash
# Packages:  py-moneyed 3.0 with Babel 2.19.0
# Expected:  The text of an amount and its number of smallest units are the same money: str(Money("1990.50", "HUF")) shows
#            what get_amount_in_sub_unit() gives to a payment provider. ISO 4217 has two decimals for HUF, IDR and COP and
#            three for IQD.
# Happens:   py-moneyed counts smallest units by ISO 4217, and writes amounts with Babel's number of decimals, which is
#            how many people commonly write (CLDR). In Babel 2.17.0 that was 2 for HUF, IDR and COP; in 2.19.0 it is 0.
#            The text is rounded without a word.
# Matters:   The page says 1,990, the card is charged 1,990.50. A total shown as the sum of rounded rows does not add up.
#            What is shown must take its decimals from ISO 4217 too.
# Seen:      2026-11-29
#   HUF: shown as 'HUF 1990', 199050 smallest units of which 100 are one
#   IDR: shown as 'IDR 1990', 199050 smallest units of which 100 are one
#   COP: shown as 'COP 1990', 199050 smallest units of which 100 are one
#   IQD: shown as 'IQD 12', 12345 smallest units of which 1000 are one
#   KWD: shown as 'KWD 1.250', 1250 smallest units of which 1000 are one
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check py-moneyed==3.0 babel==2.19.0
"$folder/env/bin/python" - <<'PY'
from decimal import Decimal

from moneyed import Money, get_currency

GIVEN = {"HUF": "1990.50", "IDR": "1990.50", "COP": "1990.50", "IQD": "12.345", "KWD": "1.250"}
differ = []
for code, amount in GIVEN.items():
    money = Money(amount, code)
    shown = str(money).replace("\N{NO-BREAK SPACE}", " ")
    units, whole = money.get_amount_in_sub_unit(), get_currency(code).sub_unit
    print(f"{code}: shown as {shown!r}, {units} smallest units of which {whole} are one")
    if Decimal(shown.removeprefix(code).strip()) != Decimal(units) / whole:
        differ.append(code)
assert differ == ["HUF", "IDR", "COP", "IQD"], f"this has changed: {differ}"
PY
