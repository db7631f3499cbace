"""What a seller's open returns would credit: kept from their payouts until they are received, declined or taken back,
so that a buyer's money is still there when the goods are.
"""

from datetime import datetime

from django.db.models import F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from crossdock.domain.requests.returns import OPEN, ReturnReason, due, holds_money
from crossdock.store.models import Return, Seller
from crossdock.usecases.money.books import cuts, share_of_cut
from crossdock.usecases.money.returned import came_back, other_ways, shares_of
from crossdock.usecases.record.rights import theirs


def held_back(seller: Seller, *, now: datetime) -> dict[int, int]:
    """By order's id, minor units of its currency that are the seller's and would go back, their commission left out.

    One statement where no return is open, otherwise five, however many are.
    """
    since = other_ways().filter(order=OuterRef("order"), granted_at__gte=OuterRef("asked_at"))
    given = since.order_by().values("order").annotate(sum=Sum("amount_minor")).values("sum")
    rows = theirs(Return, seller).filter(state__in=OPEN).annotate(given=Coalesce(Subquery(given), 0))
    rows = rows.exclude(order__total_minor=F("order__credited_minor")).select_related("order")
    found = [
        row
        for row in rows.prefetch_related("lines", "order__lines")
        if holds_money(row.value, row.answered_at, now, row.due_at)
    ]
    if not found:
        return {}
    orders = [row.order for row in found]
    before, kept = came_back(*orders), cuts(orders)
    back = {}
    for row in found:
        order, units = row.order, {part.line_id: part.units for part in row.lines.all()}
        whole = sum(shares_of(order, list(order.lines.all()), units, ReturnReason(row.reason), before).values())
        minor = due(whole, before=row.given, deduction=0, room=order.total_minor - order.credited_minor)
        if minor:
            back[order.pk] = minor - share_of_cut(order, kept.get(order.pk, 0), minor)
    return back
