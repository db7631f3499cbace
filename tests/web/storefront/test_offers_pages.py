"""Offers through the pages, as buyer and seller press them."""

import re
from html import unescape

import pytest
from django.test import Client

from crossdock.store.models import AuditEntry, Listing, Offer, Order, PolicySwitch, Variant
from market import World
from shopper import Shopper, a_listing, a_seller, of

pytestmark = pytest.mark.django_db


class Desk:
    """A seller at the panel."""

    def __init__(self, variant: Variant) -> None:
        self.client = Client()
        self.client.force_login(variant.listing.seller.owner)

    def get(self, url: str) -> str:
        return unescape(self.client.get(url, follow=True).content.decode())

    def post(self, url: str, **form: object) -> str:
        return unescape(self.client.post(url, form, follow=True).content.decode())


def seen(page: str) -> str:
    found = re.search(r'name="seen" value="(\d+)"', page)
    assert found, "the page shows no price to answer"
    return found[1]


def test_the_whole_way_through_the_pages() -> None:
    card = a_listing(a_seller(), count=2)
    buyer, desk = Shopper(), Desk(card)
    buyer.get(of(card.listing))
    assert f'href="{of(card.listing)}offer/"' in buyer.page
    assert buyer.post(of(card.listing) + "offer/", variant=card.public_id, quantity=1, price="12") == 422
    assert "buy it at the asking price" in buyer.page
    buyer.post(of(card.listing) + "offer/", variant=card.public_id, quantity=1, price="7.50")
    offer = Offer.objects.get()
    assert "48 hours" in buyer.page and buyer.url == f"/offers/{offer.public_id}/"

    inbox = desk.get("/seller/offers/")
    assert "$7.50" in inbox and "25 %" in inbox and '1<span class="hidden"> waiting' in inbox
    page = desk.get(f"/seller/offers/{offer.public_id}/")
    desk.post(f"/seller/offers/{offer.public_id}/answer/", deed="counter", seen=seen(page), price="9", note="Mint!")
    buyer.get(f"/offers/{offer.public_id}/")
    assert "Accept $9.00" in buyer.page and "Mint!" in buyer.page
    buyer.post(f"/offers/{offer.public_id}/answer/", deed="accept", seen="750")
    assert "Look again" in buyer.page, "an old page decides nothing"
    buyer.get(f"/offers/{offer.public_id}/")
    buyer.post(f"/offers/{offer.public_id}/answer/", deed="accept", seen=seen(buyer.page))
    assert "The units are held for you" in buyer.page

    buyer.post(f"/offers/{offer.public_id}/pay/")
    buyer.give_address()
    form = buyer.form()
    assert "$9.00" in buyer.page and "$13.50" in buyer.page
    buyer.post("/checkout/pay/", **form, token="works")
    order = Order.objects.get()
    assert order.items_minor == 900 and "placed and paid" in buyer.page
    offer.refresh_from_db()
    assert offer.order == order
    assert f"#{order.number}" in desk.get("/seller/offers/?show=paid")
    assert buyer.post(f"/offers/{offer.public_id}/pay/") == 200 and f"#{order.number}" in buyer.page, "paid: its order"


def test_what_was_agreed_is_a_line_of_the_cart() -> None:
    seller = a_seller()
    card, other = a_listing(seller), a_listing(seller, "Tide Owl")
    Listing.objects.filter(pk=card.listing_id).update(accept_from_minor=100)
    buyer = Shopper()
    buyer.add(other)
    buyer.add(card)
    buyer.post(of(card.listing) + "offer/", variant=card.public_id, quantity=2, price="5")
    offer = Offer.objects.get()
    assert offer.state == "accepted"
    for _ in range(2):
        buyer.post(f"/offers/{offer.public_id}/pay/")
    assert buyer.url == "/cart/"
    assert buyer.page.count("as agreed") == 1 and "2 × $5.00" in buyer.page and "Tide Owl" in buyer.page
    buyer.post("/cart/change/", variant=card.public_id, quantity=5, offer="")
    buyer.get("/cart/")
    assert "2 × $5.00" in buyer.page, "the price was agreed for this number"
    buyer.add(card)
    assert "in your cart at the agreed price" in buyer.page
    buyer.give_address()
    buyer.post("/checkout/pay/", **buyer.form(), token="works")
    order = Order.objects.get()
    assert order.items_minor == 2000 and list(order.offers.all()) == [offer]


