"""The rules of the article, each with its own switch: both sentences, what it does on each platform, who switched it
and when.
"""

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from crossdock.domain.roles import Right
from crossdock.domain.rules import BY_ID, RULES, Mode, Rule, RuleView, view
from crossdock.kit import discover
from crossdock.store.models import PolicySwitch, User
from crossdock.usecases.errors import Problem
from crossdock.usecases.record.policy import newest_switches, switch, switches_of
from crossdock.web.forms import typed
from crossdock.web.signin.again import fresh
from crossdock.web.staff.panel import show, staff_only

LAST = 30


@dataclass(frozen=True, slots=True)
class Standing:
    """A rule as it stands today. `why_fixed` says why it cannot be lifted; empty when it can."""

    rule: Rule
    switched: PolicySwitch | None
    platforms: tuple[tuple[str, RuleView], ...]

    @property
    def lifted(self) -> bool:
        return self.switched is not None and self.switched.lifted

    @property
    def why_fixed(self) -> str:
        if not self.rule.lifted:
            return "Nothing goes beyond this rule; it always holds."
        return "" if Mode.LIFTED in self.rule.built else "Lifting it is not built in this version."


def _platforms(rule: Rule, *, lifted: bool) -> tuple[tuple[str, RuleView], ...]:
    """(platform's name, what its sellers read) for every platform that is installed."""
    manifests = sorted(
        (speaker.manifest for speaker in discover.connectors().values()), key=lambda manifest: manifest.label
    )
    return tuple((manifest.label, view(rule, manifest, lifted=lifted)) for manifest in manifests)


def _standing(rule: Rule, switched: PolicySwitch | None) -> Standing:
    return Standing(rule, switched, _platforms(rule, lifted=switched is not None and switched.lifted))


@staff_only(Right.RULES)
@require_safe
def table(request: HttpRequest, staff: User) -> HttpResponse:
    newest = newest_switches()
    return show(
        request, "policy", {"standings": [_standing(rule, newest.get(rule.id)) for rule in RULES]}, here="policy"
    )


@staff_only(Right.RULES)
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, staff: User, rule: str) -> HttpResponse:
    """A rule's history, and the question before it is switched: what changes, platform by platform.

    The form says what it switches to, so twice is once.
    """
    found = BY_ID.get(rule)
    if found is None:
        raise Http404
    if request.method == "POST":
        return _switch(request, staff, found)
    history = list(switches_of(rule=rule)[:LAST])
    standing = _standing(found, history[0] if history else None)
    then = _platforms(found, lifted=not standing.lifted)
    context = {
        "standing": standing,
        "changes": [(label, now, after) for (label, now), (_, after) in zip(standing.platforms, then, strict=True)],
        "changed_on": sum(now != after for (_, now), (_, after) in zip(standing.platforms, then, strict=True)),
        "history": history,
    }
    return show(request, "rule", context, here="policy")


def _switch(request: HttpRequest, staff: User, rule: Rule) -> HttpResponse:
    to = typed(request.POST, "to", longest=20)
    if to not in ("lifted", "as-described"):
        messages.error(request, "Choose what the rule should be.")
        return redirect("staff_rule", rule.id)
    word = "lifted" if to == "lifted" else "as described"
    try:
        why = typed(request.POST, "why", longest=200)
        fresh = switch(rule=rule.id, lift=to == "lifted", actor=staff, now=timezone.now(), why=why)
    except Problem as problem:
        messages.error(request, str(problem))
        return redirect("staff_rule", rule.id)
    if fresh:
        messages.success(request, f"{rule.id}, {rule.title}, is {word} from now on.")
    else:
        messages.info(request, f"{rule.id} was {word} already.")
    return redirect("staff_policy")
