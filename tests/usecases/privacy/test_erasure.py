"""Leaving: what stops it, the days of grace, and that afterwards no row of any table holds the person any more."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.web.test_walls import House, _furnished

from crossdock.domain.commands import CommandKind
from crossdock.domain.moderation.takedowns import Ground
from crossdock.domain.privacy.runs import GRACE, RunState, Standing, what_stops
from crossdock.domain.privacy.table import PERSONAL, Then
from crossdock.domain.values import Money
from crossdock.store.models import (
    Alert,
    AuditEntry,
    Case,
    CaseMessage,
    Command,
    Connection,
    Credit,
    DataRun,
    Entry,
    Exchange,
    IdempotentReply,
    Label,
    LabelDocument,
    Listing,
    Mail,
    Offer,
    Order,
    PaymentIntent,
    Reservation,
    ReturnPicture,
    RiskTrace,
    Seller,
    SellerAddress,
    ShopRefund,
    TimelineEntry,
    User,
)
from crossdock.usecases.accounts.tokens import make_token
from crossdock.usecases.catalogue.moderation.deciding import decide, take_down
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.outbox.payloads import CREATE
from crossdock.usecases.privacy import erasing, runs
from crossdock.usecases.privacy.carry_on import carry_on
from crossdock.usecases.privacy.erasing import agree, ask_erasure, keep_account
from crossdock.usecases.privacy.queries import standing
from crossdock.usecases.privacy.steps import STEPS
from crossdock.usecases.shops.trial_orders import try_order
from market import ADDRESS, World, user
from toyshop import dropped_in

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)
THEN = NOW + GRACE + timedelta(minutes=1)
MARKS = ("Zoë", "Müller", "Elm St", "zoe.mark@example.test", "198.51.100.77")


@pytest.fixture
def house() -> Iterator[House]:
    with dropped_in():
        found = _furnished()
        DataRun.objects.all().delete()
        yield found


def work(now: datetime) -> None:
    """The worker from then on, with a mail server that takes its time."""
    clock = [now]
    while carry_on(clock=lambda: clock[0], going_on=lambda: True):
        Mail.objects.filter(sent_at=None).update(sent_at=now)
        clock[0] += timedelta(minutes=2)


def over(person: User) -> None:
    """All that is open of this person ends, as the world would end it."""
    theirs = Order.objects.filter(models.Q(buyer=person) | models.Q(seller__owner=person))
    theirs.update(parcels="shipped")
    Credit.objects.filter(order__in=theirs).update(state="refunded")
    PaymentIntent.objects.filter(buyer=person, state__in=["created", "unknown"]).update(state="declined")
    Case.objects.filter(seller__owner=person).update(state="closed")
    Connection.objects.filter(seller__owner=person).update(state="disconnected")
    Command.objects.update(state="done")
    Reservation.objects.filter(state="checkout").update(state="ended", expires_at=None)


def where(*marks: str) -> dict[str, set[str]]:
    """Tables with a row that holds one of these, and in which columns: every column of every row of every table."""
    found: dict[str, set[str]] = {}
    for model in apps.get_models(include_auto_created=True):
        for row in model._default_manager.values():
            for name, value in row.items():
                said = bytes(value).decode(errors="replace") if isinstance(value, memoryview | bytes) else value
                said = json.dumps(said, ensure_ascii=False) if isinstance(said, dict | list) else str(said)
                if any(mark.lower() in said.lower() for mark in marks):
                    found.setdefault(model._meta.label, set()).add(name)
    return found


def marked(house: House) -> User:
    """The buyer of the house's orders is one, and is named wherever somebody could be."""
    buyer = house.bought
    User.objects.filter(pk=buyer.pk).update(email="zoe.mark@example.test", name="Zoë Müller")
    EmailAddress.objects.create(user=buyer, email="Zoe.Mark@example.test", primary=True)
    Order.objects.update(buyer=buyer)
    PaymentIntent.objects.update(buyer=buyer)
    Mail.objects.filter(to=buyer.email).update(to="zoe.mark@example.test")
    buyer.refresh_from_db()
    order = Order.objects.get(public_id=house.urls["order"])
    said = "Zoë Müller of 1 Elm St wrote from zoe.mark@example.test."
    TimelineEntry.objects.create(order=order, at=NOW, source="shop", kind="x", sentence=said, evidence={"said": said})
    ShopRefund.objects.create(order=order, refund_id="r", amount_minor=1, currency="USD", note=said, seen_at=NOW)
    Case.objects.update(order=order, subject=said, evidence={"timeline": [{"key": "e", "said": said}]})
    CaseMessage.objects.update(body=said)
    Alert.objects.filter(public_id=house.urls["alert"]).update(sentence=said, evidence={"name": "Zoë Müller"})
    Credit.objects.update(note=said)
    RiskTrace.objects.filter(order=order).update(ip="198.51.100.77", device="d", card="c")
    Exchange.objects.create(
        party=house.world.shop.party,
        subject=order.reference,
        at=NOW,
        method="GET",
        url="/",
        milliseconds=1,
        request=said,
    )
    token, _ = make_token(name="t", seller=house.world.seller, actor=house.owner, now=NOW)
    body = {"reference": order.reference, "ship_to": {"name": "Zoë Müller"}}
    IdempotentReply.objects.create(token=token, key="k", fingerprint="f", status=200, body=body, created_at=NOW)
    Mail.objects.create(
        cause="s", to=house.owner.email, subject="s", body=said, order=order, written_at=NOW, sent_at=NOW
    )
    LabelDocument.objects.create(label=Label.objects.get(), form="pdf", content=said.encode())
    ReturnPicture.objects.update(content=said.encode())
    Client().force_login(buyer)
    return buyer


