"""S8: money back, as described and lifted.

Counted in the bank's own ledger; what stands in the shop in the shop's own.
"""

from typing import TYPE_CHECKING

from crossdock.domain.capability import Capability
from crossdock.domain.commands import CommandKind
from crossdock_lab.scenes.scene import Scene, needs, refusal
from crossdock_lab.stage import DESCRIBED, LIFTED, PATIENCE, Stage, now, staff

if TYPE_CHECKING:
    from crossdock.kit.connector import VariantRef
    from crossdock.store.models import Credit, Order, Variant


def bank(stage: Stage, order: "Order") -> list[int]:
    """Minor units of each refund that the bank itself has in its books for this order."""
    from crossdock.payments.sandbox.ledger import Ledger, refunds_of

    assert order.intent is not None
    ledger = Ledger(stage.trial.folder / "payments" / "sandbox" / "ledger.sqlite")
    with ledger.book() as db:
        return [minor for _, minor, _ in refunds_of(db, order.intent.public_id)]


def _paid_back(stage: Stage, order: "Order", credits: int = 1) -> None:
    """Until the bank confirmed so many credits of the order, and nothing is asked of it any more."""
    from crossdock.store.models import Command

    asked = Command.objects.filter(subject=f"money:{order.reference}", kind=CommandKind.REFUND_PAYMENT)

    def done() -> bool:
        busy = asked.filter(state__in=["waiting", "in_flight"]).exists()
        return not busy and order.credits.filter(state="refunded").count() >= credits

    stage.trial.until(done, PATIENCE, "the bank to confirm the credit")
    order.refresh_from_db()


def _read_again(stage: Stage, order: "Order") -> None:
    """The shop's copy is looked at once more, as after news that came twice."""
    from crossdock.store.models import ShopCopy
    from crossdock.store.work import wake

    copies = ShopCopy.objects.filter(order=order)
    copies.update(read_wanted=True)
    wake([stage.connection.party_id])
    stage.trial.until(copies.filter(read_wanted=False).exists, PATIENCE, "the copy to be read again")


def _refunded_there(stage: Stage, order: "Order", amount: str) -> None:
    before = order.shop_refunds.count()
    stage.trial.call(stage.shop.hand.refund(stage.standing(order)[0].shop_id, amount))
    stage.trial.until(lambda: order.shop_refunds.count() > before, PATIENCE, "the shop's refund to be seen")


def rejected_once(stage: Stage) -> None:
    """A reject that is pressed twice: the whole order, once."""
    from crossdock.domain.commands import CancelReason
    from crossdock.usecases.orders.reject import reject_order

    _, variant = stage.item(3)
    order = stage.buy(variant, 2)
    stage.lands(order)
    wish = {
        "order": order,
        "reason": CancelReason.BUYER_ASKED,
        "actor": stage.seller.owner,
        "expected_total": order.total,
    }
    reject_order(**wish, now=now())  # type: ignore[arg-type]
    said = refusal(reject_order, **wish, now=now())
    _paid_back(stage, order)
    stage.see(
        bank(stage, order) == [order.total_minor] and "credited once" in said,
        "S8",
        f"rejected, pressed twice: the bank paid back {order.total} in one refund; the second press reads: {said}",
    )


@needs(Capability.REFUND_SEEN)
def after_fulfilment(stage: Stage) -> None:
    """A refund in the shop moves nothing; after shipping the seller asks, staff credit, and a large amount needs a
    second person.
    """
    _, variant = stage.item(2, "300.00")
    order = stage.buy(variant)
    stage.lands(order)
    _refunded_there(stage, order, "3.00")
    stage.see(
        bank(stage, order) == [] and "refunded_in_shop" in stage.alerts(order),
        "S8",
        "3.00 refunded in the shop: an alert, and nothing in the bank's books",
    )
    stage.trial.call(
        stage.shop.hand.fulfil(stage.standing(order)[0].shop_id, tracking=f"M-{order.number}", carrier="UPS")
    )
    stage.trial.until(order.shipments.exists, PATIENCE, "the parcel to be seen")
    order.refresh_from_db()
    credit = _asked(stage, order)
    _decided(stage, order, credit)
    _second_person(stage, order)


