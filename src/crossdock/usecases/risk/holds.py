"""The marketplace's choice for orders of high risk: the seller decides, staff clear them first, or the marketplace
carries the loss.
"""

from datetime import datetime

from django.db import transaction

from crossdock.domain.risk import RiskLevel
from crossdock.domain.roles import Right
from crossdock.store.models import Order, RiskHold, RiskPolicy, User
from crossdock.store.models.risk import RiskChoice
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.rights import require
from crossdock.usecases.record.telling import Telling

MEANING: dict[str, str] = {
    RiskChoice.SELLER: "You decide: ship it, reject it, or ask us first. A loss by fraud is yours.",
    RiskChoice.HOLD: (
        "An order of high risk waits until our staff clear it; only then it goes to your shop. A loss by fraud is"
        " yours."
    ),
    RiskChoice.GUARANTEE: (
        "Ship it to the address on the order with a tracking number: then a loss by fraud is ours, whatever the level"
        " says."
    ),
}


def choice() -> RiskChoice:
    newest = RiskPolicy.objects.order_by("-pk").values_list("choice", flat=True).first()
    return RiskChoice(newest) if newest else RiskChoice.SELLER


def choose(*, to: RiskChoice, actor: User, now: datetime) -> None:
    """Counts for orders placed from now on."""
    require(actor, None, "Only staff change this.", Right.RISK)
    with transaction.atomic():
        RiskPolicy.objects.create(choice=to, changed_by=actor, changed_at=now)
        note(actor=actor, action="risk_policy", subject=to, now=now)


def policy_holds(*, order: Order, policy: RiskChoice) -> bool:
    """By the policy it was judged under. True when it must not go to its shop yet."""
    return order.risk == RiskLevel.HIGH and policy is RiskChoice.HOLD


def hold(*, order: Order, told: Telling) -> None:
    """In the transaction that places the order."""
    RiskHold.objects.create(order=order, held_at=told.now)
    told.tell(
        order=order,
        source="marketplace",
        kind="risk_held",
        sentence="High risk: the order waits until our staff have looked at it. Do not ship it yet.",
    )


def held(order: Order) -> bool:
    return RiskHold.objects.filter(order=order, cleared_at=None).exists() and order.cancelled_at is None
