"""A simulated Medusa store over real HTTP. What it does was seen on 2.21.2; bodies are held against the vendor's fields
(vendor.json).
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from aiohttp import web

from crossdock.connectors.medusa.sandbox.books import HOME, Books, stamp
from crossdock.connectors.medusa.sandbox.merchant import Seller
from crossdock.connectors.medusa.sandbox.rest import Rest
from crossdock.kit.sandbox import Sandbox as Base
from crossdock.kit.sandbox import Shelf


class Sandbox(Base):
    """`books.set(promotion=10, tax=8, ...)` changes what the seller would."""

    label = "Simulated Medusa store"

    def __init__(
        self, shelf: Shelf, *, seed: int = 0, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        super().__init__(shelf, seed=seed, clock=clock)
        if shelf.get("key", "it") is None:
            shelf.put("key", "it", {"id": "it", "token": f"sk_{self.random.getrandbits(256):064x}"})
        self.books = Books(shelf, clock)
        self.rest = Rest(self.books)
        self._seller = Seller(self.books)

    @property
    def hand(self) -> Seller:
        return self._seller

    def routes(self, app: web.Application) -> None:
        self.rest.add_to(app, lambda: str(self.shelf.need("key", "it")["token"]), lambda: self.dial.revoked)

    def seller_form(self) -> tuple[str, dict[str, str]]:
        return "key", {"address": self.address, "api_key": self.shelf.need("key", "it")["token"]}

    async def fill(self, many: int, *, count: int, since: datetime) -> list[str]:
        template, found = self.shelf.all("product")[0], []
        with self.shelf.transaction():
            for left in range(many, 0, -1):
                ids = [str(self.books.new_id(kind)) for kind in ("product", "variant", "item")]
                old = stamp(since - timedelta(seconds=left))
                row = {**template["variants"][0], "id": ids[1], "item": ids[2], "sku": f"C-{ids[1][-6:]}"}
                row |= {"stock": {HOME: count}, "reserved": {}, "updated": old}
                doc = {**template, "id": ids[0], "title": f"Card {ids[0][-6:]}", "updated": old, "variants": [row]}
                self.shelf.put("product", ids[0], doc)
                found.append(ids[1])
        return found

    def broken(self) -> web.Response:
        body = {"code": "unknown_error", "type": "unknown_error", "message": "An unknown error occurred."}
        return web.json_response(body, status=500)

    def revoked(self, request: web.Request) -> web.StreamResponse | None:
        """The routes refuse by themselves."""
        return None
