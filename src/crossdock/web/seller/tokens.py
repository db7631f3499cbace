"""Tokens for programs that act for this seller. A token's text is shown once, on the page that made it."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from crossdock.store.models import ApiToken, Seller
from crossdock.usecases.accounts.tokens import make_token, revoke_token
from crossdock.usecases.errors import Problem
from crossdock.web.people import signed_in
from crossdock.web.seller.panel import sellers_only, show, try_it
from crossdock.web.signin.again import fresh


class TokenForm(forms.Form):
    name = forms.CharField(label="What is it for?", max_length=80, help_text="For example: packing station.")


@sellers_only
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, seller: Seller) -> HttpResponse:
    form, secret = TokenForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        try:
            name = form.cleaned_data["name"]
            _, secret = make_token(name=name, seller=seller, actor=signed_in(request), now=timezone.now())
            form = TokenForm()
        except Problem as problem:
            form.add_error(None, str(problem))
    tokens = ApiToken.objects.filter(seller=seller).order_by("revoked_at", "-pk")
    context = {"form": form, "secret": secret, "tokens": tokens, "docs_url": "/api/v1/docs"}
    return show(request, seller, "tokens", context, here="tokens", status=422 if form.errors else 200)


@sellers_only
@fresh
@require_POST
def revoke(request: HttpRequest, seller: Seller, pk: int) -> HttpResponse:
    token = get_object_or_404(ApiToken.objects.select_related("seller"), pk=pk, seller=seller)
    actor = signed_in(request)
    try_it(request, lambda now: revoke_token(token=token, actor=actor, now=now), "The token is revoked.")
    return redirect("seller_tokens")
