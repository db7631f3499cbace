"""Deliveries of WooCommerce.

The signature covers the body alone, no delivery is repeated, and after six failures the shop switches them off in
silence.
"""

import hashlib
import re
from functools import partial

from crossdock.connectors.woocommerce.client import Client
from crossdock.domain.events import HookNews, Look, LookKind
from crossdock.kit.connector import Forged, Hook, Shop, Subscriptions
from crossdock.kit.json_node import Node, node_of
from crossdock.kit.shop.webhooks import gone, heal, ours, told
from crossdock.kit.webhook import body_key, hmac_ok

TOPICS = tuple(f"{what}.{event}" for what in ("order", "product") for event in ("created", "updated", "deleted"))
_PING = re.compile(rb"webhook_id=\d{1,20}")


def _is_ping(hook: Hook) -> bool:
    """The ping at creation is unsigned: a form with one number. It is believed to be a ping and nothing else."""
    return not hook.headers.get("x-wc-webhook-signature") and bool(_PING.fullmatch(hook.body))


def verify(shop: Shop, hook: Hook) -> None:
    given = hook.headers.get("x-wc-webhook-signature", "")
    if not _is_ping(hook) and not hmac_ok(shop.secrets.get("hook_secret", ""), hook.body, given):
        raise Forged


def news(shop: Shop, hook: Hook) -> HookNews:
    """The topic header is not signed and the body was built at delivery, so both only say where to look."""
    if _is_ping(hook):
        return HookNews("ping", f"ping:{body_key(hook.body)}")
    topic = hook.headers.get("x-wc-webhook-topic", "")
    # One that is odd may be a signed error of the shop's own (what it wanted to tell of was deleted before it did). It
    # names nothing; an error for an answer would count among those after which the shop switches its hook off.
    about = (topic.partition(".")[0], topic.endswith(".deleted"))
    return told(hook, lambda said: (topic, _look(*about, node_of(said, "webhook"))), topic)


def _look(resource: str, deleted: bool, body: Node) -> Look:
    """A variation speaks under its parent's name.

    A variation that was deleted names only itself; looking finds nothing, and the poll its parent.
    """
    if resource == "order":
        return Look(LookKind.ORDER, body.id("id"))
    if resource != "product":
        return Look(LookKind.NOTHING, body.id("id"))
    is_variation = body.raw("type") == "variation" and body.raw("parent_id")
    return Look(LookKind.PRODUCT_GONE if deleted else LookKind.PRODUCT, body.id("parent_id" if is_variation else "id"))


async def subscribe(client: Client) -> Subscriptions:
    """One active webhook for each topic. The list does not show secrets, so the name carries a trace of ours."""
    url, secret = client.shop.hook_url, client.shop.secrets["hook_secret"]
    trace = hashlib.sha256(secret.encode()).hexdigest()[:8]

    def wish(topic: str) -> dict[str, str]:
        return {"name": f"Crossdock {topic} {trace}", "status": "active", "secret": secret}

    there = await _ours(client)
    subscriptions = await heal(
        TOPICS,
        [hook for hook in there if hook.text("delivery_url") == url],
        create=lambda topic: client.ask("POST", "webhooks", json={**wish(topic), "topic": topic, "delivery_url": url}),
        change=lambda hook, topic: client.ask("PUT", f"webhooks/{hook.id('id')}", json=wish(topic)),
        remove=partial(_remove, client),
        right=lambda hook, topic: hook.text("status") == "active" and hook.text("name") == wish(topic)["name"],
    )
    for hook in there:
        if hook.text("delivery_url") != url:
            await gone(_remove(client, hook))
    return subscriptions


async def unsubscribe(client: Client) -> None:
    for hook in await _ours(client):
        await gone(_remove(client, hook))


async def _ours(client: Client) -> list[Node]:
    hooks = await client.every("webhooks", {"orderby": "id", "order": "asc"})
    return ours(hooks, client.shop.hook_url, "delivery_url")


async def _remove(client: Client, hook: Node) -> None:
    await client.ask("DELETE", f"webhooks/{hook.id('id')}", query={"force": "true"})
