"""A simulated BigCommerce store over real HTTP. What it is asked is held against the vendor's OpenAPI (vendor.json)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from aiohttp import web

from crossdock.connectors.bigcommerce.sandbox.books import HOME, Books
from crossdock.connectors.bigcommerce.sandbox.hooks import Hooks
from crossdock.connectors.bigcommerce.sandbox.merchant import Panel
from crossdock.connectors.bigcommerce.sandbox.rest import Rest
from crossdock.kit.sandbox import Doc, Shelf
from crossdock.kit.sandbox import Sandbox as Base

# An enterprise plan's; Standard has 150 in 30 seconds.
QUOTA = 20_000


class Sandbox(Base):
    """`books.set(update_stock_behavior=..., floor=True, ...)` changes what the seller would."""

    label = "Simulated BigCommerce store"

    def __init__(
        self, shelf: Shelf, *, seed: int = 0, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        super().__init__(shelf, seed=seed, clock=clock)
        if shelf.get("account", "it") is None:
            names = {"hash": 40, "token": 128, "client_secret": 256}
            account = {name: f"{self.random.getrandbits(bits):0{bits // 4}x}" for name, bits in names.items()}
            shelf.put("account", "it", {"id": "it", **account})
        self.quota = QUOTA
        self.hooks = Hooks(
            shelf, self.deliver, lambda: str(self.account["client_secret"]), lambda: str(self.account["hash"])
        )
        self.books = Books(shelf, clock, self.hooks.tell)
        self.rest = Rest(self.books, self.hooks, lambda: self.base, lambda: self.quota)
        self._panel = Panel(self.books)

    @property
    def account(self) -> Doc:
        return self.shelf.need("account", "it")

    @property
    def base(self) -> str:
        return f"{self.address}/stores/{self.account['hash']}"

    @property
    def hand(self) -> Panel:
        return self._panel

    def routes(self, app: web.Application) -> None:
        self.rest.add_to(app, lambda: self.account, lambda: self.dial.revoked)

    def seller_form(self) -> tuple[str, dict[str, str]]:
        account = self.account
        return "account", {
            "address": f"{self.base}/v3/",
            "access_token": account["token"],
            "client_secret": account["client_secret"],
        }

    async def fill(self, many: int, *, count: int, since: datetime) -> list[str]:
        template, found = self.shelf.all("product")[0], []
        with self.shelf.transaction():
            for left in range(many, 0, -1):
                number, variant = self.shelf.next_number("product", 80), self.shelf.next_number("variant", 400)
                row = {**template["variants"][0], "id": variant, "sku": f"C-{number}", "stock": {HOME: count}}
                # A second apart, as nobody changes a whole catalogue at once.
                old = (since - timedelta(seconds=left)).strftime("%Y-%m-%dT%H:%M:%S+00:00")
                doc = {**template, "id": number, "title": f"Card {number}", "updated": old, "variants": [row]}
                self.shelf.put("product", number, doc)
                found.append(str(variant))
        return found

    def throttled(self) -> web.Response:
        body = {"status": 429, "title": "Too many requests", "type": "about:blank"}
        headers = {"X-Rate-Limit-Requests-Left": "0", "X-Rate-Limit-Time-Reset-Ms": "1000"}
        return web.json_response(body, status=429, headers=headers)

    def revoked(self, request: web.Request) -> web.StreamResponse | None:
        """The routes refuse by themselves."""
        return None
