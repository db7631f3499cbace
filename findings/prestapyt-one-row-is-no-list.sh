#!/usr/bin/env bash
# Package:   prestapyt 0.11.1 (the PrestaShop client that Python programs use)
# Expected:  An order's rows have one shape, whatever their number: a list of none, one or two.
# Happens:   Two rows are a list of dictionaries, one row is a dictionary, and no row is no entry at all. The same holds
#            for every list of the webservice: orders of a page, combinations of a product, carriers, images.
# Matters:   Code that was tried with orders of two lines reads an order of one line, the most ordinary one, as the names
#            of its fields: `for row in rows` gives "id", "product_id", "product_quantity".
# Seen:      2026-11-29
#   0 rows -> None
#   1 rows -> {'id': '1', 'product_quantity': '1'}
#   2 rows -> [{'id': '1', 'product_quantity': '1'}, {'id': '2', 'product_quantity': '1'}]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check prestapyt==0.11.1
"$folder/env/bin/python" - <<'PY'
from prestapyt.xml2dict import xml2dict


def rows(number: int) -> object:
    each = "".join(
        f"<order_row><id>{at}</id><product_quantity>1</product_quantity></order_row>" for at in range(1, number + 1)
    )
    answer = (
        "<prestashop><order><id>7</id><associations>"
        f'<order_rows nodeType="order_row">{each}</order_rows></associations></order></prestashop>'
    )
    found = xml2dict(answer)["prestashop"]["order"]["associations"]["order_rows"].get("order_row")
    print(number, "rows ->", found)
    return found


assert rows(0) is None, "this has changed"
assert isinstance(rows(1), dict), "this has changed"
assert isinstance(rows(2), list), "this has changed"
PY
