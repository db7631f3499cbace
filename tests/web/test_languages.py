"""Which language a page is in, what says so, and that a German page holds no English of the covered templates."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.test import Client, RequestFactory
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.views.defaults import server_error

from crossdock.domain.currencies import NotMoney
from crossdock.domain.values import Money
from crossdock.store.models import User
from crossdock.web.forms import country_choices, currency_choices
from crossdock.web.languages.local import day_words, long_day_words, moment_words, money_words, typed_number
from market import World, user
from texts import read

pytestmark = pytest.mark.django_db
GERMAN = {"HTTP_ACCEPT_LANGUAGE": "de-AT,de;q=0.9,en;q=0.5"}


def lang(page: Any) -> str:
    found = re.search(r'<html lang="(\w+)"', page.content.decode())
    assert found
    return found[1]


def test_the_browser_chooses_until_the_person_does() -> None:
    client = Client()
    assert lang(client.get("/")) == "en"
    page = client.get("/", **GERMAN)
    assert lang(page) == page["Content-Language"] == "de" and "Warenkorb" in page.content.decode()
    assert {"Accept-Language", "Cookie"} <= set(re.split(r",\s*", page["Vary"])), "caches keep them apart"
    assert lang(client.get("/", HTTP_ACCEPT_LANGUAGE="xx, *;q=0.1")) == "en"
    back = client.post("/language/", {"to": "fr", "next": "/cart/?a=1"}, **GERMAN)
    assert (back.status_code, back["Location"]) == (302, "/cart/?a=1")
    kept = back.cookies["language"]
    assert (kept.value, kept["httponly"], kept["samesite"]) == ("fr", True, "Lax")
    page = client.get("/cart/", **GERMAN)
    assert lang(page) == "fr" and "Votre panier est vide" in page.content.decode()
    assert translation.get_language() == "en", "the thread goes on to somebody else"


def test_nonsense_changes_nothing_and_leads_nowhere_else() -> None:
    client = Client()
    back = client.post("/language/", {"to": "tlh", "next": "//evil.example/"})
    assert back["Location"] == "/" and "language" not in back.cookies
    client.cookies["language"] = "../x"
    assert lang(client.get("/")) == "en" and client.get("/language/").status_code == 405


def test_the_choice_goes_with_the_account() -> None:
    who = user()
    client = Client()
    client.force_login(who)
    client.post("/language/", {"to": "es", "next": "/"})
    assert User.objects.get(pk=who.pk).language == "es"
    other = Client()
    answer = other.post("/accounts/login/", {"login": who.email, "password": "pass-word-1"})
    assert answer.status_code == 302 and answer.cookies["language"].value == "es"
    third = Client()
    third.post("/language/", {"to": "fr"})
    third.post("/accounts/login/", {"login": who.email, "password": "pass-word-1"})
    assert third.cookies["language"].value == "fr", "what was chosen in this browser stays"


def test_pages_for_sellers_staff_and_programs_are_english(world: World) -> None:
    client = Client()
    client.force_login(world.seller.owner)
    client.cookies["language"] = "de"
    page = client.get("/seller/orders/", **GERMAN)
    assert lang(page) == page["Content-Language"] == "en" and "Bestellungen" not in page.content.decode()
    assert 'action="/language/"' not in page.content.decode()
    assert lang(client.get("/")) == "de"


@pytest.mark.parametrize("path", ["/accounts/2fa/", "/accounts/data/", "/accounts/email/"])
def test_pages_for_security_and_data_are_english_whole(path: str) -> None:
    """Their own words were English in a German page."""
    client = Client()
    client.force_login(user())
    page = client.get(path, **GERMAN)
    assert page.status_code == 200 and lang(page) == page["Content-Language"] == "en"
    assert "Warenkorb" not in page.content.decode()


def test_an_address_of_a_button_answers_in_the_pages_language() -> None:
    page = Client().get("/cart/add/", **GERMAN)
    assert page.status_code == 405 and lang(page) == page["Content-Language"] == "de"
    assert "Es ist nichts geschehen" in page.content.decode()


def test_what_breaks_is_said_in_the_readers_language() -> None:
    with translation.override("fr"):
        page = server_error(RequestFactory().get("/"))
    assert lang(page) == "fr" and "Un problème est survenu" in page.content.decode()


def test_a_mail_asked_for_in_german_is_english(mailoutbox: list[EmailMessage]) -> None:
    who = user()
    Client().post("/accounts/password/reset/", {"email": who.email}, **GERMAN)
    [mail] = mailoutbox
    with translation.override("de"):
        german = gettext("Password Reset Email")
    assert german not in mail.subject and "Passwort" not in str(mail.body) and "password" in str(mail.body)


@pytest.fixture
def world() -> World:
    return World(units=9, now=datetime.now(UTC))


@pytest.fixture
def german() -> Iterator[None]:
    with translation.override("de"):
        yield


def english() -> dict[str, str]:
    """Texts that German says otherwise, long enough to be no accident."""
    texts = {}
    for message in read("de"):
        ids, strings = ((x if isinstance(x, tuple) else (x,)) for x in (message.id, message.string))
        for one, said in zip(ids, strings, strict=True):
            if len(one) > 9 and one != said:
                # Up to the first placeholder.
                texts[re.split(r"%\(|\{|<", one)[0].strip()] = said
    return {one: said for one, said in texts.items() if len(one) > 9}


def test_a_german_page_holds_no_english_of_the_templates(world: World) -> None:
    order, listing = world.buy(), world.variant.listing
    client = Client()
    client.force_login(order.buyer)
    client.cookies["language"] = "de"
    client.post("/cart/add/", {"variant": world.variant.public_id, "quantity": 1})
    texts = english()
    pages = {
        **dict.fromkeys(("/", "/?q=Ember", "/cart/", "/checkout/", "/orders/", "/offers/", "/searches/"), 200),
        **dict.fromkeys(("/withdraw/", "/sell/", f"/l/{listing.public_id}/", f"/s/{world.seller.slug}/"), 200),
        **{f"/orders/{order.public_id}/{rest}": 200 for rest in ("", "returns/", "withdraw/", "messages/", "cancel/")},
        f"/l/{listing.public_id}/report/": 200,
        "/nowhere/": 404,
    }
    for path, status in pages.items():
        page = client.get(path)
        assert page.status_code == status, path
        assert lang(page) == "de", path
        said = " ".join(re.sub(r"<[^>]+>", "\n", unescape(page.content.decode())).split())
        assert [one for one in texts if one in said] == [], path
        assert "<function" not in said
    login = Client().get("/accounts/login/", **GERMAN).content.decode()
    assert "Passwort" in login and "Password" not in re.sub(r"<[^>]+>", "", login)


@pytest.mark.parametrize(
    ("language", "amount", "written"),
    [
        ("en", ("1234.50", "EUR"), "€1,234.50"),
        ("de", ("1234.50", "EUR"), "1.234,50\xa0€"),
        ("fr", ("1234.50", "EUR"), "1\u202f234,50\xa0€"),
        ("es", ("12345.50", "EUR"), "12.345,50\xa0€"),
        ("de", ("500", "JPY"), "500\xa0¥"),
        ("fr", ("1.234", "KWD"), "1,234\xa0KWD"),
        ("en", ("1.234", "KWD"), "KWD\xa01.234"),
        ("de", ("-3.00", "USD"), "-3,00\xa0$"),
    ],
)
def test_money_is_written_as_the_language_writes_it(language: str, amount: tuple[str, str], written: str) -> None:
    with translation.override(language):
        assert money_words(Money.of(*amount)) == written
    assert Money.of("1234.50", "EUR").words == "€1,234.50", "what the house writes itself stays English"


def test_days_are_written_as_the_language_writes_them(german: None) -> None:
    at = timezone.localtime(datetime(2026, 11, 30, 10, 21, tzinfo=UTC))
    assert (day_words(at), moment_words(at)) == ("Mo., 30. Nov. 2026", "30. Nov. 2026, 10:21 UTC")
    assert moment_words(at, seconds=True) == "30. Nov. 2026, 10:21:00 UTC"
    assert long_day_words(at, year=False) == "Montag, 30. November"
    for language, day, long in (
        ("fr", "lun. 30 nov. 2026", ("lundi 30 novembre", "lundi 30 novembre 2026")),
        ("es", "lun, 30 nov 2026", ("lunes, 30 de noviembre", "lunes, 30 de noviembre de 2026")),
    ):
        with translation.override(language):
            assert (day_words(at), *(long_day_words(at, year=year) for year in (False, True))) == (day, *long)
    with translation.override("en"):
        assert (day_words(at), moment_words(at)) == ("Mon 30 Nov 2026", "30 Nov 2026, 10:21 UTC")
        assert moment_words(at, seconds=True) == "30 Nov 2026, 10:21:00 UTC"


@pytest.mark.parametrize(
    ("language", "text", "meant"),
    [
        ("de", "12,50", "12.50"),
        ("de", "1.250,00", "1250.00"),
        ("de", "1,250", "1.250"),
        ("es", "12.50", "12.50"),
        ("fr", "1 250,5", "1250.5"),
        ("en", "1.250", "1.250"),
    ],
)
def test_a_number_is_read_as_the_page_writes_numbers(language: str, text: str, meant: str) -> None:
    with translation.override(language):
        assert typed_number(text) == Decimal(meant)


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [
        ("de", "1.250", "1.250 kann zweierlei bedeuten. Geben Sie 1250 oder 1,250 ein."),
        ("es", "1.250", "1.250 puede significar dos importes. Escriba 1250 o 1,250."),
        ("en", "1,250", "1,250 can mean two amounts. Type 1250 or 1.250."),
        ("fr", "viel", "Saisissez un nombre, par exemple 12,50."),
    ],
)
def test_what_could_be_two_numbers_is_asked_about_in_the_pages_language(language: str, text: str, words: str) -> None:
    """1.250 is 1250 to whoever reads a page that groups by dots; it was taken for one and a quarter."""
    with translation.override(language), pytest.raises(NotMoney) as refused:
        typed_number(text)
    assert str(refused.value) == words


def test_a_price_filter_in_german_takes_a_comma_and_answers_in_german(world: World) -> None:
    client = Client()
    page = client.get("/?low=12,50&high=1.250,00&currency=USD", **GERMAN)
    assert 'aria-invalid="true"' not in page.content.decode() and 'value="1.250,00"' in page.content.decode()
    page = unescape(client.get("/?low=1.250&currency=USD", **GERMAN).content.decode())
    assert "1.250 kann zweierlei bedeuten" in page
    page = unescape(client.get("/?low=1,255&currency=USD", **GERMAN).content.decode())
    assert "USD hat höchstens 2 Nachkommastellen." in page


def test_until_when_an_order_ships_is_said_in_the_pages_language(world: World) -> None:
    order = world.buy()
    client = Client()
    client.force_login(order.buyer)
    client.cookies["language"] = "de"
    page = re.sub(r"<[^>]+>", "", client.get(f"/orders/{order.public_id}/").content.decode())
    assert re.search(
        r"versendet bis (Montag|Dienstag|Mittwoch|Donnerstag|Freitag), \d+\. \w+( \d{4})?, Tagesende in ", page
    )


def test_countries_and_currencies_are_named_and_sorted_in_the_pages_language(german: None) -> None:
    names = [name for _, name in country_choices()]
    assert names.index("Norwegen") < names.index("Österreich") < names.index("Polen"), "it stood behind Z"
    assert dict(currency_choices())["USD"] == "USD, US-Dollar"


def test_why_no_offers_are_taken_is_said_in_the_pages_language(world: World) -> None:
    page = unescape(Client().get(f"/l/{world.variant.listing.public_id}/", **GERMAN).content.decode())
    assert "Preisvorschläge sind nicht möglich" in page and "no offers can be made" not in page
