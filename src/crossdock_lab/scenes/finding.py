"""M2: finding. What a shop says of its cards fills attributes at the import, a buyer narrows by them, and a saved
search tells of what came, once.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from crossdock_lab.scenes.scene import Scene
from crossdock_lab.stage import PATIENCE, Stage, now

if TYPE_CHECKING:
    from crossdock.store.models import Listing
    from crossdock.usecases.catalogue.finding import Wanted

RULE = "M2"
NEAR_MINT, PLAYED = "Near Mint", "Lightly Played"


def _rule(stage: Stage) -> None:
    """The attributes of cards, and the seller's: whatever an option says is a condition."""
    import json
    from importlib.resources import files

    from crossdock.domain.finding.filling import Rule, Source
    from crossdock.usecases.catalogue.fill_rules import add_rule
    from crossdock.usecases.catalogue.taxonomy import define, in_force
    from crossdock_lab.stage import staff

    if not in_force():
        cards = json.loads(files("crossdock.domain.finding").joinpath("cards.json").read_text("utf-8"))
        define(document=cards, actor=staff(), now=now())
    named = bool(stage.manifest.words)
    rule = Rule(Source.OPTION, "Condition" if named else "", "", "condition", "")
    add_rule(seller=stage.seller, rule=rule, actor=stage.seller.owner, now=now())


def _card(stage: Stage, near_mint: int, played: int) -> "Listing":
    """So many units of a card in each condition, once they are here with it."""
    from crossdock.kit.hand import Describes, Words
    from crossdock.store.models import Listing

    stage.made += 1
    hand, name = stage.shop.hand, f"FIND-{stage.made}"
    assert isinstance(hand, Describes)
    refs = stage.trial.call(
        hand.add_product(f"Sought {stage.made}", [(f"{name}-NM", "10.00", near_mint), (f"{name}-LP", "8.00", played)])
    )
    words = Words("Condition", (NEAR_MINT, PLAYED), (), (), ("Singles",))
    stage.trial.call(hand.describe(refs[0].product_id, words))
    here = Listing.objects.filter(connection=stage.connection, shop_product_id=refs[0].product_id)
    filled = here.filter(facts__contains=["condition=near-mint", "condition=lightly-played"])
    counted = filled.filter(variants__stock__count=max(near_mint, played))
    stage.trial.until(counted.exists, PATIENCE, f"a card's conditions to be read from {stage.platform}")
    return here.get()


def _wanted(stage: Stage, value: str, *, in_stock: bool) -> "Wanted":
    from crossdock.domain.finding.choosing import Choice
    from crossdock.usecases.catalogue.finding import Wanted

    return Wanted(seller=stage.seller, in_stock=in_stock, choices=(Choice("condition", (value,)),))


def narrowed_with_counts(stage: Stage) -> None:
    """The number beside a box is how many are listed once it is ticked, sold out ones in and out."""
    from crossdock.usecases.catalogue.facets import count
    from crossdock.usecases.catalogue.finding import Wanted, find

    _rule(stage)
    _card(stage, 3, 2), _card(stage, 0, 4)
    for in_stock in (False, True):
        beside = count(Wanted(seller=stage.seller, in_stock=in_stock)).base.by_fact
        for value, many in (("near-mint", 1 if in_stock else 2), ("lightly-played", 2)):
            shown = find(wanted=_wanted(stage, value, in_stock=in_stock), now=now()).listings
            said = beside.get(f"condition={value}", 0)
            stage.see(
                len(shown) == said == many,
                RULE,
                f"{value}{', in stock' if in_stock else ''}: {said} beside the box, {len(shown)} listed, {many} there",
            )


def told_once(stage: Stage) -> None:
    """A saved search is mailed what came and can be bought, and no second time."""
    from crossdock.store.models import Listing, Mail, SavedSearch
    from crossdock.usecases.catalogue.saved import mail_searches, save_search

    _rule(stage)
    wanted = _wanted(stage, "near-mint", in_stock=False)
    address = f"/s/{stage.seller.slug}/?f-condition=near-mint"
    search = save_search(buyer=stage.buyer, name="Near mint", address=address, wanted=wanted, mail=True, now=now())
    there, sold_out = _card(stage, 3, 2), _card(stage, 0, 4)
    for _ in range(2):
        # As if a day had passed.
        SavedSearch.objects.filter(pk=search.pk).update(looked_at=now() - timedelta(days=2))
        Listing.objects.filter(connection=stage.connection).update(created_at=now() - timedelta(hours=1))
        mail_searches(now=now())
        # There is something newer, which nobody can buy: the second look has no more to tell.
        _card(stage, 0, 1)
    mails = [mail.body for mail in Mail.objects.filter(to=stage.buyer.email, subject__contains="Near mint")]
    stage.see(
        len(mails) == 1 and f"{there.title}," in mails[0] and f"{sold_out.title}," not in mails[0],
        RULE,
        f"a saved search sent {len(mails)} mail, with what is in stock and nothing that is sold out",
    )


SCENES: tuple[Scene, ...] = (narrowed_with_counts, told_once)
BUGS: dict[str, tuple[Scene, ...]] = {"variants_alike": (narrowed_with_counts,)}
