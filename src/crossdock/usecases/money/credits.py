"""Money back to a buyer, by whatever way it was decided: once per cause, never more than was paid, in the books before
the gateway is asked.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet, Sum

from crossdock.domain.alerts import AlertCode
from crossdock.domain.cases import CaseKind
from crossdock.domain.commands import CommandKind
from crossdock.domain.credit import CreditKind, CreditState
from crossdock.domain.earnings.protection import DisputeEnd
from crossdock.domain.mails import orders as mails
from crossdock.domain.mails.words import Fact
from crossdock.domain.orders import MoneyState, ParcelState
from crossdock.domain.roles import Right
from crossdock.domain.values import Money
from crossdock.store.models import Command, Credit, LostDispute, Order, ShopRefund, User
from crossdock.store.models.work import CommandState, PartyKind
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.money import books
from crossdock.usecases.money.left import room, uncredited, why_no_more, with_the_bank
from crossdock.usecases.money.returned import answered_in_shop
from crossdock.usecases.outbox.payloads import REFUND, RefundPayment
from crossdock.usecases.outbox.queue import enqueue, party_named
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.rights import require, why_not_yours
from crossdock.usecases.record.telling import Telling, telling
from crossdock.usecases.support.cases import open_case

DAY = timedelta(hours=24)


def locked_order(order: Order) -> Order:
    """The order's lock is the first of all locks."""
    rows = Order.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("seller__owner", "buyer", "connection__party", "intent").get(pk=order.pk)


def grant(
    *,
    order: Order,
    amount: Money,
    kind: CreditKind,
    cause: str,
    reason: str,
    told: Telling,
    actor: User | None = None,
    lines: list[dict[str, object]] | None = None,
    asked: Credit | None = None,
    shop_refund: ShopRefund | None = None,
) -> Credit:
    """The one way in which money is promised back. The caller holds the order's lock (`locked_order`). The same cause
    again is the same credit.

    `asked` is the wish that is granted by it. Raises NotAllowed when there is not so much left.
    """
    now = told.now
    before = Credit.objects.filter(cause=cause).exclude(state__in=[CreditState.ASKED, CreditState.SECOND]).first()
    if before is not None:
        return before
    if amount.minor <= 0 or amount.currency != order.currency:
        raise Invalid("Credit an amount above zero, in the order's currency.")
    taken = with_the_bank(order)
    if amount > (left := room(order, taken)):
        why = why_no_more(taken) or "The rest went back already."
        raise NotAllowed(f"At most {left.words} can still be credited. {why}")
    credit = asked or Credit(order=order, cause=cause, kind=kind, currency=order.currency, asked_by=actor, asked_at=now)
    credit.amount_minor, credit.reason, credit.state = amount.minor, reason[:300], CreditState.GRANTED
    credit.granted_at, credit.lines = now, lines or credit.lines or []
    credit.shop_refund = shop_refund or credit.shop_refund
    credit.save()
    books.post_credit(order=order, amount_minor=amount.minor, cause=credit.cause, told=told)
    order.credited_minor += amount.minor
    whole = order.credited_minor == order.total_minor
    order.money = MoneyState.CREDITED if whole else MoneyState.PARTLY_CREDITED
    order.save(update_fields=["credited_minor", "money"])
    _ask_gateway(credit, credit.refund_cause, now=now)
    if kind is CreditKind.SHOP_REFUND:
        answered_in_shop(order, credit, told=told)
    return credit


def _ask_gateway(credit: Credit, cause: str, *, now: datetime) -> None:
    intent, order = credit.order.intent, credit.order
    assert intent is not None, "what was never paid is never credited"
    enqueue(
        party=party_named(kind=PartyKind.PAYMENT, name=intent.gateway),
        cause=cause,
        subject=f"money:{order.reference}",
        kind=CommandKind.REFUND_PAYMENT,
        now=now,
        payload=REFUND.dump_python(
            RefundPayment(intent.public_id, credit.amount_minor, credit.currency, order.reference, credit.cause),
            mode="json",
        ),
    )


def why_not_ask(order: Order) -> str:
    """Empty when a seller can ask staff for a credit."""
    taken = with_the_bank(order)
    if room(order, taken).minor == 0:
        return why_no_more(taken) or "The whole amount went back to the buyer already."
    if order.cancelled_at is not None:
        return "This order is cancelled; the buyer was credited."
    if order.parcels == ParcelState.UNSHIPPED:
        return "Nothing was shipped yet: reject the order instead, that credits the buyer at once."
    return ""


