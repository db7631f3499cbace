"""One GraphQL call and what can become of it.

Shopify answers most failures with HTTP 200: throttling, a missing right, an error of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crossdock.connectors.shopify.manifest import API_VERSION
from crossdock.kit import text
from crossdock.kit.check import check, is_data, walled
from crossdock.kit.connector import Reply, Shop
from crossdock.kit.errors import AuthDead, NoAnswer, Outside, Throttled
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.shop.graphql import operations, problems

# Our budget counts calls, Shopify's counts points: a usual call of ours asks for about this many.
POINTS_PER_CALL = 20.0
FROZEN_SECONDS = 3600.0
MOST_POINTS = 10**7


DOCUMENTS = operations(__package__)


class Said(Exception):
    """Shopify's own (code, message) against a change; nothing was done."""

    def __init__(self, complaints: list[tuple[str, str]]) -> None:
        super().__init__(complaints[0][1])
        self.complaints, self.code = complaints, complaints[0][0]


class Forbidden(AuthDead):
    """The app lacks a right for this field; the rest of its access is as it was."""


@dataclass(frozen=True, slots=True)
class Client:
    """One shop's Admin API."""

    shop: Shop

    def page_of(self, number: str) -> str:
        """An order in the shop's admin."""
        return f"{self.shop.address}/admin/orders/{number}"

    async def ask(self, operation: str, variables: Mapping[str, Any] | None = None) -> Node:
        """The `data` of an operation in documents.graphql.

        Raises what kit.errors names; any other GraphQL error is a plain Outside.
        """
        reply = await self.shop.http.send(
            "POST",
            f"{self.shop.address}/admin/api/{API_VERSION}/graphql.json",
            headers={"X-Shopify-Access-Token": self.shop.secrets.get("access_token", ""), "Accept": "application/json"},
            json={"query": DOCUMENTS[operation], "variables": dict(variables or {}), "operationName": operation},
        )
        answer = node_of(opened(reply, self.shop).json(), "answer")
        _learn(self.shop, answer)
        _complain(answer, mutation=DOCUMENTS[operation].startswith("mutation"))
        return answer.child("data")

    async def change(
        self, operation: str, result: str, variables: Mapping[str, Any], *, errors: str = "userErrors"
    ) -> Node:
        """The result of a mutation. Raises Said when Shopify complains of what we asked for."""
        node = (await self.ask(operation, variables)).child(result)
        if complaints := user_errors(node, errors):
            raise Said(complaints)
        return node


def own_app(shop: Shop) -> dict[str, str]:
    """Client id and secret of the seller's own app; empty when the shop came in through the operator's."""
    client_id, _, secret = shop.secrets.get("own_app", "").partition(":")
    return {"client_id": client_id, "client_secret": secret} if secret else {}


def opened(reply: Reply, shop: Shop) -> Reply:
    """The reply when the shop let us in.

    "402 Payment Required: The requested shop is currently frozen", "423 Locked: The requested shop is currently
    locked" (shopify.dev, response status codes). Neither was carried out, and both mend without a new sign-in, so they
    are asked again later.
    """
    match reply.status:
        case 402:
            raise Throttled(
                "Shopify has frozen this shop until its owner pays the bill in the Shopify admin.", FROZEN_SECONDS
            )
        case 423:
            raise Throttled("Shopify has locked this shop; its owner has to contact Shopify.", FROZEN_SECONDS)
        case 401 | 403 if not is_data(reply):
            # Shopify's own refusals are JSON; this page is somebody else's, or of a bad minute there.
            raise walled(reply.status)
        case 401:
            raise AuthDead(
                "Shopify refuses our access: the app was uninstalled or its access was revoked. Connect the shop again."
            )
        case 403:
            raise AuthDead(
                "Shopify forbids our app to enter this shop. Check that the shop is open, then connect it again."
            )
        case 404:
            # A page, whatever the cause; it says nothing about our access, so the shop is asked again now and then.
            raise Throttled(
                f"Shopify has no shop at {shop.address} at the moment: it was closed, or its address has changed. We"
                " ask again by ourselves.",
                FROZEN_SECONDS,
            )
        case _:
            return check(reply)


def _learn(shop: Shop, answer: Node) -> None:
    """Correct our budget with the bucket that every answer reports."""
    known = _throttle(answer)
    if known is not None:
        left, restore, _ = known
        shop.http.learn(left=left / POINTS_PER_CALL, per_second=restore / POINTS_PER_CALL)


def _throttle(answer: Node) -> tuple[float, float, float] | None:
    """(points left, points a second, what the request would cost), where the answer says so in numbers."""
    cost = answer.view("extensions").view("cost")
    status = cost.view("throttleStatus")
    left, restore = _points(status.raw("currentlyAvailable")), _points(status.raw("restoreRate"))
    if left is None or restore is None:
        return None
    return left, restore, _points(cost.raw("requestedQueryCost")) or 0.0


def _points(number: Any) -> float | None:
    return float(number) if isinstance(number, int | float) and 0 <= number <= MOST_POINTS else None


def _complain(answer: Node, *, mutation: bool) -> None:
    """Sort the top-level errors by what to do next.

    One that lies inside a mutation's result came after its work: that is not a refusal.
    """
    for problem in problems(answer):
        message = problem.message
        if mutation and len(problem.path) > 1:
            raise NoAnswer(f"Shopify did it, perhaps, but did not let us read the result: {message}")
        match problem.code:
            case "THROTTLED":
                raise Throttled("Shopify asked us to slow down.", _wait(answer))
            case "ACCESS_DENIED":
                need = problem.extensions.text("requiredAccess") or message
                raise Forbidden(
                    f"Shopify refuses a right that we need: {need.strip()} Give it to the app, then connect the shop"
                    " again."
                )
            case "SHOP_INACTIVE":
                raise Throttled("Shopify says that this shop is not active.", FROZEN_SECONDS)
            case "INTERNAL_SERVER_ERROR" | "TIMEOUT" | None:
                raise NoAnswer(f"Shopify failed while it worked on our request: {message}")
            case _:
                raise Outside(f"Shopify did not accept our request: {message}")


def _wait(answer: Node) -> float | None:
    """Seconds until the bucket holds what the refused request would cost: (cost - available) / restore rate."""
    known = _throttle(answer)
    if known is None:
        return None
    left, restore, asked = known
    return max(0.1, (asked - left) / max(1.0, restore))


def user_errors(result: Node, key: str = "userErrors") -> list[tuple[str, str]]:
    """(code, message) of each complaint about what we asked for."""
    return [(error.text("code"), text.label(error.text("message"), 300) or "no message") for error in result.list(key)]
