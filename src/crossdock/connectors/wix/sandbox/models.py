"""What Wix's types say of a request (npm @wix/auto_sdk_*, named at each), as typed models: a field that is not there is
refused, and so are the lengths that stand there.
"""

import json
import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl, ValidationError
from pydantic.alias_generators import to_camel

_VALUE = re.compile(r"\d{1,15}(\.\d{1,4})?")
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _decimal(said: str) -> str:
    if not _VALUE.fullmatch(said):
        raise ValueError("must be a decimal number as text")
    return said


def _guid(said: str) -> str:
    if not _GUID.fullmatch(said):
        raise ValueError("must be a GUID")
    return said


Amount = Annotated[str, AfterValidator(_decimal)]
Guid = Annotated[str, AfterValidator(_guid)]
Units = Annotated[int, Field(ge=1, le=100_000)]


Text36 = Annotated[str, Field(min_length=1, max_length=36)]
Text40 = Annotated[str, Field(max_length=40)]
Text50 = Annotated[str, Field(min_length=1, max_length=50)]
Text100 = Annotated[str, Field(min_length=1, max_length=100)]
Text200 = Annotated[str, Field(min_length=1, max_length=200)]
Text300 = Annotated[str, Field(min_length=1, max_length=300)]
Text500 = Annotated[str, Field(min_length=1, max_length=500)]
Text1000 = Annotated[str, Field(min_length=1, max_length=1000)]
Text5000 = Annotated[str, Field(min_length=1, max_length=5000)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)


# ecom_orders 1.0.300


class Price(Strict):
    amount: Amount

    @property
    def decimal(self) -> Decimal:
        return Decimal(self.amount)


class ProductName(Strict):
    original: Text200


class Options(Strict):
    variant_id: Guid | None = None


class CatalogReference(Strict):
    catalog_item_id: Text36
    app_id: Literal["215238eb-22a5-4c36-9e7b-e7c08025e04e"]
    options: Options = Options()


class ItemType(Strict):
    preset: Literal["PHYSICAL", "DIGITAL", "GIFT_CARD", "SERVICE"]


class PhysicalProperties(Strict):
    sku: Text40 | None = None
    shippable: bool = True


class LineItem(Strict):
    product_name: ProductName
    catalog_reference: CatalogReference
    quantity: Units
    item_type: ItemType
    price: Price
    payment_option: Literal["FULL_PAYMENT_ONLINE", "FULL_PAYMENT_OFFLINE"] = "FULL_PAYMENT_ONLINE"
    physical_properties: PhysicalProperties | None = None


class Address(Strict):
    country: Annotated[str, Field(pattern="^[A-Z]{2}$")]
    subdivision: Text50 | None = None
    city: Text50 | None = None
    postal_code: Text50 | None = None
    address_line1: Annotated[str, Field(min_length=1, max_length=150, alias="addressLine1")]
    address_line2: Annotated[str | None, Field(max_length=100, alias="addressLine2")] = None


class Contact(Strict):
    first_name: Text100 | None = None
    last_name: Text100 | None = None
    phone: Text50 | None = None
    company: Text1000 | None = None


class To(Strict):
    address: Address
    contact_details: Contact


class Logistics(Strict):
    shipping_destination: To


class Cost(Strict):
    price: Price


class Shipping(Strict):
    title: Text200
    logistics: Logistics
    cost: Cost


class PriceSummary(Strict):
    subtotal: Price
    shipping: Price
    tax: Price
    discount: Price
    total: Price


class Channel(Strict):
    type: Literal["OTHER_PLATFORM", "WEB", "POS", "EBAY", "AMAZON", "ETSY", "FACEBOOK"]
    external_order_id: Text100 | None = None
    external_order_url: Text300 | None = None


class Buyer(Strict):
    email: str


class CustomField(Strict):
    title: Text500
    value: Any


class NewOrder(Strict):
    channel_info: Channel
    line_items: Annotated[list[LineItem], Field(min_length=1, max_length=300)]
    price_summary: PriceSummary
    status: Literal["INITIALIZED", "APPROVED"] = "INITIALIZED"
    payment_status: Literal["NOT_PAID", "PAID"] = "NOT_PAID"
    currency: Annotated[str | None, Field(pattern="^[A-Z]{3}$")] = None
    tax_included_in_prices: bool = False
    billing_info: To | None = None
    recipient_info: To | None = None
    shipping_info: Shipping | None = None
    buyer_info: Buyer | None = None
    buyer_note: Text1000 | None = None
    custom_fields: list[CustomField] = []


class Notifications(Strict):
    send_notification_to_buyer: bool = True
    send_notifications_to_business: bool = True


class CreationSettings(Strict):
    notifications: Notifications = Notifications()


class CreateOrder(Strict):
    order: NewOrder
    settings: CreationSettings = CreationSettings()


class CancelOrder(Strict):
    """Whether it restocks or mails where nothing is said is not documented, so our requests say both."""

    send_order_canceled_email: bool
    restock_all_items: bool = False
    custom_message: Text1000 | None = None


class Comment(Strict):
    message: Text5000


class Activity(Strict):
    activity_type: Literal["MERCHANT_COMMENT"]
    merchant_comment: Comment


class AddActivities(Strict):
    order_activities: Annotated[list[Activity], Field(min_length=1, max_length=300)]


