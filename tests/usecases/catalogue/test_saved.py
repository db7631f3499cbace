"""Saved searches: what is new comes by mail, once, and only what can be bought."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from tests.usecases.catalogue.test_filling import CARDS, cards

from crossdock.domain.due.away import AwayMode
from crossdock.domain.finding.choosing import Choice
from crossdock.domain.values import Money
from crossdock.store.models import Listing, Mail, SavedSearch
from crossdock.usecases.accounts.away import come_back, plan_away
from crossdock.usecases.catalogue.fill_rules import set_by_hand
from crossdock.usecases.catalogue.finding import Sort, Wanted
from crossdock.usecases.catalogue.listings import make_listing
from crossdock.usecases.catalogue.saved import as_document, mail_searches, save_search, wanted_from
from crossdock.usecases.catalogue.taxonomy import define
from market import seller, user

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
pytestmark = pytest.mark.django_db


def make(who: Any, title: str, *, count: int = 1, condition: str = "", ago: timedelta = timedelta(hours=1)) -> Listing:
    made = make_listing(seller=who, title=title, description="", price=Money(500, "USD"), count=count, now=NOW)
    values = {"condition": [condition]} if condition else {}
    set_by_hand(listing=made, values=values, actor=who.owner, now=NOW)
    Listing.objects.filter(pk=made.pk).update(created_at=NOW + DAY - ago)
    return made


def test_what_is_wanted_survives_being_kept() -> None:
    who = seller()
    for wanted in (
        Wanted(),
        Wanted(
            "owl", who, True, "USD", 5, None, Sort.CHEAPEST, (Choice("a", ("x", "y")), Choice("g", (), Decimal("9.5")))
        ),
    ):
        assert wanted_from(as_document(wanted), wanted.seller) == wanted


def test_a_search_is_saved_mailed_once_and_stopped() -> None:
    cards()
    who, zoe = seller(), user()
    make(who, "Old Owl", condition="near-mint")
    client = Client()
    client.force_login(zoe)
    address = "/?q=owl&f-condition=near-mint&after=77"
    page = client.get(address).content.decode()
    (link,) = re.findall(r'href="(/searches/save/[^"]+)"', page)
    anonymous = Client().get(link)
    assert anonymous.status_code == 302 and "/accounts/login/" in anonymous["Location"]
    assert 'value="owl"' in client.get(link).content.decode(), "the words are the name that is offered"
    saved = client.post("/searches/save/", {"from": address, "name": " My  owls ", "mail": "on"})
    assert saved["Location"] == "/?q=owl&f-condition=near-mint"
    client.post("/searches/save/", {"from": address, "name": "My owls", "mail": "on"})
    (row,) = SavedSearch.objects.all()
    assert (row.name, row.address) == ("My owls", "/?q=owl&f-condition=near-mint")

    make(who, "New Owl", condition="near-mint")
    make(who, "Gone Owl", condition="near-mint", count=0)
    make(who, "Played Owl", condition="damaged")
    make(who, "Fox", condition="near-mint")
    make(who, "Owl of this minute", condition="near-mint", ago=timedelta(minutes=1))
    assert mail_searches(now=NOW + timedelta(hours=22)) == 0 and not Mail.objects.exists(), "once a day"
    assert mail_searches(now=NOW + DAY) == 1
    (mail,) = Mail.objects.all()
    assert mail.to == zoe.email and mail.subject == "New for “My owls”"
    assert "New Owl, from 5.00 USD" in mail.body
    for other in ("Old Owl", "Gone Owl", "Played Owl", "Fox", "of this minute"):
        assert other not in mail.body, other
    assert mail_searches(now=NOW + DAY) == 0 and mail_searches(now=NOW + 2 * DAY) == 1
    newest = Mail.objects.order_by("-pk")[0]
    assert "Owl of this minute" in newest.body and "New Owl," not in newest.body and Mail.objects.count() == 2

    (stop,) = re.findall(r"/searches/stop/[^\s]+", newest.body)
    stranger = Client()
    assert "Stop the mails" in stranger.get(stop).content.decode() and SavedSearch.objects.get().mail
    assert "No more mails" in stranger.post(stop).content.decode() and not SavedSearch.objects.get().mail
    assert stranger.get(f"{stop}x").status_code == 404
    make(who, "Later Owl", condition="near-mint")
    assert mail_searches(now=NOW + 5 * DAY) == 0

    assert "My owls" in client.get("/searches/").content.decode()
    other = Client()
    other.force_login(user())
    assert other.post(f"/searches/{row.public_id}/", {"to": "remove"}).status_code == 404
    client.post(f"/searches/{row.public_id}/", {"to": "remove"})
    assert not SavedSearch.objects.exists() and "No saved searches" in client.get("/searches/").content.decode()


def test_several_searches_are_one_mail_and_nothing_is_in_it_twice() -> None:
    who, zoe = seller(), user()
    client = Client()
    client.force_login(zoe)
    for words in ("owl", "moth", "night"):
        client.post("/searches/save/", {"from": f"/s/{who.slug}/?in={words}", "name": words, "mail": "on"})
    make(who, "Night Owl")
    make(who, "Night Moth")
    make(seller(), "Night Owl of another")
    mail_searches(now=NOW + DAY)
    (mail,) = Mail.objects.all()
    assert mail.subject == "New for your saved searches" and mail.body.count("Night Owl") == 1
    assert mail.body.count("Night Moth") == 1 and "of another" not in mail.body


def test_what_came_while_its_seller_was_on_holiday_is_mailed_once_when_they_are_back() -> None:
    who, other, zoe = seller(), seller(), user()
    save_search(buyer=zoe, name="Owls", address="/?q=owl", wanted=Wanted(words="owl"), mail=True, now=NOW)
    today = who.calendar.day_of(NOW)
    plan_away(seller=who, first=today, back=None, mode=AwayMode.PAUSE, actor=who.owner, now=NOW)
    owl = make(who, "Night Owl")
    make(who, "Fox")
    make(other, "Day Owl")
    mail_searches(now=NOW + DAY)
    (mail,) = Mail.objects.filter(to=zoe.email)
    assert "Day Owl" in mail.body and "Night Owl" not in mail.body
    assert SavedSearch.objects.get().waiting == [owl.pk]
    mail_searches(now=NOW + 2 * DAY)
    assert SavedSearch.objects.get().waiting == [owl.pk]
    come_back(seller=who, actor=who.owner, now=NOW + 2 * DAY)
    for days in (3, 4):
        mail_searches(now=NOW + days * DAY)
    (_, later) = Mail.objects.filter(to=zoe.email).order_by("pk")
    assert "Night Owl" in later.body and "Day Owl" not in later.body and "Fox" not in later.body
    assert SavedSearch.objects.get().waiting == []


@pytest.mark.parametrize("address", ["/seller/", "//evil.test/", "https://evil.test/", "/category/none/x", "/cart/"])
def test_only_what_can_be_found_again_is_saved(address: str) -> None:
    client = Client()
    client.force_login(user())
    assert client.post("/searches/save/", {"from": address, "name": "x"}).status_code == 404
    assert not SavedSearch.objects.exists()


def test_a_range_of_what_is_no_number_any_more_finds_nothing() -> None:
    staff = cards()
    who, zoe, ann = seller(), user(), user()
    of = {"mail": True, "now": NOW}
    graded = Wanted(choices=(Choice("grade", (), Decimal(9), None),))
    save_search(buyer=zoe, name="Nines", address="/?f-grade-from=9", wanted=graded, **of)
    save_search(buyer=ann, name="All", address="/", wanted=Wanted(), **of)
    choices = [{"key": "9-mint", "name": "9 mint"}, {"key": "psa", "name": "PSA"}]
    grade = {"key": "grade", "name": "Grade", "kind": "choice", "choices": choices}
    others = [each for each in CARDS["attributes"] if each["key"] != "grade"]
    define(document={**CARDS, "attributes": [*others, grade]}, actor=staff, now=NOW)
    made = make(who, "Owl")
    set_by_hand(listing=made, values={"grade": ["9-mint", "psa"]}, actor=who.owner, now=NOW)
    assert mail_searches(now=NOW + DAY) == 2
    (mail,) = Mail.objects.all()
    assert mail.to == ann.email


def test_searches_that_trip_hold_up_no_other_buyer() -> None:
    cards()
    who, zoe, ann = seller(), user(), user()
    for buyer in (zoe, ann):
        save_search(buyer=buyer, name="All", address="/", wanted=Wanted(), mail=True, now=NOW)
    SavedSearch.objects.filter(buyer=zoe).update(wanted={"words": "of an older kind"})
    made = make(who, "Owl")
    assert mail_searches(now=NOW + DAY) == 2
    (mail,) = Mail.objects.all()
    assert mail.to == ann.email and made.public_id in mail.body
    assert mail_searches(now=NOW + DAY) == 0, "the one that tripped waits for its turn"
    assert SavedSearch.objects.get(buyer=zoe).after < made.pk, "and has lost nothing"
