"""Whatever a buyer clicks twice, in two tabs, after going back or while the bank is silent: bought once, charged once.
The bank's own ledger is asked.
"""

import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.db import OperationalError, connection

from crossdock.kit.gateway import NotKnown
from crossdock.payments.sandbox import SandboxGateway
from crossdock.store.models import Order, PaymentIntent, Reservation, Variant
from crossdock.store.models.money import IntentState
from crossdock.usecases.catalogue.listings import edit_listing
from crossdock.usecases.stock.reservations import availability
from crossdock_lab.patience import patient
from shopper import Shopper, a_listing, a_seller

pytestmark = pytest.mark.django_db


@pytest.fixture
def card() -> Variant:
    return a_listing(a_seller())


def charged(buyer: Shopper) -> list[tuple[str, int]]:
    """(state, minor units) in the bank's ledger of everything this buyer ever tried to pay."""
    path = settings.CONFIG.data / "payments" / "sandbox" / "ledger.sqlite"
    if not path.exists():
        # The bank opens its ledger at the first payment; in random order this test may come before any.
        return []
    mine = set(PaymentIntent.objects.filter(buyer=buyer.user).values_list("public_id", flat=True))
    with closing(sqlite3.connect(path)) as db:
        rows = db.execute("SELECT intent, state, minor FROM payment").fetchall()
    return [(state, minor) for intent, state, minor in rows if intent in mine]


def left(variant: Variant) -> int | None:
    return availability(variants=[variant], now=datetime.now(UTC))[variant.pk]


def test_one_purchase(card: Variant) -> None:
    buyer = Shopper()
    form = buyer.to_payment(card, 2)
    assert "$24.50" in buyer.page
    buyer.post("/checkout/pay/", token="works", **form)
    order = Order.objects.get()
    assert buyer.url == f"/orders/{order.public_id}/"
    assert f"Order #{order.number}" in buyer.page
    assert charged(buyer) == [("captured", 2450)]
    assert left(card) == 3
    buyer.get("/cart/")
    assert "Your cart is empty" in buyer.page


def test_the_same_form_again_shows_the_order_and_charges_nothing(card: Variant) -> None:
    buyer = Shopper()
    form = buyer.to_payment(card)
    for _ in range(3):
        buyer.post("/checkout/pay/", token="works", **form)
        assert buyer.url == f"/orders/{Order.objects.get().public_id}/"
    assert charged(buyer) == [("captured", 1450)]
    assert left(card) == 4


def test_two_tabs_of_one_cart(card: Variant) -> None:
    one = Shopper()
    one.to_payment(card)
    two = one.another_tab()
    two.get("/checkout/pay/")
    first, second = one.form(), two.form()
    one.post("/checkout/pay/", token="works", **first)
    two.post("/checkout/pay/", token="works", **second)
    assert one.url == two.url == f"/orders/{Order.objects.get().public_id}/"
    assert charged(one) == [("captured", 1450)]


def test_going_back_and_paying_another_cart_buys_both_once(card: Variant) -> None:
    """The old form belongs to the old cart: it must not pay for the new one, nor empty it."""
    other = a_listing(card.listing.seller, "Tide Owl", price=300)
    buyer = Shopper()
    old = buyer.to_payment(card)
    buyer.post("/checkout/pay/", token="works", **old)
    new = buyer.to_payment(other)
    assert old["key"] != new["key"]
    buyer.post("/checkout/pay/", token="works", **old)
    assert Order.objects.count() == 1
    buyer.get("/cart/")
    assert "Tide Owl" in buyer.page
    buyer.post("/checkout/pay/", token="works", **new)
    assert sorted(charged(buyer)) == [("captured", 750), ("captured", 1450)]


@pytest.mark.django_db(transaction=True)
def test_a_double_click_at_the_same_moment() -> None:
    """Two requests at once, on two threads: one waits for the other inside the database."""
    card = a_listing(a_seller(), count=5)
    buyer = Shopper()
    form = buyer.to_payment(card)
    tabs = [buyer.another_tab() for _ in range(4)]
    start = threading.Barrier(len(tabs))
    crashed: list[BaseException] = []

    def click(tab: Shopper) -> None:
        try:
            start.wait(patient(10))
            tab.post("/checkout/pay/", token="works", **form)
        except BaseException as error:
            crashed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=click, args=(tab,)) for tab in tabs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(patient(30))
    assert crashed == []
    assert Order.objects.count() == PaymentIntent.objects.count() == 1
    assert {tab.url for tab in tabs} == {f"/orders/{Order.objects.get().public_id}/"}
    assert charged(buyer) == [("captured", 1450)]
    assert left(card) == 4


