"""One payment, several sellers: an order for each one's shop, each part to the cent, and what cannot be delivered goes
back while the rest goes on.
"""

import re
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext

from crossdock.domain.commands import CancelReason, Refused, Why
from crossdock.domain.credit import CreditState, over_orders
from crossdock.domain.events import Count
from crossdock.domain.offers import Deed, Who
from crossdock.domain.payments import BankRefund, Dispute, DisputeState, FraudWarning, RefundState, Standing
from crossdock.domain.values import Money
from crossdock.engine.invariants import check
from crossdock.store.models import (
    Alert,
    Command,
    Credit,
    Endpoint,
    Entry,
    Listing,
    Mail,
    Order,
    PaymentIntent,
    Reservation,
    RiskAssessment,
    RiskHold,
    RiskTrace,
    ShippingRate,
    TimelineEntry,
    User,
    Variant,
    VariantStock,
)
from crossdock.usecases.catalogue.listings import make_listing
from crossdock.usecases.catalogue.offers import answer_offer, make_offer
from crossdock.usecases.checkout import checkout, confirm_stock, new_order
from crossdock.usecases.checkout.basket import Basket, PricedBasket, priced
from crossdock.usecases.errors import Invalid, NotAllowed, Stale
from crossdock.usecases.money.bank_news import receive_standing
from crossdock.usecases.orders.reject import reject_order
from crossdock.usecases.outcomes.endpoints import add_endpoint
from crossdock.usecases.outcomes.settle import settle_command
from crossdock.usecases.risk.facts import past_of
from crossdock.usecases.stock.counts import draw_read_no
from market import ADDRESS, RANDOM, World, user

pytestmark = pytest.mark.django_db


@dataclass
class Fair:
    """Two sellers with a shop each ($10), and one who lists by hand ($7); shipping is $5, $3 and $2."""

    one: World = field(default_factory=lambda: World(units=5))
    two: World = field(default_factory=lambda: World(units=5))
    third: World = field(default_factory=lambda: World(units=5))

    def __post_init__(self) -> None:
        self.now = self.one.now
        self.buyer = user("zoe@buyers.test")
        for world, minor in ((self.two, 300), (self.third, 200)):
            ShippingRate.objects.filter(seller=world.seller).update(price_minor=minor)
        listing = make_listing(
            seller=self.third.seller, title="Owl", description="", price=Money(700, "USD"), count=5, now=self.now
        )
        self.by_hand: Variant = listing.variants.get()

    @property
    def three(self) -> list[Variant]:
        return [self.one.variant, self.two.variant, self.by_hand]

    def basket(self, *variants: Variant, units: int = 1, offers: tuple[str, ...] = ()) -> Basket:
        return {"lines": {one.public_id: units for one in variants or self.three}, "offers": list(offers)}

    def shown(self, basket: Basket) -> PricedBasket:
        return priced(basket=basket, country="US", now=self.now)

    def open(
        self, basket: Basket | None = None, *, key: str = "checkout-1", buyer: User | None = None
    ) -> PaymentIntent:
        basket = basket or self.basket()
        return checkout.open_checkout(
            buyer=buyer or self.buyer,
            basket=basket,
            ship_to=ADDRESS,
            key=key,
            fingerprint=self.shown(basket).fingerprint,
            gateway="sandbox",
            now=self.now,
        )

    def pay(self, intent: PaymentIntent) -> list[Order]:
        checkout.place_order(intent_id=intent.public_id, gateway_ref="ref", checks={}, now=self.now)
        return list(Order.objects.filter(intent=intent).order_by("pk"))

    def buy(self) -> list[Order]:
        return self.pay(self.open())

    def told(self, orders: list[Order], **news: object) -> None:
        assert orders[0].intent
        for _ in range(2):
            receive_standing(intent_id=orders[0].intent.public_id, standing=Standing(**news), now=self.now)  # type: ignore[arg-type]
        for order in orders:
            order.refresh_from_db()
        holds()


def holds() -> None:
    """The books balance, and nobody has more back than was paid."""
    connection.check_constraints()
    assert Entry.objects.aggregate(sum=Sum("amount_minor"))["sum"] in (0, None)
    assert check(now=World.__dataclass_fields__["now"].default_factory()) == {}  # type: ignore[misc]


