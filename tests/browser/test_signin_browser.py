"""The account's pages in a real Chromium, with a passkey that its own virtual authenticator holds."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from playwright.sync_api import expect
from tests.web.signin.test_signin import age, code_of, signed_in

from crossdock.store.models import ApiToken, User
from market import seller as a_seller
from page_checks import faults, pale, too_wide

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]


@pytest.fixture
def owner() -> User:
    who = a_seller().owner
    EmailAddress.objects.create(user=who, email=who.email, primary=True, verified=True)
    return who


def wrong_with(page: Any) -> list[str]:
    return [*faults(page), *pale(page), *too_wide(page)]


def _old(site: Any, who: User) -> None:
    """This browser's session, proved an hour ago."""
    (cookie,) = (one for one in site.context.cookies() if one["name"] == "session")
    client = signed_in(who)
    client.cookies["session"] = cookie["value"]
    age(client, 3600)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_an_app_is_set_up_used_and_removed(visitor: Callable[..., Any], owner: User, width: int, scheme: str) -> None:
    site = visitor(color_scheme=scheme, viewport={"width": width, "height": 844})
    page = site.tab()
    site.sign_in(page, owner.email)
    page.goto(site.url + "/accounts/2fa/")
    wrong = wrong_with(page)
    page.click("text=Set up an app")
    wrong += wrong_with(page)
    secret = page.locator("[data-copy]").get_attribute("data-copy") or ""
    page.fill("[name=code]", "000000")
    page.click("text=Turn it on")
    expect(page.locator(".error")).to_contain_text("Incorrect code")
    wrong += wrong_with(page)
    page.fill("[name=code]", code_of(secret))
    page.click("text=Turn it on")
    expect(page.locator("h1")).to_have_text("Recovery codes")
    wrong += wrong_with(page)
    codes = page.locator(".codes code").all_inner_texts()
    page.click("text=Make new ones")
    wrong += wrong_with(page)
    page.click("text=Not now")
    expect(page.locator("#second + .badge")).to_have_text("On")
    wrong += wrong_with(page)
    other = visitor(color_scheme=scheme, viewport={"width": width, "height": 844})
    tab = other.tab()
    tab.goto(other.url + "/accounts/login/")
    wrong += wrong_with(tab)
    other.sign_in(tab, owner.email)
    expect(tab.locator("h1")).to_have_text("Your second factor")
    wrong += wrong_with(tab)
    tab.fill("[name=code]", codes[0])
    tab.click("main button:has-text('Sign in')")
    expect(tab.locator("h1")).not_to_have_text("Your second factor")
    _old(other, owner)
    tab.goto(other.url + "/seller/tokens/")
    tab.fill("[name=name]", "packing")
    tab.click("text=Make a token")
    expect(tab.locator("h1")).to_have_text("Is it you?")
    wrong += wrong_with(tab)
    tab.fill("[name=again_password]", "pass-word-1")
    tab.keyboard.press("Enter")
    expect(tab.locator("h1")).to_have_text("API tokens")
    assert ApiToken.objects.get().name == "packing"
    _old(other, owner)
    tab.goto(other.url + "/accounts/2fa/totp/deactivate/")
    expect(tab.locator("h1")).to_have_text("Is it you?")
    wrong += wrong_with(tab)
    tab.fill("[name=password]", "pass-word-1")
    tab.keyboard.press("Enter")
    expect(tab.locator("h1")).to_have_text("Remove the authenticator app?")
    wrong += wrong_with(tab)
    tab.click("main button:has-text('Remove it')")
    expect(tab.locator("#second + .badge")).to_have_text("Off")
    tab.click("text=Sign out everywhere else")
    expect(tab.locator(".lines li")).to_have_count(1)
    page.goto(site.url + "/orders/")
    expect(page).to_have_url(re.compile("/accounts/login/"))
    assert wrong == []
    assert [said for said in site.complaints + other.complaints if "403" not in said] == []


def test_a_passkey_is_added_and_signs_in_without_a_password(visitor: Callable[..., Any], owner: User) -> None:
    site = visitor()
    page = site.tab()
    wires = site.context.new_cdp_session(page)
    wires.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    wires.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    site.sign_in(page, owner.email)
    page.goto(site.url + "/accounts/2fa/")
    page.click("text=Add a passkey")
    wrong = wrong_with(page)
    page.fill("[name=name]", "This laptop")
    page.check("[name=passwordless]")
    page.click("[data-passkey-start]")
    expect(page.locator("h1")).to_have_text("Recovery codes")
    page.goto(site.url + "/accounts/2fa/")
    expect(page.locator("main")).to_contain_text("This laptop")
    wrong += wrong_with(page)
    page.click("summary:has-text('Account')")
    page.click("text=Sign out")
    page.goto(site.url + "/accounts/login/?next=/orders/")
    page.click("text=Sign in with a passkey")
    expect(page).to_have_url(re.compile(r":\d+/(orders|seller)/$"))
    _old(site, owner)
    page.goto(site.url + "/accounts/2fa/webauthn/reauthenticate/?next=/accounts/2fa/")
    wrong += wrong_with(page)
    page.click("[data-passkey-start]")
    expect(page.locator("h1")).to_have_text("Sign-in and security")
    page.click("text=Remove This laptop")
    wrong += wrong_with(page)
    page.click("main button:has-text('Remove it')")
    expect(page.locator("#second + .badge")).to_have_text("Off")
    assert wrong == []
    assert site.complaints == []
