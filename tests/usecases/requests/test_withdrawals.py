"""The right to withdraw: who has it and until when; two steps and a receipt; by link for those without an account."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from tests.usecases.test_rules import copy_of, landed, see

from crossdock.cli.main import main
from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import CancelReason
from crossdock.domain.events import Parcel
from crossdock.domain.requests.withdrawals import COUNTRIES, Policy, Sale, ends, why_no_withdrawal
from crossdock.store.models import Alert, AuditEntry, Mail, Order, SignInTry, Withdrawal
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.money.credits import staff_credit
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.usecases.orders.reject import reject_order
from crossdock.usecases.requests.cancel import ask_to_cancel, decline, take_back
from crossdock.usecases.requests.withdraw import order_by_link, why_not_withdraw, withdraw
from market import World, user

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
POLICY = Policy(days=14, undelivered=30)


class TestWhoMay:
    def test_the_time_begins_with_the_delivery_and_its_day_does_not_count(self) -> None:
        sale = Sale("DE", private=False, over=False, left_at=NOON, delivered_at=NOON + 3 * DAY)
        assert ends(sale, POLICY) == NOON + 18 * DAY
        assert why_no_withdrawal(sale, POLICY, NOON + 18 * DAY - timedelta(seconds=1)) == ""
        assert "ended on 10 December 2026" in why_no_withdrawal(sale, POLICY, NOON + 18 * DAY)

    def test_while_nobody_knows_whether_it_arrived_it_is_longer_and_before_it_leaves_it_has_no_end(self) -> None:
        assert ends(Sale("DE", private=False, over=False, left_at=NOON), POLICY) == NOON + 31 * DAY
        assert ends(Sale("DE", private=False, over=False), POLICY) is None

    @pytest.mark.parametrize(
        ("sale", "policy", "why"),
        [
            (Sale("DE", private=False, over=False), Policy(0, 0), "offers no withdrawal"),
            (Sale("US", private=False, over=False), POLICY, "European Union"),
            (Sale("FR", private=True, over=False), POLICY, "private person"),
            (Sale("FR", private=False, over=True), POLICY, "nothing to withdraw from"),
            (Sale("US", private=False, over=False), Policy(14, 30, everywhere=True), ""),
        ],
    )
    def test_who_has_none_reads_why(self, sale: Sale, policy: Policy, why: str) -> None:
        said = why_no_withdrawal(sale, policy, NOON)
        assert why in said and bool(said) is bool(why)

    @given(st.integers(1, 60), st.integers(0, 90), st.integers(0, 90))
    def test_knowing_of_the_delivery_never_ends_it_before_the_law_does(
        self, days: int, undelivered: int, way: int
    ) -> None:
        policy = Policy(days, undelivered)
        known = ends(Sale("DE", private=False, over=False, left_at=NOON, delivered_at=NOON + way * DAY), policy)
        unknown = ends(Sale("DE", private=False, over=False, left_at=NOON), policy)
        assert known is not None and unknown is not None
        assert known > NOON + (way + days) * DAY
        assert unknown >= NOON + (days + 1) * DAY

    def test_the_countries_are_the_union_s_and_the_area_s(self) -> None:
        assert len(COUNTRIES) == 30 and not COUNTRIES & {"GB", "CH", "US"}


@pytest.fixture
def world(db: None) -> World:
    return World(units=90, now=datetime.now(UTC), refuses=False)


def to_germany(order: Order) -> Order:
    Order.objects.filter(pk=order.pk).update(ship_to={**order.ship_to, "country": "DE", "region": ""})
    return fresh(order)


def fresh(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def client_of(person: object) -> Client:
    client = Client()
    client.force_login(person)  # type: ignore[arg-type]
    return client


def text(client: Client, url: str, **form: str) -> str:
    answer = client.post(url, form, follow=True) if form else client.get(url, follow=True)
    return unescape(answer.content.decode())


def test_what_was_not_shipped_is_a_request_that_binds(world: World) -> None:
    order = to_germany(world.buy())
    ask_to_cancel(order=order, buyer=order.buyer, reason="", now=world.later())
    decline(order=order, actor=world.seller.owner, answer="No.", seen=1, now=world.later())
    first = withdraw(order=order, name="  Zoë \n Müller ", now=world.later())
    again = withdraw(order=order, name="Somebody else", now=world.later())
    assert again == first and (first.name, first.shipped) == ("Zoë Müller", False)
    assert (
        f"I, Zoë Müller, withdraw from my contract with {world.seller.name} about order #{order.number}"
        in first.statement
    )
    request = fresh(order).cancel_request
    assert request.open and request.binding
    with pytest.raises(NotAllowed, match="cannot decline"):
        decline(order=order, actor=world.seller.owner, answer="No.", seen=request.asks, now=world.later())
    with pytest.raises(NotAllowed, match="cannot be taken back"):
        take_back(order=order, buyer=order.buyer, now=world.later())
    with pytest.raises(NotAllowed, match="withdrew from the contract"):
        ship_by_hand(order=order, lines=None, tracking="1", carrier="", actor=world.seller.owner, now=world.later())
    reject_order(
        order=order,
        reason=CancelReason.BUYER_ASKED,
        actor=world.seller.owner,
        expected_total=order.total,
        now=world.later(),
    )
    assert fresh(order).cancel_request.state == "cancelled" and fresh(order).credited == order.total


def test_the_receipt_has_the_statement_and_the_second_at_once(world: World) -> None:
    order = to_germany(world.buy())
    row = withdraw(order=order, name="Zoë Müller", now=world.later())
    mail = Mail.objects.get(cause=f"withdrawn:{order.reference}")
    assert mail.to == order.buyer.email and row.statement in mail.body
    assert f"{row.confirmed_at:%d %B %Y, %H:%M:%S} UTC" in mail.body
    told = Mail.objects.get(cause=f"withdrawn_seller:{order.reference}")
    assert told.to == world.seller.owner.email and order.buyer.email not in told.body


def test_what_was_shipped_comes_back_and_the_alert_ends_with_the_credit(world: World) -> None:
    order = to_germany(landed(world))
    see(world, copy_of(order, parcels=(Parcel("f1", (), "1Z999AA10123456784", "UPS", "", world.now),)))
    row = withdraw(order=order, name="Zoë", now=world.later())
    assert row.shipped and not hasattr(fresh(order), "cancel_request")
    alert = Alert.objects.get(code=AlertCode.WITHDRAWN)
    assert (
        alert.settled_at is None
        and "Send the goods back" in Mail.objects.get(cause=f"withdrawn:{order.reference}").body
    )
    staff_credit(
        order=order, amount=order.total, reason="Sent back", actor=user(is_staff=True), key="k", now=world.later()
    )
    alert.refresh_from_db()
    assert alert.settled_at is not None


def test_where_some_had_left_the_seller_is_told_to_keep_the_rest(world: World) -> None:
    order = to_germany(world.buy(3))
    some = {order.lines.get().pk: 1}
    ship_by_hand(order=order, lines=some, tracking="", carrier="", actor=world.seller.owner, now=world.later())
    withdraw(order=fresh(order), name="Zoë", now=world.later())
    said = (
        Alert.objects.get(code=AlertCode.WITHDRAWN).sentence,
        Mail.objects.get(cause=f"withdrawn_seller:{order.reference}").body,
    )
    assert all("Do not ship what is left" in each for each in said)


def test_a_parcel_of_the_shop_after_the_withdrawal_comes_back_too(world: World) -> None:
    order = to_germany(landed(world))
    withdraw(order=order, name="Zoë", now=world.later())
    see(world, copy_of(order, parcels=(Parcel("f1", (), "1Z999AA10123456784", "UPS", "", world.now),)))
    assert fresh(order).cancel_request.state == "shipped"
    assert Alert.objects.get(code=AlertCode.WITHDRAWN).settled_at is None
    page = text(client_of(order.buyer), f"/orders/{order.public_id}/withdraw/")
    assert "Send the goods back" in page


def test_the_times_of_an_order_are_its_parcels(world: World) -> None:
    order = to_germany(landed(world))
    assert why_not_withdraw(order, now=world.now + 400 * DAY) == ""
    see(world, copy_of(order, parcels=(Parcel("f1", (), "1Z999AA10123456784", "UPS", "", world.now),)))
    order = fresh(order)
    assert why_not_withdraw(order, now=world.now + 30 * DAY) == ""
    assert "ended" in why_not_withdraw(order, now=world.now + 32 * DAY)
    with pytest.raises(NotAllowed, match="ended"):
        withdraw(order=order, name="Zoë", now=world.now + 32 * DAY)
    with pytest.raises(Invalid, match="your name"):
        withdraw(order=order, name=" ", now=world.later())
    assert not Withdrawal.objects.exists()


def test_a_shop_that_dates_a_parcel_before_its_order_takes_no_time_from_the_buyer(world: World) -> None:
    order = to_germany(landed(world))
    see(world, copy_of(order, parcels=(Parcel("f1", (), "1Z999AA10123456784", "UPS", "", world.now - 400 * DAY),)))
    assert order.shipments.get().shipped_at == order.placed_at
    assert why_not_withdraw(fresh(order), now=world.later()) == ""


def test_a_shop_that_tells_of_a_parcel_late_takes_no_time_from_the_buyer(world: World) -> None:
    """The day on which it left is the seller's own word; the buyer's days begin when it was said."""
    order = to_germany(landed(world))
    Order.objects.filter(pk=order.pk).update(placed_at=world.now - 400 * DAY)
    see(world, copy_of(order, parcels=(Parcel("f1", (), "1Z999AA10123456784", "UPS", "", world.now - 100 * DAY),)))
    assert why_not_withdraw(fresh(order), now=world.now + 29 * DAY) == ""


def test_two_steps_through_the_pages_and_a_double_click_is_one(world: World) -> None:
    order = to_germany(world.buy())
    mine, at = client_of(order.buyer), f"/orders/{order.public_id}/withdraw/"
    assert "Withdraw from contract here" in text(mine, f"/orders/{order.public_id}/")
    assert "Step 1 of 2" in text(mine, at)
    assert mine.post(at, {"name": " "}).status_code == 422
    page = text(mine, at, name="<Zoë>")
    assert "Step 2 of 2" in page and "Confirm withdrawal" in page and "I, <Zoë>, withdraw" in page
    assert not Withdrawal.objects.exists()
    for _ in range(2):
        page = text(mine, at, name="<Zoë>", confirm="1")
        assert "You withdrew from order" in page and "We received this statement on" in page
    assert Mail.objects.filter(cause__startswith="withdrawn:").count() == 1
    assert "Ask to cancel" not in text(mine, f"/orders/{order.public_id}/")
    assert "The buyer withdrew from the contract: cancel the order" in text(
        client_of(world.seller.owner), f"/seller/orders/{order.public_id}/"
    )


def test_without_an_account_by_a_mailed_link_and_nobody_learns_whether_an_order_exists(world: World) -> None:
    order, guest = to_germany(world.buy()), Client()
    there = text(guest, "/withdraw/", number=f"#{order.number}", email=order.buyer.email.upper())
    mail = Mail.objects.get(cause__startswith="withdraw_link:")
    assert mail.to == order.buyer.email
    answers = {
        text(Client(), "/withdraw/", number=number, email=email)
        for number, email in (
            (str(order.number), "nobody@example.test"),
            ("99999999", order.buyer.email),
            ("x", "a@b.test"),
        )
    }
    csrf = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')
    assert {csrf.sub("", page) for page in answers} == {csrf.sub("", there)}
    text(guest, "/withdraw/", number=str(order.number), email=order.buyer.email)
    assert Mail.objects.filter(cause__startswith="withdraw_link:").count() == 1
    path = re.search(r"/withdraw/\S+/", mail.body)
    assert path is not None
    assert "Step 2 of 2" in text(guest, path[0], name="Zoë")
    assert "You withdrew" in text(guest, path[0], name="Zoë", confirm="1")
    assert Withdrawal.objects.get().order == order


def test_a_link_that_is_over_or_made_up_opens_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    order = to_germany(world.buy())
    text(Client(), "/withdraw/", number=str(order.number), email=order.buyer.email)
    token = re.search(r"/withdraw/(\S+)/", Mail.objects.get(cause__startswith="withdraw_link:").body)
    assert token is not None and order_by_link(token[1]) == order.public_id
    for bad in (token[1][:-1], f"{order.public_id}:x:y", "x"):
        answer = Client().get(f"/withdraw/{bad}/")
        assert answer.status_code == 404 and "Ask for a new one" in answer.content.decode()
    monkeypatch.setattr("crossdock.usecases.requests.withdraw.LINK_HOLDS", timedelta(seconds=-1))
    assert order_by_link(token[1]) is None


def test_links_are_asked_for_so_often_and_no_more(world: World) -> None:
    guest = Client()
    codes = [guest.post("/withdraw/", {"number": str(n), "email": "a@b.test"}).status_code for n in range(13)]
    assert codes[:10] == [302] * 10 and codes[-1] == 429
    assert SignInTry.objects.count() == 1


def test_a_private_seller_is_named_by_staff_and_buyers_read_it(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    admin, email = user(is_staff=True), world.seller.owner.email
    order = to_germany(world.buy())
    assert main(["trader", email, "private", "--by", admin.email]) == 0
    assert "as a private person from now on" in capsys.readouterr().out
    assert main(["trader", email, "private", "--by", admin.email]) == 0
    assert "already" in capsys.readouterr().out
    assert AuditEntry.objects.filter(action="trade").count() == 1
    assert "private person" in why_not_withdraw(fresh(order), now=world.now)
    assert "private person" in text(Client(), f"/s/{world.seller.slug}/")
    assert "private person" in text(client_of(order.buyer), f"/orders/{order.public_id}/withdraw/")
    assert main(["trader", email, "business", "--by", email]) == 1
    assert main(["trader", "nobody@example.test", "business", "--by", admin.email]) == 1
