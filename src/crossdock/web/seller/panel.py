"""What every page of the panel shares: who may see it, what surrounds it, and how a use-case's sentence reaches the
person.
"""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache

from crossdock.domain.moderation.sellers import Bar
from crossdock.store.models import Seller
from crossdock.usecases.accounts.approving import approval_of
from crossdock.usecases.accounts.queries import suspension_of
from crossdock.usecases.catalogue.offers import waiting_for
from crossdock.usecases.errors import Problem
from crossdock.usecases.record.alerts import open_alerts
from crossdock.usecases.requests.queries import waiting_returns
from crossdock.usecases.support.cases import cases_of
from crossdock.web.acting import seller_of
from crossdock.web.people import signed_in

View = Callable[..., HttpResponseBase]


def sellers_only(view: View) -> View:
    """Gives the view its seller: the signed-in one, or whom staff act as.

    Somebody without a shop is refused and offered to open one; nobody is sent to the sign-in.
    """

    @never_cache
    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        seller = seller_of(request, signed_in(request))
        if seller is None:
            return render(request, "seller/none.html", status=403)
        return view(request, seller, *args, **kwargs)

    return guarded


def show(
    request: HttpRequest, seller: Seller, template: str, context: dict[str, Any], *, here: str, status: int = 200
) -> HttpResponse:
    """`here` is the entry of the side navigation that is lit."""
    around = {
        "seller": seller,
        "here": here,
        "suspension": suspension_of(seller) if seller.barred else None,
        "approval": approval_of(seller) if seller.bar is Bar.APPROVAL else None,
        "offer_count": waiting_for(seller=seller),
        "return_count": waiting_returns(seller),
        "case_count": cases_of(seller=seller, which="waiting").count(),
        "alert_count": open_alerts(seller=seller).count(),
    }
    return render(request, f"seller/{template}.html", {**around, **context}, status=status)


def try_it(request: HttpRequest, deed: Callable[[datetime], object], said: str = "") -> bool:
    """Do it now and say so; a use-case's Problem becomes the sentence on the next page."""
    try:
        deed(timezone.now())
    except Problem as problem:
        messages.error(request, str(problem))
        return False
    if said:
        messages.success(request, said)
    return True
