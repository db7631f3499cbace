"""THE TABLE: what the article says, rule by rule, as described and lifted.

Pages, docs/rules.md and the story all read it from here.
"""

from dataclasses import dataclass
from enum import StrEnum

from crossdock.domain.capability import Capability, Manifest


class Mode(StrEnum):
    AS_DESCRIBED = "as-described"
    LIFTED = "lifted"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the article. `sentence` is what a seller reads as described; `lifted` when the operator switched it;
    "" where nothing is lifted.

    `needs` are the capabilities that the rule stands on; where one is missing the manifest's own sentence is shown, and
    `without` stands in place of `sentence` where that would promise what is missing.
    `lift_needs` are those without which the lift cannot hold on a platform. `built` names the modes that this version
    plays.
    """

    id: str
    title: str
    sentence: str
    lifted: str = ""
    needs: tuple[Capability, ...] = ()
    without: str = ""
    lift_needs: tuple[Capability, ...] = ()
    built: tuple[Mode, ...] = (Mode.AS_DESCRIBED,)


RULES: tuple[Rule, ...] = (
    Rule(
        "S1",
        "Prices and offers",
        "Products of your shop are listed at your shop's asking price, or at what your own price rule makes of it."
        " Buyers cannot make offers on them.",
        "You decide, listing by listing, whether buyers may make offers.",
        needs=(Capability.PRODUCTS_SEEN,),
        lift_needs=(Capability.ORDER_AT_OUR_PRICE,),
        built=(Mode.AS_DESCRIBED, Mode.LIFTED),
    ),
    Rule(
        "S2",
        "Shipping",
        "Ship however you wish: fulfil in your shop, enter the parcel here, or buy a label here. A label bought here"
        " goes only to the US and has no extra insurance.",
        "Labels bought here can go abroad and be insured where the carrier offers it.",
        built=(Mode.AS_DESCRIBED, Mode.LIFTED),
    ),
    Rule(
        "S3",
        "Cancelling",
        "To cancel an order, reject it here: the buyer is credited and the order in your shop is cancelled.",
        "Cancel where you like: a cancel in your shop cancels the order here too.",
        needs=(Capability.ORDER_CANCEL,),
        without="To cancel an order, reject it here: the buyer is credited.",
        lift_needs=(Capability.CANCEL_SEEN,),
        built=(Mode.AS_DESCRIBED, Mode.LIFTED),
    ),
    Rule(
        "S4",
        "Stock after a cancel",
        "After a cancel or reject your shop's own count is read again and shown beside ours. Look at both; if they are"
        " off, correct them, from the listing's page where your shop takes counts.",
        needs=(Capability.COUNTS_READ, Capability.CANCEL_RESTORES),
    ),
    Rule(
        "S4a",
        "Listings are never lost",
        "A listing is archived, never deleted, so its units always have a place to come back to; when some do, you are"
        " asked whether to list it again.",
    ),
    Rule(
        "S4b",
        "When you don't have it",
        "If you reject an order because you don't have the item, nothing is put back: the listing is set aside until"
        " you confirm a count.",
    ),
    Rule(
        "S5",
        "Risk",
        "Each order shows a risk level (low, medium, high, or not assessed) with its reasons. It is not sent to your"
        " shop; press “Ask about this order” beside it, and staff tell you what else was collected.",
        "Once an order stands in your shop, its risk level and reasons are written to it, and again when the level"
        " changes; the buyer never sees them. A high risk says so there: of the alerts about orders it is the one"
        " written into your shop. All of them also go to your signed webhooks, where you set up a receiver.",
        lift_needs=(Capability.RISK_WRITE,),
        built=(Mode.AS_DESCRIBED, Mode.LIFTED),
    ),
    Rule(
        "S6",
        "When an order is missing in your shop",
        "Open the order here, choose “More actions” at the top right, then “Create the order on your store”. It looks"
        " first, so nothing appears twice.",
        needs=(Capability.ORDER_CREATE, Capability.ORDER_FOUND_BY_REFERENCE),
    ),
    Rule(
        "S7",
        "Tracking",
        "Fulfil the order in your shop as always; the tracking number comes back by itself and the buyer is told.",
        needs=(Capability.TRACKING_SEEN,),
        without="Fulfil the order in your shop as always and enter the tracking number here; the buyer is told.",
    ),
    Rule(
        "S8",
        "Refunds",
        "A refund in your shop does not pay the buyer. Rejecting here credits the whole order by itself; after"
        " shipping, ask us for any other credit.",
        "Single lines and units can be rejected and credited. A refund in your shop credits the buyer here, up to a"
        " limit; above it our staff decide.",
        needs=(Capability.REFUND_SEEN,),
        lift_needs=(Capability.REFUND_SEEN,),
        built=(Mode.AS_DESCRIBED, Mode.LIFTED),
    ),
    Rule(
        "S9",
        "Anything else",
        "Press “Report a problem” on the page of the order, listing, shop or alert: the last calls and deliveries are"
        " attached, with keys and buyers blacked out, and staff answer under “Cases”.",
    ),
)
BY_ID = {rule.id: rule for rule in RULES}


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule as this seller on this platform reads it today."""

    id: str
    title: str
    sentence: str
    lifted: bool


def view(rule: Rule, manifest: Manifest, *, lifted: bool) -> RuleView:
    """The day's switch applied to the platform.

    A lift that the platform cannot carry says why and stays as described.
    """
    limits = [manifest.sentence(need) for need in rule.needs if not manifest.can(need)]
    sentence = (limits and rule.without) or rule.sentence
    if rule.id == "S3" and not lifted and manifest.can(Capability.CANCEL_THERE_CANCELS_HERE):
        sentence = (
            "Cancel in your shop or reject here, as you like: either cancels the order on both sides and credits the"
            " buyer."
        )
    in_force = lifted and bool(rule.lifted)
    if in_force:
        missing = [need for need in rule.lift_needs if not manifest.can(need)]
        in_force = not missing
        sentence = rule.lifted if in_force else " ".join([sentence, *(manifest.sentence(need) for need in missing)])
    return RuleView(rule.id, rule.title, " ".join([sentence, *limits]), in_force)
