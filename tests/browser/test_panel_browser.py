"""The panel in a real Chromium: a shop connected by clicking, the order page, "More actions" by keyboard, a phone's
width, light and dark.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import Refused, Why
from crossdock.domain.events import ShopProduct, ShopVariant
from crossdock.domain.requests.returns import ReturnReason
from crossdock.domain.values import Money
from crossdock.store.models import (
    Command,
    Connection,
    Listing,
    Order,
    OrderLine,
    Return,
    RiskHold,
    User,
    Variant,
    VariantStock,
)
from crossdock.usecases.catalogue import import_products
from crossdock.usecases.catalogue.listings import make_listing
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.usecases.record.alerts import raise_alert
from crossdock.usecases.requests.returns import ask_return
from crossdock.usecases.shops.timers import move_cursor
from crossdock.usecases.stock import counts
from crossdock_lab.patience import patient
from market import World
from market import seller as a_seller
from page_checks import measured
from simulated import Town, town

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
CHROMIUM = os.environ.get("CROSSDOCK_CHROMIUM", "/usr/bin/chromium")
SHOTS = os.environ.get("CROSSDOCK_CHROMIUM_SHOTS", "")
WIDE, PHONE = {"width": 1200, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"There is no Chromium at {CHROMIUM}.")
    from playwright.sync_api import sync_playwright

    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    # The driver keeps a loop in this thread, which Django takes for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


CONTRAST = """() => {
  const light = (c) => c.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255)
    .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  return [...document.querySelectorAll('main button, main .button')].filter(e => e.offsetParent && !e.disabled)
    .filter(e => {
    const style = getComputedStyle(e), under = style.backgroundColor;
    if (under.startsWith('rgba(0, 0, 0, 0')) return false;
    const [a, b] = [light(style.color), light(under)].sort((x, y) => y - x);
    return (a + .05) / (b + .05) < 4.5;
  }).map(e => e.textContent.trim());
}"""


# Selects that are narrower than their own words.
_CUT_OFF = """() => [...document.querySelectorAll('main select')].filter(field => {
  const wide = field.offsetWidth;
  field.style.inlineSize = 'max-content';
  return wide < field.offsetWidth;
}).map(field => field.id)"""


class Window:
    """One person's browser. What the console complains of fails the test."""

    def __init__(self, chromium: Any, address: str, who: User, *, size: dict[str, int], scheme: str = "light") -> None:
        self.address = address
        self.context = chromium.new_context(viewport=size, color_scheme=scheme, base_url=address)
        session = Client()
        session.force_login(who)
        cookie = session.cookies["session"]
        self.context.add_cookies([{"name": "session", "value": cookie.value, "url": address}])
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._heard)

    def _heard(self, message: Any) -> None:
        # A 422 is how a form says that something is wrong; the browser logs every one.
        ours = str((message.location or {}).get("url", "")).startswith(self.address)
        if message.type == "error" and ours and "422" not in message.text:
            self.complaints.append(message.text)

    def go(self, path: str) -> Any:
        self.page.goto(path)
        return self.page

    def too_wide(self) -> list[str]:
        """What sticks out of the window at the right, when the page can be moved sideways."""
        found = (
            "[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth +"
            " 1).map(e => e.outerHTML.slice(0, 90))"
        )
        moves = measured(self.page, "document.documentElement.scrollWidth > window.innerWidth")
        return list(measured(self.page, found)) or ["?"] if moves else []

    def faint(self) -> list[str]:
        """Buttons whose words can hardly be told from what they stand on (contrast below 4.5)."""
        return list(measured(self.page, CONTRAST))

    def shot(self, name: str) -> None:
        if SHOTS:
            self.page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


@pytest.fixture
def window(chromium: Any, live_server: Any, settings: Any) -> Iterator[Any]:
    settings.BASE_URL = live_server.url
    opened: list[Window] = []

    def open_(who: User, *, size: dict[str, int] = WIDE, scheme: str = "light") -> Window:
        opened.append(Window(chromium, live_server.url, who, size=size, scheme=scheme))
        return opened[-1]

    yield open_
    for one in opened:
        one.context.close()
        assert one.complaints == []


