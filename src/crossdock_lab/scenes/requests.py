"""M3: what a buyer asks after the sale, and what comes back in two conditions. The reject is the shop's own end of the
order, a parcel of the shop answers by itself; counted in the bank's ledger and in the shop's.
"""

from typing import TYPE_CHECKING

from crossdock.domain.capability import Capability
from crossdock.domain.commands import CommandKind
from crossdock_lab.scenes.money import bank
from crossdock_lab.scenes.scene import Scene, refusal
from crossdock_lab.stage import PATIENCE, Stage, now

if TYPE_CHECKING:
    from crossdock.domain.requests.returns import Condition, Fate, ReturnReason
    from crossdock.store.models import Order, Return

RULE = "M3"
# Calls that surely did nothing, and news that come twice or too late. What a lost answer of a correction means, a
# person decides (rule 10).
FAULTS = {"throttle": 0.2, "duplicate": 0.5, "out_of_order": 0.5}


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


def _shipped(stage: Stage, order: "Order") -> None:
    """In the shop, as its seller does it."""
    from crossdock.store.models import Order

    stage.lands(order)
    (standing,) = stage.standing(order)
    stage.trial.call(stage.shop.hand.fulfil(standing.shop_id, tracking=f"OUT-{order.number}", carrier="UPS"))
    stage.trial.until(
        lambda: Order.objects.get(pk=order.pk).parcels == "shipped", PATIENCE, "the shop's parcel to be seen"
    )
    order.refresh_from_db()


def _under_way(stage: Stage, order: "Order", reason: "ReturnReason") -> "Return":
    """One unit, asked for twice, accepted and sent."""
    from crossdock.domain.requests.returns import Payer
    from crossdock.usecases.requests.returns import accept, ask_return, sent

    units = {order.lines.get().pk: 1}
    rows = [ask_return(order=order, units=units, reason=reason, words="", now=now()) for _ in range(2)]
    assert rows[0] == rows[1]
    row, owner = rows[0], stage.seller.owner
    accept(row=row, actor=owner, send_to="3 Quay, Portland", payer=Payer.BUYER, label="", now=now())
    sent(row=row, carrier="UPS", tracking=f"BACK-{row.pk}", now=now())
    row.refresh_from_db()
    return row


def _received(stage: Stage, row: "Return", condition: "Condition", fate: "Fate", kept: int = 0) -> int:
    """Pressed twice; the minor units that the button named."""
    from crossdock.usecases.requests.receive import Deduction, Got, preview_receipt, receive

    got, deduction = {row.lines.get().pk: Got(1, condition, fate)}, Deduction(kept, "Bent" if kept else "")
    shown = preview_receipt(row=row, got=got, deduction=deduction, manifest=stage.manifest)
    for _ in range(2):
        receive(
            row=row,
            got=got,
            deduction=deduction,
            expected_total=shown.total,
            manifest=stage.manifest,
            actor=stage.seller.owner,
            now=now(),
        )
    return shown.total.minor


def _at_rest(stage: Stage, order: "Order") -> None:
    """Nothing is asked of the bank any more, and nothing of the shop."""
    from crossdock.store.models import Command

    mine = Command.objects.filter(subject__in=[order.reference, f"money:{order.reference}"])
    busy = mine.filter(state__in=["waiting", "in_flight"])
    stage.trial.until(lambda: not busy.exists(), PATIENCE, "the end of the return on both sides")


def sent_back(stage: Stage) -> None:
    """Of three units one comes back as it was sent and is for sale again, one damaged, which is not; one is kept."""
    from crossdock.domain.requests.returns import Condition, Fate, ReturnReason
    from crossdock.store.models import Command

    ref, variant = stage.item(4)
    order = stage.buy(variant, 3)
    _shipped(stage, order)
    stage.trial.until(lambda: stage.counts_agree(ref, variant), PATIENCE, "equal counts")
    stage.shop.dial.set(FAULTS)
    row = _under_way(stage, order, ReturnReason.WRONG)
    adjusts = Command.objects.filter(subject=order.reference, kind=CommandKind.ADJUST_STOCK)
    stage.see(
        not bank(stage, order) and stage.count(ref) == 1 and not adjusts.exists(),
        RULE,
        f"asked twice, accepted and sent back: the shop counts {stage.count(ref)}, nothing was credited",
    )
    can = stage.manifest.can(Capability.COUNTS_ADJUST)
    first = _received(stage, row, Condition.AS_SENT, Fate.RESTOCK if can else Fate.IN_SHOP)
    _at_rest(stage, order)
    if not can:
        stage.trial.call(stage.shop.hand.recount(ref, 2))
    stage.trial.until(lambda: stage.counts_agree(ref, variant), PATIENCE, "the unit that came back")
    stage.see(
        bank(stage, order) == [first]
        and first in (1166, 1167)
        and adjusts.count() == int(can)
        and stage.count(ref) == 2 == stage.available(variant),
        RULE,
        f"as it was sent, pressed twice: {bank(stage, order)} back, a third of the delivery in it; the shop counts"
        f" {stage.count(ref)}, {'raised from here once' if can else 'as the seller entered it there'}",
    )
    row = _under_way(stage, order, ReturnReason.NOT_WANTED)
    said = refusal(_received, stage, row, Condition.DAMAGED, Fate.RESTOCK)
    second = _received(stage, row, Condition.DAMAGED, Fate.ASIDE, kept=200)
    _at_rest(stage, order)
    stage.calm()
    stage.trial.until(lambda: stage.counts_agree(ref, variant), PATIENCE, "equal counts")
    order.refresh_from_db()
    stage.see(
        sorted(bank(stage, order)) == sorted([first, second])
        and second == 800
        and (order.credited_minor, order.parcels, order.returns.count()) == (first + second, "shipped", 2),
        RULE,
        f"damaged, 2.00 kept for it: the bank's books say {bank(stage, order)}",
    )
    stage.see(
        bool(said) and stage.count(ref) == 2 == stage.available(variant) and adjusts.count() == int(can),
        RULE,
        f"it is not for sale again ({stage.count(ref)} in the shop, {stage.available(variant)} here): {said}",
    )


SCENES: tuple[Scene, ...] = (asked_and_cancelled, shipped_meanwhile, withdrawn, sent_back)
BUGS: dict[str, tuple[Scene, ...]] = {"parcel_answers_nothing": (shipped_meanwhile,), "put_back_twice": (sent_back,)}
