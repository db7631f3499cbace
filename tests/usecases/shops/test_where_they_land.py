"""After signing in people are where they work; mails carry links and the site's name; a wrong address is caught before
the browser leaves; two shops of one name are told apart.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from crossdock.store.models import ConnectAttempt, Connection, Mail, User
from crossdock.usecases.errors import Invalid
from crossdock.usecases.shops import connect
from market import World, seller, user
from simulated import Town, town

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nobody_tried_before() -> None:
    cache.clear()


@pytest.fixture
def streets() -> Iterator[Town]:
    with town() as found:
        yield found


def lands(who: User, ahead: str = "") -> str:
    form = {"login": who.email, "password": "pass-word-1", **({"next": ahead} if ahead else {})}
    answer = Client().post("/accounts/login/", form)
    assert answer.status_code == 302
    return str(answer["Location"])


class TestSigningIn:
    def test_everybody_lands_where_they_work(self) -> None:
        assert lands(seller().owner) == "/seller/"
        assert lands(user(is_staff=True)) == "/staff/"
        assert lands(user()) == "/"

    def test_what_was_asked_for_wins_and_other_sites_never(self) -> None:
        who = seller().owner
        assert lands(who, "/checkout/") == "/checkout/"
        for elsewhere in ("https://evil.test/", "//evil.test/", "/\\evil.test"):
            assert lands(who, elsewhere) == "/seller/"

    def test_somebody_without_a_shop_is_offered_one(self) -> None:
        client = Client()
        client.force_login(user())
        for url in ("/seller/", "/seller/orders/"):
            answer = client.get(url)
            page = unescape(answer.content.decode())
            assert answer.status_code == 403 and 'href="/sell/"' in page and "Start selling" in page


class TestMails:
    def test_an_accounts_mail_names_the_site_and_links_to_it(self, settings: Any) -> None:
        settings.SITE_NAME, settings.PUBLIC_URL = "Lantern Market", "https://market.example"
        settings.BASE_URL = settings.PUBLIC_URL
        who = user()
        Client().post("/accounts/password/reset/", {"email": who.email})
        body = str(mail.outbox[0].body)
        assert "Lantern Market" in body and "testserver" not in body and "127.0.0.1" not in body
        assert re.search(r"https://market\.example/accounts/password/reset/key/\S+", body)

    def test_a_mail_about_an_order_leads_to_it(self, settings: Any) -> None:
        settings.SITE_NAME, settings.BASE_URL = "Lantern Market", "https://market.example"
        world = World(units=3, now=datetime.now(UTC))
        order = world.buy()
        to_buyer, to_seller = (Mail.objects.get(order=order, to=who.email) for who in (order.buyer, world.seller.owner))
        assert f"https://market.example/orders/{order.public_id}/" in to_buyer.body
        assert f"https://market.example/seller/orders/{order.public_id}/" in to_seller.body
        for letter in (to_buyer, to_seller):
            assert letter.body.endswith("Lantern Market\nhttps://market.example") and letter.body.count("orders/") == 1


class TestAWrongAddress:
    def begin(self, address: str) -> Any:
        client = Client()
        client.force_login(seller().owner)
        return client.post("/seller/connect/woocommerce/authorize/", {"address": address})

    def test_is_caught_before_the_browser_leaves(self, streets: Town, settings: Any) -> None:
        settings.BASE_URL = "http://127.0.0.1:1"
        other = streets.open("vendure")
        for address in (other.address, "http://127.0.0.1:9"):
            answer = self.begin(address)
            page = unescape(answer.content.decode())
            assert answer.status_code == 422 and address in page, "the form again, with what was typed"
        assert "is no WooCommerce shop to sign in to" in unescape(self.begin(other.address).content.decode())

    def test_the_right_one_goes_on(self, streets: Town, settings: Any) -> None:
        settings.BASE_URL = "http://127.0.0.1:1"
        shop = streets.open("woocommerce")
        answer = self.begin(shop.address)
        assert answer.status_code == 302 and answer["Location"].startswith(f"{shop.address}/wc-auth/")


class TestTwoShopsOfOneName:
    def attempt(self, owner: Any, address: str, *, again: Connection | None = None) -> ConnectAttempt:
        now = datetime.now(UTC)
        row, _ = connect.start_attempt(
            seller=owner,
            user=owner.owner,
            platform="vendure",
            way="key",
            address=address,
            form={},
            reconnects=again,
            now=now,
        )
        proof = {
            "shop_id": f"token@{address.partition('://')[2]}",
            "stays": "token",
            "name": "Default seller",
            "currency": "USD",
            "checks": [{"ok": True, "title": "Sign-in", "sentence": ""}],
            "settings": {},
            "locations": [],
        }
        connect.prove_attempt(attempt=row, secrets={"api_key": "a:b"}, proof=proof, preview=[], now=now)
        return row

    def confirm(self, row: ConnectAttempt) -> Connection:
        return connect.confirm_attempt(attempt=row, left_out=[], settings={}, now=datetime.now(UTC))

    def test_a_shop_that_staff_paused_stays_paused_when_it_is_connected_again(self) -> None:
        owner = seller()
        shop = self.confirm(self.attempt(owner, "https://one.example"))
        Connection.objects.filter(pk=shop.pk).update(state="needs_reauth", paused_by_staff="Paused.")
        again = self.confirm(self.attempt(owner, "https://one.example", again=shop))
        assert (again.pk, again.state, again.state_sentence) == (shop.pk, "paused", "Paused.")

    def test_are_two_shops_with_two_names(self) -> None:
        owner = seller()
        first = self.confirm(self.attempt(owner, "https://one.example"))
        second = self.confirm(self.attempt(owner, "https://two.example/shop"))
        assert first.pk != second.pk and first.shop_key != second.shop_key
        assert (first.name, second.name) == ("Default seller", "Default seller (two.example/shop)")

    def test_the_same_one_is_connected_once_also_when_its_key_is_an_old_one(self) -> None:
        owner = seller()
        first = self.confirm(self.attempt(owner, "https://one.example"))
        Connection.objects.filter(pk=first.pk).update(shop_key="token")
        for who in (owner, seller()):
            with pytest.raises(Invalid, match="already"):
                self.confirm(self.attempt(who, "https://one.example"))
        assert Connection.objects.count() == 1

    def test_one_that_moved_is_reconnected_and_stays_itself(self) -> None:
        owner = seller()
        first = self.confirm(self.attempt(owner, "https://one.example"))
        moved = self.confirm(self.attempt(owner, "https://new.example", again=first))
        assert (moved.pk, moved.shop_key, moved.name) == (first.pk, "token@new.example", "Default seller")

    def test_another_shop_is_not_taken_for_it(self) -> None:
        owner = seller()
        first = self.confirm(self.attempt(owner, "https://one.example"))
        Connection.objects.filter(pk=first.pk).update(shop_key="token2@one.example")
        with pytest.raises(Invalid, match="another shop"):
            self.confirm(self.attempt(owner, "https://one.example", again=Connection.objects.get()))
