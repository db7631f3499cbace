"""What Vendure 3.7 can do. Polling only: the core sends nothing to anybody outside."""

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
_ADDRESS = Field(
    "address",
    "Address of your Vendure server",
    "Where your dashboard lives, without what follows it.",
    placeholder="https://shop.example.com",
)
_CHANNEL = Field(
    "channel_token",
    "Channel token",
    "Only for a channel other than the default one: Settings > Channels.",
    secret=True,
    required=False,
)
_RIGHTS = (
    "Role with these permissions on your channel: ReadCatalog (or ReadProduct and ReadStockLocation), ReadOrder,"
    " CreateOrder, UpdateOrder, DeleteOrder."
)

MANIFEST = Manifest(
    name="vendure",
    label="Vendure",
    api_version="3.7",
    answers={
        Capability.PRODUCTS_SEEN: Yes(
            "A deleted product is noticed when its stock is next read, and a price that a tax rate or a setting changed"
            " within six hours."
        ),
        Capability.COUNTS_READ: Yes(
            "The count is what your shop would sell: on hand, minus allocated, minus what your out-of-stock threshold"
            " keeps back, over all stock locations of the channel."
        ),
        Capability.COUNTS_ADJUST: No(
            "Vendure only takes a new absolute stock number, which would overwrite a sale made in the same moment, so"
            " counts are corrected in your shop."
        ),
        Capability.LOCATIONS: Yes(
            "Your shop chooses where an order is allocated, also at locations not counted here. When the first of"
            " several locations cannot fill an order alone, Vendure 3.7 allocates more than was ordered and never"
            " releases the rest, so its count and what is sold here stay too low: keep what you sell at one location."
        ),
        Capability.ORDER_CREATE: Yes(),
        Capability.ORDER_AT_OUR_PRICE: No(
            "Vendure takes its own prices, taxes and shipping for an order, so the total in your shop can differ from"
            " what the buyer paid here; the order page shows both."
        ),
        Capability.ORDER_CLAIMS_STOCK: Yes(
            "Vendure itself can accept a paid order without stock; we check each one after paying and cancel a short"
            " one there."
        ),
        Capability.ORDER_FOUND_BY_REFERENCE: Yes(
            "It stands in the payment's transaction id and in the customer's name."
        ),
        Capability.REFERENCE_UNIQUE: No(
            "Vendure does not refuse a second order with the same reference, so we look for the first one before each"
            " try."
        ),
        Capability.ORDER_CANCEL: Yes("As long as nothing is fulfilled."),
        Capability.LINES_CANCEL: Yes(
            "As long as nothing of the order is fulfilled: after that Vendure puts back more units than were taken out,"
            " so nothing is done from here."
        ),
        Capability.CANCEL_RESTORES: Yes(),
        Capability.CANCEL_SEEN: Yes(),
        Capability.CANCEL_THERE_CANCELS_HERE: No(
            "An order that you cancel in your shop stays open here and raises an alert: reject it here, and the buyer"
            " is credited."
        ),
        Capability.TRACKING_SEEN: Yes("When the fulfilment is marked as shipped; one that is still pending is not."),
        Capability.TRACKING_PARTIAL: Yes(
            "Vendure cannot change a tracking code: cancel the fulfilment and make the same again, and the parcel gets"
            " its new number."
        ),
        Capability.FULFILMENT_WRITE: Yes(
            "With the manual fulfilment handler, marked as shipped; for a changed number the fulfilment is cancelled"
            " and made again. One that is marked as delivered is left as it is."
        ),
        Capability.FULFILMENT_UNDO: Yes("As long as it is not marked as delivered."),
        Capability.REFUND_SEEN: Yes(
            "Within minutes on an open order, within an hour on one that is delivered or cancelled."
        ),
        Capability.WEBHOOKS: No(
            "Vendure sends no webhooks; we ask your shop for news: every minute while something happens, every six"
            " minutes at rest."
        ),
        Capability.RISK_WRITE: Yes("As a private note in the order's history, which the buyer does not see."),
        Capability.SIGN_IN_REDIRECT: No(
            "Vendure has no sign-in for other programs: paste an API key, or the name and password of an administrator"
            " made for us."
        ),
    },
    ways=(
        Way(
            "key",
            "API key",
            (
                _ADDRESS,
                Field(
                    "api_key", "API key", "The whole key, with the colon in it.", secret=True, placeholder="id:secret"
                ),
                _CHANNEL,
            ),
            (
                (
                    "In your server's configuration, let `authOptions.tokenMethod` include 'api-key', for example"
                    " ['bearer', 'cookie', 'api-key'], and restart it."
                ),
                "In the dashboard, under Settings > Roles, make a " + _RIGHTS[0].lower() + _RIGHTS[1:],
                (
                    "Under Settings > API keys, make a key with that role and copy it; it is shown once. (A key costs"
                    " your server far more work per call than a login.)"
                ),
            ),
        ),
        Way(
            "login",
            "User name and password",
            (_ADDRESS, Field("username", "User name"), Field("password", "Password", secret=True), _CHANNEL),
            (
                "In your server's configuration, let `authOptions.tokenMethod` include 'bearer', and restart it.",
                "In the dashboard, under Settings > Roles, make a " + _RIGHTS[0].lower() + _RIGHTS[1:],
                (
                    "Under Settings > Administrators, make an administrator for us with that role, and type the name"
                    " and password here."
                ),
            ),
        ),
    ),
    evidence=(
        Evidence(
            EvidenceKind.REAL_SOFTWARE,
            "3.7.3",
            _CHECKED,
            "An unmodified @vendure/core on PostgreSQL 18 and on SQLite, played by tests/real.",
        ),
        Evidence(
            EvidenceKind.VENDOR_SCHEMA,
            "3.7.3",
            _CHECKED,
            "Every document validates against the schema that this server gave.",
        ),
    ),
    words=(Word.OPTIONS, Word.PROPERTIES, Word.TYPES),
    pace=Pace(per_second=30, burst=60, parallel=6),
    lag=Lag(count=0, search=0, late_execution=60),
    # Stock levels are rows of their own there; seen on the real server: the variant keeps its date.
    counts_move_products=False,
    # Seen on 3.7.3: a tax rate, pricesIncludeTax, the global threshold and a promotion move no date.
    prices_swept_hours=6.0,
    # Seen on 3.7.3 with PostgreSQL 17: two calls at once refund twice, and make two parcels of everything.
    repeats_double=True,
    poll_seconds=60,
    keep_in_mind=(
        (
            "Vendure's EmailPlugin mails an order confirmation to the order's customer. Ours carries a relay address"
            " that reaches nobody, so the buyer is not written to; to stop the attempt as well, let your handler for"
            ' order confirmations leave out orders whose payment method is "crossdock".'
        ),
        (
            "The order needs a shipping method that fits it: we take the one whose price is nearest to what the buyer"
            " paid for shipping."
        ),
        (
            "Two orders paid in the same moment for the last unit are both accepted by Vendure; ours is then cancelled"
            " by itself when it was the later one."
        ),
        (
            "On PostgreSQL, Vendure can lose one of two sales that are paid in the same moment from its allocated"
            " number, so its count stays too high. Ours are paid one at a time, and an order whose units may not be"
            " counted stays reserved here and says so; sales of your own shop can still meet, so count now and then."
        ),
    ),
    known_limits=(
        (
            "A variant deleted or disabled in your shop leaves its listing at the next reading of the product, a"
            " deleted product when its stock is next read."
        ),
        (
            "An order that you edit in your shop after it was placed is shown as it stands, but nothing changes here by"
            " itself."
        ),
        (
            "With several stock locations, Vendure 3.7 allocates too much when one of them cannot fill an order alone,"
            " and never releases the surplus: the count it shows then stays too low. A location that you delete takes"
            " its records along, so an order whose answer was lost just then stays reserved here and says so."
        ),
    ),
)
