"""Money back through the gateways, and payments whose answer was lost: looked up by the intent's id, voided before
they are called off, never repeated.
"""

import asyncio
import logging
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Q

from crossdock.domain.commands import CommandKind, Outcome, Refused, Why
from crossdock.domain.events import Look
from crossdock.engine import contain, hints
from crossdock.engine.plain import PlainHandler
from crossdock.kit.discover import NoSuchFolder
from crossdock.kit.errors import Missing, Outside
from crossdock.kit.gateway import AtTheBank, Captured, Declined, Gateway, NeverSeen
from crossdock.kit.payments import open_gateway
from crossdock.store.models import Command, PaymentIntent
from crossdock.store.models.money import IntentState
from crossdock.usecases.checkout import checkout
from crossdock.usecases.errors import Stale
from crossdock.usecases.money import bank_news as usecase
from crossdock.usecases.money import rounds
from crossdock.usecases.outbox.payloads import REFUND
from crossdock.usecases.outcomes.claims import Claimed
from crossdock.usecases.parties.quarantine import of_database
from crossdock.usecases.shops.timers import Due

if TYPE_CHECKING:
    from crossdock.engine.engine import Engine

_log = logging.getLogger(__name__)
_AT_ONCE = 100
# Somebody else took in news between each time: that surely ends.
_READINGS = 5
# A buyer may dispute for about four months; looked back far enough to bridge a weekend without a worker.
_IN_USE, _LOOK_BACK = timedelta(days=180), timedelta(days=4)
_NEVER_PAID = checkout.HOLD_FOR + timedelta(minutes=5)


class PaymentHandler(PlainHandler):
    """Refunds go out; deliveries are hints which payment to look at again."""

    def __init__(self, engine: "Engine", party_id: int, name: str) -> None:
        super().__init__(engine, self.refund)
        self._party_id, self._name, self._gateway = party_id, name, opened(name)

    async def refund(self, claimed: Claimed) -> Outcome:
        if claimed.kind != CommandKind.REFUND_PAYMENT:
            return Refused(Why.UNSUPPORTED, f"A gateway does not know how to do “{claimed.kind}”.")
        cause = await self._engine.threads.run(_cause, claimed.id)
        refund = REFUND.validate_python(claimed.payload)
        row = await self._engine.threads.run(PaymentIntent.objects.get, public_id=refund.intent)
        return await self._gateway.refund(row.asked, refund.amount, cause)

    async def chores(self, due: Due) -> bool:
        """Deliveries. Raises Outside after the rest is done."""
        return await hints.work_off(self._engine, self._party_id, self._hinted)

    async def _hinted(self, look: Look) -> None:
        await look_at(self._engine, self._name, look.entity_id)
        self.heard = True


def open_handler(engine: "Engine", party_id: int, due: Due) -> PaymentHandler:
    """Raises NoSuchFolder when this gateway is not installed (any more)."""
    return PaymentHandler(engine, party_id, due.name)


async def look_at(engine: "Engine", name: str, entity: str) -> None:
    """A payment that somebody said something about: not settled yet, then its outcome; captured (and perhaps given back
    whole), then what happened since. Raises Outside.
    """
    row = await engine.threads.run(usecase.payment_of_news, gateway=name, entity=entity)
    if row is None:
        return
    if row.state not in (IntentState.CAPTURED, IntentState.ABANDONED):
        # Declined here and captured there would be money without an order: a late answer is worth a look as well.
        await settle_intent(engine, row, lost=False, late=False)
        return
    for _ in range(_READINGS):
        since = await engine.threads.run(rounds.last_news, row)
        standing = await opened(name).read(row.asked)
        taken_in = partial(usecase.receive_standing, intent_id=row.public_id, standing=standing)
        if await engine.threads.sure(taken_in, now=engine.clock(), since=since):
            return
    _log.warning("payment %s has more news than can be read; it is read again within the hour", row.public_id)


async def read_what_changed(engine: "Engine") -> int:
    """Refunds and disputes of the last days that no delivery told. Returns how many payments were read."""
    read = 0
    for name in await engine.threads.run(_gateways_in_use, engine.clock() - _IN_USE):
        try:
            refs = await opened(name).changed(engine.clock() - _LOOK_BACK)
            for ref in dict.fromkeys([*refs, *await engine.threads.run(_in_dispute, name, engine.clock())]):
                read += await _looked_at(engine, name, ref)
        except (NoSuchFolder, Outside) as error:
            _log.error("what changed at %s cannot be read: %s", name, error)
    return read