def test_a_declined_card_gives_the_units_back_and_may_be_followed_by_another(card: Variant) -> None:
    buyer = Shopper()
    declined = buyer.to_payment(card, 5)
    buyer.post("/checkout/pay/", token="declined", **declined)
    assert "Your bank declined the card. Nothing was charged" in buyer.page
    assert left(card) == 5
    assert not Order.objects.exists()
    again = buyer.form()
    assert again["key"] != declined["key"]
    buyer.post("/checkout/pay/", token="works", **declined)
    assert not Order.objects.exists(), "a form whose payment was declined can't pay any more"
    buyer.post("/checkout/pay/", token="works", **again)
    assert Order.objects.count() == 1
    assert sorted(charged(buyer)) == [("captured", 5450), ("declined", 5450)]


def test_a_lost_answer_is_looked_up_and_never_charged_again(card: Variant) -> None:
    buyer = Shopper()
    form = buyer.to_payment(card)
    buyer.post("/checkout/pay/", token="late", **form)
    intent = PaymentIntent.objects.get()
    assert intent.state == IntentState.UNKNOWN
    assert buyer.url == f"/checkout/check/{intent.public_id}/"
    assert "We are checking with the bank" in buyer.page
    assert 'http-equiv="refresh"' in buyer.page
    assert left(card) == 4, "the units stay held"
    assert not Order.objects.exists()
    # Impatience: the form again, the payment page again, another key's form. All lead to the look-up.
    buyer.post("/checkout/pay/", token="works", **form)
    order = Order.objects.get()
    assert buyer.url == f"/orders/{order.public_id}/"
    assert charged(buyer) == [("captured", 1450)]
    buyer.get(f"/checkout/check/{intent.public_id}/")
    assert buyer.url == f"/orders/{order.public_id}/"
    buyer.get("/cart/")
    assert "Your cart is empty" in buyer.page


