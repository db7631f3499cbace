"""The page of holidays with its preview, the banner, and what buyers read meanwhile."""

from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.test import Client

from crossdock.store.models import Seller
from market import World, user

pytestmark = pytest.mark.django_db
PAGE, BACK = "/seller/profile/holidays/", "/seller/profile/holidays/back/"


@pytest.fixture
def world() -> World:
    return World(units=9, now=datetime.now(UTC))


@pytest.fixture
def panel(world: World) -> Client:
    return signed_in(world.seller.owner)


def signed_in(person: object) -> Client:
    client = Client()
    client.force_login(person)
    return client


def text(client: Client, url: str) -> str:
    return unescape(client.get(url, follow=True).content.decode())


def days(world: World, mode: str, ahead: int = 0) -> dict[str, str]:
    today = world.seller.calendar.day_of(datetime.now(UTC))
    return {
        "first": (today + timedelta(days=ahead)).isoformat(),
        "back": (today + timedelta(days=ahead + 9)).isoformat(),
        "mode": mode,
    }


def done(form: dict[str, str]) -> dict[str, str]:
    """With the button that the preview shows."""
    return {**form, "do": f"{form['first']} {form['back']} {form['mode']}"}


def said(world: World) -> str:
    back = world.seller.calendar.day_of(datetime.now(UTC)) + timedelta(days=9)
    return f"{back.day} {back:%B}"


def test_nothing_happens_before_the_preview_was_seen(world: World, panel: Client) -> None:
    order, form = world.buy(), days(world, "pause", ahead=3)
    page = unescape(panel.post(PAGE, form).content.decode())
    assert "Your 1 live listing cannot be found or bought" in page and "Orders that wait to be shipped: 1" in page
    assert 'name="do"' in page and form["back"] in page
    assert Seller.objects.get(pk=world.seller.pk).away is None
    # What is changed after the look is looked at first, too.
    other = unescape(panel.post(PAGE, {**done(form), "mode": "later"}).content.decode())
    assert "each order's ship-by is counted from that day" in other
    assert Seller.objects.get(pk=world.seller.pk).away is None
    assert panel.post(PAGE, done(form)).status_code == 302
    page = text(panel, PAGE)
    assert "Your holidays begin on" in page and "Call them off" in page and "I am back now" not in page
    assert "Your holidays" not in text(panel, f"/seller/orders/{order.public_id}/")
    assert panel.post(BACK).status_code == 302
    assert Seller.objects.get(pk=world.seller.pk).away is None


def test_a_pause_is_told_to_buyers_and_the_panel_has_a_banner_until_they_are_back(world: World, panel: Client) -> None:
    waiting, buyer = world.buy(), signed_in(user())
    buyer.post("/cart/add/", {"variant": world.variant.public_id, "quantity": "1"})
    assert panel.post(PAGE, done(days(world, "pause"))).status_code == 302
    until, listing = said(world), f"/l/{world.variant.listing.public_id}/"
    assert f"You are on holiday until {until}: your listings are paused." in text(panel, "/seller/orders/")
    assert "I am back now" in text(panel, "/seller/") and "You are on holiday" in text(panel, "/seller/listings/")
    why = f"The seller is on holiday. It can be bought again on {until}."
    assert why in text(buyer, listing) and "Add to cart" not in text(buyer, listing)
    assert why in text(buyer, "/cart/") and "Check out" not in text(buyer, "/cart/")
    assert "Their things can be bought again" in text(buyer, f"/s/{world.seller.slug}/")
    assert listing not in text(buyer, "/?q=ember+fox")
    assert "end of the day in New York" in text(signed_in(waiting.buyer), f"/orders/{waiting.public_id}/")
    for _ in range(2):
        assert panel.post(BACK).status_code == 302
    assert "Add to cart" in text(buyer, listing) and "I am back now" not in text(panel, "/seller/")
    assert "Check out" in text(buyer, "/cart/") and listing in text(buyer, "/?q=ember+fox")


def test_who_sells_on_has_buyers_read_from_when_it_ships(world: World, panel: Client) -> None:
    buyer = signed_in(user())
    assert panel.post(PAGE, done(days(world, "later"))).status_code == 302
    told = f"The seller is on holiday: it ships from {said(world)}."
    buyer.post("/cart/add/", {"variant": world.variant.public_id, "quantity": "1"})
    for url in (f"/l/{world.variant.listing.public_id}/", f"/s/{world.seller.slug}/", "/cart/", "/checkout/"):
        assert told in text(buyer, url), url
    assert "your listings ship later" in text(panel, "/seller/")


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"back": "2020-01-01"}, "after the first one"),
        ({"first": "2020-01-01"}, "today or later"),
        ({"first": "soon"}, "Enter a valid date"),
        ({"back": "", "mode": "later"}, "Say when you are back"),
        ({"mode": "never"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_is_said(world: World, panel: Client, wrong: dict[str, str], why: str) -> None:
    answer = panel.post(PAGE, {**done(days(world, "pause")), **wrong})
    assert answer.status_code == 422 and why in unescape(answer.content.decode())
    assert Seller.objects.get(pk=world.seller.pk).away is None
