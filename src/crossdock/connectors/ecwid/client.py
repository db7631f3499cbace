"""Asking an Ecwid store. All stores have one host; the store's id is part of the address. Pages named are those below
docs.ecwid.com/api-reference.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from crossdock.connectors.ecwid.manifest import MANIFEST
from crossdock.kit import text
from crossdock.kit.check import LONGEST_WISH, retry_after, server_time
from crossdock.kit.connector import Reply, Shop
from crossdock.kit.errors import AuthDead, NoAnswer, NotAllowed, Outside, Throttled
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.shop.addresses import of_whole_numbers
from crossdock.kit.shop.answers import Told, answered, error_in
from crossdock.kit.shop.paging import Listed, every, listed

Method = Literal["GET", "POST", "PUT"]
# "Maximum allowed value: 100" (search-orders, search-products).
PAGE = 100
REFUSED = "Ecwid refuses the secret token: copy it again from your custom app."
NOWHERE = "At this address there is no Ecwid store: compare the store ID."


@dataclass(frozen=True, slots=True)
class Client:
    """One store's API. `shop.address` ends with /api/v3/ and the store's id."""

    shop: Shop

    async def one(self, method: Method, path: str, *, query: Mapping[str, str] | None = None, json: Any = None) -> Node:
        """One object. Raises Outside, with Declined, Missing and NotAllowed among them."""
        return node_of((await self.send(method, path, query=query, json=json)).json(), path.partition("/")[0])

    async def rows(self, path: str, query: Mapping[str, str]) -> Listed:
        """One page: {total, count, offset, limit, items}."""
        reply = await self.send("GET", path, query=query)
        name = path.partition("/")[0]
        return listed(name, node_of(reply.json(), name).raw("items"), server_time(reply) or self.shop.now())

    async def every(self, path: str, query: Mapping[str, str]) -> Listed:
        """All pages of a list that is short as a rule."""
        return await every(
            lambda behind: self.rows(path, {**query, "limit": str(PAGE), "offset": str(behind)}),
            PAGE,
        )

    async def send(
        self, method: Method, path: str, *, query: Mapping[str, str] | None = None, json: Any = None
    ) -> Reply:
        of_whole_numbers(path)
        headers = {"Authorization": f"Bearer {self.shop.secrets.get('secret_token', '')}", "Accept": "application/json"}
        reply = await self.shop.http.send(
            method, f"{self.shop.address}/{path}", headers=headers, query=query, json=json
        )
        if reply.status == 429:
            # Whoever goes on asking is blocked "for much longer" (api-reference), so nothing is sent before the wait
            # is over.
            wait = retry_after(reply)
            self.shop.http.learn(left=-(1.0 if wait is None else wait) * MANIFEST.pace.per_second)
        return checked(reply)


def checked(reply: Reply) -> Reply:
    return answered(
        reply,
        _told,
        by="Ecwid",
        place="store",
        refused=REFUSED,
        lacking="Your custom app may not do this: it lacks an access scope.",
        nowhere=NOWHERE,
        own=_own,
    )


def _own(reply: Reply, told: Told | None) -> Outside | None:
    """What only Ecwid means (rest-api-error-codes)."""
    said, code = told or Told("")
    match reply.status:
        # A token that is none is a 403 as well; only the code tells it from a missing scope.
        case 403 if code == "INVALID_API_TOKEN":
            return AuthDead(f"{REFUSED} It says: {said}")
        case 402 if code == "STORE_IS_SUSPENDED":
            words = f"Your Ecwid store is suspended. We try again in an hour. Ecwid says: {said}"
            return Throttled(words, LONGEST_WISH)
        case 402 if told:
            return NotAllowed(f"Your Ecwid plan does not let programs do this. Ecwid says: {said}")
        case 404 if code in ("STORE_NOT_FOUND", "PROFILE_NOT_FOUND"):
            return NoAnswer(NOWHERE)
        # "Request failed due to timeout": it may have been carried out. A known external id means that an order of
        # this reference is there: it is looked for.
        case 408:
            return NoAnswer(f"Ecwid took too long. It says: {said}")
        case 409 if code == "EXTERNAL_ID_ALREADY_USED":
            return NoAnswer(f"Ecwid says that this order is there already: {said}")
        case 429:
            return Throttled("We asked Ecwid too often; we go on when it lets us.", retry_after(reply))
    return None


def _told(reply: Reply) -> Told | None:
    """{errorMessage, errorCode} (the vendor's client, EcwidApiError). Which of the two holds the name of the error
    differs, so both are looked at. The body is optional ("optionally, JSON-formatted body", github
    Ecwid/ecwid-api-docs), so an empty one is Ecwid's as well.
    """
    if not reply.body.strip():
        return Told(f"error {reply.status}")
    node = error_in(reply)
    if node is None or not ("errorMessage" in node or "errorCode" in node):
        return None
    said, code = text.label(node.text("errorMessage"), 200), node.text("errorCode")
    return Told(said or code[:60], code or said)
