"""An operator's first day in a real Chromium: the marketplace gets its name, its categories and its rates, two sellers
are approved, a listing is taken down, and the day ends with a report and what is owed to whom.
"""

import os
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from playwright.sync_api import expect

from crossdock.domain.earnings.payouts import Schedule
from crossdock.domain.moderation.particulars import Kind, Particulars
from crossdock.domain.values import Address, Money
from crossdock.store.models import AuditEntry, Listing, Seller
from crossdock.usecases.accounts.approving import ask
from crossdock.usecases.accounts.details import save_document, save_particulars
from crossdock.usecases.accounts.sellers import start_selling
from crossdock.usecases.labels.purchase import set_ship_from
from crossdock.usecases.money.balance import release
from crossdock.usecases.money.payouts import pay_due, set_account, set_schedule
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.web.payouts import registered
from market import World, user
from page_checks import faults, pale, too_wide
from shopper import a_listing, of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SHOTS = os.environ.get("CROSSDOCK_CHROMIUM_SHOTS", "")
EMAIL = "operator@example.test"
GOODS = '{"attributes": [], "categories": [{"key": "cards", "name": "Trading cards", "attributes": []}]}'
HOME = Address("Tide", "5 Market St", "Austin", "US", "78701", region="TX")
NORA = Particulars(
    Kind.PRIVATE, "Nora Kern", "5 Market St", "Austin", "78701", "US", "US", "536-90-4399", born="1990-05-17"
)


def _newcomer(name: str) -> Seller:
    """Everything on their list is settled, and they ask."""
    now, free = datetime.now(UTC), {"US": Money(0, "USD")}
    seller = start_selling(user=user(), name=name, country="US", currency="USD", handling_days=2, rates=free, now=now)
    EmailAddress.objects.create(user=seller.owner, email=seller.owner.email, verified=True, primary=True)
    set_ship_from(seller=seller, address=HOME, now=now)
    save_particulars(seller=seller, given=NORA, actor=seller.owner, now=now)
    save_document(seller=seller, jpeg=b"A card.", actor=seller.owner, now=now)
    a_listing(seller, f"Lantern of {name}")
    assert ask(seller=seller, actor=seller.owner, now=now)
    return seller


def _sold() -> Seller:
    """One order that has been with its buyer for long enough, and a day on which it is paid out."""
    world = World(units=9, now=datetime.now(UTC))
    order = world.buy()
    (claimed,) = world.claim()
    world.settle(claimed, world.create_there(order))
    ship_by_hand(order=order, lines=None, tracking="M5", carrier="UPS", actor=world.seller.owner, now=world.later())
    release(now=datetime.now(UTC) + timedelta(days=8))
    to = registered(world.seller.name, "DE89 3704 0044 0532 0130 00", "USD")
    owner, now = world.seller.owner, world.later()
    row = set_account(seller=world.seller, currency="USD", provider="sandbox", to=to, actor=owner, place="", now=now)
    set_schedule(account=row, schedule=Schedule.DAILY, minimum=Money(0, "USD"), actor=owner)
    assert pay_due(now=now + timedelta(days=9)) == 1
    return world.seller


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_first_day(visitor: Callable[..., Any], settings: Any, width: int, scheme: str) -> None:
    settings.APPROVE_SELLERS = True
    user(EMAIL, name="Olu Operator", is_staff=True)
    sold = _sold()
    newcomers = [_newcomer("Tidewater"), _newcomer("Harbour Lights")]
    site = visitor(color_scheme=scheme, viewport={"width": width, "height": 844})
    page, wrong = site.tab(), []
    site.sign_in(page, EMAIL)

    def seen(name: str) -> None:
        wrong.extend([*faults(page), *pale(page), *too_wide(page)])
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/day-{name}-{width}.png", full_page=True)

    def press(name: str) -> None:
        page.get_by_role("button", name=name, exact=True).click()

    page.goto(f"{site.url}/staff/brand/")
    page.get_by_label("Name of the marketplace").fill("Card Harbour")
    press("Show how it looks")
    seen("brand")
    press("Set it for everybody")
    page.goto(f"{site.url}/")
    expect(page).to_have_title(re.compile("Card Harbour"))

    page.goto(f"{site.url}/staff/attributes/edit/")
    page.get_by_label("The document").fill(GOODS)
    press("Show what changes")
    seen("categories")
    press("Save")
    page.get_by_role("cell", name="Trading cards").wait_for()

    page.goto(f"{site.url}/staff/commission/new/")
    page.get_by_label("Per cent").fill("6.5")
    page.get_by_label("Category").select_option(label="Trading cards")
    page.get_by_label("Why?").fill("Cards are what we begin with.")
    press("Show whom it concerns")
    seen("commission")
    press("Set it")
    page.get_by_text("Cards are what we begin with.").wait_for()

    for seller in newcomers:
        page.goto(f"{site.url}/staff/approvals/")
        page.get_by_role("link", name=seller.name).click()
        seen("approval")
        press("Approve")
        page.get_by_text("is approved, and is told").wait_for()
    assert {seller.barred for seller in Seller.objects.filter(pk__in=[seller.pk for seller in newcomers])} == {""}

    fake = Listing.objects.get(title="Lantern of Tidewater")
    page.goto(f"{site.url}/staff/moderation/")
    page.get_by_label("A listing").fill("Lantern Tidewater")
    press("Find a listing")
    page.get_by_role("link", name=fake.title).click()
    page.get_by_label("Ground").select_option(index=1)
    page.get_by_label("To the seller").fill("The picture shows a printed copy.")
    press("Take it down")
    page.get_by_text("The picture shows a printed copy.").first.wait_for()
    seen("taken-down")
    assert page.request.get(site.url + of(fake)).status == 410
    assert page.request.get(site.url + of(Listing.objects.get(title="Lantern of Harbour Lights"))).status == 200

    page.goto(f"{site.url}/staff/reports/")
    page.get_by_text("$15.00").first.wait_for()
    seen("report")
    page.goto(f"{site.url}/staff/sellers/{sold.public_id}/money/")
    page.get_by_text("3000").first.wait_for()
    seen("payout")
    assert wrong == [] and site.complaints == []
    done = AuditEntry.objects.filter(actor__email=EMAIL).values_list("action", flat=True)
    assert set(done) >= {
        "branding set",
        "defined attributes",
        "commission rule",
        "seller approved",
        "listing taken down",
    }
