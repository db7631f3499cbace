"""Judging an order: the facts of now, the rules in force, and a row that keeps both for ever. The order shows the newest judgement."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from crossdock.domain.alerts import AlertCode
from crossdock.domain.risk import SHIPPED, Assessment, Facts, RiskLevel, RuleSet, assess
from crossdock.store.models import Order, RiskAssessment, RiskRuleSet, RiskTrace
from crossdock.usecases.alerts import raise_alert, settle_by_fact
from crossdock.usecases.risk.facts import facts_of
from crossdock.usecases.risk.places import place_of
from crossdock.usecases.risk.writing import wish_written
from crossdock.usecases.timeline import tell

_NEWEST = """
SELECT (SELECT id FROM store_riskruleset WHERE live_at IS NOT NULL ORDER BY live_at DESC, id DESC LIMIT 1),
       (SELECT id FROM store_riskruleset WHERE live_at IS NULL AND shadow_at IS NOT NULL ORDER BY shadow_at DESC, id DESC LIMIT 1)
"""


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


def judge(*, order: Order, why: str, now: datetime, trace: RiskTrace | None = None) -> Assessment:
    """`why` says what made it necessary; `trace` is the order's own, where the caller has it. An order from before there were traces stays as it is."""
    # No savepoint: in the checkout each round trip counts, and what fails here fails the whole.
    with transaction.atomic(savepoint=False):
        trace = trace or RiskTrace.objects.filter(order=order).first()
        if trace is None:
            return Assessment(RiskLevel(order.risk), (), order.risk_available, order.risk_asked)
        facts = facts_about(order, trace, now)
        rules, shadow = _rules_of_the_day()
        found = assess(facts, rules)
        reasons = [reason.as_json() for reason in found.reasons]
        RiskAssessment.objects.create(
            order=order, at=now, why=why[:80], rules_id=rules.version or None, level=found.level, score=found.score, available=found.available, asked=found.asked,
            inputs=facts.as_json(), contributions=reasons, shadow_score=float(assess(facts, shadow).score) if shadow else None,
        )  # fmt: skip
        _show(order, found, reasons, why, now=now)
        if why != "placed":
            wish_written(order=order, now=now)
        return found


def _rules_of_the_day() -> tuple[RuleSet, RuleSet | None]:
    """What is in force, and the newest fitted rules that run in shadow. Released ones are no shadow any more."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST)
        live, shadow = cursor.fetchone() or (None, None)
    return (_rule_set(live) if live else SHIPPED), (_rule_set(shadow) if shadow else None)


@lru_cache(maxsize=16)
def _rule_set(version: int) -> RuleSet:
    """A rule set is never edited, so it is read once."""
    return RiskRuleSet.objects.get(pk=version).value


def _show(order: Order, found: Assessment, reasons: list[dict[str, Any]], why: str, *, now: datetime) -> None:
    before = order.risk
    order.risk, order.risk_reasons, order.risk_available, order.risk_asked = (
        found.level,
        reasons,
        found.available,
        found.asked,
    )
    Order.objects.filter(pk=order.pk).update(
        risk=found.level, risk_reasons=reasons, risk_available=found.available, risk_asked=found.asked
    )
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
