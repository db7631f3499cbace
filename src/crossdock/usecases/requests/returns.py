"""A buyer asks to send something back, and the seller answers in time; the receipt is `receive.py`.

Who asks is known to the caller: signed in, or by the link that was mailed to them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings

from crossdock.domain.alerts import AlertCode
from crossdock.domain.mails import requests as mails
from crossdock.domain.mails.letter import Letter
from crossdock.domain.requests.returns import (
    CHOICES,
    LONGEST_WORDS,
    MOST_RETURNS,
    REASONS,
    REVIVED,
    SEND_WITHIN,
    Payer,
    ReturnDeed,
    ReturnReason,
    ReturnState,
    Unit,
    lapses,
    why_not,
)
from crossdock.domain.requests.withdrawals import Policy, ends
from crossdock.domain.storable import one_line, typed_lines
from crossdock.domain.team.roles import Duty
from crossdock.domain.wording import counted, moment
from crossdock.store.models import Order, OrderLine, Return, ReturnLine, User
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.money.credits import locked_order
from crossdock.usecases.money.returned import claimed, left_of_payment, open_return
from crossdock.usecases.record.rights import require, side_of
from crossdock.usecases.record.telling import Telling, telling
from crossdock.usecases.requests.pictures import keep_pictures
from crossdock.usecases.requests.withdraw import sale_of


def answer_within() -> timedelta:
    """The marketplace's choice."""
    return timedelta(hours=settings.CONFIG.return_answer_hours)


def returns_until(order: Order) -> datetime | None:
    """None while nothing was shipped, or where the marketplace takes no returns."""
    config = settings.CONFIG
    return (
        ends(sale_of(order), Policy(config.return_days, config.return_days_undelivered)) if config.return_days else None
    )


def free_units(order: Order) -> dict[OrderLine, int]:
    """What of each line can be asked for: shipped, and in no return yet."""
    taken = claimed(order)
    free = {line: Unit(line.shipped, taken[line.pk]).free for line in order.lines.all()}
    return {line: units for line, units in free.items() if units}


def why_not_return(order: Order, *, now: datetime) -> str:
    """Empty when the buyer can ask to return something of this order."""
    if not settings.CONFIG.return_days:
        return "This marketplace takes no returns; write to the seller."
    last = returns_until(order)
    if last is None:
        return "Nothing of this order was shipped yet, so nothing can be returned."
    if now >= last:
        return f"The time for returns ended on {last - timedelta(days=1):%d %B %Y}. Write to the seller."
    if open_return(order) is not None:
        return "A return of this order is under way already."
    if left_of_payment(order) == 0 and order.total_minor:
        return "The whole amount went back to you already."
    if not free_units(order):
        return "Everything that was shipped is in a return already, or came back."
    if order.returns.count() >= MOST_RETURNS:
        return f"You asked for {MOST_RETURNS} returns of this order. Write to the seller instead."
    return ""


def ask_return(
    *,
    order: Order,
    units: Mapping[int, int],
    reason: ReturnReason,
    words: str,
    now: datetime,
    pictures: Sequence[bytes] = (),
) -> Return:
    """`units` by the line's id, `pictures` as JPEG. Asked twice, by a second click or from another tab, it is one
    return.

    Raises NotAllowed, Invalid.
    """
    with telling(now) as told:
        order = locked_order(order)
        before = open_return(order)
        if before is not None:
            return before
        if why := why_not_return(order, now=now):
            raise NotAllowed(why)
        free = free_units(order)
        wanted = {line: units.get(line.pk, 0) for line in free if units.get(line.pk, 0)}
        if reason not in CHOICES:
            raise Invalid("Choose why you send it back.")
        if not wanted or set(units) - {line.pk for line in free}:
            raise Invalid("Choose what you send back.")
        for line, many in wanted.items():
            if not 0 < many <= free[line]:
                raise Invalid(f"{line.title}: between 1 and {free[line]} can be sent back.")
        row = Return.objects.create(
            order=order,
            seller_id=order.seller_id,
            state=ReturnState.ASKED,
            reason=reason,
            words=clean(words),
            asked_at=now,
            due_at=now + answer_within(),
        )
        ReturnLine.objects.bulk_create(ReturnLine(row=row, line=line, units=many) for line, many in wanted.items())
        _tell_asked(order, row, pictures=keep_pictures(row, pictures, now=now), told=told)
        return row


