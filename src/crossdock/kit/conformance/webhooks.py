"""8xx: webhooks. Real deliveries from the shop, verified over their bytes; everything else about them is a hint."""

import asyncio
from dataclasses import replace

from crossdock.domain.capability import Capability
from crossdock.domain.events import HookNews, LookKind
from crossdock.kit.conformance.stage import Stage, staged
from crossdock.kit.conformance.suite import expect, scenario
from crossdock.kit.connector import Forged, Hook, Shop
from crossdock.kit.webhook import verified_news

HOOKS, CREATE = Capability.WEBHOOKS, Capability.ORDER_CREATE


@scenario(801, HOOKS, title="Subscribing once sets up every topic, and again changes nothing")
async def subscribes(stage: Stage) -> None:
    async with stage.listening():
        first = await stage.connector.subscribe(stage.shop)
        expect(
            bool(first.expected) and set(first.active) == set(first.expected),
            f"expected {first.expected}, active {first.active}",
        )
        again = await stage.connector.subscribe(stage.shop)
        expect(not again.healed, f"healed for no reason: {again.healed}")
        expect(sorted(again.active) == sorted(first.active), f"first {first.active}, then {again.active}")


@scenario(802, HOOKS, title="Subscriptions that vanished are set up again, and it says which")
async def heals(stage: Stage) -> None:
    async with stage.listening():
        first = await stage.connector.subscribe(stage.shop)
        await stage.connector.unsubscribe(stage.shop)
        healed = await stage.connector.subscribe(stage.shop)
        expect(set(healed.healed) == set(first.expected), f"healed {healed.healed}, expected {first.expected}")
        await _order_delivery(stage)


@scenario(803, HOOKS, CREATE, title="An order's delivery verifies and names the order")
async def order_news(stage: Stage) -> None:
    async with stage.listening():
        await stage.connector.subscribe(stage.shop)
        await _order_delivery(stage)


@scenario(804, HOOKS, title="A product's delivery verifies and names the product")
async def product_news(stage: Stage) -> None:
    async with stage.listening():
        (variant,) = await stage.product(9)
        await stage.connector.subscribe(stage.shop)
        await stage.hand.reprice(variant, "44.40")
        await _news(stage, LookKind.PRODUCT, variant.product_id)


@scenario(805, HOOKS, CREATE, title="A body changed by one byte, cut short, or unsigned is forged", simulated=True)
async def tampered(stage: Stage) -> None:
    async with stage.listening():
        await stage.connector.subscribe(stage.shop)
        hook = await _order_delivery(stage)
        middle = len(hook.body) // 2
        flipped = hook.body[:middle] + bytes([hook.body[middle] ^ 1]) + hook.body[middle + 1 :]
        for body in (flipped, hook.body[:-1], hook.body + b" ", b"", b"{}"):
            _expect_forged(
                stage, stage.shop, replace(hook, body=body), f"a body of {len(body)} bytes instead of {len(hook.body)}"
            )
        for name in [name for name in hook.headers if "sign" in name or "hmac" in name]:
            rest = {key: value for key, value in hook.headers.items() if key != name}
            _expect_forged(stage, stage.shop, replace(hook, headers=rest), f"without {name}")
            _expect_forged(stage, stage.shop, replace(hook, headers={**rest, name: ""}), f"with an empty {name}")
            _expect_forged(stage, stage.shop, replace(hook, headers={**rest, name: "ä" * 44}), f"with a strange {name}")


@scenario(
    806, HOOKS, CREATE, title="A delivery does not verify with another secret, nor for another shop", simulated=True
)
async def other_secret(stage: Stage) -> None:
    async with stage.listening():
        await stage.connector.subscribe(stage.shop)
        hook = await _order_delivery(stage)
        wrong = {name: value[::-1] + "x" for name, value in stage.shop.secrets.items()}
        app = {name: value[::-1] + "x" for name, value in stage.shop.app.items()}
        _expect_forged(stage, replace(stage.shop, secrets=wrong, app=app), hook, "with other secrets")
        none = dict.fromkeys(stage.shop.secrets, "")
        _expect_forged(stage, replace(stage.shop, secrets=none, app={}), hook, "with empty secrets")
    async with staged(stage.connector, type(stage.sandbox), seed=7) as other:
        expect(other.site.address != stage.site.address, "the other shop has the same address")
        _expect_forged(stage, other.shop, hook, "for another shop")


