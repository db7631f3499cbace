"""Webhooks going out of a simulated shop, with the dial's faults.

They never hold up the shop's API; headers can be made from the body, since it may be built late.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import aiohttp

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


class Postman:
    """Sends deliveries as tasks of the running loop."""

    def __init__(self, dial: FaultDial) -> None:
        self._dial = dial
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def post(self, delivery: Delivery) -> None:
        """Schedule it.

        A dropped one is counted on the dial and its `on_result` never called: nobody knows of a lost delivery.
        """
        if self._dial.strike("drop"):
            return
        self._send_later(delivery, self._delay())
        if self._dial.strike("duplicate"):
            self._send_later(delivery, self._delay() + 0.01)

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
