"""Labelled payments as the marketplace's own traces, and what the rules know of each at its moment."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import connection

from crossdock.demo.fraud import Attempt
from crossdock.domain.risk import Facts
from crossdock.domain.risk.lookups import address_key
from crossdock.store.models import RiskTrace
from crossdock.usecases.risk.facts import Past, known_of, pasts_of

# The later part in time is what counts; a random split would let the future into the past.
TEST_SHARE = 0.4


def write(attempts: Sequence[Attempt]) -> list[RiskTrace]:
    """The attempts as traces, in their order."""
    rows = [
        RiskTrace(
            at=a.at,
            buyer=a.buyer,
            seller=a.seller,
            amount_minor=a.amount_minor,
            currency=a.currency,
            units=a.units,
            card=a.card,
            device=a.device,
            ip=a.ip,
            address=_door(a),
            email=a.email,
            paid=a.paid,
            fraud=True if a.fraud else None,
            known_at=a.known_at,
        )
        for a in attempts
    ]
    made = RiskTrace.objects.bulk_create(rows, batch_size=5000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE store_risktrace")
    return made


def _door(attempt: Attempt) -> str:
    """A file may name a door by one word and no postal code."""
    if attempt.line1 and not attempt.postal_code:
        return attempt.line1.casefold()[:40]
    return address_key(attempt.line1, attempt.postal_code, attempt.country)


_AT_ONCE = 500


def facts_of(attempts: Sequence[Attempt], traces: Sequence[RiskTrace]) -> Iterator[Facts]:
    """Of each, as of its own time; hundreds with one question."""
    for begin in range(0, len(traces), _AT_ONCE):
        some = traces[begin : begin + _AT_ONCE]
        for attempt, trace, past in zip(attempts[begin : begin + _AT_ONCE], some, pasts_of(some), strict=True):
            yield facts_about(attempt, trace, past)


def facts_about(attempt: Attempt, trace: RiskTrace, past: Past | None = None) -> Facts:
    """Through the same code that judges a real order."""
    checks = {
        "postal_code": attempt.postal_code_check,
        "cvc": attempt.cvc_check,
        "three_d_secure": attempt.three_d_secure,
        "card_funding": attempt.funding,
        "card_country": attempt.card_country,
        "billing_country": attempt.billing_country,
    }
    ship_to = {
        "country": attempt.country,
        "region": attempt.region,
        "postal_code": attempt.postal_code,
        "phone": attempt.phone,
    }
    return known_of(
        trace=trace,
        checks=checks,
        ship_to=ship_to,
        joined_at=attempt.joined_at,
        ip_country=attempt.ip_country,
        ip_hosting=attempt.hosting,
        past=past,
    ).facts


def split_at(times: Sequence[datetime], share: float = TEST_SHARE) -> datetime:
    """The moment after which that share of the orders lies."""
    ordered = sorted(times)
    return ordered[int(len(ordered) * (1 - share))]
