"""Staff's first page: what needs a person now, as numbers that lead to the rows."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from crossdock.store.models import User
from crossdock.web.staff.panel import show, staff_only


@staff_only
@require_safe
def home(request: HttpRequest, staff: User) -> HttpResponse:
    return show(request, "home", {}, here="home")
