"""The risk analysis as staff keep it: orders that wait, the policy, the rules with a trial on history before they
count, the lists, one order's evidence.
"""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crossdock.domain.risk import BY_CODE, SIGNALS, RuleSet
from crossdock.domain.roles import Right
from crossdock.store.models import Order, User
from crossdock.store.models.risk import RiskChoice, RiskListKind, RiskListWhat
from crossdock.usecases.errors import Problem
from crossdock.usecases.orders.clear_risk_hold import clear_hold
from crossdock.usecases.orders.queries import bare_orders
from crossdock.usecases.risk.holds import MEANING, choice, choose
from crossdock.usecases.risk.judge import linked_orders, rules_in_force
from crossdock.usecases.risk.labels import label_order
from crossdock.usecases.risk.lists import add_to_list, take_off_list
from crossdock.usecases.risk.queries import held_orders, hold_of, list_entries, rule_sets, trace_about
from crossdock.usecases.risk.rules import backtest, propose, release
from crossdock.web.forms import typed
from crossdock.web.staff.panel import page_of, show, staff_only

BACK = timedelta(days=730)
LAST = 20


@staff_only(Right.RISK)
@require_http_methods(["GET", "HEAD", "POST"])
def home(request: HttpRequest, staff: User) -> HttpResponse:
    """Orders that wait for staff, and what happens with orders of high risk."""
    if request.method == "POST":
        wanted = typed(request.POST, "choice")
        if wanted in RiskChoice.values:
            choose(to=RiskChoice(wanted), actor=staff, now=timezone.now())
            messages.success(request, "Saved. It counts for orders placed from now on.")
        return redirect("staff_risk")
    rules, row = rules_in_force()
    context = {
        "held": held_orders()[:200],
        "choice": choice(),
        "choices": [(value, label, MEANING[value]) for value, label in RiskChoice.choices],
        "rules": rules,
        "row": row,
        "sets": rule_sets()[:LAST],
    }
    return show(request, "risk", context, here="risk")


class RulesForm(forms.Form):
    """A weight per signal, from -100 to 100; 0 switches it off."""

    medium_from = forms.IntegerField(label="Medium from", min_value=1, max_value=1000)
    high_from = forms.IntegerField(label="High from", min_value=2, max_value=1000)
    note = forms.CharField(label="Why this change", max_length=200, required=False)

    def __init__(self, *args: Any, rules: RuleSet, **kwargs: Any) -> None:
        given = {"medium_from": rules.medium_from, "high_from": rules.high_from}
        given |= {f"w_{signal.code}": rules.weights.get(signal.code, 0) for signal in SIGNALS}
        kwargs["initial"] = given
        super().__init__(*args, **kwargs)
        for signal in SIGNALS:
            label = signal.bad.rstrip(".")
            self.fields[f"w_{signal.code}"] = forms.IntegerField(label=label, min_value=-100, max_value=100)

    def rows(self) -> list[forms.BoundField]:
        return [self[f"w_{signal.code}"] for signal in SIGNALS]

    def weights(self) -> dict[str, int]:
        return {signal.code: self.cleaned_data[f"w_{signal.code}"] for signal in SIGNALS}


@staff_only(Right.RISK)
@require_http_methods(["GET", "HEAD", "POST"])
def rules(request: HttpRequest, staff: User) -> HttpResponse:
    """Change weights and lines; kept as a proposal, with its trial on history beside that of the rules in force."""
    now_rules, _ = rules_in_force()
    form = RulesForm(request.POST or None, rules=now_rules)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            row = propose(
                weights=form.weights(),
                medium_from=data["medium_from"],
                high_from=data["high_from"],
                remark=data["note"],
                actor=staff,
                now=timezone.now(),
            )
        except Problem as problem:
            form.add_error(None, str(problem))
        else:
            return redirect("staff_risk_set", row.pk)
    return show(request, "risk_rules", {"form": form}, here="risk", status=422 if form.is_bound else 200)


