"""M6: a seller's rules of what is sold of a shop and at what price, with faults on. They follow the shop's own prices,
and an order stands in the shop at what its buyer paid.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from crossdock_lab.scenes.fulfilments import FAULTS
from crossdock_lab.scenes.scene import Scene, refusal
from crossdock_lab.stage import PATIENCE, Stage, now

if TYPE_CHECKING:
    from crossdock.domain.selling.choice import Choice
    from crossdock.domain.selling.pricing import Pricing
    from crossdock.store.models import Variant

RULE = "M6"


def _asked(variant: "Variant") -> int:
    from crossdock.store.models import Variant

    return Variant.objects.get(pk=variant.pk).price_minor


def _followed(stage: Stage) -> None:
    """As the seller's page does, which does not leave the first batch to the worker's next minute."""
    from crossdock.usecases.catalogue.selling.run import follow, still_to_follow

    follow(connection_id=stage.connection.pk, now=now())
    stage.trial.until(lambda: not still_to_follow(stage.connection), PATIENCE, "the listings to follow a seller's rule")


def _priced(stage: Stage, rule: "Pricing") -> None:
    from crossdock.usecases.catalogue.selling.price_rules import mark, try_rule, use_rule

    owner = stage.seller.owner
    try_rule(connection=stage.connection, rule=rule, manifest=stage.manifest, actor=owner)
    use_rule(connection=stage.connection, seen=mark(rule), actor=owner, now=now())
    _followed(stage)


def _chosen(stage: Stage, choice: "Choice") -> None:
    from crossdock.usecases.catalogue.selling.rules import mark, try_choice, use_draft

    owner = stage.seller.owner
    try_choice(connection=stage.connection, choice=choice, actor=owner)
    use_draft(connection=stage.connection, seen=mark(choice), actor=owner, now=now())
    _followed(stage)


def _changes(stage: Stage, read: Callable[[], object], before: object, what: str) -> object:
    """What is read once it is another one than before."""
    stage.trial.until(lambda: read() != before, PATIENCE, what)
    return read()


def price_rule(stage: Stage) -> None:
    """A tenth and a quarter dollar more, up to the next .99: at once for what is here, and for what is read later."""
    from crossdock.domain.capability import Capability
    from crossdock.domain.selling.pricing import OWN, Pricing, Way

    rule = Pricing(percent=10_00, fixed=25, step=100, ending=99, way=Way.UP, currency="USD")
    if not stage.manifest.can(Capability.ORDER_AT_OUR_PRICE):
        why = refusal(lambda: _priced(stage, rule))
        stage.see(bool(why), RULE, f"no rule where an order could not stand at another price than the shop's: {why}")
        return
    ref, variant = stage.item(3)
    try:
        _priced(stage, rule)
        stage.see(_asked(variant) == 11_99, RULE, f"$10.00 in the shop are {_asked(variant)} cents here by the rule")
        stage.shop.dial.set(FAULTS)
        stage.trial.call(stage.shop.hand.reprice(ref, "20.00"))
        asked = _changes(stage, lambda: _asked(variant), 11_99, "a price that changed in the shop to be read")
        stage.see(asked == 22_99, RULE, f"$20.00 there are {asked} here: the rule is never applied to its own result")
        order = stage.buy(variant)
        stage.lands(order)
        copies = stage.standing(order)
        line = order.lines.get().unit_price_minor
        stage.see(
            line == 22_99 and [Decimal(copy.total) for copy in copies] == [Decimal(str(order.total))],
            RULE,
            f"an order at {line} stands once in the shop, at what was paid: {[copy.total for copy in copies]}",
        )
    finally:
        stage.calm()
        _priced(stage, OWN)
    stage.see(_asked(variant) == 20_00, RULE, f"without a rule the shop's own price is asked again: {_asked(variant)}")


def chosen(stage: Stage) -> None:
    """Only what costs $50.00 or more in the shop; what is cheaper leaves and comes back by what the shop asks."""
    from crossdock.domain.selling.choice import Choice

    (cheap_ref, cheap), (dear_ref, dear) = stage.item(2), stage.item(2, price="60.00")

    def out(variant: "Variant") -> str:
        variant.listing.refresh_from_db()
        return variant.listing.not_chosen

    try:
        _chosen(stage, Choice(low=50_00, currency="USD"))
        why = refusal(stage.buy, cheap)
        stage.see(
            bool(out(cheap) and why) and not out(dear),
            RULE,
            f"of $10.00 and $60.00 only what costs $50.00 is sold; the other says why: {out(cheap)}",
        )
        stage.trial.call(stage.shop.hand.reprice(dear_ref, "40.00"))
        stage.trial.call(stage.shop.hand.reprice(cheap_ref, "55.00"))
        stage.trial.until(
            lambda: (_asked(dear), _asked(cheap)) == (40_00, 55_00), PATIENCE, "the new prices of both to be read"
        )
        stage.see(
            bool(out(dear) and refusal(stage.buy, dear)) and not out(cheap),
            RULE,
            f"asked $40.00 in the shop it leaves by itself ({out(dear)}), and at $55.00 the other comes back",
        )
        order = stage.buy(cheap)
        stage.lands(order)
    finally:
        _chosen(stage, Choice())
    stage.see(not out(dear), RULE, "everything is chosen again, and nothing was deleted")


SCENES: tuple[Scene, ...] = (price_rule, chosen)
BUGS: dict[str, tuple[Scene, ...]] = {"priced_twice": (price_rule,), "choice_ignored": (chosen,)}
