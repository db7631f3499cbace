"""The main loop: out, back, cancelled, refused, late.

Facts about a shop are read in the shop's own ledger, facts about money in the gateway's.
"""

from crossdock.domain.capability import Capability
from crossdock.domain.commands import CommandKind
from crossdock.domain.stock import HoldState
from crossdock_lab.scenes.scene import Scene, needs
from crossdock_lab.stage import LIFTED, PATIENCE, Stage, now, staff

FAULTS = {"throttle": 0.05, "broken": 0.03, "duplicate": 0.2, "drop": 0.1, "out_of_order": 0.2}


def asking_price(stage: Stage) -> None:
    """S1."""
    ref, variant = stage.item(3, "10.00")
    stage.see(
        str(variant.price) == "10.00" and variant.listing.synced, "S1", "listed at the shop's asking price, 10.00"
    )
    stage.trial.call(stage.shop.hand.reprice(ref, "12.50"))

    def repriced() -> bool:
        variant.refresh_from_db()
        return str(variant.price) == "12.50"

    stage.trial.until(repriced, PATIENCE, "the new price")
    stage.see(True, "S1", "the shop's new price 12.50 is the asking price here")


def loop(stage: Stage) -> None:
    """S6, S7 with faults: every order lands once, every tracking number comes back."""
    ref, variant = stage.item(20)
    stage.shop.dial.set(FAULTS)
    orders = [stage.buy(variant) for _ in range(4)]
    for order in orders:
        stage.lands(order)
    standings = [stage.standing(order) for order in orders]
    stage.see(
        all(len(s) == 1 for s in standings),
        "S6",
        f"{sum(map(len, standings))} copies of {len(orders)} orders stand in the shop",
    )
    for order, (standing, *_) in zip(orders, standings, strict=True):
        stage.trial.call(stage.shop.hand.fulfil(standing.shop_id, tracking=f"T-{order.number}", carrier="UPS"))
    wanted = {f"T-{order.number}" for order in orders}

    def back() -> bool:
        return {s.tracking_number for order in orders for s in order.shipments.all()} == wanted

    stage.trial.until(back, PATIENCE, "the tracking numbers")
    stage.see(
        all(order.shipments.count() == 1 for order in orders),
        "S7",
        "each tracking number came back once, with faults on",
    )
    stage.trial.until(lambda: stage.counts_agree(ref, variant), PATIENCE, "equal counts")
    stage.see(
        stage.count(ref) == 16,
        "S4",
        f"the shop counts {stage.count(ref)}, and {stage.available(variant)} can be sold here",
    )


@needs(Capability.TRACKING_PARTIAL)
def parcels(stage: Stage) -> None:
    """S7: partly shipped, two parcels, and a number that changes."""
    _, variant = stage.item(5)
    order = stage.buy(variant, 2)
    stage.lands(order)
    (standing,) = stage.standing(order)
    hand, line = stage.shop.hand, standing.lines[0][0]
    first = stage.trial.call(hand.fulfil(standing.shop_id, tracking="P-1", carrier="UPS", lines=[(line, 1)]))
    stage.trial.until(lambda: order.shipments.filter(tracking_number="P-1").exists(), PATIENCE, "the first parcel")
    order.refresh_from_db()
    stage.see(order.parcels == "partly_shipped", "S7", "one of two units shipped: partly shipped")
    stage.trial.call(hand.change_tracking(standing.shop_id, first, "P-1B"))
    stage.trial.call(hand.fulfil(standing.shop_id, tracking="P-2", carrier="UPS", lines=[(line, 1)]))

    def numbers() -> list[str]:
        return sorted(order.shipments.values_list("tracking_number", flat=True))

    stage.trial.until(lambda: numbers() == ["P-1B", "P-2"], PATIENCE, "the changed number and the second parcel")
    order.refresh_from_db()
    stage.see(order.parcels == "shipped", "S7", "two parcels, one with a changed number, and no third")


def bare_parcel(stage: Stage) -> None:
    """S7: fulfilled without a number."""
    _, variant = stage.item(3)
    bare = stage.buy(variant)
    stage.lands(bare)
    stage.trial.call(stage.shop.hand.fulfil(stage.standing(bare)[0].shop_id))
    stage.trial.until(lambda: "tracking_missing" in stage.alerts(bare), PATIENCE, "the question for the number")
    stage.see(
        bare.shipments.get().tracking_number == "",
        "S7",
        "fulfilled without a number: shipped, and the seller is asked for it",
    )


