"""What Ecwid by Lightspeed can do, in the seller's words. An order there has one status of fulfilment and one tracking
number, so only whole orders are shipped.
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

_CHECKED = date(2026, 11, 29)

MANIFEST = Manifest(
    name="ecwid",
    label="Ecwid by Lightspeed",
    api_version="v3",
    answers={
        Capability.PRODUCTS_SEEN: Yes(
            "Gift cards, subscriptions, bundles, demo products and those whose buyers name the price are left out."
        ),
        Capability.COUNTS_READ: Yes("What has unlimited stock is read as not counted."),
        Capability.COUNTS_ADJUST: Yes(
            "By a difference, sent once: Ecwid keeps no key with it, so where its answer is lost you compare the counts"
            " yourself."
        ),
        Capability.LOCATIONS: No("Ecwid's one count for each item is used, whichever locations it adds up."),
        Capability.ORDER_CREATE: Yes("As “Paid” and “Awaiting Processing”, paid outside; nothing is charged."),
        Capability.ORDER_AT_OUR_PRICE: Yes("With prices that include tax and a tax of 0, so that none is added."),
        Capability.ORDER_CLAIMS_STOCK: Yes(
            "Ecwid is not known to refuse an order for want of stock; we read the count before and after each, and"
            " cancel one that it was not enough for."
        ),
        Capability.ORDER_FOUND_BY_REFERENCE: Yes("It stands in the order's external order id."),
        Capability.REFERENCE_UNIQUE: No(
            "Ecwid is not known to refuse the same order twice, so we look for the first one before each try."
        ),
        Capability.ORDER_CANCEL: Yes("As “Cancelled” and “Will Not Deliver”, not any more once it is shipped there."),
        Capability.LINES_CANCEL: No(
            "Ecwid only takes a new list of all items, and does not say whether the units that are left out go back;"
            " take them out in your store."
        ),
        Capability.CANCEL_RESTORES: Yes("Ecwid restocks what is marked as cancelled or refunded."),
        Capability.CANCEL_SEEN: Yes("Also when it is deleted, or refunded in full before shipping."),
        Capability.CANCEL_THERE_CANCELS_HERE: No(
            "An order that you cancel in your store stays open here and raises an alert: reject it here, and the buyer"
            " is credited."
        ),
        Capability.TRACKING_SEEN: Yes("An order that is only marked as shipped comes back without a number."),
        Capability.TRACKING_PARTIAL: No(
            "An order in Ecwid is shipped as a whole and has one tracking number; further ones of labels bought there"
            " add their number."
        ),
        Capability.FULFILMENT_WRITE: Yes("Only a parcel that holds the whole order; Ecwid is told to write to nobody."),
        Capability.FULFILMENT_UNDO: Yes("The number is taken away and the order awaits its processing again."),
        Capability.REFUND_SEEN: Yes(
            "With the amount that Ecwid keeps; an order that is only marked as partially refunded has none and is not"
            " seen."
        ),
        Capability.WEBHOOKS: No(
            "Ecwid's staff set their address for each app by hand, and sign only a number and a time, not what they"
            " say, so we ask regularly."
        ),
        Capability.RISK_WRITE: Yes("In the order's private staff notes, which the buyer does not see."),
        Capability.SIGN_IN_REDIRECT: No("You make a custom app in your store and copy its secret token once."),
    },
    ways=(
        Way(
            "token",
            "Custom app of your store",
            (
                Field("address", "Store ID", "At the bottom of each page of your Ecwid admin.", placeholder="12345678"),
                Field("secret_token", "Secret token", "It begins with “secret_”.", secret=True),
            ),
            (
                "Your plan must include API access. Open https://my.ecwid.com/#develop-apps and create a custom app.",
                "Its access scopes must include read_store_profile, read_catalog, update_catalog, read_orders,"
                " update_orders and create_orders; ask Ecwid's API support for one that is missing.",
                "Copy the store ID and the app's secret token into the fields here.",
            ),
        ),
    ),
    evidence=(
        Evidence(
            EvidenceKind.VENDOR_SCHEMA,
            "v3",
            _CHECKED,
            "Names, types and values of every call against the vendor's own client 0.326 of 2026-07-14"
            " (github Ecwid/ecwid-java-api-client).",
        ),
        Evidence(
            EvidenceKind.DOCUMENTATION,
            "v3",
            _CHECKED,
            "What statuses do to stock and mail, limits and errors, as docs.ecwid.com and support.ecwid.com describe"
            " them. Never tried on a live store.",
        ),
    ),
    words=(Word.OPTIONS, Word.PROPERTIES),
    # "Up to 600 requests per minute per token" (api-reference): the token is ours alone, a fifth is left all the same.
    pace=Pace(per_second=8, burst=60, parallel=4, published=10),
    # The vendor names no bounds, and the search for an order may be an index of its own: guesses.
    lag=Lag(count=10.0, search=10.0, late_execution=60.0),
    poll_seconds=60.0,
    # Whether a sale moves its product's date is not said.
    counts_move_products=False,
    # Taxes and settings change what is shown without the product.
    prices_swept_hours=24.0,
    # What two cancels at once restock is not said.
    repeats_double=True,
    keep_in_mind=(
        "Orders from here carry no e-mail address and switch Ecwid's notifications off, so that it does not write to"
        " the buyer; a relay address stands in the private staff notes.",
        "Our reference is the order's external order id, and stands in its private staff notes, by which it is found:"
        " leave both as they are.",
        "Mark an order as shipped when all of it has left: Ecwid knows no part of an order.",
    ),
    known_limits=(
        "A parcel that holds a part of an order is not written into your store: mark the order there when the last one"
        " has left.",
        "Where your own store sells the last unit within the same second, both orders can stand: when Ecwid then shows"
        " 0 instead of less, nobody can see it.",
        "Staff notes that you save in the very second in which we add ours may be lost.",
        "Without webhooks a change in your store is seen within a minute or two.",
        "Options that a buyer has to fill in, and the smallest and greatest number that one may buy, are not known"
        " here.",
    ),
    status_url="https://status.ecwid.com",
)
