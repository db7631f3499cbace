"""M9: staff approve a new seller, suspend one and take a listing down: nothing of it is sold whatever is open in an old
tab and whatever the shop says meanwhile; what was ordered before goes on; and after another look all is as before.
"""

from typing import TYPE_CHECKING

from crossdock_lab.scenes.holidays import found
from crossdock_lab.scenes.scene import Scene, refusal
from crossdock_lab.scenes.stock import held
from crossdock_lab.stage import PATIENCE, Stage, now, staff

if TYPE_CHECKING:
    from crossdock.kit.connector import VariantRef
    from crossdock.store.models import ListingReview, Variant

RULE = "M9"
WHY = "Several buyers wrote that nothing came."


def suspended(stage: Stage) -> None:
    """One order is placed before, one payment is on its way, one buyer comes later."""
    from crossdock.usecases.accounts.suspending import resume_seller, suspend_seller
    from crossdock_lab.buying import Till

    ref, variant = stage.item(4)
    order = stage.buy(variant)
    stage.lands(order)
    stage.trial.until(lambda: stage.counts_agree(ref, variant), PATIENCE, "equal counts")
    paying = held(stage, variant)
    suspend_seller(seller=stage.seller, why=WHY, actor=staff(), now=now())
    try:
        paid = refusal(Till(stage.trial.folder).pay, paying)
        why = refusal(stage.buy, variant)
        stage.see(
            not found(stage, variant) and "stopped the sales" in why and "goes back to you" in paid,
            RULE,
            f"suspended: not found, not sold ({why}), and a payment on its way goes back",
        )
        (standing,) = stage.standing(order)
        number = f"M9-{order.number}"
        stage.trial.call(stage.shop.hand.fulfil(standing.shop_id, tracking=number, carrier="UPS"))
        shipped = order.shipments.filter(tracking_number=number)
        stage.trial.until(shipped.exists, PATIENCE, "the tracking number of an order that was placed before")
        stage.trial.call(stage.shop.hand.sell(ref, 1))
        stage.trial.until(lambda: stage.counts_agree(ref, variant), PATIENCE, "the shop's own sale to be read")
        orders = stage.seller.orders.filter(lines__variant=variant).count()
        stage.see(orders == 1, RULE, f"order {order} went on to its number {number}, and no other one came of it")
    finally:
        resume_seller(seller=stage.seller, why="All of it came.", actor=staff(2), now=now())
    again = stage.buy(variant)
    stage.lands(again)
    stage.trial.until(lambda: stage.counts_agree(ref, variant), PATIENCE, "equal counts")
    stage.see(
        found(stage, variant) and stage.count(ref) == 1,
        RULE,
        f"resumed: found again, order {again} landed, and the shop counts {stage.count(ref)}",
    )


def approved(stage: Stage) -> None:
    """A shop that is connected and read already, whose seller is not approved yet."""
    from crossdock.store.models import SellerApproval
    from crossdock.usecases.accounts.approving import approve, ask
    from crossdock.usecases.accounts.barring import set_bar

    ref, variant = stage.item(3, "10.00")
    seller = stage.seller
    row = SellerApproval.objects.create(seller=seller, began_at=now(), facts_at=now())
    set_bar(seller)
    try:
        missing = refusal(ask, seller=seller, actor=seller.owner, now=now())
        stage.trial.call(stage.shop.hand.sell(ref, 1))
        stage.trial.until(lambda: stage.counts_agree(ref, variant), PATIENCE, "the shop's own sale to be read")
        _repriced(stage, ref, variant, "12.50")
        why = refusal(stage.buy, variant)
        stage.see(
            not found(stage, variant) and "not approved" in why and "Confirmed e-mail address" in missing,
            RULE,
            f"not approved yet: the shop is read, and nothing of it is found or sold ({why}); {missing}",
        )
        _bring(stage)
        ask(seller=seller, actor=seller.owner, now=now())
        row.refresh_from_db()
        stale = refusal(_approve, stage, "yesterday")
        stage.see(
            bool(stale) and not found(stage, variant), RULE, f"staff who look at an older page decide nothing: {stale}"
        )
        approve(seller=seller, seen=row.facts_at.isoformat(), words="", actor=staff(), now=now())
        order = stage.buy(variant)
        stage.lands(order)
        stage.trial.until(lambda: stage.counts_agree(ref, variant), PATIENCE, "equal counts")
        stage.see(
            found(stage, variant) and stage.count(ref) == 1,
            RULE,
            f"approved: found, order {order} landed, and the shop counts {stage.count(ref)}",
        )
    finally:
        SellerApproval.objects.filter(seller=seller).delete()
        set_bar(seller)


