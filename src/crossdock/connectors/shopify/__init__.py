"""Shopify, Admin GraphQL API.

It has what the others lack: it claims stock when an order is created, and refuses our reference a second time.
"""

from crossdock.connectors.shopify import connect, fulfilment, orders, reading, stock, webhooks
from crossdock.connectors.shopify.client import Client
from crossdock.connectors.shopify.manifest import MANIFEST
from crossdock.kit.connector import Connector
from crossdock.kit.shop.base import Composed

connector: Connector = Composed(
    MANIFEST,
    Client,
    connect=connect,
    reading=reading,
    orders=orders,
    fulfilment=fulfilment,
    webhooks=webhooks,
    sign_in=connect,
    renewal=connect,
    adjust=stock.adjust,
    hook_shop=webhooks.shop_of,
    cancel_lines=orders.cancel_lines,
    write_risk=orders.write_risk,
)
