"""A page as a member of the team sees it: without the links, forms and buttons that lead to what they may not press.

The pages' templates are written for the owner; what is refused is known from one table (`duties`), so what is hidden is
read of it too, and no template can forget it. The guard refuses all the same.
"""

from collections.abc import Callable
from functools import lru_cache
from html.parser import HTMLParser
from urllib.parse import urlsplit

from django.urls import Resolver404, resolve

from crossdock.domain.team.roles import Duty
from crossdock.web.seller.team.duties import duty_of

_VOID = frozenset({"input"})
Refused = Callable[[str, str], bool]


def as_seen(html: str, *, here: str, duties: frozenset[Duty]) -> str:
    """`here` is the page's own path, to which a form without an address is sent."""
    known: dict[tuple[str, str], bool] = {}

    def refused(url: str, method: str) -> bool:
        path = urlsplit(url).path or here
        key = (path, method)
        if key not in known:
            known[key] = _is_refused(path, method, duties)
        return known[key]

    finder = _Finder(html, refused)
    finder.feed(html)
    finder.close()
    kept, at = [], 0
    for begins, ends in sorted(finder.cuts()):
        if begins >= at:
            kept.append(html[at:begins])
            at = ends
    return "".join([*kept, html[at:]])


def _is_refused(path: str, method: str, duties: frozenset[Duty]) -> bool:
    if not path.startswith("/seller/"):
        return False
    name = _name_of(path)
    return name.startswith("seller_") and duty_of(name, method) not in duties


@lru_cache(1024)
def _name_of(path: str) -> str:
    """Of the address that it leads to. Kept, since every page has the navigation's links, and each look goes through
    some eighty patterns.
    """
    try:
        return resolve(path).url_name or ""
    except Resolver404:
        return ""


class _Finder(HTMLParser):
    """Where what is refused begins and ends. Neither links, forms nor buttons stand in one of their own kind."""

    def __init__(self, html: str, refused: Refused) -> None:
        super().__init__()
        self._refused = refused
        self._html = html
        self._lines = [0]
        for line in html.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))
        self._found: list[tuple[int, int]] = []
        self._gone: set[str] = set()
        # Controls that stand outside their form, by its id.
        self._beside: list[tuple[str, int, int]] = []
        self._open: tuple[str, str, int] | None = None

    def cuts(self) -> list[tuple[int, int]]:
        return self._found + [(begins, ends) for form, begins, ends in self._beside if form in self._gone]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._open is not None and not self._open[1]:
            return
        given = {name: value or "" for name, value in attrs}
        at, form = self._here(), given.get("form", "")
        if self._leads_where_refused(tag, given):
            if tag == "form" and given.get("id"):
                self._gone.add(given["id"])
            self._open = (tag, "", at)
        elif form and tag in _VOID:
            self._beside.append((form, at, self._end(at)))
        elif form:
            self._open = (tag, form, at)

    def handle_endtag(self, tag: str) -> None:
        if self._open is None or self._open[0] != tag:
            return
        _, form, begins = self._open
        ends = self._end(self._here())
        self._open = None
        if form:
            self._beside.append((form, begins, ends))
        else:
            self._found.append((begins, ends))

    def _leads_where_refused(self, tag: str, given: dict[str, str]) -> bool:
        if tag == "form":
            return self._refused(given.get("action", ""), given.get("method", "get").upper())
        if tag == "a":
            return "href" in given and self._refused(given["href"], "GET")
        return tag == "button" and "formaction" in given and self._refused(given["formaction"], "POST")

    def _here(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    def _end(self, at: int) -> int:
        """Behind the tag that begins there; a quoted value may hold the sign that ends one."""
        quote = ""
        for index in range(at, len(self._html)):
            letter = self._html[index]
            if quote:
                quote = "" if letter == quote else quote
            elif letter in "\"'":
                quote = letter
            elif letter == ">":
                return index + 1
        return len(self._html)
