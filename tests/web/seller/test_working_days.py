"""When a seller ships: what they set, what it makes of new orders, and what of those that were placed before."""

from datetime import UTC, datetime
from html import unescape

import pytest
from django.test import Client

from crossdock.store.models import Mail, Order, Seller
from crossdock.usecases.accounts.working_days import due_of
from market import World

pytestmark = pytest.mark.django_db
PAGE = "/seller/profile/working-days/"
FORM = {
    "handling_days": "3",
    "weekdays": ["1", "2", "3", "6"],
    "time_zone": "Pacific/Honolulu",
    "holidays": "US-HI",
    "closed": "2026-12-24 to 2026-12-26\n2026-12-31",
}


@pytest.fixture
def world() -> World:
    return World(units=9)


@pytest.fixture
def panel(world: World) -> Client:
    client = Client()
    client.force_login(world.seller.owner)
    return client


def text(client: Client, url: str = PAGE) -> str:
    return unescape(client.get(url).content.decode())


def test_it_begins_with_the_country_s_own_and_says_what_it_means(world: World, panel: Client) -> None:
    page = text(panel)
    assert "New York (America/New_York)" in page and "In your country" in page and "Hawaii" in page
    assert "end of the day in New York" in page and "end of the day in New York" in text(panel, "/seller/profile/")
    # A Monday at noon in UTC, and two working days; that Thursday is Thanksgiving.
    due = due_of(world.seller, datetime(2026, 11, 24, 12, tzinfo=UTC))
    assert due == datetime(2026, 11, 28, 4, 59, 59, tzinfo=UTC)


def test_what_is_set_counts_for_orders_from_now_on(world: World, panel: Client) -> None:
    before = world.buy()
    assert panel.post(PAGE, FORM).status_code == 302
    seller = Seller.objects.get(pk=world.seller.pk)
    assert (seller.handling_days, seller.working_days, seller.calendar.zone) == (3, "1236", "Pacific/Honolulu")
    assert seller.closed_days == [["2026-12-24", "2026-12-26"], ["2026-12-31", "2026-12-31"]]
    page = text(panel)
    assert "2026-12-24 to 2026-12-26\n2026-12-31" in page and "end of the day in Honolulu" in page
    after = world.buy()
    assert Order.objects.get(pk=before.pk).ship_by == before.ship_by
    assert after.ship_by == due_of(seller, after.placed_at) and seller.calendar.works_on(
        seller.calendar.day_of(after.ship_by)
    )
    assert "end of the day in Honolulu" in Mail.objects.get(cause=f"new_order:{after.reference}").body
    for url in (f"/seller/orders/{after.public_id}/", "/seller/orders/?queue=all"):
        assert "end of the day in Honolulu" in text(panel, url)
    buyer = Client()
    buyer.force_login(after.buyer)
    assert "ships it by " in text(buyer, f"/orders/{after.public_id}/")
    assert "end of the day in Honolulu" in text(buyer, f"/orders/{after.public_id}/")
    assert "within 3 working days" in text(buyer, f"/l/{world.variant.listing.public_id}/")


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"weekdays": []}, "at least one day on which you work"),
        ({"time_zone": "Mars/Olympus"}, "Select a valid choice"),
        ({"holidays": "DE-BY"}, "Select a valid choice"),
        ({"closed": "24.12.2026"}, "is no day"),
        ({"handling_days": "31"}, "less than or equal to 30"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    world: World, panel: Client, wrong: dict[str, object], why: str
) -> None:
    answer = panel.post(PAGE, {**FORM, "closed": "2026-12-24", **wrong})
    page = unescape(answer.content.decode())
    assert answer.status_code == 422 and why in page and str(wrong.get("closed", "2026-12-24")) in page
    assert Seller.objects.get(pk=world.seller.pk).time_zone == ""
