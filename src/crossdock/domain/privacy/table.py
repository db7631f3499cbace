"""Every column that can say something of a person, and what becomes of it when they leave: the one table.

`usecases/privacy/steps.py` carries out its entries, in this order; docs/privacy.md and the page of somebody who leaves
show them. A test walks all models: a column of text, of JSON or that names an account, and is not here, fails.
"""

from dataclasses import dataclass
from enum import StrEnum


class Then(StrEnum):
    """What becomes of the rows when their person leaves."""

    STAYS = "stays"
    CUT = "cut"
    GOES = "goes"


@dataclass(frozen=True, slots=True)
class Personal:
    """`table` is Django's name of it; `fields` those of its columns that can say something of a person. `what` is the
    rows in a reader's words, `why` what stays and why, or how far they are cut.
    """

    table: str
    fields: str
    then: Then
    what: str
    why: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.fields.split())


_NUMBERS = "A number of an account, which leads to nobody once that account is erased."
_BY_ITSELF = "Goes by itself within days"
_SALE = "Proof of a sale, which tax law asks for; names, streets and words about you are taken out."

PERSONAL: tuple[Personal, ...] = (
    # What a seller's shop is made of.
    Personal(
        "store.ConnectAttempt", "address keep secrets proof preview calls user", Then.GOES, "shops begun to connect"
    ),
    Personal(
        "store.Connection",
        "address shop_key name state_sentence paused_by_staff secrets settings checks hooks",
        Then.CUT,
        "connected shops",
        "That orders went to a shop stays with them; its address, name, keys and settings go.",
    ),
    Personal("store.Delivery", "news headers body note", Then.GOES, "what your shops sent"),
    Personal("store.Exchange", "url request response headers error subject", Then.GOES, "recorded calls"),
    Personal("store.Call", "about given made subject", Then.GOES, "what was asked of shops"),
    Personal("store.Cursor", "value trouble", Then.GOES, "where reading your shops stood"),
    Personal(
        "store.Quarantined",
        "entity cause path trace ended_by",
        Then.GOES,
        "what could not be read from your shops; of your purchases the words of it",
    ),
    Personal(
        "store.Endpoint", "url name secrets hint paused_why", Then.CUT, "webhook receivers", "An empty row stays."
    ),
    Personal("store.ShippingRate", "", Then.GOES, "shipping prices"),
    Personal(
        "store.Selling",
        "choice draft pricing pricing_draft",
        Then.GOES,
        "your rules for a shop",
    ),
    Personal("store.FillRule", "source name word attribute value", Then.GOES, "your rules for attributes"),
    Personal("store.SavedSearch", "buyer name address wanted waiting", Then.GOES, "saved searches"),
    Personal(
        "store.OrderNote",
        "author body",
        Then.GOES,
        "notes on your orders; in others' notes on your purchases the words about you",
    ),
    Personal("store.OrderTag", "name", Then.GOES, "tags of your orders; others' tags that name you"),
    Personal("store.OrderView", "person name address", Then.GOES, "your tabs on orders; others' tabs that name you"),
    Personal(
        "store.BulkRun", "asked_by given", Then.GOES, "your runs over many orders; others' runs on your purchases"
    ),
    Personal("store.BulkRow", "given sentence", Then.GOES, "what runs over many orders did with your orders"),
    Personal("store.SellerAddress", "address", Then.GOES, "where you ship from"),
    Personal("store.Invitation", "email roles", Then.GOES, "whom you asked into your team, and who asked you"),
    Personal("store.PayoutAccount", "ref words", Then.GOES, "your bank accounts"),
    Personal("store.PayoutHold", "held_by why", Then.GOES, "why staff held your payouts"),
    Personal("store.Suspension", "by why", Then.GOES, "why staff suspended your sales"),
    Personal("store.SellerDetails", "sealed document", Then.GOES, "your tax details, and the picture of your document"),
    Personal("store.ApprovalStep", "actor words", Then.GOES, "what was decided about your approval as a seller"),
    Personal("store.SellerApproval", "decided_by why", Then.GOES, "your approval as a seller"),
    Personal(
        "store.Payout",
        "words destination sentence asked_by",
        Then.CUT,
        "payouts",
        "Amount, date and the bank's number stay for the books; the account they went to goes.",
    ),
    Personal("store.AlertMail", "", Then.GOES, "which alerts you want by mail"),
    Personal(
        "store.Alert",
        "sentence evidence settled_by settled_how",
        Then.GOES,
        "alerts of your shop; of your purchases the words about you",
    ),
    Personal(
        "store.CaseMessage",
        "author body",
        Then.GOES,
        "messages in your cases; in others' cases about your purchases the words about you",
    ),
    Personal(
        "store.Case",
        "subject evidence opened_by closed_by",
        Then.GOES,
        "your cases with their evidence; others' cases about your purchases lose it",
    ),
    Personal(
        "store.Listing",
        "title description images shop_url shop_reasons not_chosen search",
        Then.CUT,
        "listings",
        "Titles stay with what was bought; they end, and descriptions and pictures go.",
    ),
    Personal(
        "store.ListingReport",
        "words name email reporter",
        Then.CUT,
        "listings that you reported",
        "That one was reported stays with the listing; name, address and words go.",
    ),
    Personal(
        "store.ReviewStep",
        "actor words",
        Then.CUT,
        "why listings of yours were taken down, and what you wrote against it",
        "What was decided stays; the words go.",
    ),
    # What was bought and sold. The words go while the address that they are looked for by is still there.
    Personal("store.TimelineEntry", "sentence evidence", Then.CUT, "the story of your purchases", _SALE),
    Personal("store.ShopCopy", "differences sentence shop_url", Then.CUT, "your purchases in their shops", _SALE),
    Personal("store.CancelRequest", "reason answer closed_by", Then.CUT, "what you asked to cancel", _SALE),
    Personal("store.Withdrawal", "name statement", Then.CUT, "contracts that you withdrew from", _SALE),
    Personal(
        "store.Return",
        "words answer send_to label carrier tracking_number kept_why closed_by",
        Then.CUT,
        "what you sent back",
        f"{_SALE} So are labels and numbers of parcels; where it was sent goes with its seller.",
    ),
    Personal("store.ReturnPicture", "name content", Then.GOES, "pictures of what you sent back"),
    Personal(
        "store.Rating",
        "words answer report reported_by decided decided_by",
        Then.CUT,
        "your ratings, and your answers to ratings",
        "The stars stay, and lead to nobody; the words go.",
    ),
    Personal(
        "store.Message",
        "author body",
        Then.CUT,
        "messages about your orders",
        "That one was written stays with the order; the words of yours go, and those about you in the other side's.",
    ),
    Personal("store.ShopRefund", "note", Then.CUT, "refunds that shops made", _SALE),
    Personal(
        "store.Credit",
        "reason note sentence asked_by decided_by second_by",
        Then.CUT,
        "credits of your purchases",
        _SALE,
    ),
    Personal(
        "store.LostDispute",
        "why decided_by second_by",
        Then.CUT,
        "disputes over your purchases that your bank won",
        _SALE,
    ),
    Personal("store.OfferMove", "note", Then.CUT, "your notes in offers", "Prices and dates stay."),
    Personal(
        "store.Command",
        "payload outcome sentence",
        Then.CUT,
        "what was asked of shops and carriers about your orders",
        "That it was asked, and how it ended, stays with the order.",
    ),
    Personal("store.IdempotentReply", "body", Then.GOES, "answers of the API about your orders"),
    Personal(
        "store.AgentSession",
        "details",
        Then.CUT,
        "checkouts that a shopping agent began for you",
        "Which goods it asked for stays for a day, or with what was bought; name, address and e-mail go.",
    ),
    Personal("store.LabelDocument", "content", Then.GOES, "labels as they are printed"),
    Personal(
        "store.Label",
        "wanted events sentence asked_by bought_by voided_by",
        Then.CUT,
        "labels",
        "Price, carrier and number stay with the books; both addresses are cut.",
    ),
    Personal(
        "store.RiskTrace",
        "buyer card device ip address email",
        Then.CUT,
        "tries to pay",
        "Sums and dates stay for the rules against fraud; nothing links them to you.",
    ),
    Personal(
        "store.Mail", "to subject body", Then.CUT, "mails to you and about your purchases", "That one was sent stays."
    ),
    Personal(
        "store.PaymentIntent",
        "basket checks sentence buyer",
        Then.CUT,
        "payments",
        "Amount, date and the provider's number stay for the books; address and card go.",
    ),
    Personal(
        "store.Order",
        "ship_to buyer",
        Then.CUT,
        "orders",
        "Books are kept as long as tax law asks: numbers, goods, prices, dates and the country that it was sent to.",
    ),
    Personal(
        "store.Seller",
        "name slug closed_days eu_contact",
        Then.CUT,
        "the shop's name",
        "The other party of each sale has to be named; without a sale it goes. The address of the shop's page goes.",
    ),
    # The account, last of all.
    Personal("store.ApiToken", "name hash made_by", Then.GOES, "API tokens"),
    Personal("mfa.Authenticator", "data user", Then.GOES, "second factors and passkeys"),
    Personal("account.EmailConfirmation", "", Then.GOES, "links to confirm an address"),
    Personal("sessions.Session", "session_data", Then.GOES, "sessions, with the cart and address in them"),
    Personal("usersessions.UserSession", "ip user_agent data session_key user", Then.GOES, "where you are signed in"),
    Personal("store.DataPart", "content", Then.GOES, "copies of your data that were made"),
    Personal(
        "store.DataRun",
        "person asked_by second_by why sentence",
        Then.CUT,
        "that you asked for this",
        "Who asked and when; the words go.",
    ),
    Personal("account.EmailAddress", "email user", Then.GOES, "e-mail addresses"),
    Personal(
        "store.User",
        "password first_name last_name email name roles language works_as identity",
        Then.CUT,
        "the account",
        "A row without name and address stays, which orders lead to.",
    ),
    # What stays as it is.
    Personal(
        "store.AuditEntry",
        "actor person subject detail",
        Then.STAYS,
        "the audit log",
        "Who did what, for three years: people are numbers in it, network addresses are cut to a network.",
    ),
    Personal(
        "store.RiskAssessment",
        "inputs contributions",
        Then.STAYS,
        "how an order was judged",
        "Numbers and countries, without name, address or card; the database refuses to change it.",
    ),
    Personal(
        "store.RiskListEntry",
        "value shown note added_by",
        Then.STAYS,
        "who is kept out or trusted",
        "Somebody who defrauded once is kept out; staff take an entry off when asked.",
    ),
    Personal("store.SignInTry", "bucket", Then.STAYS, "how often was guessed", f"{_BY_ITSELF}: one; hashes only."),
    Personal("store.Transfer", "sentence", Then.STAYS, "books", "They name orders and payouts by number, nobody else."),
    Personal("store.Movement", "actor cause event", Then.STAYS, "movements of stock", _NUMBERS),
    Personal("store.Recount", "actor cursor", Then.STAYS, "reconciliations", _NUMBERS),
    Personal("store.Difference", "evidence decided_by", Then.STAYS, "counts that differed", _NUMBERS),
    Personal("store.Offer", "buyer", Then.STAYS, "offers", f"Prices and dates. {_NUMBERS}"),
    Personal("store.ListingReview", "decided_by", Then.STAYS, "decisions about listings", _NUMBERS),
    Personal("store.Duplicate", "decided_by", Then.STAYS, "goods in several shops", _NUMBERS),
    Personal("store.VariantStock", "aside_why", Then.STAYS, "stock", "Words about goods."),
    Personal(
        "store.Shipment",
        "carrier tracking_number tracking_url there",
        Then.STAYS,
        "parcels",
        "Proof that a parcel was sent; a carrier's number names nobody here.",
    ),
    Personal("store.Fulfilment", "numbers sentence", Then.STAYS, "parcels in their shops", "A carrier's numbers."),
    Personal("store.RiskHold", "cleared_by note", Then.STAYS, "orders that waited for staff", _NUMBERS),
    Personal("store.RiskPolicy", "changed_by", Then.STAYS, "settings of the marketplace", _NUMBERS),
    Personal("store.RiskRuleSet", "made_by live_by note", Then.STAYS, "settings of the marketplace", _NUMBERS),
    Personal("store.CommissionRule", "made_by why", Then.STAYS, "settings of the marketplace", _NUMBERS),
    Personal("store.Taxonomy", "made_by", Then.STAYS, "settings of the marketplace", _NUMBERS),
    Personal("store.Branding", "made_by contact sender", Then.STAYS, "pages of the marketplace", _NUMBERS),
    Personal("store.PageText", "made_by text", Then.STAYS, "pages of the marketplace", _NUMBERS),
    Personal("store.PolicySwitch", "changed_by", Then.STAYS, "settings of the marketplace", _NUMBERS),
    Personal("store.PlatformPause", "by why", Then.STAYS, "settings of the marketplace", _NUMBERS),
    Personal("admin.LogEntry", "user object_repr change_message", Then.STAYS, "Django's admin", "Staff alone, a year."),
    Personal("store.User_groups", "user", Then.STAYS, "groups", "There are none."),
    Personal("store.User_user_permissions", "user", Then.STAYS, "permissions", "There are none."),
)

