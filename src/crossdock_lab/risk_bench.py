"""`python -m crossdock_lab risk-bench`: what judging costs inside `place_order`, over a long history.

The real use-case places real orders; its risk part is timed in place. Its question to the database goes along with
others in one round trip, so it is asked once more alone, and that is counted.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from crossdock.domain.wording import counted
from crossdock_lab.trial import Trial

if TYPE_CHECKING:
    from crossdock.demo.fraud import Attempt
    from crossdock.store.models import Order, Seller, User, Variant

P50_MS, P99_MS = 5.0, 20.0
# One asks for all that is known, one writes the judgement and ends the try to pay.
STATEMENTS = 2
# What judging an order consists of, by its names in usecases/checkout/new_order.py.
PARTS = ("trace_of", "look", "keep_placed", "warn", "policy_holds", "hold")
PLACED, WARM = 1000, 50


@dataclass
class Watch:
    """Milliseconds of each placing, and of the risk's share in it; and what the risk's part asked the database.

    An order of high risk tells its seller besides, so it is counted apart.
    """

    risk: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    own: list[float] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    asked_high: list[int] = field(default_factory=list)
    _now: float = 0.0
    _cpu: float = 0.0
    _inside: bool = False
    _asked: int = 0

    def timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **named: Any) -> Any:
            begun, cpu, self._inside = time.perf_counter(), time.thread_time(), True
            try:
                return function(*args, **named)
            finally:
                self._inside = False
                self._now += time.perf_counter() - begun
                self._cpu += time.thread_time() - cpu

        return run

    def heard(self, execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        """What the risk asks and writes goes along with the order's own statements. The payment brings its trace."""
        from crossdock.store.together import BETWEEN

        parts = sql.split(BETWEEN)
        self._asked += self._inside + sum("store_risk" in part and "store_paymentintent" not in part for part in parts)
        return execute(sql, *args)

    def alone(self, order: "Order") -> float:
        """Seconds that its question takes, sent alone: no less than what it takes beside the others."""
        from crossdock.store.models import RiskTrace
        from crossdock.usecases.risk.facts import past_of

        trace = RiskTrace.objects.get(order=order)
        begun = time.perf_counter()
        past_of(trace, trace.at)
        return time.perf_counter() - begun

    @contextmanager
    def placing(self) -> "Iterator[Callable[[Order], Order]]":
        """What it gives out is told the order when it is there."""
        from django.db import connection

        from crossdock.usecases.checkout import new_order

        self._now, self._cpu, self._asked, begun = 0.0, 0.0, 0, time.perf_counter()

        def done(order: "Order") -> "Order":
            self.whole.append((time.perf_counter() - begun) * 1000)
            (self.asked_high if order.risk == "high" else self.asked).append(self._asked)
            self._now += self.alone(order)
            return order

        with ExitStack() as ends:
            for name in PARTS:
                ends.enter_context(patch.object(new_order, name, self.timed(getattr(new_order, name))))
            ends.enter_context(connection.execute_wrapper(self.heard))
            yield done
        self.risk.append(self._now * 1000)
        self.own.append(self._cpu * 1000)

    def lines(self) -> list[str]:
        """The first ones warm up what a running server has warm, and are left out."""
        risk, whole = sorted(self.risk[WARM:]), sorted(self.whole[WARM:])
        own, share = sorted(self.own[WARM:]), sum(risk) / sum(whole)
        return [
            (
                f"risk within place_order: p50 {at(risk, 0.5):.2f} ms, p99 {at(risk, 0.99):.2f} ms, worst"
                f" {risk[-1]:.2f} ms ({len(risk)} orders)"
            ),
            (
                f"place_order as a whole:  p50 {at(whole, 0.5):.2f} ms, p99 {at(whole, 0.99):.2f} ms; {share:.0%} of it"
                " is the risk"
            ),
            (
                f"our own processor time of the risk: p50 {at(own, 0.5):.2f} ms, p99 {at(own, 0.99):.2f} ms; the"
                f" machine's load is {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
            ),
            (
                f"statements of the risk: {max(self.asked, default=0)} at most; {max(self.asked_high, default=0)} where"
                f" it is high and the seller is told ({counted(len(self.asked_high), 'order')})"
            ),
        ]

    def verdict(self) -> list[tuple[bool, str]]:
        risk = sorted(self.risk[WARM:])
        most = max(self.asked, default=0)
        return [
            (
                at(risk, 0.5) < P50_MS and at(risk, 0.99) < P99_MS,
                f"p50 below {P50_MS:g} ms and p99 below {P99_MS:g} ms",
            ),
            (
                0 < most <= STATEMENTS,
                f"at most {counted(STATEMENTS, 'statement')} for an order that is not of high risk",
            ),
        ]


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--orders", type=int, default=200_000, help="size of the made-up history")
    parser.add_argument("--seed", type=int, default=1)


def run(args: argparse.Namespace) -> int:
    return bench(args.orders, args.seed)


def at(ordered: Sequence[float], share: float) -> float:
    return ordered[int(len(ordered) * share)]


def bench(orders: int, seed: int, placed: int = PLACED) -> int:
    from crossdock.demo.fraud import history

    begun = time.monotonic()
    with Trial():
        attempts = history(orders=orders, seed=seed)
        _write(attempts)
        variant = _stall(attempts)
        chosen = [attempt for attempt in attempts if attempt.paid][-placed - WARM :]
        order = _place(variant, _buyer(chosen[0]), chosen[0], 0, Watch())
        copied = _copy(order, orders)
        print(f"The history was built in {time.monotonic() - begun:.0f} s.", flush=True)
        watch = Watch()
        for number, attempt in enumerate(chosen, 1):
            _place(variant, _buyer(attempt), attempt, number, watch)
        kept = len(watch.risk)
    print(
        f"{len(attempts)} tries to pay and {copied} orders with their judgements in the history; {kept} orders were"
        " placed on top of it."
    )
    print(*watch.lines(), sep="\n")
    verdict = watch.verdict()
    for good, words in verdict:
        print("ok  " if good else "FAIL", words)
    return 0 if all(good for good, _ in verdict) else 1


