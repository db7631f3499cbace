"""Deliveries of WooCommerce.

The signature covers the body alone, no delivery is repeated, and after six failures the shop switches them off in
silence.
"""

import hashlib
import re
from urllib.parse import urlsplit

from crossdock.connectors.woocommerce.client import Client
from crossdock.domain.events import HookNews, Look, LookKind
from crossdock.kit import wire
from crossdock.kit.connector import Forged, Hook, Shop, Subscriptions
from crossdock.kit.errors import Missing, Strange
from crossdock.kit.tame import Node, tame
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
    try:
        body = tame(wire.load(hook.body), "webhook")
        look = _look(topic.partition(".")[0], topic.endswith(".deleted"), body)
    except Strange:
        # A signed error of the shop's own (what it wanted to tell of was deleted before it did), or an odd body. It
        # names nothing; an error for an answer would count among those after which the shop switches its hook off.
        return HookNews(topic, f"{topic}:{body_key(hook.body)}")
    return HookNews(topic, f"{look.kind}:{look.entity_id}:{body_key(hook.body)}", (look,))


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
    shop, secret, healed = client.shop, client.shop.secrets["hook_secret"], list[str]()
    trace = hashlib.sha256(secret.encode()).hexdigest()[:8]
    ours = await _ours(client)
    for topic in TOPICS:
        wanted = {"name": f"Crossdock {topic} {trace}", "status": "active", "secret": secret}
        here = [hook for hook in ours if hook.text("topic") == topic and hook.text("delivery_url") == shop.hook_url]
        if not here:
            await client.ask("POST", "webhooks", json={**wanted, "topic": topic, "delivery_url": shop.hook_url})
            healed.append(topic)
            continue
        ours.remove(here[0])
        if here[0].text("status") != "active" or here[0].text("name") != wanted["name"]:
            await client.ask("PUT", f"webhooks/{here[0].id('id')}", json=wanted)
            healed.append(topic)
    await _remove(client, ours)
    return Subscriptions(TOPICS, TOPICS, tuple(healed))


async def unsubscribe(client: Client) -> None:
    await _remove(client, await _ours(client))


async def _ours(client: Client) -> list[Node]:
    """By the path of our address, which holds a name of this shop alone; the host may have been another once."""
    path = urlsplit(client.shop.hook_url).path
    hooks = await client.every("webhooks", {"orderby": "id", "order": "asc"})
    return [hook for hook in hooks if path and _path(hook.text("delivery_url")) == path]


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


async def _remove(client: Client, hooks: list[Node]) -> None:
    for hook in hooks:
        try:
            await client.ask("DELETE", f"webhooks/{hook.id('id')}", query={"force": "true"})
        except Missing:
            continue