@pytest.fixture
def streets() -> Iterator[Town]:
    with town() as made:
        yield made


@pytest.fixture
def world() -> World:
    return World(units=9, now=datetime.now(UTC))


def _import(shop: Connection, titles: list[str]) -> None:
    """What the worker does with the first page of products."""
    now = datetime.now(UTC)
    products = [
        ShopProduct(f"p{n}", title, (ShopVariant(f"v{n}", f"S-{n}", "", Money(1000, shop.currency), 3),))
        for n, title in enumerate(titles)
    ]
    import_products.receive_products(connection_id=shop.pk, products=products, read_no=counts.draw_read_no(), now=now)
    move_cursor(connection_id=shop.pk, stream="products", value="c", next_due=now, complete=True, now=now)


def test_a_shop_is_connected_by_clicking(window: Any, streets: Town) -> None:
    shop = streets.open("vendure")
    for number in range(3):
        streets.call(shop.hand.add_product(f"Card {number}", [(f"SKU-{number}", "10.00", 3)]))
    _, form = shop.seller_form()
    seen = window(a_seller("Lantern").owner)
    page = seen.go("/seller/")
    page.get_by_role("link", name="Connect a shop").click()
    page.get_by_role("link", name="Choose Vendure").click()
    page.get_by_role("link", name="Choose API key").click()
    page.get_by_label("Address of your Vendure server").fill(form["address"])
    page.get_by_label("API key").fill("wrong")
    page.get_by_role("button", name="Test the connection").click()
    assert page.get_by_role("alert").is_visible()
    page.get_by_label("API key").fill(form["api_key"])
    page.get_by_role("button", name="Test the connection").click()
    page.get_by_label("Card 1").uncheck()
    seen.shot("panel-attempt")
    page.get_by_role("button", name="Connect this shop").click()
    page.get_by_text("is being read").wait_for()
    connection = Connection.objects.get()
    assert len(connection.settings["left_out"]) == 1
    _import(connection, ["Card 0", "Card 2"])
    # The page reads along by itself.
    page.get_by_role("link", name="See your listings").wait_for(timeout=patient(10_000))
    page.get_by_role("link", name="See your listings").click()
    assert page.get_by_role("link", name="Card 2").is_visible()


def test_signing_in_at_the_shop_comes_back_by_itself(window: Any, streets: Town) -> None:
    """The browser goes to the shop, its owner says yes there, the shop's server calls us with the keys, and the
    browser comes back.
    """
    shop = streets.open("woocommerce")
    streets.call(shop.hand.add_product("Card", [("SKU", "10.00", 3)]))
    page = window(a_seller("Lantern").owner).go("/seller/connect/woocommerce/authorize/")
    page.get_by_label("Address of your shop").fill(shop.address)
    page.get_by_role("button", name="Sign in at your shop").click()
    page.wait_for_url(f"{shop.address}/**")
    page.get_by_text("Approve").first.click()
    page.get_by_role("button", name="Connect this shop").wait_for()
    page.get_by_role("button", name="Connect this shop").click()
    page.get_by_text("is being read").wait_for()
    assert Connection.objects.get().platform == "woocommerce"


