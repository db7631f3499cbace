"""What an agent's own program is told of its orders: signed as the protocol has it, whole, once, and nothing of who
bought.
"""
# ruff: noqa: F811

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from django.test import Client
from tests.web.agents.test_agents_sessions import PAY, at, good, made

from agent import Agent, wrong
from crossdock.cli.main import main
from crossdock.domain.commands import CancelReason
from crossdock.engine.engine import Engine
from crossdock.store.models import AgentSession, ApiToken, Command, Endpoint, Order, Shipment, ShippingRate
from crossdock.usecases.accounts.tokens import make_token, revoke_token
from crossdock.usecases.checkout.agents.news import order_news
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.orders.actions import ship_by_hand, undo_by_hand
from crossdock.usecases.orders.reject import reject_order
from crossdock.usecases.outcomes import endpoints
from crossdock.usecases.outcomes.agents_told import agents_endpoint, tell_agent_at
from crossdock.usecases.record.telling import telling
from crossdock.usecases.support.dashboard import counts
from market import World, user
from stall import engine, no_jobs, rest, sync, until  # noqa: F401

SECRET = "hush-hush-hush-hush"


@pytest.fixture(autouse=True)
def on(settings: Any) -> None:
    settings.AGENTS = True


@dataclass
class Receiver:
    """The agent's. `answers` are the statuses that it gives, the last one for ever."""

    url: str = ""
    answers: list[int] = field(default_factory=lambda: [200])
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.read()))
        return web.Response(status=self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])

    def events(self) -> list[dict[str, Any]]:
        """Each as the protocol has it, in its shape and with its signature."""
        found = []
        for headers, body in self.got:
            stamp, _, signature = headers["Merchant-Signature"].partition(",v1=")
            signed = hmac.new(SECRET.encode(), stamp.removeprefix("t=").encode() + b"." + body, hashlib.sha256)
            assert signature == signed.hexdigest() and abs(int(stamp[2:]) - datetime.now(UTC).timestamp()) < 300
            event = json.loads(body)
            assert event.keys() == {"type", "data"} and wrong("agentic_checkout", "Order", event["data"]) == []
            assert event["data"].keys() >= {"type", "checkout_session_id", "permalink_url", "status"}
            found.append(event)
        return found


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    listening = Receiver()
    app = web.Application()
    app.router.add_post("/events", listening.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    listening.url = f"http://127.0.0.1:{runner.addresses[0][1]}/events"
    yield listening
    await runner.cleanup()


@dataclass
class Bought:
    """A session of two sellers that is paid, by an agent that is told at `url`."""

    agent: Agent
    session: dict[str, Any]
    worlds: list[World]
    endpoint: Endpoint

    @property
    def orders(self) -> list[Order]:
        return list(Order.objects.select_related("seller__owner", "buyer").order_by("pk"))

    @property
    def waiting(self) -> int:
        waits = Command.objects.filter(party_id=self.endpoint.party_id, state__in=["waiting", "in_flight"])
        return waits.count()

    def reject_first(self) -> None:
        order = self.orders[0]
        actor, why = order.seller.owner, CancelReason.NOT_AVAILABLE
        reject_order(order=order, reason=why, actor=actor, expected_total=order.total, now=datetime.now(UTC))

    def ship_second(self) -> None:
        order = self.orders[1]
        ship_by_hand(
            order=order, lines=None, tracking="1Z", carrier="UPS", actor=order.seller.owner, now=datetime.now(UTC)
        )

    def take_back_second(self) -> None:
        shipment = Shipment.objects.select_related("order__seller__owner").get()
        undo_by_hand(shipment=shipment, actor=shipment.order.seller.owner, now=datetime.now(UTC))


def agents_token(scopes: str = "agents:change") -> tuple[ApiToken, str]:
    return make_token(name="Finder", seller=None, actor=user(is_staff=True), scopes=scopes, now=datetime.now(UTC))


def bought(url: str) -> Bought:
    worlds = [World(units=9, now=datetime.now(UTC)) for _ in range(2)]
    ShippingRate.objects.filter(seller=worlds[1].seller).update(price_minor=250)
    token, secret = agents_token()
    endpoint, _ = tell_agent_at(token=token, actor=user(is_staff=True), url=url, secret=SECRET, now=datetime.now(UTC))
    agent = Agent(secret)
    session = made(agent, worlds)
    done = good(agent.post(at(session, "/complete"), PAY), kind="CheckoutSessionWithOrder")
    return Bought(agent, done, worlds, endpoint)


async def sent(engine: Engine, one: Bought) -> None:
    engine.wake(one.endpoint.party_id)
    await until(lambda: not one.waiting, what="the messages to be sent")
    await rest(engine)


@pytest.mark.django_db(transaction=True)
async def test_an_agent_is_told_of_each_change_once_and_of_nobody_who_bought(
    engine: Engine, receiver: Receiver, no_jobs: list[int]
) -> None:
    receiver.answers = [500, 200]
    one = await sync(bought, receiver.url)
    await sent(engine, one)
    await sync(one.reject_first)
    assert await sync(lambda: one.waiting) > 0
    await sent(engine, one)
    await sync(one.ship_second)
    await sent(engine, one)
    lost, created, refused, shipped = receiver.events()
    assert lost == created and receiver.got[0][0]["Request-Id"] == receiver.got[1][0]["Request-Id"]
    assert created == {"type": "order_create", "data": one.session["order"]}
    assert [event["type"] for event in (refused, shipped)] == ["order_update"] * 2
    assert [line["status"] for line in refused["data"]["line_items"]] == ["removed", "processing"]
    assert [row["amount"] for row in refused["data"]["adjustments"]] == [1500]
    read = await sync(one.agent.get, at(one.session))
    assert shipped["data"] == read.json()["order"] and shipped["data"]["status"] == "shipped"
    await sync(one.take_back_second)
    await sent(engine, one)
    assert receiver.events()[-1] == refused
    assert len({headers["Request-Id"] for headers, _ in receiver.got}) == 4, "it is as it was before, and that is news"
    everything = b" ".join(body for _, body in receiver.got).lower()
    for word in ("zoe@elsewhere.test", "zoë", "müller", "elm st", "springfield", "12345"):
        assert word.encode() not in everything and word not in everything.decode()


@pytest.mark.django_db(transaction=True)
async def test_one_that_is_gone_for_good_is_paused_and_goes_on_with_what_is_true_then(
    engine: Engine, receiver: Receiver, no_jobs: list[int]
) -> None:
    receiver.answers = [410, 410, 200]
    one = await sync(bought, receiver.url)
    await sent(engine, one)
    staff = await sync(user, is_staff=True)
    await sync(endpoints.resume_endpoint, endpoint=one.endpoint, actor=staff, now=datetime.now(UTC))
    await sent(engine, one)
    assert len(receiver.got) == 2, "what was refused is sent again, though nothing changed"
    row = await sync(lambda: Endpoint.objects.get(pk=one.endpoint.pk))
    assert row.paused_at is not None and "nobody listens" in row.paused_why
    await sync(one.reject_first)
    await sync(one.ship_second)
    await rest(engine)
    assert await sync(lambda: one.waiting) == 1 and len(receiver.got) == 2
    await sync(endpoints.resume_endpoint, endpoint=row, actor=staff, now=datetime.now(UTC))
    await sent(engine, one)
    (_, _, told) = receiver.events()
    assert told["type"] == "order_create" and told["data"]["status"] == "shipped"
    assert [line["status"] for line in told["data"]["line_items"]] == ["removed", "fulfilled"]


@pytest.mark.django_db
class TestFacts:
    def test_nothing_is_written_for_others(self, settings: Any) -> None:
        one = bought("https://agent.test/events")
        before = one.waiting
        assert before == 1
        Endpoint.objects.update(token=agents_token()[0])
        one.reject_first()
        assert one.waiting == before
        Endpoint.objects.update(token=AgentSession.objects.get().token)
        settings.AGENTS = False
        one.ship_second()
        assert one.waiting == before

    def test_the_command_says_nothing_of_the_order(self) -> None:
        bought("https://agent.test/events")
        (command,) = Command.objects.filter(party__endpoint__token__isnull=False)
        session = AgentSession.objects.get()
        assert command.payload == {"endpoint": Endpoint.objects.get().pk, "id": "", "body": {}, "session": session.pk}

    def test_staff_see_one_that_is_told_nothing_and_let_it_go_on(self) -> None:
        one = bought("https://agent.test/events?key=hush")
        (command,) = Command.objects.filter(party_id=one.endpoint.party_id)
        with telling(datetime.now(UTC)) as told:
            endpoints.endpoint_gave_up(command=command, sentence="It answered 410.", told=told)
        client = Client()
        client.force_login(user(is_staff=True, is_superuser=True))
        assert "Shopping agents told nothing" in client.get("/staff/").content.decode().partition("Nothing waits")[0]
        page = client.get("/staff/tokens/").content.decode()
        assert "agent.test is told nothing" in page and "It answered 410." in page and "hush" not in page
        resume = f"/staff/tokens/{one.endpoint.token_id}/resume/"
        assert resume in page
        assert "what it did not take" in client.post(resume, follow=True).content.decode()
        assert "agent.test is told of its orders" in client.get("/staff/tokens/").content.decode()
        assert Endpoint.objects.get().paused_at is None and counts(now=datetime.now(UTC))["agents"] == 0

    def test_another_address_hears_what_the_one_before_did_not_take(self) -> None:
        one = bought("https://agent.test/events")
        token, staff = ApiToken.objects.get(seller=None), user(is_staff=True)
        second, _ = tell_agent_at(token=token, actor=staff, url="https://other.test/", secret="", now=datetime.now(UTC))
        (command,) = Command.objects.filter(party_id=second.party_id)
        assert one.waiting == 0 and command.payload["session"] == AgentSession.objects.get().pk
        Command.objects.filter(pk=command.pk).update(state="done", result="ok")
        third, _ = tell_agent_at(token=token, actor=staff, url="https://third.test/", secret="", now=datetime.now(UTC))
        assert not Command.objects.filter(party_id=third.party_id).exists()

    def test_a_token_that_holds_no_longer_is_told_nothing(self) -> None:
        bought("https://agent.test/events")
        session, now = AgentSession.objects.select_related("token").get(), datetime.now(UTC)
        assert order_news(session=session.pk, now=now).body is not None
        revoke_token(token=session.token, actor=user(is_staff=True), now=now)
        assert order_news(session=session.pk, now=now).body is None

    def test_only_an_agent_that_buys_is_told_and_only_staff_say_where(self) -> None:
        reader, now = agents_token("agents:read")[0], datetime.now(UTC)
        buyer, staff = agents_token()[0], user(is_staff=True)
        for token, actor, url, secret, error in (
            (reader, staff, "https://agent.test/", "", Invalid),
            (buyer, staff, "agent.test", "", Invalid),
            (buyer, staff, "https://agent.test/", "short", Invalid),
            (buyer, user(), "https://agent.test/", "", NotAllowed),
        ):
            with pytest.raises(error):
                tell_agent_at(token=token, actor=actor, url=url, secret=secret, now=now)
        first, _ = tell_agent_at(token=buyer, actor=staff, url="https://agent.test/", secret="", now=now)
        second, fresh = tell_agent_at(token=buyer, actor=staff, url="https://other.test/", secret="", now=now)
        assert agents_endpoint(token=buyer) == second and endpoints.secrets_of(endpoint=second, now=now) == [fresh]
        first.refresh_from_db()
        assert first.deleted_at is not None and endpoints.secrets_of(endpoint=first, now=now) == []
        with pytest.raises(NotAllowed):
            endpoints.delete_endpoint(endpoint=second, actor=user(), now=now)


@pytest.mark.django_db(transaction=True)
def test_the_operator_says_where(settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings.ALLOW_LOCAL_SHOPS = False
    (token, _), staff = agents_token(), user(is_staff=True)
    number, by = str(token.pk), ["--by", staff.email]
    assert main(["agent-updates"]) == 0 and "is told nothing" in capsys.readouterr().out
    assert main(["agent-updates", number, "--url", "https://agent.test/events", *by]) == 0
    assert "shown this once: whsec_" in capsys.readouterr().out
    assert main(["agent-updates"]) == 0 and "https://agent.test/events" in capsys.readouterr().out
    assert main(["agent-updates", number, "--resume", *by]) == 0
    assert main(["agent-updates", number, "--end", *by]) == 0
    for wrong_one in (
        [number, "--end", *by],
        [number, *by],
        ["999999", "--end", *by],
        [number, "--url", "https://agent.test/"],
        [number, "--url", "agent.test", *by],
        [number, "--url", "http://192.168.0.1/x", *by],
    ):
        assert main(["agent-updates", *wrong_one]) == 1, wrong_one
