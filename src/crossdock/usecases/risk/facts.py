"""What is known about one try to pay, from our own history, staff's lists and rules in one question.

Only what was known then counts, so history can be judged again as of any day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from crossdock.domain.risk import SHIPPED, Facts, RuleSet
from crossdock.domain.risk.lookups import disposable, mail_domain, phone, postal_code_fits
from crossdock.store.models import RiskTrace
from crossdock.store.models.risk import RiskChoice
from crossdock.store.together import Statement, ask

# An order that nobody disputed for so long went well.
SETTLED_AFTER = timedelta(days=45)
# After so long the first disputes have come.
AGED = timedelta(days=14)
LINK = timedelta(days=90)
_SCORES = {"normal": 10, "elevated": 65, "highest": 80}

# What is usual is the middle of so many of the latest sales.
_LATEST = 400

# One answer for each thing that is shared, each through its index of store/models/risk.py. Frauds count from the day
# when they became known. A payment counts once, however many sellers it paid (its traces share time and buyer), and
# never against itself; its amounts count all.
_COUNTS = """
SELECT
  (SELECT json_build_object(
     'earlier_of_buyer', count(*) FILTER (WHERE NOT beside AND at < %(at)s),
     'known_days', extract(epoch FROM %(at)s - min(at) FILTER (WHERE at < %(at)s AND paid)) / 86400,
     'orders_last_hour', count(*) FILTER (WHERE NOT beside AND at >= %(hour)s AND at < %(at)s AND paid),
     'orders_last_day', count(*) FILTER (WHERE NOT beside AND at >= %(day)s AND at < %(at)s AND paid),
     'orders_last_week', count(*) FILTER (WHERE NOT beside AND at >= %(week)s AND at < %(at)s AND paid),
     'spent_last_day_minor', coalesce(sum(amount_minor) FILTER (WHERE at >= %(day)s AND at < %(at)s AND paid
       AND currency = %(currency)s), 0),
     'declined_last_day', count(*) FILTER (WHERE NOT beside AND at >= %(day)s AND at < %(at)s AND paid IS FALSE),
     'settled_orders', count(*) FILTER (WHERE NOT beside AND at < %(settled)s AND paid
       AND (fraud IS NOT TRUE OR known_at > %(at)s)),
     'aged_orders', count(*) FILTER (WHERE NOT beside AND at < %(aged)s AND paid
       AND (fraud IS NOT TRUE OR known_at > %(at)s)),
     'card_days', extract(epoch FROM %(at)s - min(at) FILTER (WHERE at < %(at)s AND paid AND card = %(card)s)) / 86400,
     'device_days', extract(epoch FROM %(at)s - min(at) FILTER (WHERE at < %(at)s AND paid AND device = %(device)s))
       / 86400,
     'devices_of_buyer_week', count(DISTINCT device) FILTER (WHERE at >= %(week)s AND at < %(at)s AND device <> ''
       AND device <> %(device)s) + (%(device)s <> '')::int,
     'busiest_day', (SELECT max(orders) FROM (SELECT count(*) orders FROM store_risktrace WHERE buyer = %(buyer)s
       AND buyer <> '' AND NOT beside AND at < %(week)s AND paid AND (fraud IS NOT TRUE OR known_at > %(at)s)
       GROUP BY date_trunc('day', at, 'UTC')) days),
     'buyers_usual_minor', percentile_disc(0.5) WITHIN GROUP (ORDER BY amount_minor) FILTER (WHERE at < %(at)s AND paid
       AND currency = %(currency)s AND amount_minor > 0),
     'cards', array_agg(DISTINCT card) FILTER (WHERE at >= %(week)s AND at <= %(at)s AND card <> ''),
     'known_card', coalesce(bool_or(card = %(card)s) FILTER (WHERE at < %(at)s), FALSE),
     'known_device', coalesce(bool_or(device = %(device)s) FILTER (WHERE at < %(at)s), FALSE),
     'known_address', coalesce(bool_or(address = %(address)s) FILTER (WHERE at < %(at)s), FALSE),
     'frauds', array_agg(DISTINCT concat_ws(' ', at, buyer)) FILTER (WHERE fraud AND known_at <= %(until)s
       AND (at, buyer) <> (%(at)s, %(buyer)s)))
   FROM store_risktrace WHERE buyer = %(buyer)s AND buyer <> ''),
  (SELECT json_build_object(
     'earlier_of_device', count(*) FILTER (WHERE NOT beside AND at < %(at)s),
     'device_orders_hour', count(*) FILTER (WHERE NOT beside AND at >= %(hour)s AND at < %(at)s AND paid),
     'device_orders_day', count(*) FILTER (WHERE NOT beside AND at >= %(day)s AND at < %(at)s AND paid),
     'device_declined_last_day', count(*) FILTER (WHERE NOT beside AND at >= %(day)s AND at < %(at)s AND paid IS FALSE),
     'cards', array_agg(DISTINCT card) FILTER (WHERE at >= %(day)s AND at <= %(at)s AND card <> ''),
     'buyers_of_device', count(DISTINCT buyer) FILTER (WHERE at >= %(link)s AND at < %(until)s AND buyer <> %(buyer)s),
     'frauds', array_agg(DISTINCT concat_ws(' ', at, buyer)) FILTER (WHERE fraud AND known_at <= %(until)s
       AND (at, buyer) <> (%(at)s, %(buyer)s)))
   FROM store_risktrace WHERE device = %(device)s AND device <> ''),
  (SELECT json_build_object(
     'earlier_of_card', count(*) FILTER (WHERE NOT beside AND at < %(at)s),
     'card_orders_hour', count(*) FILTER (WHERE NOT beside AND at >= %(hour)s AND at < %(at)s AND paid),
     'card_orders_day', count(*) FILTER (WHERE NOT beside AND at >= %(day)s AND at < %(at)s AND paid),
     'buyers_of_card', count(DISTINCT buyer) FILTER (WHERE at >= %(link)s AND at < %(until)s AND buyer <> %(buyer)s),
     'frauds', array_agg(DISTINCT concat_ws(' ', at, buyer)) FILTER (WHERE fraud AND known_at <= %(until)s
       AND (at, buyer) <> (%(at)s, %(buyer)s)))
   FROM store_risktrace WHERE card = %(card)s AND card <> ''),
  (SELECT json_build_object(
     'buyers_of_address', count(DISTINCT buyer) FILTER (WHERE at >= %(link)s AND at < %(until)s
       AND buyer <> %(buyer)s),
     'frauds', array_agg(DISTINCT concat_ws(' ', at, buyer)) FILTER (WHERE fraud AND known_at <= %(until)s
       AND (at, buyer) <> (%(at)s, %(buyer)s)))
   FROM store_risktrace WHERE address = %(address)s AND address <> ''),
  (SELECT count(DISTINCT buyer) FROM store_risktrace WHERE ip = %(ip)s AND ip <> '' AND at >= %(day)s AND at < %(at)s
    AND buyer <> %(buyer)s),
  (SELECT json_build_object(
     'seller_orders', count(*),
     'seller_orders_day', count(*) FILTER (WHERE at >= %(day)s),
     'seller_usual_day', count(*) FILTER (WHERE at < %(day)s)
       / greatest(1, extract(epoch FROM %(day)s - min(at)) / 86400),
     'seller_frauds', count(*) FILTER (WHERE fraud AND known_at <= %(at)s),
     'usual_total_minor', percentile_disc(0.5) WITHIN GROUP (ORDER BY amount_minor) FILTER (WHERE amount_minor > 0
       AND currency = %(currency)s))
   FROM (SELECT at, amount_minor, currency, fraud, known_at FROM store_risktrace WHERE seller = %(seller)s
     AND at < %(at)s AND paid ORDER BY at DESC LIMIT %(latest)s) latest),
  (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY amount_minor) FILTER (WHERE amount_minor > 0) FROM
     (SELECT amount_minor FROM store_risktrace WHERE currency = %(currency)s AND at < %(at)s AND paid
       ORDER BY at DESC LIMIT %(latest)s) latest),
  ARRAY(SELECT DISTINCT kind FROM store_risklistentry WHERE value <> '' AND (what, value) IN (
     ('email', %(email)s), ('domain', %(domain)s), ('card', %(card)s), ('device', %(device)s), ('ip', %(ip)s),
       ('address', %(address)s))),
  (SELECT row_to_json(rules) FROM (SELECT id, weights, medium_from, high_from, needed FROM store_riskruleset
    WHERE live_at IS NOT NULL ORDER BY live_at DESC, id DESC LIMIT 1) rules),
  (SELECT row_to_json(rules) FROM (SELECT id, weights, medium_from, high_from, needed FROM store_riskruleset
    WHERE live_at IS NULL AND shadow_at IS NOT NULL ORDER BY shadow_at DESC, id DESC LIMIT 1) rules),
  (SELECT choice FROM store_riskpolicy ORDER BY id DESC LIMIT 1)
