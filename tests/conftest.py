"""A real Chromium for the tests marked `browser`: Debian's package, or the one that CROSSDOCK_CHROMIUM names."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from chromium import NotHere, launched
from crossdock_lab.patience import patient


@pytest.fixture(scope="module")
def playwright_here() -> Iterator[Playwright]:
    """One per module: its event loop runs in this thread, where Django would refuse to work and other tests have loops
    of their own.
    """
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    expect.set_options(timeout=patient(5_000))
    with sync_playwright() as running:
        yield running
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="module")
def chromium(playwright_here: Playwright) -> Iterator[Browser]:
    try:
        browser = launched(playwright_here)
    except NotHere as reason:
        if os.environ.get("CI"):
            pytest.fail(str(reason))
        pytest.skip(str(reason))
    yield browser
    browser.close()


class Site:
    """The live server seen by one visitor.

    `complaints` are what the browser's console said: scripts that broke, what the policy refused.
    """

    def __init__(self, browser: Browser, url: str, **context: Any) -> None:
        self.url = url
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context})
        self.context.set_default_timeout(patient(15_000))
        self.complaints: list[str] = []

    def tab(self) -> Page:
        page = self.context.new_page()
        page.on("console", lambda said: said.type in ("error", "warning") and self.complaints.append(said.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def open(self, path: str = "/") -> Page:
        page = self.tab()
        page.goto(self.url + path)
        return page

    def sign_in(self, page: Page, email: str, password: str = "pass-word-1") -> None:
        page.goto(f"{self.url}/accounts/login/")
        page.fill("[name=login]", email)
        page.fill("[name=password]", password)
        page.click("main button")
        page.wait_for_url(lambda url: "/accounts/login" not in url)


@pytest.fixture
def visitor(chromium: Browser, live_server: Any) -> Iterator[Any]:
    """Makes a Site: `visitor(color_scheme="dark")`. Playwright's names for the context's options."""
    made: list[Site] = []

    def make(**context: Any) -> Site:
        made.append(Site(chromium, live_server.url, **context))
        return made[-1]

    yield make
    for site in made:
        site.context.close()
