"""What a buyer and the seller of an order write to each other, on the buyer's side; `page` is both sides'."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from crossdock.domain.requests.messages import LONGEST, Side
from crossdock.store.models import Order, User
from crossdock.usecases.errors import Problem
from crossdock.usecases.orders.queries import bought_orders
from crossdock.usecases.record.rights import bought_by
from crossdock.usecases.requests.messages import mark_read, report, thread_of, write
from crossdock.web.people import signed_in


class MessageForm(forms.Form):
    body = forms.CharField(label=_("Your message"), max_length=LONGEST, widget=forms.Textarea(attrs={"rows": 4}))


def page(request: HttpRequest, order: Order, side: Side, author: User) -> tuple[dict[str, object], int] | None:
    """The context of the page and its status; None when a message was sent. Looking is reading."""
    form = MessageForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            write(order=order, side=side, author=author, body=form.cleaned_data["body"], now=timezone.now())
        except Problem as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, _("Sent."))
            return None
    thread, said = thread_of(order)
    if request.method == "GET" and thread is not None:
        mark_read(thread=thread, said=said, side=side)
    context = {"order": order, "form": form, "thread": thread, "said": said, "side": side.value}
    return context, 422 if form.is_bound else 200


def reported(request: HttpRequest, order: Order, side: Side, author: User) -> None:
    why = request.POST.get("why", "")
    try:
        report(order=order, side=side, author=author, why=why, now=timezone.now())
    except Problem as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, _("Reported. Our staff read these messages and write to you if they need more."))


def _order(request: HttpRequest, public_id: str) -> Order:
    return get_object_or_404(
        bought_by(bought_orders().select_related("seller__owner", "buyer", "thread"), signed_in(request)),
        public_id=public_id,
    )


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def mine(request: HttpRequest, public_id: str) -> HttpResponse:
    shown = page(request, _order(request, public_id), Side.BUYER, signed_in(request))
    if shown is None:
        return redirect("my_order_messages", public_id)
    return render(request, "storefront/messages.html", shown[0], status=shown[1])


@login_required
@require_POST
def report_mine(request: HttpRequest, public_id: str) -> HttpResponse:
    reported(request, _order(request, public_id), Side.BUYER, signed_in(request))
    return redirect("my_order_messages", public_id)
