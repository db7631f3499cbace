"""Begins a run over many orders from what stands on a page, once however often its button is pressed."""

import re
import secrets
from collections.abc import Mapping, Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from crossdock.domain.daily.bulk import BulkKind, ForAll, ForOne
from crossdock.store.models import Seller
from crossdock.usecases.orders.daily import bulk
from crossdock.web.forms import typed
from crossdock.web.people import signed_in

_KEY = re.compile(r"[\w-]{16}", re.ASCII)
_BEGUN = (
    "This page was begun already, with what stood on it then: that is the run below, and nothing was changed in it. For"
    " what is left, tick the orders again."
)


def form_key(request: HttpRequest) -> str:
    """One page is one run, however often its button is pressed."""
    key = typed(request.POST, "key", longest=40)
    return key if _KEY.fullmatch(key) else secrets.token_urlsafe(12)


def begin(
    request: HttpRequest,
    seller: Seller,
    *,
    kind: BulkKind,
    judged: Sequence[bulk.Judged],
    given: ForAll,
    each: Mapping[str, ForOne],
) -> HttpResponse:
    """To the run that it began, or that this page began before. Raises a use-case's Problem."""
    run = bulk.begin(
        seller=seller,
        kind=kind,
        judged=judged,
        given=given,
        each=each,
        key=form_key(request),
        actor=signed_in(request),
        now=timezone.now(),
    )
    if not bulk.as_asked(run=run, kind=kind, given=given, each=each):
        messages.info(request, _BEGUN)
    return redirect("seller_run", run.public_id)
