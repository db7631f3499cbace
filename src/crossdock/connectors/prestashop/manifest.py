"""What PrestaShop can do, in the seller's words. It has no push, no partial shipments and no relative stock; an
order goes through a guest, an address and a cart.
"""

from datetime import date

from crossdock.domain.capability import Capability, Evidence, EvidenceKind, Field, Lag, Manifest, No, Pace, Way, Yes

_CHECKED = date(2026, 11, 29)
_PARTS = (
    "PrestaShop ships an order as a whole. When you send it in several parcels, mark it as shipped in your shop"
    " yourself once all have left."
)

MANIFEST = Manifest(
    name="prestashop",
    label="PrestaShop",
    api_version="webservice of 1.7.6.2 to 9",
    answers={
        Capability.PRODUCTS_SEEN: Yes("Packs, and what uses the old advanced stock management, are not sold here."),
        Capability.COUNTS_READ: Yes(),
        Capability.COUNTS_ADJUST: No(
            "PrestaShop only sets a count, so a sale in the same moment would be lost; counts are corrected in your"
            " shop."
        ),
        Capability.LOCATIONS: No("PrestaShop has one count for each shop."),
        Capability.ORDER_CREATE: Yes(
            "As “Remote payment accepted”, for a guest of its own. Until its prices are set, for some seconds, it"
            " stands there as “Payment error”."
        ),
        Capability.ORDER_AT_OUR_PRICE: Yes("With the rate of tax that your shop works out for the buyer's address."),
        Capability.ORDER_CLAIMS_STOCK: Yes(
            "PrestaShop refuses no order for want of stock; we read the count before and after each, and cancel one"
            " that it was not enough for."
        ),
        Capability.ORDER_FOUND_BY_REFERENCE: Yes("It stands in the order's payment method."),
        Capability.REFERENCE_UNIQUE: No(
            "PrestaShop takes the same order twice, so we look for the first one before each try."
        ),
        Capability.ORDER_CANCEL: Yes("Not any more once it is shipped there."),
        Capability.LINES_CANCEL: No(
            "PrestaShop's webservice cannot take units out of an order and put them back into stock; do it on the"
            " order's page in your shop."
        ),
        Capability.CANCEL_RESTORES: Yes("All its units, also those that you put back before with a partial refund."),
        Capability.CANCEL_SEEN: Yes("Also when it is set to “Refunded” before it is shipped."),
        Capability.CANCEL_THERE_CANCELS_HERE: No(
            "An order that you cancel in your shop stays open here and raises an alert: reject it here, and the buyer"
            " is credited."
        ),
        Capability.TRACKING_SEEN: Yes("An order that is only set to a shipped status comes back without a number."),
        Capability.TRACKING_PARTIAL: No(_PARTS),
        Capability.FULFILMENT_WRITE: Yes(_PARTS),
        Capability.FULFILMENT_UNDO: Yes("The number is taken out and the order is in preparation again."),
        Capability.REFUND_SEEN: Yes("Each credit slip of the order."),
        Capability.WEBHOOKS: No("PrestaShop tells nobody by itself, so we ask it every minute."),
        Capability.RISK_WRITE: Yes("In the order's internal note, which the buyer does not see; from 1.7.8 on."),
        Capability.SIGN_IN_REDIRECT: No("You make a webservice key in your shop and copy it."),
    },
    ways=(
        Way(
            "key",
            "Webservice key of your shop",
            (
                Field("address", "Address of your shop", placeholder="https://shop.example.com"),
                Field(
                    "key",
                    "Webservice key",
                    "32 characters.",
                    secret=True,
                    pattern="[A-Za-z0-9]{32}",
                    wrong="A webservice key has 32 letters and digits; copy it whole.",
                ),
                Field(
                    "id_shop",
                    "Number of the shop",
                    "Only with several shops in one PrestaShop: Advanced Parameters > Multistore.",
                    required=False,
                    pattern="[0-9]{1,6}",
                    wrong="The number of the shop is a whole number.",
                ),
                Field(
                    "module",
                    "Payment module",
                    "The technical name of one that is installed and active; it is named in our orders and charges"
                    " nothing. Empty means ps_wirepayment.",
                    required=False,
                    placeholder="ps_wirepayment",
                    pattern="[A-Za-z0-9_-]{1,64}",
                    wrong="The payment module is written as in Modules > Module Manager, like ps_wirepayment.",
                ),
            ),
            (
                "In your shop: Advanced Parameters > Webservice. Switch on “Enable PrestaShop's webservice” and save.",
                "Add new webservice key > Generate. Key description: Crossdock.",
                "Tick “View (GET)” for carriers, combinations, configurations, countries, currencies, order_carriers,"
                " order_details, order_slip, order_states, orders, product_option_values, products, shops, states and"
                " stock_availables.",
                "Tick “Add (POST)” for addresses, carts, customers, order_histories and orders, and “Modify (PUT)” for"
                " order_carriers, order_details and orders. Save, and copy the key into the field here.",
            ),
        ),
    ),
    evidence=(
        Evidence(
            EvidenceKind.VENDOR_SCHEMA,
            "8.1",
            _CHECKED,
            "Fields, formats and rights of every call against the vendor's tables of its resources (PrestaShop/docs,"
            " 2024-03).",
        ),
        Evidence(
            EvidenceKind.DOCUMENTATION,
            "1.7.6 to 9",
            _CHECKED,
            "Who moves stock, and when, was read in the vendor's source; a PrestaShop 8.0.4 was probed once for the"
            " order's way through the cart. Never tried on a live shop.",
        ),
    ),
    # No limit is published; it is the seller's own server, and a call takes 0.1 to 0.5 s of PHP: four at once hold it.
    pace=Pace(per_second=10, burst=50, parallel=4),
    # One database, read and written at once. PHP goes on after we gave up, by default for 30 s (max_execution_time).
    # An order that a late answer left unpaid is finished a minute after it last moved, which has to be before it is
    # taken as it stands.
    lag=Lag(count=0.0, search=30.0, late_execution=60.0),
    poll_seconds=60.0,
    follows=(
        *("id_currency", "currencies", "id_lang", "group", "zone", "counts", "backorders", "version"),
        *("paid", "canceled", "error", "refunded", "unpaid", "shipping", "preparation", "shipped"),
    ),
    # A count is a row of its own (stock_availables); it moves no date of its product.
    counts_move_products=False,
    # Taxes and specific prices change what is shown without the product.
    prices_swept_hours=24.0,
    # Two cancels at once read the same old status, and each puts the units back (OrderHistory::changeIdOrderState).
    repeats_double=True,
    keep_in_mind=(
        "Our reference is the order's payment method (“Crossdock” and the reference): leave it as it is.",
        "Orders from here belong to a guest with an address at orders.crossdock.invalid, so that PrestaShop's mails"
        " reach nobody; your mail server may report them as undeliverable. A relay address stands in the guest's"
        " private note.",
        "Keep the statuses “Remote payment accepted”, “Canceled”, “Shipped” and “Processing in progress” as PrestaShop"
        " installs them: their ticks decide when units are taken and put back.",
    ),
    known_limits=(
        "Prices are those of the default customer group and country, sales included; products with required fields to"
        " fill in are sold without them.",
        "Where your own shop sells the last unit within the same second, both orders can stand, since PrestaShop adds"
        " and subtracts without a lock.",
        "A tracking number that another program writes through the webservice is seen when the order changes next.",
        "The carrier of a parcel is set only where your shop has an active carrier of that name.",
        "What you change at an order in the very second in which we write to it may be lost: PrestaShop takes orders"
        " only as a whole.",
    ),
)
