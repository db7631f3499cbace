"""The storefront in a real Chromium: by keyboard alone, on a phone, in the dark, without scripts, and clicked twice."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from crossdock.store.models import Listing, Order, PaymentIntent, User, Variant
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock_lab.patience import patient
from page_checks import faults, pale, too_wide
from shopper import a_listing, a_seller, of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
EMAIL = "zoe@example.test"
CSS = Path(__file__).parents[2] / "src/crossdock/web/static/crossdock.css"


@pytest.fixture
def card(live_server: Any) -> Variant:
    seller = a_seller("Lantern")
    for title in ("Gale Moth", "Tide Owl of São Lira"):
        a_listing(seller, title, count=0)
    card = a_listing(seller, "Ember Fox")
    Listing.objects.update(images=[f"{live_server.url}/demo/card/ember-fox-1.svg"])
    User.objects.create_user(EMAIL, "pass-word-1", name="Zoë Müller")
    return card


def fill_address(page: Page) -> None:
    for name, value in {"line1": "12 Harbour Lane", "city": "Portland", "postal_code": "97201", "region": "OR"}.items():
        page.fill(f"[name={name}]", value)
    page.click("text=Go on to payment")


def to_payment(site: Any, card: Variant) -> Page:
    page: Page = site.tab()
    site.sign_in(page, EMAIL)
    page.goto(site.url + of(card.listing))
    page.click("text=Add to cart")
    page.click("text=Check out")
    fill_address(page)
    expect(page.locator("h1")).to_have_text("Review and pay")
    return page


def tab_to(page: Page, selector: str, *, most: int = 60) -> None:
    """Press Tab until the element has the focus; everything passed on the way must show that it has it."""
    for _ in range(most):
        page.keyboard.press("Tab")
        seen = page.evaluate("""() => { const e = document.activeElement; if (!e || e === document.body) return true;
                const style = (x) => getComputedStyle(x);
                const marked = (x) =>
                  x && style(x).outlineStyle !== "none" && parseFloat(style(x).outlineWidth) >= 2;
                return marked(e) || marked(e.closest(".tile,.choice")); }""")
        assert seen, f"no visible focus on {page.evaluate('document.activeElement.outerHTML.slice(0, 120)')}"
        if page.evaluate("selector => document.activeElement?.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} can't be reached by Tab on {page.url}")


def test_a_purchase_by_keyboard_alone(visitor: Callable[..., Any], card: Variant) -> None:
    site = visitor()
    page = site.open()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    tab_to(page, f'a[href="{of(card.listing)}"]')
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Ember Fox")
    tab_to(page, "[name=quantity]")
    page.keyboard.type("2")
    tab_to(page, "main form button")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Cart")
    tab_to(page, 'a[href="/checkout/"]')
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Sign in")
    tab_to(page, "[name=login]")
    page.keyboard.type(EMAIL)
    tab_to(page, "[name=password]")
    page.keyboard.type("pass-word-1")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Where should it go?")
    typed = {"line1": "12 Harbour Lane", "postal_code": "97201", "city": "Portland", "region": "OR"}
    for name, value in typed.items():
        tab_to(page, f"[name={name}]")
        page.keyboard.type(value)
    tab_to(page, "main form button")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Review and pay")
    tab_to(page, "[name=token]")
    tab_to(page, "main form button")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(re.compile(r"Order #\d+"))
    assert Order.objects.get().lines.get().quantity == 2
    assert site.complaints == []


def test_a_menu_opens_and_closes_by_keyboard(visitor: Callable[..., Any], card: Variant) -> None:
    site = visitor()
    page = site.tab()
    site.sign_in(page, EMAIL)
    tab_to(page, ".menu summary")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Orders")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Orders")).to_be_hidden()
    assert page.evaluate("document.activeElement.matches('.menu summary')")


def paths(card: Variant) -> list[str]:
    order = Order.objects.first()
    mine = [f"/orders/{order.public_id}/"] if order else []
    return [
        "/",
        "/?q=nothing-like-it",
        of(card.listing),
        of(Listing.objects.filter(title="Gale Moth").get()),
        "/s/lantern/",
        "/cart/",
        "/checkout/",
        "/orders/",
        *mine,
        "/sell/",
        "/accounts/email/",
        "/accounts/password/change/",
        "/demo/mail/",
        "/no-such-page/",
    ]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark"), (320, "light")])
def test_every_page_at_every_width_in_both_lights(
    visitor: Callable[..., Any], card: Variant, width: int, scheme: str
) -> None:
    site = visitor(color_scheme=scheme, viewport={"width": width, "height": 844})
    page = to_payment(site, card)
    wrong = [*faults(page), *pale(page), *too_wide(page)]
    page.click("button:has-text('Pay $')")
    page.goto(site.url + of(card.listing))
    page.click("text=Add to cart")
    for path in paths(card):
        page.goto(site.url + path)
        wrong += [*faults(page), *pale(page), *too_wide(page)]
    signed_out = visitor(color_scheme=scheme, viewport={"width": width, "height": 844})
    for path in ("/", "/cart/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"):
        page = signed_out.open(path)
        wrong += [*faults(page), *pale(page), *too_wide(page)]
    assert wrong == []
    assert [said for said in site.complaints + signed_out.complaints if "404" not in said] == []


def test_errors_beside_a_field_are_tied_to_it(visitor: Callable[..., Any], card: Variant) -> None:
    site = visitor()
    page = site.tab()
    site.sign_in(page, EMAIL)
    page.goto(site.url + of(card.listing))
    page.click("text=Add to cart")
    page.click("text=Check out")
    page.fill("[name=postal_code]", "97")
    page.click("text=Go on to payment")
    field = page.locator("[name=postal_code]")
    expect(field).to_have_attribute("aria-invalid", "true")
    said = page.locator(f"#{(field.get_attribute('aria-describedby') or '').split()[-1]}")
    expect(said).to_contain_text("5 digits")
    assert faults(page) == []


def test_a_double_click_in_a_real_browser_buys_once(visitor: Callable[..., Any], card: Variant) -> None:
    page = to_payment(visitor(), card)
    page.dblclick("button:has-text('Pay $')")
    expect(page.locator("h1")).to_have_text(re.compile(r"Order #\d+"))
    assert Order.objects.count() == PaymentIntent.objects.count() == 1


def test_going_back_after_paying_and_paying_again_buys_once(visitor: Callable[..., Any], card: Variant) -> None:
    page = to_payment(visitor(), card)
    page.click("button:has-text('Pay $')")
    expect(page.locator("h1")).to_have_text(re.compile(r"Order #\d+"))
    page.go_back()
    pay = page.locator("button:has-text('Pay $')")
    if pay.count():
        pay.click()
        expect(page.locator("h1")).to_have_text(re.compile(r"Order #\d+"))
    assert Order.objects.count() == 1


def test_without_scripts_a_silent_bank_is_waited_for_and_the_page_goes_on_by_itself(
    visitor: Callable[..., Any], card: Variant
) -> None:
    page = to_payment(visitor(java_script_enabled=False), card)
    page.check("[value=late]")
    page.click("button:has-text('Pay $')")
    expect(page.locator("h1")).to_have_text("We are checking with the bank")
    expect(page.locator("h1")).to_have_text(re.compile(r"Order #\d+"), timeout=patient(15_000))
    assert Order.objects.count() == 1


def test_the_order_page_shows_the_tracking_number_by_itself(visitor: Callable[..., Any], card: Variant) -> None:
    page = to_payment(visitor(), card)
    page.click("button:has-text('Pay $')")
    expect(page.get_by_text("Not shipped yet")).to_be_visible()
    order = Order.objects.get()
    ship_by_hand(
        order=order, lines=None, tracking="9400-1", carrier="USPS", actor=order.seller.owner, now=datetime.now(UTC)
    )
    page.evaluate("window.stillHere = true")
    expect(page.get_by_role("link", name=re.compile("9400-1"))).to_be_visible(timeout=patient(60_000))
    assert page.evaluate("window.stillHere"), "the page was not loaded again"
    expect(page.locator(".badge", has_text="Shipped")).to_be_visible()


def _tokens(text: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", text))


def _ratio(one: str, two: str) -> float:
    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    a, b = sorted((light(one), light(two)), reverse=True)
    return (a + 0.05) / (b + 0.05)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_colours_of_the_stylesheet_contrast_enough(dark: bool) -> None:
    """Computed from the tokens, so that a page which shows a pair rarely is covered too."""
    bright, _, dim = CSS.read_text().partition("@media (prefers-color-scheme: dark)")
    tokens = _tokens(bright) | (_tokens(dim[: dim.index("@layer base")]) if dark else {})
    pairs = [(ink, ground, 4.5) for ink in ("ink", "soft", "accent", "bad") for ground in ("paper", "card")]
    pairs += [(tone, f"{tone}-wash", 4.5) for tone in ("good", "warn", "bad", "info")]
    pairs += [
        ("ink", "sunk", 4.5),
        ("soft", "sunk", 4.5),
        ("on-accent", "accent", 4.5),
        ("ink", "accent-wash", 4.5),
        ("accent-strong", "accent-wash", 4.5),
    ]
    pairs += [
        ("card", "bad", 4.5),
        *((edge, ground, 3.0) for edge in ("edge", "focus") for ground in ("paper", "card")),
    ]
    low = {
        f"{a} on {b}": round(_ratio(tokens[a], tokens[b]), 2)
        for a, b, least in pairs
        if _ratio(tokens[a], tokens[b]) < least
    }
    assert low == {}
