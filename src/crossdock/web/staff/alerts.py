"""Open alerts over all sellers, so that staff see what many of them have in common."""

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from crossdock.domain.alerts import KINDS, AlertCode
from crossdock.store.models import Alert, User
from crossdock.web.forms import typed
from crossdock.web.staff.panel import page_of, show, staff_only


@staff_only
@require_safe
def table(request: HttpRequest, staff: User) -> HttpResponse:
    code, which = typed(request.GET, "code", longest=40), typed(request.GET, "which", longest=10)
    which = which if which in ("open", "settled") else "open"
    counts = dict(Alert.objects.filter(settled_at=None).values_list("code").annotate(n=Count("pk")))
    found = Alert.objects.filter(settled_at__isnull=which == "open")
    if code in set(AlertCode):
        found = found.filter(code=code)
    alerts, next_after = page_of(
        request, found.select_related("seller", "order", "connection", "listing", "settled_by")
    )
    context = {
        "alerts": alerts,
        "next_after": next_after,
        "code": code,
        "which": which,
        "codes": [(item.value, KINDS[item].title, counts.get(item.value, 0)) for item in KINDS],
    }
    return show(request, "alerts", context, here="alerts")
