"""M3: what was shipped comes back, in two conditions. Money is counted in the bank's ledger, units in the shop's."""

from typing import TYPE_CHECKING

from crossdock.domain.capability import Capability
from crossdock.domain.commands import CommandKind
from crossdock_lab.scenes.money import bank
from crossdock_lab.scenes.scene import Scene
from crossdock_lab.stage import PATIENCE, Stage, now

if TYPE_CHECKING:
    from crossdock.domain.requests.returns import Condition, Fate, ReturnReason
    from crossdock.store.models import Order, Return

RULE = "M3"
# Calls that surely did nothing, and news that come twice or too late. What a lost answer of a correction means, a
# person decides (rule 10).
FAULTS = {"throttle": 0.2, "duplicate": 0.5, "out_of_order": 0.5}


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


def _refused(stage: Stage, row: "Return") -> str:
    """What putting damaged units back for sale says."""
    from crossdock.domain.requests.returns import Condition, Fate
    from crossdock.usecases.errors import Problem

    try:
        _received(stage, row, Condition.DAMAGED, Fate.RESTOCK)
    except Problem as no:
        return str(no)
    return ""


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
    said = _refused(stage, row)
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


SCENES: tuple[Scene, ...] = (sent_back,)
BUGS: dict[str, tuple[Scene, ...]] = {"put_back_twice": (sent_back,)}
