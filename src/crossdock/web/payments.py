"""The gateway with the operator's keys, as pages and the API ask it."""

from collections.abc import Coroutine
from typing import Any

from django.conf import settings
from django.utils import timezone

from crossdock.kit.ask import ask_sync
from crossdock.kit.errors import Outside
from crossdock.kit.gateway import Answer, AtTheBank, Captured, Declined, Gateway, NeverSeen, NotKnown
from crossdock.kit.payments import open_gateway
from crossdock.store.models import Order, PaymentIntent
from crossdock.usecases.checkout.checkout import payment_failed, payment_unknown, place_order

PAYMENT_SECONDS = 8.0


def chosen_gateway() -> Gateway:
    """The operator's choice: new payments go through it."""
    return gateway_named(settings.PAYMENT_GATEWAY)


def gateway_of(intent: PaymentIntent) -> Gateway:
    """The one that a payment was begun with, which stays its own when the operator chooses another."""
    return gateway_named(intent.gateway)


def gateway_named(name: str) -> Gateway:
    """Raises NoSuchFolder."""
    return open_gateway(name, settings.CONFIG.data, settings.GATEWAY_KEYS.get(name, {}).items())


def answer_of(question: Coroutine[Any, Any, Answer]) -> Answer:
    """The gateway's; silence and nonsense count as lost, never as declined."""

    async def asked(_: object) -> Answer:
        return await question

    try:
        return ask_sync(asked, within=PAYMENT_SECONDS)
    except Outside:
        return NotKnown("The bank did not answer in time.")


def settled(intent: PaymentIntent, answer: Answer) -> Order | None:
    """For a program, which has no browser: the first order, if it was paid. Raises Stale when the units were gone by
    the time the money came; the money goes back then.
    """
    now = timezone.now()
    match answer:
        case Captured(gateway_ref, checks):
            return place_order(intent_id=intent.public_id, gateway_ref=gateway_ref, checks=dict(checks), now=now)
        case Declined(sentence):
            payment_failed(intent_id=intent.public_id, sentence=sentence, now=now)
        case NotKnown(sentence):
            payment_unknown(intent_id=intent.public_id, sentence=sentence, now=now)
        case AtTheBank() | NeverSeen():
            # A gateway was told that there is no browser, so neither can be its answer; the worker looks.
            payment_unknown(intent_id=intent.public_id, sentence="The bank is being asked.", now=now)
    return None