def test_nothing_else_is_paid_while_an_answer_is_missing(card: Variant, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(self: SandboxGateway, intent: object) -> NotKnown:
        return NotKnown("The bank is silent.")

    buyer = Shopper()
    buyer.post("/checkout/pay/", token="late", **buyer.to_payment(card))
    monkeypatch.setattr(SandboxGateway, "look_up", silent)
    buyer.add(card)
    for url in ("/checkout/", "/checkout/pay/"):
        buyer.get(url)
        assert "We are checking with the bank" in buyer.page
    buyer.post("/checkout/pay/", token="works", key="another-key-of-mine", fingerprint="x")
    assert "We are checking with the bank" in buyer.page
    buyer.get("/orders/")
    assert "still being checked with the bank" in buyer.page
    assert PaymentIntent.objects.count() == 1
    assert not Order.objects.exists()


def test_a_payment_that_never_reached_the_bank_is_made_impossible_before_the_units_go_back(
    card: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = SandboxGateway.capture

    async def lost(self: SandboxGateway, *args: object, **more: object) -> NotKnown:
        return NotKnown("The line is cut.")

    monkeypatch.setattr(SandboxGateway, "capture", lost)
    buyer = Shopper()
    form = buyer.to_payment(card)
    buyer.post("/checkout/pay/", token="works", **form)
    intent = PaymentIntent.objects.get()
    assert "We are checking with the bank" in buyer.page
    assert left(card) == 4
    PaymentIntent.objects.update(created_at=datetime.now(UTC) - timedelta(seconds=30))
    buyer.get(f"/checkout/check/{intent.public_id}/")
    assert "Nothing was charged; pay again" in buyer.page
    assert left(card) == 5
    monkeypatch.setattr(SandboxGateway, "capture", real)
    buyer.post("/checkout/pay/", token="works", **form)
    assert not Order.objects.exists(), "the late request finds the door shut"
    assert charged(buyer) == [("voided", 0)]


@pytest.mark.parametrize("taken", [True, False], ids=["after the bank took it", "before the bank was asked"])
def test_a_payment_that_our_database_cut_off_is_cleared_up_before_another_cart_is_paid(
    card: Variant, monkeypatch: pytest.MonkeyPatch, taken: bool
) -> None:
    """The buyer read an error page and puts something more into the cart, which makes a new key."""

    def gone(*_: object, **__: object) -> None:
        raise OperationalError("the database is gone")

    buyer = Shopper()
    buyer.client.raise_request_exception = False
    form = buyer.to_payment(card)
    with monkeypatch.context() as away:
        away.setattr(f"crossdock.web.storefront.checkout.{'place_order' if taken else 'confirmed'}", gone)
        assert buyer.post("/checkout/pay/", token="works", **form) == 503
    intent = PaymentIntent.objects.get()
    assert (intent.state, charged(buyer)) == (IntentState.CREATED, [("captured", 1450)] if taken else [])
    if not taken:
        # The bank never heard of it for long enough.
        PaymentIntent.objects.update(created_at=datetime.now(UTC) - timedelta(seconds=30))
    buyer.add(card)
    buyer.give_address()
    if taken:
        assert buyer.url == f"/orders/{Order.objects.get().public_id}/", "what was paid is shown, and bought once"
        assert charged(buyer) == [("captured", 1450)]
        return
    assert "Nothing was charged; pay again" in buyer.page and left(card) == 5
    buyer.give_address()
    buyer.post("/checkout/pay/", token="works", **buyer.form())
    assert sorted(state for state, _ in charged(buyer)) == ["captured", "voided"]
    assert Order.objects.count() == 1


def test_the_price_shown_is_the_price_paid(card: Variant) -> None:
    buyer = Shopper()
    form = buyer.to_payment(card)
    listing = card.listing
    edit_listing(
        listing=listing, title=listing.title, description="", price=card.price * 2, count=None, now=datetime.now(UTC)
    )
    buyer.post("/checkout/pay/", token="works", **form)
    assert "A price changed since you opened this page" in buyer.page
    assert "$24.50" in buyer.page
    assert charged(buyer) == []
    assert not PaymentIntent.objects.exists()
    buyer.post("/checkout/pay/", token="works", **buyer.form())
    assert charged(buyer) == [("captured", 2450)]


def test_a_cart_changed_in_another_tab_is_asked_again(card: Variant) -> None:
    buyer = Shopper()
    form = buyer.to_payment(card)
    buyer.another_tab().add(card, 2)
    buyer.post("/checkout/pay/", token="works", **form)
    assert "Look at the new total" in buyer.page
    assert charged(buyer) == []


def test_sold_to_somebody_else_a_moment_ago() -> None:
    card = a_listing(a_seller(), count=1)
    one, two = Shopper(), Shopper("sam@example.test")
    first, second = one.to_payment(card), two.to_payment(card)
    one.post("/checkout/pay/", token="works", **first)
    two.post("/checkout/pay/", token="works", **second)
    assert "sold out" in two.page.lower()
    assert charged(two) == []
    assert Order.objects.count() == 1


def test_units_gone_while_the_bank_was_silent_send_the_money_back() -> None:
    card = a_listing(a_seller(), count=1)
    slow, quick = Shopper(), Shopper("sam@example.test")
    slow.post("/checkout/pay/", token="late", **slow.to_payment(card))
    intent = PaymentIntent.objects.get()
    Reservation.objects.update(state="ended", ended_why="expired", expires_at=None)
    quick.post("/checkout/pay/", token="works", **quick.to_payment(card))
    slow.get(f"/checkout/check/{intent.public_id}/")
    assert "Your payment goes back to you" in slow.page
    assert Order.objects.get().buyer == quick.user
    intent.refresh_from_db()
    assert intent.state == IntentState.ABANDONED


def test_somebody_else_s_payment_is_none_of_my_business(card: Variant) -> None:
    mine, yours = Shopper(), Shopper("sam@example.test")
    form = mine.to_payment(card)
    mine.post("/checkout/pay/", token="late", **form)
    intent = PaymentIntent.objects.get()
    assert yours.get(f"/checkout/check/{intent.public_id}/") == 404
    yours.to_payment(card)
    yours.post("/checkout/pay/", token="works", **form)
    assert "belongs to somebody else" in yours.page
    assert charged(yours) == []


@pytest.mark.parametrize("token", ["", "gold", "WORKS"])
def test_a_means_of_payment_that_is_not_offered(card: Variant, token: str) -> None:
    buyer = Shopper()
    form = buyer.to_payment(card)
    buyer.post("/checkout/pay/", token=token, **form)
    assert "Choose how you want to pay" in buyer.page
    assert not PaymentIntent.objects.exists()


def test_the_checks_of_the_card_reach_the_order(card: Variant) -> None:
    buyer = Shopper()
    buyer.post("/checkout/pay/", token="postal-code", **buyer.to_payment(card))
    sentences = [reason["sentence"] for reason in Order.objects.get().risk_reasons]
    assert "The card's postal code did not match." in sentences
