"""A typed card in a real Chromium, under our policy.

Stripe's own script cannot be had here: a double of its three calls stands in, served under its address.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.browser.test_pages_browser import EMAIL, to_payment
from tests.usecases.checkout.test_checkout_stripe import BankInATown

from crossdock.payments.sandbox.wire import SECRET_KEY
from crossdock.store.models import Order, User, Variant
from page_checks import measured
from shopper import a_listing, a_seller

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DOUBLE = """
window.asked = 0;
window.Stripe = (key) => ({
  elements: () => ({ create: (kind) => {
    const on = {};
    return {
      mount: (where) => { document.querySelector(where).textContent = kind + " fields for " + key; },
      on: (name, told) => { on[name] = told; window.type = (error) => told({ error }); },
    };
  } }),
  createPaymentMethod: async ({ type, card }) => {
    window.asked += 1;
    await new Promise((done) => setTimeout(done, 200));
    return ANSWER;
  },
});
"""


@pytest.fixture
def bank(tmp_path: Path, settings: Any) -> Iterator[BankInATown]:
    made = BankInATown(tmp_path)
    settings.PAYMENT_GATEWAY = "stripe"
    keys = {"secret_key": SECRET_KEY, "api_base": made.wire.address, "publishable_key": "pk_test_shown"}
    settings.GATEWAY_KEYS = {"stripe": keys}
    yield made
    made.close()


@pytest.fixture
def card(live_server: Any) -> Variant:
    User.objects.create_user(EMAIL, "pass-word-1", name="Zoë Müller")
    return a_listing(a_seller("Lantern"), "Ember Fox")


def at_payment(site: Any, card: Variant, answer: dict[str, Any] | None) -> Page:
    script = DOUBLE.replace("ANSWER", json.dumps(answer))
    if answer is None:
        site.context.route("https://js.stripe.com/**", lambda route: route.abort())
    else:
        site.context.route(
            "https://js.stripe.com/**", lambda route: route.fulfill(body=script, content_type="text/javascript")
        )
    return to_payment(site, card)


def test_a_typed_card_pays_once_however_often_it_is_clicked(visitor: Any, bank: BankInATown, card: Variant) -> None:
    site = visitor()
    page = at_payment(site, card, {"paymentMethod": {"id": "pm_1TypedByTheBuyer"}})
    expect(page.locator("#card")).to_have_text("card fields for pk_test_shown")
    page.evaluate("() => { const b = document.querySelector('#pay button'); b.click(); b.click(); b.click(); }")
    expect(page.locator("h1")).to_contain_text("Order #")
    assert bank.charged == [1450]
    assert Order.objects.count() == 1
    assert site.complaints == []


def test_what_is_wrong_with_the_card_is_said_beside_it(visitor: Any, bank: BankInATown, card: Variant) -> None:
    page = at_payment(visitor(), card, {"error": {"message": "Your card number is incomplete."}})
    page.click("#pay button")
    expect(page.locator("#card-said")).to_have_text("Your card number is incomplete.")
    expect(page.locator("#pay button")).to_be_enabled()
    assert page.evaluate("window.asked") == 1
    assert bank.charged == []
    page.check("text=Test card that works")
    page.click("#pay button")
    expect(page.locator("h1")).to_contain_text("Order #")
    assert bank.charged == [1450]


def test_without_stripe_s_script_the_page_says_so(visitor: Any, bank: BankInATown, card: Variant) -> None:
    page = at_payment(visitor(), card, None)
    expect(page.locator("#card-said")).to_contain_text("could not be loaded")
    assert bank.charged == []


def test_on_a_phone_the_fields_are_not_too_wide(visitor: Any, bank: BankInATown, card: Variant) -> None:
    page = at_payment(visitor(viewport={"width": 360, "height": 740}), card, {"error": {"message": "x"}})
    assert measured(page, "document.documentElement.scrollWidth <= window.innerWidth")
