"""What sellers do in their panel, without a script: connect a shop page by page, keep their listings, work through
their orders.
"""

import base64
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from crossdock.connectors.vendure.sandbox.places import open_place
from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import Refused, Why
from crossdock.domain.events import ShopProduct, ShopVariant
from crossdock.domain.values import Money
from crossdock.store.models import (
    Alert,
    Command,
    ConnectAttempt,
    Connection,
    Exchange,
    Listing,
    Order,
    Seller,
    Shipment,
    User,
    VariantStock,
)
from crossdock.store.vault import unseal
from crossdock.usecases.catalogue.import_products import receive_products
from crossdock.usecases.catalogue.listings import make_listing
from crossdock.usecases.checkout.confirm_stock import Question
from crossdock.usecases.record.alerts import raise_alert
from crossdock.usecases.record.policy import switch
from crossdock.usecases.shops.shop_money import change_in_words, confirm_money, money_seen
from crossdock.usecases.stock import counts
from crossdock.web.live import heard_of
from market import World, user
from market import connection as a_connection
from market import seller as a_seller
from simulated import Town, town
from toyshop import dropped_in

pytestmark = pytest.mark.django_db
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGM4IScHAAK2AQU0pnWqAAAAAElFTkSuQmCC")


class Panel:
    """A seller at the panel. `page` is the last page's text, `url` the last address."""

    def __init__(self, who: User) -> None:
        self.client = Client()
        self.client.force_login(who)
        self.page = self.url = ""

    def get(self, url: str) -> int:
        return self._keep(self.client.get(url, follow=True), url)

    def post(self, url: str, **form: Any) -> int:
        return self._keep(self.client.post(url, form, follow=True), url)

    def _keep(self, answer: Any, url: str) -> int:
        self.url = answer.redirect_chain[-1][0] if answer.redirect_chain else url
        self.page = " ".join(unescape(answer.content.decode()).split())
        return int(answer.status_code)

    def hidden(self, name: str) -> str:
        found = re.search(rf'name="{name}" value="([^"]*)"', self.page)
        assert found, f"no hidden {name}"
        return found[1]


@pytest.fixture
def world() -> World:
    return World(units=9, now=datetime.now(UTC))


@pytest.fixture
def panel(world: World) -> Panel:
    return Panel(world.seller.owner)


@pytest.fixture
def streets() -> Iterator[Town]:
    with town() as made:
        yield made


def landed(world: World, quantity: int = 1) -> Order:
    order = world.buy(quantity)
    claimed = next(claim for claim in world.claim() if claim.subject == order.reference)
    world.settle(claimed, world.create_there(order))
    return order


