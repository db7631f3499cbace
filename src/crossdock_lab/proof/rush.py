"""`python -m crossdock_lab rush`: many buyers for the last unit of each listing while the shops sell some of them;
nothing is sold twice. Real database, real HTTP.

The shop is asked before money is taken. What it sold before it was asked is caught; what it sells between its answer
and our order's arrival is not, by anybody: that window is measured, and every order that falls into it has to be told.
"""

import argparse
import contextlib
import random
import statistics
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from crossdock_lab.facts import Facts
from crossdock_lab.trial import Trial, Waited

if TYPE_CHECKING:
    from crossdock.kit.connector import VariantRef
    from crossdock.kit.sandbox import Sandbox
    from crossdock.store.models import Connection, Seller, User, Variant

MODE = "rush"
_THREADS = 12
# Listings that are hot at the same time.
_HOT = 10


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--buyers", type=int, default=10_000)
    parser.add_argument("--listings", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--patience", type=float, default=600, help="seconds until everything must be at rest")


def run(args: argparse.Namespace) -> int:
    with Trial(environment={"CROSSDOCK_LOG_LEVEL": "ERROR"}) as trial:
        rush = Rush(trial, args)
        try:
            rush.play()
        except Waited as late:
            rush.facts.see(False, "-", "all", MODE, str(late))
        return rush.facts.end()


@dataclass
class Listing:
    """The last unit of something. Times are this process's monotonic clock."""

    shop: "Sandbox"
    connection: "Connection"
    ref: "VariantRef"
    seller: "Seller"
    variant: "Variant"
    sold_there_at: float | None = None
    # (when the shop was asked, when it had answered, our order's number)
    paid: list[tuple[float, float, int]] = field(default_factory=list)


class Rush:
    def __init__(self, trial: Trial, args: argparse.Namespace) -> None:
        self.trial, self.args, self.facts = trial, args, Facts()
        self.dice = random.Random(args.seed)
        self.listings: list[Listing] = []
        self.outcomes: Counter[str] = Counter()

    def play(self) -> None:
        self._open()
        people = self._people()
        begun = time.monotonic()
        self._buy(people)
        bought = time.monotonic()
        self.trial.until(self._at_rest, self.args.patience, "everything to be at rest", every=0.5)
        said = ", ".join(f"{count} {what}" for what, count in sorted(self.outcomes.items()))
        print(
            f"{self.args.buyers} buyers in {bought - begun:.0f} s, at rest {time.monotonic() - bought:.0f} s later:"
            f" {said}",
            flush=True,
        )
        self._count()

    def _open(self) -> None:
        from crossdock.demo.joining import join
        from crossdock.kit import discover
        from crossdock.store.models import Variant, VariantStock
        from crossdock_lab.buying import make_seller

        self.trial.start_web()
        self.trial.worker.start()
        platforms = list(discover.connectors())
        opened: list[tuple[Sandbox, Seller, Connection, list[VariantRef]]] = []
        for place, platform in enumerate(platforms):
            shop = self.trial.open_shop(platform, seed=self.args.seed + place)
            refs = [
                self.trial.call(shop.hand.add_product(f"Last one {n}", [(f"L{place}-{n}", "4.50", 1)]))[0]
                for n in range(place, self.args.listings, len(platforms))
            ]
            way, form = shop.seller_form()
            seller = make_seller(name=f"Seller {place}", email=f"seller{place}@example.test")
            now = datetime.now(UTC)
            shop_here = join(seller=seller, platform=platform, address=shop.address, way=way, form=form, now=now)
            opened.append((shop, seller, shop_here, refs))
        self.trial.until(
            lambda: VariantStock.objects.exclude(count=None).count() == self.args.listings, 180, "the first import"
        )
        for shop, seller, connection, refs in opened:
            for ref in refs:
                variant = Variant.objects.select_related("listing").get(
                    connection=connection, shop_variant_id=ref.variant_id
                )
                self.listings.append(Listing(shop, connection, ref, seller, variant))
        self.dice.shuffle(self.listings)

    def _people(self) -> "list[User]":
        from crossdock.store.models import User

        rows = [User(email=f"rush{n}@example.test", name=f"Buyer {n:05d}") for n in range(self.args.buyers)]
        return list(User.objects.bulk_create(rows, batch_size=1000))

    def _buy(self, people: "list[User]") -> None:
        """Ten listings are hot at a time; the shop's own customer comes somewhere among ours, for every second one."""
        deeds: list[list[tuple[Listing, Any]]] = [[] for _ in range(0, len(self.listings), _HOT)]
        for n, person in enumerate(people):
            place = n % len(self.listings)
            deeds[place // _HOT].append((self.listings[place], person))
        for place, listing in enumerate(self.listings):
            if place % 2:
                deeds[place // _HOT].append((listing, None))
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="buyers") as pool:
            for group in deeds:
                # The shop's customer is one of the first: later nothing would be left to race for.
                ours = [deed for deed in group if deed[1] is not None]
                self.dice.shuffle(ours)
                for deed in group:
                    if deed[1] is None:
                        ours.insert(self.dice.randrange(4 * _HOT), deed)
                list(pool.map(self._deed, ours))
            list(pool.map(lambda _: _close(), range(_THREADS * 4)))

    def _deed(self, deed: "tuple[Listing, User | None]") -> None:
        listing, person = deed
        try:
            self.outcomes[self._sell(listing) if person is None else self._try(listing, person)] += 1
        except Exception as error:
            self.outcomes[f"stumbled: {type(error).__name__} {error}"[:120]] += 1

    def _sell(self, listing: Listing) -> str:
        """A customer in the shop: it sells only what it has."""
        if self.trial.call(listing.shop.hand.count(listing.ref)) < 1:
            return "came too late in the shop"
        self.trial.call(listing.shop.hand.sell(listing.ref, 1))
        listing.sold_there_at = time.monotonic()
        return "sold in the shop"

    def _try(self, listing: Listing, person: "User") -> str:
        from crossdock.domain.values import Address
        from crossdock.usecases.checkout import checkout
        from crossdock.usecases.checkout.basket import Basket, priced
        from crossdock.usecases.errors import Problem
        from crossdock.web.live import confirmed
        from crossdock_lab.buying import NotPaid

        now = datetime.now(UTC)
        basket: Basket = {"lines": {listing.variant.public_id: 1}}
        ship_to = Address(person.name, "1 Elm Street", "Springfield", "US", "12345", region="IL")
        try:
            shown = priced(basket=basket, country="US", now=now)
            if shown.problems:
                return "saw that it was sold out"
            intent = checkout.open_checkout(
                buyer=person,
                basket=basket,
                ship_to=ship_to,
                key=f"rush-{person.pk}-checkout",
                fingerprint=shown.fingerprint,
                gateway="sandbox",
                now=now,
            )
            asked = time.monotonic()
            verdict = confirmed(intent)
            answered = time.monotonic()
            if not verdict.go:
                return "caught by asking the shop" if verdict.left else "given up: the shop did not answer"
            order = checkout.place_order(
                intent_id=intent.public_id, gateway_ref="rush", checks={}, now=datetime.now(UTC)
            )
        except (Problem, NotPaid):
            return "came second here"
        listing.paid.append((asked, answered, order.pk))
        return "paid"

    def _at_rest(self) -> bool:
        from crossdock.store.models import Command, ShopCopy, VariantStock

        parties = [listing.connection.party_id for listing in self.listings]
        return not (
            Command.objects.filter(party_id__in=parties, state__in=["waiting", "in_flight"]).exists()
            or VariantStock.objects.filter(want_no__gt=0).exists()
            or ShopCopy.objects.filter(read_wanted=True).exists()
        )

    def _count(self) -> None:
        from crossdock.store.models import Alert

        see = self.facts.see
        stumbled = {what: count for what, count in self.outcomes.items() if what.startswith("stumbled")}
        see(not stumbled, "S4", "all", MODE, f"nobody stumbled {stumbled or ''}".strip())
        twice = [listing for listing in self.listings if len(listing.paid) > 1]
        see(
            not twice,
            "S4",
            "all",
            MODE,
            f"{sum(bool(one.paid) for one in self.listings)} of {len(self.listings)} last units sold here, {len(twice)}"
            " of them twice",
        )
        for listing in twice:
            print(_recorded(listing), flush=True)
        both: list[Listing] = []
        lost: list[Listing] = []
        missed: list[Listing] = []
        unconfirmed: list[Listing] = []
        untold: list[int] = []
        silent = self._silent()
        for listing in self.listings:
            ours = [
                standing
                for standing in self.trial.call(listing.shop.hand.orders())
                if standing.reference and not standing.cancelled and standing.lines[0][0] == listing.ref.variant_id
            ]
            if len(ours) + (listing.sold_there_at is not None) > 1:
                both.append(listing)
            for asked, _, order in listing.paid if listing.sold_there_at is not None else []:
                lost.append(listing)
                if listing.sold_there_at is not None and listing.sold_there_at < asked:
                    (unconfirmed if order in silent else missed).append(listing)
                if not Alert.objects.filter(order_id=order).exists():
                    untold.append(order)
        there = sum(listing.sold_there_at is not None for listing in self.listings)
        see(there > 0, "S4", "all", MODE, f"{there} last units were sold in the shops meanwhile")
        see(not both, "S4", "all", MODE, f"{len(both)} units stand in an order of ours and one of the shop's")
        see(
            not missed,
            "S4",
            "all",
            MODE,
            f"{there - len(lost)} of {there} were noticed before payment; {len(missed)} of the rest had been sold"
            " before the shop was asked",
        )
        # The shops' sellers chose to sell when their shop is silent, which it is when this machine is slow: told, and
        # no fault.
        print(
            f"{len(silent)} orders were placed without the shop's word, for {len(unconfirmed)} of which it had sold the"
            " unit",
            flush=True,
        )
        see(
            not untold,
            "S4",
            "all",
            MODE,
            f"{len(lost)} fell into the window between the shop's answer and our order's arrival, {len(untold)} of them"
            " untold",
        )
        self._window()

    @staticmethod
    def _silent() -> set[int]:
        """The orders that were placed although the shop did not answer in time, by the flight recorder's word."""
        from crossdock.store.models import Movement, Order

        events = Movement.objects.filter(kind="unanswered").values_list("event", flat=True)
        intents = [event.removeprefix("checkout:") for event in events]
        return set(Order.objects.filter(intent__public_id__in=intents).values_list("pk", flat=True))

    def _window(self) -> None:
        from crossdock.store.models import ShopCopy

        answered = {order: (asked, done) for listing in self.listings for asked, done, order in listing.paid}
        asks = sorted(done - asked for asked, done in answered.values())
        landing = sorted(
            (copy.acknowledged_at - copy.order.placed_at).total_seconds()
            for copy in ShopCopy.objects.filter(order__in=answered).select_related("order")
            if copy.acknowledged_at
        )
        for what, seconds in (("asking the shop took", asks), ("then until the order stood there", landing)):
            if seconds:
                print(
                    f"window: {what} {statistics.median(seconds):.2f} s (median), {seconds[-1]:.2f} s (longest)",
                    flush=True,
                )


def _recorded(listing: Listing) -> str:
    """For a reader: everything that moved one listing's count, and what became of its orders."""
    from crossdock.store.models import Movement, Order

    moves = Movement.objects.filter(variant=listing.variant).order_by("pk")
    orders = Order.objects.filter(pk__in=[pk for *_, pk in listing.paid]).select_related("copy").order_by("pk")
    lines = [f"  {listing.connection.platform} {listing.ref.variant_id}:"]
    lines += [
        f"    {move.at:%M:%S.%f} {move.kind} {move.quantity or ''} {move.count_before} -> {move.count_after},"
        f" {move.left} left ({move.cause} {move.event})"
        for move in moves
    ]
    lines += [
        f"    {one.placed_at:%M:%S.%f} order {one.reference}: {one.copy.state} {one.copy.sentence}" for one in orders
    ]
    lines += [f"      {entry.at:%M:%S.%f} {entry.sentence}" for one in orders for entry in one.timeline.order_by("pk")]
    return "\n".join(lines)


def _close() -> None:
    from django.db import connections

    with contextlib.suppress(Exception):
        connections.close_all()
    time.sleep(0.01)
