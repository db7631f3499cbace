"""A simulated Shopify shop over real HTTP: Shopify's own schema decides what is a valid request, and the shop's books
decide what happens.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import aiohttp
from aiohttp import web

from crossdock.connectors.shopify.manifest import API_VERSION, OWN_APP
from crossdock.connectors.shopify.sandbox import graph
from crossdock.connectors.shopify.sandbox.access import OPERATOR_APP, Access
from crossdock.connectors.shopify.sandbox.books import Books
from crossdock.connectors.shopify.sandbox.hand import ShopHand
from crossdock.connectors.shopify.sandbox.hooks import Hooks
from crossdock.connectors.shopify.sandbox.reads import Reads
from crossdock.connectors.shopify.sandbox.writes import Writes
from crossdock.kit.sandbox import Sandbox as Base
from crossdock.kit.sandbox import Shelf
from crossdock.kit.sandbox.books import iso

__all__ = ["OPERATOR_APP", "Sandbox"]

_BAD_TOKEN = {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Sandbox(Base):
    """`books.trial` makes it a development store, `access.token_seconds` shortens the tokens' life, `job_seconds` is
    how long a cancel takes.
    """

    label = "Simulated Shopify shop"
    app = OPERATOR_APP

    def __init__(
        self, shelf: Shelf, *, seed: int = 0, clock: Callable[[], datetime] = _utc_now, currency: str = "USD"
    ) -> None:
        super().__init__(shelf, seed=seed, clock=clock)
        self.books = Books(shelf, clock, currency)
        self.access = Access(self.books)
        self.hooks = Hooks(self.books, self.access, self.deliver)
        self.job_seconds = 0.15
        self.frozen = 0
        self.buckets: dict[str, graph.Bucket] = {}
        self._timers: list[asyncio.TimerHandle] = []
        self._hand = ShopHand(self.books, self.run_jobs)

    def routes(self, app: web.Application) -> None:
        app.router.add_post(f"/admin/api/{API_VERSION}/graphql.json", self._graphql)
        app.router.add_get("/admin/oauth/authorize", self.access.ask_person)
        app.router.add_post("/admin/oauth/authorize", self.access.approved)
        app.router.add_post("/admin/oauth/access_token", self.access.token)
        app.router.add_get("/admin/{kind:orders|products}/{id}", self._to_the_page)

    @property
    def hand(self) -> ShopHand:
        return self._hand

    async def fill(self, many: int, *, count: int, since: datetime) -> list[str]:
        first, old, numbers = self.shelf.all("product")[0], iso(since), []
        variant = self.shelf.need("variant", first["variants"][0])
        dated = {"created": old, "updated": old, "index": [[since.timestamp(), old]]}
        with self.shelf.transaction():
            for n in range(many):
                product, own, item = self.books.new_id(), self.books.new_id(), self.books.new_id()
                row = variant | {
                    "id": own,
                    "product": product,
                    "item": item,
                    "sku": f"F-{n}",
                    "levels": dict.fromkeys(variant["levels"], count),
                }
                self.shelf.put("variant", own, row, key=item)
                self.shelf.put(
                    "product", product, first | dated | {"id": product, "title": f"Card {n}", "variants": [own]}
                )
                numbers.append(own)
        return numbers

    def seller_form(self) -> tuple[str, dict[str, str]]:
        own = self.access.own_app
        return OWN_APP.name, {
            "shop": self.address,
            "client_id": own["client_id"],
            "client_secret": own["client_secret"],
        }

    async def approve(self, url: str) -> dict[str, str]:
        """Open the page, click Install, and stop where the browser would go back to the app."""
        async with aiohttp.ClientSession() as browser:
            async with browser.get(url) as page:
                if page.status != 200:
                    raise ValueError(f"the sign-in page answers {page.status}: {await page.text()}")
            form = dict(parse_qsl(urlsplit(url).query))
            async with browser.post(url.partition("?")[0], data=form, allow_redirects=False) as back:
                return dict(parse_qsl(urlsplit(back.headers["Location"]).query))

    def throttled(self) -> web.Response:
        """A refusal with HTTP 200, as Shopify's."""
        bucket = graph.Bucket(level=0.0)
        return web.json_response(graph.throttled(round(bucket.restore / 2), bucket))

    def broken(self) -> web.Response:
        if self.random.random() < 0.5:
            return web.Response(status=502, text="<html><title>502</title></html>", content_type="text/html")
        error = {
            "message": "Internal error. Looks like something went wrong on our end.",
            "extensions": {"code": "INTERNAL_SERVER_ERROR"},
        }
        return web.json_response({"errors": [error]})

    def revoked(self, request: web.Request) -> web.StreamResponse | None:
        if request.path.endswith("/access_token"):
            return web.json_response(
                {"error": "invalid_grant", "error_description": "The app is not installed."}, status=400
            )
        return web.json_response(_BAD_TOKEN, status=401) if request.path.startswith("/admin/api/") else None

    async def stop(self) -> None:
        self.hooks.close()
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        await super().stop()

    def uninstall(self) -> None:
        """The seller removes the operator's app and their own."""
        self.books.event("APP_UNINSTALLED", self.books.shop)
        for app in self.shelf.all("app"):
            self.access.uninstall(app["client_id"])

    def run_jobs(self, *, due_only: bool = False) -> None:
        """Do what cancels have left to do. A person sees it done; a caller of the API only what is due."""
        now = self.clock().timestamp()
        for job in self.shelf.all("job"):
            if not job["done"] and (not due_only or job["due"] <= now):
                with self.books.at_once():
                    self.books.call_off(job["order"], restock=job["restock"], reason=job["reason"], note=job["note"])
                    self.shelf.put("job", job["id"], job | {"done": True}, key=job["order"])

    async def _graphql(self, request: web.Request) -> web.Response:
        if self.frozen:
            return web.json_response({"errors": "Unavailable Shop"}, status=self.frozen)
        entered = self.access.entering(request.headers.get("X-Shopify-Access-Token", ""))
        if entered is None:
            return web.json_response(_BAD_TOKEN, status=401)
        client_id, scopes = entered
        body = await request.read()
        self.run_jobs(due_only=True)
        reads = Reads(self.books, scopes)
        writes = Writes(self.books, reads, scopes, client_id, self.job_seconds)
        bucket = self.buckets.setdefault(client_id, graph.Bucket())
        answer = graph.answer(
            body, lambda kind: writes.roots() if kind == "mutation" else reads.roots(), bucket, self.clock().timestamp()
        )
        if b"orderCancel" in body:
            self._timers.append(
                asyncio.get_running_loop().call_later(self.job_seconds + 0.01, lambda: self.run_jobs(due_only=True))
            )
        return web.json_response(answer, headers={"X-Shopify-API-Version": API_VERSION})

    async def _to_the_page(self, request: web.Request) -> web.Response:
        """Links into the admin end on the page where a person plays the seller."""
        raise web.HTTPFound("/_shop")