class TestConnecting:
    def start(self, streets: Town, platform: str = "vendure") -> tuple[Panel, Any, str]:
        shop = streets.open(platform)
        for number in range(3):
            streets.call(shop.hand.add_product(f"Card {number}", [(f"SKU-{number}", "10.00", 3)]))
        way, form = shop.seller_form()
        seller = Panel(a_seller("Lantern").owner)
        return seller, form, f"/seller/connect/{platform}/{way}/"

    def test_page_by_page_to_the_first_reading(self, streets: Town) -> None:
        panel, form, way = self.start(streets)
        panel.get("/seller/connect/")
        assert "Choose Vendure" in panel.page
        panel.get("/seller/connect/vendure/")
        assert "Keep a few things in mind" in panel.page and "Vendure sends no webhooks" in panel.page
        assert "An unmodified @vendure/core" in panel.page
        assert panel.post(way, **form) == 200
        assert "/seller/connect/attempt/" in panel.url
        ids = re.findall(r'name="product" value="([^"]+)"', panel.page)
        assert len(ids) == 3 and "3 in stock" in panel.page
        assert Connection.objects.count() == Listing.objects.count() == 0
        assert panel.post(panel.url, product=ids[1:], buffer="2") == 200
        shop = Connection.objects.get()
        assert panel.url == f"/seller/shops/{shop.public_id}/first/" and "is being read" in panel.page
        assert (shop.settings["left_out"], shop.buffer, shop.state) == ([ids[0]], 2, "active")
        assert unseal(shop.secrets)["api_key"] == form["api_key"]
        assert form["api_key"] not in panel.page
        assert ConnectAttempt.objects.count() == 0

    def test_a_wrong_key_is_a_sentence_and_leaves_nothing(self, streets: Town) -> None:
        panel, form, way = self.start(streets)
        assert panel.post(way, **{**form, "api_key": "wrong:wrong"}) == 422
        assert 'role="alert"' in panel.page
        assert "wrong:wrong" not in panel.page
        assert Connection.objects.count() == 0

    def test_no_shop_at_the_address_is_a_sentence(self, streets: Town) -> None:
        panel, form, way = self.start(streets)
        assert panel.post(way, **{**form, "address": "http://127.0.0.1:9"}) == 422
        assert panel.post(way, **{**form, "address": "not an address"}) == 422
        assert Connection.objects.count() == 0

    def test_the_same_shop_is_connected_once(self, streets: Town) -> None:
        panel, form, way = self.start(streets)
        panel.post(way, **form)
        panel.post(panel.url)
        panel.post(way, **form)
        assert panel.post(panel.url) == 422
        assert "You have connected this shop already" in panel.page
        other = Panel(a_seller("Kestrel").owner)
        other.post(way, **form)
        assert other.post(other.url) == 422
        assert "already connected by another seller" in other.page
        assert Connection.objects.count() == 1

    def test_reconnecting_keeps_the_connection(self, streets: Town) -> None:
        panel, form, way = self.start(streets)
        panel.post(way, **form)
        panel.post(panel.url)
        shop = Connection.objects.get()
        Connection.objects.update(state="needs_reauth", state_sentence="The key is dead.")
        panel.get(f"/seller/shops/{shop.public_id}/reconnect/")
        assert panel.url == f"{way}?shop={shop.public_id}" and shop.address in panel.page
        panel.post(panel.url, **form)
        assert "Reconnect this shop" in panel.page
        panel.post(panel.url)
        again = Connection.objects.get()
        assert (again.pk, again.state) == (shop.pk, "active")

    def test_several_locations_are_chosen_and_chosen_anew(self, streets: Town) -> None:
        """Coming back with other locations means that nothing sells on the counts of the old ones."""
        panel, form, way = self.start(streets)
        for name in ("Attic", "Cellar"):
            open_place(streets.shops[0].books, name)
        panel.post(way, **form)
        assert panel.page.count('name="location"') == 3 and "all 3 locations together" in panel.page
        assert "allocates more than was ordered and never releases the rest" in panel.page, "before the choice is made"
        assert panel.post(panel.url, buffer="many") == 422 and "how many units" in panel.page
        panel.post(panel.url, location=["1", "3", "99"])
        shop = Connection.objects.get()
        assert shop.settings["location"] == "1,3", "what the shop does not have is not kept"
        card = ShopProduct("p1", "Ember Fox", (ShopVariant("v1", "FOX-1", "", Money(1000, "USD"), 5),))
        receive_products(
            connection_id=shop.pk,
            products=[card],
            read_no=counts.draw_read_no(),
            now=shop.checked_at or shop.created_at,
        )
        panel.post(f"{way}?shop={shop.public_id}", **form)
        assert panel.page.count("checked") >= 2
        panel.post(panel.url, location=["1", "3"])
        assert VariantStock.objects.get().ceiling is None, "nothing changed"
        panel.post(f"{way}?shop={shop.public_id}", **form)
        panel.post(panel.url)
        assert Connection.objects.get().settings["location"] == ""
        assert VariantStock.objects.get().ceiling == 0, "nothing sells on what was read of the others"

    def test_what_the_shop_said_at_checkout_is_kept_as_evidence(self, streets: Town) -> None:
        panel, form, way = self.start(streets)
        panel.post(way, **form)
        panel.post(panel.url)
        shop = Connection.objects.get()
        (card, *_) = streets.call(streets.shops[0].hand.products())
        before = Exchange.objects.filter(party=shop.party).count()
        ((count,),) = heard_of([Question("", shop.pk, counts.draw_read_no(), ((card.product_id, card.variant_id),))])
        assert count.count == 3
        kept = Exchange.objects.filter(party=shop.party).order_by("-pk")
        assert kept.count() > before and form["api_key"] not in str(kept.values())

    def test_the_test_names_what_is_missing(self, streets: Town) -> None:
        panel, form, way = self.start(streets)
        panel.post(way, **form)
        panel.post(panel.url)
        shop = Connection.objects.get()
        streets.shops[0].dial.revoked = True
        panel.post(f"/seller/shops/{shop.public_id}/test/")
        assert Connection.objects.get().checks[0]["ok"] is False
        assert Connection.objects.get().checks[0]["sentence"] in panel.page
        streets.shops[0].dial.revoked = False
        panel.post(f"/seller/shops/{shop.public_id}/test/")
        assert "every check passed" in panel.page

    def test_a_failed_test_cannot_be_confirmed(self, streets: Town) -> None:
        panel, form, way = self.start(streets)
        panel.post(way, **form)
        row = ConnectAttempt.objects.get()
        proof = {**row.proof, "checks": [{"ok": False, "title": "Orders", "sentence": "Give the role CreateOrder."}]}
        ConnectAttempt.objects.update(proof=proof)
        panel.get(panel.url)
        assert "Give the role CreateOrder." in panel.page and "Connect this shop" not in panel.page
        assert panel.post(panel.url) == 422
        assert Connection.objects.count() == 0

    def test_an_attempt_ends_after_an_hour(self, streets: Town) -> None:
        panel, form, way = self.start(streets)
        panel.post(way, **form)
        ConnectAttempt.objects.update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
        assert panel.get(panel.url) == 404

    def test_a_way_that_needs_a_public_address_says_so(self, world: World, panel: Panel, settings: Any) -> None:
        settings.PUBLIC_URL, settings.ALLOW_LOCAL_SHOPS, settings.HOOK_URL = "", False, ""
        panel.get("/seller/connect/woocommerce/")
        assert "has no public https address" in panel.page and "We ask it regularly instead" in panel.page
        panel.get("/seller/connect/woocommerce/authorize/")
        assert "disabled" in panel.page
        assert panel.post("/seller/connect/woocommerce/authorize/", address="https://shop.example.com") == 422
        assert ConnectAttempt.objects.count() == 0

    def test_the_lifted_rule_reads_lifted(self, world: World, panel: Panel) -> None:
        panel.get("/seller/connect/vendure/")
        assert "Cancel where you like" not in panel.page
        switch(rule="S3", lift=True, actor=user(is_staff=True), now=datetime.now(UTC))
        panel.get("/seller/connect/vendure/")
        assert "Cancel where you like" in panel.page


