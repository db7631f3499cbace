"""M7: orders of a shop worked off in one go. What a run ships is fulfilled in the shop and what it rejects is cancelled
there and credited, once; what changed between the preview and its turn is left alone.
"""

from typing import TYPE_CHECKING

from crossdock_lab.scenes.fulfilments import FAULTS
from crossdock_lab.scenes.scene import Scene
from crossdock_lab.stage import PATIENCE, Stage, now

if TYPE_CHECKING:
    from crossdock.domain.daily.bulk import BulkKind, ForAll, ForOne
    from crossdock.store.models import BulkRun, Order

RULE = "M7"


def _begin(
    stage: Stage, kind: "BulkKind", orders: "list[Order]", given: "ForAll", each: "dict[str, ForOne]"
) -> "BulkRun":
    """The preview's button, pressed twice."""
    from crossdock.usecases.orders.daily import bulk

    judged = bulk.judge(kind=kind, orders=bulk.picked(seller=stage.seller, ids=[order.public_id for order in orders]))
    runs = [
        bulk.begin(
            seller=stage.seller,
            kind=kind,
            judged=judged,
            given=given,
            each=each,
            key=f"{kind}-{orders[0].public_id}",
            actor=stage.seller.owner,
            now=now(),
        )
        for _ in range(2)
    ]
    assert runs[0] == runs[1], "a form is one run"
    return runs[0]


def _ends(stage: Stage, run: "BulkRun") -> list[tuple[str, str]]:
    """Each row's end and what is said of it, once the worker is through."""
    from crossdock.store.models import BulkRun

    over = BulkRun.objects.filter(pk=run.pk, state="done")
    stage.trial.until(over.exists, PATIENCE, f"the run over {run.rows.count()} orders")
    return list(run.rows.values_list("state", "sentence"))


def _there(stage: Stage, order: "Order") -> tuple[int, bool]:
    """Its parcels in the shop, and whether it is cancelled there."""
    (standing,) = stage.standing(order)
    return standing.parcels, standing.cancelled


def in_one_go(stage: Stage) -> None:
    """Six orders: two are shipped, one left the shop before, one is rejected after the preview, two in a run."""
    from crossdock.domain.commands import CancelReason
    from crossdock.domain.daily.bulk import BulkKind, ForAll, ForOne
    from crossdock.usecases.orders.reject import reject_order

    # Until a count was read again, units of orders on their way are held back twice: enough for that.
    ref, variant = stage.item(30)
    orders = [stage.buy(variant) for _ in range(6)]
    for order in orders:
        stage.lands(order)
    one, two, sent, late, *never = orders
    number = f"RUN-{sent.number}"
    stage.trial.call(stage.shop.hand.fulfil(stage.standing(sent)[0].shop_id, tracking=number, carrier="UPS"))
    stage.trial.until(sent.shipments.filter(tracking_number=number).exists, PATIENCE, "the shop's own number")
    stage.shop.dial.set(FAULTS)
    # The worker is down, so that what the seller does in another tab comes between the preview and the rows.
    stage.trial.worker.kill()
    each = {order.public_id: ForOne(f"RUN-{order.number}", "UPS") for order in (one, two, sent, late)}
    run = _begin(stage, BulkKind.SHIP, [one, two, sent, late], ForAll(), each)
    late.refresh_from_db()
    reject_order(
        order=late,
        reason=CancelReason.PRICE_ERROR,
        actor=stage.seller.owner,
        expected_total=late.total,
        now=now(),
    )
    stage.trial.worker.start()
    ends = _ends(stage, run)
    stage.trial.until(
        lambda: all(_there(stage, order)[0] for order in (one, two)), 2 * PATIENCE, "the parcels in the shop"
    )
    stage.calm()
    _shipped(stage, [one, two, sent], ends)
    stage.ends_there(late)
    late.refresh_from_db()
    stage.see(
        ends[3] == ("failed", "The order is cancelled; do not ship it.")
        and (late.parcels, late.shipments.count(), _there(stage, late)) == ("cancelled", 0, (0, True)),
        RULE,
        f"rejected after the preview: the run left order {late} alone, {ends[3][1]}",
    )
    _rejected(stage, never, ForAll(reason=CancelReason.PRICE_ERROR))
    stage.trial.until(lambda: stage.counts_agree(ref, variant), PATIENCE, "equal counts")


def _shipped(stage: Stage, orders: "list[Order]", ends: list[tuple[str, str]]) -> None:
    from crossdock.store.models import Fulfilment, Mail

    for order in orders[:2]:
        same = Fulfilment.objects.filter(shipment__order=order, state="equal")
        stage.trial.until(same.exists, PATIENCE, f"the fulfilment of {order} to be equal")
    stage.see(
        [end for end, _ in ends[:3]] == ["done", "done", "skipped"] and ends[2][1] == "Everything is shipped already.",
        RULE,
        f"a run over orders that left already in part: {[said for _, said in ends[:3]]}",
    )
    numbers = [list(order.shipments.values_list("tracking_number", flat=True)) for order in orders]
    there = [_there(stage, order) for order in orders]
    mails = [Mail.objects.filter(order=order, cause__startswith="shipped:").count() for order in orders]
    stage.see(
        numbers == [[f"RUN-{order.number}"] for order in orders] and there == [(1, False)] * 3 and mails == [1] * 3,
        RULE,
        f"each has one parcel here and in the shop, with its own number, and its buyer heard of it once: {there}",
    )


def _rejected(stage: Stage, orders: "list[Order]", given: "ForAll") -> None:
    """Of one of them the seller gave a dollar back after the preview: its sum is not what was confirmed."""
    from crossdock.domain.daily.bulk import BulkKind, ForOne

    each = {order.public_id: ForOne(back=order.total_minor) for order in orders}
    each[orders[1].public_id] = ForOne(back=orders[1].total_minor - 100)
    run = _begin(stage, BulkKind.REJECT, orders, given, each)
    ends = _ends(stage, run)
    rejected, other = orders
    stage.ends_there(rejected)
    back = rejected.credits.filter(state="refunded")
    stage.trial.until(back.exists, PATIENCE, "the credit")
    sums = list(rejected.credits.values_list("amount_minor", flat=True))
    stage.see(
        ends[0][0] == "done" and sums == [rejected.total_minor] and _there(stage, rejected) == (0, True),
        RULE,
        f"rejected by a run: cancelled in the shop and credited once, {sums} of {rejected.total_minor}",
    )
    stage.see(
        ends[1][0] == "failed" and "Look again" in ends[1][1] and _there(stage, other) == (0, False),
        RULE,
        f"another sum than was confirmed is not credited: {ends[1][1]}",
    )


SCENES: tuple[Scene, ...] = (in_one_go,)
BUGS: dict[str, tuple[Scene, ...]] = {"preview_believed": (in_one_go,)}
