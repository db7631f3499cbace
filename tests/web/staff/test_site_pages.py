"""The marketplace's own pages: looked at, then published, version by version; what is typed is never markup."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.web.staff.test_staff_panel import Desk

from crossdock.domain.site.pages import LONGEST, Page, paragraphs
from crossdock.store.models import AuditEntry, PageText
from crossdock.usecases.errors import NotAllowed
from crossdock.usecases.record import pages
from market import user

pytestmark = pytest.mark.django_db
TERMS = "/staff/pages/terms/"


@pytest.fixture
def desk() -> Desk:
    return Desk(user(name="Ola Operations", is_staff=True, roles="operations"))


def hidden(desk: Desk, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', desk.page)
    assert found
    return found[1]


def look(desk: Desk, text: str) -> dict[str, str]:
    """What the page that shows it sends next."""
    assert desk.post(TERMS, text=text) == 200 and "Nothing is published yet" in desk.words
    return {"text": text, "sure": "yes", "shown": hidden(desk, "shown"), "seen": hidden(desk, "seen")}


def footer() -> str:
    pages.forget()
    return Client().get("/").content.decode().partition("<footer")[2]


def test_an_empty_line_ends_a_paragraph() -> None:
    assert paragraphs(" One\r\nstill one\n \n\nTwo \n") == [["One", "still one"], ["Two"]]
    assert paragraphs(" \n \n") == []


def test_it_is_looked_at_then_published_once_and_then_linked(desk: Desk) -> None:
    assert desk.get("/staff/pages/") == 200 and desk.words.count("Not written") == 3
    assert Client().get("/pages/terms/").status_code == 404 and "Terms" not in footer()
    given = look(desk, "Be kind.\n\nAsk help@market.example <b>now</b>.")
    assert not PageText.objects.exists() and Client().get("/pages/terms/").status_code == 404
    desk.post(TERMS, **given)
    assert desk.url == "/staff/pages/" and "is published" in desk.words
    desk.post(TERMS, **given)
    assert "reads so already" in desk.words, "pressed twice it is one version"
    (row,) = PageText.objects.all()
    assert (row.page, row.made_by) == ("terms", desk.who)
    page = Client().get("/pages/terms/").content.decode()
    assert "<p>Be kind.</p>" in page and "&lt;b&gt;now&lt;/b&gt;" in page and "mailto:help@market.example" in page
    assert '<a href="/pages/terms/">Terms</a>' in footer() and "Privacy" not in footer()
    note = AuditEntry.objects.get(action="page published")
    assert (note.actor, note.subject, note.detail) == (desk.who, "Terms", {"page": "terms", "version": 1})


def test_another_text_than_was_shown_is_shown_first(desk: Desk) -> None:
    given = look(desk, "One.")
    assert desk.post(TERMS, **{**given, "text": "Two."}) == 422
    assert "another one than you looked at" in desk.words and "Two." in desk.words and not PageText.objects.exists()
    desk.post(TERMS, **{**given, "text": "Two.", "shown": hidden(desk, "shown")})
    assert PageText.objects.get().text == "Two."


def test_nobody_writes_over_what_another_published_meanwhile(desk: Desk) -> None:
    mine = look(desk, "Mine.")
    other = Desk(user(name="Otto Other", is_staff=True, roles="operations"))
    other.post(TERMS, **look(other, "Theirs."))
    assert desk.post(TERMS, **mine) == 422
    assert "published another version meanwhile" in desk.words and "Mine." in desk.page and "Theirs." in desk.page
    assert PageText.objects.get().text == "Theirs."
    desk.post(TERMS, **{**mine, "seen": hidden(desk, "seen")})
    assert [row.text for row in pages.versions(Page.TERMS)] == ["Mine.", "Theirs."]
    desk.get(TERMS)
    assert "In force" in desk.words and "Theirs." in desk.words, "what was in force stays to be read"


def test_without_a_text_it_is_taken_away(desk: Desk) -> None:
    desk.post(TERMS, **look(desk, "One."))
    desk.post(TERMS, **look(desk, " \n"))
    assert "is taken away" in desk.words and PageText.objects.count() == 2
    assert Client().get("/pages/terms/").status_code == 404 and "Terms" not in footer()
    desk.get("/staff/pages/")
    assert "Taken away" in desk.words


def test_what_is_too_long_is_told_and_lost_nowhere(desk: Desk) -> None:
    assert desk.post(TERMS, text="x" * (LONGEST + 1)) == 422
    assert "a page may have 100,000" in desk.words and "x" * (LONGEST + 1) in desk.page
    assert desk.get("/staff/pages/imprint/") == 404 and Client().get("/pages/imprint/").status_code == 404


@pytest.mark.parametrize("role", ["support", "finance", "risk"])
def test_who_may_not_write_them(role: str) -> None:
    other = Desk(user(is_staff=True, roles=role))
    assert other.get("/staff/pages/") == other.get(TERMS) == other.post(TERMS, text="x", sure="yes") == 403
    with pytest.raises(NotAllowed):
        pages.publish(page=Page.TERMS, text="x", seen=0, actor=other.who, now=datetime.now(UTC))
    assert not PageText.objects.exists()


def test_links_cost_a_page_nothing_but_once_in_half_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as seen:
            Client().get("/")
        return sum("store_pagetext" in query["sql"] for query in seen.captured_queries)

    pages.forget()
    assert [asked() for _ in range(3)] == [1, 0, 0]
    now: Any = pages.time.monotonic() + 31
    monkeypatch.setattr(pages.time, "monotonic", lambda: now)
    assert [asked(), asked()] == [1, 0]