def _asked(stage: Stage, order: "Order") -> "Credit":
    from crossdock.usecases.money.credits import ask_credit

    refund = order.shop_refunds.get()
    wish = {
        "order": order,
        "amount": refund.amount,
        "reason": "Goodwill",
        "body": "I refunded it in my shop.",
        "actor": stage.seller.owner,
    }
    credit = ask_credit(**wish, now=now(), refund=refund)  # type: ignore[arg-type]
    again = ask_credit(**wish, now=now(), refund=refund)  # type: ignore[arg-type]
    stage.see(
        again == credit and credit.cases.count() == 1 and bank(stage, order) == [],
        "S8",
        f"shipped: the seller asks staff for {credit.amount}, twice; one case is open and no money moved",
    )
    return credit


def _decided(stage: Stage, order: "Order", credit: "Credit") -> None:
    from crossdock.usecases.money.credits import decide_credit

    for _ in range(2):
        decide_credit(credit=credit, grant_it=True, actor=staff(), remark="Seen in the shop.", now=now())
    _paid_back(stage, order)
    stage.see(
        bank(stage, order) == [300] and "refunded_in_shop" not in stage.alerts(order),
        "S8",
        f"staff credit it, pressed twice: the bank's books say {bank(stage, order)}, and the alert is settled",
    )


def _second_person(stage: Stage, order: "Order") -> None:
    from crossdock.domain.values import Money
    from crossdock.usecases.money.credits import decide_credit, staff_credit

    credit = staff_credit(
        order=order, amount=Money(25_000, "USD"), reason="Never arrived", actor=staff(), key="story", now=now()
    )
    alone = refusal(decide_credit, credit=credit, grant_it=True, actor=staff(), remark="Me again.", now=now())
    stage.see(
        credit.state == "second" and "second person" in alone and bank(stage, order) == [300],
        "S8",
        f"250.00 by one of staff alone: {alone}",
    )
    decide_credit(credit=credit, grant_it=True, actor=staff(2), remark="I agree.", now=now())
    _paid_back(stage, order, 2)
    more = refusal(
        staff_credit, order=order, amount=order.total, reason="Goodwill", actor=staff(), key="more", now=now()
    )
    stage.see(
        sum(bank(stage, order)) == 25_300 == order.credited_minor and bool(more),
        "S8",
        f"a second person agrees: {sum(bank(stage, order))} minor units are back; the whole price on top is refused:"
        f" {more}",
    )


@needs(Capability.REFUND_SEEN)
def refund_lifted(stage: Stage) -> None:
    """Lifted: a refund in the shop credits the buyer once, however often it is seen; above the limit staff decide."""
    from crossdock.usecases.money.credits import decide_credit
    from crossdock.usecases.record import policy

    _, variant = stage.item(3, "150.00")
    policy.switch(rule="S8", lift=True, actor=staff(), now=now())
    try:
        order = stage.buy(variant)
        stage.lands(order)
        _refunded_there(stage, order, "3.00")
        _paid_back(stage, order)
        for _ in range(3):
            _read_again(stage, order)
        _paid_back(stage, order)
        stage.see(
            bank(stage, order) == [300] and "refunded_in_shop" not in stage.alerts(order),
            "S8",
            f"3.00 refunded in the shop and seen four times: the bank's books say {bank(stage, order)}",
            LIFTED,
        )
        large = stage.buy(variant)
        stage.lands(large)
        _refunded_there(stage, large, "120.00")
        stage.trial.until(large.credits.exists, PATIENCE, "the prefilled case")
        wish = large.credits.get()
        stage.see(
            wish.state == "asked" and wish.cases.count() == 1 and bank(stage, large) == [],
            "S8",
            f"120.00 refunded in the shop is above the limit: staff have a case prefilled with {wish.amount}, no money"
            " moved",
            LIFTED,
        )
        decide_credit(credit=wish, grant_it=True, actor=staff(), remark="Right.", now=now())
        _paid_back(stage, large)
        stage.see(
            bank(stage, large) == [12_000], "S8", f"staff agree: the bank's books say {bank(stage, large)}", LIFTED
        )
    finally:
        policy.switch(rule="S8", lift=False, actor=staff(), now=now())


