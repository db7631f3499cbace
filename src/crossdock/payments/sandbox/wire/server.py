"""The server: keys, time-outs, idempotency, faults, and webhooks that are signed as Stripe signs them.

An idempotency key keeps the first answer for 24 hours, a failure of the bank's own included; what was refused before
it began, or was one call too many, is not kept.
"""

import asyncio
import hashlib
import json
import random
import re
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from crossdock.kit.sandbox import FaultDial
from crossdock.kit.sandbox.deliver import Delivery, Postman
from crossdock.kit.sandbox.remote import own_pages_only
from crossdock.kit.webhook import sign
from crossdock.payments.sandbox.ledger import Ledger
from crossdock.payments.sandbox.wire import bank, page, shapes
from crossdock.payments.sandbox.wire.bank import Bank
from crossdock.payments.sandbox.wire.shapes import Json, Problem

SECRET_KEY = "sk_test_sandbox_0123456789abcdef"  # noqa: S105 - opens nothing but this server
KEPT_SECONDS = 24 * 3600.0
RETRY_SECONDS = (0.1, 0.4, 1.6)
Work = Callable[[Bank], Json]


@dataclass(frozen=True, slots=True)
class Said:
    status: int
    body: Json
    replayed: bool = False

    def response(self) -> web.Response:
        headers = {"Request-Id": f"req_{secrets.token_hex(7)}"}
        if self.replayed:
            headers["Idempotent-Replayed"] = "true"
        return web.json_response(self.body, status=self.status, headers=headers)


