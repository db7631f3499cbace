"""Asking a WooCommerce shop over REST wc/v3.

A refusal hides several stories and only its `code` tells which: the message is in the shop's language.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, urlencode, urlsplit

from crossdock.kit import text
from crossdock.kit.check import check, is_challenge, server_time, walled
from crossdock.kit.connector import Reply, Shop
from crossdock.kit.errors import AuthDead, Missing, NoAnswer, Outside, Strange, Throttled
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.shop.addresses import of_whole_numbers
from crossdock.kit.shop.oauth import signed
from crossdock.kit.shop.paging import Listed, listed

Method = Literal["GET", "POST", "PUT", "DELETE"]
PAGE = 100


class Rejected(Outside):
    """WooCommerce understood the call and refused it; nothing was done."""


class NoRoute(Throttled):
    """The site has no such route (a feature or WooCommerce itself is switched off): surely not done."""


class NotSignedIn(AuthDead):
    """Nobody was signed in: the key is unknown, or the host took our Authorization header away."""


class NotAllowed(AuthDead):
    """The keys are good, but the WordPress user behind them may not do this."""


@dataclass(frozen=True, slots=True)
class Client:
    """One shop's REST API.

    `auth` is how the keys travel: basic, query (where the host strips the header) or oauth (plain http).
    """

    shop: Shop
    auth: str = ""

    @property
    def way(self) -> str:
        if urlsplit(self.shop.address).scheme == "http":
            return "oauth"
        return self.auth or self.shop.settings.get("auth", "basic")

    async def ask(self, method: Method, path: str, *, query: Mapping[str, str] | None = None, json: Any = None) -> Any:
        """The parsed answer. Raises Outside, with Rejected, NoRoute, NotSignedIn and NotAllowed among them."""
        return (await self.send(method, path, query=query, json=json)).json()

    async def one(self, path: str, *, query: Mapping[str, str] | None = None) -> Node:
        return node_of(await self.ask("GET", path, query=query), path.partition("/")[0])

    async def rows(self, path: str, query: Mapping[str, str]) -> Listed:
        """One page. Unknown parameters are ignored by the shop and give everything: whoever asks checks what came."""
        reply = await self.send("GET", path, query={"per_page": str(PAGE), **query})
        return listed(path.rpartition("/")[2], reply.json(), server_time(reply) or self.shop.now())

    async def every(self, path: str, query: Mapping[str, str]) -> list[Node]:
        """All pages of a list that is not expected to move. What is no object in it is left out."""
        found, seen = list[Node](), 0
        while True:
            page = await self.rows(path, {**query, "offset": str(seen)})
            found += page.items
            seen += page.size
            if page.size < PAGE:
                return found

    async def send(
        self, method: Method, path: str, *, query: Mapping[str, str] | None = None, json: Any = None
    ) -> Reply:
        of_whole_numbers(path)
        url = f"{self.shop.address}/wp-json/wc/v3/{path}"
        key, secret = self.shop.secrets.get("consumer_key", ""), self.shop.secrets.get("consumer_secret", "")
        keys = {"consumer_key": key, "consumer_secret": secret} if self.way == "query" else {}
        if parts := {**(query or {}), **keys}:
            url += "?" + urlencode(parts, quote_via=quote)
        headers = {}
        if self.way == "basic":
            headers["Authorization"] = "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()
        elif self.way == "oauth":
            url, _ = signed(method, url, (key, secret), in_query=True)
        return checked(await self.shop.http.send(method, url, headers=headers, json=json))


def checked(reply: Reply) -> Reply:
    """The reply when it is a 2xx; otherwise the error that its status and WooCommerce's own code stand for."""
    if is_challenge(reply):
        raise walled(reply.status)
    if 200 <= reply.status < 300:
        return reply
    code, said = _problem(reply)
    match reply.status:
        case 401 if code.startswith("woocommerce_rest_cannot"):
            raise NotSignedIn(f"Your shop does not know these keys. It says: {said}")
        case 401 if code.startswith("woocommerce_rest"):
            raise AuthDead(f"Your shop refuses our keys. It says: {said or 'nothing'}")
        case 401:
            # Not WooCommerce: a host's password page has no code at all, a security plugin has one of its own, and a
            # WordPress whose WooCommerce is switched off takes our key for a user's name ("invalid_username").
            raise walled(401, said)
        case 403 if code.startswith(("woocommerce_rest", "rest_forbidden")):
            raise NotAllowed(f"The WordPress user behind the keys may not do this. Your shop says: {said}")
        case 403:
            raise walled(403, said)
        case 404 if code == "rest_no_route":
            raise NoRoute("WooCommerce's REST API is switched off in your shop, or a part of it that we need.")
        case 404 if not code:
            raise NoAnswer(
                "At your shop's address there is no REST API: it answered with an ordinary “not found” page."
            )
        case 400 if code.endswith("_invalid_id"):
            raise Missing(f"Your shop does not have it. It says: {said}")
        case 404 | 429 | 500 | 502 | 503 | 504:
            return check(reply)
        case status if 400 <= status < 500 and code:
            raise Rejected(f"Your shop refused this. It says: {said}")
        case _:
            check(reply)
            raise NoAnswer(f"Your shop answered in a way that we do not understand ({reply.status}).")


def _problem(reply: Reply) -> tuple[str, str]:
    """WordPress's own code and message; empty when the answer is no error of WordPress (a host, a firewall, a broken
    page).
    """
    try:
        body = reply.json()
    except Strange:
        return "", ""
    if not isinstance(body, dict) or not isinstance(body.get("code"), str):
        return "", ""
    return body["code"], text.label(str(body.get("message", "")), 200)
