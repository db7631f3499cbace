"""Asking Wix. There is one host for all sites: a header says which site, and the API key whether we may."""

import json as jsons
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from crossdock.kit import text
from crossdock.kit.check import check, is_challenge, retry_after, server_time, walled
from crossdock.kit.connector import Reply, Shop
from crossdock.kit.errors import AuthDead, Declined, Missing, NoAnswer, Strange, Throttled
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.shop.paging import Listed, listed

HOST = "https://www.wixapis.com"
V1, V3 = "V1_CATALOG", "V3_CATALOG"
# Of an app that asked too often, Wix says that it "may be throttled" (dev.wix.com, articles/get-started/rate-limits),
# and not for how long.
COOL_DOWN = 30.0
# The most of a page of orders and products; inventory items and variants have 1,000 (types, @wix/auto_sdk_*).
PAGE, BIG_PAGE = 100, 1000
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PATH = re.compile(r"[0-9A-Za-z_/-]+(\?[A-Za-z_&=]+)?")
Method = Literal["GET", "POST", "PATCH", "DELETE"]


class NotAllowed(AuthDead):
    """The key is good, but lacks a permission, or the site is not the key's."""


class TooLittle(Declined):
    """The site has not the units."""


@dataclass(frozen=True, slots=True)
class Paged:
    """One page; `onward` is where the next one begins, "" at the end."""

    rows: Listed
    onward: str


def known_id(said: str) -> bool:
    """Whether it can be an id of theirs: it becomes a part of the next address."""
    return _ID.fullmatch(said) is not None


def known_guid(said: str) -> bool:
    """What an order's id always is; in a list of ids, one that is none has the whole refused."""
    return _GUID.fullmatch(said) is not None


def by_cursor(
    wrap: str, wanted: Mapping[str, Any], sort: str = "", *, limit: int = PAGE, onward: str = ""
) -> dict[str, Any]:
    """ "Following requests use the cursor token and not `filter` or `sort`" (types, QueryV2)."""
    if onward:
        return {wrap: {"cursorPaging": {"limit": limit, "cursor": onward}}}
    order = {"sort": [{"fieldName": sort, "order": "ASC"}]} if sort else {}
    return {wrap: {"filter": dict(wanted), "cursorPaging": {"limit": limit}, **order}}


def by_offset(wanted: Mapping[str, Any], sort: str = "", *, onward: str = "") -> dict[str, Any]:
    """ "In V1, `filter` and `sort` are JSON-encoded strings" (dev.wix.com, skills/query-products-catalog-v1)."""
    order = {"sort": jsons.dumps([{sort: "asc"}])} if sort else {}
    paging = {"limit": PAGE, "offset": int(onward or 0)}
    return {"query": {"filter": jsons.dumps(wanted), "paging": paging, **order}}


def _further(asked: Mapping[str, Any], onward: str) -> dict[str, Any]:
    if "paging" in asked:
        return {"query": {**asked, "paging": {**asked["paging"], "offset": int(onward)}}}
    return by_cursor("query", {}, limit=asked["cursorPaging"]["limit"], onward=onward)


