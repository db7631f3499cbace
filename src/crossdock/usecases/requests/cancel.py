"""A buyer asks to cancel what was not shipped yet, and the seller answers in time.

The cancel itself is the ordinary reject (`usecases/orders/reject.py`), which ends the request, as a parcel does.
"""

from datetime import datetime, timedelta

from django.conf import settings

from crossdock.domain.alerts import AlertCode
from crossdock.domain.mails import requests as mails
from crossdock.domain.orders import MoneyState, ParcelState
from crossdock.domain.requests.cancels import LONGEST_REASON, CancelDeed, CancelState, after, why_not
from crossdock.domain.storable import one_line
from crossdock.domain.team.roles import Duty
from crossdock.domain.wording import counted, moment
from crossdock.store.models import CancelRequest, Order, User
from crossdock.usecases.accounts.working_days import due_words
from crossdock.usecases.errors import Invalid, NotAllowed, Stale
from crossdock.usecases.money.credits import locked_order
from crossdock.usecases.orders.asked import close_request, request_of, standing
from crossdock.usecases.orders.shippable import asked_to_cancel
from crossdock.usecases.record.rights import require, require_buyer
from crossdock.usecases.record.telling import Telling, telling

_NOT_YOURS = "This order is not yours."
_AT_ONCE = 200


def answer_within() -> timedelta:
    """The marketplace's choice."""
    return timedelta(hours=settings.CONFIG.cancel_answer_hours)


def why_not_ask(order: Order) -> str:
    """Empty when the buyer can ask to cancel this order now. Reads the request that came with the order."""
    if order.cancelled_at is not None:
        return "This order is cancelled already."
    if order.parcels != ParcelState.UNSHIPPED:
        return "Something of this order was shipped already, so it cannot be cancelled any more."
    if order.total_minor and order.money == MoneyState.CREDITED:
        return "The whole amount went back to you already."
    request: CancelRequest | None = getattr(order, "cancel_request", None)
    return why_not(standing(request), CancelDeed.ASK)


def ask_to_cancel(*, order: Order, buyer: User, reason: str, now: datetime) -> CancelRequest:
    """Asked twice, by a second click or from another tab, it is one request."""
    with telling(now) as told:
        order = locked_order(order)
        require_buyer(buyer, order, _NOT_YOURS)
        row = request_of(order)
        if row is not None and row.open:
            return row
        if why := why_not_ask(order):
            raise NotAllowed(why)
        row = opened(order, row, CancelDeed.ASK, reason, told=told)
        told.tell(
            order=order,
            source="buyer",
            kind="cancel_asked",
            public=True,
            sentence=f"Asked to cancel the order{_because(row)} The seller answers by {moment(row.answer_by)}.",
        )
        _mail_asked(order, row, told=told)
        return row


def opened(order: Order, row: CancelRequest | None, deed: CancelDeed, reason: str, *, told: Telling) -> CancelRequest:
    """The order's request, waiting for an answer from now on; under the order's lock."""
    value = after(standing(row), deed)
    row = row or CancelRequest(order=order)
    row.state, row.binding, row.asks = value.state, value.binding, value.asks
    row.reason, row.answer = one_line(reason, LONGEST_REASON), ""
    row.asked_at, row.answer_by = told.now, told.now + answer_within()
    row.closed_at = row.closed_by = row.late_at = None
    row.save()
    order.cancel_request = row
    return row


def _mail_asked(order: Order, row: CancelRequest, *, told: Telling) -> None:
    key = f"{order.reference}:{row.asks}"
    told.write_mail(
        cause=f"cancel_asked:{key}",
        to=order.seller.owner.email,
        subject=f"The buyer asks to cancel order #{order.number}",
        order=order,
        body=(
            f"The buyer asks to cancel order #{order.number}{_because(row)}\n\n"
            f"Do not ship it yet. Cancel it or decline by {moment(row.answer_by)}, on the order's page."
        ),
    )
    told.write_letter(
        cause=f"cancel_asked_buyer:{key}",
        order=order,
        letter=mails.CANCEL_ASKED.letter(number=order.number, seller=order.seller.name, until=row.answer_by),
    )


