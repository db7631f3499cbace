"""BigCommerce stores over REST: the V3 catalogue and inventory, the V2 orders, and webhooks that only name things."""

from crossdock.connectors.bigcommerce import connect, fulfilment, orders, reading, webhooks
from crossdock.connectors.bigcommerce.client import Client
from crossdock.connectors.bigcommerce.manifest import MANIFEST
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
    look=connect.look,
    write_risk=orders.write_risk,
)
