"""What buyers see, without a script: found, shown, put in the cart, sent to an address, followed until it is there."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from crossdock.domain.events import ShopProduct, ShopVariant
from crossdock.domain.values import Money
from crossdock.store.models import (
    Connection,
    Listing,
    Order,
    PaymentIntent,
    Reservation,
    Seller,
    ShippingRate,
    TimelineEntry,
    User,
    Variant,
    VariantStock,
)
from crossdock.store.models.shops import ConnectionState
from crossdock.usecases.catalogue import import_products
from crossdock.usecases.orders.actions import change_tracking, ship_by_hand
from crossdock.usecases.record.mail import keep_mail
from crossdock.usecases.shops.privacy import NOBODY
from crossdock.usecases.stock import counts
from crossdock.web.storefront import checkout
from crossdock.web.templatetags.crossdock import money, when
from market import World
from market import connection as a_connection
from shopper import ADDRESS, Shopper, a_listing, a_seller, of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nobody_tried_before() -> None:
    """Rate limits are counted in the cache, which outlives a test."""
    cache.clear()


def visit(url: str) -> str:
    reader = Shopper(signed_in=False)
    assert reader.get(url) == 200
    return reader.page


def test_a_page_made_for_somebody_is_kept_by_no_proxy_and_one_made_for_a_buyer_by_no_browser() -> None:
    variant = a_listing(a_seller(), "Owl", count=5)
    visitor, buyer = Client(), Shopper()
    assert "Cache-Control" not in visitor.get("/")
    visitor.post("/cart/add/", {"variant": variant.public_id, "units": "1"})
    assert visitor.get("/cart/")["Cache-Control"] == "private"
    for path in ("/", "/cart/", "/orders/", "/offers/", reverse("account_change_password")):
        answer = buyer.client.get(path, follow=True)
        assert (answer.status_code, "no-store" in answer["Cache-Control"]) == (200, True), path


class TestBrowsing:
    def test_what_is_for_sale_with_price_and_what_is_left(self) -> None:
        seller = a_seller()
        a_listing(seller, "Plenty", count=50)
        a_listing(seller, "Some", count=3)
        a_listing(seller, "Single", count=1)
        a_listing(seller, "None", count=0)
        page = visit("/")
        words = re.findall(r'<article class="tile">.*?</article>', page, re.S)
        assert [re.findall(r">(Only 3 left|Last one|Sold out)<", tile) for tile in words] == [
            ["Sold out"],
            ["Last one"],
            ["Only 3 left"],
            [],
        ]
        assert page.count("$10.00") == 4

    def test_pages_go_on_where_the_last_one_ended(self) -> None:
        seller = a_seller()
        titles = [f"Card {number:02}" for number in range(30)]
        for title in titles:
            a_listing(seller, title)
        first = visit("/")
        following = re.search(r'rel="next" href="(\?after=\d+)"', first)
        assert following
        second = visit("/" + following[1])
        seen = re.findall(r"Card \d\d", first + second)
        assert sorted(set(seen)) == titles
        assert 'rel="next"' not in second
        assert "First page" in second

    @pytest.mark.parametrize("query", ["jamtrand", "JÄMTRAND fox", "fox jämtr"])
    def test_accents_and_capitals_do_not_matter(self, query: str) -> None:
        seller = a_seller()
        a_listing(seller, "Stone Fox of Jämtrand")
        a_listing(seller, "Tide Owl")
        page = visit(f"/?q={query}")
        assert "Stone Fox of Jämtrand" in page
        assert "Tide Owl" not in page
        assert " found</span>" not in page, "nothing is counted where the marketplace has no attributes"

    def test_an_empty_result_says_what_to_do(self) -> None:
        a_listing(a_seller(), "Tide Owl")
        page = visit("/?q=zebra")
        assert "Nothing found" in page
        assert "Try fewer or other words" in page
        assert "Tide Owl" not in page

    def test_a_search_finds_the_seller_too(self) -> None:
        a_seller("Kestrel")
        assert 'href="/s/kestrel/"' in visit("/?q=kest")

    @pytest.mark.parametrize(
        "url", ["/?after=x", "/?after=99999999999999999999999", "/?q=%00", "/?q=<script>", "/?after=-1"]
    )
    def test_nonsense_in_the_address(self, url: str) -> None:
        a_listing(a_seller())
        answer = Client().get(url)
        assert answer.status_code == 200
        assert b"<script>" not in answer.content

    def test_a_seller_s_page(self) -> None:
        seller = a_seller("Kestrel")
        a_listing(seller, "Gale Moth")
        a_listing(a_seller("Other"), "Tide Owl")
        page = visit("/s/kestrel/")
        assert "Gale Moth" in page
        assert "Tide Owl" not in page
        assert "United States $4.50" in page
        assert "Nothing found in this shop" in visit("/s/kestrel/?in=owl")

    def test_what_is_paused_archived_or_left_out_is_not_shown(self) -> None:
        for number, change in enumerate(
            ({"state": "archived"}, {"state": "left_out"}, {"gone_in_shop": True}, {"active_in_shop": False})
        ):
            listing = a_listing(a_seller(f"S{number}"), f"Hidden {number}").listing
            Listing.objects.filter(pk=listing.pk).update(**change)
        assert "Hidden" not in visit("/")

    def test_an_address_without_a_page(self) -> None:
        reader = Shopper(signed_in=False)
        assert reader.get("/l/nothing/") == 404
        assert "There is no page at this address" in reader.page


class TestListing:
    def test_a_listing_made_by_hand(self) -> None:
        card = a_listing(a_seller(), count=3)
        page = visit(of(card.listing))
        assert "Ember Fox" in page
        assert "Only 3 left" in page
        assert 'max="3"' in page
        assert "no offers can be made" not in page

    def test_a_synced_listing_is_sold_at_the_asking_price_and_says_why(self) -> None:
        world = World(units=2, now=datetime.now(UTC))
        page = visit(of(world.variant.listing))
        assert "$10.00" in page
        assert "no offers can be made" in page
        assert not re.search(r"<(button|a)[^>]*>[^<]*offer", page, re.I)

    def test_unknown_stock_is_not_sold_and_says_so(self) -> None:
        world = World(units=2, now=datetime.now(UTC))
        Connection.objects.update(last_read_at=datetime.now(UTC) - timedelta(days=2))
        page = visit(of(world.variant.listing))
        assert "The shop has not confirmed its stock lately, so it is not sold right now" in page
        assert "Add to cart" not in page
        assert "Stock unknown" in visit("/")
        buyer = Shopper()
        buyer.add(world.variant)
        assert "has not confirmed its stock" in buyer.page
        buyer.get("/checkout/")
        assert buyer.url == "/cart/"

    def test_a_shop_taking_a_break(self) -> None:
        world = World(units=2, now=datetime.now(UTC))
        Connection.objects.update(state=ConnectionState.PAUSED)
        page = visit(of(world.variant.listing))
        assert "This shop is taking a break" in page
        assert "Add to cart" not in page

    def test_variants_are_chosen_and_what_is_sold_out_cannot_be(self) -> None:
        seller = a_seller()
        shop = a_connection(seller, now=datetime.now(UTC))
        variants = (
            ShopVariant("v1", "F-NM", "Ember Fox - Near mint", Money(1000, "USD"), 4),
            ShopVariant("v2", "F-PL", "Played", Money(600, "USD"), 0),
        )
        import_products.receive_products(
            connection_id=shop.pk,
            products=[ShopProduct("p1", "Ember Fox", variants)],
            read_no=counts.draw_read_no(),
            now=datetime.now(UTC),
        )
        listing = Listing.objects.get()
        page = visit(of(listing))
        played = Variant.objects.get(title="Played").public_id
        near_mint = Variant.objects.get(title="Near mint").public_id
        assert f'name="variant" value="{near_mint}"' in page and "$6.00" in page
        headline = r'class="price big[^"]*">([^<]+)<'
        assert re.findall(headline, page) == ["$10.00"] and 'max="4"' in page and "F-NM" in page
        chosen = visit(of(listing) + f"?variant={played}")
        assert re.findall(headline, chosen) == ["$6.00"] and "Sold out." in chosen
        assert 'name="variant"' not in chosen and "F-PL" in chosen and "F-NM" not in chosen
        assert re.findall(headline, visit(of(listing) + "?variant=nonsense")) == ["$10.00"]

    def test_a_chosen_variant_changes_price_limit_and_article(self) -> None:
        shop = a_connection(a_seller(), now=datetime.now(UTC))
        variants = (
            ShopVariant("v1", "F-NM", "Near mint", Money(1000, "USD"), 4),
            ShopVariant("v2", "F-FO", "Foil", Money(15000, "USD"), 2),
        )
        import_products.receive_products(
            connection_id=shop.pk,
            products=[ShopProduct("p1", "Ember Fox", variants)],
            read_no=counts.draw_read_no(),
            now=datetime.now(UTC),
        )
        listing, foil = Listing.objects.get(), Variant.objects.get(title="Foil")
        page = visit(of(listing) + f"?variant={foil.public_id}")
        assert (
            '<p class="price big">$150.00</p>' in page and 'max="2"' in page and "F-FO" in page and "F-NM" not in page
        )
        assert f'name="variant" value="{foil.public_id}"' in page and page.count('aria-current="true"') == 1
        buyer = Shopper()
        buyer.add(foil, 2)
        assert "$300.00" in buyer.page

    def test_pictures_have_words(self) -> None:
        card = a_listing(a_seller())
        Listing.objects.update(images=["https://shop.test/a.png", "https://shop.test/b.png"])
        page = visit(of(card.listing))
        pictures = re.findall(r"<img [^>]*>", page)
        assert len(pictures) == 2
        assert all('alt="' in tag for tag in pictures)
        assert 'alt="Picture of Ember Fox"' in page

    def test_what_a_seller_writes_is_never_markup(self) -> None:
        seller = a_seller()
        card = a_listing(seller, '<script>alert("x")</script>')
        Listing.objects.update(description="<img src=x onerror=alert(1)>", images=['"><script>x</script>'])
        for url in (of(card.listing), "/", "/s/lantern/"):
            raw = Client().get(url).content.decode()
            assert "<script>alert" not in raw
            assert "<script>x" not in raw
            assert "<img src=x" not in raw


class TestCart:
    def test_it_works_before_signing_in_and_comes_along(self) -> None:
        card = a_listing(a_seller())
        buyer = Shopper(signed_in=False)
        buyer.add(card, 2)
        assert "$20.00" in buyer.page
        buyer.get("/checkout/")
        assert buyer.url == "/accounts/login/?next=/checkout/"
        buyer.post("/accounts/login/", login=buyer.user.email, password="pass-word-1", next="/checkout/")
        assert buyer.url == "/checkout/"
        assert "2 × $10.00" in buyer.page

    def test_registering_on_the_way_returns_to_the_checkout(self) -> None:
        buyer = Shopper(signed_in=False)
        buyer.add(a_listing(a_seller()))
        buyer.post("/accounts/signup/", email="new@example.test", password1="a-long-pass-9", next="/checkout/")
        assert buyer.url == "/checkout/"
        assert "Where should it go?" in buyer.page

    def test_cards_of_several_sellers_are_one_payment_and_an_order_of_each(self) -> None:
        one, two = a_listing(a_seller("One"), "Mine"), a_listing(a_seller("Two"), "Theirs", price=700)
        buyer = Shopper()
        buyer.add(one)
        buyer.add(two)
        assert "From <a" in buyer.page and "Mine" in buyer.page and "Theirs" in buyer.page
        assert "One payment for 2 orders" in buyer.page
        buyer.give_address()
        assert "From One" in buyer.page and "From Two" in buyer.page
        assert buyer.page.count("<span>Shipping</span><span>$4.50") == 2, "each seller's shipping before the payment"
        assert "Pay $26.00" in buyer.page
        buyer.post("/checkout/pay/", token="works", **buyer.form())
        first, second = Order.objects.order_by("pk")
        assert buyer.url == f"/checkout/paid/{first.intent.public_id}/"
        assert f"#{first.number}" in buyer.page and f"#{second.number}" in buyer.page
        assert "Your 2 orders are placed and paid" in buyer.page
        buyer.get(f"/orders/{first.public_id}/")
        assert "Paid together with" in buyer.page and f"#{second.number}" in buyer.page
        buyer.get("/cart/")
        assert "Your cart is empty" in buyer.page

    def test_a_part_that_cannot_go_there_is_taken_out_with_one_button(self) -> None:
        one, two = a_listing(a_seller("One"), "Mine"), a_listing(a_seller("Two"), "Theirs", price=700)
        ShippingRate.objects.filter(seller=two.listing.seller).update(country="FR")
        buyer = Shopper()
        buyer.add(one)
        buyer.add(two)
        buyer.give_address()
        assert "Two does not ship to this country" in buyer.page and 'name="fingerprint"' not in buyer.page
        buyer.post("/cart/drop/", variant=two.public_id, back="pay")
        assert buyer.url == "/checkout/pay/" and "Theirs" not in buyer.page
        buyer.post("/checkout/pay/", token="works", **buyer.form())
        assert Order.objects.get().lines.get().variant == one

    def test_what_is_gone_when_the_money_comes_is_named_and_the_rest_is_bought(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one, two = a_listing(a_seller("One"), "Mine"), a_listing(a_seller("Two"), "Theirs", price=700)
        buyer = Shopper()
        buyer.add(one)
        buyer.add(two)
        buyer.give_address()
        good = checkout.confirmed

        def while_paying(intent: PaymentIntent) -> object:
            Reservation.objects.filter(variant=two).update(state="ended", expires_at=None)
            VariantStock.objects.filter(variant=two).update(count=0)
            return good(intent)

        monkeypatch.setattr(checkout, "confirmed", while_paying)
        buyer.post("/checkout/pay/", token="works", **buyer.form())
        assert "“Theirs” was just sold" in buyer.page and "$11.50 of your payment go back" in buyer.page
        assert Order.objects.get().lines.get().variant == one

    def test_each_currency_is_paid_by_itself(self) -> None:
        one = a_listing(a_seller("One"), "Mine")
        two = a_listing(a_seller("Two", currency="EUR"), "Theirs", price=700, currency="EUR")
        buyer = Shopper()
        buyer.add(one)
        buyer.add(two)
        assert "One payment is in one currency" in buyer.page and "Check out in EUR" in buyer.page
        buyer.get("/checkout/?currency=EUR")
        assert "Theirs" in buyer.page and "Mine" not in buyer.page
        buyer.give_address()
        buyer.post("/checkout/pay/", token="works", **buyer.form())
        assert Order.objects.get().currency == "EUR" and "still in your cart" in buyer.page
        buyer.get("/cart/")
        assert "Mine" in buyer.page and "Theirs" not in buyer.page

    def test_a_cart_of_an_earlier_version_is_read(self) -> None:
        one, two = a_listing(a_seller("One"), "Mine"), a_listing(a_seller("Two"), "Theirs")
        buyer = Shopper()
        session = buyer.client.session
        session["cart"] = {"seller": 1, "connection": None, "lines": {one.public_id: 2}}
        session.save()
        buyer.add(two)
        assert "Mine" in buyer.page and "Theirs" in buyer.page and 'value="2"' in buyer.page

    def test_another_shop_of_the_same_seller_is_an_order_of_its_own(self) -> None:
        world = World(units=2, now=datetime.now(UTC))
        by_hand = a_listing(world.seller, "By hand")
        buyer = Shopper()
        buyer.add(world.variant)
        buyer.add(by_hand)
        buyer.give_address()
        assert "One payment for 2 orders" in buyer.page

    def test_units_are_changed_and_taken_out(self) -> None:
        card = a_listing(a_seller(), count=5)
        buyer = Shopper()
        buyer.add(card)
        buyer.add(card, 2)
        assert 'value="3"' in buyer.page
        buyer.post("/cart/change/", variant=card.public_id, quantity="4")
        assert "$40.00" in buyer.page
        buyer.post("/cart/change/", variant=card.public_id, quantity="9")
        assert "Only 5 left" in buyer.page
        assert "Check out" not in buyer.page
        buyer.post("/cart/change/", variant=card.public_id, quantity="9", remove="1")
        assert "Your cart is empty" in buyer.page

    @pytest.mark.parametrize("quantity", ["0", "-1", "1000", "many", "", "１"])
    def test_units_that_make_no_sense(self, quantity: str) -> None:
        card = a_listing(a_seller())
        buyer = Shopper()
        buyer.post("/cart/add/", variant=card.public_id, quantity=quantity)
        if quantity != "１":
            assert "Choose between 1 and 999 units" in buyer.page

    def test_a_card_that_left_the_market_leaves_the_cart(self) -> None:
        card = a_listing(a_seller())
        buyer = Shopper()
        buyer.add(card)
        Listing.objects.update(state="archived")
        buyer.get("/cart/")
        assert "no longer for sale" in buyer.page
        assert "Check out" not in buyer.page

    @pytest.mark.parametrize("url", ["/cart/add/", "/cart/change/", "/cart/drop/", "/checkout/pay/"])
    def test_values_that_no_page_could_have_sent(self, url: str) -> None:
        buyer = Shopper()
        buyer.to_payment(a_listing(a_seller()))
        for odd in ("\x00", "x" * 5000, "../../etc", "１"):
            form = dict.fromkeys(("variant", "quantity", "key", "token", "fingerprint"), odd)
            assert buyer.client.post(url, form).status_code in (302, 404)
        assert not Order.objects.exists()

    def test_only_posts_change_it(self) -> None:
        assert Client().get("/cart/add/").status_code == 405
        assert Client(enforce_csrf_checks=True).post("/cart/add/", {"variant": "x"}).status_code == 403


class TestAddress:
    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"postal_code": "97"}, "5 digits, such as 97201"),
            ({"region": "Oregon"}, "Type the short code of the state"),
            ({"name": ""}, "This field is required"),
            ({"country": "XX"}, "The seller does not ship to this country"),
            ({"country": "DE"}, "The seller does not ship to this country"),
            ({"phone": "call me"}, "Type a phone number"),
            ({"city": "x" * 200}, "at most 80 characters"),
        ],
    )
    def test_what_cannot_be_delivered_is_said_beside_the_field(self, changes: dict[str, str], sentence: str) -> None:
        buyer = Shopper()
        buyer.add(a_listing(a_seller()))
        assert buyer.give_address(**changes) == 422
        assert sentence in buyer.page
        assert 'aria-invalid="true"' in buyer.page

    def test_shipping_is_the_seller_s_price_for_that_country(self) -> None:
        seller = a_seller()
        ShippingRate.objects.create(seller=seller, country="*", currency="USD", price_minor=1290)
        buyer = Shopper()
        buyer.add(a_listing(seller))
        buyer.give_address()
        assert "$14.50" in buyer.page
        buyer.give_address(country="DE", postal_code="10115", region="", city="Köln")
        assert "$22.90" in buyer.page
        assert "10115 Köln" in buyer.page

    def test_the_last_address_is_remembered(self) -> None:
        card = a_listing(a_seller())
        buyer = Shopper()
        buyer.post("/checkout/pay/", token="works", **buyer.to_payment(card))
        again = Shopper()
        again.add(card)
        again.get("/checkout/")
        assert f'value="{ADDRESS["line1"]}"' in again.page

    def test_an_address_from_before_is_one_click_and_nobody_else_s(self) -> None:
        card, buyer = a_listing(a_seller(), count=9), Shopper()
        for line1 in ("1 Old Mill", "2 New Quay", "2 New Quay"):
            buyer.add(card)
            buyer.give_address(line1=line1)
            buyer.post("/checkout/pay/", token="works", **buyer.form())
        orders = list(Order.objects.order_by("pk"))
        assert len(orders) == 3
        again = Shopper()
        again.add(card)
        again.get("/checkout/")
        assert 'value="2 New Quay"' in again.page and again.page.count("1 Old Mill") == 1
        again.get(f"/checkout/?as={orders[0].public_id}")
        assert 'value="1 Old Mill"' in again.page and again.page.count("2 New Quay") == 1
        stranger = Shopper("sam@example.test")
        stranger.add(card)
        stranger.get(f"/checkout/?as={orders[0].public_id}")
        assert "Old Mill" not in stranger.page and "New Quay" not in stranger.page
        Order.objects.exclude(pk=orders[0].pk).update(ship_to={**NOBODY, "country": "US"})
        again.get("/checkout/")
        assert "Erased" not in again.page

    def test_a_seller_does_not_buy_from_themselves(self) -> None:
        seller = a_seller()
        buyer = Shopper(seller.owner.email)
        buyer.post("/checkout/pay/", token="works", **buyer.to_payment(a_listing(seller)))
        assert "You cannot buy from your own shop" in buyer.page
        assert not Order.objects.exists()


class TestOrderPage:
    @pytest.fixture
    def order(self) -> Order:
        buyer = Shopper()
        buyer.post("/checkout/pay/", token="works", **buyer.to_payment(a_listing(a_seller()), 2))
        return Order.objects.get()

    def test_from_unshipped_to_two_parcels_with_tracking(self, order: Order) -> None:
        now, line = datetime.now(UTC), order.lines.get()
        buyer = Shopper()
        buyer.get(f"/orders/{order.public_id}/")
        assert "Not shipped yet" in buyer.page
        first = ship_by_hand(
            order=order, lines={line.pk: 1}, tracking="9400-1", carrier="USPS", actor=order.seller.owner, now=now
        )
        buyer.get(f"/orders/{order.public_id}/")
        assert "Partly shipped" in buyer.page
        assert "9400-1" in buyer.page
        ship_by_hand(order=order, lines=None, tracking="", carrier="", actor=order.seller.owner, now=now)
        change_tracking(shipment=first, tracking="9400-2", carrier="USPS", actor=order.seller.owner, now=now)
        buyer.get(f"/orders/{order.public_id}/")
        assert "9400-2" in buyer.page
        assert "Shipped without a tracking number" in buyer.page
        assert re.search(r'<span class="badge good">Shipped</span>', buyer.page)

    def test_a_tracking_link_leads_to_the_carrier(self, order: Order) -> None:
        parcel = ship_by_hand(
            order=order, lines=None, tracking="9400-1", carrier="USPS", actor=order.seller.owner, now=datetime.now(UTC)
        )
        parcel.tracking_url = "https://carrier.test/9400-1"
        parcel.save()
        buyer = Shopper()
        buyer.get(f"/orders/{order.public_id}/")
        assert '<a href="https://carrier.test/9400-1" rel="noopener noreferrer" target="_blank">9400-1' in buyer.page
        parcel.tracking_url = "javascript:alert(1)"
        parcel.save()
        buyer.get(f"/orders/{order.public_id}/")
        assert "javascript:" not in buyer.page

    def test_only_public_sentences_are_shown(self, order: Order) -> None:
        TimelineEntry.objects.create(
            order=order, at=datetime.now(UTC), source="shop", kind="x", sentence="A secret of the seller."
        )
        buyer = Shopper()
        buyer.get(f"/orders/{order.public_id}/")
        assert "Order placed and paid." in buyer.page
        assert "A secret of the seller." not in buyer.page

    def test_a_credit_is_shown(self, order: Order) -> None:
        Order.objects.update(
            cancelled_at=datetime.now(UTC), credited_minor=order.total_minor, money="credited", parcels="cancelled"
        )
        buyer = Shopper()
        buyer.get(f"/orders/{order.public_id}/")
        assert "$24.50 goes back to the way you paid" in buyer.page

    def test_it_belongs_to_its_buyer(self, order: Order) -> None:
        url = f"/orders/{order.public_id}/"
        assert Shopper("sam@example.test").get(url) == 404
        assert Shopper(order.seller.owner.email).get(url) == 404
        nobody = Shopper(signed_in=False)
        nobody.get(url)
        assert nobody.url.startswith("/accounts/login/")
        other = Shopper("sam@example.test")
        other.get("/orders/")
        assert str(order.number) not in other.page
        assert "No orders yet" in other.page


class TestAccounts:
    def test_becoming_a_seller(self) -> None:
        user = Shopper()
        form = {
            "name": "Café Noctürne",
            "country": "US",
            "currency": "KWD",
            "handling_days": "2",
            "at_home": "1.250",
            "elsewhere": "",
        }
        user.client.post("/sell/", form)
        seller = Seller.objects.get()
        assert (seller.name, seller.slug, seller.currency) == ("Café Noctürne", "cafe-nocturne", "KWD")
        rate = seller.shipping_rates.get()
        assert (rate.country, rate.price_minor) == ("US", 1250)
        user.client.post("/sell/", form)
        assert Seller.objects.count() == 1

    @pytest.mark.parametrize(
        ("changes", "sentence"),
        [
            ({"at_home": ""}, "Type a shipping price for at least one destination"),
            ({"currency": "JPY", "at_home": "4.50"}, "JPY has no decimals"),
            ({"at_home": "-1"}, "greater than or equal to 0"),
            ({"name": " "}, "This field is required"),
            ({"country": "QQ"}, "Select a valid choice"),
        ],
    )
    def test_a_seller_s_form_says_what_is_wrong(self, changes: dict[str, str], sentence: str) -> None:
        user = Shopper()
        form = {
            "name": "N",
            "country": "US",
            "currency": "USD",
            "handling_days": "2",
            "at_home": "4.50",
            "elsewhere": "",
        }
        assert user.post("/sell/", **{**form, **changes}) == 422
        assert sentence in user.page
        assert not Seller.objects.exists()

    def test_two_shops_of_one_name_get_two_addresses(self) -> None:
        form = {
            "name": "Fox",
            "country": "US",
            "currency": "USD",
            "handling_days": "2",
            "at_home": "0",
            "elsewhere": "",
        }
        for email in ("a@example.test", "b@example.test"):
            Shopper(email).client.post("/sell/", form)
        slugs = sorted(Seller.objects.values_list("slug", flat=True))
        assert slugs[0] == "fox"
        assert re.fullmatch(r"fox-\w{6}", slugs[1])

    def test_a_forgotten_password_is_reset_by_mail(self) -> None:
        user = Shopper(signed_in=False)
        user.post("/accounts/password/reset/", email=user.user.email)
        link = re.search(r"http://testserver(/\S+)", str(mail.outbox[0].body))
        assert link
        user.get(link[1])
        user.post(user.url, password1="another-pass-9", password2="another-pass-9")
        user.post("/accounts/login/", login=user.user.email, password="another-pass-9")
        assert user.get("/orders/") == 200
        assert user.url == "/orders/"

    def test_a_new_address_counts_when_its_owner_confirms_it(self) -> None:
        user = Shopper(signed_in=False)
        user.post("/accounts/signup/", email="old@example.test", password1="a-long-pass-9")
        EmailAddress.objects.update(verified=True)
        user.post("/accounts/email/", email="new@example.test", action_add="")
        assert "sent a confirmation e-mail to" in user.page
        assert User.objects.filter(email="old@example.test").exists(), "nothing changes before it is confirmed"
        letters = [message for message in mail.outbox if message.to == ["new@example.test"]]
        link = re.search(r"http://testserver(/accounts/confirm-email/\S+)", str(letters[-1].body))
        assert link
        user.get(link[1])
        assert "card" in user.page
        user.post(link[1])
        assert User.objects.filter(email="new@example.test").exists()
        assert not User.objects.filter(email="old@example.test").exists()

    def test_an_unknown_address_learns_nothing(self) -> None:
        pages = []
        for email in ("zoe@example.test", "nobody@example.test"):
            user = Shopper(signed_in=False)
            user.post("/accounts/password/reset/", email=email)
            pages.append(re.sub(r'value="\w{64}"', "", user.page))
        assert pages[0] == pages[1]

    @pytest.mark.parametrize(
        "name",
        [
            "account_login",
            "account_signup",
            "account_reset_password",
            "account_email",
            "account_change_password",
            "account_logout",
        ],
    )
    def test_every_account_page_is_drawn_like_the_others(self, name: str) -> None:
        user = Shopper(signed_in=name not in ("account_login", "account_signup", "account_reset_password"))
        assert user.get(reverse(name)) == 200
        assert 'href="#main"' in user.page
        assert "<h1>" in user.page
        assert "card" in user.page

    def test_too_many_tries_are_slowed_down(self) -> None:
        client = Client()
        codes = [
            client.post("/accounts/login/", {"login": "zoe@example.test", "password": "wrong"}).status_code
            for _ in range(32)
        ]
        assert (
            429 in codes
            or "Too many failed login attempts"
            in client.post("/accounts/login/", {"login": "zoe@example.test", "password": "wrong"}).content.decode()
        )


class TestEveryPage:
    def test_no_inline_script_or_style_and_a_policy_that_forbids_it(self) -> None:
        card = a_listing(a_seller())
        buyer = Shopper()
        for url in (
            "/",
            of(card.listing),
            "/cart/",
            "/accounts/login/",
            "/sell/",
            "/orders/",
            "/s/lantern/",
            "/demo/mail/",
            "/nothing/",
        ):
            answer = buyer.client.get(url, follow=True)
            page = answer.content.decode()
            assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*src=)", page), url
            assert "script-src 'self';" in answer["Content-Security-Policy"]
            assert "unsafe" not in answer["Content-Security-Policy"]

    def test_money_in_its_own_decimals(self) -> None:
        assert money(Money(1250, "USD")) == "$12.50"
        assert money(Money(500, "JPY")) == "¥500"
        assert money(Money(1234, "KWD")) == "KWD\xa01.234"
        assert money(None) == "–"

    def test_a_moment_names_its_zone(self) -> None:
        assert "23 Nov 2026, 04:05 UTC" in when(datetime(2026, 11, 23, 4, 5, tzinfo=UTC))

    def test_a_broken_page_is_a_sentence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(**_: object) -> list[Listing]:
            raise RuntimeError("secret detail")

        monkeypatch.setattr("crossdock.web.storefront.browse.find", broken)
        client = Client(raise_request_exception=False)
        answer = client.get("/")
        assert answer.status_code == 500
        assert b"Something broke on our side" in answer.content
        assert b"secret detail" not in answer.content

    def test_the_mails_are_on_a_page_of_the_demo(self) -> None:
        buyer = Shopper()
        buyer.post("/checkout/pay/", token="works", **buyer.to_payment(a_listing(a_seller())))
        number = Order.objects.get().number
        keep_mail(
            to="x@example.test", subject="S", body="<b>Fox & Co</b> https://shop.test/a?b=1", now=datetime.now(UTC)
        )
        raw = buyer.client.get("/demo/mail/").content.decode()
        assert "&lt;b&gt;Fox &amp; Co&lt;/b&gt;" in raw
        assert '<a href="https://shop.test/a?b=1"' in raw
        buyer.get("/demo/mail/")
        assert f"New order #{number}" in buyer.page
        assert f"Your order #{number}" in buyer.page
