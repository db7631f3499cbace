"""`python -m crossdock_lab reconcile --variants N`: a big shop whose counts changed while the marketplace was off.
Calls are counted at the shop's own door, and every listing is compared afterwards.

The first reading is the product's own: pages from the shop over HTTP, a worker process, the database; its speed and
the worker's memory are told.
"""

import argparse
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from crossdock.cli.trouble import Trouble
from crossdock_lab.facts import Facts
from crossdock_lab.trial import Trial, Waited

if TYPE_CHECKING:
    from crossdock.kit.sandbox import Sandbox
    from crossdock.store.models import Connection, Variant

MODE = "reconcile"
COUNT = 7
# Calls that an outage costs whatever changed: signing in, the trash, webhooks looked after, orders.
FIXED = 30
# The first platform is played whole, the others up to this size: what they ask for is each its own, how it grows is
# not.
MOST_OF_OTHERS = 5000
# A worker may not keep the catalogue: the same at a thousand variants and at a hundred thousand.
MOST_MEMORY_MB = 400


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--variants", type=int, default=100_000)
    parser.add_argument(
        "--changed", type=float, default=1.0, help="percent of the variants that changed in the shop meanwhile"
    )
    parser.add_argument(
        "--platform", default="", help="only this one; else one whole and the others with fewer variants"
    )
    parser.add_argument("--third", type=int, choices=(0, 1, 2), help="every third platform, from this one on")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--patience", type=float, default=1800, help="seconds until each part must be over")


def run(args: argparse.Namespace) -> int:
    names = _fillable()
    if args.platform and args.platform not in names:
        raise Trouble(f"No simulator of {args.platform!r} can be filled; there are: {', '.join(names)}.")
    if args.third is not None:
        names = names[args.third :: 3]
    worst = _one(args, args.platform or names[0])
    for name in [] if args.platform else names[1:]:
        # A marketplace of its own, so a process of its own.
        command = [sys.executable, "-m", "crossdock_lab", "reconcile", "--platform", name]
        command += ["--variants", str(min(args.variants, MOST_OF_OTHERS)), "--changed", str(args.changed)]
        command += ["--seed", str(args.seed), "--patience", str(args.patience)]
        worst = max(worst, subprocess.run(command, check=False).returncode)
    return worst


def _one(args: argparse.Namespace, platform: str) -> int:
    with Trial(environment={"CROSSDOCK_LOG_LEVEL": "ERROR"}, poll_seconds=60) as trial:
        check = Reconciling(trial, args, platform)
        try:
            check.play()
        except Waited as late:
            check.see(False, str(late))
        return check.facts.end()


