"""S3, S4, S4a, S4b: how an order ends, whoever ends it and when. Units are counted in the shop's own ledger."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from crossdock.domain.capability import Capability
from crossdock.domain.commands import CommandKind
from crossdock_lab.scenes.scene import Scene
from crossdock_lab.stage import LIFTED, PATIENCE, Stage, now, staff

if TYPE_CHECKING:
    from crossdock.domain.commands import CancelReason
    from crossdock.store.models import Order, Variant


def _reject(stage: Stage, order: "Order", reason: "CancelReason | None" = None) -> None:
    from crossdock.domain.commands import CancelReason
    from crossdock.usecases.orders.reject import reject_order

    order.refresh_from_db()
    reject_order(
        order=order,
        reason=reason or CancelReason.BUYER_ASKED,
        actor=stage.seller.owner,
        expected_total=order.total,
        now=now(),
    )


def _told(order: "Order") -> str:
    return " ".join(order.timeline.values_list("sentence", flat=True))


def _at_rest(stage: Stage, variant: "Variant") -> bool:
    """Nothing is on its way to the shop, no count is wanted, and no unit is held."""
    from crossdock.store.models import Command, Reservation, VariantStock

    busy = Command.objects.filter(party=stage.connection.party, state__in=["waiting", "in_flight"]).exists()
    held = Reservation.objects.filter(variant=variant).exclude(state="ended").exists()
    return not busy and not held and not VariantStock.objects.get(pk=variant.pk).want_no


def _ends(stage: Stage, variant: "Variant") -> None:
    stage.trial.until(lambda: _at_rest(stage, variant), PATIENCE, "the end of the order on both sides")


def _credits(order: "Order") -> int:
    from crossdock.store.models import Command

    return Command.objects.filter(subject=f"money:{order.reference}", kind=CommandKind.REFUND_PAYMENT).count()


def _by_hand(stage: Stage, deed: str) -> "Callable[[str], Any] | None":
    """What a seller can do on some platforms only."""
    return getattr(stage.shop.hand, deed, None)


def both_sides(stage: Stage) -> None:
    """S3: rejected here and cancelled there before either knows of the other."""
    ref, variant = stage.item(4)
    order = stage.buy(variant, 2)
    stage.lands(order)
    stage.trial.worker.kill()
    _reject(stage, order)
    stage.trial.call(stage.shop.hand.cancel(stage.standing(order)[0].shop_id))
    stage.trial.worker.start()
    _ends(stage, variant)
    stage.see(
        stage.count(ref) == 4 and stage.available(variant) == 4 and _credits(order) == 1,
        "S3",
        f"cancelled on both sides at once: the shop counts {stage.count(ref)}, here {stage.available(variant)},"
        f" credited {_credits(order)} time",
    )
    stage.see("in the shop" in _told(order), "S3", "the timeline says what happened on either side")


def too_early(stage: Stage) -> None:
    """S3: rejected before it was ever sent."""
    ref, variant = stage.item(3)
    stage.trial.worker.kill()
    order = stage.buy(variant)
    _reject(stage, order)
    stage.trial.worker.start()
    _ends(stage, variant)
    stage.see(
        stage.standing(order) == [] and stage.count(ref) == 3 and "never sent" in _told(order),
        "S3",
        f"rejected before it reached the shop: {len(stage.standing(order))} orders there, the shop counts"
        f" {stage.count(ref)}",
    )


def in_flight(stage: Stage) -> None:
    """S3: rejected while the shop is creating it."""
    from crossdock.store.models import Command

    ref, variant = stage.item(3)
    stage.shop.dial.set({"latency_seconds": 0.6})
    order = stage.buy(variant)
    sent = Command.objects.filter(cause=f"create:{order.reference}", attempts__gt=0)
    stage.trial.until(sent.exists, PATIENCE, "the order to be sent", every=0.01)
    _reject(stage, order)
    stage.calm()
    stage.by_hand(order)
    _ends(stage, variant)
    open_there = [standing for standing in stage.standing(order) if not standing.cancelled]
    stage.see(
        not open_there and stage.count(ref) == 3 and _credits(order) == 1,
        "S3",
        f"rejected while it was being created: {len(open_there)} open orders in the shop, which counts"
        f" {stage.count(ref)} again",
    )


def after_shipping(stage: Stage) -> None:
    """S3: cancelled in the shop after a part, or all of it, had left: no money moves by itself."""
    in_part = ((1, "after 1 of 2 units"),) if stage.manifest.can(Capability.TRACKING_PARTIAL) else ()
    for units, words in (*in_part, (2, "after everything")):
        _, variant = stage.item(4)
        order = stage.buy(variant, 2)
        stage.lands(order)
        (standing,) = stage.standing(order)
        hand, line = stage.shop.hand, standing.lines[0][0]
        stage.trial.call(hand.fulfil(standing.shop_id, tracking=f"LEFT-{units}", carrier="UPS", lines=[(line, units)]))
        stage.trial.until(order.shipments.filter(undone_at=None).exists, PATIENCE, "the parcel")
        try:
            stage.trial.call(hand.cancel(standing.shop_id))
        except Exception as refused:  # each simulated shop refuses in its own words
            there = stage.standing(order)[0]
            stage.see(
                not there.cancelled and there.parcels == 1 and not stage.alerts(order),
                "S3",
                f"the shop itself does not cancel what was shipped: {refused}",
            )
            continue
        stage.trial.until(lambda order=order: "cancelled_in_shop" in stage.alerts(order), PATIENCE, "the alert")  # type: ignore[misc]
        order.refresh_from_db()
        stage.see(
            order.cancelled_at is None and order.credited_minor == 0 and words in _told(order),
            "S3",
            f"cancelled in the shop {words} had left: an alert, no credit, the timeline says so",
        )


def deleted_and_opened_again(stage: Stage) -> None:
    """S3 where a seller can: deleted in the shop; and cancelled, then opened again."""
    from crossdock.store.models import ShopCopy
    from crossdock.usecases.errors import NotAllowed
    from crossdock.usecases.orders.actions import ship_by_hand

    delete, reopen = _by_hand(stage, "delete_order"), _by_hand(stage, "reopen")
    if delete is None or reopen is None:
        return
    _, variant = stage.item(5)
    gone, back = stage.buy(variant), stage.buy(variant)
    for order in (gone, back):
        stage.lands(order)
    stage.trial.call(delete(stage.standing(gone)[0].shop_id))
    stage.trial.until(lambda: "cancelled_in_shop" in stage.alerts(gone), PATIENCE, "the deletion to be seen")
    stage.see("was deleted in the shop" in _told(gone), "S3", "deleted in the shop: an alert with its one button")
    shop_id = stage.standing(back)[0].shop_id
    stage.trial.call(stage.shop.hand.cancel(shop_id))
    stage.trial.until(lambda: "cancelled_in_shop" in stage.alerts(back), PATIENCE, "the cancel to be seen")
    said = ""
    try:
        ship_by_hand(order=back, lines=None, tracking="", carrier="", actor=stage.seller.owner, now=now())
    except NotAllowed as no:
        said = str(no)
    stage.see("cancelled in your shop" in said, "S3", f"its units sell there again, so it cannot be shipped: {said}")
    stage.trial.call(reopen(shop_id))
    open_again = ShopCopy.objects.filter(order=back, state="equal", cancelled_there=False)
    stage.trial.until(open_again.exists, PATIENCE, "the order to be open again")
    stage.see(not stage.alerts(back), "S3", "opened again in the shop: the alert is settled, the order goes on")


def restored_once(stage: Stage) -> None:
    """S4: the shop puts the units back, and nobody else does, also where its count looks as if it had not."""
    ref, variant = stage.item(6)
    order = stage.buy(variant, 2)
    stage.lands(order)
    _ends(stage, variant)
    highest = 0

    def over() -> bool:
        nonlocal highest
        highest = max(highest, stage.available(variant) or 0)
        return _at_rest(stage, variant)

    _reject(stage, order)
    stage.by_hand(order)
    stage.trial.until(lambda: stage.copy_is(order, "cancelled") and over(), PATIENCE, "the restore", every=0.02)
    over()
    stage.see(
        stage.count(ref) == 6 and highest == 6,
        "S4",
        f"2 of 6 sold and rejected: the shop counts {stage.count(ref)}, at most {highest} were for sale here",
    )
    unlucky = stage.buy(variant, 2)
    stage.lands(unlucky)
    _ends(stage, variant)
    stage.trial.worker.kill()
    _reject(stage, unlucky)
    stage.trial.call(stage.shop.hand.sell(ref, 2))
    stage.trial.worker.start()
    stage.ends_there(unlucky)
    _ends(stage, variant)
    stage.see(
        stage.count(ref) == 4 and stage.available(variant) == 4,
        "S4",
        f"restored 2 and sold 2 meanwhile, which looks like no restore: the shop counts {stage.count(ref)}, nothing was"
        " added",
    )


def corrected(stage: Stage) -> None:
    """S4.

    The seller corrects the shop's count from here where the platform takes counts; elsewhere they read why not.
    """
    from crossdock.store.models import Variant
    from crossdock.usecases.errors import NotAllowed
    from crossdock.usecases.stock.restore import correct_count

    ref, variant = stage.item(5)
    fresh = Variant.objects.select_related("listing", "connection").get(pk=variant.pk)
    said = ""
    try:
        correct_count(
            variant=fresh,
            seen=5,
            wanted=7,
            key=f"story-{variant.pk}",
            manifest=stage.manifest,
            actor=stage.seller.owner,
            now=now(),
        )
    except NotAllowed as no:
        said = str(no)
    if not stage.manifest.can(Capability.COUNTS_ADJUST):
        stage.see(bool(said) and stage.count(ref) == 5, "S4", f"the count is corrected in the shop only: {said}")
        return
    stage.trial.until(lambda: stage.count(ref) == 7, PATIENCE, "the corrected count in the shop")
    stage.trial.until(lambda: stage.available(variant) == 7, PATIENCE, "the corrected count to be read")
    stage.see(stage.count(ref) == 7, "S4", f"corrected from here by 2: the shop counts {stage.count(ref)}")


def archived(stage: Stage) -> None:
    """S4a: its units return to the archived listing, and the seller decides."""
    from crossdock.store.models import Alert, Listing
    from crossdock.usecases.catalogue.listings import archive_listing, relist

    ref, variant = stage.item(3)
    order = stage.buy(variant)
    stage.lands(order)
    archive_listing(listing=variant.listing, now=now())
    _reject(stage, order)
    stage.by_hand(order)
    _ends(stage, variant)
    asked = Alert.objects.filter(listing=variant.listing, code="units_back", settled_at=None)
    stage.see(
        stage.count(ref) == 3 and asked.count() == 1,
        "S4a",
        f"rejected after its listing was archived: the unit returned ({stage.count(ref)} in the shop), and the seller"
        " is asked",
    )
    relist(listing=Listing.objects.get(pk=variant.listing_id), now=now())
    stage.see(
        stage.available(variant) == 3 and not asked.exists(),
        "S4a",
        f"listed again: {stage.available(variant)} for sale, the question is settled",
    )


def not_there(stage: Stage) -> None:
    """S4b: "I don't have it". No read, restore or recount lifts it; only the seller's word does."""
    from crossdock.domain.commands import CancelReason
    from crossdock.usecases.stock.confirm import confirm_count

    ref, variant = stage.item(3)
    order = stage.buy(variant)
    stage.lands(order)
    _reject(stage, order, CancelReason.NOT_AVAILABLE)
    _ends(stage, variant)
    before = stage.count(ref)
    stage.trial.call(stage.shop.hand.recount(ref, 9))
    with_nine = variant.stock.__class__.objects.filter(pk=variant.pk, count=9)
    stage.trial.until(with_nine.exists, PATIENCE, "the recount to be read")
    stage.see(
        stage.available(variant) == 0,
        "S4b",
        f"rejected as missing: the shop counted {before}, then {stage.count(ref)}; {stage.available(variant)} for sale"
        " here",
    )
    stage.trial.call(stage.shop.hand.recount(ref, 2))
    confirm_count(variant=variant, count=None, actor=stage.seller.owner, now=now())
    stage.trial.until(lambda: stage.available(variant) == 2, PATIENCE, "the confirmed count to be sold")
    stage.see(stage.count(ref) == 2, "S4b", f"confirmed: {stage.available(variant)} for sale, as the shop counts")


