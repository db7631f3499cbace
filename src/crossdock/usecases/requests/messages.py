"""A buyer and a seller write to each other about an order, through the marketplace: neither learns the other's address,
and staff read along only after one of them has reported it.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F

from crossdock.domain.alerts import AlertCode
from crossdock.domain.mails.requests import MESSAGE
from crossdock.domain.moderation.quotas import Quota
from crossdock.domain.redact import redact_text
from crossdock.domain.requests.messages import MOST_UNANSWERED, Side, is_repeat, why_not_write
from crossdock.domain.roles import Right
from crossdock.domain.storable import one_line, typed_lines
from crossdock.domain.team.roles import Duty
from crossdock.store.models import Message, Order, Thread, User
from crossdock.usecases.accounts.quotas.gate import take_one
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.rights import require, require_buyer
from crossdock.usecases.record.telling import Telling, telling

_NOT_YOURS = "This order is not yours."


def _require_side(order: Order, side: Side, author: User) -> None:
    if side is Side.BUYER:
        require_buyer(author, order, _NOT_YOURS)
    else:
        require(author, order.seller, duty=Duty.ORDERS)


def write(*, order: Order, side: Side, author: User, body: str, now: datetime) -> Message:
    """The other side is mailed. Sent twice it is one message. Raises Invalid, NotAllowed."""
    _require_side(order, side, author)
    body = typed_lines(body)
    with telling(now) as told:
        thread = _locked(order, now=now)
        before = list(thread.messages.order_by("-pk")[: MOST_UNANSWERED + 1])
        said = [(Side(message.side), message.body, message.at) for message in before]
        if is_repeat(said, side, body, now):
            return before[0]
        if why := why_not_write(said, side, body, now):
            raise Invalid(why)
        if side is Side.SELLER:
            take_one(order.seller, Quota.MESSAGES, now=now, told=told)
        message = Message.objects.create(thread=thread, side=side, author=author, body=body, at=now)
        unread = f"unread_{side.other}"
        Thread.objects.filter(pk=thread.pk).update(**{unread: F(unread) + 1, "last_at": now})
        _mail(order, message, told=told)
        return message


def _locked(order: Order, *, now: datetime) -> Thread:
    Thread.objects.bulk_create([Thread(order=order, last_at=now)], ignore_conflicts=True)
    return Thread.objects.select_for_update(no_key=True, of=("self",)).get(pk=order.pk)


def _mail(order: Order, message: Message, *, told: Telling) -> None:
    """Without addresses and numbers that stand in the words: on the page they are as they were written."""
    cause, page, words = f"message:{message.pk}", f"/orders/{order.public_id}/messages/", redact_text(message.body)
    if message.side == Side.SELLER:
        letter = MESSAGE.letter(number=order.number, seller=order.seller.name, words=words)
        told.write_letter(cause=cause, order=order, letter=letter, path=page)
        return
    told.write_mail(
        cause=cause,
        to=order.seller.owner.email,
        subject=f"A message about order #{order.number}",
        order=order,
        body=f"The buyer wrote about order #{order.number}:\n\n{words}\n\nAnswer on the page, not by mail.",
        path=f"/seller{page}",
    )


def thread_of(order: Order) -> tuple[Thread | None, list[Message]]:
    """Oldest first; for the two sides, whose pages have found the order as theirs."""
    thread = Thread.objects.filter(pk=order.pk).first()
    return thread, list(thread.messages.all()) if thread is not None else []


def mark_read(*, thread: Thread, said: Sequence[Message], side: Side) -> None:
    """This side has seen what was said; what came meanwhile is still new."""
    unread = f"unread_{side}"
    if not said or not getattr(thread, unread):
        return
    with transaction.atomic():
        row = Thread.objects.select_for_update(no_key=True, of=("self",)).get(pk=thread.pk)
        left = row.messages.filter(side=side.other, pk__gt=said[-1].pk).count()
        Thread.objects.filter(pk=row.pk).update(**{unread: left})


def report(*, order: Order, side: Side, author: User, why: str, now: datetime) -> None:
    """Staff may read this conversation from now on. Reported twice it is one report; who reported, nobody is told."""
    _require_side(order, side, author)
    why = one_line(why, 500)
    if not why:
        raise Invalid("Say what is wrong.")
    with telling(now) as told:
        thread = _locked(order, now=now)
        if not thread.messages.exists():
            raise NotAllowed("There is nothing to report: nobody has written yet.")
        if thread.reported_at is None:
            Thread.objects.filter(pk=thread.pk).update(reported_at=now, reported_by=side)
        told.raise_alert(
            code=AlertCode.MESSAGES_REPORTED,
            seller=order.seller,
            order=order,
            for_staff=True,
            if_changed=True,
            sentence=f"The {side} of order {order} reports the messages: {why}",
        )


def read_reported(*, order: Order, actor: User, now: datetime) -> list[Message]:
    """By staff, with a line in the audit log each time. Raises NotAllowed where neither side has reported."""
    require(actor, None, "Only staff read what was reported.", Right.CASES)
    with telling(now):
        thread = Thread.objects.filter(pk=order.pk, reported_at__isnull=False).first()
        if thread is None:
            raise NotAllowed("Neither side has reported these messages, so they are read by the two alone.")
        detail = {"order": order.public_id}
        note(actor=actor, action="read reported messages", subject=f"#{order.number}", now=now, detail=detail)
        return list(thread.messages.all())
