"""Asking somebody into a seller's team, by mail to one address. The link is signed, ends, and works once, for an
account with that confirmed address. Whoever invites learns nothing of who has an account here.
"""

from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q, QuerySet, Sum

from crossdock.domain.team.invitations import (
    LASTS,
    LETTERS_WITHIN,
    MOST_LETTERS,
    MOST_MEMBERS,
    MOST_OPEN,
    MOST_SENT,
    InvitationState,
    state_of,
)
from crossdock.domain.team.roles import in_words, roles_in
from crossdock.domain.wording import moment
from crossdock.store.models import Invitation, Seller, User
from crossdock.usecases.accounts.barring import locked
from crossdock.usecases.accounts.team import PAGE, checked_roles, members_of, traced
from crossdock.usecases.errors import Invalid, NotAllowed, Stale
from crossdock.usecases.record.mail import write_mail
from crossdock.usecases.record.rights import is_owner, require_owner

_SALT = "crossdock.team.invitation"
_OWNER = "Only the owner of the shop asks people into the team."


def invitations_of(seller: Seller) -> QuerySet[Invitation]:
    """Those that nobody took and nobody withdrew; also those whose days are over, which can be sent again."""
    return Invitation.objects.filter(seller=seller, accepted_at=None, withdrawn_at=None).order_by("pk")


def invite(*, seller: Seller, email: str, roles: str, actor: User, now: datetime) -> Invitation:
    """Once per address: asked again it is the letter sent again, with the new role. Raises NotAllowed, Invalid."""
    require_owner(actor, seller, _OWNER)
    email = email.strip()
    try:
        validate_email(email)
    except ValidationError:
        raise Invalid("Type an e-mail address, such as sam@example.com.") from None
    checked_roles(roles)
    with transaction.atomic():
        row = locked(seller)
        if row.owner.email.lower() == email.lower() or members_of(row).filter(email__iexact=email).exists():
            raise Invalid(f"{email} is in your team already.")
        if members_of(row).count() >= MOST_MEMBERS:
            raise NotAllowed(f"A team has {MOST_MEMBERS} people at most. Take somebody out first.")
        found = invitations_of(row).select_for_update().filter(email__iexact=email).first()
        if found is None:
            if invitations_of(row).count() >= MOST_OPEN:
                raise NotAllowed(f"{MOST_OPEN} invitations wait already. Withdraw one that nobody will take.")
            _room_for_a_letter(row, email, now=now)
            found = Invitation.objects.create(
                seller=row, email=email, roles=roles, made_at=now, sent_at=now, expires_at=now + LASTS
            )
            _mail(found, actor, now=now)
        else:
            found.roles = roles
            _again(found, actor, now=now)
        traced(row, actor, "asked into the team", now=now, invitation=found.public_id, roles=roles)
    return found


def send_again(*, invitation: Invitation, actor: User, now: datetime) -> None:
    """A new letter with new days; the link of the one before is dead. Raises NotAllowed, Stale."""
    require_owner(actor, invitation.seller, _OWNER)
    with transaction.atomic():
        locked(invitation.seller)
        row = _open(invitation)
        _again(row, actor, now=now)
        traced(row.seller, actor, "invitation sent again", now=now, invitation=row.public_id)


def withdraw(*, invitation: Invitation, actor: User, now: datetime) -> None:
    """The link is dead. Twice is once. Raises NotAllowed, and Stale where it was taken meanwhile."""
    require_owner(actor, invitation.seller, _OWNER)
    with transaction.atomic():
        row = Invitation.objects.select_for_update().get(pk=invitation.pk)
        if row.accepted_at is not None:
            raise Stale("They are in the team already. Take them out there.")
        if row.withdrawn_at is None:
            row.withdrawn_at = now
            row.save(update_fields=["withdrawn_at"])
            traced(invitation.seller, actor, "invitation withdrawn", now=now, invitation=row.public_id)


def invitation_in(token: str) -> Invitation | None:
    """What a link opens, whatever became of it; None for one that we did not write or that a later letter replaced."""
    try:
        name, sent = signing.loads(token, salt=_SALT, max_age=LASTS + timedelta(days=1))
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return Invitation.objects.select_related("seller__owner").filter(public_id=name, sent=sent).first()


def standing(row: Invitation, *, now: datetime) -> InvitationState:
    return state_of(expires_at=row.expires_at, accepted_at=row.accepted_at, withdrawn_at=row.withdrawn_at, now=now)


