"""A buyer asks to cancel an order that was not shipped, or takes that back. Both can be sent twice and act once."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from crossdock.domain.requests.cancels import LONGEST_REASON
from crossdock.store.models import Order
from crossdock.usecases.errors import Problem
from crossdock.usecases.orders.queries import bought_orders
from crossdock.usecases.orders.shippable import asked_to_cancel
from crossdock.usecases.record.rights import bought_by
from crossdock.usecases.requests.cancel import answer_within, ask_to_cancel, take_back, why_not_ask
from crossdock.web.people import signed_in


class AskForm(forms.Form):
    reason = forms.CharField(
        label=_("Why?"),
        required=False,
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The seller reads it."),
    )


def _order(request: HttpRequest, public_id: str) -> Order:
    return get_object_or_404(bought_by(bought_orders(), signed_in(request)), public_id=public_id)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest, public_id: str) -> HttpResponse:
    order = _order(request, public_id)
    if asked_to_cancel(order) is not None:
        messages.info(request, _("{seller} has your request already.").format(seller=order.seller.name))
        return redirect("my_order", public_id)
    if why := why_not_ask(order):
        messages.info(request, why)
        return redirect("my_order", public_id)
    form = AskForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason, buyer = form.cleaned_data["reason"], signed_in(request)
        try:
            ask_to_cancel(order=order, buyer=buyer, reason=reason, now=timezone.now())
        except Problem as problem:
            messages.error(request, str(problem))
        else:
            messages.success(
                request,
                _("{seller} has your request. You get an e-mail with the answer.").format(seller=order.seller.name),
            )
        return redirect("my_order", public_id)
    hours = round(answer_within().total_seconds() / 3600)
    context = {"order": order, "form": form, "hours": hours}
    return render(request, "storefront/cancel.html", context, status=422 if form.is_bound else 200)


@login_required
@require_POST
def keep(request: HttpRequest, public_id: str) -> HttpResponse:
    """The order is wanted after all."""
    order = _order(request, public_id)
    try:
        take_back(order=order, buyer=signed_in(request), now=timezone.now())
    except Problem as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, _("You keep the order; the seller is told."))
    return redirect("my_order", public_id)
