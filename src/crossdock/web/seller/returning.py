"""Coming back from a shop's own sign-in: with the browser, or by a call from the shop's server that carries the keys.
One state opens one attempt once.

Platforms return the state under names of their own, so it is found by its value: nobody can guess one.
"""

import json
from collections.abc import Mapping

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from crossdock.kit.errors import Outside
from crossdock.store.models import ConnectAttempt
from crossdock.usecases.errors import Problem
from crossdock.usecases.record.rights import may
from crossdock.usecases.shops import connect
from crossdock.web.people import signed_in
from crossdock.web.seller import asking

MOST_PARAMS, LONGEST_BODY = 40, 64 * 1024
_NOT_OURS = "This sign-in was not started here. Begin again from “Connect a shop”."


def _state_in(params: Mapping[str, str]) -> tuple[str, ConnectAttempt] | None:
    for value in list(params.values())[:MOST_PARAMS]:
        if 20 <= len(value) <= 100:
            row = connect.find_attempt(state=value)
            if row is not None:
                return value, row
    return None


def _still_may(row: ConnectAttempt) -> bool:
    """Whoever began it may have handed the shop over meanwhile."""
    return may(row.user, row.seller)


@never_cache
@login_required
@require_safe
def come_back(request: HttpRequest) -> HttpResponse:
    """The browser is back.

    The sign-in must have been begun by the same person, or somebody could slip their shop into another's panel.
    """
    params = {name: str(value) for name, value in request.GET.items()}
    found = _state_in(params)
    if found is None or found[1].user_id != signed_in(request).pk or not _still_may(found[1]):
        messages.error(request, _NOT_OURS)
        return redirect("seller_connect")
    state, row = found
    if row.used_at is not None and row.proof is not None:
        return redirect("seller_attempt", row.public_id)
    try:
        asking.finish(connect.take_attempt(state=state, now=timezone.now()), params)
    except (Outside, Problem) as trouble:
        messages.error(request, str(trouble))
        return redirect("seller_connect_way", row.platform, row.way)
    return redirect("seller_attempt", row.public_id)


@csrf_exempt
@never_cache
@require_POST
def callback(request: HttpRequest) -> HttpResponse:
    """The shop's own server brings the keys.

    Nobody is signed in here: the one-time state is the proof, and the keys are tried before they count.
    """
    if int(request.headers.get("Content-Length") or 0) > LONGEST_BODY:
        return _refused("This is too long for a sign-in.", 413)
    params = _params(request)
    found = _state_in(params)
    if found is None or not _still_may(found[1]):
        return _refused(_NOT_OURS, 403)
    try:
        asking.finish(connect.take_attempt(state=found[0], now=timezone.now()), params)
    except (Outside, Problem) as trouble:
        return _refused(str(trouble), 403)
    return HttpResponse("ok", content_type="text/plain")


def _params(request: HttpRequest) -> dict[str, str]:
    """A form or a flat JSON object."""
    if request.content_type == "application/json":
        try:
            sent = json.loads(request.body)
        except (ValueError, RecursionError):
            return {}
        flat = sent.items() if isinstance(sent, dict) else ()
        return {str(name): str(value) for name, value in flat if isinstance(value, str | int)}
    return {name: str(value) for name, value in request.POST.items()}


def _refused(sentence: str, status: int) -> HttpResponse:
    return HttpResponse(sentence, content_type="text/plain; charset=utf-8", status=status)
