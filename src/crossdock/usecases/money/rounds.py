"""A dispute in the books, round by round: what the bank took, gave back and took again, for as often as it does.

The books are moved to what the bank says, from what they say themselves. So news that is repeated moves nothing, and
none is missed because one like it came before.
"""

from datetime import datetime

from django.db.models import Q, QuerySet

from crossdock.domain.credit import CreditKind
from crossdock.domain.mails.orders import BANK_GAVE_CANCELLED, BANK_GAVE_RETURNED
from crossdock.domain.payments import Dispute, DisputeState
from crossdock.domain.values import Money
from crossdock.store.models import Entry, Order, PaymentIntent, TimelineEntry, Transfer
from crossdock.usecases.money import books, disputes
from crossdock.usecases.money.credits import grant, tell_granted
from crossdock.usecases.money.left import room
from crossdock.usecases.money.returned import short
from crossdock.usecases.record.telling import Telling

TOLD = "dispute"


def follow(order: Order, dispute: Dispute, beside: str, *, told: Telling) -> bool:
    """Whether money moved. A bank that takes it takes it from what we hold there; once it has won, staff decide who
    bears it, and what was decided before about another amount, or about money that came back, is taken back.
    """
    moves = _moves(order, dispute.dispute_id, beside)
    causes, held = [cause for cause, _ in moves], -sum(minor for _, minor in moves)
    there = dispute.state.with_the_bank(dispute.amount.minor, before=held)
    if there != held:
        disputes.given_back(order=order, causes=causes, told=told)
        word = "disputed" if there > held else "dispute_won"
        causes.append(_cause(word, f"{dispute.dispute_id}{beside}", causes))
        books.post(
            cause=causes[-1],
            order=order,
            sentence=f"Dispute over order {order}{'' if there > held else ' won'}",
            now=told.now,
            entries={"gateway": held - there, "disputed": there - held},
        )
    if dispute.state is DisputeState.LOST and causes:
        amount = Money(there, order.currency)
        disputes.lost(order=order, cause=causes[-1], amount=amount, reason=dispute.reason, now=told.now)
    if there < held:
        _credit_what_waited(order, causes, told=told)
    return there != held


def _credit_what_waited(order: Order, causes: list[str], *, told: Telling) -> None:
    """While the bank had it nobody was credited for a cancel or for what came back; now it is owed."""
    back, kind = room(order), CreditKind.REJECT
    reason = BANK_GAVE_CANCELLED
    sentence = "The bank gave the money of a cancelled order back."
    if order.cancelled_at is None:
        since = Transfer.objects.get(cause=causes[0]).at
        back, kind = min(back, Money(short(order, since), order.currency)), CreditKind.RETURN
        reason = BANK_GAVE_RETURNED
        sentence = "The bank gave money back that is due for goods that were returned."
    if not back.minor:
        return
    cause = f"{order.reference}:{causes[-1]}"[:100]
    credit = grant(order=order, amount=back, kind=kind, cause=cause, reason=str(reason), told=told)
    sentence = f"{sentence} The buyer is refunded {back.words}."
    tell_granted(credit, order, source="marketplace", sentence=sentence, told=told, why=reason)


def touches(order: Order, dispute: Dispute, beside: str) -> bool:
    """Whether it ever moved money of this order."""
    return bool(_moves(order, dispute.dispute_id, beside))


def _cause(word: str, name: str, before: list[str]) -> str:
    """The first of its kind has the bank's id alone; a later one its number as well."""
    number = 1 + sum(cause.startswith(f"{word}:") for cause in before)
    return f"{word}:{name}" if number == 1 else f"{word}:{name}/{number}"


def _moves(order: Order, dispute_id: str, beside: str) -> list[tuple[str, int]]:
    """Causes and what each brought to the gateway, oldest first."""
    which = Q()
    for word in ("disputed", "dispute_won"):
        first = f"{word}:{dispute_id}{beside}"
        which |= Q(cause=first) | Q(cause__startswith=f"{first}/")
    rows = Transfer.objects.filter(which, order=order, entries__account="gateway")
    return list(rows.order_by("pk").values_list("cause", "entries__amount_minor"))


def states_told(order: Order, dispute: Dispute) -> list[str]:
    """What was told of it so far, oldest first."""
    lines = TimelineEntry.objects.filter(order=order, kind=TOLD, evidence__dispute=dispute.dispute_id)
    return [str(state) for state in lines.order_by("pk").values_list("evidence__state", flat=True)]


def last_news(intent: PaymentIntent) -> int:
    """Names what was taken in so far of a payment's disputes: another number later, and there was news between."""
    lines = TimelineEntry.objects.filter(order__intent=intent, kind=TOLD)
    return lines.order_by("-pk").values_list("pk", flat=True).first() or 0


def in_dispute(*, gateway: str, since: datetime) -> QuerySet[PaymentIntent]:
    """Payments of which a bank took or gave back money since then: the next round may come without a word."""
    moved = Entry.objects.filter(account="disputed", transfer__at__gte=since)
    orders = Order.objects.filter(pk__in=moved.values("transfer__order"))
    return PaymentIntent.objects.filter(gateway=gateway, pk__in=orders.values("intent"))
