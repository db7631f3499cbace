"""How long data is kept, for staff to answer whoever asks."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from crossdock.domain.retention import PICTURES, POLICY, Then
from crossdock.domain.roles import Right
from crossdock.store.models import User
from crossdock.web.staff.panel import show, staff_only


@staff_only(Right.AUDIT)
@require_safe
def table(request: HttpRequest, staff: User) -> HttpResponse:
    context = {
        "ends": [rule for rule in (*POLICY, PICTURES) if rule.then is not Then.KEEP],
        "kept": [rule for rule in POLICY if rule.then is Then.KEEP],
    }
    return show(request, "retention", context, here="retention")
