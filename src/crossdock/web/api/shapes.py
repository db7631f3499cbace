"""What goes in and out, as JSON. Money is always minor units with its currency, and the decimal beside it for people."""

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import ConfigDict, Field

from crossdock.domain.values import Money as Amount


class Strict(Schema):
    """What comes in: an unknown field is a mistake, not something to be dropped silently."""

    model_config = ConfigDict(extra="forbid")


class Money(Schema):
    minor: int
    currency: str
    amount: str

    @classmethod
    def of(cls, amount: Amount) -> "Money":
        return cls(minor=amount.minor, currency=amount.currency, amount=str(amount))


class VariantOut(Schema):
    id: str
    title: str
    sku: str
    price: Money
    available: int | None = Field(description="Units that may be sold now; null when unknown.")


class ListingOut(Schema):
    id: str
    seller: str
    title: str
    description: str
    images: list[str]
    currency: str
    state: str
    synced: bool
    offers: bool = Field(description="Whether buyers may make offers.")
    connection: str | None
    shop_url: str
    variants: list[VariantOut]
    why_not_live: list[str]
    updated_at: datetime


class ListingPage(Schema):
    items: list[ListingOut]
    next: str | None = Field(description="Opaque; send it as `cursor` to get the next page.")


Price = Annotated[int, Field(gt=0, le=10**12, description="In the smallest unit of the currency.")]
Units = Annotated[int, Field(ge=0, le=1_000_000)]


class ListingIn(Strict):
    title: str = Field(min_length=1, max_length=300)
    description: str = Field("", max_length=20_000)
    price_minor: Price
    count: Units
    sku: str = Field("", max_length=200)
    images: list[str] = Field(default_factory=list, max_length=20)


class ListingChange(Strict):
    """Only what is sent is changed. `count` is what is left to sell."""

    title: str | None = Field(None, min_length=1, max_length=300)
    description: str | None = Field(None, max_length=20_000)
    price_minor: Price | None = None
    count: Units | None = None
    images: list[str] | None = Field(None, max_length=20)


class OfferIn(Strict):
    amount_minor: Price
    email: str = Field(max_length=254)


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


class QuoteIn(Strict):
    lines: list[LineIn] = Field(min_length=1, max_length=100)
    country: str = Field(pattern="^[A-Z]{2}$")


class QuoteOut(Schema):
    items: Money
    shipping: Money | None
    total: Money | None
    problems: list[str]


class BuyerIn(Strict):
    email: str = Field(max_length=254)
    name: str = Field(min_length=1, max_length=120)


class PaymentIn(Strict):
    token: str = Field(
        min_length=1, max_length=200, description="A means of payment, as the gateway's own page or library gave it."
    )


class OrderIn(Strict):
    """All lines are of one seller's one shop. `expected_total_minor` is what the buyer agreed to, shipping included: see /quotes."""

    buyer: BuyerIn
    ship_to: AddressIn
    lines: list[LineIn] = Field(min_length=1, max_length=100)
    expected_total_minor: int
    payment: PaymentIn


class OrderLineOut(Schema):
    id: int
    variant: str
    title: str
    sku: str
    quantity: int
    shipped: int
    unit_price: Money


class ParcelOut(Schema):
    id: int
    tracking_number: str
    carrier: str
    tracking_url: str
    shipped_at: datetime
    source: Literal["shop", "seller"]
    lines: list[dict[str, int]]


class CopyOut(Schema):
    """How far the proof got that the order stands in the shop."""

    state: str
    shop_order_id: str
    shop_number: str
    shop_url: str
    intended_at: datetime
    sent_at: datetime | None
    acknowledged_at: datetime | None
    equal_at: datetime | None
    differences: list[Any]
    sentence: str


class EntryOut(Schema):
    at: datetime
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
    placed_at: datetime
    ship_by: datetime
    cancelled_at: datetime | None
    lines: list[OrderLineOut]
    shipments: list[ParcelOut]
    shop_copy: CopyOut | None
    risk: RiskOut
    timeline: list[EntryOut]


class OrderPage(Schema):
    items: list[OrderOut]
    next: str | None


class CheckingOut(Schema):
    """The bank did not answer in time; it is being asked. Look at /checkouts/{id} for what came of it."""

    checkout: str
    state: str
    order: str | None = None
    sentence: str = ""


class ShipLine(Strict):
    line: int
    quantity: int = Field(ge=1, le=999)


class ShipIn(Strict):
    """Without `lines` everything that is left is in the parcel."""

    tracking_number: str = Field("", max_length=120)
    carrier: str = Field("", max_length=80)
    lines: list[ShipLine] | None = Field(None, max_length=100)


class RejectIn(Strict):
    reason: Literal["not_available", "damaged", "lost", "price_error", "buyer_asked", "fraud", "other"]
    expected_total_minor: int = Field(
        description="The order's total; another amount is refused, so nobody credits what they did not look at."
    )


class ConnectionOut(Schema):
    id: str
    seller: str
    platform: str
    name: str
    address: str
    currency: str
    state: str
    sentence: str
    checks: list[dict[str, Any]]
    checked_at: datetime | None
    last_read_at: datetime | None
    last_delivery_at: datetime | None


class AlertOut(Schema):
    id: str
    code: str
    title: str
    sentence: str
    button: str
    seller: str
    order: str | None
    connection: str | None
    listing: str | None
    times: int
    raised_at: datetime
    last_at: datetime
    settled_at: datetime | None
    settled_how: str


class AlertPage(Schema):
    items: list[AlertOut]
    next: str | None


class SettleIn(Strict):
    how: str = Field(min_length=1, max_length=200)


class ProblemOut(Schema):
    """application/problem+json"""

    type: str
    title: str
    status: int
    detail: str
