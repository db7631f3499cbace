"""What left comes back because its buyer withdrew from the contract: a return that nobody may decline.

Runs under the order's lock, which the caller holds.
"""

from datetime import timedelta

from crossdock.domain.requests.returns import Payer, ReturnReason, ReturnState
from crossdock.store.models import Order, Return, ReturnLine, SellerAddress
from crossdock.usecases.money.returned import claimed, open_return
from crossdock.usecases.record.telling import Telling

# Article 13 of 2011/83/EU: the money is due so long after the statement.
CREDIT_WITHIN = timedelta(days=14)


def ship_from_words(order: Order) -> str:
    """Where the seller's parcels start, in one line; empty where they never said."""
    kept = SellerAddress.objects.filter(seller_id=order.seller_id).first()
    if kept is None:
        return ""
    parts = ("name", "line1", "line2", "postal_code", "city", "region", "country")
    return ", ".join(str(kept.address[part]) for part in parts if kept.address.get(part))


def withdrawn_return(order: Order, *, told: Telling) -> None:
    """All that was shipped and is not back yet. A return that is open already becomes this one.

    It needs no answer where the seller's address is known; without one they have to name it.
    """
    row = open_return(order) or Return(order=order, seller_id=order.seller_id, asked_at=told.now)
    known = ship_from_words(order)
    row.binding, row.reason, row.due_at, row.late_at = True, ReturnReason.WITHDRAWN, told.now + CREDIT_WITHIN, None
    row.send_to = row.send_to or known
    row.payer = row.payer or Payer.BUYER
    if row.state != ReturnState.ACCEPTED:
        row.state = ReturnState.ACCEPTED if row.send_to else ReturnState.ASKED
    row.answered_at = told.now if row.send_to else None
    row.save()
    fill(row, order)


def fill(row: Return, order: Order) -> None:
    """A withdrawal is of everything: what left since belongs to it too."""
    mine = {part.line_id: part for part in row.lines.all()}
    taken = claimed(order, declined=False)
    for line in order.lines.all():
        part = mine.get(line.pk)
        units = line.shipped - taken[line.pk] + (part.units if part else 0)
        if units > 0:
            ReturnLine.objects.update_or_create(row=row, line=line, defaults={"units": units})
        elif part:
            part.delete()
