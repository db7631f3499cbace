"""The API as a program meets it: tokens and walls, orders placed once, problems in one shape, pages, and the same
rules as the pages'.
"""

import json
import re
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from jsonschema import Draft202012Validator
from tests.web.test_walls import names

from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import Done
from crossdock.domain.events import ShopProduct, ShopVariant
from crossdock.domain.requests.returns import ReturnReason
from crossdock.domain.values import Money
from crossdock.kit.gateway import NotKnown
from crossdock.kit.payments import open_gateway
from crossdock.store.models import (
    Alert,
    ApiToken,
    Command,
    Connection,
    Cursor,
    IdempotentReply,
    Listing,
    Order,
    Party,
    PaymentIntent,
    Payout,
    Reservation,
    Seller,
    Shipment,
    User,
)
from crossdock.store.vault import seal
from crossdock.usecases.accounts import tokens
from crossdock.usecases.catalogue.import_products import receive_products
from crossdock.usecases.catalogue.listings import make_listing
from crossdock.usecases.catalogue.offers import make_offer
from crossdock.usecases.checkout.basket import Basket, priced
from crossdock.usecases.money import books
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.usecases.record.alerts import raise_alert
from crossdock.usecases.record.policy import switch
from crossdock.usecases.requests.cancel import ask_to_cancel
from crossdock.usecases.requests.returns import ask_return
from crossdock.usecases.shops.privacy import erase_buyer
from crossdock.usecases.shops.timers import prune
from crossdock.usecases.stock.counts import draw_read_no
from crossdock.web.api import people
from crossdock_lab.patience import patient
from market import World, user
from market import seller as a_seller

pytestmark = pytest.mark.django_db
ROOT = "/api/v1"
SHIP_TO = {
    "name": "Zoë Müller",
    "line1": "1 Elm St",
    "city": "Springfield",
    "country": "US",
    "postal_code": "12345",
    "region": "IL",
}


class Program:
    """A client with one token. `last` is the last answer."""

    def __init__(self, secret: str) -> None:
        self.client, self.headers = Client(), {"Authorization": f"Bearer {secret}"}

    def get(self, path: str) -> Any:
        return self.client.get(ROOT + path, headers=self.headers)

    def send(self, method: str, path: str, data: Any = None, *, key: str = "") -> Any:
        headers = {**self.headers, **({"Idempotency-Key": key} if key else {})}
        body = json.dumps(data if data is not None else {})
        return self.client.generic(method, ROOT + path, body, content_type="application/json", headers=headers)

    def post(self, path: str, data: Any = None, *, key: str = "") -> Any:
        return self.send("POST", path, data, key=key)

    def patch(self, path: str, data: Any) -> Any:
        return self.send("PATCH", path, data)


OFFER = {"buyer": {"email": "zoe@b.test", "name": "Zoë"}, "amount": {"amount": "7.00", "currency": "USD"}}


def token_for(seller: Seller | None, actor: User) -> str:
    return tokens.make_token(name="test", seller=seller, actor=actor, now=datetime.now(UTC))[1]


@pytest.fixture
def world() -> World:
    return World(units=9, now=datetime.now(UTC))


@pytest.fixture
def owner(world: World) -> Program:
    return Program(token_for(world.seller, world.seller.owner))


@pytest.fixture
def market() -> Program:
    return Program(token_for(None, user(is_staff=True)))


def problem_of(answer: Any) -> tuple[int, str]:
    """(status, kind); every error has the whole shape."""
    assert answer["Content-Type"] == "application/problem+json"
    said = answer.json()
    assert said["status"] == answer.status_code
    assert said["title"] and said["detail"] and said["type"].startswith("urn:crossdock:problem:")
    return answer.status_code, said["type"].rpartition(":")[2]


def order_for(world: World, quantity: int = 1, *, fingerprint: str = "", token: str = "") -> dict[str, Any]:
    lines = {world.variant.public_id: quantity}
    basket: Basket = {"lines": lines}
    return {
        "buyer": {"email": "zoe@elsewhere.test", "name": "Zoë Müller"},
        "ship_to": SHIP_TO,
        "lines": [{"variant": world.variant.public_id, "quantity": quantity}],
        "fingerprint": fingerprint or priced(basket=basket, country="US", now=datetime.now(UTC)).fingerprint,
        "payment": {"token": token or gateway().choices()[0].token},
    }


def charged(intent: PaymentIntent) -> list[tuple[str, int]]:
    """(state, minor units) in the bank's own ledger."""
    path = settings.CONFIG.data / "payments" / "sandbox" / "ledger.sqlite"
    with closing(sqlite3.connect(path)) as db:
        return db.execute("SELECT state, minor FROM payment WHERE intent = ?", [intent.public_id]).fetchall()


def usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


def reject_of(amount: str, currency: str = "USD") -> dict[str, Any]:
    return {"reason": "lost", "expected_total": {"amount": amount, "currency": currency}}


def gateway() -> Any:
    return open_gateway(settings.PAYMENT_GATEWAY, settings.CONFIG.data)


class TestTokens:
    def test_only_the_hash_is_kept(self, world: World) -> None:
        secret = token_for(world.seller, world.seller.owner)
        row = ApiToken.objects.get()
        assert row.hash == tokens.hash_of(secret) and secret.endswith(row.hint)
        assert secret not in str(ApiToken.objects.values().get())

    @pytest.mark.parametrize(
        "header", ["", "Bearer", "Bearer ", "Bearer nonsense", "Basic abc", "Bearer cd_" + "a" * 43]
    )
    def test_without_a_valid_one_nothing_is_said(self, header: str) -> None:
        answer = Client().get(f"{ROOT}/orders", headers={"Authorization": header} if header else {})
        assert problem_of(answer) == (401, "not-signed-in")
        assert answer["WWW-Authenticate"].startswith("Bearer")

    def test_a_revoked_one_is_dead_at_once(self, world: World, owner: Program) -> None:
        assert owner.get("/orders").status_code == 200
        tokens.revoke_token(token=ApiToken.objects.get(), actor=world.seller.owner, now=datetime.now(UTC))
        assert problem_of(owner.get("/orders")) == (401, "not-signed-in")

    def test_it_dies_with_its_makers_account(self, world: World, owner: Program) -> None:
        User.objects.filter(pk=world.seller.owner_id).update(is_active=False)
        assert owner.get("/orders").status_code == 401

    def test_the_markets_token_dies_when_its_maker_is_no_longer_staff(self, market: Program) -> None:
        assert market.get("/orders").status_code == 200
        User.objects.update(is_staff=False)
        assert market.get("/orders").status_code == 401

    def test_a_session_opens_nothing(self, world: World) -> None:
        client = Client()
        client.force_login(world.seller.owner)
        assert client.get(f"{ROOT}/orders").status_code == 401