def take_back(*, order: Order, buyer: User, now: datetime) -> None:
    """The buyer wants the order after all. Nothing happens where no request is open any more by their own doing."""
    with telling(now) as told:
        order = locked_order(order)
        require_buyer(buyer, order, _NOT_YOURS)
        row = request_of(order)
        if why := why_not(standing(row), CancelDeed.TAKE_BACK):
            raise NotAllowed(why)
        if not close_request(order=order, deed=CancelDeed.TAKE_BACK, actor=buyer, told=told):
            return
        told.write_mail(
            cause=f"cancel_taken_back:{order.reference}:{row.asks if row else 0}",
            to=order.seller.owner.email,
            subject=f"Order #{order.number} goes on",
            order=order,
            body=(f"The buyer took the request to cancel order #{order.number} back. Ship it by {due_words(order)}."),
        )


def decline(*, order: Order, actor: User, answer: str, seen: int, now: datetime) -> None:
    """The order goes on. `seen` is the number (`asks`) of the request that is answered.

    Raises Stale when it is not that one any more, Invalid without a reason.
    """
    with telling(now) as told:
        order = locked_order(order)
        require(actor, order.seller, duty=Duty.ORDERS)
        row = request_of(order)
        if why := why_not(standing(row), CancelDeed.DECLINE):
            raise NotAllowed(why)
        if row is not None and row.asks != seen:
            raise Stale("The buyer asked again meanwhile. Look at the new request, then answer it.")
        answer = one_line(answer, LONGEST_REASON)
        if not answer:
            raise Invalid("Say why: the buyer reads it.")
        if not close_request(order=order, deed=CancelDeed.DECLINE, actor=actor, answer=answer, told=told):
            return
        told.write_letter(
            cause=f"cancel_declined:{order.reference}:{row.asks if row else 0}",
            order=order,
            letter=mails.CANCEL_DECLINED.letter(number=order.number, seller=order.seller.name, why=answer),
        )


def tell_unanswered(*, now: datetime) -> int:
    """Requests whose time is over: the seller and staff get an alert, the buyer a mail, once. Nothing else happens by
    itself, and shipping stays on hold. Returns how many.
    """
    due = CancelRequest.objects.filter(state=CancelState.ASKED, answer_by__lte=now, late_at=None)
    told_of = 0
    for pk in list(due.order_by("answer_by").values_list("pk", flat=True)[:_AT_ONCE]):
        with telling(now) as told:
            order = locked_order(Order(pk=pk))
            row = request_of(order)
            if row is None or asked_to_cancel(order) is None or row.answer_by > now or row.late_at is not None:
                continue
            row.late_at = now
            row.save(update_fields=["late_at"])
            _tell_late(order, row, told=told)
            told_of += 1
    return told_of


def _tell_late(order: Order, row: CancelRequest, *, told: Telling) -> None:
    hours = counted(round((row.answer_by - row.asked_at).total_seconds() / 3600), "hour")
    told.raise_alert(
        code=AlertCode.CANCEL_UNANSWERED,
        seller=order.seller,
        order=order,
        sentence=(
            f"The buyer {_did(row)} order {order} and has had no answer for {hours}. Cancel it"
            f"{'' if row.binding else ', or decline and ship it'}. Our staff see this too and may cancel it for you."
        ),
    )
    told.tell(
        order=order,
        source="marketplace",
        kind="cancel_unanswered",
        public=True,
        sentence="The seller did not answer in time; our staff are told. The order stays on hold.",
    )
    told.write_letter(
        cause=f"cancel_unanswered:{order.reference}:{row.asks}",
        order=order,
        letter=mails.CANCEL_UNANSWERED.letter(number=order.number, seller=order.seller.name),
    )


def _did(row: CancelRequest) -> str:
    return "withdrew from the contract of" if row.binding else "asked to cancel"


def _because(row: CancelRequest) -> str:
    """The end of a sentence."""
    return f": “{row.reason}”" if row.reason else "."
