"""What WooCommerce can do, in the seller's words.

Much of it is what the connector does afterwards, since the shop itself refuses almost nothing.
"""

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
from crossdock.domain.commands import CommandKind

_CHECKED = date(2026, 11, 23)
_ADDRESS = Field(
    "address", "Address of your shop", "The address of its home page.", placeholder="https://shop.example.com"
)

MANIFEST = Manifest(
    name="woocommerce",
    label="WooCommerce",
    api_version="wc/v3",
    answers={
        Capability.PRODUCTS_SEEN: Yes("Simple products and products with variations; other kinds are not sold here."),
        Capability.COUNTS_READ: Yes(
            "Only where “Manage stock” is on; variations that share their product's stock are offered in equal parts."
        ),
        Capability.COUNTS_ADJUST: No(
            "WooCommerce reads, adds and writes a count back, and loses a sale that falls in between, so counts are"
            " corrected in your shop."
        ),
        Capability.LOCATIONS: No(
            "WooCommerce keeps one count per product; locations that a plugin adds are not seen here."
        ),
        Capability.ORDER_CREATE: Yes("As “processing”, paid outside."),
        Capability.ORDER_AT_OUR_PRICE: Yes("Without tax lines, so that the total is what the buyer paid."),
        Capability.ORDER_CLAIMS_STOCK: Yes(
            "WooCommerce sells below zero; we read the count after each order and cancel one that it was not enough"
            " for."
        ),
        Capability.ORDER_FOUND_BY_REFERENCE: Yes("It stands in the shipping line and in the transaction id."),
        Capability.REFERENCE_UNIQUE: No(
            "WooCommerce takes the same order twice, so we look for the first one before each try."
        ),
        Capability.ORDER_CANCEL: Yes("Not any more once it is completed or fulfilled there."),
        Capability.LINES_CANCEL: Yes(
            "As a refund that pays nothing and puts the units back; the order's page there still shows the lines, with"
            " the refund below."
        ),
        Capability.CANCEL_RESTORES: Yes(
            "Always, also when you reject because you don't have the item: correct the count in your shop then."
        ),
        Capability.CANCEL_SEEN: Yes(
            "Also when it is marked as failed, refunded in full before shipping, or moved to the trash."
        ),
        Capability.CANCEL_THERE_CANCELS_HERE: No(
            "An order that you cancel in your shop stays open here and raises an alert: reject it here, and the buyer"
            " is credited."
        ),
        Capability.TRACKING_SEEN: Yes(
            "From WooCommerce's fulfilments or a Shipment Tracking plugin; a completed order without either is shipped"
            " without a number."
        ),
        Capability.TRACKING_PARTIAL: Yes("The plain Shipment Tracking plugin does not say what is in which parcel."),
        Capability.FULFILMENT_WRITE: Yes(
            "As one of WooCommerce's fulfilments where that feature is on, otherwise as a Shipment Tracking entry with"
            " a private note, and the order is completed when nothing is left. Nobody is mailed."
        ),
        Capability.FULFILMENT_UNDO: Yes(),
        Capability.REFUND_SEEN: Yes(),
        Capability.WEBHOOKS: Yes("WooCommerce sends each once and stops after repeated failures, so we also ask."),
        Capability.RISK_WRITE: Yes("As a private note with the reasons; the buyer does not see it and gets no mail."),
        Capability.SIGN_IN_REDIRECT: Yes("Where this marketplace has a public https address."),
    },
    ways=(
        Way(
            "authorize",
            "Sign in at your shop",
            (_ADDRESS,),
            (
                "Type your shop's address.",
                (
                    "Your shop opens and asks whether Crossdock may read and write. Sign in as an administrator or shop"
                    " manager and click Approve."
                ),
                "You come back here by yourself.",
            ),
            redirect=True,
            needs_public_url=True,
        ),
        Way(
            "keys",
            "Paste keys",
            (
                _ADDRESS,
                Field("consumer_key", "Consumer key", secret=True, placeholder="ck_..."),
                Field("consumer_secret", "Consumer secret", secret=True, placeholder="cs_..."),
            ),
            (
                "In WordPress: WooCommerce > Settings > Advanced > REST API > Add key.",
                (
                    "Description: Crossdock. User: an administrator or shop manager. Permissions: Read/Write. Click"
                    " “Generate API key”."
                ),
                "Copy both keys into the fields here; they are shown once.",
            ),
        ),
    ),
    evidence=(
        Evidence(
            EvidenceKind.RECORDED,
            "9.5.1",
            _CHECKED,
            "Orders, products, refunds and signed deliveries of a real shop, in both order storages.",
        ),
        Evidence(EvidenceKind.VENDOR_SCHEMA, "9.5.1", _CHECKED, "The shop's own description of its routes and fields."),
        Evidence(
            EvidenceKind.DOCUMENTATION,
            "11.0.1",
            _CHECKED,
            "A probe of a real 11.0.1 for stock, cancels, fulfilments and webhooks; sign-in and taxes from the source."
            " Never tried on a live shop.",
        ),
    ),
    words=(Word.OPTIONS, Word.PROPERTIES, Word.TAGS, Word.TYPES),
    # The core has no limit; shared hosts have, and do not tell. About 8 calls a second were seen on a small machine.
    pace=Pace(per_second=10, burst=50, parallel=4),
    # No search index and no queue before the database; a guess for hosts that read from a replica.
    lag=Lag(count=0.0, search=5.0, late_execution=60.0),
    poll_seconds=60.0,
    follows=("auth",),
    # wp_safe_remote_request, which WooCommerce delivers with, takes no other (WordPress: wp_http_validate_url).
    hook_ports=frozenset({80, 443, 8080}),
    # Tax rates and the options of taxes are rows of their own: changing them moves no product's date.
    prices_swept_hours=24.0,
    keep_in_mind=(
        (
            "Orders from here carry no e-mail address in the billing fields, so that your shop does not write to the"
            " buyer; a relay address stands in the customer note."
        ),
        "Our reference stands in the order's shipping line and custom fields: leave both as they are.",
        "Deleting an order or moving it to the trash puts no units back in WooCommerce; cancelling does.",
        "Two sales of the last unit in the same moment: ours is cancelled in your shop by itself.",
    ),
    keeps_out=frozenset({CommandKind.CANCEL_LINES}),
    known_limits=(
        "Prices are the shop's current ones without customer groups; tax settings of the shop are not read.",
        (
            "Tracking numbers that stand only in order notes are not read, and order statuses added by plugins count as"
            " open."
        ),
        "An order deleted for good in your shop is noticed when it is next looked at.",
    ),
)
