"""A label bought in a real Chromium by clicking, and the other pages of shipping looked at: a phone in the dark, and a
desk.
"""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.browser.test_panel_browser import PHONE, WIDE, Window, chromium  # noqa: F401 - a fixture

import run_turns
from crossdock.domain.labels import TrackEvent, TrackStatus
from crossdock.store.models import Label, LabelDocument, Order, Shipment
from crossdock.usecases.labels import purchase
from crossdock_lab.patience import patient
from labelling import HOME, Counter, asked
from market import World
from page_checks import faults, pale, too_wide

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIZES = [(WIDE, "light"), (PHONE, "dark")]


def _look(window: Window, name: str, size: dict[str, int]) -> None:
    window.shot(f"shipping-{name}-{size['width']}")
    assert not too_wide(window.page), name
    assert not faults(window.page), name
    assert not pale(window.page), name


@pytest.mark.parametrize(("size", "scheme"), SIZES, ids=["desk", "phone"])
def test_a_label_is_bought_by_clicking(chromium: Any, live_server: Any, size: dict[str, int], scheme: str) -> None:  # noqa: F811
    world = World(units=9, now=datetime.now(UTC))
    counter, order = Counter(world), world.buy(2)
    window = Window(chromium, live_server.url, world.seller.owner, size=size, scheme=scheme)
    page = window.go(f"/seller/orders/{order.public_id}/")
    page.get_by_role("link", name="Buy a label").first.click()
    page.get_by_label("Weight").fill("5")
    page.get_by_label("Units of Ember Fox").or_(page.get_by_label("Ember Fox")).first.fill("1")
    _look(window, "parcel", size)
    page.get_by_role("button", name="See prices").click()
    _look(window, "prices", size)
    button = page.get_by_role("button", name="Buy for").first
    price = button.inner_text()
    assert "$" in price and asked() == []
    button.dblclick()
    page.get_by_text("The label is being bought").wait_for()
    _look(window, "buying", size)
    label = Label.objects.get()
    assert asked() == ["buy_label"] and f"${label.price}" in price
    world.now = datetime.now(UTC)
    counter.answer(counter.sold(quote=purchase.quotes_of(label=label)[0]))
    for form in ("pdf", "png", "zpl"):
        LabelDocument.objects.create(label=label, form=form, content=b"%PDF-1.4" if form == "pdf" else b"x")
    page.get_by_role("link", name="Print 4 × 6").wait_for(timeout=patient(15_000))
    counter.told(Label.objects.get(), events=(TrackEvent(TrackStatus.MADE, world.now),))
    window.go(page.url)
    page.get_by_role("button", name="Void the label…").click()
    page.get_by_text("Its number becomes worthless").wait_for()
    window.shot(f"shipping-void-{size['width']}")
    page.get_by_role("button", name="Not now").click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Label printer (ZPL)").click()
    assert waiting.value.suggested_filename.endswith(".zpl")
    _look(window, "label", size)
    window.go(f"/seller/orders/{order.public_id}/")
    _look(window, "order", size)
    window.go("/seller/labels/")
    _look(window, "labels", size)
    page.get_by_role("link", name="Profile").click()
    page.get_by_role("link", name="Where your parcels start").click()
    assert page.get_by_label("Street and number").input_value() == HOME.line1
    _look(window, "from", size)
    assert asked() == ["buy_label"] and window.complaints == []


@pytest.mark.parametrize(("size", "scheme"), SIZES, ids=["desk", "phone"])
def test_many_orders_at_once(chromium: Any, live_server: Any, size: dict[str, int], scheme: str) -> None:  # noqa: F811
    world = World(units=9, now=datetime.now(UTC))
    first, second, _ = world.buy(2), world.buy(), world.buy()
    window = Window(chromium, live_server.url, world.seller.owner, size=size, scheme=scheme)
    page = window.go("/seller/orders/")
    _look(window, "list", size)
    for order in (first, second):
        page.get_by_label(f"Tick #{order.number}").check()
    page.get_by_role("button", name="Packing slips").click()
    assert page.locator(".sheet").count() == 2
    _look(window, "slips", size)
    assert page.pdf(format="Letter", prefer_css_page_size=True).count(b"/Type /Page\n") in (0, 2)
    page.go_back()
    page.get_by_role("button", name="Pull sheet").click()
    assert "3 units of 1 item for 2 orders" in page.inner_text("main")
    _look(window, "sheet", size)
    page = window.go("/seller/orders/")
    page.get_by_role("link", name="Paste tracking numbers").click()
    _look(window, "paste", size)
    page.get_by_label("Paste here").fill(f"{first.number}\t1Z999AA10123456784\n4711\tT-1234\n{second.number}\t9.4E+21")
    page.get_by_role("button", name="See what will happen").click()
    _look(window, "preview", size)
    assert not Shipment.objects.exists()
    page.get_by_role("button", name="Enter 1 tracking number").click()
    page.get_by_text("1 done").wait_for()
    _look(window, "entered", size)
    assert [parcel.carrier for parcel in Shipment.objects.all()] == ["UPS"] and window.complaints == []


@pytest.mark.parametrize(("size", "scheme"), SIZES, ids=["desk", "phone"])
def test_labels_for_many_orders(chromium: Any, live_server: Any, size: dict[str, int], scheme: str) -> None:  # noqa: F811
    """From the ticked orders to the prices, and from there to each label once; one goes abroad and is left out."""
    world = World(units=9, now=datetime.now(UTC))
    counter, orders = Counter(world), [world.buy() for _ in range(3)]
    Order.objects.filter(pk=orders[2].pk).update(ship_to={**orders[2].ship_to, "country": "DE"})
    window = Window(chromium, live_server.url, world.seller.owner, size=size, scheme=scheme)
    page = window.go("/seller/orders/")
    page.get_by_label("What to do with many").select_option("Buy labels")
    page.get_by_role("button", name="All 3 of this list…").click()
    page.get_by_label("Weight of each").fill("")
    _look(window, "many", size)
    page.get_by_role("button", name="Ask prices for 2 orders").click()
    assert page.get_by_text("Type its weight, or one for all.").count() == 2
    page.get_by_label(f"Weight of #{orders[0].number}").fill("5")
    page.get_by_label("Weight of each").fill("3")
    page.get_by_role("button", name="Ask prices", exact=True).click()
    page.wait_for_url("**/runs/*/")
    run_turns.work_asking(lambda: datetime.now(UTC))
    button = page.get_by_role("button", name="Buy 2 labels for $")
    button.wait_for(timeout=patient(15_000))
    _look(window, "many-prices", size)
    assert asked() == [] and "goes only to the US" in page.inner_text("main")
    button.dblclick()
    page.get_by_role("heading", name="Buy labels: 2 orders").wait_for()
    run_turns.work_asking(lambda: datetime.now(UTC))
    page.get_by_text("2 asked of the carrier").wait_for(timeout=patient(15_000))
    _look(window, "many-buying", size)
    world.now = datetime.now(UTC)
    for number in range(2):
        counter.answer(counter.sold(f"lbl-{number}"))
    run_turns.work_asking(lambda: datetime.now(UTC))
    page.get_by_role("link", name="Packing slips of this run").wait_for(timeout=patient(15_000))
    _look(window, "many-bought", size)
    page.get_by_role("link", name="Packing slips of this run").click()
    assert page.locator(".sheet").count() == 2
    assert asked() == ["buy_label"] * 2 and Shipment.objects.count() == 2 and window.complaints == []
