"""A pump's handler for one shop: one command, or one round of reading. Hints only say where to look."""

import logging
from collections.abc import Awaitable, Callable
from functools import partial

from crossdock.domain.commands import CommandKind, Later, Outcome, SignInAgain
from crossdock.engine import contain
from crossdock.engine.engine import Engine
from crossdock.engine.handler import Attempt
from crossdock.engine.shop import commands, inbox, pace, polling, trying
from crossdock.engine.shop.reading import read_wanted_counts, read_wanted_orders
from crossdock.engine.shop.session import Session
from crossdock.kit.errors import AuthDead, Outside
from crossdock.store.models import Connection
from crossdock.usecases.shops import connect, timers
from crossdock.usecases.shops.timers import Due

_log = logging.getLogger(__name__)
commands.sends(CommandKind.TRY_ORDER)(trying.try_order)


def open_shop_handler(engine: Engine, party_id: int, due: Due) -> "ShopHandler":
    """Reads the connection and unseals its secrets; called on a database thread."""
    assert due.connection_id is not None
    row = Connection.objects.get(pk=due.connection_id)
    timers.ensure_timers(connection_id=row.pk, now=engine.clock())
    session = Session(engine, row.pk, connect.access_of(connection=row))
    return ShopHandler(session, counting=row.shadow_since is not None)


class ShopHandler:
    """One holding of one shop's lease."""

    def __init__(self, session: Session, *, counting: bool = False) -> None:
        """`counting`: the shop is only looked at, and its report says how many calls that took."""
        self._session, self._counting = session, counting
        self._sent = session.calls
        self.parallel = max(1, session.connector.manifest.pace.parallel)

    @property
    def heard(self) -> bool:
        return self._session.heard

    @heard.setter
    def heard(self, value: bool) -> None:
        self._session.heard = value

    async def close(self) -> None:
        """Nothing is kept between holdings but, of a shop that is only looked at, how often it was asked."""
        if self._counting and (calls := self._session.calls - self._sent) > 0:
            self._counting = False
            await self._session.run(timers.count_calls, connection_id=self._session.connection_id, calls=calls)

    async def carry_out(self, attempt: Attempt) -> Outcome | None:
        session = self._session
        try:
            await session.renew_if_due()
        except Outside as error:
            # Nothing was sent with the old credentials; the reading side meets the same trouble and says so.
            _log.info("the credentials of %s were not renewed: %s", session.access.address, error)
        await pace.stir(session)
        return await commands.carry_out(session, attempt)

    async def chores(self, due: Due) -> bool:
        """One round: what the shop said, what is wanted, then one page of each poll that is due."""
        session = self._session
        asked_with = session.opened
        try:
            await session.renew_if_due()
            asked_with = session.opened
            return await self._round(due)
        except AuthDead as error:
            if isinstance(await session.second_thoughts(SignInAgain(str(error)), asked_with), Later):
                return True
            raise

    async def _round(self, due: Due) -> bool:
        """Each part has its turn, whatever an earlier one met; then the first trouble is raised."""
        parts: list[tuple[bool, Callable[[], Awaitable[bool]]]] = [
            (due.deliveries, partial(inbox.work_off, self._session)),
            (due.orders, partial(read_wanted_orders, self._session)),
            (due.counts, partial(read_wanted_counts, self._session)),
            (due.timers, partial(polling.timers_due, self._session)),
        ]
        did, trouble = False, list[Exception]()
        for wanted, part in parts:
            try:
                did = (wanted and await part()) or did
            except Exception as error:
                if contain.of_all(error):
                    raise
                trouble.append(error)
        if trouble:
            raise trouble[0]
        return did
