"""How long data is kept: every table has a rule, and what is due goes, no earlier and nothing else."""

import os
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from PIL import Image

from crossdock.cli.main import main
from crossdock.domain.retention import POLICY, Rule, Then
from crossdock.store.models import (
    AuditEntry,
    AuditLink,
    ConnectAttempt,
    Delivery,
    Exchange,
    Mail,
    Order,
    PaymentIntent,
    RiskTrace,
    SignInTry,
    TimelineEntry,
)
from crossdock.usecases.catalogue.listings import make_listing
from crossdock.usecases.record.audit_chain import verify
from crossdock.usecases.support import retention
from crossdock.web import pictures
from market import World, user

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def rule(key: str) -> Rule:
    return next(one for one in POLICY if one.key == key)


class TestThePolicy:
    def test_every_table_has_a_rule(self) -> None:
        tables = {model._meta.label for model in apps.get_models(include_auto_created=True)}
        assert {one.table for one in POLICY} == tables

    def test_each_rule_says_why_and_is_carried_out(self) -> None:
        assert len({one.key for one in POLICY}) == len(POLICY)
        for one in POLICY:
            assert one.why.endswith(".") and one.what, one.key
            if one.then is Then.KEEP:
                assert one.days == 0 and not any(key == one.key for key in retention.STEPS)
            else:
                done = (
                    one.key in retention.STEPS or one.table in retention.ELSEWHERE or one.table == "store.PaymentIntent"
                )
                assert done, one.key
        assert set(retention.STEPS) <= {one.key for one in POLICY}


