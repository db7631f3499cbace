"""The marketplace's own pages, as everybody reads them."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from crossdock.domain.site.pages import TITLES, Page, paragraphs
from crossdock.usecases.record.pages import versions
from crossdock.web.storefront.crawling import canonical


@require_safe
def page(request: HttpRequest, name: str) -> HttpResponse:
    """There is none without text."""
    row = versions(Page(name)).first() if name in set(Page) else None
    if row is None or not row.text:
        raise Http404
    context = {
        "title": TITLES[Page(name)],
        "paragraphs": paragraphs(row.text),
        "since": row.made_at,
        "canonical": canonical(request.path),
    }
    return render(request, "storefront/page.html", context)
