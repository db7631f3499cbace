"""52x: units taken out of an order that stays open with the rest.

Exactly these, once, and never confused with a refund of the seller's.
"""

from dataclasses import replace

from crossdock.domain.capability import Capability
from crossdock.domain.commands import CancelLines, CancelReason, CommandKind, CreateOrder, Done, Later, Refused, Unknown
from crossdock.domain.events import ShopOrder, ShopOrderState
from crossdock.domain.orders import differences
from crossdock.kit.conformance.stage import Stage, another_id, units
from crossdock.kit.conformance.suite import expect, scenario
from crossdock.kit.connector import VariantRef

CREATE, CANCEL, LINES, RESTORES = (
    Capability.ORDER_CREATE,
    Capability.ORDER_CANCEL,
    Capability.LINES_CANCEL,
    Capability.CANCEL_RESTORES,
)
MOST_CALLS = 20


def taking(command: CreateOrder, done: Done, *lines: tuple[str, int], key: str = "1") -> CancelLines:
    """Take these units out. Keys are told apart by the order and `key`."""
    reason = CancelReason.BUYER_ASKED
    return CancelLines(command.reference, done.shop_id, lines, reason, f"part:{command.reference}:{key}")


async def rest(stage: Stage, done: Done) -> dict[str, int]:
    """Units per variant as the seller sees them in the list of orders."""
    return {variant: n for variant, n in units((await stage.listed(done.shop_id)).lines).items() if n}


@scenario(
    520, CREATE, LINES, title="Units are taken out, the order stays open with the rest, and another order is left alone"
)
async def takes_out(stage: Stage) -> None:
    a, b = await stage.product(9, 9)
    command, other = stage.order((a, 3), (b, 1)), stage.order((a, 2))
    done, second = await stage.placed(command), await stage.placed(other)
    outcome = await stage.connector.cancel_lines(stage.shop, taking(command, done, (a.variant_id, 1)))
    expect(isinstance(outcome, Done) and not outcome.already, f"it gave {outcome}")
    expect(await rest(stage, done) == {a.variant_id: 2, b.variant_id: 1}, f"left: {await rest(stage, done)}")
    expect(await rest(stage, second) == {a.variant_id: 2}, "another order was changed")
    expect(not (await stage.listed(done.shop_id)).cancelled, "the order was cancelled")
    order = await stage.connector.order(stage.shop, done.shop_id)
    expect(order.state is ShopOrderState.OPEN, f"read, the order is {order.state}")
    expect(read(order) == {a.variant_id: 2, b.variant_id: 1}, f"read, its lines are {order.lines}")
    smaller = replace(command, lines=(replace(command.lines[0], quantity=2), command.lines[1]))
    at_our_price = stage.manifest.can(Capability.ORDER_AT_OUR_PRICE)
    found = differences(smaller, order, at_our_price=at_our_price)
    expect(not found, f"it differs from what was left here: {[each.sentence for each in found]}")


@scenario(
    521,
    CREATE,
    LINES,
    RESTORES,
    CANCEL,
    title="Exactly those units come back, and a cancel of the rest gives back the rest",
)
async def gives_back(stage: Stage) -> None:
    a, b = await stage.product(5, 5)
    command = stage.order((a, 3), (b, 1))
    done = await stage.placed(command)
    await stage.connector.cancel_lines(stage.shop, taking(command, done, (a.variant_id, 2)))
    counts = (await stage.hand.count(a), await stage.hand.count(b))
    expect(counts == (4, 4), f"after 2 of 3 the shop counts {counts}")
    await stage.connector.cancel(stage.shop, stage.cancellation(command, done))
    counts = (await stage.hand.count(a), await stage.hand.count(b))
    expect(counts == (5, 5), f"after the rest the shop counts {counts}")


@scenario(522, CREATE, LINES, title="The same key again is done already and takes nothing; another key takes again")
async def once_a_key(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 4))
    done = await stage.placed(command)
    first = taking(command, done, (variant.variant_id, 1))
    made = await stage.connector.cancel_lines(stage.shop, first)
    count = await stage.hand.count(variant)
    again = await stage.connector.cancel_lines(stage.shop, first)
    expect(isinstance(again, Done) and again.already, f"again, it gave {again}")
    same = isinstance(made, Done) and isinstance(again, Done) and made.shop_id == again.shop_id
    expect(same, f"first {made}, then {again}")
    expect(await rest(stage, done) == {variant.variant_id: 3}, f"left: {await rest(stage, done)}")
    expect(await stage.hand.count(variant) == count, "the count moved again")
    other = await stage.connector.cancel_lines(stage.shop, replace(first, key=first.key + "b"))
    expect(isinstance(other, Done) and not other.already, f"another key gave {other}")
    expect(await rest(stage, done) == {variant.variant_id: 2}, f"left: {await rest(stage, done)}")