class TestCarriedOut:
    def test_nothing_that_is_not_due(self) -> None:
        World(now=NOW).buy()
        before = {model: model._default_manager.count() for model in apps.get_app_config("store").get_models()}
        assert retention.run(now=NOW) == {}
        assert {model: model._default_manager.count() for model in before} == before

    def test_a_delivery_loses_its_body_and_then_goes(self) -> None:
        world = World(now=NOW)

        def came(name: str, at: datetime, handled: bool) -> Delivery:
            return Delivery.objects.create(
                party=world.shop.party,
                topic="orders/updated",
                dedupe=name,
                body=b"Zoe M., 1 Elm St",
                headers={"a": "b"},
                received_at=at,
                handled_at=at if handled else None,
            )

        fresh, week, old = came("a", ago(6.9), True), came("b", ago(7.1), True), came("c", ago(31), True)
        waits = came("d", ago(40), False)
        assert retention.run(now=NOW) == {"evidence": 1, "store.Delivery:blacked out": 1}
        assert not Delivery.objects.filter(pk=old.pk).exists()
        bodies = {row.pk: bytes(row.body) for row in Delivery.objects.all()}
        assert bodies == {fresh.pk: b"Zoe M., 1 Elm St", week.pk: b"", waits.pk: b"Zoe M., 1 Elm St"}
        assert retention.run(now=NOW) == {}, "once"

    def test_mails_lose_their_words_but_not_that_they_were_sent(self) -> None:
        sent = {"to": "a@example.test", "subject": "s", "body": "1 Elm St", "written_at": ago(200)}
        old = Mail.objects.create(cause="a", sent_at=ago(181), **sent)
        Mail.objects.create(cause="b", sent_at=ago(179), **sent)
        Mail.objects.create(cause="c", sent_at=None, **sent)
        assert retention.run(now=NOW) == {"store.Mail:blacked out": 1}
        assert list(Mail.objects.filter(body="")) == [old]

    def test_an_address_that_was_typed_for_nothing(self) -> None:
        world = World(units=9, now=NOW)
        for _ in range(3):
            world.hold()
        order = world.buy()
        old, young, asked = PaymentIntent.objects.filter(orders=None).order_by("pk")
        PaymentIntent.objects.filter(pk__in=[old.pk, order.intent.pk]).update(created_at=ago(91), state="expired")
        PaymentIntent.objects.filter(pk=young.pk).update(created_at=ago(89), state="expired")
        PaymentIntent.objects.filter(pk=asked.pk).update(created_at=ago(91), state="unknown")
        assert retention.run(now=NOW) == {"store.PaymentIntent:blacked out": 1}
        lines = {row.pk: row.basket["ship_to"]["line1"] for row in PaymentIntent.objects.all()}
        assert lines.pop(old.pk) == "" and set(lines.values()) == {"1 Elm St"}
        old.refresh_from_db()
        assert old.basket["ship_to"]["country"] == "US" and "Zoë" not in str(old.basket)

    def test_what_links_a_try_to_pay_to_a_person(self) -> None:
        world = World(units=9, now=NOW)
        world.buy()
        RiskTrace.objects.update(ip="203.0.113.9", device="d", at=ago(541))
        world.buy()
        assert retention.run(now=NOW) == {"store.RiskTrace:blacked out": 1}
        old, young = RiskTrace.objects.order_by("at")
        assert (old.ip, old.device, old.email) == ("", "", "") and old.amount_minor and young.email

    def test_sessions_and_what_is_listed_of_them(self) -> None:
        def session(key: str, ends: datetime) -> None:
            Session.objects.create(session_key=key, session_data="x", expire_date=ends)
            UserSession.objects.create(
                user=who, session_key=key, ip="203.0.113.9", user_agent="x", created_at=ago(40), last_seen_at=ago(20)
            )

        who = user()
        session("old", ago(0.1))
        session("open", ago(-1))
        UserSession.objects.update(last_seen_at=ago(20))
        assert set(retention.run(now=NOW)) == {"sessions.Session:deleted", "usersessions.UserSession:deleted"}
        assert [row.session_key for row in Session.objects.all()] == ["open"]
        assert [row.session_key for row in UserSession.objects.all()] == ["open"]

    def test_guesses_and_connections_that_were_never_made(self) -> None:
        world = World(now=NOW)
        SignInTry.objects.create(bucket="a", last_at=ago(1.1), wait_until=ago(1.1))
        SignInTry.objects.create(bucket="b", last_at=ago(0.9), wait_until=ago(0.9))
        for name, ends in (("x", ago(1.1)), ("y", ago(0.9))):
            ConnectAttempt.objects.create(
                seller=world.seller,
                user=world.seller.owner,
                platform="toy",
                way="form",
                address="a",
                state_hash=name,
                keep=b"",
                secrets=b"s",
                expires_at=ends,
            )
        assert retention.run(now=NOW) == {"store.ConnectAttempt:deleted": 1, "store.SignInTry:deleted": 1}
        assert SignInTry.objects.get().bucket == "b" and ConnectAttempt.objects.get().state_hash == "y"

    def test_the_audit_log_keeps_its_chain(self) -> None:
        for days in (1200, 1101, 1099, 1):
            AuditEntry.objects.create(at=ago(days), action="x", subject=str(days))
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        assert retention.run(now=NOW) == {"store.AuditEntry:deleted": 2}
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        checked = verify()
        assert (checked.broken, checked.rows, AuditLink.objects.count()) == ("", 3, 3)

    def test_books_and_histories_stay_for_ever(self) -> None:
        world = World(units=2, now=NOW)
        order = world.buy()
        retention.run(now=NOW + timedelta(days=20 * 365))
        order.refresh_from_db()
        assert order.ship_to["line1"] == "1 Elm St" and TimelineEntry.objects.filter(order=order).exists()
        assert Order.objects.count() == 1

    def test_a_few_at_a_time_and_the_rest_another_day(self, monkeypatch: Any) -> None:
        monkeypatch.setattr(retention, "AT_ONCE", 2)
        for number in range(5):
            SignInTry.objects.create(bucket=str(number), last_at=ago(2), wait_until=ago(2))
        assert retention.run(now=NOW, most=3) == {"store.SignInTry:deleted": 4}
        assert retention.run(now=NOW) == {"store.SignInTry:deleted": 1}

    def test_pictures_that_no_listing_shows(self, settings: Any, tmp_path: Path) -> None:
        settings.MEDIA_ROOT = str(tmp_path)
        world = World(now=NOW)
        for name in ("shown", "orphan", "bought"):
            default_storage.save(f"pictures/{name}.png", ContentFile(b"x"))
        listing = make_listing(
            seller=world.seller, title="Own", description="", price=world.buy().total, count=1, now=NOW
        )
        listing.images = ["/media/shown.png"]
        listing.save()
        Order.objects.get().lines.update(image="/media/bought.png")
        assert retention.run(now=NOW) == {}
        assert retention.run(now=NOW + timedelta(days=7.1)).get("pictures:deleted") == 1
        assert sorted(default_storage.listdir("pictures")[1]) == ["bought.png", "shown.png"]

    def test_a_picture_that_went_meanwhile_ends_nothing(self, settings: Any, tmp_path: Path, monkeypatch: Any) -> None:
        settings.MEDIA_ROOT = str(tmp_path)
        default_storage.save("pictures/orphan.png", ContentFile(b"x"))
        monkeypatch.setattr(default_storage, "listdir", lambda folder: ([], ["gone.png", "orphan.png"]))
        assert retention.run(now=NOW + timedelta(days=7.1)).get("pictures:deleted") == 1

    def test_a_picture_uploaded_again_is_as_new(self, settings: Any, tmp_path: Path) -> None:
        settings.MEDIA_ROOT = str(tmp_path)
        drawn = BytesIO()
        Image.new("RGB", (8, 8)).save(drawn, "PNG")
        for _ in range(2):
            upload = SimpleUploadedFile("a.png", drawn.getvalue())
            path = Path(default_storage.path(f"pictures/{pictures.keep(upload).rpartition('/')[2]}"))
            assert retention.run(now=datetime.now(UTC)).get("pictures:deleted") is None
            assert path.exists()
            long_ago = ago(30).timestamp()
            os.utime(path, (long_ago, long_ago))
        assert retention.run(now=NOW).get("pictures:deleted") == 1

    def test_recorded_calls_go_too(self) -> None:
        world = World(now=NOW)
        for at in (ago(31), ago(29)):
            Exchange.objects.create(
                party=world.shop.party, at=at, method="GET", url="http://x.test", status=200, milliseconds=1
            )
        assert retention.run(now=NOW) == {"evidence": 1}


class TestShown:
    def test_the_command(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("crossdock.cli.database.ready", lambda: None)
        assert main(["retention"]) == 0
        said = capsys.readouterr().out
        assert "store.Delivery" in said and "blacked out after 7 days" in said and "store.Order " in said
        assert main(["retention", "--now"]) == 0
        assert capsys.readouterr().out == "Nothing was due.\n"
        SignInTry.objects.create(bucket="a", last_at=ago(2), wait_until=ago(2))
        assert main(["retention", "--now"]) == 0
        assert capsys.readouterr().out == "store.SignInTry:deleted: 1\n"
        rows = AuditEntry.objects.filter(action="retention carried out").order_by("pk").values_list("detail", flat=True)
        assert list(rows) == [{}, {"store.SignInTry:deleted": 1}]

    def test_the_page(self) -> None:
        client = Client()
        client.force_login(user(is_staff=True))
        page = client.get("/staff/retention/").content.decode()
        for one in POLICY:
            assert one.table in page, one.table
