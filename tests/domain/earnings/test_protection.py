"""What the protection says of an order, in each of its states."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crossdock.domain.due.calendar import Calendar
from crossdock.domain.earnings.protection import Cover, Facts, Parcel, verdict

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SCANNED = Parcel("T1", heard=True, scanned=True, to_order=True)
GOOD = Facts(
    ship_by=NOW + HOUR,
    shipped_at=NOW,
    cancelled=False,
    held=False,
    left_held=False,
    parcels=(SCANNED,),
    fraud_ours=True,
    calendar=Calendar(),
)


def parcel(**other: Any) -> tuple[Parcel, ...]:
    return (SCANNED, replace(SCANNED, **other))


@pytest.mark.parametrize(
    ("facts", "cover", "because"),
    [
        ({}, Cover.COVERED, "scanned"),
        ({"reason": "product_not_received"}, Cover.COVERED, "scanned"),
        ({"reason": "fraudulent"}, Cover.COVERED, "scanned"),
        ({"reason": "fraudulent", "fraud_ours": False}, Cover.NOT_COVERED, "fraud"),
        ({"fraud_ours": False}, Cover.COVERED, "a loss by fraud is the seller's all the same"),
        ({"reason": "product_unacceptable"}, Cover.NOT_COVERED, "not as described"),
        ({"cancelled": True}, Cover.NOT_COVERED, "cancelled"),
        ({"held": True, "shipped_at": None, "parcels": ()}, Cover.NOT_YET, "hold"),
        ({"left_held": True}, Cover.NOT_COVERED, "while our staff held"),
        ({"shipped_at": None, "parcels": ()}, Cover.NOT_YET, "not shipped yet"),
        ({"shipped_at": None, "ship_by": NOW - HOUR}, Cover.NOT_COVERED, "not shipped by"),
        ({"ship_by": NOW - HOUR}, Cover.NOT_COVERED, "only after"),
        ({"parcels": ()}, Cover.NOT_YET, "no tracking number"),
        ({"parcels": parcel(number="")}, Cover.NOT_YET, "no tracking number"),
        ({"parcels": parcel(to_order=False)}, Cover.NOT_COVERED, "another address"),
        ({"parcels": parcel(scanned=False)}, Cover.NOT_YET, "not scanned"),
        ({"parcels": parcel(heard=False, scanned=False, to_order=None)}, Cover.NOT_YET, "no label from here"),
    ],
)
def test_each_state_has_its_word(facts: dict[str, Any], cover: Cover, because: str) -> None:
    found = verdict(replace(GOOD, **facts), now=NOW)
    assert found.cover is cover and because in found.because, found
    assert bool(found.todo) or cover is not Cover.NOT_YET, "what is not covered yet says what to do"
    assert ", because " in found.words
