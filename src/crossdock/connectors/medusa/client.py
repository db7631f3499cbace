"""Asking a Medusa server: JSON over HTTP with a secret API key as the user of HTTP Basic. An error has a `type`; what
has none is not Medusa's own.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, urlencode

from crossdock.kit import text
from crossdock.kit.check import check, is_challenge, server_time, walled
from crossdock.kit.connector import Reply, Shop
from crossdock.kit.errors import AuthDead, Declined, Missing, NoAnswer, Strange
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.shop.addresses import of_whole_numbers
from crossdock.kit.shop.paging import Listed, listed

Method = Literal["GET", "POST", "DELETE"]
Query = Sequence[tuple[str, str]]
# No maximum was seen; rows are large, since totals are computed for each order.
PAGE = 100


class NotAllowed(AuthDead):
    """The key is good, but may not do this (the store's role-based access control)."""


@dataclass(frozen=True, slots=True)
class Client:
    """One store's Admin API. `shop.address` is the server's base URL."""

    shop: Shop

    async def one(self, method: Method, path: str, key: str, *, query: Query = (), json: Any = None) -> Node:
        """The object that stands under `key` in the answer. Raises Outside, with Declined, Missing and NotAllowed."""
        return node_of((await self.send(method, path, query=query, json=json)).json(), "answer").child(key)

    async def rows(self, path: str, key: str, query: Query = ()) -> Listed:
        """One page of a list."""
        reply = await self.send("GET", path, query=query)
        values = node_of(reply.json(), path).entries(key)
        return listed(key, values, server_time(reply) or self.shop.now())

    async def every(self, path: str, key: str, query: Query = ()) -> list[Node]:
        """All pages of a list that is not expected to move. What is no object in it is left out."""
        found, offset = list[Node](), 0
        while True:
            page = await self.rows(path, key, [*query, ("limit", str(PAGE)), ("offset", str(offset))])
            found += page.items
            offset += page.size
            if page.size < PAGE:
                return found

    async def send(self, method: Method, path: str, *, query: Query = (), json: Any = None) -> Reply:
        of_whole_numbers(path.replace("-", "_"))
        url = f"{self.shop.address}/admin/{path}"
        if query:
            url += "?" + urlencode(query, quote_via=quote, safe="[]*,.+:")
        key = base64.b64encode(f"{self.shop.secrets.get('api_key', '')}:".encode()).decode()
        headers = {"Authorization": f"Basic {key}", "Accept": "application/json"}
        return checked(await self.shop.http.send(method, url, headers=headers, json=json))


def checked(reply: Reply) -> Reply:
    """The reply when it is a 2xx; otherwise the error that its status stands for, where Medusa itself wrote it."""
    if is_challenge(reply):
        raise walled(reply.status)
    if 200 <= reply.status < 300:
        return reply
    ours, said = _problem(reply)
    match reply.status:
        case 401 if ours:
            raise AuthDead("Your Medusa refuses the API key: it was revoked or is no secret key. Make a new one.")
        case 403 if ours:
            raise NotAllowed(f"The API key may not do this. Medusa says: {said}")
        case 401 | 403:
            raise walled(reply.status)
        case 404 if ours:
            raise Missing(f"Your store does not have it. Medusa says: {said}")
        case 404:
            raise NoAnswer("At this address there is no Admin API of Medusa: type the address of its server.")
        # 409 is a conflict of two writers within one transaction: whether ours was carried out is not said.
        case 400 | 422 if ours:
            raise Declined(f"Your store refused this. Medusa says: {said}")
    check(reply)
    raise NoAnswer(f"Medusa answered in a way that we do not understand ({reply.status}).")


def _problem(reply: Reply) -> tuple[bool, str]:
    """Whether it is an error of Medusa's ({type, message, code}; a 401 has a message alone), and what it says."""
    try:
        node = node_of(reply.json(), "error")
    except Strange:
        return False, ""
    said = text.label(node.text("message"), 200)
    return bool(node.text("type") or (reply.status == 401 and said)), said