class TestWhatStopsIt:
    def test_each_open_thing_has_its_sentence(self) -> None:
        assert what_stops(Standing()) == []
        whole = Standing(
            staff=True,
            bought=[101, 102, 103, 104],
            payments=1,
            refunds=[5],
            disputes=[6],
            sold=[7],
            shops=["Maren's"],
            carts=1,
            labels=2,
            cases=1,
            payouts=1,
            owed=[Money(1250, "USD"), Money(-500, "JPY")],
        )
        said = what_stops(whole)
        assert len(said) == 13 and "#101, #102, #103 and 1 more" in " ".join(said)
        assert "You have $12.50 coming" in said[-2] and "You owe the marketplace ¥500" in said[-1]
        assert len(what_stops(whole, settled=True)) == 11

    def test_as_the_world_stands(self, house: House) -> None:
        buyer, owner = standing(house.bought, now=NOW), standing(house.owner, now=NOW)
        assert buyer.refunds and not buyer.sold and not buyer.staff
        waiting = Order.objects.get(public_id=house.urls["waiting"])
        assert waiting.number in owner.sold and owner.shops == [house.world.shop.name] and owner.cases == 1
        assert owner.owed[0].minor > 0 and standing(waiting.buyer, now=NOW).bought == [waiting.number]
        assert what_stops(standing(user(), now=NOW)) == []
        with pytest.raises(NotAllowed, match="Ship or reject them first"):
            ask_erasure(person=house.owner, actor=house.owner, now=NOW)
        assert not DataRun.objects.exists()

    def test_what_came_up_in_the_days_of_grace_is_waited_for_and_then_calls_it_off(self) -> None:
        world = World(now=NOW)
        order = world.buy()
        buyer = order.buyer
        Order.objects.update(parcels="shipped")
        run = ask_erasure(person=buyer, actor=buyer, now=NOW)
        Order.objects.update(parcels="unshipped")
        work(THEN)
        run.refresh_from_db()
        assert run.state == RunState.RUNNING and run.step == "" and "You wait for" in run.sentence
        assert run.due_at > THEN and User.objects.get(pk=buyer.pk).is_active
        work(THEN + timedelta(days=4))
        run.refresh_from_db()
        assert (
            run.state == RunState.STOPPED
            and Mail.objects.get(cause=f"leaving:{run.public_id}:stopped").to == buyer.email
        )
        assert order.ship_to["name"] == Order.objects.get().ship_to["name"]