class Reconciling:
    """One shop, connected and read; then everything here is off, and the shop goes on selling."""

    def __init__(self, trial: Trial, args: argparse.Namespace, platform: str) -> None:
        self.trial, self.args, self.facts = trial, args, Facts()
        self.random, self.platform = Random(args.seed), platform

    def see(self, true: bool, seen: str) -> None:
        self.facts.see(true, "S3b", self.platform, MODE, seen)

    def play(self) -> None:
        shop, connection = self._connected()
        changed = self._sold_meanwhile(shop, connection)
        before = self._calls()
        begun = time.monotonic()
        self.trial.worker.start()
        self.trial.until(self._reconciled, self.args.patience, "the reconciliation after the outage", every=0.5)
        self._told(connection, changed, before=before, seconds=time.monotonic() - begun)

    def _connected(self) -> "tuple[Sandbox, Connection]":
        """A full shop, last changed yesterday, is joined and read in as any seller's is."""
        from crossdock.demo.joining import join
        from crossdock.store.models import Cursor, Variant
        from crossdock_lab.buying import make_seller

        shop = self.shop = self.trial.open_shop(self.platform, seed=self.args.seed)
        self.trial.call(shop.hand.add_product("Card 0", [("C-0", "4.50", COUNT)]))
        yesterday = datetime.now(UTC) - timedelta(days=1)
        self.trial.call(shop.fill(self.args.variants - 1, count=COUNT, since=yesterday), 600)
        way, form = shop.seller_form()
        seller = make_seller(name="Seller", email="seller@example.test")
        connection = join(
            seller=seller, platform=self.platform, address=shop.address, way=way, form=form, now=datetime.now(UTC)
        )
        self.trial.worker.start()
        read = Cursor.objects.filter(connection=connection, stream="products", completed_at__isnull=False)
        seconds = self.trial.until(read.exists, self.args.patience, "the first reading")
        memory = self._memory_mb()
        self.trial.worker.stop()
        here = Variant.objects.filter(connection=connection, stock__count=COUNT).count()
        self.see(
            here == self.args.variants,
            f"{here:,} of {self.args.variants:,} variants were read in for the first time in {seconds:.0f} s:"
            f" {here / seconds:,.0f} a second, {self._calls():,} calls",
        )
        self.see(
            memory < MOST_MEMORY_MB, f"the worker's memory reached {memory:.0f} MB meanwhile (at most {MOST_MEMORY_MB})"
        )
        return shop, connection

    def _memory_mb(self) -> float:
        """The most that the worker has had at once; 0 where the system does not tell."""
        child = self.trial.worker.child
        status = Path(f"/proc/{child.pid}/status") if child else Path()
        if not status.is_file():
            return 0.0
        told = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        return int(told.get("VmHWM", "0 kB").split()[0]) / 1024

    def _sold_meanwhile(self, shop: "Sandbox", connection: "Connection") -> dict[str, int]:
        """Everything here is off. The shop's own customers and its seller change some counts; no webhook arrives."""
        from crossdock.kit.connector import VariantRef
        from crossdock.store.models import Cursor, Variant

        rows = Variant.objects.filter(connection=connection).order_by("pk")
        refs = list(rows.values_list("listing__shop_product_id", "shop_variant_id"))
        some = self.random.sample(refs, max(1, round(len(refs) * self.args.changed / 100)))
        changed = {VariantRef(*ref): self.random.randint(0, COUNT - 1) for ref in some}

        async def sell() -> None:
            for ref, count in changed.items():
                await shop.hand.recount(ref, count)

        self.trial.call(sell(), 600)
        # Half an hour off, without waiting for it.
        away = datetime.now(UTC) - timedelta(minutes=40)
        Cursor.objects.filter(stream="products").update(asked_at=away, completed_at=away, due_at=away)
        return {ref.variant_id: count for ref, count in changed.items()}

    def _calls(self) -> int:
        """What arrived at the shop, by its own count."""
        return self.shop.dial.counts["calls"]

    @staticmethod
    def _reconciled() -> bool:
        from crossdock.store.models import Recount

        return Recount.objects.filter(finished_at__isnull=False).exists()

    def _told(self, connection: "Connection", changed: dict[str, int], *, before: int, seconds: float) -> None:
        from crossdock.kit import discover
        from crossdock.store.models import Difference, Recount

        calls = self._calls() - before
        run = Recount.objects.get()
        self.see(run.occasion == "outage", f"after the outage it began by itself and took {seconds:.1f} s")
        whole = -(-self.args.variants // 100)
        if discover.connector(self.platform).manifest.counts_move_products:
            pages = -(-len(changed) // 100)
            self.see(
                # What changed within the last minute, as here everything did, is read once more when it has settled.
                run.pages <= 2 * pages + 2,
                f"{len(changed):,} of {self.args.variants:,} changed: {run.pages} pages of changed products read,"
                f" {run.variants:,} variants; a whole reading is {whole:,} pages",
            )
            self.see(
                calls <= 4 * pages + FIXED,
                f"{calls} calls reached the shop in all while this went on, {calls / len(changed):.2f} for each change",
            )
        else:
            self.see(
                calls <= 2 * whole + FIXED,
                f"{len(changed):,} of {self.args.variants:,} changed; here counts do not move a product's date, so"
                f" every count was read: {run.variants:,} variants, {calls} calls",
            )
        causes = Counter(Difference.objects.values_list("cause", flat=True))
        self.see(
            sum(causes.values()) == len(changed) and set(causes) <= {"missed", "edited"},
            f"{run.differences:,} differences, one for each change, none invented: {dict(causes)}",
        )
        wrong, listed = self._wrong(connection, changed)
        self.see(not wrong, f"{listed - len(wrong):,} of {listed:,} listings show what the shop counts")

    @staticmethod
    def _wrong(connection: "Connection", changed: dict[str, int]) -> "tuple[list[Variant], int]":
        from crossdock.store.models import Variant
        from crossdock.usecases.stock.reservations import availability

        rows = list(Variant.objects.filter(connection=connection).select_related("listing", "connection"))
        left: dict[int, int | None] = {}
        for start in range(0, len(rows), 10_000):
            left |= availability(variants=rows[start : start + 10_000], now=datetime.now(UTC))
        return [v for v in rows if left[v.pk] != changed.get(v.shop_variant_id, COUNT)], len(rows)


def _fillable() -> list[str]:
    """The platforms whose simulators can be filled; first the one that bears a very big catalogue."""
    from crossdock.kit import discover
    from crossdock.kit.sandbox import Sandbox

    names = [name for name in discover.connectors() if discover.sandbox(name).fill is not Sandbox.fill]
    return sorted(names, key=lambda name: (not discover.sandbox(name).big, name))
