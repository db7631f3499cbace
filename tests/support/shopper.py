"""A buyer at the pages, through Django's test client: follows the forms that the pages show, as a browser without
scripts would.
"""

import re
from datetime import UTC, datetime
from html import unescape
from typing import Any

from django.test import Client

from crossdock.domain.values import Money
from crossdock.store.models import Listing, Seller, ShippingRate, User, Variant
from crossdock.usecases.catalogue.listings import make_listing

ADDRESS = {
    "name": "Zoë Müller",
    "line1": "12 Harbour Lane",
    "city": "Portland",
    "postal_code": "97201",
    "region": "OR",
    "country": "US",
}


def a_seller(name: str = "Lantern", **fields: Any) -> Seller:
    owner = User.objects.create_user(f"{name.lower()}@example.test", "pass-word-1")
    seller = Seller.objects.create(owner=owner, name=name, slug=name.lower(), **fields)
    ShippingRate.objects.create(seller=seller, country="US", currency=seller.currency, price_minor=450)
    return seller


def a_listing(
    seller: Seller, title: str = "Ember Fox", *, price: int = 1000, count: int = 5, currency: str = "USD"
) -> Variant:
    listing = make_listing(
        seller=seller,
        title=title,
        description="A card.",
        price=Money(price, currency),
        count=count,
        now=datetime.now(UTC),
    )
    return listing.variants.get()


def of(listing: Listing) -> str:
    return f"/l/{listing.public_id}/"


class Shopper:
    """`page` is the last page's text, `url` the last address."""

    def __init__(self, email: str = "zoe@example.test", *, signed_in: bool = True) -> None:
        self.user = User.objects.filter(email=email).first() or User.objects.create_user(
            email, "pass-word-1", name="Zoë"
        )
        self.client = Client()
        if signed_in:
            self.client.force_login(self.user)
        self.page = self.url = ""

    def another_tab(self) -> "Shopper":
        """The same browser: the same cookies and so the same session."""
        tab = Shopper(self.user.email, signed_in=False)
        tab.client.cookies = self.client.cookies
        return tab

    def get(self, url: str) -> int:
        return self._keep(self.client.get(url, follow=True), url)

    def post(self, url: str, **form: Any) -> int:
        return self._keep(self.client.post(url, form, follow=True), url)

    def _keep(self, answer: Any, url: str) -> int:
        self.url = answer.redirect_chain[-1][0] if answer.redirect_chain else url
        self.page = unescape(answer.content.decode())
        return int(answer.status_code)

    def add(self, variant: Variant, quantity: int = 1, **form: str) -> int:
        return self.post("/cart/add/", variant=variant.public_id, quantity=quantity, **form)

    def give_address(self, **changes: str) -> int:
        return self.post("/checkout/", **{**ADDRESS, **changes})

    def form(self) -> dict[str, str]:
        """The hidden values of the payment page."""
        found = dict(re.findall(r'<input type="hidden" name="(key|fingerprint)" value="([^"]+)">', self.page))
        assert set(found) == {"key", "fingerprint"}, "this is not the payment page"
        return found

    def to_payment(self, variant: Variant, quantity: int = 1) -> dict[str, str]:
        """Cart and address; the payment form as shown."""
        self.add(variant, quantity)
        self.give_address()
        return self.form()