@scenario(
    807, HOOKS, CREATE, title="The same delivery twice has the same key, another state has another", simulated=True
)
async def keys(stage: Stage) -> None:
    async with stage.listening():
        await stage.connector.subscribe(stage.shop)
        (variant,) = await stage.product(9)
        done = await stage.placed(stage.order((variant, 1)))
        await _news(stage, LookKind.ORDER, done.shop_id)
        await stage.hand.cancel(done.shop_id)
        await stage.sandbox.delivered()
        read = [(hook.body, verified_news(stage.connector, stage.shop, hook)) for hook in stage.inbox]
        about = [(body, news) for body, news in read if any(look.entity_id == done.shop_id for look in news.looks)]
        dedupes = {news.dedupe for _, news in about}
        expect(all(dedupes), "a delivery has no key")
        expect(len(dedupes) >= len({body for body, _ in about}), f"{len(about)} deliveries, keys {dedupes}")
        repeated = verified_news(stage.connector, stage.shop, stage.inbox[0])
        expect(repeated == verified_news(stage.connector, stage.shop, stage.inbox[0]), "the same bytes mean two things")


@scenario(808, HOOKS, title="After unsubscribing nothing is delivered any more", simulated=True)
async def unsubscribes(stage: Stage) -> None:
    async with stage.listening():
        await stage.connector.subscribe(stage.shop)
        (variant,) = await stage.product(9)
        await stage.connector.unsubscribe(stage.shop)
        await stage.sandbox.delivered()
        stage.inbox.clear()
        await stage.hand.sell(variant, 1)
        await asyncio.sleep(0.1)
        await stage.sandbox.delivered()
        expect(not stage.inbox, f"{len(stage.inbox)} deliveries after unsubscribing")


@scenario(
    809,
    HOOKS,
    CREATE,
    title="Deliveries doubled, late and out of order all verify and end at the same order",
    simulated=True,
)
async def unruly(stage: Stage) -> None:
    async with stage.listening():
        await stage.connector.subscribe(stage.shop)
        stage.dial.set({"duplicate": 1.0, "out_of_order": 0.5, "late_seconds": 0.3})
        (variant,) = await stage.product(9)
        done = await stage.placed(stage.order((variant, 1)))
        await stage.hand.fulfil(done.shop_id, tracking="LATE0001", carrier="UPS")
        await stage.sandbox.delivered()
        stage.dial.calm()
        expect(stage.dial.counts["duplicate"] > 0, "nothing was doubled")
        named = [look.entity_id for news in _all_news(stage) for look in news.looks if look.kind is LookKind.ORDER]
        expect(named.count(done.shop_id) >= 2, f"orders named: {named}")


async def _order_delivery(stage: Stage) -> Hook:
    """Something happens to an order; its delivery arrives and verifies."""
    (variant,) = await stage.product(9)
    own = await stage.hand.sell(variant, 1)
    return await _news(stage, LookKind.ORDER, own)


async def _news(stage: Stage, kind: LookKind, entity_id: str) -> Hook:
    async def look() -> bool:
        return _naming(stage, kind, entity_id) is not None

    await stage.eventually(
        look, lambda: f"a delivery about {kind} {entity_id} ({len(stage.inbox)} came: {_all_news(stage)})"
    )
    found = _naming(stage, kind, entity_id)
    expect(found is not None, "the delivery vanished")
    return found or stage.inbox[0]


def _naming(stage: Stage, kind: LookKind, entity_id: str) -> Hook | None:
    for hook in stage.inbox:
        news = verified_news(stage.connector, stage.shop, hook)
        if any(look.kind is kind and look.entity_id == entity_id for look in news.looks):
            return hook
    return None


def _all_news(stage: Stage) -> list[HookNews]:
    return [verified_news(stage.connector, stage.shop, hook) for hook in stage.inbox]


def _expect_forged(stage: Stage, shop: Shop, hook: Hook, what: str) -> None:
    try:
        news = verified_news(stage.connector, shop, hook)
    except Forged:
        return
    expect(False, f"{what}, it was believed: {news}")
