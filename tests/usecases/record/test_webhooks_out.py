"""Signed webhooks to sellers' programs: a receiver that checks them with the official library, what is tried again,
and what never leaves for a private address.
"""
# ruff: noqa: F811

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from django.test import Client
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from crossdock.domain.alerts import AlertCode
from crossdock.domain.commands import CancelReason
from crossdock.domain.requests.returns import ReturnReason
from crossdock.engine.engine import Engine
from crossdock.kit.http import Transport
from crossdock.store.models import Alert, Command, Endpoint, Order, Party, Seller
from crossdock.usecases.errors import Invalid, NotAllowed
from crossdock.usecases.orders import actions
from crossdock.usecases.orders.reject import reject_order
from crossdock.usecases.outcomes import endpoints
from crossdock.usecases.parties import root_causes
from crossdock.usecases.record.alerts import raise_alert, settle_alert
from crossdock.usecases.record.events import EVENTS
from crossdock.usecases.requests.cancel import ask_to_cancel, take_back
from crossdock.usecases.requests.returns import ask_return, decline
from market import World
from market import seller as a_seller
from stall import Make, connector, engine, make, no_jobs, rest, sync, until  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)
Headers = dict[str, str]


@dataclass
class Receiver:
    """A seller's program. `answers` are the statuses it gives, the last one for ever."""

    url: str = ""
    answers: list[int] = field(default_factory=lambda: [204])
    got: list[tuple[Headers, bytes]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.got.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.Response(status=status, headers={"Location": "/elsewhere"} if status == 302 else {})

    def opened(self, secret: str) -> list[dict[str, Any]]:
        """Each message as the library lets it through. Raises WebhookVerificationError."""
        return [Webhook(secret).verify(body, headers) for headers, body in self.got]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    app = web.Application()
    app.router.add_post("/in", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/in"
    yield made
    await runner.cleanup()


def add(seller: Seller, url: str, *events: str) -> tuple[Endpoint, str]:
    return endpoints.add_endpoint(
        seller=seller, actor=seller.owner, url=url, name="", events=events, now=datetime.now(UTC)
    )


async def told(engine: Engine, endpoint: Endpoint) -> None:
    engine.wake(endpoint.party_id)
    await until(
        lambda: not Command.objects.filter(party_id=endpoint.party_id, state__in=["waiting", "in_flight"]).exists(),
        what="the messages to be sent",
    )
    await rest(engine)


async def test_a_seller_s_program_follows_an_order_and_checks_each_message(
    make: Make, engine: Engine, receiver: Receiver
) -> None:
    stall = await sync(make)
    endpoint, secret = await sync(add, stall.seller, receiver.url)
    order: Order = await sync(stall.buy)
    engine.wake(stall.shop.party_id)
    await until(lambda: Order.objects.get(pk=order.pk).copy.state == "equal", what="the order in the shop")
    await told(engine, endpoint)
    await sync(
        reject_order,
        order=order,
        reason=CancelReason.LOST,
        actor=None,
        expected_total=order.total,
        now=datetime.now(UTC),
    )
    await told(engine, endpoint)
    messages = receiver.opened(secret)
    kinds = [message["type"] for message in messages]
    assert {"order.placed", "order.landed", "order.cancelled", "order.credited"} <= set(kinds)
    assert len(kinds) == len(set(kinds)), "each is told once"
    placed = next(message for message in messages if message["type"] == "order.placed")
    assert placed["data"]["order"]["reference"] == order.reference
    credited = next(message for message in messages if message["type"] == "order.credited")
    assert credited["data"]["amount"] == {"amount": "15.00", "currency": "USD"}
    ids = [headers["webhook-id"] for headers, _ in receiver.got]
    assert len(set(ids)) == len(ids)
    everything = b" ".join(body for _, body in receiver.got)
    assert b"Springfield" not in everything and order.buyer.email.encode() not in everything


async def test_a_body_that_was_tampered_with_or_another_secret_is_refused(
    make: Make, engine: Engine, receiver: Receiver
) -> None:
    stall = await sync(make)
    endpoint, secret = await sync(add, stall.seller, receiver.url)
    await sync(endpoints.send_test, endpoint=endpoint, actor=stall.seller.owner, now=datetime.now(UTC))
    await told(engine, endpoint)
    ((headers, body),) = receiver.got
    assert Webhook(secret).verify(body, headers)["type"] == "test"
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body.replace(b"Nothing", b"Everything"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, {**headers, "webhook-id": "evt_other"})
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 43 + "=").verify(body, headers)


async def test_what_is_not_taken_is_tried_again_under_the_same_id(
    make: Make, engine: Engine, receiver: Receiver
) -> None:
    stall = await sync(make)
    receiver.answers = [500, 302, 200]
    endpoint, secret = await sync(add, stall.seller, receiver.url, "alert.raised", "alert.settled")
    alert = await sync(
        raise_alert,
        code=AlertCode.STOCK_DIFFERS,
        seller=stall.seller,
        sentence="Count the Ember Fox.",
        now=datetime.now(UTC),
    )
    for _ in range(3):
        await sync(Party.objects.filter(pk=endpoint.party_id).update, resting_until=None)
        await sync(Command.objects.filter(party_id=endpoint.party_id).update, due_at=datetime.now(UTC))
        tries = len(receiver.got)
        engine.wake(endpoint.party_id)
        await until(lambda: len(receiver.got) > tries, what="another try")  # noqa: B023
        await rest(engine)
    await told(engine, endpoint)
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1 and len(receiver.got) == 3
    await sync(settle_alert, alert=alert, actor=None, how="Counted.", now=datetime.now(UTC))
    await told(engine, endpoint)
    raised, settled = receiver.opened(secret)[-2:]
    assert (raised["type"], settled["type"]) == ("alert.raised", "alert.settled")
    assert settled["data"]["alert"]["settled_how"] == "Counted."
    row = await sync(Command.objects.filter(party_id=endpoint.party_id).earliest, "pk")
    assert (row.state, row.result, row.sentence, row.attempts) == ("done", "ok", "It answered 200.", 3)


async def test_a_new_secret_signs_beside_the_old_one_for_a_day(make: Make, engine: Engine, receiver: Receiver) -> None:
    stall = await sync(make)
    owner = stall.seller.owner
    endpoint, old = await sync(add, stall.seller, receiver.url)
    new = await sync(endpoints.rotate_secret, endpoint=endpoint, actor=owner, now=datetime.now(UTC))
    await sync(endpoints.send_test, endpoint=endpoint, actor=owner, now=datetime.now(UTC))
    await told(engine, endpoint)
    assert receiver.opened(old) == receiver.opened(new)
    await sync(Endpoint.objects.update, before_until=datetime.now(UTC) - timedelta(seconds=1))
    receiver.got.clear()
    await sync(endpoints.send_test, endpoint=endpoint, actor=owner, now=datetime.now(UTC))
    await told(engine, endpoint)
    assert len(receiver.opened(new)) == 1
    with pytest.raises(WebhookVerificationError):
        receiver.opened(old)
    kept = await sync(Endpoint.objects.get, pk=endpoint.pk)
    assert new.encode() not in bytes(kept.secrets) and new[-4:] == kept.hint


async def test_gone_is_believed_at_once_and_another_receiver_goes_on(
    make: Make, engine: Engine, receiver: Receiver
) -> None:
    stall = await sync(make)
    receiver.answers = [410, 200]
    gone, _ = await sync(add, stall.seller, receiver.url)
    other, _ = await sync(add, stall.seller, f"{receiver.url}?second")
    await sync(endpoints.send_test, endpoint=gone, actor=stall.seller.owner, now=datetime.now(UTC))
    await told(engine, gone)
    alert = await sync(Alert.objects.get, code=AlertCode.ENDPOINT_FAILING)
    assert "410" in alert.sentence and (await sync(Endpoint.objects.get, pk=gone.pk)).paused_at is not None
    await told(engine, other)
    rows = await sync(lambda: list(Command.objects.filter(party_id=other.party_id).values_list("result", flat=True)))
    assert rows == ["ok"], "the other one is told of the alert"
    assert await sync(endpoints.resume_endpoint, endpoint=gone, actor=stall.seller.owner, now=datetime.now(UTC)) == 0
    assert (await sync(Alert.objects.get, pk=alert.pk)).settled_how == "The receiver was resumed."


async def test_a_private_address_is_never_called(make: Make, engine: Engine, receiver: Receiver) -> None:
    """On a public marketplace; local addresses are called only where local shops are allowed."""
    stall = await sync(make)
    endpoint, _ = await sync(add, stall.seller, receiver.url)
    await sync(endpoints.send_test, endpoint=endpoint, actor=stall.seller.owner, now=datetime.now(UTC))
    local, engine.transport = engine.transport, Transport(allow_local=False)
    try:
        engine.wake(endpoint.party_id)
        await until(lambda: Party.objects.get(pk=endpoint.party_id).failures, what="the refusal")
    finally:
        await engine.transport.close()
        engine.transport = local
    assert receiver.got == []


class TestSettingUp:
    def test_what_makes_no_sense_is_refused(self) -> None:
        world = World()
        for url in ("receiver.test", "ftp://receiver.test/", "https://", "javascript:alert(1)"):
            with pytest.raises(Invalid):
                add(world.seller, url)
        with pytest.raises(Invalid, match="no event named"):
            add(world.seller, "https://receiver.test/", "order.eaten")
        endpoint, _ = add(world.seller, "https://receiver.test/")
        with pytest.raises(Invalid, match="already"):
            add(world.seller, "https://receiver.test/")
        with pytest.raises(NotAllowed):
            endpoints.rotate_secret(endpoint=endpoint, actor=a_seller().owner, now=world.now)
        for n in range(endpoints.MOST_ENDPOINTS - 1):
            add(world.seller, f"https://receiver{n}.test/")
        with pytest.raises(Invalid, match="delete one first"):
            add(world.seller, "https://more.test/")

    def test_only_what_was_chosen_is_told_and_nothing_while_paused_or_deleted(self) -> None:
        world = World(units=9)
        owner = world.seller.owner
        placed, _ = add(world.seller, "https://a.test/", "order.placed")
        paused, _ = add(world.seller, "https://b.test/")
        endpoints.pause_endpoint(endpoint=paused, actor=owner, now=world.now)
        deleted, _ = add(world.seller, "https://c.test/")
        endpoints.send_test(endpoint=deleted, actor=owner, now=world.now)
        for _ in range(2):
            endpoints.delete_endpoint(endpoint=deleted, actor=owner, now=world.now)
        order = world.buy()
        (claimed,) = world.claim()
        world.settle(claimed, world.create_there(order))
        rows = {
            party: list(Command.objects.filter(party_id=party).values_list("state", flat=True))
            for party in (placed.party_id, paused.party_id, deleted.party_id)
        }
        assert rows == {placed.party_id: ["waiting"], paused.party_id: [], deleted.party_id: ["withdrawn"]}
        with pytest.raises(NotAllowed):
            endpoints.send_test(endpoint=paused, actor=owner, now=world.now)
        with pytest.raises(Invalid, match="deleted"):
            endpoints.resume_endpoint(endpoint=deleted, actor=owner, now=world.now)

    def test_a_parcel_is_told(self) -> None:
        world = World()
        endpoint, _ = add(world.seller, "https://a.test/", "order.shipped")
        order = world.buy()
        actions.ship_by_hand(
            order=order,
            lines=None,
            tracking="1Z999AA10123456784",
            carrier="",
            actor=world.seller.owner,
            now=world.later(),
        )
        body = Command.objects.get(party_id=endpoint.party_id).payload["body"]
        assert body["type"] == "order.shipped" and body["data"]["order"]["parcels"] == "shipped"

    def test_the_pages(self, settings: Any) -> None:
        settings.ALLOW_LOCAL_SHOPS = False
        world = World(now=datetime.now(UTC))
        client = Client()
        client.force_login(world.seller.owner)
        page = "/seller/webhooks/"
        assert "No receiver yet" in client.get(page).content.decode()
        assert client.post(page, {"url": "http://receiver.test/"}).status_code == 422
        made = client.post(
            page, {"url": "https://receiver.test/in", "name": "Packing ütation", "events": ["order.placed"]}
        )
        secret = made.context["secret"]
        assert secret.startswith("whsec_") and secret in made.content.decode()
        assert secret not in client.get(page).content.decode(), "shown once"
        own = f"{page}{Endpoint.objects.get().public_id}/"
        client.post(f"{own}deed/", {"deed": "test"})
        shown = client.get(own).content.decode()
        assert "On its way" in shown and "Packing ütation" in shown and secret not in shown
        turned = client.post(f"{own}rotate/")
        assert turned.context["secret"].startswith("whsec_") and turned.context["secret"] != secret
        client.post(own, {"name": "All", "events": []})
        assert Endpoint.objects.get().events == []
        for deed in ("pause", "resume", "nonsense"):
            assert client.post(f"{own}deed/", {"deed": deed})["Location"] == own
        Command.objects.filter(kind="send_event").update(state="dead", sentence="It answered 500.")
        assert "Given up" in client.get(own).content.decode()
        client.post(f"{own}messages/{Command.objects.get(kind='send_event').pk}/")
        assert Command.objects.get(kind="send_event").state == "waiting"
        assert client.get(f"{own}delete/").status_code == 200
        assert client.post(f"{own}deed/", {"deed": "delete"})["Location"] == page
        assert client.get(own).status_code == 404

    def test_every_event_is_told_somewhere(self) -> None:
        """Raised and settled, placed, landed, shipped, asked to cancel, cancelled, credited, sent back: all by
        use-cases.
        """
        world = World(units=5)
        endpoint, _ = add(world.seller, "https://a.test/")
        order, other = world.buy(), world.buy()
        world.later(16 * 60)
        root_causes.late_copies(now=world.now)
        for claimed in world.claim():
            world.settle(claimed, world.create_there(order))
        actions.ship_by_hand(
            order=order,
            lines=None,
            tracking="1Z999AA10123456784",
            carrier="",
            actor=world.seller.owner,
            now=world.later(),
        )
        ask_to_cancel(order=other, buyer=other.buyer, reason="", now=world.later())
        take_back(order=other, buyer=other.buyer, now=world.later())
        reject_order(order=other, reason=CancelReason.LOST, actor=None, expected_total=other.total, now=world.later())
        units = {order.lines.get().pk: 1}
        order.refresh_from_db()
        row = ask_return(order=order, units=units, reason=ReturnReason.DAMAGED, words="", now=world.later())
        decline(row=row, actor=world.seller.owner, answer="No.", now=world.later())
        bodies = Command.objects.filter(party_id=endpoint.party_id).values_list("payload__body__type", flat=True)
        assert set(bodies) == set(EVENTS)
