"""The pages of stock in a real Chromium, at a phone's width and a desk's: nothing sticks out, nothing is pale, the
buttons do what they say.
"""

import os
from typing import Any

import pytest
from tests.browser.test_panel_browser import PHONE, WIDE, Window, chromium  # noqa: F401 - a fixture
from tests.usecases.stock.test_recount import run

from crossdock.store.models import Connection, Cursor, Difference
from market import World
from page_checks import faults, too_wide

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SHOTS = os.environ.get("CROSSDOCK_CHROMIUM_SHOTS", "")


def _world() -> World:
    world = World(units=9)
    Cursor.objects.filter(connection=world.shop, stream="products").update(
        value="c1", completed_at=world.now, asked_at=world.now
    )
    Cursor.objects.create(connection=world.shop, stream="recount", due_at=world.now)
    places = {"location_names": [["1", "Home"], ["2", "Attic"]]}
    Connection.objects.filter(pk=world.shop.pk).update(hooks={"active": ["product"]}, settings=places)
    for units in (7, 8, 3):
        world.units = units
        world.read()
    world.buy()
    world.units = 2
    run(world)
    return world


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["desk", "phone"])
def test_looked_at_and_pressed(chromium: Any, live_server: Any, size: dict[str, int]) -> None:  # noqa: F811
    world = _world()
    listing, variant = world.variant.listing.public_id, world.variant.public_id
    window = Window(chromium, live_server.url, world.seller.owner, size=size)
    urls = {
        "recounts": f"/seller/shops/{world.shop.public_id}/stock/",
        "recorder": f"/seller/listings/{listing}/stock/{variant}/",
        "limits": "/seller/listings/limits/",
        "shop": f"/seller/shops/{world.shop.public_id}/",
        "listing": f"/seller/listings/{listing}/",
    }
    for name, url in urls.items():
        window.page.goto(live_server.url + url)
        if SHOTS:
            window.page.screenshot(path=f"{SHOTS}/stock-{name}-{size['width']}.png", full_page=True)
        assert not too_wide(window.page), name
        assert not faults(window.page), name
    window.page.goto(live_server.url + urls["recounts"])
    window.page.get_by_label("Tick Ember Fox").check()
    window.page.get_by_role("button", name="Set aside…").click()
    window.page.get_by_role("button", name="Set aside for 1").click()
    assert "Set aside. It is not sold" in window.page.inner_text("main")
    assert Difference.objects.get(decision="aside")
    assert window.complaints == []
