"""Staff's risk pages in a real Chromium, at a desk's and a phone's width: an order that waits, a proposal, rules in
shadow, lists, everything about one order.
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect
from tests.usecases.risk.test_risk import BAD, GOOD, bought

from crossdock.domain.risk import WEIGHTS, RuleSet
from crossdock.store.models import Order
from crossdock.store.models.risk import RiskChoice, RiskListKind, RiskListWhat
from crossdock.usecases.risk.holds import choose, held
from crossdock.usecases.risk.labels import label_order
from crossdock.usecases.risk.lists import add_to_list
from crossdock.usecases.risk.rules import keep_fitted, propose
from crossdock.usecases.risk.trace import Origin
from market import World, user
from page_checks import faults, pale, too_wide

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
EMAIL = "staff@example.test"
SHOTS = os.environ.get("CROSSDOCK_CHROMIUM_SHOTS", "")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_every_risk_page_and_a_held_order_is_cleared(visitor: Callable[..., Any], width: int, scheme: str) -> None:
    now = datetime.now(UTC) - timedelta(hours=3)
    world, staff = World(units=50, now=now), user(EMAIL, name="Sam Staff", is_staff=True)
    here = Origin("203.0.113.5", "d" * 22)
    first = bought(world, GOOD, now=now)
    choose(to=RiskChoice.HOLD, actor=staff, now=now)
    order = bought(world, {**BAD, "card_fingerprint": "f1"}, origin=here, now=now + timedelta(hours=1))
    label_order(order=first, fraud=True, actor=staff, why="The bank says so.", now=now + timedelta(hours=2))
    add_to_list(
        kind=RiskListKind.FORWARDER,
        what=RiskListWhat.ADDRESS,
        text="8425 Dock Road Suite 4, 33122, US",
        remark="Seen often",
        actor=staff,
        now=now,
    )
    proposed = propose(
        weights={"cvc": 50}, medium_from=30, high_from=60, remark="The code tells more", actor=staff, now=now
    )
    lines = [
        "212 orders, 31 frauds. AUC 0.871, recall at 1 % false alarms 0.412",
        "The fitted rules are not better; leave the ones in force.",
    ]
    fitted = keep_fitted(rules=RuleSet(weights={**WEIGHTS, "cvc": 60}), lines=lines, beats=False, now=now)
    site = visitor(color_scheme=scheme, viewport={"width": width, "height": 844})
    page = site.tab()
    site.sign_in(page, EMAIL)
    wrong: list[str] = []
    pages = {
        "home": "/staff/risk/",
        "rules": "/staff/risk/rules/",
        "lists": "/staff/risk/lists/",
        "order": f"/staff/orders/{order.public_id}/risk/",
        "proposed": f"/staff/risk/rules/{proposed.pk}/",
        "fitted": f"/staff/risk/rules/{fitted.pk}/",
    }
    for name, path in pages.items():
        page.goto(site.url + path)
        wrong += [*faults(page), *pale(page), *too_wide(page)]
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/risk-{name}-{width}.png", full_page=True)
    assert wrong == []
    expect(page.get_by_role("button", name="Put it in force")).to_have_count(0)
    page.goto(site.url + pages["order"])
    page.get_by_label("Why it is all right").fill("Rang them up.")
    page.get_by_role("button", name="Clear it").click()
    expect(page.get_by_text("Rang them up.")).to_be_visible()
    assert not held(Order.objects.get(pk=order.pk))
    assert site.complaints == []
