"""A buyer and a seller write to each other: by the marketplace alone, read by the two, by staff once reported."""

from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from crossdock.domain.requests.messages import LONGEST, MOST_UNANSWERED, Side, why_not_write
from crossdock.store.models import AuditEntry, Mail, Message, Order, Thread
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.orders.daily.order_list import queues
from crossdock.usecases.requests.messages import mark_read, read_reported, report, thread_of, write
from market import World, seller, user

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@given(st.lists(st.tuples(st.sampled_from(Side), st.integers(0, 3000)), max_size=30), st.sampled_from(Side))
def test_only_so_many_without_an_answer(rows: list[tuple[Side, int]], side: Side) -> None:
    """`rows`: who wrote, how many minutes ago, newest first."""
    said = [(who, "x", NOON - timedelta(minutes=ago)) for who, ago in sorted(rows, key=lambda row: row[1])]
    refused = why_not_write(said, side, "y", NOON)
    run = [at for who, _, at in said[: next((i for i, row in enumerate(said) if row[0] is not side), len(said))]]
    assert bool(refused) is (sum(NOON - at < timedelta(days=1) for at in run) >= MOST_UNANSWERED)


@pytest.fixture
def world(db: None) -> World:
    return World(units=90, now=datetime.now(UTC), refuses=False)


def client_of(person: object) -> Client:
    client = Client()
    client.force_login(person)  # type: ignore[arg-type]
    return client


def text(client: Client, url: str, **form: str) -> str:
    answer = client.post(url, form, follow=True) if form else client.get(url, follow=True)
    return unescape(answer.content.decode())


def ask(world: World, order: Order, body: str = "Is it mint?") -> Message:
    return write(order=order, side=Side.BUYER, author=order.buyer, body=body, now=world.later())


def test_pressed_twice_it_is_one_and_the_other_side_has_a_mail_without_addresses(world: World) -> None:
    order = world.buy()
    words = "Is it mint?\r\nWrite to me@home.test or call +49 170 1234567."
    assert ask(world, order, words) == ask(world, order, words)
    mail = Mail.objects.get(cause__startswith="message:")
    assert mail.to == world.seller.owner.email and "Is it mint?" in mail.body
    assert "me@home.test" not in mail.body and "1234567" not in mail.body and order.buyer.email not in mail.body
    assert f"/seller/orders/{order.public_id}/messages/" in mail.body
    write(order=order, side=Side.SELLER, author=world.seller.owner, body="Yes.", now=world.later())
    back = Mail.objects.filter(cause__startswith="message:").latest("pk")
    assert back.to == order.buyer.email and world.seller.owner.email not in back.body
    assert f"/orders/{order.public_id}/messages/" in back.body and "/seller/" not in back.body


def test_nobody_else_writes_or_reports(world: World) -> None:
    order = world.buy()
    ask(world, order)
    for side, strangers in {
        Side.BUYER: (world.seller.owner, user(), user(is_staff=True)),
        Side.SELLER: (order.buyer, seller().owner),
    }.items():
        for stranger in strangers:
            with pytest.raises(NotAllowed):
                write(order=order, side=side, author=stranger, body="x", now=world.later())
            with pytest.raises(NotAllowed):
                report(order=order, side=side, author=stranger, why="x", now=world.later())
    assert Message.objects.count() == 1 and Thread.objects.get().reported_at is None


def test_nothing_too_long_too_short_or_too_often(world: World) -> None:
    order = world.buy()
    for body in ("", " \n ", "x" * (LONGEST + 1)):
        with pytest.raises(Invalid):
            ask(world, order, body)
    for n in range(MOST_UNANSWERED):
        ask(world, order, f"{n}?")
    with pytest.raises(Invalid, match="without an answer"):
        ask(world, order)
    write(order=order, side=Side.SELLER, author=world.seller.owner, body="Here.", now=world.later())
    assert ask(world, order).pk


