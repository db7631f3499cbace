#!/usr/bin/env bash
# Package:   price-parser 0.5.1
# Expected:  "0.750 KWD" is three quarters of a dinar, and "1,000.500 KWD" a thousand and a half: the dinars of Kuwait,
#            Bahrain and Iraq and the rial of Oman have three decimals (ISO 4217), a number cannot begin with a thousands
#            separator after 0, and two different separators in one number are a thousands and a decimal one.
# Happens:   A last group of three digits is always taken for thousands, whatever stands before it and whichever
#            currency is named beside it: 750 and 1000500.
# Matters:   A price list of a shop that sells in dinars is read a thousand times too high, and the result looks like an
#            ordinary price. decimal_separator="." repairs it, but whoever reads prices of many shops does not know it.
# Seen:      2026-11-29
#   0.750 KWD -> 750 KWD
#   OMR 3.500 -> 3500 OMR
#   1,000.500 KWD -> 1000500 KWD
#   BHD 12,345.678 -> 12345678 BHD
#   1,234.56 KWD -> 1234.56 KWD
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check price-parser==0.5.1
"$folder/env/bin/python" - <<'PY'
from decimal import Decimal

from price_parser import Price

SEEN = {
    "0.750 KWD": "750",
    "OMR 3.500": "3500",
    "1,000.500 KWD": "1000500",
    "BHD 12,345.678": "12345678",
    "1,234.56 KWD": "1234.56",
}
wrong = []
for text, amount in SEEN.items():
    price = Price.fromstring(text)
    print(text, "->", price.amount, price.currency)
    if price.amount != Decimal(amount):
        wrong.append(text)
assert Price.fromstring("0.750 KWD", decimal_separator=".").amount == Decimal("0.750")
assert not wrong, f"this has changed: {wrong}"
PY
