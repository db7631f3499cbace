"""A person's data, at their request: a copy that only they can fetch, and leaving, which a second person agrees to."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from crossdock.domain.privacy.runs import GRACE, LINK, OPEN, RunKind, RunState, what_stops
from crossdock.domain.roles import Right
from crossdock.store.models import DataRun, User
from crossdock.usecases.accounts.queries import people, person_called, seller_of
from crossdock.usecases.errors import Problem
from crossdock.usecases.privacy.erasing import agree, ask_erasure, keep_account
from crossdock.usecases.privacy.queries import all_runs, newest, standing
from crossdock.usecases.privacy.runs import ask_export, ready
from crossdock.web.forms import typed
from crossdock.web.seller.panel import try_it
from crossdock.web.signin.again import fresh
from crossdock.web.staff.panel import page_of, show, staff_only

WORDS: dict[str, tuple[str, str]] = {
    RunState.SECOND: ("waits for a second person", "warn"),
    RunState.WAITING: ("waits for its time", "info"),
    RunState.RUNNING: ("under way", "info"),
    RunState.READY: ("can be fetched by its owner", "good"),
    RunState.DONE: ("done", "good"),
    RunState.STOPPED: ("not done: something was open", "bad"),
    RunState.WITHDRAWN: ("taken back", ""),
    RunState.ENDED: ("replaced by a newer one", ""),
}


@staff_only(Right.PRIVACY)
@require_safe
def table(request: HttpRequest, staff: User) -> HttpResponse:
    """All requests, newest first; with an address in the box, the person who signs in with it."""
    query, now = typed(request.GET, "q", longest=254), timezone.now()
    runs, next_after = page_of(request, all_runs())
    person = person_called(query)
    context: dict[str, Any] = {
        "query": query,
        "rows": [(run, *WORDS[run.state], may_agree(run, staff), may_keep(run)) for run in runs],
        "next_after": next_after,
        "person": person,
        "link": LINK.days,
        "grace": GRACE.days,
    }
    if person is not None:
        copy, leaving = newest(person, RunKind.EXPORT), newest(person, RunKind.ERASURE)
        now_standing = standing(person, now=now)
        context |= {
            "shop": seller_of(person),
            "copy": copy if copy is not None and (copy.state in OPEN or ready(copy, now=now)) else None,
            "leaving": leaving if leaving is not None and leaving.state in (*OPEN, RunState.DONE) else None,
            "stops": what_stops(now_standing, settled=True),
            "owed": now_standing.owed,
        }
    return show(request, "people", context, here="people")


def may_agree(run: DataRun, staff: User) -> bool:
    return run.state == RunState.SECOND and staff.pk not in (run.asked_by_id, run.person_id)


def may_keep(run: DataRun) -> bool:
    return run.kind == RunKind.ERASURE and (
        run.state in (RunState.SECOND, RunState.WAITING) or (run.state == RunState.RUNNING and not run.step)
    )


def _back(person: User) -> HttpResponse:
    return redirect(f"{reverse('staff_people')}?{urlencode({'q': person.email})}")


@staff_only(Right.PRIVACY)
@fresh
@require_POST
def copy(request: HttpRequest, staff: User, pk: int) -> HttpResponse:
    person = get_object_or_404(people(), pk=pk)
    why = typed(request.POST, "why", longest=300)
    said = f"A copy is being made. {person.email} is written, and fetches it alone."
    try_it(request, lambda now: ask_export(person=person, actor=staff, why=why, now=now), said)
    return _back(person)


@staff_only(Right.PRIVACY)
@fresh
@require_POST
def leave(request: HttpRequest, staff: User, pk: int) -> HttpResponse:
    person = get_object_or_404(people(), pk=pk)
    why = typed(request.POST, "why", longest=300)
    said = "Asked for. Somebody else of staff has to agree before anything happens."
    try_it(request, lambda now: ask_erasure(person=person, actor=staff, why=why, now=now), said)
    return _back(person)


@staff_only(Right.PRIVACY)
@fresh
@require_POST
def decide(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    """`deed` is agree or keep."""
    run = get_object_or_404(all_runs(), public_id=public_id, kind=RunKind.ERASURE)
    try:
        if request.POST.get("deed") == "agree":
            agree(run=run, actor=staff, now=timezone.now())
            messages.success(request, f"The account is deleted after {GRACE.days} days, unless its owner keeps it.")
        else:
            keep_account(run=run, actor=staff, now=timezone.now())
            messages.success(request, "The account stays.")
    except Problem as problem:
        messages.error(request, str(problem))
    return redirect("staff_people")