def back_of(intent: PaymentIntent) -> list[int]:
    asked = Command.objects.filter(kind="refund_payment", payload__intent=intent.public_id).order_by("pk")
    return [command.payload["amount_minor"] for command in asked]


def gone_elsewhere(world: World) -> None:
    """The hold ran out, and somebody else has the units."""
    Reservation.objects.filter(variant=world.variant).update(state="ended", expires_at=None)
    VariantStock.objects.filter(variant=world.variant).update(count=0)


def first_locked(caught: CaptureQueriesContext) -> set[int]:
    """The variants whose stock rows are locked by the first statement that locks any."""
    said = [one["sql"] for one in caught.captured_queries]
    locks = [one for one in said if 'FROM "store_variantstock"' in one and "FOR NO KEY UPDATE" in one]
    return {int(number) for number in re.findall(r"\b\d+\b", locks[0].split("WHERE", 1)[1])}


class TestOnePayment:
    def test_an_order_of_each_seller_and_each_its_own_books(self) -> None:
        fair = Fair()
        intent = fair.open()
        assert intent.amount_minor == 1500 + 1300 + 900
        orders = fair.pay(intent)
        assert [(order.seller, order.total_minor) for order in orders] == [
            (fair.one.seller, 1500),
            (fair.two.seller, 1300),
            (fair.third.seller, 900),
        ]
        assert [order.connection for order in orders] == [fair.one.shop, fair.two.shop, None]
        assert len({order.number for order in orders}) == len({order.reference for order in orders}) == 3
        gateway = Entry.objects.filter(account="gateway").aggregate(sum=Sum("amount_minor"))["sum"]
        assert gateway == intent.amount_minor
        assert Command.objects.filter(kind="create_order").count() == 2, "what is listed by hand goes to no shop"
        assert [order.lines.get().variant for order in orders] == fair.three
        assert set(Reservation.objects.values_list("state", flat=True)) == {"owed"}
        holds()

    def test_one_mail_to_the_buyer_and_one_to_each_seller_of_their_own(self) -> None:
        fair = Fair()
        orders = fair.buy()
        (thanks,) = Mail.objects.filter(to=fair.buyer.email)
        assert all(f"#{order.number}" in thanks.body and order.seller.name in thanks.body for order in orders)
        assert thanks.order is None, "no seller's page shows it"
        for order in orders:
            (mail,) = Mail.objects.filter(to=order.seller.owner.email)
            others = [other for other in orders if other != order]
            assert f"#{order.number}" in mail.subject and order.total.words in mail.body
            assert not any(f"#{other.number}" in mail.body or other.total.words in mail.body for other in others)

    def test_paid_twice_or_looked_up_later_it_is_the_same_orders(self) -> None:
        fair = Fair()
        intent = fair.open()
        assert fair.open(key="checkout-1").pk == intent.pk
        orders = fair.pay(intent)
        assert fair.pay(intent) == orders and Order.objects.count() == 3

    def test_all_units_or_none_are_held(self) -> None:
        fair = Fair()
        basket = fair.basket()
        shown = fair.shown(basket)
        VariantStock.objects.filter(variant=fair.two.variant).update(count=0)
        with pytest.raises(Stale, match="sold"):
            checkout.open_checkout(
                buyer=fair.buyer,
                basket=basket,
                ship_to=ADDRESS,
                key="checkout-1",
                fingerprint=shown.fingerprint,
                gateway="sandbox",
                now=fair.now,
                shown=shown,
            )
        assert not Reservation.objects.exists() and not PaymentIntent.objects.exists()

    def test_a_sellers_own_things_are_not_for_them(self) -> None:
        fair = Fair()
        with pytest.raises(NotAllowed, match="own shop"):
            fair.open(buyer=fair.two.seller.owner)

    def test_one_payment_is_in_one_currency(self) -> None:
        fair = Fair()
        Listing.objects.filter(pk=fair.by_hand.listing_id).update(currency="EUR")
        with pytest.raises(Invalid, match="EUR and USD"):
            fair.shown(fair.basket())

    def test_the_part_that_cannot_go_there_says_so_beside_itself(self) -> None:
        fair = Fair()
        ShippingRate.objects.filter(seller=fair.two.seller).update(country="FR")
        shown = fair.shown(fair.basket())
        assert [bool(part.problems) for part in shown.parts] == [False, True, False]
        assert shown.total is None and fair.two.seller.name in shown.problems[0]
        rest = fair.shown(fair.basket(fair.one.variant, fair.by_hand))
        assert rest.total == Money(2400, "USD")

    def test_one_try_to_pay_counts_once_whatever_it_paid(self) -> None:
        fair = Fair()
        orders = fair.buy()
        assert RiskAssessment.objects.count() == 3
        assert [order.trace.amount_minor for order in orders] == [1500, 1300, 900]
        trace = RiskTrace.objects.get(order=orders[0])
        later = RiskTrace(at=fair.now + timedelta(minutes=5), buyer=trace.buyer, seller=trace.seller, currency="USD")
        found = past_of(later).found
        assert found["earlier_of_buyer"] == found["orders_last_hour"] == 1
        assert found["spent_last_day_minor"] == 3700

    def test_one_that_waits_for_staff_holds_no_other(self, monkeypatch: pytest.MonkeyPatch) -> None:
        fair = Fair()
        monkeypatch.setattr(new_order, "policy_holds", lambda order, policy: order.seller == fair.two.seller)
        orders = fair.buy()
        assert list(RiskHold.objects.values_list("order", flat=True)) == [orders[1].pk]
        assert [command.subject for command in Command.objects.filter(kind="create_order")] == [orders[0].reference]
        (mail,) = Mail.objects.filter(to=fair.two.seller.owner.email)
        assert "Do not ship it yet" in mail.body

    def test_each_sellers_programs_hear_of_their_own_order(self) -> None:
        fair = Fair()
        for world in (fair.one, fair.two):
            add_endpoint(
                seller=world.seller,
                actor=world.seller.owner,
                url=f"https://receiver-{world.seller.pk}.test/in",
                name="",
                events=[],
                now=fair.now,
            )
        orders = fair.buy()
        told = Command.objects.filter(kind="send_event")
        said = {command.payload["endpoint"]: str(command.payload) for command in told}
        assert len(said) == told.count() == 2
        for endpoint in Endpoint.objects.all():
            (mine,) = (order for order in orders if order.seller_id == endpoint.seller_id)
            assert mine.reference in said[endpoint.pk]
            assert not any(order.reference in said[endpoint.pk] for order in orders if order != mine)


