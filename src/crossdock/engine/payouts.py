"""Payouts through their bank: an answer that was lost is looked up before anything is sent again; what the bank says
later is read, by its deliveries and by a timer.
"""

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings

from crossdock.domain.commands import CommandKind, Done, Outcome, Refused, Unknown, Why
from crossdock.domain.events import Look
from crossdock.engine import contain, hints
from crossdock.engine.plain import PlainHandler
from crossdock.kit.discover import NoSuchFolder
from crossdock.kit.errors import Missing, Outside
from crossdock.kit.payout import PayoutBank
from crossdock.kit.payouts import open_bank
from crossdock.store.crash import point
from crossdock.usecases.money import payouts as usecase
from crossdock.usecases.outbox.payloads import PAYOUT
from crossdock.usecases.outcomes import claims
from crossdock.usecases.outcomes.claims import Claimed
from crossdock.usecases.parties.quarantine import of_database
from crossdock.usecases.shops.timers import Due

if TYPE_CHECKING:
    from crossdock.engine.engine import Engine

_log = logging.getLogger(__name__)
READ_AGAIN_AFTER = timedelta(minutes=55)
_READ_AT_MOST = 500
# An asking that is older than this is over, whatever became of us.
_SURELY_OVER = timedelta(seconds=contain.MOST_SECONDS)


class PayoutHandler(PlainHandler):
    """Payouts go out; deliveries are hints which one to look at again."""

    def __init__(self, engine: "Engine", party_id: int, name: str) -> None:
        super().__init__(engine, self.pay)
        self._party_id, self._name, self._bank = party_id, name, opened(name)

    async def pay(self, claimed: Claimed) -> Outcome:
        if claimed.kind != CommandKind.SEND_PAYOUT:
            return Refused(Why.UNSUPPORTED, f"A bank does not know how to do “{claimed.kind}”.")
        run = self._engine.threads.run
        asked, _ = await run(usecase.asked_of, PAYOUT.validate_python(claimed.payload).payout)
        if claimed.look_first:
            point("payout.before_look")
            found = await self._bank.look_up(asked)
            self.heard = True
            if found:
                return Done(found[0].ref, already=True)
            over = (claimed.last_sent_at or claimed.since) + _SURELY_OVER + self._bank.horizon
            wait = (over - self._engine.clock()).total_seconds()
            if wait > 0:
                return Unknown("The bank has no such payout yet; it is looked for again before it is sent again.", wait)
            await run(claims.send_again, command_id=claimed.id, now=self._engine.clock())
        outcome = await self._bank.send(asked)
        point("payout.after_send")
        return outcome

    async def chores(self, due: Due) -> bool:
        """Deliveries. Raises Outside after the rest is done."""
        return await hints.work_off(self._engine, self._party_id, self._hinted)

    async def _hinted(self, look: Look) -> None:
        await look_at(self._engine, self._name, look.entity_id)
        self.heard = True


def open_handler(engine: "Engine", party_id: int, due: Due) -> PayoutHandler:
    """Raises NoSuchFolder when this provider is not installed (any more)."""
    return PayoutHandler(engine, party_id, due.name)


def opened(name: str) -> PayoutBank:
    """Raises NoSuchFolder when this provider is not installed (any more)."""
    return open_bank(name, settings.CONFIG.data)


async def look_at(engine: "Engine", name: str, ref: str) -> None:
    """A payout that the bank said something about. Raises Outside."""
    public_id = await engine.threads.run(usecase.payout_of_news, provider=name, ref=ref)
    if public_id is not None:
        await _read(engine, opened(name), public_id, ref)


async def _read(engine: "Engine", bank: PayoutBank, public_id: str, ref: str) -> None:
    standing = await bank.read(ref)
    await engine.threads.sure(usecase.receive_standing, public_id=public_id, standing=standing, now=engine.clock())


async def read_under_way(engine: "Engine") -> int:
    """Payouts that no delivery told of for an hour. Returns how many were read."""
    now, read = engine.clock(), 0
    found = await engine.threads.run(
        usecase.under_way, not_read_since=now - READ_AGAIN_AFTER, now=now, limit=_READ_AT_MOST
    )
    away: set[str] = set()
    for public_id, provider, ref in found:
        if provider in away:
            continue
        try:
            await _read(engine, opened(provider), public_id, ref)
            read += 1
        except Missing as error:
            _log.error("payout %s: %s", public_id, error)
        except (NoSuchFolder, Outside) as error:
            _log.warning("payouts of %s are read later: %s", provider, error)
            away.add(provider)
        except Exception as error:
            if of_database(error):
                raise
            _log.exception("payout %s could not be read", public_id)
    return read
