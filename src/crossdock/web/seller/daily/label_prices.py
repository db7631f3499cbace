"""Labels for many orders: one size of parcel, a weight for all or for each, and a run that asks the carrier's prices.
Its page then offers to buy them (runs.py).
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from crossdock.domain.daily.bulk import MOST, BulkKind, ForAll, ForOne
from crossdock.kit.discover import NoSuchFolder
from crossdock.store.models import Order, Seller
from crossdock.usecases.errors import Problem
from crossdock.usecases.labels import purchase
from crossdock.usecases.labels import runs as label_runs
from crossdock.usecases.orders.daily import bulk
from crossdock.web.carriers import chosen_carrier
from crossdock.web.forms import TypedDecimal, typed
from crossdock.web.people import signed_in
from crossdock.web.seller.daily.beginning import begin, form_key
from crossdock.web.seller.label_forms import FIRST, ParcelsForm
from crossdock.web.seller.panel import sellers_only, show

_CLOSED = "Labels cannot be bought here at the moment. Ship the parcels any other way you like."


@dataclass(frozen=True, slots=True)
class Seen:
    """An order as the page shows it, with what was typed as its weight."""

    judged: bulk.Judged
    weight: str

    @property
    def weighs(self) -> bool:
        """Whether a weight would help."""
        return self.judged.why_not in ("", label_runs.NO_WEIGHT)


def page(request: HttpRequest, seller: Seller, orders: list[Order], *, more: bool) -> HttpResponse:
    """POST begins the run that asks for prices. What was typed stays, whatever is wrong."""
    try:
        carrier = chosen_carrier()
        closed = _CLOSED if carrier.missing() else ""
    except NoSuchFolder:
        return show(request, seller, "bulk_labels", {"wrong": [_CLOSED], "rows": []}, here="orders", status=409)
    posted = request.method == "POST"
    form = ParcelsForm(request.POST if posted else None, initial=request.session.get("parcel", FIRST))
    typed_for = {order.public_id: typed(request.POST, f"weight-{order.public_id}", longest=12) for order in orders}
    parcel, grams, wrong = None, dict[str, int](), [closed] if closed else []
    if posted and form.is_valid():
        parcel = form.parcel()
        grams, odd = _grams(form, orders, typed_for)
        wrong += odd
    judged = label_runs.judge(
        seller=seller, orders=orders, parcel=parcel, grams=grams, can=carrier.can, carrier=carrier.label
    )
    if parcel is not None and not wrong:
        given, each = ForAll(parcel=parcel), {one.public_id: ForOne(grams=grams.get(one.public_id)) for one in orders}
        try:
            begun = begin(request, seller, kind=BulkKind.PRICE, judged=judged, given=given, each=each)
        except Problem as problem:
            wrong = [str(problem)]
        else:
            request.session["parcel"] = form.remembered()
            return begun
    context = _context(request, form, judged, typed_for)
    context |= {"wrong": wrong, "more": more, "carrier": carrier, "start": purchase.ship_from(seller=seller)}
    return show(request, seller, "bulk_labels", context, here="orders", status=422 if posted else 200)


def _grams(form: ParcelsForm, orders: list[Order], typed_for: dict[str, str]) -> tuple[dict[str, int], list[str]]:
    """By public id, where a weight was typed for one; and sentences about those that cannot be read."""
    field = TypedDecimal(min_value=Decimal("0.01"), max_digits=7, decimal_places=2)
    found, wrong = dict[str, int](), list[str]()
    for order in orders:
        if text := typed_for[order.public_id]:
            try:
                found[order.public_id] = form.grams(field.clean(text))
            except ValidationError:
                wrong.append(f"The weight of #{order.number} cannot be read: “{text}”. Type a number like 4.5.")
    return found, wrong


def _context(
    request: HttpRequest, form: ParcelsForm, judged: list[bulk.Judged], typed_for: dict[str, str]
) -> dict[str, Any]:
    good = sum(not one.why_not for one in judged)
    return {
        "form": form,
        "rows": [
            Seen(one, typed_for[one.order.public_id]) for one in sorted(judged, key=lambda one: bool(one.why_not))
        ],
        "good": good,
        "skipped": len(judged) - good,
        "picks": " ".join(one.order.public_id for one in judged),
        "most": MOST,
        "key": form_key(request),
    }


@sellers_only
@require_POST
def buy(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """The labels whose prices a run has shown; pressed twice, or in two tabs, each once."""
    run = get_object_or_404(bulk.runs_of(seller).filter(kind=BulkKind.PRICE), public_id=public_id)
    try:
        begun = label_runs.begin_buying(
            run=run,
            confirmed=typed(request.POST, "sum", longest=200),
            actor=signed_in(request),
            now=timezone.now(),
        )
    except Problem as problem:
        messages.error(request, str(problem))
        return redirect("seller_run", public_id)
    return redirect("seller_run", begun.public_id)
