"""Money goes back through the gateway that took it."""

from datetime import datetime

from crossdock.domain.commands import CommandKind, Done, Refused
from crossdock.store.models.work import PartyKind
from crossdock.usecases.money import books
from crossdock.usecases.money.credits import refund_done, refund_refused
from crossdock.usecases.outbox.payloads import REFUND
from crossdock.usecases.outcomes.kinds.kind import Facts, Held, Kind, a_person_decides
from crossdock.usecases.record.timeline import tell


def done(held: Held, outcome: Done, facts: Facts) -> None:
    order = held.order
    if order is None:
        return
    refund = REFUND.validate_python(held.row.payload)
    books.post_refund_done(order=order, amount_minor=refund.amount_minor, cause=held.row.cause, now=facts.now)
    refund_done(credit=refund.credit, now=facts.now)
    words = "The money is on its way back to the buyer."
    tell(order=order, now=facts.now, source="marketplace", kind="refunded", sentence=words, public=True)


def refused(held: Held, outcome: Refused, now: datetime) -> None:
    refund_refused(credit=REFUND.validate_python(held.row.payload).credit, sentence=outcome.sentence)
    a_person_decides(held, outcome, now)


KIND = Kind(CommandKind.REFUND_PAYMENT, PartyKind.PAYMENT, REFUND, done=done, refused=refused)
