"""What Adobe Commerce and Magento Open Source can do, in the seller's words: polling only, at the shop's own prices."""

from datetime import date

from crossdock.domain.capability import Capability, Evidence, EvidenceKind, Field, Lag, Manifest, No, Pace, Way, Yes

_CHECKED = date(2026, 11, 29)


def _key(name: str, label: str) -> Field:
    wrong = f"“{label}” has 32 letters and digits; copy it whole."
    return Field(name, label, "32 characters.", secret=True, pattern="[A-Za-z0-9]{32}", wrong=wrong)


def _code(name: str, label: str, about: str, example: str) -> Field:
    wrong = f"“{label}” is a code of letters, digits and underscores, as it stands in your shop's admin."
    return Field(name, label, about, required=False, placeholder=example, pattern="[A-Za-z0-9_]{1,120}", wrong=wrong)


MANIFEST = Manifest(
    name="adobe_commerce",
    label="Adobe Commerce / Magento Open Source",
    api_version="REST V1 of 2.4.4 to 2.4.9",
    answers={
        Capability.PRODUCTS_SEEN: Yes(
            "Simple and configurable products of one website, at their price or special price. Bundles, grouped,"
            " virtual and downloadable products, and those with required options, are not sold here."
        ),
        Capability.COUNTS_READ: Yes(
            "The salable quantity of your website's stock: what lies at its sources, less what is reserved. What your"
            " shop sells without counting is read as not counted."
        ),
        Capability.COUNTS_ADJUST: No(
            "Magento only sets a source's quantity, so a change in the same moment would be lost; counts are corrected"
            " in your shop."
        ),
        Capability.LOCATIONS: No(
            "The stock of your website decides which sources count: assign sources to it in Stores > Inventory >"
            " Stocks."
        ),
        Capability.ORDER_CREATE: Yes(
            "As a guest's order with an offline payment method; nothing is charged, and the invoice is yours to make."
        ),
        Capability.ORDER_AT_OUR_PRICE: No(
            "Magento works prices, taxes and shipping out itself, so the order stands there at your shop's own price."
            " Where that differs from what the buyer paid here, a comment in the order says both."
        ),
        Capability.ORDER_CLAIMS_STOCK: Yes(
            "Its units are reserved at once. Magento looks and reserves without a lock, so we read the count again"
            " after each order and cancel one that it was not enough for."
        ),
        Capability.ORDER_FOUND_BY_REFERENCE: Yes(
            "It is the name in the e-mail address of the order's guest, and the billing address's fax."
        ),
        Capability.REFERENCE_UNIQUE: No(
            "Magento takes the same order twice, so we look for the first one before each try."
        ),
        Capability.ORDER_CANCEL: Yes("Not any more once it is invoiced or shipped there, nor while it is on hold."),
        Capability.LINES_CANCEL: No(
            "Magento's API cannot take single units out of an order that is not invoiced; invoice it and make a credit"
            " memo for them in your shop."
        ),
        Capability.CANCEL_RESTORES: Yes("By a reservation that undoes the first one."),
        Capability.CANCEL_SEEN: Yes("Also when it is refunded as a whole before it is shipped."),
        Capability.CANCEL_THERE_CANCELS_HERE: No(
            "An order that you cancel in your shop stays open here and raises an alert: reject it here, and the buyer"
            " is credited."
        ),
        Capability.TRACKING_SEEN: Yes("Each shipment; a number that is added later too, in the newest 100 shipments."),
        Capability.TRACKING_PARTIAL: Yes(),
        Capability.FULFILMENT_WRITE: Yes(
            "As a shipment from the source that Magento chooses; a parcel from two sources is two shipments."
        ),
        Capability.FULFILMENT_UNDO: No(
            "Magento takes no shipment back: one that is undone here stays in your shop. A changed number is changed"
            " there."
        ),
        Capability.REFUND_SEEN: Yes("Each credit memo of the order."),
        Capability.WEBHOOKS: No(
            "Magento Open Source has no webhooks, and those of Adobe Commerce need an app of their own; we ask your"
            " shop every minute."
        ),
        Capability.RISK_WRITE: Yes("As a comment in the order's history that the customer does not see."),
        Capability.SIGN_IN_REDIRECT: No("You make an integration in your shop and copy its four keys."),
    },
    ways=(
        Way(
            "integration",
            "Integration of your shop",
            (
                Field("address", "Address of your shop", placeholder="https://shop.example.com"),
                _key("consumer_key", "Consumer Key"),
                _key("consumer_secret", "Consumer Secret"),
                _key("access_token", "Access Token"),
                _key("access_token_secret", "Access Token Secret"),
                _code(
                    "store",
                    "Store view",
                    "Its code in Stores > All Stores. Empty means default.",
                    "default",
                ),
                _code(
                    "shipping",
                    "Shipping method",
                    "Carrier and method of our orders, like flatrate_flatrate. Empty means one that costs what the"
                    " buyer paid for shipping here, or the cheapest.",
                    "flatrate_flatrate",
                ),
                _code(
                    "payment",
                    "Payment method",
                    "An offline one of our orders, like checkmo. Empty means Purchase Order, or else Check / Money"
                    " Order.",
                    "checkmo",
                ),
            ),
            (
                "In your shop's admin: System > Extensions > Integrations > Add New Integration. Name: Crossdock; your"
                " password. Leave both addresses empty.",
                "API > Resource Access: Custom. Tick Sales > Operations with Orders, Shipments and Credit Memos,"
                " Catalog > Inventory > Products, and in Stores: Settings > All Stores, and Inventory with Sources,"
                " Stocks and Source Selection Algorithm. Save.",
                "Activate > Allow. Copy the four keys into the fields here.",
                "Enable Purchase Order or Check / Money Order, and a shipping method, in Stores > Configuration >"
                " Sales.",
            ),
        ),
    ),
    evidence=(
        Evidence(
            EvidenceKind.VENDOR_SCHEMA,
            "2.4.9",
            _CHECKED,
            "Bodies and filters of every call against the vendor's swagger (AdobeDocs/commerce-webapi, e2275b562).",
        ),
        Evidence(
            EvidenceKind.DOCUMENTATION,
            "2.4.4 to 2.4.9",
            _CHECKED,
            "Stock, carts, cancels and comments were read in the vendor's source and its issues. Never tried on a live"
            " shop.",
        ),
    ),
    # No limit is published for these calls; it is the seller's own server, where a call takes 0.2 to 1 s of PHP.
    pace=Pace(per_second=5, burst=20, parallel=4),
    # A reservation counts as soon as the order stands. PHP goes on after we gave up.
    lag=Lag(count=0, search=0, late_execution=60),
    poll_seconds=60,
    # Source quantities and reservations are rows of their own.
    counts_move_products=False,
    # A special price begins and ends by the calendar.
    prices_swept_hours=6.0,
    # Neither a cancel nor a shipment has a key, and each reads the order as it was before.
    repeats_double=True,
    keep_in_mind=(
        "Our orders belong to a guest whose e-mail address is our reference at orders.crossdock.invalid, so that"
        " Magento's mails reach nobody; your mail server may report them as undeliverable. The buyer's relay address"
        " stands in the billing address, as company.",
        "Leave the guest's e-mail address and the billing address as they are: the order is known by them.",
        "Invoice an order when you ship it: Magento cancels none that is invoiced.",
        "Let your stock index be updated on save: by schedule, Magento counts shipped units as salable until it runs.",
    ),
    known_limits=(
        "Prices of catalog rules, customer groups and tiers are not read, and where you enter prices without tax they"
        " are read without it.",
        "A child of two configurable products is listed with both, and its stock is the same.",
        "Where your shop sells the last unit in the same second, an order of ours is cancelled there again.",
        "Adobe Commerce as a Cloud Service signs in differently and is not supported.",
        "Where your shop requires a state (Stores > Configuration > General > State Options), an order to an address"
        " without one is refused.",
        "In currencies of three decimals Magento rounds totals to two.",
    ),
)
