"""What is known about one try to pay, from our own history, staff's lists and rules in one question.

Only what was known then counts, so history can be judged again as of any day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from crossdock.domain.risk import Facts
from crossdock.domain.risk.lookups import disposable, mail_domain, phone, postal_code_fits
from crossdock.store.models import RiskTrace

# An order that nobody disputed for so long went well.
SETTLED_AFTER = timedelta(days=45)
LINK = timedelta(days=90)
_SCORES = {"normal": 10, "elevated": 65, "highest": 80}

# One answer for each thing that is shared, each through its index of store/models/risk.py. Frauds count from the day
# when they became known.
_COUNTS = """
SELECT
  (SELECT json_build_array(
     count(*) FILTER (WHERE at >= %(hour)s AND at < %(at)s AND paid),
     count(*) FILTER (WHERE at >= %(day)s AND at < %(at)s AND paid),
     count(*) FILTER (WHERE at >= %(day)s AND at < %(at)s AND paid IS FALSE),
     count(*) FILTER (WHERE at < %(settled)s AND paid AND (fraud IS NOT TRUE OR known_at > %(at)s)),
     percentile_disc(0.5) WITHIN GROUP (ORDER BY amount_minor) FILTER (WHERE at < %(at)s AND paid
       AND currency = %(currency)s),
     array_agg(DISTINCT card) FILTER (WHERE at >= %(week)s AND at <= %(at)s AND card <> ''),
     coalesce(bool_or(device = %(device)s) FILTER (WHERE at < %(at)s), FALSE),
     coalesce(bool_or(address = %(address)s) FILTER (WHERE at < %(at)s), FALSE),
     array_agg(id) FILTER (WHERE fraud AND known_at <= %(until)s))
   FROM store_risktrace WHERE buyer = %(buyer)s AND buyer <> ''),
  (SELECT json_build_array(
     array_agg(DISTINCT card) FILTER (WHERE at >= %(day)s AND at <= %(at)s AND card <> ''),
     count(*) FILTER (WHERE at >= %(day)s AND at < %(at)s AND paid IS FALSE),
     count(DISTINCT buyer) FILTER (WHERE at >= %(link)s AND at < %(until)s AND buyer <> %(buyer)s),
     array_agg(id) FILTER (WHERE fraud AND known_at <= %(until)s))
   FROM store_risktrace WHERE device = %(device)s AND device <> ''),
  (SELECT json_build_array(
     count(DISTINCT buyer) FILTER (WHERE at >= %(link)s AND at < %(until)s AND buyer <> %(buyer)s),
     array_agg(id) FILTER (WHERE fraud AND known_at <= %(until)s))
   FROM store_risktrace WHERE card = %(card)s AND card <> ''),
  (SELECT json_build_array(
     count(DISTINCT buyer) FILTER (WHERE at >= %(link)s AND at < %(until)s AND buyer <> %(buyer)s),
     array_agg(id) FILTER (WHERE fraud AND known_at <= %(until)s))
   FROM store_risktrace WHERE address = %(address)s AND address <> ''),
  (SELECT count(DISTINCT buyer) FROM store_risktrace WHERE ip = %(ip)s AND ip <> '' AND at >= %(day)s AND at < %(at)s
    AND buyer <> %(buyer)s),
  (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY amount_minor) FROM
     (SELECT amount_minor FROM store_risktrace WHERE seller = %(seller)s AND at < %(at)s AND paid
       ORDER BY at DESC LIMIT 50) latest),
  ARRAY(SELECT DISTINCT kind FROM store_risklistentry WHERE value <> '' AND (what, value) IN (
     ('email', %(email)s), ('domain', %(domain)s), ('card', %(card)s), ('device', %(device)s), ('ip', %(ip)s),
       ('address', %(address)s))),
  (SELECT id FROM store_riskruleset WHERE live_at IS NOT NULL ORDER BY live_at DESC, id DESC LIMIT 1),
  (SELECT id FROM store_riskruleset WHERE live_at IS NULL AND shadow_at IS NOT NULL ORDER BY shadow_at DESC,
    id DESC LIMIT 1)
