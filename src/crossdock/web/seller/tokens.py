"""Tokens for programs that act for this seller. A token's text is shown once, on the page that made it."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from crossdock.store.models import ApiToken, Seller, User
from crossdock.usecases.accounts.tokens import (
    AREAS,
    EVERYTHING,
    OF_MARKETPLACE,
    make_token,
    revoke_token,
    scopes_of,
)
from crossdock.usecases.errors import Problem
from crossdock.usecases.record.rights import theirs
from crossdock.web.people import signed_in
from crossdock.web.seller.panel import sellers_only, show, try_it
from crossdock.web.signin.again import fresh


class TokenForm(forms.Form):
    """The least comes first: what is not chosen reads only, and ends after a year."""

    name = forms.CharField(label="What is it for?", max_length=80, help_text="For example: packing station.")
    may = forms.ChoiceField(
        label="It may", choices=[("read", "Read only"), ("change", "Read and change")], required=False, initial="read"
    )
    areas = forms.MultipleChoiceField(
        label="Only this",
        choices=list(AREAS.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="With nothing ticked it reaches all of them.",
    )
    days = forms.ChoiceField(
        label="It ends after",
        choices=[("30", "30 days"), ("90", "90 days"), ("365", "a year"), ("never", "It does not end")],
        required=False,
        initial="365",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("may", "days"):
            self.fields[name].perhaps = True  # type: ignore[attr-defined]

    def scopes(self) -> str:
        return scopes_of(change=self.cleaned_data["may"] == "change", areas=self.cleaned_data["areas"])

    def expires_at(self, now: datetime) -> datetime | None:
        days = self.cleaned_data["days"] or "365"
        return None if days == "never" else now + timedelta(days=int(days))

    def make(self, *, seller: Seller | None, actor: User) -> str:
        """The new token's text; "" when it was refused, and the form says why."""
        now = timezone.now()
        try:
            return make_token(
                name=self.cleaned_data["name"],
                seller=seller,
                actor=actor,
                now=now,
                scopes=self.scopes(),
                expires_at=self.expires_at(now),
            )[1]
        except Problem as problem:
            self.add_error(None, str(problem))
            return ""


def reach_in_words(scopes: str) -> str:
    """ "Read only: Orders, Alerts"."""
    if scopes == EVERYTHING:
        return "Everything"
    held = [part.partition(":") for part in scopes.split()]
    what = "Read and change" if any(how == "change" for _, _, how in held) else "Read only"
    areas = [area for area, _, _ in held]
    every = {**AREAS, **OF_MARKETPLACE}
    return what if set(areas) == set(AREAS) else f"{what}: {', '.join(every.get(area, area) for area in areas)}"


@sellers_only
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, seller: Seller) -> HttpResponse:
    form, secret = TokenForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid() and (secret := form.make(seller=seller, actor=signed_in(request))):
        form = TokenForm()
    tokens = theirs(ApiToken, seller).order_by("revoked_at", "-pk")
    rows = [(token, reach_in_words(token.scopes)) for token in tokens]
    context = {"form": form, "secret": secret, "tokens": rows, "now": timezone.now(), "docs_url": "/api/v1/docs"}
    return show(request, seller, "tokens", context, here="tokens", status=422 if form.errors else 200)


@sellers_only
@fresh
@require_POST
def revoke(request: HttpRequest, seller: Seller, pk: int) -> HttpResponse:
    token = get_object_or_404(theirs(ApiToken, seller).select_related("seller"), pk=pk)
    actor = signed_in(request)
    try_it(request, lambda now: revoke_token(token=token, actor=actor, now=now), "The token is revoked.")
    return redirect("seller_tokens")
