"""Labels bought here (S2): what is refused before anybody is asked, bought once whatever is pressed twice, the books,
the parcel, and taking back.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from crossdock.domain.commands import CancelReason, Done, Later, Refused, Unknown, Why
from crossdock.domain.labels import (
    Can,
    CustomsItem,
    LabelState,
    Parcel,
    TrackEvent,
    TrackStatus,
    VoidState,
    Wanted,
    why_not_label,
    why_not_parcel,
)
from crossdock.domain.values import Address, Money
from crossdock.engine import invariants
from crossdock.store.models import Alert, Command, Label, Mail, Order, RiskHold, Shipment, Transfer, Variant
from crossdock.usecases.catalogue.listings import make_listing
from crossdock.usecases.checkout import checkout
from crossdock.usecases.checkout.basket import Basket, priced
from crossdock.usecases.errors import Invalid, NotAllowed, Stale
from crossdock.usecases.labels import purchase
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.usecases.orders.reject import reject_order
from crossdock.usecases.record import policy
from crossdock.usecases.stock.reservations import availability
from labelling import CAN, CHEAP, FAST, HOME, SMALL, Counter, asked, owed
from market import ADDRESS, World, user

pytestmark = pytest.mark.django_db
BERLIN = Address(name="Jo", line1="Hauptstr. 1", city="Berlin", country="DE", postal_code="10115")
CARD = CustomsItem("Trading card", 1, Money(1000, "USD"), "JP", "950490")


@pytest.fixture
def world(no_jobs: None) -> World:
    return World(units=5)


@pytest.fixture
def counter(world: World) -> Counter:
    return Counter(world)


@pytest.fixture
def no_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here runs a worker."""


def wanted(**changed: object) -> Wanted:
    return replace(Wanted("r", HOME, ADDRESS, SMALL), **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "lifted", "can", "said"),
    [
        ({}, False, Can(), ""),
        ({"ship_to": BERLIN}, False, CAN, "goes only to the US, and this order goes to Germany"),
        ({"ship_from": BERLIN}, False, CAN, "starts in the US"),
        ({"insured": Money(5000, "USD")}, False, CAN, "no extra insurance"),
        ({"ship_to": BERLIN}, True, Can(), "sends nothing abroad"),
        ({"ship_to": BERLIN}, True, CAN, "say for customs what is in it"),
        ({"ship_to": BERLIN, "customs": (CARD,)}, True, CAN, ""),
        ({"ship_to": BERLIN, "customs": (replace(CARD, hs_code="12"),)}, True, CAN, "HS code"),
        ({"ship_to": BERLIN, "customs": (replace(CARD, origin="XX"),)}, True, CAN, "country in which"),
        ({"ship_to": BERLIN, "customs": (replace(CARD, value=Money(0, "USD")),)}, True, CAN, "worth"),
        ({"insured": Money(5000, "USD")}, True, Can(), "offers no insurance"),
        ({"insured": Money(5000, "USD")}, True, CAN, ""),
        ({"insured": Money(100_001, "USD")}, True, CAN, "insures up to 1000"),
        ({"ship_to": replace(ADDRESS, postal_code="1234")}, False, Can(), "ZIP code"),
        ({"ship_from": replace(HOME, city="")}, False, Can(), "ship-from address has no city"),
        ({"parcel": Parcel(0, 10, 10, 10)}, False, Can(), "weight"),
    ],
)
def test_rule_s2_refuses_before_anybody_is_asked(changed: dict[str, object], lifted: bool, can: Can, said: str) -> None:
    why = why_not_label(wanted(**changed), lifted=lifted, can=can, carrier="Sample Post")
    assert said in why if said else why == ""


def test_a_parcel_has_a_weight_and_a_size_that_can_be_true() -> None:
    assert why_not_parcel(SMALL) == ""
    assert "kg" in why_not_parcel(replace(SMALL, grams=31_751))
    assert why_not_parcel(replace(SMALL, height_mm=0))
    assert "too large" in why_not_parcel(Parcel(500, 2000, 400, 400))


