"""`python -m crossdock_lab labels --labels N`: many labels while the carrier loses answers, sells late and breaks, and
the worker is killed; bought once each, counted in the carrier's own list.

The simulated carrier keeps no key against repeats: who asks it twice has bought twice. Buttons are pressed twice at
once, deliveries come twice and out of order.
"""

import argparse
import threading
import time
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from crossdock_lab.facts import Facts
from crossdock_lab.patience import patient
from crossdock_lab.trial import Trial, Waited

if TYPE_CHECKING:
    from crossdock.carriers.sandbox.carrier import Hand, SandboxCarrier
    from crossdock.kit.connector import Hook
    from crossdock.store.models import Label, Order

MODE = "labels"
PER_ORDER = 10
TROUBLE = {"lost": 0.12, "late": 0.05, "broken": 0.08, "throttle": 0.04, "slow_void": 0.4}
BUYING = (
    "label.before_buy",
    "label.after_buy",
    "label.before_look",
    "label.settled",
    "settle.before_commit",
    "settle.after_commit",
)
VOIDING = ("label.before_void", "label.after_void")
_WAITS_FOR_DEATH = 12.0


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--labels", type=int, default=1000)
    parser.add_argument("--no-kills", action="store_true", help="the worker is left alive, which is over sooner")
    parser.add_argument("--break", dest="bug", default="", help="plant a bug: blind_resend must end in FAIL")
    parser.add_argument("--patience", type=float, default=600, help="seconds until everything must be at rest")


def run(args: argparse.Namespace) -> int:
    environment = {"CROSSDOCK_LOG_LEVEL": "ERROR", "CROSSDOCK_LEASE_SECONDS": "2"}
    with Trial(environment=environment, bug=args.bug) as trial:
        play = Labels(trial, args)
        try:
            play.play()
        except Waited as late:
            play.see(False, str(late))
        return play.facts.end()


class Killer:
    """Starts the worker with a point at which it dies by -9, again and again, and at last without one."""

    def __init__(self, trial: Trial, points: tuple[str, ...]) -> None:
        self.trial, self.points, self.died = trial, points, list[str]()
        self._thread = threading.Thread(target=self._kill, daemon=True)
        self._thread.start()

    def _kill(self) -> None:
        for point in self.points:
            marker = self.trial.folder / f"died-{point}"
            self.trial.worker.start(CROSSDOCK_CRASH_AT=point, CROSSDOCK_CRASH_MARKER=str(marker))
            end = time.monotonic() + patient(_WAITS_FOR_DEATH)
            while self.trial.worker.running and time.monotonic() < end:
                time.sleep(0.02)
            if marker.exists():
                self.died.append(point)
            self.trial.worker.kill()
        self.trial.worker.start()

    def close(self) -> None:
        self._thread.join()


