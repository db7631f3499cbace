"""Asking an Ecwid store. All stores have one host; the store's id is part of the address. Pages named are those below
docs.ecwid.com/api-reference.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from crossdock.connectors.ecwid.manifest import MANIFEST
from crossdock.kit import text
from crossdock.kit.check import LONGEST_WISH, check, is_challenge, retry_after, server_time, walled
from crossdock.kit.connector import Reply, Shop
from crossdock.kit.errors import AuthDead, Declined, Missing, NoAnswer, Strange, Throttled
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.shop.addresses import of_whole_numbers
from crossdock.kit.shop.paging import Listed, listed

Method = Literal["GET", "POST", "PUT"]
# "Maximum allowed value: 100" (search-orders, search-products).
PAGE = 100
MOST_PAGES = 100


class NotAllowed(AuthDead):
    """The token is good, but its app lacks a scope, or the store's plan does not include programs."""


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
        items, odd = list[Node](), list[Any]()
        for page in range(MOST_PAGES):
            got = await self.rows(path, {**query, "limit": str(PAGE), "offset": str(page * PAGE)})
            items += got.items
            odd += got.odd
            if got.size < PAGE:
                return Listed(items, got.at, tuple(odd))
        raise NoAnswer("Your store's list does not end.")

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
    """The reply when it is a 2xx; otherwise the error that its status stands for, where Ecwid itself wrote it
    (rest-api-error-codes).
    """
    if is_challenge(reply):
        raise walled(reply.status)
    if 200 <= reply.status < 300:
        return reply
    ours, said, code = _problem(reply)
    match reply.status:
        # A token that is none is a 403 as well; only the code tells it from a missing scope.
        case 401 | 403 if ours and (reply.status == 401 or code == "INVALID_API_TOKEN"):
            raise AuthDead(f"Ecwid refuses the secret token: copy it again from your custom app. It says: {said}")
        case 403 if ours:
            raise NotAllowed(f"Your custom app may not do this: it lacks an access scope. Ecwid says: {said}")
        case 401 | 403:
            raise walled(reply.status)
        case 402 if ours and code == "STORE_IS_SUSPENDED":
            raise Throttled(f"Your Ecwid store is suspended. We try again in an hour. Ecwid says: {said}", LONGEST_WISH)
        case 402 if ours:
            raise NotAllowed(f"Your Ecwid plan does not let programs do this. Ecwid says: {said}")
        case 404 if ours and code not in ("STORE_NOT_FOUND", "PROFILE_NOT_FOUND"):
            raise Missing(f"Your store does not have it. Ecwid says: {said}")
        case 404:
            raise NoAnswer("At this address there is no Ecwid store: compare the store ID.")
        # "Request failed due to timeout": it may have been carried out. A known external id means that an order of
        # this reference is there: it is looked for.
        case 408:
            raise NoAnswer(f"Ecwid took too long. It says: {said}")
        case 409 if code == "EXTERNAL_ID_ALREADY_USED":
            raise NoAnswer(f"Ecwid says that this order is there already: {said}")
        case 429:
            raise Throttled("We asked Ecwid too often; we go on when it lets us.", retry_after(reply))
        case status if 400 <= status < 500 and ours:
            raise Declined(f"Your store refused this. Ecwid says: {said}")
    check(reply)
    raise NoAnswer(f"Ecwid answered in a way that we do not understand ({reply.status}).")


def _problem(reply: Reply) -> tuple[bool, str, str]:
    """Whether it is an error of Ecwid's, what it says, and its code: {errorMessage, errorCode} (the vendor's client,
    EcwidApiError). Which of the two holds the name of the error differs, so both are looked at. The body is optional
    ("optionally, JSON-formatted body", github Ecwid/ecwid-api-docs), so an empty one is Ecwid's as well.
    """
    if not reply.body.strip():
        return True, f"error {reply.status}", ""
    try:
        body = reply.json()
    except Strange:
        return False, "", ""
    if not isinstance(body, dict) or not ("errorMessage" in body or "errorCode" in body):
        return False, "", ""
    node = node_of(body, "error")
    said, code = text.label(node.text("errorMessage"), 200), node.text("errorCode")
    return True, said or code[:60], code or said
