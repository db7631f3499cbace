#!/usr/bin/env bash
# Package:   bigcommerce 0.23.4 (the vendor's Python client)
# Expected:  A shipment that is read has what the shop's answer says, and so "items": which units of which line it holds.
# Happens:   Every name that a Python dictionary has as a method is left out of every answer, and "items" is one. The
#            entry is missing, and `shipment.items` is the dictionary's own method. The same befalls "values", "update"
#            and "copy" in any answer of the API.
# Matters:   Of a partly shipped order nobody learns which units are on their way. A program that writes the shipment
#            back sends it without its items, and one that takes a missing list for an empty one calls the parcel empty.
# Seen:      2026-11-29
#   names that are kept: id, order_id, tracking_number
#   shipment["items"]: KeyError
#   shipment.items is a method: True
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check bigcommerce==0.23.4
"$folder/env/bin/python" - <<'PY'
from bigcommerce.resources.orders import OrderShipments

ANSWER = {
    "id": 5,
    "order_id": 118,
    "tracking_number": "1Z999AA10123456784",
    "items": [{"order_product_id": 194, "product_id": 86, "quantity": 1}],
}


class Shop:
    """Answers as the API does; nothing is sent."""

    def make_request(self, method, url, data, params, headers):
        assert (method, url) == ("GET", "orders/118/shipments/5")
        return dict(ANSWER)


shipment = OrderShipments.get(118, 5, connection=Shop())
kept = sorted(name for name in shipment if not name.startswith("_"))
print("names that are kept:", ", ".join(kept))
try:
    said = str(shipment["items"])
except KeyError as error:
    said = type(error).__name__
print('shipment["items"]:', said)
print("shipment.items is a method:", callable(shipment.items))
assert kept == ["id", "order_id", "tracking_number"] and said == "KeyError" and callable(shipment.items), "changed"
PY
