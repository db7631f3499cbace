"""4xx: our order in the shop. It stands there once, as ordered, or it does not stand there at all."""

import asyncio
from datetime import timedelta

from crossdock.domain.capability import Capability
from crossdock.domain.commands import CreateOrder, Done, Later, Refused, Unknown, Why
from crossdock.domain.events import ShopOrder, ShopOrderState
from crossdock.domain.orders import differences
from crossdock.domain.values import Money
from crossdock.kit.conformance.stage import STREET, Stage, another_id, units
from crossdock.kit.conformance.suite import expect, scenario
from crossdock.kit.conformance.trouble import recover
from crossdock.kit.connector import VariantRef
from crossdock.kit.sandbox import Sandbox

CREATE, FOUND = Capability.ORDER_CREATE, Capability.ORDER_FOUND_BY_REFERENCE
COUNTED = Capability.COUNTS_READ
SIDE_BY_SIDE = 8


@scenario(401, CREATE, title="An order stands in the shop once, with our reference and the units ordered")
async def stands(stage: Stage) -> None:
    a, b = await stage.product(5, 5)
    (c,) = await stage.product(5)
    command = stage.order((a, 1), (c, 3))
    done = await stage.placed(command)
    (order,) = await stage.standing(command)
    expect(order.shop_id == done.shop_id, f"Done names {done.shop_id}, the shop has {order.shop_id}")
    expect(order.reference == command.reference, f"the reference is {order.reference!r}")
    expect(units(order.lines) == {a.variant_id: 1, c.variant_id: 3}, f"the lines are {order.lines}")
    expect(b.variant_id not in units(order.lines), "a variant that nobody ordered is in it")
    expect(not done.already, "a new order was called an old one")


@scenario(
    402,
    CREATE,
    Capability.ORDER_AT_OUR_PRICE,
    title="It stands at the price paid here, odd cents and shipping included",
)
async def our_price(stage: Stage) -> None:
    (a,), (b,) = await stage.product(9, price="100.00"), await stage.product(9, price="0.50")
    command = stage.order((a, 3), (b, 2), price="3.33", shipping="4.99")
    done = await stage.placed(command)
    order = await stage.listed(done.shop_id)
    expect(
        Money.of(order.total, stage.proof.currency) == command.total, f"the total is {order.total}, not {command.total}"
    )
    read = await stage.connector.order(stage.shop, done.shop_id)
    expect(read.total == command.total, f"read back at {read.total}, not {command.total}")


@scenario(403, CREATE, COUNTED, title="The units leave the shop's count, and the answer is evidence of it")
async def takes_stock(stage: Stage) -> None:
    a, b = await stage.product(5, 8)
    done = await stage.placed(stage.order((a, 2), (b, 8)))
    counts = (await stage.hand.count(a), await stage.hand.count(b))
    expect(counts == (3, 0), f"the shop counts {counts}")
    expect(done.stock_taken, "the answer does not say that stock was taken")
    await stage.eventually(lambda: _counted(stage, {a: 3, b: 0}), lambda: "the lowered counts to be read")


@scenario(404, CREATE, FOUND, title="It is found by our whole reference, and by nothing shorter, longer or different")
async def found(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 1))
    other = stage.order((variant, 1))
    done, _ = await stage.placed(command), await stage.placed(other)
    await stage.eventually(
        lambda: _finds(stage, command, (done.shop_id,)), lambda: "the order to be found by its reference"
    )
    for wrong in (
        command.reference[:-1],
        command.reference + "1",
        "XD",
        f"XD-{stage.word}",
        command.reference.replace("XD", "YD"),
        "%",
    ):
        got = await stage.connector.find(stage.shop, wrong, since=command.placed_at - timedelta(hours=1))
        expect(not got.shop_ids, f"looking for {wrong!r} found {got.shop_ids}")


@scenario(405, CREATE, title="Read back, it equals what was ordered")
async def reads_back(stage: Stage) -> None:
    a, b = await stage.product(5, 5)
    command = stage.order((a, 2), (b, 1))
    done = await stage.placed(command)
    order = await stage.connector.order(stage.shop, done.shop_id)
    expect(order.state is ShopOrderState.OPEN, f"its state is {order.state}")
    expect(order.reference == command.reference, f"its reference is {order.reference!r}")
    expect(_units(order) == {a.variant_id: 2, b.variant_id: 1}, f"its lines are {order.lines}")
    expect(len({line.line_id for line in order.lines}) == len(order.lines), "two lines have one id")
    expect(not order.parcels and not order.refunds, f"it has {order.parcels} {order.refunds} already")
    expect(order.shop_id == done.shop_id, f"its id is {order.shop_id!r}")


@scenario(
    406, CREATE, COUNTED, title="Without stock it is refused by variant, nothing stays open and no count has changed"
)
async def no_stock(stage: Stage) -> None:
    (variant,) = await stage.product(1)
    await _refused_whole(stage, stage.order((variant, 3)), Why.NO_STOCK, {variant: 1}, short={variant.variant_id})


