"""Money back through the gateways, and payments whose answer was lost: looked up by the intent's id, voided before they are called off, never repeated."""

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Q

from crossdock.domain.commands import Outcome, Refused, Why
from crossdock.domain.values import Money
from crossdock.engine.plain import PlainDesk
from crossdock.kit.discover import NoSuchFolder
from crossdock.kit.gateway import AtTheBank, Captured, Declined, Gateway, NeverSeen
from crossdock.kit.payments import open_gateway
from crossdock.store.models import Command, PaymentIntent
from crossdock.store.models.money import IntentState
from crossdock.usecases import checkout
from crossdock.usecases.errors import Stale
from crossdock.usecases.upkeep import Due
from crossdock.usecases.work import Claimed

if TYPE_CHECKING:
    from crossdock.engine.engine import Engine

_log = logging.getLogger(__name__)
# The page itself still waits for the gateway's answer for so long.
_PAGE_WAITS = timedelta(seconds=45)
_NEVER_PAID = checkout.HOLD_FOR + timedelta(minutes=5)


def open_desk(engine: "Engine", party_id: int, due: Due) -> PlainDesk:
    """Raises NoSuchFolder when this gateway is not installed (any more)."""
    gateway = opened(due.name)

    async def refund(claimed: Claimed) -> Outcome:
        if claimed.kind != "refund_payment":
            return Refused(Why.UNSUPPORTED, f"A gateway does not know how to do “{claimed.kind}”.")
        cause = await engine.threads.run(_cause, claimed.id)
        row = await engine.threads.run(PaymentIntent.objects.get, public_id=claimed.payload["intent"])
        amount = Money(claimed.payload["amount_minor"], claimed.payload["currency"])
        return await gateway.refund(row.asked, amount, cause)

    return PlainDesk(engine, refund)


def opened(name: str) -> Gateway:
    """Raises NoSuchFolder when this gateway is not installed (any more)."""
    return open_gateway(name, settings.CONFIG.data, settings.GATEWAY_KEYS.get(name, {}).items())


def _cause(command_id: int) -> str:
    return str(Command.objects.values_list("cause", flat=True).get(pk=command_id))


async def settle_intents(engine: "Engine") -> int:
    """Payments that nobody finished: the page was closed, the process killed, the answer lost. Returns how many were settled."""
    settled = 0
    for row in await engine.threads.run(_open_intents, engine.clock()):
        late = engine.clock() - row.created_at > _NEVER_PAID
        try:
            settled += await settle_intent(engine, row, lost=row.state == IntentState.UNKNOWN, late=late)
        except NoSuchFolder as error:
            _log.error("the payment %s cannot be looked up: %s", row.public_id, error)
        except Exception:
            _log.exception("the payment %s could not be looked up", row.public_id)
    return settled


def _open_intents(now: datetime) -> list[PaymentIntent]:
    open_ones = PaymentIntent.objects.filter(
        Q(state=IntentState.UNKNOWN, created_at__lt=now - timedelta(seconds=5))
        | Q(state=IntentState.CREATED, created_at__lt=now - _PAGE_WAITS)
    )
    return list(open_ones.order_by("created_at")[:200])


async def settle_intent(engine: "Engine", row: PaymentIntent, *, lost: bool, late: bool) -> int:
    """Look it up and write down what came of it; 1 when that settled it. What the bank never saw is made impossible once its answer was lost."""
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
