"""Judging an order: the facts of now, the rules in force, and a row that keeps both for ever.

The order shows the newest judgement.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from crossdock.domain.alerts import AlertCode
from crossdock.domain.risk import SHIPPED, Assessment, Facts, RiskLevel, RuleSet, assess
from crossdock.store.models import Order, RiskAssessment, RiskRuleSet, RiskTrace, User
from crossdock.store.models.risk import RiskChoice
from crossdock.store.together import Statement, insert_of
from crossdock.usecases.record.telling import Telling, telling
from crossdock.usecases.risk.facts import Past, known_of
from crossdock.usecases.risk.places import place_of
from crossdock.usecases.risk.writing import wish_written


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found, and what it was found from."""

    found: Assessment
    facts: Facts
    shadow_score: float | None
    choice: RiskChoice

    @property
    def reasons(self) -> list[dict[str, Any]]:
        return [reason.as_json() for reason in self.found.reasons]

    def on_order(self) -> dict[str, Any]:
        """The fields of the order that show it."""
        found = self.found
        return {
            "risk": found.level,
            "risk_reasons": self.reasons,
            "risk_available": found.available,
            "risk_asked": found.asked,
        }


def rules_in_force() -> tuple[RuleSet, RiskRuleSet | None]:
    """The newest released rule set, or the one shipped with the program."""
    row = RiskRuleSet.objects.exclude(live_at=None).order_by("-live_at", "-pk").first()
    return (row.value, row) if row else (SHIPPED, None)


def look(
    *,
    trace: RiskTrace,
    checks: Mapping[str, str],
    ship_to: Mapping[str, str],
    buyer: User,
    now: datetime,
    past: Past | None = None,
) -> Judgement:
    """Nothing is written. `checks` are the gateway's words about the card; `past` where it was asked for already."""
    place = place_of(trace.ip)
    known = known_of(
        trace=trace,
        checks=checks,
        ship_to=ship_to,
        joined_at=buyer.date_joined,
        ip_country=place.country,
        ip_hosting=place.hosting,
        until=now,
        past=past,
    )
    shadow = float(assess(known.facts, known.shadow).score) if known.shadow else None
    return Judgement(assess(known.facts, known.rules), known.facts, shadow, known.choice)


def keep(*, order: Order, judgement: Judgement, why: str, told: Telling) -> None:
    """The order shows it already. `why` says what made it necessary."""
    _kept(order, judgement, why, told.now).save(force_insert=True)
    warn(order=order, judgement=judgement, told=told)


def keep_placed(judged: Sequence[tuple[RiskTrace, Order, Judgement]], *, now: datetime) -> list[Statement]:
    """The same for fresh orders, and their try to pay is over: one statement, sent along with what else is written,
    since the buyer waits for it. `warn` comes after it.

    The first has the trace of the try; those of further orders are written beside it, by one statement more.
    """
    if not judged:
        return []
    (trace, order, _), *more = judged
    insert, values = insert_of([_kept(order, judgement, "placed", now) for _, order, judgement in judged])
    ended = (
        "WITH ended AS (UPDATE store_risktrace SET paid = TRUE, order_id = %s, card = %s, seller = %s,"
        " amount_minor = %s, units = %s WHERE id = %s)"
    )
    known = [order.pk, trace.card, trace.seller, trace.amount_minor, trace.units, trace.pk]
    for beside, its, _ in more:
        beside.order, beside.paid = its, True
    return [(f"{ended} {insert}", [*known, *values]), *([insert_of([one for one, _, _ in more])] if more else [])]


def _kept(order: Order, judgement: Judgement, why: str, now: datetime) -> RiskAssessment:
    found = judgement.found
    return RiskAssessment(
        order=order,
        at=now,
        why=why[:80],
        rules_id=found.version or None,
        level=found.level,
        score=found.score,
        available=found.available,
        asked=found.asked,
        inputs=judgement.facts.as_json(),
        contributions=judgement.reasons,
        shadow_score=judgement.shadow_score,
    )


def warn(*, order: Order, judgement: Judgement, told: Telling) -> None:
    """The seller is told of a high risk."""
    found = judgement.found
    if found.level is RiskLevel.HIGH:
        worst = " ".join(reason.sentence for reason in found.reasons[:3] if reason.points > 0)
        told.raise_alert(
            code=AlertCode.HIGH_RISK,
            seller=order.seller,
            order=order,
            sentence=f"Order {order}: {worst}",
            evidence={"score": found.score},
        )


def judge(*, order: Order, why: str, now: datetime, told: Telling | None = None) -> Assessment:
    """An order that stands already, once more. One from before there were traces stays as it is."""
    with telling(now, told) as told:
        trace = RiskTrace.objects.filter(order=order).first()
        if trace is None:
            return Assessment(RiskLevel(order.risk), (), order.risk_available, order.risk_asked)
        judgement = look(
            trace=trace,
            checks=order.intent.checks if order.intent else {},
            ship_to=order.ship_to,
            buyer=order.buyer,
            now=now,
        )
        before, level = order.risk, judgement.found.level
        for name, value in judgement.on_order().items():
            setattr(order, name, value)
        order.save(update_fields=list(judgement.on_order()))
        keep(order=order, judgement=judgement, why=why, told=told)
        if before == RiskLevel.HIGH != level:
            told.settle_by_fact(how="Judged again: no longer high risk.", codes=(AlertCode.HIGH_RISK,), order=order)
        if before != level:
            words = f"Risk judged again ({why}): {before.replace('_', ' ')} → {level.value.replace('_', ' ')}."
            told.tell(order=order, source="marketplace", kind="risk", sentence=words)
        wish_written(order=order, now=now)
        return judgement.found


def judge_again_linked(*, trace: RiskTrace, why: str, now: datetime, limit: int = 50) -> int:
    """New links make earlier orders look different: those that share a card, a device or an address and are not
    shipped yet. Returns how many.
    """
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
