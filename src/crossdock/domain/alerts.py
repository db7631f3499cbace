"""What a person must settle: a code, the sentence they read, and the button that settles it.

To add one: a code here, its kind in KINDS, `raise_alert` where it is seen, `settle_by_fact` where its cause ends, and
its play in tests/support/alert_plays.py (a test fails for a code without one).
"""

from dataclasses import dataclass
from enum import StrEnum


class AlertCode(StrEnum):
    ORDER_NOT_LANDED = "order_not_landed"
    ORDER_REFUSED = "order_refused"
    ORDER_DIFFERS = "order_differs"
    ORDER_DOUBLE = "order_double"
    CANCELLED_IN_SHOP = "cancelled_in_shop"
    CANCEL_FAILED = "cancel_failed"
    CANCEL_UNANSWERED = "cancel_unanswered"
    WITHDRAWN = "withdrawn"
    RETURN_LATE = "return_late"
    MESSAGES_REPORTED = "messages_reported"
    REFUNDED_IN_SHOP = "refunded_in_shop"
    STOCK_DIFFERS = "stock_differs"
    STOCK_BELOW_ZERO = "stock_below_zero"
    STOCK_NOT_TAKEN = "stock_not_taken"
    SOLD_ELSEWHERE = "sold_elsewhere"
    SIGN_IN_AGAIN = "sign_in_again"
    SCOPE_MISSING = "scope_missing"
    SHOP_MONEY_CHANGED = "shop_money_changed"
    WEBHOOK_LOST = "webhook_lost"
    SHOP_UNREACHABLE = "shop_unreachable"
    PRODUCT_DELETED = "product_deleted"
    UNITS_BACK = "units_back"
    TRACKING_MISSING = "tracking_missing"
    TRACKING_UNKNOWN = "tracking_unknown"
    FULFILMENT_NOT_WRITTEN = "fulfilment_not_written"
    LABEL_VOIDED = "label_voided"
    LABEL_UNUSED = "label_unused"
    HIGH_RISK = "high_risk"
    COMMAND_DEAD = "command_dead"
    DISPUTED = "disputed"
    REFUND_FAILED = "refund_failed"
    PAYOUT_FAILED = "payout_failed"
    ENDPOINT_FAILING = "endpoint_failing"
    DATA_REQUEST = "data_request"
    INVARIANT_BROKEN = "invariant_broken"
    NOT_UNDERSTOOD = "not_understood"
    LISTING_TAKEN_DOWN = "listing_taken_down"
    PRICE_JUMPED = "price_jumped"
    QUOTA_NEAR = "quota_near"


class Button(StrEnum):
    """What settles an alert. The page knows where each leads."""

    CREATE_IN_SHOP = "create_in_shop"
    REJECT_ORDER = "reject_order"
    LOOK_AT_ORDER = "look_at_order"
    RECONNECT = "reconnect"
    TEST_CONNECTION = "test_connection"
    ADD_TRACKING = "add_tracking"
    COUNT_AGAIN = "count_again"
    LEAVE_IT = "leave_it"
    LIST_AGAIN = "list_again"
    ASK_STAFF = "ask_staff"
    SEND_AGAIN = "send_again"
    SEE_ENDPOINT = "see_endpoint"
    CONFIRM_MONEY = "confirm_money"
    SEE_PAYOUTS = "see_payouts"
    APPEAL = "appeal"
    SEE_PRICES = "see_prices"


class Group(StrEnum):
    """What a seller chooses e-mail for."""

    OPERATIONAL = "operational"
    ORDERS = "orders"
    PARCELS = "parcels"
    STOCK = "stock"
    MONEY = "money"
    RISK = "risk"


class MailChoice(StrEnum):
    AT_ONCE = "at_once"
    HOURLY = "hourly"
    NEVER = "never"


# Group -> (title, what belongs to it, what is chosen for a seller who never chose).
GROUPS: dict[Group, tuple[str, str, MailChoice]] = {
    Group.OPERATIONAL: (
        "A connection needs you",
        "Sign in again, a shop that cannot be reached, orders that do not reach your shop.",
        MailChoice.AT_ONCE,
    ),
    Group.ORDERS: (
        "An order needs you",
        "Refused, changed or cancelled in your shop, or sold in both places at once.",
        MailChoice.AT_ONCE,
    ),
    Group.MONEY: (
        "Money",
        "Refunds made in your shop, refunds and payouts that came back, payments that a bank disputes.",
        MailChoice.AT_ONCE,
    ),
    Group.RISK: ("Risk", "Orders that look like fraud.", MailChoice.AT_ONCE),
    Group.PARCELS: (
        "Parcels",
        "Tracking numbers that are missing or unknown, labels that were voided.",
        MailChoice.HOURLY,
    ),
    Group.STOCK: ("Stock and products", "Counts to check, products deleted in your shop.", MailChoice.HOURLY),
}


