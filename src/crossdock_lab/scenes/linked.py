"""M8: goods that stand in two shops of one seller: linked they are sold once, and a certificate is sold once.

The second shop is of the same platform, so that each plays both sides. Units are counted in the shops' own ledgers.
"""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from crossdock.domain.capability import Capability
from crossdock_lab.scenes.scene import Scene, refusal
from crossdock_lab.stage import PATIENCE, Stage, now

if TYPE_CHECKING:
    from crossdock.kit.connector import VariantRef
    from crossdock.store.models import Variant

RULE = "M8"
# Not those after which nobody knows: a correction without an answer is never repeated, and its seller is asked.
FAULTS = {"throttle": 0.05, "duplicate": 0.3, "drop": 0.1, "out_of_order": 0.3}


def second_shop(stage: Stage) -> Stage:
    """Of the same seller, joined through the real path. Its next product has the number of this stage's last."""
    from crossdock.demo.joining import join
    from crossdock.store.models import Connection

    shop = stage.trial.open_shop(stage.platform, seed=1000 + stage.made)
    way, form = shop.seller_form()
    joined = join(seller=stage.seller, platform=stage.platform, address=shop.address, way=way, form=form, now=now())
    Connection.objects.filter(pk=joined.pk).update(name=f"Second {joined.name}"[:80])
    return replace(stage, shop=shop, connection=joined, made=stage.made - 1)


def _close(there: Stage) -> None:
    """Nothing is asked of the second shop any more, so that what is played after this is as without it."""
    from crossdock.usecases.shops.connect import disconnect

    there.calm()
    disconnect(connection=there.connection, actor=there.seller.owner, now=now())


def sold_once(stage: Stage) -> None:
    """One unit of three is sold in the second shop and one here, with faults on: each shop is corrected once."""
    from crossdock.store.models import Duplicate
    from crossdock.usecases.catalogue.linking import decide_same

    ref, mine = stage.item(3)
    there = second_shop(stage)
    its_ref, its = there.item(3)
    found = Duplicate.objects.filter(seller=stage.seller, key=mine.sku.upper(), verdict="")
    stage.trial.until(found.exists, PATIENCE, "the same SKU to be found in both shops")
    decide_same(duplicate=found.get(), sold_as=mine.public_id, actor=stage.seller.owner, now=now())
    its.listing.refresh_from_db()
    stage.see(
        (stage.available(mine), there.available(its), its.listing.state) == (3, 0, "left_out"),
        RULE,
        "the same SKU in two shops, linked: three of it are for sale in one listing, none in the other",
    )
    for shop in (stage, there):
        shop.shop.dial.set(FAULTS)
    stage.trial.call(there.shop.hand.sell(its_ref, 1))
    _counted(there, its, 2)
    stage.see(stage.available(mine) == 2, RULE, "one is sold in the second shop: held here with the read that tells it")
    _corrected(stage, ref, mine, 2)
    _settled(stage, mine, there, its)
    if not stage.see(
        (stage.count(ref), there.count(its_ref), stage.available(mine)) == (2, 2, 2) and _asked(stage, mine, its, 1, 0),
        RULE,
        f"both shops count {stage.count(ref)} and {there.count(its_ref)} then, {stage.available(mine)} are for sale,"
        f" corrections asked of them: {_corrections(mine)} and {_corrections(its)}",
    ):
        return _close(there)
    order = stage.buy(mine)
    stage.lands(order)
    _corrected(there, its_ref, its, 1)
    _settled(stage, mine, there, its)
    stage.see(
        (stage.count(ref), there.count(its_ref), stage.available(mine), there.available(its)) == (1, 1, 1, 0)
        and _asked(stage, mine, its, 1, 1),
        RULE,
        f"and one here: the shops count {stage.count(ref)} and {there.count(its_ref)}, {stage.available(mine)} is for"
        f" sale, corrections asked of them: {_corrections(mine)} and {_corrections(its)}",
    )
    last = stage.buy(mine)
    stage.lands(last)
    stage.see(
        stage.available(mine) == 0 and bool(refusal(stage.buy, mine)) and bool(refusal(stage.buy, its)),
        RULE,
        "the last one is sold: nobody buys a fourth in either listing",
    )
    _close(there)


def a_certificate_once(stage: Stage) -> None:
    """Graded, in both shops under different SKUs: paid for in one listing, the other ends at once, and its shop counts
    it no more.
    """
    from crossdock.store.models import VariantStock
    from crossdock_lab.scenes.stock import held

    ref, mine = stage.item(1)
    there = second_shop(stage)
    there.made += 1000
    its_ref, its = there.item(1)
    for variant in (mine, its):
        _grade(stage, variant, f"{stage.made}4711")
    for shop in (stage, there):
        shop.shop.dial.set(FAULTS)
    intent = held(stage, mine)
    stage.see(
        stage.available(mine) == 0 and bool(refusal(stage.buy, its)),
        RULE,
        "while one pays, nobody buys its other listing",
    )
    _pay(stage, intent.public_id)
    ended = VariantStock.objects.get(pk=its.pk).aside_why
    stage.see(
        bool(ended) and there.available(its) == 0 and bool(refusal(stage.buy, its)) and bool(refusal(stage.buy, mine)),
        RULE,
        f"paid: the other listing ended in the same transaction (“{ended}”)",
    )
    order = stage.seller.orders.get(intent=intent)
    stage.lands(order)
    _counted(stage, mine, 0)
    _corrected(there, its_ref, its, 0)
    _settled(stage, mine, there, its)
    stage.see(
        (stage.count(ref), there.count(its_ref)) == (0, 0) and _asked(stage, mine, its, 0, 1),
        RULE,
        f"order {order} stands in one shop; the other counts {there.count(its_ref)} by one correction",
    )
    _close(there)


