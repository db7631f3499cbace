"""A team in a real Chromium: the owner asks, the member joins, works, is taken out; every page of it on a wide screen
and a phone, light and dark, and a second member who takes the shop over.
"""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from playwright.sync_api import expect
from tests.web.seller.test_team_pages import link_of

from crossdock.domain.commands import Done
from crossdock.store.models import Seller, User
from market import World, user
from page_checks import faults, pale, too_wide

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]
SCREENS = [(1280, "light"), (390, "dark")]


def confirmed(who: User) -> User:
    EmailAddress.objects.create(user=who, email=who.email, primary=True, verified=True)
    return who


class Person:
    """Somebody at a browser of their own, whose every page is looked at."""

    def __init__(self, visitor: Callable[..., Any], width: int, scheme: str) -> None:
        self.site = visitor(color_scheme=scheme, viewport={"width": width, "height": 844})
        self.page = self.site.tab()
        self.wrong: list[tuple[str, str]] = []

    def sign_in(self, who: User) -> "Person":
        self.site.sign_in(self.page, who.email)
        return self

    def at(self, path: str = "", head: str = "") -> Any:
        if path:
            self.page.goto(self.site.url + path)
        if head:
            expect(self.page.locator("h1")).to_contain_text(head)
        found = [*faults(self.page), *pale(self.page), *too_wide(self.page)]
        self.wrong += [(self.page.url, str(fault)) for fault in found]
        return self.page

    def press(self, words: str, head: str = "") -> Any:
        self.page.click(f"main :is(button, a):has-text('{words}')")
        return self.at(head=head)


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_a_member_is_asked_joins_works_and_is_taken_out(visitor: Callable[..., Any], width: int, scheme: str) -> None:
    world = World(units=9)
    order = world.buy()
    (claimed,) = world.claim()
    world.settle(claimed, Done("s1", shop_number="#s1", stock_taken=True))
    Seller.objects.filter(pk=world.seller.pk).update(name="Foxglove")
    people = owner, noor, kim = [Person(visitor, width, scheme) for _ in range(3)]
    owner.sign_in(confirmed(world.seller.owner)).at("/seller/team/", "Team")
    expect(owner.page.locator("main")).to_contain_text("Nobody but you yet")
    owner.page.fill("[name=email]", "nobody")
    owner.press("Send the invitation")
    expect(owner.page.locator(".error").first).to_be_visible()
    owner.page.fill("[name=email]", "noor@example.test")
    owner.page.select_option("main form.card [name=roles]", "orders")
    owner.press("Send the invitation", "Team")
    expect(owner.page.locator("main")).to_contain_text("A letter goes to noor@example.test")

    link = link_of("noor@example.test")
    noor.at(link, "Foxglove asks you into its team")
    kim.sign_in(confirmed(user(name="Kim"))).at(link, "Foxglove asks you")
    expect(kim.page.locator("main")).to_contain_text("This invitation is for noor@example.test")
    person = confirmed(user("noor@example.test", name="Noor Vega"))
    noor.press("Sign in")
    noor.page.fill("[name=login]", person.email)
    noor.page.fill("[name=password]", "pass-word-1")
    noor.page.click("main button:has-text('Sign in')")
    expect(noor.page.locator("h1")).to_contain_text("Foxglove asks you into its team")
    noor.press("Join the team")
    expect(noor.page.locator("main")).to_contain_text("You are in the team of Foxglove")
    kim.at(link, "does not hold any more")

    noor.at(f"/seller/orders/{order.public_id}/")
    expect(noor.page.locator("nav.side-nav a", has_text="Money")).to_have_count(0)
    noor.at("/seller/team/", "Team")
    expect(noor.page.locator("main form[method=post]")).to_have_count(0)
    noor.at("/seller/money/", "Not for you")
    noor.at(f"/seller/orders/{order.public_id}/")
    noor.press("Ship items")
    noor.page.fill("[name=tracking]", "T-17")
    noor.press("Mark as shipped")
    expect(noor.page.locator("ol.timeline")).to_contain_text("Noor Vega")

    owner.at("/seller/team/", "Team")
    owner.page.select_option(f"#roles-{person.pk}", "reader")
    owner.press("Change", "Team")
    expect(owner.page.locator("main")).to_contain_text("That holds from their next click on")
    noor.at(f"/seller/orders/{order.public_id}/")
    expect(noor.page.locator("main form[method=post]")).to_have_count(0)
    noor.at("/seller/team/leave/", "Leave the team of Foxglove?")
    owner.at("/seller/team/").click("main a:has-text('Take out')")
    owner.at(head="Take Noor Vega out of the team?")
    owner.press("Take Noor Vega out", "Team")
    noor.at("/seller/orders/", "You do not work here")
    assert [person.wrong for person in people] == [[], [], []]
    assert [said for said in owner.site.complaints if "422" not in said] == []


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_a_shop_is_handed_over_and_who_had_it_stays_in_the_team(
    visitor: Callable[..., Any], width: int, scheme: str
) -> None:
    world = World(units=9)
    before = confirmed(world.seller.owner)
    noor = confirmed(user("noor@example.test", name="Noor Vega", works_for=world.seller, works_as="listings"))
    owner, other = Person(visitor, width, scheme), Person(visitor, width, scheme)
    other.sign_in(noor).at("/seller/listings/")
    owner.sign_in(before).at("/seller/team/").click("main a:has-text('Hand the shop over')")
    owner.at(head="to Noor Vega?")
    owner.press("Hand it over", "Team")
    expect(owner.page.locator("main")).to_contain_text("You are in the team for orders and listings")
    owner.at("/seller/tokens/", "Not for you")
    other.at("/seller/money/", "Money")
    other.at("/seller/team/", "Team")
    assert Seller.objects.get(pk=world.seller.pk).owner == noor
    assert owner.wrong == other.wrong == []
