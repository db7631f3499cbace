"""M6: a test order finds its way into the shop, with answers lost, and nothing of it is left. Counted in the shop's own
ledger.
"""

from typing import TYPE_CHECKING

from crossdock.domain.capability import Capability
from crossdock_lab.scenes.scene import Scene
from crossdock_lab.stage import PATIENCE, Stage, now

if TYPE_CHECKING:
    from crossdock.kit.hand import Standing
    from crossdock.usecases.shops.trial_orders import Trial

RULE = "M6"
# A chance is per call, and on some platforms an order takes twenty.
FAULTS = {"throttle": 0.05, "lost_reply": 0.1, "duplicate": 0.2}


def _latest(stage: Stage) -> "Trial":
    from crossdock.usecases.shops.trial_orders import trials_of

    return trials_of(stage.connection, limit=1)[0]


def _there(stage: Stage) -> "list[Standing]":
    reference = _latest(stage).order.create.reference
    return [each for each in stage.trial.call(stage.shop.hand.orders()) if each.reference == reference]


def trial_order(stage: Stage) -> None:
    """Asked for twice in a row, it is one; where no program may cancel, its seller is asked to."""
    from crossdock.domain.values import Address
    from crossdock.usecases.shops.trial_orders import try_order

    ref, variant = stage.item(7)
    orders = _orders()
    to = Address("Maren Test", "1 Elm Street", "Springfield", "US", "12345", region="IL")
    stage.shop.dial.set(FAULTS)
    for _ in range(2):
        try_order(connection=stage.connection, variant=variant, ship_to=to, actor=stage.seller.owner, now=now())
    stage.trial.until(lambda: not _latest(stage).running, 2 * PATIENCE, "the test order to end")
    stage.calm()
    trial, there = _latest(stage), _there(stage)
    told = ", ".join(f"{step.name}: {step.sentence}" for step in trial.order.steps)
    created = [step.ok for step in trial.order.steps if step.name in ("created", "read_back")]
    stage.see(
        created == [True, True] and len(there) == 1,
        RULE,
        f"a test order stood in the shop once, with answers lost ({told})",
    )
    if not stage.manifest.can(Capability.ORDER_CANCEL):
        stage.see(trial.order.stands and not there[0].cancelled, RULE, "its seller is told to cancel it in the shop")
        stage.trial.call(stage.shop.hand.cancel(there[0].shop_id))
    else:
        stage.see(not trial.order.stands and there[0].cancelled, RULE, "it is cancelled there by itself")
        stage.see(stage.count(ref) == 7, RULE, f"the shop counts {stage.count(ref)} again")
    stage.see(_orders() == orders, RULE, "it is no order here, and nobody paid")


def _orders() -> int:
    from crossdock.store.models import Order

    return Order.objects.count()


SCENES: tuple[Scene, ...] = (trial_order,)
BUGS: dict[str, tuple[Scene, ...]] = {}