def ask_credit(
    *, order: Order, amount: Money, reason: str, body: str, actor: User, now: datetime, refund: ShopRefund | None = None
) -> Credit:
    """The seller's wish after fulfilment, with a case for staff.

    One wish at a time: asking again while one is open changes nothing.
    """
    with telling(now) as told:
        order = locked_order(order)
        if why := why_not_ask(order):
            raise NotAllowed(why)
        if amount.minor <= 0 or amount.currency != order.currency:
            raise Invalid("Type an amount above zero.")
        taken = with_the_bank(order)
        if amount > (left := room(order, taken)):
            raise Invalid(f"At most {left.words} can be credited. {why_no_more(taken)}".rstrip())
        if not reason.strip():
            raise Invalid("Say why.")
        waiting = order.credits.filter(state__in=[CreditState.ASKED, CreditState.SECOND]).first()
        if waiting is not None:
            return waiting
        kind = CreditKind.SHOP_REFUND if refund else CreditKind.STAFF
        credit = Credit.objects.create(
            order=order,
            cause=f"{order.reference}:asked:{order.credits.count() + 1}",
            kind=kind,
            state=CreditState.ASKED,
            amount_minor=amount.minor,
            currency=order.currency,
            reason=reason[:300],
            asked_by=actor,
            asked_at=now,
            shop_refund=refund,
        )
        told.tell(
            order=order,
            source="seller",
            kind="credit_asked",
            sentence=f"Asked staff to credit {amount.words}: {reason}",
        )
        open_case(
            seller=order.seller,
            opened_by=actor,
            kind=CaseKind.SHOP_REFUND if refund else CaseKind.CREDIT,
            order=order,
            credit=credit,
            now=now,
            told=told,
            subject=f"Credit {amount.words} for order #{order.number}",
            body=body.strip() or reason,
        )
    return credit


def needs_second(
    amount: Money, *, order: Order | None = None, actor: User | None = None, now: datetime | None = None
) -> bool:
    """Above the operator's limits, in whole units of the order's currency, another person of staff has to agree.

    What one person alone granted, or decided of lost disputes, before counts with it: on this order whenever it was,
    and by this person on all orders in a day. Two halves of an amount are the amount.
    """
    alone = Credit.objects.filter(
        currency=amount.currency, decided_by__isnull=False, second_by=None, granted_at__isnull=False
    )
    disputes = LostDispute.objects.filter(currency=amount.currency, state=DisputeEnd.DECIDED, second_by=None)
    on_order = _sum(alone.filter(order=order)) + _sum(disputes.filter(order=order)) if order is not None else 0
    in_a_day = 0
    if actor and now:
        in_a_day = _sum(alone.filter(decided_by=actor, granted_at__gt=now - DAY))
        in_a_day += _sum(disputes.filter(decided_by=actor, decided_at__gt=now - DAY))
    config = settings.CONFIG
    return bool(
        Money(amount.minor + on_order, amount.currency).decimal > config.credit_second_person_above
        or Money(amount.minor + in_a_day, amount.currency).decimal > config.credit_second_person_day_above
    )


def _sum(rows: QuerySet[Credit] | QuerySet[LostDispute]) -> int:
    return int(rows.aggregate(sum=Sum("amount_minor"))["sum"] or 0)


def decide_credit(
    *,
    credit: Credit,
    grant_it: bool,
    actor: User,
    remark: str,
    now: datetime,
    amount: Money | None = None,
) -> Credit:
    """Staff's word on a wish.

    `amount` may lower it. Pressed twice it counts once; the second person must be another.
    """
    require(actor, None, "Only staff decide credits.", Right.DECIDE)
    with telling(now) as told:
        return _decide(credit=credit, grant_it=grant_it, actor=actor, remark=remark, told=told, amount=amount)


def _decide(
    *, credit: Credit, grant_it: bool, actor: User, remark: str, told: Telling, amount: Money | None = None
) -> Credit:
    now = told.now
    order = locked_order(credit.order)
    row = Credit.objects.select_for_update(no_key=True).get(pk=credit.pk)
    if row.state not in (CreditState.ASKED, CreditState.SECOND):
        return row
    if why := why_not_yours(order, actor):
        raise NotAllowed(why)
    if not remark.strip():
        raise Invalid("Say why, for those who look at it later.")
    if not grant_it:
        return _declined(row, order, actor, remark, told=told)
    wanted = amount if amount is not None and row.state == CreditState.ASKED else row.amount
    _fits(wanted, order)
    second = row.state == CreditState.SECOND
    if second and row.decided_by_id == actor.pk:
        raise NotAllowed("You agreed already. This amount needs a second person.")
    row.note = remark[:300]
    if not second:
        row.decided_by, row.decided_at, row.amount_minor = actor, now, wanted.minor
        # Two credits of one person on two orders at once would each not see the other in the day's sum.
        User.objects.select_for_update(no_key=True).get(pk=actor.pk)
        if needs_second(wanted, order=order, actor=actor, now=now):
            row.state = CreditState.SECOND
            row.save()
            note(
                actor=actor,
                action="credit agreed",
                subject=str(order),
                now=now,
                detail={"credit": row.public_id, "amount": str(wanted), "why": remark},
            )
            return row
    else:
        row.second_by = actor
    kind = CreditKind(row.kind)
    row = grant(order=order, amount=wanted, kind=kind, cause=row.cause, reason=row.reason, told=told, asked=row)
    _said(row, order, actor, remark, told=told)
    return row


