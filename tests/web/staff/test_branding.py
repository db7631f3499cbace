"""What the marketplace is called and looks like: shown, set, and where it is read; words in its colour can be read."""

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as some
from PIL import Image
from tests.web.staff.test_staff_panel import Desk

from crossdock.domain.site.brand import (
    DARK,
    DEFAULT_ACCENT,
    LIGHT,
    Brand,
    NotABrand,
    checked,
    contrast,
    shades,
    why_not,
)
from crossdock.store.models import AuditEntry, Branding, Mail
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.record import brand
from market import World, user

pytestmark = pytest.mark.django_db
PAGE = "/staff/brand/"
PLUM = "#6b2a5b"


@pytest.fixture
def desk(settings: Any, tmp_path: Any) -> Iterator[Desk]:
    settings.MEDIA_ROOT = tmp_path
    brand.forget()
    yield Desk(user(name="Ola Operations", is_staff=True, roles="operations"))
    brand.Known.brand, brand.Known.until = Brand(), float("inf")


def picture(width: int = 800, height: int = 200, form: str = "PNG") -> SimpleUploadedFile:
    target = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(target, form)
    return SimpleUploadedFile("logo", target.getvalue())


def hidden(desk: Desk, name: str) -> str:
    found = re.search(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', desk.page)
    return found[1] if found else ""


def again(desk: Desk, **typed: str) -> dict[str, str]:
    kept = {name: hidden(desk, name) for name in ("seen", "shown", "logo", "icon")}
    return {**typed, **kept, "sure": "yes"}


def chosen(desk: Desk, **typed: Any) -> None:
    """Shown and set."""
    words = {name: value for name, value in typed.items() if isinstance(value, str)}
    assert desk.post(PAGE, **typed) == 200 and "Nothing is set yet" in desk.words
    assert desk.post(PAGE, **again(desk, **words)) == 200 and "Set. Every page" in desk.words
    brand.forget()


def front() -> str:
    return Client().get("/").content.decode()


class TestColours:
    def test_contrast_is_the_published_one(self) -> None:
        """https://www.w3.org/TR/WCAG22/: 21 : 1 at most; #767676 is the lightest grey that white allows."""
        assert contrast("#000000", "#ffffff") == pytest.approx(21) and contrast("#abcdef", "#abcdef") == 1
        assert contrast("#767676", "#ffffff") >= 4.5 > contrast("#777777", "#ffffff")

    def test_one_that_cannot_be_read_is_refused_with_one_that_can(self) -> None:
        words = why_not("#ffd400")
        assert "too light" in words and "4.5 : 1" in words
        found = re.search(r"example (#\w{6})", words)
        assert found and why_not(found[1]) == ""
        assert why_not("#fd4") and why_not("red;}") and why_not(DEFAULT_ACCENT) == ""

    @given(some.from_regex(r"#[0-9a-f]{6}", fullmatch=True))
    def test_whatever_is_taken_is_read_on_every_ground(self, accent: str) -> None:
        if why_not(accent):
            return
        for grounds, made in zip((LIGHT, DARK), shades(accent), strict=True):
            for ground in ("paper", "card", "sunk"):
                assert (
                    contrast(made["accent"], grounds[ground]) >= 4.5 <= contrast(made["accent-strong"], grounds[ground])
                )
            assert (
                contrast(made["on-accent"], made["accent"]) >= 4.5 <= contrast(made["on-accent"], made["accent-strong"])
            )
            assert (
                contrast(made["accent-strong"], made["accent-wash"])
                >= 4.5
                <= contrast(grounds["ink"], made["accent-wash"])
            )

    def test_the_stylesheet_has_the_grounds_that_are_judged(self) -> None:
        from django.contrib.staticfiles import finders

        with open(str(finders.find("crossdock.css"))) as file:
            light, dark = re.findall(r":root \{(.*?)\}", file.read(), re.S)[:2]
        for tokens, grounds in ((light, LIGHT), (dark, DARK)):
            said = dict(re.findall(r"--([\w-]+): (#\w{6});", tokens))
            assert {name: said[name] for name in grounds} == grounds
        assert f"--accent: {DEFAULT_ACCENT}" in light

    def test_its_sheet_is_made_of_the_address(self) -> None:
        answer = Client().get("/brand/6b2a5b.css")
        assert answer["Content-Type"].startswith("text/css") and f"--accent: {PLUM};" in answer.content.decode()
        assert "max-age=86400" in answer["Cache-Control"]
        assert Client().get("/brand/ffd400.css").status_code == Client().get("/brand/zzz.css").status_code == 404


def test_a_name_is_no_way_into_a_mails_head() -> None:
    for wrong in ('Shop" <evil@x.test>', "a\nBcc: b", "a" * 61):
        with pytest.raises(NotABrand):
            checked(Brand(sender=wrong))
        with pytest.raises(NotABrand):
            checked(Brand(name=wrong))
    assert checked(Brand(accent=DEFAULT_ACCENT)) == Brand()


def test_it_is_looked_at_then_set_and_read_everywhere(desk: Desk) -> None:
    assert desk.get(PAGE) == 200 and "It is as it comes" in desk.words and "Crossdock" in front()
    typed = {"name": "Lantern & Co", "accent": PLUM, "contact": "help@lantern.example", "sender": "Lantern post"}
    assert desk.post(PAGE, **typed, logo_file=picture(), icon_file=picture(300, 200, "JPEG")) == 200
    assert "As everybody will see it" in desk.words and not Branding.objects.exists()
    assert '/brand/6b2a5b.css"' in desk.page and "Lantern" not in front(), "nothing is set yet"
    given = again(desk, **typed)
    desk.post(PAGE, **given)
    assert desk.url == PAGE and "Set. Every page" in desk.words
    desk.post(PAGE, **given)
    assert "It is so already" in desk.words, "pressed twice it is one version"
    (row,) = Branding.objects.all()
    note = AuditEntry.objects.get(action="branding set")
    assert (note.actor, note.subject, row.made_by) == (desk.who, "Lantern & Co", desk.who)
    brand.forget()
    page = front()
    assert page.count("Lantern &amp; Co") >= 3 and "Crossdock" not in page
    assert f'<img src="{row.logo}" alt="">' in page and f'rel="icon" href="{row.icon}"' in page
    assert "/brand/6b2a5b.css" in page and "mailto:help@lantern.example" in page
    sizes = [Image.open(io.BytesIO(Client().get(url).content)).size for url in (row.logo, row.icon)]
    assert sizes == [(480, 120), (192, 192)]


def test_mails_and_the_sender_have_the_name(desk: Desk) -> None:
    chosen(desk, name="Låntern", accent=DEFAULT_ACCENT)
    world = World(units=3, now=datetime.now(UTC))
    world.buy()
    letter = Mail.objects.filter(order__isnull=False).first()
    assert letter and "\n\nLåntern\n" in letter.body
    Client().post("/accounts/password/reset/", {"email": user().email})
    (sent,) = mail.outbox
    assert sent.from_email == '"Låntern" <no-reply@localhost>' and sent.subject.startswith("Låntern: ")
    assert sent.message()["From"] == "=?utf-8?q?L=C3=A5ntern?= <no-reply@localhost>"
    chosen(desk, name="Låntern", accent=DEFAULT_ACCENT, sender="Lantern post")
    assert brand.sender() == '"Lantern post" <no-reply@localhost>'


def test_back_to_how_it_comes(desk: Desk) -> None:
    assert "Back to how it comes" not in desk.page
    chosen(desk, name="Lantern", accent=PLUM)
    desk.get(PAGE)
    assert "Back to how it comes" in desk.words
    assert desk.post(PAGE, default="yes", name="Lantern", accent=PLUM) == 200 and "Nothing is set yet" in desk.words
    desk.post(PAGE, **again(desk, name="", accent=DEFAULT_ACCENT))
    brand.forget()
    assert "Crossdock" in front() and "Lantern" not in front()
    assert Branding.objects.count() == 2 and brand.sender() == "Crossdock <no-reply@localhost>"


def test_what_is_wrong_is_said_and_nothing_is_lost(desk: Desk) -> None:
    wrong = {"name": "Lantern", "accent": "#ffd400", "contact": "nobody"}
    assert desk.post(PAGE, **wrong, logo_file=picture()) == 422
    assert "valid email address" in desk.words and 'value="Lantern"' in desk.page
    assert hidden(desk, "logo").startswith("/media/"), "the picture need not be chosen again"
    assert desk.post(PAGE, name="Lantern", accent="#ffd400") == 422 and "too light to be read" in desk.words
    svg = SimpleUploadedFile("logo.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    assert desk.post(PAGE, name="Lantern", accent=PLUM, logo_file=svg) == 422
    assert "Choose a PNG, JPEG or WebP picture" in desk.words and not Branding.objects.exists()
    desk.post(PAGE, name="Lantern", accent=PLUM, logo="https://evil.example/x.png")
    assert "evil.example" not in desk.page.partition("<form")[0], "a picture of another site is none"


def test_another_one_than_was_shown_is_not_set(desk: Desk) -> None:
    desk.post(PAGE, name="Lantern", accent=PLUM)
    assert desk.post(PAGE, **{**again(desk), "name": "Other", "accent": PLUM}) == 422
    assert "another one than you looked at" in desk.words and not Branding.objects.exists()


def test_two_at_once_do_not_undo_each_other(desk: Desk) -> None:
    now = datetime.now(UTC)
    assert brand.set_brand(wanted=Brand(name="One"), seen=0, actor=desk.who, now=now)
    with pytest.raises(Invalid, match="Ola Operations set another one meanwhile"):
        brand.set_brand(wanted=Brand(name="Two"), seen=0, actor=desk.who, now=now)
    with pytest.raises(NotAllowed):
        brand.set_brand(wanted=Brand(name="Two"), seen=1, actor=user(), now=now)


def test_a_second_tab_is_told_what_was_set_in_the_first(desk: Desk) -> None:
    desk.get(PAGE)
    opened = hidden(desk, "seen")
    chosen(desk, name="Lantern", accent=PLUM)
    assert desk.post(PAGE, name="", accent=PLUM, contact="help@lantern.example", seen=opened) == 422
    assert "Ola Operations set another one since you opened this page" in desk.words
    desk.post(PAGE, **again(desk, name="Lantern", accent=PLUM))
    assert "another one than you looked at" in desk.words
    desk.post(PAGE, **again(desk, name="Lantern", accent=PLUM, contact="help@lantern.example"))
    assert desk.post(PAGE, **again(desk, name="Lantern", accent=PLUM, contact="help@lantern.example")) == 200
    assert [row.name for row in Branding.objects.order_by("number")] == ["Lantern", "Lantern"]


def test_a_small_icon_fills_its_tab(desk: Desk) -> None:
    desk.post(PAGE, name="", accent=PLUM, icon_file=picture(32, 20))
    content = Client().get(hidden(desk, "icon")).content
    assert Image.open(io.BytesIO(content)).size == (32, 32), "not a stamp in the middle of 192 empty pixels"


def test_a_role_without_the_right_reads_who_may() -> None:
    other = Desk(user(is_staff=True, roles="support"))
    assert other.get(PAGE) == 403


def test_pages_ask_for_it_once_in_half_a_minute(desk: Desk) -> None:
    with CaptureQueriesContext(connection) as first:
        front()
    with CaptureQueriesContext(connection) as second:
        front()
    asked = [query["sql"] for query in first.captured_queries if "store_branding" in query["sql"]]
    assert len(asked) == 1 and not any("store_branding" in query["sql"] for query in second.captured_queries)
