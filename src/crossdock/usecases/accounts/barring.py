"""The one place where a seller's bar is set, from all that can stand in the way of their sales."""

from crossdock.domain.moderation.approval import Stage
from crossdock.domain.moderation.sellers import bar
from crossdock.store.models import Seller, SellerApproval, Suspension


def locked(seller: Seller) -> Seller:
    """The row; in a transaction. Its owner is read after the lock: the shop may be handed over while one waits."""
    return Seller.objects.select_for_update(no_key=True).get(pk=seller.pk)


def set_bar(row: Seller) -> None:
    """The row is locked, or nobody else knows it yet."""
    row.barred = bar(
        suspended=Suspension.objects.filter(seller=row).exists(),
        approved=not SellerApproval.objects.filter(seller=row).exclude(stage=Stage.APPROVED).exists(),
    )
    row.save(update_fields=["barred"])
