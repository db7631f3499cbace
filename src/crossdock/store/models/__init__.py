"""Every row of the marketplace, by aggregate."""

from crossdock.store.models.access import ApiToken, IdempotentReply
from crossdock.store.models.agents.sessions import AgentSession
from crossdock.store.models.alerts import Alert, AlertMail
from crossdock.store.models.audit import AuditEnds, AuditEntry, AuditLink, AuditSending, AuditTopic, PolicySwitch
from crossdock.store.models.cases import Call, Case, CaseMessage
from crossdock.store.models.catalogue import Listing, Variant
from crossdock.store.models.credits import Credit, LostDispute
from crossdock.store.models.daily.bulk import BulkRow, BulkRun
from crossdock.store.models.daily.notes import OrderNote, OrderTag, TaggedOrder
from crossdock.store.models.daily.views import OrderView
from crossdock.store.models.evening.prices import HeldPrice
from crossdock.store.models.evening.selling import Selling
from crossdock.store.models.evening.shadow import ShadowRun
from crossdock.store.models.finding import FillRule, Refill, SavedSearch, Taxonomy
from crossdock.store.models.fulfilments import Fulfilment
from crossdock.store.models.hooks import Endpoint, SigningKey
from crossdock.store.models.labels import Label, LabelDocument, SellerAddress
from crossdock.store.models.mail import Mail
from crossdock.store.models.moderation.reviews import ListingReport, ListingReview, ReviewStep
from crossdock.store.models.moderation.sellers import (
    ApprovalStep,
    SellerApproval,
    SellerDetails,
    Suspension,
)
from crossdock.store.models.money import Closing, CommissionRule, Entry, PaymentIntent, Transfer
from crossdock.store.models.offers import Offer, OfferMove
from crossdock.store.models.orders import (
    Order,
    OrderLine,
    Shipment,
    ShipmentLine,
    ShopCopy,
    ShopLine,
    ShopRefund,
    TimelineEntry,
)
from crossdock.store.models.payouts import Payout, PayoutAccount, PayoutHold
from crossdock.store.models.people import Seller, ShippingRate, User
from crossdock.store.models.privacy import DataPart, DataRun
from crossdock.store.models.quarantine import Quarantined
from crossdock.store.models.recount import Difference, Recount
from crossdock.store.models.requests import (
    CancelRequest,
    Message,
    Rating,
    RatingSum,
    Return,
    ReturnLine,
    ReturnPicture,
    Thread,
    Withdrawal,
)
from crossdock.store.models.risk import (
    RiskAssessment,
    RiskHold,
    RiskListEntry,
    RiskPolicy,
    RiskRuleSet,
    RiskTrace,
)
from crossdock.store.models.shops import ConnectAttempt, Connection, Cursor, NewsLag, PlatformPause
from crossdock.store.models.site.branding import Branding
from crossdock.store.models.site.pages import PageText
from crossdock.store.models.stock import Duplicate, Movement, Reservation, VariantStock
from crossdock.store.models.team.invitations import Invitation
from crossdock.store.models.tries import SignInTry
from crossdock.store.models.work import Command, Delivery, Exchange, Party

__all__ = [
    "AgentSession",
    "Alert",
    "AlertMail",
    "ApiToken",
    "ApprovalStep",
    "AuditEnds",
    "AuditEntry",
    "AuditLink",
    "AuditSending",
    "AuditTopic",
    "Branding",
    "BulkRow",
    "BulkRun",
    "Call",
    "CancelRequest",
    "Case",
    "CaseMessage",
    "Closing",
    "Command",
    "CommissionRule",
    "ConnectAttempt",
    "Connection",
    "Credit",
    "Cursor",
    "DataPart",
    "DataRun",
    "Delivery",
    "Difference",
    "Duplicate",
    "Endpoint",
    "Entry",
    "Exchange",
    "FillRule",
    "Fulfilment",
    "HeldPrice",
    "IdempotentReply",
    "Invitation",
    "Label",
    "LabelDocument",
    "Listing",
    "ListingReport",
    "ListingReview",
    "LostDispute",
    "Mail",
    "Message",
    "Movement",
    "NewsLag",
    "Offer",
    "OfferMove",
    "Order",
    "OrderLine",
    "OrderNote",
    "OrderTag",
    "OrderView",
    "PageText",
    "Party",
    "PaymentIntent",
    "Payout",
    "PayoutAccount",
    "PayoutHold",
    "PlatformPause",
    "PolicySwitch",
    "Quarantined",
    "Rating",
    "RatingSum",
    "Recount",
    "Refill",
    "Reservation",
    "Return",
    "ReturnLine",
    "ReturnPicture",
    "ReviewStep",
    "RiskAssessment",
    "RiskHold",
    "RiskListEntry",
    "RiskPolicy",
    "RiskRuleSet",
    "RiskTrace",
    "SavedSearch",
    "Seller",
    "SellerAddress",
    "SellerApproval",
    "ShadowRun",
    "SellerDetails",
    "Selling",
    "Shipment",
    "ShipmentLine",
    "ShippingRate",
    "ShopCopy",
    "ShopLine",
    "ShopRefund",
    "SignInTry",
    "SigningKey",
    "Suspension",
    "TaggedOrder",
    "Taxonomy",
    "Thread",
    "TimelineEntry",
    "Transfer",
    "User",
    "Variant",
    "VariantStock",
    "Withdrawal",
]