def staff_credit(*, order: Order, amount: Money, reason: str, actor: User, key: str, now: datetime) -> Credit:
    """Staff begin a credit themselves.

    `key` is the form's own: pressed twice it is one. Above the limit it waits for a second person.
    """
    require(actor, None, "Only staff credit.", Right.CREDIT)
    if not reason.strip():
        raise Invalid("Say why.")
    with telling(now) as told:
        order = locked_order(order)
        cause = f"{order.reference}:staff:{key[:40]}"
        known = Credit.objects.filter(cause=cause).first()
        if known is not None:
            return known
        if why := why_not_yours(order, actor):
            raise NotAllowed(why)
        _fits(amount, order)
        row = Credit.objects.create(
            order=order,
            cause=cause,
            kind=CreditKind.STAFF,
            state=CreditState.ASKED,
            amount_minor=amount.minor,
            currency=order.currency,
            reason=reason[:300],
            asked_by=actor,
            asked_at=now,
        )
        return _decide(credit=row, grant_it=True, actor=actor, remark=reason, told=told)


def _fits(amount: Money, order: Order) -> None:
    taken = with_the_bank(order)
    left = room(order, taken)
    if amount.minor <= 0 or amount.currency != order.currency or amount > left:
        raise Invalid(f"Between 0 and {left.words} can be credited. {why_no_more(taken)}".rstrip())


def _declined(row: Credit, order: Order, actor: User, remark: str, *, told: Telling) -> Credit:
    now = told.now
    row.state, row.decided_by, row.decided_at, row.note = (
        CreditState.DECLINED,
        row.decided_by or actor,
        now,
        remark[:300],
    )
    row.save()
    note(
        actor=actor,
        action="credit declined",
        subject=str(order),
        now=now,
        detail={"credit": row.public_id, "why": remark},
    )
    told.tell(
        order=order,
        source="staff",
        kind="credit_declined",
        sentence=f"Staff did not credit {row.amount.words}: {remark}",
    )
    told.write_mail(
        cause=f"credit_declined:{row.public_id}",
        to=order.seller.owner.email,
        subject=f"Order #{order.number}: no credit",
        order=order,
        body=f"Our staff did not credit {row.amount.words}: {remark}",
    )
    return row


def _said(row: Credit, order: Order, actor: User, remark: str, *, told: Telling) -> None:
    note(
        actor=actor,
        action="credited",
        subject=str(order),
        now=told.now,
        detail={"credit": row.public_id, "amount": str(row.amount), "why": remark},
    )
    tell_granted(row, order, source="staff", sentence=f"Staff credited {row.amount.words}: {row.reason}", told=told)
    told.settle_by_fact(
        how="The buyer was credited.", codes=(AlertCode.REFUNDED_IN_SHOP, AlertCode.WITHDRAWN), order=order
    )


def tell_granted(
    row: Credit, order: Order, *, source: str, sentence: str, told: Telling, why: Fact | None = None
) -> None:
    """`why` for the buyer, where it is more than what a person chose or typed."""
    told.tell(
        order=order,
        source=source,
        kind="credited",
        sentence=sentence,
        public=True,
        evidence={"credit": row.public_id},
    )
    why = mails.chosen(row.reason) if why is None else why
    told.write_letter(
        cause=f"credited:{row.public_id}",
        order=order,
        letter=mails.CREDITED.letter(number=order.number, amount=row.amount, why=why),
    )


def refund_done(*, credit: str, now: datetime) -> None:
    """In the transaction that settles the command."""
    Credit.objects.filter(cause=credit, state__in=[CreditState.GRANTED, CreditState.FAILED]).update(
        state=CreditState.REFUNDED, refunded_at=now, sentence=""
    )


def refund_refused(*, credit: str, sentence: str) -> None:
    """Surely not done: the books keep what is due, staff see it and try again."""
    Credit.objects.filter(cause=credit, state=CreditState.GRANTED).update(state=CreditState.FAILED, sentence=sentence)


def try_refund_again(*, credit: Credit, actor: User, now: datetime) -> None:
    """Only after a refusal, which is proof that nothing moved; under a new key, since the gateway keeps its answer to
    the old one.
    """
    require(actor, None, "Only staff do this.", Right.DECIDE)
    with transaction.atomic():
        order = locked_order(credit.order)
        row = Credit.objects.select_for_update(no_key=True).get(pk=credit.pk)
        if why := why_not_yours(order, actor):
            raise NotAllowed(why)
        if row.state != CreditState.FAILED:
            raise NotAllowed("Only a refund that was refused can be tried again.")
        if (taken := with_the_bank(order)) > uncredited(order):
            raise NotAllowed(why_no_more(taken))
        tries = Command.objects.filter(kind=CommandKind.REFUND_PAYMENT, payload__credit=row.cause)
        if tries.exclude(state__in=[CommandState.DONE, CommandState.WITHDRAWN]).exists():
            raise NotAllowed("It is being tried already.")
        row.state, row.sentence = CreditState.GRANTED, ""
        row.save(update_fields=["state", "sentence"])
        row.order = order
        _ask_gateway(row, f"{row.refund_cause}:{tries.count() + 1}", now=now)
        note(actor=actor, action="refund tried again", subject=str(order), now=now, detail={"credit": row.public_id})