"""


@dataclass(frozen=True, slots=True)
class Known:
    """The facts, and the versions of the rules that are in force and in shadow.

    None: those shipped with the program, and none in shadow.
    """

    facts: Facts
    live: int | None
    shadow: int | None


def _history(trace: RiskTrace, until: datetime | None) -> tuple[dict[str, Any], int | None, int | None]:
    """The fields of Facts that our own history and staff's lists answer, and the two rule sets. How fast and how much
    is asked of the time of the order itself; other buyers' use of its card, device and address, and frauds, of all
    that is known `until` now: so a later order can make this one look different.
    """
    at = trace.at
    given: dict[str, str | int | datetime] = {
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
        "settled": at - SETTLED_AFTER,
        "email": trace.email,
        "domain": mail_domain(trace.email),
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, given)
        row = cursor.fetchone()
    assert row is not None
    of_buyer, of_device, of_card, of_address, buyers_of_ip, usual_total, lists, live, shadow = row
    hour, day, declined, settled, usual, cards, known_device, known_address, _ = of_buyer
    cards_of_device, device_declined, buyers_of_device, _ = of_device
    # This try's own card is among them even before it is written down.
    own_card = {trace.card} if trace.card else set()
    frauds = {pk for answers in (of_buyer, of_device, of_card, of_address) for pk in answers[-1] or ()}
    found: dict[str, Any] = {
        "orders_last_hour": hour,
        "orders_last_day": day,
        "declined_last_day": declined,
        "settled_orders": settled,
        "buyers_usual_minor": usual,
        "usual_total_minor": usual_total,
        "cards_of_buyer_week": len(own_card.union(cards or ())),
        "cards_of_device_day": len(own_card.union(cards_of_device or ())),
        "device_declined_last_day": device_declined,
        "buyers_of_card": of_card[0],
        "buyers_of_device": buyers_of_device,
        "buyers_of_address": of_address[0],
        "buyers_of_ip_day": buyers_of_ip,
        "linked_frauds": len(frauds - {trace.pk}),
        "new_device": not known_device if trace.device else None,
        "new_address": not known_address if trace.address else None,
        "blocked": "blocked" in lists,
        "trusted": "trusted" in lists,
        "forwarder": "forwarder" in lists if trace.address else None,
    }
    _hide_unknown(found, trace)
    return found, live, shadow


def _hide_unknown(found: dict[str, Any], trace: RiskTrace) -> None:
    """Where nobody told us the thing itself, nothing was counted of it."""
    for name, key in (
        ("orders_last_hour", trace.buyer),
        ("orders_last_day", trace.buyer),
        ("declined_last_day", trace.buyer),
        ("settled_orders", trace.buyer),
        ("new_device", trace.buyer),
        ("new_address", trace.buyer),
        ("cards_of_buyer_week", trace.buyer and trace.card),
        ("cards_of_device_day", trace.card and trace.device),
        ("device_declined_last_day", trace.device),
        ("buyers_of_card", trace.buyer and trace.card),
        ("buyers_of_device", trace.buyer and trace.device),
        ("buyers_of_address", trace.buyer and trace.address),
        ("buyers_of_ip_day", trace.buyer and trace.ip),
    ):
        if not key:
            found[name] = None


def known_of(
    *,
    trace: RiskTrace,
    checks: Mapping[str, str],
    ship_to: Mapping[str, str],
    joined_at: datetime | None,
    ip_country: str | None = None,
    ip_hosting: bool | None = None,
    until: datetime | None = None,
) -> Known:
    """Everything that can be known at `trace.at`, its links `until` a later time.

    `checks` are the gateway's words about the card.
    """
    country = ship_to["country"]
    phone_valid, phone_country = phone(ship_to.get("phone", ""), country)
    history, live, shadow = _history(trace, until)
    facts = Facts(
        **history,
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
    return Known(facts, live, shadow)


def _secure(result: str | None) -> str | None:
    return None if not result else "pass" if result == "authenticated" else "fail"
