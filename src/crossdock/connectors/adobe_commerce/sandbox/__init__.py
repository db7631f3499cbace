"""A simulated Magento over real HTTP. What it is asked is held against the vendor's swagger (vendor.json)."""

import string
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from aiohttp import web

from crossdock.connectors.adobe_commerce.sandbox.books import HOME, Books
from crossdock.connectors.adobe_commerce.sandbox.merchant import Admin
from crossdock.connectors.adobe_commerce.sandbox.rest import Rest
from crossdock.kit.sandbox import Doc, Shelf
from crossdock.kit.sandbox import Sandbox as Base

KEYS = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")


class Sandbox(Base):
    """`books.set(currency=..., methods=..., without=["Magento_Sales::ship"], ...)` changes what the seller would."""

    label = "Simulated Magento"

    def __init__(
        self, shelf: Shelf, *, seed: int = 0, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        super().__init__(shelf, seed=seed, clock=clock)
        if shelf.get("account", "it") is None:
            shelf.put("account", "it", {"id": "it", **{name: self._word() for name in KEYS}})
        self.books = Books(shelf, clock)
        self.rest = Rest(
            self.books, lambda: self.account, lambda: self.dial.revoked, lambda: self.address, self._masked
        )
        self._admin = Admin(self.books)

    def _word(self) -> str:
        return "".join(self.random.choices(string.ascii_lowercase + string.digits, k=32))

    def _masked(self) -> str:
        """Of a cart; the shop is asked again after a restart, so it is no number of this process alone."""
        return f"{self.shelf.next_number('masked'):08d}{self._word()[8:]}"

    @property
    def account(self) -> Doc:
        return self.shelf.need("account", "it")

    @property
    def hand(self) -> Admin:
        return self._admin

    def routes(self, app: web.Application) -> None:
        app.router.add_route("*", "/rest/{store:[a-z0-9_]+}/V1/{path:.+}", self.rest.answer)
        app.router.add_get("/media/catalog/product/{file:.+}", self._picture)

    async def _picture(self, request: web.Request) -> web.Response:
        """What stands in the media folder; the simulated shop keeps only where it came from."""
        came_from = request.match_info["file"]
        if all(doc.get("image") != came_from for doc in self.shelf.all("product")):
            raise web.HTTPNotFound
        raise web.HTTPFound(came_from)

    def seller_form(self) -> tuple[str, dict[str, str]]:
        return "integration", {"address": self.address, **{name: str(self.account[name]) for name in KEYS}}

    async def fill(self, many: int, *, count: int, since: datetime) -> list[str]:
        template, found = self.shelf.all("product")[0], []
        with self.shelf.transaction():
            for left in range(many, 0, -1):
                number = self.books.new_id("product")
                # A second apart, as nobody changes a whole catalogue at once.
                old = self.books.stamped(since - timedelta(seconds=left))
                row = {**template["variants"][0], "id": number, "sku": f"C-{number}", "stock": {HOME: count}}
                row |= {"reserved": 0, "updated": old}
                doc = {**template, "id": number, "title": f"Card {number}", "updated": old, "variants": [row]}
                self.shelf.put("product", number, doc)
                self.shelf.put("product of", number, {"id": number})
                self.shelf.put("sku", f"c-{number}", {"id": number})
                found.append(str(number))
        return found

    def broken(self) -> web.Response:
        body = {"message": "Internal Error. Details are available in Magento log file. Report ID: webapi-6a1"}
        return web.json_response(body, status=500)

    def revoked(self, request: web.Request) -> web.StreamResponse | None:
        """The routes refuse by themselves."""
        return None
