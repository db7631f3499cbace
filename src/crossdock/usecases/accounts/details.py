"""What a seller tells of who they are, sealed, and whom buyers in the Union turn to.

Read by its owner and by staff who approve sellers, nobody else: not by staff who act as the seller either. Where the
vault's key is lost nobody reads it any more, and the seller tells it anew.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from django.db import transaction

from crossdock.domain.moderation.approval import Item
from crossdock.domain.moderation.particulars import (
    Contact,
    Particulars,
    is_somebody_else,
    wrong_in,
    wrong_in_contact,
)
from crossdock.domain.roles import Right
from crossdock.store.models import AuditTopic, Seller, SellerDetails, User
from crossdock.store.vault import VaultLocked, seal, unseal
from crossdock.usecases.accounts.approving import touched
from crossdock.usecases.errors import Invalid, Problem
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.rights import require, require_owner

_OWNER = "Only the shop’s owner sees and changes this."


class KeyLost(Problem):
    """What was told is ciphertext that no configured key opens."""


class Wrong(Invalid):
    """`fields` says by field what is wrong."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(" ".join(fields.values()))
        self.fields = fields


def particulars_of(*, seller: Seller, actor: User) -> Particulars | None:
    """None where they told nothing yet. For the owner, and for staff who approve. Raises NotAllowed, KeyLost."""
    _may_read(actor, seller)
    return _opened(SellerDetails.objects.filter(seller=seller).defer("document").first())


def document_of(*, seller: Seller, actor: User, now: datetime) -> bytes | None:
    """The picture, a JPEG; None where there is none, or none any more. Who of staff looks at it is in the audit log.
    Raises NotAllowed, KeyLost.
    """
    require(actor, None, "Only staff who approve sellers look at documents.", Right.APPROVE)
    row = SellerDetails.objects.filter(seller=seller).exclude(document=None).first()
    if row is None or row.document is None:
        return None
    try:
        jpeg = b64decode(unseal(row.document)["jpeg"])
    except VaultLocked:
        raise KeyLost("The key to this picture is lost, so nobody sees it. The seller has to show it again.") from None
    detail = {"seller": seller.public_id}
    note(actor=actor, action="document seen", subject=seller.name, now=now, detail=detail, topic=AuditTopic.ACCESS)
    return jpeg


def has_document(seller: Seller) -> bool:
    return SellerDetails.objects.filter(seller=seller).exclude(document=None).exists()


def save_particulars(*, seller: Seller, given: Particulars, actor: User, now: datetime) -> None:
    """Raises Wrong, NotAllowed."""
    require_owner(actor, seller, _OWNER)
    if wrong := wrong_in(given, now.date()):
        raise Wrong(wrong)
    with transaction.atomic():
        row = _locked(seller)
        try:
            before = _opened(row)
        except KeyLost:
            # Nobody knows who it was: staff are shown that it changed.
            before = None
        if before == given:
            return
        row.sealed, row.changed_at = seal(asdict(given)), now
        row.save(update_fields=["sealed", "changed_at"])
        again = before is not None and is_somebody_else(before, given)
        if touched(seller=seller, item=Item.TAX, now=now, again=again) and row.document is None:
            # What was shown, and is deleted, was the document of who was approved.
            row.document_at = None
            row.save(update_fields=["document_at"])
        # What it says is nobody's to read there.
        note(actor=actor, action="tax details changed", subject=seller.name, now=now, topic=AuditTopic.SETTINGS)


def save_document(*, seller: Seller, jpeg: bytes, actor: User, now: datetime) -> None:
    """In place of the one before. Raises NotAllowed."""
    require_owner(actor, seller, _OWNER)
    with transaction.atomic():
        row = _locked(seller)
        row.document, row.document_at = seal({"jpeg": b64encode(jpeg).decode()}), now
        row.save(update_fields=["document", "document_at"])
        touched(seller=seller, item=Item.IDENTITY, now=now)
        note(actor=actor, action="document handed in", subject=seller.name, now=now, topic=AuditTopic.SETTINGS)


def save_contact(*, seller: Seller, given: Contact | None, actor: User, now: datetime) -> None:
    """None takes it away. Raises Wrong, NotAllowed."""
    require_owner(actor, seller, _OWNER)
    if given is not None and (wrong := wrong_in_contact(given)):
        raise Wrong(wrong)
    wanted = asdict(given) if given is not None else {}
    with transaction.atomic():
        if Seller.objects.filter(pk=seller.pk).exclude(eu_contact=wanted).update(eu_contact=wanted):
            touched(seller=seller, item=Item.CONTACT, now=now)
            note(actor=actor, action="EU contact changed", subject=seller.name, now=now, topic=AuditTopic.SETTINGS)


def _may_read(actor: User, seller: Seller) -> None:
    require(actor, seller, _OWNER, Right.APPROVE)


def _locked(seller: Seller) -> SellerDetails:
    SellerDetails.objects.get_or_create(seller=seller)
    return SellerDetails.objects.select_for_update().get(seller=seller)


def _opened(row: SellerDetails | None) -> Particulars | None:
    """Raises KeyLost."""
    if row is None or row.sealed is None:
        return None
    try:
        return Particulars(**unseal(row.sealed))
    except VaultLocked:
        raise KeyLost(
            "The key to the tax details is lost, so nobody can read them. The seller has to type them again."
        ) from None
