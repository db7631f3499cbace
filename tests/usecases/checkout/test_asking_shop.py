"""Before money is taken the shop is asked: what it says, what its silence means, and that nothing is charged when the
unit is gone. In-memory shop, real pages.
"""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from django.test import override_settings

from crossdock.domain import stock as rules
from crossdock.domain.events import Count
from crossdock.domain.stock import Hold, HoldState, Stock
from crossdock.kit.errors import NoAnswer
from crossdock.store.models import Connection, Movement, Order, PaymentIntent, Reservation, ShippingRate, VariantStock
from crossdock.usecases.checkout import confirm_stock
from crossdock.usecases.stock import counts
from crossdock.usecases.stock.reservations import availability
from crossdock.web import live
from shopper import Shopper
from stall import Make, Stall, connector, make, no_jobs  # noqa: F401 - fixtures
from toy import ToyConnector

pytestmark = pytest.mark.django_db


@pytest.fixture
def scarce(make: Make) -> Stall:  # noqa: F811
    """Three units, read just now."""
    stall = make()
    ShippingRate.objects.get_or_create(
        seller=stall.seller, country="US", currency=stall.seller.currency, defaults={"price_minor": 450}
    )
    in_shop(stall, 3)
    read(stall)
    return stall


def in_shop(stall: Stall, count: int) -> None:
    stall.truth.counts["v1"] = count


def read(stall: Stall) -> None:
    counts.apply_counts(
        connection_id=stall.shop.pk,
        read_no=counts.draw_read_no(),
        asked=[("p1", "v1")],
        counts=[Count("v1", stall.truth.counts["v1"])],
        now=datetime.now(UTC),
    )


def left(stall: Stall) -> int | None:
    return availability(variants=[stall.variant], now=datetime.now(UTC))[stall.variant.pk]


def policy(stall: Stall, word: str) -> None:
    Connection.objects.filter(pk=stall.shop.pk).update(no_answer=word)


def asked(stall: Stall) -> int:
    return stall.truth.kinds().count("counts")


def pay(buyer: Shopper, stall: Stall, units: int = 1) -> None:
    buyer.post("/checkout/pay/", token="works", **buyer.to_payment(stall.variant, units))


