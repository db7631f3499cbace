"""Lists by keyboard in a real Chromium: what is typed in a field stays there, and who wants no such keys has none."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import expect

from market import World
from page_checks import faults, pale, too_wide

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def owner() -> str:
    """The address of a seller with three orders."""
    world = World(units=9, now=datetime.now(UTC))
    world.seller.owner.set_password("pass-word-1")
    world.seller.owner.save()
    for _ in range(3):
        world.buy()
    return str(world.seller.owner.email)


def _orders(site: Any, page: Any, email: str) -> list[Any]:
    """The links of the list, as they stand there."""
    site.sign_in(page, email)
    page.goto(f"{site.url}/seller/orders/")
    links = page.locator("table.orders tbody a.strong").all()
    assert len(links) == 3
    return links


def test_a_list_is_worked_off_by_keys(visitor: Callable[..., Any], owner: str) -> None:
    site = visitor()
    page = site.tab()
    row = _orders(site, page, owner)
    tick = page.get_by_role("checkbox").all()
    page.keyboard.press("j")
    expect(row[0]).to_be_focused()
    for key in ("j", "x", "k", "k"):
        page.keyboard.press(key)
    expect(row[0]).to_be_focused()
    expect(tick[1]).to_be_checked()
    expect(tick[0]).not_to_be_checked()
    page.keyboard.press("a")
    for box in tick:
        expect(box).to_be_checked()
    page.keyboard.press("a")
    for box in tick:
        expect(box).not_to_be_checked()
    page.keyboard.press("/")
    page.keyboard.type("jax")
    expect(page.locator("#find")).to_have_value("jax")
    expect(page.locator("#find")).to_be_focused()
    page.locator("h1").click()
    page.keyboard.press("Control+j")
    page.keyboard.press("k")
    expect(row[2]).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/seller/orders/*/")
    assert site.complaints == []


def test_they_are_listed_and_can_be_switched_off(visitor: Callable[..., Any], owner: str) -> None:
    site = visitor()
    page = site.tab()
    first = _orders(site, page, owner)[0]
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard")
    dialog.wait_for()
    page.keyboard.press("j")
    assert [*faults(page), *pale(page), *too_wide(page)] == []
    dialog.get_by_label("Use these keys in this browser").uncheck()
    dialog.get_by_role("button", name="Close").press("Enter")
    expect(dialog).to_be_hidden()
    for _ in range(2):
        page.keyboard.press("j")
        expect(first).not_to_be_focused()
        page.reload()
    page.get_by_role("button", name="Keyboard", exact=True).click()
    dialog.get_by_label("Use these keys in this browser").check()
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("j")
    expect(first).to_be_focused()
