"""What Medusa 2 can do, in the seller's words. Polling only: the core sends nothing to anybody outside."""

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

_CHECKED = date(2026, 11, 29)

MANIFEST = Manifest(
    name="medusa",
    label="Medusa",
    api_version="2.21",
    answers={
        Capability.PRODUCTS_SEEN: Yes(
            "Products of your store's default sales channel, at the price of its default currency for everybody. A"
            " deleted product is noticed when its stock is next read."
        ),
        Capability.COUNTS_READ: Yes(
            "What one order could have: Medusa takes a line from one stock location alone, so of several locations the"
            " best filled one counts, and not their sum."
        ),
        Capability.COUNTS_ADJUST: No(
            "Medusa only takes a new absolute stock number, which would overwrite a sale made in the same moment, so"
            " counts are corrected in your store."
        ),
        Capability.LOCATIONS: No(
            "Medusa chooses which location of your sales channel an order takes from, so all of them are looked at:"
            " take a location out of the sales channel, and it does not count here."
        ),
        Capability.ORDER_CREATE: Yes("As a draft order that is converted, paid outside; nothing is charged."),
        Capability.ORDER_AT_OUR_PRICE: Yes(
            "An automatic promotion is taken off again; a region that adds taxes to prices still adds them, and the"
            " connection test says so."
        ),
        Capability.ORDER_CLAIMS_STOCK: Yes("When the draft is converted, all units or none."),
        Capability.ORDER_FOUND_BY_REFERENCE: Yes("It stands in the billing address and in the order's metadata."),
        Capability.REFERENCE_UNIQUE: No(
            "Medusa takes the same order twice, so we look for the first one and for its draft before each try."
        ),
        Capability.ORDER_CANCEL: Yes("As long as nothing of it is packed or shipped and it is not being edited."),
        Capability.LINES_CANCEL: No(
            "Single units are taken out by an edit of the order in your store; reject the order as a whole here, or"
            " edit it there."
        ),
        Capability.CANCEL_RESTORES: Yes(),
        Capability.CANCEL_SEEN: Yes("Medusa refunds by itself what was paid; that is not told as a refund of its own."),
        Capability.CANCEL_THERE_CANCELS_HERE: No(
            "An order that you cancel in your store stays open here and raises an alert: reject it here, and the buyer"
            " is credited."
        ),
        Capability.TRACKING_SEEN: Yes("When the fulfilment is marked as shipped; one that is only packed is not."),
        Capability.TRACKING_PARTIAL: Yes(),
        Capability.FULFILMENT_WRITE: Yes(
            "Marked as shipped, from the location where the units are reserved. Medusa changes no number of a shipment:"
            " one that changes here stands in the order's metadata there."
        ),
        Capability.FULFILMENT_UNDO: No(
            "Medusa takes no shipment back: one that is undone here stays marked as shipped in your store."
        ),
        Capability.REFUND_SEEN: Yes(),
        Capability.WEBHOOKS: No("Medusa sends no webhooks; we ask your store for news every minute."),
        Capability.RISK_WRITE: No(
            "Medusa has no note on an order that only your staff can read: its metadata goes to the storefront as well."
        ),
        Capability.SIGN_IN_REDIRECT: No("You make a secret API key in your store's settings and copy it."),
    },
    ways=(
        Way(
            "key",
            "Secret API key",
            (
                Field(
                    "address",
                    "Address of your Medusa server",
                    "Where its API answers, without what follows it.",
                    placeholder="https://api.example.com",
                ),
                Field("api_key", "Secret API key", "It begins with sk_.", secret=True, placeholder="sk_..."),
            ),
            (
                "In your Medusa dashboard: Settings > Developer > Secret API Keys > Create. Title: Crossdock.",
                "Copy the key into the field here; it is shown once.",
                "Your store needs a default sales channel, a region with its currency, a stock location of that channel"
                " and a shipping option; the connection test looks for each.",
            ),
        ),
    ),
    evidence=(
        Evidence(
            EvidenceKind.REAL_SOFTWARE,
            "2.21.2",
            _CHECKED,
            "An unmodified @medusajs/medusa on PostgreSQL 18, played by tests/real.",
        ),
        Evidence(
            EvidenceKind.VENDOR_SCHEMA,
            "2.0",
            _CHECKED,
            "Bodies of requests against the fields and types of the Admin API's OpenAPI of October 2024.",
        ),
    ),
    words=(Word.OPTIONS, Word.TAGS, Word.TYPES),
    # About 4 answers a second were seen from one process, one after the other; there is no limit.
    pace=Pace(per_second=8, burst=20, parallel=4),
    lag=Lag(count=0, search=0, late_execution=60),
    poll_seconds=60,
    follows=("channel", "regions", "taxed", "places"),
    # Seen on 2.21.2: a stock level keeps the dates of its variant and its product.
    counts_move_products=False,
    # A price list, a tax or a setting changes what is paid and moves no date.
    prices_swept_hours=6.0,
    # No call has a key; a fulfilment and a payment that overtake their first try would be made beside it.
    repeats_double=True,
    keep_in_mind=(
        "Orders from here are marked as paid by Medusa's manual payment: what it refunds or captures is only written"
        " down, the money is settled here.",
        "Do not edit an order of ours while you cancel it: Medusa refuses the cancel then, and writes a refund of the"
        " whole payment all the same.",
        "Our reference stands in the billing address (company) and in the metadata: leave both as they are.",
    ),
    known_limits=(
        "Prices of price lists, customer groups and regions are not read; required options are the variants' own.",
        "A product that lies in another sales channel alone is not offered here.",
        "Two orders of your own storefront with two lines of one variant can take more than there is: Medusa looks at"
        " its stock line by line. The count is then below zero, and is read as it is.",
        "A store that lets subscribers mail a confirmation mails the order's relay address, which reaches nobody.",
    ),
)
