"""The one door for all webhooks: /hooks/shop/<platform>/<connection, or "app">, /hooks/payments/<gateway>,
/hooks/carrier/<carrier>, /hooks/payouts/<provider>. Raw ASGI, since nothing here needs more.

A delivery is answered 2xx only after its row was committed; the signature is checked over the raw bytes first. A
forged one leaves a count, nothing else.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection as django_connection

from crossdock.domain.events import HookNews, LookKind
from crossdock.kit import discover
from crossdock.kit.connector import Connector, Forged, Hook, Reply, Shop
from crossdock.kit.webhook import Teller, told_news, verified_news
from crossdock.store.crash import point
from crossdock.store.models.shops import ConnectionState
from crossdock.store.models.work import PartyKind
from crossdock.store.threads import Threads
from crossdock.store.work import wake
from crossdock.usecases.outbox.queue import party_named
from crossdock.usecases.shops import connect
from crossdock.usecases.shops.queries import shop_called
from crossdock.web.carriers import carrier_named
from crossdock.web.inbox import Inbox, Unkeepable, connector_to
from crossdock.web.payments import gateway_named
from crossdock.web.payouts import bank_named

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_log = logging.getLogger(__name__)
KEEP_SECONDS = 30.0
_SECOND_LOOK_AFTER = 2.0
_MOST_ROOMS = 20_000
_MOST_ASKED = 2_000
_BODY_SECONDS = 15.0
# What must reach us even from a shop that is paused or gone: the platform asks to erase, or says that our app was
# removed.
_ALWAYS = frozenset({LookKind.ERASE_BUYER, LookKind.ERASE_SHOP, LookKind.UNINSTALLED})


class Mute:
    """A connector that verifies a delivery has no business calling its shop."""

    async def send(self, method: str, url: str, **_: Any) -> Reply:
        raise AssertionError("a delivery is judged without calling anybody")

    def learn(self, *, left: float, per_second: float | None = None) -> None:
        raise AssertionError("a delivery is judged without calling anybody")


@dataclass(frozen=True, slots=True)
class Room:
    """What the door knows of one connection, for half a minute.

    `connection_id` 0 stands for an operator's app without a known shop.
    """

    connector: Connector
    shop: Shop
    connection_id: int
    party_id: int
    state: str
    read_at: float


def _answer(status: int, body: bytes = b"", **headers: str) -> tuple[Message, Message]:
    lines = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    lines += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": lines}, {
        "type": "http.response.body",
        "body": body,
    }


# Without a body: one write less for each of thousands a second.
_KEPT = _answer(200)
_UNREADABLE = _answer(400, b"this cannot be read\n")
# How a path's party is opened, and what kind it is.
_TOLD: Mapping[str, tuple[PartyKind, Callable[[str], Teller]]] = {
    "payments": (PartyKind.PAYMENT, gateway_named),
    "carrier": (PartyKind.CARRIER, carrier_named),
    "payouts": (PartyKind.PAYOUT, bank_named),
}
_FORGED = _answer(401, b"the signature does not fit\n")
_UNKNOWN = _answer(404, b"nobody here\n")
_ONLY_POST = _answer(405, b"only POST\n", allow="POST")
_SLOW = _answer(408, b"too slow\n", connection="close")
_GONE = _answer(410, b"disconnected\n")
_TOO_LARGE = _answer(413, b"too large\n", connection="close")
_LATER = _answer(503, b"please send it again\n", retry_after="5")


class _TooLarge(Exception):
    pass


class _Unreadable(Exception):
    """Signed by who sent it, yet not to be understood: polling will bring what it meant."""


class _Busy(Exception):
    """So many unknown names at once that looking them up would fill the memory."""


class _Left(Exception):
    """The sender hung up before the body was whole."""


class Door:
    """One per process. It opens with the first delivery, so that it also works under servers without lifespan."""

    def __init__(self) -> None:
        self._rooms: dict[tuple[str, str, str], Room | None] = {}
        self._until: dict[tuple[str, str, str], float] = {}
        self._asked: dict[tuple[str, str, str], asyncio.Task[Room | None]] = {}
        self._inbox: Inbox | None = None
        self._complained = 0.0
        self._tills: dict[tuple[str, str], int] = {}
        self._threads = Threads(2, name="door")

    async def lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    @cached_property
    def _platforms(self) -> Mapping[str, Connector]:
        """Asked once: looking through the folders costs as much as the whole rest of a delivery."""
        return discover.connectors()

    @cached_property
    def _tillkeepers(self) -> frozenset[tuple[str, str]]:
        """(path, name) of parties that have one address for the whole marketplace."""
        return frozenset(
            [("payments", name) for name in discover.gateways()]
            + [("carrier", name) for name in discover.carriers()]
            + [("payouts", name) for name in discover.payout_banks()]
        )

    async def close(self) -> None:
        if self._inbox is not None:
            await self._inbox.close()
            self._inbox = None
        await self._threads.close()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        # Who hung up gets no answer; what was kept stays kept.
        with contextlib.suppress(_Left, OSError):
            start, body = await self._judge(scope, receive)
            await send(start)
            await send(body)

    async def _judge(self, scope: Message, receive: Receive) -> tuple[Message, Message]:
        if scope["method"] != "POST":
            return _ONLY_POST
        parts = scope["path"].rstrip("/").split("/")
        of_shop = len(parts) == 5 and parts[2] == "shop" and parts[3] in self._platforms
        of_till = len(parts) == 4 and (parts[2], parts[3]) in self._tillkeepers
        if not (of_shop or of_till):
            return _UNKNOWN
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        try:
            hook = Hook(headers, await _body(receive, headers, settings.HOOK_BODY_LIMIT))
        except _TooLarge:
            return _TOO_LARGE
        except TimeoutError:
            return _SLOW
        try:
            return await (
                self._take(parts[3], parts[4], hook) if of_shop else self._take_told(parts[2], parts[3], hook)
            )
        except _Unreadable:
            return _UNREADABLE
        except _Busy:
            return _LATER
        except (DatabaseError, OSError) as error:
            self._complain(error)
            return _LATER

    def _complain(self, error: Exception) -> None:
        """Once a second, not once a delivery."""
        if time.monotonic() - self._complained > 1:
            self._complained = time.monotonic()
            _log.error("the door cannot look up a connection: %s", error)

    async def _take(self, platform: str, name: str, hook: Hook) -> tuple[Message, Message]:
        key = (platform, name, "")
        if name == "app":
            shop_key = _shop_of(self._platforms[platform], hook)
            if not shop_key:
                return _UNKNOWN
            key = (platform, "app", shop_key)
        room = await self._room(key)
        if room is None:
            return _UNKNOWN
        news = _read(platform, partial(verified_news, room.connector, room.shop, hook))
        if news is None and time.monotonic() - room.read_at > _SECOND_LOOK_AFTER:
            # The seller may have reconnected with another secret a moment ago.
            self._until.pop(key, None)
            room = await self._room(key) or room
            news = _read(platform, partial(verified_news, room.connector, room.shop, hook))
        if news is None:
            if room.connection_id:
                self._open().forged(room.connection_id)
            return _FORGED
        point("door.verified")
        return await self._keep(room, news, hook)

    async def _take_told(self, path: str, name: str, hook: Hook) -> tuple[Message, Message]:
        """A payment provider's, a carrier's or a payout bank's delivery."""
        kind, named = _TOLD[path]
        news = _read(name, lambda: told_news(named(name), hook, _now()))
        if news is None:
            return _FORGED
        point("door.verified")
        if not news.looks:
            return _KEPT
        if (kind, name) not in self._tills:
            self._tills[kind, name] = (await self._threads.run(party_named, kind=kind, name=name)).pk
        return await self._put(self._tills[kind, name], news, hook)

    async def _keep(self, room: Room, news: HookNews, hook: Hook) -> tuple[Message, Message]:
        wanted = any(look.kind in _ALWAYS for look in news.looks)
        if not room.connection_id or (not news.looks and not news.hints):
            # A ping, or an app-wide delivery about a shop that is not ours: understood, nothing to keep.
            return _KEPT
        if room.state == ConnectionState.DISCONNECTED and not wanted:
            # Tells the shop to stop: we unsubscribed, and it did not hear it.
            return _GONE
        if room.state == ConnectionState.PAUSED and not wanted:
            # An error would make the shop switch its webhook off; on resuming everything is read anyway.
            return _KEPT
        return await self._put(room.party_id, news, hook)

    async def _put(self, party_id: int, news: HookNews, hook: Hook) -> tuple[Message, Message]:
        kept = self._open().put(party_id=party_id, news=news, body=hook.body, headers=hook.headers)
        if kept is None:
            return _LATER
        try:
            await kept
        except Unkeepable:
            return _UNREADABLE
        except Exception:
            return _LATER
        point("door.before_answer")
        return _KEPT

    async def _room(self, key: tuple[str, str, str]) -> Room | None:
        """From memory, or read once however many ask at the same time."""
        if self._until.get(key, 0.0) > time.monotonic():
            return self._rooms[key]
        asked = self._asked.get(key)
        if asked is None:
            if len(self._asked) >= _MOST_ASKED:
                raise _Busy
            asked = self._asked[key] = asyncio.create_task(self._threads.run(_read_room, *key))
            asked.add_done_callback(lambda _: self._asked.pop(key, None))
        room = await asyncio.shield(asked)
        if len(self._rooms) > _MOST_ROOMS:
            self._rooms.clear()
            self._until.clear()
        self._rooms[key], self._until[key] = room, time.monotonic() + KEEP_SECONDS
        return room

    def _open(self) -> Inbox:
        if self._inbox is None:
            self._inbox = Inbox(connect=connector_to(_parameters()), wake=self._wake)
        return self._inbox

    async def _wake(self, parties: set[int]) -> None:
        await self._threads.run(wake, parties)


