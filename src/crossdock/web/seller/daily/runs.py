"""Runs over many orders: how far each got, what became of every order, stopping, and trying again what was not done."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from crossdock.domain.daily.bulk import BUTTONS, GOING, KEPT, UNDONE, BulkKind, RowState, Tally
from crossdock.domain.wording import counted
from crossdock.store.models import BulkRun, Seller
from crossdock.usecases.errors import Problem
from crossdock.usecases.labels import runs as label_runs
from crossdock.usecases.orders.daily import bulk
from crossdock.web.forms import one_of
from crossdock.web.people import signed_in
from crossdock.web.seller.panel import sellers_only, show
from crossdock.web.storefront.browse import number_after

RUNS, ROWS = 25, 50
_SHOWN = {"": tuple(RowState), "undone": UNDONE}
WORDS = {
    RowState.WAITING: ("Waiting", ""),
    RowState.ASKED: ("Being bought", "info"),
    RowState.DONE: ("Done", "good"),
    RowState.SKIPPED: ("Skipped", "warn"),
    RowState.FAILED: ("Not done", "bad"),
}


def _run(seller: Seller, public_id: str) -> BulkRun:
    return get_object_or_404(bulk.runs_of(seller), public_id=public_id)


@sellers_only
@require_safe
def table(request: HttpRequest, seller: Seller) -> HttpResponse:
    runs, after = bulk.runs_of(seller), number_after(request)
    found = list((runs if after is None else runs.filter(pk__lt=after))[: RUNS + 1])
    tallies = bulk.tallies(found[:RUNS])
    context = {
        "runs": [(run, BUTTONS[BulkKind(run.kind)], tallies.get(run.pk, Tally())) for run in found[:RUNS]],
        "next_after": found[RUNS - 1].pk if len(found) > RUNS else None,
        "kept": KEPT.days,
    }
    return show(request, seller, "runs", context, here="orders")


@sellers_only
@require_safe
def one(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """It loads itself again while it goes on, without JavaScript."""
    run = _run(seller, public_id)
    which = one_of(request.GET, "show", _SHOWN, "")
    rows, after = bulk.rows_of(run, _SHOWN[which]), number_after(request)
    found = list((rows if after is None else rows.filter(pk__gt=after))[: ROWS + 1])
    tally = bulk.tallies([run]).get(run.pk, Tally())
    priced = run.kind == BulkKind.PRICE and run.state not in GOING
    context = {
        "offer": label_runs.offer_of(run=run, now=timezone.now()) if priced else None,
        "again": BulkKind.PRICE if run.kind == BulkKind.LABEL else run.kind,
        "run": run,
        "button": BUTTONS[BulkKind(run.kind)],
        "given": bulk.given_of(run),
        "tally": tally,
        "percent": 100 * (tally.all - tally.waiting - tally.asked) // max(1, tally.all),
        "going": run.state in GOING,
        "rows": [(row, *WORDS[RowState(row.state)]) for row in found[:ROWS]],
        "next_after": found[ROWS - 1].pk if len(found) > ROWS else None,
        "which": which,
        "why_not_again": bulk.why_not_again(run),
    }
    return show(request, seller, "run", context, here="orders")


@sellers_only
@require_POST
def stop(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    left = bulk.stop(run=_run(seller, public_id), actor=signed_in(request), now=timezone.now())
    messages.info(request, f"Stopped: {counted(left, 'order was', 'orders were')} left as they were.")
    return redirect("seller_run", public_id)


@sellers_only
@require_POST
def again(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    try:
        left = bulk.again(run=_run(seller, public_id), actor=signed_in(request), now=timezone.now())
    except Problem as problem:
        messages.error(request, str(problem))
    else:
        if left:
            messages.success(request, f"{counted(left, 'order is', 'orders are')} tried again.")
    return redirect("seller_run", public_id)
