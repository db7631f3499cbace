"""The database is killed with -9 under 160 orders and started again; each program repeats what failed with its key.

    python tests/crash/crash_database.py

Prints one line of JSON: what was answered, and what is wrong afterwards. A program of its own, since a throw-away
marketplace needs settings of its own.
"""

import http.client
import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE.parents[1] / "src")]

from crossdock_lab.facts import Facts  # noqa: E402
from crossdock_lab.patience import patient  # noqa: E402
from crossdock_lab.stage import PATIENCE, Stage, now, staff, stages  # noqa: E402
from crossdock_lab.trial import Trial  # noqa: E402

if TYPE_CHECKING:
    from crossdock.store.models import Variant

ORDERS, THREADS, DIES_AFTER, AWAY_SECONDS = 160, 16, 40, 2.0
SHIP_TO = {
    "name": "Zoë Buyer",
    "line1": "1 Elm Street",
    "city": "Springfield",
    "region": "IL",
    "postal_code": "12345",
    "country": "US",
}


class Play:
    def __init__(self, stage: Stage, variant: "Variant") -> None:
        self.stage, self.variant, self.port = stage, variant, stage.trial.port
        # (begun, ended, status); 0 when the connection broke.
        self.answers: list[tuple[float, float, int]] = []
        self.placed: dict[int, str] = {}
        self.said: Counter[str] = Counter()
        self.back = float("inf")
        self._enough = threading.Event()
        self._tokens = [self._token() for _ in range(THREADS)]
        self._fingerprint = self._shown()

    def run(self) -> list[str]:
        with ThreadPoolExecutor(THREADS) as pool:
            futures = [pool.submit(self._place, number) for number in range(ORDERS)]
            self._enough.wait(patient(120))
            self._kill()
            for future in futures:
                future.result()
        return self._wrong()

    def _token(self) -> str:
        from crossdock.usecases.accounts import tokens

        return tokens.make_token(name="program", seller=None, actor=staff(), now=now())[1]

    def _shown(self) -> str:
        from crossdock.usecases.checkout.basket import priced

        lines = {self.variant.public_id: 1}
        basket: Any = {"lines": lines}
        return priced(basket=basket, country="US", now=now()).fingerprint

    def _place(self, number: int) -> None:
        """Until it is placed, with the same key."""
        from crossdock.kit.payments import open_gateway

        body = {
            "buyer": {"email": f"buyer{number}@example.test", "name": f"Buyer {number}"},
            "ship_to": SHIP_TO,
            "lines": [{"variant": self.variant.public_id, "quantity": 1}],
            "fingerprint": self._fingerprint,
            "payment": {"token": open_gateway("sandbox", self.stage.trial.folder).choices()[0].token},
        }
        end = time.monotonic() + patient(240)
        while time.monotonic() < end:
            begun = time.monotonic()
            status, said = self._post(body, f"order-{number}", self._tokens[number % THREADS])
            self.answers.append((begun, time.monotonic(), status))
            if status in (200, 201):
                self.placed[number] = said["id"]
                if len(self.placed) >= DIES_AFTER:
                    self._enough.set()
                return
            if status not in (0, 503):
                self.said[str(said)[:300]] += 1
            time.sleep(0.3)
        self._enough.set()
        raise TimeoutError(f"order {number}: {status} {said}")

    def _post(self, body: dict[str, Any], key: str, token: str) -> tuple[int, Any]:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=patient(60))
        try:
            headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key, "Content-Type": "application/json"}
            line.request("POST", "/api/v1/orders", json.dumps(body), headers)
            answer = line.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            return 0, str(error)
        finally:
            line.close()

    def _kill(self) -> None:
        from django.db import connections

        cluster = self.stage.trial.cluster
        connections.close_all()
        pid = cluster.pid()
        assert pid, "the database is not running"
        os.kill(pid, signal.SIGKILL)
        time.sleep(AWAY_SECONDS)
        cluster.start()
        self.back = time.monotonic()

    def _wrong(self) -> list[str]:
        from crossdock.store.models import Order, Reservation, ShopCopy

        trial, wrong = self.stage.trial, []
        statuses = Counter(status for _, _, status in self.answers)
        print(f"answers: {dict(statuses)} {self.said}", file=sys.stderr)
        if late := [status for begun, _, status in self.answers if status >= 500 and begun > self.back + patient(2)]:
            wrong.append(f"answers of 500 and more, asked later than 2 s after the database was back: {Counter(late)}")
        if statuses[500]:
            wrong.append(f"{statuses[500]} answers of 500: our mistake, they say, where the database was away")
        if not statuses[503] and not statuses[0]:
            wrong.append("nobody noticed that the database was gone")
        landed = ShopCopy.objects.filter(state__in=["equal", "differs"], read_wanted=False)
        trial.until(lambda: landed.count() == ORDERS, PATIENCE, "all orders to land", every=0.5)
        if Order.objects.count() != ORDERS or len(set(self.placed.values())) != ORDERS:
            wrong.append(f"{Order.objects.count()} orders, {len(set(self.placed.values()))} answers")
        there = Counter(standing.reference for standing in trial.call(self.stage.shop.hand.orders()))
        if set(there.values()) != {1} or set(there) != set(Order.objects.values_list("reference", flat=True)):
            wrong.append(f"in the shop: {len(there)} references, {sum(there.values())} orders")
        if held := Reservation.objects.exclude(state="ended").exclude(order=None).count():
            trial.until(
                lambda: not Reservation.objects.exclude(state="ended").exists(), PATIENCE, f"{held} holds to end"
            )
        wrong += [
            f"{name} died"
            for name, process in (("the worker", trial.worker), ("the web server", trial.web))
            if not process.running
        ]
        return wrong


def main() -> int:
    with Trial(environment={"CROSSDOCK_LEASE_SECONDS": "3"}, poll_seconds=3.0) as trial:
        trial.start_web()
        trial.worker.start()
        (stage,) = stages(trial, Facts(), ["vendure"])
        _, variant = stage.item(ORDERS + 5)
        begun = time.monotonic()
        play = Play(stage, variant)
        try:
            wrong = play.run()
        except Exception as error:
            wrong = [f"{type(error).__name__}: {error}"]
        longest = max((ended - started for started, ended, _ in play.answers), default=0)
        seen = {"wrong": wrong, "seconds": round(time.monotonic() - begun, 1), "longest": round(longest, 1)}
        print("CRASH " + json.dumps(seen), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
