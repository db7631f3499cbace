"""M3: what a buyer asks after the sale. The reject is the shop's own end of the order, a parcel of the shop answers
by itself; counted in the bank's ledger and in the shop's.
"""

from typing import TYPE_CHECKING

from crossdock_lab.scenes.money import bank
from crossdock_lab.scenes.scene import Scene
from crossdock_lab.stage import PATIENCE, Stage, now

if TYPE_CHECKING:
    from crossdock.store.models import Order

RULE = "M3"


def _asked(stage: Stage, units: int) -> "Order":
    """It stands in the shop, and its buyer no longer wants it."""
    from crossdock.usecases.requests.cancel import ask_to_cancel

    _, variant = stage.item(units)
    order = stage.buy(variant, units)
    stage.lands(order)
    for _ in range(2):
        ask_to_cancel(order=order, buyer=stage.buyer, reason="Bought twice", now=now())
    return _again(order)


def _again(order: "Order") -> "Order":
    from crossdock.store.models import Order

    return Order.objects.get(pk=order.pk)


def _refused(stage: Stage, order: "Order") -> str:
    """What shipping it here says."""
    from crossdock.usecases.errors import NotAllowed
    from crossdock.usecases.orders.actions import ship_by_hand

    try:
        ship_by_hand(order=order, lines=None, tracking="1", carrier="UPS", actor=stage.seller.owner, now=now())
    except NotAllowed as no:
        return str(no)
    return ""


def asked_and_cancelled(stage: Stage) -> None:
    """Asked twice, answered once: cancelled in the shop, credited to the cent."""
    from crossdock.domain.commands import CancelReason
    from crossdock.usecases.orders.reject import reject_order

    order = _asked(stage, 2)
    said = _refused(stage, order)
    stage.see("asked to cancel" in said, RULE, f"asked to cancel, nothing leaves from here: {said}")
    reject_order(
        order=order, reason=CancelReason.BUYER_ASKED, actor=stage.seller.owner, expected_total=order.total, now=now()
    )
    stage.ends_there(order)
    stage.trial.until(lambda: bool(bank(stage, order)), PATIENCE, "the credit")
    order = _again(order)
    stage.see(
        bank(stage, order) == [order.total_minor]
        and all(standing.cancelled for standing in stage.standing(order))
        and order.cancel_request.state == "cancelled",
        RULE,
        f"the seller cancels: answered, cancelled in the shop, the bank's books say {bank(stage, order)}",
    )


def shipped_meanwhile(stage: Stage) -> None:
    """The shop ships what somebody asked to cancel: that is a fact, and it answers."""
    from crossdock.usecases.errors import NotAllowed
    from crossdock.usecases.requests.cancel import take_back

    order = _asked(stage, 1)
    (standing,) = stage.standing(order)
    stage.trial.call(stage.shop.hand.fulfil(standing.shop_id, tracking="LATE-1", carrier="UPS"))
    stage.trial.until(lambda: _again(order).parcels == "shipped", PATIENCE, "the shop's parcel to be seen")
    order, said = _again(order), ""
    try:
        take_back(order=order, buyer=stage.buyer, now=now())
    except NotAllowed as no:
        said = str(no)
    stage.see(
        order.cancel_request.state == "shipped" and "answered" in said and not bank(stage, order),
        RULE,
        f"the shop shipped meanwhile: the request is {order.cancel_request.state}, nothing was credited",
    )


def withdrawn(stage: Stage) -> None:
    """The right of the European Union's buyers, here given to all: nobody declines it, and the shop's copy ends."""
    from django.conf import settings

    from crossdock.domain.commands import CancelReason
    from crossdock.store.models import Mail
    from crossdock.usecases.errors import NotAllowed
    from crossdock.usecases.orders.reject import reject_order
    from crossdock.usecases.requests.cancel import decline
    from crossdock.usecases.requests.withdraw import withdraw

    order, config, said = _asked(stage, 1), settings.CONFIG, ""
    settings.CONFIG = config.model_copy(update={"withdrawal_everywhere": True})
    try:
        rows = [withdraw(order=order, name="Zoë Buyer", now=now()) for _ in range(2)]
    finally:
        settings.CONFIG = config
    try:
        decline(order=order, actor=stage.seller.owner, answer="No.", seen=order.cancel_request.asks, now=now())
    except NotAllowed as no:
        said = str(no)
    receipts = Mail.objects.filter(cause=f"withdrawn:{order.reference}", body__contains=rows[0].statement).count()
    stage.see(
        receipts == 1 and rows[0] == rows[1] and "cannot decline" in said,
        RULE,
        f"withdrawn from the contract, confirmed twice: {receipts} receipt; the seller declines: {said}",
    )
    reject_order(
        order=order, reason=CancelReason.BUYER_ASKED, actor=stage.seller.owner, expected_total=order.total, now=now()
    )
    stage.ends_there(order)
    stage.trial.until(lambda: bool(bank(stage, order)), PATIENCE, "the credit")
    stage.see(
        bank(stage, order) == [order.total_minor] and all(s.cancelled for s in stage.standing(order)),
        RULE,
        f"cancelled in the shop, the bank's books say {bank(stage, order)}",
    )


SCENES: tuple[Scene, ...] = (asked_and_cancelled, shipped_meanwhile, withdrawn)
BUGS: dict[str, tuple[Scene, ...]] = {"parcel_answers_nothing": (shipped_meanwhile,)}
