"""The team's page: who is in it and as what, who was asked, and what the owner does about it. A member sees who is in
it and can leave.
"""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from crossdock.domain.team.roles import CHOICES, GIVEN, WORDS, TeamRole, in_words
from crossdock.store.models import Seller, User
from crossdock.usecases.accounts.inviting import invitations_of, invite, send_again, standing, withdraw
from crossdock.usecases.accounts.team import change_roles, hand_over, leave, let_go, members_of
from crossdock.usecases.errors import Problem
from crossdock.usecases.record.rights import is_owner, team_roles
from crossdock.web.forms import typed
from crossdock.web.people import signed_in
from crossdock.web.seller.panel import sellers_only, show, try_it
from crossdock.web.signin.again import fresh

_FORMS = ("GET", "HEAD", "POST")


class InviteForm(forms.Form):
    email = forms.EmailField(
        label="E-mail address", max_length=254, help_text="The letter goes there, and nowhere else."
    )
    roles = forms.ChoiceField(label="They work on", choices=list(CHOICES.items()))


@sellers_only
@fresh
@require_http_methods(_FORMS)
def page(request: HttpRequest, seller: Seller) -> HttpResponse:
    """Whoever is asked is told the same by us, whether they have an account here or not."""
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = invite(seller=seller, actor=signed_in(request), now=timezone.now(), **form.cleaned_data)
        except Problem as problem:
            form.add_error("email", str(problem))
        else:
            messages.success(request, f"A letter goes to {made.email}. It holds for seven days.")
            return redirect("seller_team")
    now, owner = timezone.now(), is_owner(signed_in(request), seller)
    context = {
        "form": form,
        "owner": owner,
        "members": [(one, in_words(team_roles(one, seller))) for one in members_of(seller)],
        "choices": CHOICES,
        "invitations": [(row, CHOICES[row.roles], standing(row, now=now)) for row in invitations_of(seller)]
        if owner
        else [],
        "can": [(WORDS[duty], ["yes" if duty in GIVEN[role] else "no" for role in TeamRole]) for duty in WORDS],
        "roles": [in_words(frozenset({role})).capitalize() for role in TeamRole],
    }
    return show(request, seller, "team/team", context, here="team", status=422 if form.errors else 200)


@sellers_only
@fresh
@require_POST
def send(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    row = get_object_or_404(invitations_of(seller).select_related("seller"), public_id=public_id)
    actor = signed_in(request)
    said = f"A new letter goes to {row.email}; the link of the one before is dead."
    try_it(request, lambda now: send_again(invitation=row, actor=actor, now=now), said)
    return redirect("seller_team")


@sellers_only
@fresh
@require_POST
def take_back(request: HttpRequest, seller: Seller, public_id: str) -> HttpResponse:
    row = get_object_or_404(invitations_of(seller).select_related("seller"), public_id=public_id)
    actor = signed_in(request)
    said = "The invitation is withdrawn; its link is dead."
    try_it(request, lambda now: withdraw(invitation=row, actor=actor, now=now), said)
    return redirect("seller_team")


@sellers_only
@fresh
@require_POST
def role(request: HttpRequest, seller: Seller, pk: int) -> HttpResponse:
    member, actor, roles = _member(seller, pk), signed_in(request), typed(request.POST, "roles")
    said = f"{member} works on: {CHOICES.get(roles, '')}. That holds from their next click on."
    try_it(request, lambda now: change_roles(seller=seller, member=pk, roles=roles, actor=actor, now=now), said)
    return redirect("seller_team")


@sellers_only
@fresh
@require_http_methods(_FORMS)
def remove(request: HttpRequest, seller: Seller, pk: int) -> HttpResponse:
    member, actor = _member(seller, pk), signed_in(request)
    if request.method == "POST":
        said = f"{member} is not in the team any more."
        try_it(request, lambda now: let_go(seller=seller, member=pk, actor=actor, now=now), said)
        return redirect("seller_team")
    return show(request, seller, "team/remove", {"member": member}, here="team")


@sellers_only
@fresh
@require_http_methods(_FORMS)
def handing_over(request: HttpRequest, seller: Seller, pk: int) -> HttpResponse:
    """The one deed that cannot be taken back by who did it: asks who it is, and says what goes with it."""
    member, actor = _member(seller, pk), signed_in(request)
    if request.method == "POST":
        said = f"{seller.name} is {member}’s now. You are in the team for orders and listings."
        try_it(request, lambda now: hand_over(seller=seller, member=pk, actor=actor, now=now), said)
        return redirect("seller_team")
    return show(request, seller, "team/hand_over", {"member": member}, here="team")


@sellers_only
@require_http_methods(_FORMS)
def leaving(request: HttpRequest, seller: Seller) -> HttpResponse:
    person = signed_in(request)
    if person not in members_of(seller):
        messages.error(request, "The owner leaves by handing the shop over to somebody of the team.")
        return redirect("seller_team")
    if request.method == "POST" and try_it(
        request, lambda now: leave(person=person, now=now), f"You left the team of {seller.name}."
    ):
        return redirect("browse")
    return show(request, seller, "team/leave", {}, here="team")


def _member(seller: Seller, pk: int) -> User:
    return get_object_or_404(members_of(seller), pk=pk)
