"""The door for webhooks: answered only after the commit; forged, cut short, huge, doubled, unknown and unlucky
deliveries.
"""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

import market
from aside import sync
from crossdock.kit import discover
from crossdock.store.models import Connection, Delivery
from crossdock.store.vault import seal
from crossdock.usecases.outbox import inbox
from crossdock.web import inbox as inbox_module
from crossdock.web.door import Door
from crossdock_lab.patience import patient
from stall import until
from toy import SECRET, ToyConnector

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Street:
    """A door without a server: speaks ASGI to it. `woken` is who was woken."""

    door: Door
    shop: Connection
    woken: list[int] = field(default_factory=list)

    async def send(
        self,
        body: bytes,
        *,
        path: str = "",
        headers: dict[str, str] | None = None,
        method: str = "POST",
        signed: bool = True,
        secret: str = SECRET,
        chunks: list[dict[str, Any]] | None = None,
    ) -> tuple[int, bytes]:
        """(status, body) of the answer; status 0 when none was given."""
        given = {"content-length": str(len(body)), **(headers or {})}
        if signed:
            given["x-toy-signature"] = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        scope = {
            "type": "http",
            "method": method,
            "path": path or f"/hooks/shop/toy/{self.shop.public_id}",
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        }
        parts = iter(chunks or [{"type": "http.request", "body": body, "more_body": False}])
        answer: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return next(parts, {"type": "http.disconnect"})

        async def send(message: Any) -> None:
            answer.append(dict(message))

        await self.door(scope, receive, send)
        return (answer[0]["status"], answer[1]["body"]) if answer else (0, b"")


def say(topic: str, entity: str, **more: object) -> bytes:
    return json.dumps({"topic": topic, "id": entity, **more}).encode()


@pytest.fixture
def connector(monkeypatch: pytest.MonkeyPatch) -> ToyConnector:
    toy = ToyConnector()
    monkeypatch.setattr(discover, "connectors", lambda: {"toy": toy})
    return toy


@pytest.fixture
async def street(
    connector: ToyConnector, monkeypatch: pytest.MonkeyPatch, transactional_db: None
) -> AsyncIterator[Street]:
    woken: list[int] = []
    monkeypatch.setattr("crossdock.store.work.defer", woken.extend)

    def shop() -> Connection:
        made = market.connection(market.seller())
        made.secrets = seal({"key": "k", "hook": SECRET})
        made.save()
        return made

    door = Door()
    yield Street(door, await sync(shop), woken)
    await door.close()


async def rows() -> list[Delivery]:
    return await sync(lambda: list(Delivery.objects.order_by("pk")))


async def test_a_delivery_is_kept_answered_and_the_shop_woken(street: Street) -> None:
    body = say("order", "7")
    assert await street.send(body) == (200, b"")
    (row,) = await rows()
    assert (row.party_id, row.topic, bytes(row.body)) == (street.shop.party_id, "order", body)
    assert row.news["looks"] == [{"kind": "order", "entity_id": "7"}]
    await until(lambda: street.woken, what="the shop to be woken")
    assert street.woken == [street.shop.party_id]


