"""API tokens: the marketplace's own, made here, and those of sellers, which only their sellers make. What the agent
behind one is told of its orders (docs/agents.md) goes on from here after it was paused.
"""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crossdock.domain.roles import Right
from crossdock.store.models import User
from crossdock.usecases.accounts.tokens import AREAS, OF_MARKETPLACE, all_tokens, revoke_token
from crossdock.usecases.outcomes.agents_told import agents_endpoints, orders_told, resume_agent, updates_to
from crossdock.usecases.outcomes.endpoints import host_of
from crossdock.usecases.record.agent_news import spoken
from crossdock.web.seller.panel import try_it
from crossdock.web.seller.tokens import TokenForm, reach_in_words
from crossdock.web.signin.again import fresh
from crossdock.web.staff.panel import page_of, show, staff_only


class MarketplaceTokenForm(TokenForm):
    """With what a seller's token never reaches, where the operator switched it on."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        areas = self.fields["areas"]
        assert isinstance(areas, forms.MultipleChoiceField)
        if spoken():
            areas.choices = [*AREAS.items(), *OF_MARKETPLACE.items()]
            areas.help_text = "With nothing ticked it reaches all of them but what is for agents."


@staff_only(Right.TOKENS)
@fresh
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, staff: User) -> HttpResponse:
    form, secret, now = MarketplaceTokenForm(request.POST or None), "", timezone.now()
    if request.method == "POST" and form.is_valid() and (secret := form.make(seller=None, actor=staff)):
        form = MarketplaceTokenForm()
    tokens, next_after = page_of(request, all_tokens())
    receivers = agents_endpoints(tokens)
    context = {
        "form": form,
        "secret": secret,
        "tokens": [
            (token, reach_in_words(token.scopes), [(one, host_of(one.url)) for one in receivers.get(token.pk, [])])
            for token in tokens
        ],
        "next_after": next_after,
        "now": now,
    }
    return show(request, "tokens", context, here="tokens", status=422 if form.errors else 200)


@staff_only(Right.TOKENS)
@fresh
@require_safe
def updates(request: HttpRequest, staff: User, pk: int) -> HttpResponse:
    token = get_object_or_404(all_tokens(), pk=pk)
    rows, next_after = page_of(request, updates_to(token=token))
    orders = orders_told(rows)
    context = {
        "token": token,
        "receivers": [(one, host_of(one.url)) for one in agents_endpoints([token]).get(token.pk, [])],
        "deliveries": [(row, orders[row.pk], host_of(row.party.endpoint.url)) for row in rows],
        "next_after": next_after,
    }
    return show(request, "token_updates", context, here="tokens")


@staff_only(Right.TOKENS)
@fresh
@require_POST
def revoke(request: HttpRequest, staff: User, pk: int) -> HttpResponse:
    token = get_object_or_404(all_tokens(), pk=pk)
    try_it(request, lambda now: revoke_token(token=token, actor=staff, now=now), "The token is revoked.")
    return redirect("staff_tokens")


@staff_only(Right.TOKENS)
@fresh
@require_POST
def resume(request: HttpRequest, staff: User, pk: int) -> HttpResponse:
    token = get_object_or_404(all_tokens(), pk=pk)
    said = "It is told again, and first what it did not take."
    try_it(request, lambda now: resume_agent(token=token, actor=staff, now=now), said)
    return redirect("staff_tokens")
