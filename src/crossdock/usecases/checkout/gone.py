"""Money of what came to no order goes back to the buyer: the whole payment, or one part of it to the cent."""

from collections.abc import Iterable
from datetime import datetime

from crossdock.domain.commands import CommandKind
from crossdock.domain.values import Money
from crossdock.store.models import Command, PaymentIntent
from crossdock.store.models.work import CommandState, PartyKind
from crossdock.usecases.checkout.parts import Part
from crossdock.usecases.outbox.payloads import REFUND, RefundPayment
from crossdock.usecases.outbox.queue import enqueue, party_named


def give_back(*, intent: PaymentIntent, now: datetime) -> None:
    _ask_gateway(intent, Money(intent.amount_minor, intent.currency), f"refund:intent:{intent.public_id}", now=now)


def give_part_back(*, intent: PaymentIntent, part: Part, now: datetime) -> None:
    """Once per part: its number is in the cause."""
    _ask_gateway(intent, part.total, _cause(intent, part), now=now)


def given_back(intent: PaymentIntent, parts: Iterable[Part]) -> frozenset[int]:
    """The numbers of those parts whose money is surely back."""
    by_cause = {_cause(intent, part): part.number for part in parts}
    done = Command.objects.filter(cause__in=by_cause, state=CommandState.DONE, result="done") if by_cause else ()
    return frozenset(by_cause[command.cause] for command in done)


def _cause(intent: PaymentIntent, part: Part) -> str:
    return f"refund:intent:{intent.public_id}:{part.number}"


def _ask_gateway(intent: PaymentIntent, amount: Money, cause: str, *, now: datetime) -> None:
    enqueue(
        party=party_named(kind=PartyKind.PAYMENT, name=intent.gateway),
        cause=cause,
        subject=f"intent:{intent.public_id}",
        kind=CommandKind.REFUND_PAYMENT,
        payload=REFUND.dump_python(RefundPayment(intent.public_id, amount.minor, amount.currency), mode="json"),
        now=now,
    )