class TestSigningInAtTheShop:
    """The redirect ways, with the shop's own page and the call of its server."""

    def begin(self, streets: Town, settings: Any) -> tuple[Panel, Any, dict[str, str]]:
        settings.BASE_URL = "http://127.0.0.1:1"
        shop = streets.open("woocommerce")
        panel = Panel(a_seller("Lantern").owner)
        answer = panel.client.post("/seller/connect/woocommerce/authorize/", {"address": shop.address})
        assert answer.status_code == 302 and answer["Location"].startswith(f"{shop.address}/wc-auth/v1/authorize")
        assert (
            "form-action 'self' https:"
            in panel.client.get("/seller/connect/woocommerce/authorize/")["Content-Security-Policy"]
        )
        keys = streets.call(shop.approve(answer["Location"]))  # type: ignore[attr-defined]
        return panel, shop, {name: str(value) for name, value in keys.items()}

    def call(self, keys: dict[str, str]) -> Any:
        return Client().post("/seller/connect/callback/", json.dumps(keys), content_type="application/json")

    def test_the_shops_call_brings_the_keys_and_the_browser_goes_on(self, streets: Town, settings: Any) -> None:
        panel, _, keys = self.begin(streets, settings)
        assert self.call(keys).status_code == 200
        panel.get(f"/seller/connect/return/?success=1&user_id={keys['user_id']}")
        assert panel.url == f"/seller/connect/attempt/{ConnectAttempt.objects.get().public_id}/"
        panel.post(panel.url)
        assert unseal(Connection.objects.get().secrets)["consumer_key"] == keys["consumer_key"]

    def test_the_state_is_good_once(self, streets: Town, settings: Any) -> None:
        _, shop, keys = self.begin(streets, settings)
        assert self.call(keys).status_code == 200
        other = shop.sign_in.make_key()
        stolen = {**keys, "consumer_key": other["consumer_key"], "consumer_secret": other["consumer_secret"]}
        assert self.call(stolen).status_code == 403
        row = ConnectAttempt.objects.get()
        assert row.secrets is not None and unseal(row.secrets)["consumer_key"] == keys["consumer_key"]

    @pytest.mark.parametrize("body", [{}, {"user_id": "x" * 43}, {"user_id": ["x"]}, [], "text"])
    def test_a_call_without_a_state_of_ours_is_refused(self, body: Any) -> None:
        assert self.call(body).status_code == 403
        assert ConnectAttempt.objects.count() == 0

    def test_a_call_that_is_too_long_is_refused_unread(self) -> None:
        assert self.call({"user_id": "x" * 100_000}).status_code == 413

    def test_keys_that_the_shop_does_not_know_are_not_believed(self, streets: Town, settings: Any) -> None:
        _, _, keys = self.begin(streets, settings)
        assert self.call({**keys, "consumer_secret": "cs_" + "0" * 40}).status_code == 403
        assert ConnectAttempt.objects.get().proof is None

    def test_somebody_elses_sign_in_is_not_taken_over(self, streets: Town, settings: Any) -> None:
        _, _, keys = self.begin(streets, settings)
        other = Panel(a_seller("Kestrel").owner)
        other.get(f"/seller/connect/return/?success=1&user_id={keys['user_id']}")
        assert "was not started here" in other.page
        assert ConnectAttempt.objects.get().used_at is None

    def test_declining_in_the_shop_is_a_sentence(self, streets: Town, settings: Any) -> None:
        panel, _, keys = self.begin(streets, settings)
        panel.get(f"/seller/connect/return/?success=0&user_id={keys['user_id']}")
        assert "You declined in your shop" in panel.page


