"""What cannot be taken in: a poison of each kind, planted in our own database, concerns itself alone. The rest of its
page, the next order and the shop's page say so, and it heals when the poison is gone.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from crossdock_lab.scenes.scene import Scene
from crossdock_lab.stage import PATIENCE, Stage, now
from crossdock_lab.trial import Waited

if TYPE_CHECKING:
    from crossdock.store.models import Order

RULE = "S6"
_SOON = 40.0
ALONE, HEALS = "it stands alone, and both pages say so", "it heals when it can be taken in"


@contextmanager
def _poison(table: str, condition: str) -> Iterator[None]:
    """Rows like that are refused by the database from now on, as an odd value would be."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT poison CHECK (NOT ({condition})) NOT VALID")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT poison")


def _standing(stage: Stage) -> set[str]:
    from crossdock.usecases.parties.quarantine import standing

    return set(standing(connection_id=stage.connection.pk).values_list("kind", flat=True))


def _comes(stage: Stage, true: Callable[[], bool], seen: str) -> bool:
    """A fact that is waited for; that it never comes is a wrong one, not a breakdown."""
    try:
        stage.trial.until(true, _SOON, seen)
    except Waited:
        return stage.see(False, RULE, f"not so: {seen}")
    return stage.see(True, RULE, seen)


def _said(stage: Stage) -> bool:
    """The seller's page of the shop, and staff's, name what stands there; one alert per cause."""
    from django.test import Client

    from crossdock.store.models import User
    from crossdock.usecases.parties.quarantine import standing

    staff, _ = User.objects.get_or_create(email="odd@staff.example.test", defaults={"is_staff": True, "roles": "admin"})
    pages = []
    for who, path in ((stage.seller.owner, "seller/shops"), (staff, "staff/shops")):
        client = Client(HTTP_HOST="localhost")
        client.force_login(who)
        pages.append(client.get(f"/{path}/{stage.connection.public_id}/").content.decode())
    open_ones = stage.connection.alerts.filter(code="not_understood", settled_at=None)
    causes = standing(connection_id=stage.connection.pk).values("cause").distinct()
    return open_ones.count() == causes.count() >= 1 and all("Could not be taken in" in page for page in pages)


def _healed(stage: Stage) -> bool:
    from crossdock.usecases.parties.quarantine import standing
    from crossdock.usecases.support.quarantine_board import release

    causes = set(standing(connection_id=stage.connection.pk).values_list("cause", flat=True))
    if causes:
        release(causes=causes, actor=None, now=now())
    return not causes and not stage.connection.alerts.filter(code="not_understood", settled_at=None).exists()


def product(stage: Stage) -> None:
    """One product of a page cannot be listed."""
    from crossdock.store.models import Listing

    stage.calm()
    titled = Listing.objects.filter(connection=stage.connection)
    with _poison("store_listing", "title = 'Poison'"):
        stage.trial.call(stage.shop.hand.add_product("Poison", [("POISON", "10.00", 3)]))
        stage.trial.call(stage.shop.hand.add_product("Beside it", [("BESIDE", "10.00", 3)]))
        _comes(stage, lambda: titled.filter(title="Beside it").exists(), "a product that trips: the next one is listed")
        _comes(stage, lambda: _standing(stage) == {"product"} and _said(stage), ALONE)
        order = stage.buy(stage.item(3)[1])
        _comes(stage, lambda: stage.copy_is(order, "equal", "differs"), "the next order lands all the same")
    _comes(stage, lambda: _healed(stage), HEALS)
    stage.see(titled.filter(title="Poison").count() == 1, RULE, "and is listed then, once")


def order(stage: Stage) -> None:
    """One order's news of a page cannot be taken in."""
    from crossdock.store.models import ShopCopy

    stage.calm()
    _, variant = stage.item(9)
    odd, beside = stage.buy(variant), stage.buy(variant)
    stage.lands(odd)
    stage.lands(beside)
    there = ShopCopy.objects.filter(cancelled_there=True)
    with _poison("store_shopcopy", f"order_id = {odd.pk} AND cancelled_there"):
        for one in (odd, beside):
            stage.trial.call(stage.shop.hand.cancel(stage.standing(one)[0].shop_id))
        _comes(stage, lambda: there.filter(order=beside).exists(), "an order that trips: the next one's cancel is seen")
        _comes(stage, lambda: _standing(stage) == {"order"} and _said(stage), ALONE)
        following = stage.buy(variant)
        _comes(stage, lambda: stage.copy_is(following, "equal", "differs"), "the next order lands all the same")
    _comes(stage, lambda: _healed(stage), HEALS)
    stage.see(there.filter(order=odd).exists(), RULE, "and its cancel is known then")


