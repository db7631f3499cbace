"""Until when an order has to leave: working days, public holidays, time zones and their summer time."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossdock.domain.due.calendar import MOST_CLOSED, Calendar, Span, public_holidays, states_of
from crossdock.domain.due.ship_by import in_words, ship_by, stood_still
from crossdock.domain.due.typed_days import NoDays, read_days, written
from crossdock.domain.due.zones import place_of, zone_of, zones
from crossdock.domain.values import COUNTRIES

BERLIN = Calendar("Europe/Berlin", region="DE")
ANGELES = Calendar("America/Los_Angeles", region="US")
HOUR = timedelta(hours=1)


def at(zone: str, text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("country", "day", "free"),
    [
        # Germany: one day for all by treaty, Epiphany in three states, the Day of Prayer in Saxony alone.
        ("DE", "2026-10-03", True),
        ("DE-BY", "2027-01-06", True),
        ("DE-BE", "2027-01-06", False),
        ("DE-SN", "2026-11-18", True),
        ("DE", "2026-11-18", False),
        ("DE", "2027-03-26", True),
        # 5 U.S.C. 6103: the fourth Thursday of November; one on a Saturday is observed on the Friday before.
        ("US", "2026-11-26", True),
        ("US", "2026-11-27", False),
        ("US", "2026-07-03", True),
        ("US", "2027-12-31", True),
        # The 2nd of January is Scotland's; Boxing Day 2026 is a Saturday, made good on Monday.
        ("GB-SCT", "2025-01-02", True),
        ("GB-ENG", "2025-01-02", False),
        ("GB-ENG", "2026-12-28", True),
        ("JP", "2026-12-25", False),
        ("JP", "2027-01-11", True),
    ],
)
def test_public_holidays_are_those_of_the_law(country: str, day: str, free: bool) -> None:
    found = date.fromisoformat(day)
    assert (found in public_holidays(country, found.year)) is free


@pytest.mark.parametrize(
    ("calendar", "placed", "days", "due"),
    [
        (BERLIN, "2026-11-30 10:00", 2, "2026-12-02"),
        (BERLIN, "2026-11-27 23:59", 1, "2026-11-30"),
        (BERLIN, "2026-11-28 10:00", 1, "2026-11-30"),
        # Christmas 2026 is a Friday and a Saturday; New Year is a Friday.
        (BERLIN, "2026-12-23 10:00", 2, "2026-12-28"),
        (BERLIN, "2026-12-30 10:00", 2, "2027-01-04"),
        (BERLIN, "2026-11-30 13:59", 0, "2026-11-30"),
        (BERLIN, "2026-11-30 14:00", 0, "2026-12-01"),
        (BERLIN, "2026-11-29 09:00", 0, "2026-11-30"),
        (Calendar("Europe/Berlin", frozenset(range(7))), "2026-12-24 10:00", 2, "2026-12-26"),
        (Calendar("Europe/Berlin", frozenset({2})), "2026-12-02 10:00", 2, "2026-12-16"),
        (
            Calendar("Europe/Berlin", closed=(Span(date(2026, 12, 1), date(2026, 12, 3)),)),
            "2026-11-30 10:00",
            1,
            "2026-12-04",
        ),
        # Thanksgiving.
        (ANGELES, "2026-11-25 22:00", 1, "2026-11-27"),
        (Calendar("Pacific/Kiritimati"), "2026-11-30 00:30", 1, "2026-12-01"),
    ],
)
def test_it_is_the_end_of_a_working_day_there(calendar: Calendar, placed: str, days: int, due: str) -> None:
    found = ship_by(placed_at=at(calendar.zone, placed), days=days, calendar=calendar)
    assert calendar.local(found).isoformat(" ")[:19] == f"{due} 23:59:59"


def test_west_of_utc_the_evening_is_still_the_same_day() -> None:
    """22:00 on a Monday in Los Angeles is Tuesday in UTC."""
    found = ship_by(placed_at=datetime(2026, 12, 1, 6, tzinfo=UTC), days=1, calendar=ANGELES)
    assert found == datetime(2026, 12, 2, 7, 59, 59, tzinfo=UTC)
    assert in_words(found, ANGELES) == "Tuesday, 1 December, end of the day in Los Angeles"


@pytest.mark.parametrize(
    ("zone", "day", "begins", "ends"),
    [
        # Summer time ends and begins within the day.
        ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00", "2026-10-25T22:59:59"),
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00", "2026-03-29T21:59:59"),
        # At midnight itself: Beirut's clocks jump over it, Santiago's last hour of the day comes twice.
        ("Asia/Beirut", "2026-03-29", "2026-03-28T22:00:00", "2026-03-29T20:59:59"),
        ("America/Santiago", "2026-04-04", "2026-04-04T03:00:00", "2026-04-05T03:59:59"),
    ],
)
def test_a_day_has_its_own_begin_and_end_whatever_clocks_do(zone: str, day: str, begins: str, ends: str) -> None:
    calendar, on = Calendar(zone), date.fromisoformat(day)
    assert (calendar.begins(on).isoformat()[:19], calendar.ends(on).isoformat()[:19]) == (begins, ends)
    assert calendar.day_of(calendar.begins(on)) == calendar.day_of(calendar.ends(on)) == on


def test_who_is_never_there_ships_all_the_same() -> None:
    always = Calendar("UTC", closed=(Span(date(2020, 1, 1), date(2099, 1, 1)),))
    placed = datetime(2026, 11, 30, 10, tzinfo=UTC)
    assert (ship_by(placed_at=placed, days=1, calendar=always) - placed).days == MOST_CLOSED + 1


class TestStandingStill:
    DUE = BERLIN.ends(date(2026, 12, 2))

    def due(self, since: str, back: str) -> str:
        found = stood_still(self.DUE, since=at("Europe/Berlin", since), back=at("Europe/Berlin", back), calendar=BERLIN)
        return BERLIN.day_of(found).isoformat()

    @pytest.mark.parametrize(
        ("since", "back", "due"),
        [
            ("2026-12-01 10:00", "2026-12-01 10:59", "2026-12-02"),
            ("2026-12-01 10:00", "2026-12-01 18:00", "2026-12-03"),
            ("2026-12-02 22:00", "2026-12-02 23:30", "2026-12-03"),
            ("2026-11-28 10:00", "2026-11-29 18:00", "2026-12-02"),
            # Three days were left: Monday to Wednesday.
            ("2026-11-30 00:00", "2027-01-07 00:00", "2027-01-11"),
            ("2026-12-02 00:00", "2026-12-24 00:00", "2026-12-24"),
            # It was late already.
            ("2026-12-03 10:00", "2026-12-09 10:00", "2026-12-02"),
        ],
    )
    def test_each_working_day_that_was_lost_is_given_again(self, since: str, back: str, due: str) -> None:
        assert self.due(since, back) == due

    @given(
        st.integers(0, 200).map(lambda n: datetime(2026, 11, 1, 5, tzinfo=UTC) + 7 * HOUR * n),
        st.integers(0, 1000).map(lambda n: HOUR * n),
        st.integers(0, 30),
        st.sampled_from([BERLIN, ANGELES, Calendar("Asia/Kathmandu", frozenset({6, 0}), "NP")]),
    )
    def test_nobody_has_less_time_than_before(
        self, placed: datetime, stood: timedelta, days: int, calendar: Calendar
    ) -> None:
        due = ship_by(placed_at=placed, days=days, calendar=calendar)
        for since in (placed, placed + (due - placed) / 2):
            later = stood_still(due, since=since, back=since + stood, calendar=calendar)
            left = calendar.between(calendar.day_of(since), calendar.day_of(due))
            back = calendar.day_of(since + stood)
            assert later >= due
            if stood >= HOUR:
                assert calendar.between(back, calendar.day_of(later)) >= left


def test_the_words() -> None:
    due = BERLIN.ends(date(2026, 12, 7))
    assert in_words(due, BERLIN) == "Monday, 7 December, end of the day in Berlin"
    assert in_words(due, BERLIN, year=True) == "Monday, 7 December 2026, end of the day in Berlin"
    assert in_words(due - 2 * HOUR, BERLIN) == "Monday, 7 December, 21:59 in Berlin", "of an order of before"
    assert place_of("America/New_York") == "New York" and place_of("America/Argentina/San_Juan") == "San Juan"


def test_every_country_has_a_zone_that_exists_and_its_states_are_named() -> None:
    for country in COUNTRIES:
        ZoneInfo(zone_of(country))
    assert {zone_of("DE"), zone_of("US"), zone_of("AU")} == {"Europe/Berlin", "America/New_York", "Australia/Sydney"}
    assert states_of("DE")["BY"] == "Bayern" and states_of("XX") == {} and public_holidays("XX", 2026) == {}
    assert all(ZoneInfo(name) for name in zones())


def test_closed_days_as_they_are_typed() -> None:
    text = "2026-12-28 to 2026-12-31\n\n 2026-12-24 \n2027-1-4 - 2027-1-5"
    spans = read_days(text)
    assert [(str(one.first), str(one.last)) for one in spans] == [
        ("2026-12-24", "2026-12-24"),
        ("2026-12-28", "2026-12-31"),
        ("2027-01-04", "2027-01-05"),
    ]
    assert read_days(written(spans)) == spans and read_days("") == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Christmas", "is no day"),
        ("2026-02-30", "is no day"),
        ("24.12.2026", "is no day"),
        ("2026-12-31 to 2026-12-24", "ends before it begins"),
        ("2026-01-01 to 2027-01-02", "longer than a year"),
        ("2026-01-01\n" * 51, "At most 50"),
    ],
)
def test_what_is_no_day_is_said(text: str, why: str) -> None:
    with pytest.raises(NoDays, match=why):
        read_days(text)