LIMITS = {"floor": "0", "most_shown": "", "no_answer": "sell"}


class TestShops:
    def test_the_sentence_at_the_top_counts_the_shops(self, world: World, panel: Panel) -> None:
        a_connection(world.seller)
        third = a_connection(world.seller)
        Connection.objects.filter(pk=third.pk).update(state="needs_reauth", state_sentence="Sign in again.")
        panel.get("/seller/")
        assert "2 shops healthy, 1 needs you." in panel.page

    def test_a_shop_that_does_not_answer_is_catching_up(self, world: World, panel: Panel) -> None:
        world.shop.party.failures, world.shop.party.last_error = 3, "Nobody is there."
        world.shop.party.save()
        panel.get(f"/seller/shops/{world.shop.public_id}/")
        assert "Catching up" in panel.page and "Nobody is there. We try again by ourselves" in panel.page

    def test_without_a_public_address_it_says_that_it_polls(self, world: World, panel: Panel, settings: Any) -> None:
        settings.HOOK_URL = ""
        panel.get(f"/seller/shops/{world.shop.public_id}/")
        assert "This marketplace has no public address" in panel.page

    def test_pausing_stops_selling_and_resuming_goes_on(self, world: World, panel: Panel) -> None:
        panel.post(f"/seller/shops/{world.shop.public_id}/pause/")
        assert Connection.objects.get().state == "paused"
        panel.get(f"/seller/listings/{world.variant.listing.public_id}/")
        assert "Your shop is paused here; resume it." in panel.page
        panel.post(f"/seller/shops/{world.shop.public_id}/resume/")
        assert Connection.objects.get().state == "active"

    def test_disconnecting_says_first_what_happens(self, world: World, panel: Panel) -> None:
        page = f"/seller/shops/{world.shop.public_id}/disconnect/"
        panel.get(page)
        assert "Not for sale any more: 1 listing." in panel.page
        assert Connection.objects.get().state == "active"
        panel.post(page)
        shop = Connection.objects.get()
        assert (shop.state, unseal(shop.secrets)) == ("disconnected", {})
        assert Listing.objects.count() == 1

    def test_units_kept_back_are_not_sold(self, world: World, panel: Panel) -> None:
        assert panel.post(f"/seller/shops/{world.shop.public_id}/settings/", **LIMITS, buffer="4") == 200
        assert world.available == 5
        assert panel.post(f"/seller/shops/{world.shop.public_id}/settings/", **LIMITS, buffer="-1") == 422

    def test_a_button_s_address_opened_as_a_page_says_what_to_do(self, world: World, panel: Panel) -> None:
        """Signed out in between: the sign-in leads back to the button's address, as a plain page."""
        assert panel.get(f"/seller/shops/{world.shop.public_id}/settings/") == 405
        assert "Nothing was done" in panel.page and "press it again" in panel.page

    def test_another_location_means_counting_again(self, world: World, panel: Panel) -> None:
        Connection.objects.update(settings={"location_names": [["1", "Here"], ["2", "There"]]})
        before = VariantStock.objects.get().want_no
        panel.post(f"/seller/shops/{world.shop.public_id}/settings/", **LIMITS, buffer="0", location="2")
        assert Connection.objects.get().settings["location"] == "2"
        assert VariantStock.objects.get().want_no > before
        assert panel.post(f"/seller/shops/{world.shop.public_id}/settings/", **LIMITS, buffer="0", location="9") == 422


