"""A rating in a real Chromium: the buyer gives it, the seller answers and reports it, staff decide; every page of it on
a wide screen and on a phone in the dark.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect
from tests.browser.test_team_browser import SCREENS, Person, confirmed

from crossdock.domain.requests.ratings import ARRIVES_WITHIN
from crossdock.store.models import Rating, Shipment
from crossdock.usecases.orders.actions import ship_by_hand
from market import World, user

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]
WORDS = "Came late.\n\n<b>Well</b> packed, though."


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_a_rating_is_given_answered_reported_and_decided(visitor: Callable[..., Any], width: int, scheme: str) -> None:
    world = World(units=9, now=datetime.now(UTC))
    order = world.buy()
    ship_by_hand(order=order, lines=None, tracking="T1", carrier="UPS", actor=world.seller.owner, now=world.now)
    left = world.now - ARRIVES_WITHIN - timedelta(days=1)
    Shipment.objects.update(shipped_at=left, heard_at=left)
    for who in (order.buyer, world.seller.owner):
        who.set_password("pass-word-1")
        who.save()
    people = buyer, seller, staff, reader = [Person(visitor, width, scheme) for _ in range(4)]
    seller.sign_in(confirmed(world.seller.owner)).at("/seller/ratings/", "Ratings")
    expect(seller.page.locator("main")).to_contain_text("No rating waits for an answer")
    reader.at(f"/s/{world.seller.slug}/ratings/", "Ratings of")
    expect(reader.page.locator("main")).to_contain_text("No ratings yet")

    buyer.sign_in(confirmed(order.buyer)).at(f"/orders/{order.public_id}/")
    buyer.press("Rate the seller", "Rate")
    buyer.press("Send the rating", "Rate")
    expect(buyer.page.locator(".error").first).to_be_visible()
    buyer.page.check("[name=stars][value='2']")
    buyer.page.fill("[name=words]", WORDS)
    buyer.press("Send the rating", "Rate")
    expect(buyer.page.locator("main")).to_contain_text("Everybody can read it")

    seller.at("/seller/ratings/", "Ratings")
    expect(seller.page.locator("main")).to_contain_text("<b>Well</b> packed")
    seller.page.locator("textarea[name=words]").first.fill("We are sorry.")
    seller.page.click("button[value=answer]")
    expect(seller.page.locator("main")).to_contain_text("Your answer stands beside the rating")
    seller.at("/seller/ratings/?show=answered")
    seller.page.click("summary:has-text('Report it')")
    seller.page.locator("details textarea").fill("It is not about us.")
    seller.page.click("button[value=report]")
    expect(seller.page.locator("main")).to_contain_text("Our staff look at it")
    seller.at("/seller/ratings/?show=all")
    expect(seller.page.locator("main")).to_contain_text("Reported")

    reader.at(f"/s/{world.seller.slug}/ratings/", "Ratings of")
    expect(reader.page.locator("main")).to_contain_text("We are sorry.")
    reader.at(f"/s/{world.seller.slug}/")
    reader.sign_in(confirmed(user())).at(f"/s/{world.seller.slug}/ratings/").click("main a:has-text('Report it')")
    reader.at(head="Report a rating")
    reader.press("Send the report", "Report a rating")

    staff.sign_in(confirmed(user(is_staff=True, roles="support"))).at("/staff/ratings/", "Ratings")
    staff.page.click("main table a.strong")
    staff.at(head="A rating of")
    staff.page.fill("[name=words]", "It names another shop.")
    staff.press("Take it down", "A rating of")
    staff.at("/staff/ratings/", "Ratings")
    staff.at("/staff/ratings/?which=down")
    buyer.at(f"/orders/{order.public_id}/rating/", "Rate")
    expect(buyer.page.locator("main")).to_contain_text("Our staff took it down")
    assert Rating.objects.get().down_at
    assert [person.wrong for person in people] == [[], [], [], []]
