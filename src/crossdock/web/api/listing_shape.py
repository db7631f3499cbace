"""A listing as JSON."""

from typing import Literal

from ninja import Schema
from pydantic import Field

from crossdock.web.api.shapes import Moment, Money


class VariantOut(Schema):
    id: str
    title: str
    sku: str
    price: Money
    shop_price: Money | None = Field(
        description="With a seller's token, of what follows a shop: the shop's own price, of which a price rule may"
        " make `price`."
    )
    attributes: dict[str, list[str]]
    available: int | None = Field(description="Units that may be sold now; null when unknown.")


class AwayOut(Schema):
    mode: Literal["pause", "later"] = Field(description="pause: nothing is sold; later: it ships from `until` on.")
    since: Moment
    until: Moment | None = Field(description="When the seller is back; null while that is open.")


class ListingOut(Schema):
    id: str
    seller: str
    away: AwayOut | None = Field(description="While the seller is on holiday. Set in their panel alone.")
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
    category: str | None = Field(description="Key of the marketplace's category that it is in.")
    attributes: dict[str, list[str]] = Field(
        description="By attribute: keys of its choices, numbers, yes or no, or words; of all variants together. What is"
        " no value of the marketplace's stands as the shop wrote it, behind a question mark."
    )
    why_not_live: list[str] = Field(description="With a seller's token: what keeps buyers from buying it.")
    updated_at: Moment


class ListingPage(Schema):
    items: list[ListingOut]
    next: str | None = Field(description="Opaque; send it as `cursor` to get the next page.")
