"""Asking a BigCommerce store. Its two APIs have one address and one token, and differ in nearly everything else: V2
answers with a bare list, or 204 where there is nothing, V3 with an object around `data`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, urlencode

from crossdock.kit import text
from crossdock.kit.check import LONGEST_WISH, check, is_challenge, server_time, walled
from crossdock.kit.connector import Reply, Shop
from crossdock.kit.errors import AuthDead, Declined, Missing, NoAnswer, Strange, Throttled
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.shop.addresses import of_whole_numbers
from crossdock.kit.shop.paging import Listed, listed

Method = Literal["GET", "POST", "PUT", "DELETE"]
# The most that both APIs give (V2 orders and V3 products, `limit`).
PAGE = 250


class NotAllowed(AuthDead):
    """The token is good, but its API account lacks a scope."""


@dataclass(frozen=True, slots=True)
class Client:
    """One store's API. `shop.address` ends with /stores/ and the store's hash."""

    shop: Shop

    async def one(self, method: Method, path: str, *, query: Mapping[str, str] | None = None, json: Any = None) -> Node:
        """One entity. Raises Outside, with Declined, Missing and NotAllowed among them."""
        name = path.rpartition("/")[2] if not path[-1].isdigit() else path.split("/")[-2]
        node = node_of((await self.send(method, path, query=query, json=json)).json(), name)
        return node.child("data") if path.startswith("v3/") else node

    async def rows(self, path: str, query: Mapping[str, str]) -> Listed:
        """One page."""
        reply = await self.send("GET", path, query=query)
        return listed(path.rpartition("/")[2], self._values(path, reply), server_time(reply) or self.shop.now())

    def _values(self, path: str, reply: Reply) -> Any:
        if reply.status == 204:
            return []
        return node_of(reply.json(), path).raw("data") if path.startswith("v3/") else reply.json()

    async def every(self, path: str, query: Mapping[str, str] | None = None) -> list[Node]:
        """All pages of a list that is not expected to move. What is no object in it is left out."""
        found, page = list[Node](), 0
        while True:
            page += 1
            got = await self.rows(path, {**(query or {}), "limit": str(PAGE), "page": str(page)})
            found += got.items
            if got.size < PAGE:
                return found

    async def send(
        self, method: Method, path: str, *, query: Mapping[str, str] | None = None, json: Any = None
    ) -> Reply:
        of_whole_numbers(path)
        url = f"{self.shop.address}/{path}"
        if query:
            url += "?" + urlencode(query, quote_via=quote)
        headers = {"X-Auth-Token": self.shop.secrets.get("access_token", ""), "Accept": "application/json"}
        reply = await self.shop.http.send(method, url, headers=headers, json=json)
        _learn(self.shop, reply)
        return checked(reply)


def _number(reply: Reply, name: str) -> int | None:
    said = reply.headers.get(f"x-rate-limit-{name}", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 10 else None


def _learn(shop: Shop, reply: Reply) -> None:
    """The quota is shared by all programs of the store, so what is left is never ours alone (docs: "API rate limits",
    X-Rate-Limit-Requests-Left, -Requests-Quota, -Time-Window-Ms).
    """
    left, quota, window = (_number(reply, name) for name in ("requests-left", "requests-quota", "time-window-ms"))
    if left is not None:
        shop.http.learn(left=left, per_second=quota * 1000 / window if quota and window else None)


def checked(reply: Reply) -> Reply:
    """The reply when it is a 2xx; otherwise the error that its status stands for, where BigCommerce itself wrote it."""
    if is_challenge(reply):
        raise walled(reply.status)
    if 200 <= reply.status < 300:
        return reply
    ours, said = _problem(reply)
    match reply.status:
        case 401 if ours:
            raise AuthDead(f"BigCommerce refuses the access token: make a new API account. It says: {said}")
        case 403 if ours:
            raise NotAllowed(f"The API account may not do this: its scopes are too narrow. BigCommerce says: {said}")
        case 401 | 403:
            raise walled(reply.status)
        case 404 if ours:
            raise Missing(f"Your store does not have it. BigCommerce says: {said}")
        case 404:
            raise NoAnswer(
                "At this API path there is no BigCommerce store: compare it with the one of the API account."
            )
        case 429:
            wait = _number(reply, "time-reset-ms")
            after = None if wait is None else min(wait / 1000, LONGEST_WISH)
            raise Throttled("Your store's programs asked BigCommerce too often together; we go on in a moment.", after)
        case status if 400 <= status < 500 and ours:
            raise Declined(f"Your store refused this. BigCommerce says: {said}")
    check(reply)
    raise NoAnswer(f"BigCommerce answered in a way that we do not understand ({reply.status}).")


def _problem(reply: Reply) -> tuple[bool, str]:
    """Whether it is an error of BigCommerce's, and what it says: V2 writes a list of objects with `message`, V3 one
    object with `title`.
    """
    try:
        body = reply.json()
    except Strange:
        return False, ""
    first = body[0] if isinstance(body, list) and body else body
    if not isinstance(first, dict):
        return False, ""
    node = node_of(first, "error")
    return True, text.label(node.text("message") or node.text("title"), 200)
