#!/usr/bin/env bash
# Package:   pymagento 2.14.0
# Expected:  Magento keeps and compares moments in UTC, without an offset. A helper that writes a datetime "for Magento" turns
#            one that knows its zone into UTC, or refuses it.
# Happens:   `format_datetime` cuts the ISO form at its first dot. A moment with microseconds (what `datetime.now(zone)` gives)
#            loses the zone together with them: noon in Berlin is sent as noon UTC. The same moment on a whole second keeps
#            "+02:00" behind it, which is no date for a search.
# Matters:   "Orders changed since" asked from a machine east of Greenwich skips the last hours, each time, without a word.
# Seen:      2026-11-30
#   2026-07-01T12:00:00.300700+02:00 -> 2026-07-01 12:00:00
#   2026-07-01T12:00:00+02:00 -> 2026-07-01 12:00:00+02:00
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check pymagento==2.14.0
"$folder/env/bin/python" - <<'PY'
from datetime import datetime

from magento import format_datetime


def written(moment: str) -> str:
    text = format_datetime(datetime.fromisoformat(moment))
    print(f"{moment} -> {text}")
    return text


assert written("2026-07-01T12:00:00.300700+02:00") == "2026-07-01 12:00:00", "the zone counts now"
assert written("2026-07-01T12:00:00+02:00") == "2026-07-01 12:00:00+02:00", "a whole second is written otherwise now"
PY
