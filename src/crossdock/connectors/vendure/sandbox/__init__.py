"""A simulated Vendure: its Admin API over real HTTP, an API key and an administrator to sign in with, and the seller's
hand.
"""

import asyncio
import contextlib
import secrets
from datetime import datetime
from typing import Any

from aiohttp import web

from crossdock.connectors.vendure.sandbox.api import EVERY_RIGHT, Api
from crossdock.connectors.vendure.sandbox.books import Books
from crossdock.connectors.vendure.sandbox.hand import SandboxHand
from crossdock.connectors.vendure.sandbox.refusals import NoSuchEntity
from crossdock.kit.sandbox import Sandbox as Base
from crossdock.kit.sandbox import Shelf

USERNAME = "marketplace"
# How long a payment's transaction is open where payments run side by side.
PAYING = 0.01


class Sandbox(Base):
    """One simulated Vendure shop. `rights` are the role's permissions, for the key and the administrator alike.

    `database` is what it runs on, "sqlite" or "postgres"; see shelves.py for what that changes.
    """

    label = "Simulated Vendure"
    database = "sqlite"

    def __init__(self, shelf: Shelf, **options: Any) -> None:
        super().__init__(shelf, **options)
        self.books = Books(shelf, self.clock, self.random)
        self.books.set(database=self.database)
        self.rights = EVERY_RIGHT
        self._hand = SandboxHand(self.books)
        with shelf.transaction():
            doc = shelf.get("secret", "1") or {
                "key": f"{secrets.token_hex(12)}:{secrets.token_hex(32)}",
                "password": secrets.token_hex(8),
            }
            shelf.put("secret", "1", doc)
        self._key, self.password = str(doc["key"]), str(doc["password"])

    @property
    def hand(self) -> SandboxHand:
        return self._hand

    async def fill(self, many: int, *, count: int, since: datetime) -> list[str]:
        """The books' own way, dated back."""
        old, numbers = since.strftime("%Y-%m-%dT%H:%M:%S.000Z"), []
        with self.shelf.transaction():
            for n in range(many):
                product, (variant,) = self.books.add_product(f"Card {n}", [(f"F-{n}", 450, count)], "", "")
                for kind, id_, key in (("product", product, ""), ("variant", variant, product)):
                    self.shelf.put(kind, id_, self.shelf.need(kind, id_) | {"updatedAt": old}, key=key)
                numbers.append(variant)
        return numbers

    def seller_form(self) -> tuple[str, dict[str, str]]:
        return "key", {"address": self.address, "api_key": self._key}

    def login_form(self) -> tuple[str, dict[str, str]]:
        """The second way to connect this shop."""
        return "login", {"address": self.address, "username": USERNAME, "password": self.password}

    def end_sessions(self) -> None:
        """What `authOptions.sessionDuration` does in time."""
        for doc in self.shelf.all("session"):
            self.shelf.delete("session", doc["id"])

    def broken(self) -> web.Response:
        error = {"message": "Internal server error", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}
        return web.json_response({"errors": [error]}, status=500)

    def revoked(self, request: web.Request) -> web.StreamResponse | None:
        return None

    def routes(self, app: web.Application) -> None:
        app.router.add_post("/admin-api", self._admin)

    async def _admin(self, request: web.Request) -> web.Response:
        asked = await request.json()
        variables = asked.get("variables") or {}
        if "login(" in asked["query"]:
            return self._login(variables)
        rights, begun = self._allowed(request), None
        if rights and "addManualPaymentToOrder(" in asked["query"] and self.books.settings["database"] == "postgres":
            with contextlib.suppress(NoSuchEntity):
                begun = self.books.begin(variables["order"])
            await self.meanwhile()
        status, body = Api(self.books, rights, begun).run(asked["query"], variables)
        return web.json_response(body, status=status)

    async def meanwhile(self) -> None:
        """A payment's transaction is open: others run beside it."""
        await asyncio.sleep(PAYING)

    def _allowed(self, request: web.Request) -> frozenset[str] | None:
        """The rights of whoever asks; None for nobody, which a dead key and an ended session are."""
        key, bearer = request.headers.get("vendure-api-key", ""), request.headers.get("Authorization", "")
        signed_in = key == self._key or self.shelf.get("session", bearer.removeprefix("Bearer ")) is not None
        return self.rights if signed_in and not self.dial.revoked else None

    def _login(self, variables: dict[str, Any]) -> web.Response:
        if self.dial.revoked or (variables.get("username"), variables.get("password")) != (USERNAME, self.password):
            message = "The provided credentials are invalid"
            refused = {
                "__typename": "InvalidCredentialsError",
                "errorCode": "INVALID_CREDENTIALS_ERROR",
                "message": message,
            }
            return web.json_response({"data": {"login": refused}})
        token = secrets.token_hex(32)
        self.shelf.put("session", token, {"id": token})
        return web.json_response(
            {"data": {"login": {"__typename": "CurrentUser"}}}, headers={"vendure-auth-token": token}
        )


class PostgresSandbox(Sandbox):
    """The same shop on PostgreSQL, as most are."""

    label = "Simulated Vendure on PostgreSQL"
    database = "postgres"
