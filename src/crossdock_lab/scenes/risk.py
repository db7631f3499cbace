"""S5: each paid order is judged with its reasons; the operator's policy decides what waits; a question about it opens
a thread with staff.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from crossdock.domain.capability import Capability
from crossdock_lab.scenes.scene import Scene, needs
from crossdock_lab.stage import LIFTED, PATIENCE, Stage, now, staff

if TYPE_CHECKING:
    from crossdock.store.models import Order


def _buys_badly(stage: Stage) -> "Order":
    """A new buyer whose card fails its checks, with a throw-away address, who had two cards declined just before."""
    from crossdock.domain.values import Address
    from crossdock.store.models import User
    from crossdock_lab.buying import NotPaid, Till

    _, variant = stage.item(3)
    buyer = User.objects.create_user(f"x{stage.made}-{stage.platform}@mailinator.com", None, name="X")
    ship_to = Address("X", "8425 Dock Road Suite 4", "Miami", "US", "60614", region="FL", phone="12")
    for _ in range(2):
        try:
            Till(stage.trial.folder, "sandbox", "declined").buy(buyer=buyer, variant=variant, ship_to=ship_to)
        except NotPaid:
            continue
    return Till(stage.trial.folder, "sandbox", "security-code").buy(buyer=buyer, variant=variant, ship_to=ship_to)


def _buys_well(stage: Stage) -> "Order":
    """Somebody who has been here for long and buys once; the stage's own buyer orders all day, and is judged by it."""
    from crossdock.store.models import User

    buyer = User.objects.create_user(f"calm{stage.made}-{stage.platform}@example.test", None, name="Ada Buyer")
    User.objects.filter(pk=buyer.pk).update(date_joined=now() - timedelta(days=400))
    return stage.buy(stage.item(2)[1], buyer=User.objects.get(pk=buyer.pk))


def judged_high(stage: Stage) -> None:
    """The level with its reasons, kept as it was judged; nothing of it is written to the shop."""
    from crossdock.store.models import RiskAssessment

    order = _buys_badly(stage)
    order.refresh_from_db()
    kept = RiskAssessment.objects.filter(order=order).latest("pk")
    worst = " ".join(reason["sentence"] for reason in kept.contributions[:3])
    stage.see(
        order.risk == "high" and "high_risk" in stage.alerts(order),
        "S5",
        f"high, {order.risk_available} of {order.risk_asked} signals available: {worst}",
    )
    stage.lands(order)
    sent = order.copy.__class__.objects.get(order=order)
    stage.see(
        sent.state == "equal",
        "S5",
        "the seller decides: the order went to the shop, and nothing about its risk with it",
    )


