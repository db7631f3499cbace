"""A copy of a person's data: all of theirs, nothing of anybody else's, made once and fetched while it can be had."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.web.test_walls import House, _furnished

from crossdock.cli.main import main
from crossdock.domain.privacy.runs import LINK, RunState
from crossdock.store.models import (
    AuditEntry,
    Case,
    DataPart,
    DataRun,
    Listing,
    Mail,
    Order,
    Rating,
    TimelineEntry,
    User,
)
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.privacy import archive, runs
from crossdock.usecases.privacy.carry_on import carry_on
from crossdock.usecases.privacy.runs import ask_export, taken
from crossdock.usecases.privacy.whose import Whose
from crossdock.usecases.requests.ratings import answer, report
from crossdock.usecases.support import retention
from market import World, user
from toyshop import dropped_in

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)


@pytest.fixture
def house() -> Iterator[House]:
    with dropped_in():
        found = _furnished()
        DataRun.objects.all().delete()
        yield found


def copy_of(person: User) -> zipfile.ZipFile:
    pieces: list[bytes] = []
    archive.write_archive(whose=Whose(person), take=pieces.append, told=lambda done, rows: None, now=NOW)
    return zipfile.ZipFile(io.BytesIO(b"".join(pieces)))


def test_what_was_answered_to_ratings_and_what_was_reported_is_in_the_copy(house: House) -> None:
    rating = Rating.objects.get()
    answer(rating=rating, actor=house.owner, words="We are sorry.", now=NOW)
    report(rating=rating, reporter=house.bought, why="It names my street.", now=NOW)
    (mine,) = rows(copy_of(house.owner), "rating_answers")
    assert (mine["stars"], mine["answer"]) == (2, "We are sorry.")
    (told,) = rows(copy_of(house.bought), "reported_ratings")
    assert told["report"] == "It names my street."
    assert rows(copy_of(house.buyer), "reported_ratings") == []


def rows(copy: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(copy.read(f"json/{name}.json"))
    return found


def words_of(copy: zipfile.ZipFile) -> str:
    return "\n".join(copy.read(name).decode(errors="replace") for name in copy.namelist())


def make(person: User) -> DataRun:
    run = ask_export(person=person, actor=person, now=NOW)
    assert carry_on(clock=lambda: NOW, going_on=lambda: True)
    run.refresh_from_db()
    return run


class TestWhatIsInIt:
    def test_a_buyer_gets_what_they_bought_and_not_who_sold_it(self, house: House) -> None:
        User.objects.filter(pk=house.bought.pk).update(name="=Zoë")
        house.bought.refresh_from_db()
        copy = copy_of(house.bought)
        order = Order.objects.get(public_id=house.urls["order"])
        (mine,) = rows(copy, "orders")
        assert (mine["number"], mine["total"], mine["ship_to"]["line1"]) == (order.number, str(order.total), "1 Elm St")
        assert [line["title"] for line in rows(copy, "order_lines")] == [line.title for line in order.lines.all()]
        assert rows(copy, "payments")[0]["ship_to"]["name"] == "Zoë Müller"
        assert {mail["to"] for mail in rows(copy, "mails")} == {house.bought.email}
        assert rows(copy, "parcels")[0]["tracking_number"] == "T1"
        (shown,) = rows(copy, "return_pictures")
        assert shown["order"] == order.number and copy.read(shown["name"]) == b"its scratch"
        assert rows(copy, "tries_to_pay")[0]["email"] == house.bought.email
        assert {row["sentence"] for row in rows(copy, "order_stories")} == set(
            TimelineEntry.objects.filter(order=order, public=True).values_list("sentence", flat=True)
        )
        said = words_of(copy)
        for other in User.objects.exclude(pk=house.bought.pk):
            assert other.email not in said, other.email
        table = list(csv.reader(io.StringIO(copy.read("csv/account.csv").decode("utf-8-sig"))))
        assert table[1][table[0].index("name")] == "'=Zoë", "a spreadsheet runs nothing"
        assert "csv/offers.csv" not in copy.namelist() and "<h1>Your data" in copy.read("index.html").decode()

    def test_a_seller_gets_their_shop_and_no_buyer(self, house: House) -> None:
        Order.objects.update(ship_to={**Order.objects.first().ship_to, "name": "Quentin Farquhar", "phone": "555-0188"})
        picture = f"{'a' * 40}.png"
        default_storage.save(f"pictures/{picture}", ContentFile(b"\x89PNG"))
        Listing.objects.filter(public_id=house.urls["own"]).update(images=[f"/media/{picture}", "/media/gone.png"])
        copy = copy_of(house.owner)
        default_storage.delete(f"pictures/{picture}")
        assert copy.read(f"pictures/{picture}") == b"\x89PNG"
        assert len(rows(copy, "sales")) == house.world.seller.orders.count() > 1
        assert {row["title"] for row in rows(copy, "listings")} == {"Ember Fox", "Own", "Down"}
        assert [(row["listing"], row["words"]) for row in rows(copy, "taken_down")] == [("Down", "?")]
        assert rows(copy, "cases")[0]["number"] == house.urls["case"] and Case.objects.get().evidence["timeline"]
        assert [row["by"] for row in rows(copy, "case_letters")] == ["your shop"]
        assert rows(copy, "books")[0]["amount"].startswith("-") and rows(copy, "webhook_receivers")
        said = words_of(copy)
        for secret in ("Quentin Farquhar", "555-0188", "Elm St", "Zoë", "its scratch"):
            assert secret not in said, secret
        for other in User.objects.exclude(pk=house.owner.pk):
            assert other.email not in said, other.email

    def test_what_staff_did_names_nobody(self, house: House) -> None:
        staff = user(is_staff=True)
        AuditEntry.objects.create(
            at=NOW,
            actor=staff,
            person=house.owner,
            topic="staff",
            action="acted",
            subject="Maren's",
            detail={"why": "x"},
        )
        (row,) = rows(copy_of(staff), "audit")
        assert (row["action"], row["by"], row["subject"], row["detail"]) == ("acted", "you", "", {})
        (row,) = [one for one in rows(copy_of(house.owner), "audit") if one["action"] == "acted"]
        assert (row["by"], row["detail"]) == ("staff", {"why": "x"})

    def test_many_rows_take_pages_and_no_more_memory(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each statement of a section brings one page; no piece is larger than a piece."""
        monkeypatch.setattr(archive, "PAGE", 100)
        monkeypatch.setattr(archive, "PIECE", 4096)
        Mail.objects.bulk_create(
            Mail(cause=f"m{n}", to=house.bought.email, subject="s", body=f"{n} " * 400, written_at=NOW)
            for n in range(350)
        )
        pieces: list[bytes] = []
        with CaptureQueriesContext(connection) as asked:
            archive.write_archive(whose=Whose(house.bought), take=pieces.append, told=lambda *of: None, now=NOW)
        assert sum("store_mail" in query["sql"] for query in asked) == 4
        assert max(map(len, pieces)) <= 4096 and len(pieces) > 2
        assert len(rows(zipfile.ZipFile(io.BytesIO(b"".join(pieces))), "mails")) >= 350


