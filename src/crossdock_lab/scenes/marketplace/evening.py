"""M6: a shop is only looked at first. Nothing is for sale and nothing is written to it, by the simulator's own books;
the report says what its counts say; then it goes live and sells.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from crossdock_lab.scenes.scene import Scene, refusal
from crossdock_lab.stage import PATIENCE, Stage, now

if TYPE_CHECKING:
    from crossdock.domain.evening.shadow import Report
    from crossdock.kit.connector import VariantRef

RULE = "M6"
KEPT_BACK = 2
# In stock, sold in the shop. Two of each are kept back, so of these six a buyer here would have got three.
GOODS = ((7, 2), (1, 1), (3, 3))


def _first_look(stage: Stage) -> "tuple[Stage, list[VariantRef]]":
    """A new shop of the stage's seller with three products, joined in shadow mode and read whole."""
    from crossdock.demo.joining import join
    from crossdock.store.models import Connection, VariantStock
    from crossdock.usecases.stock.limits import choose_settings

    shop = stage.trial.open_shop(stage.platform, seed=2000 + stage.made)
    refs: list[VariantRef] = []
    for number, (count, _) in enumerate(GOODS):
        names = [(f"FIRST-{number}", "10.00", count)]
        refs += stage.trial.call(shop.hand.add_product(f"First evening {number}", names))
    way, form = shop.seller_form()
    joined = join(
        seller=stage.seller,
        platform=stage.platform,
        address=shop.address,
        way=way,
        form=form,
        now=now(),
        shadow=True,
    )
    Connection.objects.filter(pk=joined.pk).update(name=f"First of {joined.name}"[:80])
    choose_settings(connection=joined, buffer=KEPT_BACK, settings={}, actor=stage.seller.owner, now=now())
    ids = [ref.variant_id for ref in refs]
    read = VariantStock.objects.filter(variant__connection=joined, variant__shop_variant_id__in=ids)
    whole = joined.cursors.filter(stream="products", completed_at__isnull=False)
    orders = joined.cursors.filter(stream="orders", completed_at__isnull=False)
    stage.trial.until(
        lambda: read.filter(count__isnull=False).count() == len(GOODS) and whole.exists() and orders.exists(),
        PATIENCE,
        f"a shop on {stage.platform} to be read in shadow mode",
    )
    return replace(stage, shop=shop, connection=Connection.objects.get(pk=joined.pk)), refs


def _report(stage: Stage) -> "Report":
    from crossdock.usecases.catalogue.evening.report import report_of, run_of

    run = run_of(stage.connection)
    assert run is not None
    return report_of(run=run, per_second=stage.manifest.pace.per_second, now=now())


def looked_at_first(stage: Stage) -> None:
    from crossdock.domain.values import Address
    from crossdock.store.models import Command, Connection, Variant
    from crossdock.usecases.catalogue.evening.shadow import go_live
    from crossdock.usecases.catalogue.listings import live
    from crossdock.usecases.shops.connect import disconnect
    from crossdock.usecases.shops.trial_orders import try_order

    there, refs = _first_look(stage)
    here = [Variant.objects.get(connection=there.connection, shop_variant_id=ref.variant_id) for ref in refs]
    for ref, (_, sold) in zip(refs, GOODS, strict=True):
        stage.trial.call(there.shop.hand.sell(ref, sold))
    books, orders = there.shop.shelf.version, len(stage.trial.call(there.shop.hand.orders()))
    sold = sum(sold for _, sold in GOODS)
    stage.trial.until(lambda: _report(there).units == sold, PATIENCE, "the shop's own sales to be seen")
    seen = _report(there)
    stage.see(
        (seen.listed, seen.units, seen.landed, seen.refused, seen.late) == (1, 6, 3, 3, 1) and seen.calls > 0,
        RULE,
        f"only looked at: of {seen.units} units that the shop sold a buyer here would have got {seen.landed},"
        f" {seen.late} time too late; {seen.calls} calls",
    )
    why = refusal(stage.buy, here[0])
    to = Address("Maren Test", "1 Elm Street", "Springfield", "US", "12345", region="IL")
    owner = stage.seller.owner
    no_test = refusal(
        lambda: try_order(connection=there.connection, variant=here[0], ship_to=to, actor=owner, now=now())
    )
    commands = Command.objects.filter(party=there.connection.party_id)
    stage.see(
        not live().filter(connection=there.connection).exists()
        and bool(why and no_test)
        and not commands.exists()
        and there.shop.shelf.version == books
        and len(stage.trial.call(there.shop.hand.orders())) == orders,
        RULE,
        f"nothing is for sale ({why}), and nothing was written to the shop, by its own books ({no_test})",
    )
    go_live(connection=there.connection, per_second=stage.manifest.pace.per_second, actor=owner, now=now())
    there = replace(there, connection=Connection.objects.get(pk=there.connection.pk))
    order = there.buy(Variant.objects.select_related("listing__seller", "connection").get(pk=here[0].pk))
    there.lands(order)
    stage.trial.until(lambda: there.available(here[0]) == 4 - KEPT_BACK, PATIENCE, "the count after the first sale")
    stage.see(there.count(refs[0]) == 4, RULE, "gone live it sells: the first order stands in the shop")
    disconnect(connection=there.connection, actor=owner, now=now())


def price_jump(stage: Stage) -> None:
    """Ten times the price is held, and asked once its seller takes it; a small change is asked at once."""
    from crossdock.store.models import HeldPrice, Variant
    from crossdock.usecases.catalogue.evening.prices import decide_prices, set_price_limit

    ref, variant = stage.item(1)
    small_ref, small = stage.item(1)
    owner = stage.seller.owner
    set_price_limit(connection=stage.connection, limit=50, actor=owner, now=now())

    def asked(which: Variant) -> int:
        return Variant.objects.get(pk=which.pk).price_minor

    try:
        stage.trial.call(stage.shop.hand.reprice(ref, "100.00"))
        stage.trial.call(stage.shop.hand.reprice(small_ref, "11.00"))
        held = HeldPrice.objects.filter(variant=variant)
        stage.trial.until(lambda: held.exists() or asked(variant) != 1000, PATIENCE, "a price that jumps to be read")
        stage.trial.until(lambda: asked(small) == 1100, PATIENCE, "a price that does not to be read")
        stage.see(
            asked(variant) == 1000 and held.filter(told_minor=10_000).exists(),
            RULE,
            f"the shop asks $100.00 for a card of $10.00: here it stays at {asked(variant)} until its seller says so",
        )
        chosen = dict(held.values_list("pk", "told_minor"))
        decide_prices(seller=stage.seller, chosen=chosen, take=True, actor=owner, now=now())
        stage.see(asked(variant) == 10_000 and not held.exists(), RULE, "taken, it is asked here as well")
    finally:
        set_price_limit(connection=stage.connection, limit=None, actor=owner, now=now())


SCENES: tuple[Scene, ...] = (looked_at_first, price_jump)
BUGS: dict[str, tuple[Scene, ...]] = {"jump_taken": (price_jump,)}
