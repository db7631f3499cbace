"""How an order comes to stand in its shop: what the shop is asked to create, and what its id here begins."""

from collections.abc import Sequence
from datetime import datetime

from crossdock.domain import stock as rules
from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import CreateOrder, Done, Line
from crossdock.domain.orders import CopyState
from crossdock.domain.stock import HoldState
from crossdock.store.crash import point
from crossdock.store.models import Command, Order, OrderLine, ShopCopy
from crossdock.usecases.orders import fulfilments
from crossdock.usecases.orders.shop_lines import forget_lines
from crossdock.usecases.outbox.queue import create_order_command, enqueue_all
from crossdock.usecases.record.telling import Telling
from crossdock.usecases.risk import writing
from crossdock.usecases.stock.reservations import fence


def send_to_shop(*, order: Order, now: datetime) -> None:
    """The order to its shop, once however often it is asked for."""
    enqueue_all([to_create(order, list(order.lines.select_related("order")), now=now)])


def to_create(order: Order, lines: Sequence[OrderLine], *, now: datetime) -> Command:
    """Not written yet."""
    assert order.connection is not None
    return create_order_command(party_id=order.connection.party_id, command=create_command(order, lines), now=now)


def create_command(order: Order, lines: Sequence[OrderLine] | None = None) -> CreateOrder:
    """What the shop is asked to create, the same each time it is asked. `lines` where they are at hand.

    The address `.invalid` can receive no mail, so no shop mails our buyer.
    """
    return CreateOrder(
        reference=order.reference,
        lines=tuple(
            Line(line.shop_product_id, line.shop_variant_id, line.sku, line.title, line.kept, line.unit_price)
            for line in (order.lines.select_related("order") if lines is None else lines)
            if line.kept
        ),
        shipping=order.shipping,
        ship_to=order.address,
        email=order.relay_email,
        placed_at=order.placed_at,
        note=f"Marketplace order #{order.number}. Paid there; cancel or refund it there.",
    )


def bind(
    *, order: Order, copy: ShopCopy, outcome: Done, adopted: bool, want_after: datetime | None, told: Telling
) -> None:
    """The order stands in the shop: keep their id, fence the holds if the stock was surely taken, and ask to read it
    back.
    """
    now = told.now
    if copy.shop_order_id not in ("", outcome.shop_id):
        forget_lines(order)
    copy.shop_order_id, copy.shop_number, copy.shop_url = outcome.shop_id, outcome.shop_number[:100], outcome.url
    copy.state, copy.acknowledged_at, copy.read_wanted, copy.sentence = CopyState.ACKNOWLEDGED, now, True, outcome.note
    copy.adopted, copy.stock_taken = copy.adopted or adopted, copy.stock_taken or outcome.stock_taken
    copy.save()
    point("settle.bound")
    if rules.draws_fence(stock_taken=outcome.stock_taken, closed=False):
        fence(order=order, now=now, state=HoldState.TAKEN, want_after=want_after)
    took = (now - order.placed_at).total_seconds()
    words = "found in" if adopted else "created in"
    told.tell(
        order=order,
        source="shop",
        kind="landed",
        evidence={"shop_order": outcome.shop_id, "seconds": took},
        sentence=f"The order was {words} the shop as {outcome.shop_number or outcome.shop_id}.",
    )
    writing.wish_written(order=order, now=now)
    fulfilments.wish_all(order=order, now=now)
    told.settle_by_fact(
        how="The order stands in the shop.",
        codes=(AlertCode.ORDER_NOT_LANDED, AlertCode.ORDER_REFUSED, AlertCode.COMMAND_DEAD),
        order=order,
    )
