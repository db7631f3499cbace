"""What is read of a shop by name: an order, a product, the counts that are wanted. What cannot be understood is set
aside.
"""

import logging
from collections.abc import Callable, Iterable, Sequence

from crossdock.domain.events import ProductGone, ShopOrder, ShopProduct, Unreadable
from crossdock.domain.health import Stream
from crossdock.engine.contain import of_party
from crossdock.engine.shop import pace, trouble
from crossdock.engine.shop.session import Session
from crossdock.engine.watch import LAST
from crossdock.kit.connector import VariantRef
from crossdock.kit.errors import Missing, Outside, Strange
from crossdock.kit.held import held
from crossdock.store.crash import point
from crossdock.store.models.quarantine import QuarantineKind
from crossdock.usecases.catalogue import import_products
from crossdock.usecases.orders import snapshots
from crossdock.usecases.parties import streams
from crossdock.usecases.parties.quarantine import Tally
from crossdock.usecases.shops.shop_money import ReadOtherwise
from crossdock.usecases.shops.timers import COUNTS
from crossdock.usecases.stock import counts

_log = logging.getLogger(__name__)
_MOST_ORDERS = 50
_MOST_COUNTS = 100
_COUNT_ROUNDS = 5


async def read_order(session: Session, shop_id: str) -> ShopOrder | None:
    """Read it and take it in; one that cannot be understood is set aside (None)."""
    try:
        order = await session.asked(session.connector.order(session.opened.shop, shop_id))
    except Exception as error:
        if of_party(error):
            raise
        await trouble.set_aside(session, QuarantineKind.ORDER, shop_id, error)
        return None
    point("order.read")
    await take_orders(session, [order])
    return order


async def _read_wanted(session: Session, shop_id: str) -> None:
    await read_order(session, shop_id)


async def take_orders(
    session: Session, orders: Sequence[ShopOrder | Unreadable], *, page: bool = False, tally: Tally | None = None
) -> None:
    await session.run(
        snapshots.receive_orders,
        connection_id=session.connection_id,
        orders=orders,
        manifest=session.connector.manifest,
        call=LAST.get(),
        page=page,
        tally=tally,
    )


async def read_back(session: Session, shop_id: str) -> None:
    """The last step of the order-landed guarantee, at once. If it fails now, the wish stays in the row."""
    session.being_read.add(shop_id)
    try:
        order = await read_order(session, shop_id)
        if order is not None:
            await pace.ours(session, Stream.ORDERS, order.updated_at)
    except Outside as error:
        _log.info("order %s is read back later: %s", shop_id, error)
    finally:
        session.being_read.discard(shop_id)


async def read_wanted_orders(session: Session) -> bool:
    wanted = await session.engine.threads.run(
        streams.orders_to_read, connection_id=session.connection_id, limit=_MOST_ORDERS
    )
    ids = [shop_id for shop_id in wanted if shop_id not in session.being_read]
    await trouble.each(session, QuarantineKind.ORDER, {shop_id: _read_wanted(session, shop_id) for shop_id in ids})
    return bool(ids)


async def read_wanted_counts(session: Session) -> bool:
    """Rules 2 and 5: the number is drawn before the request leaves, and only applying it fulfils the wish."""
    did = False
    if await session.run(streams.resting, connection_id=session.connection_id, stream=COUNTS):
        return False
    for _ in range(_COUNT_ROUNDS):
        asked = await session.run(counts.counts_wanted, connection_id=session.connection_id, limit=_MOST_COUNTS)
        if asked is None:
            break
        point("counts.drawn")
        tally = Tally()
        try:
            with held() as reading:
                answers = await trouble.counts_of(session, [VariantRef(*ref) for ref in asked.refs])
                point("counts.answered")
                unanswered = await session.run(
                    counts.apply_counts,
                    connection_id=session.connection_id,
                    read_no=asked.read_no,
                    asked=asked.refs,
                    counts=answers,
                    call=LAST.get(),
                    tally=tally,
                )
                reading.kept = tally.any
        except Strange as error:
            if error.whole:
                raise
            await trouble.stream_failed(session, COUNTS, error)
            break
        await session.run(streams.stream_well, connection_id=session.connection_id, stream=COUNTS)
        await read_products(session, unanswered)
        did = True
        if len(asked.refs) < _MOST_COUNTS:
            break
    return did


async def read_products(session: Session, product_ids: Iterable[str]) -> None:
    async def one(product_id: str) -> None:
        await read_product(session, product_id)

    await session.side_by_side([one(product_id) for product_id in dict.fromkeys(product_ids)])


async def take_products(session: Session, keep: Callable[[], object]) -> bool:
    """`keep` takes in what was read. False when a confirmation of the shop's currency, or another choice of what
    is sold, came between: nothing was kept, and from now on it is read with the settings of now.
    """
    try:
        await session.engine.threads.sure(keep)
    except ReadOtherwise as error:
        _log.info("%s: %s", session.access.address, error)
        await session.reopen()
        return False
    return True


async def read_product(session: Session, product_id: str) -> ShopProduct | ProductGone | None:
    read_no, read_as = await session.engine.threads.run(counts.draw_read_no), session.opened.shop.settings
    product: ShopProduct | ProductGone
    try:
        product = await session.asked(session.connector.product(session.opened.shop, product_id))
    except Missing:
        product = ProductGone(product_id)
    except Exception as error:
        if of_party(error):
            raise
        await trouble.set_aside(session, QuarantineKind.PRODUCT, product_id, error)
        return None
    call = LAST.get()

    def keep() -> None:
        import_products.receive_products(
            connection_id=session.connection_id,
            products=[product],
            read_no=read_no,
            read_as=read_as,
            call=call,
            now=session.engine.clock(),
        )

    return product if await take_products(session, keep) else None
