"""“Your data”: a copy of all that is kept of somebody, and leaving. Both only after proving who one is."""

from collections.abc import Iterator

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crossdock.domain.privacy.runs import GRACE, LINK, OPEN, RunKind, what_stops
from crossdock.domain.privacy.table import PERSONAL, Personal, Then
from crossdock.store.models import DataRun, User
from crossdock.usecases.errors import NotAllowed, Problem
from crossdock.usecases.privacy.archive import sections_of
from crossdock.usecases.privacy.erasing import ask_erasure, keep_account
from crossdock.usecases.privacy.queries import newest, pieces_of, runs_of, standing
from crossdock.usecases.privacy.runs import ask_export, ready, taken
from crossdock.usecases.privacy.whose import Whose
from crossdock.web.people import signed_in
from crossdock.web.signin.again import fresh
from crossdock.web.streams import in_turn


@never_cache
@login_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    person, now = signed_in(request), timezone.now()
    copy = newest(person, RunKind.EXPORT)
    context = {
        "copy": copy,
        "making": copy is not None and copy.state in OPEN,
        "ready": ready(copy, now=now),
        "sections": sections_of(Whose(person)),
        "days": LINK.days,
        "leaving": waiting(person),
        "left": newest(person, RunKind.ERASURE),
        "grace": GRACE.days,
    }
    return render(request, "account/data.html", context)


@never_cache
@login_required
@fresh
@require_POST
def ask(request: HttpRequest) -> HttpResponse:
    person = signed_in(request)
    try:
        ask_export(person=person, actor=person, now=timezone.now())
    except Problem as problem:
        messages.error(request, str(problem))
    return redirect("account_data")


@never_cache
@login_required
@fresh
@require_POST
def file(request: HttpRequest, public_id: str) -> HttpResponse | StreamingHttpResponse:
    """Of nobody else: there is no such address for them."""
    person = signed_in(request)
    run = runs_of(person).filter(public_id=public_id, kind=RunKind.EXPORT).first()
    if run is None:
        raise Http404
    try:
        taken(run=run, actor=person, now=timezone.now())
    except Problem as problem:
        messages.error(request, str(problem))
        return redirect("account_data")
    response = StreamingHttpResponse(in_turn(request, _pieces(run)), content_type="application/zip")
    response["Content-Length"] = str(run.size)
    response["Content-Disposition"] = f'attachment; filename="your-data-{run.asked_at:%Y-%m-%d}.zip"'
    return response


def _pieces(run: DataRun) -> Iterator[bytes]:
    for piece in pieces_of(run).iterator(chunk_size=1):
        yield bytes(piece)


@never_cache
@login_required
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest) -> HttpResponse:
    """What has to be done first, what goes and what stays; then the question."""
    person, now = signed_in(request), timezone.now()
    if waiting(person) is not None:
        return redirect("account_data")
    sure = bool(request.POST.get("sure"))
    if request.method == "POST" and sure:
        try:
            ask_erasure(person=person, actor=person, now=now)
        except Problem as problem:
            messages.error(request, str(problem))
            return redirect("account_data_leave")
        return redirect("account_data")
    context = {
        "stops": what_stops(standing(person, now=now)),
        "unsure": request.method == "POST",
        "days": GRACE.days,
        **what_becomes(),
    }
    return render(request, "account/leave.html", context, status=422 if request.method == "POST" else 200)


@never_cache
@login_required
@require_POST
def keep(request: HttpRequest) -> HttpResponse:
    """Not proved again: whoever presses it takes nothing."""
    person = signed_in(request)
    run = waiting(person)
    try:
        if run is None:
            raise NotAllowed("Nothing is to be deleted: it was taken back already.")
        keep_account(run=run, actor=person, now=timezone.now())
        messages.success(request, "Your account stays, with all that is in it.")
    except Problem as problem:
        messages.error(request, str(problem))
    return redirect("account_data")


def waiting(person: User) -> DataRun | None:
    """A leaving that is asked for and not over."""
    run = newest(person, RunKind.ERASURE)
    return run if run is not None and run.state in OPEN else None


def what_becomes() -> dict[str, list[Personal]]:
    return {
        "goes": [one for one in PERSONAL if one.then is Then.GOES],
        "cut": [one for one in PERSONAL if one.then is Then.CUT],
        "stays": [one for one in PERSONAL if one.then is Then.STAYS],
    }
