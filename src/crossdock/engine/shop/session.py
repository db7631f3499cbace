"""One holding of one shop's lease: the shop as it is open now, its credentials and their renewal, and asking it.

Everything here runs under the shop's lease, so its budget is spent in one place and its tokens have one refresher.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from crossdock.domain.commands import Later, Outcome, SignInAgain
from crossdock.domain.health import Stream
from crossdock.domain.values import Access
from crossdock.engine.engine import Engine
from crossdock.engine.record import listened_to
from crossdock.kit.connector import Connector, Shop
from crossdock.kit.errors import AuthDead, Outside
from crossdock.kit.shops import open_shop, party_key
from crossdock.store.crash import point
from crossdock.store.models import Connection
from crossdock.usecases.shops import connect

T = TypeVar("T")
_SIDE_BY_SIDE = 4


@dataclass(frozen=True, slots=True)
class Opened:
    """The shop with the credentials of this moment. A renewal makes a new one."""

    connector: Connector
    shop: Shop


class Session:
    """What happens in it is noted once: `stirred` by engine/shop/pace.py, `being_read` by reading.py."""

    def __init__(self, engine: Engine, connection_id: int, access: Access) -> None:
        self.engine, self.connection_id, self.access = engine, connection_id, access
        self.opened = self._open()
        self.heard = False
        self.answers = 0
        self.room = asyncio.Semaphore(_SIDE_BY_SIDE)
        self.stirred = False
        self.told: dict[Stream, list[datetime | None]] = {Stream.ORDERS: [], Stream.PRODUCTS: []}
        self.being_read: set[str] = set()
        self._renewing = asyncio.Lock()
        self._renewed = False

    def _open(self) -> Opened:
        connector, shop = open_shop(self.access, self.engine.transport)
        return Opened(listened_to(connector, self.engine.transport.recorder, self.access.party_id), shop)

    async def reopen(self) -> None:
        """With the connection's settings of now, and where it is to send its deliveries now."""
        row = await self.engine.threads.run(Connection.objects.get, pk=self.connection_id)
        fresh = connect.access_of(connection=row)
        self.access = replace(self.access, settings=fresh.settings, hook_url=fresh.hook_url)
        self.opened = self._open()

    @property
    def connector(self) -> Connector:
        return self.opened.connector

    @property
    def calls(self) -> int:
        """How often this process asked the shop over the network so far."""
        return self.engine.transport.sent(party_key(self.access.party_id))

    async def run(self, work: Callable[..., T], **kwargs: Any) -> T:
        """A use-case that may be repeated, with this shop's clock."""
        return await self.engine.threads.sure(work, now=self.engine.clock(), **kwargs)

    async def asked(self, call: Awaitable[T]) -> T:
        """An answer is a sign of health, whatever it says."""
        answer = await call
        self.heard = True
        self.answers += 1
        return answer

    async def side_by_side(self, calls: Sequence[Coroutine[Any, Any, None]]) -> None:
        """A few at a time. Every one is finished before the first trouble is raised."""

        async def one(call: Coroutine[Any, Any, None]) -> None:
            async with self.room:
                await call

        for result in await asyncio.gather(*(one(call) for call in calls), return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    async def renew_if_due(self) -> None:
        """Before anything is sent with credentials that are about to end. Raises Outside."""
        at = self.connector.renew_at(self.opened.shop)
        if at is not None and at <= self.engine.clock():
            await self._renew(self.opened)

    async def _renew(self, seen: Opened) -> None:
        """Once, however many found out; stored before it is used."""
        async with self._renewing:
            if self.opened is not seen:
                return
            secrets = await seen.connector.renew(seen.shop)
            point("renew.answered")
            await self.run(connect.store_secrets, connection_id=self.connection_id, secrets=secrets)
            point("renew.stored")
            self.access = replace(self.access, secrets=secrets)
            self.opened = self._open()
            self._renewed = True

    async def second_thoughts(self, outcome: Outcome, asked_with: Opened) -> Outcome:
        """ "Sign in again" is believed only when fresh credentials don't help: those that we used may just have been
        replaced.
        """
        if not isinstance(outcome, SignInAgain):
            return outcome
        if self.opened is asked_with and not self._renewed and self.connector.renew_at(asked_with.shop) is not None:
            try:
                await self._renew(asked_with)
            except AuthDead:
                return outcome
            except Outside as error:
                return Later(str(error))
        if self.opened is not asked_with:
            return Later("The credentials were renewed meanwhile.", 0.2)
        return outcome