class Wire:
    """`address` is what the Stripe library is pointed at.

    `hook_url` and `hook_secret` say where events go, and signed with what.
    """

    def __init__(self, folder: Path, *, seed: int = 0, clock: Callable[[], float] = time.time) -> None:
        self.ledger = Ledger(folder / "ledger.sqlite")
        with self.ledger.book() as db:
            for table in bank.TABLES.strip().split(";"):
                db.execute(table)
        self.dial = FaultDial(dice=random.Random(seed))
        self.clock = clock
        self.secret_key = SECRET_KEY
        self.hook_url, self.hook_secret = "", "whsec_sandbox_0123456789abcdef"
        self.search_lag_seconds = 60.0
        # How long a call is being worked on; a second one with its key meanwhile is refused, not waited for.
        self.thinking_seconds = 0.0
        self.spoil_next = False
        self.address = ""
        self._thinking: set[str] = set()
        self._postman = Postman(self.dial)
        self._runner: web.AppRunner | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        app = web.Application(middlewares=[own_pages_only, self._faults])
        page.add_to(app, self)
        app.router.add_post("/v1/payment_intents", self._post(bank.BEGIN, lambda it, form, _: it.begin(form)))
        app.router.add_get("/v1/payment_intents", self._get(lambda it, url, query, _: it.intents(url, query)))
        app.router.add_get("/v1/payment_intents/search", self._get(self._search))
        app.router.add_get("/v1/payment_intents/{ref}", self._get(lambda it, _, query, ref: it.intent(ref, query)))
        app.router.add_post(
            "/v1/payment_intents/{ref}/confirm", self._post(bank.CONFIRM, lambda it, form, ref: it.confirm(ref, form))
        )
        app.router.add_post(
            "/v1/payment_intents/{ref}/cancel", self._post(bank.CANCEL, lambda it, form, ref: it.cancel(ref, form))
        )
        app.router.add_post("/v1/refunds", self._post(bank.REFUND, lambda it, form, _: it.refund(form)))
        app.router.add_get("/v1/refunds", self._get(lambda it, url, query, _: it.refunds(url, query)))
        app.router.add_get("/v1/disputes", self._get(lambda it, url, query, _: it.disputes(url, query)))
        app.router.add_get(
            "/v1/radar/early_fraud_warnings", self._get(lambda it, url, query, _: it.warnings(url, query))
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        bound_host, bound_port = self._runner.addresses[0][:2]
        self.address = f"http://{bound_host}:{bound_port}"

    async def stop(self) -> None:
        await self._postman.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def told(self) -> None:
        """Wait until no webhook is under way."""
        await self._postman.settled()

    def do(self, work: Callable[[Bank], object]) -> None:
        """What a person does at the bank's own pages, or the buyer's bank; its webhooks go out like all others."""
        with self.ledger.book() as db:
            it = Bank(db, int(self.clock()), self.address)
            work(it)
        self._tell(it.events)

    # Calls

    def _get(self, read: Callable[[Bank, str, dict[str, str], str], Json]) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            with self.ledger.book() as db:
                it = Bank(db, int(self.clock()), self.address)
                body = read(it, request.path, _flat(request.query.items()), request.match_info.get("ref", ""))
            return Said(200, body).response()

        return handle

    def _search(self, it: Bank, url: str, query: dict[str, str], _: str) -> Json:
        found = re.fullmatch(r"metadata\['([^']+)'\]:'([^']*)'", query.get("query", ""))
        if not found:
            raise shapes.bad("We were unable to parse your search query.", param="query")
        return it.search(url, found[1], found[2], lag=self.search_lag_seconds)

    def _post(self, allowed: Iterable[str], work: Callable[[Bank, dict[str, str], str], Json]) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            form = shapes.form_of(await request.read(), allowed)
            ref, key = request.match_info.get("ref", ""), request.headers.get("Idempotency-Key", "")
            text = json.dumps([request.path, sorted(form.items())])
            return (await self._once(key, text, lambda it: work(it, form, ref))).response()

        return handle

    async def _once(self, key: str, text: str, work: Work) -> Said:
        if key in self._thinking:
            raise Problem(
                409,
                "idempotency_error",
                "There is currently another in-progress request using this key.",
                code="idempotency_key_in_use",
            )
        if key:
            self._thinking.add(key)
        try:
            await asyncio.sleep(self.thinking_seconds)
            return self._work(key, hashlib.sha256(text.encode()).hexdigest(), work)
        finally:
            self._thinking.discard(key)

    def _work(self, key: str, fingerprint: str, work: Work) -> Said:
        with self.ledger.book() as db:
            db.execute("DELETE FROM wire_key WHERE at < ?", [self.clock() - KEPT_SECONDS])
            kept = db.execute("SELECT print, status, body FROM wire_key WHERE key = ?", [key]).fetchone()
            if kept:
                if kept[0] != fingerprint:
                    raise Problem(
                        400,
                        "idempotency_error",
                        "Keys for idempotent requests can only be used with the same parameters they were first used"
                        " with.",
                    )
                return Said(kept[1], json.loads(kept[2]), replayed=True)
            it = Bank(db, int(self.clock()), self.address)
            said = self._said(it, work)
            if key:
                db.execute(
                    "INSERT INTO wire_key VALUES (?, ?, ?, ?, ?)",
                    [key, fingerprint, said.status, json.dumps(said.body), self.clock()],
                )
        self._tell(it.events)
        return said

    def _said(self, it: Bank, work: Work) -> Said:
        """Raises Problem for what had not begun: then nothing is kept."""
        if self.spoil_next:
            self.spoil_next = False
            return Said(500, Problem(500, "api_error", "An unknown error occurred.").body)
        try:
            return Said(200, work(it))
        except Problem as problem:
            if not problem.saved:
                raise
            return Said(problem.status, problem.body)

    # Events

    def _tell(self, events: Iterable[tuple[str, Json]]) -> None:
        if not self.hook_url:
            return
        for topic, thing in events:
            made = shapes.event(id=f"evt_3{secrets.token_hex(11)}", topic=topic, thing=thing, created=int(self.clock()))
            self._send(json.dumps(made, indent=2).encode(), 0)

    def _send(self, body: bytes, tries: int) -> None:
        def again(status: int | None) -> None:
            if (status is None or not 200 <= status < 300) and tries < len(RETRY_SECONDS):
                asyncio.get_running_loop().call_later(RETRY_SECONDS[tries], self._send, body, tries + 1)

        self._postman.post(Delivery(self.hook_url, self.signed, body, again))

    def signed(self, body: bytes) -> dict[str, str]:
        at = int(self.clock())
        mac = sign(self.hook_secret, f"{at}.".encode() + body, encoding="hex")
        return {"Stripe-Signature": f"t={at},v1={mac}", "Content-Type": "application/json; charset=utf-8"}

    # Trouble

    @web.middleware
    async def _faults(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/_"):
            return await handler(request)
        await asyncio.sleep(self.dial.latency_seconds)
        if self.dial.down:
            return web.Response(status=503, text="<h1>503 Service Unavailable</h1>", content_type="text/html")
        given = request.headers.get("Authorization", "")
        if self.dial.revoked or given != f"Bearer {self.secret_key}":
            return Said(401, shapes.bad("Invalid API Key provided.", status=401).body).response()
        fault = self.dial.call()
        if fault == "throttle":
            return Said(429, shapes.bad("Too many requests.", status=429, code="rate_limit").body).response()
        if fault == "broken":
            return Said(500, Problem(500, "api_error", "An unknown error occurred.").body).response()
        response = await _answered(request, handler)
        if fault == "lost_reply":
            if request.transport is not None and self.dial.dice.random() < 0.5:
                request.transport.close()
            return web.Response(status=502, text="<h1>502 Bad Gateway</h1>", content_type="text/html")
        if fault == "garbled":
            return web.Response(text="<!doctype html><title>Just a moment...</title>", content_type="text/html")
        return response


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Problem as problem:
        return Said(problem.status, problem.body).response()
    except web.HTTPNotFound:
        said = f"Unrecognized request URL ({request.method}: {request.path})."
        return Said(404, shapes.bad(said, status=404).body).response()


def _flat(items: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {str(name): str(value) for name, value in items}
