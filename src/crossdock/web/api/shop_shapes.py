"""What the API says of shops, alerts and rules."""

from typing import Any, Literal

from ninja import Schema
from pydantic import Field

from crossdock.web.api.shapes import Moment, Strict


class ConnectionOut(Schema):
    id: str
    seller: str
    platform: str
    name: str
    address: str
    currency: str
    state: str
    sentence: str
    health: str = Field(description="How it is doing in a word, as its seller's page says: Healthy, Behind, and so on.")
    health_sentence: str = Field(description="Why, and what to do; empty for a healthy shop.")
    push_fulfilments: bool | None = Field(
        description="Whether shipments entered here are entered in the shop too; null where the platform cannot."
    )
    checks: list[dict[str, Any]]
    checked_at: Moment | None
    last_read_at: Moment | None
    last_delivery_at: Moment | None


class ConnectionChange(Strict):
    push_fulfilments: bool = Field(description="Enter shipments in the shop too; the shop mails nobody.")


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
    raised_at: Moment
    last_at: Moment
    settled_at: Moment | None
    settled_how: str


class AlertPage(Schema):
    items: list[AlertOut]
    next: str | None


class RuleOut(Schema):
    id: str
    title: str
    sentence: str = Field(description="How it is today; what a platform cannot do stands on its connection page.")
    mode: Literal["as-described", "lifted"]
    can_be_lifted: bool = Field(description="Whether this version plays the lifted rule.")


class SettleIn(Strict):
    how: str = Field(min_length=1, max_length=200)