class TestOneFraudOfSeveralOrders:
    def test_a_payment_counts_once_and_never_against_itself(self) -> None:
        fair = Fair()
        orders = fair.buy()
        RiskTrace.objects.filter(order__in=orders).update(fraud=True, known_at=fair.now)
        for mine in RiskTrace.objects.filter(order__in=orders):
            found = past_of(mine, fair.now + timedelta(days=1)).found
            assert (found["frauds_of_buyer"], found["linked_frauds"]) == (0, 0)
        fair.now += timedelta(days=1)
        later = fair.pay(fair.open(fair.basket(fair.by_hand), key="checkout-2"))[0]
        found = past_of(RiskTrace.objects.get(order=later)).found
        assert (found["frauds_of_buyer"], found["linked_frauds"]) == (1, 1)


class TestAPartThatIsGone:
    def test_its_money_goes_back_to_the_cent_and_the_others_go_on(self) -> None:
        fair = Fair()
        intent = fair.open()
        gone_elsewhere(fair.two)
        orders = fair.pay(intent)
        assert [order.seller for order in orders] == [fair.one.seller, fair.third.seller]
        assert back_of(intent) == [1300]
        assert fair.pay(intent) == orders and back_of(intent) == [1300], "once"
        (thanks,) = Mail.objects.filter(to=fair.buyer.email)
        assert "$13.00 of your payment go back" in thanks.body
        assert not Mail.objects.filter(to=fair.two.seller.owner.email).exists()
        intent.refresh_from_db()
        assert [bool(part.get("back")) for part in intent.basket["parts"]] == [False, True, False]
        holds()

    def test_the_first_of_them(self) -> None:
        fair = Fair()
        intent = fair.open()
        gone_elsewhere(fair.one)
        orders = fair.pay(intent)
        assert [order.seller for order in orders] == [fair.two.seller, fair.third.seller]
        assert RiskTrace.objects.get(beside=False).order == orders[0], "the try is the first order's that was placed"
        assert back_of(intent) == [1500]
        holds()

    def test_its_other_units_are_free_again(self) -> None:
        fair = Fair()
        listing = make_listing(
            seller=fair.third.seller, title="Fox", description="", price=Money(100, "USD"), count=2, now=fair.now
        )
        other = listing.variants.get()
        intent = fair.open(fair.basket(fair.one.variant, fair.by_hand, other))
        Reservation.objects.filter(variant=other).update(state="ended", expires_at=None)
        VariantStock.objects.filter(variant=other).update(count=0)
        orders = fair.pay(intent)
        assert [order.seller for order in orders] == [fair.one.seller] and back_of(intent) == [700 + 100 + 200]
        assert not Reservation.objects.filter(variant=fair.by_hand).exclude(state="ended").exists()
        holds()

    def test_staff_are_told_when_its_money_does_not_go_back(self) -> None:
        fair = Fair()
        intent = fair.open()
        gone_elsewhere(fair.two)
        orders = fair.pay(intent)
        (sent,) = Command.objects.filter(kind="refund_payment")
        Command.objects.filter(pk=sent.pk).update(state="in_flight")
        refused = Refused(Why.CONFLICT, "The card is closed.")
        settle_command(command_id=sent.pk, outcome=refused, random=RANDOM, now=fair.now)
        (alert,) = Alert.objects.filter(code="refund_failed")
        assert alert.for_staff and "$13.00" in alert.sentence and "The card is closed." in alert.sentence
        Alert.objects.all().delete()
        refund = BankRefund("re_1", Money(1300, "USD"), RefundState.FAILED, sent.cause)
        fair.told(orders, refunds=(refund,))
        (alert,) = Alert.objects.filter(code="refund_failed")
        assert alert.for_staff and "sent it back" in alert.sentence

    def test_all_gone_is_one_refund_of_all(self) -> None:
        fair = Fair()
        intent = fair.open(fair.basket(fair.one.variant, fair.two.variant))
        gone_elsewhere(fair.one)
        gone_elsewhere(fair.two)
        with pytest.raises(Stale, match="goes back to you"):
            fair.pay(intent)
        assert back_of(intent) == [2800] and not Order.objects.exists()
        holds()
        refund = BankRefund(
            "re_1", Money(2800, "USD"), RefundState.FAILED, Command.objects.get(kind="refund_payment").cause
        )
        receive_standing(intent_id=intent.public_id, standing=Standing(refunds=(refund,)), now=fair.now)
        (alert,) = Alert.objects.filter(code="refund_failed")
        assert alert.for_staff and "$28.00" in alert.sentence, "nobody else would know that the buyer has nothing"


