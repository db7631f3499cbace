"""What a shop tells us, in our words.

Connectors hand over snapshots of what they read; the differences that matter are decided in domain.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from crossdock.domain.values import Money


@dataclass(frozen=True, slots=True)
class ShopVariant:
    """A variant as the shop shows it.

    `count` is None when the shop does not count it or the answer did not say; may be negative. `backorders`: the shop
    sells it below zero on purpose. `options` are (name, value), where the shop names them.
    """

    variant_id: str
    sku: str
    title: str
    price: Money
    count: int | None = None
    barcode: str = ""
    image: str = ""
    backorders: bool = False
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ShopProduct:
    """A product as the shop shows it.

    `active` is what the shop itself would sell; `url` opens it in the shop's admin. `reasons` are sentences for the
    seller: why it is not sold, or which of its variants are not, and are left out of `variants` for it. `types` are
    its kinds, categories or collections, by name. `properties` are (name, value) of all of it: features, facets, custom
    fields.
    """

    product_id: str
    title: str
    variants: tuple[ShopVariant, ...]
    active: bool = True
    description: str = ""
    images: tuple[str, ...] = ()
    url: str = ""
    updated_at: datetime | None = None
    reasons: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    properties: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ProductGone:
    """The shop deleted the product (or hides it from us)."""

    product_id: str


@dataclass(frozen=True, slots=True)
class Count:
    """One variant's count, from one request that answered all counted locations.

    None: the shop does not count this variant. `backorders`: it sells it below zero on purpose.
    """

    variant_id: str
    count: int | None
    version: str = ""
    backorders: bool = False


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A line of the shop's copy.

    `stock_taken` is the units the shop itself says it took for it; None when it does not say.
    """

    line_id: str
    product_id: str
    variant_id: str
    sku: str
    quantity: int
    stock_taken: int | None = None


@dataclass(frozen=True, slots=True)
class Parcel:
    """One fulfilment with at most one tracking number; a fulfilment with several numbers becomes several parcels with
    the same lines once.

    `lines` maps the shop's line id to units; empty means "everything not shipped yet". `parcel_id` stays the same when
    the number changes.
    """

    parcel_id: str
    lines: tuple[tuple[str, int], ...]
    tracking_number: str = ""
    carrier: str = ""
    tracking_url: str = ""
    shipped_at: datetime | None = None
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Refund:
    """`key` is that of our own CancelLines where the refund is only its trace in the shop: then nobody there refunded
    anything.
    """

    refund_id: str
    amount: Money
    note: str = ""
    at: datetime | None = None
    key: str = ""


class ShopOrderState(StrEnum):
    OPEN = "open"
    CANCELLED = "cancelled"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class ShopOrder:
    """The shop's copy of an order as just read.

    `reference` is ours when the order is ours, else empty (never news of a new order: echo). `packed` parcels are made
    there and have not left.
    """

    shop_id: str
    number: str
    reference: str
    state: ShopOrderState
    lines: tuple[OrderLine, ...]
    total: Money
    parcels: tuple[Parcel, ...] = ()
    refunds: tuple[Refund, ...] = ()
    stock_taken: bool = False
    url: str = ""
    cancel_note: str = ""
    buyer: str = ""
    updated_at: datetime | None = None
    packed: tuple[Parcel, ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """A hint worth reading again: webhooks name what changed and never carry state in."""

    kind: "LookKind"
    entity_id: str = ""


class LookKind(StrEnum):
    PRODUCT = "product"
    PRODUCT_GONE = "product_gone"
    ORDER = "order"
    COUNTS = "counts"
    PAYMENT = "payment"
    LABEL = "label"
    PAYOUT = "payout"
    UNINSTALLED = "uninstalled"
    # What is kept about a buyer; `entity_id` is the request's id, a colon, and the shop's order ids with commas
    # between.
    DATA_REQUEST = "data_request"
    ERASE_BUYER = "erase_buyer"
    ERASE_SHOP = "erase_shop"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One row of a shop's answer that could not be understood. It concerns itself alone: the rest of its page is taken.

    `kind` is PRODUCT, ORDER or COUNTS; `entity_id` is empty when not even the id could be read. `cause` is a sentence
    for people, the same for all rows that fail in the same way; `path` names the field, `trace` is for staff.
    `ours` is False for an order without a reference of ours: it is news only if we know it all the same.
    """

    kind: LookKind
    entity_id: str
    cause: str
    path: str = ""
    trace: str = ""
    ours: bool = True


@dataclass(frozen=True, slots=True)
class StockHint:
    """A number that a webhook carried.

    It may only lower what is sold, unless the shop's own `version` is strictly newer than ours.
    """

    variant_id: str
    count: int
    version: str = ""


@dataclass(frozen=True, slots=True)
class HookNews:
    """What one verified delivery means.

    `dedupe` is our own key part: topic, entity, version or body hash; never the vendor's delivery id alone.
    """

    topic: str
    dedupe: str
    looks: tuple[Look, ...] = ()
    hints: tuple[StockHint, ...] = field(default_factory=tuple)