def count(stage: Stage) -> None:
    """One count of an answer cannot be taken in."""
    stage.calm()
    (odd, there), (beside, here) = stage.item(9), stage.item(9)
    with _poison("store_variantstock", f"variant_id = {there.pk} AND count = 7"):
        for ref in (odd, beside):
            stage.trial.call(stage.shop.hand.recount(ref, 7))
        _comes(stage, lambda: stage.available(here) == 7, "a count that trips: the next one is read")
        _comes(stage, lambda: bool(_standing(stage)) and _said(stage), ALONE)
    _comes(stage, lambda: _healed(stage), HEALS)
    _comes(stage, lambda: stage.counts_agree(odd, there), "and the counts are equal then")


def answer(stage: Stage) -> None:
    """What a shop answered to a command cannot be taken in."""
    from crossdock.store.models import Order

    stage.calm()
    _, variant = stage.item(9)
    last = Order.objects.order_by("-pk").values_list("pk", flat=True).first() or 0

    def bought() -> "Order":
        return stage.buy(variant)

    with _poison("store_shopcopy", f"order_id = {last + 1} AND acknowledged_at IS NOT NULL"):
        odd, following = bought(), bought()
        _comes(
            stage, lambda: stage.copy_is(following, "equal", "differs"), "an answer that trips: the next order lands"
        )
        _comes(stage, lambda: _standing(stage) == {"command"} and _said(stage), ALONE)
    _comes(stage, lambda: _healed(stage), HEALS)
    stage.trial.until(lambda: stage.copy_is(odd, "equal", "differs"), PATIENCE, "the order to be found")
    stage.see(len(stage.standing(odd)) == 1, RULE, "and the order stands in the shop once")


def delivery(stage: Stage) -> None:
    """What a webhook tells cannot be taken in: the next one is, and none is left waiting for it."""
    from crossdock.domain.capability import Capability
    from crossdock.store.models import Delivery, ShopCopy

    if not stage.manifest.can(Capability.WEBHOOKS):
        return
    stage.calm()
    stage.listens()
    _, variant = stage.item(9)
    odd, beside = stage.buy(variant), stage.buy(variant)
    stage.lands(odd)
    stage.lands(beside)
    waiting = Delivery.objects.filter(party_id=stage.connection.party_id, handled_at=None)
    there = ShopCopy.objects.filter(cancelled_there=True)
    with _poison("store_shopcopy", f"order_id = {odd.pk} AND cancelled_there"):
        # Kept while nobody works them off, so that it is a delivery that brings the poison.
        stage.trial.worker.stop()
        try:
            named = [stage.standing(one)[0].shop_id for one in (odd, beside)]
            for shop_id in named:
                stage.trial.call(stage.shop.hand.cancel(shop_id))
            stage.trial.until(
                lambda: set(named) <= {look["entity_id"] for row in waiting.all() for look in row.news["looks"]},
                PATIENCE,
                "a webhook for each of the two orders",
            )
        finally:
            stage.trial.worker.start()
        _comes(stage, lambda: there.filter(order=beside).exists(), "a webhook that trips: the next one is taken in")
        _comes(stage, lambda: not waiting.all().exists(), "and none is left waiting for it")
        _comes(stage, lambda: _standing(stage) == {"order"} and _said(stage), ALONE)
        following = stage.buy(variant)
        _comes(stage, lambda: stage.copy_is(following, "equal", "differs"), "the next order lands all the same")
    _comes(stage, lambda: _healed(stage), HEALS)
    stage.see(there.filter(order=odd).exists(), RULE, "and its cancel is known then")


SCENES: tuple[Scene, ...] = (product, order, count, answer, delivery)
BUGS: dict[str, tuple[Scene, ...]] = {"one_trips_all": (product, order, count)}
