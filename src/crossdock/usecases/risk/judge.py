"""Judging an order: the facts of now, the rules in force, and a row that keeps both for ever. The order shows the newest judgement."""

from dataclasses import asdict
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from crossdock.domain.alerts import AlertCode
from crossdock.domain.risk import SHIPPED, Assessment, Facts, RiskLevel, RuleSet, assess
from crossdock.store.models import Order, RiskAssessment, RiskRuleSet, RiskTrace
from crossdock.usecases.alerts import raise_alert, settle_by_fact
from crossdock.usecases.risk.facts import facts_of
from crossdock.usecases.risk.places import place_of
from crossdock.usecases.risk.writing import wish_written
from crossdock.usecases.timeline import tell


def rules_in_force() -> tuple[RuleSet, RiskRuleSet | None]:
    """The newest released rule set, or the one shipped with the program."""
    row = RiskRuleSet.objects.exclude(live_at=None).order_by("-live_at", "-pk").first()
    return (row.value, row) if row else (SHIPPED, None)


def facts_about(order: Order, trace: RiskTrace, until: datetime | None = None) -> Facts:
    place = place_of(trace.ip)
    return facts_of(
        trace=trace, checks=order.intent.checks, ship_to=order.ship_to, joined_at=order.buyer.date_joined, ip_country=place.country,
        ip_hosting=place.hosting, until=until,
    )  # fmt: skip


def judge(*, order: Order, why: str, now: datetime) -> Assessment:
    """`why` says what made it necessary. An order from before there were traces stays as it is."""
    # No savepoint: in the checkout each round trip counts, and what fails here fails the whole.
    with transaction.atomic(savepoint=False):
        trace = RiskTrace.objects.filter(order=order).first()
        rules, row, shadow = _rules_of_the_day()
        if trace is None:
            return Assessment(RiskLevel(order.risk), (), order.risk_available, order.risk_asked)
        facts = facts_about(order, trace, now)
        found = assess(facts, rules)
        RiskAssessment.objects.create(
            order=order, at=now, why=why[:80], rules=row, level=found.level, score=found.score, available=found.available, asked=found.asked,
            inputs=facts.as_json(), contributions=[asdict(reason) for reason in found.reasons], shadow_score=float(assess(facts, shadow.value).score) if shadow else None,
        )  # fmt: skip
        _show(order, found, why, now=now)
        if why != "placed":
            wish_written(order=order, now=now)
        return found


def _rules_of_the_day() -> tuple[RuleSet, RiskRuleSet | None, RiskRuleSet | None]:
    """In one question: what is in force, and the newest fitted rules that run in shadow. Released ones are no shadow any more."""
    rows = list(RiskRuleSet.objects.filter(Q(live_at__isnull=False) | Q(shadow_at__isnull=False)))
    live = max((row for row in rows if row.live_at), key=lambda row: (row.live_at, row.pk), default=None)
    shadow = max((row for row in rows if not row.live_at), key=lambda row: (row.shadow_at, row.pk), default=None)
    return (live.value if live else SHIPPED), live, shadow


def _show(order: Order, found: Assessment, why: str, *, now: datetime) -> None:
    before = order.risk
    order.risk, order.risk_available, order.risk_asked = found.level, found.available, found.asked
    order.risk_reasons = [asdict(reason) for reason in found.reasons]
    order.save(update_fields=["risk", "risk_reasons", "risk_available", "risk_asked"])
    if found.level is RiskLevel.HIGH:
        worst = " ".join(reason.sentence for reason in found.reasons[:3] if reason.points > 0)
        raise_alert(
            code=AlertCode.HIGH_RISK, seller=order.seller, order=order, now=now, sentence=f"Order {order}: {worst}", evidence={"score": found.score}
        )  # fmt: skip
    elif before == RiskLevel.HIGH:
        settle_by_fact(now=now, how="Judged again: no longer high risk.", codes=(AlertCode.HIGH_RISK,), order=order)
    if why != "placed" and before != found.level:
        words = f"Risk judged again ({why}): {before.replace('_', ' ')} → {found.level.value.replace('_', ' ')}."
        tell(order=order, now=now, source="marketplace", kind="risk", sentence=words)


def judge_again_linked(*, trace: RiskTrace, why: str, now: datetime, limit: int = 50) -> int:
    """New links make earlier orders look different: those that share a card, a device or an address and are not shipped yet. Returns how many."""
    done = 0
    for order in linked_orders(trace, limit=limit):
        judge(order=order, why=why, now=now)
        done += 1
    return done


def linked_orders(trace: RiskTrace, *, limit: int = 50) -> list[Order]:
    """Orders that are still open and share something with this try."""
    same = Q(pk__in=[])
    for name in ("card", "device", "address"):
        if value := getattr(trace, name):
            same |= Q(**{f"trace__{name}": value})
    rows = Order.objects.filter(same, cancelled_at=None).exclude(parcels="shipped")
    if trace.order_id:
        rows = rows.exclude(pk=trace.order_id)
    return list(rows.select_related("seller__owner", "buyer", "intent", "connection").order_by("-pk")[:limit])
