"""A shop that somebody else runs, with a fault dial before it: every call passes here on its way, so what a simulator
plays on a bad day is played against real software too.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from crossdock.domain.capability import Manifest
from crossdock.kit.conformance.stage import FAST, Stage, staged_at
from crossdock.kit.connector import Connector, Proof, Shop
from crossdock.kit.hand import Hand, TestCopies
from crossdock.kit.http import Transport
from crossdock.kit.sandbox import Sandbox, Shelf

# What one connection says to the next, and what aiohttp writes itself.
_OWN_HEADERS = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "host"}
)
ANSWER_SECONDS = 30.0


class Front(Sandbox):
    """`borrowed`: there is a dial, but no ledger, no second shop and no deliveries to spoil."""

    label = "A shop of somebody's"
    borrowed = True

    def __init__(self, target: str, way: str, form: dict[str, str], hand: Hand) -> None:
        super().__init__(Shelf())
        self._target, self._way, self._form, self._hand = target, way, form, hand
        self._session: aiohttp.ClientSession | None = None

    @property
    def hand(self) -> Hand:
        return self._hand

    def seller_form(self) -> tuple[str, dict[str, str]]:
        """As the seller would type it, with our address in place of the shop's."""
        return self._way, self._form | {"address": self.address}

    def routes(self, app: web.Application) -> None:
        app.router.add_route("*", "/{path:.*}", self._pass)

    async def stop(self) -> None:
        await super().stop()
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _pass(self, request: web.Request) -> web.Response:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
            self._session = aiohttp.ClientSession(timeout=timeout, auto_decompress=True)
            # A repeat is decided by the connector that is being proved, and by nobody on the way.
            self._session._retry_connection = False
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _OWN_HEADERS}
        try:
            async with self._session.request(
                request.method, self._target + request.path_qs, headers=headers, data=await request.read()
            ) as answer:
                kept = {name: value for name, value in answer.headers.items() if name.lower() not in _OWN_HEADERS}
                return web.Response(status=answer.status, body=await answer.read(), headers=kept)
        except (aiohttp.ClientError, TimeoutError):
            return web.Response(status=502, text="The shop did not answer.")


class NoTestCopy(Exception):
    """The shop cannot be proved; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A test copy of a shop that was found and connected: what it can do, what its connection test says."""

    address: str
    manifest: Manifest
    proof: Proof
    form: dict[str, str]
    hand: Hand

    @asynccontextmanager
    async def opened(self, connector: Connector) -> AsyncIterator[Stage]:
        """A stage in it, with a fault dial of its own before it. One on this machine is not asked to wait."""
        front = Front(self.address, connector.manifest.ways[0].name, self.form, self.hand)
        await front.start()
        near = urlsplit(self.address).hostname in ("127.0.0.1", "::1", "localhost")
        try:
            pace = FAST if near else self.manifest.pace
            async with staged_at(connector, front, pace=pace, manifest=self.manifest) as stage:
                yield stage
        finally:
            await front.stop()
            front.shelf.close()


async def find_copy(connector: Connector, form: dict[str, str], transport: Transport) -> Copy:
    """Raises NoTestCopy, or Outside when the shop does not answer as one."""
    address = connector.address(form, local=True)
    http = transport.party(f"shop:{address}", FAST, local=True)
    shop = Shop(address, {}, {}, http, now=lambda: datetime.now(UTC))
    kept = await connector.finish(shop, way=connector.manifest.ways[0].name, form=form, params={}, keep={})
    proof = await connector.prove(replace(shop, secrets=kept))
    shop = replace(shop, secrets=kept, settings={"currency": proof.currency, **proof.settings})
    wrong = [f"{check.title}: {check.sentence}" for check in proof.checks if not (check.ok or check.limited)]
    if wrong:
        raise NoTestCopy("The connection test fails. " + " ".join(wrong))
    hand = connector.test_hand(shop) if isinstance(connector, TestCopies) else None
    if hand is None or not isinstance(connector, TestCopies):
        raise NoTestCopy(
            "The connection test is all right. In a shop that sells only --live tries more: start a test copy of it"
            " that offers test/do, with stock of its own, and check that."
        )
    return Copy(address, connector.manifest_of(shop), proof, form, hand)