class Nothing(Strict):
    pass


class ByIds(Strict):
    order_ids: Annotated[list[Guid], Field(min_length=1, max_length=100)]


# ecom_order-fulfillments 1.0.65


class Tracking(Strict):
    """ "For custom providers: must be provided when creating the fulfillment" of `trackingLink`."""

    tracking_number: Text100 | None = None
    shipping_provider: Text100 | None = None
    tracking_link: HttpUrl | None = None

    @property
    def wrong(self) -> bool:
        return bool(self.shipping_provider) and self.shipping_provider not in LINKS and self.tracking_link is None


LINKS = {
    "fedex": "https://www.fedex.com/fedextrack/?trknbr=",
    "ups": "https://www.ups.com/track?tracknum=",
    "usps": "https://tools.usps.com/go/TrackConfirmAction?tLabels=",
    "dhl": "https://www.dhl.com/en/express/tracking.html?AWB=",
    "canadaPost": "https://www.canadapost-postescanada.ca/track-reperage/en#/details/",
}


class Item(Strict):
    id: Guid
    quantity: Units | None = None


class NewFulfillment(Strict):
    line_items: Annotated[list[Item], Field(min_length=1, max_length=300)]
    tracking_info: Tracking | None = None


class CreateFulfillment(Strict):
    fulfillment: NewFulfillment


class ChangedFulfillment(Strict):
    """ "Updating line item IDs or fulfilled quantities is not allowed"."""

    id: Guid
    tracking_info: Tracking | None


class UpdateFulfillment(Strict):
    fulfillment: ChangedFulfillment


# Stock: stores_inventory 1.0.81 and inventory-items-v-3 1.0.98


class Change(Strict):
    inventory_item_id: Guid | None = None
    product_id: Text36 | None = None
    variant_id: Guid | None = None
    increment_by: Annotated[int, Field(ge=1, le=99_999)] | None = None
    decrement_by: Annotated[int, Field(ge=1, le=99_999)] | None = None


class ChangeStock(Strict):
    increment_data: Annotated[list[Change], Field(min_length=1, max_length=300)] | None = None
    decrement_data: Annotated[list[Change], Field(min_length=1, max_length=300)] | None = None
    restrict_inventory: bool | None = None
    return_entity: bool = False
    reason: Literal["UNKNOWN", "ORDER", "MANUAL", "REVERT_INVENTORY_CHANGE"] | None = None

    def changes(self, word: str) -> list[tuple[Change, int]]:
        """Those of one word alone. Raises ValueError."""
        rows, other = self.increment_data, self.decrement_data
        if word == "decrement":
            rows, other = other, rows
        if other is not None or not rows:
            raise ValueError(f"{word}Data: is required")
        found = [(row, row.increment_by if word == "increment" else row.decrement_by) for row in rows]
        if any(units is None for _, units in found):
            raise ValueError(f"{word}Data.{word}By: is required")
        return [(row, units or 0) for row, units in found]


# Lists


class CursorPaging(Strict):
    limit: Annotated[int, Field(ge=1, le=1000)]
    cursor: str | None = None


class Sorting(Strict):
    field_name: str
    order: Literal["ASC", "DESC"] = "ASC"


class ByCursor(Strict):
    """ "Following requests use the cursor token and not `filter` or `sort`"."""

    cursor_paging: CursorPaging
    filter: dict[str, Any] | None = None
    sort: list[Sorting] | None = None


class Search(Strict):
    search: ByCursor


class Query(Strict):
    query: ByCursor
    fields: list[str] = []


class OffsetPaging(Strict):
    limit: Annotated[int, Field(ge=1, le=100)]
    offset: Annotated[int, Field(ge=0)] = 0


class ByOffset(Strict):
    paging: OffsetPaging
    filter: str = "{}"
    sort: str = "[]"


class QueryV1(Strict):
    """`filter` and `sort` are JSON in a text."""

    query: ByOffset
    include_variants: bool = False
    include_hidden_products: bool = False

    def wanted(self) -> tuple[dict[str, Any], list[str]]:
        """Raises ValueError."""
        wanted, sort = json.loads(self.query.filter), json.loads(self.query.sort)
        if not isinstance(wanted, dict) or not isinstance(sort, list):
            raise ValueError("query.filter: must be an object, and query.sort a list")
        return wanted, [next(iter(row)) for row in sort]


_OPERATORS: Mapping[str, Any] = {
    "$eq": lambda here, said: here == said,
    "$gte": lambda here, said: here >= said,
    "$in": lambda here, said: here in said,
    "$hasSome": lambda here, said: here in said,
}


def fits(wanted: Mapping[str, Any], known: Mapping[str, Collection[str]], values: Mapping[str, Any]) -> bool:
    """Whether a row is one that a filter wants. `known` are the operators of each field. Raises ValueError."""
    for field, asked in wanted.items():
        rule = asked if isinstance(asked, dict) else {"$eq": asked}
        for operator, said in rule.items():
            if operator not in known.get(field, ()):
                raise ValueError(f"filter: {field} knows no {operator}")
            if not _OPERATORS[operator](values[field], said):
                return False
    return True


def wrong(error: ValidationError) -> list[dict[str, str]]:
    found = error.errors(include_url=False)
    return [{"field": ".".join(map(str, each["loc"])), "description": each["msg"][:200]} for each in found[:5]]
