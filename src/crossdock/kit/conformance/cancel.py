"""5xx: cancels, ours and the seller's. Done once, restored once, and an old cancel is not taken for ours."""

import asyncio
from dataclasses import replace

from crossdock.domain.capability import Capability
from crossdock.domain.commands import Done, Later, Refused, Unknown
from crossdock.domain.events import ShopOrderState
from crossdock.kit.conformance.stage import Stage, another_id
from crossdock.kit.conformance.suite import expect, scenario

CREATE, CANCEL, RESTORES, SEEN = (
    Capability.ORDER_CREATE,
    Capability.ORDER_CANCEL,
    Capability.CANCEL_RESTORES,
    Capability.CANCEL_SEEN,
)
MOST_CALLS = 20


@scenario(501, CREATE, CANCEL, title="A cancel from here cancels the order in the shop, and only that one")
async def cancels(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    command, other = stage.order((variant, 2)), stage.order((variant, 1))
    done, _ = await stage.placed(command), await stage.placed(other)
    outcome = await stage.connector.cancel(stage.shop, stage.cancellation(command, done))
    expect(isinstance(outcome, Done) and not outcome.already, f"the cancel gave {outcome}")
    expect((await stage.listed(done.shop_id)).cancelled, "the order is not cancelled")
    expect(len(await stage.standing(other)) == 1, "another order was cancelled too")
    expect(
        (await stage.connector.order(stage.shop, done.shop_id)).state is ShopOrderState.CANCELLED,
        "it is not read as cancelled",
    )


@scenario(502, CREATE, CANCEL, RESTORES, title="The shop puts the units back")
async def restores(stage: Stage) -> None:
    a, b = await stage.product(5, 5)
    command = stage.order((a, 2), (b, 1))
    done = await stage.placed(command)
    await stage.connector.cancel(stage.shop, stage.cancellation(command, done))
    counts = (await stage.hand.count(a), await stage.hand.count(b))
    expect(counts == (5, 5), f"the shop counts {counts}")


@scenario(503, CREATE, CANCEL, title="A second cancel says that it was done already, and nothing is put back twice")
async def cancels_twice(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    await stage.connector.cancel(stage.shop, stage.cancellation(command, done))
    count = await stage.hand.count(variant)
    outcome = await stage.connector.cancel(stage.shop, stage.cancellation(command, done))
    expect(isinstance(outcome, Done) and outcome.already, f"the second cancel gave {outcome}")
    expect(
        await stage.hand.count(variant) == count, f"the count went from {count} to {await stage.hand.count(variant)}"
    )


@scenario(504, CREATE, CANCEL, title="An order that the seller cancelled before us counts as cancelled already")
async def seller_was_first(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    await stage.hand.cancel(done.shop_id, restock=False)
    count = await stage.hand.count(variant)
    outcome = await stage.connector.cancel(stage.shop, stage.cancellation(command, done))
    expect(isinstance(outcome, Done) and outcome.already, f"our cancel gave {outcome}")
    expect(await stage.hand.count(variant) == count, "our late cancel changed the count")


@scenario(505, CREATE, SEEN, title="A cancel made in the shop is seen by the poll and when looked at")
async def seen(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 1))
    cursor = await stage.order_cursor()
    done = await stage.placed(command)
    await stage.hand.cancel(done.shop_id)
    order = await stage.news(cursor, done.shop_id, lambda order: order.state is ShopOrderState.CANCELLED, "the cancel")
    expect(order.reference == command.reference, f"its reference is {order.reference!r}")
    read = await stage.connector.order(stage.shop, done.shop_id)
    expect(read.state is ShopOrderState.CANCELLED, f"looked at, its state is {read.state}")


@scenario(506, CREATE, CANCEL, title="Cancelling what is already shipped: whatever is answered is true")
async def after_shipping(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    await stage.hand.fulfil(done.shop_id, tracking="SENT1", carrier="DHL")
    outcome = await stage.connector.cancel(stage.shop, stage.cancellation(command, done))
    cancelled = (await stage.listed(done.shop_id)).cancelled
    expect(isinstance(outcome, Done | Refused), f"the cancel gave {outcome}")
    expect(
        isinstance(outcome, Done) == cancelled,
        f"{outcome}, and in the shop it is {'cancelled' if cancelled else 'open'}",
    )


@scenario(507, CREATE, CANCEL, title="Cancelling an order that the shop does not have is refused")
async def unknown(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 1))
    done = await stage.placed(command)
    absent = replace(
        stage.cancellation(command, done), shop_order_id=another_id(done.shop_id), reference="XD-NEVER-0000"
    )
    outcome = await stage.connector.cancel(stage.shop, absent)
    expect(isinstance(outcome, Refused), f"the cancel gave {outcome}")
    expect(len(await stage.standing(command)) == 1, "it cancelled another order")


@scenario(
    508,
    CREATE,
    CANCEL,
    title="A cancel with the answer to any of its calls lost can be repeated: cancelled once, restored once",
    simulated=True,
)
async def lost(stage: Stage) -> None:
    for skip in range(MOST_CALLS):
        (variant,) = await stage.product(9)
        command = stage.order((variant, 2))
        done = await stage.placed(command)
        before = stage.dial.counts["lost_reply"]
        stage.dial.once("lost_reply", skip=skip)
        outcome = await stage.connector.cancel(stage.shop, stage.cancellation(command, done))
        hit = stage.dial.counts["lost_reply"] > before
        stage.dial.calm()
        expect(isinstance(outcome, Done | Unknown | Later), f"a lost answer gave {outcome}")
        if not isinstance(outcome, Done):
            again = await stage.connector.cancel(stage.shop, stage.cancellation(command, done))
            expect(isinstance(again, Done), f"repeated, it gave {again}")
        expect((await stage.listed(done.shop_id)).cancelled, "the order is not cancelled")
        expect(
            await stage.hand.count(variant) in ((9,) if stage.manifest.can(RESTORES) else (7, 9)),
            "the count is wrong at rest",
        )
        if not hit:
            expect(skip > 0, "no call was made")
            return


@scenario(
    509,
    CREATE,
    CANCEL,
    RESTORES,
    title="After the seller's recount a cancel puts the units on top of what they counted",
)
async def recounted_between(stage: Stage) -> None:
    (variant,) = await stage.product(10)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    await stage.hand.recount(variant, 3)
    await stage.connector.cancel(stage.shop, stage.cancellation(command, done))
    count = await stage.hand.count(variant)
    expect(count == 5, f"3 counted and 2 put back, and the shop counts {count}")


@scenario(510, CREATE, CANCEL, RESTORES, title="Cancels side by side each put back their own units, once")
async def cancels_side_by_side(stage: Stage) -> None:
    (variant,) = await stage.product(20)
    commands = [stage.order((variant, n)) for n in (1, 2, 3, 4)]
    placed = [(command, await stage.placed(command)) for command in commands]
    outcomes = await asyncio.gather(
        *(stage.connector.cancel(stage.shop, stage.cancellation(command, done)) for command, done in placed)
    )
    expect(all(isinstance(outcome, Done) for outcome in outcomes), f"the cancels gave {outcomes}")
    expect(await stage.hand.count(variant) == 20, f"the shop counts {await stage.hand.count(variant)}")
    for command in commands:
        expect(not await stage.standing(command), f"{command.reference} still stands")
