"""`crossdock risk report | bench | fit`: how well the rules tell fraud from honest orders, what judging costs, and
learning from labelled orders.

`report` and `bench` play in a throw-away marketplace with a made-up history (demo/fraud.py); `fit` learns from the
marketplace's own.
"""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from crossdock.cli.trial import Trial
from crossdock.domain.risk import Facts, RuleSet, assess
from crossdock.domain.risk.report import Judged, report

if TYPE_CHECKING:
    from crossdock.demo.fraud import Attempt
    from crossdock.store.models import RiskTrace

# The last part in time is what is judged; a random split would let the future into the past.
TEST_SHARE = 0.3


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=["report", "bench", "fit"])
    parser.add_argument(
        "--orders", type=int, default=0, help="size of the made-up history (report 12,000, bench 200,000)"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--least-auc", type=float, default=0.80, help="report: end badly below it")
    parser.add_argument("--shadow", action="store_true", help="fit: let the fitted rules run in shadow from now on")


def run(args: argparse.Namespace) -> int:
    match args.what:
        case "report":
            return _report(args.orders or 12_000, args.seed, args.least_auc)
        case "bench":
            from crossdock.cli.risk_bench import bench

            return bench(args.orders or 200_000, args.seed)
        case _:
            from crossdock.cli.fitting import fit

            return fit(shadow=args.shadow)


@contextmanager
def _world(orders: int, seed: int) -> "Iterator[tuple[list[Attempt], list[RiskTrace]]]":
    from crossdock.demo.fraud import history

    with Trial():
        attempts = history(orders=orders, seed=seed)
        yield attempts, write(attempts)


def write(attempts: "Sequence[Attempt]") -> "list[RiskTrace]":
    """The attempts as traces, in their order."""
    from django.db import connection

    from crossdock.domain.risk.lookups import address_key
    from crossdock.store.models import RiskTrace

    rows = [
        RiskTrace(
            at=a.at,
            buyer=a.buyer,
            seller=a.seller,
            amount_minor=a.amount_minor,
            currency="USD",
            units=a.units,
            card=a.card,
            device=a.device,
            ip=a.ip,
            address=address_key(a.line1, a.postal_code, a.country),
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


def facts_about(attempt: "Attempt", trace: "RiskTrace") -> Facts:
    """Through the same code that judges a real order."""
    from crossdock.usecases.risk.facts import known_of

    checks = {
        "postal_code": attempt.postal_code_check,
        "cvc": attempt.cvc_check,
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
    ).facts


def split_at(times: Sequence[datetime], share: float = TEST_SHARE) -> datetime:
    """The moment after which that share of the orders lies."""
    ordered = sorted(times)
    return ordered[int(len(ordered) * (1 - share))]


def judged(
    attempts: "Sequence[Attempt]", traces: "Sequence[RiskTrace]", since: datetime, rules: RuleSet
) -> list[Judged]:
    found = []
    for attempt, trace in zip(attempts, traces, strict=True):
        if attempt.paid and attempt.at >= since:
            result = assess(facts_about(attempt, trace), rules)
            found.append(Judged(result.score, result.level, attempt.fraud))
    return found


def _report(orders: int, seed: int, least: float) -> int:
    with _world(orders, seed) as (attempts, traces):
        since = split_at([attempt.at for attempt in attempts])
        rows = judged(attempts, traces, since, RuleSet())
        result = report(rows)
    print(
        f"Made-up history, seed {seed}: judged are the orders since {since:%Y-%m-%d}, each with what was known on its"
        " day."
    )
    print("\n".join(result.lines()))
    if result.auc is None or result.auc < least:
        print(f"FAIL the AUC is below {least}")
        return 1
    print(f"ok   the AUC is {least} or more")
    return 0
