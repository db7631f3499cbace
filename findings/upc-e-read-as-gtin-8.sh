#!/usr/bin/env bash
# Package:   biip 5.2.0 and python-stdnum 2.2
# Expected:  A UPC-E is a UPC-A with its zeros left out: "01234565" on a pack is 012345000065. Its check digit is that of the
#            long form (GS1 General Specifications, UPC-E), so a parser that knows both UPC-E and GTIN-8 either says that
#            eight digits alone do not tell which it is, or gives the same kind of answer for every UPC-E.
# Happens:   biip gives the long form for a UPC-E whose digits are no GTIN-8 by chance ("04252614" -> 042100005264), and a
#            GTIN-8 of its own for one whose digits are ("01234565" -> 01234565). The check digits agree for 58 of 100
#            UPC-E of number system 0, since a zero-suppressed digit mostly keeps its weight. python-stdnum calls the one
#            invalid and the other a valid EAN-8.
# Matters:   Whoever matches the goods of two shops by `parse(code).gtin` finds four in ten UPC-E, and takes the others for
#            different articles, without an error.
# Seen:      2026-11-30
#   04252614 -> gtin 042100005264 (GTIN_12), stdnum.ean False
#   01234565 -> gtin 01234565 (GTIN_8), stdnum.ean True
#   580000 of 1000000 UPC-E are also a GTIN-8 by their check digit
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check biip==5.2.0 python-stdnum==2.2
"$folder/env/bin/python" - <<'PY'
import biip
from stdnum import ean


def read(code: str) -> str:
    found = biip.parse(code).gtin
    print(f"{code} -> gtin {found.value} ({found.format.name}), stdnum.ean {ean.is_valid(code)}")
    return found.value


def long_form(six: str) -> str:
    """The eleven digits before the check digit, of number system 0."""
    last = six[5]
    if last in "012":
        return f"0{six[:2]}{last}0000{six[2:5]}"
    if last == "3":
        return f"0{six[:3]}00000{six[3:5]}"
    if last == "4":
        return f"0{six[:4]}00000{six[4]}"
    return f"0{six[:5]}0000{last}"


def check_digit(digits: str) -> int:
    return -sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(digits))) % 10


every = [f"{number:06}" for number in range(1_000_000)]
both = sum(check_digit("0" + six) == check_digit(long_form(six)) for six in every)
print(f"{both} of {len(every)} UPC-E are also a GTIN-8 by their check digit")
assert read("04252614") == "042100005264", "the long form is no longer given"
assert read("01234565") == "01234565", "the long form is given for this one too now"
assert both == 580_000
PY
