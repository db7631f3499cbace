"""What Saleor 3.23 can do, in the seller's words. One connection is one channel of the shop."""

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
PERMISSIONS = ("MANAGE_PRODUCTS", "MANAGE_ORDERS")
TAXES = "MANAGE_TAXES"
# What the connection test says of them, and of the version.
GIVE = "Give the app the permission {} in your dashboard, under Extensions."
NET = (
    "Your prices are entered without tax: your shop adds its tax to the price that a buyer paid here, unless the app"
    " may exempt our orders from tax (permission MANAGE_TAXES)."
)
# `reason` of a fulfilment ("Added in Saleor 3.23", saleor/graphql/schema.graphql); orders take `where` since 3.22.
OLDEST = (3, 23)
OLD = "Your shop runs Saleor {}; orders can be followed from 3.23 on. Update it first."

MANIFEST = Manifest(
    name="saleor",
    label="Saleor",
    api_version="3.23",
    answers={
        Capability.PRODUCTS_SEEN: Yes(
            "Saleor moves no date when a price changes: its webhook tells us, and besides we read some products at"
            " every poll in turn, all of them within a day."
        ),
        Capability.COUNTS_READ: Yes(
            "In stock, minus what is allocated to orders and reserved by checkouts, over your channel's warehouses."
        ),
        Capability.COUNTS_ADJUST: No(
            "Saleor only takes a new absolute stock number, which would overwrite a sale made in the same moment, so"
            " counts are corrected in your shop."
        ),
        Capability.LOCATIONS: Yes(
            "Your shop chooses the warehouses that an order is allocated at, by your channel's allocation strategy,"
            " also those not counted here."
        ),
        Capability.ORDER_CREATE: Yes("As a draft order that is completed and marked as paid; nothing is charged."),
        Capability.ORDER_AT_OUR_PRICE: Yes(
            "The goods at the price paid here, without your promotions; shipping by a method of yours, lowered by a"
            " discount to what was paid here. If all your methods cost less than that, the order stands lower by the"
            " difference and says so."
        ),
        Capability.ORDER_CLAIMS_STOCK: Yes(
            "Only stock in warehouses that ship to the buyer's country counts there, by your shipping zones."
        ),
        Capability.ORDER_FOUND_BY_REFERENCE: Yes("It is the order's external reference."),
        Capability.REFERENCE_UNIQUE: Yes(),
        Capability.ORDER_CANCEL: Yes("As long as nothing of it is fulfilled."),
        Capability.LINES_CANCEL: Yes(
            "As a return of units that were not fulfilled, without a refund: your order shows them as returned, and its"
            " total stays as it was."
        ),
        Capability.CANCEL_RESTORES: Yes(),
        Capability.CANCEL_SEEN: Yes("An order that expires counts as cancelled."),
        Capability.CANCEL_THERE_CANCELS_HERE: No(
            "An order that you cancel in your shop stays open here and raises an alert: reject it here, and the buyer"
            " is credited."
        ),
        Capability.TRACKING_SEEN: Yes(
            "Saleor has no field for the carrier: enter the tracking link in place of the number where the number alone"
            " does not tell it. A fulfilment that waits for approval is not seen as sent."
        ),
        Capability.TRACKING_PARTIAL: Yes("What leaves two warehouses is two fulfilments there."),
        Capability.FULFILMENT_WRITE: Yes(
            "As a fulfilment that mails nobody. The carrier stands in its private metadata. One that your shop wants to"
            " be approved is approved from here."
        ),
        Capability.FULFILMENT_UNDO: Yes("The units go back to the warehouse they came from, for the same order."),
        Capability.REFUND_SEEN: Yes("Also one that is granted and not paid out yet."),
        Capability.WEBHOOKS: Yes("Signed with your server's own key; after five repeats one is lost, so we also ask."),
        Capability.RISK_WRITE: Yes("As a note in the order's history, which the buyer does not see."),
        Capability.SIGN_IN_REDIRECT: No("You make an app in your dashboard and copy its token."),
    },
    ways=(
        Way(
            "token",
            "App token",
            (
                Field(
                    "address",
                    "Address of your Saleor API",
                    "It ends with /graphql/; your dashboard's address does as well, where both have one server.",
                    placeholder="https://store.saleor.cloud/graphql/",
                ),
                Field(
                    "token",
                    "App token",
                    secret=True,
                    pattern=r"[\x21-\x7e]+",
                    wrong="An app token of Saleor has no blanks; copy it whole.",
                ),
                Field(
                    "channel",
                    "Channel",
                    "The channel's slug, if your shop has more than one: Configuration > Channels.",
                    required=False,
                    placeholder="default-channel",
                ),
            ),
            (
                "In your dashboard: Extensions > Installed > Add extension > Provide details manually. Name:"
                " Crossdock.",
                "Permissions: Manage products (MANAGE_PRODUCTS) and Manage orders (MANAGE_ORDERS). Where your prices"
                " are entered without tax, also Manage taxes (MANAGE_TAXES). Save.",
                "Copy the token that is shown once, or make another on the extension's page: Tokens > Create token.",
            ),
        ),
    ),
    evidence=(
        Evidence(
            EvidenceKind.VENDOR_SCHEMA,
            "3.24.0-a.0",
            _CHECKED,
            "Every document is valid in the vendor's own GraphQL schema of 2026-08-21.",
        ),
        Evidence(
            EvidenceKind.DOCUMENTATION,
            "3.23",
            _CHECKED,
            "What a 3.23.28 server did with drafts, stock, cancels, fulfilments and webhooks was seen and written down;"
            " the rest was read in the vendor's source. This connector itself never spoke to a live shop.",
        ),
    ),
    # docs.saleor.io/api-usage/usage-limits: a cloud sandbox takes 120 requests a minute, a production one has no limit.
    pace=Pace(per_second=1.6, burst=24, parallel=4, published=2),
    # Seen on 3.23.28: a created order is counted and found at once. A read replica may lag by moments.
    lag=Lag(count=2.0, search=2.0, late_execution=60.0),
    poll_seconds=60.0,
    # Stock rows have no date, and move none.
    counts_move_products=False,
    # saleor/graphql/product/mutations/channels.py: a price in a channel moves no `updatedAt`, nor do promotions.
    prices_swept_hours=24.0,
    # saleor/order/actions.py: cancel_fulfillment does not look again under its lock, so two at once restock twice.
    repeats_double=True,
    words=(Word.OPTIONS, Word.PROPERTIES, Word.TYPES),
    keep_in_mind=(
        "Keep your prices entered with tax, or give the app the permission to exempt our orders from tax: the price"
        " paid here is the whole price.",
        "Our orders carry no e-mail address, so that your shop does not write to the buyer; a relay address stands in"
        " their private metadata.",
        "Our reference is the order's external reference and stands in its metadata: leave both as they are.",
        "Your shipping zones decide which warehouses can serve which country: put the warehouses into zones of all the"
        " countries that you sell to here.",
        "A shipping method at what you charge for shipping here, or above, lets our orders stand at exactly what the"
        " buyer paid.",
    ),
    known_limits=(
        "Saleor 3.23 or newer.",
        "A count is one number: units in a warehouse that does not ship to a buyer's country are offered to them, and"
        " your shop refuses the order then.",
        "A product that leaves the channel, or is deleted, is noticed by a webhook, or when it is next looked at.",
        "Preorders are not sold here.",
        "A number that is corrected more than three days after the order last changed is seen within the hour, unless a"
        " webhook tells it.",
        "A fulfilment whose units were all returned disappears in Saleor; the parcel stays as it was here.",
        "Orders of a channel that does not confirm orders by itself stay unconfirmed until you confirm them.",
    ),
)