def _grade(stage: Stage, variant: "Variant", number: str) -> None:
    import json
    from importlib.resources import files

    from crossdock.usecases.catalogue.fill_rules import set_by_hand
    from crossdock.usecases.catalogue.taxonomy import define, in_force
    from crossdock_lab.stage import staff

    if not in_force():
        cards = json.loads(files("crossdock.domain.finding").joinpath("cards.json").read_text("utf-8"))
        define(document=cards, actor=staff(), now=now())
    values = {"category": ["graded"], "certificate": [number], "grader": ["psa"]}
    set_by_hand(listing=variant.listing, values=values, actor=stage.seller.owner, now=now())


def _pay(stage: Stage, intent_id: str) -> None:
    from crossdock.store.models import PaymentIntent
    from crossdock_lab.buying import Till

    Till(stage.trial.folder).pay(PaymentIntent.objects.get(public_id=intent_id))


def _corrections(variant: "Variant") -> int:
    """How often the shop was asked to change its count of it."""
    from crossdock.store.models import Command

    return Command.objects.filter(kind="adjust_stock", subject=f"linked:{variant.public_id}").count()


def _asked(stage: Stage, mine: "Variant", its: "Variant", here: int, there: int) -> bool:
    """Each shop was corrected as often as that; where no program may, its seller may have been faster than we."""
    seen = (_corrections(mine), _corrections(its))
    if stage.manifest.can(Capability.COUNTS_ADJUST):
        return seen == (here, there)
    return seen[0] <= here and seen[1] <= there


def _counted(shop: Stage, variant: "Variant", count: int) -> None:
    """As far down as that: what fell further is a wrong fact that the scene then tells, not a wait in vain."""
    from crossdock.store.models import VariantStock

    here = VariantStock.objects.filter(pk=variant.pk, count__lte=count)
    shop.trial.until(here.exists, PATIENCE, f"{shop.connection.name} to be read as {count}")


def _corrected(shop: Stage, ref: "VariantRef", variant: "Variant", count: int) -> None:
    """By us, or where no program may, by the seller whom the alert asks, and who then confirms."""
    from crossdock.store.models import Alert
    from crossdock.usecases.stock.confirm import confirm_count

    if not shop.manifest.can(Capability.COUNTS_ADJUST):
        asked = Alert.objects.filter(listing=variant.listing, code="stock_differs", settled_at=None)
        shop.trial.until(asked.exists, PATIENCE, "the seller to be asked to correct a count")
        shop.trial.call(shop.shop.hand.recount(ref, count))
        confirm_count(variant=variant, count=None, actor=shop.seller.owner, now=now())
    shop.trial.until(lambda: shop.count(ref) <= count, PATIENCE, f"{shop.connection.name} to be corrected to {count}")
    _counted(shop, variant, count)


def _settled(stage: Stage, mine: "Variant", there: Stage, its: "Variant") -> None:
    """Both are read once more. Where no program may correct a count, the seller's own correction may be read before
    they have confirmed: it is taken for a sale then, and they confirm the other count, too.
    """
    from crossdock.usecases.stock.confirm import confirm_count

    _read_again(stage, mine)
    _read_again(there, its)
    if not stage.manifest.can(Capability.COUNTS_ADJUST):
        for variant in (mine, its):
            confirm_count(variant=variant, count=None, actor=stage.seller.owner, now=now())
        _read_again(stage, mine)
        _read_again(there, its)


def _read_again(shop: Stage, variant: "Variant") -> None:
    """What is wrongly taken for a sale would be told with this read."""
    from crossdock.store.models import Command, VariantStock
    from crossdock.store.work import wake
    from crossdock.usecases.stock.counts import want_old_counts

    since = now()
    rows = VariantStock.objects.filter(pk=variant.pk)

    def again() -> bool:
        """Asked for until it is so: a row that another read holds is passed over, and a read that began before this
        moment answers a wish of it.
        """
        want_old_counts(connection_id=shop.connection.pk, older_than=timedelta(0), limit=1000, now=since)
        wake([shop.connection.party_id])
        return rows.filter(count_at__gt=since, want_no=0).exists()

    shop.trial.until(again, PATIENCE, "the counts to be read once more", every=0.5)
    waiting = Command.objects.filter(
        party=shop.connection.party_id, kind="adjust_stock", state__in=["waiting", "in_flight"]
    )
    shop.trial.until(lambda: not waiting.exists(), PATIENCE, "no correction to wait")


SCENES: tuple[Scene, ...] = (sold_once, a_certificate_once)
BUGS: dict[str, tuple[Scene, ...]] = {"corrected_is_sold": (sold_once,)}
