"""S1: no offers on what follows a shop; lifted, the order reaches the shop at the agreed price where the platform
takes it.
"""

from typing import TYPE_CHECKING

from crossdock_lab.scenes.scene import Scene
from crossdock_lab.stage import DESCRIBED, LIFTED, PATIENCE, Stage, now, staff

if TYPE_CHECKING:
    from crossdock.store.models import Offer, Variant


def _offer(stage: Stage, variant: "Variant") -> "Offer":
    from crossdock.domain.values import Money
    from crossdock.usecases.catalogue.offers import make_offer

    return make_offer(
        buyer=stage.buyer, variant=variant, quantity=1, amount=Money(700, "USD"), manifest=stage.manifest, now=now()
    )


def refused(stage: Stage) -> None:
    """As described: the reason instead of an offer, whoever asks."""
    from crossdock.store.models import Offer
    from crossdock.usecases.errors import NotAllowed

    _, variant = stage.item(3, "10.00")
    said = ""
    try:
        _offer(stage, variant)
    except NotAllowed as no:
        said = str(no)
    stage.see(
        "asking price" in said and not Offer.objects.filter(variant=variant).exists(),
        "S1",
        f"an offer on a synced listing is refused: {said}",
        DESCRIBED,
    )


def lifted(stage: Stage) -> None:
    """Lifted: offered, countered, accepted, paid; the shop's ledger has the agreed price.

    Elsewhere the seller reads why not.
    """
    from crossdock.domain.capability import Capability
    from crossdock.domain.offers import Deed, Who
    from crossdock.domain.values import Address, Money
    from crossdock.usecases.catalogue.offer_terms import set_terms
    from crossdock.usecases.catalogue.offers import answer_offer
    from crossdock.usecases.errors import NotAllowed
    from crossdock.usecases.record import policy
    from crossdock_lab.buying import Till

    ref, variant = stage.item(1, "10.00")
    policy.switch(rule="S1", lift=True, actor=staff(), now=now())
    try:
        set_terms(
            seller=stage.seller, listings=[variant.listing], takes=True, accept_from=None, decline_below=None, now=now()
        )
        variant.listing.refresh_from_db()
        if not stage.manifest.can(Capability.ORDER_AT_OUR_PRICE):
            said = ""
            try:
                _offer(stage, variant)
            except NotAllowed as no:
                said = str(no)
            why = stage.manifest.sentence(Capability.ORDER_AT_OUR_PRICE)
            stage.see(why in said, "S1", f"no offers where the shop takes no other price: {why}", LIFTED)
            return
        offer = _offer(stage, variant)
        offer = answer_offer(
            offer=offer, who=Who.SELLER, deed=Deed.COUNTER, seen=offer.price, amount=Money(850, "USD"), now=now()
        )
        offer = answer_offer(offer=offer, who=Who.BUYER, deed=Deed.ACCEPT, seen=offer.price, now=now())
        stage.see(stage.available(variant) == 0, "S1", "accepted at 8.50: the last unit is held for the buyer", LIFTED)
        ship_to = Address("Zoë Buyer", "1 Elm Street", "Springfield", "US", "12345", region="IL")
        order = Till(stage.trial.folder).buy(buyer=stage.buyer, variant=variant, ship_to=ship_to, offer=offer.public_id)
        stage.lands(order)
        (standing,) = stage.standing(order)
        stage.see(
            order.items == Money(850, "USD") and standing.total == str(order.total),
            "S1",
            f"paid {order.items}: the order stands in the shop once, at {standing.total} with shipping",
            LIFTED,
        )
        stage.trial.until(lambda: stage.counts_agree(ref, variant), PATIENCE, "equal counts")
        stage.see(stage.count(ref) == 0, "S1", "the shop counts 0, and nothing is for sale here", LIFTED)
    finally:
        policy.switch(rule="S1", lift=False, actor=staff(), now=now())


SCENES: tuple[Scene, ...] = (refused, lifted)
BUGS: dict[str, tuple[Scene, ...]] = {}
