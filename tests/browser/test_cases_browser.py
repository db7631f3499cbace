"""Cases in a real Chromium: the form with its ticks by keyboard and mouse, the thread on both sides, at a phone's
width and on a desk.
"""

import os
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from tests.browser.test_panel_browser import PHONE, WIDE, chromium  # noqa: F401

from crossdock.store.models import Call, Case, Exchange
from market import World, user
from page_checks import faults, pale, too_wide
from toyshop import dropped_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SHOTS = os.environ.get("CROSSDOCK_CHROMIUM_SHOTS", "")


def signed_in(browser: Any, live_server: Any, who: Any, size: dict[str, int]) -> Any:
    client = Client()
    client.force_login(who)
    name = settings.SESSION_COOKIE_NAME
    context = browser.new_context(viewport=size)
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
    return context.new_page()


def sound(page: Any, name: str) -> None:
    assert faults(page) == []
    assert pale(page) == []
    assert not too_wide(page), name
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["desk", "phone"])
def test_report_answer_close(chromium: Any, live_server: Any, size: dict[str, int]) -> None:  # noqa: F811
    with dropped_in():
        world = World(units=9, now=datetime.now(UTC))
        order = world.buy()
        shape = "phone" if size == PHONE else "desk"
        given, made = {"command": {"reference": order.reference}}, {"type": "Refused", "value": {"why": "no_stock"}}
        Call.objects.create(
            key="c1",
            party=world.shop.party,
            subject=order.reference,
            operation="create",
            given=given,
            made=made,
            at=world.now,
        )
        Exchange.objects.create(
            party=world.shop.party,
            subject=order.reference,
            call="c1",
            at=world.now,
            method="POST",
            url=f"http://shop.test/{'orders/' * 30}",
            status=422,
            milliseconds=31,
            request='{"sku": "FOX-1"}',
            response='{"code": "no_stock"}' * 80,
        )
        page = signed_in(chromium, live_server, world.seller.owner, size)
        page.goto(f"{live_server.url}/seller/orders/{order.public_id}/")
        page.click("text=More actions")
        page.click("a:has-text('Report a problem')")
        page.click("text=Create the order")
        sound(page, f"case-form-{shape}")
        page.uncheck("[name=attach][value='call:c1']")
        page.fill("[name=subject]", "It never came")
        page.fill("[name=body]", "I waited for an hour.")
        page.click("text=Send to staff")
        page.wait_for_selector("h1:has-text('It never came')")
        sound(page, f"case-{shape}")
        case = Case.objects.get()
        assert case.evidence["calls"] == [] and case.evidence["left_out"] == ["call:c1"]
        page.goto(f"{live_server.url}/seller/cases/")
        sound(page, f"cases-{shape}")
        desk = signed_in(chromium, live_server, user(is_staff=True), size)
        desk.goto(f"{live_server.url}/staff/cases/")
        sound(desk, f"staff-cases-{shape}")
        desk.click("text=It never came")
        desk.fill("[name=body]", "We see why.")
        desk.click("button:has-text('Answer')")
        desk.wait_for_selector("text=Waiting for the seller")
        sound(desk, f"staff-case-{shape}")
        page.click("text=It never came")
        assert page.locator("text=We see why.").is_visible()
        page.click("text=It is solved")
        page.wait_for_selector("text=Open again")
