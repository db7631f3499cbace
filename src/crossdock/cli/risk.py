"""`crossdock risk report | fit`: how well the rules tell fraud from honest orders, and learning from labelled orders.

`report` judges in a throw-away marketplace: made-up histories, or a file of somebody's payments. `fit` learns from the
marketplace's own.
"""

import argparse
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from crossdock.cli.scratch import scratch
from crossdock.cli.trouble import Trouble
from crossdock.domain.risk import Facts, RuleSet
from crossdock.domain.risk.report import Judged, judged, report

if TYPE_CHECKING:
    from crossdock.demo.fraud import Attempt
    from crossdock.store.models import RiskTrace
    from crossdock.usecases.risk.facts import Past

# The later part in time is what counts; a random split would let the future into the past.
TEST_SHARE = 0.4


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=["report", "fit"])
    parser.add_argument("--orders", type=int, default=0, help="report: size of the made-up history")
    parser.add_argument("--file", type=Path, help="report: judge the payments of this CSV file instead")
    parser.add_argument(
        "--delay", type=float, default=7, metavar="DAYS", help="report --file: a fraud is known so long after its order"
    )
    parser.add_argument("--kind", default="", help="report: only the made-up history of this kind (demo/histories.py)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shadow", action="store_true", help="fit: let the fitted rules run in shadow from now on")


def run(args: argparse.Namespace) -> int:
    match args.what:
        case "report" if args.file:
            return _report_file(args.file, args.delay)
        case "report":
            return _report(args.orders, args.seed, args.kind)
        case _:
            from crossdock.cli.fitting import fit

            return fit(shadow=args.shadow)


def write(attempts: "Sequence[Attempt]") -> "list[RiskTrace]":
    """The attempts as traces, in their order."""
    from django.db import connection

    from crossdock.store.models import RiskTrace

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


def _door(attempt: "Attempt") -> str:
    """A file may name a door by one word and no postal code."""
    from crossdock.domain.risk.lookups import address_key

    if attempt.line1 and not attempt.postal_code:
        return attempt.line1.casefold()[:40]
    return address_key(attempt.line1, attempt.postal_code, attempt.country)


_AT_ONCE = 500


def facts_of(attempts: "Sequence[Attempt]", traces: "Sequence[RiskTrace]") -> Iterator[Facts]:
    """Of each, as of its own time; hundreds with one question."""
    from crossdock.usecases.risk.facts import pasts_of

    for begin in range(0, len(traces), _AT_ONCE):
        some = traces[begin : begin + _AT_ONCE]
        for attempt, trace, past in zip(attempts[begin : begin + _AT_ONCE], some, pasts_of(some), strict=True):
            yield facts_about(attempt, trace, past)


def facts_about(attempt: "Attempt", trace: "RiskTrace", past: "Past | None" = None) -> Facts:
    """Through the same code that judges a real order."""
    from crossdock.usecases.risk.facts import known_of

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


def judged_since(
    attempts: "Sequence[Attempt]", traces: "Sequence[RiskTrace]", since: datetime, rules: RuleSet
) -> list[Judged]:
    """The paid ones from then on."""
    chosen = [(a, trace) for a, trace in zip(attempts, traces, strict=True) if a.paid and a.at >= since]
    facts = facts_of([a for a, _ in chosen], [trace for _, trace in chosen])
    rows = ((one, a.fraud if a.labelled else None) for one, (a, _) in zip(facts, chosen, strict=True))
    return judged(rules, rows)


def _report(orders: int, seed: int, kind: str) -> int:
    from crossdock.cli.risk_report import over_kinds
    from crossdock.demo.histories import BY_NAME, KINDS

    if kind and kind not in BY_NAME:
        raise Trouble(f"There is no kind {kind}. There are: {', '.join(BY_NAME)}.")
    return over_kinds([BY_NAME[kind]] if kind else KINDS, seed=seed, orders=orders)


def _report_file(path: Path, delay: float) -> int:
    from crossdock.cli.risk_file import rows_of

    if not 0 <= delay <= 3650:
        raise Trouble("--delay is a number of days, 0 or more.")
    rows = rows_of(path, delay=timedelta(days=delay))
    print(*rows.words(), sep="\n")
    with scratch():
        print(*judged_file(rows.attempts, write(rows.attempts)), sep="\n")
    return 0


def judged_file(attempts: "Sequence[Attempt]", traces: "Sequence[RiskTrace]") -> list[str]:
    """The table over all rows and over the later part."""
    since = split_at([attempt.at for attempt in attempts])
    found = judged_since(attempts, traces, attempts[0].at, RuleSet())
    times = [attempt.at for attempt in attempts if attempt.paid]
    late = [row for row, at in zip(found, times, strict=True) if at >= since]
    return [
        "Each order judged by the shipped rules, with what was known at its moment.",
        *report(found).lines(),
        f"Of these the later {TEST_SHARE:.0%}, since {since:%Y-%m-%d}:",
        *report(late).lines(),
    ]