def _reject(stage: Stage, order: "Order", units: int, key: str) -> int:
    """So many units of its one line, as the seller's page does it; the minor units that the button named."""
    from crossdock.domain.commands import CancelReason
    from crossdock.usecases.orders.reject_units import Pick, preview_parts, reject_parts

    order.refresh_from_db()
    picks = {order.lines.get().pk: Pick(units, CancelReason.BUYER_ASKED)}
    shown = preview_parts(order=order, picks=picks, manifest=stage.manifest)
    reject_parts(
        order=order,
        picks=picks,
        expected_total=shown.total,
        key=key,
        manifest=stage.manifest,
        actor=stage.seller.owner,
        now=now(),
    )
    return shown.total.minor


def lines_lifted(stage: Stage) -> None:
    """Single units: their share of everything paid, taken out of the shop's order, freed by a later read; the parts
    are the whole.
    """
    from crossdock.usecases.record import policy

    ref, variant = stage.item(6)
    order = stage.buy(variant, 3)
    stage.lands(order)
    why_not = refusal(_reject, stage=stage, order=order, units=1, key="one")
    stage.see("whole order" in why_not and bank(stage, order) == [], "S8", f"as described: {why_not}", DESCRIBED)
    policy.switch(rule="S8", lift=True, actor=staff(), now=now())
    try:
        first = _reject(stage, order, 1, "one")
        _paid_back(stage, order)
        if stage.manifest.can(Capability.LINES_CANCEL):
            _taken_out(stage, order, first, ref, variant)
        else:
            (standing,) = stage.standing(order)
            stage.see(
                bank(stage, order) == [first]
                and [units for _, units in standing.lines] == [3]
                and "cancel_failed" in stage.alerts(order),
                "S8",
                f"1 of 3 units rejected: {bank(stage, order)} back, an alert asks to take it out of the shop by hand",
                LIFTED,
            )
        rest = _reject(stage, order, 2, "rest")
        _paid_back(stage, order, 2)
        stage.ends_there(order)
        stage.trial.until(lambda: stage.counts_agree(ref, variant), PATIENCE, "equal counts")
        stage.see(
            bank(stage, order) == [first, rest] and first + rest == order.total_minor and stage.count(ref) == 6,
            "S8",
            f"the other two as well: {first} + {rest} are exactly the {order.total_minor} paid, the shop counts"
            f" {stage.count(ref)}",
            LIFTED,
        )
    finally:
        policy.switch(rule="S8", lift=False, actor=staff(), now=now())


def _taken_out(stage: Stage, order: "Order", first: int, ref: "VariantRef", variant: "Variant") -> None:
    """One of three units, out of the shop's order by our call."""
    stage.trial.until(lambda: stage.copy_is(order, "equal", "differs"), PATIENCE, "the units to leave the shop's order")
    (standing,) = stage.standing(order)
    stage.see(
        bank(stage, order) == [first] and [units for _, units in standing.lines] == [2],
        "S8",
        f"1 of 3 units rejected: {bank(stage, order)} back, {standing.lines[0][1]} units stand in the shop",
        LIFTED,
    )
    stage.trial.until(lambda: stage.counts_agree(ref, variant), PATIENCE, "equal counts")
    _read_again(stage, order)
    stage.see(
        stage.count(ref) == 4 and stage.copy_is(order, "equal") and order.shop_refunds.count() == 0,
        "S4",
        f"the shop counts {stage.count(ref)}, here {stage.available(variant)}; its own trace of that is no refund,"
        " and the copy is equal",
        LIFTED,
    )


SCENES: tuple[Scene, ...] = (rejected_once, after_fulfilment, refund_lifted, lines_lifted)
BUGS: dict[str, tuple[Scene, ...]] = {"credit_twice": (after_fulfilment,), "refund_seen_as_new": (refund_lifted,)}