def test_a_label_is_bought_booked_and_its_parcel_told_to_the_buyer(counter: Counter) -> None:
    order = counter.world.buy(2)
    before = owed(f"seller:{order.seller_id}")
    label = counter.bought(order)
    assert (label.state, label.price, label.tracking_number) == ("bought", Money(520, "USD"), "9400199111111111111111")
    assert owed(f"seller:{order.seller_id}") == before + 520
    assert owed("carrier:sandbox") == -520
    order.refresh_from_db()
    assert order.parcels == "shipped"
    parcel = order.shipments.get()
    assert (parcel.tracking_number, parcel.carrier, label.shipment) == (label.tracking_number, "Sample Post", parcel)
    mail = Mail.objects.get(to=order.buyer.email, subject__contains="on its way")
    assert label.tracking_number in mail.body


def test_pressed_twice_in_two_tabs_and_with_another_price_it_is_bought_once(counter: Counter) -> None:
    order = counter.world.buy()
    label = counter.quoted(order)
    assert counter.press(label).state == LabelState.INTENDED
    again = counter.press(label, FAST)
    assert (again.pk, again.price) == (label.pk, CHEAP.price)
    counter.answer(counter.sold())
    counter.press(label, FAST)
    assert asked() == ["buy_label"]
    assert Label.objects.get().state == LabelState.BOUGHT
    assert owed("carrier:sandbox") == -520


def test_prices_of_two_tabs_do_not_label_one_unit_twice(counter: Counter) -> None:
    order = counter.world.buy()
    first, second = counter.quoted(order), counter.quoted(order)
    counter.press(first)
    with pytest.raises(NotAllowed, match="has a label already"):
        counter.press(second)
    with pytest.raises(NotAllowed, match="has a label already"):
        counter.quoted(order)
    counter.answer(Refused(Why.INVALID, "The address is not known."))
    assert counter.press(second).state == LabelState.INTENDED, "a refusal frees the units"


def test_several_parcels_each_with_its_label_and_never_more_than_is_left(counter: Counter) -> None:
    order = counter.world.buy(3)
    line = order.lines.get()
    counter.bought(order, lines={line.pk: 2})
    with pytest.raises(Invalid, match="More units"):
        counter.quoted(order, lines={line.pk: 2})
    with pytest.raises(Invalid, match="at least one"):
        counter.quoted(order, lines={line.pk: 0})
    with pytest.raises(Invalid, match="at least one"):
        counter.quoted(order, lines={line.pk + 999: 1})
    counter.bought(order, "lbl-2", lines={line.pk: 1})
    order.refresh_from_db()
    assert order.parcels == "shipped"
    assert owed("carrier:sandbox") == -1040
    assert {parcel.tracking_number[-1] for parcel in order.shipments.all()} == {"1", "2"}


def _cancelled(counter: Counter, order: Order) -> None:
    reject_order(
        order=order,
        reason=CancelReason.LOST,
        actor=order.seller.owner,
        expected_total=order.total,
        now=counter.world.later(),
    )


def _held(counter: Counter, order: Order) -> None:
    RiskHold.objects.create(order=order, held_at=counter.world.now)


def _shipped(counter: Counter, order: Order) -> None:
    ship_by_hand(
        order=order, lines=None, tracking="1", carrier="x", actor=order.seller.owner, now=counter.world.later()
    )


@pytest.mark.parametrize("happens", [_cancelled, _held, _shipped])
def test_what_must_not_be_shipped_gets_no_label(counter: Counter, happens: Callable[[Counter, Order], None]) -> None:
    order = counter.world.buy()
    label = counter.quoted(order)
    happens(counter, order)
    order.refresh_from_db()
    with pytest.raises(NotAllowed):
        counter.press(label)
    with pytest.raises(NotAllowed):
        counter.quoted(order)
    assert asked() == []
    assert Transfer.objects.filter(cause__startswith="label").count() == 0