class TestGrace:
    def test_kept_by_its_owner(self) -> None:
        person = user()
        run = ask_erasure(person=person, actor=person, now=NOW)
        assert ask_erasure(person=person, actor=person, now=NOW) == run
        work(NOW + GRACE - timedelta(minutes=1))
        with pytest.raises(NotAllowed):
            keep_account(run=run, actor=user(), now=NOW)
        keep_account(run=run, actor=person, now=NOW)
        with pytest.raises(NotAllowed, match="over"):
            keep_account(run=run, actor=person, now=NOW)
        work(THEN)
        assert User.objects.get(pk=person.pk).email == person.email
        said = list(AuditEntry.objects.filter(person=person).order_by("pk").values_list("action", flat=True))
        assert said == ["asked to delete the account", "kept the account"]
        assert Mail.objects.filter(to=person.email).count() == 2

    def test_staff_need_a_second_person_and_a_reason(self) -> None:
        person, one, two = user(), user(is_staff=True, roles="support"), user(is_staff=True)
        with pytest.raises(Invalid):
            ask_erasure(person=person, actor=one, now=NOW)
        with pytest.raises(NotAllowed):
            ask_erasure(person=person, actor=user(is_staff=True, roles="finance"), why="?", now=NOW)
        run = ask_erasure(person=person, actor=one, why="By letter.", now=NOW)
        work(THEN)
        assert User.objects.get(pk=person.pk).is_active, "nobody agreed"
        for wrong in (one, person, user(is_staff=True, roles="risk")):
            with pytest.raises(NotAllowed):
                agree(run=run, actor=wrong, now=NOW)
        agree(run=run, actor=two, now=NOW)
        with pytest.raises(NotAllowed, match="meanwhile"):
            agree(run=run, actor=user(is_staff=True), now=NOW)
        assert Mail.objects.get(to=person.email).subject == "Your account will be deleted"
        work(NOW + timedelta(minutes=1))
        assert User.objects.get(pk=person.pk).is_active, "the days of grace begin with the second person"
        work(THEN)
        assert not User.objects.get(pk=person.pk).is_active

    def test_staff_do_not_leave_as_staff(self) -> None:
        staff = user(is_staff=True)
        with pytest.raises(NotAllowed, match="give up your role"):
            ask_erasure(person=staff, actor=staff, now=NOW)


