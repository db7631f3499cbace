"""`crossdock check reconcile --variants N`: a big shop whose counts changed while the marketplace was off. Calls are counted at the shop's own door, and every listing is compared afterwards.

The catalogue is put on both sides directly (reading it in takes a call per page, which is not what is shown here); the change, the outage and the reconciliation are real.
"""

import argparse
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from crossdock.cli.facts import Facts
from crossdock.cli.trial import Trial, Waited

if TYPE_CHECKING:
    from crossdock.kit.sandbox import Sandbox
    from crossdock.store.models import Connection

MODE = "reconcile"
COUNT = 7
_CHUNK = 1000
# Calls that an outage costs whatever changed: signing in, the trash, webhooks looked after, orders.
FIXED = 30


def words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--variants", type=int, default=100_000)
    parser.add_argument(
        "--changed", type=float, default=1.0, help="percent of the variants that changed in the shop meanwhile"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--patience", type=float, default=900, help="seconds until the run must be over")


def run(args: argparse.Namespace) -> int:
    with Trial(environment={"CROSSDOCK_LOG_LEVEL": "ERROR"}, poll_seconds=60) as trial:
        check = Reconciling(trial, args)
        try:
            check.play()
        except Waited as late:
            check.see(False, str(late))
        return check.facts.end()


class Reconciling:
    """One shop, connected and read; then everything here is off, and the shop goes on selling."""

    def __init__(self, trial: Trial, args: argparse.Namespace) -> None:
        self.trial, self.args, self.facts = trial, args, Facts()
        self.random, self.platform = Random(args.seed), _fillable()

    def see(self, true: bool, seen: str) -> None:
        self.facts.see(true, "S3b", self.platform, MODE, seen)

    def play(self) -> None:
        shop, connection = self._connected()
        first = self._filled(shop, connection)
        changed = self._sold_meanwhile(shop, first)
        before = self._calls()
        begun = time.monotonic()
        self.trial.worker.start()
        self.trial.until(self._reconciled, self.args.patience, "the reconciliation after the outage", every=0.5)
        self._told(shop, connection, changed, calls=self._calls() - before, seconds=time.monotonic() - begun)

    def _connected(self) -> "tuple[Sandbox, Connection]":
        from crossdock.demo.buying import make_seller
        from crossdock.demo.joining import join
        from crossdock.store.models import Cursor

        shop = self.trial.open_shop(self.platform, seed=self.args.seed)
        self.trial.call(shop.hand.add_product("Card 0", [("C-0", "4.50", COUNT)]))
        way, form = shop.seller_form()
        seller = make_seller(name="Seller", email="seller@example.test")
        connection = join(
            seller=seller, platform=self.platform, address=shop.address, way=way, form=form, now=datetime.now(UTC)
        )
        self.trial.worker.start()
        read = Cursor.objects.filter(connection=connection, stream="products", completed_at__isnull=False)
        self.trial.until(read.exists, 120, "the first reading")
        self.trial.worker.stop()
        return shop, connection

    def _filled(self, shop: "Sandbox", connection: "Connection") -> dict[str, int]:
        """The same catalogue on both sides, last changed yesterday. Shop's id -> the variant's key here."""
        from crossdock.domain.events import ShopProduct, ShopVariant
        from crossdock.domain.values import Money
        from crossdock.store.models import Variant
        from crossdock.usecases import catalogue, counts

        yesterday = datetime.now(UTC) - timedelta(days=1)
        numbers = self.trial.call(shop.fill(self.args.variants - 1, count=COUNT, since=yesterday), 600)
        now = datetime.now(UTC)
        for start in range(0, len(numbers), _CHUNK):
            page = [
                ShopProduct(n, f"Card {n}", (ShopVariant(n, f"C-{n}", "", Money(450, "USD"), COUNT),))
                for n in numbers[start : start + _CHUNK]
            ]
            catalogue.receive_products(
                connection_id=connection.pk, products=page, read_no=counts.draw_read_no(), now=now
            )
        here = dict(Variant.objects.filter(connection=connection).values_list("shop_variant_id", "pk"))
        self.see(len(here) == self.args.variants, f"{len(here):,} variants are listed, all with {COUNT}")
        return here

    def _sold_meanwhile(self, shop: "Sandbox", here: dict[str, int]) -> dict[str, int]:
        """Everything here is off. The shop's own customers and its seller change some counts; no webhook arrives."""
        from crossdock.kit.connector import VariantRef
        from crossdock.store.models import Cursor

        some = self.random.sample(sorted(here), max(1, round(len(here) * self.args.changed / 100)))
        changed = {name: self.random.randint(0, COUNT - 1) for name in some}
        for name, count in changed.items():
            self.trial.call(shop.hand.recount(VariantRef(name, name), count))
        # Half an hour off, without waiting for it.
        away = datetime.now(UTC) - timedelta(minutes=40)
        Cursor.objects.filter(stream="products").update(asked_at=away, completed_at=away, due_at=away)
        return changed

    @staticmethod
    def _calls() -> int:
        from crossdock.store.models import Exchange

        return Exchange.objects.count()

    @staticmethod
    def _reconciled() -> bool:
        from crossdock.store.models import Recount

        return Recount.objects.filter(finished_at__isnull=False).exists()

    def _told(
        self, shop: "Sandbox", connection: "Connection", changed: dict[str, int], *, calls: int, seconds: float
    ) -> None:
        from crossdock.store.models import Difference, Recount, Variant
        from crossdock.usecases.stock import availability

        # Calls are written down once a second.
        time.sleep(2.5)
        calls = max(calls, self._calls())
        run = Recount.objects.get()
        self.see(run.occasion == "outage", f"after the outage it began by itself and took {seconds:.1f} s")
        pages = -(-len(changed) // 100)
        self.see(
            run.pages <= pages + 2,
            f"{len(changed):,} of {self.args.variants:,} changed: {run.pages} pages of changed products read, {run.variants:,} variants; a whole reading is {-(-self.args.variants // 100):,} pages",
        )
        self.see(calls <= 4 * pages + FIXED, f"{calls} calls reached the shop in all while this went on, {calls / len(changed):.2f} for each change")  # fmt: skip
        causes = Counter(Difference.objects.values_list("cause", flat=True))
        self.see(
            sum(causes.values()) == len(changed) and set(causes) <= {"missed", "edited"},
            f"{run.differences:,} differences, one for each change, none invented: {dict(causes)}",
        )
        rows = list(Variant.objects.filter(connection=connection).select_related("listing", "connection"))
        left = availability(variants=rows, now=datetime.now(UTC))
        wrong = [v for v in rows if left[v.pk] != changed.get(v.shop_variant_id, COUNT)]
        self.see(not wrong, f"{len(rows) - len(wrong):,} of {len(rows):,} listings show what the shop counts")


def _fillable() -> str:
    """The first platform whose simulator can be filled."""
    from crossdock.kit import discover
    from crossdock.kit.sandbox import Sandbox

    return next(name for name in discover.connectors() if discover.sandbox(name).fill is not Sandbox.fill)
