"""The pages of a first evening: each step as it stands, shadow mode with its report, and one press to go live."""

from datetime import UTC, datetime
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from crossdock.store.models import Connection, Listing, ShadowRun
from crossdock.web.seller import asking
from market import World
from toyshop import dropped_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return World(units=9, now=datetime.now(UTC))


@pytest.fixture
def panel(world: World) -> Client:
    client = Client()
    client.force_login(world.seller.owner)
    return client


def page(panel: Client, world: World, name: str = "evening") -> str:
    answer = panel.get(f"/seller/shops/{world.shop.public_id}/{name}/")
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def press(panel: Client, world: World, name: str) -> str:
    answer = panel.post(f"/seller/shops/{world.shop.public_id}/{name}/", follow=True)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def test_each_step_stands_as_it_is_and_the_way_leads_to_the_next(world: World, panel: Client) -> None:
    first = page(panel, world)
    assert "Your products are read" in first and "Watch it" in first and "Pause your shop first" in first
    world.shop.cursors.filter(stream="products").update(completed_at=world.now)
    ready = page(panel, world)
    assert "1 listing on sale, 0 not." in ready and "Make a test order" in ready
    # Nothing to see before there was shadow mode.
    answer = panel.get(f"/seller/shops/{world.shop.public_id}/shadow/")
    assert answer.status_code == 302


def test_from_a_paused_shop_to_the_report_and_live(world: World, panel: Client) -> None:
    with dropped_in():
        assert "Pause your shop first" in press(panel, world, "shadow/begin")
        press(panel, world, "pause")
        assert "is only read" in press(panel, world, "shadow/begin")
        world.units = 4
        world.read()
        Listing.objects.create(
            seller=world.seller,
            connection=world.shop,
            shop_product_id="p2",
            title="Left Fox",
            currency="USD",
            state="left_out",
            created_at=world.now,
            updated_at=world.now,
        )
        seen = page(panel, world, "shadow")
        assert "5 of them" in seen and "$50.00 at your prices now" in seen and "Would have been sold." in seen
        assert "Left Fox" in seen and "You left it out" in seen
        assert "still being read for the first time" in press(panel, world, "live")
        world.shop.cursors.filter(stream="products").update(completed_at=world.now)
        assert "is live. Make a test order next." in press(panel, world, "live")
        # The back button and a second tab press it once more.
        press(panel, world, "live")
        assert ShadowRun.objects.get().report["landed"] == 5
        assert "when it went live" in page(panel, world, "shadow")


def test_it_does_not_begin_while_our_webhooks_are_still_there(
    world: World, panel: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    press(panel, world, "pause")
    assert "paused here, so buyers find nothing" in page(panel, world)
    monkeypatch.setattr(asking, "say_goodbye", lambda shop: "It did not answer.")
    rows = Connection.objects.filter(pk=world.shop.pk)
    rows.update(hooks={"expected": ["order"], "active": ["order"]})
    assert "could not be taken out" in press(panel, world, "shadow/begin")
    assert not ShadowRun.objects.exists() and rows.get().hooks
    monkeypatch.setattr(asking, "say_goodbye", lambda shop: "")
    assert "is only read" in press(panel, world, "shadow/begin") and not rows.get().hooks


def test_the_test_order_waits_until_it_is_live(world: World, panel: Client) -> None:
    Connection.objects.update(shadow_since=world.now)
    assert "nothing is written to it" in page(panel, world, "try")
    assert "Shadow mode since" in unescape(panel.get(f"/seller/shops/{world.shop.public_id}/").content.decode())


def test_as_many_statements_however_many_are_not_listed(world: World, panel: Client) -> None:
    Connection.objects.update(shadow_since=world.now)
    ShadowRun.objects.create(connection=world.shop, began_at=world.now)

    def asked() -> int:
        with CaptureQueriesContext(connection) as some:
            page(panel, world, "shadow")
        return len(some)

    def more(many: int) -> None:
        before = Listing.objects.count()
        Listing.objects.bulk_create(
            Listing(
                seller=world.seller,
                connection=world.shop,
                shop_product_id=f"x{before + n}",
                title=f"Fox {before + n}",
                currency="USD",
                state="left_out",
                created_at=world.now,
                updated_at=world.now,
            )
            for n in range(many)
        )

    more(1)
    few = asked()
    more(30)
    assert asked() == few <= 26
    assert "More of them" in page(panel, world, "shadow")
