"""Alerts with the button that they speak of and settled together, what "I don't have it" stops, and what a report may
be about.
"""

from datetime import UTC, datetime
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import CancelReason
from crossdock.domain.orders import ParcelState
from crossdock.store.models import Alert, Listing, Order
from crossdock.store.models.catalogue import ListingState
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.usecases.orders.reject import preview
from crossdock.usecases.record.alerts import raise_alert
from market import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return World(units=90, now=datetime.now(UTC))


@pytest.fixture
def panel(world: World) -> Client:
    client = Client()
    client.force_login(world.seller.owner)
    return client


def text(client: Client, url: str) -> str:
    answer = client.get(url, follow=True)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def alert(world: World, order: Order, code: AlertCode = AlertCode.CANCELLED_IN_SHOP) -> Alert:
    return raise_alert(
        code=code, seller=world.seller, order=order, connection=world.shop, now=world.later(), sentence="Look."
    )


class TestTheButton:
    def test_what_cannot_be_rejected_any_more_offers_the_credit(self, world: World, panel: Client) -> None:
        order = world.buy()
        alert(world, order)
        assert "Reject it here and credit the buyer" in text(panel, "/seller/alerts/")
        ship_by_hand(order=order, lines=None, tracking="1", carrier="UPS", actor=world.seller.owner, now=world.later())
        page = text(panel, "/seller/alerts/")
        assert "Reject it here" not in page and "Ask for a credit" in page
        assert f"/seller/orders/{order.public_id}/credit/" in page

    def test_units_that_came_back_are_listed_again_with_one_press(self, world: World, panel: Client) -> None:
        listing = world.variant.listing
        Listing.objects.filter(pk=listing.pk).update(state=ListingState.ARCHIVED)
        raise_alert(
            code=AlertCode.UNITS_BACK, seller=world.seller, listing=listing, now=world.now, sentence="They came back."
        )
        page = text(panel, "/seller/alerts/")
        deed = f"/seller/listings/{listing.public_id}/state/?to=relist"
        assert f'action="{deed}"' in page and "Leave it archived" in page
        assert panel.get(deed).status_code == 405
        panel.post(deed)
        listing.refresh_from_db()
        assert listing.state == ListingState.LIVE and not Alert.objects.filter(settled_at=None).exists()


class TestSettledTogether:
    def test_the_ticked_ones_and_no_other(self, world: World, panel: Client) -> None:
        first, second, third = (alert(world, world.buy()) for _ in range(3))
        page = text(panel, "/seller/alerts/")
        assert page.count('form="bulk"') == 3
        panel.post("/seller/alerts/settle/", {"pick": [first.public_id, second.public_id], "how": "Done by phone."})
        assert {row.settled_how for row in Alert.objects.exclude(settled_at=None)} == {"Done by phone."}
        assert Alert.objects.get(settled_at=None) == third

    def test_nothing_happens_without_a_word_or_a_tick_or_to_somebody_elses(self, world: World, panel: Client) -> None:
        mine, other = alert(world, world.buy()), World(units=3, now=datetime.now(UTC))
        theirs = alert(other, other.buy())
        panel.post("/seller/alerts/settle/", {"pick": [mine.public_id], "how": " "})
        panel.post("/seller/alerts/settle/", {"how": "Done."})
        panel.post("/seller/alerts/settle/", {"pick": [theirs.public_id], "how": "Done."})
        assert Alert.objects.filter(settled_at=None).count() == 2


class TestDontHaveIt:
    def test_it_says_how_many_units_and_orders_it_stops(self, world: World, panel: Client) -> None:
        order, _, _ = world.buy(2), world.buy(3), world.buy(1)
        gone = world.buy(5)
        Order.objects.filter(pk=gone.pk).update(cancelled_at=world.now, parcels=ParcelState.CANCELLED)
        available = world.available
        page = text(panel, f"/seller/orders/{order.public_id}/reject/?reason={CancelReason.NOT_AVAILABLE}")
        assert f"This stops the sale of {available} units here." in page
        assert "2 other orders wait for 4 units of it." in page

    def test_a_reason_that_stops_nothing_says_nothing(self, world: World) -> None:
        order = world.buy()
        world.buy()
        shown = preview(order=order, reason=CancelReason.BUYER_ASKED, now=world.now)
        assert "stops" not in shown.lines[0].stock_sentence and "wait" not in shown.lines[0].stock_sentence

    def test_alone_it_says_so(self, world: World) -> None:
        shown = preview(order=world.buy(), reason=CancelReason.NOT_AVAILABLE, now=world.now)
        assert "No other order waits for it." in shown.lines[0].stock_sentence


class TestReport:
    def test_ten_choices_with_alerts_orders_and_shops(self, world: World, panel: Client) -> None:
        orders = [world.buy() for _ in range(12)]
        for order in orders[:7]:
            alert(world, order)
        page = text(panel, "/seller/cases/new/")
        assert page.count('class="choice"') == 10
        assert f"?kind=problem&shop={world.shop.public_id}" in page and f"order={orders[-1].public_id}" in page
        assert "What is attached" in text(panel, f"/seller/cases/new/?order={orders[-1].public_id}")

    def test_the_number_of_questions_does_not_grow(self, world: World, panel: Client) -> None:
        def asked() -> int:
            with CaptureQueriesContext(connection) as captured:
                text(panel, "/seller/cases/new/")
            return len(captured)

        alert(world, world.buy())
        text(panel, "/seller/cases/new/")
        few = asked()
        for _ in range(12):
            alert(world, world.buy())
        assert asked() == few and few < 25
