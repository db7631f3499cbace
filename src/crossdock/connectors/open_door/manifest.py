"""What any shop can do whose developer opens the door: the most that the contract has. What one shop leaves out, its
connection test says.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from crossdock.domain.capability import (
    Capability,
    Evidence,
    EvidenceKind,
    Field,
    Lag,
    Manifest,
    No,
    Pace,
    Way,
    Word,
    Yes,
)

_IF = "Where your shop offers it."

MANIFEST = Manifest(
    name="open_door",
    label="Any other shop",
    api_version="contract 1",
    for_whom="For a shop on none of these platforms, or on one of your own making: your developer lets it answer six"
    " short calls.",
    answers={
        Capability.PRODUCTS_SEEN: Yes(),
        Capability.COUNTS_READ: Yes("Together with the product, all your locations added up."),
        Capability.COUNTS_ADJUST: Yes(_IF),
        Capability.LOCATIONS: No(
            "Your shop says one count for each variant; which locations it adds up is its affair."
        ),
        Capability.ORDER_CREATE: Yes("As paid, whole or not at all."),
        Capability.ORDER_AT_OUR_PRICE: Yes(),
        Capability.ORDER_CLAIMS_STOCK: Yes("It has to: the conformance test sells the last unit twice."),
        Capability.ORDER_FOUND_BY_REFERENCE: Yes(),
        Capability.REFERENCE_UNIQUE: Yes("A second order with the same reference is answered with the first."),
        Capability.ORDER_CANCEL: Yes("Where your shop offers it, and until it is shipped."),
        Capability.LINES_CANCEL: Yes(_IF),
        Capability.CANCEL_RESTORES: Yes("Always, also what is damaged or lost: correct the count in your shop then."),
        Capability.CANCEL_SEEN: Yes(),
        Capability.CANCEL_THERE_CANCELS_HERE: No(
            "An order that you cancel in your shop stays open here and raises an alert: reject it here, and the buyer"
            " is credited."
        ),
        Capability.TRACKING_SEEN: Yes(),
        Capability.TRACKING_PARTIAL: Yes(),
        Capability.FULFILMENT_WRITE: Yes(_IF),
        Capability.FULFILMENT_UNDO: Yes(_IF),
        Capability.REFUND_SEEN: Yes("Where your shop tells of refunds."),
        Capability.WEBHOOKS: Yes("Where your shop offers it, signed by Standard Webhooks; we ask as well."),
        Capability.RISK_WRITE: Yes("As a note for your staff, where your shop offers it."),
        Capability.SIGN_IN_REDIRECT: No("You copy one key from your shop, once; it is never sent anywhere."),
    },
    ways=(
        Way(
            "key",
            "Address and key from your developer",
            (
                Field(
                    "address",
                    "Address of the open door",
                    "Where your shop answers, as your developer tells you.",
                    placeholder="https://shop.example.com/crossdock",
                ),
                Field("key", "Key", "It begins with whsec_.", secret=True, placeholder="whsec_..."),
            ),
            (
                "Give your shop's developer the contract, which you can download on the page before this one.",
                "They let your shop answer its six calls, and try them with the command “crossdock check connector”.",
                "They give you an address and a key. Put both into the fields here.",
            ),
        ),
    ),
    evidence=(
        Evidence(
            EvidenceKind.REAL_SOFTWARE,
            "contract 1",
            date(2026, 11, 29),
            "The reference shop, written apart from this connector, plays all its scenarios; what both sides say is"
            " checked against the contract. Your own shop is proven by “crossdock check connector”.",
        ),
    ),
    words=(Word.OPTIONS, Word.PROPERTIES, Word.TAGS, Word.TYPES),
    pace=Pace(per_second=10, burst=20, parallel=4),
    lag=Lag(count=0.0, search=0.0, late_execution=60.0),
    poll_seconds=60.0,
    follows=("calls",),
    keep_in_mind=(
        "Keep our reference with the order: by it your shop knows a repeat.",
        "Your shop writes to nobody about these orders; the e-mail address in them is a relay of this marketplace.",
    ),
    known_limits=(
        "What your shop does not offer is named by its connection test; its orders then wait for you in your shop.",
        "Prices are the ones that your shop says, in one currency for each product.",
    ),
)

# The call without which a shop cannot do it.
NEEDS = {
    Capability.ORDER_CANCEL: "orders/cancel",
    Capability.CANCEL_RESTORES: "orders/cancel",
    Capability.LINES_CANCEL: "orders/cancel_units",
    Capability.COUNTS_ADJUST: "counts/adjust",
    Capability.FULFILMENT_WRITE: "parcels/write",
    Capability.FULFILMENT_UNDO: "parcels/cancel",
    Capability.RISK_WRITE: "notes/write",
    Capability.WEBHOOKS: "webhooks/set",
}


def offered(offers: Callable[[str], bool]) -> Manifest:
    """What one shop can do: the rest is a no that names the call."""
    missing = {one: No(f"Your shop does not offer the call {call}.") for one, call in NEEDS.items() if not offers(call)}
    return replace(MANIFEST, answers={**MANIFEST.answers, **missing})
