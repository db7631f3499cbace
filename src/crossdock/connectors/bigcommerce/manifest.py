"""What BigCommerce can do, in the seller's words. Who moves stock and when is a setting of the store, so the connection
test reads it and says what follows.
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
    name="bigcommerce",
    label="BigCommerce",
    api_version="V3, orders V2",
    answers={
        Capability.PRODUCTS_SEEN: Yes(
            "What is counted as a whole product but sold in variants is not sold here: count it by variant."
        ),
        Capability.COUNTS_READ: Yes("What is available to sell: on hand without the safety stock."),
        Capability.COUNTS_ADJUST: No(
            "BigCommerce keeps no key with a change of a count, so one whose answer was lost could be made twice;"
            " counts are corrected in your store."
        ),
        Capability.LOCATIONS: Yes("BigCommerce chooses which location an order takes from."),
        Capability.ORDER_CREATE: Yes("As “Awaiting Fulfillment”, paid outside; nothing is charged."),
        Capability.ORDER_AT_OUR_PRICE: Yes("With the same price before and after tax, so that no tax is added."),
        Capability.ORDER_CLAIMS_STOCK: Yes(
            "BigCommerce is not known to refuse an order for want of stock; we read the count before and after each,"
            " and cancel one that it was not enough for."
        ),
        Capability.ORDER_FOUND_BY_REFERENCE: Yes("It stands in the order's external order id."),
        Capability.REFERENCE_UNIQUE: No(
            "BigCommerce takes the same order twice, so we look for the first one before each try."
        ),
        Capability.ORDER_CANCEL: Yes("Not any more once it is shipped there."),
        Capability.LINES_CANCEL: No(
            "BigCommerce can only edit the order, which takes its discounts away and may leave the units out of the"
            " count; take the units out in your store."
        ),
        Capability.CANCEL_RESTORES: Yes(
            "Where your store's inventory settings say that cancelled orders go back into stock; the connection test"
            " says whether they do."
        ),
        Capability.CANCEL_SEEN: Yes("Also when it is declined, archived, or refunded in full before shipping."),
        Capability.CANCEL_THERE_CANCELS_HERE: No(
            "An order that you cancel in your store stays open here and raises an alert: reject it here, and the buyer"
            " is credited."
        ),
        Capability.TRACKING_SEEN: Yes("An order that is only marked as shipped comes back without a number."),
        Capability.TRACKING_PARTIAL: Yes(),
        Capability.FULFILMENT_WRITE: Yes("As a shipment; our orders have no e-mail address to which anything is sent."),
        Capability.FULFILMENT_UNDO: Yes("The shipment is deleted and the order awaits its fulfilment again."),
        Capability.REFUND_SEEN: Yes(),
        Capability.WEBHOOKS: Yes("Signed; BigCommerce switches them off after 48 hours of trouble, so we also ask."),
        Capability.RISK_WRITE: Yes("In the order's staff notes, which the buyer does not see."),
        Capability.SIGN_IN_REDIRECT: No("You make an API account in your store's settings and copy three values."),
    },
    ways=(
        Way(
            "account",
            "API account of your store",
            (
                Field(
                    "address",
                    "API path",
                    "It ends with your store hash.",
                    placeholder="https://api.bigcommerce.com/stores/abc123/v3/",
                ),
                Field("access_token", "Access token", secret=True),
                Field("client_secret", "Client secret", "Webhooks are signed with it.", secret=True),
            ),
            (
                "In your store: Settings > API > Store-level API accounts > Create API account, token type V2/V3.",
                "Name: Crossdock. Scopes: Orders modify; Products read-only; Store Inventory read-only; Store Locations"
                " read-only; Order Transactions read-only; Information & Settings read-only. Save.",
                "Copy the API path, the access token and the client secret into the fields here; they are shown once.",
            ),
        ),
    ),
    evidence=(
        Evidence(
            EvidenceKind.VENDOR_SCHEMA,
            "V3, orders V2",
            _CHECKED,
            "Names, types and filters of every call against the vendor's OpenAPI of 2026-04-01.",
        ),
        Evidence(
            EvidenceKind.DOCUMENTATION,
            "V3, orders V2",
            _CHECKED,
            "What settings, statuses and webhooks do, as the vendor describes it. Never tried on a live account.",
        ),
    ),
    words=(Word.OPTIONS, Word.PROPERTIES, Word.TAGS),
    # Standard and Plus: 150 calls in 30 seconds, shared by all programs of the store; the headers correct it.
    pace=Pace(per_second=4, burst=40, parallel=4, published=5),
    # The vendor names no bounds; changes of inventory are carried out later ("transaction_id"), so these are guesses.
    lag=Lag(count=10.0, search=10.0, late_execution=60.0),
    poll_seconds=60.0,
    follows=("admin", "takes", "restocks"),
    # Vendor's OpenAPI of webhooks, `destination`: served on port 443, no others.
    hook_ports=frozenset({443}),
    # Inventory by location is an API of its own; whether it moves the product's date is not said.
    counts_move_products=False,
    # Price rules and lists change what is shown without the product.
    prices_swept_hours=24.0,
    keep_in_mind=(
        "Set Settings > Inventory so that stock is updated when an order is placed, and put back when it is cancelled.",
        "Orders from here carry no e-mail address, so that your store does not write to the buyer; a relay address"
        " stands in the staff notes.",
        "Our reference is the order's external order id: leave it as it is.",
    ),
    known_limits=(
        "Prices are the ones of the default storefront without customer groups; products with choices that a buyer has"
        " to fill in are sold without them.",
        "Where your own store sells the last unit within the same second, both orders can stand: when BigCommerce then"
        " shows 0 instead of less, nobody can see it.",
        "Staff notes that you save in the very second in which we add ours may be lost.",
        "An archived or deleted order is noticed when it is next looked at.",
    ),
    status_url="https://status.bigcommerce.com",
)
