"""Who of staff may what, and who they are."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from crossdock.domain.roles import WORDS, Right, Role, roles_with
from crossdock.store.models import User
from crossdock.usecases.accounts.staffing import staff_people
from crossdock.usecases.record.rights import roles_of
from crossdock.web.staff.panel import show, staff_only


@staff_only(Right.LOOK)
@require_safe
def table(request: HttpRequest, staff: User) -> HttpResponse:
    context = {
        "people": [(person, ", ".join(roles_of(person))) for person in staff_people()],
        "roles": list(Role),
        "table": [(words, [(role, role in roles_with(right)) for role in Role]) for right, words in WORDS.items()],
    }
    return show(request, "roles", context, here="roles")
