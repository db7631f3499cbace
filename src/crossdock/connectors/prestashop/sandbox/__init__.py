"""A simulated PrestaShop over real HTTP. What it is asked is held against the vendor's tables (vendor.json)."""

import string
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from aiohttp import web

from crossdock.connectors.prestashop.sandbox.books import Books
from crossdock.connectors.prestashop.sandbox.merchant import BackOffice
from crossdock.connectors.prestashop.sandbox.rest import Rest
from crossdock.kit.sandbox import Doc, Shelf
from crossdock.kit.sandbox import Sandbox as Base


class Sandbox(Base):
    """`books.set(zone=..., splits=True, without=["PUT orders"], ...)` changes what the seller would."""

    label = "Simulated PrestaShop"

    def __init__(
        self, shelf: Shelf, *, seed: int = 0, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        super().__init__(shelf, seed=seed, clock=clock)
        if shelf.get("account", "it") is None:
            key = "".join(self.random.choices(string.ascii_uppercase + string.digits, k=32))
            shelf.put("account", "it", {"id": "it", "key": key})
        self.books = Books(shelf, clock)
        self.rest = Rest(self.books, lambda: str(self.account["key"]), lambda: self.dial.revoked)
        self._office = BackOffice(self.books)

    @property
    def account(self) -> Doc:
        return self.shelf.need("account", "it")

    @property
    def hand(self) -> BackOffice:
        return self._office

    def routes(self, app: web.Application) -> None:
        app.router.add_route("*", "/api/{resource:[a-z_]*}", self.rest.answer)

    def seller_form(self) -> tuple[str, dict[str, str]]:
        return "key", {"address": self.address, "key": str(self.account["key"])}

    async def fill(self, many: int, *, count: int, since: datetime) -> list[str]:
        template, found = self.shelf.all("product")[0], []
        with self.shelf.transaction():
            for left in range(many, 0, -1):
                number = self.shelf.next_number("product", 20)
                row = {**template["variants"][0], "id": f"{number}-0", "sku": f"C-{number}", "stock": {"": count}}
                # A second apart, as nobody changes a whole catalogue at once.
                old = self.books.stamped(since - timedelta(seconds=left))
                doc = {**template, "id": number, "title": f"Card {number}", "updated": old, "variants": [row]}
                self.shelf.put("product", number, doc)
                found.append(str(row["id"]))
        return found

    def broken(self) -> web.Response:
        """A module's notice: 500, whatever was done (webserviceErrorHandler)."""
        error = {"code": 3, "message": "[PHP Warning #2] Undefined variable (/modules/some/some.php, line 12)"}
        return web.json_response({"errors": [error]}, status=500)

    def revoked(self, request: web.Request) -> web.StreamResponse | None:
        """The routes refuse by themselves."""
        return None
