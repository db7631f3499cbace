"""The audit log: what is written and what never is, that nobody changes a row, and that the chain tells if one did."""

import hashlib
import json
import threading
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from allauth.mfa.signals import authentication_failed
from django.db import DatabaseError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.test import Client, RequestFactory
from tests.web.test_walls import House, house

from crossdock.cli.main import main
from crossdock.store.models import AuditEntry, AuditLink, AuditTopic, User
from crossdock.usecases.record.audit import note
from crossdock.usecases.record.audit_chain import exported_rows, shorten, verify
from market import seller as a_seller
from market import user

__all__ = ["house"]
NOW = datetime.now(UTC)
TABLES = ("store_auditentry", "store_auditlink", "store_auditends")


def written(count: int = 3, **more: Any) -> list[int]:
    before = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    for number in range(count):
        note(actor=None, action="resent", subject=f"#{number}", now=NOW, detail={"n": number, "ü": "é"}, **more)
    settled()
    return list(AuditEntry.objects.filter(pk__gt=before).order_by("pk").values_list("pk", flat=True))


def settled() -> None:
    """What happens when the transaction is committed."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


def forced(*statements: str) -> None:
    """By somebody who owns the database and takes its guards away."""
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        for statement in statements:
            cursor.execute(statement)
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL")


@pytest.mark.django_db
class TestTheChain:
    def test_each_row_has_a_link_that_anybody_can_compute(self) -> None:
        rows = written(4)
        found = list(exported_rows())
        assert [row["id"] for row in found] == rows
        before = ""
        for row in found:
            assert row["previous"] == before
            before = hashlib.sha256((row["previous"] + row["said"]).encode()).hexdigest()
            assert row["hash"] == before
        assert found[1]["detail"] == {"n": 1, "ü": "é"} and found[1]["action"] in found[1]["said"]
        checked = verify()
        assert (checked.rows, checked.head, checked.broken) == (4, before, "")

    @pytest.mark.parametrize(
        "change",
        [
            "subject = 'other'",
            "action = 'x'",
            "actor_id = 1",
            "person_id = 1",
            "topic = 'system'",
            "at = at + interval '1 second'",
            "detail = '{}'",
        ],
    )
    def test_every_column_is_covered(self, change: str) -> None:
        rows = written()
        forced(f"UPDATE store_auditentry SET {change} WHERE id = {rows[1]}")
        checked = verify()
        assert checked.broken == f"Row {rows[1]} (link 2) is not as it was written." and checked.rows == 1

    def test_what_is_missing_or_put_in_is_told(self) -> None:
        rows = written(5)
        with transaction.atomic():
            forced(f"DELETE FROM store_auditentry WHERE id = {rows[2]}")
            assert verify().broken == f"Row {rows[2]} (link 3) was deleted."
            forced("DELETE FROM store_auditlink WHERE no = 3")
            assert verify().broken == "After link 2 the next is 4: what was between is missing."
            forced("UPDATE store_auditlink SET no = no - 1 WHERE no > 3")
            assert "does not follow the one before" in verify().broken
            transaction.set_rollback(True)
        forced(
            "INSERT INTO store_auditentry (at, topic, action, subject, detail) VALUES (now(), 'staff', 'x', 'y', '{}')"
        )
        assert "was put in beside the chain" in verify().broken

    def test_cutting_off_the_newest_is_seen_and_stays_so(self) -> None:
        rows = written(3)
        forced(f"DELETE FROM store_auditentry WHERE id >= {rows[1]}", "DELETE FROM store_auditlink WHERE no >= 2")
        assert verify().broken == "The chain ends at link 1 instead of 3: the newest rows are missing."
        written(1)
        assert verify().broken == "After link 1 the next is 4: what was between is missing.", "it goes on from the end"

    def test_cutting_off_the_beginning_is_seen(self) -> None:
        rows = written(3)
        forced(f"DELETE FROM store_auditentry WHERE id = {rows[0]}", "DELETE FROM store_auditlink WHERE no = 1")
        assert verify().broken == "The chain begins at link 2 instead of 1: what was before is missing."
        # Also by who moves the mark along: no row says that they had had their time.
        forced(
            "UPDATE store_auditends SET (first_no, first_previous) = (SELECT no, previous FROM store_auditlink"
            " ORDER BY no LIMIT 1)"
        )
        assert "no row says that the older ones had had their time" in verify().broken

    def test_an_emptied_log_is_seen(self) -> None:
        written(3)
        forced("DELETE FROM store_auditentry", "DELETE FROM store_auditlink")
        assert verify().broken == "All rows up to link 3 are missing."
        written(1)
        assert verify().broken == "The chain begins at link 4 instead of 1: what was before is missing."
        forced("DELETE FROM store_auditends")
        assert "was deleted" in verify().broken

    def test_written_anew_from_end_to_end_is_seen_with_a_hash_that_was_kept(self) -> None:
        written(3)
        head = verify().head
        written(1)
        assert verify(known=head).found_known, "it grew since"
        forced(*(f"DELETE FROM {table}" for table in TABLES))
        written(4, person=None)
        assert verify().broken == "" and not verify(known=head).found_known

    @pytest.mark.parametrize("table", TABLES)
    @pytest.mark.parametrize("deed", ["UPDATE {} SET {}", "DELETE FROM {}", "TRUNCATE {}", "TRUNCATE {} CASCADE"])
    def test_the_database_lets_nobody_change_one(self, table: str, deed: str) -> None:
        written(1)
        changes = dict(zip(TABLES, ("action = 'x'", "hash = 'x'", "first_no = first_no + 1"), strict=True))
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(deed.format(table, changes[table]))
        assert verify().rows == 1

    def test_what_is_older_than_three_years_goes_from_the_beginning_and_a_row_says_so(self) -> None:
        old = NOW - timedelta(days=1200)
        for subject in ("old", "older"):
            note(actor=None, action="resent", subject=subject, now=old)
        settled()
        written(2)
        # Written late: what lies before it goes, itself it waits for its turn.
        note(actor=None, action="resent", subject="late", now=old)
        settled()
        assert shorten(older_than=NOW - timedelta(days=1100), now=NOW, most=1000) == 2
        settled()
        checked = verify()
        assert (checked.broken, checked.rows, checked.head_no) == ("", 4, 6)
        row = AuditEntry.objects.get(action="audit log shortened")
        assert (row.topic, row.detail) == (AuditTopic.SYSTEM, {"first_no": 3, "removed": 2})
        assert shorten(older_than=NOW - timedelta(days=1100), now=NOW, most=1000) == 0, "nothing more, and no row of it"
        assert AuditEntry.objects.count() == AuditLink.objects.count() == 4

    def test_a_few_at_a_time_and_never_all(self) -> None:
        for number in range(5):
            note(actor=None, action="resent", subject=str(number), now=NOW - timedelta(days=1200))
        settled()
        old = NOW - timedelta(days=1100)
        assert [shorten(older_than=old, now=NOW, most=3) for _ in range(2)] == [3, 1]
        settled()
        assert verify().broken == ""

    def test_back_to_the_version_before_with_an_actor_who_is_erased(self) -> None:
        """The migrations' own way back, in this transaction."""
        gone = user("gone@example.test")
        note(actor=gone, action="resent", subject="#1", now=NOW)
        settled()
        gone.delete()
        loader = MigrationLoader(connection)
        for before, name in (
            ("0038_lowest_price", "0039_audit_ends"),
            ("0031_below_zero", "0032_audit_chain"),
        ):
            state = loader.project_state(("store", before))
            with connection.schema_editor() as editor:
                loader.get_migration("store", name).unapply(state, editor)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SELECT actor_id, subject FROM store_auditentry")
            assert cursor.fetchall() == [(None, "#1")]

    def test_an_account_that_is_erased_changes_no_row(self) -> None:
        gone = user("gone@example.test")
        note(actor=gone, person=gone, action="signed in", subject=f"account {gone.pk}", now=NOW)
        settled()
        number = gone.pk
        gone.delete()
        assert verify().broken == ""
        staff = Client()
        staff.force_login(user(is_staff=True))
        page = staff.get("/staff/audit/").content.decode()
        assert f"account {number}" in page and "gone@example.test" not in page


