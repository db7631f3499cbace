"""What we ask of a party outside, and the five ways an asking can end.

Unknown is not failed: it means look there first.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from crossdock.domain.risk import RiskLevel, Sentiment
from crossdock.domain.values import Address, Money


class CommandKind(StrEnum):
    """Every kind of command. What one says, whom it asks and what its end means stands in a module of its own, of the
    same name, in usecases/outcomes/kinds.
    """

    CREATE_ORDER = "create_order"
    CANCEL_ORDER = "cancel_order"
    CANCEL_LINES = "cancel_lines"
    ADJUST_STOCK = "adjust_stock"
    WRITE_RISK = "write_risk"
    WRITE_FULFILMENT = "write_fulfilment"
    TRY_ORDER = "try_order"
    REFUND_PAYMENT = "refund_payment"
    BUY_LABEL = "buy_label"
    VOID_LABEL = "void_label"
    SEND_PAYOUT = "send_payout"
    SEND_MAIL = "send_mail"
    SEND_EVENT = "send_event"


@dataclass(frozen=True, slots=True)
class Line:
    """One line as the shop knows it.

    `product_id` and `variant_id` are the shop's ids; `unit_price` is what the buyer paid here for one.
    """

    product_id: str
    variant_id: str
    sku: str
    title: str
    quantity: int
    unit_price: Money


@dataclass(frozen=True, slots=True)
class CreateOrder:
    """Create our order in the shop, paid outside, with `reference` where the shop keeps it and can find it again.

    The shop must mail nobody.
    """

    reference: str
    lines: tuple[Line, ...]
    shipping: Money
    ship_to: Address
    email: str
    placed_at: datetime
    note: str = ""

    @property
    def total(self) -> Money:
        return sum((line.unit_price * line.quantity for line in self.lines), self.shipping)


class CancelReason(StrEnum):
    NOT_AVAILABLE = "not_available"
    DAMAGED = "damaged"
    LOST = "lost"
    PRICE_ERROR = "price_error"
    BUYER_ASKED = "buyer_asked"
    FRAUD = "fraud"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Cancel the shop's copy. The shop restores its own stock where it does so; nothing is added here.

    `only_look`: an earlier try may still be carried out, and two at once would do harm (see the manifest's
    `repeats_double`): look whether it was, and cancel nothing (Unknown when it is not to be seen).
    """

    reference: str
    shop_order_id: str
    reason: CancelReason
    note: str = ""
    only_look: bool = False
    rows: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class CancelLines:
    """Take units out of the shop's copy, which stays open with the rest. `lines` are (shop's variant id, units); the
    shop restores its own stock.

    `rows` are the same units by the shop's own line ids, where these are known: a product that was deleted there has
    no variant any more, and two lines of one variant are two.

    `key` is written where the shop keeps it, so that a lost answer is found by reading the order before anything is
    repeated. `only_look`: an earlier try may still be carried out; look for it, and take out nothing (Unknown when it
    is not to be seen).
    """

    reference: str
    shop_order_id: str
    lines: tuple[tuple[str, int], ...]
    reason: CancelReason
    key: str
    note: str = ""
    only_look: bool = False
    rows: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class AdjustStock:
    """Change the shop's count by `delta`, once.

    Only relative or compare-and-set writes; `key` makes a repeat harmless where the shop can.
    """

    product_id: str
    variant_id: str
    delta: int
    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class RiskFact:
    """One reason behind a level. Nothing in it names the buyer."""

    sentiment: Sentiment
    sentence: str


@dataclass(frozen=True, slots=True)
class WriteRisk:
    """Write how we judged the order where the shop's staff see it and the buyer never does. `facts` are worst first.

    `key` names the judgement. It is written with it, so that the same judgement never stands there twice.
    """

    reference: str
    shop_order_id: str
    level: RiskLevel
    facts: tuple[RiskFact, ...]
    available: int
    asked: int
    key: str


@dataclass(frozen=True, slots=True)
class WriteFulfilment:
    """Let the shop's copy show one parcel as it is here: fulfilled with this tracking, or not at all (`undone`).

    `lines` are (the shop's variant id, units), `rows` the same by the shop's line ids, where they are known: a product
    that was deleted takes its variant's id along. `parcel_id` names the shop's fulfilments of it where they are known
    (with commas between), `others` those of other parcels here. `numbers` are all that it was ever sent with: what the
    shop has under one of them is this parcel. `key` is written where the shop keeps it. `only_look`: an earlier try may
    still be carried out; look for it, and change nothing. The shop must mail nobody.
    """

    reference: str
    shop_order_id: str
    key: str
    lines: tuple[tuple[str, int], ...]
    tracking_number: str
    carrier: str
    tracking_url: str
    shipped_at: datetime
    undone: bool = False
    parcel_id: str = ""
    others: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    rows: tuple[tuple[str, int], ...] = ()
    only_look: bool = False


Command = CreateOrder | CancelOrder | CancelLines | AdjustStock | WriteRisk | WriteFulfilment


@dataclass(frozen=True, slots=True)
class Done:
    """It happened. `shop_id` is the shop's id of what was made; `stock_taken` is evidence, not hope, that the units
    left the shop's count.

    `already` says that we found it done by somebody else or an earlier try: then no conclusion about stock may be
    drawn from our own call.
    """

    shop_id: str
    shop_number: str = ""
    url: str = ""
    stock_taken: bool = False
    already: bool = False
    note: str = ""


class Why(StrEnum):
    """Why a shop refused, as far as the next step depends on it."""

    NO_STOCK = "no_stock"
    PRODUCT_GONE = "product_gone"
    NOT_FOUND = "not_found"
    TOO_LATE = "too_late"
    CONFLICT = "conflict"
    INVALID = "invalid"
    NOT_ALLOWED = "not_allowed"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Refused:
    """Positive evidence that it did not and will not happen. `short` names variant ids whose stock was missing."""

    why: Why
    sentence: str
    short: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Later:
    """Surely not done, and worth another try (throttled before execution, not sent at all).

    `after_seconds` is the party's own wish.
    """

    sentence: str
    after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class SignInAgain:
    """The credentials are dead or lack a right; nothing more is sent until the seller reconnects."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may or may not have happened (timeout, 5xx, unreadable answer): look there by our reference before any
    repeat.
    """

    sentence: str
    after_seconds: float | None = None


Outcome = Done | Refused | Later | SignInAgain | Unknown


@dataclass(frozen=True, slots=True)
class Found:
    """Answer of a look-up by our reference: shop order ids, oldest first.

    Empty is conclusive only after the horizon of the stock protocol.
    """

    shop_ids: tuple[str, ...] = field(default_factory=tuple)


def order_reference(subject: str) -> str:
    """Commands about an order's money, labels and risk stand in lines of their own, behind the order's reference."""
    kind, _, rest = subject.partition(":")
    return rest.partition(":")[0] if kind in ("money", "label", "risk") else subject
