"""M7: a seller is on holiday: nothing of theirs is found or sold, what was ordered waits, their shop is read on; when
they are back all of it goes on by itself.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from crossdock_lab.scenes.scene import Scene, refusal
from crossdock_lab.stage import PATIENCE, Stage, now

if TYPE_CHECKING:
    from crossdock.store.models import Order, Seller, Variant

AWAY = timedelta(days=21)


def _seller(stage: Stage) -> "Seller":
    from crossdock.store.models import Seller

    return Seller.objects.get(pk=stage.seller.pk)


def found(stage: Stage, variant: "Variant") -> bool:
    from crossdock.usecases.catalogue.finding import Wanted, find

    found = find(wanted=Wanted(variant.listing.title, seller=stage.seller), now=now())
    return any(row.pk == variant.listing_id for row in found.listings)


def _late(stage: Stage, order: "Order") -> bool:
    from crossdock.usecases.orders.daily.order_list import in_queue

    after = order.ship_by + timedelta(seconds=1)
    return order in in_queue(seller=_seller(stage), queue="overdue", now=after, limit=500)


def away(stage: Stage) -> None:
    """Begun by hand for now; the end is the timer's, played on its day."""
    from crossdock.domain.due.away import AwayMode
    from crossdock.usecases.accounts.away import keep, plan_away

    ref, variant = stage.item(3)
    order = stage.buy(variant)
    stage.lands(order)
    stage.trial.until(lambda: stage.counts_agree(ref, variant), PATIENCE, "equal counts")
    seller = _seller(stage)
    today = seller.calendar.day_of(now())
    plan_away(seller=seller, first=today, back=today + AWAY, mode=AwayMode.PAUSE, actor=seller.owner, now=now())
    try:
        why = refusal(stage.buy, variant)
        stage.see(
            not found(stage, variant) and "The seller is on holiday" in why and not _late(stage, order),
            "M7",
            f"on holiday: not found, not late, and a sale is refused: {why}",
        )
        stage.trial.call(stage.shop.hand.sell(ref, 1))
        stage.trial.until(lambda: stage.counts_agree(ref, variant), PATIENCE, "a sale in the shop to be read meanwhile")
    finally:
        keep(now=seller.calendar.begins(today + AWAY))
    was, due = order.ship_by, type(order).objects.get(pk=order.pk).ship_by
    sold = stage.buy(variant)
    stage.lands(sold)
    stage.see(
        found(stage, variant) and due >= was + AWAY - timedelta(days=7) and stage.available(variant) == 0,
        "M7",
        f"back: found again, the shop's own sale is counted, and the order that waited is due {due:%d %B}",
    )


SCENES: tuple[Scene, ...] = (away,)
BUGS: dict[str, tuple[Scene, ...]] = {}
