"""Commission by category and promotion: set by staff after they saw whom it concerns, fixed when an order is paid, and
explained line by line on the order, in the statement and its CSV.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.web.seller.test_money_pages import words_of
from tests.web.staff.test_staff_panel import Desk

from crossdock.domain.values import Money
from crossdock.store.models import AuditEntry, CommissionRule, Entry, Listing, Order, OrderLine, User, Variant
from crossdock.usecases.catalogue.listings import make_listing
from crossdock.usecases.catalogue.taxonomy import define
from crossdock.usecases.checkout import checkout
from crossdock.usecases.checkout.basket import priced
from crossdock.usecases.money import books
from crossdock.usecases.money.statement import Period, page_of
from market import ADDRESS, World, user

pytestmark = pytest.mark.django_db
NEW = "/staff/commission/new/"
CATEGORIES = [{"key": "cards", "name": "Cards"}, {"key": "singles", "name": "Single cards", "in": "cards"}]


@pytest.fixture
def world() -> World:
    return World(units=99, now=datetime.now(UTC))


@pytest.fixture
def desk() -> Desk:
    return Desk(user(name="Ana Admin", is_staff=True, roles="admin"))


@pytest.fixture
def card(world: World, desk: Desk) -> Variant:
    """In the category of single cards, unlike everything else."""
    define(document={"attributes": [], "categories": CATEGORIES}, actor=desk.who, now=world.now)
    price = Money(733, "USD")
    listing = make_listing(seller=world.seller, title="Card", description="", price=price, count=9, now=world.now)
    Listing.objects.filter(pk=listing.pk).update(facts=["category=cards", "category=singles"])
    return listing.variants.get()


def send(desk: Desk, **given: Any) -> Any:
    today = datetime.now(UTC).date()
    data = {"percent": "12", "category": "cards", "seller": "", "since": today, "until": "", "why": "contract"} | given
    return desk.client.post(NEW, data)


def set_rate(desk: Desk, **given: Any) -> None:
    shown = send(desk, **given)
    assert shown.status_code == 200, words_of(shown)
    seen = shown.context["shown"].seen
    assert send(desk, **given, seen=seen).status_code == 302
    rules = CommissionRule.objects.count()
    assert send(desk, **given, seen=seen).status_code == 302, "pressed again"
    assert CommissionRule.objects.count() == rules


def buy(world: World, *things: Variant) -> Order:
    basket: Any = {"lines": {thing.public_id: 1 for thing in things}}
    now, buyer = datetime.now(UTC), user()
    shown = priced(basket=basket, country="US", now=now)
    given = {"basket": basket, "ship_to": ADDRESS, "fingerprint": shown.fingerprint, "gateway": "sandbox", "now": now}
    intent = checkout.open_checkout(buyer=buyer, key=f"checkout-{buyer.pk}", **given)
    checkout.place_order(intent_id=intent.public_id, gateway_ref="r", checks={}, now=now)
    return Order.objects.get(intent=intent)


def rates(order: Order) -> list[tuple[int | None, str]]:
    return list(OrderLine.objects.filter(order=order).order_by("variant").values_list("fee_points", "fee_why"))


def test_each_line_keeps_its_rate_and_every_page_says_it(world: World, desk: Desk, card: Variant) -> None:
    shown = send(desk)
    assert "This concerns 1 live listing of 1 seller" in words_of(shown) and not CommissionRule.objects.exists()
    assert "8 %, own commission" in words_of(shown) and "12 %, the rate of Cards" in words_of(shown)
    set_rate(desk)
    price = Money(1500, "USD")
    plain = make_listing(seller=world.seller, title="Owl", description="", price=price, count=9, now=world.now)
    order = buy(world, plain.variants.get(), card)
    assert rates(order) == [(1200, "the rate of Cards"), (800, "own commission")]
    lines = list(order.lines.order_by("-variant"))
    assert sum(line.fee_minor or 0 for line in lines) == books.fee_of(order=order) > order.total_minor * 800 // 10_000
    assert not Entry.objects.filter(account="fees", amount_minor__gt=0).exists()
    set_rate(desk, percent="20", category="singles")
    assert rates(order)[0] == (1200, "the rate of Cards"), "what was paid keeps its rate"
    assert rates(buy(world, card)) == [(2000, "the rate of Single cards")]
    words = f"Card: ${lines[1].fee} (12 %, the rate of Cards)"
    seller = Desk(world.seller.owner).client
    assert words in words_of(seller.get(f"/seller/orders/{order.public_id}/"))
    assert words in words_of(desk.client.get(f"/staff/orders/{order.public_id}/"))
    (line, same) = page_of(seller=world.seller, period=Period("USD"), before=None, limit=2)[::-1]
    assert f"1 × Card: fee ${lines[1].fee} (12 %, the rate of Cards)" in line.words
    assert line.fee.minor == -sum(one.fee_minor or 0 for one in lines) and "our fee is 20 %" in same.words
    csv = b"".join(seller.get("/seller/money/statement/statement.csv").streaming_content).decode()
    assert f"fee ${lines[1].fee} (12 %, the rate of Cards)" in csv


def test_a_promotion_holds_for_its_seller_until_its_last_day(world: World, desk: Desk, card: Variant) -> None:
    set_rate(desk)
    today = datetime.now(UTC).date()
    set_rate(desk, percent="0", category="", seller=world.seller.owner.email, until=today)
    order = buy(world, card)
    assert rates(order) == [(0, f"own promotion until {today:%d %B %Y}")] and books.fee_of(order=order) == 0
    assert "0 %" in words_of(desk.client.get("/staff/commission/"))
    row = CommissionRule.objects.get(basis_points=0)
    assert row.until == datetime(today.year, today.month, today.day, tzinfo=UTC) + timedelta(days=1)
    for _ in range(2):
        assert desk.client.post(f"/staff/commission/{row.public_id}/end/").status_code == 302
    assert rates(buy(world, card)) == [(1200, "the rate of Cards")]
    noted = AuditEntry.objects.filter(action__startswith="commission").order_by("pk").values_list("action", flat=True)
    assert list(noted) == ["commission rule", "commission rule", "commission rule ended"]
    assert "Over" in words_of(desk.client.get("/staff/commission/?which=over"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"percent": "51"}, "The commission is from 0 to 50 %."),
        ({"percent": "many"}, "Type per cent with at most two decimals"),
        ({"since": "2030-01-02", "until": "2030-01-01"}, "It would be over before it begins."),
        ({"until": "2020-01-01"}, "It would be over before it begins."),
        ({"until": "9999-12-31"}, "Choose a day before the year 3000."),
        ({"seller": "nobody@example.test"}, "Nobody sells under this address."),
        ({"category": "coins"}, "Select a valid choice"),
        ({"why": " "}, "This field is required"),
        ({"seen": "old"}, "Another rule was set meanwhile."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_set(card: Variant, desk: Desk, given: Any, said: str) -> None:
    refused = send(desk, **given)
    assert refused.status_code == 422 and said in words_of(refused)
    assert not CommissionRule.objects.exists()


def test_only_who_sets_rules_sees_it(world: World, card: Variant) -> None:
    people: list[User] = [user(is_staff=True, roles="finance"), world.seller.owner]
    assert [Desk(person).client.get(NEW).status_code for person in people] == [403, 404]