def has_address(person: User, email: str) -> bool:
    """Whether this address is theirs, and proved. Where nobody can prove one, the letter's link is the proof."""
    if settings.ACCOUNT_EMAIL_VERIFICATION == "none":
        return person.email.lower() == email.lower()
    return bool(EmailAddress.objects.filter(user=person, email__iexact=email, verified=True).exists())


def accept(*, invitation: Invitation, person: User, now: datetime) -> None:
    """Twice is once. Raises NotAllowed for who is somebody else, sells or works elsewhere; Stale where it is over."""
    with transaction.atomic():
        seller = locked(invitation.seller)
        row = Invitation.objects.select_for_update().get(pk=invitation.pk)
        mine = User.objects.select_for_update(no_key=True, of=("self",)).get(pk=person.pk)
        if not has_address(mine, row.email):
            raise NotAllowed("This invitation is for another e-mail address than the one that you confirmed here.")
        if row.accepted_at is not None and mine.works_for_id == seller.pk and mine.works_as:
            return
        if standing(row, now=now) is not InvitationState.OPEN or row.sent != invitation.sent:
            raise Stale("This invitation does not hold any more. Ask for a new one.")
        if not seller.owner.is_active:
            raise NotAllowed("This shop is closed.")
        if is_owner(mine, seller) or Seller.objects.filter(owner=mine).exists():
            raise NotAllowed("You have a shop of your own here. Use another account, or hand your shop over first.")
        if mine.works_as and mine.works_for_id == seller.pk:
            raise NotAllowed("You are in this team already. Its owner changes what you work on.")
        if mine.works_as:
            raise NotAllowed("You are in the team of another shop. Leave it first: one account works for one shop.")
        if members_of(seller).count() >= MOST_MEMBERS:
            raise NotAllowed("The team is full. Ask the owner.")
        mine.works_for, mine.works_as = seller, row.roles
        mine.save(update_fields=["works_for", "works_as"])
        row.accepted_at = now
        row.save(update_fields=["accepted_at"])
        traced(seller, mine, "joined the team", person=mine, now=now, invitation=row.public_id, roles=row.roles)
        write_mail(
            cause=f"team_joined:{row.public_id}",
            to=seller.owner.email,
            subject=f"{mine} is in your team",
            body=f"{mine} ({mine.email}) took your invitation and is in the team for {in_words(roles_in(row.roles))}.",
            now=now,
            path=PAGE,
        )


def _open(invitation: Invitation) -> Invitation:
    row = invitations_of(invitation.seller).select_for_update(of=("self",)).select_related("seller")
    found = row.filter(pk=invitation.pk).first()
    if found is None:
        raise Stale("This invitation was taken or withdrawn meanwhile.")
    return found


def _again(row: Invitation, actor: User, *, now: datetime) -> None:
    if row.sent >= MOST_SENT:
        raise NotAllowed("This was sent often enough. Withdraw it, and ask them whether the letters arrive.")
    _room_for_a_letter(row.seller, row.email, now=now)
    row.sent, row.sent_at, row.expires_at = row.sent + 1, now, now + LASTS
    row.save(update_fields=["sent", "sent_at", "expires_at", "roles"])
    _mail(row, actor, now=now)


def _room_for_a_letter(seller: Seller, email: str, *, now: datetime) -> None:
    """The seller is locked. Withdrawing makes no room, neither in all nor in one mailbox. Raises NotAllowed."""
    since = now - LETTERS_WITHIN
    lately = Invitation.objects.filter(Q(sent_at__gt=since) | Q(made_at__gt=since), seller=seller)
    to_them = Sum("sent", filter=Q(email__iexact=email), default=0)
    letters = lately.aggregate(all=Sum("sent", default=0), to_them=to_them)
    if letters["all"] >= MOST_LETTERS:
        raise NotAllowed("That is enough letters for one day. Ask the next person tomorrow.")
    if letters["to_them"] >= MOST_SENT:
        raise NotAllowed(f"{email} got enough letters for one day. Ask them whether the letters arrive.")


def _mail(row: Invitation, actor: User, *, now: datetime) -> None:
    token = signing.dumps([row.public_id, row.sent], salt=_SALT)
    write_mail(
        cause=f"invitation:{row.public_id}:{row.sent}",
        to=row.email,
        subject=f"{row.seller.name} asks you into its team",
        body=(
            f"{actor} asks you to work in the shop {row.seller.name}, for {in_words(roles_in(row.roles))}.\n\n"
            f"Sign in, or sign up, with this e-mail address ({row.email}) and take the invitation on the page below. It"
            f" holds until {moment(row.expires_at)} and works once. If you do not know this shop, do nothing."
        ),
        now=now,
        path=f"/seller/team/join/{token}/",
    )