def cancelled_in_shop(stage: Stage) -> None:
    """S3 as described: by capability, with the one button elsewhere."""
    from crossdock.domain.commands import CancelReason
    from crossdock.store.models import ShopCopy
    from crossdock.usecases.orders.reject import reject_order

    ref, variant = stage.item(3)
    order = stage.buy(variant)
    stage.lands(order)
    before = stage.refunded()
    stage.trial.call(stage.shop.hand.cancel(stage.standing(order)[0].shop_id))
    stage.trial.until(lambda: ShopCopy.objects.get(order=order).cancelled_there, PATIENCE, "the cancel to be seen")
    order.refresh_from_db()
    if stage.manifest.can(Capability.CANCEL_THERE_CANCELS_HERE):
        stage.see(order.cancelled_at is not None, "S3", "cancelled in the shop: cancelled here too")
    else:
        stage.see(
            order.cancelled_at is None and stage.refunded() == before,
            "S3",
            "cancelled in the shop: nothing changed here by itself",
        )
        stage.see("cancelled_in_shop" in stage.alerts(order), "S3", "the seller has the alert with its one button")
        reject_order(
            order=order, reason=CancelReason.OTHER, actor=stage.seller.owner, expected_total=order.total, now=now()
        )
    stage.trial.until(lambda: stage.refunded() == before + 1, PATIENCE, "the credit")
    stage.trial.until(lambda: stage.counts_agree(ref, variant), PATIENCE, "equal counts")
    stage.see(
        stage.refunded() == before + 1 and stage.count(ref) == 3,
        "S4",
        f"credited once; both sides count {stage.count(ref)} again",
    )


def cancel_lifted(stage: Stage) -> None:
    """S3 lifted: any platform's cancel cancels here."""
    from crossdock.usecases.record import policy

    policy.switch(rule="S3", lift=True, actor=staff(), now=now())
    try:
        _, variant = stage.item(2)
        order = stage.buy(variant)
        stage.lands(order)
        stage.trial.call(stage.shop.hand.cancel(stage.standing(order)[0].shop_id))
        credited = lambda: order.__class__.objects.filter(pk=order.pk, money="credited").exists()  # noqa: E731
        stage.trial.until(credited, PATIENCE, "the cancel to arrive here")
        stage.see(
            stage.alerts(order) == set(),
            "S3",
            "cancelled in the shop: cancelled and credited here, no alert left",
            LIFTED,
        )
    finally:
        policy.switch(rule="S3", lift=False, actor=staff(), now=now())


def rejected_here(stage: Stage) -> None:
    """S8, S4: a reject credits the whole order once and cancels the shop's copy; S4b: what is not there is not sold
    again.
    """
    from crossdock.domain.commands import CancelReason
    from crossdock.usecases.orders.reject import reject_order
    from crossdock.usecases.stock.confirm import confirm_count

    ref, variant = stage.item(4)
    order = stage.buy(variant, 2)
    stage.lands(order)
    before = stage.refunded()
    reject_order(
        order=order, reason=CancelReason.BUYER_ASKED, actor=stage.seller.owner, expected_total=order.total, now=now()
    )
    stage.ends_there(order)
    stage.trial.until(lambda: stage.refunded() == before + 1, PATIENCE, "the credit")
    order.refresh_from_db()
    cancelled = all(s.cancelled for s in stage.standing(order))
    stage.see(
        cancelled and order.credited == order.total,
        "S8",
        f"rejected: cancelled in the shop, {order.total} credited once",
    )
    stage.trial.until(lambda: stage.counts_agree(ref, variant), PATIENCE, "equal counts")
    stage.see(
        stage.count(ref) == 4,
        "S4",
        f"restored once: the shop counts {stage.count(ref)}, here {stage.available(variant)}",
    )
    missing = stage.buy(variant)
    stage.lands(missing)
    reject_order(
        order=missing,
        reason=CancelReason.NOT_AVAILABLE,
        actor=stage.seller.owner,
        expected_total=missing.total,
        now=now(),
    )
    stage.ends_there(missing)
    read_again = lambda: not variant.stock.__class__.objects.get(pk=variant.pk).want_no  # noqa: E731
    stage.trial.until(read_again, PATIENCE, "the count to be read again")
    stage.see(
        stage.available(variant) == 0,
        "S4b",
        f"“I don't have it”: the shop counts {stage.count(ref)}, nothing is sold here",
    )
    confirm_count(variant=variant, count=None, actor=stage.seller.owner, now=now())
    stage.trial.until(lambda: stage.counts_agree(ref, variant), PATIENCE, "equal counts")
    stage.see(True, "S4b", f"after the seller's confirmation {stage.available(variant)} can be sold")


