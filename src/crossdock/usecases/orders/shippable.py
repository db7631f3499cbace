"""Whether anything of an order may leave. The one place that says so: pages, pasted numbers, the API, labels, slips and
what is written into shops ask here.
"""

from django.db.models import Q

from crossdock.store.models import Order

# Orders that wait for staff, and those that do not, as filters.
HELD = Q(risk_hold__isnull=False, risk_hold__cleared_at=None, cancelled_at=None)
NOT_HELD = Q(risk_hold=None) | Q(risk_hold__cleared_at__isnull=False)


def why_locked(order: Order) -> str:
    """Why nothing of it may leave now, whatever is left of it; empty when it may.

    Reads what came with the order: give it one that was just read.
    """
    if order.cancelled_at is not None:
        return "The order is cancelled; do not ship it."
    hold, copy = getattr(order, "risk_hold", None), getattr(order, "copy", None)
    if hold is not None and hold.cleared_at is None:
        return (
            "The order is held: its risk is high, and our staff look at it first. Do not ship it yet. You can ship as"
            " soon as they release it."
        )
    # What was cancelled in the shop sells there again, so this order's units may be somebody else's.
    if copy is not None and copy.cancelled_there:
        return (
            "It was cancelled in your shop, which may sell its units again: reject it here to credit the buyer, or open"
            " it again in your shop and then ship it."
        )
    return ""


def why_not_ship(order: Order) -> str:
    """Empty when something may leave."""
    if order.cancelled_at is None and all(line.left == 0 for line in order.lines.all()):
        return "Everything is shipped already."
    return why_locked(order)
