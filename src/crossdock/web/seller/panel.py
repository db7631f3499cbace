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
from crossdock.store.models import Seller, User
from crossdock.usecases.accounts.approving import approval_of
from crossdock.usecases.accounts.queries import suspension_of, why_out
from crossdock.usecases.accounts.team import worked
from crossdock.usecases.catalogue.offers import waiting_for
from crossdock.usecases.errors import NotAllowed, Problem
from crossdock.usecases.record.alerts import open_alerts
from crossdock.usecases.record.rights import belongs, duties_of, is_owner, require
from crossdock.usecases.record.telling import working
from crossdock.usecases.requests.queries import waiting_returns
from crossdock.usecases.support.cases import cases_of
from crossdock.web.acting import seller_of
from crossdock.web.people import signed_in
from crossdock.web.seller.team.duties import duty_of
from crossdock.web.seller.team.hiding import as_seen

View = Callable[..., HttpResponseBase]


def sellers_only(view: View) -> View:
    """Gives the view its seller: whom the signed-in person owns or works for, or whom staff act as.

    Somebody without a shop is refused and offered to open one; nobody is sent to the sign-in. Of a team everybody does
    what their role gives them (`team/duties`), and what a member sends is traced.
    """

    @never_cache
    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        person = signed_in(request)
        seller = seller_of(request, person)
        if seller is None:
            return render(request, "seller/none.html", {"why_out": why_out(person)}, status=403)
        name = (request.resolver_match.url_name if request.resolver_match else "") or ""
        try:
            require(person, seller, duty=duty_of(name, request.method or ""))
        except NotAllowed as problem:
            return render(request, "seller/team/refused.html", {"sentence": str(problem)}, status=403)
        if request.method == "POST" and _member(person, seller):
            worked(seller=seller, actor=person, did=name, path=request.path, now=timezone.now())
        with working(person):
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
    answer = render(request, f"seller/{template}.html", {**around, **context}, status=status)
    if _member(person := signed_in(request), seller):
        answer.content = as_seen(answer.content.decode(), here=request.path, duties=duties_of(person, seller)).encode()
    return answer


def _member(person: User, seller: Seller) -> bool:
    """Of the team, and not its owner."""
    return belongs(person, seller) and not is_owner(person, seller)


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
