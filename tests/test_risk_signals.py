"""The list of signals is whole: each named thing has its signal, each says "not available" without data, and weighs on
the side it is meant for.
"""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import maxminddb
import pytest

from crossdock.domain.risk import BY_CODE, SIGNALS, WEIGHTS, Facts, RuleSet, Sentiment, assess
from crossdock.usecases.risk import places

# What is known when a signal speaks, and when it does not: one pair per signal, so a signal more without a line here
# fails.
SPEAKS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "postal_code": ({"postal_code_check": "fail"}, {"postal_code_check": "pass"}),
    "cvc": ({"cvc_check": "fail"}, {"cvc_check": "pass"}),
    "authenticated": ({"three_d_secure": "pass"}, {"three_d_secure": "fail"}),
    "prepaid": ({"funding": "prepaid"}, {"funding": "credit"}),
    "gateway": ({"gateway_score": 80}, {"gateway_score": 10}),
    "countries": ({"billing_country": "GB", "ship_country": "US"}, {"billing_country": "US", "ship_country": "US"}),
    "card_country": ({"card_country": "GB", "ship_country": "US"}, {"card_country": "US", "ship_country": "US"}),
    "amount": ({"total_minor": 5000, "usual_total_minor": 1000}, {"total_minor": 4000, "usual_total_minor": 1000}),
    "amount_buyer": (
        {"total_minor": 6000, "buyers_usual_minor": 1000},
        {"total_minor": 5000, "buyers_usual_minor": 1000},
    ),
    "units": ({"most_units": 6}, {"most_units": 5}),
    "new_account": ({"account_age_hours": 1.0}, {"account_age_hours": 24.0}),
    "rush": (
        {"account_age_hours": 1.0, "total_minor": 2001, "usual_total_minor": 1000},
        {"account_age_hours": 7.0, "total_minor": 9000, "usual_total_minor": 1000},
    ),
    "known_buyer": ({"settled_orders": 1}, {"settled_orders": 0}),
    "orders_hour": ({"orders_last_hour": 4}, {"orders_last_hour": 3}),
    "orders_day": ({"orders_last_day": 7}, {"orders_last_day": 6}),
    "declined_day": ({"declined_last_day": 2}, {"declined_last_day": 1}),
    "device_declined": ({"device_declined_last_day": 2}, {"device_declined_last_day": 1}),
    "cards_buyer": ({"cards_of_buyer_week": 3}, {"cards_of_buyer_week": 2}),
    "cards_device": ({"cards_of_device_day": 3}, {"cards_of_device_day": 2}),
    "card_shared": ({"buyers_of_card": 1}, {"buyers_of_card": 0}),
    "device_shared": ({"buyers_of_device": 2}, {"buyers_of_device": 1}),
    "address_shared": ({"buyers_of_address": 2}, {"buyers_of_address": 1}),
    "ip_shared": ({"buyers_of_ip_day": 3}, {"buyers_of_ip_day": 2}),
    "linked_fraud": ({"linked_frauds": 1}, {"linked_frauds": 0}),
    "taken_over": (
        {"new_device": True, "new_address": True, "settled_orders": 2},
        {"new_device": True, "new_address": False, "settled_orders": 2},
    ),
    "disposable_email": ({"disposable_email": True}, {"disposable_email": False}),
    "phone": ({"phone_valid": False}, {"phone_valid": True}),
    "phone_country": ({"phone_country": "GB", "ship_country": "US"}, {"phone_country": "US", "ship_country": "US"}),
    "postal_state": ({"postal_code_fits": False, "postal_code_check": "fail"}, {"postal_code_fits": True}),
    "forwarder": ({"forwarder": True}, {"forwarder": False}),
    "ip_country": ({"ip_country": "RO", "ship_country": "US"}, {"ip_country": "US", "ship_country": "US"}),
    "ip_hosting": ({"ip_hosting": True}, {"ip_hosting": False}),
    "blocked": ({"blocked": True}, {"blocked": False}),
    "trusted": ({"trusted": True}, {"trusted": False}),
}


def test_every_signal_is_tried_here() -> None:
    assert set(SPEAKS) == set(BY_CODE) == set(WEIGHTS) and len(SIGNALS) >= 25


@pytest.mark.parametrize("code", sorted(SPEAKS))
def test_a_signal(code: str) -> None:
    signal, (found, not_found) = BY_CODE[code], SPEAKS[code]
    only = RuleSet(weights={code: WEIGHTS[code]}, needed=1)
    silent = assess(Facts(), only)
    assert (silent.available, silent.asked, silent.reasons) == (0, 1, ()), (
        "without data it is not available, never good"
    )
    (spoken,) = assess(replace(Facts(), **found), only).reasons
    (calm,) = assess(replace(Facts(), **not_found), only).reasons
    assert (spoken.points, spoken.sentence) == (WEIGHTS[code], signal.bad)
    assert (calm.points, calm.sentence) == (0, signal.good)
    assert spoken.sentiment is (Sentiment.POSITIVE if signal.praise else Sentiment.NEGATIVE)
    assert calm.sentiment is (Sentiment.NEUTRAL if signal.praise else Sentiment.POSITIVE)
    assert signal.praise == (WEIGHTS[code] < 0)
    assert len(signal.bad) <= 256 and len(signal.good) <= 256


class Reader:
    def __init__(self, record: object) -> None:
        self.record = record

    def get(self, ip: str) -> object:
        if ip == "nonsense":
            raise ValueError("no address")
        return self.record


def test_country_and_network_come_from_the_operators_files_and_only_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    none = SimpleNamespace(ip_country_db=None, ip_network_db=None)
    monkeypatch.setattr(places, "settings", SimpleNamespace(CONFIG=none))
    assert places.place_of("203.0.113.5") == places.Place(None, None), "no file, nothing known"
    both = SimpleNamespace(ip_country_db="country.mmdb", ip_network_db="network.mmdb")
    monkeypatch.setattr(places, "settings", SimpleNamespace(CONFIG=both))
    readers = {
        "country.mmdb": Reader({"country": {"iso_code": "ro"}}),
        "network.mmdb": Reader({"autonomous_system_organization": "HETZNER-AS"}),
    }
    monkeypatch.setattr(places, "_open", lambda path: readers[path])
    assert places.place_of("203.0.113.5") == places.Place("RO", True)
    assert places.place_of("") == places.place_of("nonsense") == places.Place(None, None)
    readers["country.mmdb"], readers["network.mmdb"] = (
        Reader({"country_code": "US"}),
        Reader({"as_name": "Village Fibre"}),
    )
    assert places.place_of("203.0.113.5") == places.Place("US", False)
    readers["network.mmdb"] = Reader(None)
    assert places.place_of("203.0.113.5").hosting is None


def test_a_file_that_cannot_be_read_is_as_good_as_none(tmp_path: Any) -> None:
    bad = tmp_path / "bad.mmdb"
    bad.write_bytes(b"not an mmdb")
    with pytest.raises(maxminddb.InvalidDatabaseError):
        maxminddb.open_database(bad)
    assert places._open(bad) is None and places._open(tmp_path / "absent.mmdb") is None