@scenario(
    407,
    CREATE,
    COUNTED,
    title="When one of several lines has no stock, the whole order is refused and nothing is taken",
)
async def one_short(stage: Stage) -> None:
    a, b = await stage.product(5, 0)
    (c,) = await stage.product(2)
    command = stage.order((a, 2), (b, 1), (c, 1))
    await _refused_whole(stage, command, Why.NO_STOCK, {a: 5, b: 0, c: 2}, short={b.variant_id})


@scenario(408, CREATE, title="For a deleted product it is refused as such, and nothing stays open")
async def product_gone(stage: Stage) -> None:
    (gone,), (stays,) = await stage.product(5), await stage.product(5)
    await stage.hand.delete_product(gone.product_id)
    await _refused_whole(stage, stage.order((stays, 1), (gone, 1)), Why.PRODUCT_GONE, {stays: 5})


@scenario(409, CREATE, COUNTED, title="Orders side by side land once each and take what they ordered")
async def side_by_side(stage: Stage) -> None:
    a, b = await stage.product(30, 30)
    commands = [stage.order((a, 1), (b, 2)) for _ in range(SIDE_BY_SIDE)]
    outcomes = await asyncio.gather(*(stage.connector.create(stage.shop, command) for command in commands))
    for command, outcome in zip(commands, outcomes, strict=True):
        if isinstance(outcome, Later | Unknown) and not isinstance(stage.site, Sandbox):
            # A real server on a busy machine: orders wait there for each other's lock, and not for long.
            await recover(stage, command, outcome, "side by side")
        else:
            expect(isinstance(outcome, Done), f"outcomes: {outcomes}")
    for command in commands:
        expect(
            len(await stage.standing(command)) == 1,
            f"{command.reference} stands {len(await stage.standing(command))} times",
        )
    counts = (await stage.hand.count(a), await stage.hand.count(b))
    expect(counts == (30 - SIDE_BY_SIDE, 30 - 2 * SIDE_BY_SIDE), f"the shop counts {counts}")


@scenario(
    410,
    CREATE,
    COUNTED,
    title="Two orders for the last unit: at most one stands, each outcome is true, and the count adds up",
)
async def last_unit(stage: Stage) -> None:
    for _ in range(3):
        (variant,) = await stage.product(1)
        commands = [stage.order((variant, 1)) for _ in range(2)]
        outcomes = await asyncio.gather(*(stage.connector.create(stage.shop, command) for command in commands))
        open_orders = [len(await stage.standing(command)) for command in commands]
        expect(sum(open_orders) <= 1, f"{sum(open_orders)} orders stand for one unit: {outcomes}")
        for outcome, standing in zip(outcomes, open_orders, strict=True):
            expect(isinstance(outcome, Done) == bool(standing), f"{outcome}, and {standing} orders stand")
        count = await stage.hand.count(variant)
        expect(count == 1 - sum(open_orders), f"the count is {count} with {sum(open_orders)} orders")


@scenario(411, CREATE, Capability.REFERENCE_UNIQUE, title="The same order sent twice stands once")
async def sent_twice(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 2))
    first, second = await stage.placed(command), await stage.connector.create(stage.shop, command)
    expect(len(await stage.standing(command)) == 1, "it stands twice")
    expect(await stage.hand.count(variant) == 7, f"the count is {await stage.hand.count(variant)}")
    match second:
        case Done(shop_id, already=True):
            expect(shop_id == first.shop_id, f"the second time it is {shop_id}, not {first.shop_id}")
        case Refused(Why.CONFLICT):
            pass
        case _:
            expect(False, f"the second time gave {second}")


@scenario(412, CREATE, title="The buyer's address arrives, and the shop mails the buyer nothing", simulated=True)
async def address(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 1))
    expect(not stage.sandbox.shelf.holds(STREET), "the address was there before the order")
    await stage.placed(command)
    for text in (STREET, "62701", "Springfield", "Ada"):
        expect(stage.sandbox.shelf.holds(text), f"{text!r} is nowhere in the shop")
    await stage.hand.fulfil((await stage.standing(command))[0].shop_id, tracking="TRACK1", carrier="DHL")
    _no_mail(stage, command)