def _repriced(stage: Stage, ref: "VariantRef", variant: "Variant", price: str) -> None:
    """The shop's own new price is read here."""
    stage.trial.call(stage.shop.hand.reprice(ref, price))

    def told() -> bool:
        variant.refresh_from_db()
        return str(variant.price) == price

    stage.trial.until(told, PATIENCE, "the shop's new price")


def _bring(stage: Stage) -> None:
    """What the checklist misses, as the pages do it."""
    from allauth.account.models import EmailAddress

    from crossdock.domain.moderation.particulars import Contact, Kind, Particulars
    from crossdock.domain.values import Address
    from crossdock.usecases.accounts.details import save_contact, save_document, save_particulars
    from crossdock.usecases.labels.purchase import set_ship_from

    owner = stage.seller.owner
    EmailAddress.objects.update_or_create(user=owner, email=owner.email, defaults={"verified": True, "primary": True})
    start = Address(stage.seller.name, "5 Market St", "Austin", "US", "78701", region="TX")
    set_ship_from(seller=stage.seller, address=start, now=now())
    told = Particulars(
        Kind.PRIVATE, "Nora Kern", "5 Market St", "Austin", "78701", "US", "US", "536-90-4399", born="1990-05-17"
    )
    save_particulars(seller=stage.seller, given=told, actor=owner, now=now())
    save_document(seller=stage.seller, jpeg=b"A card.", actor=owner, now=now())
    there = Contact("Nora Kern", "Hauptstr. 1, 10115 Berlin", "nora@example.test")
    save_contact(seller=stage.seller, given=there, actor=owner, now=now())


def _approve(stage: Stage, seen: str) -> None:
    from crossdock.usecases.accounts.approving import approve

    approve(seller=stage.seller, seen=seen, words="", actor=staff(), now=now())


def taken_down(stage: Stage) -> None:
    """The shop goes on to change it; the one who took it down does not decide the appeal."""
    from crossdock.domain.moderation.takedowns import Deed, Ground
    from crossdock.usecases.catalogue.moderation.deciding import ask, decide, take_down

    ref, variant = stage.item(2, "10.00")
    review = take_down(
        listing=variant.listing,
        ground=Ground.FAKE,
        words="The hologram is printed.",
        until_changed=False,
        actor=staff(),
        now=now(),
    )
    _repriced(stage, ref, variant, "12.50")
    why = refusal(stage.buy, variant)
    stage.see(
        not found(stage, variant) and "took this item down" in why,
        RULE,
        f"taken down: the shop told its new price, and it is neither found nor sold: {why}",
    )
    review = ask(review=review, deed=Deed.APPEALED, words="It is real.", actor=stage.seller.owner, now=now())
    own = refusal(_put_back, review, 1)
    stage.see(
        bool(own) and not found(stage, variant),
        RULE,
        f"the seller appealed, and who took it down cannot decide: {own}",
    )
    decide(review=review, put_back=True, words="We looked again: it is real.", actor=staff(2), now=now())
    order = stage.buy(variant)
    stage.lands(order)
    stage.see(
        found(stage, variant) and str(order.lines.get().unit_price) == "12.50",
        RULE,
        f"somebody else put it back: order {order} landed at the price that the shop told meanwhile",
    )


def _put_back(review: "ListingReview", number: int) -> None:
    from crossdock.usecases.catalogue.moderation.deciding import decide

    decide(review=review, put_back=True, words="It is real.", actor=staff(number), now=now())


SCENES: tuple[Scene, ...] = (suspended, approved, taken_down)
BUGS: dict[str, tuple[Scene, ...]] = {"synced_back": (taken_down,), "unapproved_sold": (approved,)}