def refused(stage: Stage) -> None:
    """The shop has fewer than we thought: no short order stands there, the units stay unsold here, the reject credits
    once; then S6.
    """
    from crossdock.domain.commands import CancelReason
    from crossdock.usecases.orders.reject import reject_order

    ref, variant = stage.item(2)
    stage.trial.worker.kill()
    stage.trial.call(stage.shop.hand.sell(ref, 1))
    order = stage.buy(variant, 2)
    stage.trial.worker.start()
    stage.trial.until(lambda: stage.copy_is(order, "refused", "equal", "differs"), PATIENCE, "the shop's answer")
    open_there = [s for s in stage.standing(order) if not s.cancelled]
    stage.see(not open_there, "S6", f"two asked, one left: {len(open_there)} open orders stand in the shop")
    stage.see("order_refused" in stage.alerts(order), "S6", "the seller has the alert with the button")
    stage.see(stage.available(variant) == 0, "S4b", "its units stay unsold here")
    before = stage.refunded()
    reject_order(
        order=order, reason=CancelReason.OTHER, actor=stage.seller.owner, expected_total=order.total, now=now()
    )
    stage.trial.until(lambda: stage.refunded() == before + 1, PATIENCE, "the credit")
    stage.trial.until(lambda: stage.counts_agree(ref, variant), PATIENCE, "equal counts")
    stage.see(stage.count(ref) == 1, "S8", "rejected: credited once, the shop's one unit is for sale again")


def lost_replies(stage: Stage) -> None:
    """S6: the shop did the work and its answer was lost. Looked for, adopted, never sent blindly again."""
    from crossdock.store.models import Command, ShopCopy

    _, variant = stage.item(40)
    # First every answer is lost, so that those of creations are among them whatever the dice say; then some.
    stage.shop.dial.set({"lost_reply": 1.0})
    orders = [stage.buy(variant) for _ in range(10)]
    sent = Command.objects.filter(
        subject__in=[order.reference for order in orders], kind=CommandKind.CREATE_ORDER
    ).exclude(last_sent_at=None)
    stage.trial.until(lambda: sent.filter(state="waiting").count() >= 2, PATIENCE, "two orders to be sent in vain")
    stage.shop.dial.set({"lost_reply": stage.now_and_then()})
    adopted = ShopCopy.objects.filter(order__in=orders, adopted=True)
    for order in orders:
        stage.lands(order)
    stage.calm()
    # Also those that were cancelled there meanwhile: a double that is seen is taken back by itself, and was one.
    twice = [str(order) for order in orders if len(stage.standing(order)) != 1]
    stage.see(
        not twice,
        "S6",
        f"answers lost {stage.shop.dial.counts['lost_reply']} times, {adopted.count()} adopted: not exactly once:"
        f" {twice or 'none'}",
    )


def killed_door(stage: Stage) -> None:
    """A delivery that was answered is kept, though the web server dies right after."""
    from crossdock.store.models import Delivery

    if not stage.manifest.can(Capability.WEBHOOKS):
        return
    stage.listens()
    _, variant = stage.item(2)
    order = stage.buy(variant)
    stage.lands(order)
    stage.trial.worker.stop()
    Delivery.objects.filter(party=stage.connection.party, handled_at=None).update(handled_at=now())
    before = Delivery.objects.count()
    stage.trial.call(stage.shop.hand.fulfil(stage.standing(order)[0].shop_id, tracking="DOOR-1", carrier="UPS"))
    stage.trial.call(stage.shop.delivered())
    stage.trial.web.kill()
    kept = Delivery.objects.count() - before
    stage.trial.start_web()
    stage.see(
        kept > 0, "S7", f"{kept} deliveries were answered and are kept, though the web server was killed right after"
    )
    stage.trial.worker.start()
    stage.trial.until(
        lambda: order.shipments.filter(tracking_number="DOOR-1").exists(), PATIENCE, "the tracking number"
    )