class TestABuyerLeaves:
    def test_no_row_of_any_table_holds_them_any_more(self, house: House) -> None:
        buyer = marked(house)
        assert {"store.Case", "store.IdempotentReply", "store.Command", "sessions.Session"} & set(where(*MARKS))
        over(buyer)
        books = list(Entry.objects.order_by("pk").values())
        run = ask_erasure(person=buyer, actor=buyer, now=NOW)
        with CaptureQueriesContext(connection) as seen:
            work(THEN)
        for table in ("store_returnpicture", "store_labeldocument"):
            asked = [each["sql"] for each in seen if f'FROM "{table}"' in each["sql"]]
            assert asked and not any(f'"{table}"."content"' in sql for sql in asked), "what goes is not read first"
        run.refresh_from_db()
        assert (run.state, run.done) == (RunState.DONE, len(STEPS))
        assert where(*MARKS) == {}
        order = Order.objects.get(public_id=house.urls["order"])
        assert (order.ship_to["country"], order.buyer_id, order.total_minor > 0) == ("US", buyer.pk, True)
        assert list(Entry.objects.order_by("pk").values()) == books and order.lines.exists()
        assert "[hidden]" in Case.objects.get().subject and "[hidden]" in CaseMessage.objects.get().body
        gone = User.objects.get(pk=buyer.pk)
        assert (gone.is_active, gone.has_usable_password(), str(gone)) == (False, False, gone.email)
        assert not Client().login(username="zoe.mark@example.test", password="pass-word-1")
        assert AuditEntry.objects.filter(person=buyer, action="account deleted").exists()
        new = User.objects.create_user("zoe.mark@example.test", "other-word-2")
        assert new.pk != buyer.pk, "the address is free"

    def test_what_still_waits_for_a_shop_that_is_away_holds_them_no_more(self, house: House) -> None:
        buyer = marked(house)
        over(buyer)
        reference = Order.objects.get(public_id=house.urls["order"]).reference
        create = Command.objects.get(subject=reference, kind=CommandKind.CREATE_ORDER)
        said = "No such street: 1 Elm St, Zoë Müller."
        outcome = {"shop_id": "5551234567890", "sentence": said}
        Command.objects.filter(subject=reference).update(sentence=said, outcome=outcome)
        Command.objects.filter(pk=create.pk).update(state="waiting")
        run = ask_erasure(person=buyer, actor=buyer, now=NOW)
        work(THEN)
        run.refresh_from_db()
        assert run.state == RunState.DONE
        assert where(*MARKS) == {}
        create.refresh_from_db()
        left = CREATE.validate_python(create.payload)
        assert (create.state, left.reference, left.ship_to.country) == ("waiting", reference, "US")
        assert left.lines and create.outcome["shop_id"] == outcome["shop_id"], "it can be carried on"

    def test_the_seller_s_own_things_stay(self, house: House) -> None:
        buyer = marked(house)
        over(buyer)
        before = {
            model: model._default_manager.count() for model in (Case, CaseMessage, Alert, Label, Offer, Mail, Listing)
        }
        ask_erasure(person=buyer, actor=buyer, now=NOW)
        work(THEN)
        before[Mail] += 2
        assert {model: model._default_manager.count() for model in before} == before
        assert User.objects.get(pk=house.owner.pk).is_active and Listing.objects.filter(state="live").exists()
        assert "Elm St" not in json.dumps(Label.objects.get().wanted["ship_to"])


class TestASellerLeaves:
    def test_their_shop_is_gone_and_sales_name_it(self, house: House) -> None:
        owner, seller = house.owner, house.world.seller
        User.objects.filter(pk=owner.pk).update(email="zoe.mark@example.test", name="Zoë Müller", language="de")
        Seller.objects.filter(pk=seller.pk).update(eu_contact={"name": "Aunt Müller", "address": "7 Mühlweg"})
        owner.refresh_from_db()
        typed = replace(ADDRESS, name="Zoë Müller", line1="7 Mühlweg")
        try_order(connection=house.world.shop, variant=house.world.variant, ship_to=typed, actor=owner, now=NOW)
        Connection.objects.update(address="https://zoe.mark@example.test.example/", name="Müller's cards")
        SellerAddress.objects.update_or_create(
            seller=seller, defaults={"address": {"name": "Müller"}, "changed_at": NOW}
        )
        Listing.objects.update(description="By Zoë Müller")
        over(owner)
        staff = user(is_staff=True)
        with pytest.raises(NotAllowed, match="You have"):
            ask_erasure(person=owner, actor=owner, now=NOW)
        run = ask_erasure(person=owner, actor=user(is_staff=True), why="Paid out.", now=NOW)
        agree(run=run, actor=staff, now=NOW)
        work(THEN)
        run.refresh_from_db()
        assert run.state == RunState.DONE
        # The buyers' address is theirs, not this seller's.
        buyers = {"store.Order", "store.PaymentIntent", "store.Command", "store.Label"}
        assert {table: names for table, names in where("Müller", "zoe.mark").items() if table not in buyers} == {}
        assert not set(where("zoe.mark")) and where("7 Mühlweg") == {}
        assert (Seller.objects.get(pk=seller.pk).eu_contact, User.objects.get(pk=owner.pk).language) == ({}, "")
        shop = Seller.objects.get(pk=seller.pk)
        assert (shop.name, shop.slug) == (seller.name, f"closed-{seller.public_id}")
        # One was taken down by staff, and stays so.
        states = sorted(Listing.objects.filter(seller=seller).values_list("state", flat=True))
        assert states == ["archived"] * (len(states) - 1) + ["taken_down"]
        assert not Case.objects.filter(seller=seller).exists() and Order.objects.filter(seller=seller).exists()
        assert Client().get(f"/s/{seller.slug}/").status_code == 404

    def test_what_staff_took_down_stays_hidden_and_is_not_sold_when_it_is_put_back(self) -> None:
        world, staff = World(now=NOW), user(is_staff=True)
        listing, owner, actor = world.variant.listing, world.seller.owner, {"actor": staff, "now": NOW}
        review = take_down(listing=listing, ground=Ground.HATE, words="A slur.", until_changed=False, **actor)
        over(owner)
        ask_erasure(person=owner, actor=owner, now=NOW)
        work(THEN)
        assert Client().get(f"/l/{listing.public_id}/").status_code == 410
        decide(review=review, put_back=True, words="It was none.", **actor)
        assert Listing.objects.get(pk=listing.pk).state == "archived"

    def test_without_a_sale_the_name_goes_too(self) -> None:
        owner = World(now=NOW).seller.owner
        over(owner)
        ask_erasure(person=owner, actor=owner, now=NOW)
        work(THEN)
        assert Seller.objects.get().name == "Closed shop"


