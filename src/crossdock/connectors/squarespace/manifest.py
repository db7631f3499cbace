"""What Squarespace can do, in the seller's words. Its programs may create orders and fulfil whole ones, and nothing
else: cancelling, changing a number and refunding are done in the site.
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
    name="squarespace",
    label="Squarespace",
    api_version="1.0, products v2",
    answers={
        Capability.PRODUCTS_SEEN: Yes("Physical products only; services, downloads and gift cards are left out."),
        Capability.COUNTS_READ: Yes("A variant with unlimited stock is read as not counted."),
        Capability.COUNTS_ADJUST: Yes("By a difference, with a key, so that the same change is never made twice."),
        Capability.LOCATIONS: No("Squarespace keeps one count for each variant, without locations."),
        Capability.ORDER_CREATE: Yes("As an order of the sales channel “Crossdock”, paid outside; nothing is charged."),
        Capability.ORDER_AT_OUR_PRICE: Yes("With prices that include tax, so that none is added."),
        Capability.ORDER_CLAIMS_STOCK: Yes("We look at the counts first, and Squarespace takes the units itself."),
        Capability.ORDER_FOUND_BY_REFERENCE: Yes(
            "By reading the orders of that time one after the other: Squarespace has no search for it."
        ),
        Capability.REFERENCE_UNIQUE: No(
            "Squarespace remembers our key for 48 hours only, so we look for the first order before each try."
        ),
        Capability.ORDER_CANCEL: No(
            "Squarespace lets no program cancel an order. After you reject one here, open it in your site, choose"
            " Cancel order, and leave “Restock inventory” checked unless the units are gone."
        ),
        Capability.LINES_CANCEL: No("Squarespace lets no program take units out of an order, and has no way for it."),
        Capability.CANCEL_RESTORES: No(
            "Squarespace puts units back only if you leave “Restock inventory” checked when you cancel there."
        ),
        Capability.CANCEL_SEEN: Yes(),
        Capability.CANCEL_THERE_CANCELS_HERE: No(
            "An order that you cancel in your site stays open here and raises an alert: reject it here, and the buyer"
            " is credited."
        ),
        Capability.TRACKING_SEEN: Yes("An order that is only marked as fulfilled comes back without a number."),
        Capability.TRACKING_PARTIAL: No(
            "Squarespace fulfils whole orders: the first shipment stands for all units, further ones add their number."
        ),
        Capability.FULFILMENT_WRITE: Yes(
            "Only a parcel that holds the whole order; Squarespace is told to write to nobody."
        ),
        Capability.FULFILMENT_UNDO: No(
            "Squarespace lets no program change or delete a shipment: do it in the order in your site."
        ),
        Capability.REFUND_SEEN: No(
            "An order from here has no payment in Squarespace, and only the sum of an order's refunds is told; refund"
            " it here."
        ),
        Capability.WEBHOOKS: No("Squarespace sends them only to programs that it has registered, so we ask regularly."),
        Capability.RISK_WRITE: No("Squarespace lets no program write a note to an order; you read the risk here."),
        Capability.SIGN_IN_REDIRECT: No("You make an API key in your site's settings and copy it once."),
    },
    ways=(
        Way(
            "key",
            "API key of your site",
            (
                Field("address", "Address of your site", placeholder="https://corner-shop.squarespace.com"),
                Field("api_key", "API key", "It is shown once, when you make it.", secret=True),
            ),
            (
                "Your plan must include Commerce APIs. In your site: Settings > Developer tools > Developer API keys >"
                " Generate key.",
                "Name: Crossdock. Permissions: Orders read and write; Inventory read and write; Products read only.",
                "Generate the key and copy it into the field here.",
            ),
        ),
    ),
    evidence=(
        Evidence(
            EvidenceKind.DOCUMENTATION,
            "1.0, products v2",
            _CHECKED,
            "Every call, field and limit as developers.squarespace.com/commerce-apis describes it.",
        ),
        Evidence(
            EvidenceKind.RECORDED,
            "1.0",
            _CHECKED,
            "Answers that others published of live sites in August 2026: products, inventory, an order created and"
            " listed, refusals. We have not tried a live site ourselves.",
        ),
    ),
    words=(Word.OPTIONS, Word.TAGS),
    # 300 calls a minute for each site, with a minute's cool-down; a fifth of it is left to other programs.
    pace=Pace(per_second=3.5, burst=30, parallel=4, published=5),
    # The vendor names no bounds. An order is found in the list of changes, which may lag behind.
    lag=Lag(count=10.0, search=10.0, late_execution=60.0),
    poll_seconds=60.0,
    # Whether a sale moves its product's date is not said.
    counts_move_products=False,
    # A product that is deleted leaves its list without a word, and a page that moves meanwhile may skip a row.
    prices_swept_hours=24.0,
    keep_in_mind=(
        "Cancel in your site what you reject here: Squarespace lets no program do it, and the order stands there until"
        " you do.",
        "Orders from here carry no e-mail address, so that Squarespace does not write to the buyer; a relay address"
        " stands in the name of the shipping.",
        "Squarespace takes 100 orders an hour from an API key; more wait for their turn.",
    ),
    known_limits=(
        "A parcel that holds a part of an order, and a number that changes later, are not written into your site:"
        " enter them there.",
        "Where your own site sells the last unit within the same second, Squarespace's own count decides; an order that"
        " it took all the same cannot be taken back by us, and the count below zero raises an alert.",
        "Without webhooks a change in your site is seen within a minute or two.",
        "A deleted product is noticed when its count is read, or within a day.",
    ),
    status_url="https://status.squarespace.com",
)
