"""Staff's panel in a real Chromium: every page at a phone's and a desk's width in both lights, sending again after a
look, acting as a seller.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from crossdock.domain.alerts import AlertCode
from crossdock.store.models import (
    AuditEntry,
    Call,
    Command,
    Connection,
    Delivery,
    Exchange,
    Order,
    Party,
    Quarantined,
)
from crossdock.store.models.quarantine import QuarantineKind
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.usecases.parties import quarantine
from crossdock.usecases.record.alerts import raise_alert
from crossdock.usecases.record.policy import switch
from market import World, user
from market import connection as a_connection
from market import seller as a_seller
from page_checks import faults, pale, too_wide

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
EMAIL = "staff@example.test"
SHOTS = os.environ.get("CROSSDOCK_CHROMIUM_SHOTS", "")
OLD = "The shop did not answer: 503 Service Unavailable, after 14 tries in two hours."


@pytest.fixture
def world() -> World:
    """A market on a bad day: a platform fails for many shops, commands gave up, deliveries wait."""
    made = World(units=99, now=datetime.now(UTC))
    staff = user(EMAIL, name="Sam Staff", is_staff=True)
    order = _landed(made)
    ship_by_hand(
        order=order, lines=None, tracking="1Z999AA10123456784", carrier="UPS", actor=made.seller.owner, now=made.later()
    )
    for _ in range(2):
        dead = made.buy()
        Command.objects.filter(cause=f"create:{dead.reference}").update(state="dead", attempts=14, sentence=OLD)
    for minute in range(4):
        shop = a_connection(a_seller(f"Søren's Long-Named Card & Comic Emporium {minute}"))
        since = datetime.now(UTC) - timedelta(minutes=90 - minute)
        Party.objects.filter(pk=shop.party_id).update(
            failures=14, failing_since=since, last_error="503 Service Unavailable"
        )
    looks = {"looks": [{"kind": "order", "entity_id": order.copy.shop_order_id}]}
    for n in range(2):
        Delivery.objects.create(
            party=made.shop.party,
            topic="orders/updated",
            dedupe=f"d{n}",
            news=looks,
            body=b"",
            doubles=n,
            received_at=made.now - timedelta(hours=1),
            handled_at=made.now if n else None,
            note="The order is as it was." if n else "",
        )
    Exchange.objects.create(
        party=made.shop.party,
        subject=order.reference,
        at=made.now,
        method="POST",
        url="https://shop.example.test/admin/api/orders.json",
        status=201,
        milliseconds=310,
    )
    raise_alert(
        code=AlertCode.ORDER_DIFFERS,
        seller=made.seller,
        order=order,
        sentence="The total in the shop is $14.00, here it is $15.00.",
        now=made.now,
    )
    raise_alert(
        code=AlertCode.HIGH_RISK,
        seller=made.seller,
        order=order,
        sentence="Look at this one.",
        for_staff=True,
        now=made.now,
    )
    switch(rule="S3", lift=True, actor=staff, now=made.now, why="Sellers asked for it.")
    return made


def _landed(world: World) -> Order:
    order = world.buy()
    (claimed,) = world.claim()
    world.settle(claimed, world.create_there(order))
    return Order.objects.select_related("copy").get(pk=order.pk)


def _odd(world: World) -> int:
    """A few things that could not be read, and the one whose page is looked at."""
    Call.objects.create(
        key="c1", party=world.shop.party, about=["77"], operation="order", given={"shop_id": "77"}, at=world.now
    )
    Exchange.objects.create(
        party=world.shop.party,
        call="c1",
        at=world.now,
        method="GET",
        url="https://shop.example.test/wp-json/wc/v3/orders/77",
        status=200,
        milliseconds=120,
        response='{"id": 77, "total": null, "line_items": []}',
    )
    cause = "The shop's answer has no amount at total (it has NoneType)."
    trace = "Traceback (most recent call last):\n" + '  File "mapper.py", line 214, in order\n' * 30
    orders = [quarantine.Trip(QuarantineKind.ORDER, str(n), cause, "orders[3].total", trace) for n in (77, 78, 79)]
    product = quarantine.Trip(QuarantineKind.PRODUCT, "gid://shop/Product/9001", "This product could not be read.")
    party = world.shop.party_id
    quarantine.hold(party_id=party, trips=[*orders, product], call="c1", now=world.now)
    return Quarantined.objects.get(entity="77").pk


def _pages(world: World) -> dict[str, str]:
    order = Order.objects.order_by("pk")[0].public_id
    return {
        "home": "/staff/",
        "find": "/staff/find/?q=Ember",
        "find-nothing": "/staff/find/?q=zzz",
        "sellers": "/staff/sellers/",
        "seller": f"/staff/sellers/{world.seller.public_id}/",
        "order": f"/staff/orders/{order}/",
        "shops": "/staff/shops/",
        "ill": "/staff/shops/?state=ill",
        "shop": f"/staff/shops/{world.shop.public_id}/",
        "commands": "/staff/commands/",
        "resend": "/staff/commands/resend/?every=1",
        "inbox": "/staff/inbox/",
        "quarantine": "/staff/quarantine/",
        "quarantined": f"/staff/quarantine/{_odd(world)}/?play=1",
        "alerts": "/staff/alerts/?which=staff",
        "policy": "/staff/policy/",
        "rule": "/staff/policy/S3/",
        "audit": "/staff/audit/",
        "tokens": "/staff/tokens/",
        "roles": "/staff/roles/",
        "retention": "/staff/retention/",
        "nothing": "/staff/commands/?state=in_flight",
    }


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark"), (320, "light")])
def test_every_page_at_every_width_in_both_lights(
    visitor: Callable[..., Any], world: World, width: int, scheme: str
) -> None:
    site = visitor(color_scheme=scheme, viewport={"width": width, "height": 844})
    page = site.tab()
    site.sign_in(page, EMAIL)
    wrong: list[str] = []
    for name, path in _pages(world).items():
        page.goto(site.url + path)
        wrong += [*faults(page), *pale(page), *too_wide(page)]
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/staff-{name}-{width}.png", full_page=True)
    assert wrong == []
    assert site.complaints == []


def test_what_is_ticked_is_looked_at_and_sent_again_once(visitor: Callable[..., Any], world: World) -> None:
    site = visitor()
    page = site.tab()
    site.sign_in(page, EMAIL)
    page.goto(f"{site.url}/staff/")
    page.get_by_role("link", name="Commands that gave up").click()
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Send the ticked ones again…").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Send 2 again?")
    page.get_by_role("button", name="Send 2 again").dblclick()
    page.get_by_text("2 are tried again now.").wait_for()
    assert Command.objects.filter(state="dead").count() == 0
    assert AuditEntry.objects.filter(action="resent").count() == 2


def test_acting_as_a_seller_by_keyboard_and_ending_it(visitor: Callable[..., Any], world: World) -> None:
    for script in (True, False):
        site = visitor(java_script_enabled=script)
        page = site.tab()
        site.sign_in(page, EMAIL)
        page.goto(f"{site.url}/staff/sellers/{world.seller.public_id}/")
        page.get_by_label("Why?").fill("Phone call 17")
        page.get_by_role("button", name="Act as this seller").press("Enter")
        page.get_by_text(f"You act as {world.seller.name}").wait_for()
        if SHOTS and script:
            page.screenshot(path=f"{SHOTS}/staff-acting-1280.png", full_page=True)
        wrong = [*faults(page), *too_wide(page), *(pale(page) if script else [])]
        page.get_by_role("link", name="Orders", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Orders")
        page.get_by_role("button", name="End", exact=True).press("Enter")
        page.get_by_text(f"You no longer act as {world.seller.name}.").wait_for()
        assert page.get_by_text("You act as").count() == 0
        assert wrong == []
    assert AuditEntry.objects.filter(action="ended acting as").count() == 2


def test_a_shop_is_paused_and_resumed(visitor: Callable[..., Any], world: World) -> None:
    site = visitor(viewport={"width": 390, "height": 844})
    page = site.tab()
    site.sign_in(page, EMAIL)
    page.goto(f"{site.url}/staff/shops/{world.shop.public_id}/")
    page.get_by_role("button", name="Pause this shop").click()
    assert Connection.objects.get(pk=world.shop.pk).state == "active", "it asks why first"
    page.get_by_label("Why? The seller reads this.").fill("The platform loses orders.")
    page.get_by_role("button", name="Pause this shop").click()
    page.get_by_text("and its seller is told").wait_for()
    page.get_by_role("button", name="Resume").click()
    page.get_by_text(f"{world.shop.name} is resumed").wait_for()
    assert Connection.objects.get(pk=world.shop.pk).state == "active"
