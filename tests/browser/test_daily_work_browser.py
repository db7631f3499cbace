"""A day of two hundred orders in a real Chromium: found and ticked by keys, rejected, tagged and shipped by runs until
nothing is left to ship; and what the database says of each order afterwards.
"""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Thread
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count
from playwright.sync_api import expect

import run_turns
from crossdock.domain.commands import Done
from crossdock.store.models import (
    BulkRow,
    BulkRun,
    Command,
    Credit,
    Mail,
    Order,
    OrderView,
    Shipment,
    TimelineEntry,
)
from crossdock_lab.patience import patient
from market import World
from page_checks import faults, pale, too_wide

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.long]
MANY, BIG = 200, 12
LIST = "/seller/orders/"


def _world() -> World:
    """A seller with two hundred orders that are in their shop, of which twelve are of three units."""
    world = World(units=MANY + 2 * BIG, now=datetime.now(UTC))
    world.seller.owner.set_password("pass-word-1")
    world.seller.owner.save()
    for number in range(MANY):
        world.buy(3 if number % 16 == 5 and number // 16 < BIG else 1)
    _land(world)
    return world


def _land(world: World) -> None:
    orders = {order.reference: order for order in Order.objects.filter(connection=world.shop)}
    while claimed := world.claim():
        for one in claimed:
            world.settle(one, world.create_there(orders[one.subject]) if one.kind == "create_order" else Done(""))


def _turns() -> None:
    """Two workers at once, as an operator may run them."""
    tripped: list[BaseException] = []

    def turn() -> None:
        try:
            run_turns.work(lambda: datetime.now(UTC))
        except BaseException as error:
            tripped.append(error)
        finally:
            connection.close()

    workers = [Thread(target=turn) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(patient(120))
    assert not tripped and not any(worker.is_alive() for worker in workers)


def _whole_list(page: Any, deed: str, many: int) -> None:
    page.locator("#deed").select_option(deed)
    page.get_by_role("button", name=f"All {many} of this list…").click()
    expect(page.locator("h1")).to_contain_text(f"{many} order")


def _tagged_by_keys(page: Any, order: Order) -> None:
    """Found, ticked and tagged without a mouse."""
    page.keyboard.press("/")
    page.keyboard.type(str(order.number))
    page.keyboard.press("Enter")
    page.wait_for_url("**q=*")
    expect(page.locator("table.orders tbody tr")).to_have_count(1)
    for key in ("j", "x", "b"):
        page.keyboard.press(key)
    page.keyboard.type("Tag")
    expect(page.locator("#deed")).to_have_value("tag")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("#tag").focus()
    page.keyboard.type("call first")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/*/")


def _big_ones_as_a_tab(page: Any) -> None:
    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("Total from").fill("30")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("table.orders tbody tr")).to_have_count(BIG)
    page.get_by_label("Keep this list as a tab").fill("Big ones")
    page.get_by_role("button", name="Keep").click()
    tab = page.get_by_role("navigation", name="Queues").get_by_role("link", name="Big ones")
    expect(tab).to_contain_text(str(BIG))
    page.goto(page.url.split("?")[0])
    tab.click()


def _rejected(page: Any) -> None:
    _whole_list(page, "reject", BIG)
    page.get_by_label("Why?").select_option("not_available")
    # What one page was shown for is done once, however often its button is pressed.
    page.get_by_role("button", name="Reject 12 and credit $420.00").dblclick()
    page.wait_for_url("**/runs/*/")
    expect(page.get_by_role("status")).to_contain_text(f"{BIG} to go")
    _turns()
    # It loads itself again.
    expect(page.get_by_role("status")).to_contain_text(f"{BIG} done.", timeout=patient(15_000))


def _number_of(order: Order) -> str:
    return f"LX{order.number:09d}DE"


def _numbers_pasted(page: Any, orders: list[Order]) -> None:
    """Of all orders, the rejected ones included, and a line that belongs to none."""
    page.get_by_text("Paste tracking numbers").click()
    lines = [f"{order.number}\t{_number_of(order)}\tUPS" for order in orders]
    page.get_by_label("Order number and tracking number in each line").fill("\n".join([*lines, "4711\tTRACK-1\tUPS"]))
    page.get_by_role("button", name="Put them in below").click()
    expect(page.get_by_role("alert")).to_have_text("Line 201: none of the orders below has the number 4711.")
    expect(page.locator("main")).to_contain_text(f"{MANY - BIG} will be done, {BIG} will be skipped")


def _facts(world: World, tagged: Order, beside: Order) -> None:
    """Each order once, shipped or rejected, with its story, its mails and its words to the shop; and nothing else."""
    mine = Order.objects.filter(connection=world.shop)
    big = set(mine.filter(total_minor__gt=3000).values_list("pk", flat=True))
    rest = set(mine.values_list("pk", flat=True)) - big
    parcels = list(Shipment.objects.values_list("order_id", "tracking_number", "carrier"))
    assert sorted(parcels) == sorted((order.pk, _number_of(order), "UPS") for order in mine if order.pk in rest)
    assert set(mine.filter(parcels="shipped").values_list("pk", flat=True)) == rest
    assert set(mine.filter(cancelled_at__isnull=False).values_list("pk", flat=True)) == big
    credits = Credit.objects.values_list("order_id").annotate(n=Count("pk"))
    assert dict(credits) == dict.fromkeys(big, 1) and len(big) == BIG
    assert all(order.money == ("credited" if order.pk in big else "paid") for order in mine)
    told = TimelineEntry.objects.filter(kind__in=("shipped", "rejected")).values_list("order_id", "kind")
    assert Counter(told) == Counter([(pk, "shipped") for pk in rest] + [(pk, "rejected") for pk in big])
    mails = Mail.objects.filter(order__in=mine, cause__regex="^(shipped|rejected|tracking):")
    heard = Counter((mail.order_id, mail.to, mail.cause.split(":")[0]) for mail in mails.select_related("order"))
    buyers = {order.pk: order.buyer.email for order in mine.select_related("buyer") if order.buyer}
    assert heard == Counter([(pk, buyers[pk], "shipped") for pk in rest] + [(pk, buyers[pk], "rejected") for pk in big])
    kinds = Command.objects.filter(party=world.shop.party).values_list("kind").annotate(n=Count("pk"))
    assert {kind: n for kind, n in kinds if kind != "create_order"} == {
        "write_fulfilment": MANY - BIG,
        "cancel_order": BIG,
    }
    assert Command.objects.filter(kind="refund_payment").count() == BIG
    beside.refresh_from_db()
    assert (beside.parcels, beside.cancelled_at) == ("unshipped", None)
    assert [tag.tag.name for tag in tagged.tags.select_related("tag")] == ["call first"]


def test_two_hundred_orders_in_a_day(visitor: Callable[..., Any]) -> None:
    world, beside = _world(), World(units=2, now=datetime.now(UTC)).buy()
    orders = list(Order.objects.filter(connection=world.shop).order_by("pk"))
    site = visitor()
    page, others = site.tab(), [site.tab(), site.tab()]
    site.sign_in(page, world.seller.owner.email)
    page.goto(site.url + LIST)
    expect(page.locator("nav.tabs").get_by_role("link", name="To ship")).to_contain_text(str(MANY))
    # Two tabs have the same list before them since the morning.
    for tab in others:
        tab.goto(f"{site.url}{LIST}?queue=to_ship")
        _whole_list(tab, "ship", MANY)
    _tagged_by_keys(page, orders[7])
    _turns()
    page.goto(site.url + LIST)
    _big_ones_as_a_tab(page)
    _rejected(page)
    for tab in others:
        _numbers_pasted(tab, orders)
        assert not Shipment.objects.exists(), "nothing happens before the button"
    found = [*faults(others[0]), *pale(others[0]), *too_wide(others[0])]
    for tab in others:
        tab.get_by_role("button", name=f"Ship: {MANY - BIG} orders").click()
        tab.wait_for_url("**/runs/*/")
        # Left, as a seller may; it would load itself again to the end.
        tab.close()
    _turns()
    _land(world)
    page.goto(site.url + LIST)
    expect(page.locator("main")).to_contain_text("Nothing to ship")
    expect(page.locator("nav.tabs").get_by_role("link", name="To ship")).to_contain_text("0")
    shipping = BulkRun.objects.filter(kind="ship")
    ends = Counter(BulkRow.objects.filter(run__in=shipping).values_list("state", "sentence"))
    once = sum(n for (state, _), n in ends.items() if state == "done")
    assert (once, ends["failed", "Everything is shipped already."]) == (MANY - BIG, MANY - BIG), ends
    assert sum(n for (state, _), n in ends.items() if state == "skipped") == 2 * BIG
    assert Counter(BulkRun.objects.values_list("kind", "state")) == {
        ("tag", "done"): 1,
        ("reject", "done"): 1,
        ("ship", "done"): 2,
    }
    assert OrderView.objects.get().name == "Big ones"
    assert found == [] and site.complaints == []
    site.context.close()
    _facts(world, orders[7], beside)
