"""Approval of new sellers: what they brought, that they ask, and what staff decide.

Each deed locks the seller, and then the approval. Where staff decide they saw the facts as of `seen`; what changed
since is looked at first.
"""

from collections.abc import Callable
from datetime import datetime

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from crossdock.domain.moderation.approval import (
    LONGEST,
    Deed,
    Facts,
    Item,
    Line,
    Stage,
    checklist,
    why_not_complete,
)
from crossdock.domain.moderation.particulars import needs_contact
from crossdock.domain.roles import Right
from crossdock.domain.site.pages import Page
from crossdock.domain.storable import typed_lines
from crossdock.store.models import (
    ApprovalStep,
    PageText,
    Seller,
    SellerAddress,
    SellerApproval,
    SellerDetails,
    ShippingRate,
    User,
)
from crossdock.store.vault import VaultLocked, unseal
from crossdock.usecases.accounts.barring import locked, set_bar
from crossdock.usecases.errors import Invalid, NotAllowed, Stale
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.mail import write_mail
from crossdock.usecases.record.pages import versions
from crossdock.usecases.record.rights import belongs, require, require_owner

_STAFF = "Only staff approve sellers."
_AGAIN = (
    "You changed who sells: the name, kind, birth or register, or the tax number. Our staff look at it before you sell"
    " on; orders that were placed go on. Where “Before you sell” says that something is missing, bring it."
)
_PATH = "/seller/before-you-sell/"


def begin(*, seller: Seller, now: datetime) -> None:
    """Of a shop that was opened just now: where the marketplace approves sellers they sell nothing before."""
    if settings.APPROVE_SELLERS:
        SellerApproval.objects.create(seller=seller, began_at=now, facts_at=now)
        set_bar(seller)


def approval_of(seller: Seller) -> SellerApproval | None:
    """None for who needs none."""
    return SellerApproval.objects.select_related("decided_by").filter(seller=seller).first()


def approvals(which: str) -> QuerySet[SellerApproval]:
    """`which` is a stage, "changed" for those of whom something changed since, or "all"."""
    rows = SellerApproval.objects.select_related("seller__owner", "decided_by")
    if which == "changed":
        return rows.filter(stage=Stage.APPROVED).exclude(changed=[])
    return rows.filter(stage=which) if which in set(Stage) else rows


def to_approve() -> int:
    """How many wait for staff: they ask, or something of them changed since."""
    changed = Q(stage=Stage.APPROVED) & ~Q(changed=[])
    return SellerApproval.objects.filter(changed | Q(stage=Stage.ASKED)).count()


def steps_of(approval: SellerApproval) -> QuerySet[ApprovalStep]:
    """Newest first."""
    return ApprovalStep.objects.filter(approval=approval).select_related("actor").order_by("-pk")


def terms_now() -> PageText | None:
    """None where the marketplace has published none, or took them away."""
    newest = versions(Page.TERMS).first()
    return newest if newest is not None and newest.text else None


def destinations_of(seller: Seller) -> frozenset[str]:
    """The countries that they ship to, with "*" for everywhere else."""
    return frozenset(ShippingRate.objects.filter(seller=seller).values_list("country", flat=True))


def lines_of(approval: SellerApproval) -> tuple[Line, ...]:
    seller, terms = approval.seller, terms_now()
    details = SellerDetails.objects.filter(seller=seller).values_list("changed_at", "document_at").first()
    told, shown = details or (None, None)
    mine = EmailAddress.objects.filter(user=seller.owner_id, email__iexact=seller.owner.email, verified=True)
    return checklist(
        Facts(
            email_confirmed=mine.exists(),
            document=shown is not None,
            particulars=told is not None,
            contact_needed=needs_contact(country=seller.country, destinations=destinations_of(seller)),
            contact=bool(seller.eu_contact),
            ships_from=SellerAddress.objects.filter(seller=seller).exists(),
            terms=terms.number if terms else 0,
            terms_accepted=approval.terms,
        )
    )


def accept_terms(*, seller: Seller, version: int, actor: User, now: datetime) -> None:
    """The owner accepts the version that they were shown. Raises Stale when there is a newer one, NotAllowed."""
    require_owner(actor, seller, "Only the shop’s owner accepts the terms.")
    terms = terms_now()
    if terms is None or terms.number != version:
        raise Stale("There is a newer version of the terms. Read it, then accept it.")
    with transaction.atomic():
        row = _row(locked(seller))
        if row.terms == version:
            return
        row.terms, row.terms_at, row.facts_at = version, now, now
        row.save(update_fields=["terms", "terms_at", "facts_at"])
        detail = {"seller": seller.public_id, "version": version}
        note(actor=actor, action="terms accepted", subject=seller.name, now=now, detail=detail)


def ask(*, seller: Seller, actor: User, now: datetime) -> bool:
    """False when they asked already, or are approved. Raises Invalid with what is missing, NotAllowed."""
    require_owner(actor, seller, "Only the shop’s owner asks for approval.")
    with transaction.atomic():
        row = _row(locked(seller))
        if row.stage in (Stage.ASKED, Stage.APPROVED):
            return False
        if why := why_not_complete(lines_of(row)):
            raise Invalid(why)
        row.stage, row.asked_at = Stage.ASKED, now
        row.save(update_fields=["stage", "asked_at"])
        _step(row, Deed.ASKED, actor, "", now)
    return True


