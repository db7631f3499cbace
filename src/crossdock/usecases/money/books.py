"""Double-entry books. Debits are positive (what we hold or are owed), credits negative (what we owe); every transfer
adds up to zero.

Accounts: gateway (money held there), seller:<id> (their payable), fees (ours), refunds_due (promised to buyers, not
yet confirmed by the gateway), disputed (taken back by a buyer's bank, until it is decided who bears it), protection
(of lost disputes what the marketplace bears),
carrier:<name> (what labels cost us there), transit:<provider> (payouts that the bank has not confirmed yet).
"""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Sum

from crossdock.domain.values import Money
from crossdock.store.models import Entry, Order, Transfer
from crossdock.store.once import insert_new
from crossdock.usecases.record.events import ORDER_CREDITED
from crossdock.usecases.record.telling import Telling


def seller_account(key: int) -> str:
    """What we owe the seller with this key."""
    return f"seller:{key}"


def post(
    *, cause: str, order: Order | None, sentence: str, now: datetime, entries: dict[str, int], currency: str = ""
) -> bool:
    """Once per cause, in the order's currency unless another is named; False when it was posted before. What is about
    no order names its currency.

    The database refuses a transfer that does not balance.
    """
    fresh = insert_new([Transfer(cause=cause, at=now, order=order, sentence=sentence)], "cause")
    for transfer in fresh:
        Entry.objects.bulk_create(_sides(transfer, entries, currency or (order.currency if order else "")))
    return bool(fresh)


def _sides(transfer: Transfer, entries: dict[str, int], currency: str) -> list[Entry]:
    return [
        Entry(transfer=transfer, account=account, amount_minor=amount, currency=currency)
        for account, amount in entries.items()
        if amount
    ]


def payment_of(*, order: Order, cut: int, key: int, now: datetime) -> tuple[Transfer, list[Entry]]:
    """Not written yet: a fresh order's own payment, of which `cut` is our fee, with the key that was drawn for it."""
    sentence = f"Payment for order {order}"
    transfer = Transfer(pk=key, cause=f"paid:{order.reference}", at=now, order=order, sentence=sentence)
    sides = {"gateway": order.total_minor, seller_account(order.seller_id): cut - order.total_minor, "fees": -cut}
    return transfer, _sides(transfer, sides, order.currency)


def fee_back(*, order: Order, amount_minor: int) -> int:
    """Of what was kept when it was paid: the seller's commission may be another by now."""
    return share_of_cut(order, cuts([order]).get(order.pk, 0), amount_minor)


def cuts(orders: Iterable[Order]) -> dict[int, int]:
    """By order's id, minor units of commission that were kept when it was paid."""
    causes = [f"paid:{order.reference}" for order in orders]
    rows = Entry.objects.filter(transfer__cause__in=causes, account="fees").order_by().values("transfer__order")
    return {key: -kept for key, kept in rows.annotate(sum=Sum("amount_minor")).values_list("transfer__order", "sum")}


def share_of_cut(order: Order, cut: int, amount_minor: int) -> int:
    """What of it goes back with `amount_minor` more to the buyer."""
    if not order.total_minor:
        return 0
    before, after = order.credited_minor, order.credited_minor + amount_minor
    return cut * after // order.total_minor - cut * before // order.total_minor


def post_credit(*, order: Order, amount_minor: int, cause: str, told: Telling) -> bool:
    """The buyer is owed `amount_minor`; seller and fees give back their shares. Call it before `order.credited_minor`
    grows.

    The fee's share is what it is of everything credited so far, so that many small credits give back exactly the fee
    of one large one.
    """
    cut_back = fee_back(order=order, amount_minor=amount_minor)
    fresh = post(
        cause=f"credit:{cause}",
        order=order,
        sentence=f"Credit for order {order}",
        now=told.now,
        entries={
            seller_account(order.seller_id): amount_minor - cut_back,
            "fees": cut_back,
            "refunds_due": -amount_minor,
        },
    )
    if fresh:
        amount = Money(amount_minor, order.currency)
        told.order_event(
            order=order,
            event=ORDER_CREDITED,
            cause=f"credit:{cause}",
            sentence=f"The buyer is refunded {amount.words}.",
            more={"amount": {"amount": str(amount), "currency": order.currency}},
        )
    return fresh


def post_refund_done(*, order: Order, amount_minor: int, cause: str, now: datetime) -> bool:
    return post(
        cause=f"refunded:{cause}",
        order=order,
        sentence=f"Refund of order {order} confirmed by the gateway",
        now=now,
        entries={"refunds_due": amount_minor, "gateway": -amount_minor},
    )


def fee_of(*, order: Order) -> int:
    """Minor units that the marketplace keeps of this order, after what it gave back with credits."""
    entries = Entry.objects.filter(transfer__order=order, account="fees", currency=order.currency)
    return -(entries.aggregate(sum=Sum("amount_minor"))["sum"] or 0)


def payout_of(*, order: Order) -> int:
    """Minor units of its own currency that this order leaves to the seller; a label may have been paid in another."""
    entries = Entry.objects.filter(
        transfer__order=order, account=seller_account(order.seller_id), currency=order.currency
    )
    owed = entries.aggregate(sum=Sum("amount_minor"))["sum"]
    return -(owed or 0)
