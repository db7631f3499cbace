"""Receivers of signed webhooks: added with a secret that is shown once, tested, paused, given a new secret, deleted;
and what each of them answered.
"""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crossdock.kit.errors import NotSent
from crossdock.kit.guard import check_url
from crossdock.store.models import Endpoint, Seller
from crossdock.store.vault import VaultLocked
from crossdock.usecases.errors import Problem
from crossdock.usecases.outcomes import endpoints
from crossdock.usecases.record.events import EVENTS
from crossdock.web.forms import typed
from crossdock.web.people import signed_in
from crossdock.web.seller.panel import sellers_only, show, try_it
from crossdock.web.signin.again import fresh
from crossdock.web.storefront.browse import number_after

PAGE = 25


class EndpointForm(forms.Form):
    name = forms.CharField(label="Name", max_length=80, required=False, help_text="For example: packing station.")
    events = forms.MultipleChoiceField(
        label="What it is told",
        choices=list(EVENTS.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Nothing ticked means everything, also what is added later.",
    )


class NewForm(EndpointForm):
    url = forms.CharField(
        label="Address",
        max_length=500,
        widget=forms.URLInput(attrs={"placeholder": "https://"}),
        help_text="Where your program listens.",
    )
    field_order = ("url", "name", "events")

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"]).strip()
        try:
            check_url(url, local=settings.ALLOW_LOCAL_SHOPS)
        except NotSent as wrong:
            raise forms.ValidationError(str(wrong)) from None
        return url


@sellers_only
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def table(request: HttpRequest, seller: Seller) -> HttpResponse:
    form, secret, made = NewForm(request.POST or None), "", None
    if request.method == "POST" and form.is_valid():
        try:
            made, secret = endpoints.add_endpoint(
                seller=seller, actor=signed_in(request), now=timezone.now(), **form.cleaned_data
            )
            form = NewForm()
        except Problem as problem:
            form.add_error("url", str(problem))
    context = {"form": form, "secret": secret, "made": made, "endpoints": endpoints.endpoints_of(seller=seller)}
    return show(request, seller, "webhooks", context, here="webhooks", status=422 if form.errors else 200)


def _endpoint(seller: Seller, public_id: str) -> Endpoint:
    return get_object_or_404(endpoints.endpoints_of(seller=seller), public_id=public_id)


@sellers_only
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    endpoint = _endpoint(seller, public_id)
    form = EndpointForm(request.POST or None, initial={"name": endpoint.name, "events": endpoint.events})
    if request.method == "POST" and form.is_valid():
        actor, data = signed_in(request), form.cleaned_data
        if try_it(request, lambda now: endpoints.change_endpoint(endpoint=endpoint, actor=actor, **data), "Saved."):
            return redirect("seller_webhook", public_id)
    context = _page(request, endpoint, form)
    return show(request, seller, "webhook", context, here="webhooks", status=422 if form.errors else 200)


def _page(request: HttpRequest, endpoint: Endpoint, form: EndpointForm, secret: str = "") -> dict[str, Any]:
    rows = endpoints.deliveries_of(endpoint=endpoint, before=number_after(request), limit=PAGE + 1)
    return {
        "endpoint": endpoint,
        "form": form,
        "secret": secret,
        "deliveries": rows[:PAGE],
        "next_after": rows[PAGE - 1].pk if len(rows) > PAGE else None,
        "overlap": endpoint.before_until if endpoint.before_until and endpoint.before_until > timezone.now() else None,
    }


@sellers_only
@fresh
@require_POST
def rotate(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """Answers the page itself, since the secret may be shown once only and is kept nowhere in between."""
    endpoint, secret = _endpoint(seller, public_id), ""
    try:
        secret = endpoints.rotate_secret(endpoint=endpoint, actor=signed_in(request), now=timezone.now())
    except (Problem, VaultLocked) as problem:
        messages.error(request, str(problem))
    endpoint = _endpoint(seller, public_id)
    form = EndpointForm(initial={"name": endpoint.name, "events": endpoint.events})
    return show(request, seller, "webhook", _page(request, endpoint, form, secret), here="webhooks")


@sellers_only
@fresh
@require_POST
def deed(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    """Pause, resume, delete, test."""
    endpoint, actor = _endpoint(seller, public_id), signed_in(request)
    match typed(request.POST, "deed", longest=10):
        case "pause":
            try_it(request, lambda now: endpoints.pause_endpoint(endpoint=endpoint, actor=actor, now=now), "Paused.")
        case "resume":
            try_it(
                request,
                lambda now: endpoints.resume_endpoint(endpoint=endpoint, actor=actor, now=now),
                "Resumed. What was not taken is sent.",
            )
        case "test":
            said = "A test is on its way; the answer stands below in a moment."
            try_it(request, lambda now: endpoints.send_test(endpoint=endpoint, actor=actor, now=now), said)
        case "delete":
            if try_it(
                request,
                lambda now: endpoints.delete_endpoint(endpoint=endpoint, actor=actor, now=now),
                "The receiver is deleted.",
            ):
                return redirect("seller_webhooks")
        case _:
            messages.error(request, "Choose what to do.")
    return redirect("seller_webhook", public_id)


@sellers_only
@require_safe
def confirm_delete(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    return show(request, seller, "webhook_delete", {"endpoint": _endpoint(seller, public_id)}, here="webhooks")


@sellers_only
@require_POST
def again(request: HttpRequest, seller: Seller, public_id: str, pk: int) -> HttpResponse:
    endpoint, actor = _endpoint(seller, public_id), signed_in(request)
    said = "It is sent again, under its old id."
    try_it(request, lambda now: endpoints.send_again(endpoint=endpoint, command_id=pk, actor=actor, now=now), said)
    return redirect("seller_webhook", public_id)
