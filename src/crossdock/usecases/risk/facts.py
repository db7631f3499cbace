"""The facts about one try to pay, from our own history and staff's lists in one query. Only what was known then counts, so history can be judged again as of any day."""

from collections.abc import Mapping
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

# Counted through the indexes of store/models/risk.py. Frauds count from the day when they became known.
_COUNTS = """
SELECT
  (SELECT count(*) FROM store_risktrace WHERE buyer = %(buyer)s AND at >= %(hour)s AND at < %(at)s AND paid),
  (SELECT count(*) FROM store_risktrace WHERE buyer = %(buyer)s AND at >= %(day)s AND at < %(at)s AND paid),
  (SELECT count(*) FROM store_risktrace WHERE buyer = %(buyer)s AND at >= %(day)s AND at < %(at)s AND paid IS FALSE),
  (SELECT count(*) FROM store_risktrace WHERE buyer = %(buyer)s AND at < %(settled)s AND paid AND (fraud IS NOT TRUE OR known_at > %(at)s)),
  (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY amount_minor) FROM store_risktrace WHERE buyer = %(buyer)s AND at < %(at)s AND paid AND currency = %(currency)s),
  (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY amount_minor) FROM
     (SELECT amount_minor FROM store_risktrace WHERE seller = %(seller)s AND at < %(at)s AND paid ORDER BY at DESC LIMIT 50) latest),
  (SELECT count(DISTINCT card) FROM store_risktrace WHERE buyer = %(buyer)s AND at >= %(week)s AND at <= %(at)s AND card <> ''),
  (SELECT count(DISTINCT card) FROM store_risktrace WHERE device = %(device)s AND device <> '' AND at >= %(day)s AND at <= %(at)s AND card <> ''),
  (SELECT count(*) FROM store_risktrace WHERE device = %(device)s AND device <> '' AND at >= %(day)s AND at < %(at)s AND paid IS FALSE),
  (SELECT count(DISTINCT buyer) FROM store_risktrace WHERE card = %(card)s AND card <> '' AND at >= %(link)s AND at < %(until)s AND buyer <> %(buyer)s),
  (SELECT count(DISTINCT buyer) FROM store_risktrace WHERE device = %(device)s AND device <> '' AND at >= %(link)s AND at < %(until)s AND buyer <> %(buyer)s),
  (SELECT count(DISTINCT buyer) FROM store_risktrace WHERE address = %(address)s AND address <> '' AND at >= %(link)s AND at < %(until)s AND buyer <> %(buyer)s),
  (SELECT count(DISTINCT buyer) FROM store_risktrace WHERE ip = %(ip)s AND ip <> '' AND at >= %(day)s AND at < %(at)s AND buyer <> %(buyer)s),
  (SELECT count(*) FROM (
     SELECT id FROM store_risktrace WHERE card = %(card)s AND card <> '' AND fraud AND known_at <= %(until)s
     UNION SELECT id FROM store_risktrace WHERE device = %(device)s AND device <> '' AND fraud AND known_at <= %(until)s
     UNION SELECT id FROM store_risktrace WHERE address = %(address)s AND address <> '' AND fraud AND known_at <= %(until)s
     UNION SELECT id FROM store_risktrace WHERE buyer = %(buyer)s AND fraud AND known_at <= %(until)s) frauds WHERE id <> %(id)s),
  EXISTS (SELECT 1 FROM store_risktrace WHERE buyer = %(buyer)s AND at < %(at)s AND device = %(device)s),
  EXISTS (SELECT 1 FROM store_risktrace WHERE buyer = %(buyer)s AND at < %(at)s AND address = %(address)s),
  ARRAY(SELECT DISTINCT kind FROM store_risklistentry WHERE value <> '' AND (what, value) IN (
     ('email', %(email)s), ('domain', %(domain)s), ('card', %(card)s), ('device', %(device)s), ('ip', %(ip)s), ('address', %(address)s)))
"""


def history_of(trace: RiskTrace, until: datetime | None = None) -> dict[str, Any]:
    """The fields of Facts that our own history and staff's lists answer. How fast and how much is asked of the time of the order itself;
    other buyers' use of its card, device and address, and frauds, of all that is known `until` now: so a later order can make this one look different."""
    at = trace.at
    given: dict[str, str | int | datetime] = {
        "buyer": trace.buyer, "seller": trace.seller, "card": trace.card, "device": trace.device, "ip": trace.ip, "address": trace.address,
        "currency": trace.currency, "id": trace.pk, "at": at, "until": max(at, until or at), "hour": at - timedelta(hours=1), "day": at - timedelta(days=1), "week": at - timedelta(days=7),
        "link": at - LINK, "settled": at - SETTLED_AFTER, "email": trace.email, "domain": mail_domain(trace.email),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, given)
        row = cursor.fetchone()
    assert row is not None
    names = (
        "orders_last_hour", "orders_last_day", "declined_last_day", "settled_orders", "buyers_usual_minor", "usual_total_minor",
        "cards_of_buyer_week", "cards_of_device_day", "device_declined_last_day", "buyers_of_card", "buyers_of_device", "buyers_of_address",
        "buyers_of_ip_day", "linked_frauds", "known_device", "known_address", "lists",
    )  # fmt: skip
    found: dict[str, Any] = dict(zip(names, row, strict=True))
    known_device, known_address, lists = found.pop("known_device"), found.pop("known_address"), found.pop("lists")
    found["new_device"] = None if not trace.device else not known_device
    found["new_address"] = None if not trace.address else not known_address
    found["blocked"], found["trusted"] = "blocked" in lists, "trusted" in lists
    found["forwarder"] = "forwarder" in lists if trace.address else None
    for name, key in (
        ("cards_of_buyer_week", trace.card),
        ("cards_of_device_day", trace.card and trace.device),
        ("device_declined_last_day", trace.device),
        ("buyers_of_card", trace.card),
        ("buyers_of_device", trace.device),
        ("buyers_of_address", trace.address),
        ("buyers_of_ip_day", trace.ip),
    ):
        if not key:
            found[name] = None
    return found


def facts_of(
    *,
    trace: RiskTrace,
    checks: Mapping[str, str],
    ship_to: Mapping[str, str],
    joined_at: datetime,
    ip_country: str | None = None,
    ip_hosting: bool | None = None,
    until: datetime | None = None,
) -> Facts:
    """Everything that can be known at `trace.at`, its links `until` a later time. `checks` are the gateway's words about the card."""
    country = ship_to["country"]
    phone_valid, phone_country = phone(ship_to.get("phone", ""), country)
    return Facts(
        **history_of(trace, until),
        postal_code_check=checks.get("postal_code"), cvc_check=checks.get("cvc"), three_d_secure=_secure(checks.get("three_d_secure")),
        funding=checks.get("card_funding"), card_country=checks.get("card_country"), billing_country=checks.get("billing_country"),
        gateway_score=_SCORES.get(checks.get("gateway_risk", "")), ship_country=country, total_minor=trace.amount_minor, most_units=trace.units,
        account_age_hours=round((trace.at - joined_at).total_seconds() / 3600, 3), disposable_email=disposable(trace.email) if trace.email else None,
        phone_valid=phone_valid, phone_country=phone_country,
        postal_code_fits=postal_code_fits(country, ship_to.get("region", ""), ship_to.get("postal_code", "")),
        ip_country=ip_country, ip_hosting=ip_hosting,
    )  # fmt: skip


def _secure(result: str | None) -> str | None:
    return None if not result else "pass" if result == "authenticated" else "fail"