def test_staff_read_it_only_once_it_is_reported_and_each_reading_is_in_the_audit_log(world: World) -> None:
    order, clerk = world.buy(), user(is_staff=True)
    with pytest.raises(NotAllowed, match="nobody has written"):
        report(order=order, side=Side.BUYER, author=order.buyer, why="Rude", now=world.later())
    ask(world, order)
    at = f"/staff/orders/{order.public_id}/messages/"
    page = text(client_of(clerk), at)
    assert "Neither side has reported" in page and "Is it mint?" not in page
    assert not AuditEntry.objects.filter(action="read reported messages").exists()
    with pytest.raises(Invalid):
        report(order=order, side=Side.SELLER, author=world.seller.owner, why=" ", now=world.later())
    page = text(client_of(order.buyer), f"/orders/{order.public_id}/messages/report/", why="Threatens me")
    assert "Reported." in page and "These messages were reported" in page
    assert "Is it mint?" in text(client_of(clerk), at)
    assert [m.body for m in read_reported(order=order, actor=clerk, now=world.later())] == ["Is it mint?"]
    assert AuditEntry.objects.filter(action="read reported messages", actor=clerk).count() == 2
    with pytest.raises(NotAllowed):
        read_reported(order=order, actor=world.seller.owner, now=world.later())
    seen = text(client_of(world.seller.owner), f"/seller/orders/{order.public_id}/") + text(
        client_of(world.seller.owner), "/seller/alerts/"
    )
    assert "Threatens me" not in seen


def test_through_the_pages_what_is_new_counts_until_it_is_seen(world: World) -> None:
    order = world.buy()
    mine, desk = client_of(order.buyer), client_of(world.seller.owner)
    at, panel = f"/orders/{order.public_id}/", f"/seller/orders/{order.public_id}/"
    assert "Ask the seller" in text(mine, at) and "Nobody has written yet." in text(mine, at + "messages/")
    assert mine.post(at + "messages/", {"body": " "}).status_code == 422
    assert "<b>Mint?</b>" in text(mine, at + "messages/", body="<b>Mint?</b>")
    assert queues(seller=world.seller, now=world.now)["messages"] == 1
    listed = desk.get("/seller/orders/?queue=messages").content.decode()
    assert "New message" in listed and str(order.number) in listed
    page = desk.get(panel + "messages/").content.decode()
    assert "&lt;b&gt;Mint?&lt;/b&gt;" in page and order.buyer.email not in page
    assert queues(seller=world.seller, now=world.now)["messages"] == 0
    text(desk, panel + "messages/", body="Yes, it is.")
    assert "New message" in text(mine, "/orders/")
    page = text(mine, at + "messages/")
    assert "Yes, it is." in page and world.seller.owner.email not in page
    assert "New message" not in text(mine, "/orders/")


def test_what_comes_while_the_page_is_made_is_still_new(world: World) -> None:
    order = world.buy()
    write(order=order, side=Side.BUYER, author=order.buyer, body="One", now=world.later())
    thread, said = thread_of(order)
    write(order=order, side=Side.BUYER, author=order.buyer, body="Two", now=world.later())
    assert thread is not None
    for _ in range(2):
        mark_read(thread=thread, said=said, side=Side.SELLER)
        assert Thread.objects.get().unread_seller == 1


def test_staff_who_act_as_the_seller_read_no_more_than_staff(world: World) -> None:
    order = world.buy()
    write(order=order, side=Side.BUYER, author=order.buyer, body="Between us", now=world.later())
    desk = client_of(user(is_staff=True))
    desk.post(f"/staff/sellers/{world.seller.public_id}/act/", {"why": "Looks"})
    assert desk.get(f"/seller/orders/{order.public_id}/").status_code == 200
    page = text(desk, f"/seller/orders/{order.public_id}/messages/")
    assert "Neither side has reported" in page and "Between us" not in page
    assert Thread.objects.get().unread_seller == 1, "the seller has not seen it"
