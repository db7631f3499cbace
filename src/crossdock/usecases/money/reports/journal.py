"""The books’ postings of a period as rows: each side of a transfer, with whose account it is. Nothing here writes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import CharField, F, Func, Q, QuerySet, Value
from django.db.models.functions import Replace

from crossdock.domain.earnings.report import Figure
from crossdock.domain.values import Money
from crossdock.store.models import Entry, Order, Seller
from crossdock.usecases.money.books import seller_account
from crossdock.usecases.money.statement import Period

_PAGE = 1000


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
    cause = Replace(F("transfer__cause"), Value("credit:dispute:"), Value("credit_dispute:"))
    word = Func(cause, Value(":"), Value(1), function="split_part", output_field=CharField())
    found = _rows(period.since, period.until).filter(currency=period.currency)
    found = found.annotate(word=word).filter(word__in=figure.words)
    found = found.filter(Q(account=figure.account) | Q(account__startswith=f"{figure.account}:"))
    if before is not None:
        at = Entry.objects.filter(pk=before).values_list("transfer__at", flat=True).first()
        if at is None:
            return []
        found = found.filter(Q(transfer__at__lt=at) | Q(transfer__at=at, pk__lt=before), transfer__at__lte=at)
    return _postings(list(found.order_by("-transfer__at", "-pk")[:limit]))


def every(*, since: datetime, until: datetime) -> Iterator[list[Posting]]:
    """All of them, of all currencies, as they happened, page by page. A transfer that is written meanwhile is in it
    with all of its sides or not at all: what was read always adds up to zero.
    """
    rows = _rows(since, until).order_by("transfer__at", "transfer_id", "pk")
    page = _postings(list(rows[:_PAGE]))
    while page:
        yield page
        last = page[-1]
        later = Q(transfer__at__gt=last.at) | Q(transfer__at=last.at, transfer_id__gt=last.transfer)
        later |= Q(transfer__at=last.at, transfer_id=last.transfer, pk__gt=last.id)
        page = _postings(list(rows.filter(later, transfer__at__gte=last.at)[:_PAGE]))


def _rows(since: datetime | None, until: datetime | None) -> QuerySet[Entry]:
    found = Entry.objects.select_related("transfer__order__seller")
    if since is not None:
        found = found.filter(transfer__at__gte=since)
    if until is not None:
        found = found.filter(transfer__at__lt=until)
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
