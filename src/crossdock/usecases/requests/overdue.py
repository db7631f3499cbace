"""Returns whose step is overdue: who did not answer or credit is told of, and what was never sent is closed, unless
money was given for it.
"""

from datetime import datetime

from crossdock.domain.alerts import AlertCode
from crossdock.domain.mails import requests as mails
from crossdock.domain.requests.returns import OPEN, ReturnState, lapses
from crossdock.domain.wording import counted
from crossdock.store.models import Order, Return
from crossdock.usecases.money.returned import answered_by_money
from crossdock.usecases.record.telling import Telling, telling
from crossdock.usecases.requests.returns import locked_return, page_of, words_of

_AT_ONCE = 200


def tell_late(*, now: datetime) -> int:
    """Returns whose step is overdue: the seller and staff get an alert, once; a buyer who waits for an answer a mail.
    What was accepted and never sent is closed, where no money was given for it and none may be: that is for people to
    look at. Nothing else happens by itself. Returns how many.
    """
    due = Return.objects.filter(state__in=OPEN, due_at__lte=now, late_at=None)
    told_of = 0
    for found in list(due.select_related("order").order_by("due_at")[:_AT_ONCE]):
        with telling(now) as told:
            order, row = locked_return(found)
            if not row.open or row.due_at is None or row.due_at > now or row.late_at is not None:
                continue
            if lapses(row.value) and not answered_by_money(order, row):
                _close_unsent(order, row, told=told)
            else:
                row.late_at = now
                row.save(update_fields=["late_at"])
                _tell_late(order, row, told=told)
            told_of += 1
    return told_of


def _tell_late(order: Order, row: Return, *, told: Telling) -> None:
    if row.state == ReturnState.ASKED:
        hours = counted(round((told.now - row.asked_at).total_seconds() / 3600), "hour")
        sentence = (
            f"The buyer of order {order} {'sends something back' if row.binding else 'asks to send something back'} and"
            f" has had no answer for {hours}. {'Say where to' if row.binding else 'Accept or decline it'}; our staff"
            " see this too."
        )
        told.write_letter(
            cause=f"return_unanswered:{row.public_id}",
            order=order,
            letter=mails.RETURN_UNANSWERED.letter(number=order.number, seller=order.seller.name),
        )
    elif row.binding:
        sentence = (
            f"The buyer of order {order} withdrew from the contract 14 days ago, and the money is due. When the goods"
            " are back, or the buyer showed that they were sent, mark them as received; our staff see this too."
        )
    else:
        sentence = (
            f"The buyer of order {order} did not say in time that they sent back what you accepted. It was not closed"
            " by itself: since they asked, money was given for it, here or in your shop, or a credit is asked for. If"
            " the goods are there, mark them as received; if not, ask staff what the buyer is owed. They see this too."
        )
    told.raise_alert(
        code=AlertCode.RETURN_LATE,
        seller=order.seller,
        order=order,
        evidence={"return": row.public_id},
        sentence=sentence,
    )


def _close_unsent(order: Order, row: Return, *, told: Telling) -> None:
    """Nothing moves: no money went back and none is held any more. The seller may still accept it after all."""
    row.state, row.closed_at = ReturnState.LAPSED, told.now
    row.save(update_fields=["state", "closed_at"])
    told.tell(
        order=order,
        source="marketplace",
        kind="return_closed",
        public=True,
        sentence="The return was accepted and not sent in time, so it is closed.",
    )
    # That alone: what was refunded in the shop stays owed, whatever becomes of the goods.
    told.settle_by_fact(how="The return was not sent in time.", codes=(AlertCode.RETURN_LATE,), order=order)
    # Accepted after all it can lapse once more, at another time.
    which = f"{row.public_id}:{row.due_at:%Y%m%d%H%M%S%f}"
    told.write_letter(
        cause=f"return_lapsed_buyer:{which}",
        order=order,
        letter=mails.RETURN_LAPSED.letter(number=order.number, seller=order.seller.name, what=words_of(row)),
    )
    told.write_mail(
        cause=f"return_lapsed:{which}",
        to=order.seller.owner.email,
        subject=f"A return of order #{order.number} was never sent",
        order=order,
        body=(
            f"The buyer did not send {words_of(row)} back in time, so the return is closed. Nothing was credited, and"
            " nothing is held from your payouts for it. If it arrives all the same, accept the return after all on its"
            " page and mark it as received."
        ),
        path=page_of(row),
    )
