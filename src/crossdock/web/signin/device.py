"""The browser that signed in before: a signed cookie names the people whose password was right in it.

It opens nothing. It tells the owner's own browser from a stranger's, whose guesses must not lock the owner out, and a
browser that is new from one that is known.
"""

import re
import secrets
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from crossdock.store.models import User
from crossdock.usecases.accounts.queries import among

# In the session of a browser that set a new password by a letter: the address that the letter went to.
PROVED = "proved_mailbox"
_SALT = "crossdock.known_browser"
_YEAR = 365 * 24 * 3600
MOST = 8

# The first that fits names the browser; each of them also calls itself by older names.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser_of(agent: str) -> str:
    """In a person's words: "Firefox on Linux". What it says of itself where nothing fits."""
    browser = next((words for sign, words in _BROWSERS if sign + "/" in agent), "")
    system = next((words for sign, words in _SYSTEMS if sign in agent), "")
    if browser or system:
        return f"{browser or 'A browser'} on {system}" if system else browser
    return re.split(r"[\s/]", agent.strip(), maxsplit=1)[0][:40] or "A program without a name"


def place_of(request: HttpRequest) -> str:
    """Browser and address, for letters."""
    return f"{browser_of(request.META.get('HTTP_USER_AGENT', ''))}, {request.META.get('REMOTE_ADDR', '')}"


def cookie_name() -> str:
    return "__Host-known" if settings.SESSION_COOKIE_SECURE else "known"


def known_people(request: HttpRequest) -> dict[str, Any]:
    """User's number -> their round when they signed in here, and a random name of this sign-in. Whatever was not signed
    by us is nobody.
    """
    try:
        found = signing.loads(request.COOKIES.get(cookie_name(), ""), salt=_SALT, max_age=_YEAR)
    except signing.BadSignature:
        return {}
    return found if isinstance(found, dict) else {}


def is_known(request: HttpRequest, user: User) -> bool:
    """Signing out everywhere ends this too."""
    return bool(_kept(request, user)[0] == user.session_round)


def _kept(request: HttpRequest, user: User) -> tuple[Any, str]:
    """(their round, the name); one that was given before names were is known as nobody's."""
    found = known_people(request).get(str(user.pk))
    return (found[0], str(found[1])) if isinstance(found, list) and len(found) == 2 else (None, "")


def remember(request: HttpRequest, response: HttpResponseBase, user: User) -> None:
    """The last eight people."""
    people = {name: value for name, value in known_people(request).items() if name != str(user.pk)}
    people = dict([*people.items(), (str(user.pk), [user.session_round, secrets.token_urlsafe(9)])][-MOST:])
    response.set_cookie(
        cookie_name(),
        signing.dumps(people, salt=_SALT),
        max_age=_YEAR,
        httponly=True,
        samesite="Lax",
        secure=bool(settings.SESSION_COOKIE_SECURE),
        path="/",
    )


def known_as(request: HttpRequest, email: str) -> str:
    """What this browser's guesses at this account are counted by, if its owner used it before; empty for a stranger's.

    Each of a person's browsers has its own, which only their own sign-in changes, so a copied cookie guesses no more
    than one browser may, whoever else signs in with it.
    """
    session = request.session.session_key or ""
    if request.user.is_authenticated and request.user.email.lower() == email.lower():
        return f"session:{request.user.pk}"
    if email and request.session.get(PROVED) == email.lower():
        return f"mailbox:{session}"
    people = known_people(request)
    user = among(list(people)[:MOST], email) if people else None
    return _kept(request, user)[1] if user is not None and is_known(request, user) else ""
