"""A seller of whom nothing is sold any more, by staff; and a person who may not come in any more, with the end of all
ways in that they hold, by the operator alone, on the server's command line. Who may not come in sells nothing either.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from crossdock.domain.moderation.sellers import Bar
from crossdock.domain.roles import Right
from crossdock.domain.storable import typed_lines
from crossdock.store.models import ApiToken, Endpoint, Party, Seller, Suspension, User
from crossdock.usecases.accounts.barring import locked, set_bar
from crossdock.usecases.accounts.sessions import end_sessions_of
from crossdock.usecases.accounts.tokens import revoke_token_of
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.mail import write_mail
from crossdock.usecases.record.rights import belongs, require

_STAFF = "Only staff suspend sellers."
LONGEST = 1000
_RESUMED = {
    Bar.NONE: "What you list is shown and sold again, and payouts go on.",
    Bar.APPROVAL: "Payouts go on. You sell as soon as the marketplace has approved you: see “Before you sell”.",
}


def suspend_seller(*, seller: Seller, why: str, actor: User, now: datetime) -> bool:
    """Nothing of theirs is shown or sold from this moment, a payment on its way goes back, and no payout begins; one
    that was sent goes on, as where payouts are held. They sign in as before, and ship what was ordered. Where only
    their account was closed, it holds by itself from now on. False where it was so already. Raises NotAllowed, Invalid.
    """
    _require(actor, seller)
    why = typed_lines(why)[:LONGEST]
    if not why:
        raise Invalid("Say why: the seller reads it.")
    with transaction.atomic():
        row = locked(seller)
        if not _stop(row, why=why, by=actor, with_account=False, now=now):
            return False
        note(actor=actor, action="sales suspended", subject=row.name, now=now, detail=_detail(row, why))
        write_mail(
            cause=f"sales_suspended:{row.public_id}:{now:%Y%m%d%H%M%S%f}",
            to=row.owner.email,
            now=now,
            subject="Your sales are suspended",
            body=(
                f"{why}\n\nNothing of yours is shown or sold on this marketplace for now, and no payout begins; one"
                " that was sent before goes on. Orders that were placed go on: ship them as always. Our staff decided"
                " this; nothing automatic took part in it. If you think that it is wrong, or have changed what led to"
                " it, open a case in your panel."
            ),
            path="/seller/cases/",
        )
    return True


def resume_seller(*, seller: Seller, why: str, actor: User, now: datetime) -> bool:
    """They sell as before. False where they did. Raises NotAllowed, Invalid."""
    _require(actor, seller)
    why = typed_lines(why)[:LONGEST]
    if not why:
        raise Invalid("Say why: the seller reads it.")
    with transaction.atomic():
        row = locked(seller)
        if not row.owner.is_active:
            raise NotAllowed("Their account is closed. Let them in again first (crossdock person EMAIL --restore).")
        if not Suspension.objects.filter(seller=row).delete()[0]:
            return False
        set_bar(row)
        note(actor=actor, action="sales resumed", subject=row.name, now=now, detail=_detail(row, why))
        write_mail(
            cause=f"sales_resumed:{row.public_id}:{now:%Y%m%d%H%M%S%f}",
            to=row.owner.email,
            now=now,
            subject="Your sales are not suspended any more" if row.barred else "You sell again",
            body=f"{why}\n\n{_RESUMED[row.bar]}",
            path="/seller/",
        )
    return True


def _require(actor: User, seller: Seller) -> None:
    require(actor, None, _STAFF, Right.SELLERS)
    if belongs(actor, seller):
        raise NotAllowed("This shop is your own. Somebody else of staff decides about it.")


def _stop(row: Seller, *, why: str, by: User | None, with_account: bool, now: datetime) -> bool:
    """The row is locked. False where it is stopped already, for the reason that was given then; what came with the
    account alone becomes staff's own, so that it does not end with it.
    """
    wanted = {"by": by, "why": why, "with_account": with_account}
    _, fresh = Suspension.objects.get_or_create(seller=row, defaults={"at": now, **wanted})
    if not fresh and not with_account:
        fresh = bool(Suspension.objects.filter(seller=row, with_account=True).update(**wanted))
    set_bar(row)
    return fresh


def _detail(row: Seller, why: str) -> dict[str, object]:
    return {"seller": row.public_id, "why": why}


def end_access(*, email: str, now: datetime) -> int:
    """Every session, and every token that they made or that reaches their shop's things: how many tokens. Raises
    Invalid when nobody has this address.
    """
    with transaction.atomic():
        user = _named(email)
        end_sessions_of(user=user, actor=None, now=now)
        tokens = list(ApiToken.objects.filter(Q(made_by=user) | Q(seller__owner=user), revoked_at=None))
        for token in tokens:
            revoke_token_of(token=token, now=now)
    return len(tokens)


def suspend(*, email: str, why: str, now: datetime) -> int:
    """They cannot sign in, nothing that they held opens anything, and nothing of theirs is sold; they are written why.
    What they ordered or sold goes on. How many tokens ended. Raises Invalid.
    """
    if not why.strip():
        raise Invalid("Say why: the person reads it.")
    with transaction.atomic():
        user = _named(email)
        if not User.objects.filter(pk=user.pk, is_active=True).update(is_active=False):
            raise Invalid(f"{user.email} is suspended already.")
        note(
            actor=None,
            action="suspended",
            subject=f"account {user.pk}",
            now=now,
            detail={"why": why.strip()},
            person=user,
        )
        for seller in Seller.objects.filter(owner=user):
            _stop(locked(seller), why=why.strip()[:LONGEST], by=None, with_account=True, now=now)
        ended = end_access(email=user.email, now=now)
        receivers = Endpoint.objects.filter(seller__owner=user, deleted_at=None, paused_at=None)
        Party.objects.filter(pk__in=receivers.values("party_id")).update(stopped=True)
        receivers.update(paused_at=now, paused_why="Paused by the marketplace: the account was suspended.")
        write_mail(
            cause=f"suspended:{user.pk}:{now.isoformat(timespec='seconds')}",
            to=user.email,
            now=now,
            subject="Your account is suspended",
            body=(
                f"You cannot sign in for now: {why.strip()} Orders that were placed go on. Answer this mail if you"
                " think that this is a mistake."
            ),
        )
    return ended


def restore(*, email: str, now: datetime) -> None:
    """They can sign in again, and sell unless staff suspended that by itself; tokens stay ended. Raises Invalid."""
    with transaction.atomic():
        user = _named(email)
        if not User.objects.filter(pk=user.pk, is_active=False).update(is_active=True):
            raise Invalid(f"{user.email} is not suspended.")
        for seller in Seller.objects.filter(owner=user):
            row = locked(seller)
            if Suspension.objects.filter(seller=row, with_account=True).delete()[0]:
                set_bar(row)
        note(actor=None, action="restored", subject=f"account {user.pk}", now=now, person=user)


def _named(email: str) -> User:
    user = User.objects.filter(email__iexact=email.strip()).first()
    if user is None:
        raise Invalid(f"Nobody signs in as {email.strip()}.")
    return user