def test_as_described_nothing_goes_abroad_or_insured_and_lifted_it_does(counter: Counter) -> None:
    order = counter.world.buy()
    staff = user(is_staff=True)
    with pytest.raises(NotAllowed, match="no extra insurance"):
        counter.quoted(order, insured=Money(5000, "USD"))
    order.ship_to = {**order.ship_to, "country": "DE", "region": "", "postal_code": "10115"}
    order.save()
    with pytest.raises(NotAllowed, match="goes only to the US"):
        counter.quoted(order, customs=(CARD,))
    policy.switch(rule="S2", lift=True, actor=staff, now=counter.world.later())
    label = counter.quoted(order, customs=(CARD,), insured=Money(5000, "USD"))
    assert purchase.wanted_of(label=label).customs == (CARD,)
    policy.switch(rule="S2", lift=False, actor=staff, now=counter.world.later())
    with pytest.raises(NotAllowed, match="goes only to the US"):
        counter.press(label)
    assert asked() == []


def test_old_prices_are_asked_for_again(counter: Counter) -> None:
    order = counter.world.buy()
    label = counter.quoted(order)
    counter.world.later(31 * 60)
    with pytest.raises(Stale, match="Ask for prices again"):
        counter.press(label)
    with pytest.raises(Stale, match="not kept"):
        purchase.buy_label(
            order=order, by=order.seller.owner, token="nothing", quote_ref="q", can=CAN, now=counter.world.now
        )
    fresh = counter.quoted(order)
    with pytest.raises(Invalid, match="Choose one"):
        counter.press(fresh, replace(CHEAP, ref="another"))
    assert asked() == []
    assert not Label.objects.filter(pk=label.pk).exists(), "prices that nobody chose are forgotten"


def test_nobody_buys_with_the_prices_of_another_order(counter: Counter) -> None:
    mine, other = counter.world.buy(), counter.world.buy()
    label = counter.quoted(mine)
    with pytest.raises(Stale):
        purchase.buy_label(
            order=other,
            by=other.seller.owner,
            token=label.public_id,
            quote_ref=CHEAP.ref,
            can=CAN,
            now=counter.world.now,
        )


def test_where_a_seller_ships_from_is_checked_and_needed(world: World) -> None:
    assert purchase.ship_from(seller=world.seller) is None
    order = world.buy()
    with pytest.raises(Invalid, match="where you ship from"):
        purchase.shipment_for(order=order, parcel=SMALL, can=CAN, carrier="Sample Post")
    with pytest.raises(Invalid, match="no state"):
        purchase.set_ship_from(seller=world.seller, address=replace(HOME, region=""), now=world.now)
    purchase.set_ship_from(seller=world.seller, address=HOME, now=world.now)
    assert purchase.ship_from(seller=world.seller) == HOME


def test_a_lost_answer_leaves_the_label_unknown_and_moves_no_money(counter: Counter) -> None:
    order = counter.world.buy()
    label = counter.intended(order)
    counter.answer(Unknown("No answer came."))
    label.refresh_from_db()
    assert (label.state, owed("carrier:sandbox")) == (LabelState.UNKNOWN, 0)
    assert purchase.left_to_label(order=order) == {order.lines.get().pk: 0}
    counter.world.later(60)
    counter.answer(Later("Try later."))
    counter.world.later(60)
    counter.answer(counter.sold())
    label.refresh_from_db()
    assert (label.state, owed("carrier:sandbox")) == (LabelState.BOUGHT, -520)


def test_a_refusal_is_said_and_costs_nothing(counter: Counter) -> None:
    order = counter.world.buy()
    label = counter.intended(order)
    counter.answer(Refused(Why.INVALID, "The address is not known."))
    label.refresh_from_db()
    assert (label.state, label.sentence) == (LabelState.REFUSED, "The address is not known.")
    assert not Alert.objects.exists()
    assert owed("carrier:sandbox") == 0
    assert "nothing was charged" in order.timeline.get(kind="label_refused").sentence


