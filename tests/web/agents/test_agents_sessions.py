"""Checkout sessions as an agent meets them: every answer by the protocol's own schema, prices that add up, items of
several sellers, one payment however often it is asked for.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent import Agent, secret_for, wrong
from crossdock.domain.commands import CancelReason
from crossdock.domain.retention import SESSION_LIVES
from crossdock.domain.values import Money
from crossdock.payments.sandbox.gateway import SandboxGateway
from crossdock.store.models import (
    AgentSession,
    Command,
    Connection,
    IdempotentReply,
    Listing,
    Order,
    PaymentIntent,
    Reservation,
    ShippingRate,
    Variant,
    VariantStock,
)
from crossdock.usecases.checkout import checkout as usecase
from crossdock.usecases.checkout.agents import sessions as agent_sessions
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.usecases.orders.reject import reject_order
from crossdock.usecases.privacy.steps import STEPS
from crossdock.usecases.privacy.whose import Whose
from crossdock.usecases.shops.privacy import forget_replies
from crossdock.usecases.support import retention
from crossdock.web import payments
from crossdock.web.agents import once as kept
from crossdock.web.agents import paying
from crossdock.web.agents.body import MOST_BYTES
from crossdock.web.agents.once import fingerprint
from market import World, user

pytestmark = pytest.mark.django_db
ADDRESS = {
    "name": "Zoë Müller",
    "line_one": "1 Elm St",
    "city": "Springfield",
    "state": "IL",
    "country": "US",
    "postal_code": "12345",
}
WHO = {"buyer": {"email": "Zoe@elsewhere.test", "first_name": "Zoë"}, "fulfillment_details": {"address": ADDRESS}}
PAY = {
    "payment_data": {
        "handler_id": "sandbox",
        "instrument": {"type": "test_card", "credential": {"type": "test", "token": "works"}},
    }
}


@pytest.fixture(autouse=True)
def on(settings: Any) -> None:
    settings.AGENTS = True


@pytest.fixture
def worlds() -> list[World]:
    made = [World(units=9, now=datetime.now(UTC)) for _ in range(2)]
    ShippingRate.objects.filter(seller=made[1].seller).update(price_minor=250)
    return made


@pytest.fixture
def agent() -> Agent:
    return Agent()


def wish(worlds: list[World], **more: Any) -> dict[str, Any]:
    items = [{"id": world.variant.public_id} for world in worlds]
    return {"line_items": items, "currency": "usd", "capabilities": {}, **more}


def good(answer: Any, status: int = 200, kind: str = "CheckoutSession") -> dict[str, Any]:
    """As the protocol has it, with totals that add up."""
    assert answer.status_code == status, answer.content
    said: dict[str, Any] = answer.json()
    assert wrong("agentic_checkout", kind, said) == []
    amounts = {one["type"]: one["amount"] for one in said["totals"]}
    assert amounts["total"] == amounts["subtotal"] + amounts.get("fulfillment", 0)
    return said


def refused(answer: Any) -> tuple[int, str, str]:
    said = answer.json()
    assert wrong("agentic_checkout", "Error", said) == [], said
    return answer.status_code, said["code"], said.get("param", "")


def codes(said: dict[str, Any]) -> list[str]:
    return [one["code"] for one in said["messages"] if one["type"] == "error"]


def made(agent: Agent, worlds: list[World], **more: Any) -> dict[str, Any]:
    return good(agent.post("/checkout_sessions", wish(worlds, **{**WHO, **more})), 201)


def card(token: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(json.dumps(PAY))
    body["payment_data"]["instrument"]["credential"]["token"] = token
    return body


def long_ago() -> None:
    """Whoever began to pay had its answer by now."""
    before = datetime.now(UTC) - usecase.PAGE_WAITS
    AgentSession.objects.update(updated_at=before)
    PaymentIntent.objects.update(created_at=before)


def at(said: dict[str, Any], more: str = "") -> str:
    return f"/checkout_sessions/{said['id']}{more}"


def test_a_session_says_what_it_costs_who_sells_and_what_is_missing(worlds: list[World], agent: Agent) -> None:
    said = good(agent.post("/checkout_sessions", wish(worlds)), 201)
    assert (said["status"], said["currency"]) == ("not_ready_for_payment", "usd")
    assert codes(said) == ["missing", "missing"] and said["fulfillment_options"] == []
    said = good(agent.post(at(said), WHO))
    assert said["status"] == "ready_for_payment" and said["messages"] == []
    assert [one["marketplace_seller_details"]["name"] for one in said["line_items"]] == [
        world.seller.name for world in worlds
    ]
    assert [one["totals"][-1]["amount"] for one in said["fulfillment_options"]] == [500, 250]
    assert [one["item_ids"] for one in said["selected_fulfillment_options"]] == [
        [world.variant.public_id] for world in worlds
    ]
    assert said["totals"][-1] == {"type": "total", "display_text": "Total", "amount": 2750}
    (handler,) = said["capabilities"]["payment"]["handlers"]
    assert handler["id"] == "sandbox" and "works" in handler["config"]["tokens"]
    assert not Reservation.objects.exists() and good(agent.get(at(said)))["status"] == "ready_for_payment"


@pytest.mark.parametrize(
    "items",
    [
        {"line_items": [{"id": "A"}, {"id": "A"}, {"id": "A", "name": "x", "unit_amount": 1000}]},
        {"line_items": [{"id": "A", "quantity": 3}]},
        {"items": [{"id": "A", "quantity": 2}, {"id": "A", "quantity": 1}]},
    ],
)
def test_repeated_ids_and_quantities_count_the_same(worlds: list[World], agent: Agent, items: dict[str, Any]) -> None:
    body = json.loads(json.dumps(items).replace('"A"', f'"{worlds[0].variant.public_id}"'))
    said = good(agent.post("/checkout_sessions", {"currency": "USD", "capabilities": {}, **body}), 201)
    assert [(one["quantity"], one["totals"][-1]["amount"]) for one in said["line_items"]] == [(3, 3000)]


def test_what_cannot_be_bought_says_why_and_never_more_than_is_known(worlds: list[World], agent: Agent) -> None:
    said = made(agent, worlds)
    stock = VariantStock.objects.filter(variant=worlds[0].variant)
    for change, code in (({"count": 0}, "out_of_stock"), ({"count": None}, "conflict")):
        stock.update(**change)
        now = good(agent.get(at(said)))
        assert (now["status"], codes(now)) == ("not_ready_for_payment", [code])
        assert now["messages"][0]["param"] == "$.line_items[0]"
    assert "availability_status" not in now["line_items"][0] and "not confirmed" in now["messages"][0]["content"]
    stock.update(count=2)
    assert codes(good(agent.post(at(said), {"items": [{"id": worlds[0].variant.public_id, "quantity": 5}]}))) == [
        "quantity_exceeded"
    ]
    Listing.objects.filter(pk=worlds[0].variant.listing_id).update(state="archived")
    assert codes(good(agent.get(at(said)))) == ["not_found"]
    Listing.objects.update(state="live")
    ShippingRate.objects.filter(seller=worlds[1].seller).update(country="DE")
    away = good(agent.post(at(said), {"line_items": wish(worlds)["line_items"]}))
    assert codes(away) == ["region_restricted"] and away["messages"][0]["content"].startswith(worlds[1].seller.name)


def test_bad_addresses_are_said_in_the_session(worlds: list[World], agent: Agent) -> None:
    for change, param in (({"country": "XX"}, "country"), ({"state": "Illinois"}, "state")):
        said = made(agent, worlds, fulfillment_details={"address": {**ADDRESS, **change}})
        assert said["status"] == "not_ready_for_payment"
        assert said["messages"][0]["param"] == f"$.fulfillment_details.address.{param}"
    said = made(agent, worlds, fulfillment_details={"address": {**ADDRESS, "country": "us", "state": "il"}})
    assert said["status"] == "ready_for_payment"


def test_what_is_asked_wrongly_is_refused_and_makes_nothing(worlds: list[World], agent: Agent) -> None:
    here, whole = worlds[0].variant.public_id, wish(worlds)
    Listing.objects.filter(pk=worlds[1].variant.listing_id).update(currency="EUR")
    cases: list[tuple[Any, str, str]] = [
        ("{", "invalid_json", ""),
        ("[]", "invalid_json", "$"),
        ('{"a": NaN}', "invalid_json", ""),
        ("[" * 100_000, "invalid_json", ""),
        (b"\xff", "invalid_json", ""),
        ('{"currency": "\\ud800"}', "invalid_json", ""),
        ('{"currency": "\\u0000"}', "invalid", "$"),
        ({}, "missing", "$.currency"),
        ({**whole, "surprise": 1}, "unknown_field", "$.surprise"),
        ({**whole, "buyer": None}, "invalid", "$.buyer"),
        ({**whole, "buyer": {}}, "missing", "$.buyer.email"),
        ({**whole, "buyer": {"email": "zoe"}}, "invalid", "$.buyer.email"),
        ({**whole, "currency": "EURO"}, "invalid", "$.currency"),
        ({**whole, "currency": "ZZZ"}, "invalid", "$.currency"),
        ({**whole, "line_items": []}, "invalid", "$"),
        ({**whole, "items": [{"id": here}]}, "invalid", "$"),
        ({**whole, "line_items": [{"id": here, "quantity": "2"}]}, "invalid", "$.line_items[0].quantity"),
        ({**whole, "line_items": [{"id": here, "quantity": 0}]}, "invalid", "$.line_items[0].quantity"),
        ({**whole, "line_items": [{"id": here}] * 1000}, "maximum_exceeded", "$.line_items"),
        ({**whole, "line_items": [{"id": here}] * 1001}, "invalid", "$.line_items"),
        ({**whole, "line_items": [{"id": f"x{n}"} for n in range(101)]}, "maximum_exceeded", "$.line_items"),
        ({**whole, "line_items": [{"id": here}, {"id": "nothing"}]}, "not_found", "$.line_items[1].id"),
        (whole, "unsupported", "$.line_items[1].id"),
    ]
    for body, code, param in cases:
        assert refused(agent.post("/checkout_sessions", body)) == (400, code, param), body
    assert refused(agent.post("/checkout_sessions", " " * (MOST_BYTES + 1)))[0] == 413
    for depth in range(300, 1000, 100):
        deep = json.dumps(wish(worlds[:1])).replace("{}", f'{{"deep": {"[" * depth}{"]" * depth}}}')
        answer = agent.post("/checkout_sessions", deep)
        assert answer.status_code in (201, 400), (depth, answer.content)
    AgentSession.objects.all().delete()
    for where in ("buyer", "fulfillment_details"):
        long = {where: {"email": f"{'z' * 243}@example.test"}}
        assert refused(agent.post("/checkout_sessions", {**whole, **long})) == (400, "invalid", f"$.{where}.email")
    assert not AgentSession.objects.exists()


def test_a_price_that_the_agent_thought_was_another_is_said(worlds: list[World], agent: Agent) -> None:
    items = [{"id": worlds[0].variant.public_id, "unit_amount": 999}]
    said = good(agent.post("/checkout_sessions", {**wish(worlds), "line_items": items, "order_notes": "Ring"}), 201)
    warnings = [one for one in said["messages"] if one["type"] == "warning"]
    assert [(one["code"], one["content"]) for one in warnings] == [("price_change", "“Ember Fox” costs $10.00.")]
    assert [one["content"] for one in said["messages"] if one["type"] == "info"] == [
        "Notes are not passed on to sellers."
    ]


def test_only_what_is_offered_can_be_chosen(worlds: list[World], agent: Agent) -> None:
    said = made(agent, worlds)
    assert good(agent.post(at(said), {"selected_fulfillment_options": said["selected_fulfillment_options"]}))
    chosen = said["selected_fulfillment_options"][0]
    for change, where in (
        ({"option_id": "express"}, "option_id"),
        ({"item_ids": [worlds[1].variant.public_id]}, "item_ids"),
        ({"type": "pickup"}, "option_id"),
    ):
        answer = agent.post(at(said), {"selected_fulfillment_options": [{**chosen, **change}]})
        assert refused(answer) == (400, "invalid", f"$.selected_fulfillment_options[0].{where}")


def test_headers_that_the_protocol_asks_for(worlds: list[World], agent: Agent) -> None:
    del agent.headers["API-Version"]
    answer = agent.post("/checkout_sessions", wish(worlds))
    assert refused(answer)[:2] == (400, "missing_api_version")
    assert answer.json()["supported_versions"] == ["2026-04-17"]
    agent.headers["API-Version"] = "2026-01-16"
    assert refused(agent.get("/checkout_sessions/x"))[:2] == (400, "unsupported_api_version")
    agent.headers["API-Version"] = "2026-04-17"
    path = "/agents/acp/checkout_sessions"
    bare = agent.client.post(path, "{}", content_type="application/json", headers=agent.headers)
    assert refused(bare)[:2] == (400, "idempotency_key_required")
    assert refused(agent.post("/checkout_sessions", wish(worlds), key="k" * 256))[:2] == (400, "invalid")
    answer = agent.post("/checkout_sessions", wish(worlds), key="k" * 255, **{"Request-Id": "r1"})
    assert (answer.status_code, answer["Idempotency-Key"], answer["Request-Id"]) == (201, "k" * 255, "r1")


class TestOnce:
    def test_bodies_are_compared_as_json(self) -> None:
        one = {"a": 1, "b": [1, 2], "c": {"d": None}}
        assert fingerprint(one) == fingerprint({"c": {"d": None}, "b": [1.0, 2], "a": 1.0})
        for other in ({**one, "c": {}}, {**one, "b": [2, 1]}, {**one, "a": "1"}, {**one, "a": 1.5}):
            assert fingerprint(one) != fingerprint(other)

    def test_a_repeat_gets_the_first_answer_and_another_body_none(self, worlds: list[World], agent: Agent) -> None:
        body = wish(worlds)
        first = agent.post("/checkout_sessions", body, key="k")
        Variant.objects.update(price_minor=2000)
        again = agent.post("/checkout_sessions", json.dumps(body, indent=3, sort_keys=True), key="k")
        assert (again.status_code, again.json()) == (201, first.json())
        assert again["Idempotent-Replayed"] == "true" and "Idempotent-Replayed" not in first
        other = agent.post("/checkout_sessions", {**body, "locale": "de"}, key="k")
        assert refused(other)[:2] == (422, "idempotency_conflict")
        # Scoped to the address and to the agent.
        assert good(agent.post(at(first.json()), WHO, key="k"))
        assert good(Agent(secret_for()).post("/checkout_sessions", {**body, "locale": "de"}, key="k"), 201)
        assert AgentSession.objects.count() == 2

    def test_one_in_flight_is_waited_for(self, worlds: list[World], agent: Agent) -> None:
        agent.post("/checkout_sessions", wish(worlds), key="k")
        IdempotentReply.objects.update(status=None, created_at=datetime.now(UTC))
        busy = agent.post("/checkout_sessions", wish(worlds), key="k")
        assert refused(busy)[:2] == (409, "idempotency_in_flight") and busy["Retry-After"]

    def test_what_broke_is_not_kept(self, worlds: list[World], agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
        def breaks(**_: Any) -> None:
            raise ZeroDivisionError

        with monkeypatch.context() as broken:
            broken.setattr(agent_sessions.AgentSession.objects, "create", breaks)
            answer = agent.post("/checkout_sessions", wish(worlds), key="k")
            assert refused(answer)[:2] == (500, "internal_error")
        assert not IdempotentReply.objects.exists()
        assert good(agent.post("/checkout_sessions", wish(worlds), key="k"), 201)

    def test_a_refusal_is_an_answer_too(self, worlds: list[World], agent: Agent) -> None:
        body = {**wish(worlds), "currency": "EUR"}
        assert refused(agent.post("/checkout_sessions", body, key="k"))[0] == 400
        again = agent.post("/checkout_sessions", body, key="k")
        assert refused(again)[0] == 400 and again["Idempotent-Replayed"] == "true"


class TestPaying:
    def test_two_sellers_one_payment_and_one_of_them_refuses(self, worlds: list[World], agent: Agent) -> None:
        said = made(agent, worlds)
        done = good(agent.post(at(said, "/complete"), PAY), kind="CheckoutSessionWithOrder")
        assert done["status"] == "completed" and done["totals"] == said["totals"]
        (intent,) = PaymentIntent.objects.all()
        first, second = Order.objects.order_by("pk")
        assert {first.intent, second.intent} == {intent} and intent.amount_minor == 2750
        assert first.buyer.email.lower() == "zoe@elsewhere.test" and first.ship_to["line1"] == "1 Elm St"
        order = done["order"]
        assert order["status"] == "confirmed" and order["adjustments"] == []
        assert order["permalink_url"].endswith(f"/checkout/paid/{intent.public_id}/")
        reject_order(
            order=first,
            reason=CancelReason.NOT_AVAILABLE,
            actor=worlds[0].seller.owner,
            expected_total=Money(1500, "USD"),
            now=worlds[0].later(),
        )
        ship_by_hand(
            order=second, lines=None, tracking="1Z1", carrier="UPS", actor=worlds[1].seller.owner, now=worlds[1].later()
        )
        order = good(agent.get(at(said)))["order"]
        (adjustment,) = order["adjustments"]
        gone, kept = (world.variant.public_id for world in worlds)
        assert adjustment["description"].startswith(f"{worlds[0].seller.name}: ")
        assert {key: adjustment[key] for key in ("type", "status", "amount", "currency", "line_items")} == {
            "type": "cancellation",
            "status": "pending",
            "amount": 1500,
            "currency": "usd",
            "line_items": [{"id": gone, "quantity": 1}],
        }
        assert [(line["id"], line["quantity"]["current"], line["status"]) for line in order["line_items"]] == [
            (gone, 0, "removed"),
            (kept, 1, "fulfilled"),
        ]
        assert order["status"] == "shipped" and order["fulfillments"][0]["tracking_number"] == "1Z1"
        assert {one["type"]: one["amount"] for one in order["totals"]}["amount_refunded"] == 1500

    def test_paid_once_whoever_asks_again(self, worlds: list[World], agent: Agent) -> None:
        said = made(agent, worlds)
        done = agent.post(at(said, "/complete"), PAY, key="k")
        assert agent.post(at(said, "/complete"), PAY, key="k").json() == done.json()
        other = good(agent.post(at(said, "/complete"), card("declined"), key="other"))
        assert other["status"] == "completed" and PaymentIntent.objects.count() == 1 and Order.objects.count() == 2
        assert refused(agent.post(at(said), WHO))[:2] == (409, "conflict")
        assert refused(agent.post(at(said, "/cancel")))[:2] == (405, "conflict")

    def test_a_crash_between_the_bank_and_the_order_goes_on_from_there(
        self, worlds: list[World], agent: Agent, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        said = made(agent, worlds)

        def breaks(**_: Any) -> None:
            raise ZeroDivisionError

        with monkeypatch.context() as broken:
            broken.setattr(payments, "place_order", breaks)
            assert refused(agent.post(at(said, "/complete"), PAY, key="k"))[0] == 500
        assert good(agent.get(at(said)))["status"] == "complete_in_progress"
        assert refused(agent.post(at(said), WHO))[:2] == (409, "conflict")
        assert refused(agent.post(at(said, "/cancel")))[:2] == (409, "conflict")
        # Who comes at once cannot know that it died; the refusal is not kept.
        assert refused(agent.post(at(said, "/complete"), PAY, key="k"))[:2] == (409, "complete_in_progress")
        long_ago()
        # Another card does not charge again: the bank knows this payment.
        assert good(agent.post(at(said, "/complete"), card("declined"), key="k2"))["status"] == "completed"
        assert PaymentIntent.objects.count() == 1 and Order.objects.count() == 2

    def test_two_at_once_meet_in_one_payment(
        self, worlds: list[World], agent: Agent, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The second begins between the first one's look and its payment."""
        said, begin = made(agent, worlds), agent_sessions.begin_payment

        def twice(**given: Any) -> PaymentIntent:
            first = begin(**given)
            with pytest.raises(agent_sessions.OnItsWay):
                begin(**given)
            return first

        monkeypatch.setattr(paying, "begin_payment", twice)
        assert good(agent.post(at(said, "/complete"), PAY))["status"] == "completed"
        assert PaymentIntent.objects.count() == 1 and AgentSession.objects.get().tries == 1

    def test_nobody_else_asks_shop_or_bank_while_one_waits_for_the_bank(
        self, worlds: list[World], agent: Agent, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The shop is silent to the second, whose refusal would let go what the first one is paying for, and the third
        would pay again.
        """
        said, ask, met = made(agent, worlds), payments.answer_of, list[Any]()
        Connection.objects.filter(pk=worlds[0].shop.pk).update(no_answer="refuse")

        def meanwhile(question: Any) -> Any:
            monkeypatch.setattr(paying, "answer_of", ask)
            VariantStock.objects.update(count=2)
            met.extend(agent.post(at(said, "/complete"), PAY, key=key) for key in ("k2", "k3", "k2"))
            return ask(question)

        monkeypatch.setattr(paying, "answer_of", meanwhile)
        assert good(agent.post(at(said, "/complete"), PAY, key="k1"))["status"] == "completed"
        assert [refused(answer)[:2] for answer in met] == [(409, "complete_in_progress")] * 3
        assert all(int(answer["Retry-After"]) > 0 for answer in met)
        assert PaymentIntent.objects.get().state == "captured" and Order.objects.count() == 2
        assert good(agent.post(at(said, "/complete"), PAY, key="k2"))["status"] == "completed"

    def test_a_payment_that_nobody_has_any_more_is_taken_over_by_one(self, worlds: list[World], agent: Agent) -> None:
        said = made(agent, worlds)
        looked = paying.look(AgentSession.objects.get())
        intent = paying.begin(looked, "sandbox")
        long_ago()
        now = datetime.now(UTC)
        assert agent_sessions.take_over(session=looked.session, now=now) == intent
        assert refused(agent.post(at(said, "/complete"), PAY))[:2] == (409, "complete_in_progress")
        long_ago()
        assert good(agent.post(at(said, "/complete"), PAY))["status"] == "completed"

    def test_a_declined_card_charges_nothing_and_another_one_pays(self, worlds: list[World], agent: Agent) -> None:
        said = made(agent, worlds)
        no = good(agent.post(at(said, "/complete"), card("declined")))
        assert (no["status"], codes(no)) == ("ready_for_payment", ["payment_declined"]) and "order" not in no
        assert worlds[0].available == 9 and not Order.objects.exists()
        assert codes(good(agent.get(at(said)))) == ["payment_declined"]
        assert good(agent.post(at(said, "/complete"), PAY))["status"] == "completed"
        assert [one.state for one in PaymentIntent.objects.order_by("pk")] == ["declined", "captured"]

    def test_a_lost_answer_is_no_refusal(self, worlds: list[World], agent: Agent) -> None:
        said = made(agent, worlds)
        lost = good(agent.post(at(said, "/complete"), card("late"), key="k"))
        assert lost["status"] == "complete_in_progress" and "order" not in lost
        assert [one["type"] for one in lost["messages"]] == ["info"]
        intent = PaymentIntent.objects.get()
        usecase.place_order(intent_id=intent.public_id, gateway_ref="r", checks={}, now=worlds[0].later())
        assert good(agent.get(at(said)))["status"] == "completed"
        assert PaymentIntent.objects.count() == 1

    def test_no_other_price_is_charged_than_the_one_that_was_told(self, worlds: list[World], agent: Agent) -> None:
        said = made(agent, worlds)
        Variant.objects.filter(pk=worlds[0].variant.pk).update(price_minor=1100)
        told = good(agent.post(at(said, "/complete"), PAY))
        assert told["status"] == "ready_for_payment" and told["totals"][-1]["amount"] == 2850
        assert [one["code"] for one in told["messages"]] == ["price_change"] and not PaymentIntent.objects.exists()
        assert good(agent.post(at(said, "/complete"), PAY))["status"] == "completed"
        assert PaymentIntent.objects.get().amount_minor == 2850

    def test_a_price_whose_answer_was_lost_was_not_told(
        self, worlds: list[World], agent: Agent, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        said = made(agent, worlds)
        Variant.objects.filter(pk=worlds[0].variant.pk).update(price_minor=1100)

        def dies(**_: Any) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as broken:
            broken.setattr(kept, "finish_once", dies)
            with pytest.raises(KeyboardInterrupt):
                agent.post(at(said, "/complete"), PAY, key="k")
        told = good(agent.post(at(said, "/complete"), PAY, key="k"))
        assert [one["code"] for one in told["messages"]] == ["price_change"] and not PaymentIntent.objects.exists()

    def test_no_parcel_goes_to_an_address_that_was_replaced_meanwhile(
        self, worlds: list[World], agent: Agent, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        said, begin = made(agent, worlds), agent_sessions.begin_payment
        other = {"fulfillment_details": {"address": {**ADDRESS, "line_one": "2 Oak St"}}}

        def later(**given: Any) -> PaymentIntent:
            good(agent.post(at(said), other))
            return begin(**given)

        with monkeypatch.context() as slow:
            slow.setattr(paying, "begin_payment", later)
            no = good(agent.post(at(said, "/complete"), PAY))
        assert (no["status"], codes(no)) == ("ready_for_payment", ["conflict"])
        assert no["fulfillment_details"]["address"]["line_one"] == "2 Oak St" and not PaymentIntent.objects.exists()
        assert good(agent.post(at(said, "/complete"), PAY))["status"] == "completed"
        assert {order.ship_to["line1"] for order in Order.objects.all()} == {"2 Oak St"}

    def test_nothing_is_charged_in_another_currency_than_the_session_says(
        self, worlds: list[World], agent: Agent
    ) -> None:
        said, left = made(agent, worlds), made(agent, worlds)
        Listing.objects.update(currency="JPY")
        ShippingRate.objects.update(currency="JPY")
        for _ in range(2):
            answer = agent.post(at(said, "/complete"), PAY)
            assert refused(answer)[:2] == (409, "conflict")
            assert "JPY" in answer.json()["message"] and "USD" in answer.json()["message"]
        assert refused(agent.get(at(said)))[:2] == (409, "conflict")
        assert not PaymentIntent.objects.exists() and not Reservation.objects.exists()
        over = good(agent.post(at(left, "/cancel")))
        assert (over["status"], over["currency"]) == ("canceled", "jpy")
        Listing.objects.update(currency="USD")
        ShippingRate.objects.update(currency="USD")
        assert good(agent.post(at(said, "/complete"), PAY))["status"] == "completed"

    def test_what_is_sold_meanwhile_is_not_charged(self, worlds: list[World], agent: Agent) -> None:
        said = made(agent, worlds)
        VariantStock.objects.filter(variant=worlds[1].variant).update(count=0)
        no = good(agent.post(at(said, "/complete"), PAY))
        assert (no["status"], codes(no)) == ("not_ready_for_payment", ["out_of_stock"])
        assert not PaymentIntent.objects.exists()

    def test_a_part_that_is_gone_when_the_money_comes_goes_back_by_itself(
        self, worlds: list[World], agent: Agent, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        said = made(agent, worlds)

        def late(**given: Any) -> Order:
            Reservation.objects.filter(variant=worlds[0].variant).update(state="ended", expires_at=None)
            VariantStock.objects.filter(variant=worlds[0].variant).update(count=0)
            return usecase.place_order(**given)

        monkeypatch.setattr(payments, "place_order", late)
        order = good(agent.post(at(said, "/complete"), PAY))["order"]
        (back,) = order["adjustments"]
        assert (back["amount"], back["status"]) == (1500, "pending") and "sold" in back["description"]
        assert [line["quantity"]["current"] for line in order["line_items"]] == [0, 1]
        (refund,) = Command.objects.filter(kind="refund_payment")
        Command.objects.filter(pk=refund.pk).update(state="done", result="done")
        assert good(agent.get(at(said)))["order"]["adjustments"][0]["status"] == "completed"

    def test_only_the_offered_handler_is_taken(
        self, worlds: list[World], agent: Agent, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        said = made(agent, worlds)
        bad = card("spt_123")
        assert refused(agent.post(at(said, "/complete"), bad)) == (
            400,
            "invalid",
            "$.payment_data.instrument.credential.token",
        )
        bad = card("works")
        bad["payment_data"]["handler_id"] = "other"
        assert refused(agent.post(at(said, "/complete"), bad))[2] == "$.payment_data.handler_id"
        assert refused(agent.post(at(said, "/complete"), {"payment_data": {"purchase_order_number": "1"}}))[0] == 400
        monkeypatch.setattr(SandboxGateway, "missing", lambda self: "Keys are missing.")
        none = good(agent.get(at(said)))
        assert none["capabilities"]["payment"]["handlers"] == [] and codes(none) == ["unsupported"]
        assert refused(agent.post(at(said, "/complete"), PAY))[:2] == (400, "unsupported")

    def test_the_handlers_schemas_are_where_it_says(self, worlds: list[World], agent: Agent) -> None:
        (handler,) = made(agent, worlds)["capabilities"]["payment"]["handlers"]
        assert handler["spec"].endswith("/agents/acp/payment_handler.json")
        assert "works" in json.dumps(agent.get("/payment_handler.json").json()["$defs"]["instrument"])


def test_another_agents_session_is_not_found(worlds: list[World], agent: Agent) -> None:
    said = made(agent, worlds)
    other = Agent(secret_for())
    assert refused(other.get(at(said)))[:2] == (404, "not_found")
    for path, body in (("", WHO), ("/complete", PAY), ("/cancel", {})):
        assert refused(other.post(at(said, path), body))[:2] == (404, "not_found")
    assert AgentSession.objects.get().canceled_at is None


def test_canceled_and_expired_sessions_are_over(worlds: list[World], agent: Agent) -> None:
    said = made(agent, worlds)
    trace = {"intent_trace": {"reason_code": "shipping_cost"}}
    assert good(agent.post(at(said, "/cancel"), trace))["status"] == "canceled"
    assert refused(agent.post(at(said, "/cancel")))[0] == 405 and refused(agent.post(at(said), WHO))[0] == 409
    assert refused(agent.post(at(said, "/complete"), PAY))[:2] == (409, "conflict")
    old = made(agent, worlds)
    AgentSession.objects.filter(public_id=old["id"]).update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert good(agent.get(at(old)))["status"] == "expired"
    assert refused(agent.post(at(old, "/complete"), PAY))[:2] == (409, "conflict")
    assert not PaymentIntent.objects.exists()


def test_who_bought_goes_from_a_session_a_day_after_it_ends_and_the_order_stays(
    worlds: list[World], agent: Agent
) -> None:
    paid, unpaid = made(agent, worlds), made(agent, worlds)
    good(agent.post(at(paid, "/complete"), PAY))
    AgentSession.objects.update(expires_at=datetime.now(UTC) - timedelta(days=1, minutes=1))
    retention.run(now=datetime.now(UTC))
    said = good(agent.get(at(paid)))
    assert "buyer" not in said and "fulfillment_details" not in said and said["order"]
    assert agent.get(at(unpaid)).status_code == 404
    forget_replies([Order.objects.order_by("pk")[0].reference])
    assert not IdempotentReply.objects.filter(body__id=paid["id"]).exists()


def test_an_answer_that_says_who_buys_goes_with_the_session(worlds: list[World], agent: Agent) -> None:
    """As late as that; what the API answered stays for its own time."""
    for _ in range(2):
        made(agent, worlds)
    old, young = IdempotentReply.objects.order_by("pk")
    ends = datetime.now(UTC) - timedelta(days=1) - SESSION_LIVES
    IdempotentReply.objects.filter(pk=old.pk).update(created_at=ends - timedelta(minutes=1))
    IdempotentReply.objects.filter(pk=young.pk).update(created_at=ends + timedelta(minutes=1))
    before = ends - timedelta(days=3)
    other = IdempotentReply.objects.create(token=old.token, key="acp-mine", fingerprint="x", created_at=before)
    assert retention.run(now=datetime.now(UTC)) == {"store.IdempotentReply:deleted:agents": 1}
    assert set(IdempotentReply.objects.all()) == {young, other}


def test_a_shop_that_says_less_calls_the_payment_off(worlds: list[World], agent: Agent) -> None:
    """Asked before the bank is, and silent: what its seller chose holds."""
    said = made(agent, worlds)
    Connection.objects.filter(pk=worlds[0].shop.pk).update(no_answer="refuse")
    VariantStock.objects.update(count=2)
    no = good(agent.post(at(said, "/complete"), PAY))
    assert no["status"] == "ready_for_payment" and codes(no) == ["conflict"]
    assert "could not confirm" in no["messages"][0]["content"] and not Order.objects.exists()
    assert PaymentIntent.objects.get().state == "declined"


def test_a_session_stays_its_buyers_whatever_is_changed_later(worlds: list[World], agent: Agent) -> None:
    """Else it goes, or stays, with another person's erasure."""
    parcel = {"fulfillment_details": {"email": "Sam@elsewhere.test", "address": ADDRESS}}
    said = good(agent.post("/checkout_sessions", wish(worlds, **parcel)), 201)
    row = AgentSession.objects.filter(public_id=said["id"])
    assert row.get().details["email"] == "sam@elsewhere.test"
    for change in ({"buyer": {"email": "Zoe@elsewhere.test"}}, parcel):
        good(agent.post(at(said), change))
        assert row.get().details["email"] == "zoe@elsewhere.test"


def test_who_leaves_is_cut_out_of_a_session_whose_parcel_they_were_to_get(worlds: list[World], agent: Agent) -> None:
    """It goes on for who buys."""
    parcel = {"email": "Sam@Elsewhere.test", "address": ADDRESS}
    said = made(agent, worlds, fulfillment_details=parcel)
    step = [one for one in STEPS if one.table == "store.AgentSession"][-1]
    whose = Whose(user(email="sam@elsewhere.test"))
    step.do(list(step.rows(whose)), whose)
    assert not step.rows(whose).exists() and not step.rows(Whose(user())).exists()
    now = good(agent.get(at(said)))
    assert now["buyer"]["email"] == "Zoe@elsewhere.test" and now["fulfillment_details"] == {"address": ADDRESS}
    assert good(agent.post(at(said, "/complete"), PAY))["status"] == "completed"


def test_who_leaves_is_found_in_sessions_and_kept_answers(worlds: list[World], agent: Agent) -> None:
    """Also where nothing was bought, and where the session knows it no more."""
    paid, unpaid = made(agent, worlds), made(agent, worlds, buyer={"email": "zoe@ELSEWHERE.test"})
    other = made(agent, worlds, buyer={"email": "sam@elsewhere.test"})
    good(agent.post(at(paid, "/complete"), PAY))
    whose = Whose(Order.objects.order_by("pk")[0].buyer)
    rows = [step.rows(whose) for step in STEPS if step.table in ("store.AgentSession", "store.IdempotentReply")]
    replies, sessions_of_theirs, _ = rows[-3:]
    assert {row.public_id for row in sessions_of_theirs} == {paid["id"], unpaid["id"]}
    AgentSession.objects.exclude(public_id=paid["id"]).delete()
    found = {row.body["id"] for row in replies.model.objects.filter(pk__in=replies)}
    assert found == {paid["id"], unpaid["id"]} and other["id"] not in found
