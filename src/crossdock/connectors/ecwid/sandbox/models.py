"""What the vendor's own client sends (github Ecwid/ecwid-java-api-client, v0.326: UpdatedOrder, InventoryAdjustment,
the search requests), as typed models: a field that is not there, or a value of another type, is refused. What is read
of an answer is held against the names of FetchedOrder and FetchedProduct.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

Payment = Literal[
    "AWAITING_PAYMENT",
    "PAID",
    "CANCELLED",
    "REFUNDED",
    "PARTIALLY_REFUNDED",
    "INCOMPLETE",
    "CUSTOM_PAYMENT_STATUS_1",
    "CUSTOM_PAYMENT_STATUS_2",
    "CUSTOM_PAYMENT_STATUS_3",
]
Fulfilment = Literal[
    "AWAITING_PROCESSING",
    "PROCESSING",
    "SHIPPED",
    "DELIVERED",
    "WILL_NOT_DELIVER",
    "RETURNED",
    "READY_FOR_PICKUP",
    "OUT_FOR_DELIVERY",
    "CUSTOM_FULFILLMENT_STATUS_1",
    "CUSTOM_FULFILLMENT_STATUS_2",
    "CUSTOM_FULFILLMENT_STATUS_3",
]
Int32 = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Double = Annotated[float, Field(allow_inf_nan=False)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


class Selection(Strict):
    selection_title: str
    selection_modifier: Double
    selection_modifier_type: Literal["PERCENT", "ABSOLUTE"]


class SelectedOption(Strict):
    name: str
    type: Literal["CHOICE", "CHOICES", "TEXT", "DATE", "FILES"]
    value: str | None = None
    values_array: list[str] | None = None
    selections: list[Selection] | None = None


class Item(Strict):
    """UpdatedOrder.OrderItem, those fields that a new order needs."""

    product_id: Int32
    combination_id: Int32 | None = None
    name: str
    sku: str = ""
    quantity: Annotated[Int32, Field(ge=1)]
    price: Annotated[Double, Field(ge=0)]
    tax: Double = 0.0
    is_shipping_required: bool = True
    selected_options: list[SelectedOption] = []


class Person(Strict):
    """UpdatedOrder.PersonInfo."""

    name: str | None = None
    company_name: str | None = None
    street: str | None = None
    city: str | None = None
    country_code: Annotated[str, Field(pattern="^[A-Z]{2}$")] | None = None
    postal_code: str | None = None
    state_or_province_code: str | None = None
    phone: str | None = None


class ShippingOption(Strict):
    """UpdatedOrder.ShippingOption."""

    shipping_method_id: str | None = None
    shipping_carrier_name: str | None = None
    shipping_method_name: str | None = None
    shipping_rate: Double | None = None
    estimated_transit_time: str | None = None
    is_pickup: bool | None = None
    pickup_instruction: str | None = None
    fulfillment_type: Literal["SHIPPING", "PICKUP", "DELIVERY"] | None = None
    location_id: str | None = None


class Order(Strict):
    """UpdatedOrder, those fields that can matter to an order of a marketplace. Nothing in it is required."""

    email: str | None = None
    referer_id: str | None = None
    external_order_id: str | None = None
    external_fulfillment: bool | None = None
    external_transaction_id: str | None = None
    order_comments: str | None = None
    private_admin_notes: str | None = None
    fulfillment_status: Fulfilment | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None
    payment_status: Payment | None = None
    payment_method: str | None = None
    accept_marketing: bool | None = None
    total: Double | None = None
    subtotal: Double | None = None
    tax: Double | None = None
    prices_include_tax: bool | None = None
    disable_all_customer_notifications: bool | None = None
    items: list[Item] | None = None
    billing_person: Person | None = None
    shipping_person: Person | None = None
    shipping_option: ShippingOption | None = None

    def given(self) -> dict[str, Any]:
        """By the vendor's names, without what was left out."""
        return self.model_dump(by_alias=True, exclude_unset=True)


class Adjustment(Strict):
    quantity_delta: Int32


PAGING = {"limit", "offset", "responseFields"}
# Parameters of each list (ProductsSearchRequest, OrdersSearchRequest, DeletedOrdersSearchRequest).
QUERIES = {
    "profile": {"responseFields"},
    "products": PAGING | {"productId", "updatedFrom", "updatedTo", "createdFrom", "sortBy", "enabled", "sku"},
    "orders": PAGING | {"keywords", "updatedFrom", "updatedTo", "createdFrom", "createdTo", "ids", "paymentStatus"},
    "deleted": PAGING | {"from_date", "to_date"},
    "one": {"responseFields"},
}
SORTS = {"RELEVANCE", "ADDED_TIME_DESC", "ADDED_TIME_ASC", "NAME_ASC", "UPDATED_TIME_ASC", "UPDATED_TIME_DESC"}
_TOKEN = re.compile(r"[A-Za-z_0-9]+|[(),]")


def wrong(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def fields_of(said: str) -> dict[str, Any]:
    """ "id,email,items(price,sku)" as a tree. Raises ValueError when it is none."""
    if "".join(_TOKEN.findall(said)) != said:
        raise ValueError("responseFields is no list of fields")
    root: dict[str, Any] = {}
    stack, last = [root], ""
    for piece in _TOKEN.findall(said):
        if piece == "(":
            stack.append(stack[-1].setdefault(last, {}))
        elif piece == ")":
            stack.pop()
            if not stack:
                raise ValueError("responseFields closes what it did not open")
        elif piece != ",":
            stack[-1][piece] = {}
            last = piece
    if len(stack) != 1:
        raise ValueError("responseFields is not closed")
    return root


def only(value: Any, tree: dict[str, Any]) -> Any:
    """Of an answer those fields that were asked for; all of what has no list of its own."""
    if not tree:
        return value
    if isinstance(value, list):
        return [only(each, tree) for each in value]
    if isinstance(value, dict):
        return {name: only(value[name], inner) for name, inner in tree.items() if name in value}
    return value