class Labels:
    """One seller, orders of ten units, a label for each unit."""

    def __init__(self, trial: Trial, args: argparse.Namespace) -> None:
        self.trial, self.args, self.facts = trial, args, Facts()

    def see(self, true: bool, seen: str) -> None:
        self.facts.see(true, "S2", "sandbox", MODE, seen)

    def _killer(self, points: tuple[str, ...]) -> Killer:
        return Killer(self.trial, () if self.args.no_kills else points)

    def play(self) -> None:
        from crossdock.carriers.sandbox.carrier import Hand
        from crossdock.web.carriers import carrier_named

        carrier: SandboxCarrier = carrier_named("sandbox")  # type: ignore[assignment]
        hand = Hand(carrier)
        self.trial.start_web()
        orders = self._orders()
        hand.dial(**TROUBLE)
        begun = time.monotonic()
        killer = self._killer(BUYING)
        pressed = self._press(carrier, orders)
        killer.close()
        self.trial.until(self._at_rest, self.args.patience, "every label to be bought", every=0.2)
        bought = time.monotonic() - begun
        hand.dial(throttle=0.0)
        deaths = killer.died + self._void(hand)
        self._deliver(hand)
        died = f"; died at {', '.join(deaths)}" if deaths else ""
        rest = time.monotonic() - begun
        print(f"{pressed} labels bought in {bought:.0f} s, at rest after {rest:.0f} s{died}", flush=True)
        points = 0 if self.args.no_kills else len(BUYING) + len(VOIDING)
        self.see(len(deaths) == points, f"the worker died by -9 at {len(deaths)} named points")
        self._count(hand, pressed)

    def _orders(self) -> "list[Order]":
        from crossdock.domain.values import Address, Money
        from crossdock.store.models import User, Variant
        from crossdock.usecases.catalogue.listings import make_listing
        from crossdock.usecases.labels import purchase
        from crossdock_lab.buying import Till, make_seller

        now = datetime.now(UTC)
        seller = make_seller(name="Ember Cards", email="seller@example.test")
        start = Address("Ember Cards", "5 Market St", "Austin", "US", "78701", region="TX")
        purchase.set_ship_from(seller=seller, address=start, now=now)
        listing = make_listing(
            seller=seller, title="Ember Fox", description="", price=Money(1000, "USD"), count=self.args.labels, now=now
        )
        variant = Variant.objects.select_related("listing").get(listing=listing)
        till = Till(self.trial.folder)
        orders = []
        for n in range(0, self.args.labels, PER_ORDER):
            buyer = User.objects.create_user(f"buyer{n}@example.test", None, name=f"Buyer {n:05d}")
            end = Address(buyer.name, f"{n} Elm Street", "Springfield", "US", "62701", region="IL")
            units = min(PER_ORDER, self.args.labels - n)
            orders.append(till.buy(buyer=buyer, variant=variant, quantity=units, ship_to=end))
        return orders

    def _press(self, carrier: "SandboxCarrier", orders: "list[Order]") -> int:
        """Each label's button; every third is pressed by two threads at once. Returns how many labels were wanted."""
        from crossdock.carriers.sandbox import prices
        from crossdock.domain.labels import Parcel
        from crossdock.usecases.labels import purchase

        pressed = 0
        with ThreadPoolExecutor(2) as fingers:
            for order in orders:
                line = order.lines.get()
                for _ in range(line.quantity):
                    wanted, units = purchase.shipment_for(
                        order=order,
                        parcel=Parcel(80 + pressed % 900, 180, 130, 20),
                        can=carrier.can,
                        carrier=carrier.label,
                        lines={line.pk: 1},
                    )
                    quotes = prices.quotes(wanted)
                    label = purchase.keep_quotes(
                        order=order,
                        by=order.seller.owner,
                        provider=carrier.name,
                        wanted=wanted,
                        lines=units,
                        quotes=quotes,
                        now=datetime.now(UTC),
                    )
                    ref = quotes[pressed % len(quotes)].ref
                    for one in [
                        fingers.submit(_press_once, label, ref, carrier) for _ in range(1 + (pressed % 3 == 0))
                    ]:
                        one.result()
                    pressed += 1
        return pressed

    def _at_rest(self) -> bool:
        from crossdock.store.models import Command

        return not Command.objects.filter(party__kind="carrier", state__in=["waiting", "in_flight"]).exists()

    def _void(self, hand: "Hand") -> list[str]:
        """Every tenth label, pressed twice; what the carrier takes weeks for is decided by hand and told twice.

        Returns where the worker died.
        """
        from crossdock.store.models import Label
        from crossdock.usecases.labels import purchase

        self.trial.worker.kill()
        killer = self._killer(VOIDING)
        for label in Label.objects.filter(state="bought").select_related("order", "seller__owner").order_by("pk")[::10]:
            for _ in range(2):
                purchase.void_label(label=label, by=label.seller.owner, now=datetime.now(UTC))
        killer.close()
        self.trial.until(self._at_rest, self.args.patience, "every void to be asked for", every=0.2)
        for place, label in enumerate(Label.objects.filter(state="voiding").order_by("pk")):
            told = hand.decide_void(label.tracking_number, granted=place % 4 != 3)
            for _ in range(2):
                self._post(told)
        self.trial.until(
            lambda: not Label.objects.filter(state="voiding").exists(), 60, "the carrier's word on every void"
        )
        return killer.died

    def _deliver(self, hand: "Hand") -> None:
        """Some parcels move, told twice and late."""
        from crossdock.domain.labels import TrackStatus
        from crossdock.store.models import Label

        moving = list(Label.objects.filter(state="bought").order_by("-pk")[:20])
        at, told = datetime.now(UTC), list["Hook"]()
        for label in moving:
            for place, status in enumerate((TrackStatus.ACCEPTED, TrackStatus.IN_TRANSIT, TrackStatus.DELIVERED)):
                told.append(hand.move(label.tracking_number, status, at + timedelta(hours=place)))
        for hook in [*reversed(told), *told]:
            self._post(hook)
        keys = [label.pk for label in moving]
        self.trial.until(
            lambda: Label.objects.filter(pk__in=keys, delivered_at__isnull=False).count() == len(keys),
            60,
            "every parcel to be delivered",
        )

    def _post(self, hook: "Hook") -> None:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.trial.port}/hooks/carrier/sandbox", data=hook.body, headers=dict(hook.headers)
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            assert answer.status == 200

    def _count(self, hand: "Hand", wanted: int) -> None:
        """Everything is compared with what the carrier's own list says."""
        from crossdock.kit.sandbox import ledger
        from crossdock.store.models import Entry, Label, TimelineEntry

        sold = hand.sold()
        with hand.carrier.ledger.book() as db:
            asked = ledger.times_asked(db, "buy")
        times = Counter(row.reference for row in sold)
        twice = sum(times.values()) - len(times)
        self.see(
            len(sold) == wanted and twice == 0,
            f"{len(sold):,} labels stand in the carrier's list, {twice} of them sold twice, of {wanted:,} wanted; it"
            f" was asked {asked:,} times",
        )
        self.see(self.args.bug != "" or asked > wanted, f"{asked - wanted} askings met trouble and were made again")
        here = {label.carrier_ref: label for label in Label.objects.exclude(state="quoted")}
        states = {"none": "bought", "done": "voided", "refused": "void_refused"}
        equal = sum(
            row.ref in here and here[row.ref].price_minor == row.minor and here[row.ref].state == states.get(row.void)
            for row in sold
        )
        self.see(equal == wanted == len(here), f"{equal:,} labels here are the carrier's: same id, price and state")
        owed = sum(row.minor for row in sold if row.void != "done")
        booked = -sum(Entry.objects.filter(account="carrier:sandbox").values_list("amount_minor", flat=True))
        taken = sum(
            Entry.objects.filter(account__startswith="seller:", transfer__cause__startswith="label").values_list(
                "amount_minor", flat=True
            )
        )
        self.see(
            owed == booked == taken,
            f"the carrier is owed {owed / 100:,.2f} USD by its list, {booked / 100:,.2f} by our books; the seller bears"
            f" {taken / 100:,.2f}",
        )
        voided = sum(row.void == "done" for row in sold)
        self._count_parcels(wanted - voided, voided)
        told = Counter(TimelineEntry.objects.filter(kind="tracking").values_list("sentence", flat=True))
        self.see(bool(told) and set(told.values()) == {1}, f"{len(told)} pieces of tracking news, each told once")

    def _count_parcels(self, left: int, voided: int) -> None:
        from crossdock.store.models import Shipment

        numbers = Counter(Shipment.objects.filter(undone_at=None).values_list("tracking_number", flat=True))
        undone = Shipment.objects.exclude(undone_at=None).count()
        self.see(
            len(numbers) == left and set(numbers.values()) == {1} and undone == voided,
            f"{len(numbers):,} parcels with a number of their own on the orders; {undone} were taken back with their"
            " labels",
        )


def _press_once(label: "Label", ref: str, carrier: "SandboxCarrier") -> None:
    from crossdock.usecases.labels import purchase

    purchase.buy_label(
        order=label.order,
        by=label.seller.owner,
        token=label.public_id,
        quote_ref=ref,
        can=carrier.can,
        now=datetime.now(UTC),
    )
