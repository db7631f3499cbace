"""Which language a page is in: the one that its reader chose (a cookie, kept with the account too), or else the first
of their browser's that there is.

Pages for sellers and staff, for an account's security and data, and what programs read, are English so far. Signing in
gives a browser without a choice the account's.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import activate, deactivate, get_language, get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from crossdock.store.models import User
from crossdock.usecases.accounts.language import speaks
from crossdock.web.forms import typed
from crossdock.web.middleware import Around

_PANELS = ("/seller/", "/staff/", "/admin/", "/api/", "/agents/", "/hooks/", "/demo/", "/.well-known/", "/media/")
# Of an account's pages, those for security and data: their own words are English.
_ACCOUNT = ("/accounts/2fa/", "/accounts/data/", "/accounts/email/", "/accounts/sessions/")
_ENGLISH = (*_PANELS, *_ACCOUNT)
_YEAR = 365 * 24 * 60 * 60


class Languages(Around):
    """Whatever is answered says its language, and what it depends on, so that no cache gives German to the French."""

    def before(self, request: HttpRequest) -> None:
        if not request.path_info.startswith(_ENGLISH):
            activate(_chosen(request) or _first_of(request.headers.get("Accept-Language", "")))

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.get("Content-Type", "").startswith("text/html"):
            response.setdefault("Content-Language", get_language() or "en")
            if not request.path_info.startswith(_ENGLISH):
                patch_vary_headers(response, ("Accept-Language", "Cookie"))
        # The thread goes on to somebody else.
        deactivate()
        return response


def offered(request: HttpRequest) -> list[tuple[str, str]]:
    """(code, its own name) for the foot of a page; none where pages are English alone."""
    return [] if request.path_info.startswith(_ENGLISH) else list(settings.LANGUAGES)


# It changes the language and nothing else, so it needs no token; one would set a cookie with every page.
@csrf_exempt
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Back to the page that it was chosen on."""
    back = typed(request.POST, "next", longest=2000)
    here = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    answer = HttpResponseRedirect(back if here else "/")
    language = typed(request.POST, "to", longest=10)
    if language in dict(settings.LANGUAGES):
        keep(answer, language)
        if isinstance(request.user, User):
            speaks(person=request.user, language=language)
    return answer


def keep(answer: HttpResponseBase, language: str) -> None:
    """In this browser, for a year."""
    answer.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=_YEAR,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def keep_of(request: HttpRequest, answer: HttpResponseBase, person: User) -> None:
    """Who signs in with a browser that made no choice reads what they chose elsewhere."""
    if person.language and not _chosen(request):
        keep(answer, person.language)


def _chosen(request: HttpRequest) -> str:
    language = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    return language if language in dict(settings.LANGUAGES) else ""


def _first_of(header: str) -> str:
    for wanted, _ in parse_accept_lang_header(header):
        try:
            return get_supported_language_variant(wanted)
        except LookupError:
            continue
    return "en"
