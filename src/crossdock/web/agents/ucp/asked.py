"""What agents send, checked by type. The protocol's schemas are open, so what is not known here is passed over."""

from typing import Annotated, Any

from pydantic import BaseModel, Field, StrictBool, StrictStr

from crossdock.usecases.catalogue.sellable import MOST_UNITS
from crossdock.web.agents.body import Whole
from crossdock.web.agents.refusing import Refusal

MOST_LINES, MOST_ITEMS, MOST_FEW = 100, 1000, 20
Text = Annotated[StrictStr, Field(max_length=300)]
Short = Annotated[StrictStr, Field(max_length=120)]
Phone = Annotated[StrictStr, Field(max_length=40)]


class Item(BaseModel):
    id: Annotated[StrictStr, Field(min_length=1, max_length=60)]


class Line(BaseModel):
    item: Item
    quantity: Annotated[Whole, Field(ge=1, le=MOST_UNITS)]


class Buyer(BaseModel):
    """The e-mail is as long as an account's may be."""

    email: Annotated[StrictStr, Field(max_length=254)] = ""
    first_name: Short = ""
    last_name: Short = ""
    phone_number: Phone = ""


class Destination(BaseModel):
    """As much of a postal address as the agent knows yet."""

    id: Text = ""
    first_name: Short = ""
    last_name: Short = ""
    street_address: Annotated[StrictStr, Field(max_length=200)] = ""
    extended_address: Annotated[StrictStr, Field(max_length=200)] = ""
    address_locality: Short = ""
    address_region: Annotated[StrictStr, Field(max_length=80)] = ""
    address_country: Annotated[StrictStr, Field(max_length=60)] = ""
    postal_code: Annotated[StrictStr, Field(max_length=20)] = ""
    phone_number: Phone = ""


class Group(BaseModel):
    id: Text = ""
    selected_option_id: Text | None = None


class Method(BaseModel):
    type: Text = "shipping"
    destinations: list[Destination] = Field(default_factory=list, max_length=MOST_FEW)
    selected_destination_id: Text | None = None
    groups: list[Group] = Field(default_factory=list, max_length=MOST_LINES)


class Fulfillment(BaseModel):
    methods: list[Method] = Field(default_factory=list, max_length=MOST_FEW)


class CheckoutIn(BaseModel):
    """A checkout is sent whole each time. What stands in IGNORED is taken, does nothing, and is said to."""

    line_items: list[Line] = Field(min_length=1, max_length=MOST_ITEMS)
    buyer: Buyer = Field(default_factory=Buyer)
    fulfillment: Fulfillment = Field(default_factory=Fulfillment)
    discounts: Any = None
    cart_id: Any = None

    @property
    def units(self) -> list[tuple[str, int]]:
        """Each item once, with its units, in the order that they came. Raises Refusal."""
        found: dict[str, int] = {}
        for line in self.line_items:
            found[line.item.id] = found.get(line.item.id, 0) + line.quantity
        if len(found) > MOST_LINES:
            raise Refusal(400, "invalid", f"At most {MOST_LINES} different items.", param="$.line_items")
        if most := [name for name, units in found.items() if units > MOST_UNITS]:
            raise Refusal(400, "invalid", f"At most {MOST_UNITS} units of {most[0]}.", param="$.line_items")
        return list(found.items())


class Credential(BaseModel):
    token: Annotated[StrictStr, Field(min_length=1, max_length=500)]


class Instrument(BaseModel):
    handler_id: Text
    selected: StrictBool = False
    credential: Credential | None = None


class Payment(BaseModel):
    instruments: list[Instrument] = Field(min_length=1, max_length=MOST_FEW)


class CompleteIn(BaseModel):
    payment: Payment


# Taken silently it would look as if it had been honoured.
IGNORED = {
    "discounts": "There are no discount codes here; the prices are as shown.",
    "cart_id": "There are no carts of agents here; the line items are what counts.",
}
