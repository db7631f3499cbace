"""Holidays: they begin and end by themselves, the clock of orders stands still, nothing of a paused seller is sold."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crossdock.domain.due.away import AwayMode
from crossdock.domain.offers import Deed, Who
from crossdock.domain.values import Money
from crossdock.store.models import Connection, Listing, Mail, Order, RiskHold, Seller, Variant
from crossdock.store.models.catalogue import ListingState
from crossdock.usecases.accounts.away import come_back, keep, plan_away
from crossdock.usecases.accounts.working_days import due_now, due_of, due_words, expected_due, set_working_days
from crossdock.usecases.catalogue.finding import Wanted, find
from crossdock.usecases.catalogue.listings import make_listing, why_not_live
from crossdock.usecases.catalogue.offers import answer_offer, make_offer
from crossdock.usecases.checkout.basket import priced
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.money.protection import facts_of
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.usecases.orders.clear_risk_hold import clear_hold
from crossdock.usecases.orders.daily.order_list import in_queue, of_queue, queues
from market import World, user

pytestmark = pytest.mark.django_db
# A Monday; the seller lives in Los Angeles, eight hours behind.
NOON = datetime(2026, 11, 30, 20, tzinfo=UTC)
GO, BACK = date(2026, 12, 1), date(2027, 1, 7)
BEGIN, END = datetime(2026, 12, 1, 8, tzinfo=UTC), datetime(2027, 1, 7, 8, tzinfo=UTC)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


class Town(World):
    """The clock is moved by hand alone, so that the days are those of the test."""

    def later(self, seconds: float = 1) -> datetime:
        return self.at(self.now + timedelta(seconds=seconds))

    def at(self, now: datetime) -> datetime:
        """The shop was just heard of."""
        self.now = now
        Connection.objects.filter(pk=self.shop.pk).update(last_read_at=now)
        return now


def town(units: int = 9) -> Town:
    made = Town(units=units, now=NOON)
    Seller.objects.filter(pk=made.seller.pk).update(time_zone="America/Los_Angeles", handling_days=3)
    return made


@pytest.fixture
def world() -> Town:
    return town()


def seller_of(world: World) -> Seller:
    return Seller.objects.get(pk=world.seller.pk)


def plan(world: World, first: date | None = GO, back: date | None = BACK, mode: AwayMode = AwayMode.PAUSE) -> Seller:
    return plan_away(
        seller=seller_of(world), first=first, back=back, mode=mode, actor=world.seller.owner, now=world.now
    )


def fresh(order: Order) -> Order:
    return Order.objects.select_related("seller__owner").get(pk=order.pk)


def due(order: Order) -> str:
    order = fresh(order)
    return order.seller.calendar.day_of(order.ship_by).isoformat()


def found(world: World) -> list[Listing]:
    return list(find(wanted=Wanted(), now=world.now).listings)


def overdue(world: World, now: datetime) -> tuple[int, int, int]:
    """As the panel counts it, lists it, and as the API finds it."""
    seller = seller_of(world)
    listed = in_queue(seller=seller, queue="overdue", now=now)
    anybody = Order.objects.filter(of_queue(queue="overdue", now=now), seller=seller)
    return queues(seller=seller, now=now)["overdue"], len(listed), anybody.count()


def test_they_begin_and_end_by_themselves_in_the_seller_s_own_time_zone(world: Town) -> None:
    plan(world)
    keep(now=BEGIN - SECOND)
    assert len(found(world)) == 1 and seller_of(world).away_since is None
    keep(now=BEGIN)
    keep(now=BEGIN + SECOND)
    assert found(world) == [] and seller_of(world).away_since == BEGIN
    keep(now=END - SECOND)
    assert found(world) == []
    keep(now=END)
    keep(now=END)
    seller = seller_of(world)
    assert len(found(world)) == 1 and seller.away is None and seller.away_since is None
    assert sorted(Mail.objects.filter(to=world.seller.owner.email).values_list("subject", flat=True)) == [
        "Your holidays are over",
        "Your holidays have begun",
    ]


@pytest.mark.parametrize("begun", [False, True])
def test_in_another_time_zone_the_days_stay_the_same(world: Town, begun: bool) -> None:
    plan(world)
    if begun:
        keep(now=BEGIN)
    set_working_days(
        seller=seller_of(world),
        handling_days=3,
        time_zone="Europe/Berlin",
        weekdays=[1],
        holidays="",
        closed=[],
        actor=world.seller.owner,
    )
    away = seller_of(world).away
    assert away is not None
    assert away.begins == (BEGIN if begun else datetime(2026, 11, 30, 23, tzinfo=UTC))
    assert away.ends == datetime(2027, 1, 6, 23, tzinfo=UTC)


def test_a_worker_that_stood_still_all_the_time_makes_it_good(world: Town) -> None:
    order = world.buy()
    plan(world)
    keep(now=END + DAY)
    assert seller_of(world).away is None and due(order) == "2027-01-11", "as if it had run"


def test_what_was_left_out_stays_left_out_and_the_shop_is_read_on(world: Town) -> None:
    out = make_listing(
        seller=world.seller, title="Out", description="", price=Money(500, "USD"), count=1, now=world.now
    )
    Listing.objects.filter(pk=out.pk).update(state=ListingState.LEFT_OUT)
    plan(world)
    keep(now=BEGIN)
    listing = Listing.objects.get(pk=world.variant.listing_id)
    assert "on holiday" in " ".join(why_not_live(listing=listing, now=BEGIN))
    assert Connection.objects.get(pk=world.shop.pk).state == "active"
    keep(now=END)
    assert [row.pk for row in found(world)] == [world.variant.listing_id]
    assert Listing.objects.get(pk=out.pk).state == ListingState.LEFT_OUT


class TestOrdersThatWait:
    def test_their_clock_stands_still_and_goes_on(self, world: Town) -> None:
        """Due on Thursday, three working days from Tuesday on; back on a Thursday, so it is due on Monday."""
        order = world.buy()
        assert due(order) == "2026-12-03"
        plan(world)
        keep(now=BEGIN)
        assert overdue(world, END - SECOND) == (0, 0, 0)
        assert "11 January 2027, end of the day in Los Angeles" in due_words(fresh(order))
        shown = expected_due(fresh(order), seller_of(world))
        keep(now=END)
        assert due(order) == "2027-01-11" and fresh(order).ship_by == shown
        assert overdue(world, fresh(order).ship_by) == (0, 0, 0)
        assert overdue(world, fresh(order).ship_by + SECOND) == (1, 1, 1)
        assert "1 order waited" in Mail.objects.get(subject="Your holidays are over").body

    def test_with_an_open_end_nobody_knows_when_until_they_are_back(self, world: Town) -> None:
        order = world.buy()
        plan(world, back=None)
        keep(now=BEGIN)
        assert expected_due(fresh(order), seller_of(world)) is None and overdue(world, END) == (0, 0, 0)
        keep(now=END)
        assert seller_of(world).away_since == BEGIN
        # At noon: that day is lost.
        assert come_back(seller=seller_of(world), actor=world.seller.owner, now=END + DAY / 4)
        assert due(order) == "2027-01-12"
        assert not come_back(seller=seller_of(world), actor=world.seller.owner, now=END + DAY)

    def test_what_was_late_before_stays_late(self, world: Town) -> None:
        order = world.buy()
        Order.objects.filter(pk=order.pk).update(ship_by=BEGIN - SECOND)
        plan(world)
        keep(now=BEGIN)
        assert overdue(world, BEGIN) == (1, 1, 1)
        keep(now=END)
        assert fresh(order).ship_by == BEGIN - SECOND

    def test_what_leaves_meanwhile_left_in_time(self, world: Town) -> None:
        order = world.buy()
        plan(world)
        keep(now=BEGIN)
        left = BEGIN + 10 * DAY
        ship_by_hand(order=order, lines=None, tracking="T", carrier="UPS", actor=world.seller.owner, now=left)
        for now in (left, END - SECOND):
            assert facts_of(fresh(order), now=now).ship_by > left
        keep(now=END)
        assert facts_of(fresh(order), now=END).ship_by > left

    def test_what_stood_still_before_gets_its_time_once(self, world: Town) -> None:
        order = world.buy()
        RiskHold.objects.create(order=order, held_at=BEGIN - DAY / 24)
        plan(world)
        keep(now=BEGIN)
        keep(now=END)
        assert due(order) == "2026-12-03"
        clear_hold(order=order, actor=user(is_staff=True), note="", now=END + DAY / 24)
        # Four were left, Monday among them, and the day of the release is lost.
        assert due(order) == "2027-01-13"

    def test_a_cancelled_one_is_left_alone(self, world: Town) -> None:
        order = world.buy()
        plan(world)
        keep(now=BEGIN)
        Order.objects.filter(pk=order.pk).update(cancelled_at=BEGIN)
        keep(now=END)
        assert due(order) == "2026-12-03"


class TestSellingOn:
    def test_orders_are_due_when_the_seller_is_back(self, world: Town) -> None:
        plan(world, mode=AwayMode.LATER)
        keep(now=BEGIN)
        world.at(BEGIN + DAY)
        assert len(found(world)) == 1 and priced_problems(world) == []
        order = world.buy()
        assert (
            due(order) == "2027-01-11"
            and "11 January 2027" in Mail.objects.get(cause=f"new_order:{order.reference}").body
        )
        keep(now=END)
        assert due(order) == "2027-01-11"

    def test_who_stays_longer_gives_them_later_and_who_is_back_earlier_keeps_the_promise(self, world: Town) -> None:
        plan(world, mode=AwayMode.LATER)
        keep(now=BEGIN)
        world.at(BEGIN + DAY)
        order = world.buy()
        plan(world, first=None, back=date(2027, 1, 14), mode=AwayMode.LATER)
        keep(now=END)
        assert seller_of(world).away_since == BEGIN
        keep(now=END + 7 * DAY)
        # The 18th is Martin Luther King's day.
        assert due(order) == "2027-01-19"
        again = town()
        plan(again, mode=AwayMode.LATER)
        keep(now=BEGIN)
        again.at(BEGIN + DAY)
        early = again.buy()
        come_back(seller=seller_of(again), actor=again.seller.owner, now=BEGIN + 3 * DAY)
        assert due(early) == "2027-01-11"

    def test_it_has_to_say_until_when(self, world: Town) -> None:
        with pytest.raises(Invalid, match="Say when you are back"):
            plan(world, back=None, mode=AwayMode.LATER)


def priced_problems(world: World) -> list[str]:
    shown = priced(basket={"lines": {world.variant.public_id: 1}}, country="US", now=world.now)
    return list(shown.problems)


class TestNothingIsSold:
    def test_a_cart_says_why(self, world: Town) -> None:
        plan(world)
        keep(now=BEGIN)
        (why,) = priced_problems(world)
        assert "The seller is on holiday. It can be bought again on 7 January." in why

    def test_no_offer_is_made_and_what_was_agreed_is_paid(self, world: Town) -> None:
        own = make_listing(
            seller=world.seller, title="Own", description="", price=Money(900, "USD"), count=2, now=world.now
        )
        variant, buyer = own.variants.get(), user()
        terms: dict[str, Any] = {"quantity": 1, "amount": Money(500, "USD"), "manifest": None}
        offer = make_offer(buyer=buyer, variant=variant, now=world.now, **terms)
        plan(world)
        keep(now=BEGIN)
        with pytest.raises(NotAllowed, match="on holiday"):
            make_offer(buyer=user(), variant=Variant.objects.get(pk=variant.pk), now=world.now, **terms)
        agreed = answer_offer(offer=offer, who=Who.SELLER, deed=Deed.ACCEPT, seen=Money(500, "USD"), now=world.now)
        shown = priced(basket={"lines": {}, "offers": [agreed.public_id]}, country="US", now=world.now)
        assert shown.problems == ()


class TestPlanning:
    @pytest.mark.parametrize(
        ("first", "back", "why"),
        [
            (None, BACK, "on which day"),
            (date(2026, 11, 29), BACK, "today or later"),
            (date(2028, 1, 1), None, "within a year"),
            (GO, GO, "after the first one"),
            (GO, date(2027, 12, 31), "a year at most"),
        ],
    )
    def test_what_cannot_be_is_said(self, world: Town, first: date | None, back: date | None, why: str) -> None:
        with pytest.raises(Invalid, match=why):
            plan(world, first=first, back=back)
        assert seller_of(world).away is None

    def test_today_is_now_and_what_is_planned_can_be_changed_or_called_off(self, world: Town) -> None:
        plan(world)
        assert come_back(seller=seller_of(world), actor=world.seller.owner, now=world.now)
        assert seller_of(world).away is None and not Mail.objects.filter(subject__startswith="Your holidays").exists()
        plan(world)
        plan(world, first=date(2026, 11, 30))
        assert seller_of(world).away_since == NOON
        with pytest.raises(Invalid, match="after today"):
            plan(world, first=None, back=date(2026, 11, 30))

    def test_only_for_their_own(self, world: Town) -> None:
        for deed in (
            lambda: come_back(seller=seller_of(world), actor=user(), now=NOON),
            lambda: plan_away(
                seller=seller_of(world), first=GO, back=None, mode=AwayMode.PAUSE, actor=user(), now=NOON
            ),
        ):
            with pytest.raises(NotAllowed):
                deed()


def test_many_sellers_take_as_many_statements_as_one() -> None:
    def spent(worlds: list[Town]) -> list[int]:
        counted = []
        orders = [world.buy() for world in worlds]
        for world in worlds:
            plan(world)
        for now in (BEGIN, END):
            with CaptureQueriesContext(connection) as caught:
                keep(now=now)
            counted.append(len(caught.captured_queries))
        assert {due(order) for order in orders} == {"2027-01-11"}
        return counted

    one = spent([town()])
    assert spent([town(), town(), town()]) == one
    with CaptureQueriesContext(connection) as caught:
        keep(now=END + DAY)
    assert sum(query["sql"].startswith(("SELECT", "UPDATE", "INSERT")) for query in caught.captured_queries) == 2


def test_new_orders_are_due_as_always_without_holidays(world: Town) -> None:
    order = world.buy()
    assert fresh(order).ship_by == due_of(seller_of(world), order.placed_at) == due_now(fresh(order), now=END)
