"""A shop whose answers are changed on their way: what an odd plugin, an import or a bad day of the shop sends."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from crossdock.kit.connector import Http, Reply, Shop

# (method, url, the answer's document, what was sent as JSON) -> the document to answer, None for the one that came.
Bend = Callable[[str, str, Any, Any], Any]


class Bent:
    """The Http of a shop with `bend` between it and the connector. `sent` is what was asked, `changed` how many answers
    were bent.
    """

    def __init__(self, inner: Http, bend: Bend) -> None:
        self.inner, self.bend = inner, bend
        self.sent: list[tuple[str, str, Any]] = []
        self.changed = 0

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
        timeout_seconds: float | None = None,
    ) -> Reply:
        self.sent.append((method, url, json))
        reply = await self.inner.send(
            method,
            url,
            headers=headers,
            query=query,
            json=json,
            form=form,
            content=content,
            timeout_seconds=timeout_seconds,
        )
        answer = changed(reply, lambda document: self.bend(method, url, document, json))
        self.changed += answer is not reply
        return answer

    def learn(self, *, left: float, per_second: float | None = None) -> None:
        self.inner.learn(left=left, per_second=per_second)


def changed(reply: Reply, bend: Callable[[Any], Any]) -> Reply:
    try:
        document = json.loads(reply.body)
    except ValueError:
        return reply
    bent = bend(document)
    return reply if bent is None else Reply(reply.status, reply.headers, json.dumps(bent).encode())


def bent(shop: Shop, bend: Bend) -> Shop:
    return replace(shop, http=Bent(shop.http, bend))
