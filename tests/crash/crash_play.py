"""Plays the loop while a process dies by kill -9 at a named point, starts it again, and looks into the shop's ledger
and ours. One line of JSON a point.

    python tests/crash/crash_play.py [point ...]

Most of the time goes into waiting for a lease to end and a poll to come: two marketplaces, a process each, share the
points. A throw-away marketplace needs settings of its own. `alone`, `buy` and `reject` are what its own children do.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE.parents[1] / "src")]

from crossdock.cli.processes import die_with  # noqa: E402
from crossdock.store.crash import POINTS  # noqa: E402
from crossdock_lab.facts import Facts  # noqa: E402
from crossdock_lab.patience import patient  # noqa: E402
from crossdock_lab.stage import Stage, stages  # noqa: E402
from crossdock_lab.trial import Process, Trial  # noqa: E402

if TYPE_CHECKING:
    from crossdock.store.models import Order

PATIENCE = 75.0
MARKETPLACES = 2


class Keeper:
    """Starts a process again when it died at its point, as an operator's supervisor would."""

    def __init__(self, process: Process, marker: Path) -> None:
        self.process, self.marker, self.deaths = process, marker, 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    def _keep(self) -> None:
        while not self._over.wait(0.05):
            if not self.process.running and self.marker.exists():
                self.deaths += 1
                self.process.start()

    def died(self) -> bool:
        """It died at its point and runs again."""
        return self.deaths > 0 and self.process.running

    def close(self) -> None:
        self._over.set()
        self._thread.join()


class Play:
    """One point's play: an item, an order that is shipped, one that is rejected; then the ledgers."""

    def __init__(self, stage: Stage, point: str, marker: Path, keeper: Keeper | None) -> None:
        self.stage, self.trial, self.point, self.marker, self.keeper = stage, stage.trial, point, marker, keeper
        self.part = point.partition(".")[0]

    def run(self) -> list[str]:
        """What is wrong afterwards; empty when all is well."""
        stage = self.stage
        if self.part == "renew":
            self._age_the_token()
        self.ref, self.variant = stage.item(6)
        if self.part == "look":
            self.trial.worker.stop()
        shipped = self._buy()
        if self.part == "look":
            self._as_if_sent(shipped)
            self.trial.worker.start()
        stage.lands(shipped)
        rejected = None
        if self.part in ("receive", "order", "inbox", "poll", "door", "claim"):
            self._ship(shipped)
        if self.part in ("cancel", "told", "reject", "settle", "claim", "pump"):
            rejected = stage.buy(self.variant)
            stage.lands(rejected)
            self._reject(rejected)
        self.trial.until(self.marker.exists, PATIENCE, f"{self.point} to be reached")
        if self.keeper is not None:
            # The marker is there a moment before the death is.
            self.trial.until(self.keeper.died, PATIENCE, f"the death at {self.point}")
        self.trial.until(self._at_rest, PATIENCE, "everything to be at rest")
        self.trial.until(lambda: stage.counts_agree(self.ref, self.variant), PATIENCE, "equal counts")
        return self._wrong(shipped, rejected)

    def _buy(self) -> "Order":
        from crossdock.store.models import Order

        if self.part != "checkout":
            return self.stage.buy(self.variant)
        assert self._child("buy", self.variant.pk, self.stage.buyer.pk) == -9, "the buyer's process did not die"
        orders = Order.objects.filter(lines__variant=self.variant)
        # The buyer is gone; the worker finds the captured payment and finishes.
        self.trial.until(orders.exists, 120, "the paid order to be placed")
        return orders.get()

    def _child(self, what: str, *numbers: int) -> int:
        environment = {
            **self.trial.worker.environment,
            "CROSSDOCK_CRASH_AT": self.point,
            "CROSSDOCK_CRASH_MARKER": str(self.marker),
        }
        words = [sys.executable, str(Path(__file__)), what, *map(str, numbers)]
        return subprocess.run(words, env=environment, check=False, timeout=patient(60)).returncode

    def _ship(self, order: "Order") -> None:
        (standing, *_) = self.stage.standing(order)
        self.trial.call(self.stage.shop.hand.fulfil(standing.shop_id, tracking=f"T-{order.number}", carrier="UPS"))
        shipped = order.shipments.filter(tracking_number=f"T-{order.number}")
        self.trial.until(shipped.exists, PATIENCE, "the tracking number")

    def _reject(self, order: "Order") -> None:
        if self.part == "reject":
            assert self._child("reject", order.pk) == -9, "the seller's process did not die"
            order.refresh_from_db()
            assert order.cancelled_at is None, "half a reject was kept"
        reject(order.pk)
        self.trial.until(lambda: self.stage.copy_is(order, "cancelled"), PATIENCE, "the cancel in the shop")

    def _as_if_sent(self, order: "Order") -> None:
        """What a lost reply leaves behind: sent once, nobody knows how it ended."""
        from crossdock.store.models import Command

        mine = Command.objects.filter(cause=f"create:{order.reference}", state="waiting")
        assert mine.update(unresolved=True, attempts=1, first_sent_at=datetime.now(UTC), last_sent_at=datetime.now(UTC))

    def _age_the_token(self) -> None:
        from crossdock.store.models import Connection
        from crossdock.store.vault import seal, unseal
        from crossdock.store.work import wake

        shop = Connection.objects.get(pk=self.stage.connection.pk)
        secrets = unseal(shop.secrets)
        assert "expires_at" in secrets, "this platform's credentials don't end"
        secrets["expires_at"] = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
        Connection.objects.filter(pk=shop.pk).update(secrets=seal(secrets))
        wake([shop.party_id])

    def _at_rest(self) -> bool:
        from crossdock.store.models import Command, Reservation, ShopCopy, VariantStock

        return not (
            Command.objects.filter(state__in=["waiting", "in_flight"]).exists()
            or Reservation.objects.exclude(state="ended").exists()
            or VariantStock.objects.filter(want_no__gt=0).exists()
            or ShopCopy.objects.filter(read_wanted=True).exists()
        )

    def _wrong(self, shipped: "Order", rejected: "Order | None") -> list[str]:
        from crossdock.engine import invariants
        from crossdock.store.models import Command, Order

        stage, wrong = self.stage, []
        if [s.cancelled for s in stage.standing(shipped)] != [False]:
            wrong.append(f"the order stands {len(stage.standing(shipped))} times in the shop")
        if rejected and not all(s.cancelled for s in stage.standing(rejected)):
            wrong.append("the rejected order still stands in the shop")
        if (
            rejected
            and Command.objects.filter(cause=f"refund:{rejected.reference}", state="done", result="ok").count() != 1
        ):
            wrong.append("the buyer was not credited once")
        mine = Order.objects.filter(lines__variant=self.variant).count()
        if mine != (2 if rejected else 1):
            wrong.append(f"{mine} orders were placed here")
        copy = shipped.copy
        copy.refresh_from_db()
        if copy.state != "equal":
            wrong.append(f"the copy is {copy.state}: {copy.differences}")
        if shipped.shipments.count() > 1:
            wrong.append(f"{shipped.shipments.count()} parcels came back")
        if stage.count(self.ref) != 5:
            wrong.append(f"the shop counts {stage.count(self.ref)} of 5")
        wrong += [f"{sentence} {found}" for sentence, found in invariants.check(now=datetime.now(UTC)).items()]
        if Command.objects.filter(state="dead").exists():
            wrong.append("a command died")
        return wrong


