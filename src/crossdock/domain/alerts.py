"""What a person must settle: a code, the sentence they read, and the button that settles it."""

from dataclasses import dataclass
from enum import StrEnum


class AlertCode(StrEnum):
    ORDER_NOT_LANDED = "order_not_landed"
    ORDER_REFUSED = "order_refused"
    ORDER_DIFFERS = "order_differs"
    ORDER_DOUBLE = "order_double"
    CANCELLED_IN_SHOP = "cancelled_in_shop"
    CANCEL_FAILED = "cancel_failed"
    REFUNDED_IN_SHOP = "refunded_in_shop"
    STOCK_DIFFERS = "stock_differs"
    STOCK_BELOW_ZERO = "stock_below_zero"
    STOCK_NOT_TAKEN = "stock_not_taken"
    SIGN_IN_AGAIN = "sign_in_again"
    SCOPE_MISSING = "scope_missing"
    WEBHOOK_LOST = "webhook_lost"
    SHOP_UNREACHABLE = "shop_unreachable"
    PRODUCT_DELETED = "product_deleted"
    TRACKING_MISSING = "tracking_missing"
    HIGH_RISK = "high_risk"
    COMMAND_DEAD = "command_dead"
    DISPUTED = "disputed"
    REFUND_FAILED = "refund_failed"


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
    ASK_STAFF = "ask_staff"


@dataclass(frozen=True, slots=True)
class AlertKind:
    title: str
    button: Button
    button_label: str


KINDS: dict[AlertCode, AlertKind] = {
    AlertCode.ORDER_NOT_LANDED: AlertKind(
        "An order is not in your shop", Button.CREATE_IN_SHOP, "Create the order on your store"
    ),
    AlertCode.ORDER_REFUSED: AlertKind(
        "Your shop refused an order", Button.REJECT_ORDER, "Reject and credit the buyer"
    ),
    AlertCode.ORDER_DIFFERS: AlertKind("The order in your shop differs", Button.LOOK_AT_ORDER, "Compare both"),
    AlertCode.ORDER_DOUBLE: AlertKind("An order stood twice in your shop", Button.LOOK_AT_ORDER, "See both"),
    AlertCode.CANCELLED_IN_SHOP: AlertKind(
        "Cancelled in your shop", Button.REJECT_ORDER, "Reject it here and credit the buyer"
    ),
    AlertCode.CANCEL_FAILED: AlertKind(
        "The order could not be cancelled in your shop", Button.LOOK_AT_ORDER, "See what to do"
    ),
    AlertCode.REFUNDED_IN_SHOP: AlertKind("Refunded in your shop", Button.LOOK_AT_ORDER, "See the refund"),
    AlertCode.STOCK_DIFFERS: AlertKind("Check a stock count", Button.COUNT_AGAIN, "Compare the counts"),
    AlertCode.STOCK_BELOW_ZERO: AlertKind("Sold in both places at once", Button.LOOK_AT_ORDER, "See the open orders"),
    AlertCode.STOCK_NOT_TAKEN: AlertKind("Your shop did not take the stock", Button.LOOK_AT_ORDER, "Check the order"),
    AlertCode.SIGN_IN_AGAIN: AlertKind("Your shop asks you to sign in again", Button.RECONNECT, "Reconnect"),
    AlertCode.SCOPE_MISSING: AlertKind("A permission is missing", Button.RECONNECT, "Reconnect"),
    AlertCode.WEBHOOK_LOST: AlertKind(
        "Your shop stopped telling us about changes", Button.TEST_CONNECTION, "Test the connection"
    ),
    AlertCode.SHOP_UNREACHABLE: AlertKind("Your shop cannot be reached", Button.TEST_CONNECTION, "Test the connection"),
    AlertCode.PRODUCT_DELETED: AlertKind("A product was deleted in your shop", Button.LEAVE_IT, "Leave it archived"),
    AlertCode.TRACKING_MISSING: AlertKind("Shipped without a tracking number", Button.ADD_TRACKING, "Add the number"),
    AlertCode.HIGH_RISK: AlertKind("High risk", Button.LOOK_AT_ORDER, "See the reasons"),
    AlertCode.COMMAND_DEAD: AlertKind(
        "Something could not be delivered to your shop", Button.LOOK_AT_ORDER, "See and send again"
    ),
    AlertCode.DISPUTED: AlertKind(
        "The buyer's bank disputes a payment", Button.ASK_STAFF, "Send proof of the sale to staff"
    ),
    AlertCode.REFUND_FAILED: AlertKind("A refund came back", Button.ASK_STAFF, "Ask staff to pay it another way"),
}
