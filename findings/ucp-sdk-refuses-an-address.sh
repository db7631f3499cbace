#!/usr/bin/env bash
# Package:   ucp-sdk 0.5.0 (PyPI), the official Python models of the Universal Commerce Protocol; the protocol's newest release
#            is 2026-04-08
# Expected:  A checkout that a business of 2026-04-08 answers with is read: its fulfillment as in the specification's own first
#            example (docs/specification/fulfillment.md of the tag v2026-04-08), an address with its id and its lines.
# Happens:   0.5.0 asks each destination of an answer for a `type`, which 2026-04-08 does not have, and refuses the checkout
#            as soon as the buyer's address stands in it. 0.4.6 reads it.
# Matters:   A platform that upgrades from 0.4.6 cannot read one checkout of physical goods any more, from any business that
#            answers by the release; a checkout without an address is still read, so a first try goes well. Whoever speaks
#            2026-04-08 stays at 0.4.6.
# Seen:      2026-11-30
#   ucp-sdk 0.4.6: without an address read, with one read
#   ucp-sdk 0.5.0: without an address read, with one refused at fulfillment.methods.0.destinations.0.type: missing
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
cat > "$folder/read.py" <<'PY'
from importlib.metadata import version

from pydantic import ValidationError
from ucp_sdk.models.schemas.shopping.fulfillment import Checkout

ADDRESS = {
    "id": "dest_1",
    "street_address": "123 Main St",
    "address_locality": "Springfield",
    "address_region": "IL",
    "postal_code": "62701",
    "address_country": "US",
}
OPTION = {"id": "standard", "title": "Standard Shipping", "totals": [{"type": "total", "amount": 500}]}
METHOD = {
    "id": "method_1",
    "type": "shipping",
    "line_item_ids": ["shirt"],
    "groups": [{"id": "package_1", "line_item_ids": ["shirt"], "selected_option_id": "standard", "options": [OPTION]}],
}
PRICE = [{"type": "subtotal", "amount": 2500}, {"type": "total", "amount": 2500}]
SHIRT = {"id": "shirt", "title": "Shirt", "price": 2500}


def read(method: dict) -> str:
    totals = [PRICE[0], {"type": "fulfillment", "amount": 500}, {"type": "total", "amount": 3000}]
    checkout = {
        "ucp": {"version": "2026-04-08", "payment_handlers": {}},
        "id": "chk_1",
        "status": "incomplete",
        "currency": "USD",
        "line_items": [{"id": "shirt", "item": SHIRT, "quantity": 1, "totals": PRICE}],
        "totals": totals,
        "links": [],
        "fulfillment": {"methods": [method]},
    }
    try:
        Checkout.model_validate(checkout)
    except ValidationError as no:
        return "; ".join(f"refused at {'.'.join(map(str, one['loc']))}: {one['type']}" for one in no.errors())
    return "read"


bare = read(METHOD)
whole = read({**METHOD, "destinations": [ADDRESS], "selected_destination_id": "dest_1"})
print(f"ucp-sdk {version('ucp-sdk')}: without an address {bare}, with one {whole}")
refused = "refused at fulfillment.methods.0.destinations.0.type: missing"
assert bare == "read" and whole == {"0.4.6": "read", "0.5.0": refused}[version("ucp-sdk")], "this has changed"
PY
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check ucp-sdk==0.4.6
"$folder/env/bin/python" "$folder/read.py"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check ucp-sdk==0.5.0
"$folder/env/bin/python" "$folder/read.py"
