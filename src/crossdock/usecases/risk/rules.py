"""Rule sets: proposed, tried on labelled history, released.

A backtest judges each order with what was kept of its own day, so the future stays out.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from crossdock.domain.risk import WEIGHTS, Facts, RuleSet
from crossdock.domain.risk.report import Report, judged, report
from crossdock.domain.roles import Right
from crossdock.store.models import RiskAssessment, RiskRuleSet, RiskTrace, User
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.rights import require

# An order this old has shown what it is: unlabelled it counts as honest. Younger ones are left out whatever is known of
# them, or the youngest would all be frauds.
MATURE = timedelta(days=90)
_MOST = 50_000


def propose(
    *, weights: Mapping[str, int], medium_from: int, high_from: int, remark: str, actor: User, now: datetime
) -> RiskRuleSet:
    """A new version that is not in force yet.

    Signals that are not named keep the shipped weight. Raises Invalid with every reason.
    """
    require(actor, None, "Only staff change the rules.", Right.RISK)
    rules = RuleSet(0, {**WEIGHTS, **weights}, medium_from, high_from)
    if wrong := rules.problems():
        raise Invalid(" ".join(wrong))
    with transaction.atomic():
        row = RiskRuleSet.objects.create(
            weights=dict(rules.weights),
            medium_from=medium_from,
            high_from=high_from,
            note=remark[:200],
            made_by=actor,
            made_at=now,
        )
        note(actor=actor, action="risk rules", subject=f"proposed {row}", now=now, detail={"note": remark})
    return row


def labelled(*, since: datetime | None, now: datetime) -> list[tuple[Facts, bool]]:
    """(the facts of the order's own day, whether it was fraud), oldest first: orders that are old enough to have
    shown it.
    """
    first = RiskAssessment.objects.filter(why="placed").order_by("order_id", "pk")
    if since:
        first = first.filter(at__gte=since)
    truth = {
        order: bool(fraud)
        for order, fraud in RiskTrace.objects.filter(order__isnull=False, paid=True, at__lte=now - MATURE).values_list(
            "order_id", "fraud"
        )
    }
    rows = first.filter(order_id__in=truth).values_list("order_id", "inputs")[:_MOST]
    return [(Facts.of_json(inputs), truth[order]) for order, inputs in rows]


def backtest(*, rules: RuleSet, since: datetime | None, now: datetime) -> Report:
    return report(judged(rules, labelled(since=since, now=now)))


def release(*, row: RiskRuleSet, lines: Sequence[str], actor: User, now: datetime) -> None:
    """In force from now on; `lines` are the backtest that the person looked at.

    Released once; going back is a new version with the old weights.
    """
    require(actor, None, "Only staff change the rules.", Right.RISK)
    with transaction.atomic():
        fresh = RiskRuleSet.objects.select_for_update(no_key=True).get(pk=row.pk)
        if fresh.live_at is not None:
            return
        if fresh.shadow_at is not None and not fresh.beats:
            raise NotAllowed(
                "These fitted rules were not better than the ones in force on later orders, so they stay in shadow. Fit"
                " again when there are more labels."
            )
        fresh.live_at, fresh.live_by, fresh.report = now, actor, list(lines)
        fresh.save(update_fields=["live_at", "live_by", "report"])
        note(actor=actor, action="risk rules", subject=f"released {fresh}", now=now, detail={"report": list(lines)})


def keep_fitted(*, rules: RuleSet, lines: Sequence[str], beats: bool, now: datetime) -> RiskRuleSet:
    """Learned weights, in shadow; the newest shadow is the one that runs.

    `lines` and `beats` are of orders later than those it learned from.
    """
    if wrong := rules.problems():
        raise Invalid(" ".join(wrong))
    with transaction.atomic():
        row = RiskRuleSet.objects.create(
            weights=dict(rules.weights),
            medium_from=rules.medium_from,
            high_from=rules.high_from,
            needed=rules.needed,
            note="Fitted on labelled orders",
            made_at=now,
            shadow_at=now,
            beats=beats,
            report=list(lines),
        )
        note(actor=None, action="risk rules", subject=f"fitted {row}", now=now, detail={"beats": beats})
    return row
