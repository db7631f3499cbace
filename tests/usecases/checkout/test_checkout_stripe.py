"""A buyer pays through Stripe at the pages: test cards, a typed card, a bank that asks, a bank that is silent.

The simulated bank's books say what was charged.
"""

import asyncio
import re
import threading
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crossdock.payments.sandbox.wire import SECRET_KEY, Wire
from crossdock.store.models import Order, PaymentIntent, Reservation, Variant
from crossdock.store.models.money import IntentState
from crossdock_lab.patience import patient
from shopper import Shopper, a_listing, a_seller

pytestmark = pytest.mark.django_db


class BankInATown:
    """The simulated bank on a loop of its own, since pages are asked without one."""

    def __init__(self, folder: Path) -> None:
        self.wire = Wire(folder)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._run(self.wire.start())

    def _run(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(patient(10))

    def close(self) -> None:
        self._run(self.wire.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(patient(5))
        self._loop.close()

    @property
    def charged(self) -> list[int]:
        with self.wire.ledger.book() as db:
            return [row[0] for row in db.execute("SELECT minor FROM payment WHERE state = 'captured'").fetchall()]

    def ask(self, url: str, do: str) -> str:
        """The buyer at their bank; where the bank sends the browser afterwards."""
        request = urllib.request.Request(url, urllib.parse.urlencode({"do": do}).encode())
        opener = urllib.request.build_opener(Stay)
        try:
            opener.open(request, timeout=patient(5)).close()
        except urllib.error.HTTPError as answer:
            with answer:
                return str(answer.headers["Location"])
        raise AssertionError("the bank sent nobody back")


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


@pytest.fixture
def bank(tmp_path: Path, settings: Any) -> Iterator[BankInATown]:
    made = BankInATown(tmp_path)
    settings.PAYMENT_GATEWAY = "stripe"
    settings.GATEWAY_KEYS = {"stripe": {"secret_key": SECRET_KEY, "api_base": made.wire.address}}
    yield made
    made.close()


@pytest.fixture
def card() -> Variant:
    return a_listing(a_seller())


def test_a_test_card_buys_once(bank: BankInATown, card: Variant) -> None:
    buyer = Shopper()
    form = buyer.to_payment(card)
    assert "Test card that works" in buyer.page
    for _ in range(3):
        buyer.post("/checkout/pay/", token="pm_card_visa", **form)
    order = Order.objects.get()
    assert buyer.url == f"/orders/{order.public_id}/"
    assert bank.charged == [1450]
    assert order.intent.gateway_ref.startswith("pi_")
    assert order.intent.checks["postal_code"] == "pass"


def test_a_declined_card_may_be_followed_by_another(bank: BankInATown, card: Variant) -> None:
    buyer = Shopper()
    buyer.post("/checkout/pay/", token="pm_card_visa_chargeDeclinedInsufficientFunds", **buyer.to_payment(card))
    assert "does not have enough money on it. Nothing was charged" in buyer.page
    assert not Reservation.objects.exclude(state="ended").exists()
    buyer.post("/checkout/pay/", token="pm_card_visa", **buyer.form())
    assert bank.charged == [1450]
    assert Order.objects.count() == 1


def to_the_bank(buyer: Shopper, card: Variant) -> str:
    """The buyer pays with a card whose bank asks; the address that our page shows them."""
    buyer.post("/checkout/pay/", token="pm_card_threeDSecure2Required", **buyer.to_payment(card))
    assert "Your bank asks you to confirm this payment" in buyer.page
    found = re.search(r'href="(http://127[^"]+/_bank/pi_[^"]+)"', buyer.page)
    assert found, buyer.page
    return found[1]


def back(buyer: Shopper, url: str) -> None:
    parts = urllib.parse.urlsplit(url)
    buyer.get(f"{parts.path}?{parts.query}")


def test_a_bank_that_asks_the_buyer_and_hears_yes(bank: BankInATown, card: Variant) -> None:
    buyer = Shopper()
    url = to_the_bank(buyer, card)
    assert bank.charged == []
    buyer.get("/checkout/pay/")
    assert "Your bank asks you to confirm this payment" in buyer.page, "the page again leads back there"
    back(buyer, bank.ask(url, "yes"))
    assert buyer.url == f"/orders/{Order.objects.get().public_id}/"
    assert bank.charged == [1450]


def test_a_bank_that_hears_no(bank: BankInATown, card: Variant) -> None:
    buyer = Shopper()
    back(buyer, bank.ask(to_the_bank(buyer, card), "no"))
    assert "was not confirmed at your bank. Nothing was charged" in buyer.page
    assert bank.charged == []
    assert not Reservation.objects.exclude(state="ended").exists()


def test_a_buyer_who_pays_another_way_is_not_charged_by_the_first_one_later(bank: BankInATown, card: Variant) -> None:
    buyer = Shopper()
    url = to_the_bank(buyer, card)
    buyer.post(f"/checkout/check/{PaymentIntent.objects.get().public_id}/")
    assert "Nothing was charged; pay again" in buyer.page
    bank.ask(url, "yes")
    assert bank.charged == []
    buyer.post("/checkout/pay/", token="pm_card_visa", **buyer.form())
    assert bank.charged == [1450]


def test_giving_up_a_payment_that_went_through_meanwhile_gives_the_order(bank: BankInATown, card: Variant) -> None:
    buyer = Shopper()
    bank.ask(to_the_bank(buyer, card), "yes")
    buyer.post(f"/checkout/check/{PaymentIntent.objects.get().public_id}/")
    assert buyer.url == f"/orders/{Order.objects.get().public_id}/"
    assert bank.charged == [1450]


def test_nobody_gives_up_somebody_else_s_payment(bank: BankInATown, card: Variant) -> None:
    url = to_the_bank(Shopper(), card)
    other = Shopper("sam@example.test")
    assert other.post(f"/checkout/check/{PaymentIntent.objects.get().public_id}/") == 404
    bank.ask(url, "yes")
    assert bank.charged == [1450]


@pytest.mark.parametrize("lost", [0, 1])
def test_a_lost_answer_is_cleared_up_by_the_page(bank: BankInATown, card: Variant, lost: int) -> None:
    """The first call begins the payment, the second charges."""
    buyer = Shopper()
    form = buyer.to_payment(card)
    bank.wire.dial.once("lost_reply", skip=lost)
    buyer.post("/checkout/pay/", token="pm_card_visa", **form)
    intent = PaymentIntent.objects.get()
    if lost:
        assert buyer.url == f"/orders/{Order.objects.get().public_id}/", "the page looked at once"
        assert bank.charged == [1450]
        return
    assert "We are checking with the bank" in buyer.page
    PaymentIntent.objects.update(created_at=intent.created_at - timedelta(seconds=30))
    buyer.get(f"/checkout/check/{intent.public_id}/")
    assert "cannot happen any more. Nothing was charged; pay again" in buyer.page
    assert bank.charged == []


def test_without_keys_nobody_is_asked_to_pay(bank: BankInATown, card: Variant, settings: Any) -> None:
    settings.GATEWAY_KEYS = {"stripe": {}}
    buyer = Shopper()
    buyer.add(card)
    buyer.give_address()
    buyer.get("/checkout/pay/")
    assert "cannot take payments right now" in buyer.page
    assert "Pay $" not in buyer.page
    buyer.post("/checkout/pay/", token="pm_card_visa", key="some-key-of-mine", fingerprint="x")
    assert "cannot take payments right now" in buyer.page
    assert not PaymentIntent.objects.exists()


def test_stripe_s_script_is_loaded_only_where_a_card_is_typed(bank: BankInATown, card: Variant, settings: Any) -> None:
    policy: Callable[[Shopper, str], str] = lambda who, url: who.client.get(url)["Content-Security-Policy"]  # noqa: E731
    buyer = Shopper()
    buyer.to_payment(card)
    assert "stripe.com" not in buyer.page + policy(buyer, "/checkout/pay/")
    settings.GATEWAY_KEYS = {"stripe": {**settings.GATEWAY_KEYS["stripe"], "publishable_key": "pk_test_1"}}
    buyer.get("/checkout/pay/")
    assert 'src="https://js.stripe.com/v3/"' in buyer.page
    assert 'data-public-key="pk_test_1"' in buyer.page
    assert SECRET_KEY not in buyer.page
    said = policy(buyer, "/checkout/pay/")
    assert "script-src 'self' https://js.stripe.com;" in said
    assert "frame-src https://js.stripe.com https://hooks.stripe.com" in said
    assert "unsafe-inline" not in said
    assert "stripe.com" not in policy(buyer, "/cart/")


def test_a_gateway_that_the_operator_left_still_settles_what_it_began(
    bank: BankInATown, card: Variant, settings: Any
) -> None:
    buyer = Shopper()
    url = to_the_bank(buyer, card)
    settings.PAYMENT_GATEWAY = "sandbox"
    back(buyer, bank.ask(url, "yes"))
    assert Order.objects.get().intent.gateway == "stripe"
    assert PaymentIntent.objects.get().state == IntentState.CAPTURED
