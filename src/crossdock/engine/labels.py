"""Labels through their providers: bought once, looked up before anything is bought again, and followed until they are
delivered.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings

from crossdock.domain.commands import CommandKind, Done, Later, Outcome, Refused, Unknown, Why
from crossdock.domain.events import Look, LookKind
from crossdock.domain.labels import Bought, LabelState, Purchase
from crossdock.engine import contain, hints
from crossdock.engine.contain import guarded
from crossdock.engine.handler import Attempt
from crossdock.kit.carrier import Answer, Carrier
from crossdock.kit.carriers import open_carrier
from crossdock.kit.discover import NoSuchFolder
from crossdock.kit.errors import Missing, Outside, outcome_of
from crossdock.store.crash import point
from crossdock.store.models import Label
from crossdock.usecases.labels import carrier_news
from crossdock.usecases.labels import purchase as usecase
from crossdock.usecases.outbox.payloads import LABEL
from crossdock.usecases.outcomes import claims
from crossdock.usecases.outcomes.claims import Claimed
from crossdock.usecases.parties.quarantine import of_database
from crossdock.usecases.shops.timers import Due

if TYPE_CHECKING:
    from crossdock.engine.engine import Engine

_log = logging.getLogger(__name__)
# One call that only reads.
MOST_SECONDS = 45.0
READ_AGAIN_AFTER = timedelta(minutes=55)
_READ_AT_MOST = 500


@dataclass(frozen=True, slots=True)
class NotYet(Unknown):
    """The carrier answered well, and knows of no such label; a purchase that is still under way there could yet
    appear.
    """


class CarrierHandler:
    """Buys, voids, and reads labels of which a delivery said something."""

    parallel = 4
    heard = False

    def __init__(self, engine: "Engine", party_id: int, name: str) -> None:
        self._engine, self._party_id, self._name, self._carrier = engine, party_id, name, opened(name)

    async def carry_out(self, attempt: Attempt) -> Outcome | None:
        try:
            return await self._carry_out(attempt)
        except Exception as error:
            return await contain.stumbled(self._engine, attempt.claimed, error)

    async def _carry_out(self, attempt: Attempt) -> Outcome | None:
        claimed = attempt.claimed
        label = await self._engine.threads.run(_label, LABEL.validate_python(claimed.payload).label)
        try:
            answer = await self._do(claimed, label)
        except asyncio.CancelledError:
            if not attempt.lost:
                await self._settle(claimed, Unknown("We were stopped before the answer came."))
            raise
        if attempt.lost:
            # The row stays in flight under another holder, who looks first.
            return None
        await self._settle(claimed, answer)
        await contain.settled(self._engine, claimed)
        point("label.settled")
        if isinstance(answer, Bought):
            await self._keep_documents(label.public_id)
            return Done(answer.ref)
        if claimed.kind == CommandKind.VOID_LABEL and not isinstance(answer, Refused):
            await self._read_quietly(label.public_id)
        return None if isinstance(answer, NotYet) else answer

    async def _settle(self, claimed: Claimed, answer: Answer | Outcome) -> None:
        engine = self._engine
        await engine.threads.sure(
            carrier_news.settle_label, command_id=claimed.id, answer=answer, random=engine.random, now=engine.clock()
        )

    async def _do(self, claimed: Claimed, label: Label) -> Answer | Outcome:
        match claimed.kind:
            case CommandKind.BUY_LABEL:
                return await self._buy(claimed, label)
            case CommandKind.VOID_LABEL:
                return await self._void(label)
            case _:
                return Refused(Why.UNSUPPORTED, f"A carrier does not know how to do “{claimed.kind}”.")

    async def _buy(self, claimed: Claimed, label: Label) -> Answer:
        """An earlier try that may have bought is looked for first.

        Nothing is bought again before it could not come to light any more.
        """
        purchase = usecase.purchase_of(label=label)
        if claimed.look_first:
            answer = await self._look(label, purchase)
            if answer is not None:
                return answer
        if why := await self._engine.threads.run(usecase.may_buy, label_id=label.public_id):
            return Refused(Why.CONFLICT, why)
        if claimed.look_first:
            await self._engine.threads.run(claims.send_again, command_id=claimed.id, now=self._engine.clock())
        asked_at = self._engine.clock()
        await self._engine.threads.run(carrier_news.asking, label_id=label.public_id, now=asked_at)
        point("label.before_buy")
        left = (asked_at + self._carrier.patience - self._engine.clock()).total_seconds()
        if left <= 0:
            return Later("We were too busy to ask.")
        answer = await _bounded_buy(self._carrier, purchase, left)
        point("label.after_buy")
        if isinstance(answer, Unknown):
            await self._engine.threads.run(carrier_news.asked, label_id=label.public_id, now=self._engine.clock())
        return answer

    async def _look(self, label: Label, purchase: Purchase) -> Answer | None:
        """None when it surely was not bought."""
        point("label.before_look")
        try:
            async with asyncio.timeout(MOST_SECONDS):
                found = await self._carrier.look_up(purchase)
        except (Outside, TimeoutError) as error:
            return Unknown(str(error) or "The carrier did not answer in time.")
        self.heard = True
        if found:
            for other in found[1:]:
                _log.error("label %s was bought twice; %s is given back", label.reference, other.ref)
                await guarded(self._carrier.void(other.ref))
            return found[0]
        if label.asked_at is None:
            # We died before the carrier was asked at all.
            return None
        over = label.asked_until or label.asked_at + self._carrier.patience
        wait = (over + self._carrier.horizon - self._engine.clock()).total_seconds()
        if wait > 0:
            return NotYet("Not bought as far as the carrier can tell; looked for again before it is repeated.", wait)
        return None

    async def _void(self, label: Label) -> Outcome:
        point("label.before_void")
        outcome = await guarded(self._carrier.void(label.carrier_ref))
        point("label.after_void")
        return outcome

    async def _keep_documents(self, label_id: str) -> None:
        """What is printed is fetched at once; what fails now is asked for when somebody prints."""
        label = await self._engine.threads.run(_label, label_id)
        for form in self._carrier.can.forms:
            try:
                async with asyncio.timeout(MOST_SECONDS):
                    content = await self._carrier.document(label.carrier_ref, form)
                await self._engine.threads.run(carrier_news.keep_document, label=label, form=form, content=content)
            except (Outside, TimeoutError) as error:
                _log.warning("the %s of label %s cannot be had yet: %s", form, label.reference, error)

    async def _read_quietly(self, label_id: str) -> None:
        try:
            await read_label(self._engine, self._carrier, label_id)
        except Outside as error:
            _log.info("label %s is read later: %s", label_id, error)

    async def chores(self, due: Due) -> bool:
        """Deliveries. Raises Outside after the rest is done."""
        return await hints.work_off(self._engine, self._party_id, self._hinted)

    async def _hinted(self, look: Look) -> None:
        if look.kind is not LookKind.LABEL:
            return
        find, ref = carrier_news.label_of_news, look.entity_id
        label_id = await self._engine.threads.run(find, provider=self._name, carrier_ref=ref)
        if label_id is not None:
            await read_label(self._engine, self._carrier, label_id)
            self.heard = True

    async def close(self) -> None:
        """Nothing is kept."""


async def _bounded_buy(carrier: Carrier, purchase: Purchase, seconds: float) -> Answer:
    """Whatever happens in it: what is not understood may have been bought."""
    try:
        async with asyncio.timeout(seconds):
            return await carrier.buy(purchase)
    except TimeoutError:
        return Unknown("The carrier did not finish in time.")
    except Outside as error:
        ended = outcome_of(error)
        return ended if isinstance(ended, Later) else Unknown(str(error))
    except Exception as error:
        _log.exception("a carrier stumbled over a purchase")
        return Unknown(f"Our connector stumbled over the carrier's answer ({type(error).__name__}).")


def open_handler(engine: "Engine", party_id: int, due: Due) -> CarrierHandler:
    """Raises NoSuchFolder when this carrier is not installed (any more)."""
    return CarrierHandler(engine, party_id, due.name)


def opened(name: str) -> Carrier:
    """Raises NoSuchFolder when this carrier is not installed (any more)."""
    return open_carrier(name, settings.CONFIG.data, settings.CARRIER_KEYS.get(name, {}).items())


def _label(public_id: str) -> Label:
    return Label.objects.select_related("order").get(public_id=public_id)


async def read_label(engine: "Engine", carrier: Carrier, label_id: str) -> None:
    """Where its parcel is, and whether it was taken back. Raises Outside."""
    label = await engine.threads.run(_label, label_id)
    if label.state in (LabelState.QUOTED, LabelState.INTENDED, LabelState.UNKNOWN, LabelState.REFUSED):
        return
    standing = await carrier.read(label.carrier_ref)
    await engine.threads.sure(carrier_news.receive_standing, public_id=label_id, standing=standing, now=engine.clock())


async def read_under_way(engine: "Engine") -> int:
    """Labels that no delivery told of for an hour: carriers cannot be asked what changed, so each is read.

    Returns how many were.
    """
    read = 0
    for name in await engine.threads.run(carrier_news.providers_under_way):
        try:
            carrier = opened(name)
        except NoSuchFolder as error:
            _log.error("labels of %s cannot be read: %s", name, error)
            continue
        since = engine.clock() - READ_AGAIN_AFTER
        for label_id in await engine.threads.run(
            carrier_news.under_way, provider=name, not_read_since=since, limit=_READ_AT_MOST
        ):
            try:
                await read_label(engine, carrier, label_id)
                read += 1
            except Missing as error:
                _log.warning("label %s: %s", label_id, error)
            except Exception as error:
                if of_database(error):
                    raise
                _log.warning("labels of %s are read later: %s", name, error, exc_info=not isinstance(error, Outside))
                if contain.of_party(error):
                    break
    return read