def reject(order_pk: int) -> None:
    from crossdock.domain.commands import CancelReason
    from crossdock.store.models import Order
    from crossdock.usecases.orders.reject import reject_order

    order = Order.objects.select_related("seller__owner").get(pk=order_pk)
    reject_order(
        order=order,
        reason=CancelReason.BUYER_ASKED,
        actor=order.seller.owner,
        expected_total=order.total,
        now=datetime.now(UTC),
    )


def buy(variant_pk: int, buyer_pk: int) -> None:
    from crossdock.config import Config
    from crossdock.domain.values import Address
    from crossdock.store.models import User, Variant
    from crossdock_lab.buying import Till

    variant: Variant = Variant.objects.select_related("listing", "connection").get(pk=variant_pk)
    ship_to = Address("Zoë Buyer", "1 Elm Street", "Springfield", "US", "12345", region="IL")
    Till(Config().data).buy(buyer=User.objects.get(pk=buyer_pk), variant=variant, ship_to=ship_to)


def played(stage: Stage, point: str, folder: Path) -> dict[str, Any]:
    """{"point", "reached", "seconds", "wrong"}."""
    marker = folder / point
    trial = stage.trial
    process = {"checkout": None, "reject": None, "door": trial.web}.get(point.partition(".")[0], trial.worker)
    begun = time.monotonic()
    keeper = None
    if process is not None:
        process.stop()
        process.environment = {
            **process.environment,
            "CROSSDOCK_CRASH_AT": point,
            "CROSSDOCK_CRASH_MARKER": str(marker),
        }
        trial.start_web() if process is trial.web else process.start()
        keeper = Keeper(process, marker)
    try:
        wrong = Play(stage, point, marker, keeper).run()
    except Exception as error:
        wrong = [f"{type(error).__name__}: {error}"]
    finally:
        stage.calm()
        if keeper is not None:
            keeper.close()
    if keeper is not None and marker.exists() and keeper.deaths != 1 and not wrong:
        wrong = [f"it died {keeper.deaths} times"]
    return {"point": point, "reached": marker.exists(), "seconds": round(time.monotonic() - begun, 1), "wrong": wrong}


def platform() -> str:
    """One that has webhooks, refuses a second order with our reference, and whose credentials end, as those do that
    come of a sign-in there: then every point lies on its way.
    """
    from crossdock.domain.capability import Capability
    from crossdock.kit import discover

    wanted = (Capability.WEBHOOKS, Capability.REFERENCE_UNIQUE, Capability.SIGN_IN_REDIRECT)
    return next(
        name
        for name, connector in discover.connectors().items()
        if all(connector.manifest.can(each) for each in wanted)
    )


