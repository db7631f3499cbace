"""The alerts' and webhooks' pages in a real Chromium, at a phone's width and on a desk: nothing overflows, the button
works by keyboard, the secret is shown once.
"""

import os
from datetime import UTC, datetime
from typing import Any

import pytest

from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import Refused, Why
from crossdock.store.models import Alert, Command, Endpoint
from crossdock.usecases.outcomes import endpoints
from crossdock.usecases.parties import leases, root_causes
from crossdock.usecases.record.alerts import raise_alert
from market import World
from page_checks import measured

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SHOTS = os.environ.get("CROSSDOCK_CHROMIUM_SHOTS", "")
SIZES = {"phone": {"width": 390, "height": 844}, "desk": {"width": 1280, "height": 900}}
WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def _furnished() -> World:
    world = World(units=9, now=datetime.now(UTC))
    order = world.buy()
    (claimed,) = world.claim()
    world.settle(claimed, Refused(Why.INVALID, "The shop did not like the address."))
    for _ in range(3):
        world.buy()
    leases.sign_in_again(party_id=world.shop.party_id, sentence="The key was revoked.", now=world.later())
    root_causes.late_copies(now=world.later(16 * 60))
    raise_alert(
        code=AlertCode.PRODUCT_DELETED,
        seller=world.seller,
        listing=world.variant.listing,
        connection=world.shop,
        now=world.now,
        sentence=(
            "“Ember Fox, a very long title of a card with Ünïcödé and more” was deleted in your shop. The listing is"
            " kept in your archive."
        ),
    )
    endpoint, _ = endpoints.add_endpoint(
        seller=world.seller,
        actor=world.seller.owner,
        url="https://receiver.example.test/a/very/long/path/" + "x" * 60,
        name="",
        events=[],
        now=world.now,
    )
    for _ in range(3):
        endpoints.send_test(endpoint=endpoint, actor=world.seller.owner, now=world.later())
    Command.objects.filter(kind="send_event").update(state="dead", sentence="It answered 500.", attempts=7)
    assert order.number
    return world


@pytest.mark.parametrize("size", SIZES)
def test_the_pages_fit_and_complain_of_nothing(visitor: Any, size: str) -> None:
    world = _furnished()
    site = visitor(viewport=SIZES[size])
    page = site.tab()
    site.sign_in(page, world.seller.owner.email)
    alert = Alert.objects.filter(code=AlertCode.SIGN_IN_AGAIN).get()
    endpoint = Endpoint.objects.get()
    paths = {
        "alerts": "/seller/alerts/",
        "alert": f"/seller/alerts/{alert.public_id}/",
        "settled": "/seller/alerts/?show=settled",
        "mail": "/seller/alerts/mail/",
        "webhooks": "/seller/webhooks/",
        "webhook": f"/seller/webhooks/{endpoint.public_id}/",
        "delete": f"/seller/webhooks/{endpoint.public_id}/delete/",
        "listing": f"/seller/listings/{world.variant.listing.public_id}/",
    }
    for name, path in paths.items():
        page.goto(site.url + path)
        assert measured(page, WIDE) <= 0, f"{path} is wider than the window"
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/d-{name}-{size}.png", full_page=True)
    assert site.complaints == []


def test_a_button_is_pressed_by_keyboard_and_back_does_not_press_it_again(visitor: Any) -> None:
    world = _furnished()
    site = visitor()
    page = site.tab()
    site.sign_in(page, world.seller.owner.email)
    page.goto(f"{site.url}/seller/alerts/")
    page.get_by_role("button", name="Leave it archived").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Settled.").wait_for()
    assert Alert.objects.get(code=AlertCode.PRODUCT_DELETED).settled_how == "Left archived."
    page.go_back()
    page.goto(f"{site.url}/seller/alerts/?show=settled")
    page.get_by_text("Left archived.").wait_for()
    assert Alert.objects.filter(settled_at__isnull=False).count() == 1
    assert site.complaints == []


def test_a_receiver_is_added_and_its_secret_seen_once(visitor: Any) -> None:
    world = World(now=datetime.now(UTC))
    site = visitor(viewport=SIZES["phone"])
    page = site.tab()
    site.sign_in(page, world.seller.owner.email)
    page.goto(f"{site.url}/seller/webhooks/")
    page.get_by_label("Address").fill("https://receiver.example.test/in")
    page.get_by_role("button", name="Add").click()
    page.get_by_text("Copy the secret now").wait_for()
    assert page.locator("[data-copy^=whsec_]").count() == 1
    assert measured(page, WIDE) <= 0
    page.get_by_role("link", name="Send a test").click()
    page.get_by_role("button", name="Send a test").click()
    page.get_by_text("A test is on its way").wait_for()
    assert page.get_by_text("whsec_").count() == 0
    assert Command.objects.filter(kind="send_event").count() == 1
    assert site.complaints == []
