"""Payouts in the panel: an account that is named with a proof, how often, and the button; staff hold them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from tests.web.seller.test_money_pages import words_of
from tests.web.signin.test_signin import age

from crossdock.domain.earnings.payouts import Schedule
from crossdock.domain.values import Money
from crossdock.payouts import sandbox
from crossdock.store.models import AuditEntry, Command, Mail, Order, Payout, PayoutAccount, Shipment
from crossdock.usecases.accounts import tokens
from crossdock.usecases.accounts.suspending import restore, suspend, suspend_seller
from crossdock.usecases.errors import NotAllowed
from crossdock.usecases.money import balance, payouts
from crossdock.usecases.orders.actions import ship_by_hand
from market import World, user

pytestmark = pytest.mark.django_db
GOOD = {"holder": "Zoë Müller", "number": "DE89 3704 0044 0532 0130 00"}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """13.80 are available."""
    opened = sandbox.bank.opened(tmp_path, {})
    monkeypatch.setattr("crossdock.web.payouts.open_bank", lambda name, data: opened)
    world = World(units=9, now=datetime.now(UTC))
    order = world.buy()
    ship_by_hand(order=order, lines=None, tracking="T", carrier="UPS", actor=world.seller.owner, now=world.later())
    balance.release(now=world.now + timedelta(days=8))
    return world


@pytest.fixture
def client(world: World) -> Client:
    """Signed in with the password a moment ago."""
    client = Client()
    client.post("/accounts/login/", {"login": world.seller.owner.email, "password": "pass-word-1"})
    return client


def usable() -> PayoutAccount:
    PayoutAccount.objects.update(usable_from=datetime.now(UTC))
    return PayoutAccount.objects.select_related("seller").get()


def test_an_account_is_named_with_a_proof_told_by_mail_and_waits(world: World, client: Client) -> None:
    thief = Client()
    thief.force_login(world.seller.owner)
    age(thief, 16 * 60)
    assert thief.post("/seller/money/payouts/USD/account/", GOOD).status_code == 403, "it asks who it is"
    assert not PayoutAccount.objects.exists()
    assert client.post("/seller/money/payouts/USD/account/", GOOD).status_code == 302
    page = words_of(client.get("/seller/money/payouts/"))
    assert "Zoë Müller, DE ···· 3000" in page and "Your bank account is new" in page and "Every Monday" in page
    letter = Mail.objects.get(subject__contains="bank account")
    assert letter.to == world.seller.owner.email and "DE ···· 3000" in letter.body
    assert AuditEntry.objects.filter(action="payout account").count() == 1
    client.post("/seller/money/payouts/USD/now/", {"key": "k"})
    assert not Payout.objects.exists()


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({**GOOD, "number": "DE89 3704 0044 0532 0130 01"}, "That is no IBAN"),
        ({**GOOD, "number": "۱۲"}, "That is no IBAN"),
        ({**GOOD, "holder": " "}, "This field is required"),
    ],
)
def test_a_wrong_number_is_said_and_nothing_is_kept(client: Client, form: dict[str, str], said: str) -> None:
    answer = client.post("/seller/money/payouts/USD/account/", form)
    assert answer.status_code == 422 and said in words_of(answer) and not PayoutAccount.objects.exists()


def test_pressed_twice_it_is_one_payout_and_the_money_is_gone_from_the_balance(world: World, client: Client) -> None:
    client.post("/seller/money/payouts/USD/account/", GOOD)
    usable()
    for _ in range(2):
        assert client.post("/seller/money/payouts/USD/now/", {"key": "k"}).status_code == 302
    assert [payout.amount for payout in Payout.objects.all()] == [Money(1380, "USD")]
    assert [one.available for one in balance.balances(world.seller, now=world.later())] == [0]
    page = words_of(client.get("/seller/money/payouts/"))
    assert "On its way to the bank $13.80" in page and "Nothing is available." in page
    number = Payout.objects.get().public_id
    assert f"Payout Payout {number} -$13.80" in words_of(client.get("/seller/money/statement/"))


def test_a_program_reads_payouts_each_with_what_led_to_it(world: World, client: Client) -> None:
    client.post("/seller/money/payouts/USD/account/", GOOD)
    account, owner = usable(), world.seller.owner
    first = payouts.pay_out(account=account, actor=owner, key="a", now=world.later())
    order = world.buy()
    Order.objects.filter(pk=order.pk).update(payable_at=world.now)
    second = payouts.pay_out(account=account, actor=owner, key="b", now=world.later())

    def got(path: str, scopes: str = "money:read") -> Any:
        secret = tokens.make_token(name="t", seller=world.seller, actor=owner, now=world.now, scopes=scopes)[1]
        return Client().get(f"/api/v1{path}", headers={"Authorization": f"Bearer {secret}"})

    items = got("/payouts").json()["items"]
    assert [one["id"] for one in items] == [second.public_id, first.public_id]
    assert items[0]["amount"] == {"amount": "13.80", "currency": "USD"} and items[0]["state"] == "intended"
    one = got(f"/payouts/{second.public_id}").json()
    assert [(line["kind"], line["order"], line["net"]["amount"]) for line in one["lines"]] == [
        ("paid", order.public_id, "13.80")
    ], "not what the payout before was made of"
    assert len(got(f"/payouts/{first.public_id}").json()["lines"]) == 1
    assert got("/payouts?currency=EUR").json()["items"] == [] and got("/payouts/none").status_code == 404
    assert got("/payouts", "orders:read").status_code == 403


def test_those_whose_day_it_is_are_paid_once_from_their_minimum(world: World, client: Client) -> None:
    client.post("/seller/money/payouts/USD/account/", GOOD)
    account = usable()
    monday = world.later() + timedelta(days=-world.now.weekday() % 7)
    form = {"schedule": "weekly", "minimum": "20.00"}
    assert client.post("/seller/money/payouts/USD/schedule/", form).status_code == 302
    assert payouts.pay_due(now=monday) == 0, "less than they want at once"
    actor = world.seller.owner
    payouts.set_schedule(account=account, schedule=Schedule.WEEKLY, minimum=Money(0, "USD"), actor=actor)
    assert payouts.pay_due(now=monday + timedelta(days=1)) == 0, "not their day"
    assert [payouts.pay_due(now=monday), payouts.pay_due(now=monday)] == [1, 0]


def test_staff_hold_payouts_with_a_reason_and_let_them_go(world: World, client: Client) -> None:
    client.post("/seller/money/payouts/USD/account/", GOOD)
    account, staff = usable(), Client()
    staff.force_login(user(is_staff=True))
    url = f"/staff/sellers/{world.seller.public_id}/money/"
    staff.post(f"{url}hold/", {"hold": "yes", "why": " "})
    staff.post(f"{url}hold/", {"hold": "yes", "why": "Many disputes"})
    assert "Held since" in words_of(staff.get(url)) and "Many disputes" in words_of(staff.get(url))
    with pytest.raises(NotAllowed, match="Our staff hold your payouts"):
        payouts.pay_out(account=account, actor=world.seller.owner, key="k", now=world.later())
    staff.post(f"{url}hold/", {"hold": "no", "why": "Cleared"})
    payouts.pay_out(account=account, actor=world.seller.owner, key="k", now=world.later())
    said: list[Any] = list(
        AuditEntry.objects.filter(action__startswith="payouts").order_by("pk").values_list("action", flat=True)
    )
    assert said == ["payouts held", "payouts let go"]


def test_support_sees_a_seller_s_money_and_holds_nothing(world: World) -> None:
    clerk = Client()
    clerk.force_login(user(is_staff=True, roles="support"))
    url = f"/staff/sellers/{world.seller.public_id}/money/"
    assert clerk.get(url).status_code == 200 and "Hold all payouts" not in words_of(clerk.get(url))
    assert clerk.post(f"{url}hold/", {"hold": "yes", "why": "?"}).status_code == 403


def test_the_commission_is_set_by_a_page_and_holds_for_orders_from_now_on(world: World) -> None:
    boss, url = Client(), f"/staff/sellers/{world.seller.public_id}"
    boss.force_login(user(is_staff=True))
    for wrong in ("x", "7.255", "51", "-1", "NaN", ""):
        boss.post(f"{url}/commission/", {"percent": wrong})
    assert "8 % of each order" in words_of(boss.get(f"{url}/money/"))
    boss.post(f"{url}/commission/", {"percent": "10"})
    world.seller.refresh_from_db()
    world.buy()
    (found,) = balance.balances(world.seller, now=world.later())
    assert (found.available, found.pending) == (1380, 1350)
    assert AuditEntry.objects.filter(action="commission").count() == 1


def test_when_a_parcel_left_is_the_sellers_word_so_it_counts_from_when_we_heard_of_it(world: World) -> None:
    late = world.buy()
    ship_by_hand(order=late, lines=None, tracking="T2", carrier="UPS", actor=world.seller.owner, now=world.later())
    Shipment.objects.filter(order=late).update(shipped_at=world.now - timedelta(days=30))
    assert balance.release(now=world.later() + timedelta(days=6)) == 0
    assert balance.release(now=world.later() + timedelta(days=8)) == 1


def test_nothing_is_paid_to_who_is_suspended(world: World, client: Client) -> None:
    client.post("/seller/money/payouts/USD/account/", GOOD)
    account = usable()
    suspend(email=world.seller.owner.email, why="Fakes", now=world.now)
    monday = world.later() + timedelta(days=-world.now.weekday() % 7)
    assert payouts.pay_due(now=monday) == 0
    restore(email=world.seller.owner.email, now=world.now)
    assert payouts.pay_due(now=monday) == 1 and account.seller_id == world.seller.pk


def test_what_was_sent_goes_on_where_they_are_held_or_their_sales_suspended_and_the_pages_say_so(
    world: World, client: Client
) -> None:
    client.post("/seller/money/payouts/USD/account/", GOOD)
    payout = payouts.pay_out(account=usable(), actor=world.seller.owner, key="k", now=world.later())
    boss = user(is_staff=True)
    payouts.hold(seller=world.seller, actor=boss, why="Many disputes", now=world.later())
    suspend_seller(seller=world.seller, why="Fakes", actor=boss, now=world.later())
    payout.refresh_from_db()
    assert (payout.state, Command.objects.get(cause=f"payout:{payout.public_id}").state) == ("intended", "waiting")
    said, staff = "no payout begins; one that was sent", Client()
    staff.force_login(boss)
    for page in (client.get("/seller/money/payouts/"), staff.get(f"/staff/sellers/{world.seller.public_id}/")):
        assert said in words_of(page)
    assert said in Mail.objects.get(subject="Your sales are suspended").body


def test_one_that_trips_holds_up_no_other(world: World, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for currency in ("EUR", "USD"):
        client.post(f"/seller/money/payouts/{currency}/account/", GOOD)
    PayoutAccount.objects.update(usable_from=datetime.now(UTC))
    first = PayoutAccount.objects.order_by("pk")[0]
    intend = payouts._intend

    def trips(*, account: PayoutAccount, **more: Any) -> Any:
        if account.pk == first.pk:
            raise ValueError("odd")
        return intend(account=account, **more)

    monkeypatch.setattr(payouts, "_intend", trips)
    assert payouts.pay_due(now=world.later() + timedelta(days=-world.now.weekday() % 7)) == 1


def test_a_currency_that_is_none_is_not_found(client: Client) -> None:
    for currency in ("ABCDE", "ZZZ", "usd"):
        assert client.get(f"/seller/money/payouts/{currency}/account/").status_code == 404
        assert client.get(f"/seller/money/payouts/{currency}/schedule/").status_code == 404


def test_a_seller_leaves_when_the_bank_has_said_its_last_word(world: World, client: Client) -> None:
    client.post("/seller/money/payouts/USD/account/", GOOD)
    payouts.pay_out(account=usable(), actor=world.seller.owner, key="k", now=world.later())
    assert payouts.on_its_way(world.seller, now=world.later()) == 1
    Payout.objects.update(state="paid", paid_at=world.now)
    assert payouts.on_its_way(world.seller, now=world.later()) == 1
    assert payouts.on_its_way(world.seller, now=world.now + timedelta(days=15)) == 0
