"""The sweep of prices: where a tax rate, a sale or a setting changes a price without making its product one that
changed, every product is read again now and then.

A page at a time, with a quarter of the shop's budget; only what differs from what is kept is written.
"""

from collections.abc import Mapping
from datetime import timedelta

from django.db import transaction

from crossdock.domain.events import ProductGone, ShopProduct, Unreadable
from crossdock.engine.shop.reading import take_products
from crossdock.engine.shop.session import Session
from crossdock.kit.connector import Page
from crossdock.kit.held import Held, held
from crossdock.kit.rows import readable_products
from crossdock.usecases.catalogue import import_products
from crossdock.usecases.catalogue.as_kept import not_as_kept
from crossdock.usecases.shops import timers
from crossdock.usecases.shops.timers import PRICES
from crossdock.usecases.stock import counts

_LOOK_AGAIN = timedelta(days=1)
_SHARE = 4


async def sweep_prices(session: Session, cursor: str) -> None:
    """One page; `cursor` is where the sweep stands, empty at its beginning."""
    manifest, now = session.connector.manifest, session.engine.clock()
    if not manifest.prices_swept_hours:
        wanted = {"connection_id": session.connection_id, "stream": PRICES, "at": now + _LOOK_AGAIN, "done": True}
        await session.run(timers.set_timer, **wanted)
        return
    read_no, read_as = await session.engine.threads.run(counts.draw_read_no), session.opened.shop.settings
    with held() as reading:
        page = await session.asked(session.connector.products(session.opened.shop, cursor))
        await _keep(session, reading, page, read_no, read_as)


async def _keep(
    session: Session,
    reading: Held,
    page: Page[ShopProduct | ProductGone | Unreadable],
    read_no: int,
    read_as: Mapping[str, str],
) -> None:
    manifest = session.connector.manifest
    whole = timedelta(hours=manifest.prices_swept_hours) * session.engine.random.uniform(0.9, 1.1)
    wait = timedelta(seconds=_SHARE / manifest.pace.per_second) if page.more else whole

    def keep() -> None:
        at = session.engine.clock()
        with transaction.atomic():
            seen = [item for item in readable_products(page.items) if isinstance(item, ShopProduct)]
            changed = not_as_kept(connection_id=session.connection_id, products=seen)
            if changed:
                reading.kept = True
                import_products.receive_products(
                    connection_id=session.connection_id, products=changed, read_no=read_no, read_as=read_as, now=at
                )
            timers.move_cursor(
                connection_id=session.connection_id,
                stream=PRICES,
                value=page.cursor if page.more else "",
                next_due=at + wait,
                complete=not page.more,
                now=at,
            )

    await take_products(session, keep)
