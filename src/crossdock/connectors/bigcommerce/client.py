"""Asking a BigCommerce store. Its two APIs have one address and one token, and differ in nearly everything else: V2
answers with a bare list, or 204 where there is nothing, V3 with an object around `data`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, urlencode

from crossdock.kit import text
from crossdock.kit.check import LONGEST_WISH, server_time
from crossdock.kit.connector import Reply, Shop
from crossdock.kit.errors import Throttled
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.shop.addresses import of_whole_numbers
from crossdock.kit.shop.answers import Told, answered, error_in
from crossdock.kit.shop.paging import Listed, every, listed

Method = Literal["GET", "POST", "PUT", "DELETE"]
# The most that both APIs give (V2 orders and V3 products, `limit`).
PAGE = 250


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
        asked = {**(query or {}), "limit": str(PAGE)}
        found = await every(lambda behind: self.rows(path, {**asked, "page": str(behind // PAGE + 1)}), PAGE)
        return found.items

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
        return answered(
            reply,
            _told,
            by="BigCommerce",
            place="store",
            refused="BigCommerce refuses the access token: make a new API account.",
            lacking="The API account may not do this: its scopes are too narrow.",
            nowhere="At this API path there is no BigCommerce store: compare it with the one of the API account.",
            own=_own,
        )


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


def _told(reply: Reply) -> Told | None:
    """V2 writes a list of objects with `message`, V3 one object with `title`."""
    node = error_in(reply)
    return Told(text.label(node.text("message") or node.text("title"), 200)) if node else None


def _own(reply: Reply, told: Told | None) -> Throttled | None:
    """How long the quota lasts stands in no Retry-After."""
    if reply.status != 429:
        return None
    wait = _number(reply, "time-reset-ms")
    after = None if wait is None else min(wait / 1000, LONGEST_WISH)
    return Throttled("Your store's programs asked BigCommerce too often together; we go on in a moment.", after)
