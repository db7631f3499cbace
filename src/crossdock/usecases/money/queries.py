"""What is read of payments, books and credits. Nothing here writes."""

from django.db.models import Q, QuerySet, Sum

from crossdock.domain.earnings.protection import DisputeEnd
from crossdock.store.models import Credit, Entry, LostDispute, Order, PaymentIntent, Payout, PayoutHold, Seller
from crossdock.usecases.money.books import seller_account


def intent_of(order: Order) -> PaymentIntent | None:
    return order.intent


def paid_with(intent: PaymentIntent) -> QuerySet[Order]:
    """The orders of a payment, as its buyer sees them: a seller sees their own alone."""
    return Order.objects.filter(intent=intent).select_related("seller").prefetch_related("lines").order_by("pk")


def book_of(order: Order) -> QuerySet[Entry]:
    return Entry.objects.filter(transfer__order=order).select_related("transfer").order_by("pk")


def payable_to(seller: Seller) -> list[tuple[int, str]]:
    """Minor units and their currency."""
    rows = Entry.objects.filter(account=seller_account(seller.pk)).values("currency").annotate(owed=Sum("amount_minor"))
    return [(-row["owed"], row["currency"]) for row in rows.order_by("currency")]


def credits_in(which: Q) -> QuerySet[Credit]:
    return Credit.objects.filter(which).select_related("order__seller", "asked_by", "decided_by", "second_by")


def whole_credits() -> QuerySet[Credit]:
    return Credit.objects.select_related(
        "order__seller", "order__buyer", "asked_by", "decided_by", "second_by", "shop_refund"
    )


_LOST = {
    "waiting": Q(state__in=[DisputeEnd.OPEN, DisputeEnd.SECOND]),
    "decided": Q(state__in=[DisputeEnd.DECIDED, DisputeEnd.BACK]),
    "all": Q(),
}


def lost_disputes(which: str) -> QuerySet[LostDispute]:
    """`which`: waiting, decided or all."""
    people = ("order__seller__owner", "order__buyer", "decided_by", "second_by")
    return LostDispute.objects.select_related(*people).filter(_LOST[which])


def lost_dispute_of(order: Order) -> LostDispute | None:
    """The last one that the bank did not give back after all."""
    return LostDispute.objects.filter(order=order).exclude(state=DisputeEnd.BACK).order_by("-pk").first()


def payments() -> QuerySet[PaymentIntent]:
    return PaymentIntent.objects.all()


def payouts_of(seller: Seller) -> QuerySet[Payout]:
    """Newest first."""
    return Payout.objects.filter(seller=seller).order_by("-pk")


def hold_of(seller: Seller) -> PayoutHold | None:
    return PayoutHold.objects.select_related("held_by").filter(seller=seller).first()
