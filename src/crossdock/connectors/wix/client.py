"""Asking Wix. There is one host for all sites: a header says which site, and the API key whether we may."""

import json as jsons
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from crossdock.domain.commands import Why
from crossdock.kit import text
from crossdock.kit.check import server_time
from crossdock.kit.connector import Reply, Shop
from crossdock.kit.errors import Declined, NoAnswer, Outside, Strange
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.shop.addresses import called
from crossdock.kit.shop.answers import Told, answered, error_in
from crossdock.kit.shop.paging import Listed, Paged, listed, to_the_end

HOST = "https://www.wixapis.com"
V1, V3 = "V1_CATALOG", "V3_CATALOG"
# Of an app that asked too often, Wix says that it "may be throttled" (dev.wix.com, articles/get-started/rate-limits),
# and not for how long.
COOL_DOWN = 30.0
# The most of a page of orders and products; inventory items and variants have 1,000 (types, @wix/auto_sdk_*).
PAGE, BIG_PAGE = 100, 1000
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PATH = re.compile(r"[0-9A-Za-z_/-]+(\?[A-Za-z_&=]+)?")
TOO_FEW = "INSUFFICIENT_INVENTORY"
Method = Literal["GET", "POST", "PATCH", "DELETE"]


def known_guid(said: str) -> bool:
    """What an order's id always is; in a list of ids, one that is none has the whole refused."""
    return _GUID.fullmatch(said) is not None


@dataclass(frozen=True, slots=True)
class Asked:
    """A list: where it is, what its rows stand under, and the query, with what else goes beside it."""

    path: str
    name: str
    query: Mapping[str, Any]
    wrap: str = "query"
    beside: Mapping[str, Any] = field(default_factory=dict)

    def body(self, onward: str) -> dict[str, Any]:
        """ "Following requests use the cursor token and not `filter` or `sort`" (types, QueryV2)."""
        query = self.query
        if onward.isdigit() and "paging" in query:
            query = {**query, "paging": {**query["paging"], "offset": int(onward)}}
        elif onward and "cursorPaging" in query:
            query = {"cursorPaging": {**query["cursorPaging"], "cursor": onward}}
        return {self.wrap: query, **self.beside}


def by_cursor(wanted: Mapping[str, Any], sort: str = "", *, limit: int = PAGE) -> dict[str, Any]:
    order = {"sort": [{"fieldName": sort, "order": "ASC"}]} if sort else {}
    return {"filter": wanted, "cursorPaging": {"limit": limit}, **order}


def by_offset(wanted: Mapping[str, Any], sort: str = "") -> dict[str, Any]:
    """ "In V1, `filter` and `sort` are JSON-encoded strings" (dev.wix.com, skills/query-products-catalog-v1)."""
    order = {"sort": jsons.dumps([{sort: "asc"}])} if sort else {}
    return {"filter": jsons.dumps(wanted), "paging": {"limit": PAGE, "offset": 0}, **order}


@dataclass(frozen=True, slots=True)
class Client:
    """One site. `shop.address` is its dashboard's, which ends with the site's id."""

    shop: Shop

    @property
    def newer(self) -> bool:
        """Which of the two catalogues the site has, as it said when it was last looked at."""
        return self.shop.settings.get("catalog", V3) != V1

    async def one(self, method: Method, path: str, name: str = "", *, json: Any = None) -> Node:
        """The answer, or what stands in it under `name`."""
        node = node_of((await self.send(method, path, json=json)).json(), path.partition("?")[0].rpartition("/")[2])
        return node.child(name) if name else node

    async def page(self, asked: Asked, onward: str = "") -> Paged:
        """Of a list by cursor or by offset. An empty list may be left out."""
        body = asked.body(onward)
        reply = await self.send("POST", asked.path, json=body)
        node = node_of(reply.json(), asked.name)
        values = node.raw(asked.name) if asked.name in node else []
        rows = listed(asked.name, values, server_time(reply) or self.shop.now())
        if by_number := body[asked.wrap].get("paging"):
            return Paged(rows, str(by_number["offset"] + PAGE) if rows.size >= PAGE else "")
        info = node.opt_child("pagingMetadata") or node.opt_child("metadata")
        more = info.opt_child("cursors") if info and info.opt_bool("hasNext") is not False else None
        return Paged(rows, more.opt_str("next") or "" if more else "")

    async def every(self, asked: Asked) -> Listed:
        """All pages of a query that is not expected to move."""
        return await to_the_end(partial(self.page, asked))

    async def send(self, method: Method, path: str, *, json: Any = None) -> Reply:
        if not _PATH.fullmatch(path):
            raise Strange("id", "id", path)
        # "Authorization: <APIKEY>", without "Bearer" (dev.wix.com, articles/authentication/api-keys).
        headers = {
            "Authorization": self.shop.secrets.get("api_key", ""),
            "wix-site-id": self.shop.address.rpartition("/")[2],
        }
        return answered(
            await self.shop.http.send(method, f"{called(self.shop.address, HOST)}/{path}", headers=headers, json=json),
            _told,
            by="Wix",
            place="site",
            refused="Wix refuses the API key: make a new one.",
            lacking="The API key lacks a permission, or is not this site's.",
            nowhere="At this address there is no Wix API.",
            cool_down=COOL_DOWN,
            own=_own,
        )


def _told(reply: Reply) -> Told | None:
    """{message, details: {applicationError: {code, description}}} or {details: {validationError: {fieldViolations:
    [{field, description}]}}} (about-errors).
    """
    node = error_in(reply)
    if node is None or "message" not in node:
        return None
    known = node.view("details").view("applicationError")
    fields = node.view("details").view("validationError").rows("fieldViolations")
    words = known.text("description") or ", ".join(f"{row.text('field')} {row.text('description')}" for row in fields)
    return Told(text.label(words or node.text("message"), 200), known.text("code"))


def _own(reply: Reply, told: Told | None) -> Outside | None:
    said, code = told or Told("")
    match reply.status:
        # "FAILED_PRECONDITION" is a 428: CATALOG_V1_SITE_CALLING_CATALOG_V3_API and the other way round, and
        # CATALOG_V3_SITE_PROVISIONING while a site moves (seen on live sites by others).
        case 428 if code.startswith("CATALOG_V"):
            return NoAnswer("Your site is moving, or has moved, to Wix's other catalogue; it is looked at again soon.")
        case status if 400 <= status < 500 and code.startswith(TOO_FEW):
            return refused(code, said)
        # ABORTED, ALREADY_EXISTS and the like: somebody else changed the same thing (about-errors, 409).
        case 409:
            return NoAnswer(f"Wix was busy with the same thing. It says: {said}")
    return None


def refused(code: str, said: str) -> Declined:
    """Wix's own no, by its code: also that of one item of a call that was answered with 200."""
    why, did = (Why.NO_STOCK, "has not enough") if code.startswith(TOO_FEW) else (Why.INVALID, "refused this")
    return Declined(f"Your site {did}. Wix says: {text.label(said, 200)}", why)
