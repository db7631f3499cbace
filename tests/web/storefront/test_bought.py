"""A buyer looks for an order of theirs, and takes its receipt along."""

from datetime import UTC, datetime

import pypdfium2
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from crossdock.store.models import Order, Seller
from crossdock.usecases.orders.actions import ship_by_hand
from shopper import Shopper, a_listing, a_seller

pytestmark = pytest.mark.django_db


@pytest.fixture
def orders() -> list[Order]:
    """Of Lantern a card, shipped; of Ørsund two of another."""
    buyer = Shopper()
    for name, title, units in (("Lantern", "Ember Fox", 1), ("Orsund", "Café Owl", 2)):
        buyer.post("/checkout/pay/", token="works", **buyer.to_payment(a_listing(a_seller(name), title), units))
    Seller.objects.filter(name="Orsund").update(name="Ørsund")
    first, second = Order.objects.order_by("pk")
    ship_by_hand(
        order=first, lines=None, tracking="9400-1", carrier="USPS", actor=first.seller.owner, now=datetime.now(UTC)
    )
    return [first, second]


def found(query: str) -> list[int]:
    buyer = Shopper()
    assert buyer.get(f"/orders/?{query}") == 200
    return [
        number
        for number in Order.objects.order_by("pk").values_list("number", flat=True)
        if f"#{number}<" in buyer.page
    ]


def test_by_what_was_bought_by_seller_and_by_tracking_number(orders: list[Order]) -> None:
    numbers = [order.number for order in orders]
    for words in ("fox", "9400-1"):
        assert found(f"q={words}") == numbers[:1], words
    for words in ("cafe", "orsund"):
        assert found(f"q={words}") == numbers[1:], words
    assert found("q=o") == numbers
    for words in ("nothing like it", "99999999999999999999", "%25", "_"):
        assert found(f"q={words}") == [], words


def test_by_number_as_people_write_it(orders: list[Order]) -> None:
    assert found(f"q={orders[1].number}") == found(f"q=%23{orders[1].number}") == [orders[1].number]


def test_in_lists(orders: list[Order]) -> None:
    Order.objects.filter(pk=orders[1].pk).update(cancelled_at=datetime.now(UTC), parcels="cancelled")
    assert found("list=shipped") == [orders[0].number]
    assert found("list=cancelled") == [orders[1].number]
    assert found("list=open") == [] and found("list=cancelled&q=fox") == []
    assert len(found("list=nonsense")) == 2


def test_an_empty_list_says_what_to_do(orders: list[Order]) -> None:
    buyer = Shopper()
    buyer.get("/orders/?q=zebra")
    assert "Nothing found" in buyer.page and 'value="zebra"' in buyer.page
    buyer.get("/orders/?list=cancelled")
    assert "None of your orders is in this list." in buyer.page


def test_nobody_finds_another_buyer_s_order_or_reads_its_receipt(orders: list[Order]) -> None:
    sam = Shopper("sam@example.test")
    for query in ("q=fox", "q=9400-1", f"q={orders[0].number}"):
        assert sam.get(f"/orders/?{query}") == 200
        assert f"/orders/{orders[0].public_id}/" not in sam.page
    assert sam.get(f"/orders/{orders[0].public_id}/receipt.pdf") == 404
    assert Shopper(orders[0].seller.owner.email).get(f"/orders/{orders[0].public_id}/receipt.pdf") == 404


def test_the_page_asks_as_often_however_many_are_found(orders: list[Order]) -> None:
    buyer, counts = Shopper(), []
    for query in ("q=fox", "q=o"):
        with CaptureQueriesContext(connection) as asked:
            buyer.get(f"/orders/?{query}")
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 9, counts


def receipt(order: Order) -> str:
    client = Client()
    client.force_login(order.buyer)
    answer = client.get(f"/orders/{order.public_id}/receipt.pdf")
    assert answer["Content-Type"] == "application/pdf" and str(order.number) in answer["Content-Disposition"]
    assert "private" in answer["Cache-Control"] or "no-store" in answer["Cache-Control"]
    return "".join(page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(answer.content))


def test_a_receipt_says_what_was_paid_to_whom_and_what_went_back(orders: list[Order]) -> None:
    order = orders[1]
    text = receipt(order)
    for words in (f"#{order.number}", "Ørsund", "Café Owl", "10.00", "20.00", "4.50", "24.50", "It is not an invoice"):
        assert words in text, words
    assert "Credited" not in text
    Order.objects.filter(pk=order.pk).update(credited_minor=1000, money="partly_credited")
    text = receipt(Order.objects.get(pk=order.pk))
    assert "Credited, by us or by your bank" in text and "-10.00" in text and "14.50" in text


def test_a_receipt_has_its_currency_s_decimals_and_no_markup() -> None:
    seller = a_seller("Yen", currency="JPY")
    Seller.objects.filter(pk=seller.pk).update(name="Yen & <b>Sons</b>")
    buyer = Shopper()
    fields = buyer.to_payment(a_listing(seller, "Crane <i>1</i> & egg", price=1200, currency="JPY"))
    buyer.post("/checkout/pay/", token="works", **fields)
    text = receipt(Order.objects.get())
    assert "1,650" in text or "1650" in text
    assert "Yen & <b>Sons</b>" in text and "Crane <i>1</i> & egg" in text
