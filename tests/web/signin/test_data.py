"""“Your data”: the pages of a copy, as its owner, somebody else, a thief with a session, and nobody."""

import io
import zipfile
from datetime import UTC, datetime

import pytest
from django.test import Client
from tests.web.signin.test_signin import PASSWORD, QUARTER, signed_in, someone

from crossdock.store.models import DataRun
from crossdock.usecases.privacy.runs import carry_on

pytestmark = pytest.mark.django_db
PAGE, COPY = "/accounts/data/", "/accounts/data/copy/"


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
