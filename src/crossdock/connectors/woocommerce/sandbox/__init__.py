"""A simulated WooCommerce shop over real HTTP: it answers like the recorded real one, its traps included."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from aiohttp import web

from crossdock.connectors.woocommerce.sandbox.books import Books
from crossdock.connectors.woocommerce.sandbox.hand import Admin
from crossdock.connectors.woocommerce.sandbox.hooks import Hooks
from crossdock.connectors.woocommerce.sandbox.rest import Rest
from crossdock.connectors.woocommerce.sandbox.signin import SignIn, approved
from crossdock.kit.hand import Hand
from crossdock.kit.sandbox import Sandbox as Base
from crossdock.kit.sandbox import Shelf


class Sandbox(Base):
    """`books.set(hpos=False, fulfillments=False, ...)` changes what the seller or the host would; `hooks.held` stops
    the site's cron.
    """

    big = True
    label = "Simulated WooCommerce shop"

    def __init__(
        self, shelf: Shelf, *, seed: int = 0, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        super().__init__(shelf, seed=seed, clock=clock)
        self.books = Books(shelf, clock, self._tell)
        self.sign_in = SignIn(shelf)
        self.hooks = Hooks(
            shelf, self.deliver, lambda: self.dial.counts["drop"], self._show, lambda: self.address, self.books.now
        )
        self.rest = Rest(self.books, self.sign_in, self.hooks, lambda: self.address, lambda: self.dial.revoked)
        self._admin = Admin(self.books)

    def _tell(self, topic: str, id_: int) -> None:
        self.hooks.tell(topic, id_)

    def _show(self, resource: str, id_: int) -> dict[str, object] | None:
        return self.rest.show(resource, id_)

    def routes(self, app: web.Application) -> None:
        self.rest.add_to(app)
        app.router.add_get("/wc-auth/v1/authorize", self.sign_in.authorize)
        app.router.add_get("/wc-auth/v1/access_granted", self.sign_in.granted)

    @property
    def hand(self) -> Hand:
        return self._admin

    async def fill(self, many: int, *, count: int, since: datetime) -> list[str]:
        template, numbers = self.shelf.all("product")[0], []
        with self.shelf.transaction():
            for left in range(many, 0, -1):
                # A second apart, as nobody changes a whole catalogue at once.
                old = (since - timedelta(seconds=left)).strftime("%Y-%m-%dT%H:%M:%S")
                number = self.shelf.next_number("post", 10)
                doc = {
                    **template,
                    "created": old,
                    "modified": old,
                    "id": number,
                    "name": f"Card {number}",
                    "sku": f"C-{number}",
                    "count": count,
                }
                self.shelf.put("product", number, doc)
                numbers.append(str(number))
        return numbers

    def seller_form(self) -> tuple[str, dict[str, str]]:
        """The key that the seller made; the same one each time."""
        keys = self.shelf.all("key")
        key = keys[0] if keys else self.sign_in.make_key()
        return "keys", {
            "address": self.address,
            "consumer_key": key["consumer_key"],
            "consumer_secret": key["consumer_secret"],
        }

    async def approve(self, url: str) -> dict[str, str]:
        """The admin clicks Approve: what the shop then posts to the callback."""
        return self.sign_in.answer(approved(url))

    def throttled(self) -> web.Response:
        """WooCommerce has no limit of its own; this is what a host in front of it says."""
        return web.Response(
            status=429, text="<h1>429 Too Many Requests</h1>", content_type="text/html", headers={"Retry-After": "1"}
        )

    def broken(self) -> web.Response:
        body = {
            "code": "internal_server_error",
            "message": "<p>There has been a critical error on this website.</p>",
            "data": {"status": 500},
            "additional_errors": [],
        }
        return web.json_response(body, status=500)

    def revoked(self, request: web.Request) -> web.StreamResponse | None:
        """The routes refuse by themselves: the site's own index needs no key."""
        return None
