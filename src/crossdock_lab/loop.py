"""`python -m crossdock_lab loop --orders N`: the main loop under fire, counted in the shops' own ledgers, not in our
tables.
"""

import argparse
import contextlib
import time
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from crossdock.domain.commands import CommandKind
from crossdock_lab.facts import Facts
from crossdock_lab.trial import Trial, Waited

if TYPE_CHECKING:
    from crossdock.kit.connector import VariantRef
    from crossdock.kit.sandbox import Sandbox
    from crossdock.store.models import Connection

FAULTS = ("throttle", "broken", "lost_reply", "duplicate", "drop")
# Those of a delivery.
DELIVERED = ("duplicate", "drop")
MODE = "as-described"


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--orders", type=int, default=1000)
    parser.add_argument("--shops", type=int, default=12)
    parser.add_argument(
        "--platform", action="append", default=[], help="only these platforms; may be given several times"
    )
    parser.add_argument("--chance", type=float, default=0.05, help="of each fault, per call or delivery")
    parser.add_argument(
        "--kills", type=int, default=5, help="times the worker is killed with -9 while commands are in flight"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--patience", type=float, default=900, help="seconds until everything must be at rest")


def run(args: argparse.Namespace) -> int:
    with Trial() as trial:
        loop = Loop(trial, args)
        try:
            loop.play()
        except Waited as late:
            loop.facts.see(False, "-", "all", MODE, str(late))
            loop.explain()
        return loop.facts.end()


class Loop:
    """Many shops, many orders, faults everywhere, a worker that is killed; then rest, and counting."""

    def __init__(self, trial: Trial, args: argparse.Namespace) -> None:
        self.trial, self.args, self.facts = trial, args, Facts()
        self.shops: list[tuple[Sandbox, Connection, tuple[VariantRef, ...]]] = []
        self.fulfilled: set[tuple[int, str]] = set()

    def play(self) -> None:
        begun = time.monotonic()
        self._connect()
        for shop, _, _ in self.shops:
            shop.dial.set(dict.fromkeys(FAULTS, self.args.chance))
        self._place()
        placed = time.monotonic()
        self.trial.until(self._all_shipped, self.args.patience, "every tracking number to come back", every=0.5)
        for shop, _, _ in self.shops:
            shop.dial.calm()
        self.trial.until(self._at_rest, self.args.patience, "everything to be at rest", every=0.5)
        print(f"placed in {placed - begun:.0f} s, at rest after {time.monotonic() - begun:.0f} s", flush=True)
        self._count()

    def _connect(self) -> None:
        from crossdock.demo.joining import join
        from crossdock.kit import discover
        from crossdock.store.models import VariantStock
        from crossdock_lab.buying import make_seller

        platforms = self.args.platform or list(discover.connectors())
        self.trial.start_web()
        self.trial.worker.start()
        for i in range(self.args.shops):
            platform = platforms[i % len(platforms)]
            shop = self.trial.open_shop(platform, seed=self.args.seed * 100 + i)
            refs = [
                self.trial.call(shop.hand.add_product(f"Card {n}", [(f"C{i}-{n}", "4.50", self.args.orders)]))
                for n in range(4)
            ]
            way, form = shop.seller_form()
            seller = make_seller(name=f"Seller {i}", email=f"seller{i}@example.test")
            connection = join(
                seller=seller, platform=platform, address=shop.address, way=way, form=form, now=datetime.now(UTC)
            )
            self.shops.append((shop, connection, tuple(ref for group in refs for ref in group)))
        wanted = sum(len(refs) for _, _, refs in self.shops)
        self.trial.until(lambda: VariantStock.objects.exclude(count=None).count() == wanted, 120, "the first import")

    def _place(self) -> None:
        from crossdock.domain.values import Address
        from crossdock.store.models import User, Variant
        from crossdock_lab.buying import Till

        till = Till(self.trial.folder)
        variants = [
            list(Variant.objects.filter(connection=c).select_related("listing").order_by("pk"))
            for _, c, _ in self.shops
        ]
        kill_at = {self.args.orders * (k + 1) // (self.args.kills + 1) for k in range(self.args.kills)}
        for n in range(self.args.orders):
            mine = variants[n % len(variants)]
            buyer = User.objects.create_user(f"buyer{n}@example.test", None, name=f"Buyer {n:05d}")
            till.buy(
                buyer=buyer,
                variant=mine[n // len(variants) % len(mine)],
                quantity=1 + n % 2,
                ship_to=Address(f"Buyer {n:05d}", f"{n} Elm Street", "Springfield", "US", "12345", region="IL"),
            )
            if n in kill_at:
                self._kill_in_flight()
            if n % 20 == 0:
                self._fulfil()

    def _kill_in_flight(self) -> None:
        from crossdock.store.models import Command

        with contextlib.suppress(Waited):
            self.trial.until(
                lambda: Command.objects.filter(kind=CommandKind.CREATE_ORDER, state="in_flight").exists(),
                10,
                "a command in flight",
                every=0.002,
            )
        self.trial.worker.kill()
        self.trial.worker.start()

    def _fulfil(self) -> None:
        """The sellers ship whatever stands in their shops and is not on its way to standing: what a shop calls unpaid
        nobody ships. The number is made from our reference.
        """
        for i, (shop, _, _) in enumerate(self.shops):
            for standing in self.trial.call(shop.hand.orders()):
                if not standing.reference or standing.cancelled or standing.untaken:
                    continue
                if (i, standing.shop_id) not in self.fulfilled:
                    self.trial.call(
                        shop.hand.fulfil(standing.shop_id, tracking=f"TRK-{standing.reference}", carrier="UPS")
                    )
                    self.fulfilled.add((i, standing.shop_id))

    def _all_shipped(self) -> bool:
        from crossdock.store.models import Order

        if not self.trial.worker.running:
            self.trial.worker.start()
        self._fulfil()
        shipped = Order.objects.filter(parcels="shipped").count()
        return bool(shipped == self.args.orders)

    def _at_rest(self) -> bool:
        from crossdock.store.models import Command, Reservation, ShopCopy, VariantStock

        return not (
            Command.objects.filter(state__in=["waiting", "in_flight"]).exists()
            or Reservation.objects.exclude(state="ended").exists()
            or VariantStock.objects.filter(want_no__gt=0).exists()
            or ShopCopy.objects.filter(read_wanted=True).exists()
        )

    def _count(self) -> None:
        from crossdock.store.models import Command, Order, Shipment, ShopCopy, Variant
        from crossdock.usecases.stock.reservations import availability

        orders = {o.reference: o for o in Order.objects.all()}
        see, total = self.facts.see, self.args.orders
        by_reference, by_buyer, wrong = Counter[str](), Counter[tuple[str, object]](), []
        for shop, connection, refs in self.shops:
            for s in self.trial.call(shop.hand.orders()):
                if not s.cancelled:
                    by_reference[s.reference] += 1
                    by_buyer[(s.buyer, s.lines)] += 1
            here = {
                v.shop_variant_id: v
                for v in Variant.objects.filter(connection=connection).select_related("listing", "connection")
            }
            left = availability(variants=here.values(), now=datetime.now(UTC))
            for ref in refs:
                there = self.trial.call(shop.hand.count(ref))
                if left[here[ref.variant_id].pk] != there:
                    wrong.append(
                        f"{connection.platform} {ref.variant_id}: {left[here[ref.variant_id].pk]} here, {there} there"
                    )
        twice = [r for r, n in by_reference.items() if n > 1]
        see(
            set(by_reference) == set(orders),
            "S6",
            "all",
            MODE,
            f"{len(set(by_reference) & set(orders))} of {total} orders stand in their shops",
        )
        see(not twice, "S6", "all", MODE, f"{len(twice)} orders stand twice by our reference")
        see(
            max(by_buyer.values()) == 1 and len(by_buyer) == total,
            "S6",
            "all",
            MODE,
            f"{len(by_buyer)} different buyers and lines: none twice without our reference",
        )
        tracked = Shipment.objects.filter(undone_at=None).values_list("order__reference", "tracking_number")
        good = sum(number == f"TRK-{reference}" for reference, number in tracked)
        see(
            good == total == len(tracked),
            "S7",
            "all",
            MODE,
            f"{good} of {total} tracking numbers came back, {len(tracked)} parcels",
        )
        see(
            not wrong,
            "S4",
            "all",
            MODE,
            f"stock is equal on both sides at rest{': ' + '; '.join(wrong[:5]) if wrong else ''}",
        )
        equal = ShopCopy.objects.filter(equal_at__isnull=False).count()
        see(equal == total, "S6", "all", MODE, f"{equal} copies were read back and are equal")
        see(not Command.objects.filter(state="dead").exists(), "-", "all", MODE, "no command died")
        self._faults()

    def _faults(self) -> None:
        from crossdock.domain.capability import Capability
        from crossdock.kit.discover import connector
        from crossdock.store.models import ShopCopy

        counts = sum((shop.dial.counts for shop, _, _ in self.shops), Counter[str]())
        # A kind of its own may stay out of a few orders by chance; all of them together may not.
        each = int(self.args.orders * self.args.chance * 0.4)
        together = max(1, int(self.args.orders * self.args.chance * len(FAULTS) * 0.4)) if self.args.chance else 0
        # Where no shop of the play tells anything by itself there is no delivery to trip.
        told = any(connector(c.platform).manifest.can(Capability.WEBHOOKS) for _, c, _ in self.shops)
        for fault, times, floor in (
            *((fault, counts[fault], each if told or fault not in DELIVERED else 0) for fault in FAULTS),
            ("all faults", sum(counts[fault] for fault in FAULTS), together),
        ):
            self.facts.see(times >= floor, "-", "all", MODE, f"{fault}: injected {times} times (floor {floor})")
        adopted = ShopCopy.objects.filter(adopted=True).count()
        least = int(self.args.orders * self.args.chance * 0.2)
        self.facts.see(
            adopted >= least,
            "S6",
            "all",
            MODE,
            f"{adopted} orders were found in the shop and adopted instead of created again (floor {least})",
        )
        self.facts.see(
            self.trial.worker.kills >= self.args.kills,
            "-",
            "all",
            MODE,
            f"worker killed {self.trial.worker.kills} times",
        )

    def explain(self) -> None:
        """What is not at rest, for whoever reads a failure."""
        from crossdock.store.models import Command, Order, Reservation, VariantStock

        print("orders by parcels:", Counter(Order.objects.values_list("parcels", flat=True)))
        print("copies:", Counter(Order.objects.values_list("copy__state", flat=True)))
        for row in Command.objects.filter(state__in=["waiting", "in_flight", "dead"])[:10]:
            print("open:", row.kind, row.state, row.attempts, row.unresolved, row.due_at, row.sentence)
        print(
            "holds:",
            Counter(Reservation.objects.exclude(state="ended").values_list("state", flat=True)),
            "wanted:",
            VariantStock.objects.filter(want_no__gt=0).count(),
        )
