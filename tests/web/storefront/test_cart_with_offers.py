"""Accepted offers among other lines of a cart: what is paid leaves it, what ended blocks nothing, and nothing else goes
along.
"""

from datetime import UTC, datetime

import pytest

from crossdock.store.models import Listing, Offer, Order, PaymentIntent, Variant
from crossdock.usecases.checkout.checkout import place_order
from shopper import Shopper, a_listing, a_seller, of

pytestmark = pytest.mark.django_db


def accepted(buyer: Shopper, card: Variant) -> Offer:
    Listing.objects.filter(pk=card.listing_id).update(accept_from_minor=100)
    buyer.post(of(card.listing) + "offer/", variant=card.public_id, quantity=1, price="5")
    offer = Offer.objects.latest("pk")
    assert offer.state == "accepted"
    return offer


def test_what_costs_another_currency_stays_when_an_offer_is_paid() -> None:
    card = a_listing(a_seller("One"), "Mine")
    other = a_listing(a_seller("Two", currency="EUR"), "Theirs", price=700, currency="EUR")
    buyer = Shopper()
    buyer.add(other)
    offer = accepted(buyer, card)
    buyer.post(f"/offers/{offer.public_id}/pay/")
    buyer.get("/checkout/?currency=USD")
    buyer.give_address()
    buyer.post("/checkout/pay/", token="works", **buyer.form())
    assert Order.objects.get().currency == "USD" and "still in your cart" in buyer.page
    buyer.get("/cart/")
    assert "Theirs" in buyer.page and "Mine" not in buyer.page


def test_a_payment_that_was_settled_elsewhere_is_not_made_again_after_a_look_at_the_cart() -> None:
    card, other = a_listing(a_seller("One"), "Mine"), a_listing(a_seller("Two"), "Theirs")
    buyer = Shopper()
    buyer.add(other)
    offer = accepted(buyer, card)
    buyer.post(f"/offers/{offer.public_id}/pay/")
    buyer.give_address()
    buyer.post("/checkout/pay/", token="late", **buyer.form())
    intent = PaymentIntent.objects.get()
    assert intent.state == "unknown", buyer.page
    place_order(intent_id=intent.public_id, gateway_ref="ref", checks={}, now=datetime.now(UTC))
    buyer.get("/cart/")
    buyer.get("/checkout/pay/")
    assert buyer.url == f"/checkout/paid/{intent.public_id}/"
    buyer.get("/cart/")
    assert "Your cart is empty" in buyer.page


def test_an_offer_that_ended_makes_room_for_the_next_one_on_the_same_thing() -> None:
    card = a_listing(a_seller(), "Mine")
    buyer = Shopper()
    first = accepted(buyer, card)
    buyer.post(f"/offers/{first.public_id}/pay/")
    buyer.post(f"/offers/{first.public_id}/answer/", deed="withdraw", seen="500")
    second = accepted(buyer, card)
    buyer.post(f"/offers/{second.public_id}/pay/")
    assert buyer.get("/cart/") == 200
    assert buyer.page.count("as agreed") == 1 and "not open for payment" not in buyer.page
    buyer.give_address()
    buyer.post("/checkout/pay/", token="works", **buyer.form())
    assert Order.objects.get().offers.get() == second


def test_an_offer_that_ended_does_not_keep_the_thing_from_being_bought_at_the_asking_price() -> None:
    card = a_listing(a_seller(), "Mine")
    buyer = Shopper()
    offer = accepted(buyer, card)
    buyer.post(f"/offers/{offer.public_id}/pay/")
    buyer.post(f"/offers/{offer.public_id}/answer/", deed="withdraw", seen="500")
    buyer.get("/cart/")
    assert "not open for payment" in buyer.page
    buyer.add(card)
    assert "is in your cart." in buyer.page and "as agreed" not in buyer.page
    buyer.give_address()
    buyer.post("/checkout/pay/", token="works", **buyer.form())
    assert Order.objects.get().items_minor == 1000


def test_a_cart_of_an_earlier_version_that_waited_beside_its_own_thing_at_an_agreed_price() -> None:
    card, other = a_listing(a_seller("One"), "Mine"), a_listing(a_seller("Two"), "Theirs")
    buyer = Shopper()
    offer = accepted(buyer, card)
    session = buyer.client.session
    session["cart"] = {"lines": {card.public_id: 1}, "offer": offer.public_id}
    session["cart_aside"] = {"lines": {card.public_id: 2, other.public_id: 1}}
    session.save()
    assert buyer.get("/cart/") == 200
    assert buyer.page.count("as agreed") == 1 and "Theirs" in buyer.page
    buyer.give_address()
    buyer.post("/checkout/pay/", token="works", **buyer.form())
    assert sorted(Order.objects.values_list("items_minor", flat=True)) == [500, 1000]
