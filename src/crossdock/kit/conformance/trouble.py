"""9xx: a bad day.

Every call of a longer action is struck once by every fault; whatever is answered, one order stands in the end and no
answer was a lie.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta

from crossdock.domain.capability import Capability
from crossdock.domain.commands import CreateOrder, Done, Later, Outcome, Refused, Unknown, Why
from crossdock.domain.events import ShopOrder, ShopOrderState
from crossdock.kit.check import retry_after
from crossdock.kit.conformance.stage import Stage, understood, understood_products, units
from crossdock.kit.conformance.suite import expect, scenario
from crossdock.kit.connector import Reply, VariantRef
from crossdock.kit.errors import NoAnswer, NotSent, Outside, Strange, Throttled

CREATE, FOUND = Capability.ORDER_CREATE, Capability.ORDER_FOUND_BY_REFERENCE
MOST_CALLS = 40
MANY = 120


@scenario(901, title="Asked to slow down, a read says so, and nothing is sent before the time is over", simulated=True)
async def throttled(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    stage.dial.once("throttle")
    loop = asyncio.get_running_loop()
    start = loop.time()
    try:
        await stage.connector.product(stage.shop, variant.product_id)
    except Throttled as error:
        wish = _wish(stage)
        expect(wish is None or error.after_seconds == wish, f"the shop wished {wish} s, we say {error.after_seconds}")
        await stage.connector.product(stage.shop, variant.product_id)
    took = loop.time() - start
    expect(stage.dial.counts["throttle"] == 1, "the fault was not injected")
    # A connector may wait a moment by itself where the platform documents that; it may not come back too early.
    expect(took >= (_wish(stage) or 0.0), f"asked again after {took:.2f} s")


@scenario(
    902,
    CREATE,
    FOUND,
    title="Throttled at any call, an order that is said not to be done is not there, and lands once later",
    simulated=True,
)
async def create_throttled(stage: Stage) -> None:
    await _strike_every_call(stage, "throttle")


@scenario(
    903,
    CREATE,
    FOUND,
    title="With an error of the shop's own at any call, the order stands once in the end",
    simulated=True,
)
async def create_broken(stage: Stage) -> None:
    await _strike_every_call(stage, "broken")


@scenario(
    904, CREATE, FOUND, title="With the answer to any call lost, the order stands once in the end", simulated=True
)
async def create_lost(stage: Stage) -> None:
    await _strike_every_call(stage, "lost_reply")


@scenario(
    905,
    CREATE,
    FOUND,
    title="With a page instead of data at any call, the order stands once in the end",
    simulated=True,
)
async def create_garbled(stage: Stage) -> None:
    await _strike_every_call(stage, "garbled")


@scenario(906, title="A read that gets an error of the shop's own, or no answer, is no answer", simulated=True)
async def read_broken(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    for fault in ("broken", "lost_reply"):
        stage.dial.once(fault)
        error = await _error_of_reading(stage, variant)
        expect(isinstance(error, NoAnswer), f"{fault} gave {error!r}")


@scenario(907, title="A page instead of data is strange, not a crash", simulated=True)
async def read_garbled(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    stage.dial.once("garbled")
    error = await _error_of_reading(stage, variant)
    expect(isinstance(error, Strange), f"it gave {error!r}")


@scenario(908, CREATE, title="A shop that is down for a while gets its order once when it is back", simulated=True)
async def down(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    stage.dial.down = True
    error = await _error_of_reading(stage, variant)
    expect(isinstance(error, NoAnswer | NotSent | Throttled), f"reading gave {error!r}")
    outcome = await stage.connector.create(stage.shop, command)
    expect(isinstance(outcome, Unknown | Later), f"creating gave {outcome}")
    expect(not await stage.standing(command), "an order stands in a shop that was down")
    stage.dial.calm()
    stage.fresh_budget()
    await stage.placed(command)
    expect(len(await stage.standing(command)) == 1, "it does not stand once")


@scenario(909, CREATE, title="Where nobody listens, nothing was sent, and that is what is said", simulated=True)
async def nobody_there(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    await stage.server.stop()
    error = await _error_of_reading(stage, variant)
    expect(isinstance(error, NotSent | NoAnswer), f"reading gave {error!r}")
    error = await _error_of_reading(stage, variant)
    expect(isinstance(error, NotSent), f"with no connection left over, reading gave {error!r}")
    outcome = await stage.connector.create(stage.shop, stage.order((variant, 1)))
    expect(isinstance(outcome, Later), f"creating gave {outcome}")


@scenario(910, title="An order changed while we turn the pages is not lost", simulated=True)
async def changed_between(stage: Stage) -> None:
    (variant,) = await stage.product(1000)
    cursor = await stage.order_cursor()
    made = [await stage.hand.sell(variant, 1) for _ in range(MANY)]
    first = await stage.connector.orders(stage.shop, cursor)
    early = understood(first.items)
    await stage.hand.cancel(made[0])
    await stage.hand.cancel(made[-1])
    rest, cursor = await stage.all_orders(first.cursor)
    latest = {order.shop_id: order for order in (*early, *rest)}
    expect(set(made) <= latest.keys(), f"{len(set(made) - latest.keys())} of {MANY} orders were skipped")

    async def both() -> bool:
        nonlocal cursor
        items, cursor = await stage.all_orders(cursor)
        latest.update({order.shop_id: order for order in items})
        return all(latest[shop_id].state is ShopOrderState.CANCELLED for shop_id in (made[0], made[-1]))

    await stage.eventually(both, lambda: "both cancels")


@scenario(911, CREATE, title="The evidence of our calls holds no key, no e-mail address and no street", simulated=True)
async def evidence(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    await stage.connect()
    done = await stage.placed(command)
    await stage.connector.order(stage.shop, done.shop_id)
    expect(len(stage.exchanges) >= 3, f"only {len(stage.exchanges)} exchanges were recorded")
    text = " ".join(f"{item.url} {item.request} {item.answer} {item.trouble}" for item in stage.exchanges)
    secret = [name for name, value in stage.shop.secrets.items() if len(value) >= 8 and value in text]
    expect(not secret, f"the secrets {secret} are readable in the evidence")
    for personal in (command.email, command.ship_to.line1, command.ship_to.phone):
        expect(personal not in text, f"{personal!r} is readable in the evidence")


@scenario(912, title="Products are all read although the shop throttles and fails", simulated=True)
async def read_through(stage: Stage) -> None:
    made = {(await stage.product(1))[0].product_id for _ in range(30)}
    seen, cursor, more = set[str](), "", True
    stage.dial.set({"broken": 0.3, "garbled": 0.2, "lost_reply": 0.2})
    for _ in range(200):
        try:
            page = await stage.connector.products(stage.shop, cursor)
        except Outside:
            continue
        seen |= {item.product_id for item in understood_products(page.items)}
        cursor, more = page.cursor, page.more
        if not more:
            break
    expect(not more and made <= seen, f"{len(made - seen)} products were not read")


@scenario(
    913,
    CREATE,
    FOUND,
    Capability.COUNTS_READ,
    title=(
        "With the answer to any call lost, an order that there is no stock for stands nowhere in the end, and no count"
        " has changed"
    ),
    simulated=True,
)
async def short_and_lost(stage: Stage) -> None:
    for skip in range(MOST_CALLS):
        (variant,) = await stage.product(1)
        command = stage.order((variant, 2))
        before = stage.dial.counts["lost_reply"]
        stage.dial.once("lost_reply", skip=skip)
        outcome = await stage.connector.create(stage.shop, command)
        hit = stage.dial.counts["lost_reply"] > before
        stage.dial.calm()
        stage.fresh_budget()
        when = f"lost at call {skip + 1}"
        for order in await stage.standing(command):
            expect(isinstance(outcome, Unknown), f"{when}: {outcome}, and it stands there")
            found = await stage.connector.order(stage.shop, order.shop_id)
            outcome = await stage.connector.confirm(stage.shop, command, found)
        if isinstance(outcome, Unknown | Later):
            outcome = await stage.connector.create(stage.shop, command)
        expect(isinstance(outcome, Refused) and outcome.why is Why.NO_STOCK, f"{when}: in the end {outcome}")
        expect(not await stage.standing(command), f"{when}: it stands there without stock")
        count = await stage.hand.count(variant)
        expect(count == 1, f"{when}: the shop counts {count} instead of 1")
        if not hit:
            expect(skip > 0, "no call was made")
            return


@scenario(
    914,
    CREATE,
    title="A password page in front of the shop is waited for: nothing is sent, nobody has to sign in again",
    simulated=True,
)
async def walled(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 1))
    stage.dial.walled = True
    error = await _error_of_reading(stage, variant)
    expect(isinstance(error, NoAnswer | NotSent | Throttled), f"reading gave {error!r}")
    outcome = await stage.connector.create(stage.shop, command)
    expect(isinstance(outcome, Unknown | Later), f"creating gave {outcome}")
    stage.dial.calm()
    stage.fresh_budget()
    expect(not await stage.standing(command), "an order stands in a shop that nobody got into")
    await stage.placed(command)
    expect(len(await stage.standing(command)) == 1, "it does not stand once")


async def _strike_every_call(stage: Stage, fault: str) -> None:
    """Create an order with `fault` at the first call, another with it at the second, ... until an order needs no such
    call any more.
    """
    struck = 0
    for skip in range(MOST_CALLS):
        a, b = await stage.product(5, 5)
        command = stage.order((a, 2), (b, 1))
        before = stage.dial.counts[fault]
        stage.dial.once(fault, skip=skip)
        outcome = await stage.connector.create(stage.shop, command)
        hit = stage.dial.counts[fault] > before
        stage.dial.calm()
        stage.fresh_budget()
        await recover(stage, command, outcome, f"{fault} at call {skip + 1}")
        counts = (await stage.hand.count(a), await stage.hand.count(b))
        expect(counts == (3, 4), f"{fault} at call {skip + 1}: the shop counts {counts}")
        struck += hit
        if not hit:
            break
    expect(struck >= 1, f"{fault} never struck")


async def recover(stage: Stage, command: CreateOrder, outcome: Outcome, when: str) -> None:
    """What the engine does: repeat what is surely not done, look before repeating what is not known."""
    standing = await stage.standing(command)
    expect(len(standing) <= 1, f"{when}: it stands {len(standing)} times")
    match outcome:
        case Done(shop_id):
            expect(
                [order.shop_id for order in standing] == [shop_id], f"{when}: {outcome}, in the shop stands {standing}"
            )
        case Later():
            expect(not standing, f"{when}: {outcome}, but it stands there")
            await stage.placed(command)
        case Unknown() if standing:
            await stage.eventually(
                lambda: _adopts(stage, command, standing[0].shop_id), lambda: f"{when}: the order to be found"
            )
        case Unknown():
            await stage.placed(command)
        case _:
            expect(False, f"{when}: {outcome}")
    standing = await stage.standing(command)
    expect(len(standing) == 1, f"{when}: after recovering it stands {len(standing)} times")
    expect(
        units(standing[0].lines) == units([(line.variant_id, line.quantity) for line in command.lines]),
        f"{when}: {standing[0]}",
    )


async def _adopts(stage: Stage, command: CreateOrder, shop_id: str) -> bool:
    """Found by our reference, and read back equal."""
    found = await stage.connector.find(stage.shop, command.reference, since=command.placed_at - timedelta(hours=1))
    if shop_id not in found.shop_ids:
        return False
    order: ShopOrder = await stage.connector.order(stage.shop, shop_id)
    expect(order.state is ShopOrderState.OPEN and order.reference == command.reference, f"found as {order}")
    outcome = await stage.connector.confirm(stage.shop, command, order)
    if isinstance(outcome, Unknown):
        # What was sent may still be carried out; it is asked again when that is over.
        now, late = stage.shop.now, timedelta(seconds=stage.manifest.lag.late_execution + 1)
        afterwards = replace(stage.shop, now=lambda: now() + late)
        outcome = await stage.connector.confirm(afterwards, command, order)
    expect(isinstance(outcome, Done) and outcome.shop_id == shop_id, f"found, and confirmed as {outcome}")
    return True


async def _error_of_reading(stage: Stage, variant: VariantRef) -> Outside:
    try:
        got = await stage.connector.counts(stage.shop, [variant])
    except Outside as error:
        return error
    expect(False, f"reading worked: {got}")
    raise AssertionError


def _wish(stage: Stage) -> float | None:
    """What the platform's own answer wishes."""
    answer = stage.server.throttled()
    return retry_after(Reply(answer.status, {name.lower(): value for name, value in answer.headers.items()}, b""))