class TestAnOfferIsALine:
    def _agreed(self, fair: Fair) -> str:
        Listing.objects.filter(pk=fair.by_hand.listing_id).update(accept_from_minor=100)
        by_hand = Variant.objects.select_related("listing__seller", "listing__connection").get(pk=fair.by_hand.pk)
        offer = make_offer(
            buyer=fair.buyer, variant=by_hand, quantity=2, amount=Money(500, "USD"), manifest=None, now=fair.now
        )
        assert offer.state == "accepted"
        return offer.public_id

    def test_paid_with_the_others_at_its_price_out_of_its_own_hold(self) -> None:
        fair = Fair()
        offer = self._agreed(fair)
        intent = fair.open(fair.basket(fair.one.variant, offers=(offer,)))
        orders = fair.pay(intent)
        assert [order.total_minor for order in orders] == [1500, 1000 + 200]
        assert list(orders[1].offers.values_list("public_id", "state")) == [(offer, "paid")]
        assert Reservation.objects.get(variant=fair.by_hand).order == orders[1]
        holds()

    def test_paid_before_its_part_goes_back(self) -> None:
        fair = Fair()
        offer = self._agreed(fair)
        intent = fair.open(fair.basket(fair.one.variant, offers=(offer,)))
        alone = fair.open(fair.basket(offers=(offer,)) | {"lines": {}}, key="checkout-2")
        fair.pay(alone)
        with CaptureQueriesContext(connection) as caught:
            orders = fair.pay(intent)
        assert [order.seller for order in orders] == [fair.one.seller] and back_of(intent) == [1200]
        assert {fair.one.variant.pk, fair.by_hand.pk} <= first_locked(caught), "all rows in one order"
        holds()

    def test_the_same_thing_is_not_bought_at_two_prices(self) -> None:
        fair = Fair()
        with pytest.raises(Invalid, match="agreed price"):
            fair.shown(fair.basket(fair.by_hand, offers=(self._agreed(fair),)))

    def test_withdrawn_it_is_a_problem_of_its_part(self) -> None:
        fair = Fair()
        offer = self._agreed(fair)
        answer_offer(
            offer=fair.buyer.offers.get(), who=Who.BUYER, deed=Deed.WITHDRAW, seen=Money(500, "USD"), now=fair.now
        )
        shown = fair.shown(fair.basket(fair.one.variant, offers=(offer,)))
        assert [bool(part.problems) for part in shown.parts] == [False, True]