class TestOrders:
    def test_the_page_shows_the_proof(self, world: World, panel: Panel) -> None:
        order = landed(world)
        panel.get(f"/seller/orders/{order.public_id}/")
        assert f"<h1>#{order.number}</h1>" in panel.page
        for words in (
            "Queued for your shop",
            "Created in your shop as #s1",
            "Unshipped",
            "In the shop",
            "$10.00",
            "-$1.20",
            "$13.80",
        ):
            assert words in panel.page
        assert "Left: shop 9 · may be sold here 8" in panel.page
        assert order.relay_email in panel.page and order.buyer.email not in panel.page

    def test_too_few_signals_are_never_called_low(self, world: World, panel: Panel) -> None:
        order = world.buy()
        Order.objects.update(risk="not_assessed", risk_available=2, risk_asked=7)
        panel.get(f"/seller/orders/{order.public_id}/")
        assert "2 of 7 signals available" in panel.page and "Not assessed" in panel.page
        assert "Low risk" not in panel.page

    def test_more_actions_say_why_they_are_off(self, world: World, panel: Panel) -> None:
        order = landed(world)
        panel.get(f"/seller/orders/{order.public_id}/")
        assert "It stands in your shop as #s1." in panel.page
        panel.post(f"/seller/orders/{order.public_id}/create/")
        assert "It stands in your shop as #s1." in panel.page
        assert Command.objects.filter(kind="create_order").count() == 1

    def test_a_refused_order_says_what_why_and_the_one_button(self, world: World, panel: Panel) -> None:
        order = world.buy()
        (claimed,) = world.claim()
        world.settle(claimed, Refused(Why.NO_STOCK, "The shop has none left.", ("v1",)))
        panel.get(f"/seller/orders/{order.public_id}/")
        assert "Your shop refused an order" in panel.page and "Reject and credit the buyer" in panel.page
        assert f"/seller/orders/{order.public_id}/reject/" in panel.page

    def test_s6_create_the_order_on_your_store(self, world: World, panel: Panel) -> None:
        order = world.buy()
        (claimed,) = world.claim()
        world.settle(claimed, Refused(Why.INVALID, "It did not like the address."))
        panel.post(f"/seller/orders/{order.public_id}/create/")
        assert "Why it was missing: It did not like the address." in panel.page
        command = Command.objects.get(kind="create_order")
        assert (command.state, command.unresolved) == ("waiting", True)

    def test_reject_shows_first_and_credits_once(self, world: World, panel: Panel) -> None:
        order = landed(world, 2)
        page = f"/seller/orders/{order.public_id}/reject/"
        panel.get(page)
        assert "Credit $25.00 and reject" in panel.page and "disabled" in panel.page
        panel.get(f"{page}?reason=not_available")
        assert "Set aside: it is not sold again until you have counted and confirmed." in panel.page
        form = {"reason": "not_available", "expected_total": panel.hidden("expected_total")}
        for _ in range(2):
            panel.post(page, **form)
        assert "cancelled already" in panel.page
        order.refresh_from_db()
        assert (order.money, order.credited_minor) == ("credited", 2500)
        assert Command.objects.filter(kind="refund_payment").count() == 1
        assert VariantStock.objects.get().set_aside_by == order

    @pytest.mark.parametrize(
        ("changed", "words"),
        [
            ({"expected_total": "1"}, "The amount to credit is $15.00"),
            ({"reason": "x"}, "Choose a reason"),
            ({"expected_total": "x"}, "The amount"),
        ],
    )
    def test_an_amount_that_nobody_looked_at_is_refused(
        self, world: World, panel: Panel, changed: dict[str, str], words: str
    ) -> None:
        order = landed(world)
        form = {"reason": "lost", "expected_total": "1500", **changed}
        assert panel.post(f"/seller/orders/{order.public_id}/reject/", **form) == 422
        assert words in panel.page
        order.refresh_from_db()
        assert order.cancelled_at is None and Command.objects.filter(kind="refund_payment").count() == 0

    def test_shipping_by_hand_twice_ships_once(self, world: World, panel: Panel) -> None:
        order = landed(world, 2)
        line = order.lines.get().pk
        page = f"/seller/orders/{order.public_id}/ship/"
        panel.get(page)
        form = {"key": panel.hidden("key"), f"line_{line}": "1", "tracking": "1Z999", "carrier": "UPS"}
        for _ in range(2):
            assert panel.post(page, **form) == 200
        order.refresh_from_db()
        assert (Shipment.objects.count(), order.parcels) == (1, "partly_shipped")
        assert "1Z999" in panel.page
        panel.get(page)
        assert panel.post(page, key=panel.hidden("key"), **{f"line_{line}": "2"}) == 422
        assert Shipment.objects.count() == 1

    def test_a_number_is_changed_and_never_emptied(self, world: World, panel: Panel) -> None:
        order = landed(world)
        page = f"/seller/orders/{order.public_id}/ship/"
        panel.get(page)
        panel.post(page, key=panel.hidden("key"), **{f"line_{order.lines.get().pk}": "1"})
        parcel = Shipment.objects.get()
        change = f"/seller/orders/{order.public_id}/parcels/{parcel.pk}/"
        assert panel.post(change, tracking="", carrier="") == 422
        assert panel.post(change, tracking="RM1", carrier="Royal Mail") == 200
        assert Shipment.objects.get().tracking_number == "RM1"

    def test_queues_are_counted_and_searched(self, world: World, panel: Panel) -> None:
        first, second = world.buy(), world.buy()
        Order.objects.filter(pk=first.pk).update(ship_by=datetime.now(UTC) - timedelta(days=1))
        panel.get("/seller/orders/")
        assert 'To ship <span class="count calm">2</span>' in panel.page
        assert 'Overdue <span class="count bad">1</span>' in panel.page
        panel.get("/seller/orders/?queue=overdue")
        assert f"#{first.number}<" in panel.page and f"#{second.number}<" not in panel.page
        for text in (second.reference, f"%23{second.number}"):
            panel.get(f"/seller/orders/?q={text}")
            assert f"#{second.number}<" in panel.page and f"#{first.number}<" not in panel.page

    def test_the_export_is_text_to_a_spreadsheet(self, world: World, panel: Panel) -> None:
        order = world.buy()
        order.lines.update(title="=HYPERLINK(1)")
        answer = panel.client.get("/seller/orders/export.csv?queue=all")
        rows = answer.getvalue().decode("utf-8-sig").splitlines()
        assert answer["Content-Type"].startswith("text/csv") and len(rows) == 2
        assert "'=HYPERLINK(1)" in rows[1] and order.reference in rows[1]

    def test_the_slip_names_no_price(self, world: World, panel: Panel) -> None:
        panel.get(f"/seller/orders/{world.buy().public_id}/slip/")
        slip = panel.page[panel.page.index("<section") :]
        assert "Springfield, IL 12345" in slip and "Ember Fox" in slip and "$" not in slip

    def test_what_gave_up_is_sent_again(self, world: World, panel: Panel) -> None:
        order = world.buy()
        Command.objects.filter(kind="create_order").update(state="dead", sentence="Nobody answered for two days.")
        panel.get(f"/seller/orders/{order.public_id}/")
        assert "Nobody answered for two days." in panel.page and "Send again" in panel.page
        panel.post(f"/seller/commands/{Command.objects.get(kind='create_order').pk}/resend/")
        assert Command.objects.get(kind="create_order").state == "waiting"


