"""Staff stop a seller's sales, and let them sell again."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from crossdock.domain.roles import Right
from crossdock.store.models import User
from crossdock.usecases.accounts.queries import sellers_named
from crossdock.usecases.accounts.suspending import LONGEST, resume_seller, suspend_seller
from crossdock.web.forms import typed
from crossdock.web.seller.panel import try_it
from crossdock.web.signin.again import fresh
from crossdock.web.staff.panel import staff_only


@staff_only(Right.SELLERS)
@fresh
@require_POST
def change_sales(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    """`deed` is suspend or resume: pressed twice, or in a second tab, the second press changes nothing."""
    seller = get_object_or_404(sellers_named(""), public_id=public_id)
    why = request.POST.get("why", "")[:LONGEST]
    if typed(request.POST, "deed", longest=8) == "resume":
        said = f"{seller.name} sells again, and is told."
        try_it(request, lambda now: resume_seller(seller=seller, why=why, actor=staff, now=now), said)
    else:
        said = f"Nothing of {seller.name} is shown or sold from now on, and they are told why."
        try_it(request, lambda now: suspend_seller(seller=seller, why=why, actor=staff, now=now), said)
    return redirect("staff_seller", public_id)
