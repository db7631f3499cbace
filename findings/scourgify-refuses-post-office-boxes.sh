#!/usr/bin/env bash
# Package:   usaddress-scourgify 0.7.1 (usaddress 0.5.16)
# Expected:  Four kinds of delivery address stand in USPS Publication 28, which the package says it follows: streets,
#            post office boxes, rural or highway contract routes, and military ones. All are normalized.
# Happens:   Streets are. A post office box, a highway contract route and a military address raise
#            UnparseableAddressError, "Unable to break this address into its component parts", although usaddress below
#            it does break them: the wrapper counts the labels of a box as ambiguous.
# Matters:   A shop that checks addresses with it refuses buyers in the forces and whoever gets mail at a box, with a
#            message that blames what they typed.
# Seen:      2026-11-29
#   742 Evergreen Ter -> 742 EVERGREEN TER
#   PO Box 12 -> UnparseableAddressError
#   HC 1 Box 12 -> UnparseableAddressError
#   PSC 3 Box 1234 -> UnparseableAddressError
#   usaddress alone: PO Box 12 -> PO Box
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check usaddress-scourgify==0.7.1 usaddress==0.5.16
"$folder/env/bin/python" - <<'PY'
import usaddress
from scourgify import normalize_address_record
from scourgify.exceptions import UnParseableAddressError

SEEN = {
    ("742 Evergreen Ter", "Springfield", "IL", "62704"): "742 EVERGREEN TER",
    ("PO Box 12", "Portland", "OR", "97201"): None,
    ("HC 1 Box 12", "Nome", "AK", "99762"): None,
    ("PSC 3 Box 1234", "APO", "AE", "09021"): None,
}
wrong = []
for (line, city, state, code), expected in SEEN.items():
    record = {"address_line_1": line, "address_line_2": "", "city": city, "state": state, "postal_code": code}
    try:
        found = normalize_address_record(record)["address_line_1"]
    except UnParseableAddressError:
        found = None
    print(line, "->", found or "UnparseableAddressError")
    if found != expected:
        wrong.append(line)
_, kind = usaddress.tag("PO Box 12, Portland, OR 97201")
print("usaddress alone: PO Box 12 ->", kind)
assert kind == "PO Box", "usaddress no longer knows a box"
assert not wrong, f"this has changed: {wrong}"
PY