class TestAlerts:
    def test_each_leads_to_its_button_and_is_settled_by_hand(self, world: World, panel: Panel) -> None:
        alert = raise_alert(
            code=AlertCode.SIGN_IN_AGAIN,
            seller=world.seller,
            connection=world.shop,
            sentence="Dead key.",
            now=world.now,
        )
        panel.get("/seller/alerts/")
        assert f"/seller/shops/{world.shop.public_id}/reconnect/" in panel.page and "Dead key." in panel.page
        panel.post(f"/seller/alerts/{alert.public_id}/settle/", how=" ")
        assert "Say how it was settled." in panel.page and Alert.objects.get().settled_at is None
        panel.post(f"/seller/alerts/{alert.public_id}/settle/", how="Signed in.")
        assert Alert.objects.get().settled_by == world.seller.owner

    def test_a_shop_whose_currency_changed_says_so_and_carries_the_button(self, world: World, panel: Panel) -> None:
        money_seen(connection_id=world.shop.pk, currency="EUR", settings={"currency": "EUR"}, now=world.now)
        page = f"/seller/shops/{world.shop.public_id}/"
        panel.get(page)
        said = change_in_words(connection_id=world.shop.pk)
        assert said == f"{world.shop.name} had prices in USD when you connected it; now they are in EUR."
        assert panel.page.count(said) == 1
        assert f'action="/seller/shops/{world.shop.public_id}/money/"' in panel.page

        confirm_money(connection=world.shop, actor=world.seller.owner, now=world.later())
        assert change_in_words(connection_id=world.shop.pk) == ""
        panel.get(page)
        assert said not in panel.page

    def test_every_kind_can_be_shown_with_and_without_its_subject(self, world: World, panel: Panel) -> None:
        order = landed(world)
        for code in AlertCode:
            raise_alert(code=code, seller=world.seller, sentence="One.", now=world.now, key="bare")
            raise_alert(
                code=code, seller=world.seller, order=order, connection=world.shop, sentence="Two.", now=world.now
            )
        pages = ("", "alerts/", f"orders/{order.public_id}/", f"shops/{world.shop.public_id}/")
        for page in pages:
            assert panel.get(f"/seller/{page}") == 200
        for code in AlertCode:
            panel.get(f"/seller/alerts/?code={code}")
            assert (panel.page.count("One."), panel.page.count("Two.")) == (1, 1), code
        for alert in Alert.objects.all():
            assert panel.get(f"/seller/alerts/{alert.public_id}/") == 200


def sent_again(panel: "Panel", page: str, typed: dict[str, Any]) -> int | None:
    """None when the page showed no price back."""
    seen = re.search(r'name="seen" value="([^"]+)"', panel.page)
    if seen is None:
        return None
    kept = re.findall(r'name="kept" value="([^"]+)"[^>]*checked', panel.page)
    return panel.post(page, **{**typed, "upload": "", "kept": kept, "seen": seen[1]})