def main(names: list[str]) -> int:
    """All of them, side by side; 1 when one went wrong. The last line counts."""
    lines: list[str] = []
    lock = threading.Lock()

    def follow(child: subprocess.Popen[str]) -> None:
        assert child.stdout is not None
        for line in child.stdout:
            with lock:
                lines.append(line)
                print(line, end="", flush=True)
        child.wait()

    children = [
        subprocess.Popen(
            [sys.executable, __file__, "alone", *share],
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=die_with(os.getpid()),
        )
        for share in (names[first::MARKETPLACES] for first in range(MARKETPLACES))
        if share
    ]
    followers = [threading.Thread(target=follow, args=[child]) for child in children]
    for follower in followers:
        follower.start()
    for follower in followers:
        follower.join()
    seen = [json.loads(line.removeprefix("CRASH ")) for line in lines if line.startswith("CRASH ")]
    good = sum(each["reached"] and not each["wrong"] for each in seen)
    print(f"killed at {len(seen)} of {len(names)} points, {len(names) - good} went wrong", flush=True)
    return 0 if good == len(names) else 1


def alone(names: list[str]) -> int:
    """One after the other, in one marketplace."""
    with (
        Trial(environment={"CROSSDOCK_LEASE_SECONDS": "3"}, poll_seconds=3.0) as trial,
        tempfile.TemporaryDirectory() as folder,
    ):
        trial.start_web()
        trial.worker.start()
        (stage,) = stages(trial, Facts(), [platform()])
        stage.listens()
        for name in names:
            seen = other(stage, name) if name in OTHERS else played(stage, name, Path(folder))
            print("CRASH " + json.dumps(seen), flush=True)
            _calm(trial, seen)
    return 0


def _calm(trial: Trial, seen: dict[str, Any]) -> None:
    """Both processes run on; one that still waits for its point would die in the next one's play."""
    for process in (trial.web, trial.worker):
        process.environment = {k: v for k, v in process.environment.items() if not k.startswith("CROSSDOCK_CRASH_")}
        if not seen["reached"]:
            process.stop()
        if not process.running:
            process.start()


def other(stage: Stage, name: str) -> dict[str, Any]:
    begun = time.monotonic()
    try:
        wrong = OTHERS[name](stage)
    except Exception as error:
        wrong = [f"{type(error).__name__}: {error}"]
    return {"point": name, "reached": True, "seconds": round(time.monotonic() - begun, 1), "wrong": wrong}


def database_restarts(stage: Stage) -> list[str]:
    """Web server and worker outlive their database; an order placed afterwards lands once."""
    from django.db import connections

    trial = stage.trial
    _, variant = stage.item(3)
    trial.cluster.stop()
    time.sleep(2)
    trial.cluster.start()
    connections.close_all()
    order = stage.buy(variant)
    stage.lands(order)
    wrong = [
        f"{name} died"
        for name, process in (("the worker", trial.worker), ("the web server", trial.web))
        if not process.running
    ]
    return wrong if len(stage.standing(order)) == 1 else [*wrong, "the order does not stand once"]


def sigterm(stage: Stage) -> list[str]:
    """With an order in flight both end by themselves; nothing stays claimed, no lease is held, and the order lands
    once under the next worker.
    """
    from crossdock.store.models import Command, Party

    trial = stage.trial
    _, variant = stage.item(3)
    stage.shop.dial.set({"latency_seconds": 1.0})
    order = stage.buy(variant)
    in_flight = Command.objects.filter(subject=order.reference, state="in_flight")
    trial.until(in_flight.exists, PATIENCE, "the order to be in flight", every=0.01)
    for process in (trial.worker, trial.web):
        process.stop()
    # uvicorn finishes its requests and then raises the signal again.
    ends = ((trial.worker, (0,)), (trial.web, (0, -15)))
    wrong = [f"{process.command} ended with {code}" for process, good in ends if (code := process.wait()) not in good]
    if in_flight.exists() or Party.objects.exclude(lease_owner="").exists():
        wrong.append("something is still claimed")
    stage.calm()
    trial.start_web()
    trial.worker.start()
    stage.lands(order)
    return wrong if len(stage.standing(order)) == 1 else [*wrong, "the order does not stand once"]


OTHERS = {"database": database_restarts, "sigterm": sigterm}


if __name__ == "__main__":
    if sys.argv[1:2] in (["buy"], ["reject"]):
        import django

        django.setup()
        {"buy": buy, "reject": reject}[sys.argv[1]](*map(int, sys.argv[2:]))
    else:
        os.environ.pop("CROSSDOCK_CRASH_AT", None)
        child = sys.argv[1:2] == ["alone"]
        sys.exit(alone(sys.argv[2:]) if child else main(sys.argv[1:] or [*POINTS, *OTHERS]))