class TestAtThePages:
    def test_what_is_there_is_bought(self, scarce: Stall) -> None:
        pay(Shopper(), scarce)
        assert Order.objects.count() == 1
        assert asked(scarce) == 1

    def test_sold_in_the_shop_just_now(self, scarce: Stall) -> None:
        in_shop(scarce, 0)
        buyer = Shopper()
        pay(buyer, scarce)
        assert "was just sold in the shop" in buyer.page
        assert "Nothing was charged" in buyer.page
        assert "Your cart is empty" in buyer.page
        assert not Order.objects.exists()
        assert PaymentIntent.objects.get().state == "declined"
        assert not Reservation.objects.exclude(state=HoldState.ENDED).exists()
        assert left(scarce) == 0

    def test_fewer_than_wanted_leaves_what_there_is_in_the_cart(self, scarce: Stall) -> None:
        in_shop(scarce, 1)
        buyer = Shopper()
        pay(buyer, scarce, 3)
        assert "Only 1 of" in buyer.page
        assert not Order.objects.exists()
        buyer.give_address()
        buyer.post("/checkout/pay/", token="works", **buyer.form())
        assert Order.objects.get().lines.get().quantity == 1

    def test_plenty_that_was_read_just_now_is_not_asked_for(self, make: Make) -> None:  # noqa: F811
        stall = make()
        ShippingRate.objects.get_or_create(
            seller=stall.seller, country="US", currency="USD", defaults={"price_minor": 4}
        )
        pay(Shopper(), stall)
        assert Order.objects.count() == 1
        assert asked(stall) == 0

    def test_plenty_that_was_read_long_ago_is_asked_for(self, make: Make) -> None:  # noqa: F811
        stall = make()
        ShippingRate.objects.get_or_create(
            seller=stall.seller, country="US", currency="USD", defaults={"price_minor": 4}
        )
        VariantStock.objects.update(count_at=datetime.now(UTC) - timedelta(hours=1))
        in_shop(stall, 0)
        pay(Shopper(), stall)
        assert asked(stall) == 1
        assert not Order.objects.exists()

    def test_a_shop_that_is_slow_is_waited_for_at_most_so_long(
        self,
        scarce: Stall,
        connector: ToyConnector,  # noqa: F811
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        async def slow(*_: object) -> list[Count]:
            await asyncio.sleep(30)
            return []

        monkeypatch.setattr(connector, "counts", slow)
        policy(scarce, "refuse")
        begun = datetime.now(UTC)
        pay(Shopper(), scarce)
        assert datetime.now(UTC) - begun < timedelta(seconds=6)
        assert not Order.objects.exists()


class TestSilence:
    @pytest.fixture(autouse=True)
    def _silent(self, scarce: Stall) -> None:
        scarce.truth.answer_read = lambda what, which: NoAnswer("Nobody there.") if what == "counts" else None

    def test_sell(self, scarce: Stall) -> None:
        policy(scarce, "sell")
        pay(Shopper(), scarce)
        assert Order.objects.count() == 1
        told = Movement.objects.get(kind="unanswered")
        assert "as you chose" in told.cause and told.left == 2 and told.event.startswith("checkout:")

    def test_refuse(self, scarce: Stall) -> None:
        policy(scarce, "refuse")
        buyer = Shopper()
        pay(buyer, scarce)
        assert "could not confirm" in buyer.page
        assert not Order.objects.exists()
        assert left(scarce) == 3

    def test_hold_keeps_the_units_and_the_same_button_buys_once_the_shop_answers(self, scarce: Stall) -> None:
        policy(scarce, "hold")
        buyer = Shopper()
        pay(buyer, scarce)
        assert buyer.url == "/checkout/pay/"
        assert "kept for you; pay again in a moment" in buyer.page
        assert not Order.objects.exists()
        assert left(scarce) == 2
        form = buyer.form()
        buyer.post("/checkout/pay/", token="works", **form)
        assert PaymentIntent.objects.count() == 1
        assert left(scarce) == 2
        scarce.truth.answer_read = lambda what, which: None
        buyer.post("/checkout/pay/", token="works", **form)
        assert Order.objects.count() == 1
        assert left(scarce) == 2


class TestWhoWasFirst:
    def test_of_two_who_hold_the_last_unit_the_first_gets_it(self, scarce: Stall) -> None:
        """The shop sold two of three: the first checkout is served, the second is told, whoever asks first."""
        first, second = scarce.open_checkout(), scarce.open_checkout()
        in_shop(scarce, 1)
        now = datetime.now(UTC)
        for intent, goes in ((second, False), (first, True)):
            (question,) = confirm_stock.questions_of(intent_id=intent.public_id, now=now)
            verdict = confirm_stock.judged(intent_id=intent.public_id, answers=[(question, [Count("v1", 1)])], now=now)
            assert verdict.go is goes

    def test_an_answer_that_another_read_overlapped_may_only_lower(self, scarce: Stall) -> None:
        intent, now = scarce.open_checkout(), datetime.now(UTC)
        (question,) = confirm_stock.questions_of(intent_id=intent.public_id, now=now)
        read(scarce)
        answers = [(question, [Count("v1", 9)])]
        assert confirm_stock.judged(intent_id=intent.public_id, answers=answers, now=now).go
        assert VariantStock.objects.get().count == 3
        (late,) = confirm_stock.questions_of(intent_id=intent.public_id, now=now)
        read(scarce)
        answers = [(late, [Count("v1", 0)])]
        verdict = confirm_stock.judged(intent_id=intent.public_id, answers=answers, now=now)
        assert not verdict.go
        assert left(scarce) == 0

    def test_what_was_paid_already_is_not_asked_for(self, scarce: Stall) -> None:
        intent = scarce.open_checkout()
        PaymentIntent.objects.update(state="captured")
        assert not confirm_stock.questions_of(intent_id=intent.public_id, now=datetime.now(UTC))

    @override_settings(ASK_BELOW=0, ASK_OLDER_SECONDS=10_000)
    def test_how_few_is_few_is_a_setting(self, scarce: Stall) -> None:
        intent = scarce.open_checkout()
        assert not confirm_stock.questions_of(intent_id=intent.public_id, now=datetime.now(UTC))


@pytest.mark.parametrize(
    ("stock", "offered"),
    [
        (Stock(count=10), 7),
        (Stock(count=10, buffer=2), 5),
        (Stock(count=10, most=4), 4),
        (Stock(count=10, floor=7), 7),
        (Stock(count=10, floor=8), 0),
        (Stock(count=10, floor=7, buffer=3, most=9), 4),
        (Stock(count=10, ceiling=5, floor=3), 0),
        (Stock(count=None, floor=1), None),
        (Stock(count=10, fresh=False, most=1), None),
    ],
)
def test_buffer_floor_and_most(stock: Stock, offered: int | None) -> None:
    """Three are held; the floor is looked at before the buffer is kept back, and the most that is shown comes last."""
    assert rules.available(stock, [Hold("a", 3, HoldState.OWED), Hold("b", 9, HoldState.ENDED)]) == offered


def test_of_two_clicks_neither_charges_when_the_shop_has_none(scarce: Stall) -> None:
    intent, now = scarce.open_checkout(), datetime.now(UTC)
    asked = [confirm_stock.questions_of(intent_id=intent.public_id, now=now)[0] for _ in range(2)]
    verdicts = [
        confirm_stock.judged(intent_id=intent.public_id, answers=[(one, [Count("v1", 0)])], now=now) for one in asked
    ]
    assert [verdict.go for verdict in verdicts] == [False, False]
    assert "Nothing was charged" in verdicts[1].sentence
    late = live.confirmed(intent)
    assert not late.go and late.sentence == verdicts[0].sentence, "the third came after both"


class TestTheLastUnitIsKept:
    """The shop is silent, and the seller chose to wait: what the buyer holds is not sold out for them."""

    @pytest.fixture
    def waiting(self, scarce: Stall) -> Shopper:
        in_shop(scarce, 1)
        read(scarce)
        policy(scarce, "hold")
        scarce.truth.answer_read = lambda what, which: NoAnswer("Nobody there.") if what == "counts" else None
        buyer = Shopper()
        pay(buyer, scarce)
        assert "kept for you; pay again in a moment" in buyer.page
        return buyer

    def test_the_button_stays(self, scarce: Stall, waiting: Shopper) -> None:
        assert "sold out" not in waiting.page
        scarce.truth.answer_read = lambda what, which: None
        waiting.post("/checkout/pay/", token="works", **waiting.form())
        assert Order.objects.count() == 1 and left(scarce) == 0

    def test_it_goes_along_to_another_checkout(self, scarce: Stall, waiting: Shopper) -> None:
        waiting.get("/cart/")
        assert "sold out" not in waiting.page
        waiting.give_address(city="Salem")
        scarce.truth.answer_read = lambda what, which: None
        waiting.post("/checkout/pay/", token="works", **waiting.form())
        assert Order.objects.count() == 1 and left(scarce) == 0
        assert sorted(PaymentIntent.objects.values_list("state", flat=True)) == ["captured", "declined"]

    def test_for_anybody_else_it_is_sold_out(self, scarce: Stall, waiting: Shopper) -> None:
        other = Shopper("sam@example.test")
        other.add(scarce.variant)
        assert "sold out" in other.page

    def test_plenty_that_is_known_by_now_ends_the_wait(self, scarce: Stall, waiting: Shopper) -> None:
        in_shop(scarce, 500)
        read(scarce)
        intent = PaymentIntent.objects.get()
        assert confirm_stock.waits_for_shop(intent) and live.confirmed(intent).go
        intent.refresh_from_db()
        assert not confirm_stock.waits_for_shop(intent), "the bank is asked now: nothing else is paid meanwhile"


def test_a_loop_that_is_busy_itself_is_a_silent_shop(scarce: Stall, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> object:
        raise NoAnswer("The shop did not answer within 2 seconds.")

    monkeypatch.setattr(live, "ask_all_and_keep", busy)
    policy(scarce, "refuse")
    assert "could not confirm" in live.confirmed(scarce.open_checkout()).sentence