def _full(world: World) -> Order:
    """A refused order that needs its seller, and beside it one that was shipped."""
    refused, shipped = world.buy(2), world.buy()
    for claimed in world.claim():
        if claimed.subject == refused.reference:
            world.settle(claimed, Refused(Why.NO_STOCK, "The shop has none left of Ember Fox.", ("v1",)))
        else:
            world.settle(claimed, world.create_there(shipped))
    ship_by_hand(
        order=shipped, lines=None, tracking="1Z999", carrier="UPS", actor=world.seller.owner, now=world.later()
    )
    raise_alert(
        code=AlertCode.SHOP_UNREACHABLE,
        seller=world.seller,
        connection=world.shop,
        sentence="Nobody answers at the shop's address.",
        now=world.now,
    )
    make_listing(
        seller=world.seller, title="Gale Drake " * 8, description="x", price=Money(99, "USD"), count=1, now=world.now
    )
    OrderLine.objects.filter(order=shipped).update(title="Gale Drake of the long title " * 6)
    units = {line.pk: 1 for line in shipped.lines.all()}
    ask_return(order=shipped, units=units, reason=ReturnReason.WRONG, words="Not it.", now=world.later())
    return refused


def _pages(world: World, order: Order) -> dict[str, str]:
    one, shop = f"/seller/orders/{order.public_id}", f"/seller/shops/{world.shop.public_id}"
    listing = Listing.objects.get(connection=world.shop).public_id
    return {
        "home": "/seller/",
        "alerts": "/seller/alerts/",
        "orders": "/seller/orders/?queue=all",
        "order": f"{one}/",
        "reject": f"{one}/reject/?reason=lost",
        "ship": f"{one}/ship/",
        "slip": f"{one}/slip/",
        "shops": "/seller/shops/",
        "shop": f"{shop}/",
        "disconnect": f"{shop}/disconnect/",
        "connect": "/seller/connect/",
        "platform": "/seller/connect/vendure/",
        "way": "/seller/connect/vendure/key/",
        "listings": "/seller/listings/",
        "listing": f"/seller/listings/{listing}/",
        "new": "/seller/listings/new/",
        "receipt": f"/seller/returns/{Return.objects.get().public_id}/receipt/",
        "profile": "/seller/profile/",
        "tokens": "/seller/tokens/",
    }


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), (PHONE, "dark"), (WIDE, "light"), (WIDE, "dark")])
def test_every_page_fits_and_names_its_fields(window: Any, world: World, size: dict[str, int], scheme: str) -> None:
    order = _full(world)
    full, empty = (
        window(world.seller.owner, size=size, scheme=scheme),
        window(a_seller().owner, size=size, scheme=scheme),
    )
    for name, path in _pages(world, order).items():
        page = full.go(path)
        assert full.too_wide() == [], name
        assert page.locator("h1").count() == 1, name
        assert full.faint() == [], name
        unnamed = (
            "[...document.querySelectorAll('input:not([type=hidden]),select,textarea')].filter(field =>"
            " !field.labels.length && !field.ariaLabel).length"
        )
        assert measured(page, unnamed) == 0, name
        if size is WIDE and name == "receipt":
            assert measured(page, _CUT_OFF) == [], name
        full.shot(f"panel-{name}-{size['width']}-{scheme}")
    for name in ("", "orders/", "shops/", "listings/", "alerts/", "tokens/"):
        empty.go(f"/seller/{name}")
        assert empty.too_wide() == [], name
        empty.shot(f"panel-empty-{name.strip('/') or 'home'}-{size['width']}-{scheme}")


def test_more_actions_by_keyboard(window: Any, world: World) -> None:
    order = _full(world)
    page = window(world.seller.owner).go(f"/seller/orders/{order.public_id}/")
    menu = page.locator("summary", has_text="More actions")
    box = menu.bounding_box()
    assert box["x"] > WIDE["width"] / 2 and box["y"] < 250, "it is at the top right"
    menu.focus()
    page.keyboard.press("Enter")
    create = page.get_by_role("button", name="Create the order on your store").and_(page.locator(".menu-body button"))
    assert create.is_visible()
    page.keyboard.press("Escape")
    assert not create.is_visible()
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("We look for the order in your shop").wait_for()
    command = Command.objects.get(subject=order.reference, kind="create_order")
    assert (command.state, command.unresolved) == ("waiting", True)