def late_webhook(stage: Stage) -> None:
    """A number of before our order arrives when everything is quiet: it may lower what is sold, never raise it."""
    from crossdock.store.models import Delivery

    if not stage.manifest.can(Capability.WEBHOOKS):
        return
    stage.listens()
    ref, variant = stage.item(2)
    # Only the news of the shop's own sale is late; that of our order comes at once, so the older number arrives last.
    stage.trial.call(stage.shop.hold(deliveries=True))
    stage.trial.call(stage.shop.hand.sell(ref, 1))
    stage.trial.call(stage.shop.hold(deliveries=False))
    order = stage.buy(variant)
    stage.lands(order)
    # A read has taken the order's hold over: until then the hold would hide a number that is too high.
    held = order.reservations.exclude(state=HoldState.ENDED)
    stage.trial.until(
        lambda: stage.count(ref) == 0 and stage.available(variant) == 0 and not held.exists(),
        PATIENCE,
        "both sides to know that none is left",
    )
    # The shop answers slowly, so that a wrong number would stand for a moment before a read corrects it.
    stage.shop.dial.set({"latency_seconds": 0.7})
    stage.trial.call(stage.shop.release())
    on_their_way = stage.trial.begin(stage.shop.delivered())
    highest = 0

    def arrived() -> bool:
        nonlocal highest
        highest = max(highest, stage.available(variant) or 0)
        waiting = Delivery.objects.filter(party=stage.connection.party, handled_at=None)
        return on_their_way.done() and not waiting.exists()

    stage.trial.until(arrived, PATIENCE, "the late deliveries to be looked at", every=0.01)
    stage.see(highest == 0, "S4", f"late webhooks arrived: at most {highest} could be sold of 0 that are there")


@needs(Capability.REFUND_SEEN)
def refund_there(stage: Stage) -> None:
    """S8 as described: a refund in the shop moves no money here."""
    _, variant = stage.item(2)
    order = stage.buy(variant)
    stage.lands(order)
    before = stage.refunded()
    stage.trial.call(stage.shop.hand.refund(stage.standing(order)[0].shop_id, "3.00"))
    stage.trial.until(lambda: "refunded_in_shop" in stage.alerts(order), PATIENCE, "the refund to be seen")
    order.refresh_from_db()
    stage.see(
        order.credited_minor == 0 and stage.refunded() == before,
        "S8",
        "a refund of 3.00 in the shop: seen, alerted, no money moved here",
    )
    stage.see(order.shop_refunds.count() == 1, "S8", "seen once")


def down_for_a_while(stage: Stage) -> None:
    """Orders wait while the shop is down, and land once when it is back."""
    from crossdock.store.models import Party

    _, variant = stage.item(5)
    stage.shop.dial.set({"down": True})
    orders = [stage.buy(variant) for _ in range(2)]
    failing = lambda: Party.objects.get(pk=stage.connection.party_id).failures > 0  # noqa: E731
    stage.trial.until(failing, PATIENCE, "the shop's silence to be noticed")
    stage.see(
        all(not stage.standing(order) for order in orders),
        "S6",
        f"the shop is down: {len(orders)} orders wait, and the panel says so",
    )
    stage.calm()
    for order in orders:
        stage.lands(order)
    stage.see(all(len(stage.standing(order)) == 1 for order in orders), "S6", "it is back: each landed once")


def assessed(stage: Stage) -> None:
    """S5 as described: the level with its reasons, nothing written to the shop."""
    _, variant = stage.item(2)
    order = stage.buy(variant)
    order.refresh_from_db()
    stage.see(
        bool(order.risk_reasons) and order.risk_available <= order.risk_asked,
        "S5",
        f"risk {order.risk}, {order.risk_available} of {order.risk_asked} signals available, with reasons",
    )


SCENES: tuple[Scene, ...] = (
    asking_price,
    loop,
    parcels,
    bare_parcel,
    cancelled_in_shop,
    cancel_lifted,
    rejected_here,
    refused,
    lost_replies,
    killed_door,
    late_webhook,
    refund_there,
    down_for_a_while,
    assessed,
)
BUGS: dict[str, tuple[Scene, ...]] = {
    "blind_resend": (lost_replies,),
    "answer_before_commit": (killed_door,),
    "believe_webhook": (late_webhook,),
    "short_line": (refused,),
}
