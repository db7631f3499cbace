"""Credits on staff's pages: decided once, by two people above the limit, never more than was paid, and each word of it
in the audit log.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from tests.web.staff.test_staff_panel import Desk

from crossdock.domain.credit import CreditKind, CreditState
from crossdock.domain.values import Money
from crossdock.store.models import AuditEntry, Command, Credit, Mail, Order
from crossdock.usecases.money.credits import ask_credit
from crossdock.usecases.orders.actions import ship_by_hand
from market import World, user

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return World(units=99, now=datetime.now(UTC))


@pytest.fixture
def desk() -> Desk:
    return Desk(user(name="Sam Staff", is_staff=True))


@pytest.fixture
def other() -> Desk:
    return Desk(user(name="Ana Admin", is_staff=True))


@pytest.fixture
def order(world: World) -> Order:
    order = world.buy()
    ship_by_hand(order=order, lines=None, tracking="T", carrier="UPS", actor=world.seller.owner, now=world.later())
    return order


def asked(world: World, order: Order, minor: int = 400) -> Credit:
    return ask_credit(
        order=order,
        amount=Money(minor, "USD"),
        reason="Arrived damaged",
        body="A corner is bent.",
        actor=world.seller.owner,
        now=world.later(),
    )


@pytest.fixture
def low_limit(settings: Any) -> None:
    settings.CONFIG = settings.CONFIG.model_copy(update={"credit_second_person_above": Decimal(3)})


def decide(desk: Desk, credit: Credit, decision: str = "grant", seen: str = "asked", **form: Any) -> int:
    return desk.post(
        f"/staff/credits/{credit.public_id}/", decision=decision, seen=seen, **{"remark": "The photo shows it.", **form}
    )


def test_what_a_seller_asked_for_stands_in_the_queue_and_is_credited(world: World, order: Order, desk: Desk) -> None:
    credit = asked(world, order)
    desk.get("/staff/")
    assert re.search(r'href="/staff/credits/"><span class="figure">1</span>', desk.page)
    desk.get("/staff/credits/")
    assert "Arrived damaged" in desk.page and "$4.00" in desk.page and f"#{order.number}" in desk.page
    desk.get(f"/staff/credits/{credit.public_id}/")
    assert "At most $15.00" in desk.words and 'value="4.00"' in desk.page
    decide(desk, credit, amount="4.00")
    credit.refresh_from_db()
    order.refresh_from_db()
    assert (credit.state, order.credited_minor) == (CreditState.GRANTED, 400)
    assert "is refunded $4.00" in desk.page
    assert Command.objects.filter(kind="refund_payment").count() == 1
    entry = AuditEntry.objects.get(action="credited")
    assert (entry.actor, entry.subject, entry.detail["why"]) == (desk.who, str(order), "The photo shows it.")
    desk.get(f"/staff/orders/{order.public_id}/")
    assert "Arrived damaged" in desk.page and "On its way" in desk.page
    desk.get("/staff/credits/")
    assert "Nothing to decide" in desk.page
    desk.get("/staff/credits/", which="done")
    assert "Arrived damaged" in desk.page


def test_less_than_was_asked(world: World, order: Order, desk: Desk) -> None:
    credit = asked(world, order)
    decide(desk, credit, amount="2.50")
    order.refresh_from_db()
    assert order.credited_minor == 250


@pytest.mark.parametrize("amount", ["15.01", "0", "-1", "4.001", "x", "", "NaN", "9" * 40])
def test_an_amount_that_cannot_be(world: World, order: Order, desk: Desk, amount: str) -> None:
    credit = asked(world, order)
    assert decide(desk, credit, amount=amount) == 422
    credit.refresh_from_db()
    order.refresh_from_db()
    assert (credit.state, order.credited_minor) == (CreditState.ASKED, 0)
    assert 'class="error"' in desk.page or 'role="alert"' in desk.page


def test_declining_tells_the_seller_why(world: World, order: Order, desk: Desk) -> None:
    credit = asked(world, order)
    assert decide(desk, credit, "decline", amount="4.00", remark="") == 422
    decide(desk, credit, "decline", amount="nonsense", remark="The photo shows another card.")
    credit.refresh_from_db()
    order.refresh_from_db()
    assert (credit.state, order.credited_minor) == (CreditState.DECLINED, 0)
    assert "The photo shows another card." in Mail.objects.get(subject__contains="no credit").body
    desk.get("/staff/credits/", which="declined")
    assert "The photo shows another card." in desk.page


def test_pressed_twice_and_in_two_tabs_it_is_one(world: World, order: Order, desk: Desk, other: Desk) -> None:
    credit = asked(world, order)
    decide(desk, credit, amount="4.00")
    decide(desk, credit, amount="4.00")
    assert "Somebody decided meanwhile" in desk.page
    decide(other, credit, "decline", amount="4.00")
    order.refresh_from_db()
    assert order.credited_minor == 400
    assert AuditEntry.objects.filter(action__startswith="credit").count() == 1


@pytest.mark.usefixtures("low_limit")
class TestAboveTheLimit:
    def test_it_needs_two_people(self, world: World, order: Order, desk: Desk, other: Desk) -> None:
        credit = asked(world, order)
        desk.get(f"/staff/credits/{credit.public_id}/")
        assert "needs a second person after you" in desk.words
        decide(desk, credit, amount="4.00")
        assert "A second person has to agree" in desk.page
        order.refresh_from_db()
        assert order.credited_minor == 0
        desk.get(f"/staff/credits/{credit.public_id}/")
        assert "another person has to agree" in desk.words and "Agree and credit" not in desk.page
        assert decide(desk, credit, seen="second") == 422
        assert "another person has to agree" in desk.words
        other.get(f"/staff/credits/{credit.public_id}/")
        assert "Agree and credit $4.00" in other.page and "Sam Staff" in other.page
        decide(other, credit, seen="second", remark="I see it too.")
        order.refresh_from_db()
        credit.refresh_from_db()
        assert (order.credited_minor, credit.decided_by, credit.second_by) == (400, desk.who, other.who)
        assert {entry.actor for entry in AuditEntry.objects.filter(detail__credit=credit.public_id)} == {
            desk.who,
            other.who,
        }

    def test_who_saw_it_before_the_first_agreed_decides_nothing(
        self, world: World, order: Order, desk: Desk, other: Desk
    ) -> None:
        """Or their lower amount would count as a yes to the higher one."""
        credit = asked(world, order)
        decide(desk, credit, amount="4.00")
        decide(other, credit, amount="1.00")
        assert "Somebody decided meanwhile" in other.page
        order.refresh_from_db()
        assert order.credited_minor == 0

    def test_below_it_one_is_enough(self, world: World, order: Order, desk: Desk) -> None:
        decide(desk, asked(world, order), amount="3.00")
        order.refresh_from_db()
        assert order.credited_minor == 300


class TestBegunByStaff:
    def send(self, desk: Desk, order: Order, **form: str) -> int:
        """The preview, and what it asks to be sent once more."""
        page = f"/staff/orders/{order.public_id}/credit/"
        status = desk.post(page, **form)
        seen = re.search(r'name="seen" value="([^"]+)"', desk.page)
        return desk.post(page, **form, seen=seen[1]) if seen else status

    def test_the_preview_says_what_it_does_before_anything_happens(self, order: Order, desk: Desk) -> None:
        assert desk.post(f"/staff/orders/{order.public_id}/credit/", **self.form(desk, order)) == 200
        assert "The buyer is refunded $5.00" in desk.page and "Nothing has happened yet" in desk.page
        assert "Can still be credited afterwards" in desk.page and "$10.00" in desk.page
        assert not Credit.objects.exists()
        order.refresh_from_db()
        assert order.credited_minor == 0

    def form(self, desk: Desk, order: Order) -> dict[str, str]:
        desk.get(f"/staff/orders/{order.public_id}/credit/")
        key = re.search(r'name="key" value="([^"]+)"', desk.page)
        assert key
        return {"amount": "5.00", "reason": "Goodwill", "more": "It came late.", "key": key[1]}

    def test_with_amount_and_reason_once(self, world: World, order: Order, desk: Desk) -> None:
        form = self.form(desk, order)
        assert "$15.00" in desk.page
        for _ in range(2):
            self.send(desk, order, **form)
        credit = Credit.objects.get()
        order.refresh_from_db()
        assert (credit.reason, credit.kind, order.credited_minor) == ("Goodwill: It came late.", CreditKind.STAFF, 500)
        assert desk.url == f"/staff/credits/{credit.public_id}/"
        assert AuditEntry.objects.get(action="credited").actor == desk.who

    def test_never_more_than_is_left(self, world: World, order: Order, desk: Desk) -> None:
        self.send(desk, order, **self.form(desk, order))
        assert self.send(desk, order, **{**self.form(desk, order), "amount": "10.01"}) == 422
        assert "$10.00" in desk.page
        self.send(desk, order, **{**self.form(desk, order), "amount": "10.00"})
        desk.get(f"/staff/orders/{order.public_id}/credit/")
        assert "nothing more can be credited" in desk.page and "<textarea" not in desk.page
        desk.get(f"/staff/orders/{order.public_id}/")
        assert "Credit the buyer…" not in desk.page

    def test_it_asks_for_a_reason(self, world: World, order: Order, desk: Desk) -> None:
        form = {**self.form(desk, order), "reason": ""}
        assert desk.post(f"/staff/orders/{order.public_id}/credit/", **form) == 422
        assert not Credit.objects.exists()


def test_what_the_bank_refused_is_asked_again_once(world: World, order: Order, desk: Desk) -> None:
    credit = asked(world, order)
    decide(desk, credit, amount="4.00")
    Command.objects.filter(kind="refund_payment").update(state="done", result="refused")
    Credit.objects.update(state=CreditState.FAILED, sentence="The card is closed.")
    desk.get("/staff/")
    assert 'which=failed"><span class="figure">1</span>' in desk.page
    desk.get("/staff/credits/", which="failed")
    assert "The card is closed." in desk.page
    for _ in range(2):
        desk.post(f"/staff/credits/{credit.public_id}/retry/")
    assert Command.objects.filter(kind="refund_payment").count() == 2
    assert AuditEntry.objects.filter(action="refund tried again").count() == 1
    order.refresh_from_db()
    assert order.credited_minor == 400
