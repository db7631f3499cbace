"""Checkouts by the Universal Commerce Protocol: every answer by its own schemas, totals by its signs, items of several
sellers, one payment, and what one of them refuses.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.web.test_walls import names

from agent import Agent, secret_for
from crossdock.domain.agents.negotiation import Capability, shared
from crossdock.domain.commands import CancelReason
from crossdock.domain.values import Money
from crossdock.payments.sandbox.gateway import SandboxGateway
from crossdock.store.models import (
    AgentSession,
    ApiToken,
    IdempotentReply,
    Listing,
    Order,
    PaymentIntent,
    Reservation,
    ShippingRate,
    Variant,
    VariantStock,
)
from crossdock.usecases.orders.actions import ship_by_hand
from crossdock.usecases.orders.reject import reject_order
from crossdock.web.agents.ucp import profiles
from market import World
from ucp_agent import ALL, Host, UcpAgent, hosted, profile, wrong

pytestmark = pytest.mark.django_db
TO = {
    "id": "home",
    "first_name": "Zoë",
    "last_name": "Müller",
    "street_address": "1 Elm St",
    "address_locality": "Springfield",
    "address_region": "IL",
    "address_country": "US",
    "postal_code": "12345",
}
BUYER = {"email": "Zoe@elsewhere.test", "first_name": "Zoë"}
ADDRESSES = {
    "ucp_search": ("POST", "/catalog/search", True),
    "ucp_lookup": ("POST", "/catalog/lookup", True),
    "ucp_product": ("POST", "/catalog/product", True),
    "ucp_checkouts": ("POST", "/checkout-sessions", False),
    "ucp_checkout": ("GET", "/checkout-sessions/x", False),
    "ucp_complete": ("POST", "/checkout-sessions/x/complete", False),
    "ucp_cancel": ("POST", "/checkout-sessions/x/cancel", False),
    "ucp_order": ("GET", "/orders/x", True),
}


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with hosted() as found:
        yield found


@pytest.fixture(autouse=True)
def on(settings: Any) -> None:
    settings.AGENTS_UCP, settings.ALLOW_LOCAL_SHOPS = True, True
    profiles.forget()


@pytest.fixture
def worlds() -> list[World]:
    made = [World(units=9, now=datetime.now(UTC)) for _ in range(2)]
    ShippingRate.objects.filter(seller=made[1].seller).update(price_minor=250)
    return made


@pytest.fixture
def agent(host: Host) -> UcpAgent:
    return UcpAgent(f"{host.address}/all")


def wish(worlds: list[World], **more: Any) -> dict[str, Any]:
    lines = [{"item": {"id": world.variant.public_id}, "quantity": 1} for world in worlds]
    return {"line_items": lines, **more}


def whole(worlds: list[World], **to: Any) -> dict[str, Any]:
    method = {"type": "shipping", "destinations": [{**TO, **to}]}
    return wish(worlds, buyer=BUYER, fulfillment={"methods": [method]})


def pay(token: str = "works", handler: str = "sandbox") -> dict[str, Any]:
    credential = {"type": "test", "token": token}
    one = {"id": "i", "handler_id": handler, "type": "test_card", "selected": True, "credential": credential}
    return {"payment": {"instruments": [one]}}


def good(answer: Any, status: int = 200, shape: str = "checkout") -> dict[str, Any]:
    """As the protocol has it, with totals that add up by its rule."""
    assert answer.status_code == status, answer.content
    said: dict[str, Any] = answer.json()
    assert wrong(shape, said) == []
    assert said["ucp"]["version"] == "2026-04-08" and said["ucp"]["status"] == "success"
    if "totals" in said:
        (total,) = [one["amount"] for one in said["totals"] if one["type"] == "total"]
        assert sum(one["amount"] for one in said["totals"] if one["type"] != "total") == total
    return said


def outcome(answer: Any) -> str:
    """Understood, and it came to nothing."""
    said = answer.json()
    assert answer.status_code == 200 and wrong("error", said) == [], answer.content
    return str(said["messages"][0]["code"])


def refused(answer: Any) -> tuple[int, str]:
    """The protocol has no schema for it: a code, the words, and where a person goes on."""
    said = answer.json()
    assert set(said) == {"code", "content", "continue_url"}, said
    return answer.status_code, said["code"]


def errors(said: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["code"], one["severity"]) for one in said["messages"] if one["type"] == "error"]


def total(said: dict[str, Any]) -> int:
    (found,) = [one["amount"] for one in said["totals"] if one["type"] == "total"]
    return int(found)


def at(said: dict[str, Any], more: str = "") -> str:
    return f"/checkout-sessions/{said['id']}{more}"


def made(agent: UcpAgent, worlds: list[World], **to: Any) -> dict[str, Any]:
    return good(agent.post("/checkout-sessions", whole(worlds, **to)), 201)


class TestEntrance:
    def test_while_it_is_off_nothing_is_there_whatever_the_other_protocol_is(self, host: Host, settings: Any) -> None:
        settings.AGENTS_UCP, settings.AGENTS = False, True
        agent = UcpAgent(f"{host.address}/all", "x")
        assert names("ucp_") == {*ADDRESSES, "ucp_discovery"}
        with CaptureQueriesContext(connection) as asked:
            for method, path, _ in ADDRESSES.values():
                assert agent.send(method, path).status_code == 404, path
            assert agent.get("/nothing").status_code == Client().get("/.well-known/ucp").status_code == 404
        assert len(asked) == 0
        settings.AGENTS_UCP, settings.AGENTS = True, False
        assert Agent().get("/feed/metadata.json").status_code == 404
        assert refused(agent.get("/nothing")) == (404, "not_found")

    def test_everybody_reads_what_is_spoken_here(self) -> None:
        answer = Client().get("/.well-known/ucp")
        said = answer.json()
        assert wrong("profile", said) == [] and said["ucp"]["version"] == "2026-04-08"
        assert "public" in answer["Cache-Control"] and "max-age=3600" in answer["Cache-Control"]
        assert said["ucp"]["services"]["dev.ucp.shopping"][0]["endpoint"].endswith("/agents/ucp")
        assert "tokens" not in json.dumps(said["ucp"]["payment_handlers"])

    def test_a_token_that_reaches_agents_is_needed(self, host: Host) -> None:
        for name, (method, path, reads) in ADDRESSES.items():
            nobody = UcpAgent(f"{host.address}/all", "cd_nothing")
            assert refused(nobody.send(method, path)) == (401, "unauthorized"), name
            other = UcpAgent(f"{host.address}/all", secret_for("orders:change"))
            assert refused(other.send(method, path)) == (403, "forbidden"), name
            reader = UcpAgent(f"{host.address}/all", secret_for("agents:read"))
            assert (reader.send(method, path).status_code == 403) is not reads, name

    def test_who_it_speaks_for_is_read_once_and_never_from_where_it_must_not(self, host: Host, settings: Any) -> None:
        agent, path = UcpAgent(f"{host.address}/all"), "/orders/x"
        host.asked.clear()
        assert [outcome(agent.get(path)) for _ in range(3)] == ["not_found"] * 3 and host.asked == ["/all"]
        del agent.headers["UCP-Agent"]
        assert refused(agent.get(path)) == (400, "invalid_profile_url")
        for header in ("", "profile=1", 'profile="nothing"', 'x="a, profile=\\"https://a.test\\""'):
            agent.headers["UCP-Agent"] = header
            assert refused(agent.get(path)) == (400, "invalid_profile_url"), header
        settings.ALLOW_LOCAL_SHOPS = False
        assert refused(UcpAgent(f"{host.address}/all").get(path)) == (400, "invalid_profile_url")
        for private in ("https://127.0.0.1/x", "https://[::1]/x", "https://169.254.169.254/latest"):
            assert refused(UcpAgent(private).get(path)) == (424, "profile_unreachable"), private
        assert host.asked == ["/all"]

    def test_a_profile_that_is_none_is_refused_as_the_protocol_says(self, host: Host) -> None:
        host.pages |= {
            "/gone": (404, {}),
            "/moved": (302, {}),
            "/text": (200, b"hello"),
            "/odd": (200, {"ucp": {"version": "draft"}}),
            "/old": (200, profile(*ALL, version="2026-01-23")),
            "/nothing": (200, profile("com.example.toys")),
        }
        cases = {
            "/gone": (424, "profile_unreachable"),
            "/moved": (424, "profile_unreachable"),
            "/text": (422, "profile_malformed"),
            "/odd": (422, "profile_malformed"),
            "/old": (422, "version_unsupported"),
        }
        for page, expected in cases.items():
            agent = UcpAgent(f"{host.address}{page}")
            assert [refused(agent.get("/orders/x")) for _ in range(2)] == [expected] * 2, page
            assert host.asked.count(page) == 1
        assert outcome(UcpAgent(f"{host.address}/nothing").get("/orders/x")) == "capabilities_incompatible"

    def test_a_token_speaks_for_the_first_profile_that_it_named(self, host: Host) -> None:
        secret = secret_for()
        agent, other = UcpAgent(f"{host.address}/all", secret), UcpAgent(f"{host.address}/gone", secret)
        assert outcome(agent.get("/orders/x")) == "not_found"
        assert refused(other.get("/orders/x")) == (403, "forbidden") and "/gone" not in host.asked[-1:]
        assert ApiToken.objects.get(name="agent").profile == f"{host.address}/all"

    def test_extensions_are_nothing_without_their_parents(self) -> None:
        ours = {"a": [Capability("1"), Capability("2")], "b": [Capability("1", ("a",))], "c": [Capability("1", ("b",))]}
        both = {name: [Capability("1"), Capability("2")] for name in "abcd"}
        assert {name: mine.version for name, (mine, _) in shared(ours, both).items()} == {"a": "2", "b": "1", "c": "1"}
        assert shared(ours, {**both, "a": [Capability("3")]}) == {}


class TestCheckout:
    def test_it_is_filled_in_step_by_step_and_replaced_whole(self, worlds: list[World], agent: UcpAgent) -> None:
        said = good(agent.post("/checkout-sessions", wish(worlds)), 201)
        assert said["status"] == "incomplete" and said["currency"] == "USD" and total(said) == 2000
        assert errors(said) == [("missing", "recoverable")] * 2
        said = good(agent.put(at(said), whole(worlds)))
        assert said["status"] == "ready_for_complete" and errors(said) == [] and total(said) == 2750
        (method,) = said["fulfillment"]["methods"]
        assert method["destinations"] == [TO] and method["selected_destination_id"] == "home"
        sold = [one["content"] for one in said["messages"] if one.get("code") == "seller"]
        assert sold == [f"Sold by {world.seller.name}." for world in worlds]
        again = {**whole(worlds), "fulfillment": {"methods": said["fulfillment"]["methods"]}}
        assert good(agent.put(at(said), again))["status"] == "ready_for_complete"
        # What is not sent again is gone.
        said = good(agent.put(at(said), wish(worlds, buyer=BUYER)))
        assert said["status"] == "incomplete" and "destinations" not in said["fulfillment"]["methods"][0]
        assert not Reservation.objects.exists() and "elm" not in json.dumps(AgentSession.objects.get().details).lower()

    def test_each_sellers_parcel_is_a_group_where_the_agent_shows_groups(
        self, worlds: list[World], agent: UcpAgent, host: Host
    ) -> None:
        (one,) = made(agent, worlds)["fulfillment"]["methods"][0]["groups"]
        assert one["options"][0]["totals"][-1]["amount"] == 750
        assert all(world.seller.name in one["options"][0]["title"] for world in worlds)
        host.pages["/groups"] = (200, profile(*ALL, supports_multi_group=True))
        agent = UcpAgent(f"{host.address}/groups")
        said = made(agent, worlds)
        groups = said["fulfillment"]["methods"][0]["groups"]
        assert [(one["line_item_ids"], one["options"][0]["totals"][-1]["amount"]) for one in groups] == [
            ([worlds[0].variant.public_id], 500),
            ([worlds[1].variant.public_id], 250),
        ]
        # Sent back as it came, without one seller's item: their group is gone, and so is what was chosen for it.
        fewer = good(agent.put(at(said), {**whole(worlds[:1]), "fulfillment": said["fulfillment"]}))
        (left,) = fewer["fulfillment"]["methods"][0]["groups"]
        assert fewer["status"] == "ready_for_complete" and left["id"] == groups[0]["id"] and total(fewer) == 1500

    def test_an_agent_that_cannot_give_an_address_hands_the_buyer_over(
        self, worlds: list[World], host: Host, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        host.pages["/bare"] = (200, profile("dev.ucp.shopping.checkout", "dev.ucp.shopping.fulfillment.other"))
        said = good(UcpAgent(f"{host.address}/bare").post("/checkout-sessions", wish(worlds[:1], buyer=BUYER)), 201)
        assert said["status"] == "requires_escalation" and errors(said) == [("missing", "requires_buyer_input")]
        assert "fulfillment" not in said and list(said["ucp"]["capabilities"]) == ["dev.ucp.shopping.checkout"]
        assert said["continue_url"].endswith(f"/l/{worlds[0].variant.listing.public_id}/")
        monkeypatch.setattr(SandboxGateway, "missing", lambda self: "Keys are missing.")
        said = made(UcpAgent(f"{host.address}/all"), worlds)
        assert said["ucp"]["payment_handlers"] == {} and said["status"] == "requires_escalation"

    def test_what_cannot_be_bought_says_why_and_never_more_than_is_known(
        self, worlds: list[World], agent: UcpAgent
    ) -> None:
        said, stock = made(agent, worlds), VariantStock.objects.filter(variant=worlds[0].variant)
        for count, code in ((0, "out_of_stock"), (None, "stock_unknown")):
            stock.update(count=count)
            now = good(agent.get(at(said)))
            assert (now["status"], errors(now)) == ("incomplete", [(code, "recoverable")])
            assert now["messages"][0]["path"] == "$.line_items[0]"
        stock.update(count=9)
        Listing.objects.filter(pk=worlds[0].variant.listing_id).update(state="archived")
        assert errors(good(agent.get(at(said)))) == [("item_unavailable", "recoverable")]
        Listing.objects.update(state="live")
        ShippingRate.objects.filter(seller=worlds[1].seller).update(country="DE")
        assert errors(good(agent.get(at(said)))) == [("address_undeliverable", "recoverable")]

    def test_half_an_address_is_said_part_by_part(self, worlds: list[World], agent: UcpAgent) -> None:
        to = {"id": "x", "address_country": "us", "address_region": "Illinois"}
        method = {"type": "shipping", "destinations": [to]}
        said = good(agent.post("/checkout-sessions", wish(worlds, fulfillment={"methods": [method]})), 201)
        path = "$.fulfillment.methods[0].destinations[0]"
        paths = [one["path"] for one in said["messages"] if one["type"] == "error"]
        parts = ("first_name", "street_address", "address_locality", "address_region")
        assert paths == ["$.buyer.email", *(f"{path}.{part}" for part in parts)] and total(said) == 2750
        for email in ("zoe", "a\nb@x.test", " zoe@x.test"):
            no = good(agent.put(at(said), {**whole(worlds), "buyer": {"email": email}}))
            assert (no["status"], errors(no)) == ("incomplete", [("invalid", "recoverable")])
            assert good(agent.post(at(said, "/complete"), pay()))["status"] == "incomplete"
        germany = good(agent.put(at(said), whole(worlds, address_country="Germany")))
        assert errors(germany) == [("invalid", "recoverable")]
        two = {"type": "shipping", "destinations": [TO, {**TO, "id": "work", "street_address": "2 Oak St"}]}
        said = good(agent.put(at(said), wish(worlds, fulfillment={"methods": [two]})))
        assert "destinations" not in said["fulfillment"]["methods"][0]
        two["selected_destination_id"] = "work"
        said = good(agent.put(at(said), wish(worlds, fulfillment={"methods": [two]})))
        assert said["fulfillment"]["methods"][0]["destinations"][0]["street_address"] == "2 Oak St"

    def test_yen_have_no_digits_and_dinars_three(self, worlds: list[World], agent: UcpAgent) -> None:
        for currency, price in (("JPY", 1200), ("KWD", 12345)):
            Listing.objects.update(currency=currency)
            Variant.objects.update(price_minor=price)
            ShippingRate.objects.update(currency=currency)
            said = made(agent, worlds)
            assert (said["currency"], said["line_items"][0]["item"]["price"]) == (currency, price)
        Listing.objects.filter(pk=worlds[0].variant.listing_id).update(currency="USD")
        assert outcome(agent.post("/checkout-sessions", whole(worlds))) == "currency_mismatch"

    def test_what_is_asked_wrongly_is_refused_and_makes_nothing(self, worlds: list[World], agent: UcpAgent) -> None:
        line = {"item": {"id": worlds[0].variant.public_id}, "quantity": 1}
        cases: list[Any] = [
            "{",
            "[]",
            {},
            {"line_items": []},
            {"line_items": [{**line, "quantity": 0}]},
            {"line_items": [{**line, "quantity": "1"}]},
            {"line_items": [{**line, "quantity": None}]},
            {"line_items": [{**line, "quantity": 1.5}]},
            json.dumps({"line_items": [line]}).replace('"quantity": 1', '"quantity": 1e400'),
            {"line_items": [{**line, "item": {"id": f"x{n}"}} for n in range(101)]},
            {**whole(worlds), "buyer": {"email": 1}},
            wish(worlds, fulfillment={"methods": [{"type": "pickup"}]}),
            wish(worlds, fulfillment={"methods": [{"type": "shipping"}, {"type": "shipping"}]}),
        ]
        for body in cases:
            assert refused(agent.post("/checkout-sessions", body))[0] == 400, body
        lost = {"line_items": [line, {**line, "item": {"id": "nothing"}}]}
        assert outcome(agent.post("/checkout-sessions", lost)) == "item_unavailable"
        assert not AgentSession.objects.exists()
        said = made(agent, worlds)
        bad = whole(worlds)
        bad["fulfillment"]["methods"][0]["groups"] = [{"id": "all", "selected_option_id": "express"}]
        assert refused(agent.put(at(said), {**bad, "buyer": {}}))[0] == 400
        assert good(agent.get(at(said)))["buyer"] == BUYER
        two = good(agent.put(at(said), {"line_items": [{**line, "quantity": 2.0}]}))
        assert two["line_items"][0]["quantity"] == 2
        told = good(agent.put(at(said), {**whole(worlds), "discounts": {"codes": ["X"]}}))
        assert [one["path"] for one in told["messages"] if "discount codes" in one["content"]] == ["$.discounts"]

    def test_a_key_gives_the_first_answer_again_and_another_body_none(
        self, worlds: list[World], agent: UcpAgent
    ) -> None:
        first = agent.post("/checkout-sessions", whole(worlds), key="k")
        again = agent.post("/checkout-sessions", json.dumps(whole(worlds), indent=3, sort_keys=True), key="k")
        assert (again.status_code, again.json()) == (201, first.json()) and AgentSession.objects.count() == 1
        assert refused(agent.post("/checkout-sessions", wish(worlds), key="k")) == (409, "idempotency_conflict")
        assert good(agent.put(at(first.json()), whole(worlds), key="k"))
        assert made(agent, worlds)["id"] != first.json()["id"] and IdempotentReply.objects.count() == 2

    def test_asked_in_few_statements(self, worlds: list[World], agent: UcpAgent) -> None:
        said = made(agent, worlds)
        with CaptureQueriesContext(connection) as asked:
            good(agent.get(at(said)))
        assert len(asked) <= 6, [one["sql"][:90] for one in asked]


class TestPaying:
    def test_two_sellers_one_payment_and_one_of_them_refuses(self, worlds: list[World], agent: UcpAgent) -> None:
        said = made(agent, worlds)
        done = good(agent.post(at(said, "/complete"), pay(), key="k"))
        assert done["status"] == "completed" and done["totals"] == said["totals"] and "continue_url" not in done
        assert agent.post(at(said, "/complete"), pay(), key="k").json() == done
        assert good(agent.post(at(said, "/complete"), pay("declined")))["status"] == "completed"
        (intent,) = PaymentIntent.objects.all()
        first, second = Order.objects.order_by("pk")
        assert {first.intent, second.intent} == {intent} and intent.amount_minor == 2750
        assert (first.ship_to["name"], first.ship_to["line1"]) == ("Zoë Müller", "1 Elm St")
        order = f"/orders/{done['order']['id']}"
        assert good(agent.get(order), shape="order")["adjustments"] == []
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
        now = good(agent.get(order), shape="order")
        gone, kept = (world.variant.public_id for world in worlds)
        assert [(one["id"], one["quantity"], one["status"]) for one in now["line_items"]] == [
            (gone, {"original": 1, "total": 0, "fulfilled": 0}, "removed"),
            (kept, {"original": 1, "total": 1, "fulfilled": 1}, "fulfilled"),
        ]
        (back,) = now["adjustments"]
        assert back["description"].startswith(f"{worlds[0].seller.name}: ") and back["status"] == "pending"
        assert back["line_items"] == [{"id": gone, "quantity": -1}] and back["totals"][0]["amount"] == -1500
        (event,) = now["fulfillment"]["events"]
        assert event["tracking_number"] == "1Z1" and event["line_items"] == [{"id": kept, "quantity": 1}]
        assert total(now) == 2750 and now["checkout_id"] == said["id"]
        assert "Elm" not in json.dumps(now) and "zoe@" not in json.dumps(now).lower()

    def test_a_declined_card_charges_nothing_and_a_lost_answer_is_no_refusal(
        self, worlds: list[World], agent: UcpAgent
    ) -> None:
        said = made(agent, worlds)
        no = good(agent.post(at(said, "/complete"), pay("declined")))
        assert (no["status"], errors(no)) == ("ready_for_complete", [("payment_failed", "recoverable")])
        lost = good(agent.post(at(said, "/complete"), pay("late")))
        assert lost["status"] == "complete_in_progress" and "order" not in lost
        assert outcome(agent.put(at(said), whole(worlds))) == outcome(agent.post(at(said, "/cancel"))) == "conflict"

    def test_no_other_price_is_charged_than_the_one_that_was_told(self, worlds: list[World], agent: UcpAgent) -> None:
        said = made(agent, worlds)
        Variant.objects.filter(pk=worlds[0].variant.pk).update(price_minor=1100)
        told = good(agent.post(at(said, "/complete"), pay()))
        assert (told["status"], total(told)) == ("ready_for_complete", 2850) and not PaymentIntent.objects.exists()
        assert [one["code"] for one in told["messages"] if one["type"] == "warning"] == ["price_change"]
        assert good(agent.post(at(said, "/complete"), pay()))["status"] == "completed"

    def test_only_what_is_offered_pays(self, worlds: list[World], agent: UcpAgent) -> None:
        said = made(agent, worlds)
        both = {"payment": {"instruments": pay()["payment"]["instruments"] * 2}}
        for body in (pay("spt_1"), pay(handler="other"), {}, {"payment": {"instruments": []}}, both):
            assert refused(agent.post(at(said, "/complete"), body))[0] == 400, body
        assert not PaymentIntent.objects.exists()

    def test_what_is_over_is_over_and_of_others_nothing_is_found(
        self, worlds: list[World], agent: UcpAgent, host: Host, settings: Any
    ) -> None:
        said = made(agent, worlds)
        other = UcpAgent(f"{host.address}/all")
        for answer in (other.get(at(said)), other.put(at(said), whole(worlds)), other.post(at(said, "/cancel"))):
            assert outcome(answer) == "not_found"
        # The same agent by the other protocol does not find it either.
        settings.AGENTS = True
        by_acp = Agent(agent.headers["Authorization"].removeprefix("Bearer "))
        assert by_acp.get(f"/checkout_sessions/{said['id']}").status_code == 404
        gone = good(agent.post(at(said, "/cancel")))
        assert gone["status"] == "canceled" and "continue_url" not in gone
        assert outcome(agent.post(at(said, "/cancel"))) == outcome(agent.put(at(said), whole(worlds))) == "conflict"
        assert outcome(agent.post(at(said, "/complete"), pay())) == "conflict"
        old = made(agent, worlds)
        AgentSession.objects.filter(public_id=old["id"]).update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
        assert good(agent.get(at(old)))["status"] == "canceled"
        paid = good(agent.post(at(made(agent, worlds), "/complete"), pay()))
        assert outcome(other.get(f"/orders/{paid['order']['id']}")) == "not_found"
