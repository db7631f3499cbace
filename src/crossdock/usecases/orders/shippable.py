"""Whether anything of an order may leave. The one place that says so: pages, pasted numbers, the API, labels, slips and
what is written into shops ask here.
"""

from django.db.models import Q

from crossdock.domain.requests.cancels import CancelState
from crossdock.store.models import CancelRequest, Order

# Orders that wait for staff, and those that do not, as filters.
HELD = Q(risk_hold__isnull=False, risk_hold__cleared_at=None, cancelled_at=None)
NOT_HELD = Q(risk_hold=None) | Q(risk_hold__cleared_at__isnull=False)
# Orders whose buyer asked to cancel and has no answer yet, and the others.
ASKED = Q(cancel_request__state=CancelState.ASKED)
NOT_ASKED = Q(cancel_request=None) | ~ASKED
ALL_SHIPPED = "Everything is shipped already."


def asked_to_cancel(order: Order) -> CancelRequest | None:
    """The buyer's request while it waits for an answer. Reads what came with the order, as `why_locked` does."""
    request: CancelRequest | None = getattr(order, "cancel_request", None)
    return request if request is not None and request.open and order.cancelled_at is None else None


def why_locked(order: Order, *, anyway: bool = False) -> str:
    """Why nothing of it may leave now, whatever is left of it; empty when it may.

    `anyway`: though the buyer asked to cancel it. Reads what came with the order: give it one that was just read.
    """
    if order.cancelled_at is not None:
        return "The order is cancelled; do not ship it."
    hold, copy = getattr(order, "risk_hold", None), getattr(order, "copy", None)
    if hold is not None and hold.cleared_at is None:
        return (
            "The order is held: its risk is high, and our staff look at it first. Do not ship it yet. You can ship as"
            " soon as they release it."
        )
    if not anyway and (request := asked_to_cancel(order)) is not None:
        if request.binding:
            return "The buyer withdrew from the contract: do not ship it, cancel it. The button is on top of the order."
        return (
            "The buyer asked to cancel this order. Answer that first, on top of the order: cancel it, or decline and"
            " then ship it."
        )
    # What was cancelled in the shop sells there again, so this order's units may be somebody else's.
    if copy is not None and copy.cancelled_there:
        return (
            "It was cancelled in your shop, which may sell its units again: reject it here to credit the buyer, or open"
            " it again in your shop and then ship it."
        )
    return ""


def why_not_ship(order: Order, *, anyway: bool = False) -> str:
    """Empty when something may leave."""
    if order.cancelled_at is None and all(line.left == 0 for line in order.lines.all()):
        return ALL_SHIPPED
    return why_locked(order, anyway=anyway)


def entered_where(order: Order) -> str:
    """What a parcel entered here means for the shop, as the seller reads it before; empty for an order of no shop."""
    shop = order.connection
    if shop is None:
        return ""
    if shop.push_fulfilments:
        return (
            f"What you ship here is entered in {shop.name} too, with its number. What you fulfil there comes back by"
            " itself: enter each parcel in one place."
        )
    return (
        f"When you fulfil in {shop.name}, the number comes back by itself. Ship here only what you do not fulfil there:"
        " what is entered here is not written to your shop, as you chose on the shop’s page."
    )
