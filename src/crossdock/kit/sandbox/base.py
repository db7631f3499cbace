"""The base of the simulators: a platform writes its routes and its hand; faults, deliveries, the seller's page and the
remote control are here.
"""

import asyncio
import contextlib
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from types import MappingProxyType

from aiohttp import web
from aiohttp.typedefs import Handler

from crossdock.kit.hand import Hand
from crossdock.kit.sandbox import page, remote
from crossdock.kit.sandbox.deliver import Body, Delivery, Headers, OnResult, Postman
from crossdock.kit.sandbox.dial import FaultDial
from crossdock.kit.sandbox.shelf import Shelf

BIGGEST_BODY = 4 * 1024 * 1024
GARBLED = "<!doctype html><title>Just a moment...</title><h1>Checking your browser before you go on</h1>"
# What a host answers while its password page stands before the site ("password protect directory", a staging wall).
WALL = "<!doctype html><title>401 Authorization Required</title><h1>Authorization Required</h1>"


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Sandbox(ABC):
    """One simulated shop over real HTTP. `address` is its base URL once started.

    The fault dial works on every route except those below `/_`, which belong to the person at the shop: `/_shop` (the
    seller's page), `/_hand`, `/_dial` and `/_ledger` (the same for another process).
    """

    label = "Simulated shop"
    # The operator's app as this platform knows it (`Shop.app`), where the platform has such a thing.
    app: Mapping[str, str] = MappingProxyType({})

    # Whether it only stands before a shop that somebody else runs (kit/conformance/front.py).
    borrowed = False

    # Whether it answers quickly with a hundred thousand products in it.
    big = False

    def __init__(self, shelf: Shelf, *, seed: int = 0, clock: Callable[[], datetime] = _utc_now) -> None:
        self.shelf = shelf
        self.clock = clock
        self.random = random.Random(seed)
        self.dial = FaultDial(dice=random.Random(seed + 1))
        self.address = ""
        self.postman = Postman(self.dial)
        self._runner: web.AppRunner | None = None

    # What a platform writes

    @abstractmethod
    def routes(self, app: web.Application) -> None:
        """Add the platform's routes. Called once per start."""

    @property
    @abstractmethod
    def hand(self) -> Hand:
        """The seller in this shop."""

    @abstractmethod
    def seller_form(self) -> tuple[str, dict[str, str]]:
        """The name of a way that needs no browser, and what the seller would type there to connect this shop.

        Needs `address`.
        """

    async def approve(self, url: str) -> dict[str, str]:
        """The seller's browser follows a redirect way to `url` and says yes: the parameters that come back.

        Needed where sign_in_redirect is yes.
        """
        raise NotImplementedError(f"{type(self).__qualname__} has no sign-in page")

    async def fill(self, many: int, *, count: int, since: datetime) -> list[str]:
        """A catalogue of `many` more products, each like the one that is there, last changed at `since`; no webhook is
        sent. Their ids. For checks of big shops.
        """
        raise NotImplementedError(f"{type(self).__qualname__} cannot be filled")

    def throttled(self) -> web.Response:
        """The platform's own answer when asked too often."""
        return web.json_response({"error": "too many requests"}, status=429, headers={"Retry-After": "1"})

    def broken(self) -> web.Response:
        """The platform's own answer when it fails before doing anything."""
        return web.json_response({"error": "internal error"}, status=500)

    def revoked(self, request: web.Request) -> web.StreamResponse | None:
        """The answer to dead credentials.

        None lets the platform's own routes answer: they look at `dial.revoked` themselves.
        """
        return web.json_response({"error": "invalid credentials"}, status=401)

    # What it gets

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        app = web.Application(middlewares=[remote.own_pages_only, self.faults], client_max_size=BIGGEST_BODY)
        page.add_to(app, self)
        remote.add_to(app, self)
        self.routes(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        bound_host, bound_port = self._runner.addresses[0][:2]
        name = f"[{bound_host}]" if ":" in bound_host else bound_host
        self.address = f"http://{name}:{bound_port}"

    async def stop(self) -> None:
        """End the server and what is under way. The shelf stays open: the same shop can be started again on it."""
        await self.postman.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def deliver(self, url: str, headers: Headers, body: Body, *, on_result: OnResult | None = None) -> None:
        """Schedule a webhook.

        `on_result` gets the status, or None when nobody answered; a platform that retries delivers again from there.
        """
        self.postman.post(Delivery(url, headers, body, on_result))

    async def hold(self, *, deliveries: bool) -> None:
        """Whether what is to be delivered from now on is kept until `release`, beside what may go out meanwhile."""
        self.postman.holding = deliveries

    async def release(self) -> None:
        """Send the deliveries that were kept, in their order."""
        self.postman.release()

    async def delivered(self) -> None:
        """Wait until no delivery is under way (for tests)."""
        await self.postman.settled()

    @web.middleware
    async def faults(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/_"):
            return await handler(request)
        await asyncio.sleep(self.dial.latency_seconds)
        if self.dial.down:
            self.dial.counts["down"] += 1
            return web.Response(status=503, text="<h1>503 Service Unavailable</h1>", content_type="text/html")
        if self.dial.walled:
            self.dial.counts["walled"] += 1
            return web.Response(
                status=401,
                text=WALL,
                content_type="text/html",
                headers={"WWW-Authenticate": 'Basic realm="Members only"'},
            )
        if self.dial.revoked and (refusal := self.revoked(request)) is not None:
            self.dial.counts["revoked"] += 1
            return refusal
        match self.dial.call():
            case "throttle":
                return self.throttled()
            case "broken":
                return self.broken()
            case "lost_reply":
                await _finished(handler, request)
                return self._lost(request)
            case "garbled":
                await _finished(handler, request)
                return web.Response(text=GARBLED, content_type="text/html")
            case _:
                answer = await handler(request)
                # A shop has one clock: connectors measure the age of what they read by this header.
                answer.headers["Date"] = format_datetime(self.clock(), usegmt=True)
                return answer

    def _lost(self, request: web.Request) -> web.Response:
        """Cut the connection, or answer like a proxy whose upstream went away."""
        if self.dial.dice.random() < 0.5 and request.transport is not None:
            request.transport.close()
        return web.Response(status=502, text="<h1>502 Bad Gateway</h1>", content_type="text/html")


async def _finished(handler: Handler, request: web.Request) -> None:
    """Do the work; an HTTP error that the handler raised is a result like any other."""
    with contextlib.suppress(web.HTTPException):
        await handler(request)