class TestTheShopsAreAsked:
    def _asked(self, fair: Fair) -> tuple[PaymentIntent, list[confirm_stock.Question]]:
        VariantStock.objects.update(count_at=fair.now - timedelta(hours=1))
        intent = fair.open()
        return intent, confirm_stock.questions_of(intent_id=intent.public_id, now=fair.now)

    def test_each_that_is_worth_it(self) -> None:
        fair = Fair()
        intent, asked = self._asked(fair)
        assert {question.connection_id for question in asked} == {fair.one.shop.pk, fair.two.shop.pk}
        said = [(question, [Count("v1", 5)]) for question in asked]
        assert confirm_stock.judged(intent_id=intent.public_id, answers=said, now=fair.now).go

    def test_the_rows_of_all_lines_are_locked_before_those_that_were_asked_for(self) -> None:
        fair = Fair()
        intent, asked = self._asked(fair)
        with CaptureQueriesContext(connection) as caught:
            confirm_stock.judged(intent_id=intent.public_id, answers=[(asked[1], [Count("v1", 5)])], now=fair.now)
        assert {one.pk for one in fair.three} <= first_locked(caught)

    def test_a_wait_is_over_when_the_one_that_is_silent_sells_without_its_word(self) -> None:
        fair = Fair()
        intent, asked = self._asked(fair)
        for policy, goes in (("hold", False), ("sell", True)):
            type(fair.two.shop).objects.update(no_answer=policy)
            said = [(one, None if one.connection_id == fair.two.shop.pk else [Count("v1", 5)]) for one in asked]
            assert confirm_stock.judged(intent_id=intent.public_id, answers=said, now=fair.now).go is goes
            intent.refresh_from_db()
            assert confirm_stock.waits_for_shop(intent) is not goes, policy

    def test_one_that_is_short_calls_it_off_before_anything_is_charged(self) -> None:
        fair = Fair()
        intent, asked = self._asked(fair)
        said = [(one, [Count("v1", 0 if one.connection_id == fair.two.shop.pk else 5)]) for one in asked]
        verdict = confirm_stock.judged(intent_id=intent.public_id, answers=said, now=fair.now)
        assert not verdict.go and dict(verdict.left) == {fair.two.variant.public_id: 0}
        assert "Nothing was charged" in verdict.sentence
        assert not Reservation.objects.exclude(state="ended").exists()

    def test_one_that_is_silent_is_named(self) -> None:
        fair = Fair()
        intent, asked = self._asked(fair)
        type(fair.two.shop).objects.update(no_answer="refuse")
        said = [(one, None if one.connection_id == fair.two.shop.pk else [Count("v1", 5)]) for one in asked]
        verdict = confirm_stock.judged(intent_id=intent.public_id, answers=said, now=fair.now)
        assert not verdict.go and fair.two.seller.name in verdict.sentence and "buy the rest" in verdict.sentence
        assert fair.one.seller.name not in verdict.sentence

    def test_two_that_have_none_are_both_named(self) -> None:
        fair = Fair()
        intent, asked = self._asked(fair)
        said = [(one, [Count("v1", 0)]) for one in asked]
        verdict = confirm_stock.judged(intent_id=intent.public_id, answers=said, now=fair.now)
        assert set(verdict.left) == {fair.one.variant.public_id, fair.two.variant.public_id}
        assert draw_read_no() > max(one.read_no for one in asked)