def approve(*, seller: Seller, seen: str, words: str, actor: User, now: datetime) -> None:
    """They sell from now on, unless their sales are suspended. Raises Stale, Invalid, NotAllowed."""

    def deed(row: SellerApproval, owner: Seller) -> None:
        if why := why_not_complete(lines_of(row)):
            raise Invalid(f"It is not complete any more. {why}")
        _readable(owner)
        row.changed = []
        _decided(row, Stage.APPROVED, Deed.APPROVED, words, actor, now)
        set_bar(owner)
        suspended = " Your sales are suspended for another reason, which your panel says." if owner.barred else ""
        subject = "You are approved" if owner.barred else "You can sell now"
        _tell(row, subject, f"{words}\n\nThe marketplace has approved you.{suspended}", "/seller/", now)

    words = typed_lines(words)[:LONGEST]
    _decide(seller, seen, deed, actor)


def _readable(seller: Seller) -> None:
    """Nobody is approved whose details nobody can read. Raises Invalid."""
    row = SellerDetails.objects.get(seller=seller)
    try:
        for sealed in (row.sealed, row.document):
            if sealed is not None:
                unseal(sealed)
    except VaultLocked:
        raise Invalid(
            "The key to what they told is lost, so nobody can read it. Send it back, so that the seller types their tax"
            " details and shows the document again."
        ) from None


def send_back(*, seller: Seller, seen: str, words: str, actor: User, now: datetime) -> None:
    """They change something and ask again. Raises Stale, Invalid, NotAllowed."""

    def deed(row: SellerApproval, owner: Seller) -> None:
        if not words:
            raise Invalid("Say what is missing or wrong: the seller reads it.")
        _decided(row, Stage.SENT_BACK, Deed.SENT_BACK, words, actor, now)
        body = f"{words}\n\nYou cannot sell yet. Change it under “Before you sell”, then ask again."
        _tell(row, "Your approval needs something of you", body, _PATH, now)

    words = typed_lines(words)[:LONGEST]
    _decide(seller, seen, deed, actor)


def looked(*, seller: Seller, seen: str, actor: User, now: datetime) -> bool:
    """Staff looked at what changed since the approval, and leave it. False where nothing had."""
    _require(actor, seller)
    with transaction.atomic():
        row = _row(locked(seller))
        _as_seen(row, seen)
        if not row.changed:
            return False
        row.changed = []
        row.save(update_fields=["changed"])
        _step(row, Deed.LOOKED, actor, "", now)
        note(actor=actor, action="changes looked at", subject=seller.name, now=now, detail={"seller": seller.public_id})
    return True


def address_moved(*, person: User, now: datetime) -> None:
    """Their confirmed e-mail address is another one."""
    with transaction.atomic():
        for seller in Seller.objects.filter(owner=person):
            touched(seller=seller, item=Item.EMAIL, now=now)


def touched(*, seller: Seller, item: Item, now: datetime, again: bool = False) -> bool:
    """A fact of the checklist changed, in the caller's transaction: after an approval staff are shown it. `again`: it
    is somebody else who sells now, so that the approval says nothing of them and is asked for anew; True where there
    was one.
    """
    owner = locked(seller)
    row = SellerApproval.objects.select_related("seller__owner").filter(seller=owner).first()
    if row is None:
        return False
    row.facts_at = now
    approved = row.stage == Stage.APPROVED
    if approved:
        row.changed = sorted({*row.changed, item.value})
        if again:
            row.stage, row.asked_at = Stage.ASKED, now
            _step(row, Deed.AGAIN, None, "", now)
            _tell(row, "Your approval is looked at again", _AGAIN, _PATH, now)
    row.save(update_fields=["facts_at", "changed", "stage", "asked_at"])
    set_bar(owner)
    return approved and again


def _require(actor: User, seller: Seller) -> None:
    require(actor, None, _STAFF, Right.APPROVE)
    if belongs(actor, seller):
        raise NotAllowed("This shop is your own. Somebody else of staff decides about it.")


def _row(seller: Seller) -> SellerApproval:
    """The seller is locked. Raises NotAllowed for who needs no approval."""
    row = SellerApproval.objects.select_related("seller__owner").filter(seller=seller).first()
    if row is None:
        raise NotAllowed("This shop needs no approval.")
    return row


def _as_seen(row: SellerApproval, seen: str) -> None:
    if row.facts_at.isoformat() != seen:
        raise Stale("The seller changed something since you opened this page. Look at it as it is now.")


def _decide(seller: Seller, seen: str, deed: Callable[[SellerApproval, Seller], None], actor: User) -> None:
    _require(actor, seller)
    with transaction.atomic():
        owner = locked(seller)
        row = _row(owner)
        if row.stage != Stage.ASKED:
            raise Stale("Somebody decided it meanwhile, or the seller does not ask any more. Look at it as it is now.")
        _as_seen(row, seen)
        deed(row, owner)


def _decided(row: SellerApproval, stage: Stage, deed: Deed, words: str, actor: User, now: datetime) -> None:
    row.stage, row.decided_at, row.decided_by, row.why = stage, now, actor, words
    row.save(update_fields=["stage", "decided_at", "decided_by", "why", "changed"])
    _step(row, deed, actor, words, now)
    detail = {"seller": row.seller.public_id, "why": words}
    action = "seller approved" if stage is Stage.APPROVED else "seller sent back"
    note(actor=actor, action=action, subject=row.seller.name, now=now, detail=detail)


def _step(row: SellerApproval, deed: Deed, actor: User | None, words: str, now: datetime) -> None:
    ApprovalStep.objects.create(approval=row, at=now, deed=deed, actor=actor, words=words)


def _tell(row: SellerApproval, subject: str, body: str, path: str, now: datetime) -> None:
    write_mail(
        cause=f"approval:{row.seller.public_id}:{now:%Y%m%d%H%M%S%f}",
        to=row.seller.owner.email,
        subject=subject,
        body=body.strip(),
        now=now,
        path=path,
    )
