"""A seller's balance, statement and payouts, by a program: the numbers that the panel shows."""

from datetime import UTC, datetime
from typing import Annotated, Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Router, Schema
from pydantic import BeforeValidator, Field

from crossdock.domain.currencies import CURRENCIES
from crossdock.domain.earnings import balance as words
from crossdock.domain.values import Money as Amount
from crossdock.store.models import Payout
from crossdock.usecases.errors import Invalid
from crossdock.usecases.money.balance import balances
from crossdock.usecases.money.queries import payouts_of
from crossdock.usecases.money.statement import Line, Period, lines_of, page_of
from crossdock.web.api.people import after_cursor, cursor_after, seller_only
from crossdock.web.api.shapes import Moment, Money, ProblemOut


def _written(given: str) -> str:
    """Raises ValueError for a bare number, which pydantic would take for seconds since 1970."""
    if given.strip().lstrip("+-").replace(".", "", 1).isdecimal():
        raise ValueError("write a time as 2026-11-30T12:00:00Z")
    return given


When = Annotated[datetime, BeforeValidator(_written)]
router = Router(tags=["money"])
PAGE = 100


class BalanceOut(Schema):
    currency: str
    available: Money = Field(description="Below zero when the seller owes the marketplace.")
    pending: Money = Field(description="Of orders that are not delivered long enough.")
    held: Money = Field(description="Disputed by a buyer's bank, or what an open return would credit.")
    owed: Money = Field(description="The three together: what the books owe the seller.")


class LineOut(Schema):
    at: Moment
    kind: str = Field(description="paid, credit, label, label_void and so on; a new kind may come.")
    sentence: str
    order: str | None = Field(description="The order's id.")
    amount: Money
    fee: Money = Field(description="The commission: below zero of an order, above of a credit.")
    net: Money = Field(description="Amount and fee together: what the balance gained.")


class StatementPage(Schema):
    items: list[LineOut]
    next: str | None


class PayoutOut(Schema):
    id: str
    amount: Money
    state: str = Field(description="intended, acknowledged (the bank has it), paid, refused or returned.")
    to: str = Field(description="The bank account, as people read it.")
    sentence: str = Field(description="Why it did not arrive; empty otherwise.")
    intended_at: Moment
    acknowledged_at: Moment | None
    paid_at: Moment | None
    ended_at: Moment | None = Field(description="When it was refused or came back.")


class PayoutsPage(Schema):
    items: list[PayoutOut]
    next: str | None


class OnePayoutOut(PayoutOut):
    lines: list[LineOut] = Field(
        description=(
            "What moved the balance in its currency since the payout before. A payout is all that was available: where"
            " orders still waited, or had waited before, the lines add up to another sum."
        )
    )
    next: str | None = Field(description="A cursor for further lines.")


@router.get("/balance", response=list[BalanceOut], url_name="balance", summary="Of each currency")
def balance(request: HttpRequest) -> list[BalanceOut]:
    """With a seller's own token."""
    return [_balance(one) for one in balances(_seller(request), now=timezone.now())]


@router.get(
    "/statement",
    response={200: StatementPage, 422: ProblemOut},
    url_name="statement",
    summary="What moved the balance, newest first",
)
def statement(
    request: HttpRequest,
    currency: str = "",
    since: When | None = None,
    until: When | None = None,
    cursor: str | None = None,
) -> dict[str, Any]:
    """In one currency, the seller's own where none is named; from `since`, before `until`. A time without a zone is
    UTC.
    """
    seller = _seller(request)
    if currency and currency not in CURRENCIES:
        raise Invalid(f"{currency[:10]} is no currency.")
    period = Period(currency or seller.currency, _in_utc(since), _in_utc(until))
    found = page_of(seller=seller, period=period, before=after_cursor(cursor), limit=PAGE + 1)
    following = cursor_after(found[PAGE - 1].id) if len(found) > PAGE else None
    return {"items": [_line(line) for line in found[:PAGE]], "next": following}


@router.get("/payouts", response=PayoutsPage, url_name="payouts", summary="Newest first")
def payouts(request: HttpRequest, currency: str = "", cursor: str | None = None) -> dict[str, Any]:
    """In every currency, or in the one that is named."""
    rows = payouts_of(_seller(request))
    rows = rows.filter(currency=currency) if currency else rows
    before = after_cursor(cursor)
    found = list((rows if before is None else rows.filter(pk__lt=before))[: PAGE + 1])
    following = cursor_after(found[PAGE - 1].pk) if len(found) > PAGE else None
    return {"items": [_payout(row) for row in found[:PAGE]], "next": following}


@router.get(
    "/payouts/{id}",
    response={200: OnePayoutOut, 404: ProblemOut},
    url_name="payout",
    summary="One payout and what led to it",
)
def payout(request: HttpRequest, id: str, cursor: str | None = None) -> dict[str, Any]:
    row = get_object_or_404(payouts_of(_seller(request)), public_id=id)
    found = lines_of(payout=row, before=after_cursor(cursor), limit=PAGE + 1)
    following = cursor_after(found[PAGE - 1].id) if len(found) > PAGE else None
    return {**_payout(row), "lines": [_line(line) for line in found[:PAGE]], "next": following}


def _payout(row: Payout) -> dict[str, Any]:
    moments = ("intended_at", "acknowledged_at", "paid_at", "ended_at")
    said = {"id": row.public_id, "amount": Money.of(row.amount), "state": row.state, "to": row.words}
    return {**said, "sentence": row.sentence, **{name: getattr(row, name) for name in moments}}


def _seller(request: HttpRequest) -> Any:
    seller = seller_only(request).seller
    assert seller is not None, "a seller's token has its seller"
    return seller


def _in_utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _balance(one: words.Balance) -> BalanceOut:
    available, pending, held, owed = (
        Money.of(Amount(minor, one.currency)) for minor in (one.available, one.pending, one.held, one.owed)
    )
    return BalanceOut(currency=one.currency, available=available, pending=pending, held=held, owed=owed)


def _line(line: Line) -> LineOut:
    return LineOut(
        at=line.at,
        kind=line.kind,
        sentence=line.words,
        order=line.order.public_id if line.order else None,
        amount=Money.of(line.gross),
        fee=Money.of(line.fee),
        net=Money.of(line.net),
    )
