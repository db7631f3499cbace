"""Where the link of an invitation leads. It shows which shop asks and for what, to whoever holds the link; it is taken
by an account with the address that it went to.
"""

from urllib.parse import quote

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from crossdock.domain.team.invitations import InvitationState
from crossdock.domain.team.roles import in_words, roles_in
from crossdock.usecases.accounts.inviting import accept, has_address, invitation_in, standing
from crossdock.usecases.errors import Problem
from crossdock.web.people import visitor


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    row, person = invitation_in(token), visitor(request)
    state = standing(row, now=timezone.now()) if row is not None else InvitationState.ENDED
    if row is None or state in (InvitationState.ENDED, InvitationState.WITHDRAWN):
        return render(request, "seller/team/join.html", {"dead": True}, status=410)
    if request.method == "POST" and person is not None:
        try:
            accept(invitation=row, person=person, now=timezone.now())
        except Problem as problem:
            messages.error(request, str(problem))
            return redirect(request.path)
        messages.success(request, f"You are in the team of {row.seller.name}.")
        return redirect("seller_home")
    if state is InvitationState.ACCEPTED:
        return render(request, "seller/team/join.html", {"dead": True}, status=410)
    context = {
        "invitation": row,
        "roles": in_words(roles_in(row.roles)),
        "theirs": person is not None and has_address(person, row.email),
        "next": f"?next={quote(request.path)}",
    }
    return render(request, "seller/team/join.html", context)
