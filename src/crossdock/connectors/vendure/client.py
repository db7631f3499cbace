"""Asking a Vendure server. Nearly everything is HTTP 200: errors stand in `errors` (the call failed) or as a union
member in `data` (the shop refuses).

A dead session and a missing right give the same FORBIDDEN; with a name and password we sign in once more before
believing it is a right.
"""

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crossdock.kit import text
from crossdock.kit.check import check, server_time, walled
from crossdock.kit.connector import Reply, Shop
from crossdock.kit.errors import AuthDead, Missing, NoAnswer, Outside, Strange
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.shop.graphql import Problem, load, problems, whole

API_VERSION = "3.7"
ADD_LINE = (
    "l{n}: addItemToDraftOrder(orderId: $order, input: {{productVariantId: $v{n}, quantity: $q{n}}}) {{ ...Added }}"
)
# Codes of Vendure's and Apollo's that mean: looked at, understood, not done.
REFUSALS = frozenset(
    {"USER_INPUT_ERROR", "BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED", "CHANNEL_NOT_FOUND"}
)
MOST_SESSIONS = 10_000


class Rejected(Outside):
    """The server understood and refused the call; nothing was done.

    `place` is the field of our document that failed.
    """

    def __init__(self, sentence: str, place: str) -> None:
        super().__init__(sentence)
        self.place = place


class Gone(Missing):
    """Something that our call names does not exist there. `place` is the field of our document that failed."""

    def __init__(self, sentence: str, place: str) -> None:
        super().__init__(sentence)
        self.place = place


class _Forbidden(AuthDead):
    """FORBIDDEN on every field: nothing of the document was carried out."""


_PARTS = load(__package__)


@functools.cache
def document(name: str, lines: int = 0) -> str:
    """The operation `name` of documents.graphql with the fragments it needs; with `lines` order lines (v0, q0, v1, q1,
    ...).
    """
    text = _PARTS[name].replace("{declared}", ", ".join(f"$v{n}: ID!, $q{n}: Int!" for n in range(lines)))
    return whole(text.replace("{lines}", "\n  ".join(ADD_LINE.format(n=n) for n in range(lines))), _PARTS)


@dataclass
class Sessions:
    """Login tokens of this process. They live nowhere else: a lost one is a new login."""

    tokens: dict[str, str] = field(default_factory=dict)

    def key(self, shop: Shop) -> str:
        secret = "\0".join((shop.address, shop.secrets.get("username", ""), shop.secrets.get("password", "")))
        return hashlib.sha256(secret.encode()).hexdigest()

    def keep(self, shop: Shop, token: str) -> None:
        if len(self.tokens) >= MOST_SESSIONS:
            self.tokens.clear()
        self.tokens[self.key(shop)] = token


@dataclass(frozen=True, slots=True)
class Answer:
    """`data` of a call, and the server's own clock when it answered (None when it names no date)."""

    data: Node
    server_time: datetime | None


@dataclass(frozen=True, slots=True)
class Client:
    """One shop's Admin API."""

    shop: Shop
    sessions: Sessions

    async def ask(self, operation: str, *, lines: int = 0, **variables: Any) -> Node:
        return (await self.answer(operation, lines=lines, **variables)).data

    async def answer(self, operation: str, *, lines: int = 0, **variables: Any) -> Answer:
        """Run an operation of documents.graphql. Raises Outside, with Rejected and Gone among them."""
        query = document(operation, lines)
        if "api_key" in self.shop.secrets:
            return await self._send(query, variables, {"vendure-api-key": self.shop.secrets["api_key"]})
        token = self.sessions.tokens.get(self.sessions.key(self.shop))
        if token is not None:
            try:
                return await self._send(query, variables, {"authorization": f"Bearer {token}"})
            except _Forbidden:
                pass  # the session may have ended; nothing of the document was done, so it can be sent again
        token = await self.sign_in()
        return await self._send(query, variables, {"authorization": f"Bearer {token}"})

    async def sign_in(self) -> str:
        """A fresh login token. Raises AuthDead when the name or password is refused."""
        secrets = self.shop.secrets
        names = {"username": secrets.get("username", ""), "password": secrets.get("password", "")}
        reply = await self._post(document("SignIn"), names, {})
        result = _data(reply).child("login")
        if result.str("__typename") != "CurrentUser":
            raise AuthDead("Your Vendure refuses this user name or password.")
        token = reply.headers.get("vendure-auth-token", "")
        if not token:
            raise AuthDead(
                "Your Vendure gives no login token: let `authOptions.tokenMethod` include 'bearer', or use an API key."
            )
        self.sessions.keep(self.shop, token)
        return token

    async def _send(self, text: str, variables: Mapping[str, Any], headers: Mapping[str, str]) -> Answer:
        reply = await self._post(text, variables, headers)
        return Answer(_data(reply), server_time(reply))

    async def _post(self, text: str, variables: Mapping[str, Any], headers: Mapping[str, str]) -> Reply:
        if token := self.shop.secrets.get("channel_token", ""):
            headers = {**headers, "vendure-token": token}
        url = f"{self.shop.address}/admin-api"
        reply = await self.shop.http.send(
            "POST", url, headers=headers, json={"query": text, "variables": dict(variables)}
        )
        if reply.status == 404:
            raise NoAnswer(f"There is no Vendure Admin API at {url}.")
        if reply.status in (401, 403):
            # Vendure refuses inside a 200 (errors, FORBIDDEN); this is whatever stands before it.
            raise walled(reply.status)
        return check(reply)


def _data(reply: Reply) -> Node:
    answer = node_of(reply.json(), "answer")
    for problem in problems(answer)[:1]:
        _fail(problem, answer)
    return answer.child("data")


def _fail(problem: Problem, answer: Node) -> None:
    if problem.code == "FORBIDDEN":
        # A mutation's fields run one after the other: what came before the forbidden one is done.
        data = answer.raw("data")
        if not isinstance(data, dict) or all(value is None for value in data.values()):
            raise _Forbidden(
                f"Your Vendure does not let us do this ({problem.place}): the key or session has ended, or its role"
                " lacks a right."
            )
        raise NoAnswer(f"Your Vendure did a part of what we asked and forbade {problem.place}.")
    if problem.code == "ENTITY_NOT_FOUND":
        raise Gone(f"Your shop says: {problem.message}", problem.place)
    if problem.code in REFUSALS:
        raise Rejected(f"Your shop says: {problem.message}", problem.place)
    raise NoAnswer(f"Your Vendure failed: {problem.message}")


def refusal(result: Node, *wanted: str) -> str:
    """The shop's own words when a union result is an error, "" when it is one of `wanted`.

    Anything unknown is Strange.
    """
    kind = result.str("__typename")
    if kind in wanted:
        return ""
    words = text.label(result.text("transitionError") or result.text("message"), 300)
    if not words:
        raise Strange(f"{result.path}.__typename", " or ".join(wanted), kind)
    return words