async def test_it_is_answered_only_after_the_commit(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    seen_at_answer: list[int] = []
    gate = asyncio.Event()
    insert = inbox_module.Inbox._insert

    async def late(self: inbox_module.Inbox, batch: list[inbox_module.Row]) -> None:
        await gate.wait()
        await insert(self, batch)

    monkeypatch.setattr(inbox_module.Inbox, "_insert", late)

    async def deliver() -> None:
        status, _ = await street.send(say("order", "7"))
        assert status == 200
        seen_at_answer.append(len(await rows()))

    task = asyncio.create_task(deliver())
    await asyncio.sleep(0.3)
    assert not task.done() and await rows() == []
    gate.set()
    await task
    assert seen_at_answer == [1]


async def test_a_forged_delivery_leaves_a_count_and_no_body(street: Street) -> None:
    for headers in ({"x-toy-signature": "0" * 64}, {}, {"x-toy-signature": "ü"}):
        status, _ = await street.send(say("order", "7"), signed=False, headers=headers)
        assert status == 401
    status, _ = await street.send(say("order", "7"), secret="another shop's secret")
    assert status == 401
    await until(lambda: Connection.objects.get(pk=street.shop.pk).forged >= 4, what="the count of forgeries")
    assert (await sync(Connection.objects.get, pk=street.shop.pk)).forged == 4
    assert await rows() == []
    assert street.woken == []


async def test_a_delivery_of_one_shop_does_not_open_anothers_door(street: Street) -> None:
    def other() -> Connection:
        made = market.connection(market.seller())
        made.secrets = seal({"hook": "other secret"})
        made.save()
        return made

    foreign = await sync(other)
    status, _ = await street.send(say("order", "7"), path=f"/hooks/shop/toy/{foreign.public_id}")
    assert status == 401
    assert await rows() == []


async def test_a_delivery_that_is_cut_short_is_nothing(street: Street) -> None:
    body = say("order", "7")
    chunks = [{"type": "http.request", "body": body[:10], "more_body": True}, {"type": "http.disconnect"}]
    assert await street.send(body, chunks=chunks) == (0, b"")
    # Shorter than it was signed, yet whole for HTTP: the signature does not fit.
    status, _ = await street.send(body, chunks=[{"type": "http.request", "body": body[:10], "more_body": False}])
    assert status == 401
    assert await rows() == []


async def test_ten_megabytes_are_refused_and_never_read(street: Street) -> None:
    body = b"x" * (10 * 1024 * 1024)
    status, _ = await street.send(body, chunks=[{"type": "http.request", "body": body[:10], "more_body": True}])
    assert status == 413, "by its announced length"
    pieces = 0

    def forever() -> Any:
        nonlocal pieces
        while True:
            pieces += 1
            yield {"type": "http.request", "body": b"x" * 65536, "more_body": True}

    status, _ = await street.send(b"", headers={"content-length": ""}, chunks=forever())
    assert status == 413, "by what came, when no length was announced"
    assert pieces * 65536 < 4 * 1024 * 1024, "no more was read than needed to know"
    assert await rows() == []


async def test_a_double_counts_while_its_twin_waits_and_is_news_afterwards(street: Street) -> None:
    body = say("order", "7")
    assert [(await street.send(body))[0] for _ in range(3)] == [200, 200, 200]
    (row,) = await rows()
    assert row.doubles == 2
    # It was doubled after the pump took it: it may be news since then, so it stays.
    await sync(inbox.handled, seen={row.pk: 1}, note="", now=datetime.now(UTC))
    assert (await rows())[0].handled_at is None
    await sync(inbox.handled, seen={row.pk: 2}, note="", now=datetime.now(UTC))
    assert (await street.send(body))[0] == 200
    assert [bool(row.handled_at) for row in await rows()] == [True, False], "a bare id can be news again"


async def test_a_hundred_at_once_share_commits_and_doubles_among_them_are_one(street: Street) -> None:
    bodies = [say("order", str(number % 50)) for number in range(100)]
    answers = await asyncio.gather(*(street.send(body) for body in bodies))
    assert {status for status, _ in answers} == {200}
    kept = await rows()
    assert len(kept) == 50 and sum(row.doubles for row in kept) == 50


async def test_out_of_order_deliveries_are_kept_as_they_come(street: Street) -> None:
    for count in (5, 3, 9):
        assert (await street.send(say("stock", "v1", count=count)))[0] == 200
    assert [row.news["hints"][0]["count"] for row in await rows()] == [5, 3, 9]


async def test_nobody_is_at_home(street: Street) -> None:
    body = say("order", "7")
    answers = [
        await street.send(body, path=path)
        for path in (
            "/hooks/shop/toy/nobody",
            "/hooks/shop/toy/",
            "/hooks/shop/none/x",
            "/hooks/x",
            "/hooks/shop/toy/a/b",
        )
    ]
    assert {status for status, _ in answers} == {404}
    assert len({text for _, text in answers}) == 1, "the answer does not tell which part was wrong"
    assert (await street.send(b"", method="GET"))[0] == 405
    assert await rows() == []


async def test_a_ping_is_answered_and_not_kept(street: Street) -> None:
    assert (await street.send(say("ping", "")))[0] == 200
    assert await rows() == []


async def test_what_is_signed_but_not_understood_is_not_kept(street: Street) -> None:
    assert (await street.send(b"not json"))[0] == 400
    assert (await street.send(say("no such topic", "1")))[0] == 400
    assert await rows() == []


async def test_one_poisoned_delivery_does_not_keep_the_others_out(street: Street) -> None:
    bodies = [say("order", "1"), say("order", "2\u0000"), say("order", "3")]
    answers = await asyncio.gather(*(street.send(body) for body in bodies))
    assert [status for status, _ in answers] == [200, 400, 200]
    assert len(await rows()) == 2


@pytest.mark.parametrize(("state", "status"), [("paused", 200), ("disconnected", 410), ("needs_reauth", 200)])
async def test_a_shop_that_is_not_active(street: Street, state: str, status: int) -> None:
    await sync(Connection.objects.filter(pk=street.shop.pk).update, state=state)
    assert (await street.send(say("order", "7")))[0] == status
    assert len(await rows()) == (1 if state == "needs_reauth" else 0), "one that signs in again wants to know"
    assert (await street.send(say("erase_shop", "")))[0] == 200
    assert [row.topic for row in await rows()][-1] == "erase_shop", "a request to erase is always kept"


async def test_deliveries_of_the_operators_app(street: Street, settings: Any) -> None:
    settings.APPS = {"toy": {"secret": "app-secret"}}
    path = "/hooks/shop/toy/app"
    body = say("erase_shop", "", shop=street.shop.shop_key)
    assert (await street.send(body, path=path))[0] == 200, "verified with the shop's own connection"
    (row,) = await rows()
    assert row.party_id == street.shop.party_id
    unknown = say("erase_shop", "", shop="never-seen")
    assert (await street.send(unknown, path=path, secret="app-secret"))[0] == 200
    assert (await street.send(unknown, path=path, secret="wrong"))[0] == 401
    assert (await street.send(say("erase_shop", ""), path=path))[0] == 404
    assert len(await rows()) == 1


async def test_a_request_to_erase_is_obeyed_for_a_shop_that_left(street: Street) -> None:
    from crossdock.engine.shop import inbox

    await street.send(say("order", "7"))
    await sync(Connection.objects.filter(pk=street.shop.pk).update, state="disconnected")
    street.door._until.clear()
    assert (await street.send(say("erase_shop", "")))[0] == 200
    assert await sync(inbox.obey_for_closed_shops) == 1
    kept = await rows()
    assert all(bytes(row.body) == b"" for row in kept)
    from crossdock.store.vault import unseal

    shop = await sync(Connection.objects.get, pk=street.shop.pk)
    assert unseal(shop.secrets) == {}
    assert await sync(inbox.obey_for_closed_shops) == 0


async def test_the_database_is_down_and_comes_back(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await street.send(say("order", "1")))[0] == 200
    inbox = street.door._inbox
    assert inbox is not None
    connect = inbox._connect

    async def refused() -> psycopg.AsyncConnection[Any]:
        raise psycopg.OperationalError("the database system is shutting down")

    inbox._connect = refused
    assert inbox._connection is not None
    await inbox._connection.close()
    status, _ = await street.send(say("order", "2"))
    assert status == 503, "so that the shop sends it again"
    assert len(await rows()) == 1
    inbox._connect = connect
    answers = [503]
    for _ in range(100):
        answers.append((await street.send(say("order", "2")))[0])
        if answers[-1] == 200:
            break
        await asyncio.sleep(0.1)
    assert set(answers) == {200, 503}
    assert len(await rows()) == 2


async def test_the_connections_cannot_be_looked_up(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    def down(*_: object) -> None:
        raise OperationalError("no route to host")

    monkeypatch.setattr("crossdock.web.door._read_room", down)
    assert (await street.send(say("order", "1")))[0] == 503


async def test_a_flood_of_unknown_names_is_bounded(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    gate = threading.Event()
    monkeypatch.setattr("crossdock.web.door._MOST_ASKED", 5)
    monkeypatch.setattr("crossdock.web.door._read_room", lambda *_: gate.wait(60) and None)
    tasks = [
        asyncio.create_task(street.send(say("order", "1"), path=f"/hooks/shop/toy/{number}")) for number in range(8)
    ]
    await until(lambda: sum(task.done() for task in tasks) >= 3, what="what is too much")
    assert [(await task)[0] for task in tasks if task.done()] == [503] * 3
    gate.set()
    assert sorted(status for status, _ in await asyncio.gather(*tasks)) == [404] * 5 + [503] * 3


async def test_a_full_inbox_asks_for_patience(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_module, "MOST_ROWS", 3)
    gate, taken = asyncio.Event(), asyncio.Event()
    insert = inbox_module.Inbox._insert

    async def late(self: inbox_module.Inbox, batch: list[inbox_module.Row]) -> None:
        taken.set()
        await gate.wait()
        await insert(self, batch)

    monkeypatch.setattr(inbox_module.Inbox, "_insert", late)
    first = asyncio.create_task(street.send(say("order", "0")))
    await asyncio.wait_for(taken.wait(), patient(40))
    waiting = [asyncio.create_task(street.send(say("order", str(number)))) for number in range(1, 6)]
    await until(lambda: sum(task.done() for task in waiting) >= 2, what="the two that find no place")
    refused = [task for task in waiting if task.done()]
    assert [(await task)[0] for task in refused] == [503, 503]
    gate.set()
    assert {
        status for status, _ in await asyncio.gather(first, *(task for task in waiting if task not in refused))
    } == {200}
    assert len(await rows()) == 4


async def test_a_reconnected_shops_new_secret_is_taken_up(street: Street) -> None:
    assert (await street.send(say("order", "1")))[0] == 200

    def reconnect() -> None:
        Connection.objects.filter(pk=street.shop.pk).update(secrets=seal({"hook": "fresh"}))

    await sync(reconnect)
    (key,) = street.door._rooms
    room = street.door._rooms[key]
    assert room is not None
    from dataclasses import replace

    street.door._rooms[key] = replace(room, read_at=room.read_at - 10)
    assert (await street.send(say("order", "2"), secret="fresh"))[0] == 200
    assert (await street.send(say("order", "3")))[0] == 401, "the old secret opens nothing any more"


async def test_closing_keeps_what_was_waiting(connector: ToyConnector, street: Street) -> None:
    assert (await street.send(say("order", "x")))[0] == 200
    tasks = [asyncio.create_task(street.send(say("order", str(number)))) for number in range(20)]
    await asyncio.sleep(0)
    assert street.door._inbox is not None
    await street.door._inbox.close()
    street.door._inbox = None
    answers = [(await task)[0] for task in tasks]
    assert set(answers) <= {200, 503} and 200 in answers
    kept = {row.news["looks"][0]["entity_id"] for row in await rows()}
    assert kept == {"x"} | {str(number) for number, status in enumerate(answers) if status == 200}


async def test_over_a_real_socket(street: Street) -> None:
    """uvicorn in between: a delivery that is cut off, one of 10 MB, one that is whole, each over TCP."""
    import uvicorn

    config = uvicorn.Config(
        street.door, port=0, http="httptools", loop="none", ws="none", lifespan="off", log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    server.config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    port = server.servers[0].sockets[0].getsockname()[1]
    body = say("order", "7")
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()

    async def speak(length: int, sent: bytes, *, leave: bool = False) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = (
            f"POST /hooks/shop/toy/{street.shop.public_id} HTTP/1.1\r\nhost: x\r\nx-toy-signature:"
            f" {signature}\r\ncontent-length: {length}\r\n\r\n"
        )
        writer.write(head.encode() + sent)
        await writer.drain()
        answer = b"" if leave else await asyncio.wait_for(reader.readline(), patient(5))
        writer.close()
        return answer

    try:
        assert await speak(len(body), body[:10], leave=True) == b""
        assert b" 413 " in await speak(10 * 1024 * 1024, b"x" * 1000), "answered before the rest is sent"
        await asyncio.sleep(0.1)
        assert await rows() == []
        assert b" 200 " in await speak(len(body), body)
        assert len(await rows()) == 1
    finally:
        await server.shutdown()


def test_what_a_vendor_says_of_a_delivery_is_kept_and_nothing_that_is_signed() -> None:
    headers = {
        "content-type": "application/json",
        "vendure-event": "order_created",
        "vendure-signature": "e30..abc",
        "x-shopify-topic": "orders/create",
        "x-shopify-hmac-sha256": "abc",
        "x-forwarded-for": "10.0.0.1",
        "cookie": "a=b",
    }
    assert set(json.loads(inbox_module._kept_headers(headers))) == {"content-type", "vendure-event", "x-shopify-topic"}