def _write(attempts: "Sequence[Attempt]") -> None:
    """The attempts as traces, by COPY: what only looks like history needs no objects."""
    from django.db import connection

    from crossdock.domain.risk.lookups import address_key
    from crossdock.store.models import RiskTrace

    table = RiskTrace._meta.db_table
    names = "at buyer seller amount_minor currency units card device ip address email paid fraud known_at"
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({names.replace(' ', ', ')}) FROM STDIN") as rows:
        for a in attempts:
            address = address_key(a.line1, a.postal_code, a.country)
            rows.write_row(
                (
                    a.at,
                    a.buyer,
                    a.seller,
                    a.amount_minor,
                    "USD",
                    a.units,
                    a.card,
                    a.device,
                    a.ip,
                    address,
                    a.email,
                    a.paid,
                    True if a.fraud else None,
                    a.known_at,
                )
            )
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {table}")


def _stall(attempts: "Sequence[Attempt]") -> "Variant":
    """One seller, who is the one with the longest history, and one thing of which there is enough."""
    from collections import Counter

    from crossdock.domain.values import Money
    from crossdock.store.models import RiskTrace
    from crossdock.usecases.catalogue.listings import make_listing
    from crossdock_lab.buying import make_seller

    seller: Seller = make_seller(name="Bench", email="bench@example.test")
    busiest = Counter(attempt.seller for attempt in attempts).most_common(1)[0][0]
    RiskTrace.objects.filter(seller=busiest).update(seller=seller.pk)
    made = make_listing(
        seller=seller,
        title="Ember Fox",
        description="A card.",
        price=Money(2500, "USD"),
        count=10**6,
        now=attempts[0].at,
    )
    return made.variants.get()


def _buyer(attempt: "Attempt") -> "User":
    """The history's buyer as a person of ours, so that their past counts."""
    from crossdock.store.models import RiskTrace, User
    from crossdock.usecases.risk.trace import buyer_key

    user, fresh = User.objects.get_or_create(email=f"{attempt.buyer}@example.test", defaults={"name": "Bench"})
    if fresh:
        User.objects.filter(pk=user.pk).update(date_joined=attempt.joined_at)
        RiskTrace.objects.filter(buyer=attempt.buyer).update(buyer=buyer_key(user))
        user.refresh_from_db()
    return user


def _place(variant: "Variant", buyer: "User", attempt: "Attempt", number: int, watch: Watch) -> "Order":
    from crossdock.domain.values import Address
    from crossdock.usecases.checkout import checkout
    from crossdock.usecases.checkout.basket import Basket, priced
    from crossdock.usecases.risk.trace import Origin

    now = attempt.at + timedelta(days=1)
    basket: Basket = {"lines": {variant.public_id: 1}}
    shown = priced(basket=basket, country=attempt.country, now=now)
    to = Address(
        "Bench", attempt.line1, "Town", attempt.country, attempt.postal_code, region=attempt.region, phone=attempt.phone
    )
    intent = checkout.open_checkout(
        buyer=buyer,
        basket=basket,
        ship_to=to,
        key=f"bench-{number:06}",
        fingerprint=shown.fingerprint,
        gateway="sandbox",
        now=now,
        origin=Origin(attempt.ip, attempt.device),
    )
    checks = {
        "postal_code": attempt.postal_code_check,
        "cvc": attempt.cvc_check,
        "card_funding": attempt.funding,
        "card_country": attempt.card_country,
        "billing_country": attempt.billing_country,
        "card_fingerprint": attempt.card,
    }
    given = {name: value for name, value in checks.items() if value}
    with watch.placing() as done:
        return done(checkout.place_order(intent_id=intent.public_id, gateway_ref=f"r{number}", checks=given, now=now))


def _copy(order: "Order", count: int) -> int:
    """As many orders of long ago, with the judgement of each; written by the database itself."""
    from django.db import connection

    from crossdock.store.models import Order, RiskAssessment

    with connection.cursor() as cursor:
        own = {
            "id": "1000000 + n",
            "number": "1000000 + n",
            "reference": "'BENCH-' || n",
            "public_id": "'bench' || n",
            "relay_email": "'b' || n || '@orders.invalid'",
        }
        _insert(cursor, Order._meta.db_table, own, order.pk, count)
        row = RiskAssessment.objects.filter(order=order).values_list("pk", flat=True)[0]
        _insert(cursor, RiskAssessment._meta.db_table, {"id": "1000000 + n", "order_id": "1000000 + n"}, row, count)
        cursor.execute(f"ANALYZE {Order._meta.db_table}")
        cursor.execute(f"ANALYZE {RiskAssessment._meta.db_table}")
    return count


def _insert(cursor: Any, table: str, own: dict[str, str], pk: int, count: int) -> None:
    cursor.execute("SELECT column_name FROM information_schema.columns WHERE table_name = %s", [table])
    names = [row[0] for row in cursor.fetchall()]
    values = ", ".join(own.get(name, f't."{name}"') for name in names)
    columns = ", ".join(f'"{name}"' for name in names)
    cursor.execute(
        f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table} t, generate_series(1, %s) n WHERE t.id = %s",  # noqa: S608 - names of our own tables
        [count, pk],
    )