@dataclass(frozen=True, slots=True)
class Client:
    """One site. `shop.address` is its dashboard's, which ends with the site's id."""

    shop: Shop

    @property
    def newer(self) -> bool:
        """Which of the two catalogues the site has, as it said when it was last looked at."""
        return self.shop.settings.get("catalog", V3) != V1

    @property
    def base(self) -> str:
        """The key goes to Wix, whatever address was typed; only a site on this machine answers itself."""
        parts = urlsplit(self.shop.address)
        return f"http://{parts.netloc}" if parts.scheme == "http" else HOST

    async def one(self, method: Method, path: str, name: str = "", *, json: Any = None) -> Node:
        """The answer, or what stands in it under `name`."""
        node = node_of((await self.send(method, path, json=json)).json(), path.partition("?")[0].rpartition("/")[2])
        return node.child(name) if name else node

    async def page(self, path: str, name: str, body: Mapping[str, Any]) -> Paged:
        """Of a list by cursor or by offset. An empty list may be left out."""
        reply = await self.send("POST", path, json=body)
        at: datetime = server_time(reply) or self.shop.now()
        node = node_of(reply.json(), name)
        rows = listed(name, node.raw(name) if name in node else [], at)
        paging = body.get("query", {}).get("paging")
        if paging:
            return Paged(rows, str(paging["offset"] + PAGE) if rows.size >= PAGE else "")
        info = node.opt_child("pagingMetadata") or node.opt_child("metadata")
        if info is None or info.opt_bool("hasNext") is False:
            return Paged(rows, "")
        cursors = info.opt_child("cursors")
        return Paged(rows, "" if cursors is None else cursors.opt_str("next") or "")

    async def every(self, path: str, name: str, body: Mapping[str, Any]) -> Listed:
        """All pages of a query that is not expected to move."""
        page = await self.page(path, name, body)
        items, odd, onward = list(page.rows.items), list(page.rows.odd), page.onward
        while onward:
            page = await self.page(path, name, _further(body["query"], onward))
            items, odd = [*items, *page.rows.items], [*odd, *page.rows.odd]
            onward = page.onward if page.onward != onward else ""
        return Listed(items, page.rows.at, tuple(odd))

    async def send(self, method: Method, path: str, *, json: Any = None) -> Reply:
        if not _PATH.fullmatch(path):
            raise Strange("id", "id", path)
        # "Authorization: <APIKEY>", without "Bearer" (dev.wix.com, articles/authentication/api-keys).
        headers = {
            "Authorization": self.shop.secrets.get("api_key", ""),
            "wix-site-id": self.shop.address.rpartition("/")[2],
        }
        return checked(await self.shop.http.send(method, f"{self.base}/{path}", headers=headers, json=json))


def checked(reply: Reply) -> Reply:
    """The reply when it is a 2xx; otherwise the error that its status stands for, where Wix itself wrote it."""
    if is_challenge(reply):
        raise walled(reply.status)
    if 200 <= reply.status < 300:
        return reply
    ours, said, code = _problem(reply)
    match reply.status:
        case 401 if ours:
            raise AuthDead(f"Wix refuses the API key: make a new one. It says: {said}")
        case 403 if ours:
            raise NotAllowed(f"The API key lacks a permission, or is not this site's. Wix says: {said}")
        case 401 | 403:
            raise walled(reply.status)
        case 404 if ours:
            raise Missing(f"Your site does not have it. Wix says: {said}")
        case 404:
            raise NoAnswer("At this address there is no Wix API.")
        # "FAILED_PRECONDITION" is a 428: CATALOG_V1_SITE_CALLING_CATALOG_V3_API and the other way round, and
        # CATALOG_V3_SITE_PROVISIONING while a site moves (seen on live sites by others).
        case 428 if code.startswith("CATALOG_V"):
            raise NoAnswer("Your site is moving, or has moved, to Wix's other catalogue; it is looked at again soon.")
        case status if 400 <= status < 500 and code.startswith("INSUFFICIENT_INVENTORY"):
            raise TooLittle(f"Your site has not enough. Wix says: {said}")
        case 429:
            wait = retry_after(reply)
            raise Throttled("Your site was asked too often; we go on in a moment.", COOL_DOWN if wait is None else wait)
        # ABORTED, ALREADY_EXISTS and the like: somebody else changed the same thing (about-errors, 409).
        case 409:
            raise NoAnswer(f"Wix was busy with the same thing. It says: {said}")
        case status if 400 <= status < 500 and ours:
            raise Declined(f"Your site refused this. Wix says: {said}")
    check(reply)
    raise NoAnswer(f"Wix answered in a way that we do not understand ({reply.status}).")


def _problem(reply: Reply) -> tuple[bool, str, str]:
    """Whether it is an error of Wix's, what it says, and its code: {message, details: {applicationError: {code,
    description}}} or {details: {validationError: {fieldViolations: [{field, description}]}}} (about-errors).
    """
    try:
        body = reply.json()
    except Strange:
        return False, "", ""
    if not isinstance(body, dict) or "message" not in body:
        return False, "", ""
    node = node_of(body, "error")
    details = node.view("details")
    known = details.view("applicationError")
    fields = details.view("validationError").rows("fieldViolations")
    words = known.text("description") or ", ".join(f"{row.text('field')} {row.text('description')}" for row in fields)
    return True, text.label(words or node.text("message"), 200), known.text("code")
