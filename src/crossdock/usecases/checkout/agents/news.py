"""What an agent's program is told of an order, as the order is when it is sent."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crossdock.domain.agents.ucp import ORDER, VERSION
from crossdock.store.models import AgentSession
from crossdock.store.models.money import IntentState
from crossdock.usecases.checkout.agents import acp, ucp
from crossdock.usecases.checkout.agents.order import AgentOrder, agent_order
from crossdock.usecases.checkout.agents.sessions import paid_basket
from crossdock.usecases.record.agent_news import spoken


@dataclass(frozen=True, slots=True)
class OrderNews:
    """What an agent's program is to be told now; without `body` nothing, and `why`. `told` is a digest of the order as
    the agent knows it then, and the same for as long as the order says the same.
    """

    told: str
    body: dict[str, Any] | None = None
    why: str = ""


def order_news(*, session: int, now: datetime) -> OrderNews:
    """Of a session's order, whole, as it is now."""
    row = AgentSession.objects.select_related("token", "intent").filter(pk=session).first()
    if row is None or row.intent is None or row.intent.state != IntentState.CAPTURED:
        return OrderNews(row.told if row else "", why="There is no order to tell of.")
    token = row.token
    if row.protocol not in spoken() or token.revoked_at is not None or (token.expires_at and token.expires_at <= now):
        return OrderNews(row.told, why="Its token holds no longer, so it is told nothing.")
    order = _written(row.protocol, agent_order(row.public_id, row.intent, paid_basket(row.intent)))
    told = hashlib.sha256(json.dumps(order, sort_keys=True).encode()).hexdigest()
    if told == row.told:
        return OrderNews(told, why="It knows that already.")
    if row.protocol == "ucp":
        return OrderNews(told, order)
    return OrderNews(told, {"type": "order_update" if row.told else "order_create", "data": order})


def _written(protocol: str, order: AgentOrder) -> dict[str, Any]:
    """As a session's or an order's reader gets it. By UCP “the full order entity” is all of a message, the first as the
    later ones (v2026-04-08, docs/specification/order.md, Events).
    """
    if protocol == "acp":
        return acp.order_out(order)
    spoken_in = {"version": VERSION, "status": "success", "capabilities": {ORDER: [{"version": VERSION}]}}
    return ucp.order_out(order, spoken_in)
