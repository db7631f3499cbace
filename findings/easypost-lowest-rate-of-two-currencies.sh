#!/usr/bin/env bash
# Package:   easypost 10.7.0 (the vendor's own client)
# Expected:  The lowest of two rates is the one that costs less, or, since each rate carries its `currency`, an error that
#            amounts of two currencies cannot be compared. Accounts with carriers of two countries get such rates for one
#            parcel.
# Happens:   `Shipment.lowest_rate()` compares the bare numbers: 8.90 GBP is "lower" than 9.50 USD, and 1,200 JPY (about
#            8 USD) is "dearer" than 9.50 USD. Nothing is said.
# Matters:   "Buy the cheapest" buys the dearer label, every time, and the ledger shows a number that looks right.
# Seen:      2026-11-29
#   8.90 GBP or 9.50 USD -> 8.90 GBP
#   1200 JPY or 9.50 USD -> 9.50 USD
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check easypost==10.7.0
"$folder/env/bin/python" - <<'PY'
from easypost.models import Shipment


def lowest(*rates: tuple[str, str]) -> str:
    made = [
        {"id": f"rate_{at}", "object": "Rate", "carrier": f"Carrier{at}", "service": "Parcel", "rate": rate, "currency": currency}
        for at, (rate, currency) in enumerate(rates)
    ]
    found = Shipment.construct_from({"id": "shp_1", "object": "Shipment", "rates": made}).lowest_rate()
    said = f"{found.rate} {found.currency}"
    print(" or ".join(" ".join(rate) for rate in rates), "->", said)
    return said


assert lowest(("8.90", "GBP"), ("9.50", "USD")) == "8.90 GBP", "this has changed"
assert lowest(("1200", "JPY"), ("9.50", "USD")) == "9.50 USD", "this has changed"
PY
