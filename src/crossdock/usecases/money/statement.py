"""A seller's statement: what moved their balance in a period, line by line, read from the books. Nothing here writes.

What was owed before the period and its lines are what is owed after it, exactly.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import CharField, F, Func, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce, JSONObject

from crossdock.domain.earnings.balance import KIND_WORDS, LineKind, kind_of
from crossdock.domain.earnings.commission import Rate
from crossdock.domain.values import Money
from crossdock.store.models import Credit, Entry, Order, OrderLine, Payout, Seller
from crossdock.usecases.money.books import seller_account

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Period:
    """From `since`, before `until`; open where one is None."""

    currency: str
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One movement. `gross` and `fee` add up to `net`, which is what the seller's balance gained: of an order the fee
    is below zero, of a credit above.
    """

    id: int
    at: datetime
    kind: LineKind
    words: str
    order: Order | None
    gross: Money
    fee: Money
    net: Money


@dataclass(frozen=True, slots=True)
class KindSum:
    kind: LineKind
    count: int
    gross: Money
    fee: Money
    net: Money


@dataclass(frozen=True, slots=True)
class Sums:
    """`before` and the nets of `kinds` are `after`."""

    before: Money
    kinds: tuple[KindSum, ...]
    after: Money


def _moved(seller: Seller, period: Period) -> QuerySet[Entry]:
    """Newest first, each with what the marketplace kept of the same transfer."""
    found = Entry.objects.filter(account=seller_account(seller.pk), currency=period.currency)
    if period.since is not None:
        found = found.filter(transfer__at__gte=period.since)
    if period.until is not None:
        found = found.filter(transfer__at__lt=period.until)
    kept = Entry.objects.filter(transfer=OuterRef("transfer"), account="fees", currency=OuterRef("currency"))
    summed = kept.order_by().values("transfer").annotate(sum=Sum("amount_minor")).values("sum")
    return found.annotate(kept=Coalesce(Subquery(summed), 0)).order_by("-pk")


def page_of(*, seller: Seller, period: Period, before: int | None, limit: int) -> list[Line]:
    """The newest first; `before` is the id of the last line of the page before."""
    rows = _with_lines(_moved(seller, period))
    return _lines((rows if before is None else rows.filter(pk__lt=before))[:limit])


def lines_of(*, payout: Payout, before: int | None, limit: int) -> list[Line]:
    """What moved the balance in a payout's currency since the payout before; newest first, as `page_of`."""
    period = Period(payout.currency)
    made = Entry.objects.filter(account=seller_account(payout.seller_id), currency=payout.currency)
    sent = made.filter(transfer__cause__startswith="payout:")
    (until,) = sent.filter(transfer__cause=f"payout:{payout.public_id}").values_list("pk", flat=True)
    since = sent.filter(pk__lt=until).order_by("-pk").values_list("pk", flat=True).first() or 0
    rows = _moved(payout.seller, period).filter(pk__gt=since, pk__lt=min(until, before or until))
    return _lines(_with_lines(rows)[:limit])


def every(*, seller: Seller, period: Period) -> Iterator[list[Line]]:
    """All of them, page by page."""
    before: int | None = None
    while page := page_of(seller=seller, period=period, before=before, limit=_PAGE):
        yield page
        before = page[-1].id


def _lines(rows: QuerySet[Entry]) -> list[Line]:
    found = list(rows)
    reasons = _reasons(found)
    return [_line(row, reasons) for row in found]


def _with_lines(rows: QuerySet[Entry]) -> QuerySet[Entry]:
    """Each with its order, and what was kept of each of that one's lines; in the same statement. Orders of before there
    were rates by line have none.
    """
    lines = OrderLine.objects.filter(order=OuterRef("transfer__order"), fee_points__isnull=False).order_by("pk")
    names = ("quantity", "title", "fee_minor", "fee_points", "fee_why")
    each = ArraySubquery(lines.values(json=JSONObject(**{name: name for name in names})))
    return rows.select_related("transfer__order").annotate(charged=each)


def _fees_in_words(row: Entry) -> str:
    """Of a paid order: its lines with rate and why; of one rate for all it is said once."""
    if not row.transfer.cause.startswith("paid:"):
        return ""
    lines = row.charged  # type: ignore[attr-defined]
    rates = [Rate(line["fee_points"], line["fee_why"]).words for line in lines]
    if len(set(rates)) == 1:
        return f"our fee is {rates[0]}"
    fees = [Money(line["fee_minor"], row.currency).words for line in lines]
    return "; ".join(
        f"{line['quantity']} × {line['title']}: fee {minor} ({rate})"
        for line, minor, rate in zip(lines, fees, rates, strict=True)
    )


def _reasons(rows: Sequence[Entry]) -> dict[str, str]:
    """Why a credit was given, by the transfer's cause; one statement, and none without credits."""
    causes = [row.transfer.cause.removeprefix("credit:") for row in rows if row.transfer.cause.startswith("credit:")]
    if not causes:
        return {}
    known = Credit.objects.filter(cause__in=causes).values_list("cause", "reason", "note")
    return {f"credit:{cause}": _why(cause, reason, note) for cause, reason, note in known}


def _why(cause: str, reason: str, note: str) -> str:
    """Of a dispute the seller reads why they bear it; other notes are staff's own."""
    return f"{reason} {note}" if cause.startswith("dispute:") else reason


def _line(row: Entry, reasons: dict[str, str]) -> Line:
    transfer, code = row.transfer, row.currency
    net, fee = -row.amount_minor, row.kept  # type: ignore[attr-defined]
    kind = kind_of(transfer.cause)
    words = transfer.sentence
    if reason := reasons.get(transfer.cause) or _fees_in_words(row):
        words = f"{words}: {reason}"
    money = [Money(minor, code) for minor in (net - fee, fee, net)]
    return Line(row.pk, transfer.at, kind, words, transfer.order, *money)


def sums(*, seller: Seller, period: Period) -> Sums:
    """What was owed before, what moved by kind, what was owed after; two statements."""
    code, before = period.currency, 0
    if period.since is not None:
        earlier = _moved(seller, Period(code, until=period.since)).order_by().aggregate(sum=Sum("amount_minor"))
        before = -(earlier["sum"] or 0)
    word = Func(F("transfer__cause"), Value(":"), Value(1), function="split_part", output_field=CharField())
    rows = _moved(seller, period).order_by().annotate(word=word)
    found: dict[LineKind, list[int]] = defaultdict(lambda: [0, 0, 0])
    for name, net, fee, count in rows.values_list("word").annotate(
        net=-Sum("amount_minor"), fee=Sum("kept"), count=Sum(Value(1))
    ):
        parts = found[kind_of(name)]
        for place, more in enumerate((net, fee, count)):
            parts[place] += more
    kinds = tuple(
        KindSum(kind, count, Money(net - fee, code), Money(fee, code), Money(net, code))
        for kind in KIND_WORDS
        if kind in found
        for net, fee, count in [found[kind]]
    )
    after = before + sum(one.net.minor for one in kinds)
    return Sums(Money(before, code), kinds, Money(after, code))