def add_pictures(*, row: Return, pictures: Sequence[bytes], now: datetime) -> None:
    """The buyer shows more of it while the return is open. Sent twice they are there once."""
    with telling(now) as told:
        order, row = locked_return(row)
        if why := why_not(row.value, ReturnDeed.SHOW):
            raise NotAllowed(why)
        if not pictures:
            raise Invalid("Choose a picture.")
        if not (many := keep_pictures(row, pictures, now=now)):
            return
        new = counted(many, "picture")
        told.tell(order=order, source="buyer", kind="return_pictures", public=True, sentence=f"Added {new} of it.")
        told.write_mail(
            cause=f"return_pictures:{row.public_id}:{now:%Y%m%d%H%M%S%f}",
            to=order.seller.owner.email,
            subject=f"More pictures of a return of order #{order.number}",
            order=order,
            body=f"The buyer added {new} of what they want to send back: {words_of(row)}.",
            path=page_of(row),
        )


def clean(words: str) -> str:
    return typed_lines(words)[:LONGEST_WORDS]


def words_of(row: Return) -> str:
    return ", ".join(f"{part.units} × {part.line.title}" for part in row.lines.select_related("line"))


def _tell_asked(order: Order, row: Return, *, pictures: int, told: Telling) -> None:
    what, why = words_of(row), REASONS[ReturnReason(row.reason)]
    until = moment(row.asked_at + answer_within())
    shown = f"\n{counted(pictures, 'picture')} of it on the return's page." if pictures else ""
    told.tell(
        order=order,
        source="buyer",
        kind="return_asked",
        public=True,
        sentence=f"Asked to return {what}: {why.lower()}. The seller answers by {until}.",
    )
    told.write_mail(
        cause=f"return_asked:{row.public_id}",
        to=order.seller.owner.email,
        subject=f"The buyer asks to return something of order #{order.number}",
        order=order,
        body=(
            f"The buyer asks to return {what}.\n{why}.{shown}\n\nAccept it and say where to, or decline, by"
            f" {until}, on the return's page."
        ),
        path=page_of(row),
    )
    told.write_letter(
        cause=f"return_asked_buyer:{row.public_id}",
        order=order,
        letter=mails.RETURN_ASKED.letter(
            number=order.number, seller=order.seller.name, what=what, until=row.asked_at + answer_within()
        ),
    )


def page_of(row: Return) -> str:
    """The seller's."""
    return f"/seller/returns/{row.public_id}/"


def locked_return(row: Return) -> tuple[Order, Return]:
    """Both as they stand now; the order's lock is the return's."""
    order = locked_order(row.order)
    fresh = Return.objects.get(pk=row.pk)
    fresh.order = order
    return order, fresh


def accept(*, row: Return, actor: User, send_to: str, payer: Payer, label: str, now: datetime) -> None:
    """The goods may come: the buyer reads where to, and who pays for it. Accepted again with other words it is an
    instruction that changed, as long as nothing was sent.
    """
    with telling(now) as told:
        order, row = locked_return(row)
        require(actor, order.seller, duty=Duty.ORDERS)
        if why := why_not(row.value, ReturnDeed.ACCEPT):
            raise NotAllowed(why)
        send_to, label = clean(send_to), one_line(label, 500)
        if not send_to:
            raise Invalid("Type the address that the buyer sends it to.")
        if payer is Payer.SELLER and not label:
            raise Invalid("Paste the label's link or number, or let the buyer pay for the way back.")
        if row.state == ReturnState.ACCEPTED and (row.send_to, row.payer, row.label) == (send_to, payer, label):
            return
        if row.sent_at is not None:
            raise NotAllowed("The buyer has sent it already, to the address that they read. Write to them instead.")
        if row.state in REVIVED:
            other = open_return(order)
            taken = claimed(order, declined=False)
            if other is not None or any(p.units > p.line.shipped - taken[p.line_id] for p in row.lines.all()):
                raise NotAllowed("Another return of these units came in between.")
            if left_of_payment(order) == 0 and order.total_minor:
                raise NotAllowed("The whole payment went back already, so there is nothing to take it back for.")
            # `asked_at` stays: what was given for it since counts, and nothing is credited twice.
        row.send_to, row.payer, row.label = send_to, payer, label
        # The first answer counts: instructions that change, or a change of mind, are no late one.
        row.state, row.answered_at = ReturnState.ACCEPTED, row.answered_at or now
        row.closed_at = row.closed_by = None
        row.answer, row.late_at = "", None
        row.due_at = row.due_at if row.binding else now + SEND_WITHIN
        row.save()
        told.tell(
            order=order,
            source=side_of(actor, order.seller),
            kind="return_accepted",
            public=True,
            sentence="The return was accepted; the address to send it to is on the page.",
        )
        told.settle_by_fact(how="The return was accepted.", codes=(AlertCode.RETURN_LATE,), order=order)
        told.write_letter(
            cause=f"return_accepted:{row.public_id}:{now:%Y%m%d%H%M%S%f}",
            order=order,
            letter=_instructions(order, row),
        )


