"""A shop changes and tells nobody: its currency, or that a product was deleted for good. Nothing is sold by what was
true before.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from crossdock_lab.scenes.scene import Scene, refusal
from crossdock_lab.scenes.stock import held
from crossdock_lab.stage import PATIENCE, Stage, now
from crossdock_lab.trial import Waited

if TYPE_CHECKING:
    from crossdock.store.models import Variant

ALERT = "shop_money_changed"
_SOON = 60.0


def _look_is_due(stage: Stage) -> None:
    """The hourly look after a shop's settings, now."""
    from crossdock.store.models import Connection, Cursor
    from crossdock.store.work import wake

    long_ago = now() - timedelta(hours=3)
    Connection.objects.filter(pk=stage.connection.pk).update(created_at=long_ago, checked_at=None)
    Cursor.objects.filter(connection=stage.connection, stream="hooks").update(due_at=now())
    wake([stage.connection.party_id])


def _alerted(stage: Stage) -> bool:
    return stage.connection.alerts.filter(code=ALERT, settled_at=None).count() == 1


def _refused(stage: Stage, variant: "Variant") -> str:
    """Why a buyer cannot have it now; "" when it was sold."""
    variant.refresh_from_db()
    return refusal(stage.buy, variant)


def _confirmed(stage: Stage) -> bool:
    """The seller presses the alert's button."""
    from django.test import Client

    client = Client(HTTP_HOST="localhost")
    client.force_login(stage.seller.owner)
    return client.post(f"/seller/shops/{stage.connection.public_id}/money/").status_code == 302


def _wrong(stage: Stage, currency: str) -> bool:
    """Something is for sale by a number of the other currency. What waits to be read again is not for sale."""
    from crossdock.store.models import Connection, Variant
    from crossdock.usecases.catalogue.sellable import why_not_sold
    from crossdock.usecases.stock.reservations import sellable

    if not sellable(Connection.objects.get(pk=stage.connection.pk)):
        return False
    offered = Variant.objects.filter(connection=stage.connection, gone=False).exclude(listing__currency=currency)
    return any(why_not_sold(one) == "" for one in offered.select_related("listing__connection"))


def _changed_to(stage: Stage, currency: str, variant: "Variant") -> None:
    from crossdock.kit.hand import SetsCurrency
    from crossdock.store.models import Variant
    from crossdock.usecases.catalogue.sellable import why_not_sold

    hand = stage.shop.hand
    assert isinstance(hand, SetsCurrency)
    stage.trial.call(hand.change_currency(currency))
    _look_is_due(stage)
    try:
        stage.trial.until(lambda: _alerted(stage), _SOON, f"the alert that the shop's prices are in {currency}")
    except Waited:
        stage.see(False, "S1", f"prices in {currency} now: nobody noticed")
        return
    said = _refused(stage, variant)
    stage.see(bool(said), "S1", f"prices in {currency} now: one alert, and the buyer reads: {said}")
    stage.see(_confirmed(stage), "S1", "the seller confirms it")
    wrong = _wrong(stage, currency)

    def sold_again() -> bool:
        nonlocal wrong
        wrong = wrong or _wrong(stage, currency)
        fresh = Variant.objects.select_related("listing__connection").get(pk=variant.pk)
        return why_not_sold(fresh) == "" and fresh.price.currency == currency

    stage.trial.until(sold_again, PATIENCE, f"every price to be read again in {currency}")
    stage.see(not wrong and not _alerted(stage), "S1", f"read again in {currency}; nothing was offered by an old price")


def currency(stage: Stage) -> None:
    """Another currency, and back: stopped, confirmed, read again, sold again."""
    from crossdock.store.models import ShippingRate

    stage.calm()
    _, variant = stage.item(9)
    ShippingRate.objects.create(seller=stage.seller, country="*", currency="EUR", price_minor=499)
    for name in ("EUR", "USD"):
        _changed_to(stage, name, variant)
        variant.refresh_from_db()
        variant.listing.refresh_from_db()
        order = stage.buy(variant)
        stage.lands(order)
        stage.see(
            order.total.currency == name and stage.copy_is(order, "equal"),
            "S1",
            f"sold for {order.total} {name}, and it lands",
        )


def deleted(stage: Stage) -> None:
    """A product deleted for good, of which no webhook told: known at the latest when its count is asked for."""
    from crossdock.kit.hand import EmptiesBin
    from crossdock.store.models import Listing, Order
    from crossdock.usecases.checkout import confirm_stock
    from crossdock.web.live import heard_of

    stage.calm()
    ref, variant = stage.item(1)
    _, other = stage.item(9)
    intent, hand = held(stage, variant), stage.shop.hand
    before = len(stage.trial.call(hand.orders()))
    # What a shop tells of it all the same is not worked off.
    stage.trial.worker.stop()
    try:
        gone = hand.delete_for_good if isinstance(hand, EmptiesBin) else hand.delete_product
        stage.trial.call(gone(ref.product_id))
        questions = confirm_stock.questions_of(intent_id=intent.public_id, now=now())
        answers = list(zip(questions, heard_of(questions, within=10), strict=True))
        verdict = confirm_stock.judged(intent_id=intent.public_id, answers=answers, now=now())
        stage.see(
            not verdict.go, "S4", f"deleted for good, and nobody was told: asked before payment: {verdict.sentence}"
        )
        listing = Listing.objects.get(pk=variant.listing_id)
        stage.see(listing.gone_in_shop, "S4", "the listing is marked as gone in the shop")
        said = _refused(stage, variant)
        stage.see(bool(said), "S4", f"the next buyer reads: {said}")
    finally:
        stage.trial.worker.start()
    order = stage.buy(other)
    stage.lands(order)
    intent.refresh_from_db()
    landed = len(stage.trial.call(hand.orders())) - before
    stage.see(
        intent.state == "declined" and not Order.objects.filter(intent=intent).exists() and landed == 1,
        "S4",
        "nothing was charged for it, and no order for it is in the shop",
    )


SCENES: tuple[Scene, ...] = (deleted, currency)
BUGS: dict[str, tuple[Scene, ...]] = {"currency_unseen": (currency,)}