class TestItsWay:
    def test_made_told_fetched_and_gone(self, house: House) -> None:
        run = make(house.bought)
        assert (run.state, run.done, run.claim != "") == (
            RunState.READY,
            len(archive.sections_of(Whose(house.bought))),
            True,
        )
        assert run.size == sum(len(part.content) for part in run.parts.all()) > 500
        assert (
            zipfile.ZipFile(io.BytesIO(b"".join(bytes(p.content) for p in run.parts.order_by("no")))).testzip() is None
        )
        assert Mail.objects.get(cause=f"data:{run.public_id}").to == house.bought.email
        taken(run=run, actor=house.bought, now=NOW)
        for other in (house.owner, user(is_staff=True)):
            with pytest.raises(NotAllowed, match="somebody else"):
                taken(run=run, actor=other, now=NOW)
        with pytest.raises(NotAllowed, match="no longer"):
            taken(run=run, actor=house.bought, now=NOW + LINK)
        retention.run(now=NOW + LINK - timedelta(hours=1))
        assert DataPart.objects.exists()
        retention.run(now=NOW + LINK + timedelta(hours=1))
        assert not DataPart.objects.exists() and DataRun.objects.get() == run
        said = AuditEntry.objects.filter(person=house.bought).values_list("action", flat=True)
        assert {"asked for a copy of the data", "copy of the data made", "exported"} <= set(said)

    def test_asked_twice_it_is_one_and_a_new_one_replaces_it(self, house: House) -> None:
        person = house.bought
        first = ask_export(person=person, actor=person, now=NOW)
        assert ask_export(person=person, actor=person, now=NOW) == first
        assert carry_on(clock=lambda: NOW, going_on=lambda: True) and not carry_on(
            clock=lambda: NOW, going_on=lambda: True
        )
        second = make(person)
        first.refresh_from_db()
        assert (first.state, first.parts.count(), second.state) == (RunState.ENDED, 0, RunState.READY)
        make(person)
        with pytest.raises(NotAllowed, match="3 times within a day"):
            ask_export(person=person, actor=person, now=NOW)

    def test_nobody_asks_for_somebody_else(self, house: House) -> None:
        for actor in (house.owner, user(is_staff=True, roles="finance")):
            with pytest.raises(NotAllowed):
                ask_export(person=house.bought, actor=actor, why="They wrote.", now=NOW)
        staff = user(is_staff=True, roles="support")
        with pytest.raises(Invalid, match="Say why"):
            ask_export(person=house.bought, actor=staff, now=NOW)
        ask_export(person=house.bought, actor=staff, why="They wrote.", now=NOW)
        assert AuditEntry.objects.get(actor=staff).detail["why"] == "They wrote."

    def test_a_worker_that_dies_is_followed_by_another_and_one_that_lost_it_writes_nothing(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(archive, "PIECE", 256)
        run = ask_export(person=house.bought, actor=house.bought, now=NOW)
        dead = runs.claim(now=NOW)
        assert dead is not None
        DataPart.objects.create(run=run, no=0, content=b"half")
        assert not carry_on(clock=lambda: NOW, going_on=lambda: True), "it is claimed"
        later = NOW + runs.CLAIM + timedelta(seconds=1)
        assert carry_on(clock=lambda: later, going_on=lambda: True)
        run.refresh_from_db()
        assert run.state == RunState.READY and bytes(run.parts.get(no=0).content) != b"half"
        with pytest.raises(runs.Lost):
            runs.hold(dead, now=later)

    def test_a_stopping_worker_gives_it_back_and_a_stumble_waits(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = ask_export(person=house.bought, actor=house.bought, now=NOW)
        carry_on(clock=lambda: NOW, going_on=lambda: False)
        run.refresh_from_db()
        assert (run.state, run.claim, run.due_at) == (RunState.RUNNING, "", NOW)

        def trip(**given: object) -> int:
            raise ValueError("?")

        monkeypatch.setattr(runs, "write_archive", trip)
        carry_on(clock=lambda: NOW, going_on=lambda: True)
        run.refresh_from_db()
        assert run.claim == "" and NOW < run.due_at <= NOW + timedelta(hours=1)
        assert not carry_on(clock=lambda: NOW, going_on=lambda: True)

    def test_an_operator_writes_one_for_somebody_who_cannot_sign_in(
        self, tmp_path: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        buyer = World(now=NOW).buy().buyer
        path = tmp_path / "theirs.zip"
        assert main(["person", buyer.email, "--copy-data", str(path)]) == 0
        assert rows(zipfile.ZipFile(path), "account")[0]["email"] == buyer.email and path.stat().st_mode & 0o077 == 0
        assert main(["person", buyer.email, "--copy-data", str(path)]) == 1
        assert "is there already" in capsys.readouterr().err
        other = tmp_path / "b.zip"
        assert main(["person", "nobody@example.test", "--copy-data", str(other)]) == 1 and not other.exists()
