"""Offers: whose turn it is, what is held, what is paid, and S1's refusal everywhere."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossdock.domain.offers import Deed, OfferState, Terms, Who, at_once, may, off, wrong_amount
from crossdock.domain.values import Money
from crossdock.kit import discover
from crossdock.store.models import (
    Listing,
    Mail,
    Offer,
    Order,
    PaymentIntent,
    PolicySwitch,
    Reservation,
    Seller,
    User,
    Variant,
)
from crossdock.usecases.catalogue import offer_terms, offers
from crossdock.usecases.checkout import basket as baskets
from crossdock.usecases.checkout import checkout
from crossdock.usecases.checkout.basket import Basket, priced
from crossdock.usecases.errors import Invalid, NotAllowed, Problem, Stale
from crossdock.usecases.stock.reservations import availability
from market import ADDRESS, World, graded
from shopper import a_listing, a_seller

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
USD = "USD"


def usd(minor: int) -> Money:
    return Money(minor, USD)


class Stand:
    """A seller with one card made by hand at 10.00, three units, and a buyer."""

    def __init__(self, count: int = 3, **terms: int) -> None:
        self.seller: Seller = a_seller()
        self.variant: Variant = a_listing(self.seller, count=count)
        if terms:
            Listing.objects.filter(pk=self.variant.listing_id).update(**terms)
            self.variant.listing.refresh_from_db()
        self.buyer = User.objects.create_user("zoe@example.test", None, name="Zoë Müller")
        self.other = User.objects.create_user("sam@example.test", None, name="Sam")

    def make(self, minor: int = 800, quantity: int = 1, buyer: User | None = None, now: datetime = NOW) -> Offer:
        return offers.make_offer(
            buyer=buyer or self.buyer,
            variant=self.variant,
            quantity=quantity,
            amount=usd(minor),
            manifest=None,
            now=now,
        )

    def answer(self, offer: Offer, who: Who, deed: Deed, minor: int | None = None, now: datetime = NOW) -> Offer:
        offer.refresh_from_db()
        return offers.answer_offer(
            offer=offer, who=who, deed=deed, seen=offer.price, amount=None if minor is None else usd(minor), now=now
        )

    @property
    def left(self) -> int | None:
        return availability(variants=[self.variant], now=NOW)[self.variant.pk]

    def basket(self, offer: Offer) -> Basket:
        return {"lines": {}, "offers": [offer.public_id]}

    def intent(self, offer: Offer, key: str = "checkout-1", buyer: User | None = None, now: datetime = NOW) -> str:
        shown = priced(basket=self.basket(offer), country="US", now=now)
        return checkout.open_checkout(
            buyer=buyer or self.buyer,
            basket=self.basket(offer),
            ship_to=ADDRESS,
            key=key,
            fingerprint=shown.fingerprint,
            gateway="sandbox",
            now=now,
        ).public_id

    def pay(self, offer: Offer, key: str = "checkout-1") -> Order:
        return checkout.place_order(intent_id=self.intent(offer, key), gateway_ref="r", checks={}, now=NOW)


@given(amount=st.integers(1, 2000), accept=st.none() | st.integers(1, 2000), decline=st.none() | st.integers(1, 2000))
def test_the_sellers_own_prices_never_accept_what_they_decline(
    amount: int, accept: int | None, decline: int | None
) -> None:
    answer = at_once(amount, Terms(accept, decline))
    if accept is not None and amount >= accept:
        assert answer is Deed.ACCEPT
    elif decline is not None and amount < decline:
        assert answer is Deed.DECLINE
    else:
        assert answer is None


def test_amounts_that_make_no_sense_have_a_sentence() -> None:
    assert wrong_amount(0, asking=1000) and wrong_amount(9, asking=1000)
    assert "buy it" in wrong_amount(1000, asking=1000)
    assert not wrong_amount(999, asking=1000)
    assert "accept it" in wrong_amount(900, asking=1000, than=900)
    assert "accept it" in wrong_amount(800, asking=1000, than=800, by=Who.SELLER)
    assert not wrong_amount(1000, asking=1000, than=800, by=Who.SELLER)
    assert off(850, 1000) == 15 and off(1, 0) == 0


def test_nobody_acts_out_of_turn() -> None:
    ends = [OfferState.PAID, OfferState.DECLINED, OfferState.WITHDRAWN, OfferState.EXPIRED]
    assert not any(may(state, who, deed) for state in ends for who in Who for deed in Deed)
    assert not may(OfferState.OPEN, Who.BUYER, Deed.ACCEPT), "nobody accepts their own offer"
    assert not may(OfferState.COUNTERED, Who.SELLER, Deed.ACCEPT)
    assert not may(OfferState.ACCEPTED, Who.SELLER, Deed.WITHDRAW), "the seller's word holds until the time is over"


@pytest.mark.django_db
class TestTheWay:
    def test_made_countered_accepted_paid_at_the_agreed_price(self) -> None:
        stand = Stand()
        offer = stand.make(700)
        assert (offer.state, stand.left) == ("open", 3), "an open offer holds nothing"
        assert offer.ends_at == NOW + timedelta(hours=48)
        stand.answer(offer, Who.SELLER, Deed.COUNTER, 900)
        stand.answer(offer, Who.BUYER, Deed.COUNTER, 800)
        accepted = stand.answer(offer, Who.SELLER, Deed.ACCEPT)
        assert (accepted.state, stand.left) == ("accepted", 2)
        assert accepted.ends_at == NOW + timedelta(hours=24)
        order = stand.pay(offer)
        offer.refresh_from_db()
        assert (offer.state, offer.order, order.items_minor) == ("paid", order, 800)
        assert order.lines.get().unit_price == usd(800) and order.total_minor == 800 + 450
        assert stand.left == 2, "the offer's hold became the order's, and none was added"
        assert Reservation.objects.filter(variant=stand.variant).count() == 1
        deeds = list(offer.moves.values_list("who", "deed", "amount_minor"))
        assert deeds == [
            ("buyer", "make", 700),
            ("seller", "counter", 900),
            ("buyer", "counter", 800),
            ("seller", "accept", 800),
            ("buyer", "pay", 800),
        ]

    def test_the_last_unit_of_an_accepted_offer_is_nobody_elses(self) -> None:
        stand = Stand(count=1)
        first, second = stand.make(700), stand.make(750, buyer=stand.other)
        stand.answer(first, Who.SELLER, Deed.ACCEPT)
        assert stand.left == 0
        with pytest.raises(Stale, match="sold meanwhile"):
            stand.answer(second, Who.SELLER, Deed.ACCEPT)
        plain: Basket = {"lines": {stand.variant.public_id: 1}}
        with pytest.raises(Stale, match="sold out"):
            checkout.open_checkout(
                buyer=stand.other,
                basket=plain,
                ship_to=ADDRESS,
                key="checkout-2",
                fingerprint="",
                gateway="sandbox",
                now=NOW,
            )
        assert stand.pay(first).items_minor == 700
        assert stand.left == 0

    def test_double_clicks_and_moves_of_the_other_side(self) -> None:
        stand = Stand()
        offer = stand.make(700)
        seen = offer.price
        stand.answer(offer, Who.SELLER, Deed.COUNTER, 900)
        with pytest.raises(Stale, match=r"9\.00"):
            offers.answer_offer(offer=offer, who=Who.BUYER, deed=Deed.ACCEPT, seen=seen, now=NOW)
        stand.answer(offer, Who.BUYER, Deed.ACCEPT)
        stand.answer(offer, Who.BUYER, Deed.ACCEPT)
        assert stand.left == 2, "held once"
        with pytest.raises(Stale, match="accepted"):
            stand.answer(offer, Who.SELLER, Deed.DECLINE)

    @pytest.mark.parametrize(
        ("who", "deed", "state"),
        [
            (Who.SELLER, Deed.DECLINE, "declined"),
            (Who.BUYER, Deed.WITHDRAW, "withdrawn"),
        ],
    )
    def test_ends_without_a_sale(self, who: Who, deed: Deed, state: str) -> None:
        stand = Stand()
        offer = stand.make()
        assert stand.answer(offer, who, deed).state == state
        assert stand.left == 3
        assert stand.make(820).state == "open", "another offer may be made then"

    def test_withdrawn_after_it_was_accepted_gives_the_units_back(self) -> None:
        stand = Stand()
        offer = stand.make()
        stand.answer(offer, Who.SELLER, Deed.ACCEPT)
        stand.answer(offer, Who.BUYER, Deed.WITHDRAW)
        assert stand.left == 3
        with pytest.raises(Stale, match="not open for payment"):
            stand.pay(offer)

    def test_expires_after_two_days_and_an_accepted_one_after_one(self) -> None:
        stand = Stand()
        waiting, agreed = stand.make(700), stand.make(800, buyer=stand.other)
        stand.answer(agreed, Who.SELLER, Deed.ACCEPT)
        assert offers.expire_offers(now=NOW + timedelta(hours=23)) == 0
        assert offers.expire_offers(now=NOW + timedelta(hours=24)) == 1
        assert stand.left == 3
        with pytest.raises(Stale, match="ran out"):
            stand.answer(waiting, Who.SELLER, Deed.ACCEPT, now=NOW + timedelta(hours=48))
        assert offers.expire_offers(now=NOW + timedelta(hours=48)) == 1
        assert set(Offer.objects.values_list("state", flat=True)) == {"expired"}

    def test_one_that_is_being_paid_does_not_expire(self) -> None:
        stand = Stand(count=1)
        offer = stand.make()
        stand.answer(offer, Who.SELLER, Deed.ACCEPT)
        late = NOW + timedelta(hours=23, minutes=59)
        intent = stand.intent(offer, now=late)
        assert Reservation.objects.get(cause=offer.hold_cause).expires_at == late + checkout.HOLD_FOR
        after = NOW + timedelta(hours=24, minutes=1)
        assert offers.expire_offers(now=after) == 0
        assert checkout.expire_checkouts(now=after) == 0
        checkout.place_order(intent_id=intent, gateway_ref="r", checks={}, now=after)
        assert Offer.objects.get().state == "paid"

    def test_a_certificate_that_somebody_pays_for_in_another_listing_is_not_promised(self) -> None:
        stand = Stand(count=1)
        offer = stand.make()
        other = a_listing(stand.seller, count=1)
        for variant in (stand.variant, other):
            graded(variant.listing)
        basket: Basket = {"lines": {other.public_id: 1}}
        held = checkout.open_checkout(
            buyer=stand.other,
            basket=basket,
            ship_to=ADDRESS,
            key="checkout-of-the-other",
            fingerprint=priced(basket=basket, country="US", now=NOW).fingerprint,
            gateway="sandbox",
            now=NOW,
        )
        with pytest.raises(Stale, match="there is one of it only"):
            stand.answer(offer, Who.SELLER, Deed.ACCEPT)
        checkout.payment_failed(intent_id=held.public_id, sentence="Declined.", now=NOW)
        assert stand.answer(offer, Who.SELLER, Deed.ACCEPT).state == "accepted"

    def test_two_payments_of_one_offer_make_one_order(self) -> None:
        stand = Stand()
        offer = stand.make()
        stand.answer(offer, Who.SELLER, Deed.ACCEPT)
        first, second = stand.intent(offer, "checkout-1"), stand.intent(offer, "checkout-2")
        checkout.place_order(intent_id=first, gateway_ref="a", checks={}, now=NOW)
        with pytest.raises(Stale, match="paid already"):
            checkout.place_order(intent_id=second, gateway_ref="b", checks={}, now=NOW)
        assert Order.objects.count() == 1
        assert PaymentIntent.objects.get(public_id=second).state == "abandoned", "its money goes back"
        assert stand.left == 2

    def test_a_declined_card_leaves_the_offer_as_it_was(self) -> None:
        stand = Stand()
        offer = stand.make()
        stand.answer(offer, Who.SELLER, Deed.ACCEPT)
        intent = stand.intent(offer)
        checkout.payment_failed(intent_id=intent, sentence="No.", now=NOW)
        assert stand.left == 2, "still held for the buyer"
        assert stand.pay(offer, "checkout-2").items_minor == 800

    def test_only_the_buyer_pays_and_only_what_was_agreed(self) -> None:
        stand = Stand()
        offer = stand.make()
        stand.answer(offer, Who.SELLER, Deed.ACCEPT)
        with pytest.raises(NotAllowed, match="somebody else"):
            stand.intent(offer, buyer=stand.other)
        greedy = {**stand.basket(offer), "lines": {stand.variant.public_id: 3}}
        with pytest.raises(Invalid, match="agreed"):
            baskets.priced(basket=greedy, country="US", now=NOW)  # type: ignore[arg-type]

    def test_a_lower_asking_price_is_the_buyers(self) -> None:
        stand = Stand()
        offer = stand.make(800)
        stand.answer(offer, Who.SELLER, Deed.ACCEPT)
        Variant.objects.filter(pk=stand.variant.pk).update(price_minor=600)
        assert stand.pay(offer).items_minor == 600


@pytest.mark.django_db
class TestTheSellersOwnPrices:
    def test_accepts_and_declines_at_once(self) -> None:
        stand = Stand(accept_from_minor=900, decline_below_minor=500)
        assert stand.make(950).state == "accepted"
        assert stand.left == 2
        assert stand.make(400, buyer=stand.other).state == "declined"
        assert stand.make(600, buyer=stand.other).state == "open"
        who = Mail.objects.filter(to=stand.seller.owner.email).values_list("body", flat=True)
        assert any("waits for the buyer's payment" in body for body in who)

    def test_in_bulk_by_percent_for_ones_own_listings_alone(self) -> None:
        stand = Stand()
        stranger = a_seller("Stranger")
        theirs = a_listing(stranger, "Tide Owl").listing
        rows = [stand.variant.listing, theirs]
        done = offer_terms.set_terms_by_percent(
            seller=stand.seller, listings=rows, takes=True, accept_percent=90, decline_percent=40, now=NOW
        )
        stand.variant.listing.refresh_from_db()
        theirs.refresh_from_db()
        assert done == 1
        assert (stand.variant.listing.accept_from_minor, stand.variant.listing.decline_below_minor) == (900, 400)
        assert theirs.accept_from_minor is None
        with pytest.raises(Invalid):
            offer_terms.set_terms_by_percent(
                seller=stand.seller, listings=rows, takes=True, accept_percent=30, decline_percent=40, now=NOW
            )


@pytest.mark.django_db
class TestRefused:
    def test_s1_as_described_and_lifted(self) -> None:
        world = World(units=3)
        buyer = User.objects.create_user("b@example.test")
        can, cannot = discover.connectors()["woocommerce"].manifest, discover.connectors()["vendure"].manifest

        def make(manifest: object) -> Offer:
            return offers.make_offer(
                buyer=buyer,
                variant=world.variant,
                quantity=1,
                amount=usd(800),
                manifest=manifest,
                now=world.now,  # type: ignore[arg-type]
            )

        with pytest.raises(NotAllowed, match="asking price"):
            make(can)
        PolicySwitch.objects.create(rule="S1", lifted=True, changed_by=buyer, changed_at=NOW)
        with pytest.raises(NotAllowed, match="takes no offers"):
            make(can)
        Listing.objects.update(takes_offers=True)
        world.variant.listing.refresh_from_db()
        with pytest.raises(NotAllowed, match="asking price"):
            make(cannot)
        with pytest.raises(NotAllowed):
            make(None)
        assert not Offer.objects.exists()
        assert make(can).state == "open"

    def test_sentences(self) -> None:
        stand = Stand()
        with pytest.raises(Invalid, match="asking price"):
            stand.make(1000)
        with pytest.raises(Invalid, match="Only 3 left"):
            stand.make(800, quantity=4)
        with pytest.raises(NotAllowed, match="your own"):
            stand.make(buyer=stand.seller.owner)
        stand.make()
        with pytest.raises(Invalid, match="already"):
            stand.make(810)
        Listing.objects.update(takes_offers=False)
        stand.variant.listing.refresh_from_db()
        with pytest.raises(NotAllowed, match="takes no offers"):
            stand.make(buyer=stand.other)

    def test_at_most_five_a_day_on_one_item(self) -> None:
        stand = Stand()
        for n in range(5):
            stand.answer(stand.make(700 + n), Who.SELLER, Deed.DECLINE)
        with pytest.raises(NotAllowed, match="tomorrow"):
            stand.make(790)
        assert stand.make(790, now=NOW + timedelta(days=1, seconds=1)).state == "open"


DEEDS = st.tuples(
    st.sampled_from(["make", "counter", "accept", "decline", "withdraw", "expire", "begin", "pay", "sell"]),
    st.sampled_from([Who.BUYER, Who.SELLER]),
    st.integers(0, 1),
    st.integers(500, 999),
)


@pytest.mark.django_db(transaction=True)
@settings(max_examples=25, deadline=None)
@given(steps=st.lists(DEEDS, min_size=3, max_size=14))
def test_whatever_both_sides_do_no_unit_is_promised_twice(steps: list[tuple[str, Who, int, int]]) -> None:
    """Two buyers, two units: after every step what is held plus what is for sale is what exists, and every paid offer
    has one order.
    """
    from django.db import transaction

    with transaction.atomic():
        stand = Stand(count=2)
        made: dict[int, Offer] = {}
        intents: list[str] = []
        buyers = [stand.buyer, stand.other]
        now = NOW
        for what, who, which, minor in steps:
            now += timedelta(hours=3)
            offer = made.get(which)
            try:
                match what:
                    case "make":
                        made[which] = stand.make(minor, buyer=buyers[which], now=now)
                    case "begin" if offer:
                        intents.append(stand.intent(offer, f"checkout-{len(intents)}", buyers[which], now=now))
                    case "pay" if intents:
                        checkout.place_order(
                            intent_id=intents[minor % len(intents)], gateway_ref="r", checks={}, now=now
                        )
                    case "expire":
                        offers.expire_offers(now=now)
                        checkout.expire_checkouts(now=now)
                    case "sell":
                        plain_order(stand, buyers[which], now)
                    case "counter" | "accept" | "decline" | "withdraw" if offer:
                        stand.answer(offer, who, Deed(what), minor if what == "counter" else None, now=now)
            except Problem:
                pass
            held = sum(Reservation.objects.exclude(state="ended").values_list("quantity", flat=True))
            sold = Order.objects.count()
            assert held <= 2 and sold <= 2
            assert availability(variants=[stand.variant], now=now)[stand.variant.pk] == 2 - held
            paid = Offer.objects.filter(state="paid")
            assert all(row.order_id for row in paid) and len({row.order_id for row in paid}) == paid.count()
            accepted = Offer.objects.filter(state="accepted", ends_at__gt=now)
            for row in accepted:
                assert Reservation.objects.filter(cause=row.hold_cause).exclude(state="ended").exists()
        transaction.set_rollback(True)


def plain_order(stand: Stand, buyer: User, now: datetime) -> None:
    """Somebody simply buys one at the asking price."""
    plain: Basket = {"lines": {stand.variant.public_id: 1}}
    shown = priced(basket=plain, country="US", now=now)
    intent = checkout.open_checkout(
        buyer=buyer,
        basket=plain,
        ship_to=ADDRESS,
        key=f"plain-{now.timestamp()}",
        fingerprint=shown.fingerprint,
        gateway="sandbox",
        now=now,
    )
    checkout.place_order(intent_id=intent.public_id, gateway_ref="r", checks={}, now=now)
