"""Acting as a seller: begun from the seller's page with a reason, ended from the banner that stands on every page
meanwhile.
"""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from crossdock.domain.roles import Right
from crossdock.store.models import Seller, User
from crossdock.usecases.errors import Problem
from crossdock.web import acting
from crossdock.web.forms import typed
from crossdock.web.signin.again import fresh
from crossdock.web.staff.panel import staff_only


@staff_only(Right.ACT)
@fresh
@require_POST
def begin(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    seller = get_object_or_404(Seller, public_id=public_id)
    try:
        acting.begin(request, staff=staff, seller=seller, why=typed(request.POST, "why", longest=200))
    except Problem as problem:
        messages.error(request, str(problem))
        return redirect("staff_seller", public_id)
    return redirect("seller_home")


@staff_only(Right.LOOK)
@require_POST
def end(request: HttpRequest, staff: User) -> HttpResponse:
    """Pressed in a second tab after it ended, it just leads home."""
    ended = acting.end(request, how="Ended.")
    if ended is None:
        return redirect("staff_home")
    messages.success(request, f"You no longer act as {ended.name}.")
    return redirect("staff_seller", ended.seller)