@dataclass(frozen=True, slots=True)
class AlertKind:
    """`seen` is for what only asks to be looked at: where the button leads, it stands beside the evidence and settles
    with these words. `own_mail`: who raises it writes a mail whatever the seller chose, so the alert is not mailed too.
    """

    title: str
    button: Button
    button_label: str
    group: Group = Group.ORDERS
    seen: str = ""
    own_mail: bool = False


KINDS: dict[AlertCode, AlertKind] = {
    AlertCode.ORDER_NOT_LANDED: AlertKind(
        "An order is not in your shop", Button.CREATE_IN_SHOP, "Create the order on your store", Group.OPERATIONAL
    ),
    AlertCode.ORDER_REFUSED: AlertKind(
        "Your shop refused an order", Button.REJECT_ORDER, "Reject and credit the buyer"
    ),
    AlertCode.ORDER_DIFFERS: AlertKind(
        "The order in your shop differs", Button.LOOK_AT_ORDER, "Compare both", seen="Compared: it is fine as it is."
    ),
    AlertCode.ORDER_DOUBLE: AlertKind(
        "An order stood twice in your shop", Button.LOOK_AT_ORDER, "See both", seen="Looked at: one copy is left."
    ),
    AlertCode.CANCELLED_IN_SHOP: AlertKind(
        "Cancelled in your shop", Button.REJECT_ORDER, "Reject it here and credit the buyer"
    ),
    AlertCode.CANCEL_FAILED: AlertKind(
        "The order could not be cancelled in your shop",
        Button.LOOK_AT_ORDER,
        "See what to do",
        seen="Cancelled in the shop by hand.",
    ),
    AlertCode.CANCEL_UNANSWERED: AlertKind("A buyer waits for your answer", Button.LOOK_AT_ORDER, "Cancel or decline"),
    AlertCode.WITHDRAWN: AlertKind(
        "A buyer withdrew from the contract",
        Button.LOOK_AT_ORDER,
        "See what comes back",
        seen="It is back, and the credit is asked for.",
    ),
    AlertCode.RETURN_LATE: AlertKind("A buyer waits for your step on a return", Button.LOOK_AT_ORDER, "See the return"),
    AlertCode.MESSAGES_REPORTED: AlertKind(
        "Messages were reported", Button.ASK_STAFF, "Read by staff", seen="Read, and both sides were told."
    ),
    AlertCode.REFUNDED_IN_SHOP: AlertKind(
        "Refunded in your shop",
        Button.LOOK_AT_ORDER,
        "See the refund",
        Group.MONEY,
        seen="Looked at: the buyer needs no credit.",
    ),
    AlertCode.STOCK_DIFFERS: AlertKind("Check a stock count", Button.COUNT_AGAIN, "Compare the counts", Group.STOCK),
    AlertCode.STOCK_BELOW_ZERO: AlertKind(
        "Sold in both places at once", Button.COUNT_AGAIN, "See the open orders", seen="Decided which order is served."
    ),
    AlertCode.STOCK_NOT_TAKEN: AlertKind(
        "Your shop did not take the stock",
        Button.LOOK_AT_ORDER,
        "Check the order",
        Group.STOCK,
        seen="Checked: the shop's count is right.",
    ),
    AlertCode.SOLD_ELSEWHERE: AlertKind(
        "Sold elsewhere: take it off here",
        Button.COUNT_AGAIN,
        "See the listing",
        Group.STOCK,
        seen="Taken off in that shop.",
    ),
    AlertCode.SIGN_IN_AGAIN: AlertKind(
        "Your shop asks you to sign in again", Button.RECONNECT, "Reconnect", Group.OPERATIONAL
    ),
    AlertCode.SCOPE_MISSING: AlertKind("A permission is missing", Button.RECONNECT, "Reconnect", Group.OPERATIONAL),
    AlertCode.SHOP_MONEY_CHANGED: AlertKind(
        "Your shop's currency or prices changed",
        Button.CONFIRM_MONEY,
        "Confirm and read all prices again",
        Group.OPERATIONAL,
    ),
    AlertCode.WEBHOOK_LOST: AlertKind(
        "Your shop stopped telling us about changes", Button.TEST_CONNECTION, "Test the connection", Group.OPERATIONAL
    ),
    AlertCode.SHOP_UNREACHABLE: AlertKind(
        "Your shop cannot be reached", Button.TEST_CONNECTION, "Test the connection", Group.OPERATIONAL
    ),
    AlertCode.PRODUCT_DELETED: AlertKind(
        "A product was deleted in your shop", Button.LEAVE_IT, "Leave it archived", Group.STOCK, seen="Left archived."
    ),
    AlertCode.UNITS_BACK: AlertKind(
        "Units came back to an archived listing",
        Button.LIST_AGAIN,
        "List again",
        Group.STOCK,
        seen="Leave it archived.",
    ),
    AlertCode.TRACKING_MISSING: AlertKind(
        "Shipped without a tracking number", Button.ADD_TRACKING, "Add the number", Group.PARCELS
    ),
    AlertCode.TRACKING_UNKNOWN: AlertKind(
        "A tracking number is not recognised", Button.ADD_TRACKING, "Check number and carrier", Group.PARCELS
    ),
    AlertCode.FULFILMENT_NOT_WRITTEN: AlertKind(
        "A shipment is not in your shop",
        Button.LOOK_AT_ORDER,
        "See what to do",
        Group.PARCELS,
        seen="Entered in the shop by hand.",
    ),
    AlertCode.LABEL_VOIDED: AlertKind(
        "A label was voided", Button.ADD_TRACKING, "Give the parcel another number", Group.PARCELS
    ),
    AlertCode.LABEL_UNUSED: AlertKind(
        "A paid label is not used",
        Button.LOOK_AT_ORDER,
        "Void the label",
        Group.PARCELS,
        seen="The label stays as it is.",
    ),
    AlertCode.HIGH_RISK: AlertKind(
        "High risk", Button.LOOK_AT_ORDER, "See the reasons", Group.RISK, seen="Marked as reviewed."
    ),
    AlertCode.COMMAND_DEAD: AlertKind("Something could not be delivered to your shop", Button.SEND_AGAIN, "Send again"),
    AlertCode.DISPUTED: AlertKind(
        "The buyer's bank disputes a payment",
        Button.ASK_STAFF,
        "Send proof of the sale to staff",
        Group.MONEY,
        seen="Staff have the proof.",
    ),
    AlertCode.REFUND_FAILED: AlertKind(
        "A refund came back", Button.ASK_STAFF, "Ask staff to pay it another way", Group.MONEY, seen="Staff know of it."
    ),
    AlertCode.PAYOUT_FAILED: AlertKind(
        "A payout did not arrive",
        Button.SEE_PAYOUTS,
        "Check your bank account",
        Group.MONEY,
        seen="The bank account is right.",
    ),
    AlertCode.ENDPOINT_FAILING: AlertKind(
        "Your webhook receiver does not take our messages", Button.SEE_ENDPOINT, "See the receiver", Group.OPERATIONAL
    ),
    AlertCode.DATA_REQUEST: AlertKind(
        "A buyer asks what is kept about them", Button.ASK_STAFF, "Answered by staff", seen="The buyer was answered."
    ),
    AlertCode.INVARIANT_BROKEN: AlertKind(
        "Something that must always hold does not", Button.ASK_STAFF, "Looked into by staff", seen="Looked into."
    ),
    AlertCode.NOT_UNDERSTOOD: AlertKind(
        "Something from your shop could not be read",
        Button.ASK_STAFF,
        "Ask staff",
        Group.OPERATIONAL,
        seen="Staff know of it.",
    ),
    AlertCode.LISTING_TAKEN_DOWN: AlertKind(
        "A listing was taken down",
        Button.APPEAL,
        "See why, and appeal",
        Group.STOCK,
        seen="I accept it.",
        own_mail=True,
    ),
    AlertCode.PRICE_JUMPED: AlertKind(
        "Prices in your shop jumped",
        Button.SEE_PRICES,
        "Take or keep",
        Group.STOCK,
        seen="They stay as they are.",
    ),
    AlertCode.QUOTA_NEAR: AlertKind(
        "You are near one of your limits",
        Button.ASK_STAFF,
        "Ask staff for more",
        Group.OPERATIONAL,
        seen="It is enough for now.",
    ),
}

# What stops everything that goes to a shop. While one is open, what it explains raises no alert of its own.
ROOT_CAUSES = (AlertCode.SIGN_IN_AGAIN, AlertCode.SCOPE_MISSING, AlertCode.SHOP_UNREACHABLE)
# Red in the panel; the others are amber.
URGENT = frozenset(
    {
        AlertCode.SIGN_IN_AGAIN,
        AlertCode.SHOP_UNREACHABLE,
        AlertCode.SHOP_MONEY_CHANGED,
        AlertCode.ORDER_NOT_LANDED,
        AlertCode.ORDER_REFUSED,
        AlertCode.CANCEL_UNANSWERED,
        AlertCode.RETURN_LATE,
        AlertCode.STOCK_BELOW_ZERO,
        AlertCode.SOLD_ELSEWHERE,
        AlertCode.COMMAND_DEAD,
        AlertCode.DISPUTED,
        AlertCode.LISTING_TAKEN_DOWN,
    }
)