def test_a_label_bought_for_an_order_that_ended_meanwhile_is_kept_and_its_seller_told(counter: Counter) -> None:
    order = counter.world.buy()
    label = counter.intended(order)
    claimed = counter.claim()
    _cancelled(counter, order)
    from crossdock.usecases.labels.carrier_news import settle_label

    assert "cancelled" in purchase.may_buy(label_id=label.public_id)
    settle_label(command_id=claimed.id, answer=counter.sold(), random=counter.random, now=counter.world.later())
    label.refresh_from_db()
    assert (label.state, owed("carrier:sandbox")) == (LabelState.BOUGHT, -520), (
        "it is paid, whatever became of the order"
    )
    assert not Shipment.objects.exists()
    alert = Alert.objects.get(code="label_unused")
    assert "Void the label" in alert.sentence
    purchase.void_label(label=label, by=order.seller.owner, now=counter.world.later())
    counter.told(label, void=VoidState.DONE)
    assert (label.state, owed("carrier:sandbox")) == (LabelState.VOIDED, 0)
    alert.refresh_from_db()
    assert alert.settled_at is not None


def test_a_voided_label_gives_back_its_price_once_and_its_parcel_has_not_left(counter: Counter) -> None:
    order = counter.world.buy()
    seller = f"seller:{order.seller_id}"
    before = owed(seller)
    label = counter.bought(order)
    voiding = purchase.void_label(label=label, by=order.seller.owner, now=counter.world.later())
    purchase.void_label(label=label, by=order.seller.owner, now=counter.world.later())
    assert asked() == ["buy_label", "void_label"]
    assert voiding.state == LabelState.VOIDING
    counter.told(label, void=VoidState.ASKED)
    assert owed(seller) == before + 520, "only the carrier's word moves money"
    for _ in range(2):
        counter.told(label, void=VoidState.DONE)
    assert (owed(seller), owed("carrier:sandbox")) == (before, 0)
    order.refresh_from_db()
    assert order.parcels == "unshipped"
    assert not Alert.objects.filter(code="label_voided").exists()
    assert purchase.why_not_buy(order=order) == ""
    counter.answer(Done("lbl-1"))
    counter.bought(order, "lbl-2")
    order.refresh_from_db()
    assert order.parcels == "shipped"


def test_a_label_that_the_carrier_voids_by_itself_is_an_alert(counter: Counter) -> None:
    order = counter.world.buy()
    label = counter.bought(order)
    counter.told(label, void=VoidState.DONE)
    assert Alert.objects.get(code="label_voided").order == order
    order.refresh_from_db()
    assert order.parcels == "shipped", "nobody knows whether the parcel left"


def test_a_void_that_is_refused_keeps_the_label_and_the_money(counter: Counter) -> None:
    order = counter.world.buy()
    label = counter.bought(order)
    purchase.void_label(label=label, by=order.seller.owner, now=counter.world.later())
    counter.answer(Refused(Why.TOO_LATE, "The parcel was scanned."))
    label.refresh_from_db()
    assert (label.state, owed("carrier:sandbox")) == (LabelState.VOID_REFUSED, -520)
    assert (
        purchase.void_label(label=label, by=order.seller.owner, now=counter.world.later()).state == LabelState.VOIDING
    )


def test_tracking_is_told_once_in_order_and_ends_with_the_delivery(counter: Counter) -> None:
    order = counter.world.buy()
    label = counter.bought(order)
    at = counter.world.now
    accepted = TrackEvent(TrackStatus.ACCEPTED, at, "Austin, TX")
    scans = [TrackEvent(TrackStatus.IN_TRANSIT, at + timedelta(hours=n), f"Hub {n}") for n in range(1, 4)]
    delivered = TrackEvent(TrackStatus.DELIVERED, at + timedelta(days=2))
    counter.told(label, events=(accepted,))
    counter.told(label, events=(scans[1], accepted, scans[0]))
    counter.told(label, events=(delivered, accepted, *scans))
    counter.told(label, events=(accepted, *scans, delivered))
    assert label.delivered_at == delivered.at
    assert len(label.events) == 5
    told = [entry.sentence for entry in order.timeline.filter(kind="tracking", public=True)]
    assert len(told) == 3, told
    assert "Austin" in told[0] and "delivered" in told[-1]
    with pytest.raises(NotAllowed, match="has the parcel already"):
        purchase.void_label(label=label, by=order.seller.owner, now=counter.world.later())


