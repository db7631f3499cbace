"""An offer of 8.00 dollars, accepted; then the shop sells in euros. It must not be paid as 8.00 euros."""

from datetime import timedelta

import pytest

from crossdock.domain.offers import Deed, OfferState, Who
from crossdock.domain.values import Money
from crossdock.kit import discover
from crossdock.store.models import Connection, Listing, Offer, Order, PolicySwitch, User
from crossdock.usecases.catalogue import offers
from crossdock.usecases.checkout import checkout
from crossdock.usecases.checkout.basket import Basket, priced
from crossdock.usecases.errors import Stale
from crossdock.usecases.shops.shop_money import confirm_money, money_seen
from market import ADDRESS, World

pytestmark = pytest.mark.django_db


def made(world: World) -> Offer:
    buyer = User.objects.create_user("zoe@example.test", None, name="Zoë")
    PolicySwitch.objects.create(rule="S1", lifted=True, changed_by=buyer, changed_at=world.now)
    Listing.objects.update(takes_offers=True, accept_from_minor=None)
    world.variant.listing.refresh_from_db()
    return offers.make_offer(
        buyer=buyer,
        variant=world.variant,
        quantity=1,
        amount=Money(world.variant.price_minor - 100, "USD"),
        manifest=discover.connectors()["woocommerce"].manifest,
        now=world.now,
    )


def answered(world: World, offer: Offer, deed: Deed, amount: Money | None = None) -> Offer:
    offer.refresh_from_db()
    return offers.answer_offer(offer=offer, who=Who.SELLER, deed=deed, seen=offer.price, amount=amount, now=world.now)


def sold_in_euros() -> None:
    Listing.objects.update(currency="EUR")


def basket(world: World, offer: Offer) -> Basket:
    return {"lines": {}, "offers": [offer.public_id]}


def test_an_accepted_offer_is_not_paid_in_the_new_currency() -> None:
    world = World(units=5)
    offer = answered(world, made(world), Deed.ACCEPT)
    paid = basket(world, offer)
    assert priced(basket=paid, country="US", now=world.now).items == offer.price
    sold_in_euros()

    shown = priced(basket=paid, country="US", now=world.now)
    assert shown.items != Money(offer.amount_minor, "EUR")
    assert any("was made in USD" in words and "sold in EUR now" in words for words in shown.problems)
    with pytest.raises(Stale, match="was made in USD"):
        checkout.open_checkout(
            buyer=offer.buyer,
            basket=paid,
            ship_to=ADDRESS,
            key="checkout-1",
            fingerprint=shown.fingerprint,
            gateway="sandbox",
            now=world.now,
        )
    assert not Order.objects.exists()


@pytest.mark.parametrize(("deed", "amount"), [(Deed.ACCEPT, None), (Deed.COUNTER, Money(950, "USD"))])
def test_an_open_one_is_not_agreed_on_any_more(deed: Deed, amount: Money | None) -> None:
    world = World(units=5)
    offer = made(world)
    sold_in_euros()
    with pytest.raises(Stale, match="was made in USD"):
        answered(world, offer, deed, amount)
    offer.refresh_from_db()
    assert offer.state == OfferState.OPEN
    # It can still be ended.
    assert answered(world, offer, Deed.DECLINE).state == OfferState.DECLINED


def test_the_seller_s_own_limits_end_with_their_currency() -> None:
    """A shop that sold in yen accepted offers from ¥800; it must not accept 8.00 euros by itself."""
    world = World(units=5)
    Connection.objects.update(settings={"currency": "USD"})
    Listing.objects.update(accept_from_minor=800, decline_below_minor=500)
    later = world.now + timedelta(hours=1)
    money_seen(connection_id=world.shop.pk, currency="EUR", settings={"currency": "EUR"}, now=later)
    confirm_money(connection=Connection.objects.get(), actor=world.seller.owner, now=later)
    listing = Listing.objects.get()
    assert (listing.accept_from_minor, listing.decline_below_minor) == (None, None)
