"""What goes in and out, as JSON. Money is a decimal text with its currency, so that no program rounds it."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from ninja import Schema
from pydantic import ConfigDict, Field, PlainSerializer, WithJsonSchema, model_validator

from crossdock.domain.values import Money as Amount


def _in_utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# One way to write a time (RFC 3339, UTC, milliseconds), whether an answer is kept for its repeat or made anew: pydantic
# alone would write microseconds, and Django's encoder milliseconds.
Moment = Annotated[
    datetime,
    PlainSerializer(_in_utc, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]


class Strict(Schema):
    """What comes in: an unknown field or another type is a mistake, not something to be dropped or turned silently."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @model_validator(mode="after")
    def _storable(self) -> Self:
        """JSON may carry a NUL character, the database may not."""
        for name, value in self:
            texts = value if isinstance(value, list) else [value]
            if any(isinstance(text, str) and "\x00" in text for text in texts):
                raise ValueError(f"{name} has a NUL character in it")
        return self


class Money(Schema):
    amount: str = Field(examples=["12.50"])
    currency: str = Field(examples=["USD"])

    @classmethod
    def of(cls, amount: Amount) -> "Money":
        return cls(currency=amount.currency, amount=str(amount))


class MoneyIn(Strict):
    amount: str = Field(pattern=r"^[0-9]{1,12}(\.[0-9]{1,4})?$", examples=["12.50"])
    currency: str = Field(pattern="^[A-Z]{3}$", examples=["USD"])

    @model_validator(mode="after")
    def _exact(self) -> Self:
        """Raises ValueError for no currency and for more decimals than the currency has: nothing is rounded behind
        anyone's back.
        """
        if self.exact.decimal != Decimal(self.amount):
            raise ValueError(f"{self.amount} has more decimals than {self.currency} has")
        return self

    @property
    def exact(self) -> Amount:
        return Amount.of(self.amount, self.currency)


Units = Annotated[int, Field(ge=0, le=1_000_000)]


class ListingIn(Strict):
    title: str = Field(min_length=1, max_length=300)
    description: str = Field("", max_length=20_000)
    price: MoneyIn = Field(description="In the seller's currency.")
    count: Units
    sku: str = Field("", max_length=200)
    images: list[str] = Field(default_factory=list, max_length=20)


class ListingChange(Strict):
    """Only what is sent is changed. `count` is what is left to sell."""

    title: str | None = Field(None, min_length=1, max_length=300)
    description: str | None = Field(None, max_length=20_000)
    price: MoneyIn | None = None
    count: Units | None = None
    images: list[str] | None = Field(None, max_length=20)


class AddressIn(Strict):
    name: str = Field(min_length=1, max_length=120)
    line1: str = Field(min_length=1, max_length=200)
    line2: str = Field("", max_length=200)
    city: str = Field(min_length=1, max_length=120)
    region: str = Field("", max_length=80)
    postal_code: str = Field("", max_length=20)
    country: str = Field(pattern="^[A-Z]{2}$", description="ISO 3166-1 alpha-2")
    company: str = Field("", max_length=120)
    phone: str = Field("", max_length=40)


class LineIn(Strict):
    variant: str = Field(max_length=20)
    quantity: int = Field(ge=1, le=999)
    offer: str = Field("", max_length=20, description="The accepted offer that this line is of: its units, its price.")


class QuoteIn(Strict):
    lines: list[LineIn] = Field(min_length=1, max_length=100)
    offer: str = Field("", max_length=20, description="The same for one line, as before lines could say it.")
    country: str = Field(pattern="^[A-Z]{2}$")


class QuoteLine(Schema):
    variant: str
    title: str
    quantity: int
    unit_price: Money
    total: Money
    available: int | None
    problem: str = Field(description="Empty when this many can be bought.")


class QuotePart(Schema):
    """What one seller's shop would get as an order of its own."""

    seller: str
    variants: list[str]
    items: Money
    shipping: Money | None
    problems: list[str] = Field(description="Why this part cannot be ordered; leave its lines out to order the rest.")


class QuoteOut(Schema):
    """`fingerprint` stands for these prices; send it with the order.

    Lines of several sellers are one payment and an order for each of `parts`, each with its own shipping. Nothing can
    be ordered while there are `problems`.
    """

    parts: list[QuotePart]
    lines: list[QuoteLine]
    items: Money
    shipping: Money | None
    total: Money | None
    problems: list[str]
    fingerprint: str


class BuyerIn(Strict):
    email: str = Field(max_length=254)
    name: str = Field(min_length=1, max_length=120)


class PaymentIn(Strict):
    token: str = Field(
        min_length=1, max_length=200, description="A means of payment, as the gateway's own page or library gave it."
    )


