"""M1: one cart, one payment, several sellers: what follows a shop and what is listed by hand, together.

Counted in the bank's own ledger, and in the shop's own.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from crossdock_lab.scenes.money import bank
from crossdock_lab.scenes.scene import Scene
from crossdock_lab.stage import PATIENCE, Stage, now

if TYPE_CHECKING:
    from crossdock.store.models import Order, PaymentIntent, Variant

RULE = "M1"


def hand_item(stage: Stage, count: int) -> "Variant":
    """Of a seller of their own, who has no shop."""
    from crossdock.domain.values import Money
    from crossdock.usecases.catalogue.listings import make_listing
    from crossdock_lab.buying import make_seller

    stage.made += 1
    name = f"By hand {stage.platform} {stage.made}"
    seller = make_seller(name=name, email=f"hand-{stage.platform}-{stage.made}@example.test", shipping_minor=201)
    listing = make_listing(
        seller=seller, title=f"Owl {stage.made}", description="", price=Money(733, "USD"), count=count, now=now()
    )
    return listing.variants.get()


def _begin(stage: Stage, units: dict[str, int]) -> "PaymentIntent":
    from crossdock.domain.values import Address
    from crossdock_lab.buying import Till

    ship_to = Address(f"Zoë Buyer {stage.made}", "1 Elm Street", "Springfield", "US", "12345", region="IL")
    return Till(stage.trial.folder).begin(buyer=stage.buyer, basket={"lines": units}, ship_to=ship_to)


def _pay(stage: Stage, intent: "PaymentIntent") -> "list[Order]":
    from crossdock.store.models import Order
    from crossdock_lab.buying import Till

    Till(stage.trial.folder).pay(intent)
    return list(Order.objects.filter(intent=intent).order_by("pk"))


def quiet(stage: Stage, intent: "PaymentIntent") -> bool:
    """Nothing is asked of the bank for it any more."""
    from crossdock.store.models import Command

    asked = Command.objects.filter(kind="refund_payment", payload__intent=intent.public_id)
    return not asked.filter(state__in=["waiting", "in_flight"]).exists()


def one_payment(stage: Stage) -> None:
    """Both are bought at once: an order in the shop, an order for the hand, each its own books."""
    from django.db.models import Sum

    from crossdock.store.models import Entry

    _, synced = stage.item(3)
    hand = hand_item(stage, 2)
    intent = _begin(stage, {synced.public_id: 2, hand.public_id: 1})
    shop_order, hand_order = _pay(stage, intent)
    stage.lands(shop_order)
    booked = Entry.objects.filter(transfer__order__in=[shop_order, hand_order], account="gateway")
    stage.see(
        booked.aggregate(sum=Sum("amount_minor"))["sum"] == intent.amount_minor == 2000 + 499 + 733 + 201
        and len(stage.standing(shop_order)) == 1
        and not stage.standing(hand_order),
        RULE,
        f"paid {intent.amount_minor} minor units once: order {shop_order} stands in the shop, {hand_order} waits for"
        " its seller's hands, the books of both are the payment",
    )


def a_part_refused(stage: Stage) -> None:
    """The shop has fewer than we thought and refuses its part: that part is credited to the cent, the other goes on."""
    from crossdock.domain.commands import CancelReason
    from crossdock.usecases.orders.actions import ship_by_hand
    from crossdock.usecases.orders.reject import reject_order

    ref, synced = stage.item(2)
    hand = hand_item(stage, 1)
    stage.trial.worker.kill()
    stage.trial.call(stage.shop.hand.sell(ref, 1))
    intent = _begin(stage, {synced.public_id: 2, hand.public_id: 1})
    shop_order, hand_order = _pay(stage, intent)
    stage.trial.worker.start()
    stage.trial.until(lambda: stage.copy_is(shop_order, "refused", "equal", "differs"), PATIENCE, "the shop's answer")
    shop_order.refresh_from_db()
    reject_order(
        order=shop_order,
        reason=CancelReason.OTHER,
        actor=stage.seller.owner,
        expected_total=shop_order.total - shop_order.credited,
        now=now(),
    )
    line = hand_order.lines.get()
    ship_by_hand(
        order=hand_order,
        lines={line.pk: 1},
        tracking="T1",
        carrier="UPS",
        actor=hand_order.seller.owner,
        now=now(),
        key="m1",
    )
    stage.trial.until(
        lambda: quiet(stage, intent) and shop_order.credits.filter(state="refunded").exists(), PATIENCE, "the credit"
    )
    shop_order.refresh_from_db()
    hand_order.refresh_from_db()
    stage.see(
        bank(stage, shop_order) == [2499] and (shop_order.money, hand_order.money) == ("credited", "paid"),
        RULE,
        f"the shop refuses its part: the bank's books say {bank(stage, shop_order)} back of {intent.amount_minor};"
        f" order {hand_order} is {hand_order.parcels}",
    )


def gone_while_paying(stage: Stage) -> None:
    """A hold ran out and the last unit went to somebody else before the money came: that part goes back, the shop's
    lands.
    """
    from crossdock.store.models import Reservation
    from crossdock.usecases.checkout.checkout import expire_checkouts

    _, synced = stage.item(2)
    hand = hand_item(stage, 1)
    intent = _begin(stage, {synced.public_id: 1, hand.public_id: 1})
    late = Reservation.objects.filter(variant=hand, state="checkout")
    late.update(expires_at=now() - timedelta(seconds=1))
    expire_checkouts(now=now())
    (other,) = _pay(stage, _begin(stage, {hand.public_id: 1}))
    (shop_order,) = _pay(stage, intent)
    stage.lands(shop_order)
    stage.trial.until(lambda: quiet(stage, intent) and bool(bank(stage, shop_order)), PATIENCE, "the part to go back")
    stage.see(
        bank(stage, shop_order) == [934] and bank(stage, other) == [] and shop_order.total_minor == 1499,
        RULE,
        f"the other seller's last unit was gone when the money came: {bank(stage, shop_order)} of {intent.amount_minor}"
        f" went back, order {shop_order} stands in the shop",
    )


SCENES: tuple[Scene, ...] = (one_payment, a_part_refused, gone_while_paying)
BUGS: dict[str, tuple[Scene, ...]] = {"whole_goes_back": (gone_while_paying,)}