@scenario(
    523, CREATE, LINES, title="More than there is, nothing, an unknown item or order: refused, and nothing changes"
)
async def wrong_units(stage: Stage) -> None:
    a, b = await stage.product(9, 9)
    command = stage.order((a, 2))
    done = await stage.placed(command)
    right = taking(command, done, (a.variant_id, 1))
    wrong = {
        "three of two": replace(right, lines=((a.variant_id, 3),)),
        "none": replace(right, lines=((a.variant_id, 0),)),
        "twice two of two": replace(right, lines=((a.variant_id, 2), (a.variant_id, 2))),
        "what was not ordered": replace(right, lines=((a.variant_id, 1), (b.variant_id, 1))),
        "an order that is not there": replace(right, shop_order_id=another_id(done.shop_id)),
        "somebody else's order": replace(right, reference="XD-NEVER-0000"),
    }
    for what, asked in wrong.items():
        outcome = await stage.connector.cancel_lines(stage.shop, asked)
        expect(isinstance(outcome, Refused), f"{what}: {outcome}")
    expect(await rest(stage, done) == {a.variant_id: 2}, f"left: {await rest(stage, done)}")
    counts = (await stage.hand.count(a), await stage.hand.count(b))
    expect(counts == (7, 9), f"the shop counts {counts}")


@scenario(
    524,
    CREATE,
    LINES,
    title="What was shipped is not taken out: whatever is answered is true, and nothing comes back twice",
)
async def shipped(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 3))
    done = await stage.placed(command)
    await stage.hand.fulfil(done.shop_id, tracking="SENT1", carrier="DHL", lines=[(variant.variant_id, 2)])
    count = await stage.hand.count(variant)
    outcome = await stage.connector.cancel_lines(stage.shop, taking(command, done, (variant.variant_id, 2)))
    expect(isinstance(outcome, Refused), f"two of which one is left: {outcome}")
    expect(await stage.hand.count(variant) == count, "the count moved")
    outcome = await stage.connector.cancel_lines(stage.shop, taking(command, done, (variant.variant_id, 1), key="2"))
    expect(isinstance(outcome, Done | Refused), f"one of which one is left: {outcome}")
    took = int(isinstance(outcome, Done))
    expect(await rest(stage, done) == {variant.variant_id: 3 - took}, f"{outcome}, left: {await rest(stage, done)}")
    back = took if stage.manifest.can(RESTORES) else 0
    expect(
        await stage.hand.count(variant) == count + back,
        f"the count went from {count} to {await stage.hand.count(variant)}",
    )


@scenario(525, CREATE, LINES, title="In an order that the seller cancelled before us there is nothing to take out")
async def seller_was_first(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    await stage.hand.cancel(done.shop_id)
    count = await stage.hand.count(variant)
    outcome = await stage.connector.cancel_lines(stage.shop, taking(command, done, (variant.variant_id, 1)))
    expect(isinstance(outcome, Done) and outcome.already, f"it gave {outcome}")
    expect(await stage.hand.count(variant) == count, "the count moved")


@scenario(526, CREATE, LINES, title="A mere look takes nothing out, and finds what was")
async def only_looks(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 3))
    done = await stage.placed(command)
    take = taking(command, done, (variant.variant_id, 1))
    before = await stage.connector.cancel_lines(stage.shop, replace(take, only_look=True))
    expect(isinstance(before, Unknown), f"before, the look gave {before}")
    expect(await rest(stage, done) == {variant.variant_id: 3}, "the look took something out")
    await stage.connector.cancel_lines(stage.shop, take)
    after = await stage.connector.cancel_lines(stage.shop, replace(take, only_look=True))
    expect(isinstance(after, Done) and after.already, f"after, the look gave {after}")