@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_time_make_one_chain_and_wait_for_no_open_work() -> None:
    """One transaction writes its row and stays open; others write and commit meanwhile."""
    many, started, go_on, wrong = 6, threading.Event(), threading.Event(), []

    def slow() -> None:
        try:
            with transaction.atomic():
                note(actor=None, action="resent", subject="slow", now=NOW)
                started.set()
                assert go_on.wait(60)
        except Exception as error:
            wrong.append(error)
        finally:
            connection.close()

    def quick(number: int) -> None:
        try:
            for step in range(5):
                with transaction.atomic():
                    note(actor=None, action="resent", subject=f"{number}.{step}", now=NOW)
        except Exception as error:
            wrong.append(error)
        finally:
            connection.close()

    first = threading.Thread(target=slow)
    first.start()
    assert started.wait(60)
    others = [threading.Thread(target=quick, args=(number,)) for number in range(many)]
    for thread in others:
        thread.start()
    for thread in others:
        thread.join(60)
    assert AuditEntry.objects.count() == many * 5, "nobody waited for the open one"
    go_on.set()
    first.join(60)
    checked = verify()
    assert wrong == [] and (checked.broken, checked.rows) == ("", many * 5 + 1)
    assert AuditLink.objects.order_by("-no").first().entry.subject == "slow", "in the order of the commits"  # type: ignore[union-attr]