"""


# The same question about many traces in one statement, each as of its own time: `_asked` as columns.
_MANY = {
    **{name: f"t.{name}" for name in ("buyer", "seller", "card", "device", "ip", "address", "currency", "at", "email")},
    "until": "t.at",
    "hour": "(t.at - interval '1 hour')",
    "day": "(t.at - interval '1 day')",
    "week": "(t.at - interval '7 days')",
    "link": f"(t.at - interval '{LINK.days} days')",
    "aged": f"(t.at - interval '{AGED.days} days')",
    "settled": f"(t.at - interval '{SETTLED_AFTER.days} days')",
    "domain": "lower(reverse(split_part(reverse(t.email), '@', 1)))",
    "latest": str(_LATEST),
}


@dataclass(frozen=True, slots=True)
class Past:
    """What our own history and staff's lists say of one try, as fields of Facts; and what staff chose."""

    found: dict[str, Any]
    rules: RuleSet
    shadow: RuleSet | None
    choice: RiskChoice


@dataclass(frozen=True, slots=True)
class Known:
    """The facts, the rules that are in force and in shadow (if any are), and what the marketplace does with an order
    of high risk. All of it comes with one question, since it is asked in the checkout.
    """

    facts: Facts
    rules: RuleSet
    shadow: RuleSet | None
    choice: RiskChoice


