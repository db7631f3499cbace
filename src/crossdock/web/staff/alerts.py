"""Alerts over all sellers: those that only staff can settle, and those that sellers settle, so that staff see what
many of them have in common.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from crossdock.domain.alerts import KINDS, AlertCode
from crossdock.domain.roles import Right
from crossdock.store.models import Alert, User
from crossdock.usecases.record.alerts import settle_alert
from crossdock.usecases.record.queries import alerts_in, open_by_code
from crossdock.web.forms import one_of, typed
from crossdock.web.seller.panel import try_it
from crossdock.web.staff.commands import back_to
from crossdock.web.staff.panel import page_of, show, staff_only

WHICH = {"staff": "For staff", "open": "For sellers", "settled": "Settled"}


@staff_only(Right.ALERTS)
@require_safe
def table(request: HttpRequest, staff: User) -> HttpResponse:
    code, which = typed(request.GET, "code", longest=40), one_of(request.GET, "which", WHICH, "open")
    counts, found = open_by_code(), alerts_in(which)
    if code in set(AlertCode):
        found = found.filter(code=code)
    alerts, next_after = page_of(request, found)
    context = {
        "alerts": alerts,
        "next_after": next_after,
        "code": code,
        "which": which,
        "tabs": list(WHICH.items()),
        "codes": [(item.value, KINDS[item].title, counts.get(item.value, 0)) for item in KINDS],
    }
    return show(request, "alerts", context, here="alerts")


@staff_only(Right.ALERTS)
@require_POST
def settle(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    """Only what is staff's: a seller's alert is settled by the seller, or by staff who act as them."""
    alert = get_object_or_404(Alert, public_id=public_id, for_staff=True)
    how = typed(request.POST, "how", longest=200)
    try_it(request, lambda now: settle_alert(alert=alert, actor=staff, how=how, now=now), "Settled.")
    return redirect(back_to(request, "staff_alerts"))
