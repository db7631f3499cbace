"""What Shopify can do, in the seller's words.

The API version is pinned here and nowhere else; Shopify retires a version after a year.
"""

from datetime import date

from crossdock.domain.capability import Capability, Evidence, EvidenceKind, Field, Lag, Manifest, Pace, Way, Word, Yes
from crossdock.domain.commands import CommandKind

API_VERSION = "2026-10"

# What the operations in documents.graphql need, from the access requirements in the vendor's schema.
# read_fulfillments: the topics fulfillments/*.
SCOPES = (
    "read_products",
    "read_inventory",
    "write_inventory",
    "read_locations",
    "read_orders",
    "write_orders",
    "read_fulfillments",
)

# Asked for as well, and done without where it was not given: shops that were connected before have it not.
FULFILMENT_SCOPES = ("write_merchant_managed_fulfillment_orders",)
ALL_SCOPES = SCOPES + FULFILMENT_SCOPES

_SHOP = Field(
    "shop",
    "Your shop's Shopify address",
    help="The one that ends in .myshopify.com; it stays the same when you use a domain of your own.",
    placeholder="your-shop.myshopify.com",
)

INSTALL = Way(
    name="install",
    label="Sign in at Shopify and install our app",
    fields=(_SHOP,),
    steps=(
        "Type your shop's .myshopify.com address (Shopify admin: Settings > Domains).",
        "Shopify opens and shows what our app may do. Click Install.",
        "You come back here by yourself.",
    ),
    redirect=True,
)

OWN_APP = Way(
    name="own_app",
    label="Use an app of your own",
    fields=(
        _SHOP,
        Field("client_id", "Client ID", help="Dev Dashboard > Apps > your app > Settings > Credentials."),
        Field("client_secret", "Client secret", help="In the same place, below the Client ID.", secret=True),
    ),
    steps=(
        "In the Shopify admin: Settings > Apps and sales channels > Develop apps > Build apps in Dev Dashboard.",
        "Create app, give it a name, then Versions > New version.",
        "Under Access > Scopes put: " + ", ".join(ALL_SCOPES) + ". Click Release.",
        "Under API access > Protected customer data choose name, address and email, and save.",
        "On the app's home page: Install app, and choose the shop.",
        "Under Settings > Credentials copy the Client ID and the Client secret into the fields here.",
    ),
)

MANIFEST = Manifest(
    name="shopify",
    label="Shopify",
    api_version=API_VERSION,
    status_url="https://www.shopifystatus.com",
    answers={
        Capability.PRODUCTS_SEEN: Yes("Only products with the status Active are sold here."),
        Capability.COUNTS_READ: Yes(
            "“Available” of all locations, or of the one that you choose. A variant without “Track quantity” has no"
            " count and is not sold here."
        ),
        Capability.COUNTS_ADJUST: Yes("As a relative change with a key, so a repeat changes nothing."),
        Capability.LOCATIONS: Yes("Shopify chooses where an order ships from, also locations not counted here."),
        Capability.ORDER_CREATE: Yes("As a paid order: the payment is recorded as taken here, and nothing is charged."),
        Capability.ORDER_AT_OUR_PRICE: Yes(),
        Capability.ORDER_CLAIMS_STOCK: Yes(
            "A variant with “Continue selling when out of stock” is never refused: that is your setting."
        ),
        Capability.ORDER_FOUND_BY_REFERENCE: Yes(),
        Capability.REFERENCE_UNIQUE: Yes("By an order field of the type ID, which our app creates in your shop."),
        Capability.ORDER_CANCEL: Yes("Not any more once something of it was fulfilled."),
        Capability.LINES_CANCEL: Yes("As a refund of no money with a note, while the units are not fulfilled."),
        Capability.CANCEL_RESTORES: Yes(
            "Not when you rejected the order because you don't have the item, or it is damaged or lost."
        ),
        Capability.CANCEL_SEEN: Yes(),
        Capability.CANCEL_THERE_CANCELS_HERE: Yes(),
        Capability.TRACKING_SEEN: Yes(),
        Capability.TRACKING_PARTIAL: Yes(),
        Capability.FULFILMENT_WRITE: Yes(
            "Without the right to fulfil orders (shops connected before it was asked for) shipments entered here stay"
            " here; the connection test says so."
        ),
        Capability.FULFILMENT_UNDO: Yes(),
        Capability.REFUND_SEEN: Yes(),
        Capability.WEBHOOKS: Yes("Shopify deletes them after eight failed deliveries; we look and set them up again."),
        Capability.RISK_WRITE: Yes(
            "As a risk assessment with its reasons on the order's page, until the order is fulfilled."
        ),
        Capability.SIGN_IN_REDIRECT: Yes(),
    },
    ways=(INSTALL, OWN_APP),
    evidence=(
        Evidence(
            EvidenceKind.VENDOR_SCHEMA,
            API_VERSION,
            date(2026, 11, 23),
            "Every request was checked against Shopify's own schema of this version, and its webhook samples of"
            " 2026-07.",
        ),
        Evidence(
            EvidenceKind.DOCUMENTATION,
            API_VERSION,
            date(2026, 11, 23),
            "What the schema does not say (tokens, webhooks, limits) was read in Shopify's documentation. It was never"
            " tried on a live account.",
        ),
    ),
    words=(Word.OPTIONS, Word.TAGS, Word.TYPES),
    # In calls of about 20 points each; Shopify counts 100 points a second on the smallest plan and says after each
    # call what is left.
    pace=Pace(per_second=4, burst=50, parallel=6, published=5),
    # No promise of the platform: guesses on the cautious side. The look-up by unique reference has no lag that is
    # documented; the search index has.
    lag=Lag(count=1.0, search=30.0, late_execution=60.0),
    poll_seconds=300.0,
    follows=("locations",),
    keep_in_mind=(
        (
            "Orders from here carry the tag “crossdock” and our reference in the field “Crossdock order reference”:"
            " leave both as they are."
        ),
        "The buyer's phone number is not sent, since Shopify may text it.",
        "A trial or development store takes at most five orders a minute from here; the others wait.",
    ),
    keeps_out=frozenset({CommandKind.CANCEL_ORDER, CommandKind.CANCEL_LINES}),
    known_limits=(
        "Gift cards and products with the status Unlisted, Draft or Archived are not sold here.",
        "Prices are the shop's base prices; markets, price lists and automatic discounts are not read.",
        "An order in the shop with more than ten fulfillments shows the first ten.",
    ),
)
