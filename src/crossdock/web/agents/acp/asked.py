"""What agents send, checked by type: unknown keys and null are refused, as the protocol's schemas do.

Two forms of an item are taken, since the protocol's own examples do not agree: `line_items` of {id}, the same id as
often as units are wanted, and `items` or `line_items` of {id, quantity}.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictStr,
    field_validator,
    model_validator,
)

from crossdock.usecases.accounts.buyers import is_email
from crossdock.usecases.catalogue.sellable import MOST_UNITS
from crossdock.web.agents.body import Whole
from crossdock.web.agents.refusing import Refusal

MOST_ITEMS, MOST_LINES = 1000, 100
Text = Annotated[StrictStr, Field(max_length=300)]


def _an_email(text: str) -> str:
    if not is_email(text):
        raise ValueError("this is no e-mail address")
    return text


# As long as an account's may be.
Email = Annotated[StrictStr, Field(max_length=254), AfterValidator(_an_email)]
Words = Annotated[StrictStr, Field(max_length=5000)]
Anything = dict[str, Any]


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _no_null(cls, value: object) -> object:
        if value is None:
            raise ValueError("null is not taken; leave it out")
        return value


class Address(Asked):
    name: Annotated[StrictStr, Field(min_length=1, max_length=120)]
    line_one: Annotated[StrictStr, Field(min_length=1, max_length=200)]
    line_two: Annotated[StrictStr, Field(max_length=200)] = ""
    city: Annotated[StrictStr, Field(min_length=1, max_length=120)]
    state: Annotated[StrictStr, Field(max_length=80)]
    country: Annotated[StrictStr, Field(pattern="^[A-Za-z]{2}$")]
    postal_code: Annotated[StrictStr, Field(max_length=20)]
    company: Annotated[StrictStr, Field(max_length=120)] = ""


class Fulfillment(Asked):
    name: Text = ""
    phone_number: Annotated[StrictStr, Field(max_length=40)] = ""
    email: Email = ""
    address: Address | None = None


class Buyer(Asked):
    email: Email
    first_name: Text = ""
    last_name: Text = ""
    full_name: Text = ""
    phone_number: Annotated[StrictStr, Field(max_length=40)] = ""
    customer_id: Text = ""
    account_type: Literal["guest", "registered", "business"] = "guest"
    authentication_status: Literal["authenticated", "guest", "requires_signin"] = "guest"
    company: Anything = Field(default_factory=dict)
    loyalty: Anything = Field(default_factory=dict)
    tax_exemption: Anything = Field(default_factory=dict)


class Item(Asked):
    id: Annotated[StrictStr, Field(min_length=1, max_length=60)]
    name: Text = ""
    unit_amount: Whole | None = None
    quantity: Annotated[Whole, Field(ge=1, le=MOST_UNITS)] = 1


class Selected(Asked):
    type: Literal["shipping", "digital", "pickup", "local_delivery"]
    option_id: Text
    item_ids: list[Text] = Field(max_length=MOST_LINES)


class _Changed(Asked):
    """What create and update have in common. What stands in IGNORED is taken, does nothing, and is said to."""

    line_items: list[Item] | None = Field(None, max_length=MOST_ITEMS)
    items: list[Item] | None = Field(None, max_length=MOST_ITEMS)
    buyer: Buyer | None = None
    fulfillment_details: Fulfillment | None = None
    fulfillment_groups: list[Anything] = Field(default_factory=list, max_length=MOST_LINES)
    coupons: list[Text] = Field(default_factory=list, max_length=MOST_LINES)
    discounts: Anything = Field(default_factory=dict)
    order_notes: Words = ""

    @model_validator(mode="after")
    def _one_list(self) -> Self:
        if self.line_items is not None and self.items is not None:
            raise ValueError("send line_items or items, not both")
        if self.wanted is not None and not self.wanted:
            raise ValueError("line_items is empty")
        return self

    @property
    def wanted(self) -> list[Item] | None:
        return self.line_items if self.line_items is not None else self.items

    @property
    def units(self) -> list[tuple[str, int]] | None:
        """Each id once, with its units, in the order that they came. Raises Refusal."""
        if self.wanted is None:
            return None
        found: dict[str, int] = {}
        for item in self.wanted:
            found[item.id] = found.get(item.id, 0) + item.quantity
        if len(found) > MOST_LINES:
            raise Refusal(400, "maximum_exceeded", f"At most {MOST_LINES} different items.", param="$.line_items")
        if most := [name for name, units in found.items() if units > MOST_UNITS]:
            raise Refusal(400, "maximum_exceeded", f"At most {MOST_UNITS} units of {most[0]}.", param="$.line_items")
        return list(found.items())


class CreateIn(_Changed):
    currency: Annotated[StrictStr, Field(pattern="^[A-Za-z]{3}$")]
    capabilities: Anything
    affiliate_attribution: Anything = Field(default_factory=dict)
    locale: Text = ""
    timezone: Text = ""
    quote_id: Text = ""
    metadata: Anything = Field(default_factory=dict)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.wanted is None:
            raise ValueError("line_items is missing")
        return self


class UpdateIn(_Changed):
    selected_fulfillment_options: list[Selected] | None = Field(None, max_length=MOST_LINES)


class Credential(BaseModel):
    """With keys of the instrument's own."""

    type: Text
    token: Annotated[StrictStr, Field(min_length=1, max_length=500)]


class Instrument(BaseModel):
    type: Text
    credential: Credential


class Payment(Asked):
    handler_id: Text
    instrument: Instrument
    billing_address: Address | None = None
    approval_required: StrictBool = False
    payment_terms: Literal["immediate"] = "immediate"


class CompleteIn(Asked):
    payment_data: Payment
    buyer: Buyer | None = None
    authentication_result: Anything = Field(default_factory=dict)
    affiliate_attribution: Anything = Field(default_factory=dict)
    risk_signals: Anything = Field(default_factory=dict)
    marketing_consents: list[Anything] = Field(default_factory=list, max_length=MOST_LINES)
    order_notes: Words = ""


# A shop gets no such thing from here; taken silently it would look as if it had.
IGNORED = {
    "fulfillment_groups": "Items cannot be grouped: each seller ships their own.",
    "coupons": "There are no coupons here; the prices are as shown.",
    "discounts": "There are no discount codes here; the prices are as shown.",
    "order_notes": "Notes are not passed on to sellers.",
}
