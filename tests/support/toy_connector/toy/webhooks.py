"""Deliveries of the corner shop, signed with the secret that it gave us."""

from crossdock.connectors.toy.client import Client

from crossdock.domain.events import HookNews, Look, LookKind
from crossdock.kit import text, wire
from crossdock.kit.connector import Forged, Hook, Shop, Subscriptions
from crossdock.kit.errors import Strange
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.shop.webhooks import nothing
from crossdock.kit.webhook import body_key, hmac_ok

TOPICS = ("order", "product")
KINDS = {"order": LookKind.ORDER, "product": LookKind.PRODUCT}


def verify(shop: Shop, hook: Hook) -> None:
    given = hook.headers.get("x-toy-signature", "")
    if not hmac_ok(shop.secrets["hook_secret"], hook.body, given, encoding="hex"):
        raise Forged


def news(shop: Shop, hook: Hook) -> HookNews:
    try:
        node = node_of(wire.load(hook.body), "hook")
        topic = node.text("topic")
        look = Look(KINDS.get(topic, LookKind.NOTHING), node.id("id"))
    except Strange:
        return nothing("odd", hook)
    return HookNews(text.label(topic), body_key(hook.body), (look,))


async def subscribe(client: Client) -> Subscriptions:
    node = await client.post("/api/hooks", {"url": client.shop.hook_url, "topics": list(TOPICS)})
    return Subscriptions(TOPICS, _names(node, "active"), _names(node, "created"))


async def unsubscribe(client: Client) -> None:
    await client.post("/api/hooks", {"url": "", "topics": []})


def _names(node: Node, key: str) -> tuple[str, ...]:
    return tuple(name for name in node.entries(key) if name in TOPICS)
