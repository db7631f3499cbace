"""92x: what was not answered is not answered "no". A shop that does not speak has not lost its orders."""

from collections.abc import Awaitable
from datetime import timedelta

from crossdock.domain.capability import Capability
from crossdock.kit.conformance.stage import Stage
from crossdock.kit.conformance.suite import expect, scenario
from crossdock.kit.errors import Outside

CREATE, FOUND, SEEN = Capability.ORDER_CREATE, Capability.ORDER_FOUND_BY_REFERENCE, Capability.PRODUCTS_SEEN
FAULTS = ("throttle", "broken", "lost_reply", "garbled")


async def _stays_silent(stage: Stage, asking: Awaitable[object], what: str) -> None:
    try:
        got = await asking
    except Outside:
        return
    finally:
        stage.dial.calm()
        stage.fresh_budget()
    expect(False, f"{what} gave {got}")


@scenario(
    921,
    CREATE,
    FOUND,
    title="A look-up that gets no usable answer never says that the order is not there",
    simulated=True,
)
async def look_up(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 1))
    await stage.placed(command)
    since = command.placed_at - timedelta(hours=1)
    for fault in FAULTS:
        stage.dial.once(fault)
        asking = stage.connector.find(stage.shop, command.reference, since=since)
        await _stays_silent(stage, asking, f"a look-up with {fault}")
    for switch in ("down", "walled"):
        stage.dial.set({switch: True})
        asking = stage.connector.find(stage.shop, command.reference, since=since)
        await _stays_silent(stage, asking, f"a look-up with {switch}")


@scenario(922, CREATE, title="An order looked at on a bad day is not called gone", simulated=True)
async def order_not_gone(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    done = await stage.placed(stage.order((variant, 1)))
    for fault in FAULTS:
        stage.dial.once(fault)
        await _stays_silent(stage, stage.connector.order(stage.shop, done.shop_id), f"looking with {fault}")
    stage.dial.walled = True
    await _stays_silent(stage, stage.connector.order(stage.shop, done.shop_id), "looking through a wall")


@scenario(923, SEEN, title="A product looked at on a bad day is not called gone", simulated=True)
async def product_not_gone(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    for fault in FAULTS:
        stage.dial.once(fault)
        await _stays_silent(stage, stage.connector.product(stage.shop, variant.product_id), f"looking with {fault}")
    stage.dial.walled = True
    await _stays_silent(stage, stage.connector.product(stage.shop, variant.product_id), "looking through a wall")
