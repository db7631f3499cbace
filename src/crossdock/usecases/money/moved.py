"""A credit for money that the bank has moved already: nobody is asked for it."""

from crossdock.domain.credit import CreditKind, CreditState
from crossdock.domain.orders import MoneyState
from crossdock.domain.values import Money
from crossdock.store.models import Credit, Order, User
from crossdock.usecases.money import books
from crossdock.usecases.record.telling import Telling


def credit_moved(
    *, order: Order, amount: Money, cause: str, reason: str, told: Telling, actor: User | None = None, note: str = ""
) -> None:
    """In the books against `refunds_due`; the caller books what kept that promise. It holds the order's lock, and there
    is so much left. The buyer reads `reason`, the seller `note` as well.
    """
    Credit.objects.create(
        order=order,
        cause=cause,
        kind=CreditKind.BANK,
        state=CreditState.REFUNDED,
        amount_minor=amount.minor,
        currency=order.currency,
        reason=reason[:300],
        note=note[:300],
        asked_by=actor,
        asked_at=told.now,
        granted_at=told.now,
        refunded_at=told.now,
    )
    books.post_credit(order=order, amount_minor=amount.minor, cause=cause, told=told)
    credited(order, amount.minor)


def credited(order: Order, minor: int) -> None:
    """So much more went back to the buyer, below zero so much less."""
    order.credited_minor += minor
    if order.credited_minor == order.total_minor:
        order.money = MoneyState.CREDITED
    else:
        order.money = MoneyState.PARTLY_CREDITED if order.credited_minor else MoneyState.PAID
    order.save(update_fields=["credited_minor", "money"])
