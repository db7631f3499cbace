"""A dispute that was lost: who bears it. Until staff have decided, the order's money is held.

What the seller bears is a credit that the bank moved already, so that commission comes back with it and nobody can
credit it again. The rest, and all of what is covered, is the marketplace's own cost (account `protection`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from crossdock.domain.alerts import AlertCode
from crossdock.domain.credit import CreditState
from crossdock.domain.earnings.protection import Bearer, DisputeEnd
from crossdock.domain.roles import Right
from crossdock.domain.values import Money
from crossdock.store.models import Credit, LostDispute, Order, User
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.money import books
from crossdock.usecases.money.credits import locked_order, needs_second
from crossdock.usecases.money.left import uncredited
from crossdock.usecases.money.moved import credit_moved, credited
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.rights import require, why_not_yours
from crossdock.usecases.record.telling import Telling, telling

WAITING = (DisputeEnd.OPEN, DisputeEnd.SECOND)


def lost(*, order: Order, cause: str, amount: Money, reason: str, now: datetime) -> None:
    """Staff have to decide. `cause` is that of the transfer that moved it last; the same again is the same."""
    if amount.minor > 0:
        given = {"order": order, "amount_minor": amount.minor, "currency": amount.currency, "lost_at": now}
        LostDispute.objects.get_or_create(cause=cause, defaults={**given, "reason": reason[:80]})


def given_back(*, order: Order, causes: Sequence[str], told: Telling) -> None:
    """The bank gave it back: a decision that is in the books is taken back, to the cent of today. `causes` are those
    of all transfers of the dispute.
    """
    rows = LostDispute.objects.select_for_update(no_key=True).filter(order=order, cause__in=causes)
    for row in rows.exclude(state=DisputeEnd.BACK).order_by("pk"):
        if row.state == DisputeEnd.DECIDED:
            _take_back(row, order, told=told)
        row.state = DisputeEnd.BACK
        row.save(update_fields=["state"])


@dataclass(frozen=True, slots=True)
class Share:
    """Who pays what of a dispute, and the seller's payout of the order afterwards. `from_seller`, `fee_back` and
    `from_us` add up to the dispute.
    """

    bearer: Bearer
    from_seller: Money
    fee_back: Money
    from_us: Money
    payout: Money


@dataclass(frozen=True, slots=True)
class Preview:
    """`seen` names what was shown: decided on another one, nothing is booked."""

    shares: tuple[Share, ...]
    second: bool
    seen: str


def preview(*, row: LostDispute, actor: User, now: datetime) -> Preview:
    order = row.order
    shares = tuple(_share(row, order, bearer) for bearer in Bearer)
    second = row.state == DisputeEnd.OPEN and needs_second(row.amount, order=order, actor=actor, now=now)
    return Preview(shares, second, f"{row.state} {row.bearer} {row.amount} {uncredited(order)}")


def _theirs(row: LostDispute, order: Order, bearer: str) -> Money:
    """Never more than the order has left: of the rest the seller has had nothing."""
    return min(row.amount, uncredited(order)) if bearer == Bearer.SELLER else Money(0, row.currency)


def _share(row: LostDispute, order: Order, bearer: Bearer) -> Share:
    theirs = _theirs(row, order, bearer)
    back = Money(books.fee_back(order=order, amount_minor=theirs.minor), row.currency)
    payout = Money(books.payout_of(order=order), order.currency) - (theirs - back)
    return Share(bearer, theirs - back, back, row.amount - theirs, payout)


def decide(*, row: LostDispute, bearer: Bearer | None, why: str, seen: str, actor: User, now: datetime) -> LostDispute:
    """Pressed twice it counts once. Above the limit another person agrees, by the same word; `bearer` None is theirs:
    not so. Raises NotAllowed, Invalid.
    """
    require(actor, None, "Only staff decide who bears a dispute.", Right.DECIDE)
    with telling(now) as told:
        order = locked_order(row.order)
        row = LostDispute.objects.select_for_update(no_key=True).get(pk=row.pk)
        row.order = order
        if row.state not in WAITING or _pressed_twice(row, bearer, why.strip()[:300], seen, actor):
            return row
        if no := why_not_yours(order, actor):
            raise NotAllowed(no)
        if not why.strip():
            raise Invalid("Say why: the seller reads it.")
        # Two decisions of one person at once would each not see the other in the day's sum.
        User.objects.select_for_update(no_key=True).get(pk=actor.pk)
        if seen != preview(row=row, actor=actor, now=now).seen:
            raise Invalid("Something moved meanwhile. Look at it as it is now, then decide.")
        return _decided(row, order, bearer, why.strip()[:300], actor, told=told)


def _pressed_twice(row: LostDispute, bearer: Bearer | None, why: str, seen: str, actor: User) -> bool:
    """The same word again, on what was shown before the first one."""
    if row.state == DisputeEnd.SECOND:
        same = (row.bearer, row.why, row.decided_by_id) == (bearer, why, actor.pk)
        return same and seen.startswith(f"{DisputeEnd.OPEN} ")
    return bearer is None and seen.startswith(f"{DisputeEnd.SECOND} ")


def _decided(
    row: LostDispute, order: Order, bearer: Bearer | None, why: str, actor: User, *, told: Telling
) -> LostDispute:
    if row.state == DisputeEnd.SECOND:
        if row.decided_by_id == actor.pk:
            raise NotAllowed("You decided already. This amount needs a second person.")
        if bearer is None:
            row.state, row.bearer, row.decided_by, row.decided_at = DisputeEnd.OPEN, "", None, None
            row.save()
            _noted(row, actor, "dispute not agreed", why, told=told)
            return row
        if bearer != row.bearer:
            raise Invalid("Agree to what was decided, or say that it is not so.")
        row.second_by = actor
    else:
        if bearer is None:
            raise Invalid("Choose who bears it.")
        row.bearer, row.why, row.decided_by, row.decided_at = bearer, why, actor, told.now
        if needs_second(row.amount, order=order, actor=actor, now=told.now):
            row.state = DisputeEnd.SECOND
            row.save()
            _noted(row, actor, "dispute agreed", why, told=told)
            return row
    row.state, row.seller_minor = DisputeEnd.DECIDED, _theirs(row, order, row.bearer).minor
    row.save()
    _book(row, order, actor, told=told)
    _noted(row, actor, "dispute decided", why, told=told)
    _say(row, order, told=told)
    return row


def _noted(row: LostDispute, actor: User, action: str, why: str, *, told: Telling) -> None:
    detail = {"dispute": row.public_id, "amount": str(row.amount), "bearer": row.bearer, "why": why}
    note(actor=actor, action=action, subject=str(row.order), now=told.now, detail=detail)


def _book(row: LostDispute, order: Order, actor: User, *, told: Telling) -> None:
    theirs, rest = row.seller_minor, row.amount_minor - row.seller_minor
    if theirs:
        credit_moved(
            order=order,
            amount=Money(theirs, row.currency),
            cause=f"dispute:{row.public_id}",
            reason="The buyer's bank took the payment back.",
            note=f"Not covered, because {row.why}",
            told=told,
            actor=actor,
        )
        books.post(
            cause=f"dispute_paid:{row.public_id}",
            order=order,
            sentence=f"The dispute over order {order} is borne by the seller",
            now=told.now,
            entries={"refunds_due": theirs, "disputed": -theirs},
        )
    if rest:
        books.post(
            cause=f"protected:{row.public_id}",
            order=order,
            sentence=f"The dispute over order {order} is borne by the marketplace",
            now=told.now,
            entries={"protection": rest, "disputed": -rest},
        )


def _take_back(row: LostDispute, order: Order, *, told: Telling) -> None:
    theirs, rest = row.seller_minor, row.amount_minor - row.seller_minor
    sentence = f"The dispute over order {order} was won after all"
    if theirs:
        cut = books.fee_back(order=order, amount_minor=-theirs)
        books.post(
            cause=f"credit:dispute:{row.public_id}:back",
            order=order,
            sentence=sentence,
            now=told.now,
            entries={books.seller_account(order.seller_id): -theirs - cut, "fees": cut, "refunds_due": theirs},
        )
        credited(order, -theirs)
        Credit.objects.filter(cause=f"dispute:{row.public_id}").update(
            state=CreditState.DECLINED, note="The bank gave it back: the dispute was won after all."
        )
    entries = {"refunds_due": -theirs, "protection": -rest, "disputed": row.amount_minor}
    cause = f"dispute_undone:{row.public_id}"
    books.post(cause=cause, order=order, sentence=sentence, now=told.now, entries=entries)


def _say(row: LostDispute, order: Order, *, told: Telling) -> None:
    """The seller reads who bears it and why, on the order and by mail; the alert has said what it had to."""
    theirs = Money(row.seller_minor, row.currency)
    if row.bearer == Bearer.SELLER and not theirs.minor:
        sentence = f"Not covered, because {row.why} It costs you nothing: the order’s money had gone back before."
    elif row.bearer == Bearer.SELLER:
        sentence = f"Not covered: {theirs.words} of the lost dispute are yours to bear, because {row.why}"
    else:
        sentence = f"Covered: the marketplace bears the lost dispute over {row.amount.words}, because {row.why}"
    where = "Your statement and the order's page show it." if theirs.minor else "The order's page shows it."
    told.tell(
        order=order, source="staff", kind="dispute_decided", sentence=sentence, evidence={"dispute": row.public_id}
    )
    told.settle_by_fact(how="Our staff decided who bears it.", codes=(AlertCode.DISPUTED,), order=order)
    told.write_mail(
        cause=f"dispute_decided:{row.public_id}",
        to=order.seller.owner.email,
        subject=f"Order #{order.number}: the dispute is decided",
        order=order,
        body=f"{sentence}\n\n{where}",
    )