def both_sides_lifted(stage: Stage) -> None:
    """S3 lifted: cancelled there while the worker is down, found by the poll, credited once, and the shop is not asked
    to cancel again.
    """
    from crossdock.store.models import Command
    from crossdock.usecases.record import policy

    policy.switch(rule="S3", lift=True, actor=staff(), now=now())
    try:
        ref, variant = stage.item(3)
        order = stage.buy(variant, 2)
        stage.lands(order)
        stage.trial.worker.kill()
        stage.trial.call(stage.shop.hand.cancel(stage.standing(order)[0].shop_id))
        stage.trial.worker.start()
        stage.trial.until(lambda: _credits(order) == 1 and _at_rest(stage, variant), PATIENCE, "the cancel to arrive")
        asked = Command.objects.filter(
            subject=order.reference, kind__in=[CommandKind.CANCEL_ORDER, CommandKind.ADJUST_STOCK]
        ).count()
        stage.see(
            stage.count(ref) == 3 and stage.available(variant) == 3 and not asked,
            "S3",
            f"cancelled in the shop, seen by the poll: credited once, {asked} calls to the shop, which counts"
            f" {stage.count(ref)}",
            LIFTED,
        )
    finally:
        policy.switch(rule="S3", lift=False, actor=staff(), now=now())


SCENES: tuple[Scene, ...] = (
    both_sides,
    too_early,
    in_flight,
    after_shipping,
    deleted_and_opened_again,
    restored_once,
    corrected,
    archived,
    not_there,
    both_sides_lifted,
)
BUGS: dict[str, tuple[Scene, ...]] = {"restore_twice": (restored_once,)}
