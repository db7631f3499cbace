"""The list of signals is whole: each named thing has its signal, each says "not available" without data, and weighs on
the side it is meant for.
"""

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import maxminddb
import pytest

from crossdock.domain.risk import BY_CODE, SIGNALS, WEIGHTS, Facts, RiskLevel, RuleSet, Sentiment, Signal, assess
from crossdock.domain.risk.grades import steps
from crossdock.usecases.risk import places

# What is known when a signal speaks, and when it does not: one pair per signal, so a signal more without a line here
# fails.
FAST = {"orders_last_day": 2, "busiest_day": 4}
SEEN = {"earlier_of_buyer": 3, "earlier_of_card": 3, "earlier_of_device": 3}


def of_one(name: str, value: Any, calm: Any = 0) -> tuple[dict[str, Any], dict[str, Any]]:
    return {**SEEN, name: value}, {**SEEN, name: calm}


# What is known when a signal speaks at its loudest, and when it does not speak (None: then it has no data at all): one
# pair per signal, so a signal more without a line here fails.
SPEAKS: dict[str, tuple[dict[str, Any], dict[str, Any] | None]] = {
    "postal_code": ({"postal_code_check": "fail"}, {"postal_code_check": "pass"}),
    "cvc": ({"cvc_check": "fail"}, {"cvc_check": "pass"}),
    "authenticated": ({"three_d_secure": "pass"}, {"three_d_secure": "fail"}),
    "prepaid": ({"funding": "prepaid"}, {"funding": "credit"}),
    "gateway": ({"gateway_score": 80}, {"gateway_score": 10}),
    "countries": ({"billing_country": "GB", "ship_country": "US"}, {"billing_country": "US", "ship_country": "US"}),
    "card_country": ({"card_country": "GB", "ship_country": "US"}, {"card_country": "US", "ship_country": "US"}),
    "amount": ({"total_minor": 8000, "usual_total_minor": 1000}, {"total_minor": 1900, "usual_total_minor": 1000}),
    "amount_market": ({"total_minor": 9999, "market_usual_minor": 900}, {"total_minor": 9, "market_usual_minor": 10}),
    "amount_buyer": (
        {"total_minor": 8000, "buyers_usual_minor": 1000},
        {"total_minor": 1500, "buyers_usual_minor": 1000},
    ),
    "units": ({"most_units": 6}, None),
    "seller_fraud": ({"seller_orders": 10, "seller_frauds": 4}, {"seller_orders": 10, "seller_frauds": 0}),
    "seller_busy": (
        {"seller_orders_day": 12, "seller_usual_day": 0.5},
        {"seller_orders_day": 1, "seller_usual_day": 0.5},
    ),
    "new_account": ({"account_age_hours": 0.5}, {"account_age_hours": 24.0 * 8}),
    "rush": (
        {"account_age_hours": 1.0, "total_minor": 2001, "usual_total_minor": 1000},
        {"account_age_hours": 7.0, "total_minor": 9000, "usual_total_minor": 1000},
    ),
    "known_buyer": of_one("settled_orders", 3),
    "old_account": ({"account_age_hours": 24.0 * 200}, {"account_age_hours": 24.0 * 8}),
    "own_things": (
        {**SEEN, "new_card": False, "card_days": 100.0, "new_device": False, "device_days": 95.0},
        {**SEEN, "new_card": False, "card_days": 100.0, "new_device": True, "device_days": None},
    ),
    "used_to_it": (
        {**SEEN, **FAST, "new_card": False, "card_days": 40.0, "new_device": False, "device_days": 40.0},
        {**SEEN, **FAST, "new_card": True, "card_days": None, "new_device": False, "device_days": 40.0},
    ),
    "orders_hour": of_one("orders_last_hour", 5),
    "orders_day": of_one("orders_last_day", 8),
    "orders_week": of_one("orders_last_week", 8),
    "spent_day": (
        {**SEEN, "orders_last_day": 2, "spent_last_day_minor": 9000, "total_minor": 7000, "market_usual_minor": 1000},
        {**SEEN, "orders_last_day": 0, "spent_last_day_minor": 0, "total_minor": 7000, "market_usual_minor": 1000},
    ),
    "declined_day": of_one("declined_last_day", 4),
    "card_hour": of_one("card_orders_hour", 5),
    "card_day": of_one("card_orders_day", 8),
    "device_hour": of_one("device_orders_hour", 5),
    "device_day": of_one("device_orders_day", 8),
    "device_declined": of_one("device_declined_last_day", 4),
    "cards_buyer": of_one("cards_of_buyer_week", 4, 1),
    "devices_buyer": of_one("devices_of_buyer_week", 4, 1),
    "cards_device": of_one("cards_of_device_day", 4, 1),
    "card_shared": of_one("buyers_of_card", 2),
    "device_shared": of_one("buyers_of_device", 4),
    "address_shared": ({"buyers_of_address": 4, "new_address": True}, {"buyers_of_address": 0, "new_address": False}),
    "ip_shared": ({"buyers_of_ip_day": 6}, None),
    "buyer_fraud": of_one("frauds_of_buyer", 4),
    "card_fraud": of_one("frauds_of_card", 4),
    "device_fraud": of_one("frauds_of_device", 4),
    "linked_fraud": ({"linked_frauds": 3}, None),
    "new_card": of_one("new_card", True, False),
    "new_device": of_one("new_device", True, False),
    "taken_over": (
        {"new_device": True, "new_address": True, "settled_orders": 2},
        {"new_device": True, "new_address": False, "settled_orders": 2},
    ),
    "disposable_email": ({"disposable_email": True}, {"disposable_email": False}),
    "phone": ({"phone_valid": False}, {"phone_valid": True}),
    "phone_country": ({"phone_country": "GB", "ship_country": "US"}, {"phone_country": "US", "ship_country": "US"}),
    "postal_state": ({"postal_code_fits": False, "postal_code_check": "fail"}, {"postal_code_fits": True}),
    "forwarder": ({"forwarder": True}, None),
    "ip_country": ({"ip_country": "RO", "ship_country": "US"}, {"ip_country": "US", "ship_country": "US"}),
    "ip_hosting": ({"ip_hosting": True}, {"ip_hosting": False}),
    "blocked": ({"blocked": True}, None),
    "trusted": ({"trusted": True}, None),
}
# What the database answers about an order of which nothing is known: counts of nothing, and no list names it.
STRANGER: dict[str, Any] = {
    "orders_last_hour": 0,
    "orders_last_day": 0,
    "orders_last_week": 0,
    "spent_last_day_minor": 0,
    "settled_orders": 0,
    "aged_orders": 0,
    "devices_of_buyer_week": 1,
    "declined_last_day": 0,
    "device_declined_last_day": 0,
    "card_orders_hour": 0,
    "card_orders_day": 0,
    "device_orders_hour": 0,
    "device_orders_day": 0,
    "cards_of_buyer_week": 1,
    "cards_of_device_day": 1,
    "buyers_of_card": 0,
    "buyers_of_device": 0,
    "buyers_of_address": 0,
    "buyers_of_ip_day": 0,
    "frauds_of_buyer": 0,
    "frauds_of_card": 0,
    "frauds_of_device": 0,
    "linked_frauds": 0,
    "earlier_of_buyer": 0,
    "earlier_of_card": 0,
    "earlier_of_device": 0,
    "seller_orders": 0,
    "seller_orders_day": 0,
    "seller_frauds": 0,
    "new_card": True,
    "new_device": True,
    "new_address": True,
    "most_units": 1,
    "blocked": False,
    "trusted": False,
    "forwarder": False,
}
# Larger is worse: each of these facts, turned up, never lowers a score.
COUNTS = sorted(name for name, value in STRANGER.items() if type(value) is int and not name.startswith("earlier"))


