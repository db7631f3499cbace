"""Asking Squarespace's Commerce APIs. There is one host for all sites: the key says which site it is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from crossdock.connectors.squarespace.manifest import MANIFEST
from crossdock.domain.commands import Why
from crossdock.kit import text
from crossdock.kit.check import server_time
from crossdock.kit.connector import Reply, Shop
from crossdock.kit.errors import Declined, NoAnswer, Outside, Strange
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.shop.addresses import called
from crossdock.kit.shop.answers import Told, answered, error_in
from crossdock.kit.shop.paging import Paged, listed

HOST = "https://api.squarespace.com"
# "Requests without one will be rejected"; default values "may be subject to stricter rate limiting" (making-requests).
USER_AGENT = "Crossdock/0.1 (marketplace connector)"
# "429 Too Many Requests for a cooldown period of 1 minute" (rate-limits); no header says more (seen on a live site).
COOL_DOWN = 60.0
# The most that a list gives, and the most ids that one path takes.
PAGE = 50
_PATH = re.compile(r"[0-9A-Za-z_.,/-]+")


class TooLittle(Declined):
    """The site has not the units."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, Why.NO_STOCK)


@dataclass(frozen=True, slots=True)
class Client:
    """One site's APIs."""

    shop: Shop

    async def one(self, method: Literal["GET", "POST"], path: str, *, json: Any = None, key: str = "") -> Node:
        return node_of((await self.send(method, path, json=json, key=key)).json(), path.rpartition("/")[2])

    async def page(self, path: str, name: str, query: Mapping[str, str]) -> Paged:
        reply = await self.send("GET", path, query=query)
        node = node_of(reply.json(), name)
        at: datetime = server_time(reply) or self.shop.now()
        # "Array fields that contain no data can either be represented as a null value or an empty array"
        # (responses-error-handling). Asked for by id there is no pagination (seen on a live site).
        rows = listed(name, node.raw(name) if name in node or "pagination" not in node else [], at)
        info = node.opt_child("pagination")
        if info is None or not info.opt_bool("hasNextPage"):
            return Paged(rows, "")
        return Paged(rows, info.word("nextPageCursor"))

    async def send(
        self,
        method: Literal["GET", "POST"],
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        json: Any = None,
        key: str = "",
    ) -> Reply:
        """`key` makes a repeat harmless: "alphanumeric, dashes and underscores, up to 64 characters", and good for 48
        hours (adjusting-stock-levels).
        """
        if not _PATH.fullmatch(path):
            raise Strange("id", "id", path)
        headers = {"Authorization": f"Bearer {self.shop.secrets.get('api_key', '')}", "User-Agent": USER_AGENT}
        if key:
            headers["Idempotency-Key"] = key
        reply = await self.shop.http.send(
            method, f"{called(self.shop.address, HOST)}/{path}", headers=headers, query=query, json=json
        )
        if reply.status == 429:
            # Whatever is sent within the cool-down is refused as well, so nothing is.
            self.shop.http.learn(left=-COOL_DOWN * MANIFEST.pace.per_second)
        return checked(reply)


def checked(reply: Reply) -> Reply:
    return answered(
        reply,
        _told,
        by="Squarespace",
        place="site",
        refused="Squarespace refuses the API key: make a new one.",
        lacking="The API key lacks a permission.",
        nowhere="At this address there is no Squarespace API.",
        cool_down=COOL_DOWN,
        own=_own,
    )


def _own(reply: Reply, told: Told | None) -> Outside | None:
    """A 409 is of type CONFLICT; its subtypes are CONCURRENT_MODIFICATION, INSUFFICIENT_STOCK, STOCK_NOT_TRACKED and
    STOCK_EXCEEDS_MAX (create-order, adjust-stock-quantities). Only the first one can be over in a moment.
    """
    said, subtype = told or Told("")
    match reply.status:
        case 409 if subtype == "INSUFFICIENT_STOCK":
            return TooLittle(f"Your site has not enough. Squarespace says: {said}")
        case 409 if not subtype or subtype == "CONCURRENT_MODIFICATION":
            return NoAnswer(f"Squarespace is still busy with the same request. It says: {said}")
    return None


def _told(reply: Reply) -> Told | None:
    """{type, subtype, message, contextId}, or RFC 7807 from before its programs (a missing Idempotency-Key, seen on a
    live site).
    """
    node = error_in(reply)
    if node is None or "type" not in node:
        return None
    return Told(text.label(node.text("message") or node.text("detail"), 200), node.text("subtype"))
