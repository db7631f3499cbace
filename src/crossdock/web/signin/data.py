"""“Your data”: a copy of all that is kept of somebody. Asked for and fetched only after proving who one is."""

from collections.abc import Iterator

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from crossdock.domain.privacy.runs import LINK, OPEN, RunKind
from crossdock.store.models import DataRun
from crossdock.usecases.errors import Problem
from crossdock.usecases.privacy.archive import sections_of
from crossdock.usecases.privacy.queries import newest, pieces_of, runs_of
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
