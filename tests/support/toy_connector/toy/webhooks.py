"""Deliveries of the corner shop, signed with the secret that it gave us."""

from json import loads

from crossdock.connectors.toy.client import Client

from crossdock.domain.events import HookNews, Look, LookKind
from crossdock.kit.connector import Forged, Hook, Shop, Subscriptions
from crossdock.kit.json_node import node_of
from crossdock.kit.webhook import body_key, hmac_ok

TOPICS = ("order", "product")


def verify(shop: Shop, hook: Hook) -> None:
    given = hook.headers.get("x-toy-signature", "")
    if not hmac_ok(shop.secrets["hook_secret"], hook.body, given, encoding="hex"):
        raise Forged


def news(shop: Shop, hook: Hook) -> HookNews:
    node = node_of(loads(hook.body), "hook")
    kind = {"order": LookKind.ORDER, "product": LookKind.PRODUCT}.get(node.str("topic"), LookKind.NOTHING)
    return HookNews(node.str("topic"), body_key(hook.body), (Look(kind, node.id("id")),))


async def subscribe(client: Client) -> Subscriptions:
    node = await client.post("/api/hooks", {"url": client.shop.hook_url, "topics": list(TOPICS)})
    return Subscriptions(TOPICS, tuple(node.strs("active")), tuple(node.strs("created")))


async def unsubscribe(client: Client) -> None:
    await client.post("/api/hooks", {"url": "", "topics": []})
