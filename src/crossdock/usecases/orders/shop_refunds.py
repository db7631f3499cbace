"""A refund that was made in the shop: where it is lifted it credits the buyer, up to a limit; above, staff decide."""

from django.conf import settings

from crossdock.domain.cases import CaseKind
from crossdock.domain.credit import CreditKind, CreditState
from crossdock.domain.mails.orders import REFUNDED_THERE
from crossdock.domain.values import Money
from crossdock.store.models import Credit, Order, ShopRefund
from crossdock.usecases.money.credits import grant, tell_granted
from crossdock.usecases.money.left import room, uncredited
from crossdock.usecases.money.returned import still_to_be_refunded_there
from crossdock.usecases.record.policy import lifted
from crossdock.usecases.record.telling import Telling
from crossdock.usecases.support.cases import open_case


def credit_shop_refund(*, order: Order, refund: ShopRefund, told: Telling) -> bool:
    """S8 lifted: the buyer is credited what was refunded in the shop, up to the operator's limit; above it staff get a
    case. False as described. What was credited here already, for goods that came back, is no second credit either way.

    The caller holds the order's lock. Once per refund, by the shop's id of it.
    """
    there = still_to_be_refunded_there(order, refund)
    if there.minor >= refund.amount_minor and there.currency == refund.currency:
        sentence = "It is for what came back: that was credited here already."
        told.tell(order=order, source="shop", kind="refund_of_return", sentence=sentence)
        return True
    if not lifted(rule="S8"):
        return False
    same = refund.currency == order.currency
    wish = min(refund.amount - there, uncredited(order)) if same else Money.zero(order.currency)
    amount = min(wish, room(order)) if same else wish
    cause = f"{order.reference}:shop:{refund.refund_id}"[:100]
    if wish.minor == 0 and same:
        return True
    # What the buyer's bank has in a dispute is staff's to look at: nobody is paid twice, and nothing forgotten.
    if amount != wish or amount.minor == 0 or refund.amount.decimal > settings.CONFIG.shop_refund_credit_up_to:
        _case_for_refund(order, refund, cause, wish if same else room(order), told=told)
        return True
    row = grant(
        order=order,
        amount=amount,
        kind=CreditKind.SHOP_REFUND,
        cause=cause,
        reason=str(REFUNDED_THERE),
        told=told,
        shop_refund=refund,
    )
    sentence = f"The refund of {refund.amount.words} made in the shop credits the buyer {row.amount.words} here."
    tell_granted(row, order, source="shop", sentence=sentence, told=told, why=REFUNDED_THERE)
    return True


def _case_for_refund(order: Order, refund: ShopRefund, cause: str, wish: Money, *, told: Telling) -> None:
    """Prefilled for staff: the wish stands there with its amount, and they decide."""
    now = told.now
    credit, fresh = Credit.objects.get_or_create(
        cause=cause,
        defaults={
            "order": order,
            "kind": CreditKind.SHOP_REFUND,
            "state": CreditState.ASKED,
            "amount_minor": wish.minor,
            "currency": order.currency,
            "reason": "Refunded by the seller in their shop.",
            "asked_at": now,
            "shop_refund": refund,
        },
    )
    if fresh:
        open_case(
            seller=order.seller,
            opened_by=None,
            kind=CaseKind.SHOP_REFUND,
            order=order,
            credit=credit,
            now=now,
            told=told,
            subject=f"Refund of {refund.amount.words} in the shop, order #{order.number}",
            body=f"{order.seller.name} refunded {refund.amount.words} in their shop. {refund.note}".strip(),
        )


# What the gateway said
