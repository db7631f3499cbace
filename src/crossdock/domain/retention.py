"""How long each table's rows are kept, why, and what happens then: the one policy. `usecases/support/retention.py`
carries it out; docs/retention.md, a page of staff's and `crossdock retention` show it. A test walks all tables.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from crossdock.domain.daily.bulk import KEPT


class Then(StrEnum):
    """What happens when the days are over."""

    KEEP = "kept"
    DELETE = "deleted"
    BLACK_OUT = "blacked out"


@dataclass(frozen=True, slots=True)
class Rule:
    """`table` is Django's name of it, `what` which of its rows or columns. A number of days belongs to all but KEEP.
    `part` tells two rules of one table apart that do the same.
    """

    table: str
    then: Then
    what: str
    why: str
    days: int = 0
    part: str = ""

    @property
    def after(self) -> timedelta:
        return timedelta(days=self.days)

    @property
    def key(self) -> str:
        return f"{self.table}:{self.then}{self.part and ':' + self.part}"


EVIDENCE = 30
# An agent's checkout session that nobody touches is over then; its days count from there.
SESSION_LIVES = timedelta(hours=6)
_BOOKS = "Proof of a sale, of its money and its stock; books are kept as long as tax law asks."
_WITH_SHOP = "Part of the seller's shop; it goes with their account."
_WITH_ACCOUNT = "Part of the account; it goes with it."
_EVIDENCE = "Evidence for a seller's question or a case, which comes within weeks; keys and persons are hidden in it."
_HOUSE = "Names nobody: bookkeeping of the house itself."


def _keep(why: str, *tables: str) -> tuple[Rule, ...]:
    return tuple(Rule(table, Then.KEEP, "all rows", why) for table in tables)


POLICY: tuple[Rule, ...] = (
    Rule("store.Exchange", Then.DELETE, "recorded calls", _EVIDENCE, EVIDENCE),
    Rule("store.Call", Then.DELETE, "what was asked of connectors", _EVIDENCE, EVIDENCE),
    Rule(
        "store.Delivery",
        Then.BLACK_OUT,
        "the body of a delivery that was looked at",
        "As a shop sent it, with names and addresses; what matters of it was read.",
        7,
    ),
    Rule("store.Delivery", Then.DELETE, "deliveries that were looked at", _EVIDENCE, EVIDENCE),
    Rule(
        "store.IdempotentReply",
        Then.DELETE,
        "answers of the API kept for a repeat",
        "A program repeats within days.",
        EVIDENCE,
    ),
    Rule(
        "store.Command",
        Then.DELETE,
        "events sent to sellers' programs; all other commands stay with their order",
        _EVIDENCE,
        EVIDENCE,
    ),
    Rule("store.NewsLag", Then.DELETE, "how long news took", _HOUSE, 2),
    Rule(
        "store.Mail",
        Then.BLACK_OUT,
        "the words of a mail that was sent",
        "The receiver has it; that it was sent stays provable.",
        180,
    ),
    Rule(
        "store.ListingReport",
        Then.BLACK_OUT,
        "who reported a listing",
        "Both sides may turn to a court for months; what was said of the listing stays with it.",
        540,
    ),
    Rule("store.BulkRun", Then.DELETE, "runs over many orders", "What they did stays with each order.", KEPT.days),
    Rule("store.BulkRow", Then.DELETE, "rows of runs over many orders", "They go with their run.", KEPT.days),
    Rule("store.Label", Then.DELETE, "labels that were quoted and never bought", "A quote holds for a day.", 1),
    Rule(
        "store.LabelDocument",
        Then.DELETE,
        "what a label prints",
        "It shows the buyer's address; nobody prints it again after a year.",
        400,
    ),
    Rule(
        "store.ReturnPicture",
        Then.DELETE,
        "pictures of a return that is over",
        "A dispute about it comes within months, and the books need none.",
        540,
    ),
    Rule(
        "store.SellerDetails",
        Then.BLACK_OUT,
        "the picture of the document of a seller who was approved",
        "It was looked at; a mistake shows within weeks. What tax law asks for stays with the shop.",
        30,
    ),
    Rule(
        "store.SellerDetails",
        Then.BLACK_OUT,
        "the picture of the document of a seller who does not ask for approval, or was sent back",
        "Nobody looks at it; who asks later shows it anew.",
        180,
        part="not approved",
    ),
    Rule(
        "store.PaymentIntent",
        Then.BLACK_OUT,
        "the address of a checkout that became no order",
        "Nothing was sold; the address was typed for nothing.",
        90,
    ),
    Rule(
        "store.RiskTrace",
        Then.BLACK_OUT,
        "network address, browser and e-mail of a try to pay",
        "Fraud shows within months, by chargebacks; sums and dates stay for the rules.",
        540,
    ),
    Rule(
        "store.ConnectAttempt",
        Then.DELETE,
        "connecting a shop, begun and not finished",
        "It holds credentials; who comes back begins anew.",
        1,
    ),
    Rule(
        "store.AgentSession",
        Then.BLACK_OUT,
        "who buys in a checkout session of an agent that is over",
        "What was bought stands in its orders; what was not, was typed for nothing.",
        1,
    ),
    Rule(
        "store.IdempotentReply",
        Then.DELETE,
        "what an agent was answered, once a session of then is over",
        "It says who buys, as the session does.",
        1,
        part="agents",
    ),
    Rule("store.AgentSession", Then.DELETE, "such sessions that nobody paid", "An agent makes a new one.", 1),
    Rule("store.DataPart", Then.DELETE, "copies of a person's data whose link ended", "Who wants one asks anew.", 0),
    Rule("store.Quarantined", Then.DELETE, "what could not be read, once it is over", _EVIDENCE, 90),
    Rule(
        "store.Invitation",
        Then.DELETE,
        "whom a seller asked into the team",
        "Who is in the team stands with the account; an address that never came is not kept.",
        90,
    ),
    Rule("store.SigningKey", Then.DELETE, "keys of the marketplace that ended", "Nothing is signed with them.", 30),
    Rule("store.SignInTry", Then.DELETE, "how often was guessed, by hash", "A day's rest forgets.", 1),
    Rule(
        "store.AuditEntry",
        Then.DELETE,
        "the audit log, from its beginning on; a row of it says so",
        "Misuse is found late; who did what is asked for years after. People are numbers in it.",
        1100,
    ),
    Rule("store.AuditLink", Then.DELETE, "links of rows that went, with them", "A link proves its row.", 1100),
    Rule("sessions.Session", Then.DELETE, "sessions that ended", "They open nothing any more.", 0),
    Rule(
        "usersessions.UserSession",
        Then.DELETE,
        "browser and address of a session that ended",
        "Its owner ends only what is open.",
        0,
    ),
    Rule("account.EmailConfirmation", Then.DELETE, "links to confirm an address", "They hold for three days.", 7),
    Rule(
        "admin.LogEntry",
        Then.DELETE,
        "what Django's admin noted",
        "Nothing can be done there any more; the audit log has it.",
        365,
    ),
    *_keep(
        _BOOKS,
        "store.Order",
        "store.OrderLine",
        "store.ShopLine",
        "store.ShopCopy",
        "store.Shipment",
        "store.ShipmentLine",
        "store.ShopRefund",
        "store.TimelineEntry",
        "store.Fulfilment",
        "store.Credit",
        "store.LostDispute",
        "store.Transfer",
        "store.Entry",
        "store.Closing",
        "store.Payout",
        "store.Movement",
        "store.Reservation",
        "store.RiskAssessment",
        "store.RiskHold",
        "store.CancelRequest",
        "store.Withdrawal",
        "store.Return",
        "store.ReturnLine",
        "store.Thread",
        "store.Message",
        "store.Rating",
    ),
    *_keep(
        _WITH_SHOP,
        "store.Seller",
        "store.RatingSum",
        "store.ShippingRate",
        "store.SellerAddress",
        "store.PayoutAccount",
        "store.PayoutHold",
        "store.Suspension",
        "store.SellerApproval",
        "store.ApprovalStep",
        "store.Connection",
        "store.Cursor",
        "store.ShadowRun",
        "store.Selling",
        "store.HeldPrice",
        "store.Listing",
        "store.ListingReview",
        "store.ReviewStep",
        "store.FillRule",
        "store.OrderNote",
        "store.OrderTag",
        "store.OrderView",
        "store.TaggedOrder",
        "store.Variant",
        "store.VariantStock",
        "store.Alert",
        "store.AlertMail",
        "store.Case",
        "store.CaseMessage",
        "store.Endpoint",
        "store.Offer",
        "store.OfferMove",
        "store.Recount",
        "store.Difference",
        "store.Duplicate",
    ),
    *_keep(
        _WITH_ACCOUNT,
        "store.SavedSearch",
        "store.User",
        "store.ApiToken",
        "account.EmailAddress",
        "mfa.Authenticator",
        "store.DataRun",
    ),
    *_keep(
        _HOUSE,
        "store.AuditEnds",
        "store.AuditSending",
        "store.Party",
        "store.PlatformPause",
        "store.PolicySwitch",
        "store.Refill",
        "store.Taxonomy",
        "store.CommissionRule",
        "store.RiskRuleSet",
        "store.RiskPolicy",
        "auth.Permission",
        "auth.Group",
        "auth.Group_permissions",
        "store.User_groups",
        "store.User_user_permissions",
        "contenttypes.ContentType",
    ),
    *_keep(
        "What the marketplace said of itself, and when: which terms held.",
        "store.PageText",
        "store.Branding",
    ),
    *_keep("Somebody who defrauded once is kept out; staff take an entry off.", "store.RiskListEntry"),
    *_keep(
        "The worker's own queue; finished jobs go after a day.",
        "procrastinate.ProcrastinateWorker",
        "procrastinate.ProcrastinateJob",
        "procrastinate.ProcrastinateEvent",
        "procrastinate.ProcrastinatePeriodicDefer",
    ),
)
PICTURES = Rule("pictures", Then.DELETE, "uploaded pictures that no listing shows", "Nobody sees them any more.", 7)


def days_of(table: str, then: Then) -> int:
    return next(rule.days for rule in POLICY if (rule.table, rule.then) == (table, then))