@scenario(
    527,
    CREATE,
    LINES,
    Capability.REFUND_SEEN,
    title="What we took out is no refund of the seller's, and theirs is still seen",
)
async def no_news(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    command = stage.order((variant, 3), price="10.00")
    done = await stage.placed(command)
    take = taking(command, done, (variant.variant_id, 1))
    outcome = await stage.connector.cancel_lines(stage.shop, take)
    order = await stage.connector.order(stage.shop, done.shop_id)
    expect(all(refund.key == take.key for refund in order.refunds), f"refunds: {order.refunds}")
    ids = {refund.refund_id for refund in order.refunds}
    expect(isinstance(outcome, Done) and ids <= {outcome.shop_id}, f"{outcome} made {ids}")
    await stage.hand.refund(done.shop_id, "2.00")
    theirs = [r for r in (await stage.connector.order(stage.shop, done.shop_id)).refunds if not r.key]
    expect([str(refund.amount) for refund in theirs] == ["2.00"], f"the seller's refunds: {theirs}")


@scenario(
    528,
    CREATE,
    LINES,
    title="With the answer to any of its calls lost: repeated after a look, taken out once",
    simulated=True,
)
async def lost(stage: Stage) -> None:
    for skip in range(MOST_CALLS):
        (variant,) = await stage.product(9)
        command = stage.order((variant, 3))
        done = await stage.placed(command)
        take = taking(command, done, (variant.variant_id, 1))
        before = stage.dial.counts["lost_reply"]
        stage.dial.once("lost_reply", skip=skip)
        outcome = await stage.connector.cancel_lines(stage.shop, take)
        hit = stage.dial.counts["lost_reply"] > before
        stage.dial.calm()
        expect(isinstance(outcome, Done | Unknown | Later), f"a lost answer gave {outcome}")
        if not isinstance(outcome, Done):
            look = await stage.connector.cancel_lines(stage.shop, replace(take, only_look=True))
            there = await rest(stage, done) == {variant.variant_id: 2}
            expect(isinstance(look, Done) == there, f"the look gave {look}; left: {await rest(stage, done)}")
            again = await stage.connector.cancel_lines(stage.shop, take)
            expect(isinstance(again, Done), f"repeated, it gave {again}")
        expect(await rest(stage, done) == {variant.variant_id: 2}, f"left: {await rest(stage, done)}")
        expect(
            await stage.hand.count(variant) in ((7,) if stage.manifest.can(RESTORES) else (6, 7)),
            "the count is wrong at rest",
        )
        if not hit:
            expect(skip > 0, "no call was made")
            return


def read(order: ShopOrder) -> dict[str, int]:
    """Units per variant of a snapshot, without the lines that nothing is left of."""
    found: dict[str, int] = {}
    for line in order.lines:
        found[line.variant_id] = found.get(line.variant_id, 0) + line.quantity
    return {variant: n for variant, n in found.items() if n}


@scenario(
    529,
    CREATE,
    CANCEL,
    RESTORES,
    title="Damaged units are kept out of the count by a cancel where the manifest says so, and there only",
)
async def damaged_whole(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 2))
    done = await stage.placed(command)
    gone = replace(stage.cancellation(command, done), reason=CancelReason.DAMAGED)
    outcome = await stage.connector.cancel(stage.shop, gone)
    expect(isinstance(outcome, Done), f"the cancel gave {outcome}")
    await _counts(stage, variant, 3 if CommandKind.CANCEL_ORDER in stage.manifest.keeps_out else 5)


@scenario(
    530,
    CREATE,
    LINES,
    RESTORES,
    title="Lost units are kept out of the count when taken out where the manifest says so, and there only",
)
async def lost_in_part(stage: Stage) -> None:
    (variant,) = await stage.product(5)
    command = stage.order((variant, 3))
    done = await stage.placed(command)
    gone = replace(taking(command, done, (variant.variant_id, 1)), reason=CancelReason.LOST)
    outcome = await stage.connector.cancel_lines(stage.shop, gone)
    expect(isinstance(outcome, Done), f"it gave {outcome}")
    await _counts(stage, variant, 2 if CommandKind.CANCEL_LINES in stage.manifest.keeps_out else 3)


async def _counts(stage: Stage, variant: VariantRef, expected: int) -> None:
    there = await stage.hand.count(variant)
    expect(there == expected, f"the shop counts {there}, not {expected}")
