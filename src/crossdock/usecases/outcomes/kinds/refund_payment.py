"""Money goes back through the gateway that took it."""

from crossdock.domain.commands import CommandKind, Done, Refused
from crossdock.store.models import PaymentIntent
from crossdock.store.models.work import PartyKind
from crossdock.usecases.money import books
from crossdock.usecases.money.credits import refund_done, refund_refused
from crossdock.usecases.money.without_order import not_gone_back
from crossdock.usecases.outbox.payloads import REFUND
from crossdock.usecases.outcomes.kinds.kind import Facts, Held, Kind, a_person_decides
from crossdock.usecases.record.agent_news import tell_agent
from crossdock.usecases.record.telling import Telling


def done(held: Held, outcome: Done, facts: Facts) -> None:
    order, refund = held.order, REFUND.validate_python(held.row.payload)
    if order is None:
        tell_agent(refund.intent, cause=f"back:{held.row.pk}", now=facts.told.now)
        return
    books.post_refund_done(order=order, amount_minor=refund.amount_minor, cause=held.row.cause, now=facts.told.now)
    refund_done(credit=refund.credit, now=facts.told.now)
    words = "The money is on its way back to the buyer."
    facts.told.tell(order=order, source="marketplace", kind="refunded", sentence=words, public=True)


def refused(held: Held, outcome: Refused, told: Telling) -> None:
    refund = REFUND.validate_python(held.row.payload)
    if held.order is None:
        intent, amount = PaymentIntent.objects.get(public_id=refund.intent), refund.amount
        not_gone_back(intent=intent, amount=amount, key=held.row.cause, why=outcome.sentence, told=told)
        return
    refund_refused(credit=refund.credit, sentence=outcome.sentence)
    a_person_decides(held, outcome, told)


KIND = Kind(CommandKind.REFUND_PAYMENT, PartyKind.PAYMENT, REFUND, done=done, refused=refused)
