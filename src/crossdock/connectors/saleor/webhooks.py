"""Deliveries of Saleor: a detached JWS (RFC 7515, appendix F; RFC 7797, `b64` false) over the body as it came, by a key
of the shop's /.well-known/jwks.json. Our subscriptions ask for ids alone; without one Saleor sends a list of whole
documents, which is read as well.
"""

import re
from functools import partial
from typing import Any

from crossdock.connectors.saleor.client import CODES, DOCUMENTS, Client
from crossdock.domain.events import HookNews, Look, LookKind
from crossdock.kit.connector import Hook, Shop, Subscriptions
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.shop.webhooks import heal, ours, told
from crossdock.kit.webhook import verify_detached

# ORDER_UPDATED alone covers nearly all of `orders`; the others are there since a seller can see and switch them one by
# one.
TOPICS = ("orders", "products", "variants")
# Where a whole document has the id, by the name of its event.
WHOLE = {"order_": "id", "product_variant_": "product_id", "product_": "id"}


def verify(shop: Shop, hook: Hook) -> None:
    verify_detached(hook.headers.get("saleor-signature", ""), hook.body, shop.secrets.get("jwks", ""))


def news(shop: Shop, hook: Hook) -> HookNews:
    topic = hook.headers.get("saleor-event", "")
    return told(hook, lambda body: (topic, _look(topic, body[0] if isinstance(body, list) and body else body)))


def _look(topic: str, said: Any) -> Look:
    """A variant speaks under its product's name. A list's entries carry the entity itself."""
    body = node_of(said, "webhook")
    about = body.opt_child("productVariant") or body
    for kind in (LookKind.ORDER, LookKind.PRODUCT):
        if entity := about.opt_child(kind):
            return Look(kind, entity.id("id"))
    for event, name in WHOLE.items():
        if topic.startswith(event):
            return Look(LookKind(topic.partition("_")[0]), body.id(name))
    return Look(LookKind.NOTHING)


async def subscribe(client: Client) -> Subscriptions:
    url = client.shop.hook_url
    return await heal(
        TOPICS,
        await _ours(client),
        create=lambda topic: client.do("AddWebhook", input=_wanted(topic, url)),
        change=lambda hook, topic: client.do("ChangeWebhook", id=hook.id("id"), input=_wanted(topic, url)),
        remove=partial(_drop, client),
        right=lambda hook, topic: _right(hook, _wanted(topic, url)),
        topic_of=lambda hook: hook.text("name").partition(": ")[2],
    )


def _wanted(topic: str, url: str) -> dict[str, Any]:
    """An event's name is its type's, in capitals: OrderCreated is ORDER_CREATED."""
    query = DOCUMENTS[topic]
    events = [re.sub(r"\B(?=[A-Z])", "_", name).upper() for name in re.findall(r"\.\.\. on (\w+)", query)]
    return {"name": f"Crossdock: {topic}", "targetUrl": url, "asyncEvents": events, "isActive": True, "query": query}


def _right(hook: Node, wanted: dict[str, Any]) -> bool:
    there = {row.text("eventType") for row in hook.rows("asyncEvents")}
    same = there == set(wanted["asyncEvents"]) and hook.text("subscriptionQuery") == wanted["query"]
    return same and hook.raw("isActive") is True and hook.text("targetUrl") == wanted["targetUrl"]


async def unsubscribe(client: Client) -> None:
    for hook in await _ours(client):
        await _drop(client, hook)


async def _drop(client: Client, hook: Node) -> None:
    """By us, or by somebody before."""
    await client.do("DropWebhook", CODES["gone"], id=hook.id("id"))


async def _ours(client: Client) -> list[Node]:
    """The app's webhooks that point to us; what others call a topic stands in the name."""
    there = (await client.ask("Webhooks")).child("app").rows("webhooks")
    return ours(there, client.shop.hook_url, "targetUrl")