def test_what_is_dead_is_told_and_can_be_sent_again(counter: Counter) -> None:
    order = counter.world.buy()
    counter.intended(order)
    counter.world.later(49 * 3600)
    counter.answer(Later("Closed."))
    assert Alert.objects.get(code="command_dead").order == order
    assert Command.objects.get(kind="buy_label").state == "dead"


def test_a_label_that_is_not_booked_at_its_price_breaks_an_invariant(counter: Counter) -> None:
    label = counter.bought(counter.world.buy())
    assert invariants.check(now=counter.world.later()) == {}
    Label.objects.filter(pk=label.pk).update(price_minor=521)
    broken = invariants.check(now=counter.world.later())
    booked = "Every label is booked at its price, once, for as long as it is paid."
    assert broken.pop(booked) == [f"label {label.reference} is booked at 520"]
    assert list(broken.values()) == [[f"{label.seller.name} is off by -1 USD"]], "and so the seller's sum"
    Label.objects.filter(pk=label.pk).update(price_minor=520)
    counter.told(label, void=VoidState.DONE)
    assert invariants.check(now=counter.world.later()) == {}


def own_order(world: World, units: int) -> tuple[Order, Variant]:
    """Bought from a listing made by hand, of which there are five."""
    listing = make_listing(
        seller=world.seller, title="Old Fox", description="", price=Money(1000, "USD"), count=5, now=world.now
    )
    variant = Variant.objects.get(listing=listing)
    basket: Basket = {"lines": {variant.public_id: units}}
    shown = priced(basket=basket, country="US", now=world.now)
    intent = checkout.open_checkout(
        buyer=user(),
        basket=basket,
        ship_to=ADDRESS,
        key="own-checkout",
        fingerprint=shown.fingerprint,
        gateway="sandbox",
        now=world.now,
    )
    return world.pay(intent.public_id), variant


def test_own_units_leave_with_the_parcel_and_come_back_with_its_label(counter: Counter) -> None:
    order, variant = own_order(counter.world, 2)
    line = order.lines.get()

    def stock() -> tuple[int | None, int]:
        fresh = Variant.objects.select_related("connection", "listing").get(pk=variant.pk)
        return fresh.stock.count, availability(variants=[fresh], now=counter.world.now)[variant.pk] or 0

    first = counter.bought(order, lines={line.pk: 1})
    assert stock() == (5, 3), "the rest has not left yet"
    second = counter.bought(order, "lbl-2", lines={line.pk: 1})
    assert stock() == (3, 3)
    purchase.void_label(label=second, by=order.seller.owner, now=counter.world.later())
    counter.answer(Done("lbl-2"))
    counter.told(second, void=VoidState.DONE)
    assert stock() == (4, 3), "one unit is back on the shelf, and promised to the buyer"
    counter.bought(order, "lbl-3")
    assert stock() == (3, 3)
    assert first.state == LabelState.BOUGHT
    order.refresh_from_db()
    assert order.parcels == "shipped"


def test_a_rejected_order_of_which_a_label_was_voided_frees_its_own_units(counter: Counter) -> None:
    order, variant = own_order(counter.world, 2)
    label = counter.bought(order)
    purchase.void_label(label=label, by=order.seller.owner, now=counter.world.later())
    counter.told(label, void=VoidState.DONE)
    order.refresh_from_db()
    reject_order(
        order=order,
        reason=CancelReason.BUYER_ASKED,
        actor=order.seller.owner,
        expected_total=order.total,
        now=counter.world.later(),
    )
    fresh = Variant.objects.select_related("connection", "listing").get(pk=variant.pk)
    assert availability(variants=[fresh], now=counter.world.now)[variant.pk] == 5