def test_a_reject_is_looked_at_and_then_done_once(window: Any, world: World) -> None:
    order = _full(world)
    page = window(world.seller.owner).go(f"/seller/orders/{order.public_id}/")
    page.get_by_role("link", name="Reject and credit the buyer").click()
    assert page.get_by_role("button", name="Credit $25.00 and reject").is_disabled()
    page.get_by_label("Why?").select_option("not_available")
    page.get_by_text("Set aside: it is not sold again").wait_for()
    page.get_by_role("button", name="Credit $25.00 and reject").dblclick()
    page.get_by_text("The buyer is refunded").first.wait_for()
    order.refresh_from_db()
    assert (order.money, order.cancel_reason) == ("credited", "not_available")
    assert Command.objects.filter(kind="refund_payment").count() == 1


def test_it_works_without_scripts(chromium: Any, live_server: Any, world: World) -> None:
    order = _full(world)
    context = chromium.new_context(base_url=live_server.url, java_script_enabled=False)
    session = Client()
    session.force_login(world.seller.owner)
    context.add_cookies([{"name": "session", "value": session.cookies["session"].value, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"/seller/orders/{order.public_id}/reject/")
    page.get_by_label("Why?").select_option("lost")
    page.get_by_role("button", name="Show what happens").click()
    page.get_by_role("button", name="Credit $25.00 and reject").click()
    order.refresh_from_db()
    assert order.money == "credited"
    context.close()


ROWS = """() => {
  const rows = [...document.querySelectorAll('table.orders tbody tr')].map(e => e.getBoundingClientRect());
  const numbers = [...document.querySelectorAll('table.orders td a.strong')];
  return [rows.filter(r => r.bottom <= innerHeight).length, Math.max(...rows.map(r => r.height)),
          numbers.filter(e => e.getClientRects().length > 1).length];
}"""


def test_twelve_orders_stand_in_900_pixels_and_a_chosen_variant_changes_the_price(window: Any, world: World) -> None:
    world.units = 60
    world.read()
    orders = [world.buy() for _ in range(14)]
    RiskHold.objects.create(order=orders[3], held_at=world.now)
    Listing.objects.update(images=["data:image/png;base64,iVBORw0KGgo="])
    Order.objects.filter(pk__lt=orders[7].pk).update(risk="high")
    seen = window(world.seller.owner, size={"width": 1440, "height": 900})
    page = seen.go("/seller/orders/?queue=all")
    shown, tallest, broken = measured(page, ROWS)
    seen.shot("orders-compact")
    assert shown >= 12 and broken == 0, f"{shown} rows, the tallest {tallest} px, {broken} broken numbers"
    seen.go(f"/seller/orders/{orders[3].public_id}/")
    seen.shot("order-held")
    small = window(world.seller.owner, size=PHONE, scheme="dark")
    small.go("/seller/orders/?queue=all")
    assert measured(small.page, ROWS)[2] == 0 and small.too_wide() == []
    small.shot("orders-compact-phone")

    listing = world.variant.listing
    foil = Variant.objects.create(
        listing=listing, connection=world.shop, shop_variant_id="v2", title="Foil", sku="FOX-2", price_minor=15000
    )
    VariantStock.objects.create(variant=foil, count=2, count_at=world.now, applied_no=1)
    page = seen.go(f"/l/{listing.public_id}/")
    page.get_by_role("link", name="Foil").click()
    page.locator(".price.big", has_text="$150.00").wait_for()
    assert page.locator("#quantity").get_attribute("max") == "2" and "variant=" in page.url
    seen.shot("variant-chosen")
    for order, code in ((orders[0], AlertCode.HIGH_RISK), (orders[1], AlertCode.CANCELLED_IN_SHOP)):
        raise_alert(
            code=code, seller=world.seller, order=order, connection=world.shop, now=world.now, sentence="Look at it."
        )
    for path, name in (("/seller/cases/new/", "report"), ("/seller/alerts/", "alerts")):
        for one, size in ((seen, "wide"), (small, "phone")):
            one.go(path)
            assert one.too_wide() == []
            one.shot(f"{name}-{size}")