class OrderIn(Strict):
    """Lines may be of several sellers, in one currency. `fingerprint` is of the quote that the buyer agreed to."""

    buyer: BuyerIn
    ship_to: AddressIn
    lines: list[LineIn] = Field(min_length=1, max_length=100)
    offer: str = Field("", max_length=20, description="The same for one line, as before lines could say it.")
    fingerprint: str = Field(min_length=1, max_length=64)
    payment: PaymentIn


class OrderLineOut(Schema):
    id: int
    variant: str
    title: str
    sku: str
    quantity: int
    shipped: int
    rejected: int
    unit_price: Money


class ParcelOut(Schema):
    id: int
    tracking_number: str
    carrier: str
    tracking_url: str
    shipped_at: Moment
    source: Literal["shop", "seller"]
    lines: list[dict[str, int]]


class CopyOut(Schema):
    """How far the proof got that the order stands in the shop."""

    state: str
    shop_order_id: str
    shop_number: str
    shop_url: str
    intended_at: Moment
    sent_at: Moment | None
    acknowledged_at: Moment | None
    equal_at: Moment | None
    differences: list[Any]
    sentence: str


class EntryOut(Schema):
    at: Moment
    source: str
    kind: str
    sentence: str


class RiskOut(Schema):
    level: str
    available: int
    asked: int
    reasons: list[str]


class OrderOut(Schema):
    id: str
    number: int
    reference: str
    seller: str
    money: str
    parcels: str
    items: Money
    shipping: Money
    total: Money
    credited: Money
    ship_to: dict[str, str]
    placed_at: Moment
    ship_by: Moment
    cancelled_at: Moment | None
    lines: list[OrderLineOut]
    shipments: list[ParcelOut]
    shop_copy: CopyOut | None
    risk: RiskOut
    timeline: list[EntryOut]


class ReturnedPart(Schema):
    """A seller's part of a payment that came to no order: its units were gone when the money came."""

    seller: str
    amount: Money
    sentence: str


class PlacedOut(OrderOut):
    """The payment's first order. `others` are further sellers' orders; `returned` goes back to the buyer."""

    others: list[OrderOut]
    returned: list[ReturnedPart]


class OrderPage(Schema):
    items: list[OrderOut]
    next: str | None


class CheckingOut(Schema):
    """The bank did not answer in time; it is being asked.

    Look at `poll` for what came of it: captured (then `order` is there, and `orders` has all of them), declined,
    abandoned.
    """

    checkout: str
    state: str
    order: str | None = None
    orders: list[str] = []
    sentence: str = ""
    poll: str


class ShipLine(Strict):
    line: int
    quantity: int = Field(ge=1, le=999)


class ShipIn(Strict):
    """Without `lines` everything that is left is in the parcel."""

    tracking_number: str = Field("", max_length=120)
    carrier: str = Field("", max_length=80)
    lines: list[ShipLine] | None = Field(None, max_length=100)


class TrackingIn(Strict):
    tracking_number: str = Field(min_length=1, max_length=120)
    carrier: str = Field("", max_length=80)


class RejectIn(Strict):
    reason: Literal["not_available", "damaged", "lost", "price_error", "buyer_asked", "fraud", "other"]
    expected_total: MoneyIn = Field(
        description="The order's total; another amount is refused, so nobody credits what they did not look at."
    )


class RejectLine(Strict):
    line: int
    quantity: int = Field(ge=1, le=999)
    reason: Literal["not_available", "damaged", "lost", "price_error", "buyer_asked", "fraud", "other"]


class RejectLinesIn(Strict):
    """Without `expected_total` nothing happens: the answer says what would.

    Send its `total` back, under another key, to confirm it.
    """

    lines: list[RejectLine] = Field(min_length=1, max_length=200)
    expected_total: MoneyIn | None = None


class RejectedLineOut(Schema):
    line: int
    quantity: int
    credit: Money
    stock: str


class RejectLinesOut(Schema):
    """`total` goes back to the buyer, each line's share of the shipping in it; `whole` says that nothing is left and
    the order is cancelled.
    """

    done: bool
    total: Money
    whole: bool
    shop: str
    lines: list[RejectedLineOut]


class CreditAskIn(Strict):
    amount: MoneyIn
    reason: str = Field(min_length=1, max_length=300)
    words: str = Field("", max_length=4000)


class CreditOut(Schema):
    """`state`: asked and second wait for staff; granted is on its way, refunded confirmed by the bank, failed refused
    by it.
    """

    id: str
    state: str
    amount: Money
    reason: str


class CreatingOut(Schema):
    """It is looked for in the shop by our reference first, and created when it is not there."""

    why_it_was_missing: str
    order: OrderOut


class ProblemOut(Schema):
    """application/problem+json"""

    type: str
    title: str
    status: int
    detail: str
