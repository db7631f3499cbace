"""The marketplace's own pages: who wrote which version when, and a new one, looked at before it is published."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from crossdock.domain.roles import Right
from crossdock.domain.site.pages import FOR, LONGEST, TITLES, Page, digest, paragraphs
from crossdock.store.models import User
from crossdock.usecases.errors import Problem
from crossdock.usecases.record.pages import checked, in_force, publish, versions
from crossdock.web.forms import typed
from crossdock.web.staff.panel import page_of, show, staff_only


@staff_only(Right.PAGES)
@require_safe
def table(request: HttpRequest, staff: User) -> HttpResponse:
    newest = in_force()
    context = {"rows": [(page, TITLES[page], FOR[page], newest.get(page)) for page in Page]}
    return show(request, "site/pages", context, here="pages")


@staff_only(Right.PAGES)
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, staff: User, name: str) -> HttpResponse:
    """A first press shows the page, the second publishes what was shown, and nothing else."""
    if name not in set(Page):
        raise Http404
    page, newest = Page(name), versions(Page(name)).first()
    text = newest.text if newest else ""
    trouble, shown = "", False
    if request.method == "POST":
        text, shown = request.POST.get("text", "")[: 2 * LONGEST], True
        try:
            text = checked(text)
            if typed(request.POST, "sure") == "yes":
                if typed(request.POST, "shown") == digest(text):
                    return _published(request, staff, page, text)
                trouble = "The text is another one than you looked at. This is how it looks now."
        except Problem as problem:
            trouble = str(problem)
    history, next_after = page_of(request, versions(page), size=20)
    context = {
        "name": page,
        "title": TITLES[page],
        "means": FOR[page],
        "newest": newest,
        "text": text,
        "shown": shown,
        "digest": digest(text),
        "paragraphs": paragraphs(text) if shown else [],
        "trouble": trouble,
        "history": [(row, paragraphs(row.text)) for row in history],
        "next_after": next_after,
    }
    return show(request, "site/page", context, here="pages", status=422 if trouble else 200)


def _published(request: HttpRequest, staff: User, page: Page, text: str) -> HttpResponse:
    """Raises a Problem."""
    seen = typed(request.POST, "seen", longest=18)
    number = int(seen) if seen.isdecimal() and len(seen) < 9 else 0
    if not publish(page=page, text=text, seen=number, actor=staff, now=timezone.now()):
        messages.info(request, f"“{TITLES[page]}” reads so already.")
    elif text:
        messages.success(request, f"“{TITLES[page]}” is published. Every page links to it within half a minute.")
    else:
        messages.success(request, f"“{TITLES[page]}” is taken away. Links to it end within half a minute.")
    return redirect("staff_pages")
