"""A simulated Squarespace site over real HTTP. What it is asked is held against typed models of the vendor's pages."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from aiohttp import web

from crossdock.connectors.squarespace.sandbox.books import Books, instant
from crossdock.connectors.squarespace.sandbox.merchant import Panel
from crossdock.connectors.squarespace.sandbox.rest import Rest
from crossdock.kit.sandbox import Doc, Shelf
from crossdock.kit.sandbox import Sandbox as Base


class Sandbox(Base):
    """`books.set(refuses_short=False, ...)` changes what no page says, or what the seller would."""

    label = "Simulated Squarespace site"

    def __init__(
        self, shelf: Shelf, *, seed: int = 0, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        super().__init__(shelf, seed=seed, clock=clock)
        if shelf.get("site", "it") is None:
            numbers = {
                name: f"{self.random.getrandbits(bits):0{bits // 4}x}" for name, bits in (("id", 96), ("key", 256))
            }
            shelf.put("site", "it", numbers)
        self.books = Books(shelf, clock)
        self.rest = Rest(self.books, clock)
        self._panel = Panel(self.books)

    @property
    def site(self) -> Doc:
        return self.shelf.need("site", "it")

    @property
    def hand(self) -> Panel:
        return self._panel

    def routes(self, app: web.Application) -> None:
        self.rest.add_to(app, lambda: self.site, lambda: self.dial.revoked)

    def seller_form(self) -> tuple[str, dict[str, str]]:
        return "key", {"address": self.address, "api_key": self.site["key"]}

    async def fill(self, many: int, *, count: int, since: datetime) -> list[str]:
        template, found = self.shelf.all("product")[0], []
        with self.shelf.transaction():
            for left in range(many, 0, -1):
                doc = self.books.add_product(f"Card {left}", [(f"C-{left}", template["variants"][0]["price"], count)])
                # A second apart, as nobody changes a whole catalogue at once.
                self.shelf.put("product", doc["id"], doc | {"updated": instant(since - timedelta(seconds=left))})
                found.append(str(doc["variants"][0]["id"]))
        return found

    def throttled(self) -> web.Response:
        """No header says how long (seen)."""
        body = {"type": "RATE_LIMIT_ERROR", "subtype": None, "message": "Too many requests.", "details": None}
        return web.json_response(body | {"contextId": "SIMULATED"}, status=429)

    def revoked(self, request: web.Request) -> web.StreamResponse | None:
        """The routes refuse by themselves."""
        return None