def _instructions(order: Order, row: Return) -> Letter:
    """What the buyer does next."""
    ends = row.due_at if lapses(row.value) else None
    return mails.RETURN_ACCEPTED.letter(
        number=order.number,
        seller=order.seller.name,
        what=words_of(row),
        address=row.send_to,
        way=mails.SELLER_PAYS.of(label=row.label) if row.payer == Payer.SELLER else mails.YOU_PAY,
        then=mails.ENTER_NUMBER_BY.of(until=ends) if ends else mails.ENTER_NUMBER,
    )


def decline(*, row: Return, actor: User, answer: str, now: datetime) -> None:
    """Raises NotAllowed where the buyer withdrew from the contract, Invalid without a reason."""
    with telling(now) as told:
        order, row = locked_return(row)
        require(actor, order.seller, duty=Duty.ORDERS)
        if why := why_not(row.value, ReturnDeed.DECLINE):
            raise NotAllowed(why)
        answer = clean(answer)
        if not answer:
            raise Invalid("Say why: the buyer reads it.")
        if row.state == ReturnState.DECLINED:
            return
        row.answer, row.answered_at = answer, now
        _close(order, row, ReturnState.DECLINED, actor, f"The return was declined: {answer}", told=told)
        told.write_letter(
            cause=f"return_declined:{row.public_id}",
            order=order,
            letter=mails.RETURN_DECLINED.letter(
                number=order.number, seller=order.seller.name, what=words_of(row), why=answer
            ),
        )


def take_back(*, row: Return, now: datetime) -> None:
    """The buyer keeps it after all."""
    with telling(now) as told:
        order, row = locked_return(row)
        if why := why_not(row.value, ReturnDeed.TAKE_BACK):
            raise NotAllowed(why)
        if row.state == ReturnState.TAKEN_BACK:
            return
        _close(order, row, ReturnState.TAKEN_BACK, None, "The buyer keeps it after all.", told=told)
        told.write_mail(
            cause=f"return_taken_back:{row.public_id}",
            to=order.seller.owner.email,
            subject=f"The buyer keeps what they have of order #{order.number}",
            order=order,
            body=f"The buyer took the request to return {words_of(row)} back. Nothing comes to you.",
        )


def _close(order: Order, row: Return, state: ReturnState, actor: User | None, sentence: str, *, told: Telling) -> None:
    row.state, row.closed_at, row.closed_by = state, told.now, actor
    row.save(update_fields=["state", "closed_at", "closed_by", "answer", "answered_at"])
    source = "buyer" if actor is None else side_of(actor, order.seller)
    told.tell(order=order, source=source, kind="return_closed", public=True, sentence=sentence)
    # That alone: what was refunded in the shop stays owed, whatever becomes of the goods.
    told.settle_by_fact(how="The return was answered.", codes=(AlertCode.RETURN_LATE,), order=order)


def sent(*, row: Return, carrier: str, tracking: str, now: datetime) -> None:
    """The buyer sent it; entered again it is a number that was corrected."""
    with telling(now) as told:
        order, row = locked_return(row)
        if why := why_not(row.value, ReturnDeed.SEND):
            raise NotAllowed(why)
        carrier, tracking = one_line(carrier, 80), one_line(tracking, 200)
        if not tracking:
            raise Invalid("Type the tracking number, or what the carrier's receipt says.")
        if row.sent_at and (row.carrier, row.tracking_number) == (carrier, tracking):
            return
        row.carrier, row.tracking_number, row.sent_at = carrier, tracking, row.sent_at or now
        row.due_at = row.due_at if row.binding else None
        row.save(update_fields=["carrier", "tracking_number", "sent_at", "due_at"])
        name = f"{carrier} {tracking}".strip()
        told.tell(order=order, source="buyer", kind="return_sent", public=True, sentence=f"Sent back: {name}.")
        told.write_mail(
            cause=f"return_sent:{row.public_id}:{tracking}"[:120],
            to=order.seller.owner.email,
            subject=f"A return of order #{order.number} is on its way to you",
            order=order,
            body=f"The buyer sent {words_of(row)} back: {name}. When it is there, mark it as received.",
            path=page_of(row),
        )
