"""A simulated Ecwid store over real HTTP. What it is asked is held against typed models of the vendor's own client."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from aiohttp import web

from crossdock.connectors.ecwid.sandbox.books import Books, stamp
from crossdock.connectors.ecwid.sandbox.merchant import Panel
from crossdock.connectors.ecwid.sandbox.rest import Rest
from crossdock.kit.sandbox import Doc, Shelf
from crossdock.kit.sandbox import Sandbox as Base


class Sandbox(Base):
    """`books.set(takes=False, ...)` changes what no page says, or what the seller would."""

    label = "Simulated Ecwid store"

    def __init__(
        self, shelf: Shelf, *, seed: int = 0, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        super().__init__(shelf, seed=seed, clock=clock)
        if shelf.get("app", "it") is None:
            store = self.random.randrange(10_000_000, 99_999_999)
            shelf.put("app", "it", {"store": store, "secret_token": f"secret_{self.random.getrandbits(160):040x}"})
        self.books = Books(shelf, clock)
        self.rest = Rest(self.books)
        self._panel = Panel(self.books)

    @property
    def custom_app(self) -> Doc:
        return self.shelf.need("app", "it")

    @property
    def hand(self) -> Panel:
        return self._panel

    def routes(self, app: web.Application) -> None:
        self.rest.add_to(app, lambda: self.custom_app, lambda: self.dial.revoked)

    def seller_form(self) -> tuple[str, dict[str, str]]:
        known = self.custom_app
        form = {"address": f"{self.address}/api/v3/{known['store']}", "secret_token": known["secret_token"]}
        return "token", form

    async def fill(self, many: int, *, count: int, since: datetime) -> list[str]:
        template, found = self.shelf.all("product")[0], []
        with self.shelf.transaction():
            for left in range(many, 0, -1):
                doc = self.books.add_product(f"Card {left}", [(f"C-{left}", template["variants"][0]["price"], count)])
                # A second apart, as nobody changes a whole catalogue at once.
                self.shelf.put("product", doc["id"], doc | {"updated": stamp(since - timedelta(seconds=left))})
                found.append(str(doc["variants"][0]["id"]))
        return found

    def throttled(self) -> web.Response:
        """ "Error 429 and a Retry-After: N header" (api-reference)."""
        body = {"errorMessage": "Too many requests.", "errorCode": "RATE_LIMITED"}
        return web.json_response(body, status=429, headers={"Retry-After": "1"})

    def revoked(self, request: web.Request) -> web.StreamResponse | None:
        """The routes refuse by themselves."""
        return None