class TestPlacing:
    def test_an_order_is_held_paid_and_on_its_way_to_the_shop(self, world: World, market: Program) -> None:
        answer = market.post("/orders", order_for(world, 2), key="a-1")
        assert answer.status_code == 201
        said = answer.json()
        order = Order.objects.get(public_id=said["id"])
        assert said["total"] == {"currency": "USD", "amount": "25.00"}
        assert (said["money"], said["parcels"], said["shop_copy"]["state"]) == ("paid", "unshipped", "intended")
        assert order.buyer.email == "zoe@elsewhere.test" and not order.buyer.has_usable_password()
        assert Command.objects.filter(cause=f"create:{order.reference}").count() == 1
        assert world.available == 7

    def test_the_same_key_buys_once_and_answers_the_same(self, world: World, market: Program) -> None:
        first = market.post("/orders", order_for(world), key="same")
        second = market.post("/orders", order_for(world), key="same")
        assert (first.status_code, second.status_code) == (201, 201)
        assert second.json() == first.json()
        assert (first.headers.get("Idempotent-Replayed"), second["Idempotent-Replayed"]) == (None, "true")
        assert Order.objects.count() == PaymentIntent.objects.count() == 1
        assert world.available == 8

    def test_the_same_key_for_something_else_is_a_mistake(self, world: World, market: Program) -> None:
        market.post("/orders", order_for(world), key="same")
        assert problem_of(market.post("/orders", order_for(world, 2), key="same")) == (422, "key-reused")
        assert Order.objects.count() == 1

    def test_while_the_first_is_being_worked_on_the_second_waits(self, world: World, market: Program) -> None:
        from crossdock.web.api.once import fingerprint

        token = ApiToken.objects.get(seller=None)
        body = json.dumps(order_for(world)).encode()
        request = type("Asked", (), {"method": "POST", "path": f"{ROOT}/orders", "body": body})()
        row = IdempotentReply.objects.create(
            token=token, key="slow", fingerprint=fingerprint(request), created_at=datetime.now(UTC)
        )
        assert problem_of(market.post("/orders", order_for(world), key="slow")) == (409, "in-flight")
        assert Order.objects.count() == 0
        IdempotentReply.objects.filter(pk=row.pk).update(created_at=datetime.now(UTC) - timedelta(minutes=3))
        assert market.post("/orders", order_for(world), key="slow").status_code == 201

    def test_without_a_key_nothing_is_bought(self, world: World, market: Program) -> None:
        assert problem_of(market.post("/orders", order_for(world))) == (422, "no-key")
        assert PaymentIntent.objects.count() == 0

    def test_two_tokens_may_use_the_same_key(self, world: World, market: Program) -> None:
        other = Program(token_for(None, user(is_staff=True)))
        assert market.post("/orders", order_for(world), key="k").status_code == 201
        assert other.post("/orders", order_for(world), key="k").status_code == 201
        assert Order.objects.count() == 2

    def test_another_price_than_the_buyer_saw_is_refused(self, world: World, market: Program) -> None:
        answer = market.post("/orders", order_for(world, fingerprint="of another price"), key="k")
        assert problem_of(answer) == (409, "stale")
        assert "$15.00" in answer.json()["detail"]
        assert PaymentIntent.objects.count() == 0

    def test_more_than_there_is_is_refused(self, world: World, market: Program) -> None:
        assert problem_of(market.post("/orders", order_for(world, 10), key="k")) == (409, "stale")
        assert world.available == 9

    def test_a_declined_payment_holds_nothing(self, world: World, market: Program) -> None:
        declined = next(
            choice.token for choice in gateway().choices() if "declin" in choice.token + choice.label.lower()
        )
        answer = market.post("/orders", order_for(world, token=declined), key="k")
        assert problem_of(answer) == (402, "payment-declined")
        assert Order.objects.count() == 0
        assert world.available == 9
        assert problem_of(market.post("/orders", order_for(world, token=declined), key="k")) == (
            402,
            "payment-declined",
        )
        assert PaymentIntent.objects.count() == 1

    def test_a_lost_answer_is_said_and_can_be_followed(
        self, world: World, market: Program, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from crossdock.web.api import placing

        def silent(question: Any) -> NotKnown:
            question.close()
            return NotKnown("The bank did not answer in time.")

        monkeypatch.setattr(placing, "answer_of", silent)
        answer = market.post("/orders", order_for(world), key="k")
        said = answer.json()
        assert (answer.status_code, said["state"], said["order"]) == (202, "unknown", None)
        assert world.available == 8
        followed = market.get(f"/checkouts/{said['checkout']}").json()
        assert followed == said
        from crossdock.usecases.checkout.checkout import place_order

        order = place_order(intent_id=said["checkout"], gateway_ref="r", checks={}, now=datetime.now(UTC))
        assert market.get(f"/checkouts/{said['checkout']}").json()["order"] == order.public_id

    def test_a_crash_after_the_payment_is_gone_on_from(
        self, world: World, market: Program, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from crossdock.web import payments

        asked = order_for(world)
        with monkeypatch.context() as broken:
            broken.setattr(payments, "place_order", lambda **_: 1 / 0)
            assert problem_of(market.post("/orders", asked, key="k")) == (500, "broken")
        intent = PaymentIntent.objects.get()
        assert charged(intent) == [("captured", 1500)] and Order.objects.count() == 0
        assert market.post("/orders", asked, key="k").status_code == 201
        assert PaymentIntent.objects.get() == Order.objects.get().intent
        assert charged(intent) == [("captured", 1500)]
        assert world.available == 8

    def test_a_bank_that_answers_too_late_charges_once(self, world: World, market: Program) -> None:
        asked = order_for(world, token="late")
        first = market.post("/orders", asked, key="k")
        again = market.post("/orders", asked, key="k")
        assert (first.status_code, again.status_code) == (202, 202)
        assert again.json() == first.json() and first.json()["poll"].endswith(first.json()["checkout"])
        assert Client().get(first.json()["poll"]).status_code == 401
        assert charged(PaymentIntent.objects.get()) == [("captured", 1500)]
        assert (Order.objects.count(), world.available) == (0, 8)

    def test_units_gone_before_the_money_came(
        self, world: World, market: Program, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The hold ran out while the bank was asked and somebody else bought the rest: no order, and the money goes
        back once.
        """
        from crossdock.web.api import placing

        real = placing.answer_of

        def slow(question: Any) -> Any:
            answer = real(question)
            Reservation.objects.update(state="ended", expires_at=None)
            world.buy(9)
            return answer

        monkeypatch.setattr(placing, "answer_of", slow)
        assert problem_of(market.post("/orders", order_for(world), key="k")) == (409, "stale")
        assert problem_of(market.post("/orders", order_for(world), key="k")) == (409, "stale")
        assert Order.objects.count() == 1
        assert Command.objects.filter(kind="refund_payment").count() == 1

    def test_a_quote_holds_nothing(self, world: World, market: Program) -> None:
        lines = [{"variant": world.variant.public_id, "quantity": 2}]
        said = market.post("/quotes", {"lines": lines, "country": "US"}).json()
        amounts = [said[name]["amount"] for name in ("items", "shipping", "total")]
        assert (amounts, said["problems"]) == (["20.00", "5.00", "25.00"], [])
        assert said["fingerprint"] == order_for(world, 2)["fingerprint"]
        assert (said["lines"][0]["available"], said["lines"][0]["problem"]) == (9, "")
        assert world.available == 9
        much = market.post("/quotes", {"lines": [{**lines[0], "quantity": 10}], "country": "US"}).json()
        assert "Only 9 left." in much["problems"][0] and "Only 9 left." in much["lines"][0]["problem"]

    @pytest.mark.parametrize(
        "change",
        [
            {"lines": []},
            {"lines": [{"variant": "x", "quantity": 1}]},
            {"lines": [{"variant": "x", "quantity": -1}]},
            {"buyer": {"email": "no", "name": "Z"}},
            {"ship_to": {**SHIP_TO, "country": "usa"}},
            {"ship_to": {**SHIP_TO, "country": "XX"}},
            {"coupon": "X"},
            {"payment": {}},
            {"fingerprint": 7},
            {"buyer": {"email": "a@b.test", "name": "Z\x00"}},
            {"payment": {"paid_outside": "ref"}},
            {"ship_to": {**SHIP_TO, "city": "\x00"}},
        ],
    )
    def test_nonsense_is_a_sentence(self, world: World, market: Program, change: dict[str, Any]) -> None:
        assert problem_of(market.post("/orders", {**order_for(world), **change}, key="k")) == (422, "invalid")
        assert Order.objects.count() == PaymentIntent.objects.count() == 0

    def test_a_body_that_is_no_json_is_a_problem_too(self, market: Program) -> None:
        answer = market.client.post(f"{ROOT}/orders", "{", content_type="application/json", headers=market.headers)
        assert problem_of(answer) == (400, "unreadable")


class TestOrders:
    def test_a_time_is_written_in_one_way_at_placing_and_later(self, world: World, market: Program) -> None:
        placed = market.post("/orders", order_for(world), key="when").json()
        again = market.get(f"/orders/{placed['id']}").json()
        assert again["placed_at"] == placed["placed_at"] and again["ship_by"] == placed["ship_by"]

    def test_the_proof_tracking_and_timeline_are_there(self, world: World, owner: Program) -> None:
        order = world.buy()
        (claimed,) = world.claim()
        world.settle(claimed, Done("77", shop_number="#77", stock_taken=True))
        assert (
            owner.post(
                f"/orders/{order.public_id}/shipments", {"tracking_number": "1Z", "carrier": "UPS"}, key="s"
            ).status_code
            == 201
        )
        said = owner.get(f"/orders/{order.public_id}").json()
        assert (said["shop_copy"]["state"], said["shop_copy"]["shop_number"]) == ("acknowledged", "#77")
        assert [parcel["tracking_number"] for parcel in said["shipments"]] == ["1Z"]
        assert {"placed", "shipped"} <= {entry["kind"] for entry in said["timeline"]}
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", said["placed_at"])
        risk = said["risk"]
        assert risk["level"] in ("low", "not_assessed") and 0 < risk["available"] < risk["asked"]
        assert owner.get(f"/orders/{order.reference}").json() == said
        parcel = f"/orders/{order.reference}/shipments/{said['shipments'][0]['id']}"
        changed = owner.send("PATCH", parcel, {"tracking_number": "1Z2", "carrier": "UPS"}).json()
        assert [one["tracking_number"] for one in changed["shipments"]] == ["1Z2"]
        assert problem_of(owner.send("PATCH", parcel, {"tracking_number": ""})) == (422, "invalid")
        assert Shipment.objects.get().tracking_number == "1Z2"

    def test_shipping_twice_with_one_key_ships_once(self, world: World, owner: Program) -> None:
        order = world.buy(2)
        line = order.lines.get().pk
        asked = {"tracking_number": "1Z", "lines": [{"line": line, "quantity": 1}]}
        answers = [owner.post(f"/orders/{order.public_id}/shipments", asked, key="s") for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 201]
        assert Shipment.objects.count() == 1
        assert owner.post(f"/orders/{order.public_id}/shipments", asked, key="t").status_code == 201
        assert problem_of(owner.post(f"/orders/{order.public_id}/shipments", asked, key="u")) == (422, "invalid")
        assert Shipment.objects.count() == 2

    def test_single_units_are_rejected_at_the_amount_that_was_shown(self, world: World, owner: Program) -> None:
        from crossdock.store.models import PolicySwitch

        order = world.buy(3)
        path, line = f"/orders/{order.public_id}/reject-lines", order.lines.get()
        wish = {"lines": [{"line": line.pk, "quantity": 1, "reason": "buyer_asked"}]}
        assert problem_of(owner.post(path, wish, key="a")) == (409, "not-allowed")
        PolicySwitch.objects.create(rule="S8", lifted=True, changed_at=world.now)
        shown = owner.post(path, wish, key="b").json()
        assert (shown["done"], shown["total"]) == (False, usd("11.67"))
        assert problem_of(owner.post(path, {**wish, "expected_total": usd("1.00")}, key="c")) == (409, "stale")
        for _ in range(2):
            assert owner.post(path, {**wish, "expected_total": shown["total"]}, key="d").json()["done"]
        now = owner.get(f"/orders/{order.public_id}").json()
        assert now["credited"] == usd("11.67") and now["lines"][0]["rejected"] == 1

    def test_a_credit_is_asked_of_staff_once(self, world: World, owner: Program) -> None:
        order = world.buy()
        path, wish = f"/orders/{order.public_id}/credit-requests", {"amount": usd("2.00"), "reason": "Arrived damaged"}
        assert problem_of(owner.post(path, wish, key="a")) == (409, "not-allowed")
        owner.post(f"/orders/{order.public_id}/shipments", {}, key="s")
        first = owner.post(path, wish, key="b").json()
        assert (first["state"], first["amount"]) == ("asked", usd("2.00"))
        assert owner.post(path, {**wish, "amount": usd("3.00")}, key="c").json() == first

    def test_reject_needs_the_amount_and_credits_once(self, world: World, owner: Program) -> None:
        path = f"/orders/{world.buy().public_id}/reject"
        said = reject_of("15.00")
        assert problem_of(owner.post(path, said)) == (422, "no-key")
        assert problem_of(owner.post(path, reject_of("0.01"), key="a")) == (409, "stale")
        assert problem_of(owner.post(path, reject_of("15.00", "EUR"), key="b")) == (409, "not-allowed")
        assert problem_of(owner.post(path, reject_of("15.001"), key="c")) == (422, "invalid")
        assert not Command.objects.filter(kind="refund_payment").exists()
        first = owner.post(path, said, key="d")
        assert (first.json()["money"], first.json()["parcels"]) == ("credited", "cancelled")
        assert first.json()["credited"] == {"amount": "15.00", "currency": "USD"}
        assert owner.post(path, said, key="d").json() == first.json()
        assert problem_of(owner.post(path, said, key="e")) == (409, "not-allowed")
        assert Command.objects.filter(kind="refund_payment").count() == 1

    def test_s6_created_in_the_shop_once_more(self, world: World, owner: Program) -> None:
        order = world.buy()
        path = f"/orders/{order.reference}/create-in-shop"
        first = owner.post(path, key="a")
        assert first.status_code == 200 and first.json()["why_it_was_missing"]
        assert owner.post(path, key="a").json() == first.json()
        assert order.timeline.filter(kind="create_in_shop").count() == 1
        assert Command.objects.filter(kind="create_order").count() == 1
        (claimed,) = world.claim()
        world.settle(claimed, Done("77", shop_number="#77", stock_taken=True))
        refused = owner.post(path, key="b")
        assert problem_of(refused) == (409, "not-allowed") and "#77" in refused.json()["detail"]

    def test_what_fails_leaves_neither_work_nor_a_lock(
        self, world: World, owner: Program, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from crossdock.web.api import orders

        order = world.buy()
        path, asked = f"/orders/{order.public_id}/shipments", {"tracking_number": "1Z"}
        with monkeypatch.context() as broken:
            broken.setattr(orders, "order_out", lambda order: 1 / 0)
            assert problem_of(owner.post(path, asked, key="s")) == (500, "broken")
        assert Shipment.objects.count() == IdempotentReply.objects.count() == 0
        assert owner.post(path, asked, key="s").status_code == 201
        assert Shipment.objects.count() == 1

    def test_the_queues_are_the_panels(self, world: World, owner: Program) -> None:
        open_one, gone = world.buy(), world.buy()
        owner.post(f"/orders/{gone.public_id}/reject", reject_of("15.00"), key="r")
        for _ in range(2):
            raise_alert(code=AlertCode.HIGH_RISK, seller=world.seller, sentence="?", order=open_one, now=world.now)
        raise_alert(code=AlertCode.STOCK_DIFFERS, seller=world.seller, sentence="?", order=open_one, now=world.now)
        for queue, wanted in {"to_ship": [open_one], "cancelled": [gone], "needs_attention": [open_one]}.items():
            said = owner.get(f"/orders?queue={queue}").json()["items"]
            assert [one["id"] for one in said] == [order.public_id for order in wanted], queue
        assert problem_of(owner.get("/orders?queue=nonsense")) == (422, "invalid")

    def test_a_page_of_many_asks_as_often_as_a_page_of_one(
        self, world: World, owner: Program, django_assert_num_queries: Any
    ) -> None:
        world.buy()
        owner.get("/orders")
        with CaptureQueriesContext(connection) as one:
            owner.get("/orders")
        for _ in range(4):
            world.buy()
        with django_assert_num_queries(len(one)):
            assert len(owner.get("/orders").json()["items"]) == 5

    def test_pages_go_on_where_they_ended(self, world: World, owner: Program, monkeypatch: pytest.MonkeyPatch) -> None:
        from crossdock.web.api import orders

        monkeypatch.setattr(orders, "PAGE", 2)
        made = [world.buy().public_id for _ in range(5)]
        seen: list[str] = []
        page = owner.get("/orders").json()
        while True:
            seen += [item["id"] for item in page["items"]]
            if page["next"] is None:
                break
            world.buy()  # New ones do not shift what follows.
            page = owner.get(f"/orders?cursor={page['next']}").json()
        assert seen == made[::-1]
        assert problem_of(owner.get("/orders?cursor=bm9uc2Vuc2U")) == (422, "invalid")


class TestListings:
    def test_made_changed_archived_and_listed_again(self, world: World, owner: Program) -> None:
        made = owner.post(
            "/listings", {"title": "Tide Owl", "price": usd("2.50"), "count": 3, "sku": "OWL"}, key="l"
        ).json()
        path = f"/listings/{made['id']}"
        assert (made["variants"][0]["available"], made["why_not_live"], made["synced"]) == (3, [], False)
        changed = owner.send("PATCH", path, {"price": usd("3.00")}).json()
        assert (changed["variants"][0]["price"]["amount"], changed["title"], changed["variants"][0]["available"]) == (
            "3.00",
            "Tide Owl",
            3,
        )
        assert owner.post(f"{path}/archive").json()["state"] == "archived"
        assert owner.post(f"{path}/relist").json()["state"] == "live"

    def test_the_same_key_lists_once(self, owner: Program, world: World) -> None:
        asked = {"title": "Tide Owl", "price": usd("2.50"), "count": 3}
        ids = {owner.post("/listings", asked, key="l").json()["id"] for _ in range(2)}
        assert len(ids) == Listing.objects.filter(title="Tide Owl").count() == 1

    def test_a_synced_listing_is_changed_in_the_shop(self, world: World, owner: Program) -> None:
        path = f"/listings/{world.variant.listing.public_id}"
        assert problem_of(owner.send("PATCH", path, {"price": usd("0.01")})) == (409, "not-allowed")
        world.variant.refresh_from_db()
        assert world.variant.price_minor == 1000

    def test_s1_a_synced_listing_takes_no_offers(self, world: World, market: Program) -> None:
        answer = market.post(f"/listings/{world.variant.listing.public_id}/offers", OFFER, key="o")
        assert problem_of(answer) == (409, "offers-closed")
        assert answer.json()["rule"] == "S1" and "asking price" in answer.json()["detail"]
        assert market.get(f"/listings/{world.variant.listing.public_id}").json()["offers"] is False

    def test_an_offer_from_being_made_to_being_paid(self, world: World, market: Program, owner: Program) -> None:
        own = make_listing(
            seller=world.seller, title="Own", description="", price=Money(1000, "USD"), count=2, now=world.now
        )
        assert market.get(f"/listings/{own.public_id}").json()["offers"] is True
        made = market.post(f"/listings/{own.public_id}/offers", OFFER, key="o").json()
        assert market.post(f"/listings/{own.public_id}/offers", OFFER, key="o").json()["id"] == made["id"], "once"
        assert (made["state"], made["price"]["amount"]) == ("open", "7.00")
        path = f"/offers/{made['id']}/answer"
        early = market.post(path, {"deed": "accept", "seen": usd("7.00")}, key="a1")
        assert problem_of(early) == (409, "stale"), "nobody accepts their own"
        countered = owner.post(path, {"deed": "counter", "seen": usd("7.00"), "amount": usd("8.00")}, key="c").json()
        assert countered["state"] == "countered"
        old = market.post(path, {"deed": "accept", "seen": usd("7.00")}, key="a2")
        assert problem_of(old) == (409, "stale"), "another price"
        assert market.post(path, {"deed": "accept", "seen": usd("8.00")}, key="a3").json()["state"] == "accepted"
        lines = [{"variant": made["variant"], "quantity": 1}]
        plain = market.post("/quotes", {"lines": lines, "country": "US"}).json()
        quote = market.post("/quotes", {"lines": lines, "country": "US", "offer": made["id"]}).json()
        assert (plain["items"]["amount"], quote["items"]["amount"]) == ("10.00", "8.00")
        asked = {
            "buyer": OFFER["buyer"],
            "ship_to": SHIP_TO,
            "lines": lines,
            "fingerprint": quote["fingerprint"],
            "payment": {"token": "works"},
            "offer": made["id"],
        }
        placed = market.post("/orders", {**asked, "buyer": {"email": "else@b.test", "name": "E"}}, key="p1")
        assert problem_of(placed) == (409, "not-allowed"), "somebody else's offer"
        placed = market.post("/orders", asked, key="p2")
        assert placed.status_code == 201 and placed.json()["items"]["amount"] == "8.00"
        assert market.get(f"/offers/{made['id']}").json()["order"] == placed.json()["id"]
        assert [item["state"] for item in owner.get("/offers?state=paid").json()["items"]] == ["paid"]

    @pytest.mark.parametrize(
        ("field", "value", "said"),
        [
            ("price", {"amount": "2.50", "currency": "EUR"}, "has to be in USD"),
            ("price", {"amount": "2.505", "currency": "USD"}, "more decimals"),
            ("price", {"amount": "-1", "currency": "USD"}, "price.amount:"),
            ("price", {"amount": "0.00", "currency": "USD"}, "above zero"),
            ("price", {"amount": "1", "currency": "QQQ"}, "not a currency"),
            ("price", 250, "price"),
            ("title", "", "title"),
            ("title", "a\x00b", "NUL"),
            ("title", "a\ud800b", "title"),
            ("images", ["https://a.test/\x00"], "NUL"),
            ("images", ["javascript:alert(1)"], "https"),
            ("count", -1, "count"),
            ("state", "live", "state"),
        ],
    )
    def test_nonsense_is_a_sentence(self, world: World, owner: Program, field: str, value: Any, said: str) -> None:
        asked = {"title": "Tide Owl", "price": usd("2.50"), "count": 3, field: value}
        answer = owner.post("/listings", asked, key="l")
        assert problem_of(answer) == (422, "invalid")
        assert said in answer.json()["detail"]
        assert Listing.objects.count() == 1

    def test_as_many_statements_however_many_follow_a_shop(self, world: World, owner: Program, market: Program) -> None:
        def asked() -> list[int]:
            counted = []
            for reader in (owner, market):
                with CaptureQueriesContext(connection) as seen:
                    assert reader.get("/listings").status_code == 200
                counted.append(len(seen))
            return counted

        asked()
        one = asked()
        products = [
            ShopProduct(f"more-{n}", f"More {n}", (ShopVariant(f"more-{n}", "M", "", Money(500, "USD"), 3),))
            for n in range(6)
        ]
        receive_products(connection_id=world.shop.pk, products=products, read_no=draw_read_no(), now=world.now)
        assert asked() == one and len(owner.get("/listings").json()["items"]) == 7

    def test_the_market_sees_what_buyers_see(self, world: World, owner: Program, market: Program) -> None:
        listing = make_listing(
            seller=world.seller, title="Hidden", description="", price=Money(1, "USD"), count=1, now=world.now
        )
        owner.post(f"/listings/{listing.public_id}/archive")
        assert [item["title"] for item in market.get("/listings").json()["items"]] == ["Ember Fox"]
        assert [item["title"] for item in owner.get("/listings?q=hid").json()["items"]] == ["Hidden"]
        assert problem_of(market.get(f"/listings/{listing.public_id}")) == (404, "not-found")


class TestShopsAndAlerts:
    def test_no_secret_comes_out(self, world: World, owner: Program) -> None:
        text = owner.get("/connections").content.decode()
        assert world.shop.public_id in text
        assert "secret" not in text and "hook" not in text

    def test_how_it_is_doing_is_told_in_the_words_of_its_page(self, world: World, owner: Program) -> None:
        path = f"/connections/{world.shop.public_id}"
        said = owner.get(path).json()
        assert (said["health"], said["health_sentence"]) == ("Healthy", "")
        Cursor.objects.filter(connection=world.shop, stream="orders").update(due_by=datetime(2026, 1, 1, tzinfo=UTC))
        for said in (owner.get(path).json(), owner.get("/connections").json()[0]):
            assert said["health"] == "Behind" and "orders have not been read" in said["health_sentence"]
        page = Client()
        page.force_login(world.seller.owner)
        seen = unescape(page.get(f"/seller/shops/{world.shop.public_id}/").content.decode())
        assert said["health"] in seen and said["health_sentence"] in seen
        assert owner.post(f"{path}/pause").json()["health"] == "Paused"

    def test_pause_and_resume(self, world: World, owner: Program) -> None:
        path = f"/connections/{world.shop.public_id}"
        assert owner.post(f"{path}/pause").json()["state"] == "paused"
        assert owner.post(f"{path}/pause").json()["state"] == "paused"
        assert owner.post(f"{path}/resume").json()["state"] == "active"

    def test_shipments_are_entered_in_the_shop_or_not(self, world: World, owner: Program) -> None:
        path, shops = f"/connections/{world.shop.public_id}", Connection.objects.filter(pk=world.shop.pk)
        assert owner.get(path).json()["push_fulfilments"] is None, "its platform takes none"
        assert problem_of(owner.patch(path, {"push_fulfilments": True})) == (409, "not-allowed")
        shops.update(platform="shopify")
        assert owner.get(path).json()["push_fulfilments"] is True
        assert owner.patch(path, {"push_fulfilments": False}).json()["push_fulfilments"] is False
        assert not shops.get().push_fulfilments
        assert owner.get("/connections").json()[0]["push_fulfilments"] is False
        assert owner.patch(path, {"push_fulfilments": "perhaps"}).status_code == 422
        assert owner.patch(path, {"buffer": 1}).status_code == 422, "only what is named can be changed"
        assert owner.patch(path, {"push_fulfilments": True}).json()["push_fulfilments"] is True

    def test_an_alert_is_settled_once(self, world: World, owner: Program) -> None:
        alert = raise_alert(
            code=AlertCode.HIGH_RISK, seller=world.seller, sentence="Look.", order=world.buy(), now=world.now
        )
        assert [item["id"] for item in owner.get("/alerts").json()["items"]] == [alert.public_id]
        assert (
            owner.post(f"/alerts/{alert.public_id}/settle", {"how": "Rang them up."}).json()["settled_how"]
            == "Rang them up."
        )
        assert (
            owner.post(f"/alerts/{alert.public_id}/settle", {"how": "Again."}).json()["settled_how"] == "Rang them up."
        )
        assert owner.get("/alerts").json()["items"] == []


# name -> (method, path, what its owner gets, what it sends). Whose token owns it: the seller's, or the marketplace's.
API: dict[str, tuple[str, str, int, Any]] = {
    "preview_shipment": ("POST", "/orders/{order}/shipments/preview", 200, {}),
    "preview_reject": ("POST", "/orders/{other}/reject/preview", 200, {"reason": "lost"}),
    "preview_decline": ("POST", "/orders/{asked}/cancel-request/decline/preview", 200, {"answer": "Packed."}),
    "preview_price": ("POST", "/listings/{own}/price/preview", 200, {"price": usd("0.02")}),
    "preview_buffer": ("POST", "/listings/{listing}/buffer/preview", 200, {"buffer": 1}),
    "preview_sale": ("POST", "/listings/{own}/sale/preview", 200, {"on_sale": False}),
    "confirm": ("POST", "/confirmations", 422, {"code": "x"}),
    "listings": ("GET", "/listings", 200, None),
    "listings_make": ("POST", "/listings", 201, {"title": "T", "price": usd("0.01"), "count": 1}),
    "listing": ("GET", "/listings/{listing}", 200, None),
    "listing_edit": ("PATCH", "/listings/{own}", 200, {"title": "U"}),
    "listing_archive": ("POST", "/listings/{own}/archive", 200, None),
    "listing_relist": ("POST", "/listings/{own}/relist", 200, None),
    "offers": ("GET", "/offers", 200, None),
    "offer": ("GET", "/offers/{offer}", 200, None),
    "offer_answer": ("POST", "/offers/{offer}/answer", 200, {"deed": "decline", "seen": usd("5.00")}),
    "orders": ("GET", "/orders", 200, None),
    "order": ("GET", "/orders/{order}", 200, None),
    "order_ship": ("POST", "/orders/{order}/shipments", 201, {}),
    "order_parcel": ("PATCH", "/orders/{shipped}/shipments/{parcel}", 200, {"tracking_number": "T2"}),
    "order_create": ("POST", "/orders/{order}/create-in-shop", 409, None),
    "order_cancel_request": ("GET", "/orders/{asked}/cancel-request", 200, None),
    "order_cancel_decline": ("POST", "/orders/{asked}/cancel-request/decline", 200, {"number": 1, "answer": "Packed."}),
    "order_reject": ("POST", "/orders/{other}/reject", 200, reject_of("15.00")),
    "order_reject_lines": (
        "POST",
        "/orders/{order}/reject-lines",
        422,
        {"lines": [{"line": 1_000_000_000, "quantity": 1, "reason": "other"}]},
    ),
    "order_credit": (
        "POST",
        "/orders/{shipped}/credit-requests",
        201,
        {"amount": usd("1.00"), "reason": "Arrived damaged"},
    ),
    "returns": ("GET", "/returns", 200, None),
    "return": ("GET", "/returns/{return}", 200, None),
    "return_picture": ("GET", "/returns/{return}/pictures/{returned}", 200, None),
    "return_decline": ("POST", "/returns/{return}/decline", 200, {"answer": "Worn."}),
    "return_accept": ("POST", "/returns/{return}/accept", 200, {"send_to": "1 Oak St", "payer": "buyer"}),
    "return_receive": (
        "POST",
        "/returns/{return}/receive",
        422,
        {"lines": [{"line": 10**9, "units": 1, "fate": "aside"}]},
    ),
    "balance": ("GET", "/balance", 200, None),
    "statement": ("GET", "/statement", 200, None),
    "payouts": ("GET", "/payouts", 200, None),
    "payout": ("GET", "/payouts/{payout}", 200, None),
    "rules": ("GET", "/policy/rules", 200, None),
    "connections": ("GET", "/connections", 200, None),
    "connection": ("GET", "/connections/{shop}", 200, None),
    "connection_change": ("PATCH", "/connections/{shop}", 409, {"push_fulfilments": False}),
    "connection_pause": ("POST", "/connections/{shop}/pause", 200, None),
    "connection_resume": ("POST", "/connections/{shop}/resume", 200, None),
    "alerts": ("GET", "/alerts", 200, None),
    "alert_settle": ("POST", "/alerts/{alert}/settle", 200, {"how": "Done."}),
}
MARKET: dict[str, tuple[str, str, int, Any]] = {
    "listing_offers": ("POST", "/listings/{listing}/offers", 409, OFFER),
    "orders_place": ("POST", "/orders", 422, {}),
    "quotes": ("POST", "/quotes", 422, {}),
    "checkout": ("GET", "/checkouts/{checkout}", 200, None),
}


def operations() -> set[tuple[str, str]]:
    from crossdock.web.api.urls import api

    return {
        (method.upper(), path.removeprefix(ROOT))
        for path, methods in api.get_openapi_schema()["paths"].items()
        for method in methods
    }


def shape(path: str) -> str:
    """The path with its parameters' names taken away."""
    import re

    return re.sub(r"\{\w+\}", "{}", path)


def test_every_operation_has_an_entry_in_the_walls() -> None:
    listed = {(method, shape(path)) for method, path, _, _ in [*API.values(), *MARKET.values()]}
    assert listed == {(method, shape(path)) for method, path in operations()}
    assert names("api") == {"api_docs", "api-root"}


def _paid_out(world: World) -> Payout:
    given = {"cause": "c", "seller": world.seller, "provider": "sandbox", "amount_minor": 1, "currency": "USD"}
    row = Payout.objects.create(intended_at=world.now, **given)
    sides = {books.seller_account(world.seller.pk): 1, "transit:sandbox": -1}
    books.post(cause=f"payout:{row.public_id}", order=None, sentence="", now=world.now, entries=sides, currency="USD")
    return row


@pytest.fixture
def ids(world: World) -> dict[str, str]:
    order, other, shipped = world.buy(), world.buy(), world.buy()
    parcel = ship_by_hand(
        order=shipped, lines=None, tracking="T1", carrier="", actor=world.seller.owner, now=world.later()
    )
    for claimed in world.claim():
        world.settle(claimed, Done(f"s{claimed.id}", stock_taken=True))
    asked = world.buy()
    ask_to_cancel(order=asked, buyer=asked.buyer, reason="", now=world.later())
    alert = raise_alert(code=AlertCode.HIGH_RISK, seller=world.seller, sentence="Look.", order=order, now=world.now)
    own = make_listing(seller=world.seller, title="Own", description="", price=Money(1, "USD"), count=1, now=world.now)
    dear = make_listing(
        seller=world.seller, title="Dear", description="", price=Money(1000, "USD"), count=1, now=world.now
    )
    back = ask_return(
        order=Order.objects.get(pk=shipped.pk),
        units={shipped.lines.get().pk: 1},
        reason=ReturnReason.DAMAGED,
        words="",
        pictures=[b"its scratch"],
        now=world.later(),
    )
    offer = make_offer(
        buyer=user(),
        variant=dear.variants.get(),
        quantity=1,
        amount=Money(500, "USD"),
        manifest=None,
        now=datetime.now(UTC),
    )
    return {
        "offer": offer.public_id,
        "listing": world.variant.listing.public_id,
        "own": own.public_id,
        "order": order.public_id,
        "other": other.public_id,
        "shipped": shipped.public_id,
        "asked": asked.public_id,
        "parcel": str(parcel.pk),
        "return": back.public_id,
        "returned": back.pictures.get().name,
        "shop": world.shop.public_id,
        "alert": alert.public_id,
        "payout": _paid_out(world).public_id,
        "checkout": PaymentIntent.objects.first().public_id,  # type: ignore[union-attr]
    }


def ask(program: Program, entry: tuple[str, str, int, Any], ids: dict[str, str], key: str) -> Any:
    method, path, _, data = entry
    if method == "GET":
        return program.get(path.format(**ids))
    return program.send(method, path.format(**ids), data, key=key)


def test_the_owner_is_answered(owner: Program, ids: dict[str, str]) -> None:
    for name, entry in API.items():
        assert ask(owner, entry, ids, name).status_code == entry[2], name


def test_the_marketplace_is_answered(market: Program, ids: dict[str, str]) -> None:
    for name, entry in MARKET.items():
        assert ask(market, entry, ids, name).status_code == entry[2], name


def test_the_wrong_seller_finds_nothing(ids: dict[str, str]) -> None:
    other = a_seller()
    wrong = Program(token_for(other, other.owner))
    for name, entry in API.items():
        answer = ask(wrong, entry, ids, name)
        if "{" in entry[1]:
            assert problem_of(answer) == (404, "not-found"), name
        else:
            assert answer.status_code == entry[2]
            assert not any(ids[id] in answer.content.decode() for id in ids if id != "parcel"), name
    assert [parcel.tracking_number for parcel in Shipment.objects.all()] == ["T1"]
    assert Listing.objects.get(public_id=ids["own"]).state == "live"


def test_a_seller_places_no_orders(owner: Program, world: World, ids: dict[str, str]) -> None:
    asked = {"lines": [{"variant": world.variant.public_id, "quantity": 1}], "country": "US"}
    assert problem_of(owner.post("/quotes", asked)) == (403, "not-yours")
    assert problem_of(owner.post("/orders", order_for(world), key="k")) == (403, "not-yours")
    assert problem_of(owner.get(f"/checkouts/{ids['checkout']}")) == (403, "not-yours")
    assert Order.objects.count() == 4


def test_nobody_is_told_nothing(ids: dict[str, str]) -> None:
    nobody = Program("")
    for name, entry in {**API, **MARKET}.items():
        assert problem_of(ask(nobody, entry, ids, name)) == (401, "not-signed-in"), name


def test_the_description_is_public_and_its_page_needs_no_script() -> None:
    client = Client()
    described = client.get(f"{ROOT}/openapi.json").json()
    assert described["openapi"].startswith("3.") and f"{ROOT}/orders" in described["paths"]
    page = client.get(f"{ROOT}/docs")
    assert page.status_code == 200 and b"POST /api/v1/orders" in page.content
    assert b"<script>" not in page.content and b"https://cdn" not in page.content


def stands() -> tuple[Any, ...]:
    """What a refusal must not have changed."""
    return (
        list(Order.objects.order_by("pk").values()),
        list(Listing.objects.order_by("pk").values()),
        list(Shipment.objects.order_by("pk").values()),
        list(Alert.objects.order_by("pk").values()),
        list(Connection.objects.order_by("pk").values("pk", "state", "settings")),
        Command.objects.count(),
        PaymentIntent.objects.count(),
        IdempotentReply.objects.count(),
        Reservation.objects.count(),
    )


@pytest.mark.parametrize("kind", ["none", "garbage", "revoked", "wrong seller", "a cookie"])
def test_a_refusal_changes_nothing(world: World, ids: dict[str, str], kind: str) -> None:
    """Every operation in turn, also those that write, as somebody who may not."""
    other = a_seller()
    secrets = {"none": "", "garbage": "cd_" + "x" * 43}
    program = Program(secrets[kind] if kind in secrets else token_for(other, other.owner))
    if kind == "revoked":
        tokens.revoke_token(token=ApiToken.objects.get(), actor=other.owner, now=datetime.now(UTC))
    if kind == "a cookie":
        program = Program("")
        program.client.force_login(world.seller.owner)
    before = stands()
    for name, entry in {**API, **MARKET}.items():
        if kind == "wrong seller" and (name == "listings_make" or entry[0] == "GET"):
            continue  # Its own, or nothing at all: test_the_wrong_seller_finds_nothing looks at the answers.
        answer = ask(program, entry, ids, name)
        assert problem_of(answer)[0] in (
            401,
            403,
            404,
            422 if name in ("orders_place", "quotes", "confirm") else 401,
        ), name
        assert not answer.cookies, name
    # A kept refusal is the one thing that a known token may leave behind.
    assert stands()[:-2] == before[:-2] and stands()[-1] == before[-1]


def test_no_form_of_another_site_gets_in(world: World, ids: dict[str, str]) -> None:
    """There is no CSRF token here, and none is needed: only the header opens anything."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.seller.owner)
    path = f"{ROOT}/connections/{ids['shop']}/pause"
    assert client.post(path).status_code == 401
    secret = token_for(world.seller, world.seller.owner)
    assert client.post(path, headers={"Authorization": f"Bearer {secret}"}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/orders/", 404),
        ("DELETE", "/orders", 405),
        ("POST", "/policy/rules", 405),
        ("GET", "/orders/a%00b", 422),
        ("GET", "/listings?q=%00", 422),
        ("GET", "/orders?cursor=%00", 422),
        ("GET", "/orders?cursor=%F0", 422),
        ("GET", "/orders/CD-1-NOPE", 404),
    ],
)
def test_addresses_that_are_none(owner: Program, method: str, path: str, status: int) -> None:
    assert problem_of(owner.send(method, path) if method != "GET" else owner.get(path))[0] == status


@pytest.mark.parametrize("cursor", ["x", "====", "YWZ0ZXI6eA", "YWZ0ZXI6LTE", "ä", "a" * 5000, "YWZ0ZXI6" + "OTk5" * 9])
@pytest.mark.parametrize("table", ["orders", "listings", "alerts"])
def test_a_cursor_of_another_hand(owner: Program, table: str, cursor: str) -> None:
    answer = owner.get(f"/{table}?cursor={cursor}")
    assert problem_of(answer) == (422, "invalid") and "cursor" in answer.json()["detail"]


@pytest.mark.parametrize("table", ["listings", "alerts"])
def test_other_tables_go_on_where_they_ended_too(
    world: World, owner: Program, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    from crossdock.web.api import listings, shops

    def one_more() -> str:
        made = make_listing(
            seller=world.seller, title="Own", description="", price=Money(1, "USD"), count=1, now=world.now
        )
        if table == "listings":
            return made.public_id
        code = AlertCode.STOCK_DIFFERS
        return raise_alert(code=code, seller=world.seller, listing=made, sentence="?", now=world.now).public_id

    monkeypatch.setattr(listings, "PAGE", 2)
    monkeypatch.setattr(shops, "PAGE", 2)
    made = [one_more() for _ in range(5)]
    seen: list[str] = []
    page = owner.get(f"/{table}").json()
    while page["next"] is not None:
        seen += [item["id"] for item in page["items"]]
        one_more()
        page = owner.get(f"/{table}?cursor={page['next']}").json()
    seen += [item["id"] for item in page["items"]]
    assert seen[:5] == made[::-1] and len(set(seen)) == len(seen)


@pytest.mark.parametrize(
    "body", ["[" * 100_000, '{"lines": NaN}', '{"lines": 1' + "0" * 5000 + "}", "[]", "null", '"x"', "", "\xff"]
)
def test_a_body_that_is_nothing(market: Program, body: str) -> None:
    answer = market.client.post(f"{ROOT}/quotes", body, content_type="application/json", headers=market.headers)
    assert problem_of(answer)[0] in (400, 422)


def test_numbers_larger_than_any_row(world: World, owner: Program) -> None:
    order = world.buy()
    path, asked = f"/orders/{order.public_id}/shipments", {"tracking_number": "1"}
    assert problem_of(owner.send("PATCH", f"{path}/{10**30}", asked)) == (404, "not-found")
    assert problem_of(owner.post(path, {"lines": [{"line": 10**30, "quantity": 1}]}, key="k")) == (422, "invalid")
    twice = [{"line": order.lines.get().pk, "quantity": 1}] * 2
    assert problem_of(owner.post(path, {"lines": twice}, key="l")) == (422, "invalid")
    assert Shipment.objects.count() == 0


def test_too_large_a_body_is_refused_unread(market: Program) -> None:
    answer = market.client.post(
        f"{ROOT}/orders", "x" * 6_000_000, content_type="application/json", headers=market.headers
    )
    assert problem_of(answer) == (413, "too-large")


def test_a_token_that_asks_too_fast_waits(world: World, owner: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    from crossdock.web.api import pace

    # The clock's minute turns between the first and the second request: the token's own minute goes on.
    now = [59.0]
    monkeypatch.setattr(pace, "pace", pace.Pace(2, clock=lambda: now[0]))
    other = Program(token_for(world.seller, world.seller.owner))
    assert owner.get("/policy/rules").status_code == 200
    now[0] = 89.5
    assert [owner.get("/policy/rules").status_code for _ in range(2)] == [200, 429]
    refused = owner.get("/policy/rules")
    assert problem_of(refused) == (429, "too-fast") and refused["Retry-After"] == "30"
    assert other.get("/policy/rules").status_code == 200
    now[0] = 118.9
    assert owner.get("/policy/rules").status_code == 429
    now[0] = 119
    assert [owner.get("/policy/rules").status_code for _ in range(3)] == [200, 200, 429]
    assert other.get("/policy/rules").status_code == 200, "the sweep of what is over forgets no minute that still runs"


def test_when_it_was_used_is_kept_at_most_once_a_minute(owner: Program) -> None:
    def used() -> datetime | None:
        return ApiToken.objects.get().last_used_at

    assert used() is None
    owner.get("/policy/rules")
    first = used()
    owner.get("/policy/rules")
    assert first is not None and used() == first
    ApiToken.objects.update(last_used_at=first - timedelta(seconds=61))
    owner.get("/policy/rules")
    assert used() not in (first, first - timedelta(seconds=61))


def test_a_marker_in_every_secret_is_in_no_answer(world: World, owner: Program, ids: dict[str, str]) -> None:
    marker = "mArKeR7c1"
    Connection.objects.update(secrets=seal({"key": marker}), hooks={"secret": marker}, settings={"token": marker})
    Party.objects.update(last_error=marker, lease_owner=marker)
    ApiToken.objects.update(name=marker, hint=marker[:8])
    User.objects.filter(pk=world.seller.owner_id).update(password=marker, email=f"{marker}@example.test")
    market = Program(token_for(None, user(is_staff=True)))
    for name, entry in {**API, **MARKET}.items():
        answer = ask(market if name in MARKET else owner, entry, ids, name)
        assert answer.status_code == entry[2], name
        assert marker not in answer.content.decode() + str(answer.headers), name


def test_the_rules_say_what_is_switched(owner: Program) -> None:
    staff = user(is_staff=True)
    before = {rule["id"]: rule for rule in owner.get("/policy/rules").json()}
    assert (before["S3"]["mode"], before["S4"]["can_be_lifted"]) == ("as-described", False)
    switch(rule="S3", lift=True, actor=staff, now=datetime.now(UTC))
    after = {rule["id"]: rule for rule in owner.get("/policy/rules").json()}
    assert after["S3"]["mode"] == "lifted" and after["S3"]["sentence"] != before["S3"]["sentence"]


def test_every_query_goes_through_the_one_filter() -> None:
    asked = [
        (file.name, line.strip())
        for file in Path(people.__file__).parent.glob("*.py")
        for line in file.read_text().splitlines()
        if ".objects" in line
    ]
    assert asked == [], "what is asked of a table is a room's question, which gets whose it is"


def test_the_description_holds_together() -> None:
    """Every schema is one, every reference leads somewhere, and what needs an Idempotency-Key says so."""
    described = Client().get(f"{ROOT}/openapi.json").json()
    schemas = described["components"]["schemas"]
    for name, schema in schemas.items():
        Draft202012Validator.check_schema(schema)
        assert name
    for reference in set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(described))):
        assert reference.removeprefix("#/components/schemas/") in schemas
    asked: dict[str, set[str]] = {}
    operation_ids = []
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            operation_ids.append(operation["operationId"])
            parameters = [(each["in"], each["name"]) for each in operation["parameters"]]
            assert {name for where, name in parameters if where == "path"} == set(re.findall(r"{(\w+)}", path))
            assert len(parameters) == len(set(parameters)) and operation["responses"], path
            if ("header", "Idempotency-Key") in parameters:
                asked.setdefault(method, set()).add(path.removeprefix(ROOT))
    assert len(operation_ids) == len(set(operation_ids))
    paths = "/listings", "/orders", "/orders/{id}/shipments", "/orders/{id}/reject", "/orders/{id}/create-in-shop"
    assert asked == {
        "post": {
            *paths,
            "/orders/{id}/reject-lines",
            "/orders/{id}/credit-requests",
            "/orders/{id}/cancel-request/decline",
            "/returns/{id}/accept",
            "/returns/{id}/decline",
            "/returns/{id}/receive",
            "/listings/{id}/offers",
            "/offers/{id}/answer",
        }
    }


def test_an_order_answer_is_as_described(world: World, owner: Program) -> None:
    schemas = Client().get(f"{ROOT}/openapi.json").json()["components"]["schemas"]
    said = owner.get(f"/orders/{world.buy().public_id}").json()
    validator = Draft202012Validator({"$ref": "#/components/schemas/OrderOut", "components": {"schemas": schemas}})
    assert list(validator.iter_errors(said)) == []
    assert list(validator.iter_errors({**said, "total": 1500})) != []


def test_an_erased_buyer_is_in_no_kept_answer(world: World, market: Program, owner: Program) -> None:
    """Nor in the intent; and a repeat still buys nothing more."""
    asked = order_for(world)
    said = market.post("/orders", asked, key="k").json()
    (claimed,) = world.claim()
    world.settle(claimed, Done("s1", stock_taken=True))
    assert owner.post(f"/orders/{said['id']}/shipments", key="s").status_code == 201
    assert SHIP_TO["line1"] in str([*IdempotentReply.objects.values(), *PaymentIntent.objects.values()])
    erase_buyer(connection_id=world.shop.pk, shop_order_ids=["s1"], now=world.later())
    assert SHIP_TO["line1"] not in str([*IdempotentReply.objects.values(), *PaymentIntent.objects.values()])
    again = market.post("/orders", asked, key="k")
    assert (again.status_code, again.json()["id"]) == (201, said["id"])
    assert SHIP_TO["line1"] not in again.content.decode()
    assert Order.objects.count() == PaymentIntent.objects.count() == 1


def test_kept_answers_go_in_the_end(world: World, owner: Program) -> None:
    owner.post("/listings", {"title": "T", "price": usd("1"), "count": 1}, key="l")
    now = datetime.now(UTC)
    prune(older_than=timedelta(days=30), now=now + timedelta(days=29))
    assert IdempotentReply.objects.count() == 1
    prune(older_than=timedelta(days=30), now=now + timedelta(days=31))
    assert IdempotentReply.objects.count() == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("keys", [["same"] * 4, ["a", "b", "c", "d"]])
def test_at_the_same_moment(keys: list[str]) -> None:
    """Four requests on four threads: with one key one order and one charge; with four keys and one unit also one
    order.
    """
    world = World(units=4 if keys[0] == keys[1] else 1, now=datetime.now(UTC))
    secret = token_for(None, user(is_staff=True))
    asked = order_for(world)
    start, answers = threading.Barrier(len(keys)), []

    def place(key: str) -> None:
        try:
            program = Program(secret)
            start.wait(patient(10))
            answers.append(program.post("/orders", asked, key=key))
        finally:
            connection.close()

    threads = [threading.Thread(target=place, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(patient(30))
    statuses = sorted(answer.status_code for answer in answers)
    assert len(statuses) == 4 and set(statuses) <= {201, 409} and 201 in statuses
    assert Order.objects.count() == PaymentIntent.objects.filter(state="captured").count() == 1
    assert Reservation.objects.filter(state="owed").count() == 1
    if keys[0] == keys[1]:
        again = Program(secret).post("/orders", asked, key="same")
        assert (again.status_code, again["Idempotent-Replayed"]) == (201, "true")
        assert {answer.json()["id"] for answer in answers if answer.status_code == 201} == {again.json()["id"]}
    else:
        assert statuses == [201, 409, 409, 409]


def test_nothing_of_another_type_is_turned_into_what_was_meant(owner: Program, ids: dict[str, str]) -> None:
    where = f"/listings/{ids['own']}/sale/preview"
    for odd in ("yes", "true", 1, None):
        answer = owner.post(where, {"on_sale": odd})
        assert answer.status_code == 422 and answer.json()["errors"][0]["at"] == "on_sale", odd


@pytest.mark.parametrize("when", ["0", "1764500000", "-1.5"])
def test_a_number_is_no_time(owner: Program, when: str) -> None:
    answer = owner.get(f"/statement?until={when}")
    assert (answer.status_code, answer.json()["errors"][0]["at"]) == (422, "until")
    assert owner.get("/statement?until=2026-11-30T12:00:00Z").status_code == 200