def _read(name: str, verified: Callable[[], HookNews]) -> HookNews | None:
    """What a delivery says once its signature was found good; None for a forged one. Raises _Unreadable."""
    try:
        return verified()
    except Forged:
        return None
    except Exception as error:
        _log.warning("a delivery of %s cannot be read: %s: %s", name, type(error).__name__, error)
        raise _Unreadable from None


def _shop_of(connector: Connector, hook: Hook) -> str:
    """Not verified yet: it only says whose secret to verify with."""
    try:
        return connector.hook_shop(hook)
    except Exception:
        return ""


async def _body(receive: Receive, headers: Mapping[str, str], limit: int) -> bytes:
    """The whole body, never more than `limit` of it. Raises _TooLarge, _Left, TimeoutError."""
    length = headers.get("content-length", "0")
    if length.isdigit() and int(length) > limit:
        raise _TooLarge
    message = await receive()
    if message["type"] == "http.disconnect":
        raise _Left
    body: bytes = message.get("body", b"")
    if not message.get("more_body") and len(body) <= limit:
        return body
    async with asyncio.timeout(_BODY_SECONDS):
        parts, size = [body], len(body)
        while message.get("more_body") and size <= limit:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Left
            parts.append(message.get("body", b""))
            size += len(parts[-1])
    if size > limit:
        raise _TooLarge
    return b"".join(parts)


def _read_room(platform: str, name: str, shop_key: str) -> Room | None:
    connector = discover.connectors()[platform]
    row = shop_called(platform, name=name, shop_key=shop_key)
    if row is None:
        bare = Shop("", {}, {}, Mute(), _now, app=settings.APPS.get(platform, {}))
        return Room(connector, bare, 0, 0, ConnectionState.DISCONNECTED, time.monotonic()) if shop_key else None
    access = connect.access_of(connection=row)
    shop = Shop(access.address, access.secrets, access.settings, Mute(), _now, access.app, access.hook_url)
    return Room(connector, shop, row.pk, row.party_id, row.state, time.monotonic())


def _parameters() -> dict[str, Any]:
    parameters: dict[str, Any] = dict(django_connection.get_connection_params())
    for own in ("cursor_factory", "context", "pool"):
        parameters.pop(own, None)
    return parameters


def _now() -> datetime:
    return datetime.now(UTC)