def test_what_fits_any_shop_is_offered_after_the_platforms(world: World, panel: Panel) -> None:
    panel.get("/seller/connect/")
    labels = re.findall(r'<h2><a href="/seller/connect/\w+/">([^<]+)</a>', panel.page)
    assert labels[-1] == "Any other shop" and labels[:-1] == sorted(labels[:-1], key=str.lower)
    assert "on none of these platforms" in panel.page and "Choose any other shop" in panel.page


class TestListings:
    def new(self, panel: Panel, **form: Any) -> int:
        """Sent once more as the page asks, with the price that was shown back."""
        typed = {"title": "Tide Owl", "price": "2.50", "count": "3", "addresses": "", **form}
        status = panel.post("/seller/listings/new/", **typed)
        return sent_again(panel, "/seller/listings/new/", typed) or status

    def test_made_by_hand_with_a_picture(self, world: World, panel: Panel, settings: Any, tmp_path: Path) -> None:
        settings.MEDIA_ROOT = tmp_path
        assert self.new(panel, upload=SimpleUploadedFile("owl.txt", PNG), addresses="https://x.test/a.png") == 200
        listing = Listing.objects.get(title="Tide Owl")
        url = listing.images[0]
        assert listing.images[1] == "https://x.test/a.png" and url.startswith("/media/") and url.endswith(".png")
        served = Client().get(url)
        assert served.content.startswith(PNG[:8])
        assert (served["Content-Type"], served["X-Content-Type-Options"]) == ("image/png", "nosniff")

    @pytest.mark.parametrize(
        "content",
        [
            b"<script>alert(1)</script>",
            b"GIF89a",
            b"\x89PNG",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            b"RIFF0000WAVE",
        ],
    )
    def test_what_is_no_picture_is_refused_whatever_its_name(
        self, world: World, panel: Panel, settings: Any, tmp_path: Path, content: bytes
    ) -> None:
        settings.MEDIA_ROOT = tmp_path
        assert self.new(panel, upload=SimpleUploadedFile("owl.png", content, "image/png")) == 422
        assert "Choose a PNG, JPEG or WebP picture" in panel.page
        assert not Listing.objects.filter(title="Tide Owl").exists() and not list(tmp_path.rglob("*.*"))

    @pytest.mark.parametrize("name", ["../settings.py", "x.png", "..%2f..%2fetc%2fpasswd", "a" * 40 + ".svg"])
    def test_nothing_else_is_served(self, name: str) -> None:
        assert Client().get(f"/media/{name}").status_code == 404

    def test_prices_have_the_decimals_of_their_currency(self, world: World, panel: Panel) -> None:
        Seller.objects.update(currency="JPY")
        assert self.new(panel, price="2.50") == 422
        assert "JPY has no decimals." in panel.page
        assert self.new(panel, price="250") == 200
        Seller.objects.update(currency="KWD")
        assert self.new(panel, title="Other", price="1.234") == 200
        prices = Listing.objects.exclude(connection__isnull=False).values_list("variants__price_minor", flat=True)
        assert sorted(prices) == [250, 1234]

    @pytest.mark.parametrize(
        "wrong",
        [
            {"price": "0"},
            {"price": "-1"},
            {"count": "-1"},
            {"title": ""},
            {"addresses": "javascript:alert(1)"},
            {"addresses": "http://x.test/a.png"},
        ],
    )
    def test_nonsense_is_a_sentence(self, world: World, panel: Panel, wrong: dict[str, str]) -> None:
        assert self.new(panel, **wrong) == 422
        assert Listing.objects.filter(connection=None).count() == 0

    def test_a_count_that_was_not_typed_is_not_changed(self, world: World, panel: Panel) -> None:
        self.new(panel)
        listing = Listing.objects.get(title="Tide Owl")
        VariantStock.objects.filter(variant__listing=listing).update(count=2)
        page = f"/seller/listings/{listing.public_id}/edit/"
        typed = {"title": "Tide Owl II", "price": "2.60", "count": "2", "addresses": ""}
        panel.post(page, **typed)
        assert listing.variants.get().price_minor == 250
        assert sent_again(panel, page, typed) == 200
        assert VariantStock.objects.get(variant__listing=listing).count == 2
        panel.post(page, title="Tide Owl II", price="2.60", count="7", addresses="")
        assert VariantStock.objects.get(variant__listing=listing).count == 7
        assert listing.variants.get().price_minor == 260

    def test_a_long_table_asks_the_database_no_more_than_a_short_one(
        self, world: World, panel: Panel, django_assert_max_num_queries: Any
    ) -> None:
        for number in range(30):
            make_listing(
                seller=world.seller,
                title=f"Card {number}",
                description="",
                price=Money(1, "USD"),
                count=1,
                now=world.now,
            )
        with django_assert_max_num_queries(16):
            panel.get("/seller/listings/")
        assert panel.page.count("Card ") == 25 and "More listings" in panel.page

    def test_archived_and_listed_again(self, world: World, panel: Panel) -> None:
        page = f"/seller/listings/{world.variant.listing.public_id}/"
        panel.post(f"{page}state/", to="archive")
        assert "It is in your archive." in panel.page
        panel.post(f"{page}state/", to="relist")
        assert Listing.objects.get().state == "live" and "Listed again." in panel.page
        Listing.objects.update(not_chosen="Your rules sell no sleeves.")
        panel.post(f"{page}state/", to="relist")
        assert "Listed again, but it is not for sale: Your rules sell no sleeves." in panel.page
        panel.post(f"{page}state/", to="deleted")
        assert Listing.objects.count() == 1

    def test_unknown_stock_is_a_question_mark(self, world: World, panel: Panel) -> None:
        Connection.objects.update(last_read_at=datetime.now(UTC) - timedelta(days=2))
        panel.get("/seller/listings/")
        assert ">?<" in panel.page and "was not heard of for too long" in panel.page

    def test_a_set_aside_listing_is_lifted_by_the_sellers_word(self, world: World, panel: Panel) -> None:
        order = landed(world)
        panel.post(f"/seller/orders/{order.public_id}/reject/", reason="not_available", expected_total="1500")
        page = f"/seller/listings/{world.variant.listing.public_id}/"
        panel.get(page)
        assert "Set aside" in panel.page and world.available == 0
        panel.get("/seller/listings/?show=aside")
        assert "Ember Fox" in panel.page
        panel.post(f"{page}count/{world.variant.public_id}/")
        assert VariantStock.objects.get().set_aside_by is None


