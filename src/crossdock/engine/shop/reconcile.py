"""A reconciliation's calls to the shop: a page of changed products a round, then, where counts do not move a product's
date, batches of counts.
"""

from collections.abc import Mapping, Sequence

from django.db import transaction

from crossdock.domain.events import Count, ProductGone, ShopProduct, Unreadable
from crossdock.engine.shop.reading import read_products, take_products
from crossdock.engine.shop.session import Session
from crossdock.kit.connector import Page, VariantRef
from crossdock.kit.held import Held, held
from crossdock.kit.rows import readable_products
from crossdock.usecases.catalogue import duplicates, import_products
from crossdock.usecases.parties.quarantine import Tally
from crossdock.usecases.stock import counts, reconcile
from crossdock.usecases.stock.reconcile import Run

BATCH = 100


async def recount_stock(session: Session, _: str) -> None:
    """One call's worth of the open run.

    The page, what it changed and the run's place are kept in one transaction, so a killed worker repeats one page.
    """
    run = await session.run(reconcile.take_up, connection_id=session.connection_id)
    if run is None:
        return
    if run.after is None:
        await _page(session, run)
    else:
        await _batch(session, run)


async def _page(session: Session, run: Run) -> None:
    read_no, read_as = await session.engine.threads.run(counts.draw_read_no), session.opened.shop.settings
    with held() as reading:
        page = await session.asked(session.connector.products(session.opened.shop, run.cursor))
        await _keep_page(session, run, reading, page, read_no, read_as)


async def _keep_page(
    session: Session,
    run: Run,
    reading: Held,
    page: Page[ShopProduct | ProductGone | Unreadable],
    read_no: int,
    read_as: Mapping[str, str],
) -> None:
    tally = Tally()
    items = readable_products(page.items)
    gone = [item.product_id for item in items if isinstance(item, ProductGone)]
    variants = sum(len(item.variants) for item in items if not isinstance(item, ProductGone))

    def keep() -> None:
        now = session.engine.clock()
        with transaction.atomic():
            import_products.receive_products(
                connection_id=session.connection_id,
                products=items,
                read_no=read_no,
                read_as=read_as,
                tally=tally,
                now=now,
            )
            if not page.more:
                duplicates.find_all_duplicates(connection_id=session.connection_id, now=now)
            reconcile.page_read(
                run_id=run.id,
                read_no=read_no,
                variants=variants,
                gone=gone,
                cursor=page.cursor,
                more=page.more,
                sweep=not session.connector.manifest.counts_move_products,
                now=now,
            )
        reading.kept = tally.any

    await take_products(session, keep)


async def _batch(session: Session, run: Run) -> None:
    after, refs = await session.run(reconcile.to_sweep, run_id=run.id, limit=BATCH)
    read_no = await session.engine.threads.run(counts.draw_read_no)
    tally = Tally()

    answers: Sequence[Count | Unreadable] = ()

    def keep() -> tuple[str, ...]:
        now = session.engine.clock()
        with transaction.atomic():
            unanswered = counts.apply_counts(
                connection_id=session.connection_id,
                read_no=read_no,
                asked=refs,
                counts=answers,
                waited=False,
                tally=tally,
                now=now,
            )
            reconcile.batch_read(
                run_id=run.id, read_no=read_no, variants=len(refs), after=after, more=len(refs) == BATCH, now=now
            )
        return unanswered

    with held() as reading:
        asked = [VariantRef(*ref) for ref in refs]
        answers = await session.asked(session.connector.counts(session.opened.shop, asked)) if asked else ()
        unanswered = await session.engine.threads.sure(keep)
        reading.kept = tally.any
    await read_products(session, unanswered)