def accepted(buyer: Shopper, card: Variant) -> Offer:
    Listing.objects.filter(pk=card.listing_id).update(accept_from_minor=100)
    buyer.post(of(card.listing) + "offer/", variant=card.public_id, quantity=1, price="5")
    return Offer.objects.get(variant=card)


def test_an_offer_that_is_taken_out_waits_under_the_buyers_offers() -> None:
    seller, elsewhere = a_seller(), a_seller("Beacon")
    card, other = a_listing(seller), a_listing(elsewhere, "Tide Owl", count=5)
    buyer = Shopper()
    buyer.add(other, 2)
    offer = accepted(buyer, card)
    buyer.post(f"/offers/{offer.public_id}/pay/")
    assert "as agreed" in buyer.page and "Tide Owl" in buyer.page
    buyer.post("/cart/change/", variant=card.public_id, offer=offer.public_id, remove="1")
    assert "Tide Owl" in buyer.page and "as agreed" not in buyer.page
    offer.refresh_from_db()
    assert offer.state == "accepted"


def test_a_crafted_request_meets_the_same_refusal() -> None:
    world = World(units=2)
    buyer = Shopper()
    listing = world.variant.listing
    buyer.get(of(listing) + "offer/")
    assert "no offers can be made on it" in buyer.page
    buyer.post(of(listing) + "offer/", variant=world.variant.public_id, quantity=1, price="5")
    assert "no offers can be made on it" in buyer.page
    assert not Offer.objects.exists()


def test_somebody_elses_offer_does_not_exist() -> None:
    card = a_listing(a_seller())
    mine, stranger = Shopper(), Shopper("sam@example.test")
    mine.post(of(card.listing) + "offer/", variant=card.public_id, quantity=1, price="7")
    offer = Offer.objects.get()
    for path in ("", "answer/", "pay/"):
        url = f"/offers/{offer.public_id}/{path}"
        assert (stranger.post(url) if path else stranger.get(url)) == 404
    assert Client().get(f"/offers/{offer.public_id}/").status_code == 302
    offer.refresh_from_db()
    assert offer.state == "open"


def test_terms_of_one_and_of_many() -> None:
    card = a_listing(a_seller(), price=1000)
    a_listing(card.listing.seller, "Tide Owl", price=2000)
    desk = Desk(card)
    url = f"/seller/listings/{card.listing.public_id}/offers/"
    assert "must not be above" in desk.post(url, takes="on", accept_from="5", decline_below="6")
    assert "at most 2 decimals" in desk.post(url, takes="on", accept_from="5.001")
    desk.post(url, takes="on", accept_from="9.00", decline_below="4")
    card.listing.refresh_from_db()
    assert (card.listing.takes_offers, card.listing.accept_from_minor, card.listing.decline_below_minor) == (
        True,
        900,
        400,
    )
    page = desk.post("/seller/offers/terms/", which="hand", takes="on", accept_percent="80")
    assert "This changes <strong>2</strong> listings" in page
    card.listing.refresh_from_db()
    assert card.listing.accept_from_minor == 900, "a preview changes nothing"
    desk.post("/seller/offers/terms/", which="hand", takes="on", accept_percent="80", sure="2")
    assert sorted(Listing.objects.values_list("accept_from_minor", flat=True)) == [800, 1600]
    desk.post("/seller/offers/terms/", which="hand", sure="2")
    buyer = Shopper()
    buyer.get(of(card.listing))
    assert "takes no offers" in buyer.page and "/offer/" not in buyer.page


def test_empty_states_and_the_switch() -> None:
    card = a_listing(a_seller())
    assert "No offers yet" in Desk(card).get("/seller/offers/")
    buyer = Shopper()
    buyer.get("/offers/")
    assert "No offers yet" in buyer.page
    assert not PolicySwitch.objects.exists() and not AuditEntry.objects.exists()
