"""Staff stop a seller's sales, and let them sell again."""

from datetime import datetime

from django.contrib import messages
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
        change, said = resume_seller, f"{seller.name} sells again, and is told."
        already = f"{seller.name} sold already: nothing changed, and nobody is told."
    else:
        change, said = suspend_seller, f"Nothing of {seller.name} is shown or sold from now on, and they are told why."
        already = f"The sales of {seller.name} were suspended already: nothing changed, and nobody is told."

    def deed(now: datetime) -> None:
        if change(seller=seller, why=why, actor=staff, now=now):
            messages.success(request, said)
        else:
            messages.info(request, already)

    try_it(request, deed)
    return redirect("staff_seller", public_id)