@staff_only(Right.RISK)
@require_http_methods(["GET", "HEAD", "POST"])
def rule_set(request: HttpRequest, staff: User, pk: int) -> HttpResponse:
    """A proposal beside what is in force, both tried on the same orders; then the button that puts it in force."""
    row = get_object_or_404(rule_sets(), pk=pk)
    now = timezone.now()
    kept = row.live_at or row.shadow_at
    tried = row.report if kept else backtest(rules=row.value, since=now - BACK, now=now).lines()
    if request.method == "POST":
        try:
            release(row=row, lines=tried, actor=staff, now=now)
        except Problem as problem:
            messages.error(request, str(problem))
            return redirect("staff_risk_set", row.pk)
        messages.success(request, "In force from now on. Earlier judgements stay as they were made.")
        return redirect("staff_risk")
    current, _ = rules_in_force()
    changes = [
        (BY_CODE[code].bad, current.weights.get(code, 0), weight)
        for code, weight in row.weights.items()
        if code in BY_CODE and weight != current.weights.get(code, 0)
    ]
    there = [] if kept else backtest(rules=current, since=now - BACK, now=now).lines()
    context = {"row": row, "tried": tried, "there": there, "changes": changes, "current": current}
    return show(request, "risk_set", context, here="risk")


class ListForm(forms.Form):
    kind = forms.ChoiceField(label="List", choices=RiskListKind.choices)
    what = forms.ChoiceField(label="What", choices=RiskListWhat.choices)
    text = forms.CharField(label="Which", max_length=300, help_text="An address as street, postal code, country.")
    note = forms.CharField(label="Why", max_length=200, required=False)


@staff_only(Right.RISK)
@require_http_methods(["GET", "HEAD", "POST"])
def lists(request: HttpRequest, staff: User) -> HttpResponse:
    form = ListForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            add_to_list(
                kind=RiskListKind(data["kind"]),
                what=RiskListWhat(data["what"]),
                text=data["text"],
                remark=data["note"],
                actor=staff,
                now=timezone.now(),
            )
        except Problem as problem:
            form.add_error("text", str(problem))
        else:
            messages.success(request, "Added.")
            return redirect("staff_risk_lists")
    rows, following = page_of(request, list_entries())
    context = {"form": form, "rows": rows, "next_after": following}
    return show(request, "risk_lists", context, here="risk", status=422 if form.is_bound else 200)


@staff_only(Right.RISK)
@require_POST
def unlist(request: HttpRequest, staff: User, pk: int) -> HttpResponse:
    entry = list_entries().filter(pk=pk).first()
    if entry is not None:
        take_off_list(entry=entry, actor=staff, now=timezone.now())
        messages.success(request, "Taken off the list.")
    return redirect("staff_risk_lists")


def _order(public_id: str) -> Order:
    return get_object_or_404(bare_orders(), public_id=public_id)


@staff_only(Right.RISK)
@require_safe
def order(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    """Everything collected about one order: each judgement with its inputs, what it is linked to, what it turned out
    to be.
    """
    found = _order(public_id)
    trace = trace_about(found)
    judged = list(found.assessments.select_related("rules").order_by("-pk"))
    context = {
        "order": found,
        "trace": trace,
        "judged": judged,
        "newest": judged[0] if judged else None,
        "inputs": sorted(judged[0].inputs.items()) if judged else [],
        "linked": linked_orders(trace, limit=LAST) if trace else [],
        "hold": hold_of(found),
    }
    return show(request, "risk_order", context, here="find")


@staff_only(Right.RISK)
@require_POST
def clear(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    found = _order(public_id)
    try:
        clear_hold(order=found, actor=staff, note=typed(request.POST, "note", longest=300), now=timezone.now())
    except Problem as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, "Cleared: the order goes to its shop now.")
    return redirect("staff_risk_order", public_id)


@staff_only(Right.RISK)
@require_POST
def label(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    found = _order(public_id)
    fraud, why = typed(request.POST, "fraud") == "yes", typed(request.POST, "why", longest=200)
    try:
        label_order(order=found, fraud=fraud, actor=staff, why=why or "judged by staff", now=timezone.now())
    except Problem as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, "Labelled. Open orders that are linked to it were judged again.")
    return redirect("staff_risk_order", public_id)