# Columns of text that name nobody: ids, codes, states, goods, the house's own bookkeeping.
PLAIN: dict[str, str] = {
    "store.Seller": "country time_zone working_days holidays away_mode barred quotas quotas_told",
    "store.SellerApproval": "changed",
    "store.ShippingRate": "country",
    "store.ApiToken": "hint scopes profile",
    "store.AgentSession": "protocol items fingerprint told",
    "store.IdempotentReply": "key fingerprint",
    "store.Party": "name lease_owner last_error",
    "store.Command": "cause subject kind",
    "store.Delivery": "topic dedupe",
    "store.Exchange": "call method",
    "store.Connection": "platform way",
    "store.Cursor": "stream",
    "store.ShadowRun": "report",
    "store.ConnectAttempt": "platform way state_hash",
    "store.PlatformPause": "platform",
    "store.Listing": "shop_product_id said by_hand facts",
    "store.Taxonomy": "document",
    "store.CommissionRule": "category",
    "store.Variant": "shop_variant_id sku title barcode image options facts",
    "store.Order": "reference relay_email language risk_reasons cancel_reason",
    "store.OrderLine": "shop_product_id shop_variant_id title sku image fee_why",
    "store.ShopLine": "shop_line_id",
    "store.ShopCopy": "shop_order_id shop_number",
    "store.Shipment": "parcel_id",
    "store.ShopRefund": "refund_id",
    "store.TimelineEntry": "source kind",
    "store.Alert": "key",
    "store.Branding": "name accent logo icon",
    "store.PolicySwitch": "rule",
    "store.AuditEntry": "topic action",
    "store.AuditLink": "previous hash",
    "store.AuditEnds": "first_previous last_hash",
    "store.AuditSending": "target why",
    "store.Credit": "cause lines",
    "store.LostDispute": "cause reason",
    "store.Payout": "cause provider ref",
    "store.PayoutAccount": "provider",
    "store.Call": "key operation",
    "store.Endpoint": "protocol events",
    "store.SigningKey": "kid public secret",
    "store.Label": (
        "reference provider lines quotes quote_ref carrier service carrier_ref tracking_number tracking_url"
    ),
    "store.Mail": "cause",
    "store.PaymentIntent": "checkout gateway gateway_ref",
    "store.Transfer": "cause",
    "store.Entry": "account",
    "store.Closing": "account",
    "store.Quarantined": "key call",
    "store.VariantStock": "shop_version",
    "store.Reservation": "cause",
    "store.Duplicate": "key left_out said",
    "store.Movement": "kind",
    "store.RiskRuleSet": "weights report",
    "store.RiskAssessment": "why",
    "store.BulkRun": "key claim",
    "store.DataRun": "step claim",
    "admin.LogEntry": "object_id",
    "auth.Permission": "name codename",
    "auth.Group": "name",
    "contenttypes.ContentType": "app_label model",
    "sessions.Session": "session_key",
    "account.EmailConfirmation": "key",
    "procrastinate.ProcrastinateJob": "queue_name task_name lock args queueing_lock",
    "procrastinate.ProcrastinatePeriodicDefer": "task_name periodic_id",
}
