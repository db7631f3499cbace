"""7xx: refunds made in the shop are seen once each.

No money moves here by itself; that is why the ids must be stable.
"""

from crossdock.domain.capability import Capability
from crossdock.domain.events import ShopOrder, ShopOrderState
from crossdock.kit.conformance.stage import Stage
from crossdock.kit.conformance.suite import expect, scenario

CREATE, SEEN = Capability.ORDER_CREATE, Capability.REFUND_SEEN


@scenario(701, CREATE, SEEN, title="A refund made in the shop is seen with its amount, under an id that stays")
async def refund(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    cursor = await stage.order_cursor()
    done = await stage.placed(stage.order((variant, 2), price="10.00"))
    await stage.hand.refund(done.shop_id, "3.50")
    order = await stage.news(cursor, done.shop_id, lambda order: bool(order.refunds), "the refund")
    expect([str(item.amount) for item in order.refunds] == ["3.50"], f"refunds: {order.refunds}")
    expect(order.refunds[0].amount.currency == stage.proof.currency, f"in {order.refunds[0].amount.currency}")
    again = await stage.connector.order(stage.shop, done.shop_id)
    expect(_ids(again) == _ids(order), f"first {_ids(order)}, then {_ids(again)}")
    expect(again.state is ShopOrderState.OPEN, f"a part refund made the order {again.state}")


@scenario(702, CREATE, SEEN, title="Two refunds have two ids, and the first keeps its own")
async def two_refunds(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    done = await stage.placed(stage.order((variant, 2), price="10.00"))
    await stage.hand.refund(done.shop_id, "2.00")
    first = await stage.connector.order(stage.shop, done.shop_id)
    await stage.hand.refund(done.shop_id, "2.00")
    both = await stage.connector.order(stage.shop, done.shop_id)
    expect(len(first.refunds) == 1 and len(both.refunds) == 2, f"first {first.refunds}, then {both.refunds}")
    expect(_ids(first) < _ids(both), f"first {_ids(first)}, then {_ids(both)}")
    expect(sorted(str(item.amount) for item in both.refunds) == ["2.00", "2.00"], f"amounts: {both.refunds}")


@scenario(703, CREATE, SEEN, title="A refund puts nothing back and changes no line of the order")
async def only_money(stage: Stage) -> None:
    (variant,) = await stage.product(9)
    done = await stage.placed(stage.order((variant, 2), price="10.00"))
    before = await stage.connector.order(stage.shop, done.shop_id)
    await stage.hand.refund(done.shop_id, "1.00")
    after = await stage.connector.order(stage.shop, done.shop_id)
    expect(
        [(line.line_id, line.quantity) for line in after.lines]
        == [(line.line_id, line.quantity) for line in before.lines],
        "lines changed",
    )
    expect(await stage.hand.count(variant) == 7, f"the shop counts {await stage.hand.count(variant)}")


def _ids(order: ShopOrder) -> set[str]:
    return {item.refund_id for item in order.refunds}
