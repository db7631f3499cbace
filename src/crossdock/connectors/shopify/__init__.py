"""Shopify, Admin GraphQL API.

It has what the others lack: it claims stock when an order is created, and refuses our reference a second time.
"""

from collections.abc import Sequence

from crossdock.connectors.shopify import adjusting, commands, connect, fulfilling, part, reading, risk, webhooks
from crossdock.connectors.shopify.manifest import MANIFEST
from crossdock.domain.events import Count, Unreadable
from crossdock.kit.connector import Connector, Shop, VariantRef
from crossdock.kit.errors import ending


class Shopify:
    """The Connector protocol, each promise kept in the module that is named after it."""

    manifest = MANIFEST

    address = staticmethod(connect.address)
    begin = staticmethod(connect.begin)
    finish = staticmethod(connect.finish)
    prove = staticmethod(connect.prove)
    renew_at = staticmethod(connect.renew_at)
    renew = staticmethod(connect.renew)

    products = staticmethod(reading.products)
    product = staticmethod(reading.product)
    orders = staticmethod(reading.orders)
    order = staticmethod(reading.order)
    find = staticmethod(commands.find)

    create = staticmethod(ending(commands.create))
    confirm = staticmethod(commands.confirm)
    cancel = staticmethod(ending(commands.cancel))
    cancel_lines = staticmethod(ending(part.cancel_lines))
    adjust = staticmethod(ending(adjusting.adjust))
    write_risk = staticmethod(ending(risk.write_risk))
    write_fulfilment = staticmethod(ending(fulfilling.write_fulfilment))

    verify = staticmethod(webhooks.verify)
    news = staticmethod(webhooks.news)
    hook_shop = staticmethod(webhooks.shop_of)
    subscribe = staticmethod(webhooks.subscribe)
    unsubscribe = staticmethod(webhooks.unsubscribe)

    async def counts(self, shop: Shop, variants: Sequence[VariantRef]) -> Sequence[Count | Unreadable]:
        return await reading.counts(shop, [variant.variant_id for variant in variants])


connector: Connector = Shopify()