@scenario(413, CREATE, title="An order of the shop's own is no echo of ours: it carries no reference")
async def echo(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    cursor = await stage.order_cursor()
    own = await stage.hand.sell(variant, 1)
    done = await stage.placed(stage.order((variant, 1)))
    expect((await stage.connector.order(stage.shop, own)).reference == "", "the shop's own order carries a reference")
    ours = await stage.news(cursor, done.shop_id, lambda order: True, "our order")
    expect(ours.reference != "", "our order comes back as news without our reference")


@scenario(414, title="An order that never was is gone, not an error")
async def never_was(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    real = await stage.hand.sell(variant, 1)
    order = await stage.connector.order(stage.shop, another_id(real))
    expect(order.state is ShopOrderState.GONE, f"its state is {order.state}")


@scenario(415, CREATE, title="A variant ordered in two lines is there with all its units")
async def two_lines(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 1), (variant, 2))
    done = await stage.placed(command)
    order = await stage.listed(done.shop_id)
    expect(units(order.lines) == {variant.variant_id: 3}, f"the lines are {order.lines}")
    expect(await stage.hand.count(variant) == 6, f"the count is {await stage.hand.count(variant)}")


@scenario(
    416, CREATE, FOUND, title="An order that was found again is confirmed as it stands, however often, and left alone"
)
async def confirmed(stage: Stage) -> None:
    a, b = await stage.product(3, 1)
    command = stage.order((a, 2), (b, 1))
    done = await stage.placed(command)
    for time in "once", "twice":
        found = await stage.connector.order(stage.shop, done.shop_id)
        outcome = await stage.connector.confirm(stage.shop, command, found)
        if not isinstance(outcome, Done):
            expect(False, f"confirmed {time}: {outcome}")
            return
        expect((outcome.shop_id, outcome.already) == (done.shop_id, True), f"confirmed {time} as {outcome}")
        expect(outcome.stock_taken or not done.stock_taken, f"confirmed {time}, and no evidence of its units is left")
    expect(len(await stage.standing(command)) == 1, "it does not stand once any more")
    counts = (await stage.hand.count(a), await stage.hand.count(b))
    expect(counts == (1, 0), f"the shop counts {counts}")


@scenario(
    417,
    CREATE,
    COUNTED,
    title="One after the other for the last unit: the second is refused, and only the first stands",
)
async def one_after_the_other(stage: Stage) -> None:
    """No race is needed: some shops look at their stock when a line is added, and never again."""
    a, b = await stage.product(1, 5)
    first = stage.order((a, 1), (b, 1))
    await stage.placed(first)
    await _refused_whole(stage, stage.order((b, 1), (a, 1)), Why.NO_STOCK, {a: 0, b: 4}, short={a.variant_id})
    expect(len(await stage.standing(first)) == 1, "the first does not stand any more")


@scenario(418, CREATE, COUNTED, title="An order of thirty lines stands whole, and is read back whole")
async def many_lines(stage: Stage) -> None:
    refs = [ref for _ in range(6) for ref in await stage.product(9, 9, 9, 9, 9)]
    command = stage.order(*((ref, 1 + n % 2) for n, ref in enumerate(refs)))
    done = await stage.placed(command)
    ordered = {ref.variant_id: 1 + n % 2 for n, ref in enumerate(refs)}
    expect(units((await stage.listed(done.shop_id)).lines) == ordered, "it does not stand as ordered")
    order = await stage.connector.order(stage.shop, done.shop_id)
    expect(_units(order) == ordered, f"{len(order.lines)} lines are read back")
    counts = [await stage.hand.count(ref) for ref in refs]
    expect(counts == [9 - ordered[ref.variant_id] for ref in refs], f"the shop counts {counts}")


@scenario(419, CREATE, Capability.ORDER_AT_OUR_PRICE, title="Seven at 0.99 are 6.93, whatever the shop rounds")
async def seven_cheap_ones(stage: Stage) -> None:
    (variant,) = await stage.product(9, price="1.13")
    command = stage.order((variant, 7), price="0.99", shipping="0.01")
    done = await stage.placed(command)
    order = await stage.connector.order(stage.shop, done.shop_id)
    found = differences(command, order, at_our_price=True)
    expect(not found, f"it differs from what was ordered: {[each.sentence for each in found]}")
    expect(str(order.total) == "6.94", f"the total is {order.total}")


def _no_mail(stage: Stage, command: CreateOrder) -> None:
    mails = [entry for entry in stage.sandbox.shelf.ledger("mail") if command.email in str(entry.get("to", ""))]
    expect(not mails, f"the shop mailed our buyer: {mails}")


async def _refused_whole(
    stage: Stage, command: CreateOrder, why: Why, counts: dict[VariantRef, int], short: set[str] | None = None
) -> None:
    """Refused for this reason; nothing stands and the counts are, at rest, what they were."""
    outcome = await stage.connector.create(stage.shop, command)
    if not isinstance(outcome, Refused):
        expect(False, f"it should be refused, but: {outcome}")
        return
    expect(outcome.why is why, f"refused as {outcome.why}: {outcome.sentence}")
    expect(short is None or set(outcome.short) == short, f"short are {outcome.short}, not {short}")
    expect(bool(outcome.sentence), "refused without a sentence")
    expect(not await stage.standing(command), "an order stays open")
    for variant, count in counts.items():
        real = await stage.hand.count(variant)
        expect(real == count, f"the count of {variant.variant_id} is {real}, not {count}")


async def _counted(stage: Stage, expected: dict[VariantRef, int]) -> bool:
    return await stage.counted(*expected) == {ref.variant_id: count for ref, count in expected.items()}


async def _finds(stage: Stage, command: CreateOrder, shop_ids: tuple[str, ...]) -> bool:
    since = command.placed_at - timedelta(hours=1)
    return (await stage.connector.find(stage.shop, command.reference, since=since)).shop_ids == shop_ids


def _units(order: ShopOrder) -> dict[str, int]:
    return dict(units([(line.variant_id, line.quantity) for line in order.lines]))
