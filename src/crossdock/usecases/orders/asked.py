"""How a buyer's request to cancel ends, by whatever ends it: taken back, declined, cancelled, or something was shipped.

Runs under the order's lock, which the caller holds.
"""

from datetime import datetime

from crossdock.domain.alerts import AlertCode
from crossdock.domain.orders import ParcelState
from crossdock.domain.requests.cancels import CancelDeed, Request, after, stood_since
from crossdock.store.models import CancelRequest, Order, RiskHold, User
from crossdock.usecases.accounts.working_days import due_after
from crossdock.usecases.orders.coming_back import withdrawn_return
from crossdock.usecases.record.rights import side_of
from crossdock.usecases.record.telling import Telling

_GOES_ON = (CancelDeed.TAKE_BACK, CancelDeed.DECLINE)


def request_of(order: Order) -> CancelRequest | None:
    """As it stands now: what came with an order may have been read before its lock was had."""
    return CancelRequest.objects.filter(order=order).first()


def standing(row: CancelRequest | None) -> Request | None:
    """What the rules ask of it."""
    return None if row is None else row.value


def close_request(*, order: Order, deed: CancelDeed, actor: User | None, told: Telling, answer: str = "") -> bool:
    """False where none is open. A cancel is told of by whoever cancels."""
    row = request_of(order)
    if row is None or not row.open:
        return False
    row.state = after(row.value, deed).state
    row.answer, row.closed_at, row.closed_by = answer, told.now, actor
    row.save(update_fields=["state", "answer", "closed_at", "closed_by"])
    order.cancel_request = row
    if deed in _GOES_ON and (since := _stood_since(order, row.asked_at)) is not None:
        order.ship_by = due_after(order, since=since, back=told.now)
        order.save(update_fields=["ship_by"])
    if deed is CancelDeed.CANCEL:
        return True
    told.tell(
        order=order,
        source=_source(order, deed, actor),
        kind="cancel_closed",
        public=True,
        sentence=_words(deed, answer, binding=row.binding),
    )
    if deed is CancelDeed.SHIP and row.binding:
        goods_come_back(order, told=told)
    told.settle_by_fact(how="The request was answered.", codes=(AlertCode.CANCEL_UNANSWERED,), order=order)
    return True


def rest_stays(order: Order) -> str:
    """What the seller does with units that had not left by then; empty where all had."""
    if order.parcels != ParcelState.PARTLY_SHIPPED:
        return ""
    return "Do not ship what is left of it: take those units out of the order, which credits the buyer. "


def goods_come_back(order: Order, *, told: Telling) -> None:
    """The buyer withdrew from the contract of what left."""
    withdrawn_return(order, told=told)
    told.raise_alert(
        code=AlertCode.WITHDRAWN,
        seller=order.seller,
        order=order,
        sentence=(
            f"The buyer withdrew from the contract of order {order} and sends it back. {rest_stays(order)}When it is"
            " back, or they show that it was sent, mark it as received on the order's page, which credits them: that is"
            " due within 14 days of the withdrawal."
        ),
    )


def _stood_since(order: Order, asked_at: datetime) -> datetime | None:
    hold = RiskHold.objects.filter(order=order).first()
    held_at, cleared_at = (hold.held_at, hold.cleared_at) if hold is not None else (None, None)
    return stood_since(asked_at=asked_at, held_at=held_at, cleared_at=cleared_at)


def _source(order: Order, deed: CancelDeed, actor: User | None) -> str:
    if deed is CancelDeed.TAKE_BACK:
        return "buyer"
    return "marketplace" if actor is None else side_of(actor, order.seller)


def _words(deed: CancelDeed, answer: str, *, binding: bool) -> str:
    match deed:
        case CancelDeed.TAKE_BACK:
            return "The buyer keeps the order after all."
        case CancelDeed.DECLINE:
            return f"The request to cancel was declined: {answer}"
        case _:
            asked = "it comes back after the withdrawal" if binding else "the request to cancel is over"
            return f"Something was shipped, so {asked}."
