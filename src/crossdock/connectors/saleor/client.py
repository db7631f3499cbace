"""Asking a Saleor server. Nearly everything is HTTP 200: `errors` beside `data` mean that a field failed, `errors`
within a mutation's own result that the shop refuses.

A dead token and a missing permission look the same (PermissionDenied on the field): a token that Saleor does not know
is nobody's (saleor/core/auth_backend.py).
"""

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crossdock.kit import text
from crossdock.kit.check import check, is_challenge, is_data, server_time, walled
from crossdock.kit.connector import Reply, Shop
from crossdock.kit.errors import AuthDead, Declined, Missing, NoAnswer
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.shop import facts
from crossdock.kit.shop.answers import found
from crossdock.kit.shop.graphql import Problem, operations, problems

# "exceeds the `first` limit of 100 records" (saleor/graphql/core/connection.py).
PAGE = 100
DOCUMENTS = operations(__package__)
LACKING = "the app token has ended, or the app lacks a permission"
CODES = facts.load(__package__, "codes")


class Refusal(Declined):
    """The shop's own no. `code` is the first error's, `rows` are all of them."""

    def __init__(self, sentence: str, code: str, rows: tuple[Node, ...]) -> None:
        super().__init__(sentence)
        self.code, self.rows = code, rows

    def ids(self, name: str) -> set[str]:
        """What the errors name: `orderLines` or `variants`."""
        return {id_ for row in self.rows for id_ in row.raw(name) or () if isinstance(id_, str)}


@dataclass(frozen=True, slots=True)
class Client:
    """One shop's API. `shop.address` is the server's, without /graphql/."""

    shop: Shop

    async def ask(self, operation: str, **variables: Any) -> Node:
        return (await self.answer(operation, **variables))[0]

    async def answer(self, operation: str, **variables: Any) -> tuple[Node, datetime]:
        """With the server's clock. A document takes what it declares of the variables, the channel among them, and
        passes over the rest (GraphQL: CoerceVariableValues). Raises Outside, with Declined and Missing among them.
        """
        headers = {"Authorization": f"Bearer {self.shop.secrets.get('token', '')}", "Accept": "application/json"}
        variables["channel"] = self.shop.settings.get("channel", "")
        body = {"query": DOCUMENTS[operation], "variables": variables}
        reply = await self.shop.http.send("POST", f"{self.shop.address}/graphql/", headers=headers, json=body)
        return _data(reply), server_time(reply) or self.shop.now()

    async def one(self, operation: str, name: str, **variables: Any) -> Node | None:
        """None when the shop does not have it."""
        data = await found(self.ask(operation, **variables))
        return None if data is None else data.opt_child(name)

    async def do(self, operation: str, fine: Container[str] = (), **variables: Any) -> Node:
        """A mutation's result. Raises Refusal when the shop says no, unless by a code that is `fine`: it is so now."""
        result = (await self.ask(operation, **variables)).child("result")
        rows = tuple(result.list("errors"))
        if rows and (code := rows[0].text("code")) not in fine:
            raise Refusal(f"Your shop says: {text.label(rows[0].text('message'), 300) or 'no reason'}", code, rows)
        return result


def _data(reply: Reply) -> Node:
    if is_challenge(reply) or (reply.status in (401, 403) and not is_data(reply)):
        raise walled(reply.status)
    if reply.status == 404:
        raise NoAnswer("At this address there is no Saleor API; connect it again with the address of your Saleor API.")
    if reply.status not in (400, 401, 413):
        check(reply)
    answer = node_of(reply.json(), "answer")
    if reply.status == 401:
        # A shop that lets nobody unknown ask (saleor/graphql/views.py: STOREFRONT_TRAFFIC_BLOCKED).
        raise AuthDead("Your Saleor does not know this app token; make a new one and connect again.")
    for problem in problems(answer)[:1]:
        _fail(problem)
    if reply.status >= 400:
        raise Declined(f"Your Saleor refused this ({reply.status}).")
    return answer.child("data")


def _fail(problem: Problem) -> None:
    """A mutation of ours is called `result`: where a field below it failed, it was carried out, whatever the error's
    class says.
    """
    code = problem.extensions.view("exception").text("code")
    if len(problem.path) > 1 and problem.path[0] == "result":
        raise NoAnswer(f"Your Saleor did not say what came of it ({problem.place}). It says: {problem.message}")
    if code in CODES["dead"]:
        place = problem.place or "sign-in"
        raise AuthDead(f"Your Saleor does not let us do this ({place}): {LACKING}. Saleor says: {problem.message}")
    if code == "GraphQLError" and problem.message.startswith(("Invalid ID", "Couldn't resolve")):
        raise Missing("Your shop does not have it.")
    if code in CODES["refused"] or "syntax" in code.lower():
        raise Declined(f"Your Saleor refused this. It says: {problem.message}")
    raise NoAnswer(f"Your Saleor failed. It says: {problem.message}")