class TestProfileAndTokens:
    def test_the_profile_is_saved(self, world: World, panel: Panel) -> None:
        assert panel.post("/seller/profile/", name="New name") == 200
        assert panel.post("/seller/profile/", name=" ") == 422
        assert Seller.objects.get(pk=world.seller.pk).name == "New name"

    def rows(self, *rows: tuple[str, str]) -> dict[str, str]:
        form = {"form-TOTAL_FORMS": str(len(rows)), "form-INITIAL_FORMS": "0"}
        for i, (country, price) in enumerate(rows):
            form |= {f"form-{i}-country": country, f"form-{i}-price": price}
        return form

    def test_shipping_prices_are_replaced_as_a_whole(self, world: World, panel: Panel) -> None:
        page = "/seller/profile/shipping/?currency=USD"
        assert panel.post(page, **self.rows(("US", "4.50"), ("*", "12"), ("", ""))) == 200
        kept = dict(world.seller.shipping_rates.values_list("country", "price_minor"))
        assert kept == {"US": 450, "*": 1200}
        for wrong in ([("US", "1"), ("US", "2")], [("US", "")], [("US", "1.234")], [("", "")], [("US", "-1")]):
            assert panel.post(page, **self.rows(*wrong)) == 422
        assert dict(world.seller.shipping_rates.values_list("country", "price_minor")) == kept

    def test_a_token_is_shown_once(self, world: World, panel: Panel) -> None:
        panel.post("/seller/tokens/", name="Packing")
        secret = re.search(r"cd_[\w-]{43}", panel.page)
        assert secret is not None
        headers = {"Authorization": f"Bearer {secret[0]}"}
        assert Client().get("/api/v1/orders", headers=headers).status_code == 200
        panel.get("/seller/tokens/")
        assert secret[0] not in panel.page
        panel.post(f"/seller/tokens/{world.seller.tokens.get().pk}/revoke/")
        assert Client().get("/api/v1/orders", headers=headers).status_code == 401


def test_a_platform_that_is_not_installed_any_more_breaks_no_page(world: World, panel: Panel) -> None:
    for page in ("", "shops/", f"shops/{world.shop.public_id}/", "listings/"):
        assert panel.get(f"/seller/{page}") == 200
    assert panel.get("/seller/connect/nonesuch/") == 404
    panel.post(f"/seller/shops/{world.shop.public_id}/test/")
    assert "There is no" in panel.page


def test_a_new_platform_is_shown_without_another_file_touched(world: World, panel: Panel) -> None:
    with dropped_in():
        panel.get("/seller/connect/")
        assert "/seller/connect/toy/" in panel.page
    panel.get("/seller/connect/")
    assert "/seller/connect/toy/" not in panel.page