@needs(Capability.RISK_WRITE)
def written_to_the_shop(stage: Stage) -> None:
    """S5 lifted: at the order in the shop, once per judgement, for its staff alone; again when the level changes; not
    for a cancelled order.
    """
    from crossdock.domain.commands import CancelReason
    from crossdock.kit.hand import ReadsNotes
    from crossdock.store.models import Command, Order
    from crossdock.usecases.orders.reject import reject_order
    from crossdock.usecases.record import policy
    from crossdock.usecases.risk.judge import judge

    def see(true: bool, words: str) -> None:
        stage.see(true, "S5", words, LIFTED)

    hand = stage.shop.hand
    assert isinstance(hand, ReadsNotes)
    policy.switch(rule="S5", lift=True, actor=staff(), now=now())
    try:
        order, plain = _buys_badly(stage), _buys_well(stage)
        kept = _wait_for_word(stage, order)

        def said(shop_id: str) -> list[str]:
            """What is written there about risk, in the shop's own ledger."""
            return [text for text in stage.trial.call(hand.staff_words(shop_id)) if "Risk of fraud" in text]

        words = said(kept)
        told = "\n".join(words)
        see(
            len(words) == 1
            and "high" in told.lower()
            and "look at it before you ship" in told
            and "security code did not match" in told,
            f"written to the order in the shop, with {told.count(chr(10))} reasons: {told[:110]!r}",
        )
        seen = " ".join(stage.trial.call(hand.buyer_words(kept)))
        see(
            "risk" not in seen.lower() and order.buyer.email not in told,
            "the buyer sees nothing of it, and it names nobody",
        )
        other = said(_wait_for_word(stage, plain))
        see(
            len(other) == 1 and "look at it before you ship" not in other[0],
            "a harmless order carries its own level",
        )
        order.buyer.date_joined = now() - timedelta(days=900)
        order.buyer.save()
        paid = order.intent
        assert paid is not None
        paid.checks = {"postal_code": "pass", "cvc": "pass", "three_d_secure": "authenticated"}
        paid.save()
        found = judge(order=Order.objects.get(pk=order.pk), why="the bank's answer came", now=now())
        stage.trial.until(lambda: len(said(kept)) == 2, PATIENCE, "the second level")
        newest = said(kept)[-1]
        see(
            found.level.value in newest.lower(),
            f"judged again as {found.level.value}: that stands beside it as the newest",
        )
        reject_order(
            order=plain, reason=CancelReason.FRAUD, actor=stage.seller.owner, expected_total=plain.total, now=now()
        )
        judge(order=Order.objects.get(pk=plain.pk), why="asked again", now=now())
        quiet = Command.objects.filter(subject=f"risk:{plain.reference}").count() == 1
        see(quiet, "of an order that was cancelled here nothing more is written")
    finally:
        policy.switch(rule="S5", lift=False, actor=staff(), now=now())


def _wait_for_word(stage: Stage, order: "Order") -> str:
    """The shop's id of the order, once the line of its risk is empty."""
    from crossdock.store.models import Command, ShopCopy

    def done() -> bool:
        return Command.objects.filter(subject=f"risk:{order.reference}", state="done", result="ok").exists()

    stage.lands(order)
    stage.trial.until(done, PATIENCE, f"the risk of {order} to be written")
    return str(ShopCopy.objects.get(order=order).shop_order_id)


def held_until_cleared(stage: Stage) -> None:
    """With the policy "hold": not in the shop before staff clear it, then there once."""
    from crossdock.store.models.risk import RiskChoice
    from crossdock.usecases.orders.clear_risk_hold import clear_hold
    from crossdock.usecases.risk.holds import choose, held

    choose(to=RiskChoice.HOLD, actor=staff(), now=now())
    try:
        order = _buys_badly(stage)
        other = _buys_well(stage)
        stage.lands(other)
        stage.see(
            held(order) and stage.standing(order) == [], "S5", "held: a later order is in the shop, this one is not"
        )
        for _ in range(2):
            clear_hold(order=order, actor=staff(), note="Rang them up.", now=now())
        stage.lands(order)
        stage.see(len(stage.standing(order)) == 1, "S5", "cleared by staff, pressed twice: it stands in the shop once")
    finally:
        choose(to=RiskChoice.SELLER, actor=staff(), now=now())


def asked_about(stage: Stage) -> None:
    """ "Ask about this order" opens one thread with staff, who answer there."""
    from crossdock.store.models import Case
    from crossdock.usecases.support.cases import answer, open_case

    order = _buys_badly(stage)
    for _ in range(2):
        open_case(
            seller=stage.seller,
            opened_by=stage.seller.owner,
            kind="risk",
            subject=f"Risk of order #{order.number}",
            body="Is it safe to ship?",
            order=order,
            now=now(),
        )
    (case,) = Case.objects.filter(order=order, kind="risk")
    answer(case=case, author=staff(), body="The card was reported lost. Reject it.", now=now())
    stage.trial.until(lambda: case.messages.count() == 2, PATIENCE, "the answer")
    stage.see(True, "S5", "asked twice, one thread; staff answered in it")


SCENES: tuple[Scene, ...] = (judged_high, written_to_the_shop, held_until_cleared, asked_about)
BUGS: dict[str, tuple[Scene, ...]] = {}
