"""The books’ postings of a period as rows: each side of a transfer, with whose account it is. Nothing here writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import CharField, F, Func, Q, QuerySet, Value

from crossdock.domain.earnings.report import Figure
from crossdock.domain.values import Money
from crossdock.store.models import Entry, Order, Seller
from crossdock.usecases.money.books import seller_account
from crossdock.usecases.money.statement import Period


@dataclass(frozen=True, slots=True)
class Posting:
    """One side of a transfer; `amount` is what the account gained. `seller` is whose account it is, or whose order."""

    id: int
    transfer: int
    at: datetime
    cause: str
    words: str
    account: str
    seller: Seller | None
    order: Order | None
    amount: Money


def of_figure(*, figure: Figure, period: Period, before: int | None, limit: int) -> list[Posting]:
    """The rows that a figure is the sum of, newest first; `before` is the id of the last row of the page before."""
    word = Func(F("transfer__cause"), Value(":"), Value(1), function="split_part", output_field=CharField())
    found = _rows(period).annotate(word=word).filter(word__in=figure.words)
    found = found.filter(Q(account=figure.account) | Q(account__startswith=f"{figure.account}:"))
    if before is not None:
        at = Entry.objects.filter(pk=before).values_list("transfer__at", flat=True).first()
        if at is None:
            return []
        found = found.filter(Q(transfer__at__lt=at) | Q(transfer__at=at, pk__lt=before), transfer__at__lte=at)
    return _postings(list(found.order_by("-transfer__at", "-pk")[:limit]))


def _rows(period: Period) -> QuerySet[Entry]:
    found = Entry.objects.filter(currency=period.currency).select_related("transfer__order__seller")
    if period.since is not None:
        found = found.filter(transfer__at__gte=period.since)
    if period.until is not None:
        found = found.filter(transfer__at__lt=period.until)
    return found


def _postings(rows: Sequence[Entry]) -> list[Posting]:
    """Sellers of accounts that no order names are read together."""
    keys = {row.account.removeprefix("seller:") for row in rows if row.account.startswith("seller:")}
    named = (
        {seller_account(key): seller for key, seller in Seller.objects.in_bulk(map(int, keys)).items()} if keys else {}
    )
    return [_posting(row, named.get(row.account)) for row in rows]


def _posting(row: Entry, owner: Seller | None) -> Posting:
    transfer, order = row.transfer, row.transfer.order
    seller = owner or (order.seller if order else None)
    amount = Money(row.amount_minor, row.currency)
    return Posting(
        row.pk, transfer.pk, transfer.at, transfer.cause, transfer.sentence, row.account, seller, order, amount
    )
