"""Deliveries of the shop: Standard Webhooks with the same key. They say where to look, and nothing else."""

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from crossdock.connectors.open_door.client import Client, signer
from crossdock.domain.events import HookNews, Look, LookKind
from crossdock.kit import wire
from crossdock.kit.connector import Forged, Hook, Shop, Subscriptions
from crossdock.kit.errors import AuthDead, Strange
from crossdock.kit.json_node import node_of
from crossdock.kit.webhook import body_key

KINDS = {
    "order.changed": LookKind.ORDER,
    "product.changed": LookKind.PRODUCT,
    "product.deleted": LookKind.PRODUCT_GONE,
}


def verify(shop: Shop, hook: Hook) -> None:
    try:
        key: Webhook = signer(shop.secrets.get("key", ""))
        key.verify(hook.body, dict(hook.headers), json_parse=False)
    # A signature without a comma, or one that is no base64, is a ValueError of the library's.
    except (WebhookVerificationError, ValueError, AuthDead):
        raise Forged from None


def news(shop: Shop, hook: Hook) -> HookNews:
    try:
        body = node_of(wire.load(hook.body), "webhook")
        topic = body.word("type")
        look = Look(KINDS.get(topic, LookKind.NOTHING), body.child("data").id("id"))
    except Strange:
        return HookNews("odd", f"odd:{body_key(hook.body)}")
    # A shop's clock may show the same second for two changes, whose bodies are then the same. The name is signed, and a
    # repeat has it too.
    name = hook.headers.get("webhook-id", "").encode()
    return HookNews(topic[:100], f"{look.kind}:{look.entity_id}:{body_key(name + hook.body)}", (look,))


async def subscribe(client: Client) -> Subscriptions:
    if not client.offers("webhooks/set"):
        return Subscriptions((), ())
    answer = await client.ask("webhooks/set", url=client.shop.hook_url)
    if answer.text("url") != client.shop.hook_url:
        return Subscriptions(tuple(KINDS), ())
    return Subscriptions(tuple(KINDS), tuple(KINDS), () if answer.opt_bool("already") else tuple(KINDS))


async def unsubscribe(client: Client) -> None:
    if client.offers("webhooks/set"):
        await client.ask("webhooks/set", url="")