def past_of(trace: RiskTrace, until: datetime | None = None) -> Past:
    """How fast and how much is asked of the time of the order itself; other buyers' use of its card, device and
    address, and frauds, of all that is known `until` now: so a later order can make this one look different.
    """
    (answer,) = ask(question_about(trace, until))
    return past_in(trace, answer)


def question_about(trace: RiskTrace, until: datetime | None = None) -> Statement:
    """The same, for who asks something else along with it."""
    return _COUNTS, _asked(trace, until)


def past_in(trace: RiskTrace, answer: Sequence[Sequence[Any]]) -> Past:
    (row,) = answer
    return _past(trace, row)


def pasts_of(traces: Sequence[RiskTrace]) -> list[Past]:
    """Of each as of its own time, as if it were placed just then."""
    asked = _COUNTS.strip().removeprefix("SELECT") % _MANY
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT t.id, {asked} FROM store_risktrace t WHERE t.id = ANY(%s)",  # noqa: S608 - our own text
            [[trace.pk for trace in traces]],
        )
        rows = {pk: row for pk, *row in cursor.fetchall()}
    return [_past(trace, rows[trace.pk]) for trace in traces]


def _asked(trace: RiskTrace, until: datetime | None) -> dict[str, str | int | datetime]:
    at = trace.at
    return {
        "buyer": trace.buyer,
        "seller": trace.seller,
        "card": trace.card,
        "device": trace.device,
        "ip": trace.ip,
        "address": trace.address,
        "currency": trace.currency,
        "at": at,
        "until": max(at, until or at),
        "hour": at - timedelta(hours=1),
        "day": at - timedelta(days=1),
        "week": at - timedelta(days=7),
        "link": at - LINK,
        "aged": at - AGED,
        "settled": at - SETTLED_AFTER,
        "email": trace.email,
        "domain": mail_domain(trace.email),
        "latest": _LATEST,
    }


def _past(trace: RiskTrace, row: Sequence[Any]) -> Past:
    *answers, live, shadow, choice = (dict(each) if isinstance(each, dict) else each for each in row)
    of_buyer, of_device, of_card, of_address, buyers_of_ip, of_seller, market_usual, lists = answers
    # This try's own card is among them even before it is written down.
    own_card = {trace.card} if trace.card else set()
    cards, device_cards = (own_card.union(answer.pop("cards") or ()) for answer in (of_buyer, of_device))
    known = {name: of_buyer.pop(f"known_{name}") for name in ("card", "device", "address")}
    frauds = [set(answer.pop("frauds") or ()) for answer in (of_buyer, of_card, of_device, of_address)]
    found: dict[str, Any] = {
        **of_buyer,
        **of_device,
        **of_card,
        **of_address,
        **of_seller,
        "market_usual_minor": market_usual,
        "cards_of_buyer_week": len(cards),
        "cards_of_device_day": len(device_cards),
        "buyers_of_ip_day": buyers_of_ip,
        "frauds_of_buyer": len(frauds[0]),
        "frauds_of_card": len(frauds[1]),
        "frauds_of_device": len(frauds[2]),
        "linked_frauds": len(set().union(*frauds)),
        "new_card": not known["card"],
        "new_device": not known["device"],
        "new_address": not known["address"],
        "blocked": "blocked" in lists,
        "trusted": "trusted" in lists,
        "forwarder": "forwarder" in lists if trace.address else None,
    }
    for name in _unknown(trace):
        found[name] = None
    return Past(found, _rules(live) or SHIPPED, _rules(shadow), RiskChoice(str(choice or RiskChoice.SELLER)))


