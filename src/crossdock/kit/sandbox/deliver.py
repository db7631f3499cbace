"""Webhooks going out of a simulated shop, with the dial's faults.

They never hold up the shop's API; headers can be made from the body, since it may be built late.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
from standardwebhooks.webhooks import Webhook

from crossdock.kit.sandbox.dial import FaultDial

Body = bytes | Callable[[], bytes | None]
Headers = Mapping[str, str] | Callable[[bytes], Mapping[str, str]]
OnResult = Callable[[int | None], None]

ANSWER_SECONDS = 10.0
SWAPPED_SECONDS = (0.2, 0.8)


@dataclass(frozen=True, slots=True)
class Delivery:
    """`body` may be a function, evaluated at delivery time (None: nothing to tell any more); `headers` one of the
    final body, for signatures.
    """

    url: str
    headers: Headers
    body: Body
    on_result: OnResult | None = None


def standard_webhook(key: str, id_: str) -> Callable[[bytes], Mapping[str, str]]:
    """The headers of Standard Webhooks, over the body as it is sent.

    The time is the wire's: a simulated clock has no say in it, since libraries look at the real one.
    """

    def signed(body: bytes) -> Mapping[str, str]:
        now = datetime.now(UTC)
        return {
            "Content-Type": "application/json",
            "webhook-id": id_,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(key).sign(id_, now, body.decode()),
        }

    return signed


def deliver_again(
    deliver: Callable[..., None],
    url: str,
    headers: Headers,
    body: Body,
    *,
    tries: int,
    enough: Callable[[int], bool] = lambda status: 200 <= status < 300,
    given_up: Callable[[], None] = lambda: None,
) -> None:
    """`deliver` it, with the same id, until an answer is `enough` or the tries are used up."""

    def result(status: int | None) -> None:
        if status is not None and enough(status):
            return
        if tries == 1:
            given_up()
        else:
            deliver_again(deliver, url, headers, body, tries=tries - 1, enough=enough, given_up=given_up)

    deliver(url, headers, body, on_result=result)


class Postman:
    """Sends deliveries as tasks of the running loop."""

    def __init__(self, dial: FaultDial) -> None:
        self._dial = dial
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        # What is posted while it is true waits for `release`.
        self.holding = False
        self._held: list[Delivery] = []

    def post(self, delivery: Delivery) -> None:
        """Schedule it.

        A dropped one is counted on the dial and its `on_result` never called: nobody knows of a lost delivery.
        """
        if self._dial.strike("drop"):
            return
        if self.holding:
            self._held.append(delivery)
            return
        self._send_later(delivery, self._delay())
        if self._dial.strike("duplicate"):
            self._send_later(delivery, self._delay() + 0.01)

    def release(self) -> None:
        """Send what was held, in its order."""
        self.holding, held, self._held = False, self._held, []
        for delivery in held:
            self._send_later(delivery, self._delay())

    @property
    def busy(self) -> bool:
        """Whether a delivery is under way."""
        return bool(self._tasks)

    async def settled(self) -> None:
        """Wait until nothing is under way, what the answers set off included."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self.settled()
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _delay(self) -> float:
        delay = self._dial.dice.uniform(0, self._dial.late_seconds)
        if self._dial.late_seconds:
            self._dial.counts["late"] += 1
        return delay + (self._dial.dice.uniform(*SWAPPED_SECONDS) if self._dial.strike("out_of_order") else 0.0)

    def _send_later(self, delivery: Delivery, delay: float) -> None:
        task = asyncio.get_running_loop().create_task(self._send(delivery, delay))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, delivery: Delivery, delay: float) -> None:
        await asyncio.sleep(delay)
        body = delivery.body() if callable(delivery.body) else delivery.body
        if body is None:
            return
        headers = delivery.headers(body) if callable(delivery.headers) else delivery.headers
        status = await self.send(delivery.url, headers, body)
        self._dial.counts["delivered" if status is not None and 200 <= status < 300 else "not_delivered"] += 1
        if delivery.on_result is not None:
            delivery.on_result(status)

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> int | None:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
            self._session = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=32))
        try:
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return None
