"""A simulated Saleor shop over real HTTP: one GraphQL endpoint, and the keys of its webhooks."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from aiohttp import web

from crossdock.connectors.saleor.sandbox.api import Api
from crossdock.connectors.saleor.sandbox.books import HOME, Books, stamp
from crossdock.connectors.saleor.sandbox.hooks import Hooks
from crossdock.connectors.saleor.sandbox.merchant import Seller
from crossdock.kit.sandbox import Sandbox as Base
from crossdock.kit.sandbox import Shelf


class Sandbox(Base):
    """`books.set(with_tax=False, catalogue_promotion=20, ...)` changes what the seller would."""

    label = "Simulated Saleor"

    def __init__(
        self, shelf: Shelf, *, seed: int = 0, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        super().__init__(shelf, seed=seed, clock=clock)
        if shelf.get("token", "it") is None:
            shelf.put("token", "it", {"id": "it", "token": f"{self.random.getrandbits(120):030x}"})
        self.hooks = Hooks(shelf, self.deliver, seed, lambda: stamp(clock()), lambda: self.address)
        self.books = Books(shelf, clock, self.hooks.tell)
        self._seller = Seller(self.books)

    @property
    def token(self) -> str:
        return str(self.shelf.need("token", "it")["token"])

    @property
    def hand(self) -> Seller:
        return self._seller

    def routes(self, app: web.Application) -> None:
        app.router.add_post("/graphql/", self._graphql)
        app.router.add_get("/.well-known/jwks.json", self._keys)

    async def _graphql(self, request: web.Request) -> web.Response:
        try:
            asked = await request.json()
        except ValueError:
            return web.json_response({"errors": [{"message": "Unable to parse query."}]}, status=400)
        known = request.headers.get("Authorization", "") == f"Bearer {self.token}" and not self.dial.revoked
        rights = self.books.settings["rights"] if known else None
        status, body = Api(self.books, rights).run(asked["query"], asked.get("variables") or {})
        return web.json_response(body, status=status)

    async def _keys(self, request: web.Request) -> web.Response:
        return web.json_response(self.hooks.keys())

    def seller_form(self) -> tuple[str, dict[str, str]]:
        return "token", {"address": f"{self.address}/graphql/", "token": self.token}

    async def fill(self, many: int, *, count: int, since: datetime) -> list[str]:
        template, found = self.shelf.all("product")[0], []
        with self.shelf.transaction():
            for left in range(many, 0, -1):
                product, variant = str(self.books.new_id("product")), str(self.books.new_id("variant"))
                old = stamp(since - timedelta(seconds=left))
                row = {
                    **template["variants"][0],
                    "id": variant,
                    "sku": f"C-{left}",
                    "stock": {HOME: count},
                    "allocated": {},
                }
                dates = {"created": old, "updated": old}
                doc = {**template, **dates, "id": product, "title": f"Card {left}", "variants": [row]}
                self.shelf.put("product", product, doc)
                self.shelf.put("product of", variant, {"id": product})
                found.append(variant)
        return found

    def broken(self) -> web.Response:
        """Of the server below: a page, and no JSON."""
        return web.Response(status=500, text="<h1>Server Error (500)</h1>", content_type="text/html")

    def revoked(self, request: web.Request) -> web.StreamResponse | None:
        """The API refuses by itself."""
        return None
