"""A buyer asks to cancel: it waits, it is answered once, and whatever the shop ships meanwhile counts."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from tests.usecases.test_rules import copy_of, landed, see

from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import CancelReason
from crossdock.domain.due.ship_by import stood_still
from crossdock.domain.events import Parcel
from crossdock.domain.pasted import PastedRow
from crossdock.store.models import Alert, CancelRequest, Credit, Mail, Order, RiskHold, Shipment
from crossdock.usecases.errors import Invalid, NotAllowed, Stale
from crossdock.usecases.labels.purchase import why_not_buy
from crossdock.usecases.money.credits import staff_credit
from crossdock.usecases.orders import paste_tracking
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.usecases.orders.clear_risk_hold import clear_hold
from crossdock.usecases.orders.daily.order_list import in_queue, queues
from crossdock.usecases.orders.reject import reject_order
from crossdock.usecases.orders.shippable import why_not_ship
from crossdock.usecases.requests.cancel import ask_to_cancel, decline, take_back, tell_unanswered
from market import World, seller, user

pytestmark = pytest.mark.django_db
REASON = "The buyer asked to cancel this order"


@pytest.fixture
def world() -> World:
    return World(units=90, now=datetime.now(UTC), refuses=False)


def ask(world: World, order: Order, reason: str = "Bought twice") -> Order:
    ask_to_cancel(order=order, buyer=order.buyer, reason=reason, now=world.later())
    return Order.objects.get(pk=order.pk)


def fresh(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def mails(order: Order, to: str) -> list[str]:
    return list(Mail.objects.filter(order=order, to=to).order_by("pk").values_list("subject", flat=True))


def text(client: Client, url: str, **form: str) -> str:
    answer = client.post(url, form, follow=True) if form else client.get(url, follow=True)
    return unescape(answer.content.decode())


def client_of(person: object) -> Client:
    client = Client()
    client.force_login(person)  # type: ignore[arg-type]
    return client


def test_asked_twice_it_is_one_request_and_everything_waits(world: World) -> None:
    order = ask(world, world.buy())
    first = order.cancel_request.asked_at
    order = ask(world, order, "something else")
    assert (order.cancel_request.asked_at, order.cancel_request.reason) == (first, "Bought twice")
    assert REASON in why_not_ship(order) and REASON in why_not_buy(order=order)
    with pytest.raises(NotAllowed, match=REASON):
        ship_by_hand(order=order, lines=None, tracking="1", carrier="UPS", actor=world.seller.owner, now=world.later())
    row = PastedRow(1, str(order.number), "1Z999AA10123456784", "UPS", "")
    (pasted,) = paste_tracking.apply(
        seller=world.seller, rows=[row], token="t", actor=world.seller.owner, now=world.later()
    )
    assert REASON in pasted.sentence and not Shipment.objects.exists()
    counts = queues(seller=world.seller, now=world.now + timedelta(days=60))
    assert (counts["asked_to_cancel"], counts["to_ship"], counts["overdue"]) == (1, 0, 0)
    assert mails(order, world.seller.owner.email)[-1] == f"The buyer asks to cancel order #{order.number}"
    assert mails(order, order.buyer.email)[-1] == f"You asked to cancel your order #{order.number}"


def test_only_the_buyer_asks_and_takes_back_and_only_the_seller_declines(world: World) -> None:
    order = world.buy()
    for stranger in (user(), world.seller.owner, user(is_staff=True)):
        with pytest.raises(NotAllowed):
            ask_to_cancel(order=order, buyer=stranger, reason="", now=world.now)
    order = ask(world, order)
    with pytest.raises(NotAllowed):
        take_back(order=order, buyer=world.seller.owner, now=world.now)
    for stranger in (order.buyer, seller().owner):
        with pytest.raises(NotAllowed):
            decline(order=order, actor=stranger, answer="No.", seen=1, now=world.now)
    assert fresh(order).cancel_request.open


def test_taken_back_it_ships_and_the_time_is_added(world: World) -> None:
    order = ask(world, world.buy())
    due, asked = order.ship_by, order.cancel_request.asked_at
    back = world.later(7200)
    for _ in range(2):
        take_back(order=order, buyer=order.buyer, now=back)
    order = fresh(order)
    assert order.ship_by == stood_still(due, since=asked, back=back, calendar=order.seller.calendar) > due
    assert why_not_ship(order) == ""
    assert mails(order, world.seller.owner.email)[-1] == f"Order #{order.number} goes on"
    for _ in range(2):
        take_back(order=ask(world, order), buyer=order.buyer, now=world.later())
    with pytest.raises(NotAllowed, match="3 times"):
        ask(world, order)


def test_a_request_while_it_is_held_adds_no_time_twice(world: World) -> None:
    order = world.buy()
    RiskHold.objects.create(order=order, held_at=order.placed_at)
    due = order.ship_by
    order = ask(world, order)
    clear_hold(order=order, actor=user(is_staff=True), note="", now=world.later(2 * 86400))
    held = stood_still(due, since=order.placed_at, back=world.now, calendar=order.seller.calendar)
    assert fresh(order).ship_by == held > due
    take_back(order=order, buyer=order.buyer, now=world.later(1800))
    assert fresh(order).ship_by == held


def test_declined_with_a_reason_the_buyer_reads_it(world: World) -> None:
    order = ask(world, world.buy())
    seen, owner = 1, world.seller.owner
    with pytest.raises(Invalid, match="Say why"):
        decline(order=order, actor=owner, answer=" \n ", seen=seen, now=world.later())
    with pytest.raises(Stale):
        decline(order=order, actor=owner, answer="Packed.", seen=2, now=world.later())
    for _ in range(2):
        decline(order=order, actor=owner, answer="Handed over.", seen=seen, now=world.later())
    order = fresh(order)
    assert (order.cancel_request.state, order.cancel_request.answer) == ("declined", "Handed over.")
    assert Mail.objects.filter(order=order, body__contains="Handed over.").count() == 1
    assert "Handed over." in text(client_of(order.buyer), f"/orders/{order.public_id}/")
    with pytest.raises(NotAllowed, match="answered already"):
        ask(world, order)
    with pytest.raises(NotAllowed, match="answered already"):
        take_back(order=order, buyer=order.buyer, now=world.later())


def test_the_ordinary_reject_answers_it_and_credits_once(world: World) -> None:
    order = ask(world, landed(world))
    reject_order(
        order=order,
        reason=CancelReason.BUYER_ASKED,
        actor=world.seller.owner,
        expected_total=order.total,
        now=world.later(),
    )
    order = fresh(order)
    assert (order.cancel_request.state, order.credited) == ("cancelled", order.total)
    assert Credit.objects.filter(order=order).count() == 1
    assert Mail.objects.filter(order=order, body__contains="is cancelled, as you asked.").count() == 1
    for deed in (
        lambda: take_back(order=order, buyer=order.buyer, now=world.later()),
        lambda: ask_to_cancel(order=order, buyer=order.buyer, reason="", now=world.later()),
    ):
        with pytest.raises(NotAllowed):
            deed()


def test_what_the_shop_ships_counts_and_ends_the_request(world: World) -> None:
    order = ask(world, landed(world))
    see(world, copy_of(order, parcels=(Parcel("f1", (), "1Z999AA10123456784", "UPS", "", world.now),)))
    order = fresh(order)
    assert (order.parcels, order.cancel_request.state) == ("shipped", "shipped")
    kinds = list(order.timeline.values_list("kind", flat=True))
    assert kinds[-2:] == ["shipped", "cancel_closed"]
    with pytest.raises(NotAllowed, match="shipped already"):
        ask(world, order)
    assert tell_unanswered(now=world.later(10**6)) == 0


def test_without_an_answer_seller_staff_and_buyer_are_told_once_and_it_still_waits(world: World) -> None:
    order = ask(world, world.buy())
    assert tell_unanswered(now=order.cancel_request.answer_by - timedelta(seconds=1)) == 0
    assert [tell_unanswered(now=world.later(49 * 3600)) for _ in range(2)] == [1, 0]
    order = fresh(order)
    alert = Alert.objects.get(code=AlertCode.CANCEL_UNANSWERED)
    assert alert.settled_at is None and "for 48 hours" in alert.sentence and REASON in why_not_ship(order)
    assert mails(order, order.buyer.email)[-1] == f"No answer yet about your order #{order.number}"
    assert "was due" in text(client_of(world.seller.owner), f"/seller/orders/{order.public_id}/")
    assert "has not answered in time" in text(client_of(order.buyer), f"/orders/{order.public_id}/")
    take_back(order=order, buyer=order.buyer, now=world.later())
    alert.refresh_from_db()
    assert alert.settled_at is not None


def test_what_was_credited_in_whole_cannot_be_asked_for(world: World) -> None:
    order = world.buy()
    staff_credit(order=order, amount=order.total, reason="?", actor=user(is_staff=True), key="k", now=world.later())
    with pytest.raises(NotAllowed, match="went back to you already"):
        ask(world, order)


def test_through_the_pages(world: World) -> None:
    order = world.buy()
    mine, desk = client_of(order.buyer), client_of(world.seller.owner)
    at, panel = f"/orders/{order.public_id}/", f"/seller/orders/{order.public_id}/"
    assert f'href="{at}cancel/"' in text(mine, at) and "within 48 hours" in text(mine, at + "cancel/")
    assert mine.post(at + "cancel/", {"reason": "x" * 501}).status_code == 422
    page = text(mine, at + "cancel/", reason="<b>Too  big</b>\n")
    assert "has your request" in page and "You asked to cancel this order" in page and "cancel/" not in page
    assert "has your request already" in text(mine, at + "cancel/", reason="again")
    assert CancelRequest.objects.get().reason == "<b>Too big</b>"

    page = desk.get(panel).content.decode()
    assert "&lt;b&gt;Too big&lt;/b&gt;" in page and "Cancel and credit" in page and "reason=buyer_asked" in page
    listed = text(desk, "/seller/orders/?queue=asked_to_cancel")
    assert "Answer <time" in listed and f"#{order.number}" in listed
    assert 'value="buyer_asked" selected' in text(desk, panel + "reject/?reason=buyer_asked")
    assert REASON in text(desk, panel + "slip/")
    answer = desk.post(panel + "ship/", {"key": "a", "tracking": "1", f"line_{order.lines.get().pk}": "1"})
    page = unescape(answer.content.decode())
    assert answer.status_code == 422 and "tick this" in page and 'value="1"' in page
    shipped = text(desk, panel + "ship/", key="a", tracking="1", anyway="on", **{f"line_{order.lines.get().pk}": "1"})
    assert "Shipped with 1" in shipped
    assert (fresh(order).parcels, fresh(order).cancel_request.state) == ("shipped", "shipped")
    assert "shipped already" in text(mine, at + "cancel/")


def test_the_list_is_sorted_by_what_is_due_first_across_pages(world: World) -> None:
    orders = [ask(world, world.buy()) for _ in range(4)]
    for order, hours in zip(orders, (3, 1, 2, 1), strict=True):
        CancelRequest.objects.filter(order=order).update(answer_by=world.now + timedelta(hours=hours))
    seen: list[int] = []
    after = None
    while page := in_queue(seller=world.seller, queue="asked_to_cancel", now=world.now, after=after, limit=2):
        seen += [order.pk for order in page]
        after = page[-1].pk
    assert seen == [orders[i].pk for i in (1, 3, 2, 0)]


def at_once(*deeds: Callable[[], object]) -> list[str]:
    """Each in a thread of its own, begun together; the refusals."""
    gate, said = threading.Barrier(len(deeds)), list[str]()

    def run(deed: Callable[[], object]) -> None:
        try:
            gate.wait()
            deed()
        except NotAllowed as no:
            said.append(str(no))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[deed]) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return said


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_", range(3))
def test_a_request_and_a_parcel_at_once_end_in_one_of_two_ways(world: World, _: int) -> None:
    """Whoever has the order's lock first: never an open request on what was shipped."""
    order, owner, now = world.buy(), world.seller.owner, world.now
    refused = at_once(
        lambda: ship_by_hand(order=order, lines=None, tracking="1", carrier="UPS", actor=owner, now=now, key="k"),
        lambda: ask_to_cancel(order=order, buyer=order.buyer, reason="", now=now),
    )
    shipped = fresh(order).parcels == "shipped"
    assert len(refused) == 1
    assert shipped is not CancelRequest.objects.filter(order=order).exists()


@pytest.mark.django_db(transaction=True)
def test_two_tabs_at_once_are_one_request(world: World) -> None:
    order, now = world.buy(), world.now
    twice = [lambda: ask_to_cancel(order=order, buyer=order.buyer, reason="", now=now)] * 2
    assert at_once(*twice) == []
    assert CancelRequest.objects.get().asks == 1
    assert len([s for s in mails(order, order.buyer.email) if "asked to cancel" in s]) == 1
