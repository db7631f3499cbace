"""What Wix can do, in the seller's words. A key of the site's owner is what a single seller has on a Friday evening;
webhooks are for apps that Wix has registered, so changes are asked for.
"""

from datetime import date

from crossdock.domain.capability import Capability, Evidence, EvidenceKind, Field, Lag, Manifest, No, Pace, Way, Yes

_CHECKED = date(2026, 11, 29)

MANIFEST = Manifest(
    name="wix",
    label="Wix",
    api_version="eCommerce V1, catalog V1 and V3",
    answers={
        Capability.PRODUCTS_SEEN: Yes(
            "Physical products only. What has options without a stock of their own is not sold here: manage it by"
            " variant."
        ),
        Capability.COUNTS_READ: Yes(
            "Whatever is not tracked is read as not counted, or as none when it is out of stock."
        ),
        Capability.COUNTS_ADJUST: Yes(
            "As a difference, sent once: where the answer is lost, you compare the counts and correct yours."
        ),
        Capability.LOCATIONS: No(
            "Wix takes the units of an order from the site's default location, so its stock alone counts."
        ),
        Capability.ORDER_CREATE: Yes("As an approved order of another platform, paid outside; nothing is charged."),
        Capability.ORDER_AT_OUR_PRICE: Yes("With prices that include tax; a site that adds to the total is told."),
        Capability.ORDER_CLAIMS_STOCK: Yes(
            "Wix is not known to refuse an order for want of stock; we read the stock before and after each, and cancel"
            " one that it was not enough for."
        ),
        Capability.ORDER_FOUND_BY_REFERENCE: Yes("It stands in the order as its external order id."),
        Capability.REFERENCE_UNIQUE: No(
            "Wix takes the same order twice, so we look for the first one before each further try."
        ),
        Capability.ORDER_CANCEL: Yes("Not any more once it is fulfilled there. Wix is told to write to nobody."),
        Capability.LINES_CANCEL: No(
            "Wix can only edit an order by a draft with other prices; take the units out in your site."
        ),
        Capability.CANCEL_RESTORES: Yes("With the cancel; a cancel of your own restocks what you choose there."),
        Capability.CANCEL_SEEN: Yes(),
        Capability.CANCEL_THERE_CANCELS_HERE: No(
            "An order that you cancel in your site stays open here and raises an alert: reject it here, and the buyer"
            " is credited."
        ),
        Capability.TRACKING_SEEN: Yes("An order that is only marked as fulfilled comes back without a number."),
        Capability.TRACKING_PARTIAL: Yes(),
        Capability.FULFILMENT_WRITE: Yes("Our orders have no e-mail address to which anything could be sent."),
        Capability.FULFILMENT_UNDO: Yes("The number is changed, or the fulfilment is deleted."),
        Capability.REFUND_SEEN: Yes("Once Wix says that it succeeded."),
        Capability.WEBHOOKS: No("Wix sends them only to apps in its market, so we ask your site every minute."),
        Capability.RISK_WRITE: Yes("As a note in the order's activity, which the buyer does not see."),
        Capability.SIGN_IN_REDIRECT: No("You make an API key in your Wix account and copy it once."),
    },
    ways=(
        Way(
            "key",
            "API key of your Wix account",
            (
                Field(
                    "address",
                    "Address of your site's dashboard",
                    "It names your site: copy it from the browser.",
                    placeholder="https://manage.wix.com/dashboard/fa19d2c0-7e17-4bc7-a3a8-eeeaf7c509b1/home",
                ),
                Field(
                    "api_key",
                    "API key",
                    "It is shown once, when you make it.",
                    secret=True,
                    pattern=r"[\x21-\x7e]{8,4000}",
                    wrong="The API key has no blanks and was shown once; copy it whole.",
                ),
            ),
            (
                "Only the owner or a co-owner of the Wix account can do this. Open your site's dashboard and copy the"
                " address of that page into the first field.",
                "Open manage.wix.com/account/api-keys > Generate API Key. Name: Crossdock. Sites: this one only."
                " Permissions: Wix Stores, Wix eCommerce and Site Properties.",
                "Generate the key, type the code that Wix mails you, and copy the token into the second field.",
            ),
        ),
    ),
    evidence=(
        Evidence(
            EvidenceKind.VENDOR_SCHEMA,
            "eCommerce V1, catalog V1 and V3",
            _CHECKED,
            "Paths, names, types and filters of every call against the types that Wix publishes (npm @wix/auto_sdk_*).",
        ),
        Evidence(
            EvidenceKind.DOCUMENTATION,
            "eCommerce V1, catalog V1 and V3",
            _CHECKED,
            "What catalogues, stock, settings and searches do, as dev.wix.com says. Never tried on a live site.",
        ),
    ),
    # 200 calls a minute for each site, whoever asks. With a burst as large as a connection test and a first page need
    # from a person's fifth, a minute has 190 at most, and 120 when it goes on.
    pace=Pace(per_second=2.0, burst=70, parallel=4, published=200 / 60),
    # The vendor names no bounds; lists of variants are "eventually consistent", and stock moves after the order.
    lag=Lag(count=10.0, search=10.0, late_execution=60.0),
    poll_seconds=60.0,
    # Inventory is an API of its own; whether it moves the product's date is not said.
    counts_move_products=False,
    # Discounts change what is shown without the product, and a deleted product leaves its list without a word.
    prices_swept_hours=24.0,
    # Whether a second cancel restocks again is not said.
    repeats_double=True,
    keep_in_mind=(
        "Orders from here carry no e-mail address, so that Wix does not write to the buyer; a relay address stands in"
        " the order's custom fields.",
        "Several stock locations: keep what you sell here at the default one.",
        "A product for which you take pre-orders is sold here as far as its stock goes.",
    ),
    known_limits=(
        "Where your own site sells the last unit within the same second, both orders can stand: when Wix then shows 0"
        " instead of less, nobody can see it.",
        "Products with text fields that a buyer has to fill in are sold without them.",
        "An order that your site left waiting for its payment, and whose own answer was lost, is found by no search:"
        " the next try makes another one, and the first stays there unpaid.",
        "Without webhooks a change in your site is seen within a minute or two; a deleted product when its count is"
        " read, or within a day.",
    ),
    status_url="https://status.wix.com",
)
