"""What is read of judgements, rules and held orders. Nothing here writes."""

from django.db.models import QuerySet

from crossdock.store.models import Order, RiskHold, RiskListEntry, RiskRuleSet, RiskTrace


def held_orders() -> QuerySet[RiskHold]:
    """Those that wait for staff, the longest first."""
    rows = RiskHold.objects.filter(cleared_at=None, order__cancelled_at=None)
    return rows.select_related("order__seller", "order__buyer").order_by("held_at")


def hold_of(order: Order) -> RiskHold | None:
    return RiskHold.objects.select_related("cleared_by").filter(order=order).first()


def rule_sets() -> QuerySet[RiskRuleSet]:
    return RiskRuleSet.objects.select_related("made_by", "live_by").order_by("-pk")


def list_entries() -> QuerySet[RiskListEntry]:
    return RiskListEntry.objects.select_related("added_by")


def trace_about(order: Order) -> RiskTrace | None:
    return RiskTrace.objects.filter(order=order).first()
