"""6xx: parcels.

The seller fulfils in the shop, and every number comes back, also the second one and the corrected one.
"""

from crossdock.domain.capability import Capability
from crossdock.domain.events import Parcel, ShopOrder, ShopOrderState
from crossdock.domain.parcels import one_number_each
from crossdock.kit.conformance.stage import Stage, units
from crossdock.kit.conformance.suite import expect, scenario
from crossdock.kit.hand import EmptiesBin, SplitsLines

CREATE, SEEN, PARTIAL = Capability.ORDER_CREATE, Capability.TRACKING_SEEN, Capability.TRACKING_PARTIAL


@scenario(601, CREATE, SEEN, title="The number of a fulfilled order comes back by the poll, with its carrier")
async def comes_back(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    cursor = await stage.order_cursor()
    done = await stage.placed(stage.order((variant, 2)))
    await stage.hand.fulfil(done.shop_id, tracking="JD0146000038", carrier="DHL")
    order = await stage.news(
        cursor, done.shop_id, lambda order: _numbers(order) == {"JD0146000038"}, "the tracking number"
    )
    (parcel,) = _sent(order)
    expect("dhl" in f"{parcel.carrier} {parcel.tracking_url}".lower(), f"the carrier is {parcel.carrier!r}")
    expect(_covers(order, parcel) == {variant.variant_id: 2}, f"the parcel holds {parcel.lines}")
    looked_at = await stage.connector.order(stage.shop, done.shop_id)
    expect(looked_at.parcels == order.parcels, "looked at and polled, the parcels differ")
    expect(order.state is ShopOrderState.OPEN, f"a fulfilled order is {order.state}")


@scenario(602, CREATE, SEEN, PARTIAL, title="Two parcels come back one by one, each with its own units and number")
async def two_parcels(stage: Stage) -> None:
    a, b = await stage.product(9, 9)
    cursor = await stage.order_cursor()
    done = await stage.placed(stage.order((a, 2), (b, 1)))
    await stage.hand.fulfil(done.shop_id, tracking="PART0001", carrier="UPS", lines=[(a.variant_id, 1)])
    first = await stage.news(cursor, done.shop_id, lambda order: _numbers(order) == {"PART0001"}, "the first parcel")
    (parcel,) = _sent(first)
    expect(_covers(first, parcel) == {a.variant_id: 1}, f"the first parcel holds {parcel.lines}")
    await stage.hand.fulfil(done.shop_id, tracking="PART0002", carrier="UPS")
    both = await stage.news(
        cursor, done.shop_id, lambda order: _numbers(order) == {"PART0001", "PART0002"}, "the second parcel"
    )
    again, second = sorted(_sent(both), key=lambda parcel: parcel.tracking_number)
    expect(again.parcel_id == parcel.parcel_id, "the first parcel has another id now")
    expect(second.parcel_id != parcel.parcel_id, "two parcels have one id")
    expect(_covers(both, second) == {a.variant_id: 1, b.variant_id: 1}, f"the second parcel holds {second.lines}")


@scenario(603, CREATE, SEEN, title="A corrected number arrives, and it is still the same parcel")
async def corrected(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    cursor = await stage.order_cursor()
    done = await stage.placed(stage.order((variant, 1)))
    fulfilment = await stage.hand.fulfil(done.shop_id, tracking="WRONG001", carrier="UPS")
    first = await stage.news(cursor, done.shop_id, lambda order: _numbers(order) == {"WRONG001"}, "the first number")
    await stage.hand.change_tracking(done.shop_id, fulfilment, "RIGHT002")
    second = await stage.news(
        cursor, done.shop_id, lambda order: _numbers(order) == {"RIGHT002"}, "the corrected number"
    )
    ids = ({parcel.parcel_id for parcel in _sent(first)}, {parcel.parcel_id for parcel in _sent(second)})
    expect(ids[0] == ids[1] and len(ids[1]) == 1, f"the parcel's ids: {ids}")


@scenario(604, CREATE, SEEN, title="Fulfilled without a number is seen as that")
async def no_number(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    cursor = await stage.order_cursor()
    done = await stage.placed(stage.order((variant, 1)))
    await stage.hand.fulfil(done.shop_id)
    order = await stage.news(cursor, done.shop_id, lambda order: bool(_sent(order)), "the parcel")
    (parcel,) = _sent(order)
    expect(parcel.tracking_number == "", f"its number is {parcel.tracking_number!r}")
    expect(_covers(order, parcel) == {variant.variant_id: 1}, f"it holds {parcel.lines}")


@scenario(605, CREATE, SEEN, title="Shipping lowers no count a second time")
async def counts_stay(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    done = await stage.placed(stage.order((variant, 4)))
    await stage.hand.fulfil(done.shop_id, tracking="COUNT001", carrier="UPS")
    expect(await stage.hand.count(variant) == 5, f"the shop counts {await stage.hand.count(variant)}")
    expect((await stage.counted(variant))[variant.variant_id] == 5, "another count is read")


@scenario(606, CREATE, SEEN, title="An order that nobody shipped has no parcel")
async def not_yet(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    shipped, waits = await stage.placed(stage.order((variant, 1))), await stage.placed(stage.order((variant, 1)))
    await stage.hand.fulfil(shipped.shop_id, tracking="ONLYONE1", carrier="UPS")
    expect(not _sent(await stage.connector.order(stage.shop, waits.shop_id)), "a parcel appeared on the wrong order")


@scenario(
    607, CREATE, SEEN, title="One line in two rows there, and two numbers in one parcel: all units once, both numbers"
)
async def two_rows_two_numbers(stage: Stage) -> None:
    """The rows only where a seller may edit an order."""
    (variant,) = await stage.product(9)
    cursor = await stage.order_cursor()
    done = await stage.placed(stage.order((variant, 3)))
    before = await stage.connector.order(stage.shop, done.shop_id)
    if isinstance(stage.hand, SplitsLines):
        await stage.hand.split_line(done.shop_id, variant.variant_id, 1)
        rows = (await stage.connector.order(stage.shop, done.shop_id)).lines
        units_of = {row.line_id: (row.variant_id, row.quantity) for row in rows}
        expect(sorted(units_of.values()) == [(variant.variant_id, 1), (variant.variant_id, 2)], f"it has {rows}")
        expect(before.lines[0].line_id in units_of, "the line that was there has another id now")
    await stage.hand.fulfil(done.shop_id, tracking="JD014600003801, 1Z999AA10123456784", carrier="DHL")
    wanted = {"JD014600003801", "1Z999AA10123456784"}
    order = await stage.news(cursor, done.shop_id, lambda order: _each(order) == wanted, "both numbers")
    first, second = one_number_each(_sent(order))
    expect(_covers(order, first) == {variant.variant_id: 3}, f"the first parcel holds {first.lines}")
    expect(not any(units for _, units in second.lines), f"units are in both: {second.lines}")


@scenario(
    608,
    CREATE,
    SEEN,
    title="What is deleted for good after its sale keeps its line's id and units; its parcel names the line",
)
async def deleted_then_sent(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    cursor = await stage.order_cursor()
    done = await stage.placed(stage.order((variant, 2)))
    (before,) = (await stage.connector.order(stage.shop, done.shop_id)).lines
    hand = stage.hand
    gone = hand.delete_for_good if isinstance(hand, EmptiesBin) else hand.delete_product
    await gone(variant.product_id)
    (line,) = (await stage.connector.order(stage.shop, done.shop_id)).lines
    expect((line.line_id, line.quantity) == (before.line_id, 2), f"the line is {line} now")
    await hand.fulfil(done.shop_id, tracking="GONE0001", carrier="DHL")
    order = await stage.news(cursor, done.shop_id, lambda order: _numbers(order) == {"GONE0001"}, "the number")
    (parcel,) = _sent(order)
    expect(not parcel.lines or parcel.lines == ((line.line_id, 2),), f"the parcel holds {parcel.lines}")


@scenario(609, CREATE, SEEN, title="A number that is added later belongs to the parcel that left without one")
async def added_later(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    cursor = await stage.order_cursor()
    done = await stage.placed(stage.order((variant, 2)))
    fulfilment = await stage.hand.fulfil(done.shop_id)
    bare = await stage.news(cursor, done.shop_id, lambda order: bool(_sent(order)), "the parcel")
    try:
        await stage.hand.change_tracking(done.shop_id, fulfilment, "LATE0001")
    except LookupError:  # an order is merely marked as sent there, and there is no parcel to be numbered
        return
    order = await stage.news(cursor, done.shop_id, lambda order: _numbers(order) == {"LATE0001"}, "the number")
    (before,), (after,) = _sent(bare), _sent(order)
    expect(before.parcel_id == after.parcel_id, f"the parcel {before.parcel_id} is {after.parcel_id} now")
    expect(_covers(order, after) == {variant.variant_id: 2}, f"it holds {after.lines}")


def _each(order: ShopOrder) -> set[str]:
    return {parcel.tracking_number for parcel in one_number_each(_sent(order))}


def _sent(order: ShopOrder) -> list[Parcel]:
    return [parcel for parcel in order.parcels if not parcel.cancelled]


def _numbers(order: ShopOrder) -> set[str]:
    return {parcel.tracking_number for parcel in _sent(order)}


def _covers(order: ShopOrder, parcel: Parcel) -> dict[str, int]:
    """Units per variant in the parcel; without lines it is everything that no other parcel holds."""
    variants = {line.line_id: line.variant_id for line in order.lines}
    if parcel.lines:
        return dict(units([(variants.get(line, line), count) for line, count in parcel.lines]))
    rest = dict(units([(line.variant_id, line.quantity) for line in order.lines]))
    for other in _sent(order):
        for line, count in other.lines:
            rest[variants.get(line, line)] -= count
    return {variant: count for variant, count in rest.items() if count}
