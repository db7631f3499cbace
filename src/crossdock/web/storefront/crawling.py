"""What search engines read: robots.txt, the sitemap, and where a page's own address is.

Only of a marketplace with a public address; a demo, whose goods are made up, asks not to be read at all.
"""

from collections.abc import Iterable, Iterator

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.html import escape
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from crossdock.usecases.catalogue.crawled import Found, Kind, part, parts
from crossdock.usecases.catalogue.taxonomy import in_force
from crossdock.usecases.record.pages import links
from crossdock.web.streams import in_turn

# Of one person, or for a program.
CLOSED = (
    *(
        "/accounts/",
        "/admin/",
        "/agents/",
        "/api/",
        "/cart/",
        "/checkout/",
        "/demo/",
        "/healthz",
        "/hooks/",
        "/l/*/offer/",
        "/l/*/report/",
        "/s/*/report/",
    ),
    *("/metrics", "/offers/", "/orders/", "/returns/", "/searches/", "/sell/", "/seller/", "/staff/", "/withdraw/"),
)
# Searches and filters: each combination would be one more page of the same goods.
NARROWING = ("category=", "currency=", "f-", "high=", "in=", "low=", "q=", "sort=", "stock=")
_PAGES = "pages"
_OPENING = '<?xml version="1.0" encoding="UTF-8"?>\n<{} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
_one_hour = cache_control(public=True, max_age=3600)


def canonical(path: str) -> str:
    """The one address of a page, for its head; empty where the marketplace has no public one."""
    return f"{settings.PUBLIC_URL}{path}" if settings.PUBLIC_URL else ""


def _is_public() -> bool:
    return bool(settings.PUBLIC_URL) and not settings.DEMO


@require_safe
@_one_hour
def robots(request: HttpRequest) -> HttpResponse:
    lines = ["User-agent: *"]
    if _is_public():
        lines += [f"Disallow: {path}" for path in CLOSED]
        lines += [f"Disallow: /*{sign}{name}" for name in NARROWING for sign in "?&"]
        lines += ["", f"Sitemap: {canonical(reverse('sitemap'))}"]
    else:
        lines.append("Disallow: /")
    return HttpResponse("\n".join([*lines, ""]), content_type="text/plain; charset=utf-8")


@require_safe
@_one_hour
def sitemap(request: HttpRequest) -> StreamingHttpResponse:
    """The index of all parts."""
    _require_public()
    named = ((kind.value, number) for kind in Kind for number in parts(kind))
    return _xml(request, "sitemapindex", "sitemap", ((_part_at(*each), None) for each in _with_pages(named)))


@require_safe
@_one_hour
def sitemap_part(request: HttpRequest, kind: str, number: int) -> StreamingHttpResponse:
    _require_public()
    if kind == _PAGES and number == 0:
        categories = [reverse("category", args=[key]) for key in in_force().categories]
        own = [reverse("page", args=[name]) for name, _ in links()]
        return _xml(request, "urlset", "url", ((path, None) for path in [reverse("browse"), *categories, *own]))
    found = part(Kind(kind), number) if kind in list(Kind) and number < 10**9 else None
    if found is None:
        raise Http404
    page = "listing" if kind == Kind.LISTINGS else "seller"
    return _xml(request, "urlset", "url", ((reverse(page, args=[name]), changed) for name, changed in found))


def _require_public() -> None:
    """Raises Http404: a sitemap has whole addresses alone."""
    if not _is_public():
        raise Http404


def _with_pages(named: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    yield _PAGES, 0
    yield from named


def _part_at(kind: str, number: int) -> str:
    return reverse("sitemap_part", args=[kind, number])


def _xml(request: HttpRequest, around: str, each: str, rows: Iterable[Found]) -> StreamingHttpResponse:
    """`rows` are paths with the moment of their last change."""

    def lines() -> Iterator[str]:
        yield _OPENING.format(around)
        for path, changed in rows:
            at = f"<lastmod>{changed.isoformat(timespec='seconds')}</lastmod>" if changed else ""
            yield f"<{each}><loc>{escape(canonical(path))}</loc>{at}</{each}>\n"
        yield f"</{around}>\n"

    return StreamingHttpResponse(in_turn(request, lines()), content_type="application/xml; charset=utf-8")
