"""What an agent's program is told of an order, as the order is when it is sent."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from crossdock.store.models import AgentSession
from crossdock.store.models.money import IntentState
from crossdock.usecases.checkout.agents.acp import order_out
from crossdock.usecases.checkout.agents.order import agent_order
from crossdock.usecases.checkout.agents.sessions import paid_basket


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
    if not settings.AGENTS or token.revoked_at is not None or (token.expires_at and token.expires_at <= now):
        return OrderNews(row.told, why="Its token holds no longer, so it is told nothing.")
    order = order_out(agent_order(row.public_id, row.intent, paid_basket(row.intent)))
    told = hashlib.sha256(json.dumps(order, sort_keys=True).encode()).hexdigest()
    if told == row.told:
        return OrderNews(told, why="It knows that already.")
    return OrderNews(told, {"type": "order_update" if row.told else "order_create", "data": order})
