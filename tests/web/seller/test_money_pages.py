"""Where is my money: a seller's balance and statement, as pages, files and by the API."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pypdfium2
import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from crossdock.domain.values import Money
from crossdock.store.models import AuditEntry, Order
from crossdock.usecases.money import balance
from crossdock.usecases.money.credits import staff_credit
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.web.seller.earnings import statement
from market import World, user
from market import seller as a_seller

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return World(units=99, now=datetime.now(UTC))


def words_of(answer: Any) -> str:
    """A page's text, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.content.decode())).split())


def client_of(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def shipped(world: World) -> Order:
    """15.00 with shipping, of which 1.20 are ours; 5.00 went back."""
    order = world.buy()
    ship_by_hand(order=order, lines=None, tracking="T", carrier="UPS", actor=world.seller.owner, now=world.later())
    staff_credit(
        order=order,
        amount=Money(500, "USD"),
        reason="A corner is bent",
        actor=user(is_staff=True),
        key="k",
        now=world.now,
    )
    return order


def test_what_waits_says_why_and_when(world: World, shipped: Order) -> None:
    world.buy()
    page = words_of(client_of(world.seller.owner).get("/seller/money/"))
    assert "Available $0.00 Not available yet $23.00 We owe you $23.00" in page
    assert f"#{shipped.number} Shipped; it becomes available by itself." in page and "Not shipped yet. – $13.80" in page
    assert balance.release(now=world.later() + timedelta(days=7)) == 1
    page = words_of(client_of(world.seller.owner).get("/seller/money/"))
    assert "Available $9.20 Not available yet $13.80 We owe you $23.00" in page


def test_a_seller_without_sales_reads_what_will_stand_there() -> None:
    page = words_of(client_of(a_seller(currency="JPY").owner).get("/seller/money/"))
    assert "Available ¥0" in page and "Nothing is waiting" in page


def test_the_statement_explains_each_line(world: World, shipped: Order) -> None:
    page = words_of(client_of(world.seller.owner).get("/seller/money/statement/"))
    assert "Orders (1) What the buyer paid, less our commission. $15.00 -$1.20 $13.80" in page
    assert "A corner is bent -$5.00 $0.40 -$4.60" in page and "We owe you after $9.20" in page


@pytest.mark.parametrize("query", ["?since=nonsense&until=9999-12-31&currency=XXXX&after=x", "?since=2026-13-01"])
def test_nonsense_in_the_address_chooses_nothing(world: World, shipped: Order, query: str) -> None:
    assert client_of(world.seller.owner).get(f"/seller/money/statement/{query}").status_code == 200


def test_days_in_the_wrong_order_are_turned_around(world: World, shipped: Order) -> None:
    today, client = datetime.now(UTC).date(), client_of(world.seller.owner)
    answer = client.get(f"/seller/money/statement/?since={today + timedelta(days=3)}&until={today - timedelta(days=3)}")
    assert "We owe you after $9.20" in words_of(answer)


def test_pages_go_on_where_they_ended(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    orders = [world.buy() for _ in range(5)]
    monkeypatch.setattr(statement, "PAGE", 2)
    client, url, seen = client_of(world.seller.owner), "/seller/money/statement/", []
    while url:
        answer = client.get(url)
        lines = answer.context["lines"]
        seen += [line.order.pk for line in lines]
        following = answer.context["next_after"]
        url = f"/seller/money/statement/?after={following}" if following else ""
    assert seen == [order.pk for order in reversed(orders)]


def test_the_page_asks_as_often_however_much_there_is(world: World, shipped: Order) -> None:
    client = client_of(world.seller.owner)
    counts = []
    for _ in range(2):
        for path in ("/seller/money/", "/seller/money/statement/"):
            with CaptureQueriesContext(database) as asked:
                client.get(path)
            counts.append(len(asked))
        world.buy()
    assert counts[:2] == counts[2:] and max(counts) <= 14, counts


def test_the_files_have_every_line_and_are_in_the_audit_log(world: World, shipped: Order) -> None:
    client = client_of(world.seller.owner)
    text = b"".join(client.get("/seller/money/statement/statement.csv")).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["what"], row["amount"], row["fee"], row["net"]) for row in rows] == [
        ("Credit", "-5.00", "0.40", "-4.60"),
        ("Order", "15.00", "-1.20", "13.80"),
    ]
    content = client.get("/seller/money/statement/statement.pdf").content
    shown = "".join(page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(content))
    assert "A corner is bent" in shown and "9.20" in shown
    assert AuditEntry.objects.filter(action="exported", subject__startswith="statement").count() == 2