class TestHow:
    def test_every_entry_that_does_not_stay_has_a_step_in_its_order(self) -> None:
        order = [one.table for one in PERSONAL if one.then is not Then.STAYS]
        steps = list(dict.fromkeys(step.table for step in STEPS))
        assert steps == order

    def test_killed_after_any_batch_another_worker_ends_it(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        """Cut off before every batch in turn, the claim lost each time."""
        monkeypatch.setattr(erasing, "AT_ONCE", 1)
        buyer = marked(house)
        over(buyer)
        run = ask_erasure(person=buyer, actor=buyer, now=NOW)
        clock, turns = [THEN], 0
        while DataRun.objects.get(pk=run.pk).state != RunState.DONE:
            carry_on(clock=lambda: clock[0], going_on=lambda: False)
            Mail.objects.filter(sent_at=None).update(sent_at=THEN)
            clock[0] += timedelta(minutes=2)
            turns += 1
            assert turns < 300
        assert turns > 20 and where(*MARKS) == {}

    def test_a_worker_that_lost_its_claim_changes_nothing(self, house: House) -> None:
        buyer = marked(house)
        over(buyer)
        ask_erasure(person=buyer, actor=buyer, now=NOW)
        dead = runs.claim(now=THEN)
        assert dead is not None
        later = THEN + runs.CLAIM + timedelta(seconds=1)
        other = runs.claim(now=later)
        assert other is not None and other.pk == dead.pk
        with pytest.raises(runs.Lost):
            erasing.erase(dead, clock=lambda: later, going_on=lambda: True)
        assert User.objects.get(pk=buyer.pk).is_active and where(*MARKS)

    def test_the_farewell_is_sent_before_its_address_goes_and_not_waited_for_for_ever(self) -> None:
        person = user()
        address = person.email
        run = ask_erasure(person=person, actor=person, now=NOW)
        Mail.objects.update(sent_at=NOW)
        carry_on(clock=lambda: THEN, going_on=lambda: True)
        run.refresh_from_db()
        assert "store.Mail" in run.step and Mail.objects.get(sent_at=None).to == address
        carry_on(clock=lambda: THEN + timedelta(days=4), going_on=lambda: True)
        run.refresh_from_db()
        assert run.state == RunState.DONE and set(Mail.objects.values_list("to", flat=True)) == {""}

    def test_sessions_end_and_their_rows_go(self) -> None:
        person = user()
        client = Client()
        client.force_login(person)
        key = client.session.session_key or ""
        session = client.session
        session["ship_to"] = {"name": "Zoë"}
        session.save()
        UserSession.objects.create(user=person, session_key=key, ip="198.51.100.77", user_agent="x")
        ask_erasure(person=person, actor=person, now=NOW)
        work(THEN)
        assert not Session.objects.filter(session_key=key).exists() and client.get("/orders/").status_code == 302
        assert connection.vendor == "postgresql" and ADDRESS.name
