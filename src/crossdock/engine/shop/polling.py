"""A shop's timers: one page of each poll that is due, old counts, the audit of its webhooks, its money.

Each stream has its turn, whatever an earlier one met.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

from django.db import transaction

from crossdock.domain.events import ProductGone, ShopProduct, Unreadable
from crossdock.domain.health import PATIENCE, Stream
from crossdock.domain.pace import PROVEN
from crossdock.engine import contain
from crossdock.engine.shop import pace, quarantine, trouble
from crossdock.engine.shop.prices import sweep_prices
from crossdock.engine.shop.reading import take_orders, take_products
from crossdock.engine.shop.reconcile import recount_stock
from crossdock.engine.shop.session import Session
from crossdock.engine.watch import LAST
from crossdock.kit.connector import Looks, Page
from crossdock.kit.held import held
from crossdock.store.crash import point
from crossdock.usecases.catalogue import import_products
from crossdock.usecases.parties import streams
from crossdock.usecases.parties.quarantine import Tally
from crossdock.usecases.shops import shop_money, timers
from crossdock.usecases.shops.old_copies import want_old_copies
from crossdock.usecases.shops.timers import COUNTS, HOOKS, ORDERS, PRICES, PRODUCTS, QUARANTINE, RECOUNT, SECRETS
from crossdock.usecases.stock import counts
from crossdock.usecases.stock.reconcile import after_outage

_log = logging.getLogger(__name__)
_MOST_COUNTS = 100
_OLD_COUNT = timedelta(hours=1)
_AUDIT_EVERY = timedelta(hours=1)
# So many products, or for so long, are gathered before they are taken in.
_MOST_PRODUCTS, _GATHERING_SECONDS = 200, 1.0


async def timers_due(session: Session) -> bool:
    due = await session.run(timers.timers_due, connection_id=session.connection_id)
    if PRODUCTS in due and await session.run(after_outage, connection_id=session.connection_id):
        # Reconciling reads the same changed products, and says what they mean.
        await _later(session, PRODUCTS, await pace.until_next(session), asked=False)
        due = {stream: cursor for stream, cursor in due.items() if stream != PRODUCTS} | {RECOUNT: ""}
    doing: dict[Stream, Callable[[str], Awaitable[None]]] = {
        SECRETS: partial(_renewal, session),
        ORDERS: partial(_poll_orders, session),
        PRODUCTS: partial(_poll_products, session),
        COUNTS: partial(_old_counts, session),
        HOOKS: partial(_audit, session),
        RECOUNT: partial(recount_stock, session),
        QUARANTINE: partial(_quarantined, session),
        PRICES: partial(sweep_prices, session),
    }
    failed, before = dict[Stream, Exception](), session.answers
    for stream, cursor in due.items():
        try:
            await doing[stream](cursor)
        except Exception as error:
            if contain.of_all(error):
                raise
            failed[stream] = error
        else:
            # The counts' timer only wishes; reading them says how they are.
            if stream != COUNTS:
                await session.run(streams.stream_well, connection_id=session.connection_id, stream=stream)
    if session.answers == before:
        # Nothing was answered at all: that is the shop's, and it rests as a whole.
        for met in failed.values():
            if contain.of_party(met):
                raise met
    for failing, met in failed.items():
        await trouble.stream_failed(session, failing, met)
    return bool(due)


async def _quarantined(session: Session, _: str) -> None:
    """Its timer stands at the next try that is due, once something is set aside."""
    await _later(session, QUARANTINE, timedelta(days=1))
    await quarantine.try_again(session)


async def _later(session: Session, stream: Stream, wait: timedelta, *, asked: bool = True, done: bool = False) -> None:
    at = session.engine.clock() + wait
    await session.run(
        timers.set_timer, connection_id=session.connection_id, stream=stream, at=at, asked=asked, done=done
    )


async def _poll_orders(session: Session, cursor: str) -> None:
    with held() as reading:
        page = await session.asked(session.connector.orders(session.opened.shop, cursor))
        point("poll.orders_read")
        if page.items:
            tally = Tally()
            await take_orders(session, page.items, page=await trouble.as_a_page(session, ORDERS), tally=tally)
            reading.kept = tally.any
    point("poll.orders_taken")
    await _move(session, ORDERS, page.cursor, more=page.more)
    await pace.polled(session, ORDERS, pace.moments(page.items))


async def _poll_products(session: Session, cursor: str) -> None:
    """A page, or several small ones, and where they end are kept in one transaction.

    Their counts are a read, so the number is drawn before the first of them leaves.
    """
    read_no, read_as = await session.engine.threads.run(counts.draw_read_no), session.opened.shop.settings
    with held() as reading:
        page, calls = await _pages(session, cursor)
        point("poll.products_read")
        wait = timedelta(0) if page.more else await pace.until_next(session)
        whole, call = bool(page.items) and await trouble.as_a_page(session, PRODUCTS), LAST.get()
        tally = Tally()

        def keep() -> None:
            now = session.engine.clock()
            with transaction.atomic():
                if page.items:
                    import_products.receive_products(
                        connection_id=session.connection_id,
                        products=page.items,
                        read_no=read_no,
                        read_as=read_as,
                        call=call,
                        calls=calls,
                        page=whole,
                        tally=tally,
                        now=now,
                    )
                first = timers.move_cursor(
                    connection_id=session.connection_id,
                    stream=PRODUCTS,
                    value=page.cursor,
                    next_due=now + wait,
                    complete=not page.more,
                    now=now,
                )
            # At first everything is new; later that is news.
            reading.kept = bool(tally.changed or tally.tripped or (tally.new and not first))

        if not await take_products(session, keep):
            return
    point("poll.products_taken")
    await pace.polled(session, PRODUCTS, pace.moments(page.items))


async def _pages(session: Session, cursor: str) -> tuple[Page[ShopProduct | ProductGone | Unreadable], tuple[str, ...]]:
    """From here on, as one: what a page costs here does not depend on its size, and some platforms' are small.

    With the recorded call that brought each item.
    """
    time = asyncio.get_running_loop().time
    until = time() + _GATHERING_SECONDS
    page = await session.asked(session.connector.products(session.opened.shop, cursor))
    items = [*page.items]
    calls = [LAST.get()] * len(items)
    while page.more and 0 < len(items) < _MOST_PRODUCTS and time() < until:
        try:
            page = await session.asked(session.connector.products(session.opened.shop, page.cursor))
        except Exception as error:
            # What came before is taken in; the next round begins here, and says what it meets.
            _log.info("a page of %s failed: %s", session.access.address, error)
            break
        items += page.items
        calls += [LAST.get()] * len(page.items)
    return replace(page, items=tuple(items)), tuple(calls)


async def _move(session: Session, stream: Stream, value: str, *, more: bool) -> None:
    wait = timedelta(0) if more else await pace.until_next(session)
    await session.run(
        timers.move_cursor,
        connection_id=session.connection_id,
        stream=stream,
        value=value,
        next_due=session.engine.clock() + wait,
        complete=not more,
    )


async def _old_counts(session: Session, _: str) -> None:
    """The periodic poll reads every variant; as many a round as the budget bears beside everything else."""
    manifest = session.connector.manifest
    most = max(1, int(manifest.pace.per_second * pace.base(session) / 4)) * _MOST_COUNTS
    old = max(_OLD_COUNT, timedelta(seconds=2 * pace.base(session)))
    shop = session.connection_id
    wished = await session.run(counts.want_old_counts, connection_id=shop, older_than=old, limit=most)
    # What was wished for the last time has been read by now, or the stream is not done.
    since = session.engine.clock() - old - 2 * timedelta(seconds=max(pace.base(session), PROVEN)) - PATIENCE[COUNTS]
    done = await session.engine.threads.run(counts.all_read_since, connection_id=shop, since=since)
    wait = timedelta(seconds=pace.base(session)) if wished == most else await pace.until_next(session)
    await _later(session, COUNTS, wait, done=done)


async def _renewal(session: Session, _: str) -> None:
    """The renewal itself is done at the start of each round; this keeps the time of the next."""
    at = session.connector.renew_at(session.opened.shop)
    wait = timedelta(days=1) if at is None else max(timedelta(seconds=30), at - session.engine.clock())
    await _later(session, SECRETS, wait, done=True)


async def _audit(session: Session, _: str) -> None:
    """Shops switch webhooks off without a word; create and heal them. Shadow mode may have begun or ended since the
    session was opened.
    """
    await session.reopen()
    if pace.listens(session):
        await _later(session, HOOKS, timedelta(minutes=5))
        audit = await session.asked(session.connector.subscribe(session.opened.shop))
        await session.run(
            timers.keep_audit,
            connection_id=session.connection_id,
            expected=audit.expected,
            active=audit.active,
            healed=audit.healed,
        )
    await _look_at_money(session)
    await session.run(want_old_copies, connection_id=session.connection_id)
    await _later(session, HOOKS, _AUDIT_EVERY, done=True)


async def _look_at_money(session: Session) -> None:
    """Currency, decimals and countries change without a word, and prices carry none of them.

    By the connection test where the platform has no smaller look.
    """
    if not await session.run(shop_money.look_due, connection_id=session.connection_id, every=_AUDIT_EVERY):
        return
    look = session.connector.look if isinstance(session.connector, Looks) else session.connector.prove
    proof = await session.asked(look(session.opened.shop))
    await session.run(
        shop_money.money_seen,
        connection_id=session.connection_id,
        currency=proof.currency,
        settings=dict(proof.settings),
        follows=session.connector.manifest.follows if proof.ok else (),
    )
