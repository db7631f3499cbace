"""What the vendor's pages say of a request, as typed models: a field that is not there is refused. The pages are those
of developers.squarespace.com/commerce-apis named at each; “seen” is what others published of live sites in August 2026.
"""

import re
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, HttpUrl, ValidationError
from pydantic.alias_generators import to_camel

_VALUE = re.compile(r"\d{1,12}(\.\d{1,4})?")


def _decimal(said: str) -> str:
    if not _VALUE.fullmatch(said):
        raise ValueError("must be a decimal number as text")
    return said


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


class Amount(Strict):
    """{"currency": "USD", "value": "20.00"} (create-order)."""

    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    value: Annotated[str, AfterValidator(_decimal)]

    @property
    def decimal(self) -> Decimal:
        return Decimal(self.value)


class Address(Strict):
    """create-order: billingAddress, shippingAddress."""

    first_name: str = ""
    last_name: str = ""
    address1: str
    address2: str | None = None
    city: str
    state: str | None = None
    country_code: Annotated[str, Field(pattern="^[A-Z]{2}$")]
    postal_code: str | None = None
    phone: str | None = None


class LineItem(Strict):
    """create-order: lineItems. `title` of a physical product "must be null or omitted" (seen), there is no `sku`."""

    line_item_type: Literal["PHYSICAL_PRODUCT"]
    variant_id: str
    quantity: Annotated[int, Field(ge=1)]
    unit_price_paid: Amount
    non_sale_unit_price: Amount | None = None
    title: None = None


class ShippingLine(Strict):
    method: Annotated[str, Field(min_length=1, max_length=100)]
    amount: Amount


class Shipment(Strict):
    """fulfill-order: shipments; all but the link is required."""

    ship_date: AwareDatetime
    carrier_name: Annotated[str, Field(min_length=1, max_length=100)]
    service: Annotated[str, Field(min_length=1, max_length=100)]
    tracking_number: Annotated[str, Field(min_length=1, max_length=100)]
    tracking_url: HttpUrl | None = None


class CreateOrder(Strict):
    """create-order. The seven that are required are without a default; `subtotal` must be the sum of the lines (seen),
    so it is required as well.
    """

    channel_name: Annotated[str, Field(min_length=1, max_length=30)]
    external_order_reference: Annotated[str, Field(min_length=1, max_length=200)]
    created_on: AwareDatetime
    fulfillments: Annotated[list[Shipment], Field(max_length=100)]
    grand_total: Amount
    line_items: Annotated[list[LineItem], Field(min_length=1)]
    price_tax_interpretation: Literal["INCLUSIVE", "EXCLUSIVE"]
    subtotal: Amount
    customer_email: str | None = None
    billing_address: Address | None = None
    shipping_address: Address | None = None
    inventory_behavior: Literal["DEDUCT", "SKIP"] = "SKIP"
    fulfillment_status: Literal["PENDING", "FULFILLED"] = "PENDING"
    fulfilled_on: AwareDatetime | None = None
    shopper_fulfillment_notification_behavior: Literal["SEND", "SKIP"] = "SKIP"
    shipping_lines: list[ShippingLine] = []
    shipping_total: Amount | None = None
    discount_total: Amount | None = None
    tax_total: Amount | None = None

    def wrong_sum(self) -> str:
        """What does not add up, in the vendor's words (seen for the first)."""
        goods = sum((line.unit_price_paid.decimal * line.quantity for line in self.line_items), Decimal(0))
        if goods != self.subtotal.decimal:
            return "The sum of lineItems.unitPricePaid.value must equal subtotal.value."
        rest = [0 if each is None else each.decimal for each in (self.shipping_total, self.tax_total)]
        off = self.discount_total.decimal if self.discount_total else Decimal(0)
        if sum((line.amount.decimal for line in self.shipping_lines), Decimal(0)) != rest[0]:
            return "The sum of shippingLines.amount.value must equal shippingTotal.value."
        tax = rest[1] if self.price_tax_interpretation == "EXCLUSIVE" else 0
        return "" if goods + rest[0] + tax - off == self.grand_total.decimal else "grandTotal.value does not add up."


class Fulfil(Strict):
    """fulfill-order."""

    should_send_notification: bool
    shipments: list[Shipment]


class Quantity(Strict):
    variant_id: str
    quantity: Annotated[int, Field(ge=1)]


class SetQuantity(Strict):
    variant_id: str
    quantity: Annotated[int, Field(ge=0)]


class Adjust(Strict):
    """adjust-stock-quantities; at most 50 operations."""

    increment_operations: Annotated[list[Quantity], Field(max_length=50)] = []
    decrement_operations: Annotated[list[Quantity], Field(max_length=50)] = []
    set_finite_operations: Annotated[list[SetQuantity], Field(max_length=50)] = []
    set_unlimited_operations: Annotated[list[str], Field(max_length=50)] = []


def wrong(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"[:200]


def amount(value: Any, currency: str) -> dict[str, str]:
    try:
        return {"currency": currency, "value": f"{Decimal(value):.2f}"}
    except InvalidOperation:
        raise ValueError(f"{value!r} is no amount") from None
