"""Asking a Medusa server: JSON over HTTP with a secret API key as the user of HTTP Basic. An error has a `type`; what
has none is not Medusa's own.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, urlencode

from crossdock.kit import text
from crossdock.kit.check import server_time
from crossdock.kit.connector import Reply, Shop
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.shop.addresses import of_whole_numbers
from crossdock.kit.shop.answers import Told, answered, error_in
from crossdock.kit.shop.paging import Listed, every, listed

Method = Literal["GET", "POST", "DELETE"]
Query = Sequence[tuple[str, str]]
# No maximum was seen; rows are large, since totals are computed for each order.
PAGE = 100


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
        asked = [*query, ("limit", str(PAGE))]
        return (await every(lambda behind: self.rows(path, key, [*asked, ("offset", str(behind))]), PAGE)).items

    async def send(self, method: Method, path: str, *, query: Query = (), json: Any = None) -> Reply:
        of_whole_numbers(path.replace("-", "_"))
        url = f"{self.shop.address}/admin/{path}"
        if query:
            url += "?" + urlencode(query, quote_via=quote, safe="[]*,.+:")
        key = base64.b64encode(f"{self.shop.secrets.get('api_key', '')}:".encode()).decode()
        headers = {"Authorization": f"Basic {key}", "Accept": "application/json"}
        return answered(
            await self.shop.http.send(method, url, headers=headers, json=json),
            _told,
            by="Medusa",
            place="store",
            refused="Your Medusa refuses the API key: it was revoked or is no secret key. Make a new one.",
            lacking="The API key may not do this.",
            nowhere="At this address there is no Admin API of Medusa: type the address of its server.",
            # 409 is a conflict of two writers within one transaction: whether ours was carried out is not said.
            refusals=(400, 422),
        )


def _told(reply: Reply) -> Told | None:
    """{type, message, code}; a 401 has a message alone."""
    node = error_in(reply)
    said = text.label(node.text("message"), 200) if node else ""
    return Told(said) if node and (node.text("type") or (reply.status == 401 and said)) else None
