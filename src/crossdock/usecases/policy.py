"""The operator's switches over the rules, and the rules as a seller reads them today."""

from datetime import datetime

from django.db import transaction

from crossdock.domain.capability import Manifest
from crossdock.domain.rules import BY_ID, RULES, Mode, RuleView, view
from crossdock.store.models import AuditEntry, PolicySwitch, User
from crossdock.usecases.errors import Invalid, NotAllowed


def lifted(*, rule: str) -> bool:
    newest = PolicySwitch.objects.filter(rule=rule).order_by("-pk").values_list("lifted", flat=True).first()
    return bool(newest)


def switch(*, rule: str, lift: bool, actor: User, now: datetime) -> None:
    """Kept with who and when; the newest row is in force."""
    if rule not in BY_ID:
        raise Invalid("There is no such rule.")
    if not actor.is_staff:
        raise NotAllowed("Only staff switch rules.")
    if lift and Mode.LIFTED not in BY_ID[rule].built:
        raise NotAllowed(f"Lifting {rule} is not built yet.")
    with transaction.atomic():
        PolicySwitch.objects.create(rule=rule, lifted=lift, changed_by=actor, changed_at=now)
        AuditEntry.objects.create(at=now, actor=actor, action="policy", subject=rule, detail={"lifted": lift})


def rules_for(*, manifest: Manifest) -> list[RuleView]:
    """S1-S9 in plain sentences for this platform, under the switches of the day."""
    newest: dict[str, bool] = {}
    for row in PolicySwitch.objects.order_by("pk"):
        newest[row.rule] = row.lifted
    return [view(rule, manifest, lifted=newest.get(rule.id, False)) for rule in RULES]