def _rules(row: dict[str, Any] | None) -> RuleSet | None:
    return RuleSet(version=row.pop("id"), **row) if row else None


_OF_BUYER = [
    "earlier_of_buyer",
    "known_days",
    "orders_last_hour",
    "orders_last_day",
    "orders_last_week",
    "spent_last_day_minor",
    "settled_orders",
    "aged_orders",
    "busiest_day",
    "card_days",
    "device_days",
    "devices_of_buyer_week",
    "declined_last_day",
    "buyers_usual_minor",
    "cards_of_buyer_week",
    "frauds_of_buyer",
    "buyers_of_card",
    "buyers_of_device",
    "buyers_of_address",
    "buyers_of_ip_day",
    "new_card",
    "new_device",
    "new_address",
]
_OF_CARD = [
    "earlier_of_card",
    "card_orders_hour",
    "card_orders_day",
    "card_days",
    "cards_of_buyer_week",
    "cards_of_device_day",
    "buyers_of_card",
    "frauds_of_card",
    "new_card",
]
_OF_DEVICE = [
    "earlier_of_device",
    "device_orders_hour",
    "device_orders_day",
    "device_declined_last_day",
    "cards_of_device_day",
    "device_days",
    "devices_of_buyer_week",
    "buyers_of_device",
    "frauds_of_device",
    "new_device",
]


def _unknown(trace: RiskTrace) -> list[str]:
    """Facts about a thing that nobody named: nothing was counted of it."""
    found: list[str] = [] if trace.buyer else [*_OF_BUYER]
    found += [] if trace.card else _OF_CARD
    found += [] if trace.device else _OF_DEVICE
    found += [] if trace.address else ["buyers_of_address", "new_address"]
    found += [] if trace.ip else ["buyers_of_ip_day"]
    if not (trace.buyer or trace.card or trace.device or trace.address):
        found.append("linked_frauds")
    return found


def known_of(
    *,
    trace: RiskTrace,
    checks: Mapping[str, str],
    ship_to: Mapping[str, str],
    joined_at: datetime | None,
    ip_country: str | None = None,
    ip_hosting: bool | None = None,
    until: datetime | None = None,
    past: Past | None = None,
) -> Known:
    """Everything that can be known at `trace.at`, its links `until` a later time.

    `checks` are the gateway's words about the card. `past` where it was asked for already.
    """
    country = ship_to["country"]
    phone_valid, phone_country = phone(ship_to.get("phone", ""), country)
    past = past or past_of(trace, until)
    facts = Facts(
        **past.found,
        postal_code_check=checks.get("postal_code"),
        cvc_check=checks.get("cvc"),
        three_d_secure=_secure(checks.get("three_d_secure")),
        funding=checks.get("card_funding"),
        card_country=checks.get("card_country"),
        billing_country=checks.get("billing_country"),
        gateway_score=_SCORES.get(checks.get("gateway_risk", "")),
        ship_country=country,
        total_minor=trace.amount_minor or None,
        most_units=trace.units,
        account_age_hours=None if joined_at is None else round((trace.at - joined_at).total_seconds() / 3600, 3),
        disposable_email=disposable(trace.email) if trace.email else None,
        phone_valid=phone_valid,
        phone_country=phone_country,
        postal_code_fits=postal_code_fits(country, ship_to.get("region", ""), ship_to.get("postal_code", "")),
        ip_country=ip_country,
        ip_hosting=ip_hosting,
    )
    return Known(facts, past.rules, past.shadow, past.choice)


def _secure(result: str | None) -> str | None:
    return None if not result else "pass" if result == "authenticated" else "fail"
