"""An order by the API, with its quote: hand-made listings, eight programs at once; and what each asks the database."""

import http.client
import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from crossdock_lab.bench.figures import Figure, beside, bounded
from crossdock_lab.bench.market import NOTHING, Market, Spent

CLIENTS, ROUNDS, EACH, WARM = 8, 3, 64, 32
LISTINGS, BUYERS = 20, 300
# Of the build that is measured beside it, and round trips of an order with its quote.
AT_MOST, ROUND_TRIPS = 0.25, 20


@dataclass
class Till:
    """One marketplace and what was spent there."""

    market: Market
    known: dict[str, Any]
    numbers: "count[int]" = field(default_factory=lambda: count(10))
    spent: Spent = NOTHING
    seconds: float = 0.0
    placed: int = 0

    def round(self, orders: int, *, counts: bool) -> None:
        """So many orders by all clients together, until the mails that they caused are sent too."""
        before, begun = self.market.spent(), time.monotonic()
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(self._client, range(CLIENTS), [orders // CLIENTS] * CLIENTS))
        took = time.monotonic() - begun
        self.market.until(lambda: self.market.inside("unsent") == 0, 180, "the mails to be sent", every=1.0)
        if counts:
            self.spent += self.market.spent() - before
            self.seconds += took
            self.placed += orders // CLIENTS * CLIENTS

    def _client(self, number: int, orders: int) -> None:
        line = http.client.HTTPConnection("127.0.0.1", self.market.port, timeout=60)
        for _ in range(orders):
            self._place(line, self.known["tokens"][number])
        line.close()

    def _place(self, line: http.client.HTTPConnection, token: str) -> None:
        nth = next(self.numbers)
        lines = [{"variant": self.known["variants"][nth % LISTINGS], "quantity": 1}]
        quoted = _post(line, "/api/v1/quotes", {"lines": lines, "country": "US"}, token, "")
        asked = {
            "buyer": {"email": f"buyer-{nth % BUYERS}@bench.test", "name": "Bench"},
            "ship_to": {**self.known["ship_to"], "line1": f"{nth} Elm St"},
            "lines": lines,
            "fingerprint": quoted["fingerprint"],
            "payment": {"token": self.known["payment"]},
        }
        _post(line, "/api/v1/orders", asked, token, f"bench-{nth}")


def _post(line: http.client.HTTPConnection, path: str, body: Any, token: str, key: str) -> Any:
    head = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    line.request("POST", path, json.dumps(body), {**head, **({"Idempotency-Key": key} if key else {})})
    answer = line.getresponse()
    said = answer.read()
    if answer.status >= 300:
        raise RuntimeError(f"{path}: {answer.status} {said.decode()[:300]}")
    return json.loads(said)


def bench(markets: Sequence[Market]) -> list[Figure]:
    tills = [Till(market, market.inside("orders", LISTINGS, BUYERS)) for market in markets]
    for till in tills:
        till.round(WARM, counts=False)
    for _ in range(ROUNDS):
        for till in tills:
            till.round(EACH, counts=True)
    asked = [till.market.inside("statements", *_one(till.known)) for till in tills]
    ours, theirs = tills[0], tills[1] if len(tills) > 1 else None
    name = theirs.market.installed.name if theirs else ""

    def ms(till: Till, part: str) -> float:
        return float(getattr(till.spent, part)) / till.placed * 1000

    figures = [
        beside("order", words, "ms", ms(ours, part), ms(theirs, part) if theirs else None, against=name, at_most=most)
        for words, part, most in (
            ("processor time per order", "whole", AT_MOST),
            ("of it web", "web", 0.0),
            ("of it worker", "worker", 0.0),
            ("of it PostgreSQL", "database", 0.0),
        )
    ]
    rate = [till.placed / till.seconds for till in tills]
    figures.append(beside("order", "orders per second", "1/s", rate[0], rate[1] if theirs else None, against=name))
    figures.append(bounded("order", "round trips with its quote", "", asked[0]["round_trips"], at_most=ROUND_TRIPS))
    for one in ("round_trips", "statements", "savepoints"):
        other = asked[1][one] if theirs else None
        figures.append(
            beside("order", f"{one.replace('_', ' ')} to the database", "", asked[0][one], other, against=name)
        )
    return figures


def _one(known: dict[str, Any]) -> tuple[str, str, str]:
    return known["variants"][0], known["tokens"][0], known["payment"]
