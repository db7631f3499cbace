"""S5: each paid order is judged with its reasons; the operator's policy decides what waits; a question about it opens a thread with staff."""

from typing import TYPE_CHECKING

from crossdock.cli.scenes.scene import Scene
from crossdock.cli.stage import PATIENCE, Stage, now

if TYPE_CHECKING:
    from crossdock.store.models import Order, User


def _staff() -> "User":
    from crossdock.store.models import User

    return User.objects.get_or_create(email="staff@example.test", defaults={"is_staff": True})[0]


def _buys_badly(stage: Stage) -> "Order":
    """A new buyer whose card fails its checks, with a throw-away address, who had two cards declined just before."""
    from crossdock.demo.buying import NotPaid, Till
    from crossdock.domain.values import Address
    from crossdock.store.models import User

    _, variant = stage.item(3)
    buyer = User.objects.create_user(f"x{stage.made}-{stage.platform}@mailinator.com", None, name="X")
    ship_to = Address("X", "8425 Dock Road Suite 4", "Miami", "US", "60614", region="FL", phone="12")
    for _ in range(2):
        try:
            Till(stage.trial.folder, "sandbox", "declined").buy(buyer=buyer, variant=variant, ship_to=ship_to)
        except NotPaid:
            continue
    return Till(stage.trial.folder, "sandbox", "security-code").buy(buyer=buyer, variant=variant, ship_to=ship_to)


def judged_high(stage: Stage) -> None:
    """The level with its reasons, kept as it was judged; nothing of it is written to the shop."""
    from crossdock.store.models import RiskAssessment

    order = _buys_badly(stage)
    order.refresh_from_db()
    kept = RiskAssessment.objects.filter(order=order).latest("pk")
    worst = " ".join(reason["sentence"] for reason in kept.contributions[:3])
    stage.see(
        order.risk == "high" and "high_risk" in stage.alerts(order), "S5",
        f"high, {order.risk_available} of {order.risk_asked} signals available: {worst}",
    )  # fmt: skip
    stage.lands(order)
    sent = order.copy.__class__.objects.get(order=order)
    stage.see(
        sent.state == "equal",
        "S5",
        "the seller decides: the order went to the shop, and nothing about its risk with it",
    )


def held_until_cleared(stage: Stage) -> None:
    """With the policy "hold": not in the shop before staff clear it, then there once."""
    from crossdock.store.models.risk import RiskChoice
    from crossdock.usecases.risk.clearing import clear_hold
    from crossdock.usecases.risk.holds import choose, held

    choose(to=RiskChoice.HOLD, actor=_staff(), now=now())
    try:
        order = _buys_badly(stage)
        other = stage.buy(stage.item(2)[1])
        stage.lands(other)
        stage.see(
            held(order) and stage.standing(order) == [], "S5", "held: a later order is in the shop, this one is not"
        )
        for _ in range(2):
            clear_hold(order=order, actor=_staff(), note="Rang them up.", now=now())
        stage.lands(order)
        stage.see(len(stage.standing(order)) == 1, "S5", "cleared by staff, pressed twice: it stands in the shop once")
    finally:
        choose(to=RiskChoice.SELLER, actor=_staff(), now=now())


def asked_about(stage: Stage) -> None:
    """ "Ask about this order" opens one thread with staff, who answer there."""
    from crossdock.store.models import Case
    from crossdock.usecases.cases import answer, open_case

    order = _buys_badly(stage)
    for _ in range(2):
        open_case(
            seller=stage.seller, opened_by=stage.seller.owner, kind="risk", subject=f"Risk of order #{order.number}", body="Is it safe to ship?",
            order=order, now=now(),
        )  # fmt: skip
    (case,) = Case.objects.filter(order=order, kind="risk")
    answer(case=case, author=_staff(), body="The card was reported lost. Reject it.", now=now())
    stage.trial.until(lambda: case.messages.count() == 2, PATIENCE, "the answer")
    stage.see(True, "S5", "asked twice, one thread; staff answered in it")


SCENES: tuple[Scene, ...] = (judged_high, held_until_cleared, asked_about)
BUGS: dict[str, tuple[Scene, ...]] = {}
