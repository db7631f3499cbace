"""One call to a shop behind the open door: a POST of JSON whose body names the call, signed by Standard Webhooks with
the shop's key, which never travels.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from crossdock.domain.commands import Why
from crossdock.kit import text, wire
from crossdock.kit.check import check, is_challenge, walled
from crossdock.kit.connector import Reply, Shop
from crossdock.kit.errors import AuthDead, Declined, Missing, NoAnswer, Outside, Strange, Throttled
from crossdock.kit.json_node import Node, node_of

REQUIRED = ("about", "products/list", "products/read", "orders/create", "orders/read", "orders/list")
# Standard Webhooks: a message whose time is further away than this is refused.
CLOCK_SECONDS = 300
_WHY = {
    "no_stock": Why.NO_STOCK,
    "product_gone": Why.PRODUCT_GONE,
    "too_late": Why.TOO_LATE,
    "conflict": Why.CONFLICT,
    "not_offered": Why.UNSUPPORTED,
}


def signer(key: str) -> Webhook:
    """Raises AuthDead when the key cannot be one."""
    try:
        return Webhook(key)
    # The library decodes it without looking, and raises what base64 raises.
    except (ValueError, EmptyWebhookSecretError):
        raise AuthDead("The key of your shop is damaged: paste it again.") from None


@dataclass(frozen=True, slots=True)
class Client:
    """One shop's open door."""

    shop: Shop

    def offers(self, call: str) -> bool:
        """By what it said when it was last looked at; before that, everything."""
        calls = self.shop.settings.get("calls")
        return calls is None or call in calls.split(",")

    async def ask(self, call: str, **said: Any) -> Node:
        """The answer. Raises Outside, with Declined and Missing among them."""
        body = {"call": call, **said}
        # In UTC: the library takes the digits of any other zone for UTC's (findings/).
        id_, now = f"call_{secrets.token_hex(12)}", self.shop.now().astimezone(UTC)
        headers = {
            "webhook-id": id_,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signer(self.shop.secrets.get("key", "")).sign(id_, now, wire.dump(body).decode()),
        }
        reply = await self.shop.http.send("POST", f"{self.shop.address}/{call}", headers=headers, json=body)
        return node_of(_checked(reply, self.shop).json(), call)

    def need(self, call: str, what: str) -> None:
        """Raises Declined when the shop does not offer the call; `what` tells the seller what to do instead."""
        if not self.offers(call):
            raise Declined(f"Your shop's open door does not offer {call}: {what}.", Why.UNSUPPORTED)


def _checked(reply: Reply, shop: Shop) -> Reply:
    if is_challenge(reply):
        raise walled(reply.status)
    if 200 <= reply.status < 300:
        return reply
    code, said, short = _refusal(reply)
    match reply.status:
        case 401 if code:
            raise _not_signed(reply, shop, said)
        case 404 if code == "not_found":
            raise Missing(f"Your shop does not have it. It says: {said}")
        case 404 | 405:
            raise NoAnswer("At this address there is no open door: it answered with an ordinary “not found” page.")
        case 401 | 403:
            raise walled(reply.status, said)
        case 409 | 422 if code:
            raise Declined(said or "Your shop refused this without a word.", _WHY.get(code, Why.INVALID), short)
    check(reply)
    raise Strange("the answer's status", "200, 409 or 422", reply.status)


def _not_signed(reply: Reply, shop: Shop, said: str) -> Outside:
    """A wrong clock is put right without a new key, so it is waited for."""
    try:
        away = abs((parsedate_to_datetime(reply.headers.get("date", "")) - shop.now()).total_seconds())
    except (TypeError, ValueError):
        away = 0
    if away > CLOCK_SECONDS:
        minutes = round(away / 60)
        return Throttled(f"The clock of your shop's server is {minutes} minutes wrong: set it right.", CLOCK_SECONDS)
    return AuthDead(f"Your shop refuses our signature: paste its key again. It says: {said}")


def _refusal(reply: Reply) -> tuple[str, str, tuple[str, ...]]:
    """The shop's code and sentence; empty when the answer is not the shop's."""
    try:
        body = reply.json()
    except Strange:
        return "", "", ()
    if not isinstance(body, dict) or not isinstance(body.get("error"), str):
        return "", "", ()
    short = body.get("short")
    ids = [each for each in short if isinstance(each, str)] if isinstance(short, list) else []
    return body["error"], text.label(str(body.get("message", "")), 300), tuple(ids)
