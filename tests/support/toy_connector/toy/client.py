"""One call to the corner shop."""

from dataclasses import dataclass
from typing import Any

from crossdock.kit.check import check
from crossdock.kit.connector import Shop
from crossdock.kit.errors import Strange
from crossdock.kit.json_node import Node, node_of


@dataclass(frozen=True, slots=True)
class Client:
    """A corner shop's API, which is asked with a key."""

    shop: Shop

    async def get(self, path: str, **query: str) -> Node:
        return await self._send("GET", path, query=query)

    async def post(self, path: str, body: Any) -> Node:
        return await self._send("POST", path, json=body)

    async def _send(self, method: str, path: str, **sent: Any) -> Node:
        """The answer as an object. A 409 or 422 is the shop's own no and has its reason inside."""
        headers = {"X-Toy-Key": self.shop.secrets["key"]}
        reply = check(await self.shop.http.send(method, self.shop.address + path, headers=headers, **sent))
        if reply.status not in (200, 201, 409, 422):
            raise Strange("the answer's status", "200, 201, 409 or 422", reply.status)
        return node_of(reply.json(), path.split("/")[2])
