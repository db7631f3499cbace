"""A seller's team: who is in it, as what, and how somebody comes and goes. Asking people in is `inviting`.

A person is in one team at most, or owns a shop: both are read of their own row, so no page asks the database for it.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from crossdock.domain.moderation.approval import Item
from crossdock.domain.team.roles import CHOICES, Duty, in_words, roles_in
from crossdock.store.models import ApiToken, AuditTopic, Seller, SellerDetails, User
from crossdock.usecases.accounts.approving import touched
from crossdock.usecases.accounts.barring import locked
from crossdock.usecases.accounts.notices import tell_owner
from crossdock.usecases.accounts.tokens import revoke_token_of
from crossdock.usecases.errors import Invalid, NotAllowed, Stale
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.mail import write_mail
from crossdock.usecases.record.rights import belongs, is_owner, require, require_owner

_OWNER = "Only the owner of the shop says who is in the team."
PAGE = "/seller/team/"


def members_of(seller: Seller) -> QuerySet[User]:
    """Without the owner, in the order of their accounts."""
    return User.objects.filter(works_for=seller).exclude(works_as="").order_by("pk")


def checked_roles(roles: str) -> str:
    """Raises Invalid."""
    if roles not in CHOICES:
        raise Invalid("Choose from the list what they may.")
    return roles


def change_roles(*, seller: Seller, member: int, roles: str, actor: User, now: datetime) -> User:
    """What they may from their next click on. Raises NotAllowed, Invalid, Stale."""
    require_owner(actor, seller, _OWNER)
    checked_roles(roles)
    with transaction.atomic():
        locked(seller)
        person = _member(seller, member)
        if person.works_as != roles:
            person.works_as = roles
            person.save(update_fields=["works_as"])
            traced(seller, actor, "role in the team changed", person=person, now=now, roles=roles)
            told = f"You are in the team of {seller.name} for {in_words(roles_in(roles))} now."
            _write(person, seller, "roles", f"Your part in {seller.name}", told, path="/seller/", now=now)
    return person


def let_go(*, seller: Seller, member: int, actor: User, now: datetime) -> User:
    """They lose the panel at once, in every browser. Raises NotAllowed, Stale."""
    require_owner(actor, seller, _OWNER)
    with transaction.atomic():
        locked(seller)
        person = _member(seller, member)
        _ended(person, now=now)
        traced(seller, actor, "removed from the team", person=person, now=now)
        told = (
            f"The owner of {seller.name} took you out of the team. Your own account stays as it is: what you"
            " bought, and your settings."
        )
        _write(person, seller, "gone", f"You are no longer in the team of {seller.name}", told, path="/", now=now)
    return person


def leave(*, person: User, now: datetime) -> None:
    """By themselves. The owner hands over first. Raises NotAllowed."""
    with transaction.atomic():
        seller = locked(person.works_for) if person.works_for is not None else None
        mine = User.objects.select_for_update(no_key=True, of=("self",)).get(pk=person.pk)
        if seller is None or not mine.works_as or mine.works_for_id != seller.pk:
            raise NotAllowed("You are in no team.")
        _ended(mine, now=now)
        User.objects.filter(pk=mine.pk).update(works_for=None)
        traced(seller, mine, "left the team", person=mine, now=now)
        _write(
            seller.owner,
            seller,
            f"left:{mine.pk}",
            f"{mine} left your team",
            f"{mine} left the team of {seller.name} and sees nothing of it any more.",
            path=PAGE,
            now=now,
        )


def hand_over(*, seller: Seller, member: int, actor: User, now: datetime) -> User:
    """The member owns the shop, and who owned it is in the team for orders and listings. Both are written.

    What the owner alone may goes with it: API tokens end, since they work in the name of who made them; who sells, for
    tax law, has to be told anew. Raises NotAllowed, Stale.
    """
    require_owner(actor, seller, "Only the owner hands the shop over.")
    with transaction.atomic():
        row = locked(seller)
        if not is_owner(actor, row):
            raise Stale("Somebody else owns this shop already.")
        person = _member(row, member)
        if not person.is_active:
            raise NotAllowed("Their account is suspended; it cannot own a shop.")
        before = row.owner
        User.objects.filter(pk=person.pk).update(works_for=None, works_as="")
        User.objects.filter(pk=before.pk).update(works_for=row, works_as="orders listings")
        row.owner = person
        row.save(update_fields=["owner"])
        for token in ApiToken.objects.filter(seller=row, revoked_at=None):
            revoke_token_of(token=token, now=now)
        SellerDetails.objects.filter(seller=row).delete()
        touched(seller=row, item=Item.TAX, now=now, again=True)
        traced(row, actor, "shop handed over", person=person, now=now)
        tell_owner(user=before, what="handed_over", about=f"{row.name}” to “{person}", now=now, path=PAGE)
        told = (
            f"{before} handed the shop {row.name} over to you: it is yours now, with its orders, money and team."
            f" {before} is in the team for orders and listings until you say otherwise.\n\nLook at these next: API"
            " tokens ended, so programs need new ones; give webhooks new secrets; say to which account payouts go, for"
            " it is still the one from before; and say who you are for tax law."
        )
        _write(person, row, f"owner:{now:%Y%m%d%H%M%S}", f"{row.name} is yours now", told, path=PAGE, now=now)
    seller.owner = person
    return person


def disband(*, owner: User, now: datetime) -> None:
    """Their account is deleted, in the caller's transaction, which holds it: nobody works in their shop any more, and
    they in nobody's.
    """
    for seller in Seller.objects.filter(owner=owner):
        for person in members_of(seller):
            _ended(person, now=now)
            told = f"The shop {seller.name} is closed, and so is its team. Your own account stays as it is."
            _write(person, seller, "closed", f"{seller.name} is closed", told, path="/", now=now)
    if owner.works_as and owner.works_for is not None:
        _ended(owner, now=now)
        traced(owner.works_for, owner, "left the team", person=owner, now=now)
        told = f"{owner} left the team of {owner.works_for.name}: their account is deleted."
        where = owner.works_for
        _write(where.owner, where, f"left:{owner.pk}", f"{owner} left your team", told, path=PAGE, now=now)


def traced(
    seller: Seller, actor: User, action: str, *, now: datetime, person: User | None = None, **detail: str
) -> None:
    """What was done to a team, in the audit log."""
    more = {"seller": seller.public_id, **detail}
    note(actor=actor, action=action, subject=seller.name, now=now, detail=more, topic=AuditTopic.TEAM, person=person)


def worked(*, seller: Seller, actor: User, did: str, path: str, now: datetime) -> None:
    """A member pressed something. Before the deed, in a transaction of its own: what fails was tried all the same.
    Raises NotAllowed for who is not in the team.
    """
    require(actor, seller, duty=Duty.LOOK)
    traced(seller, actor, "worked in the team", now=now, did=did, path=path[:300])


def _member(seller: Seller, pk: int) -> User:
    """Locked. Raises Stale where they are not in the team any more."""
    found = User.objects.select_for_update(no_key=True, of=("self",)).filter(pk=pk).first()
    if found is None or not belongs(found, seller) or is_owner(found, seller):
        raise Stale("They are not in the team any more. Look at it as it is now.")
    return found


def _ended(person: User, *, now: datetime) -> None:
    """`works_for` stays, for the sentence that their next page says. What they kept for themselves goes."""
    person.works_as = ""
    person.save(update_fields=["works_as"])
    for token in ApiToken.objects.filter(made_by=person, seller=person.works_for, revoked_at=None):
        revoke_token_of(token=token, now=now)


def _write(person: User, seller: Seller, what: str, subject: str, body: str, *, path: str, now: datetime) -> None:
    write_mail(
        cause=f"team:{seller.public_id}:{what}:{person.pk}:{now:%Y%m%d%H%M%S%f}",
        to=person.email,
        subject=subject,
        body=body,
        now=now,
        path=path,
    )
