"""While a seller waits for a shop's answer: a connector's bug is a sentence with a code that the log knows, and tests
have a pace.
"""

import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from django.test import Client

from crossdock.kit.discover import connector
from crossdock.store.models import ConnectAttempt, Connection
from crossdock.web.seller.care import TESTS_A_MINUTE, TooOften, not_too_often, pace
from market import World
from toyshop import dropped_in

pytestmark = pytest.mark.django_db
FORM = {"address": "http://127.0.0.1:9", "key": "k"}
WAY = "/seller/connect/toy/key/"


@pytest.fixture
def world() -> Iterator[World]:
    with dropped_in():
        yield World(now=datetime.now(UTC))


@pytest.fixture
def client(world: World) -> Client:
    client = Client()
    client.force_login(world.seller.owner)
    return client


def break_it(monkeypatch: Any, name: str) -> None:
    def broken(*args: object, **more: object) -> None:
        raise KeyError("internal-detail")

    monkeypatch.setattr(type(connector("toy")), name, broken)


def read(answer: Any) -> str:
    return " ".join(unescape(answer.content.decode()).split())


@pytest.mark.parametrize("where", ["address", "finish", "prove"])
def test_a_bug_in_the_wizard_is_a_sentence_with_a_code(
    client: Client, monkeypatch: Any, caplog: Any, where: str
) -> None:
    if where == "prove":

        async def finished(*args: object, **more: object) -> dict[str, str]:
            return {"key": "k"}

        monkeypatch.setattr(type(connector("toy")), "finish", finished)
    break_it(monkeypatch, where)
    with caplog.at_level(logging.ERROR):
        answer = client.post(WAY, FORM)
    page = read(answer)
    assert answer.status_code == 422
    code = re.search(r"with the code ([0-9A-F]{6})", page)
    assert code and code[1] in caplog.text and "KeyError" in caplog.text
    assert "internal-detail" not in page and "Something broke on our side" in page
    assert not ConnectAttempt.objects.filter(proof__isnull=False).exists()


def test_a_bug_in_a_test_of_a_connected_shop(world: World, client: Client, monkeypatch: Any) -> None:
    break_it(monkeypatch, "prove")
    answer = client.post(f"/seller/shops/{world.shop.public_id}/test/", follow=True)
    assert answer.status_code == 200 and "Something broke on our side" in read(answer)
    assert Connection.objects.get().checks[0]["ok"] is False


def test_disconnecting_goes_on_when_the_connector_breaks(world: World, client: Client, monkeypatch: Any) -> None:
    break_it(monkeypatch, "unsubscribe")
    client.post(f"/seller/shops/{world.shop.public_id}/disconnect/")
    assert Connection.objects.get().state == "disconnected"


def test_tests_have_a_pace(world: World, client: Client) -> None:
    for _ in range(TESTS_A_MINUTE):
        assert "times a minute" not in read(client.post(WAY, FORM))
    attempts = ConnectAttempt.objects.count()
    answer = client.post(WAY, FORM)
    assert answer.status_code == 422 and "Wait" in read(answer) and ConnectAttempt.objects.count() == attempts
    before = Connection.objects.values("checks", "checked_at").get()
    shown = client.post(f"/seller/shops/{world.shop.public_id}/test/", follow=True)
    assert "times a minute" in read(shown)
    assert Connection.objects.values("checks", "checked_at").get() == before, "a test that was not made says nothing"


def test_one_sellers_haste_is_not_anothers() -> None:
    for _ in range(TESTS_A_MINUTE):
        not_too_often(-1)
    with pytest.raises(TooOften, match=f"{pace.most} times a minute"):
        not_too_often(-1)
    not_too_often(-2)