@pytest.mark.django_db
class TestTheCommand:
    @pytest.fixture(autouse=True)
    def _ready(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("crossdock.cli.database.ready", lambda: None)

    def test_verify(self, capsys: pytest.CaptureFixture[str]) -> None:
        rows = written(3)
        assert main(["audit", "verify"]) == 0
        said = capsys.readouterr().out
        head = verify().head
        assert (
            "All 3 rows are as they were written, and none is missing at either end" in said
            and f"--known {head}" in said
        )
        assert main(["audit", "verify", "--known", head]) == 0
        capsys.readouterr()
        assert main(["audit", "verify", "--known", "f" * 64]) != 0
        assert "is not in it" in capsys.readouterr().err
        forced(f"UPDATE store_auditentry SET subject = 'x' WHERE id = {rows[0]}")
        assert main(["audit", "verify"]) != 0
        assert f"Row {rows[0]} (link 1) is not as it was written" in capsys.readouterr().err

    def test_export(self, capsys: pytest.CaptureFixture[str]) -> None:
        written(2)
        assert main(["audit", "export"]) == 0
        settled()
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [line["subject"] for line in lines[:2]] == ["#0", "#1"]
        assert AuditEntry.objects.filter(action="exported", topic=AuditTopic.ACCESS).count() == 1
        assert main(["audit", "export", "--since", "2999-01-01"]) == 0
        assert capsys.readouterr().out == ""
        assert main(["audit", "export", "--since", "tomorrow"]) != 0


def sign_in(email: str, password: str) -> Client:
    client = Client(headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0"}, REMOTE_ADDR="203.0.113.77")
    client.post("/accounts/login/", {"login": email, "password": password})
    return client


def account_rows() -> list[tuple[str, User | None, dict[str, Any]]]:
    rows = AuditEntry.objects.filter(topic=AuditTopic.ACCOUNT).order_by("pk")
    return [(row.action, row.person, row.detail) for row in rows]


@pytest.mark.django_db
class TestAccounts:
    @pytest.fixture(autouse=True)
    def _no_counts(self) -> None:
        from django.core.cache import cache

        cache.clear()

    def test_a_wrong_second_factor(self) -> None:
        ana = user("ana@example.test")
        import_module("crossdock.web.signin.again")
        request = RequestFactory().get("/", REMOTE_ADDR="203.0.113.77")
        authentication_failed.send(sender=None, request=request, user=ana, authenticator=None, reauthentication=False)
        row = AuditEntry.objects.get(action="second factor failed")
        assert (row.person, row.actor, row.topic) == (ana, None, AuditTopic.ACCOUNT)

    def test_sign_ins_and_failures_with_a_network_and_no_address(self) -> None:
        ana = user("ana@example.test")
        sign_in("ana@example.test", "pass-word-1")
        sign_in("ANA@example.test", "wrong-wrong-1")
        sign_in("nobody.of.this.name@example.test", "wrong-wrong-1")
        place = {"from": "Firefox on Linux, 203.0.113.0/24"}
        assert account_rows() == [
            ("signed in", ana, place),
            ("sign-in failed", ana, place),
            ("sign-in failed", None, place),
        ]
        kept = json.dumps(list(exported_rows())) + str(list(AuditEntry.objects.values()))
        for secret in ("wrong-wrong", "pass-word-1", "example.test", "203.0.113.77"):
            assert secret not in kept, secret

    def test_the_wait_is_told(self) -> None:
        user("ana@example.test")
        for _ in range(7):
            sign_in("ana@example.test", "wrong-wrong-1")
        waits = [detail.get("has to wait") for action, _, detail in account_rows() if action == "sign-in failed"]
        assert waits[:4] == [None] * 4 and waits[4] is not None
        assert len(waits) == 5, "what was not tried is no failure"

    def test_a_changed_password_and_an_ended_session(self) -> None:
        ana = user("ana@example.test")
        client = sign_in("ana@example.test", "pass-word-1")
        form = {"oldpassword": "pass-word-1", "password1": "other-word-22", "password2": "other-word-22"}
        client.post("/accounts/password/change/", form)
        client.post("/accounts/sessions/end/")
        assert [action for action, person, _ in account_rows() if person == ana] == [
            "signed in",
            "password changed",
            "ended all sessions",
        ]

    def test_tokens_and_roles_name_accounts_by_number(self) -> None:
        from crossdock.usecases.accounts.staffing import set_roles
        from crossdock.usecases.accounts.tokens import make_token

        shop = a_seller()
        make_token(name="till", seller=shop, actor=shop.owner, now=NOW)
        set_roles(email=shop.owner.email, now=NOW)
        made, role = AuditEntry.objects.order_by("pk")
        assert (made.action, made.topic) == ("token made", "account")
        assert (role.action, role.topic, role.person, role.subject) == (
            "made staff",
            "staff",
            shop.owner,
            f"account {shop.owner.pk}",
        )


@pytest.mark.django_db
class TestAccess:
    def test_reading_a_buyer_s_data_as_the_seller_is_traced(self, house: House) -> None:
        staff, client = user(is_staff=True), Client()
        client.force_login(staff)
        order = f"/seller/orders/{house.urls['order']}/"
        client.post(f"/staff/sellers/{house.urls['seller']}/act/", {"why": "case"})
        client.get("/seller/")
        client.get(order)
        client.get("/seller/orders/")
        rows = AuditEntry.objects.filter(action="read as").order_by("pk")
        assert [(row.actor, row.topic, row.detail["path"]) for row in rows] == [
            (staff, "access", order),
            (staff, "access", "/seller/orders/"),
        ]
        assert rows[0].detail["order"] == house.urls["order"]
        client.post("/staff/act/end/")
        before = AuditEntry.objects.count()
        own = Client()
        own.force_login(house.owner)
        own.get(order)
        assert AuditEntry.objects.count() == before, "a seller in their own shop leaves none"

    def test_what_leaves_as_a_file_is_traced(self, house: House) -> None:
        own, staff = Client(), Client()
        own.force_login(house.owner)
        staff.force_login(user(is_staff=True))
        own.get("/seller/orders/export.csv?q=Zoe+Secret&carrier=Aunt+Secret")
        own.get("/seller/labels/export.csv")
        staff.get(f"/staff/cases/{house.urls['case']}/file/")
        staff.get(f"/staff/quarantine/{house.urls['quarantined']}/file/")
        rows = AuditEntry.objects.filter(action="exported").order_by("pk")
        assert [row.subject for row in rows] == ["orders as CSV", "labels as CSV", "case file", "quarantine file"]
        # What was searched for may be a buyer's name, which stays out of what nobody can take it out of again.
        assert rows[0].detail["narrowed_by"] == ["words", "carrier"] and "Secret" not in str(rows[0].detail)

    def test_webhooks_and_disconnecting_are_settings(self, house: House) -> None:
        from crossdock.usecases.shops.connect import disconnect

        disconnect(connection=house.world.shop, actor=house.owner, now=NOW)
        rows = AuditEntry.objects.filter(topic=AuditTopic.SETTINGS).order_by("pk")
        assert [(row.action, row.actor) for row in rows] == [
            ("webhook receiver added", house.owner),
            ("document handed in", house.owner),
            ("shop disconnected", house.owner),
        ]
        assert "secret" not in str(list(rows.values("detail")))


@pytest.mark.django_db
def test_the_page_filters_by_kind_and_finds_an_account_by_its_address() -> None:
    ana = user("ana@example.test")
    note(actor=ana, person=ana, action="signed in", subject=f"account {ana.pk}", now=NOW, topic=AuditTopic.ACCOUNT)
    note(actor=None, action="resent", subject="#77", now=NOW)
    client = Client()
    client.force_login(user(is_staff=True))
    page = client.get("/staff/audit/?topic=account").content.decode()
    assert "ana@example.test" in page and "#77" not in page
    page = client.get("/staff/audit/?q=ANA@example.test").content.decode()
    assert "signed in" in page and "#77" not in page
    assert "#77" in client.get("/staff/audit/?topic=nonsense").content.decode()
    home = client.get("/staff/").content.decode()
    assert "#77" in home and "signed in" not in home, "the desk shows what staff did"
