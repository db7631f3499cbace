"""Cases of all sellers: the list, one with its thread and evidence, staff's answer, and the case file that a developer
plays again offline.
"""

import json
import re

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from crossdock.domain.cases import KIND_WORDS, CaseKind, CaseState
from crossdock.domain.roles import Right
from crossdock.kit import discover
from crossdock.store.models import Case, User
from crossdock.usecases.record.audit import exported
from crossdock.usecases.support import cases
from crossdock.usecases.support.evidence import gather, subject_of
from crossdock.usecases.support.queries import cases_with, whole_cases
from crossdock.web import evidence as shown
from crossdock.web.forms import one_of, typed
from crossdock.web.seller.panel import try_it
from crossdock.web.staff.panel import page_of, show, staff_only

STATES = {"staff": "Waiting for staff", "seller": "Waiting for the seller", "closed": "Closed", "all": "All"}
STATE_WORDS = {
    CaseState.OPEN: ("New", "warn"),
    CaseState.WAITING_FOR_STAFF: ("Waiting for staff", "warn"),
    CaseState.WAITING_FOR_SELLER: ("Waiting for the seller", ""),
    CaseState.CLOSED: ("Closed", "good"),
}


@staff_only(Right.CASES)
@require_safe
def table(request: HttpRequest, staff: User) -> HttpResponse:
    which, kind = one_of(request.GET, "which", STATES, "staff"), typed(request.GET, "kind", longest=20)
    query = typed(request.GET, "q")
    found, next_after = page_of(request, cases_with(which=which, kind=kind, query=query))
    context = {
        "rows": [(case, KIND_WORDS[CaseKind(case.kind)], *STATE_WORDS[CaseState(case.state)]) for case in found],
        "next_after": next_after,
        "which": which,
        "tabs": list(STATES.items()),
        "kind": kind,
        "kinds": [(value.value, words) for value, words in KIND_WORDS.items()],
        "query": query,
    }
    return show(request, "cases", context, here="cases")


def _of(public_id: str) -> Case:
    return get_object_or_404(whole_cases(), public_id=public_id)


@staff_only(Right.CASES)
@require_safe
def one(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    case = _of(public_id)
    words, tone = STATE_WORDS[CaseState(case.state)]
    context = {
        "case": case,
        "kind_word": KIND_WORDS[CaseKind(case.kind)],
        "state_word": words,
        "state_tone": tone,
        "thread": case.messages.select_related("author"),
        "parts": shown.parts(case.evidence),
        "facts": shown.facts(case.evidence),
    }
    return show(request, "case", context, here="cases")


@staff_only(Right.CASES)
@require_POST
def answer(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    """One form, four buttons."""
    case = _of(public_id)
    match request.POST.get("deed"):
        case "answer":
            body = request.POST.get("body", "")
            try_it(
                request, lambda now: cases.answer(case=case, author=staff, body=body, now=now), "Sent to the seller."
            )
        case "close":
            try_it(request, lambda now: cases.close(case=case, actor=staff, now=now), "Closed.")
        case "reopen":
            try_it(request, lambda now: cases.reopen(case=case, actor=staff, now=now), "Open again.")
        case "evidence":
            try_it(
                request,
                lambda now: cases.attach_evidence(case=case, actor=staff, evidence=_newest(case), now=now),
                "What was recorded since is attached too.",
            )
        case _:
            raise BadRequest("Which button?")
    return redirect("staff_case", public_id)


def _newest(case: Case) -> dict[str, object]:
    about = subject_of(
        seller=case.seller, order=case.order, listing=case.listing, connection=case.connection, alert=case.alert
    )
    speaker = discover.connectors().get(about.shop.platform) if about.shop else None
    return gather(subject=about, now=timezone.now(), manifest=speaker.manifest if speaker else None)


@staff_only(Right.CASES)
@require_safe
def file(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    """The evidence with the case's head: what `crossdock replay` reads (docs/cases.md). The thread stays here."""
    case = _of(public_id)
    exported(actor=staff, what="case file", now=timezone.now(), detail={"case": case.public_id})
    document = {
        "case": {
            "id": case.public_id,
            "kind": case.kind,
            "subject": case.subject,
            "opened_at": case.opened_at.isoformat(),
        },
        **case.evidence,
    }
    answer = HttpResponse(
        json.dumps(document, ensure_ascii=False, indent=1), content_type="application/json; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="case-{re.sub(r"[^a-z0-9]", "", case.public_id)}.json"'
    return answer
