"""The API as a program meets it: tokens and walls, orders placed once, problems in one shape, pages, and the same rules as the pages'."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from tests.market import World, user
from tests.market import seller as a_seller

from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import Done
from crossdock.domain.values import Money
from crossdock.kit.gateway import NotKnown
from crossdock.kit.payments import open_gateway
from crossdock.store.models import (
    ApiToken,
    Command,
    IdempotentReply,
    Listing,
    Order,
    PaymentIntent,
    Seller,
    Shipment,
    User,
)
from crossdock.usecases import access
from crossdock.usecases.alerts import raise_alert
from crossdock.usecases.listings import make_listing
from test_walls import names

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


def token_for(seller: Seller | None, actor: User) -> str:
    return access.make_token(name="test", seller=seller, actor=actor, now=datetime.now(UTC))[1]


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


def order_for(world: World, quantity: int = 1, *, total: int | None = None, token: str = "") -> dict[str, Any]:
    return {
        "buyer": {"email": "zoe@elsewhere.test", "name": "Zoë Müller"},
        "ship_to": SHIP_TO,
        "lines": [{"variant": world.variant.public_id, "quantity": quantity}],
        "expected_total_minor": 1000 * quantity + 500 if total is None else total,
        "payment": {"token": token or gateway().choices()[0].token},
    }


def gateway() -> Any:
    return open_gateway(settings.PAYMENT_GATEWAY, settings.CONFIG.data)


class TestTokens:
    def test_only_the_hash_is_kept(self, world: World) -> None:
        secret = token_for(world.seller, world.seller.owner)
        row = ApiToken.objects.get()
        assert row.hash == access.hash_of(secret) and secret.endswith(row.hint)
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
        access.revoke_token(token=ApiToken.objects.get(), actor=world.seller.owner, now=datetime.now(UTC))
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
        assert said["total"] == {"minor": 2500, "currency": "USD", "amount": "25.00"}
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
        answer = market.post("/orders", order_for(world, total=1400), key="k")
        assert problem_of(answer) == (409, "stale")
        assert "15.00 USD" in answer.json()["detail"]
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
        from crossdock.web.api import orders

        def silent(question: Any) -> NotKnown:
            question.close()
            return NotKnown("The bank did not answer in time.")

        monkeypatch.setattr(orders, "_ask", silent)
        answer = market.post("/orders", order_for(world), key="k")
        said = answer.json()
        assert (answer.status_code, said["state"], said["order"]) == (202, "unknown", None)
        assert world.available == 8
        followed = market.get(f"/checkouts/{said['checkout']}").json()
        assert followed == said
        from crossdock.usecases.checkout import place_order

        order = place_order(intent_id=said["checkout"], gateway_ref="r", checks={}, now=datetime.now(UTC))
        assert market.get(f"/checkouts/{said['checkout']}").json()["order"] == order.public_id

    def test_a_quote_holds_nothing(self, world: World, market: Program) -> None:
        lines = [{"variant": world.variant.public_id, "quantity": 2}]
        said = market.post("/quotes", {"lines": lines, "country": "US"}).json()
        assert (said["items"]["minor"], said["shipping"]["minor"], said["total"]["minor"], said["problems"]) == (
            2000,
            500,
            2500,
            [],
        )
        assert world.available == 9

    @pytest.mark.parametrize(
        "change",
        [
            {"lines": []}, {"lines": [{"variant": "x", "quantity": 1}]}, {"lines": [{"variant": "x", "quantity": -1}]},
            {"buyer": {"email": "no", "name": "Z"}}, {"ship_to": {**SHIP_TO, "country": "usa"}}, {"ship_to": {**SHIP_TO, "country": "XX"}},
            {"coupon": "X"}, {"payment": {}}, {"expected_total_minor": "many"},
        ],
    )  # fmt: skip
    def test_nonsense_is_a_sentence(self, world: World, market: Program, change: dict[str, Any]) -> None:
        assert problem_of(market.post("/orders", {**order_for(world), **change}, key="k")) == (422, "invalid")
        assert Order.objects.count() == PaymentIntent.objects.count() == 0

    def test_a_body_that_is_no_json_is_a_problem_too(self, market: Program) -> None:
        answer = market.client.post(f"{ROOT}/orders", "{", content_type="application/json", headers=market.headers)
        assert answer.status_code in (400, 422) and answer["Content-Type"] == "application/problem+json"


class TestOrders:
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
        assert next(entry["kind"] for entry in said["timeline"]) == "placed"
        assert said["risk"]["level"] in ("low", "not_assessed")

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

    def test_reject_needs_the_amount_and_credits_once(self, world: World, owner: Program) -> None:
        order = world.buy()
        path = f"/orders/{order.public_id}/reject"
        assert problem_of(owner.post(path, {"reason": "lost", "expected_total_minor": 1})) == (409, "stale")
        said = owner.post(path, {"reason": "lost", "expected_total_minor": 1500}).json()
        assert (said["money"], said["parcels"], said["credited"]["minor"]) == ("credited", "cancelled", 1500)
        assert problem_of(owner.post(path, {"reason": "lost", "expected_total_minor": 1500})) == (409, "not-allowed")
        assert Command.objects.filter(kind="refund_payment").count() == 1

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
            "/listings", {"title": "Tide Owl", "price_minor": 250, "count": 3, "sku": "OWL"}, key="l"
        ).json()
        path = f"/listings/{made['id']}"
        assert (made["variants"][0]["available"], made["why_not_live"], made["synced"]) == (3, [], False)
        changed = owner.send("PATCH", path, {"price_minor": 300}).json()
        assert (changed["variants"][0]["price"]["amount"], changed["title"], changed["variants"][0]["available"]) == (
            "3.00",
            "Tide Owl",
            3,
        )
        assert owner.post(f"{path}/archive").json()["state"] == "archived"
        assert owner.post(f"{path}/relist").json()["state"] == "live"

    def test_the_same_key_lists_once(self, owner: Program, world: World) -> None:
        asked = {"title": "Tide Owl", "price_minor": 250, "count": 3}
        ids = {owner.post("/listings", asked, key="l").json()["id"] for _ in range(2)}
        assert len(ids) == Listing.objects.filter(title="Tide Owl").count() == 1

    def test_a_synced_listing_is_changed_in_the_shop(self, world: World, owner: Program) -> None:
        path = f"/listings/{world.variant.listing.public_id}"
        assert problem_of(owner.send("PATCH", path, {"price_minor": 1})) == (409, "not-allowed")
        world.variant.refresh_from_db()
        assert world.variant.price_minor == 1000

    def test_s1_a_synced_listing_takes_no_offers(self, world: World, market: Program) -> None:
        answer = market.post(
            f"/listings/{world.variant.listing.public_id}/offers", {"amount_minor": 1, "email": "a@b.test"}
        )
        assert problem_of(answer) == (409, "offers-closed")
        assert answer.json()["rule"] == "S1" and "asking price" in answer.json()["detail"]

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

    def test_pause_and_resume(self, world: World, owner: Program) -> None:
        path = f"/connections/{world.shop.public_id}"
        assert owner.post(f"{path}/pause").json()["state"] == "paused"
        assert owner.post(f"{path}/pause").json()["state"] == "paused"
        assert owner.post(f"{path}/resume").json()["state"] == "active"

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
    "listings": ("GET", "/listings", 200, None),
    "listings_make": ("POST", "/listings", 201, {"title": "T", "price_minor": 1, "count": 1}),
    "listing": ("GET", "/listings/{listing}", 200, None),
    "listing_edit": ("PATCH", "/listings/{own}", 200, {"title": "U"}),
    "listing_archive": ("POST", "/listings/{own}/archive", 200, None),
    "listing_relist": ("POST", "/listings/{own}/relist", 200, None),
    "listing_offers": ("POST", "/listings/{listing}/offers", 409, {"amount_minor": 1, "email": "a@b.test"}),
    "orders": ("GET", "/orders", 200, None),
    "order": ("GET", "/orders/{order}", 200, None),
    "order_ship": ("POST", "/orders/{order}/shipments", 201, {}),
    "order_reject": ("POST", "/orders/{other}/reject", 200, {"reason": "lost", "expected_total_minor": 1500}),
    "connections": ("GET", "/connections", 200, None),
    "connection": ("GET", "/connections/{shop}", 200, None),
    "connection_pause": ("POST", "/connections/{shop}/pause", 200, None),
    "connection_resume": ("POST", "/connections/{shop}/resume", 200, None),
    "alerts": ("GET", "/alerts", 200, None),
    "alert_settle": ("POST", "/alerts/{alert}/settle", 200, {"how": "Done."}),
}
MARKET: dict[str, tuple[str, str, int, Any]] = {
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


@pytest.fixture
def ids(world: World) -> dict[str, str]:
    order, other = world.buy(), world.buy()
    alert = raise_alert(code=AlertCode.HIGH_RISK, seller=world.seller, sentence="Look.", order=order, now=world.now)
    own = make_listing(seller=world.seller, title="Own", description="", price=Money(1, "USD"), count=1, now=world.now)
    return {
        "listing": world.variant.listing.public_id, "own": own.public_id, "order": order.public_id, "other": other.public_id,
        "shop": world.shop.public_id, "alert": alert.public_id, "checkout": PaymentIntent.objects.first().public_id,  # type: ignore[union-attr]
    }  # fmt: skip


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
            assert not any(secret in answer.content.decode() for secret in ids.values()), name
    assert Shipment.objects.count() == 0
    assert Listing.objects.get(public_id=ids["own"]).state == "live"


def test_a_seller_places_no_orders(owner: Program, world: World, ids: dict[str, str]) -> None:
    asked = {"lines": [{"variant": world.variant.public_id, "quantity": 1}], "country": "US"}
    assert problem_of(owner.post("/quotes", asked)) == (403, "not-yours")
    assert problem_of(owner.post("/orders", order_for(world), key="k")) == (403, "not-yours")
    assert problem_of(owner.get(f"/checkouts/{ids['checkout']}")) == (403, "not-yours")
    assert Order.objects.count() == 2


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
