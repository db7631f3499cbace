#!/usr/bin/env bash
# Package:   python-barcode 0.16.1, with python-stdnum 2.2 as the judge
# Expected:  A complete EAN-13, EAN-8, UPC-A or ISBN-13 whose check digit is wrong is refused: the check digit is there so
#            that a digit typed wrongly is noticed (GS1 General Specifications, 7.9).
# Happens:   The given check digit is dropped without a word and another one is computed, so each wrong number becomes a
#            valid one: that of another product, or of none.
# Matters:   A seller types one digit of a product's number wrongly; the label prints, every scanner reads it, and it
#            names another article. Whoever prints labels has to check the number first.
# Seen:      2026-11-29
#   ean13 4006381333930 (valid: False) -> 4006381333931 (valid: True)
#   ean8 73513536 (valid: False) -> 73513537 (valid: True)
#   upca 036000291453 (valid: False) -> 036000291452 (valid: True)
#   isbn13 9780306406158 (valid: False) -> 9780306406157 (valid: True)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check python-barcode==0.16.1 python-stdnum==2.2
"$folder/env/bin/python" - <<'PY'
import barcode
from stdnum import ean

GIVEN = {"ean13": "4006381333930", "ean8": "73513536", "upca": "036000291453", "isbn13": "9780306406158"}
silent = []
for kind, number in GIVEN.items():
    printed = barcode.get(kind, number).get_fullcode()
    print(kind, number, f"(valid: {ean.is_valid(number)}) ->", printed, f"(valid: {ean.is_valid(printed)})")
    silent.append(printed[:-1] == number[:-1] and not ean.is_valid(number) and ean.is_valid(printed))
assert all(silent), "this has changed"
PY
