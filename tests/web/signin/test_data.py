"""“Your data”: the pages of a copy, as its owner, somebody else, a thief with a session, and nobody."""

import io
import zipfile
from datetime import UTC, datetime

import pytest
from django.test import Client
from tests.web.signin.test_signin import PASSWORD, QUARTER, signed_in, someone

from crossdock.store.models import DataRun
from crossdock.usecases.privacy.carry_on import carry_on
from market import World

pytestmark = pytest.mark.django_db
PAGE, COPY = "/accounts/data/", "/accounts/data/copy/"
LEAVE, KEEP = "/accounts/data/leave/", "/accounts/data/keep/"


def make_it() -> None:
    assert carry_on(clock=lambda: datetime.now(UTC), going_on=lambda: True)


def test_asked_for_waited_for_and_downloaded() -> None:
    client = signed_in(someone())
    assert "Make a copy" in client.get(PAGE).content.decode()
    client.post(COPY)
    page = client.get(PAGE).content.decode()
    assert "waits for its turn" in page and "every 3s" in page and "Make a" not in page
    make_it()
    page = client.get(PAGE)
    assert "It is ready." in page.content.decode() and "no-store" in page["Cache-Control"]
    answer = client.post(f"/accounts/data/{DataRun.objects.get().public_id}/file/")
    assert answer["Content-Type"] == "application/zip" and "no-store" in answer["Cache-Control"]
    content = answer.getvalue()
    assert int(answer["Content-Length"]) == len(content)
    assert "json/account.json" in zipfile.ZipFile(io.BytesIO(content)).namelist()


def test_nobody_else_finds_it() -> None:
    owner = signed_in(someone())
    owner.post(COPY)
    make_it()
    at = f"/accounts/data/{DataRun.objects.get().public_id}/file/"
    assert signed_in(someone()).post(at).status_code == 404
    assert signed_in(someone(is_staff=True)).post(at).status_code == 404
    assert (Client().post(at).status_code, owner.get(at).status_code) == (302, 405)
    DataRun.objects.update(ends_at=datetime(2026, 1, 1, tzinfo=UTC))
    gone = owner.post(at, follow=True).content.decode()
    assert "can no longer be had" in gone and "Make a copy" in gone


def test_a_stolen_session_gets_no_copy_and_the_form_goes_on_with_the_password() -> None:
    who = someone()
    thief = signed_in(who, ago=QUARTER + 1)
    assert thief.post(COPY).status_code == 403 and not DataRun.objects.exists()
    thief.post(COPY, {"again_password": PASSWORD})
    make_it()
    at = f"/accounts/data/{DataRun.objects.get().public_id}/file/"
    assert signed_in(who, ago=QUARTER + 1).post(at).status_code == 403
    assert signed_in(who, ago=QUARTER + 1).post(at, {"again_password": PASSWORD}).status_code == 200


class TestLeaving:
    def test_asked_for_and_kept(self) -> None:
        who = someone()
        client = signed_in(who)
        page = client.get(LEAVE).content.decode()
        assert "Delete my account" in page and "tax law" in page and "What to do first" not in page
        unsure = client.post(LEAVE)
        assert unsure.status_code == 422 and "Tick the box" in unsure.content.decode() and not DataRun.objects.exists()
        client.post(LEAVE, {"sure": "1"})
        page = client.get(PAGE).content.decode()
        assert "will be deleted on" in page and "Keep my account" in page
        assert client.get(LEAVE)["Location"] == PAGE, "once"
        # Two tabs: the second press is told.
        assert "stays" in client.post(KEEP, follow=True).content.decode()
        assert "taken back already" in client.post(KEEP, follow=True).content.decode()
        assert "Delete the account …" in client.get(PAGE).content.decode()

    def test_what_is_open_is_said_before_anything_is_asked(self) -> None:
        order = World(now=datetime.now(UTC)).buy()
        client = signed_in(order.buyer)
        page = client.get(LEAVE).content.decode()
        assert f"You wait for #{order.number}" in page and "Delete my account" not in page
        assert f"#{order.number}" in client.post(LEAVE, {"sure": "1"}, follow=True).content.decode()
        assert not DataRun.objects.exists()

    def test_a_stolen_session_deletes_nothing_and_its_owner_keeps_the_account_without_a_password(self) -> None:
        who = someone()
        assert signed_in(who, ago=QUARTER + 1).post(LEAVE, {"sure": "1"}).status_code == 403
        assert not DataRun.objects.exists()
        signed_in(who).post(LEAVE, {"sure": "1"})
        assert signed_in(someone()).post(KEEP).status_code == 302 and DataRun.objects.get().state == "waiting"
        signed_in(who, ago=QUARTER + 1).post(KEEP)
        assert DataRun.objects.get().state == "withdrawn"


class TestStaff:
    def test_a_copy_for_somebody_and_a_deletion_by_two(self) -> None:
        person = someone()
        one, two = (signed_in(someone(is_staff=True, roles="support")) for _ in range(2))
        at = f"/staff/people/?q={person.email.upper()}"
        page = one.get(at).content.decode()
        assert "Make a copy for them" in page and "Ask to delete the account" in page
        assert "Say why" in one.post(f"/staff/people/{person.pk}/copy/", follow=True).content.decode()
        one.post(f"/staff/people/{person.pk}/copy/", {"why": "By letter."})
        make_it()
        assert "They can fetch it until" in one.get(at).content.decode()
        one.post(f"/staff/people/{person.pk}/leave/", {"why": "By letter."})
        run = DataRun.objects.get(kind="erasure")
        decide = f"/staff/people/runs/{run.public_id}/"
        assert "Agree:" not in one.get(at).content.decode() and "Agree:" in two.get(at).content.decode()
        assert "yourself" in one.post(decide, {"deed": "agree"}, follow=True).content.decode()
        two.post(decide, {"deed": "agree"})
        run.refresh_from_db()
        assert (run.state, run.second_by is not None) == ("waiting", True)
        assert "The account stays" in two.post(decide, {"deed": "keep"}, follow=True).content.decode()
        assert "Nobody signs in" in one.get("/staff/people/?q=nobody@example.test").content.decode()

    def test_other_roles_read_who_may(self) -> None:
        page = signed_in(someone(is_staff=True, roles="finance")).get("/staff/people/")
        assert page.status_code == 403 and "Only support and admin may" in page.content.decode()
