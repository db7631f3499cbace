#!/usr/bin/env bash
# Package:   workalendar 17.0.0 and holidays 0.109
# Expected:  Two libraries of public holidays agree on a country's ordinary year. Poland's Christmas Eve is a public holiday
#            since 2025 (Act of 6 December 2024); Denmark's Great Prayer Day is none since 2024 (Act of 28 February 2023).
# Happens:   workalendar, whose newest release is older than both changes, works on 24 December in Poland and rests on Great Prayer Day
#            in Denmark, for every year that it is asked for; nothing says up to when its calendars were checked. holidays
#            knows both.
# Matters:   A "ships by" that is counted in working days is a day off, in one country too early and in the other too late,
#            and differs between two programs of one shop.
# Seen:      2026-11-30
#   Poland, 2026-12-24: workalendar works True, holidays closed True
#   Denmark, 2026-05-01: workalendar works False, holidays closed False
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet --disable-pip-version-check workalendar==17.0.0 holidays==0.109
"$folder/env/bin/python" - <<'PY'
from datetime import date

import holidays
from workalendar.europe import Denmark, Poland


def known(name: str, one, other, day: date) -> tuple[bool, bool]:
    works, closed = one.is_working_day(day), day in other(years=day.year)
    print(f"{name}, {day}: workalendar works {works}, holidays closed {closed}")
    return works, closed


assert known("Poland", Poland(), holidays.PL, date(2026, 12, 24)) == (True, True), "they agree on Poland now"
assert known("Denmark", Denmark(), holidays.DK, date(2026, 5, 1)) == (False, False), "they agree on Denmark now"
PY
