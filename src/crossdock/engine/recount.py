"""A reconciliation's calls to the shop: a page of changed products a round, then, where counts do not move a product's
date, batches of counts.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from django.db import transaction

from crossdock.domain.events import Count, ProductGone, ShopProduct, Unreadable
from crossdock.kit.connector import Page, VariantRef
from crossdock.kit.held import Held, held
from crossdock.kit.rows import readable_products
from crossdock.usecases.catalogue import import_products
from crossdock.usecases.parties.quarantine import Tally
from crossdock.usecases.stock import counts, reconcile
from crossdock.usecases.stock.reconcile import Run

if TYPE_CHECKING:
    from crossdock.engine.shops import ShopDesk

BATCH = 100


async def recount_stock(desk: "ShopDesk", _: str) -> None:
    """One call's worth of the open run.

    The page, what it changed and the run's place are kept in one transaction, so a killed worker repeats one page.
    """
    run = await desk.run(reconcile.take_up, connection_id=desk.connection_id)
    if run is None:
        return
    if run.after is None:
        await _page(desk, run)
    else:
        await _batch(desk, run)


async def _page(desk: "ShopDesk", run: Run) -> None:
    read_no, read_as = await desk.engine.threads.run(counts.draw_read_no), desk.opened.shop.settings
    with held() as reading:
        page = await desk.asked(desk.connector.products(desk.opened.shop, run.cursor))
        await _keep_page(desk, run, reading, page, read_no, read_as)


async def _keep_page(
    desk: "ShopDesk",
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
        now = desk.engine.clock()
        with transaction.atomic():
            import_products.receive_products(
                connection_id=desk.connection_id, products=items, read_no=read_no, read_as=read_as, tally=tally, now=now
            )
            reconcile.page_read(
                run_id=run.id,
                read_no=read_no,
                variants=variants,
                gone=gone,
                cursor=page.cursor,
                more=page.more,
                sweep=not desk.connector.manifest.counts_move_products,
                now=now,
            )
        reading.kept = tally.any

    await desk.take_products(keep)


async def _batch(desk: "ShopDesk", run: Run) -> None:
    after, refs = await desk.run(reconcile.to_sweep, run_id=run.id, limit=BATCH)
    read_no = await desk.engine.threads.run(counts.draw_read_no)
    tally = Tally()

    answers: Sequence[Count | Unreadable] = ()

    def keep() -> tuple[str, ...]:
        now = desk.engine.clock()
        with transaction.atomic():
            unanswered = counts.apply_counts(
                connection_id=desk.connection_id,
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
        answers = await desk.asked(desk.connector.counts(desk.opened.shop, asked)) if asked else ()
        unanswered = await desk.engine.threads.sure(keep)
        reading.kept = tally.any
    await desk.read_products(unanswered)
