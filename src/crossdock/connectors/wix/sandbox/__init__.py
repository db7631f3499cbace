"""A simulated Wix site over real HTTP. What it is asked is held against typed models of Wix's published types."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from aiohttp import web

from crossdock.connectors.wix.sandbox.books import V1, Books, instant
from crossdock.connectors.wix.sandbox.merchant import Panel
from crossdock.connectors.wix.sandbox.rest import Rest
from crossdock.kit.sandbox import Doc, Shelf
from crossdock.kit.sandbox import Sandbox as Base


class Sandbox(Base):
    """`books.set(catalog="V1_CATALOG", floor=True, ...)` changes what no page says, or what the seller would."""

    label = "Simulated Wix site"

    def __init__(
        self, shelf: Shelf, *, seed: int = 0, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        super().__init__(shelf, seed=seed, clock=clock)
        if shelf.get("site", "it") is None:
            word = f"{self.random.getrandbits(128):032x}"
            site = f"{word[:8]}-{word[8:12]}-{word[12:16]}-{word[16:20]}-{word[20:]}"
            key = f"IST.{self.random.getrandbits(1024):0256x}"
            shelf.put("site", "it", {"id": site, "key": key})
        self.books = Books(shelf, clock)
        self.rest = Rest(self.books)
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
        dashboard = f"{self.address}/dashboard/{self.site['id']}/home"
        return "key", {"address": dashboard, "api_key": self.site["key"]}

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
        return web.json_response({"message": "Too many requests", "details": {}}, status=429)

    def revoked(self, request: web.Request) -> web.StreamResponse | None:
        """The routes refuse by themselves."""
        return None


class Older(Sandbox):
    """A site that has not moved to catalogue V3."""

    label = "Simulated Wix site of catalogue V1"

    def __init__(
        self, shelf: Shelf, *, seed: int = 0, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        super().__init__(shelf, seed=seed, clock=clock)
        self.books.set(catalog=V1)