class TestNewsOfTheBank:
    def _refund(self, minor: int, state: RefundState = RefundState.DONE) -> BankRefund:
        return BankRefund("re_1", Money(minor, "USD"), state, key="")

    def test_a_refund_of_all_is_shared_to_the_cent_and_posted_once(self) -> None:
        fair = Fair()
        orders = fair.buy()
        fair.told(orders, refunds=(self._refund(1001),))
        credited = [order.credited_minor for order in orders]
        assert sum(credited) == 1001 and all(credited)
        assert Credit.objects.count() == 3
        assert TimelineEntry.objects.filter(kind="refunded_at_bank").count() == 3

    def test_exactly_what_one_has_left_is_its_own(self) -> None:
        fair = Fair()
        orders = fair.buy()
        fair.told(orders, refunds=(self._refund(1300),))
        assert [order.credited_minor for order in orders] == [0, 1300, 0]

    def test_after_a_reject_the_rest(self) -> None:
        fair = Fair()
        orders = fair.buy()
        reject_order(
            order=orders[0],
            reason=CancelReason.OTHER,
            actor=fair.one.seller.owner,
            expected_total=orders[0].total,
            now=fair.now,
        )
        fair.told(orders, refunds=(self._refund(2200),))
        assert [order.credited_minor for order in orders] == [1500, 1300, 900]

    def test_one_that_came_back_comes_back_to_each(self) -> None:
        fair = Fair()
        orders = fair.buy()
        fair.told(orders, refunds=(self._refund(3700),))
        fair.told(orders, refunds=(self._refund(3700, RefundState.FAILED),))
        gateway = Entry.objects.filter(account="gateway").aggregate(sum=Sum("amount_minor"))["sum"]
        assert gateway == 3700
        assert set(Credit.objects.values_list("state", flat=True)) == {CreditState.FAILED}
        assert Alert.objects.filter(code="refund_failed").count() == 3

    def test_a_dispute_is_shared_and_each_seller_reads_of_their_own(self) -> None:
        fair = Fair()
        orders = fair.buy()
        given = ("dp_1", Money(3700, "USD"))
        fair.told(orders, disputes=(Dispute(*given, DisputeState.TAKEN, "product_not_received"),))
        taken = Entry.objects.filter(account="disputed")
        assert [row.amount_minor for row in taken.order_by("transfer__order_id")] == [1500, 1300, 900]
        for order in orders:
            (entry,) = order.timeline.filter(kind="dispute")
            assert order.total.words in entry.sentence and "$37.00" not in entry.sentence
        fair.told(orders, disputes=(Dispute(*given, DisputeState.WON, "product_not_received"),))
        assert taken.aggregate(sum=Sum("amount_minor"))["sum"] == 0

    def test_a_dispute_of_more_than_was_placed_tells_no_seller_what_others_cost(self) -> None:
        fair = Fair()
        intent = fair.open(fair.basket(fair.one.variant, fair.two.variant))
        gone_elsewhere(fair.two)
        orders = fair.pay(intent)
        fair.told(orders, disputes=(Dispute("dp_1", Money(2800, "USD"), DisputeState.TAKEN, "duplicate"),))
        (entry,) = orders[0].timeline.filter(kind="dispute")
        assert "$15.00" in entry.sentence and "$28.00" not in entry.sentence

    def test_a_warning_is_told_of_each(self) -> None:
        fair = Fair()
        orders = fair.buy()
        fair.told(orders, warnings=(FraudWarning("w1", fair.now, "stolen"),))
        assert Alert.objects.filter(code="disputed").count() == 3
        assert RiskTrace.objects.filter(fraud=True).count() == 3


@pytest.mark.parametrize(
    ("amount", "rests", "totals", "parts"),
    [
        (1300, (1500, 1300, 900), (1500, 1300, 900), (0, 1300, 0)),
        (3700, (1500, 1300, 900), (1500, 1300, 900), (1500, 1300, 900)),
        (100, (50, 50), (50, 50), (50, 50)),
        (50, (50, 50), (50, 50), (25, 25)),
        (3, (1, 1, 1), (1, 1, 1), (1, 1, 1)),
        (100, (0, 0), (60, 40), (60, 40)),
        (0, (10, 20), (10, 20), (0, 0)),
    ],
)
def test_shares_of_what_the_bank_moved(
    amount: int, rests: tuple[int, ...], totals: tuple[int, ...], parts: tuple[int, ...]
) -> None:
    assert over_orders(amount, rests, totals) == parts
