"""Lost disputes: who bears each, the seller or the marketplace under its protection; shown with what either would do to
the books before anything happens.
"""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from crossdock.domain.earnings.protection import Bearer, DisputeEnd
from crossdock.domain.roles import Right
from crossdock.store.models import LostDispute, User
from crossdock.usecases.errors import Problem
from crossdock.usecases.money.disputes import decide, preview
from crossdock.usecases.money.protection import covered
from crossdock.usecases.money.queries import lost_disputes
from crossdock.usecases.record.queries import deeds_of_dispute
from crossdock.web.forms import one_of, typed
from crossdock.web.signin.again import fresh
from crossdock.web.staff.panel import page_of, show, staff_only
from crossdock.web.templatetags.crossdock import money

WHICH = {"waiting": "To decide", "decided": "Decided", "all": "All"}
STATES: dict[str, tuple[str, str]] = {
    DisputeEnd.OPEN: ("To decide", "warn"),
    DisputeEnd.SECOND: ("Needs a second person", "warn"),
    DisputeEnd.DECIDED: ("Decided", "good"),
    DisputeEnd.BACK: ("Won after all", "info"),
}
BEARERS: dict[str, str] = {Bearer.SELLER: "The seller", Bearer.MARKETPLACE: "The marketplace"}
LAST = 20


@staff_only(Right.DECIDE)
@require_safe
def table(request: HttpRequest, staff: User) -> HttpResponse:
    which = one_of(request.GET, "which", WHICH, "waiting")
    found, next_after = page_of(request, lost_disputes(which))
    context = {
        "rows": [(row, STATES[row.state], BEARERS.get(row.bearer, "")) for row in found],
        "next_after": next_after,
        "which": which,
        "tabs": list(WHICH.items()),
    }
    return show(request, "disputes", context, here="disputes")


@staff_only(Right.DECIDE)
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    row = get_object_or_404(lost_disputes("all"), public_id=public_id)
    why = typed(request.POST, "why", longest=300)
    trouble = _decided(request, staff, row, why) if request.method == "POST" else ""
    if trouble is None:
        return redirect("staff_dispute", public_id)
    now = timezone.now()
    waits = row.state in (DisputeEnd.OPEN, DisputeEnd.SECOND)
    context = {
        "dispute": row,
        "order": row.order,
        "state": STATES[row.state],
        "bearer": BEARERS.get(row.bearer, ""),
        "protection": covered(row.order, row, now=now),
        "preview": preview(row=row, actor=staff, now=now) if waits else None,
        "bearers": BEARERS,
        "mine": row.state == DisputeEnd.SECOND and row.decided_by_id == staff.pk,
        "deeds": deeds_of_dispute(row)[:LAST],
        "trouble": trouble,
        "why": why,
    }
    return show(request, "dispute", context, here="disputes", status=422 if trouble else 200)


def _decided(request: HttpRequest, staff: User, row: LostDispute, why: str) -> str | None:
    """None when that was it, or else what keeps it from being."""
    word, seen = typed(request.POST, "bearer", longest=12), typed(request.POST, "seen", longest=80)
    bearer = Bearer(word) if word in set(Bearer) else None
    try:
        done = decide(row=row, bearer=bearer, why=why, seen=seen, actor=staff, now=timezone.now())
    except Problem as problem:
        return str(problem)
    match done.state:
        case DisputeEnd.SECOND:
            said = "You decided. A second person has to agree as well, since it is above the limit."
        case DisputeEnd.OPEN:
            said = "You did not agree; it is to be decided anew."
        case DisputeEnd.BACK:
            said = "The bank gave the money back meanwhile; there is nothing to decide."
        case _:
            said = f"{BEARERS[done.bearer]} bears {money(done.amount)} of order {done.order}; the seller is told why."
    messages.success(request, said)
    return None