async def _looked_at(engine: "Engine", name: str, ref: str) -> int:
    """One payment that cannot be taken in holds up no other. Raises Outside when the gateway does not answer."""
    try:
        await look_at(engine, name, ref)
    except Exception as error:
        if contain.of_party(error) or of_database(error):
            raise
        _log.exception("what changed about payment %s of %s could not be read", ref, name)
        return 0
    return 1


def _in_dispute(name: str, now: datetime) -> list[str]:
    """Some, drawn by lot. A bank judges weeks after the dispute was made, and may judge again."""
    rows = rounds.in_dispute(gateway=name, since=now - _IN_USE).order_by("?")
    return [row.gateway_ref or row.public_id for row in rows[:_AT_ONCE]]


def _gateways_in_use(since: datetime) -> list[str]:
    captured = PaymentIntent.objects.filter(state=IntentState.CAPTURED, created_at__gte=since)
    return list(captured.values_list("gateway", flat=True).distinct().order_by("gateway"))


def opened(name: str) -> Gateway:
    """Raises NoSuchFolder when this gateway is not installed (any more)."""
    return open_gateway(name, settings.CONFIG.data, settings.GATEWAY_KEYS.get(name, {}).items())


def _cause(command_id: int) -> str:
    return str(Command.objects.values_list("cause", flat=True).get(pk=command_id))


async def settle_intents(engine: "Engine") -> int:
    """Payments that nobody finished: the page was closed, the process killed, the answer lost.

    Returns how many were settled.
    """
    rows = await engine.threads.run(_open_intents, engine.clock())
    by_gateway: dict[str, list[PaymentIntent]] = {}
    for row in rows:
        by_gateway.setdefault(row.gateway, []).append(row)
    # Side by side: one that does not answer keeps no other's payments waiting.
    return sum(await asyncio.gather(*(_settle_at(engine, name, some) for name, some in by_gateway.items())))


async def _settle_at(engine: "Engine", name: str, rows: list[PaymentIntent]) -> int:
    """One gateway's, until it turns out to be away."""
    settled = 0
    for number, row in enumerate(rows, 1):
        late = engine.clock() - row.created_at > _NEVER_PAID
        try:
            settled += await settle_intent(engine, row, lost=row.state == IntentState.UNKNOWN, late=late)
        except NoSuchFolder as error:
            _log.error("%d payments at %s cannot be looked up: %s", len(rows), name, error)
            break
        except Outside as error:
            _log.warning("the payment %s could not be looked up: %s", row.public_id, error)
            if contain.of_party(error) and not isinstance(error, Missing):
                _log.warning("%s does not answer: %d more payments wait", name, len(rows) - number)
                break
        except Exception:
            _log.exception("the payment %s could not be looked up", row.public_id)
    return settled


def _open_intents(now: datetime) -> list[PaymentIntent]:
    """Some of each gateway's, drawn by lot: those that cannot be answered are never all that is looked at."""
    waiting = Q(state=IntentState.UNKNOWN, created_at__lt=now - timedelta(seconds=5))
    waiting |= Q(state=IntentState.CREATED, created_at__lt=now - checkout.PAGE_WAITS)
    open_ones = PaymentIntent.objects.filter(waiting)
    names = open_ones.order_by("gateway").values_list("gateway", flat=True).distinct()
    return [row for name in names for row in open_ones.filter(gateway=name).order_by("?")[:_AT_ONCE]]


async def settle_intent(engine: "Engine", row: PaymentIntent, *, lost: bool, late: bool) -> int:
    """Look it up and write down what came of it; 1 when that settled it.

    What the bank never saw is made impossible once its answer was lost.
    """
    gateway, intent = opened(row.gateway), row.public_id
    answer = await gateway.look_up(row.asked)
    if (isinstance(answer, NeverSeen) and (lost or late)) or (isinstance(answer, AtTheBank) and late):
        answer = await gateway.void(row.asked)
    match answer:
        case Captured(gateway_ref, checks):
            try:
                await engine.threads.sure(
                    checkout.place_order, intent_id=intent, gateway_ref=gateway_ref, checks=checks, now=engine.clock()
                )
            except Stale as gone:
                _log.info("payment %s goes back: %s", intent, gone)
        case Declined(sentence):
            await engine.threads.sure(checkout.payment_failed, intent_id=intent, sentence=sentence, now=engine.clock())
        case NeverSeen() if lost or late:
            sentence = "The payment did not go through; nothing was charged."
            await engine.threads.sure(checkout.payment_failed, intent_id=intent, sentence=sentence, now=engine.clock())
        case _:
            return 0
    return 1