def test_every_signal_is_tried_here() -> None:
    assert set(SPEAKS) == set(BY_CODE) == set(WEIGHTS) and len(SIGNALS) >= 25


@pytest.mark.parametrize("code", sorted(SPEAKS))
def test_a_signal(code: str) -> None:
    signal, (found, not_found) = BY_CODE[code], SPEAKS[code]
    points = -50 if signal.praise else 50
    only = RuleSet(weights={code: points}, needed=1)
    silent = assess(Facts(), only)
    assert (silent.available, silent.asked) == (0, 1), "without data it is not available, never good"
    assert [reason.code for reason in silent.reasons] == ["unknown"]
    spoken, *_ = (reason for reason in assess(replace(Facts(), **found), only).reasons if reason.code == code)
    assert spoken.points == points, "at its loudest it has its whole weight"
    assert spoken.sentiment is (Sentiment.POSITIVE if signal.praise else Sentiment.NEGATIVE)
    calm = [reason for reason in assess(replace(Facts(), **(not_found or {})), only).reasons if reason.code == code]
    if not_found is None:
        assert calm == [], "not to be on a list is no data"
    else:
        assert (calm[0].points, calm[0].sentence) == (0, signal.good)
        assert calm[0].sentiment is (Sentiment.NEUTRAL if signal.praise else Sentiment.POSITIVE)
    assert signal.praise == (WEIGHTS[code] < 0)
    for words in (spoken.sentence, signal.bad, signal.good):
        assert 10 < len(words) <= 256 and words.endswith(".") and " None" not in words


def loud(signals: Sequence[Signal]) -> list[str]:
    """Those that say something about an order of which nothing is known."""
    return [signal.code for signal in signals if signal.look(Facts(**STRANGER)) is not None]


