"""What a platform can do, and the sentence a seller reads where it cannot.

Every capability is answered; there is no silence.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from crossdock.domain.commands import CommandKind


class Capability(StrEnum):
    """One thing a shop platform may be able to do. The conformance suite proves every yes."""

    PRODUCTS_SEEN = "products_seen"
    COUNTS_READ = "counts_read"
    COUNTS_ADJUST = "counts_adjust"
    LOCATIONS = "locations"
    ORDER_CREATE = "order_create"
    ORDER_AT_OUR_PRICE = "order_at_our_price"
    ORDER_CLAIMS_STOCK = "order_claims_stock"
    ORDER_FOUND_BY_REFERENCE = "order_found_by_reference"
    REFERENCE_UNIQUE = "reference_unique"
    ORDER_CANCEL = "order_cancel"
    LINES_CANCEL = "lines_cancel"
    CANCEL_RESTORES = "cancel_restores"
    CANCEL_SEEN = "cancel_seen"
    CANCEL_THERE_CANCELS_HERE = "cancel_there_cancels_here"
    TRACKING_SEEN = "tracking_seen"
    TRACKING_PARTIAL = "tracking_partial"
    FULFILMENT_WRITE = "fulfilment_write"
    FULFILMENT_UNDO = "fulfilment_undo"
    REFUND_SEEN = "refund_seen"
    WEBHOOKS = "webhooks"
    RISK_WRITE = "risk_write"
    SIGN_IN_REDIRECT = "sign_in_redirect"


MEANING: Mapping[Capability, str] = {
    Capability.PRODUCTS_SEEN: "Your products, prices and pictures are read, and later changes too.",
    Capability.COUNTS_READ: "Your stock counts are read.",
    Capability.COUNTS_ADJUST: "A count can be corrected from here without overwriting a sale.",
    Capability.LOCATIONS: (
        "Of several stock locations you choose whose stock counts; none chosen means all of them together."
    ),
    Capability.ORDER_CREATE: "An order placed here is created in your shop.",
    Capability.ORDER_AT_OUR_PRICE: "The order stands in your shop at the price the buyer paid here.",
    Capability.ORDER_CLAIMS_STOCK: "Your shop refuses an order that it has no stock for.",
    Capability.ORDER_FOUND_BY_REFERENCE: (
        "An order can be found in your shop by our reference, so it never appears twice."
    ),
    Capability.REFERENCE_UNIQUE: "Your shop itself refuses a second order with the same reference.",
    Capability.ORDER_CANCEL: "Cancelling here cancels the order in your shop.",
    Capability.LINES_CANCEL: "Rejecting single lines or units here takes them out of the order in your shop.",
    Capability.CANCEL_RESTORES: "Your shop puts the units back when the order is cancelled.",
    Capability.CANCEL_SEEN: "A cancel made in your shop is seen here.",
    Capability.CANCEL_THERE_CANCELS_HERE: "A cancel made in your shop cancels the order here too.",
    Capability.TRACKING_SEEN: "When you fulfil in your shop, the tracking number comes back by itself.",
    Capability.TRACKING_PARTIAL: "Partial shipments and several parcels come back one by one.",
    Capability.FULFILMENT_WRITE: "Shipping an order here fulfils it in your shop too, with its tracking number.",
    Capability.FULFILMENT_UNDO: "A number changed here, or a shipment undone here, is changed in your shop too.",
    Capability.REFUND_SEEN: "A refund made in your shop is seen here (no money moves by itself).",
    Capability.WEBHOOKS: "Your shop tells us at once; otherwise we ask it regularly.",
    Capability.RISK_WRITE: "The risk level can be written to the order in your shop.",
    Capability.SIGN_IN_REDIRECT: "You connect by signing in at your shop; no key has to be copied.",
}


@dataclass(frozen=True, slots=True)
class Yes:
    """The platform can; `note` is an optional sentence of small print."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class No:
    """The platform cannot; `sentence` is what the seller reads before they run into it."""

    sentence: str


Answer = Yes | No


