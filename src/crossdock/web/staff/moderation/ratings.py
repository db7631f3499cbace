"""Ratings that were reported, and the page on which staff decide about one."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from crossdock.domain.requests.ratings import LONGEST
from crossdock.domain.roles import Right
from crossdock.store.models import User
from crossdock.usecases.errors import Problem
from crossdock.usecases.requests.queries import RATINGS_OF_STAFF, ratings_of
from crossdock.usecases.requests.ratings import decide
from crossdock.web.forms import one_of
from crossdock.web.staff.panel import page_of, show, staff_only


@staff_only(Right.MODERATE)
@require_safe
def table(request: HttpRequest, staff: User) -> HttpResponse:
    which = one_of(request.GET, "which", RATINGS_OF_STAFF, "reported")
    rows, next_after = page_of(request, ratings_of(None).filter(RATINGS_OF_STAFF[which][1]))
    tabs = [(name, words) for name, (words, _) in RATINGS_OF_STAFF.items()]
    context = {"rows": rows, "next_after": next_after, "which": which, "tabs": tabs}
    return show(request, "moderation/ratings", context, here="ratings")


@staff_only(Right.MODERATE)
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, staff: User, public_id: str) -> HttpResponse:
    row = get_object_or_404(ratings_of(None), public_id=public_id)
    words, trouble = request.POST.get("words", "")[:LONGEST], ""
    if request.method == "POST":
        down = request.POST.get("deed") == "down"
        try:
            decide(rating=row, down=down, words=words, actor=staff, now=timezone.now())
        except Problem as problem:
            trouble = str(problem)
        else:
            messages.success(request, "Taken down; nobody reads it now." if down else "It is shown.")
            return redirect("staff_rating", public_id)
    context = {"row": row, "words": words, "trouble": trouble, "longest": LONGEST}
    return show(request, "moderation/rating", context, here="ratings", status=422 if trouble else 200)