def test_counts_of_nothing_are_no_data() -> None:
    """A signal that always had data would make strangers look known: each of them is silent about a stranger."""
    assert loud(SIGNALS) == []
    found = assess(Facts(**STRANGER))
    assert (found.level, found.available, found.score) == (RiskLevel.NOT_ASSESSED, 0, 0)
    assert "Nothing is known about this buyer" in found.reasons[0].sentence
    planted = [replace(one, look=lambda facts: 0.0) if one.code == "orders_hour" else one for one in SIGNALS]
    assert loud(planted) == ["orders_hour"]
    careless = replace(BY_CODE["card_day"], look=steps("card_orders_day", {1: 1.0}))
    assert loud([careless]) == ["card_day"], "a count of 0 that does not ask whether there was anything to count"


def test_the_first_order_of_an_unseen_buyer_is_never_low_by_counts_and_amounts_alone() -> None:
    sale = {"total_minor": 900, "market_usual_minor": 1000, "usual_total_minor": 1000, "seller_orders": 50}
    first = Facts(**{**STRANGER, **sale, "seller_usual_day": 2.0, "account_age_hours": 9000.0, "phone_valid": True})
    found = assess(first)
    assert found.available >= 5 and found.level is RiskLevel.NOT_ASSESSED
    checked = assess(replace(first, cvc_check="pass", postal_code_check="pass"))
    assert checked.level is RiskLevel.LOW, "a bank has looked at it"
    again = {
        "earlier_of_buyer": 1,
        "earlier_of_card": 1,
        "earlier_of_device": 1,
        "new_card": False,
        "new_device": False,
    }
    assert assess(replace(first, **again, known_days=0.2)).level is RiskLevel.NOT_ASSESSED
    assert assess(replace(first, **again, known_days=20.0)).level is RiskLevel.LOW


@pytest.mark.parametrize("name", COUNTS)
def test_more_of_it_is_never_better(name: str) -> None:
    if name in ("settled_orders", "aged_orders", "seller_orders"):
        pytest.skip("more of these is good")
    known = {**STRANGER, **SEEN, "total_minor": 900, "market_usual_minor": 900, "seller_orders": 20}
    known["seller_usual_day"] = 1.0
    scores = [assess(Facts(**{**known, name: n})).score for n in range(12)]
    assert scores == sorted(scores)


OLD = {"new_card": False, "card_days": 60.0, "new_device": False, "device_days": 60.0, "account_age_hours": 9000.0}
RESELLER = {**STRANGER, **SEEN, **OLD, "aged_orders": 9, "settled_orders": 3, "busiest_day": 5, "known_days": 60.0}
RUSH = {"orders_last_hour": 3, "orders_last_day": 4, "orders_last_week": 5, "card_orders_hour": 3, "card_orders_day": 4}
RUSH |= {"device_orders_hour": 3, "device_orders_day": 4, "total_minor": 900, "market_usual_minor": 900}


def test_a_reseller_is_fast_and_low_and_a_robber_as_fast_is_not() -> None:
    """Told apart by a long past that went well on the same card and device, not by speed."""
    reseller = assess(Facts(**{**RESELLER, **RUSH}))
    assert reseller.level is RiskLevel.LOW
    assert {"used_to_it", "own_things", "known_buyer"} <= {reason.code for reason in reseller.reasons if reason.points}
    robber = {**RESELLER, **RUSH, "new_device": True, "device_days": None, "new_card": True, "card_days": None}
    unknown = {**STRANGER, **SEEN, **RUSH, "account_age_hours": 2.0}
    many_cards = {**unknown, "cards_of_buyer_week": 4, "cards_of_device_day": 4, "declined_last_day": 3}
    scores = [assess(Facts(**facts)).score for facts in (robber, unknown, many_cards)]
    assert reseller.score + 30 < scores[0] < scores[2] and scores[1] < scores[2]
    assert all(assess(Facts(**facts)).level is not RiskLevel.LOW for facts in (unknown, many_cards))
    assert assess(Facts(**many_cards)).level is RiskLevel.HIGH


def test_a_known_fraud_takes_back_what_speaks_for_a_buyer_unless_a_good_past_outweighs_it() -> None:
    known = Facts(**{**RESELLER, **RUSH})
    caught = replace(known, frauds_of_buyer=2, frauds_of_device=2, frauds_of_card=2, linked_frauds=2)
    spoken = {reason.code: reason.points for reason in assess(caught).reasons}
    assert spoken["known_buyer"] == spoken["own_things"] == 0 and "used_to_it" not in spoken
    young = assess(replace(caught, aged_orders=0, settled_orders=0))
    assert {r.code: r.points for r in young.reasons}["buyer_fraud"] > spoken["buyer_fraud"] > 0
    robbed = replace(known, frauds_of_buyer=2, linked_frauds=2)
    assert assess(robbed).score < assess(caught).score, "the frauds were on another device and card"


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
