"""Saleor shops over their GraphQL API, with an app's token, and webhooks signed by the server's own key."""

from crossdock.connectors.saleor import connect, fulfilment, orders, reading, webhooks
from crossdock.connectors.saleor.client import Client
from crossdock.connectors.saleor.manifest import MANIFEST
from crossdock.kit.connector import Connector
from crossdock.kit.shop import signing_keys
from crossdock.kit.shop.base import Composed

connector: Connector = Composed(
    MANIFEST,
    Client,
    connect=connect,
    reading=reading,
    orders=orders,
    fulfilment=fulfilment,
    webhooks=webhooks,
    renewal=signing_keys,
    look=connect.look,
    cancel_lines=orders.cancel_lines,
    write_risk=orders.write_risk,
)
