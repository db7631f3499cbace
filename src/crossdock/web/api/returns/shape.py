"""A return, and its receipt, as the API shows them and takes them in."""

from typing import Any, Literal

from ninja import Schema
from pydantic import Field

from crossdock.domain.requests.returns import LONGEST_WORDS
from crossdock.store.models import Return
from crossdock.usecases.requests.receive import Receipt
from crossdock.web.api.shapes import Moment, Money, MoneyIn, Strict


class ReturnLineOut(Schema):
    """`line` is the order's. `received` of the `units` came back; null until the receipt."""

    line: int
    title: str
    sku: str
    units: int
    received: int | None
    condition: str
    fate: str


class ReturnOut(Schema):
    """`state` is asked, accepted, declined, taken_back, received, refunded (in the shop) or lapsed (accepted, and not
    sent by `due_at`). `withdrawal`: the buyer withdrew from the contract, which cannot be declined. `due_at`: when the
    next step is due. `words` are the buyer's; `pictures` are addresses of theirs, read with the same token; the
    marketplace's own is shown none. `credited` and `kept` are known once it was received.
    """

    id: str
    order: str
    order_number: int
    seller: str
    state: str
    withdrawal: bool
    reason: str
    words: str
    pictures: list[str]
    answer: str
    send_to: str
    payer: str
    label: str
    carrier: str
    tracking_number: str
    asked_at: Moment
    due_at: Moment | None
    answered_at: Moment | None
    sent_at: Moment | None
    closed_at: Moment | None
    credited: Money | None
    kept: Money | None
    kept_why: str
    lines: list[ReturnLineOut]


class ReturnPage(Schema):
    items: list[ReturnOut]
    next: str | None


class AcceptIn(Strict):
    """With a `label` (a link, or its number) where the seller pays."""

    send_to: str = Field("", max_length=LONGEST_WORDS, description="Left out, it is where the seller ships from")
    payer: Literal["buyer", "seller"] = Field(description="Of the way back")
    label: str = Field("", max_length=500)


class DeclineReturnIn(Strict):
    answer: str = Field(min_length=1, max_length=LONGEST_WORDS, description="The buyer reads it")


class GotIn(Strict):
    """`fate`: for sale again, not for sale, or entered as a return in the shop by its seller. What came back used or
    damaged is not restocked.
    """

    line: int = Field(ge=1, le=9_223_372_036_854_775_807, description="The order's line")
    units: int = Field(ge=0, le=999, description="How many of them came back")
    condition: Literal["as_sent", "used", "damaged"] = "as_sent"
    fate: Literal["restock", "aside", "in_shop"]


class ReceiveIn(Strict):
    """Without `expected_total` nothing is done and the answer says what would be; with the `total` that it gave, it is
    done.
    """

    lines: list[GotIn] = Field(min_length=1, max_length=100)
    kept: MoneyIn | None = Field(None, description="What the seller keeps of it for what came back used or damaged")
    kept_why: str = Field("", max_length=300, description="The buyer reads it")
    expected_total: MoneyIn | None = None


class GotOut(Schema):
    line: int
    units: int
    paid: Money
    stock: str


class ReceiptOut(Schema):
    """`whole` is what was paid for what came back; `delivery` in it the units' share of the delivery, null where the
    reason leaves that paid. `before` went back since it was asked for. `total` is credited to the buyer; `capped`: no
    more is left of the payment.
    """

    done: bool
    whole: Money
    delivery: Money | None
    before: Money
    kept: Money
    total: Money
    capped: bool
    lines: list[GotOut]


def return_out(row: Return, *, with_pictures: bool) -> dict[str, Any]:
    """Of a row with its lines and pictures fetched."""
    received = row.state == "received"
    return ReturnOut(
        id=row.public_id,
        order=row.order.public_id,
        order_number=row.order.number,
        seller=row.order.seller.slug,
        state=row.state,
        withdrawal=row.binding,
        reason=row.reason,
        words=row.words,
        pictures=[
            f"/api/v1/returns/{row.public_id}/pictures/{picture.name}"
            for picture in (row.pictures.all() if with_pictures else ())
        ],
        answer=row.answer,
        send_to=row.send_to,
        payer=row.payer,
        label=row.label,
        carrier=row.carrier,
        tracking_number=row.tracking_number,
        asked_at=row.asked_at,
        due_at=row.due_at,
        answered_at=row.answered_at,
        sent_at=row.sent_at,
        closed_at=row.closed_at,
        credited=Money.of(row.credit.amount) if row.credit else None,
        kept=Money.of(row.kept) if received else None,
        kept_why=row.kept_why,
        lines=[
            ReturnLineOut(
                line=part.line_id,
                title=part.line.title,
                sku=part.line.sku,
                units=part.units,
                received=part.received,
                condition=part.condition,
                fate=part.fate,
            )
            for part in row.lines.all()
        ],
    ).model_dump(mode="json")


def receipt_out(shown: Receipt, *, done: bool) -> dict[str, Any]:
    return ReceiptOut(
        done=done,
        whole=Money.of(shown.whole),
        delivery=Money.of(shown.delivery) if shown.delivery is not None else None,
        before=Money.of(shown.before),
        kept=Money.of(shown.kept),
        total=Money.of(shown.total),
        capped=shown.capped,
        lines=[
            GotOut(
                line=each.part.line_id,
                units=each.got.units,
                paid=Money.of(each.credit),
                stock=each.stock_sentence,
            )
            for each in shown.lines
        ],
    ).model_dump(mode="json")
