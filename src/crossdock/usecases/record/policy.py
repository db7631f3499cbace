"""The operator's switches over the rules, and the rules as a seller reads them today."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from crossdock.domain.capability import Manifest
from crossdock.domain.roles import Right
from crossdock.domain.rules import BY_ID, RULES, Mode, RuleView, view
from crossdock.store.models import PolicySwitch, User
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.rights import require


def lifted(*, rule: str) -> bool:
    newest = PolicySwitch.objects.filter(rule=rule).order_by("-pk").values_list("lifted", flat=True).first()
    return bool(newest)


def switch(*, rule: str, lift: bool, actor: User, now: datetime, why: str = "") -> bool:
    """Kept with who and when; the newest row is in force.

    False when it stood so already (a second click, another tab).
    """
    if rule not in BY_ID:
        raise Invalid("There is no such rule.")
    require(actor, None, "Only staff switch rules.", Right.RULES)
    if lift and Mode.LIFTED not in BY_ID[rule].built:
        raise NotAllowed(f"Lifting {rule} is not built yet.")
    with transaction.atomic():
        if lifted(rule=rule) == lift:
            return False
        PolicySwitch.objects.create(rule=rule, lifted=lift, changed_by=actor, changed_at=now)
        note(
            actor=actor,
            action="policy",
            subject=rule,
            now=now,
            detail={"lifted": lift, **({"why": why.strip()[:200]} if why.strip() else {})},
        )
    return True


def newest_switches() -> dict[str, PolicySwitch]:
    """The row in force of each rule that was ever switched; the others are as described."""
    rows = PolicySwitch.objects.select_related("changed_by").order_by("rule", "-pk").distinct("rule")
    return {row.rule: row for row in rows}


def switches_of(*, rule: str) -> QuerySet[PolicySwitch]:
    """A rule's history, newest first."""
    return PolicySwitch.objects.filter(rule=rule).select_related("changed_by").order_by("-pk")


def rules_for(*, manifest: Manifest) -> list[RuleView]:
    """S1-S9 in plain sentences for this platform, under the switches of the day."""
    newest = {rule: row.lifted for rule, row in newest_switches().items()}
    return [view(rule, manifest, lifted=newest.get(rule.id, False)) for rule in RULES]