class EvidenceKind(StrEnum):
    """How a connector's claims were checked, weakest first."""

    DOCUMENTATION = "documentation"
    VENDOR_SCHEMA = "vendor schema"
    RECORDED = "recorded traffic"
    REAL_SOFTWARE = "real software"
    LIVE_ACCOUNT = "live account"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One proof behind the manifest: what was checked, against which version, when."""

    kind: EvidenceKind
    api_version: str
    checked_on: date
    sentence: str


@dataclass(frozen=True, slots=True)
class Field:
    """One input of the connect form. A secret is never shown again and never logged.

    `pattern` is what all of it has to match where something is typed, and `wrong` the sentence when it does not.
    """

    name: str
    label: str
    help: str = ""
    secret: bool = False
    required: bool = True
    placeholder: str = ""
    pattern: str = ""
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to connect a shop. `redirect` sends the seller's browser to their shop; otherwise the fields are the
    whole form.

    `steps` is the exact click path in the platform's own words. `needs_public_url` hides the way with its reason when
    no https address is set.
    """

    name: str
    label: str
    fields: tuple[Field, ...]
    steps: tuple[str, ...] = ()
    redirect: bool = False
    needs_public_url: bool = False


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast we may ask.

    `burst` calls at once, refilled `per_second`; at most `parallel` in flight; the platform's headers correct both.
    `published` is what the vendor allows its smallest plan in calls a second, None where it names no limit; ours leaves
    a fifth of it to the shop's other programs.
    """

    per_second: float
    burst: int
    parallel: int
    published: float | None = None


@dataclass(frozen=True, slots=True)
class Lag:
    """Time bounds of the stock protocol, in seconds. Each one is a promise of the platform, or our cautious guess
    where it makes none.

    `count`: a count read this long after a write surely includes it. `search`: an order created this long ago is
    surely found by reference. `late_execution`: longest time after which a request that we gave up on can still be
    carried out.
    """

    count: float = 0.0
    search: float = 0.0
    late_execution: float = 60.0


class Word(StrEnum):
    """What a platform says of a product by name, so that a seller's rules can fill attributes from it."""

    OPTIONS = "options"
    PROPERTIES = "properties"
    TAGS = "tags"
    TYPES = "types"


# The settings that say how a shop's amounts are read. A connection test fills in those that its platform has; when one
# changes, nothing is sold until the seller has confirmed it.
MONEY_SETTINGS = ("currency", "precision", "decimals", "prices")


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything the marketplace knows about a platform before it speaks to a shop.

    The panel's words come from here and nowhere else.
    """

    name: str
    label: str
    api_version: str
    answers: Mapping[Capability, Answer]
    ways: tuple[Way, ...]
    evidence: tuple[Evidence, ...]
    pace: Pace
    lag: Lag = field(default_factory=Lag)
    poll_seconds: float = 300.0
    keep_in_mind: tuple[str, ...] = ()
    known_limits: tuple[str, ...] = ()
    # Where the vendor says that it is down itself; empty for what every seller runs on a server of their own.
    status_url: str = ""
    # The only ports of ours that the platform's servers call; empty where any will do.
    hook_ports: frozenset[int] = frozenset()
    # Whether a changed count makes its product one that changed. Where not, a reconciliation reads every count, 100 a
    # call.
    counts_move_products: bool = True
    # Hours after which every product is read again, since a tax rate, a sale or a setting can change its price without
    # making it one that changed. 0: whatever changes a price makes its product one that changed.
    prices_swept_hours: float = 0.0
    # Whether a repeat that overtakes the first try of the same change is carried out beside it: then no change is sent
    # again before the first one's time is over.
    repeats_double: bool = False
    # Settings of the connection test that are the shop's own and are taken over whenever it is looked at again, so that
    # an order goes out with those of today; while a change of its money waits for the seller, they wait with it.
    follows: tuple[str, ...] = ()
    # Our commands that can leave units out of the shop's count when they are damaged or lost; after any other the
    # count includes them again.
    keeps_out: frozenset[CommandKind] = frozenset()
    # What its products say by name; a scenario proves that this is handed over as the seller wrote it, and no other.
    words: tuple[Word, ...] = ()
    # For which shops it is when it is no platform of one name; such a one is offered after all others.
    for_whom: str = ""

    def __post_init__(self) -> None:
        silent = set(Capability) - set(self.answers)
        if silent:
            raise ValueError(f"the manifest of {self.name} says nothing about {', '.join(sorted(silent))}")

    @property
    def label_within(self) -> str:
        """The label within a sentence: a name keeps its capital letter, a description does not."""
        return self.label[:1].lower() + self.label[1:] if self.for_whom else self.label

    def can(self, capability: Capability) -> bool:
        return isinstance(self.answers[capability], Yes)

    def note(self, capability: Capability) -> str:
        """The small print of what the platform can do; empty where there is none, or where it cannot."""
        answer = self.answers[capability]
        return answer.note if isinstance(answer, Yes) else ""

    def sentence(self, capability: Capability) -> str:
        """What the seller reads about this capability, whichever way the answer goes."""
        match self.answers[capability]:
            case Yes(note):
                return f"{MEANING[capability]} {note}".strip()
            case No(sentence):
                return sentence
